//! Transfers that are broken off at random moments, over all pairs of ends: whatever dies, and whenever, the target holds what it held
//! before or all rows.

use std::path::Path;
use std::time::{Duration, Instant};

use akkaflow_actions::{ActionError, AttemptContext, Outcome};
use akkaflow_model::db_links::DbKind;
use akkaflow_model::id::InstanceId;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::support::{Bench, Database, databases, parse};

/// So many transfers unless `AKKAFLOW_SOAK_ROUNDS` says otherwise.
const ROUNDS: u32 = 200;

/// Some batches of each.
const ROWS: u32 = 5_000;

/// Rows that stand in the target before.
const OLD: u32 = 3;

/// What becomes of the rows that are in a table.
const MODES: [&str; 3] = ["append", "replace", "upsert"];

/// What dies.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Death {
    /// The worker, with all that it holds.
    Worker,
    /// The connections to databases, cut by their servers.
    Connections,
    /// Nobody: the attempt is cancelled.
    Nobody,
}

/// An end of a transfer.
#[derive(Clone, Copy)]
enum End<'a> {
    Database(&'a Database),
    File,
}

#[tokio::test]
async fn whatever_dies_whenever_the_target_holds_all_rows_or_what_it_held_before() {
    let databases = databases().await;
    let mut ends: Vec<End> = databases.iter().map(End::Database).collect();
    ends.push(End::File);
    let bench = prepared(&databases).await;
    let (rounds, seed) = (number("AKKAFLOW_SOAK_ROUNDS"), number("AKKAFLOW_SEED"));
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("AKKAFLOW_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut usual = Duration::from_millis(50);
    let mut ended = [0, 0];
    for round in 0..rounds.unwrap_or(ROUNDS.into()) {
        let source = ends[random.random_range(0..ends.len())];
        let target = ends[random.random_range(0..ends.len())];
        let mode = MODES[random.random_range(0..MODES.len())];
        let death = [Death::Worker, Death::Connections, Death::Nobody][random.random_range(0..3)];
        let moment = usual.mul_f64(random.random_range(0.0..1.2));
        reset(&bench, target).await;
        let body = body(&bench, source, target, mode);
        let since = Instant::now();
        let result = broken_off(bench.attempt(), &databases, &body, death, moment).await;
        let result = result.map(|it| it.map(drop));
        if result == Some(Ok(())) {
            usual = (usual + since.elapsed()) / 2;
        }
        let (old, new) = held(&bench, &databases, target).await;
        let kept = if mode == "replace" || matches!(target, End::File) {
            0
        } else {
            OLD
        };
        let said = format!(
            "AKKAFLOW_SEED={seed}, round {round}: {death:?} after {moment:?}, {result:?}, {body}"
        );
        let has_all = (old, new) == (kept, ROWS);
        assert!(
            has_all || (old, new) == (OLD, 0),
            "{old} old rows and {new} new ones; {said}"
        );
        assert!(
            has_all || result != Some(Ok(())),
            "it says that it has succeeded; {said}"
        );
        ended[usize::from(has_all)] += 1;
    }
    println!("{} left as they were, {} complete", ended[0], ended[1]);
}

/// Rounds of reading what is new, for each pair of databases, unless `AKKAFLOW_SOAK_ROUNDS` says otherwise.
const NEWS: u64 = 8;

/// Rows that arrive before each.
const ARRIVING: u32 = 1_500;

#[tokio::test]
async fn whatever_dies_whenever_no_new_row_is_doubled_or_lost() {
    let databases = databases().await;
    let all: Vec<&Database> = databases.iter().collect();
    let bench = Bench::with(&all);
    for database in &databases {
        let columns = "(id int, name varchar(40))";
        database
            .execute(&[
                &format!("create table fresh{columns}"),
                &format!("create table copied{columns}"),
            ])
            .await;
    }
    let seed = number("AKKAFLOW_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("AKKAFLOW_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    for source in &databases {
        for target in &databases {
            for database in &databases {
                database
                    .execute(&["delete from fresh", "delete from copied"])
                    .await;
            }
            let said = format!(
                "AKKAFLOW_SEED={seed}, {} to {}",
                source.name(),
                target.name()
            );
            follow(&bench, &databases, (source, target), &mut random, &said).await;
        }
    }
}

/// Rows arrive, and instances read them: attempts die and are tried again, and instances fail after their transfer, so that the state stays.
async fn follow(
    bench: &Bench,
    databases: &[Database],
    (source, target): (&Database, &Database),
    random: &mut StdRng,
    said: &str,
) {
    let mut usual = Duration::from_millis(50);
    let (mut seen, mut instance, mut attempt) = (String::new(), 100, 1);
    let workflow = format!("{} to {}", source.name(), target.name());
    for round in 0..number("AKKAFLOW_SOAK_ROUNDS").unwrap_or(NEWS) {
        let first = round as u32 * ARRIVING;
        let rows: Vec<String> = (first..first + ARRIVING)
            .map(|id| format!("({id}, '名称{id}')"))
            .collect();
        let arriving = format!("insert into fresh values {}", rows.join(", "));
        source.execute(&[&arriving]).await;
        loop {
            let body = format!(
                "<transfer><source type='DB' db-link='{}' watermark='id' since='{seen}'>fresh</source>\
                 <target type='DB' db-link='{}' table='copied' mode='incremental'/></transfer>",
                source.name(),
                target.name(),
            );
            let mut context = bench.attempt();
            context.workflow.clone_from(&workflow);
            context.outputs = vec!["watermark".to_owned()];
            context.key.instance = InstanceId::from_u128(instance);
            context.key.attempt = attempt;
            let death =
                [Death::Worker, Death::Connections, Death::Nobody][random.random_range(0..3)];
            let moment = usual.mul_f64(random.random_range(0.2..2.0));
            let since = Instant::now();
            let result = broken_off(context, databases, &body, death, moment).await;
            let copied = "select count(*) - count(distinct id) from copied";
            assert_eq!(target.text(copied).await, "0", "{said}, round {round}");
            match result {
                Some(Ok(outcome)) => {
                    usual = (usual + since.elapsed()) / 2;
                    (instance, attempt) = (instance + 1, 1);
                    // Another node of the instance may fail: the state stays.
                    if random.random_bool(0.5) {
                        seen.clone_from(&outcome.outputs[0].1);
                    }
                    break;
                }
                _ if random.random_bool(0.5) => attempt += 1,
                _ => (instance, attempt) = (instance + 1, 1),
            }
        }
        let held = "select concat(count(*), ' ', max(id)) from copied";
        let all = format!("{} {}", first + ARRIVING, first + ARRIVING - 1);
        assert_eq!(target.text(held).await, all, "{said}, round {round}");
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
}

/// The rows stand in each database and in a file.
async fn prepared(databases: &[Database]) -> Bench {
    let all: Vec<&Database> = databases.iter().collect();
    let bench = Bench::with(&all);
    let lines: String = (0..ROWS)
        .map(|row| format!("{row},名称{row},{row}.5000\n"))
        .collect();
    std::fs::write(bench.path("in.txt"), lines).unwrap();
    for database in databases {
        let columns = "(id int primary key, name varchar(40), amount decimal(18,4))";
        database
            .execute(&[
                &format!("create table source{columns}"),
                &format!("create table target{columns}"),
            ])
            .await;
        let link = database.name();
        let path = bench.path("in.txt");
        bench
            .run(&format!(
                "<transfer><source type='FILE' delimited=','>{path}</source><target type='DB' db-link='{link}' table='source'/></transfer>"
            ))
            .await
            .unwrap();
    }
    bench
}

fn body(bench: &Bench, source: End, target: End, mode: &str) -> String {
    let source = match source {
        End::File => format!(
            "<source type='FILE' delimited=','>{}</source>",
            bench.path("in.txt")
        ),
        End::Database(database) => {
            format!(
                "<source type='DB' db-link='{}'>source</source>",
                database.name()
            )
        }
    };
    let target = match target {
        End::File => format!(
            "<target type='FILE' delimited=',' path='{}'/>",
            bench.path("out.txt")
        ),
        End::Database(database) => format!(
            "<target type='DB' db-link='{}' table='target' mode='{mode}'/>",
            database.name()
        ),
    };
    format!("<transfer>{source}{target}</transfer>")
}

async fn reset(bench: &Bench, target: End<'_>) {
    match target {
        End::File => {
            let lines: String = (0..OLD)
                .map(|row| format!("-{},old,0\n", row + 1))
                .collect();
            std::fs::write(bench.path("out.txt"), lines).unwrap();
        }
        End::Database(database) => {
            let rows: Vec<String> = (0..OLD)
                .map(|row| format!("(-{}, 'old', 0)", row + 1))
                .collect();
            let insert = format!("insert into target values {}", rows.join(", "));
            database.execute(&["delete from target", &insert]).await;
        }
    }
}

/// Runs `body`, lets somebody die at the moment, and waits for what is left. `None` where the worker died with it.
async fn broken_off(
    mut attempt: AttemptContext,
    databases: &[Database],
    body: &str,
    death: Death,
    moment: Duration,
) -> Option<Result<Outcome, ActionError>> {
    attempt.cancel = tokio_util::sync::CancellationToken::new();
    let cancel = attempt.cancel.clone();
    let action = parse(body);
    let mut running = tokio::spawn(async move { action.run(&attempt).await });
    let result = tokio::select! {
        result = &mut running => Some(result.unwrap()),
        () = tokio::time::sleep(moment) => None,
    };
    if result.is_some() {
        return result;
    }
    match death {
        Death::Worker => {
            running.abort();
            return running.await.ok();
        }
        Death::Connections => {
            for database in databases {
                cut(database).await;
            }
        }
        Death::Nobody => cancel.cancel(),
    }
    Some(running.await.unwrap())
}

/// Has the server end all other connections to the database; SQLite has no server.
async fn cut(database: &Database) {
    match database.kind() {
        DbKind::Mysql => {
            let others = "select id from information_schema.processlist where db = database() and id <> connection_id()";
            for row in database.query(others).await {
                let id = String::from_utf8(row[0].clone().unwrap()).unwrap();
                let mut session = crate::support::open(&database.link).await;
                // It may have gone by itself.
                let _ = session.execute(&format!("kill {id}")).await;
            }
        }
        DbKind::Postgres => {
            database
                .query(
                    "select pg_terminate_backend(pid) from pg_stat_activity \
                     where datname = current_database() and pid <> pg_backend_pid()",
                )
                .await;
        }
        _ => {}
    }
}

/// Old rows and new ones, once nobody works in the databases any more.
async fn held(bench: &Bench, databases: &[Database], target: End<'_>) -> (u32, u32) {
    for database in databases {
        wait_until_alone(database).await;
    }
    let (ids, amounts) = match target {
        End::File => in_file(Path::new(&bench.path("out.txt"))),
        End::Database(database) => {
            let rows = database.query("select id, amount from target").await;
            let text = |value: &Option<Vec<u8>>| String::from_utf8(value.clone().unwrap()).unwrap();
            rows.iter()
                .map(|row| (text(&row[0]), text(&row[1])))
                .unzip()
        }
    };
    let ids: Vec<i64> = ids.iter().map(|id| id.parse().unwrap()).collect();
    let old = ids.iter().filter(|id| **id < 0).count();
    let mut new: Vec<(i64, f64)> = ids
        .iter()
        .zip(&amounts)
        .filter(|(id, _)| **id >= 0)
        .map(|(id, amount)| (*id, amount.parse().unwrap()))
        .collect();
    new.sort_by_key(|(id, _)| *id);
    new.dedup();
    let is_whole = |(row, (id, amount)): (usize, &(i64, f64))| {
        *id == row as i64 && (*amount - (row as f64 + 0.5)).abs() < 1e-9
    };
    assert!(
        new.iter().enumerate().all(is_whole),
        "other rows than the source's"
    );
    assert_eq!(ids.len(), old + new.len(), "a row is there twice");
    (old as u32, new.len() as u32)
}

fn in_file(path: &Path) -> (Vec<String>, Vec<String>) {
    let text = std::fs::read_to_string(path).unwrap();
    let fields = |line: &str| -> (String, String) {
        let fields: Vec<&str> = line.split(',').collect();
        (fields[0].to_owned(), fields[2].to_owned())
    };
    text.lines().map(fields).unzip()
}

/// A server rolls back what a dead connection began once it notices.
async fn wait_until_alone(database: &Database) {
    let others = match database.kind() {
        DbKind::Mysql => {
            "select count(*) from information_schema.processlist where db = database() and id <> connection_id()"
        }
        DbKind::Postgres => {
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        }
        _ => return,
    };
    while database.text(others).await != "0" {
        tokio::task::yield_now().await;
    }
}
