//! Chores of the repository that are Rust: `cargo xtask bench` measures the workloads of `docs/benchmarks.md`, `cargo xtask gen`
//! writes what `docs` holds of the programs' own declarations, `cargo xtask prove` lives simulated histories and adds them up
//! in `docs/proof.md`, `cargo xtask week` lives a week of a busy cluster, `cargo xtask fuzz` looks for inputs that break a reader,
//! `cargo xtask mutate` breaks the pure crates in small ways and sees whether a test notices.
//!
//! The benchmarks know the programs only as a user does, by their command lines and HTTP.

mod bench;
mod fuzz;
mod generate;
mod kept;
mod mutate;
mod prove;
mod prove_cron;
mod week;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Chores of the akkaflow repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Measure workloads against real servers, beside the limits of this machine.
    Bench(bench::Options),
    /// Feed a reader of the model with inputs that nobody wrote, guided by coverage.
    Fuzz(fuzz::Options),
    /// Write `docs/reference` and `docs/akkaflow.xsd` from the declarations of the code.
    Gen(generate::Options),
    /// Break the engine and the protocol in small ways, and see whether their tests notice.
    Mutate(mutate::Options),
    /// Live simulated histories in release mode on all cores, going on where the last proof stopped.
    Prove(prove::Options),
    /// Compare crons with a scan of every minute in release mode, in all zones around their changes.
    ProveCron(prove_cron::Options),
    /// Live a week of a cluster of 2,000 workflows in virtual time, in release mode, and write its figures to `docs/proof.md`.
    Week(week::Options),
    /// Clean up after a benchmark that ended without doing so itself (started by it).
    #[command(hide = true)]
    Guard,
}

fn main() -> Result<()> {
    match Arguments::parse().chore {
        Chore::Bench(options) => bench::run(&options),
        Chore::Fuzz(options) => fuzz::run(&options),
        Chore::Gen(options) => generate::run(&options),
        Chore::Mutate(options) => mutate::run(&options),
        Chore::Prove(options) => prove::run(&options),
        Chore::ProveCron(options) => prove_cron::run(&options),
        Chore::Week(options) => week::run(&options),
        Chore::Guard => bench::guard(),
    }
}
