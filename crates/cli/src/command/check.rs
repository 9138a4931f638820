//! `akka check PATH...`: files and whole directories as one set, without a server.

pub(super) mod gather;
pub(super) mod read;
mod report;

use std::path::PathBuf;

use akkaflow_actions::Registry;
use akkaflow_model::check::{Set, Surroundings};
use akkaflow_model::code;
use akkaflow_model::diagnostic::{Finding, Severity};
use clap::ArgMatches;

use super::Outcome;
use crate::context::Context;
use crate::exit::{FAILED, USAGE};
use report::Counts;

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
    Sarif,
}

/// Checks what was named; the exit code tells whether all of it can be used.
pub(super) fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let paths: Vec<PathBuf> = matches
        .get_many::<String>("PATH")
        .into_iter()
        .flatten()
        .map(PathBuf::from)
        .collect();
    let is_strict = matches.get_flag("strict");
    let format = match super::optional(matches, "format") {
        Some("json") => Format::Json,
        Some("sarif") => Format::Sarif,
        _ if context.is_json => Format::Json,
        _ => Format::Text,
    };
    let files = match gather::gather(&paths) {
        Ok(files) => files,
        Err(problem) => {
            let cannot = context.say("无法读取", "cannot read");
            eprintln!("{} {cannot} {problem}", context.say("错误：", "error:"));
            return Ok(USAGE);
        }
    };
    let mut files = read::read_all(&files, &Registry::builtin(), context);
    let now = chrono::Local::now().naive_local();
    Set::check(&mut files, Surroundings { now: Some(now) });
    let mut findings: Vec<Finding> = Vec::new();
    for file in &mut files {
        findings.append(&mut file.findings);
    }
    if is_strict {
        findings.iter_mut().for_each(make_strict);
    }
    let counts = Counts::of(&findings, files.len());
    report::print(context, format, &findings, counts);
    let is_bad = counts.errors > 0 || (is_strict && findings.iter().any(is_fault));
    Ok(if is_bad { FAILED } else { 0 })
}

/// Whether a strict check fails for it. What this version does not run yet is no fault of the file.
fn is_fault(finding: &Finding) -> bool {
    let is_told = finding.severity == Severity::Note || finding.code == code::NOT_RUNNABLE;
    !is_told
}

/// What akkaflow would pass over in silence is an error to the strict.
fn make_strict(finding: &mut Finding) {
    if finding.code == code::UNKNOWN_ATTRIBUTE {
        finding.severity = Severity::Error;
    }
}
