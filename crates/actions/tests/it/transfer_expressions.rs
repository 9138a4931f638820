//! `transfer`: filters and computed columns.

use akkaflow_actions::ActionError;

use crate::support::{Bench, check, databases, row};

#[tokio::test]
async fn rows_are_filtered_and_columns_computed_whatever_the_ends() {
    for source in databases().await {
        source
            .execute(&[
                "create table s(id bigint, amount decimal(20,4), name varchar(20), at timestamp)",
                "insert into s values (1, 1.5000, 'a', '2026-11-21 05:00:00'), (2, 2.25, '名', '2026-11-21 06:00:00'), \
                 (3, 10, null, '2026-11-22 05:00:00'), (4, -1, 'd', '2026-11-22 05:00:00')",
            ])
            .await;
        for target in databases().await {
            let mut bench = Bench::new();
            bench.add(source.renamed("from"));
            bench.add(target.renamed("to"));
            target
                .execute(&["create table t(id bigint, amount decimal(20,4), name varchar(20), at timestamp, big varchar(5), due timestamp)"])
                .await;
            let filter = "amount > 0.0 &amp;&amp; at &lt; timestamp(\"2026-11-22T00:00:00Z\") || name == null";
            bench
                .run(&format!(
                    "<transfer><source type='DB' db-link='from' filter='{filter}'>s\
                     <column name='name' value='name == null ? \"none\" : name + string(id)'/>\
                     <column name='big' value='amount > 2.0'/><column name='due' value='at + duration(\"24h\")'/></source>\
                     <target type='DB' db-link='to' table='t'/></transfer>"
                ))
                .await
                .unwrap();
            let rows = target
                .query("select id, name, big, count(*) from t group by id, name, big order by id")
                .await;
            let names = (source.name(), target.name());
            assert_eq!(
                rows,
                [
                    row(&["1", "a1", "false", "1"]),
                    row(&["2", "名2", "true", "1"]),
                    row(&["3", "none", "true", "1"]),
                ],
                "{names:?}"
            );
            let sum = target.text("select sum(amount) from t").await;
            assert_eq!(sum.parse::<f64>().unwrap(), 13.75);
            assert_eq!(
                target.text("select count(*) from t where due > at").await,
                "3"
            );
            let log = bench.log();
            assert!(
                log.contains("filter left 1 rows out") && log.contains("filter过滤掉1条记录"),
                "{log}"
            );
        }
    }
}

#[tokio::test]
async fn fields_of_files_are_text_and_a_missing_table_gets_the_computed_columns() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        std::fs::write(bench.path("in.csv"), "编号,qty\n1,5\n2,0\n3,12\n").unwrap();
        bench
            .run(&format!(
                "<transfer><source type='FILE' format='csv' filter='int(qty) > 0'>in.csv\
                 <column name='qty' value='int(qty) * 2'/><column name='id' value='row[\"编号\"]'/></source>\
                 <target type='DB' db-link='{}' table='t'/></transfer>",
                database.name()
            ))
            .await
            .unwrap();
        assert_eq!(
            database
                .query("select id, qty + 1 from t order by id")
                .await,
            [row(&["1", "11"]), row(&["3", "25"])]
        );
        bench
            .run(&format!(
                "<transfer><source type='DB' db-link='{}' filter='qty &lt; 20'>select id, qty from t\
                 <column name='half' value='double(qty) / 4.0'/></source>\
                 <target type='FILE' path='out.jsonl' format='jsonl'/></transfer>",
                database.name()
            ))
            .await
            .unwrap();
        assert_eq!(
            std::fs::read_to_string(bench.path("out.jsonl")).unwrap(),
            "{\"id\":\"1\",\"qty\":10,\"half\":2.5}\n"
        );
    }
}

#[tokio::test]
async fn a_decimal_that_is_handed_on_keeps_its_digits() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&[
                "create table s(a varchar(50), b int)",
                "insert into s values ('12345678901234567890.12345678901234567890', 1)",
            ])
            .await;
        let text = match database.kind() {
            akkaflow_model::db_links::DbKind::Sqlite => "a",
            _ => "cast(a as decimal(40,20))",
        };
        bench
            .run(&format!(
                "<transfer><source type='DB' db-link='{}' filter='amount != null'>select {text} amount, b from s\
                 <column name='b' value='amount'/><column name='c' value='b == 1 ? amount : null'/></source>\
                 <target type='FILE' path='out' delimited=','/></transfer>",
                database.name()
            ))
            .await
            .unwrap();
        let digits = "12345678901234567890.12345678901234567890";
        assert_eq!(
            std::fs::read_to_string(bench.path("out")).unwrap(),
            format!("{digits},{digits},{digits}\n")
        );
        // A table that is made keeps them too.
        let name = database.name();
        for body in [
            format!(
                "<source type='DB' db-link='{name}'>select {text} amount, b from s\
                 <column name='c' value='b == 1 ? amount : null'/></source>\
                 <target type='DB' db-link='{name}' table='made'/>"
            ),
            format!(
                "<source type='DB' db-link='{name}'>select c from made</source><target type='FILE' path='made'/>"
            ),
        ] {
            bench
                .run(&format!("<transfer>{body}</transfer>"))
                .await
                .unwrap();
        }
        let made = std::fs::read_to_string(bench.path("made")).unwrap();
        assert!(made.starts_with(digits), "{made}");
    }
}

#[tokio::test]
async fn an_expression_that_fails_names_row_and_column_or_rejects_the_row() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&["create table t(a int primary key, b int)"])
            .await;
        std::fs::write(bench.path("in.txt"), "1,5\n2,x\n3,\n3,7\n3,8\n").unwrap();
        let body = |attributes: &str| {
            format!(
                "<transfer><source type='FILE' delimited=',' filter='col_0 != null'>in.txt<column name='col_1' value='int(col_1)'/></source>\
                 <target type='DB' db-link='{}' table='t'{attributes}/></transfer>",
                database.name()
            )
        };
        let words = bench.failure(&body("")).await;
        assert!(
            words.contains("第2行表达式`col_1`") && words.contains("row 2, expression `col_1`"),
            "{words}"
        );
        assert_eq!(database.text("select count(*) from t").await, "0");
        bench
            .run(&body(" reject-limit='3' rejects='bad.csv'"))
            .await
            .unwrap();
        assert_eq!(
            database.query("select a, b from t order by a").await,
            [row(&["1", "5"]), row(&["3", "7"])]
        );
        let bad = std::fs::read_to_string(bench.path("bad.csv")).unwrap();
        let mut numbers: Vec<&str> = bad.lines().skip(1).map(|line| &line[..2]).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, ["2,", "3,", "5,"], "{bad}");
    }
}

#[tokio::test]
async fn a_column_that_is_not_there_is_said_before_the_first_row() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&["create table s(name int)", "create table t(name int)"])
            .await;
        let body = |filter: &str| {
            format!(
                "<transfer><source type='DB' db-link='{0}' filter='{filter}'>s</source><target type='DB' db-link='{0}' table='t'><pre>insert into t values (1)</pre></target></transfer>",
                database.name()
            )
        };
        let words = bench.failure(&body("nmae == 1")).await;
        assert!(
            words.contains("是否应为 `name`") && words.contains("is `name` meant?"),
            "{words}"
        );
        assert_eq!(database.text("select count(*) from t").await, "0");
        // What a reference brought is read as soon as it runs.
        let words = bench.failure(&body("name == \"${x}\" =")).await;
        assert!(words.contains("cannot be read at `=`"), "{words}");
    }
}

#[test]
fn mistakes_are_found_at_their_place() {
    let findings = |source: &str| {
        let body = format!(
            "<transfer><source type='FILE' {source}</source><target type='FILE' path='/y'/></transfer>"
        );
        let (_, diagnostics) = check(&body);
        let found = diagnostics.iter();
        let found = found.map(|it| format!("{} {}", it.code, &body[it.span.range()]));
        found.collect::<Vec<_>>().join("; ")
    };
    for (source, expected) in [
        ("filter='qty > 0'>/x", ""),
        ("filter='qty > ${param:n}'>/x", ""),
        (">/x<column name='a' value='b'/>", ""),
        ("filter='qty >'>/x", "AF126 qty >"),
        ("filter='qty + 1'>/x", "AF126 qty + 1"),
        ("filter='名 == 1'>/x", "AF126 名 == 1"),
        (">/x<column name='a' value='foo(b)'/>", "AF126 foo(b)"),
        (
            ">/x<column name='a' value='1'/><column name='a' value='2'/>",
            "AF511 a",
        ),
        (">/x<column name='a'/>", "AF101 column"),
    ] {
        let found = findings(source);
        match source {
            source if source.ends_with("name='a'/>") => assert!(!found.is_empty(), "{source}"),
            _ => assert_eq!(found, expected, "{source}"),
        }
    }
}

#[tokio::test]
async fn a_cancelled_transfer_ends_while_it_computes() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database.execute(&["create table t(a varchar(20))"]).await;
        let rows: String = (0..400_000).map(|i| format!("{i}\n")).collect();
        std::fs::write(bench.path("in.txt"), rows).unwrap();
        let body = format!(
            "<transfer><source type='FILE' filter='int(col_0) % 2 == 0'>in.txt<column name='col_0' value='col_0 + \"x\"'/></source>\
             <target type='DB' db-link='{}' table='t'/></transfer>",
            database.name()
        );
        let mut running = std::pin::pin!(bench.run(&body));
        let is_under_way = async {
            while !bench.log().contains("writing to the target") {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            result = &mut running => panic!("it ended by itself: {result:?}"),
            () = is_under_way => bench.cancel.cancel(),
        }
        assert_eq!(running.await, Err(ActionError::Cancelled));
        assert_eq!(database.text("select count(*) from t").await, "0");
    }
}
