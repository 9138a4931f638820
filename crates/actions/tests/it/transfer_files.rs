//! Files that a `transfer` reads and writes in other formats than delimited text.

use akkaflow_model::xml;
use rust_xlsxwriter::{Format, Formula, Workbook};

use crate::support::{Bench, check, databases, row, sqlite};
use crate::transfer_values::{meaning, nasty};

/// The transfers of an example, in order, with a value for its parameter `dir`.
fn transfers_of_example(name: &str, directory: &str) -> Vec<String> {
    let path = format!("{}/../../examples/{name}.xml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    assert!(xml::read(text.as_bytes()).root.is_some());
    let mut rest = text.replace("${param:dir}", directory);
    let mut transfers = Vec::new();
    while let Some(start) = rest.find("<transfer>") {
        let end = rest.find("</transfer>").unwrap() + "</transfer>".len();
        transfers.push(rest[start..end].to_owned());
        rest = rest.split_off(end);
    }
    transfers
}

#[tokio::test]
async fn every_value_survives_csv_json_lines_and_parquet() {
    for source in databases().await {
        nasty(&source).await;
        let original = meaning(source.query("select * from s order by id").await);
        for format in [
            "format='csv'",
            "format='csv' delimited='||' quote='&apos;' escape='\\' null-text='\\N' header='false'",
            "format='jsonl'",
            "format='parquet'",
            "format='parquet' compression='zstd'",
        ] {
            let bench = Bench::with(&[&source]);
            let link = source.name();
            bench
                .run(&format!("<transfer><source type='DB' db-link='{link}'>s</source><target type='FILE' path='out' {format}/></transfer>"))
                .await
                .unwrap();
            bench
                .run(&format!("<transfer><source type='FILE' {}>out</source><target type='DB' db-link='{link}' table='back' is-pre-truncate='true'/></transfer>", format.replace("compression='zstd'", "")))
                .await
                .unwrap();
            let back = meaning(source.query("select * from back order by id").await);
            assert_eq!(back, original, "{link} {format}");
            assert!(!bench.log().contains("Warn"), "{}", bench.log());
        }
    }
}

#[tokio::test]
async fn rows_survive_other_encodings_and_compression_and_a_file_that_is_cut_off_changes_nothing() {
    for database in databases().await {
        database
            .execute(&[
                "create table s(id int primary key, name varchar(80))",
                "create table t(id int primary key, name varchar(80))",
            ])
            .await;
        let bench = Bench::with(&[&database]);
        let link = database.name();
        let lines: String = (0..8000)
            .map(|id| format!("{id}\t编号{id:060}\n"))
            .collect();
        std::fs::write(bench.path("in"), lines).unwrap();
        let path = bench.path("in");
        bench
            .run(&format!("<transfer><source type='FILE'>{path}</source><target type='DB' db-link='{link}' table='s'/></transfer>"))
            .await
            .unwrap();
        for (file, encoding) in [
            ("a.csv.gz", "GB18030"),
            ("a.csv.zst", "UTF-16LE"),
            ("a.csv", "gbk"),
        ] {
            let format = format!("format='csv' encoding='{encoding}'");
            bench
                .run(&format!("<transfer><source type='DB' db-link='{link}'>select * from s order by id</source><target type='FILE' path='{file}' {format}/></transfer>"))
                .await
                .unwrap();
            let load = format!(
                "<transfer><source type='FILE' {format}>{file}</source><target type='DB' db-link='{link}' table='t' is-pre-truncate='true'/></transfer>"
            );
            bench.run(&load).await.unwrap();
            let same =
                "select count(*), min(t.name) from s join t on t.id = s.id and t.name = s.name";
            assert_eq!(
                database.query(same).await,
                [row(&["8000", &format!("编号{:060}", 0)])],
                "{file}"
            );
            if file == "a.csv" {
                continue;
            }
            let content = std::fs::read(bench.path(file)).unwrap();
            std::fs::write(bench.path(file), &content[..content.len() - 5]).unwrap();
            let words = bench.failure(&load).await;
            assert!(
                words.contains("cut off") && words.contains("文件不完整"),
                "{words}"
            );
            assert_eq!(database.text("select count(*) from t").await, "8000");
        }
    }
}

#[tokio::test]
async fn the_example_of_csv_makes_a_table_after_the_header_and_writes_one() {
    let mut link = sqlite();
    link.link.name = "local".to_owned();
    let bench = Bench::with(&[&link]);
    let directory = bench.path("");
    std::fs::write(
        bench.path("orders.csv"),
        "id,customer,note\r\n1,\"Li, Lei\",\"said \"\"yes\"\"\nand paid\"\r\n2,Han,\r\n3,Wu,\"\"\r\n",
    )
    .unwrap();
    for transfer in transfers_of_example("csv", directory.trim_end_matches('/')) {
        bench.run(&transfer).await.unwrap();
    }
    assert_eq!(
        link.query("select * from orders order by id").await,
        [
            row(&["1", "Li, Lei", "said \"yes\"\nand paid"]),
            vec![Some(b"2".to_vec()), Some(b"Han".to_vec()), None],
            row(&["3", "Wu", ""]),
        ]
    );
    assert_eq!(
        std::fs::read_to_string(bench.path("notes.csv")).unwrap(),
        "id;note\n1;\"said \"\"yes\"\"\nand paid\"\n3;\"\"\n"
    );
}

#[tokio::test]
async fn the_example_of_json_lines_writes_kinds_and_makes_a_table_after_the_keys() {
    let mut link = sqlite();
    link.link.name = "local".to_owned();
    link.execute(&[
        "create table orders(id bigint, amount decimal(12,2), is_paid boolean, note text)",
        "insert into orders values (1, 12.5, 1, 'a\"b'), (2, null, 0, '')",
    ])
    .await;
    let bench = Bench::with(&[&link]);
    let directory = bench.path("");
    for transfer in transfers_of_example("json_lines", directory.trim_end_matches('/')) {
        bench.run(&transfer).await.unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(bench.path("orders.jsonl")).unwrap(),
        "{\"id\":1,\"amount\":12.5,\"is_paid\":true,\"note\":\"a\\\"b\"}\n{\"id\":2,\"amount\":null,\"is_paid\":false,\"note\":\"\"}\n"
    );
    assert_eq!(
        link.query("select id, is_paid, note from copied order by id")
            .await,
        [row(&["1", "1", "a\"b"]), row(&["2", "0", ""])]
    );
}

#[tokio::test]
async fn a_table_is_made_after_json_lines_with_the_types_of_their_values() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        let line = "{\"id\":9007199254740993,\"price\":0.10,\"ok\":true,\"more\":{\"a\": [1]},\"t\":\"x\"}\n";
        std::fs::write(bench.path("in"), format!("{line}{{\"id\":2}}\n")).unwrap();
        let body = format!(
            "<transfer><source type='FILE' format='jsonl'>in</source><target type='DB' db-link='{}' table='t'/></transfer>",
            database.name()
        );
        bench.run(&body).await.unwrap();
        let sum = "select sum(id) from t";
        assert_eq!(
            database.text(sum).await,
            "9007199254740995",
            "{}",
            bench.log()
        );
        assert_eq!(
            database.text("select price from t where id <> 2").await,
            "0.10"
        );
        let missing =
            "select count(*) from t where id = 2 and ok is null and more is null and t is null";
        assert_eq!(database.text(missing).await, "1");
        std::fs::write(bench.path("in"), format!("{line}{{\"id\":\"x\"}}\n")).unwrap();
        bench.failure(&body).await;
        assert_eq!(database.text("select count(*) from t").await, "2");
    }
}

#[tokio::test]
async fn a_wrong_csv_file_changes_nothing_and_is_named_with_its_line() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&[
                "create table t(a int, b varchar(9))",
                "insert into t values (7, 'old')",
            ])
            .await;
        let body = format!(
            "<transfer><source type='FILE' format='csv'>in.csv</source><target type='DB' db-link='{}' table='t' is-pre-truncate='true'/></transfer>",
            database.name()
        );
        let good: String = (0..50_000).map(|i| format!("{i},\"a\nb\"\n")).collect();
        for (wrong, words) in [
            (
                "1,\"x\n",
                "in.csv, line 100002: a quote that is opened here is never closed",
            ),
            ("1,x,2\n", "in.csv, line 100002) instead of 2"),
            (
                "1,x\"\n",
                "in.csv, line 100002: a quote stands within a field",
            ),
        ] {
            std::fs::write(bench.path("in.csv"), format!("a,b\n{good}{wrong}")).unwrap();
            let said = bench.failure(&body).await;
            assert!(said.contains(words), "{said}");
            assert_eq!(
                database.query("select * from t").await,
                [row(&["7", "old"])]
            );
        }
        std::fs::write(bench.path("in.csv"), "a,b,c\n1,2,3\n").unwrap();
        let said = bench.failure(&body).await;
        assert!(
            said.contains("table t has no column `c`, as the source has"),
            "{said}"
        );
        std::fs::write(bench.path("in.csv"), "a,b\n").unwrap();
        bench.run(&body).await.unwrap();
        assert_eq!(database.text("select count(*) from t").await, "0");
    }
}

#[tokio::test]
async fn columns_are_matched_by_name_or_by_position() {
    for database in databases().await {
        database
            .execute(&["create table t(id int primary key, day varchar(10) default 'today', amount decimal(10,2))"])
            .await;
        let bench = Bench::with(&[&database]);
        let link = database.name();
        let from_file = |attributes: &str, columns: &str| {
            format!(
                "<transfer><source type='FILE' {attributes}>in</source><target type='DB' db-link='{link}' table='t' {columns}/></transfer>"
            )
        };
        for (content, attributes, columns) in [
            ("AMOUNT,id\n1.50,1\n", "format='csv'", ""),
            ("{\"amount\":1.50,\"id\":2}\n", "format='jsonl'", ""),
            (
                "id|amount\n3|1.50\n",
                "header='true' delimited='|'",
                "columns='name'",
            ),
            (
                "x,y,z\n4,today,1.50\n",
                "format='csv'",
                "columns='position'",
            ),
            ("5,today,1.50\n", "delimited=','", ""),
        ] {
            std::fs::write(bench.path("in"), content).unwrap();
            bench.run(&from_file(attributes, columns)).await.unwrap();
        }
        bench
            .run(&format!("<transfer><source type='DB' db-link='{link}'>select amount, 6 as id from t where id = 1</source><target type='DB' db-link='{link}' table='t' columns='name'/></transfer>"))
            .await
            .unwrap();
        let same = "select count(*), sum(id) from t where day = 'today' and amount = 1.5";
        assert_eq!(database.query(same).await, [row(&["6", "21"])], "{link}");
        for (content, attributes, columns, words) in [
            (
                "id,amuont\n",
                "format='csv'",
                "",
                "table t has no column `amuont`, as the source has; is `amount` meant? (its columns: id, day, amount)",
            ),
            ("id,ID\n", "format='csv'", "", "both go to column `id`"),
            (
                "7,today,1\n",
                "delimited=','",
                "columns='name'",
                "has no column `col_0`",
            ),
            (
                "id,day\n7,x\n",
                "format='csv'",
                "columns='position'",
                "the source has 2 columns, the target table has 3",
            ),
        ] {
            std::fs::write(bench.path("in"), content).unwrap();
            let said = bench.failure(&from_file(attributes, columns)).await;
            assert!(said.contains(words), "{said}");
        }
        assert_eq!(database.query(same).await, [row(&["6", "21"])]);
    }
}

#[tokio::test]
async fn a_sheet_makes_a_table_and_fills_one_that_is_there() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        let link = database.name();
        let mut book = Workbook::new();
        let date = Format::new().set_num_format("yyyy-mm-dd");
        let sheet = book.add_worksheet();
        for (column, name) in (0..).zip(["id", "price", "name", "day"]) {
            sheet.write_string(0, column, name).unwrap();
        }
        for row in 1..=2000 {
            sheet.write_number(row, 0, f64::from(row)).unwrap();
            sheet.write_number(row, 1, f64::from(row) + 0.25).unwrap();
            if row % 2 == 0 {
                sheet.write_string(row, 2, format!("名称{row}")).unwrap();
            }
            sheet
                .write_number_with_format(row, 3, 46_000.0, &date)
                .unwrap();
        }
        book.save(bench.path("in.xlsx")).unwrap();
        let load = format!(
            "<transfer><source type='FILE' format='xlsx'>in.xlsx</source><target type='DB' db-link='{link}' table='t'/></transfer>"
        );
        bench.run(&load).await.unwrap();
        let sums = "select count(*), sum(id), count(name), min(name), min(day), max(day) from t";
        let expected = [
            "2000",
            "2001000",
            "1000",
            "名称10",
            "2025-12-09",
            "2025-12-09",
        ];
        assert_eq!(database.query(sums).await, [row(&expected)], "{link}");
        let total: f64 = database
            .text("select sum(price) from t")
            .await
            .parse()
            .unwrap();
        assert!((total - 2_001_500.0).abs() < 1e-6, "{total}");
        database
            .execute(&["drop table t", "create table t(day date, id int, price decimal(10,2), name varchar(20), at varchar(9) default 'x')"])
            .await;
        bench.run(&load).await.unwrap();
        assert_eq!(database.query(sums).await, [row(&expected)], "{link}");
        sheet_with_error(&bench.path("in.xlsx"));
        let said = bench.failure(&load).await;
        assert!(
            said.contains("in.xlsx, sheet Sheet1, cell A3 holds the error #N/A"),
            "{said}"
        );
        assert_eq!(database.text("select count(*) from t").await, "2000");
    }
}

fn sheet_with_error(path: &str) {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "id").unwrap();
    sheet.write_number(1, 0, 1.0).unwrap();
    let error = Formula::new("=NA()").set_result("#N/A");
    sheet.write_formula(2, 0, error).unwrap();
    book.save(path).unwrap();
}

#[test]
fn signs_of_files_are_checked_at_their_place() {
    let findings = |attributes: &str| {
        let body = format!(
            "<transfer><source type='FILE' {attributes}>/x</source><target type='DB' db-link='a' table='t'/></transfer>"
        );
        let (action, diagnostics) = check(&body);
        let found = diagnostics
            .iter()
            .map(|finding| format!("{} {}", finding.code, &body[finding.span.range()]));
        (action.is_some(), found.collect::<Vec<_>>().join(", "))
    };
    let none = String::new();
    assert_eq!(
        findings("format='csv' quote='&apos;' escape='\\' header=' '"),
        (true, none)
    );
    for (attributes, expected) in [
        ("format='csv' quote='ab'", "AF511 ab"),
        ("format='csv' quote='q' escape=''", "AF511 q, AF511 "),
        ("format='csv' delimited='|' quote='|'", "AF503 |"),
        ("format='csv' null-text='a,b'", "AF511 a,b"),
        ("format='csv' delimited=''", "AF503 "),
        ("encoding='GBKK'", "AF511 GBKK"),
        ("format='xslx'", "AF107 xslx"),
        ("compression='lzma'", "AF107 lzma"),
    ] {
        assert_eq!(findings(attributes), (false, expected.to_owned()));
    }
    let of_format = "format='xlsx' delimited=',' encoding='GBK' sheet='1'";
    assert_eq!(
        findings(of_format),
        (true, "AF504 delimited, AF504 encoding".to_owned())
    );
    let of_format = "format='parquet' header='true' compression='gzip' sheet='1'";
    assert_eq!(
        findings(of_format),
        (
            true,
            "AF504 header, AF504 compression, AF504 sheet".to_owned()
        )
    );
    for (path, format, expected) in [
        ("a.XLSX", "", (true, "AF511 a.XLSX".to_owned())),
        ("a.parquet", "format='csv'", (true, "AF511 csv".to_owned())),
        ("a.parquet", "format='parquet'", (true, String::new())),
        ("a.xlsx", "format='xlsx'", (false, "AF107 xlsx".to_owned())),
    ] {
        let body = format!(
            "<transfer><source type='DB' db-link='a'>t</source><target type='FILE' path='{path}' {format}/></transfer>"
        );
        let (action, diagnostics) = check(&body);
        let found = diagnostics
            .iter()
            .map(|finding| format!("{} {}", finding.code, &body[finding.span.range()]))
            .collect::<Vec<_>>()
            .join(", ");
        assert_eq!((action.is_some(), found), expected);
    }
    assert_eq!(
        findings("null-text='x'"),
        (true, "AF504 null-text".to_owned())
    );
}
