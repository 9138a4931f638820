//! Files that a `transfer` reads and writes in other formats than delimited text.

use akkaflow_model::xml;

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
async fn every_value_survives_a_csv_file() {
    for source in databases().await {
        nasty(&source).await;
        let original = meaning(source.query("select * from s order by id").await);
        for signs in [
            "",
            "delimited='||' quote='&apos;' escape='\\' null-text='\\N' header='false'",
        ] {
            let bench = Bench::with(&[&source]);
            let link = source.name();
            bench
                .run(&format!("<transfer><source type='DB' db-link='{link}'>s</source><target type='FILE' path='out' format='csv' {signs}/></transfer>"))
                .await
                .unwrap();
            bench
                .run(&format!("<transfer><source type='FILE' format='csv' {signs}>out</source><target type='DB' db-link='{link}' table='back' is-pre-truncate='true'/></transfer>"))
                .await
                .unwrap();
            let back = meaning(source.query("select * from back order by id").await);
            assert_eq!(back, original, "{link} {signs}");
            assert!(!bench.log().contains("Warn"), "{}", bench.log());
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
            (
                "1,x,2\n",
                "row 50001 has 3 fields (line 100002 of the file) instead of 2",
            ),
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
            said.contains("the source has 3 columns, the target table has 2"),
            "{said}"
        );
        std::fs::write(bench.path("in.csv"), "a,b\n").unwrap();
        bench.run(&body).await.unwrap();
        assert_eq!(database.text("select count(*) from t").await, "0");
    }
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
    ] {
        assert_eq!(findings(attributes), (false, expected.to_owned()));
    }
    assert_eq!(
        findings("null-text='x'"),
        (true, "AF504 null-text".to_owned())
    );
}
