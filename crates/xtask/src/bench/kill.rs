//! How soon a kill ends a transfer while others keep the machine busy: the promise is two seconds.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::report::{Figure, Mark};
use super::servers::Servers;
use super::transfer::rows;
use super::{Bench, On, definitions, moment, progress};

/// Transfers at once.
const TRANSFERS: usize = 5;

/// Times that the rows are copied: no transfer may end by itself before it is killed.
const REPEATS: usize = 4;

/// How long they are left alone before the first is killed: all of them write by then.
const BUSY_FOR: Duration = Duration::from_secs(3);

/// Starts the transfers, kills one after the other, and does so for every run.
pub(crate) fn measure(bench: &Bench, on: On) -> Result<Vec<Figure>> {
    let csv = bench.root.join("kill.csv");
    progress("making rows");
    rows::write(&csv)?;
    let content = std::fs::read(&csv)?;
    std::fs::write(&csv, content.repeat(REPEATS))?;
    let database = format!("akkaflow_bench_{}_kill", std::process::id());
    if let Some(mariadb) = &bench.mariadb {
        bench.guard.database(&database)?;
        mariadb.create_database(&database)?;
    }
    let link = |index: usize| match &bench.mariadb {
        Some(mariadb) => mariadb.link(&format!("t{index}"), &database),
        None => format!(
            "<link name=\"t{index}\" type=\"SQLITE\" jdbc-url=\"jdbc:sqlite:{}\"/>\n",
            bench.root.join(format!("kill-{index}.db")).display()
        ),
    };
    let links: String = (0..TRANSFERS).map(link).collect();
    let servers = Servers::start(bench, on, &links)?;
    let client = servers.client();
    for index in 0..TRANSFERS {
        let body = format!(
            "<transfer><source type=\"FILE\" delimited=\",\">{}</source>\
             <target type=\"DB\" db-link=\"t{index}\" table=\"facts_{index}\"/></transfer>",
            csv.display()
        );
        client.put(&definitions::single(&format!("kill_{index}"), &body))?;
    }
    let mut seconds = Vec::new();
    for _ in 0..bench.runs {
        let new = kills(&servers).with_context(|| servers.errors())?;
        seconds.extend(new);
    }
    drop(servers);
    if let Some(mariadb) = &bench.mariadb {
        mariadb.drop_database(&database)?;
    }
    let name = match &bench.mariadb {
        Some(_) => "kill of 5 transfers to MariaDB",
        None => "kill of 5 transfers to SQLite",
    };
    Ok(vec![Figure {
        workload: "kill",
        on: on.name(),
        name,
        unit: "s",
        values: seconds,
        limits: Vec::new(),
        first: vec![Mark::AtMost(2.0)],
        last: Vec::new(),
    }])
}

/// Seconds from each request to the end of its instance.
fn kills(servers: &Servers<'_>) -> Result<Vec<f64>> {
    let client = servers.client();
    let ids: Vec<String> = (0..TRANSFERS)
        .map(|index| client.run(&format!("kill_{index}")))
        .collect::<Result<_>>()?;
    let since = Instant::now();
    while since.elapsed() < BUSY_FOR {
        std::thread::sleep(Duration::from_millis(100));
    }
    ids.iter()
        .map(|id| {
            let requested_ms = moment::now_ms();
            let killed = client.kill(id)?;
            ensure!(killed["state"] == "killed", "it ended before: {killed}");
            let ended = killed["ended_at"].as_str().context("no end")?;
            Ok((moment::parse_ms(ended)? - requested_ms) / 1000.0)
        })
        .collect()
}
