//! Values come out as they went in, between all kinds of databases, or the row is refused.

use akkaflow_model::db_links::DbKind;

use crate::support::{Bench, Database, LOCAL_INFILE, Rows, databases, mysql, postgres, row};

/// A table of the product's own types, its rows, and their spelling.
pub(crate) async fn nasty(database: &Database) {
    let (table, rows): (&str, Vec<String>) = match database.kind() {
        DbKind::Mysql => (
            "create table s(id int primary key, t text character set utf8mb4, n decimal(65,30), u bigint unsigned, d datetime(3), b blob, f float, g double, bits bit(12), day date, tm time(2))",
            vec![
                r"(1, 'tab\tquote''back\\slash\nline\r\n😀 \\N null,', 99999999999999999999999999999999999.999999999999999999999999999999, 18446744073709551615, '2026-02-28 23:59:59.123', x'01ff5c090a', 16777217, 0.1, 4095, '0001-01-01', '23:59:59.99')".to_owned(),
                "(2, '', 0, 0, '1970-01-01 00:00:00', x'', 0.1, -1e300, 0, '9999-12-31', '00:00:00')".to_owned(),
                "(3, null, null, null, null, null, null, null, null, null, null)".to_owned(),
                r"(4, 'null', -0.000000000000000000000000000001, 1, '9999-12-31 23:59:59.999', '\\x41', 3.4e38, 5e-324, 1, '2024-02-29', '12:00:00')".to_owned(),
            ],
        ),
        DbKind::Postgres => (
            "create table s(id int primary key, t text, n numeric(65,30), u numeric(20), d timestamp(3), b bytea, f real, g double precision, bits bigint, day date, tm time(2))",
            vec![
                r"(1, E'tab\tquote''back\\slash\nline\r\n😀 \\N null,', 99999999999999999999999999999999999.999999999999999999999999999999, 18446744073709551615, '2026-02-28 23:59:59.123', '\x01ff5c090a', 16777216, 0.1, 4095, '0001-01-01', '23:59:59.99')".to_owned(),
                "(2, '', 0, 0, '1970-01-01 00:00:00', '', 0.1, -1e300, 0, '9999-12-31', '00:00:00')".to_owned(),
                "(3, null, null, null, null, null, null, null, null, null, null)".to_owned(),
                r"(4, 'null', -0.000000000000000000000000000001, 1, '9999-12-31 23:59:59.999', '\x5c783431', 3.4e38, 5e-324, 1, '2024-02-29', '12:00:00')".to_owned(),
            ],
        ),
        _ => (
            "create table s(id int primary key, t text, n text, u text, d datetime, b blob, f double, g double, bits integer, day date, tm time)",
            vec![
                "(1, 'tab' || char(9) || 'quote''back\\slash' || char(10) || 'line' || char(13, 10) || '😀 \\N null,', '99999999999999999999999999999999999.999999999999999999999999999999', '18446744073709551615', '2026-02-28 23:59:59.123', x'01ff5c090a', 16777216, 0.1, 4095, '0001-01-01', '23:59:59.99')".to_owned(),
                "(2, '', '0', '0', '1970-01-01 00:00:00', x'', 0.1, -1e300, 0, '9999-12-31', '00:00:00')".to_owned(),
                "(3, null, null, null, null, null, null, null, null, null, null)".to_owned(),
                r"(4, 'null', '-0.000000000000000000000000000001', '1', '9999-12-31 23:59:59.999', x'5c783431', 3.4e38, 5e-324, 1, '2024-02-29', '12:00:00')".to_owned(),
            ],
        ),
    };
    let mut statements = vec![table.to_owned(), table.replace("table s(", "table back(")];
    statements.extend(rows.iter().map(|row| format!("insert into s values {row}")));
    let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
    database.execute(&statements).await;
}

/// Text and bytes as they are; numbers and times by what they mean, since each product spells them its own way.
pub(crate) fn meaning(rows: Rows) -> Vec<Vec<Option<String>>> {
    let normal = |column: usize, value: Vec<u8>| match column {
        // Bytes.
        5 => format!("{value:02x?}"),
        1 => String::from_utf8(value).unwrap(),
        // Single and double precision.
        6 => format!(
            "{:e}",
            String::from_utf8(value).unwrap().parse::<f32>().unwrap()
        ),
        7 => format!(
            "{:e}",
            String::from_utf8(value).unwrap().parse::<f64>().unwrap()
        ),
        // Zeros behind the point mean nothing.
        _ => {
            let text = String::from_utf8(value).unwrap();
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
    };
    rows.into_iter()
        .map(|row| {
            row.into_iter()
                .enumerate()
                .map(|(column, value)| value.map(|value| normal(column, value)))
                .collect()
        })
        .collect()
}

#[tokio::test]
async fn nasty_values_survive_between_all_databases_and_back() {
    for source in databases().await {
        nasty(&source).await;
        let original = meaning(source.query("select * from s order by id").await);
        for target in databases().await {
            let mut bench = Bench::new();
            bench.add(source.renamed("from"));
            bench.add(target.renamed("to"));
            let way = format!("{:?} to {:?}", source.kind(), target.kind());
            bench
                .run("<transfer><source type='DB' db-link='from'>s</source><target type='DB' db-link='to' table='copy'/></transfer>")
                .await
                .unwrap_or_else(|error| panic!("{way}: {error:?}"));
            let copied = meaning(target.query("select * from copy order by id").await);
            assert_eq!(copied, original, "{way}");
            // And back into a table that is there: every type is declared as it was at first.
            source.execute(&["delete from back"]).await;
            bench
                .run("<transfer><source type='DB' db-link='to'>select * from copy</source><target type='DB' db-link='from' table='back'/></transfer>")
                .await
                .unwrap_or_else(|error| panic!("{way} and back: {error:?}"));
            let back = meaning(source.query("select * from back order by id").await);
            assert_eq!(back, original, "{way} and back");
        }
    }
}

#[tokio::test]
async fn values_survive_a_file_as_far_as_its_rules_go() {
    for source in databases().await {
        nasty(&source).await;
        let bench = Bench::with(&[&source]);
        let link = source.name();
        bench
            .run(&format!("<transfer><source type='DB' db-link='{link}'>select * from s where id &lt; 4</source><target type='FILE' path='out' delimited='\\u0001'/></transfer>"))
            .await
            .unwrap();

        bench
            .run(&format!("<transfer><source type='FILE' delimited='\\u0001'>out</source><target type='DB' db-link='{link}' table='back'/></transfer>"))
            .await
            .unwrap();
        let mut expected = meaning(
            source
                .query("select * from s where id < 4 order by id")
                .await,
        );
        let text = expected[0][1].as_mut().unwrap();
        *text = text.replace("\r\n", " ").replace('\n', " ");
        // Empty is NULL.
        expected[1][1] = None;
        expected[1][5] = None;
        let mut back = meaning(source.query("select * from back order by id").await);
        back[1][5] = None;
        assert_eq!(back, expected, "{link}");
        // A tab in a value and tabs between them: nobody could read that back.
        let words = bench
            .failure(&format!("<transfer><source type='DB' db-link='{link}'>s</source><target type='FILE' path='out'/></transfer>"))
            .await;
        assert!(words.contains("row 1, column `t`"), "{words}");
    }
}

#[tokio::test]
async fn line_breaks_are_kept_between_databases_and_told_when_a_file_loses_them() {
    const VALUES: [&str; 4] = ["line1\nline2", "a\r\nb", "c\rd", "none"];
    for source in databases().await {
        let quoted = VALUES.map(|value| match source.kind() {
            DbKind::Mysql => format!("'{}'", value.replace('\r', "\\r").replace('\n', "\\n")),
            _ => format!("'{value}'"),
        });
        let rows: Vec<String> = (1..)
            .zip(quoted)
            .map(|(id, v)| format!("({id}, {v})"))
            .collect();
        let insert = format!("insert into s values {}", rows.join(", "));
        let create = "create table s(id int, note varchar(20))";
        source.execute(&[create, &insert]).await;
        for target in databases().await {
            let mut bench = Bench::new();
            bench.add(source.renamed("from"));
            bench.add(target.renamed("to"));
            bench
                .run("<transfer><source type='DB' db-link='from'>s</source><target type='DB' db-link='to' table='copy'/></transfer>")
                .await
                .unwrap();
            let kept = target.query("select note from copy order by id").await;
            assert_eq!(kept, VALUES.map(|value| row(&[value])));
            assert!(!bench.log().contains("Warn"), "{}", bench.log());
        }
        let bench = Bench::with(&[&source]);
        let link = source.name();
        bench
            .run(&format!("<transfer><source type='DB' db-link='{link}'>select id, note from s order by id desc</source><target type='FILE' path='out'/></transfer>"))
            .await
            .unwrap();
        assert_eq!(
            std::fs::read_to_string(bench.path("out")).unwrap(),
            "4\tnone\n3\tc d\n2\ta b\n1\tline1 line2\n"
        );
        let log = bench.log();
        let warned =
            |line: &str| line.starts_with("Warn") && line.contains("有3个值的换行已写为空格");
        assert_eq!(log.lines().filter(|line| warned(line)).count(), 1, "{log}");
        assert!(log.contains("首个是第2行的字段`note`"), "{log}");
        assert!(log.contains("line breaks of 3 values"), "{log}");
        assert!(log.contains("the first is row 2, column `note`"), "{log}");
    }
}

/// Numbers without a scale, as the source spells them, and their spelling in a table that is made for them.
#[tokio::test]
async fn numbers_of_unknown_scale_keep_their_digits_in_tables_that_are_made() {
    const SOME: &str = "select id, n, whole, part, word, mixed from s order by id";
    for target in databases().await {
        let source = crate::support::sqlite();
        source
            .execute(&[
                "create table s(id int, n decimal(10,2), whole numeric, part numeric, word numeric, mixed)",
                "insert into s values (1, 2.25, 3, 1.500, 'x', 9007199254740993), (2, null, -9223372036854775808, 1e300, '007', 0.5), \
                 (3, 1, null, 7, 8, null)",
            ])
            .await;
        let mut bench = Bench::new();
        bench.add(source.renamed("from"));
        bench.add(target.renamed("to"));
        bench
            .run("<transfer><source type='DB' db-link='from'>select *, sum(whole) over (rows between 1 following and 1 following) as total from s</source><target type='DB' db-link='to' table='copy'/></transfer>")
            .await
            .unwrap();
        let way = format!("{:?}: {}", target.kind(), bench.log());
        let copied = target.query(&SOME.replace("from s", "from copy")).await;
        let spelled = |number: usize, column: usize| {
            let value = copied[number][column].clone().unwrap();
            String::from_utf8(value).unwrap()
        };
        assert_eq!(spelled(0, 1), "2.25", "{way}");
        assert_eq!(spelled(1, 2), i64::MIN.to_string(), "{way}");
        assert_eq!(spelled(0, 3), "1.5", "{way}");
        assert_eq!(spelled(1, 3).parse(), Ok(1e300), "{way}");
        assert_eq!(spelled(1, 4), "7", "{way}");
        assert_eq!(spelled(0, 5), "9007199254740993", "{way}");
        assert_eq!(spelled(1, 5), "0.5", "{way}");
        // Numbers that are sorted as numbers, not as text.
        let order = target
            .query("select id from copy where part > 1.6 order by part")
            .await;
        assert_eq!(order, [row(&["3"]), row(&["2"])], "{way}");
        let total = target.query("select total from copy where id = 1").await;
        assert_eq!(total, [row(&[&i64::MIN.to_string()])], "{way}");
    }
}

#[tokio::test]
async fn numerics_of_postgres_survive_a_round_trip_as_they_are_spelled() {
    let Some(source) = postgres().await else {
        return;
    };
    source
        .execute(&[
            "create table s(id int, n numeric, wide numeric(70,2), p numeric(6,3))",
            "create table back(like s)",
            "insert into s values (1, 1.500, 2.50, 1.500), (2, 1.5, null, 0.1), (3, 12345678901234567890123456789012345678901234567890, 3, 4), \
             (4, 0.00000000000000000000000000000000000000001, 0, 5), (5, 100, 12345678901234567890123456789012345678901234567890123456789012345678.25, 1)",
        ])
        .await;
    let original = source.query("select * from s order by id").await;
    for target in databases().await {
        let mut bench = Bench::new();
        bench.add(source.renamed("from"));
        bench.add(target.renamed("to"));
        for (from, rows, to, table) in [("from", "s", "to", "copy"), ("to", "copy", "from", "back")]
        {
            bench
                .run(&format!("<transfer><source type='DB' db-link='{from}'>{rows}</source><target type='DB' db-link='{to}' table='{table}' is-pre-truncate='true'/></transfer>"))
                .await
                .unwrap();
        }
        let way = format!("{:?}", target.kind());
        let texts = target.query("select n, wide from copy order by id").await;
        let expected: Rows = original.iter().map(|row| row[1..3].to_vec()).collect();
        assert_eq!(texts, expected, "{way}");
        assert_eq!(
            source.query("select * from back order by id").await,
            original,
            "{way}"
        );
    }
}

#[tokio::test]
async fn sqlite_refuses_numbers_that_it_would_round() {
    let database = crate::support::sqlite();
    let bench = Bench::with(&[&database]);
    database
        .execute(&["create table t(a bigint, b decimal(38,4))"])
        .await;
    let body = "<transfer><source type='FILE' delimited=','>in</source><target type='DB' db-link='sqlite' table='t'/></transfer>";
    for (line, column) in [
        ("18446744073709551615,1", 'a'),
        ("1,12345678901234567.8901", 'b'),
        ("x,1", 'a'),
    ] {
        std::fs::write(bench.path("in"), format!("1,1.5\n{line}\n")).unwrap();
        let words = bench.failure(body).await;
        assert!(
            words.contains(&format!("row 2, column `{column}`")),
            "{words}"
        );
    }
    std::fs::write(bench.path("in"), "9223372036854775807,12345678901.2345\n").unwrap();
    bench.run(body).await.unwrap();
    assert_eq!(
        database.query("select * from t").await,
        [row(&["9223372036854775807", "12345678901.2345"])]
    );
}

#[tokio::test]
async fn booleans_zero_dates_and_explicit_zeros_arrive() {
    let Some(mysql) = mysql().await else { return };
    let Some(postgres) = crate::support::postgres().await else {
        return;
    };
    let bench = Bench::with(&[&mysql, &postgres]);
    postgres
        .execute(&[
            "create table s(a boolean, z timestamptz, c char(3))",
            "insert into s values (true, '2026-11-21 05:00:00.5+00', 'x'), (false, null, null)",
        ])
        .await;
    bench
        .run("<transfer><source type='DB' db-link='postgres'>s</source><target type='DB' db-link='mysql' table='t'/></transfer>")
        .await
        .unwrap();
    assert_eq!(
        mysql.query("select a, z is null from t order by a").await,
        [row(&["0", "1"]), row(&["1", "0"])]
    );
    bench
        .run("<transfer><source type='DB' db-link='mysql'>select a, null, null from t</source><target type='DB' db-link='postgres' table='s' is-pre-truncate='true'/></transfer>")
        .await
        .unwrap();
    assert_eq!(
        postgres.query("select a from s order by a").await,
        [row(&["f"]), row(&["t"])]
    );
    mysql
        .execute(&[
            "set session sql_mode = ''",
            "create table z(id int auto_increment primary key, d date)",
            "create table y like z",
        ])
        .await;
    let loose = "set session sql_mode = 'NO_AUTO_VALUE_ON_ZERO'";
    mysql
        .execute(&[
            loose,
            "insert into z values (0, '0000-00-00'), (5, '2026-00-00')",
        ])
        .await;
    bench
        .run("<transfer><source type='DB' db-link='mysql'>z</source><target type='DB' db-link='mysql' table='y'/></transfer>")
        .await
        .unwrap();
    assert_eq!(
        mysql.query("select * from y order by id").await,
        [row(&["0", "0000-00-00"]), row(&["5", "2026-00-00"])]
    );
}

/// Types of one column, a value that they keep, one that they would round, cut or clamp.
const LOSSY: [(&str, &str, &str); 10] = [
    ("decimal(10,2)", "1.230", "1.234"),
    ("decimal(10,2)", "1.5e1", "100000000.00"),
    ("varchar(3)", "日本语", "abcd"),
    ("varchar(3)", "a b", "abc "),
    ("int", "12", "12x"),
    ("int", "7", "1.5"),
    ("smallint", "300", "40000"),
    ("date", "2026-12-01", "2026-13-01"),
    ("date", "2026-12-01 00:00:00", "2026-12-01 10:00:00"),
    ("time(1)", "10:00:00.10", "10:00:00.12"),
];

/// Whatever is written beside it, a value that the column does not keep undoes all, and is named.
async fn refuses_lossy_values(database: &Database, more: &[(&str, &str, &str)]) {
    let bench = Bench::with(&[database]);
    let body = format!(
        "<transfer><source type='FILE'>in</source><target type='DB' db-link='{}' table='t'/></transfer>",
        database.name()
    );
    for (declared, good, bad) in LOSSY.iter().chain(more) {
        let create = format!("create table t(id int, v {declared})");
        database.execute(&[&create]).await;
        std::fs::write(bench.path("in"), format!("1\t{good}\n2\t{bad}\n")).unwrap();
        let words = bench.failure(&body).await;
        let case = format!("{declared} {bad}: {words}");
        let names_row = ["row 2", "line 2", "rows 1 to 2"];
        assert!(names_row.iter().any(|row| words.contains(row)), "{case}");
        let names_column = ["column `v`", "column 'v'", "column v", "`v`"];
        assert!(
            names_column.iter().any(|column| words.contains(column)),
            "{case}"
        );
        assert!(
            !words.contains("0条") && !words.contains("0 refused"),
            "{case}"
        );
        assert_eq!(database.text("select count(*) from t").await, "0", "{case}");
        std::fs::write(bench.path("in"), format!("1\t{good}\n")).unwrap();
        bench.run(&body).await.unwrap();
        assert_eq!(database.text("select count(*) from t").await, "1", "{case}");
        database.execute(&["drop table t"]).await;
    }
}

#[tokio::test]
async fn mysql_refuses_what_it_would_round_or_cut_on_both_ways_in() {
    let Some(database) = mysql().await else {
        return;
    };
    let more = [
        ("tinyint", "127", "300"),
        ("datetime", "2026-01-01 00:00:00.0", "2026-01-01 00:00:00.5"),
    ];
    let _turn = LOCAL_INFILE.lock().await;
    refuses_lossy_values(&database, &more).await;
    let before = database.text("select @@global.local_infile").await;
    database.execute(&["set global local_infile = 0"]).await;
    refuses_lossy_values(&database, &more).await;
    let restore = format!("set global local_infile = {before}");
    database.execute(&[&restore]).await;
}

#[tokio::test]
async fn postgres_refuses_what_it_would_round_or_cut() {
    let Some(database) = postgres().await else {
        return;
    };
    let more = [(
        "timestamp(0)",
        "2026-01-01 00:00:00.0",
        "2026-01-01 00:00:00.5",
    )];
    refuses_lossy_values(&database, &more).await;
}

#[tokio::test]
async fn sqlite_keeps_what_other_databases_would_round_or_cut() {
    let database = crate::support::sqlite();
    let bench = Bench::with(&[&database]);
    database
        .execute(&["create table t(a decimal(10,2), b varchar(3), c tinyint, d date, e int)"])
        .await;
    let body = "<transfer><source type='FILE' delimited=','>in</source><target type='DB' db-link='sqlite' table='t'/></transfer>";
    std::fs::write(bench.path("in"), "1.234,abcd,300,2026-13-01,1.5\n").unwrap();
    bench.run(body).await.unwrap();
    assert_eq!(
        database.query("select * from t").await,
        [row(&["1.234", "abcd", "300", "2026-13-01", "1.5"])]
    );
    std::fs::write(bench.path("in"), "1,a,1,2026-01-01,12x\n").unwrap();
    let words = bench.failure(body).await;
    assert!(words.contains("row 1, column `e`"), "{words}");
}

#[tokio::test]
async fn sqlite_refuses_what_would_become_null() {
    let database = crate::support::sqlite();
    let bench = Bench::with(&[&database]);
    database.execute(&["create table t(a int, d double)"]).await;
    std::fs::write(bench.path("in"), "1,0.5\n2,NaN\n").unwrap();
    let body = "<transfer><source type='FILE' delimited=','>in</source><target type='DB' db-link='sqlite' table='t'/></transfer>";
    let words = bench.failure(body).await;
    assert!(words.contains("row 2, column `d`"), "{words}");
    assert_eq!(database.text("select count(*) from t").await, "0");
}
