//! `transfer`: rows that are rejected, up to a limit.

use akkaflow_actions::{ActionError, Outcome};
use akkaflow_model::db_links::DbKind;

use crate::support::{Bench, Database, LOCAL_INFILE, databases, mysql, parse, postgres, row};

fn body(source: &str, link: &str, limit: &str) -> String {
    format!(
        "<transfer>{source}<target type='DB' db-link='{link}' table='t' reject-limit='{limit}' rejects='bad.csv'/></transfer>"
    )
}

fn file(bench: &Bench, rows: &str) -> String {
    std::fs::write(bench.path("in.txt"), rows).unwrap();
    "<source type='FILE' delimited=','>in.txt</source>".to_owned()
}

/// The rejected rows, without the header: number, reason and the rest.
fn rejected(bench: &Bench) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(bench.path("bad.csv")).unwrap();
    let mut lines = text.lines();
    assert!(lines.next().unwrap().starts_with("reject_"), "{text}");
    let number = |line: &str| {
        let (number, rest) = line.split_once(',').unwrap();
        (number.to_owned(), rest.to_owned())
    };
    lines.map(number).collect()
}

fn numbers(bench: &Bench) -> Vec<String> {
    rejected(bench)
        .into_iter()
        .map(|(number, _)| number)
        .collect()
}

fn nothing_is_left(bench: &Bench) {
    let left = std::fs::read_dir(bench.directory.path()).unwrap();
    let names: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["in.txt"]);
}

async fn outcome(bench: &Bench, body: &str) -> Outcome {
    let mut attempt = bench.attempt();
    attempt.outputs = vec!["rows".to_owned(), "rejected".to_owned()];
    parse(body).run(&attempt).await.unwrap()
}

#[tokio::test]
async fn rows_that_the_target_refuses_go_to_a_file_and_the_others_in() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&[
                "create table t(a int primary key, b varchar(5) not null, c decimal(6,2), constraint positive check (a >= 0))",
                "insert into t values (0, 'old', 0)",
            ])
            .await;
        // Line 2 is there already, 4 stands twice, 5 breaks the check, 6 is no number, 7 is NULL, 8 and 9 are no rows.
        let source = file(
            &bench,
            "1,a,1.50\n0,b,1\n2,c,2\n2,d,2\n-5,e,1\nx,f,1\n3,,3\n4,g\n5,h,1,2\n6,i,6\n",
        );
        let outcome = outcome(&bench, &body(&source, database.name(), "7")).await;
        let outputs = [("rows", "3"), ("rejected", "7")];
        let outputs = outputs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(outcome.outputs, outputs, "{}", bench.log());
        assert_eq!(
            database.query("select a, b from t order by a").await,
            [
                row(&["0", "old"]),
                row(&["1", "a"]),
                row(&["2", "c"]),
                row(&["6", "i"])
            ]
        );
        let rejected = rejected(&bench);
        let mut numbers = numbers(&bench);
        numbers.sort();
        assert_eq!(numbers, ["2", "4", "5", "6", "7", "8", "9"], "{rejected:?}");
        for (number, words) in [("8", "2 fields instead of 3"), ("5", "positive")] {
            let found = rejected
                .iter()
                .any(|(of, rest)| of == number && rest.contains(words));
            assert!(found, "{number}: {rejected:?}");
        }
        assert!(
            rejected.iter().all(|(_, rest)| !rest.contains("at row 1")),
            "{rejected:?}"
        );
        let log = bench.log();
        assert!(
            log.contains("拒绝7条记录") && log.contains("row 8 is rejected"),
            "{log}"
        );
    }
}

#[tokio::test]
async fn values_that_would_be_cut_or_rounded_are_rejected_one_by_one() {
    for database in databases().await {
        if database.kind() == DbKind::Sqlite {
            continue;
        }
        let bench = Bench::with(&[&database]);
        database
            .execute(&["create table t(a int, b varchar(5), c decimal(6,2))"])
            .await;
        let source = file(&bench, "1,toolong,1\n2,b,1.234\n3,c,99999999\n4,d,4\n");
        bench
            .run(&body(&source, database.name(), "3"))
            .await
            .unwrap();
        assert_eq!(database.text("select min(a) + count(*) from t").await, "5");
        let mut numbers = numbers(&bench);
        numbers.sort();
        assert_eq!(numbers, ["1", "2", "3"]);
    }
}

#[tokio::test]
async fn beyond_the_limit_nothing_is_kept_and_the_file_stays() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&[
                "create table t(a int primary key, b varchar(9))",
                "insert into t values (-1, 'old')",
            ])
            .await;
        // Several batches, with a duplicate each 10,000 rows.
        let line = |i: u32| format!("{},name\n", if i % 10_000 == 9_999 { 0 } else { i });
        let rows: String = (0..60_000).map(line).collect();
        let source = file(&bench, &rows);
        let words = bench.failure(&body(&source, database.name(), "5")).await;
        assert!(
            words.contains("6 rows were rejected, more than reject-limit=5"),
            "{words}"
        );
        assert_eq!(
            database.query("select a, b from t").await,
            [row(&["-1", "old"])]
        );
        assert_eq!(
            numbers(&bench),
            ["10000", "20000", "30000", "40000", "50000", "60000"]
        );

        let words = bench
            .failure(&body(&source, database.name(), "0.009%"))
            .await;
        assert!(
            words.contains("6 rows of 60000 were rejected, more than reject-limit=0.009%"),
            "{words}"
        );
        assert_eq!(numbers(&bench).len(), 6);
        assert_eq!(database.text("select count(*) from t").await, "1");

        bench
            .run(&body(&source, database.name(), "0.01%"))
            .await
            .unwrap();
        assert_eq!(database.text("select count(*) from t").await, "59995");
        assert_eq!(numbers(&bench).len(), 6);
    }
}

#[tokio::test]
async fn very_many_bad_rows_are_told_from_the_good_ones_each_with_its_reason() {
    for database in [mysql().await, postgres().await].into_iter().flatten() {
        let bench = Bench::with(&[&database]);
        database
            .execute(&["create table t(a int primary key, b varchar(5) not null, c decimal(6,2))"])
            .await;
        // Good, twice there, good, too long, NULL, blanks that would be cut: of the last a server may tell by a note alone.
        let line = |i: u32| match i % 6 {
            1 => format!("{},ok,1\n", i - 1),
            3 => format!("{i},too long,1\n"),
            4 => format!("{i},,1\n"),
            5 => format!("{i},ab      ,1\n"),
            _ => format!("{i},ok,1.25\n"),
        };
        let rows: String = (0..3000).map(line).collect();
        let source = file(&bench, &rows);
        let outcome = outcome(&bench, &body(&source, database.name(), "99%")).await;
        let outputs = [("rows", "1000"), ("rejected", "2000")];
        let outputs = outputs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(outcome.outputs, outputs);
        let kept = "select count(*) from t where b = 'ok' and mod(a, 6) in (0, 2)";
        assert_eq!(database.text(kept).await, "1000");
        let rejected = rejected(&bench);
        let expected: Vec<u32> = (0..3000).filter(|i| !matches!(i % 6, 0 | 2)).collect();
        assert_eq!(rejected.len(), expected.len());
        for ((number, rest), i) in rejected.iter().zip(expected) {
            let words = match i % 6 {
                1 => "uplicate",
                3 => "too long",
                4 => "null",
                _ => "b",
            };
            assert_eq!(number, &(i + 1).to_string());
            assert!(rest.contains(words), "{number}: {rest}");
        }
    }
}

#[tokio::test]
async fn rows_of_a_query_are_rejected_with_their_values() {
    for source in databases().await {
        for target in databases().await {
            let mut bench = Bench::new();
            bench.add(source.renamed("from"));
            bench.add(target.renamed("to"));
            target
                .execute(&["create table t(a int primary key, password varchar(20) not null)"])
                .await;
            let text = match source.kind() {
                DbKind::Sqlite => "text",
                _ => "char(20)",
            };
            let query = format!(
                "<source type='DB' db-link='from'>select 1 a, cast('hidden-1' as {text}) password union all select 1, 'hidden-2' union all select 2, null</source>"
            );
            bench.run(&body(&query, "to", "100%")).await.unwrap();
            assert_eq!(target.text("select count(*) from t").await, "1");
            let text = std::fs::read_to_string(bench.path("bad.csv")).unwrap();
            assert!(
                text.starts_with("reject_row,reject_reason,a,password\n"),
                "{text}"
            );
            let rejected = rejected(&bench);
            assert_eq!(numbers(&bench), ["2", "3"], "{text}");
            assert!(
                rejected[0].1.contains("hidden-2") && rejected[1].1.ends_with(",2,"),
                "{text}"
            );
            assert!(!bench.log().contains("hidden"), "{}", bench.log());
        }
    }
}

#[tokio::test]
async fn what_is_no_row_is_passed_over_whatever_the_format() {
    let sqlite = crate::support::sqlite();
    let bench = Bench::with(&[&sqlite]);
    let run = async |attributes: &str, bytes: &[u8]| {
        sqlite
            .execute(&["drop table if exists t", "create table t(a int, b text)"])
            .await;
        std::fs::write(bench.path("in.txt"), bytes).unwrap();
        let source = format!("<source type='FILE' {attributes}>in.txt</source>");
        bench.run(&body(&source, "sqlite", "9")).await.unwrap();
        let rows = sqlite.query("select a, b from t order by a").await;
        let text = |value: &Option<Vec<u8>>| String::from_utf8(value.clone().unwrap()).unwrap();
        let rows: Vec<String> = rows
            .iter()
            .map(|row| text(&row[0]) + &text(&row[1]))
            .collect();
        (rows.join(" "), numbers(&bench).join(" "))
    };
    let found = |rows: &str, numbers: &str| (rows.to_owned(), numbers.to_owned());
    assert_eq!(
        run("delimited=','", b"1,a\n2,\xff\xfe\n3,c\n4,\xe4\xb8").await,
        found("1a 3c", "2 4")
    );
    // A quote within a field, text behind a quote, a quote that is never closed.
    assert_eq!(
        run(
            "format='csv'",
            b"a,b\n1,\"x\ny\"\n2,b\"c\n3,\"c\"d\n4,d\n5,e,f\n6,\"open\n7,g\n"
        )
        .await,
        found("1x\ny 4d 7g", "4 5 7 8")
    );
    assert_eq!(
        run("format='jsonl'", b"{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\n\n{\"a\":3,\"b\":\"\xff\"}\n{\"a\":4,\"b\":\"z\"}\n").await,
        found("1x 4z", "2 4")
    );
    assert_eq!(
        run("encoding='GBK' delimited=','", b"1,\xd6\xd0\n2,\xff\n3,c\n").await,
        found("1中 3c", "2")
    );
}

#[tokio::test]
async fn foreign_keys_are_the_rows_fault_even_when_told_at_the_commit() {
    for database in [mysql().await, postgres().await].into_iter().flatten() {
        let bench = Bench::with(&[&database]);
        let deferred = match database.kind() {
            DbKind::Postgres => " deferrable initially deferred",
            _ => "",
        };
        let child =
            format!("create table t(a int, b int, foreign key (b) references p(a){deferred})");
        database
            .execute(&[
                "create table p(a int primary key)",
                "insert into p values (1)",
                &child,
            ])
            .await;
        let source = file(&bench, "1,1\n2,2\n3,1\n");
        bench
            .run(&body(&source, database.name(), "1"))
            .await
            .unwrap();
        assert_eq!(database.text("select sum(a) from t").await, "4");
        assert_eq!(numbers(&bench), ["2"]);
    }
}

#[tokio::test]
async fn servers_without_local_infile_and_tables_without_transactions_are_understood() {
    let Some(database) = mysql().await else {
        return;
    };
    let bench = Bench::with(&[&database]);
    database
        .execute(&["create table t(a int primary key, b varchar(3), c bit(8))"])
        .await;
    let source = file(&bench, "1,a,1\n1,b,1\n2,toolong,1\n3,c,x\n4,d,4\n");
    let body = body(&source, "mysql", "3");
    {
        let _turn = LOCAL_INFILE.lock().await;
        let before = database.text("select @@global.local_infile").await;
        database.execute(&["set global local_infile = 0"]).await;
        let done = bench.run(&body).await;
        database
            .execute(&[&format!("set global local_infile = {before}")])
            .await;
        done.unwrap();
    }
    assert_eq!(database.text("select sum(a) from t").await, "5");
    assert_eq!(numbers(&bench), ["2", "3", "4"]);
    // What comes after has the server's own mode again.
    assert!(!database.text("select @@sql_mode").await.is_empty());
    database.execute(&["alter table t engine = MyISAM"]).await;
    let words = bench.failure(&body).await;
    assert!(
        words.contains("MyISAM") && words.contains("reject-limit needs"),
        "{words}"
    );
}

#[tokio::test]
async fn neither_a_cancelled_nor_a_dying_transfer_leaves_a_file() {
    for database in databases().await {
        for is_killed in [true, false] {
            let bench = Bench::with(&[&database]);
            database
                .execute(&[
                    "drop table if exists t",
                    "create table t(a int primary key)",
                ])
                .await;
            // Every other row is there twice: that takes long.
            let rows: String = (0..40_000).map(|i| format!("{}\n", i / 2)).collect();
            let source = file(&bench, &rows);
            let action = parse(&body(&source, database.name(), "100%"));
            let attempt = bench.attempt();
            let mut running = tokio::spawn(async move { action.run(&attempt).await.map(|_| ()) });
            let is_under_way = async {
                while !bench.log().contains("row 4 is rejected") {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                result = &mut running => panic!("it ended by itself: {result:?}"),
                () = is_under_way => {}
            }
            match is_killed {
                true => {
                    running.abort();
                    assert!(running.await.unwrap_err().is_cancelled());
                }
                false => {
                    bench.cancel.cancel();
                    assert_eq!(running.await.unwrap(), Err(ActionError::Cancelled));
                }
            }
            nothing_is_left(&bench);
            is_empty(&database).await;
        }
    }
}

/// Once the server has noticed that its client is gone.
async fn is_empty(database: &Database) {
    assert_eq!(database.text("select count(*) from t").await, "0");
}
