//! A week of a busy cluster in virtual time, in release mode; the whole one is written down in `docs/proof.md`.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::bench::today;
use crate::prove::{PAGE, build, commit, page};

/// What the week is made from.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The source of all chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many workflows there are.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(200..=100_000))]
    workflows: u32,
    /// How many days.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=60))]
    days: u32,
    /// Write the figures to the page of proofs.
    #[arg(long)]
    record: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().context("find the repository")?;
    let program = build(&root)?.join("release/week");
    let mut command = Command::new(&program);
    command
        .args(["--seed", &options.seed.to_string()])
        .args(["--workflows", &options.workflows.to_string()])
        .args(["--days", &options.days.to_string()])
        .stderr(Stdio::inherit());
    if options.record {
        command.arg("--markdown");
    }
    let output = command
        .output()
        .with_context(|| format!("run {}", program.display()))?;
    let text = String::from_utf8(output.stdout).context("read the figures")?;
    print(&text);
    ensure!(
        output.status.success(),
        "the week of seed {} went wrong",
        options.seed
    );
    if options.record {
        let from = format!(
            "| commit, date, seed | {}, {}, {} |\n",
            commit(&root),
            today(),
            options.seed
        );
        page::replace_week(&root.join(PAGE), &(from + &text))?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is what it is for")]
fn print(text: &str) {
    print!("{text}");
}
