//! A large directory checked offline by `akka check`.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::report::{Figure, Limit, Mark};
use super::{Bench, On, mixture, progress};

/// Files of the directory.
const FILES: usize = 10_000;

/// Checks the directory `runs` times; no server takes part, so it is measured beside one of the two targets only.
pub(crate) fn measure(bench: &Bench, on: On) -> Result<Vec<Figure>> {
    if on == On::Cluster {
        return Ok(Vec::new());
    }
    let directory = bench.root.join("check");
    std::fs::create_dir_all(&directory)?;
    progress(&format!("writing {FILES} files"));
    mixture::write(&directory, FILES)?;
    let broken = (0..FILES)
        .filter(|number| mixture::is_broken(*number))
        .count();
    let (mut seconds, mut reading) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        let since = Instant::now();
        let output = Command::new(bench.programs.path("akka")?)
            .args(["check", "--format", "json"])
            .arg(&directory)
            .output()
            .context("run akka")?;
        seconds.push(since.elapsed().as_secs_f64());
        let report: Value = serde_json::from_slice(&output.stdout)?;
        ensure!(report["files"] == FILES, "files: {}", report["files"]);
        let errors = report["errors"].as_u64().unwrap_or_default();
        ensure!(
            errors >= broken as u64,
            "{errors} errors of {broken} broken files"
        );
        ensure!(
            output.status.code() == Some(i32::from(broken > 0)),
            "ended with {}",
            output.status
        );
        reading.push(read_all(&directory)?);
    }
    std::fs::remove_dir_all(&directory)?;
    Ok(vec![Figure {
        workload: "check",
        on: on.name(),
        name: "10,000 files checked",
        unit: "s",
        values: seconds,
        limits: vec![Limit {
            name: "reading them",
            values: reading,
        }],
        first: vec![Mark::AtMost(3.0)],
        last: Vec::new(),
    }])
}

/// Seconds of merely reading the files, one after the other.
fn read_all(directory: &Path) -> Result<f64> {
    let since = Instant::now();
    for number in 0..FILES {
        std::fs::read(mixture::path(directory, number))?;
    }
    Ok(since.elapsed().as_secs_f64())
}
