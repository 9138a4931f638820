//! The long form of a test of `model`: crons against a scan of every minute, in every zone around its changes.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use clap::Args;

/// How many cases, and which.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Cases, each a cron, a zone and an outage.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    cases: u64,
    /// The seed, printed by every run; another one each time unless given.
    #[arg(long)]
    seed: Option<u64>,
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(1, |since| since.as_secs())
}

/// Runs the proofs of crons.
///
/// # Errors
/// A case in which product and oracle differ; cargo has printed it with its seed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["test", "--release", "-p", "akkaflow-model", "--test", "it"])
        .args(["prove_cron", "--", "--nocapture", "--test-threads", "1"])
        .env("AKKAFLOW_CRON_CASES", options.cases.to_string())
        .env(
            "AKKAFLOW_SEED",
            options.seed.unwrap_or_else(now).to_string(),
        );
    let status = command.status().context("start cargo")?;
    ensure!(status.success(), "the proof has failed, see above");
    Ok(())
}
