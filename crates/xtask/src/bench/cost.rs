//! W4: what idle servers cost, and how soon they work.

use std::time::Duration;

use anyhow::{Context, Result};

use super::report::{Figure, Mark};
use super::servers::Servers;
use super::{Bench, On, definitions, processes};

/// Time to come to rest after the first script.
const SETTLE: Duration = Duration::from_secs(2);
/// Time over which idle processor use is measured.
const WATCH: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Cost {
    ready_s: Vec<f64>,
    first_s: Vec<f64>,
    rss_mib: Vec<f64>,
    pss_mib: Vec<f64>,
    busy_percent: Vec<f64>,
}

/// Starts on empty state anew for every run.
pub(crate) fn measure(bench: &Bench, on: On) -> Result<Vec<Figure>> {
    let mut cost = Cost::default();
    for _ in 0..bench.runs {
        cost.measure(bench, on)?;
    }
    let figure = |name, unit, values, first, last| Figure {
        workload: "W4",
        on: on.name(),
        name,
        unit,
        values,
        limits: Vec::new(),
        first,
        last,
    };
    Ok(vec![
        figure(
            "idle RSS",
            "MiB",
            cost.rss_mib,
            vec![Mark::AtMost(60.0)],
            vec![Mark::AtMost(40.0)],
        ),
        figure("idle PSS", "MiB", cost.pss_mib, Vec::new(), Vec::new()),
        figure(
            "idle CPU",
            "% of a core",
            cost.busy_percent,
            Vec::new(),
            vec![Mark::AtMost(0.1)],
        ),
        figure(
            "cold start to /readyz",
            "s",
            cost.ready_s,
            Vec::new(),
            Vec::new(),
        ),
        figure(
            "cold start to first script",
            "s",
            cost.first_s,
            Vec::new(),
            vec![Mark::AtMost(0.15)],
        ),
    ])
}

impl Cost {
    fn measure(&mut self, bench: &Bench, on: On) -> Result<()> {
        let servers = Servers::start(bench, on, "")?;
        let client = servers.client();
        client.put(&definitions::single(
            "w4",
            "<script><code>true</code></script>",
        ))?;
        let id = client.run("w4")?;
        let first = client
            .wait(&id, 1, Duration::from_millis(5))
            .with_context(|| servers.errors())?;
        self.ready_s
            .push((servers.ready_ms - servers.started_ms) / 1000.0);
        self.first_s
            .push((first.ended_ms - servers.started_ms) / 1000.0);
        std::thread::sleep(SETTLE);
        let family = servers.family();
        let before = processes::busy(&family);
        std::thread::sleep(WATCH);
        let busy = processes::busy(&family).saturating_sub(before);
        let memory = processes::memory(&family);
        self.busy_percent
            .push(busy.as_secs_f64() / WATCH.as_secs_f64() * 100.0);
        self.rss_mib.push(memory.rss_mib);
        self.pss_mib.push(memory.pss_mib);
        Ok(())
    }
}
