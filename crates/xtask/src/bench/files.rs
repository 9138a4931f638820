//! W7: a large directory of workflow files: loaded from cold, changed, idle, and there again after a restart.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::client::Client;
use super::report::{Figure, Mark};
use super::servers::Servers;
use super::{Bench, On, mixture, moment, processes, progress};

/// Files of the directory.
const FILES: usize = 100_000;
/// Files changed one after the other.
const CHANGES: usize = 20;
/// How often the state is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// After this long without an end it has failed.
const PATIENCE: Duration = Duration::from_secs(300);
/// Time of idleness that is measured.
const IDLE: Duration = Duration::from_secs(60);
/// Files that are looked up at the end, spread over all.
const SAMPLE: usize = 200;

/// Loads the directory once: it takes long, and files do not change from run to run.
pub(crate) fn measure(bench: &Bench, on: On) -> Result<Vec<Figure>> {
    let mut loads = Vec::new();
    let mut memories = Vec::new();
    let mut peaks = Vec::new();
    let mut changes = Vec::new();
    let mut idle = Vec::new();
    let mut restarts = Vec::new();
    let mut memories_again = Vec::new();
    for _ in 0..bench.runs {
        let mut servers = Servers::start_with(bench, on, "", |directory| {
            progress(&format!("writing {FILES} files"));
            Ok(mixture::write(directory, FILES)?)
        })?;
        let client = servers.client();
        let last = (0..FILES).rfind(|number| !mixture::is_broken(*number));
        let last = last.context("there is a good file")?;
        await_live(&client, &mixture::name(last), |_| true).with_context(|| servers.errors())?;
        loads.push((moment::now_ms() - servers.started_ms) / 1000.0);
        check_sample(&client)?;
        let family = servers.family();
        memories.push(processes::memory(&family).rss_mib);
        peaks.push(processes::peak_rss_mib(&family));
        for change in 0..CHANGES {
            let number = change * (FILES / CHANGES) + 5;
            changes.push(change_one(&client, servers.workflow_directory(), number)?);
        }
        progress("watching it idle");
        idle.push(busy_share(&family));
        servers.restart_leader()?;
        restarts.push((servers.ready_ms - servers.started_ms) / 1000.0);
        check_sample(&servers.client())?;
        let again = processes::memory(&servers.family());
        memories_again.push(again.rss_mib);
    }
    let figure = |name, unit, values, first| Figure {
        workload: "W7",
        on: on.name(),
        name,
        unit,
        values,
        limits: Vec::new(),
        first,
        last: Vec::new(),
    };
    Ok(vec![
        figure(
            "cold start until 100,000 files are live",
            "s",
            loads,
            vec![Mark::AtMost(20.0)],
        ),
        figure("RSS then", "MiB", memories, vec![Mark::AtMost(400.0)]),
        figure("most RSS", "MiB", peaks, vec![Mark::AtMost(400.0)]),
        figure(
            "a changed file is live",
            "ms",
            changes,
            vec![Mark::AtMost(200.0)],
        ),
        figure(
            "processor time while idle",
            "% of a core",
            idle,
            vec![Mark::AtMost(0.5)],
        ),
        figure(
            "restart until work is accepted",
            "s",
            restarts,
            vec![Mark::AtMost(5.0)],
        ),
        figure(
            "RSS after the restart",
            "MiB",
            memories_again,
            vec![Mark::AtMost(400.0)],
        ),
    ])
}

/// Percent of a core that the processes take while nobody asks anything.
fn busy_share(family: &BTreeSet<u32>) -> f64 {
    let (before, since) = (processes::busy(family), Instant::now());
    std::thread::sleep(IDLE);
    let busy = processes::busy(family).saturating_sub(before);
    busy.as_secs_f64() / since.elapsed().as_secs_f64() * 100.0
}

fn check_sample(client: &Client) -> Result<()> {
    for number in (0..FILES).step_by(FILES / SAMPLE) {
        let is_live = client.workflow(&mixture::name(number))?.is_some();
        ensure!(
            is_live != mixture::is_broken(number),
            "file {number} is {}",
            if is_live { "live" } else { "not live" }
        );
    }
    Ok(())
}

/// Changes a file as editors do, by renaming a new one over it; milliseconds until the change is live.
fn change_one(client: &Client, directory: &Path, number: usize) -> Result<f64> {
    let path = mixture::path(directory, number);
    let description = "改过的";
    let temporary = path.with_extension("new");
    fs::write(&temporary, mixture::text(number, description))?;
    let since = Instant::now();
    fs::rename(&temporary, &path)?;
    await_live(client, &mixture::name(number), |workflow| {
        workflow["desc"]
            .as_str()
            .is_some_and(|text| text.starts_with(description))
    })?;
    Ok(since.elapsed().as_secs_f64() * 1000.0)
}

fn await_live(
    client: &Client,
    name: &str,
    is_it: impl Fn(&serde_json::Value) -> bool,
) -> Result<()> {
    let since = Instant::now();
    while !client
        .workflow(name)?
        .is_some_and(|workflow| is_it(&workflow))
    {
        ensure!(
            since.elapsed() < PATIENCE,
            "{name} is not live within {PATIENCE:?}"
        );
        std::thread::sleep(LOOK);
    }
    Ok(())
}
