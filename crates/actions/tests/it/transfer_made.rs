//! `transfer`: a table that it makes is gone again when its rows do not come.

use akkaflow_actions::ActionError;
use akkaflow_model::db_links::DbKind;

use crate::support::{Bench, Database, databases, open, parse};

fn from_lines(database: &Database, more: &str) -> String {
    format!(
        "<transfer><source type='FILE' format='jsonl'>in.jsonl</source><target type='DB' db-link='{}' table='t'>{more}</target></transfer>",
        database.name()
    )
}

/// Numbers in so many rows, then a text.
fn write_with_a_late_text(bench: &Bench, numbers: u32) {
    let mut rows: String = (0..numbers).map(|i| format!("{{\"a\":{i}}}\n")).collect();
    rows.push_str("{\"a\":\"x\"}\n");
    std::fs::write(bench.path("in.jsonl"), rows).unwrap();
}

async fn is_there(database: &Database, table: &str) -> bool {
    let mut session = open(&database.link).await;
    session.table(table).await.unwrap().is_some()
}

#[tokio::test]
async fn a_failed_transfer_takes_its_table_away_again_and_says_why_its_types_were_so() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        write_with_a_late_text(&bench, 1000);
        let words = bench.failure(&from_lines(&database, "")).await;
        assert!(
            words.contains("with types that the first 1000 rows of the source need")
                && words.contains("按源的前1000行建立")
                && words.contains("first create it"),
            "{words}"
        );
        assert!(!is_there(&database, "t").await, "{}", database.name());
        let log = bench.log();
        assert!(log.contains("dropped table t again"), "{log}");
        // So a second one does not find it either, and a file that is right makes it.
        bench.failure(&from_lines(&database, "")).await;
        std::fs::write(bench.path("in.jsonl"), "{\"a\":1}\n").unwrap();
        bench.run(&from_lines(&database, "")).await.unwrap();
        assert_eq!(database.text("select count(*) from t").await, "1");
    }
}

#[tokio::test]
async fn a_cancelled_transfer_takes_its_table_away_again() {
    for database in databases().await {
        for tasks in ["", " task-num='3'"] {
            let bench = Bench::with(&[&database]);
            let rows: String = (0..400_000).map(|i| format!("{{\"a\":{i}}}\n")).collect();
            std::fs::write(bench.path("in.jsonl"), rows).unwrap();
            let body = from_lines(&database, "").replace("table='t'", &format!("table='t'{tasks}"));
            let action = parse(&body);
            let attempt = bench.attempt();
            let running = tokio::spawn(async move { action.run(&attempt).await.map(|_| ()) });
            while !bench.log().contains("writing") {
                tokio::task::yield_now().await;
            }
            bench.cancel.cancel();
            assert_eq!(running.await.unwrap(), Err(ActionError::Cancelled));
            assert!(
                !is_there(&database, "t").await,
                "{}{tasks}: {}",
                database.name(),
                bench.log()
            );
        }
    }
}

#[tokio::test]
async fn a_table_that_holds_rows_or_that_another_has_made_meanwhile_stays() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        write_with_a_late_text(&bench, 1000);
        let filled = "<pre>insert into t values (5)</pre>";
        bench.failure(&from_lines(&database, filled)).await;
        assert_eq!(database.text("select a from t").await, "5");
        database.execute(&["drop table t"]).await;
        // MySQL tells tables apart by the second in which they were made.
        if database.kind() == DbKind::Mysql {
            continue;
        }
        let made = "<pre>drop table t; create table t(a int, b int)</pre>";
        bench.failure(&from_lines(&database, made)).await;
        assert!(is_there(&database, "t").await, "{}", database.name());
    }
}

#[tokio::test]
async fn a_failed_incremental_transfer_leaves_no_row_of_its_position() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&[
                "create table s(a varchar(9), n int)",
                "insert into s values ('x', 1)",
                "create table t(a int not null, n int)",
            ])
            .await;
        let link = database.name();
        let body = format!(
            "<transfer><source type='DB' db-link='{link}' watermark='n'>s</source><target type='DB' db-link='{link}' table='t' mode='incremental'/></transfer>"
        );
        bench.failure(&body).await;
        assert_eq!(
            database.text("select count(*) from akkaflow_guard").await,
            "0",
            "{link}"
        );
    }
}
