//! `cargo xtask fuzz`: the fuzz targets of the model, guided by coverage.
//!
//! The compiler on the stable channel can count which code runs (`-C instrument-coverage`); the targets read those
//! counters and keep inputs that reach new ones. Nothing but the toolchain is needed.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};

/// Counting, and the checks that a release build leaves out.
const FLAGS: &str =
    "-C instrument-coverage --cfg fuzz_coverage -C debug-assertions -C overflow-checks";

/// What to fuzz, how often.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The target.
    #[arg(value_enum)]
    target: Target,
    /// Mutations to run.
    #[arg(long, default_value_t = 100_000)]
    runs: u64,
    /// Seed of the mutations; another one each time unless given.
    #[arg(long)]
    seed: Option<u64>,
}

/// A fuzz target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Target {
    /// Whole files.
    Xml,
    /// Schedules of five fields.
    Cron,
    /// Schedules in English.
    EnglishCron,
    /// `${time...}`.
    Time,
    /// Parameter lists.
    Params,
}

/// Builds the targets with counters and runs one of them; what it finds is kept in `target/fuzz/found`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let name = options
        .target
        .to_possible_value()
        .context("every target has a name")?;
    let name = name.get_name();
    let seed = options.seed.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |now| now.as_secs())
    });
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    // Other flags would build everything anew in the usual place, each time in turn.
    let directory = std::path::absolute(target.join("fuzz"))?;
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "test",
            "--release",
            "-p",
            "akkaflow-model",
            "--test",
            "fuzz",
            "--",
        ])
        .args(["--exact", name, "--nocapture"])
        .env("CARGO_TARGET_DIR", &directory)
        .env("RUSTFLAGS", FLAGS)
        .env("LLVM_PROFILE_FILE", "/dev/null")
        .env("AKKAFLOW_SEED", seed.to_string())
        .env("AKKAFLOW_FUZZ_RUNS", options.runs.to_string())
        .env("AKKAFLOW_FUZZ_FOUND", directory.join("found"))
        .status()
        .context("run cargo")?;
    ensure!(status.success(), "{name} found something: see above");
    Ok(())
}
