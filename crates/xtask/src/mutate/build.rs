//! What cargo says of a workspace with mutants in it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::rewrite::Spots;

/// A copy of the workspace, and where it is built.
pub(crate) struct Build {
    pub(crate) workspace: PathBuf,
    pub(crate) target: PathBuf,
}

/// A test program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// `engine`, `protocol` or `testkit`.
    pub(crate) package: String,
    /// Name of the test target; that of the crate for its unit tests.
    pub(crate) name: String,
    pub(crate) executable: PathBuf,
}

impl Build {
    /// The messages of a cargo command, and whether it went well.
    fn cargo(&self, arguments: &[&str], packages: &[&str]) -> Result<(Vec<Value>, bool)> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(arguments).arg("--message-format=json");
        for package in packages {
            command.args(["-p", &format!("akkaflow-{package}")]);
        }
        let output = command
            .current_dir(&self.workspace)
            .env("CARGO_TARGET_DIR", &self.target)
            .stderr(Stdio::inherit())
            .output()
            .context("run cargo")?;
        let lines = String::from_utf8(output.stdout).context("read cargo's messages")?;
        let messages = lines
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        Ok((messages.collect(), output.status.success()))
    }

    /// Which mutants do not compile; none when all is well.
    pub(crate) fn unfit(&self, spots: &BTreeMap<String, Spots>) -> Result<BTreeSet<u32>> {
        let (messages, is_fine) = self.cargo(
            &["check", "--quiet", "--keep-going"],
            &["engine", "protocol"],
        )?;
        if is_fine {
            return Ok(BTreeSet::new());
        }
        let unfit: BTreeSet<u32> = messages
            .iter()
            .flat_map(|message| guilty(message, spots))
            .collect();
        if unfit.is_empty() {
            let text = messages
                .iter()
                .find_map(|it| it["message"]["rendered"].as_str());
            bail!(
                "the copy in {} does not compile, and no mutant is to blame: {}",
                self.workspace.display(),
                text.unwrap_or("see above")
            );
        }
        Ok(unfit)
    }

    /// Builds the test programs.
    pub(crate) fn programs(&self) -> Result<Vec<Program>> {
        let (messages, is_fine) = self.cargo(
            &["test", "--quiet", "--no-run", "--tests"],
            &["engine", "protocol", "testkit"],
        )?;
        ensure!(
            is_fine,
            "the tests do not build in {}",
            self.workspace.display()
        );
        Ok(messages.iter().filter_map(program).collect())
    }
}

/// The test program that a message tells of.
fn program(message: &Value) -> Option<Program> {
    let is_test = message["profile"]["test"].as_bool()?;
    let package = message["manifest_path"].as_str()?;
    let package = Path::new(package).parent()?.file_name()?.to_str()?;
    let kind = message["target"]["kind"][0].as_str()?;
    (is_test && (kind == "test" || kind == "lib")).then_some(())?;
    Some(Program {
        package: package.to_owned(),
        name: message["target"]["name"].as_str()?.to_owned(),
        executable: message["executable"].as_str()?.into(),
    })
}

/// The mutants that an error points at: with its main spans, else with any, else those nearest in the file.
fn guilty(message: &Value, spots: &BTreeMap<String, Spots>) -> Vec<u32> {
    let message = &message["message"];
    if message["level"] != "error" {
        return Vec::new();
    }
    let mut spans = Vec::new();
    gather(message, &mut spans);
    let hit = |(file, range): &(&str, Range<usize>)| -> Vec<u32> {
        let spots = spots.get(*file).into_iter().flatten();
        spots
            .filter(|(_, spot)| spot.start < range.end && range.start < spot.end)
            .map(|(number, _)| *number)
            .collect()
    };
    let main: Vec<u32> = spans
        .iter()
        .filter(|(is_main, _)| *is_main)
        .flat_map(|(_, span)| hit(span))
        .collect();
    if !main.is_empty() {
        return main;
    }
    let any: Vec<u32> = spans.iter().flat_map(|(_, span)| hit(span)).collect();
    if !any.is_empty() {
        return any;
    }
    let nearest = spans.iter().filter_map(|(_, (file, range))| {
        let spots = spots.get(*file)?.iter();
        let gap = |spot: &Range<usize>| {
            let (before, behind) = (
                range.start.saturating_sub(spot.end),
                spot.start.saturating_sub(range.end),
            );
            before.max(behind)
        };
        Some(spots.min_by_key(|(_, spot)| gap(spot))?.0)
    });
    nearest.collect()
}

/// The spans of a message and of its notes; whether they are what the message is about.
fn gather<'a>(message: &'a Value, spans: &mut Vec<(bool, (&'a str, Range<usize>))>) {
    for span in message["spans"].as_array().into_iter().flatten() {
        let number = |name: &str| usize::try_from(span[name].as_u64()?).ok();
        if let (Some(file), Some(begin), Some(end)) = (
            span["file_name"].as_str(),
            number("byte_start"),
            number("byte_end"),
        ) {
            spans.push((span["is_primary"] == true, (file, begin..end)));
        }
    }
    for note in message["children"].as_array().into_iter().flatten() {
        gather(note, spans);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn error(main: Range<usize>, other: Range<usize>) -> Value {
        let span = |range: Range<usize>, is_primary: bool| json!({"file_name": "a.rs", "byte_start": range.start, "byte_end": range.end, "is_primary": is_primary});
        json!({"message": {"level": "error", "spans": [span(other, false), span(main, true)], "children": []}})
    }

    #[test]
    fn an_error_points_at_its_mutant() {
        let spots: Spots = vec![(1, 10..20), (2, 30..40)];
        let spots = BTreeMap::from([("a.rs".to_owned(), spots)]);
        assert_eq!(guilty(&error(12..13, 32..33), &spots), [1]);
        assert_eq!(guilty(&error(25..26, 32..33), &spots), [2]);
        // Neither: what is nearest to each.
        assert_eq!(guilty(&error(21..22, 41..43), &spots), [2, 1]);
        let mut warning = error(12..13, 32..33);
        warning["message"]["level"] = "warning".into();
        assert!(guilty(&warning, &spots).is_empty());
    }
}
