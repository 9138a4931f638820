//! What `docs` holds of the programs' own declarations: `docs/reference` and the XML Schema.
//!
//! | module | holds |
//! |---|---|
//! | `elements`, `describe` | elements and attributes, as the checker declares them |
//! | `prose` | introductions by hand, with places for what is generated |
//! | `samples` | tables of schedules and dates, computed by the code that computes them in earnest |
//! | `codes` | every finding with a file that causes it |
//! | `command_line`, `configuration` | commands from clap, keys from the default file |
//!
//! `--check` only looks whether all is up to date, and runs as an ordinary test.

#![expect(clippy::print_stdout, reason = "a chore tells what it did")]

mod codes;
mod command_line;
mod configuration;
mod describe;
mod elements;
mod prose;
mod samples;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use akkaflow_actions::Registry;
use akkaflow_model::xsd;
use anyhow::{Context, Result, bail};
use clap::Args;

/// Where the reference lies, below the root of the repository.
const REFERENCE: &str = "docs/reference";

/// Where the schema lies.
const SCHEMA: &str = "docs/akkaflow.xsd";

/// Writes `docs/reference` and the schema.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only look whether all is up to date; exit code 1 when it is not.
    #[arg(long)]
    check: bool,
}

/// Writes or checks every generated file.
///
/// # Errors
/// A file that cannot be written; with `--check`, a file that is out of date.
pub(crate) fn run(options: &Options) -> Result<()> {
    let root = root();
    let files = files()?;
    let mut stale: Vec<String> = Vec::new();
    for (name, text) in &files {
        let found = std::fs::read_to_string(root.join(name)).unwrap_or_default();
        if found == *text {
            continue;
        }
        stale.push(format!("{name}{}", first_difference(&found, text)));
        if !options.check {
            write(&root.join(name), text)?;
        }
    }
    for name in surplus(&root, &files)? {
        stale.push(format!("{name}: nothing generates it any more"));
        if !options.check {
            std::fs::remove_file(root.join(&name))
                .with_context(|| format!("cannot remove {name}"))?;
        }
    }
    if stale.is_empty() {
        println!("{} files are up to date", files.len());
        return Ok(());
    }
    if options.check {
        bail!(
            "out of date, run `cargo xtask gen`:\n  {}",
            stale.join("\n  ")
        );
    }
    println!("written:\n  {}", stale.join("\n  "));
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every generated file by its path below the root.
fn files() -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    files.insert(
        SCHEMA.to_owned(),
        xsd::schema(&Registry::builtin().shapes()),
    );
    for (name, text) in prose::pages()? {
        files.insert(format!("{REFERENCE}/{name}"), text);
    }
    Ok(files)
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Files of the reference that are not generated.
fn surplus(root: &Path, files: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let folder = root.join(REFERENCE);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = format!("{REFERENCE}/{}", entry?.file_name().to_string_lossy());
        if !files.contains_key(&name) {
            found.push(name);
        }
    }
    Ok(found)
}

fn first_difference(found: &str, expected: &str) -> String {
    let line = found
        .lines()
        .zip(expected.lines())
        .position(|(found, expected)| found != expected)
        .unwrap_or_else(|| found.lines().count().min(expected.lines().count()));
    format!(":{}", line + 1)
}
