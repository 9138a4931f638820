//! `transfer` over several connections: `task-num` of the target, `split-by` of the source.

use akkaflow_actions::ActionError;
use akkaflow_model::db_links::DbKind;

use crate::support::{Bench, Database, check, databases, mysql, postgres, row};

async fn servers() -> Vec<Database> {
    let servers = [mysql().await, postgres().await];
    servers.into_iter().flatten().collect()
}

/// Tables that transfers have left behind.
async fn staging_tables(database: &Database) -> String {
    let schema = match database.kind() {
        DbKind::Mysql => "database()",
        _ => "'public'",
    };
    database
        .text(&format!(
            "select count(*) from information_schema.tables where table_name like 'akkaflow_stage%' and table_schema = {schema}"
        ))
        .await
}

fn rows(count: u32) -> String {
    (0..count).map(|i| format!("{i},名{i},{i}.50\n")).collect()
}

fn to_database(link: &str, more: &str) -> String {
    format!(
        "<transfer><source type='FILE' delimited=','>in.txt</source><target type='DB' db-link='{link}' table='t' task-num='4' {more}/></transfer>"
    )
}

const TABLE: &str = "create table t(a int primary key, b varchar(20) not null, c decimal(10,2))";

#[tokio::test]
async fn several_connections_write_all_rows_and_leave_no_tables() {
    for database in servers().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&[TABLE, "insert into t values (-1, 'old', 0)"])
            .await;
        std::fs::write(bench.path("in.txt"), rows(60_000)).unwrap();
        bench.run(&to_database(database.name(), "")).await.unwrap();
        let question = "select count(*), count(distinct a), min(a), max(a), sum(c) from t";
        assert_eq!(
            database.query(question).await,
            [row(&["60001", "60001", "-1", "59999", "1800000000.00"])]
        );
        bench
            .run(&to_database(database.name(), "is-pre-truncate='true'"))
            .await
            .unwrap();
        assert_eq!(database.text("select count(*) from t").await, "60000");
        assert_eq!(staging_tables(&database).await, "0");
        let log = bench.log();
        assert!(
            log.contains("将启动4个线程") && log.contains("一共插入60000条数据"),
            "{log}"
        );
    }
}

#[tokio::test]
async fn a_row_that_does_not_fit_keeps_everything_as_it_was() {
    for database in servers().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&[TABLE, "insert into t values (7, 'old', 0)"])
            .await;
        // There already; twice; too long; NULL; no number.
        for bad in [
            "",
            "5,b,1\n",
            "-1,too long for a column,1\n",
            "-1,,1\n",
            "x,b,1\n",
        ] {
            let mut text = rows(if bad.is_empty() { 40_000 } else { 6 });
            text.push_str(bad);
            std::fs::write(bench.path("in.txt"), text).unwrap();
            let words = bench.failure(&to_database(database.name(), "")).await;
            assert!(!words.is_empty());
            assert_eq!(
                database.query("select a, b from t").await,
                [row(&["7", "old"])],
                "{bad}"
            );
            assert_eq!(staging_tables(&database).await, "0", "{bad}");
        }
    }
}

/// Until the rows are under way.
async fn under_way(bench: &Bench) {
    while !bench.log().contains("将启动4个线程") {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_cancelled_transfer_drops_its_tables() {
    for database in servers().await {
        let bench = Bench::with(&[&database]);
        database.execute(&[TABLE]).await;
        std::fs::write(bench.path("in.txt"), rows(400_000)).unwrap();
        let body = to_database(database.name(), "");
        let mut running = std::pin::pin!(bench.run(&body));
        tokio::select! {
            result = &mut running => panic!("it ended by itself: {result:?}"),
            () = under_way(&bench) => bench.cancel.cancel(),
        }
        assert_eq!(running.await, Err(ActionError::Cancelled));
        assert_eq!(database.text("select count(*) from t").await, "0");
        assert_eq!(staging_tables(&database).await, "0");
    }
}

#[tokio::test]
async fn tables_of_a_worker_that_died_are_dropped_by_the_next_transfer_of_the_node() {
    for database in servers().await {
        let bench = Bench::with(&[&database]);
        database.execute(&[TABLE]).await;
        std::fs::write(bench.path("in.txt"), rows(400_000)).unwrap();
        let action = crate::support::parse(&to_database(database.name(), ""));
        let attempt = bench.attempt();
        let running = tokio::spawn(async move { action.run(&attempt).await.map(|_| ()) });
        under_way(&bench).await;
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        assert_eq!(staging_tables(&database).await, "4");
        std::fs::write(bench.path("in.txt"), rows(10)).unwrap();
        let body = to_database(database.name(), "");
        // Its server may not have noticed yet that it is gone.
        while staging_tables(&database).await != "0" {
            let action =
                crate::support::parse(&body.replace("<target", "<target is-pre-truncate='true'"));
            let mut attempt = bench.attempt();
            attempt.key.attempt = 2;
            action.run(&attempt).await.unwrap();
        }
        assert_eq!(database.text("select count(*) from t").await, "10");
        assert!(
            bench
                .log()
                .contains("which a transfer that broke off had left"),
            "{}",
            bench.log()
        );
    }
}

#[tokio::test]
async fn sqlite_has_one_writer_and_rejected_rows_need_one() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database.execute(&[TABLE]).await;
        std::fs::write(bench.path("in.txt"), rows(10)).unwrap();
        let more = match database.kind() {
            DbKind::Sqlite => "",
            _ => "reject-limit='1' rejects='bad.csv'",
        };
        bench
            .run(&to_database(database.name(), more))
            .await
            .unwrap();
        assert_eq!(database.text("select count(*) from t").await, "10");
        let log = bench.log();
        assert!(log.contains("task-num") && log.contains("Warn"), "{log}");
    }
}

fn split(link: &str, column: &str, query: &str) -> String {
    format!(
        "<transfer><source type='DB' db-link='{link}' split-by='{column}' task-num='3'>{query}</source><target type='FILE' path='out.txt' delimited=','/></transfer>"
    )
}

fn sorted(bench: &Bench) -> Vec<String> {
    let text = std::fs::read_to_string(bench.path("out.txt")).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn every_row_is_read_once_whatever_the_column() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&[
                "create table s(id bigint, at timestamp null, d date, name varchar(9))",
                "insert into s values (-5, '2026-01-01 00:00:00', '2026-01-01', 'a'), (null, null, null, 'b'), \
                 (0, '2026-06-01 12:00:00', '2026-06-01', 'c'), (9, '2026-12-31 23:59:59', '2026-12-31', 'd'), (9, '2026-02-01 00:00:00', '2026-01-02', 'e')",
            ])
            .await;
        for column in ["id", "at", "d"] {
            let query = "select id, at, d, name from s -- all of them";
            bench
                .run(&split(database.name(), column, &format!("{query}\n")))
                .await
                .unwrap();
            let names: Vec<String> = sorted(&bench)
                .iter()
                .map(|line| line.rsplit(',').next().unwrap().to_owned())
                .collect();
            let mut names = names;
            names.sort();
            assert_eq!(
                names,
                ["a", "b", "c", "d", "e"],
                "{column} of {}",
                database.name()
            );
        }
        let log = bench.log();
        assert!(log.contains("reading in 3 ranges of column `id`"), "{log}");
        // Nothing, and one value alone.
        bench
            .run(&split(
                database.name(),
                "id",
                "select id from s where id > 100",
            ))
            .await
            .unwrap();
        assert_eq!(sorted(&bench), [""; 0]);
        bench
            .run(&split(
                database.name(),
                "id",
                "select id from s where id = 9",
            ))
            .await
            .unwrap();
        assert_eq!(sorted(&bench), ["9", "9"]);
        let words = bench.failure(&split(database.name(), "idd", "s")).await;
        assert!(
            words.contains("是否应为 `id`") && words.contains("is `id` meant?"),
            "{words}"
        );
        let words = bench.failure(&split(database.name(), "name", "s")).await;
        assert!(
            words.contains("holds neither whole numbers nor days nor times"),
            "{words}"
        );
    }
}

#[tokio::test]
async fn many_readers_and_many_writers_move_all_rows() {
    for source in servers().await {
        source
            .execute(&[&TABLE.replace("table t", "table s")])
            .await;
        for target in servers().await {
            let mut bench = Bench::new();
            bench.add(source.renamed("from"));
            bench.add(target.renamed("to"));
            std::fs::write(bench.path("in.txt"), rows(30_000)).unwrap();
            target.execute(&[TABLE]).await;
            bench
                .run("<transfer><source type='FILE' delimited=','>in.txt</source><target type='DB' db-link='from' table='s' is-pre-truncate='true'/></transfer>")
                .await
                .unwrap();
            bench
                .run("<transfer><source type='DB' db-link='from' split-by='a' task-num='3' filter='a % 2 == 0'>s</source><target type='DB' db-link='to' table='t' task-num='4'/></transfer>")
                .await
                .unwrap();
            assert_eq!(
                target.query("select count(*), sum(a), max(b) from t").await,
                [row(&["15000", "224985000", "名9998"])]
            );
            assert_eq!(staging_tables(&target).await, "0");
        }
    }
}

#[tokio::test]
async fn all_readers_of_a_cancelled_transfer_end_on_the_server() {
    for database in servers().await {
        let bench = Bench::with(&[&database]);
        std::fs::write(bench.path("in.txt"), rows(20_000)).unwrap();
        database.execute(&[TABLE]).await;
        bench.run(&to_database(database.name(), "")).await.unwrap();
        let wide = "select x.a, y.b from t x, t y where y.a &lt; 200";
        let body = split(database.name(), "a", wide);
        let mut running = std::pin::pin!(bench.run(&body));
        let is_under_way = async {
            while !bench.log().contains("3 ranges of column `a`") {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            result = &mut running => panic!("it ended by itself: {result:?}"),
            () = is_under_way => bench.cancel.cancel(),
        }
        assert_eq!(running.await, Err(ActionError::Cancelled));
        assert!(!std::path::Path::new(&bench.path("out.txt")).exists());
        let others = match database.kind() {
            DbKind::Mysql => {
                "select count(*) from information_schema.processlist where db = database() and id <> connection_id() and command = 'Query'"
            }
            _ => {
                "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state = 'active'"
            }
        };
        while database.text(others).await != "0" {
            tokio::task::yield_now().await;
        }
    }
}

#[test]
fn tasks_of_a_source_need_a_column_to_part_them() {
    let findings = |source: &str| {
        let body = format!(
            "<transfer><source {source}>t</source><target type='FILE' path='/y'/></transfer>"
        );
        let (_, diagnostics) = check(&body);
        let found = diagnostics.iter();
        let found = found.map(|it| format!("{} {}", it.code, &body[it.span.range()]));
        found.collect::<Vec<_>>().join("; ")
    };
    for (source, expected) in [
        ("type='DB' db-link='a' split-by='id'", ""),
        ("type='DB' db-link='a' split-by='id' task-num='8'", ""),
        ("type='DB' db-link='a' task-num='8'", "AF502 task-num"),
        (
            "type='FILE' split-by='id' task-num='8'",
            "AF504 split-by; AF504 task-num",
        ),
        (
            "type='DB' db-link='a' split-by='id' task-num='0'",
            "AF105 0",
        ),
    ] {
        assert_eq!(findings(source), expected, "{source}");
    }
}
