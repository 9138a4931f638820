//! The core of a master without network and processes: the pure engine, and the engine over a real store.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::programs::cargo;
use super::report::{Figure, Limit, Mark};
use super::{Bench, On, progress};

/// Node transitions a second of one core, and what is left of that rate when many instances are open.
pub(crate) fn engine(bench: &Bench, on: On) -> Result<Vec<Figure>> {
    if on == On::Cluster {
        return Ok(Vec::new());
    }
    let lines = example(bench, "throughput", &[])?;
    let rates = values(&lines, "engine", "transitions_per_second");
    let ratios = values(&lines, "flat", "ratio");
    Ok(vec![
        figure(
            "engine",
            on,
            ("node transitions of one core, slowest graph", "1/s"),
            rates,
            Mark::AtLeast(500_000.0),
        ),
        figure(
            "engine",
            on,
            (
                "the rate at 10,000 and 100,000 open instances by that at 1,000",
                "x",
            ),
            ratios,
            Mark::AtLeast(0.7),
        ),
    ])
}

/// No-op nodes, durable.
pub(crate) fn no_ops(bench: &Bench, on: On) -> Result<Vec<Figure>> {
    let store = store(bench, on)?;
    let lines = example(bench, "durable", &[&store, "w3n"])?;
    let rates = values(&lines, "w3n", "transitions_per_second");
    let nodes = values(&lines, "w3n", "nodes_per_second");
    let mut figure = figure(
        "W3n",
        on,
        ("durable node transitions", "1/s"),
        rates,
        Mark::AtLeast(10_000.0),
    );
    figure.last = vec![Mark::AtLeast(20_000.0)];
    figure.limits = vec![Limit {
        name: "nodes a second in the same runs",
        values: nodes,
    }];
    Ok(vec![figure])
}

/// 10,000 workflows that are due in the same second.
pub(crate) fn fires(bench: &Bench, on: On) -> Result<Vec<Figure>> {
    let store = store(bench, on)?;
    let lines = example(bench, "durable", &[&store, "w6"])?;
    let seconds = values(&lines, "w6", "all_durable_seconds");
    let late = values(&lines, "w6", "lateness_p99_ms");
    let mut late = figure(
        "W6",
        on,
        ("lateness, 99th percentile", "ms"),
        late,
        Mark::AtMost(2_000.0),
    );
    late.first = Vec::new();
    Ok(vec![
        figure(
            "W6",
            on,
            ("10,000 fires until all are durable", "s"),
            seconds,
            Mark::AtMost(2.0),
        ),
        late,
    ])
}

fn figure(
    workload: &'static str,
    on: On,
    (name, unit): (&'static str, &'static str),
    values: Vec<f64>,
    mark: Mark,
) -> Figure {
    Figure {
        workload,
        on: on.name(),
        name,
        unit,
        values,
        limits: Vec::new(),
        first: vec![mark],
        last: vec![mark],
    }
}

fn store(bench: &Bench, on: On) -> Result<String> {
    Ok(match on {
        On::Standalone => "sqlite".to_owned(),
        On::Cluster => {
            let mariadb = bench.mariadb()?;
            mariadb.execute(
                "DROP DATABASE IF EXISTS akkaflow_bench_core; CREATE DATABASE akkaflow_bench_core",
            )?;
            mariadb.url("akkaflow_bench_core")
        }
    })
}

/// What an example prints, once for each run.
fn example(bench: &Bench, name: &str, arguments: &[&str]) -> Result<Vec<Value>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut lines = Vec::new();
    for run in 0..bench.runs {
        progress(&format!(
            "{name} {}, run {}",
            arguments.last().unwrap_or(&""),
            run + 1
        ));
        let output = cargo()
            .args([
                "run",
                "--quiet",
                "--release",
                "-p",
                "akkaflow-testkit",
                "--example",
                name,
                "--",
            ])
            .args(arguments)
            .current_dir(&root)
            .stderr(Stdio::inherit())
            .output()
            .context("run cargo")?;
        ensure!(
            output.status.success(),
            "{name} ended with {}",
            output.status
        );
        let text = String::from_utf8(output.stdout)?;
        let parsed = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        lines.extend(parsed);
    }
    Ok(lines)
}

/// The field of every line of a workload.
fn values(lines: &[Value], workload: &str, field: &str) -> Vec<f64> {
    let lines = lines.iter().filter(|line| line["workload"] == workload);
    lines.filter_map(|line| line[field].as_f64()).collect()
}
