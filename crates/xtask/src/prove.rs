//! Long proofs in portions: the simulator in release mode, seed after seed, added up in `docs/proof.md`.
//!
//! After each portion the next seed and the sums that are not yet in the page are kept in a file under `target/`, so that
//! a proof that is broken off loses at most its last portion. The page itself gets one line for each call.

pub(crate) mod page;
mod state;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::Value;

use state::State;

/// How long to prove, and what.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How long histories are lived, the build not counted.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    minutes: u64,
    /// The first seed; where the last proof stopped unless given.
    #[arg(long)]
    from: Option<u64>,
    /// Instead of that, look for every planted fault and write their table anew.
    #[arg(long, conflicts_with_all = ["minutes", "from"])]
    faults: bool,
}

/// A portion of a proof.
const PORTION: Duration = Duration::from_secs(60);

/// The page of proofs.
pub(crate) const PAGE: &str = "docs/proof.md";

pub(crate) fn run(options: &Options) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().context("find the repository")?;
    let target = build(&root)?;
    let program = target.join("release/simulate");
    let page = root.join(PAGE);
    if options.faults {
        return plant(&program, &page);
    }
    let file = target.join("prove.json");
    let mut state = State::read(&file)?;
    state.next = state.next.max(page::next_seed(&page)?);
    if let Some(from) = options.from {
        state.begin_at(from);
    }
    let end = Instant::now() + Duration::from_secs(options.minutes * 60);
    while Instant::now() < end {
        let left = (end - Instant::now()).min(PORTION);
        let portion = live(&program, state.next, left)?;
        state.add(&portion)?;
        state.write(&file)?;
        progress(&state);
    }
    let violations = state.violations.clone();
    page::append(&page, &state.line(&commit(&root)))?;
    state.clear_sums();
    state.write(&file)?;
    ensure!(
        violations.is_empty(),
        "the contract was broken by the seeds {violations:?}: AKKAFLOW_SEED={} cargo test -p akkaflow-testkit --test it \
         simulation::no_history_breaks_the_contract -- --nocapture",
        violations[0]
    );
    Ok(())
}

/// Builds the programs of the simulator; gives back the target directory.
pub(crate) fn build(root: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(&cargo)
        .args(["build", "--release", "-p", "akkaflow-testkit", "--bins"])
        .current_dir(root)
        .status()
        .context("run cargo")?;
    ensure!(status.success(), "the simulator does not build");
    target_directory(root)
}

/// Where cargo builds.
pub(crate) fn target_directory(root: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(&cargo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("run cargo metadata")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("read cargo metadata")?;
    let target = metadata["target_directory"]
        .as_str()
        .context("cargo names its target directory")?;
    Ok(PathBuf::from(target))
}

/// One portion: what the simulator says of it.
fn live(program: &Path, from: u64, length: Duration) -> Result<Value> {
    let output = Command::new(program)
        .args(["--from", &from.to_string()])
        .args(["--seconds", &length.as_secs().max(1).to_string()])
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("run {}", program.display()))?;
    let text = String::from_utf8(output.stdout).context("read the simulator's words")?;
    let (told, sums) = text.trim_end().rsplit_once('\n').unwrap_or(("", &text));
    // Ends with 1 when a history broke the contract, and says all the same what it did.
    match serde_json::from_str(sums) {
        Ok(sums) => {
            eprint_lines(told);
            Ok(sums)
        }
        Err(_) => bail!("the simulator ended with {}: {text}", output.status),
    }
}

fn plant(program: &Path, page: &Path) -> Result<()> {
    let output = Command::new(program)
        .args(["--planted", "all"])
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("run {}", program.display()))?;
    let rows = String::from_utf8(output.stdout).context("read the simulator's words")?;
    eprint_lines(&rows);
    page::replace_faults(page, &rows)?;
    ensure!(output.status.success(), "not every planted fault was found");
    Ok(())
}

#[expect(clippy::print_stderr, reason = "for the person who waits")]
fn progress(state: &State) {
    eprintln!("{}", state.words());
}

#[expect(clippy::print_stderr, reason = "for the person who waits")]
fn eprint_lines(text: &str) {
    if !text.is_empty() {
        eprintln!("{text}");
    }
}

/// The commit that was proved; with a plus sign when the sources differ from it.
pub(crate) fn commit(root: &Path) -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(root)
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let head = git(&["rev-parse", "--short", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    let is_changed = git(&["status", "--porcelain", "--", "crates", "Cargo.lock"])
        .is_some_and(|text| !text.is_empty());
    if is_changed { head + "+" } else { head }
}
