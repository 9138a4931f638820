//! A cancelled attempt is gone within two seconds, on the server too, and leaves nothing half written.

use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use akkaflow_actions::ActionError;
use akkaflow_model::db_links::DbKind;

use crate::support::{Bench, Database, databases};

/// Far above the two seconds promised, far below the time that any of these would take: machines that test are busy.
const LIMIT: Duration = Duration::from_secs(10);

fn endless_query(kind: DbKind) -> &'static str {
    match kind {
        DbKind::Mysql => "select sleep(600) as a",
        DbKind::Postgres => "select pg_sleep(600)::text as a",
        // Reads a table, which holds a lock that others can see.
        _ => {
            "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) as a from c \
             where x > (select count(*) from sqlite_master)"
        }
    }
}

/// Runs `body`, cancels it once the endless query of `database` runs, and `words` stand in the log; expects it to end at once.
async fn cancel(bench: &Bench, body: &str, database: &Database, words: &str) {
    let mut running = std::pin::pin!(bench.run(body));
    let under_way = async {
        wait_until_busy(database).await;
        while !bench.log().contains(words) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        result = &mut running => panic!("{body} ended by itself: {result:?}"),
        () = under_way => {}
    }
    bench.cancel.cancel();
    let since = Instant::now();
    assert_eq!(running.await, Err(ActionError::Cancelled), "{body}");
    assert!(since.elapsed() < LIMIT, "{body}");
}

/// Asks until somebody runs the endless query in the database.
async fn wait_until_busy(database: &Database) {
    let query = match database.kind() {
        DbKind::Mysql => {
            "select count(*) from information_schema.processlist where db = database() and id <> connection_id() and info like '%sleep(600)%'"
        }
        DbKind::Postgres => {
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state = 'active' and query like '%pg_sleep(600)%'"
        }
        _ => return wait_until_locked(database).await,
    };
    while database.text(query).await == "0" {}
}

/// SQLite has no one to ask, but the system knows who holds a lock. Trying to take one would keep the others out.
async fn wait_until_locked(database: &Database) {
    let file = database.link.jdbc_url.strip_prefix("jdbc:sqlite:").unwrap();
    let is_locked = |file: &str| {
        std::fs::metadata(file).is_ok_and(|meta| {
            let locks = std::fs::read_to_string("/proc/locks").unwrap();
            locks.contains(&format!(":{} ", meta.ino()))
        })
    };
    // In its journal of writes ahead a reader locks the index of that.
    while !is_locked(file) && !is_locked(&format!("{file}-shm")) {
        tokio::task::yield_now().await;
    }
}

async fn wait_until_idle(database: &Database) {
    let query = match database.kind() {
        DbKind::Mysql => {
            "select count(*) from information_schema.processlist where db = database() and id <> connection_id() and command = 'Query'"
        }
        DbKind::Postgres => {
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state = 'active'"
        }
        _ => return,
    };
    let start = Instant::now();
    while database.text(query).await != "0" {
        assert!(start.elapsed() < LIMIT, "the server goes on");
    }
}

#[tokio::test]
async fn a_statement_is_cancelled_on_the_server() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        let body = format!(
            "<sql db-link='{}'>create table t(a int); insert into t values (1); {}</sql>",
            database.name(),
            endless_query(database.kind())
        );
        // The row is in before the cancellation.
        cancel(&bench, &body, &database, "statement 2 of 3").await;
        wait_until_idle(&database).await;
        // MySQL commits a new table by itself, and nothing after it.
        let rows = match database.kind() {
            DbKind::Mysql => "select count(*) from t",
            DbKind::Postgres => "select count(*) from pg_class where relname = 't'",
            _ => "select count(*) from sqlite_master where name = 't'",
        };
        assert_eq!(database.text(rows).await, "0");
    }
}

#[tokio::test]
async fn a_transfer_is_cancelled_at_both_ends() {
    for source in databases().await {
        for target in databases().await {
            let mut bench = Bench::new();
            bench.add(source.renamed("from"));
            bench.add(target.renamed("to"));
            target
                .execute(&[
                    "create table t(a varchar(20))",
                    "insert into t values ('old')",
                ])
                .await;
            let body = format!(
                "<transfer><source type='DB' db-link='from'>{}</source><target type='DB' db-link='to' table='t' is-pre-truncate='true'/></transfer>",
                endless_query(source.kind())
            );
            cancel(&bench, &body, &source, "").await;
            wait_until_idle(&source).await;
            assert_eq!(
                target.text("select count(*) from t where a = 'old'").await,
                "1"
            );
        }
    }
}

#[tokio::test]
async fn b14_a_command_before_is_killed_and_nothing_follows() {
    let database = crate::support::sqlite();
    let bench = Bench::with(&[&database]);
    let (out, pid, after) = (bench.path("out"), bench.path("pid"), bench.path("after"));
    let body = format!(
        "<transfer><source type='DB' db-link='sqlite'>select 1 a</source><target type='FILE' path='{out}'>\
         <pre>sleep 600 &amp; echo $! > {pid}.new; mv {pid}.new {pid}; wait</pre><after>touch {after}</after></target></transfer>"
    );
    let stop = async {
        while !std::path::Path::new(&pid).exists() {
            tokio::task::yield_now().await;
        }
        bench.cancel.cancel();
    };
    let (result, ()) = tokio::join!(bench.run(&body), stop);
    assert_eq!(result, Err(ActionError::Cancelled));
    let child = std::fs::read_to_string(&pid).unwrap();
    let start = Instant::now();
    // Killed, though perhaps not yet collected by whoever inherits it.
    while std::fs::read_to_string(format!("/proc/{}/stat", child.trim()))
        .is_ok_and(|stat| !stat.contains(") Z "))
    {
        assert!(start.elapsed() < LIMIT, "the child lives on");
    }
    assert!(!std::path::Path::new(&after).exists() && !std::path::Path::new(&out).exists());
}
