//! Transfers that are broken off at random moments, over all pairs of ends: whatever dies, and whenever, the target holds what it held
//! before or all rows.

use std::time::{Duration, Instant};

use akkaflow_actions::{ActionError, AttemptContext, Outcome};
use akkaflow_model::db_links::DbKind;
use akkaflow_model::id::InstanceId;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::connectors::ends::{Files, Format, all_files, written_formats};
use crate::connectors::proxy::{Fault, Proxy};
use crate::support::{Bench, Database, databases, parse, sqlite, wait_until_alone};

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
    /// The connections, cut by their servers or on their way.
    Connections,
    /// Nobody: the attempt is cancelled.
    Nobody,
}

/// An end of a transfer.
#[derive(Clone, Copy)]
enum End<'a> {
    Database(&'a Database),
    File {
        files: &'a Files,
        format: &'a Format,
        /// Tells the files of formats apart.
        number: usize,
    },
}

impl End<'_> {
    fn is_writable(&self) -> bool {
        match self {
            Self::Database(_) => true,
            Self::File { files, .. } => files.is_writable,
        }
    }
}

/// Everything that lies somewhere.
struct Place {
    bench: Bench,
    databases: Vec<Database>,
    /// Reads the files that have been written.
    checker: Database,
    files: Vec<Files>,
    formats: Vec<Format>,
    /// The ways to servers of files.
    proxies: Vec<Proxy>,
}

impl Place {
    fn end(&self, random: &mut StdRng) -> End<'_> {
        if random.random_bool(0.5) {
            return End::Database(&self.databases[random.random_range(0..self.databases.len())]);
        }
        let number = random.random_range(0..self.formats.len());
        End::File {
            files: &self.files[random.random_range(0..self.files.len())],
            format: &self.formats[number],
            number,
        }
    }
}

#[tokio::test]
async fn whatever_dies_whenever_the_target_holds_all_rows_or_what_it_held_before() {
    let place = prepared().await;
    let (rounds, seed) = (number("AKKAFLOW_SOAK_ROUNDS"), number("AKKAFLOW_SEED"));
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("AKKAFLOW_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut usual = Duration::from_millis(50);
    let mut ended = [0, 0];
    for round in 0..rounds.unwrap_or(ROUNDS.into()) {
        let source = place.end(&mut random);
        let target = loop {
            let target = place.end(&mut random);
            if target.is_writable() {
                break target;
            }
        };
        let tasks = if random.random_bool(0.3) { 3 } else { 1 };
        let mode = MODES[random.random_range(0..MODES.len())];
        let death = [Death::Worker, Death::Connections, Death::Nobody][random.random_range(0..3)];
        let moment = usual.mul_f64(random.random_range(0.0..1.2));
        reset(&place, target).await;
        let body = body(&place.bench, source, target, mode, tasks);
        let mut attempt = place.bench.attempt();
        attempt.key.attempt = round as u32 + 1;
        let since = Instant::now();
        let ways = (&place.databases[..], &place.proxies[..]);
        let result = broken_off(attempt, ways, &body, death, moment).await;
        let result = result.map(|it| it.map(drop));
        if result == Some(Ok(())) {
            usual = (usual + since.elapsed()) / 2;
        }
        let (old, new) = held(&place, target).await;
        let kept = if mode == "replace" || matches!(target, End::File { .. }) {
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
            let result = broken_off(context, (databases, &[]), &body, death, moment).await;
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

/// The rows stand in each database and in files of each format.
async fn prepared() -> Place {
    let (databases, checker) = (databases().await, sqlite());
    let all: Vec<&Database> = databases.iter().collect();
    let mut bench = Bench::with(&all);
    bench.add(checker.renamed("checker"));
    let columns = "(id int primary key, name varchar(40), amount decimal(18,4))";
    let old: Vec<String> = (0..OLD)
        .map(|row| format!("(-{}, 'old', 0)", row + 1))
        .collect();
    checker
        .execute(&[
            &format!("create table new{columns}"),
            &format!("create table old{columns}"),
            &format!("create table target{columns}"),
            &format!("insert into old values {}", old.join(", ")),
            &format!(
                "with recursive c(x) as (select 0 union all select x + 1 from c where x < {ROWS} - 1) \
                 insert into new select x, '名称' || x, x + 0.5 from c"
            ),
        ])
        .await;
    for database in &databases {
        database
            .execute(&[
                &format!("create table source{columns}"),
                &format!("create table target{columns}"),
            ])
            .await;
        let link = database.name();
        let target = format!("<target type='DB' db-link='{link}' table='source'/>");
        bench.run(&of_checker("new", &target)).await.unwrap();
    }
    let mut files = all_files(&mut bench);
    let formats = written_formats();
    for (number, format) in formats.iter().enumerate() {
        for (table, name) in [("new", "in"), ("old", "old")] {
            let target = files[0].target(&bench, &format!("{name}.{number}"), format.attributes);
            bench.run(&of_checker(table, &target)).await.unwrap();
        }
    }
    let mut proxies = Vec::new();
    for files in &mut files {
        let Some(server) = &files.server else {
            continue;
        };
        let proxy = Proxy::new(server, Fault::None).await;
        *files = files.through(proxy.address.port());
        if let Some(access) = &files.access {
            bench
                .file_links
                .insert(access.link.name.clone(), access.clone());
        }
        proxies.push(proxy);
    }
    Place {
        bench,
        databases,
        checker,
        files,
        formats,
        proxies,
    }
}

fn of_checker(table: &str, target: &str) -> String {
    format!("<transfer><source type='DB' db-link='checker'>{table}</source>{target}</transfer>")
}

fn body(bench: &Bench, source: End, target: End, mode: &str, tasks: u32) -> String {
    let source = match source {
        End::File {
            files,
            format,
            number,
        } => files.source(bench, &format!("in.{number}"), format.attributes),
        End::Database(database) => {
            format!(
                "<source type='DB' db-link='{}'>source</source>",
                database.name()
            )
        }
    };
    let target = match target {
        End::File {
            files,
            format,
            number,
        } => files.target(bench, &format!("out.{number}"), format.attributes),
        End::Database(database) => format!(
            "<target type='DB' db-link='{}' table='target' mode='{mode}' task-num='{tasks}'/>",
            database.name()
        ),
    };
    format!("<transfer>{source}{target}</transfer>")
}

async fn reset(place: &Place, target: End<'_>) {
    match target {
        End::File { number, .. } => {
            let of = |name: &str| place.bench.path(&format!("{name}.{number}"));
            std::fs::copy(of("old"), of("out")).unwrap();
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
    (databases, proxies): (&[Database], &[Proxy]),
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
            for proxy in proxies {
                proxy.cut();
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
async fn held(place: &Place, target: End<'_>) -> (u32, u32) {
    for database in &place.databases {
        wait_until_alone(database).await;
    }
    let database = match target {
        End::File { format, number, .. } => {
            let files = &place.files[0];
            let written = files.source(&place.bench, &format!("out.{number}"), format.attributes);
            let target = "<target type='DB' db-link='checker' table='target' is-pre-truncate='true' columns='position'/>";
            let body = format!("<transfer>{written}{target}</transfer>");
            place.bench.run(&body).await.unwrap();
            &place.checker
        }
        End::Database(database) => database,
    };
    let rows = database.query("select id, amount from target").await;
    let text = |value: &Option<Vec<u8>>| String::from_utf8(value.clone().unwrap()).unwrap();
    let (ids, amounts): (Vec<String>, Vec<String>) = rows
        .iter()
        .map(|row| (text(&row[0]), text(&row[1])))
        .unzip();
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
