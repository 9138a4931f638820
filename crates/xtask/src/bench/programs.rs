//! The release programs, built by cargo and found where cargo says that they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// What cargo tells the programs that it runs, us among them. Handed on to another cargo it makes build scripts (that
/// of `ring`) believe that their surroundings have changed, and half of the programs are built anew.
const OURS: [&str; 5] = [
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_CRATE_",
    "CARGO_BIN_",
    "CARGO_PRIMARY_PACKAGE",
];

/// Cargo, in the surroundings in which a person runs it.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let is_ours = |name: &str| OURS.iter().any(|prefix| name.starts_with(prefix));
        if name.to_str().is_some_and(is_ours) {
            command.env_remove(name);
        }
    }
    command
}

/// The programs by name.
#[derive(Debug, Default)]
pub(crate) struct Programs(BTreeMap<String, PathBuf>);

impl Programs {
    /// Builds all programs of the servers and the command line.
    pub(crate) fn build() -> Result<Self> {
        super::progress("building the release programs");
        let mut command = cargo();
        command.args([
            "build",
            "--release",
            "-p",
            "akkaflow-server",
            "-p",
            "akkaflow-cli",
        ]);
        command.args(["--bins", "--message-format", "json-render-diagnostics"]);
        let output = command
            .stderr(Stdio::inherit())
            .output()
            .context("run cargo")?;
        ensure!(output.status.success(), "the programs do not build");
        let text = String::from_utf8(output.stdout)?;
        Ok(Self(text.lines().filter_map(executable).collect()))
    }

    /// Takes programs that are already there.
    pub(crate) fn of(directory: &Path) -> Result<Self> {
        let directory = directory
            .canonicalize()
            .with_context(|| format!("{}", directory.display()))?;
        let entries = std::fs::read_dir(directory)?.map(|entry| Ok(entry?.path()));
        let entries = entries.collect::<Result<Vec<_>>>()?;
        let named = entries
            .into_iter()
            .filter_map(|path| Some((path.file_name()?.to_str()?.to_owned(), path.clone())));
        Ok(Self(named.collect()))
    }

    /// Where a program is.
    pub(crate) fn path(&self, name: &str) -> Result<&Path> {
        self.0
            .get(name)
            .map(PathBuf::as_path)
            .with_context(|| format!("there is no program {name}"))
    }
}

fn executable(line: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    let path = PathBuf::from(message["executable"].as_str()?);
    Some((path.file_name()?.to_str()?.to_owned(), path))
}

#[cfg(test)]
mod tests {
    use super::executable;

    #[test]
    fn only_messages_about_programs_name_one() {
        let (name, path) =
            executable(r#"{"reason":"compiler-artifact","executable":"/t/release/akka"}"#).unwrap();
        assert_eq!(
            (name.as_str(), path.to_str()),
            ("akka", Some("/t/release/akka"))
        );
        assert!(executable(r#"{"reason":"compiler-artifact","executable":null}"#).is_none());
        assert!(executable(r#"{"reason":"build-finished","success":true}"#).is_none());
    }
}
