//! `akka check PATH...`: files and whole directories as one set, without a server.

pub(super) mod gather;
pub(super) mod read;
mod report;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use akkaflow_actions::Registry;
use akkaflow_model::check::{CheckedFile, Set, Surroundings, check_file, reason, unreadable};
use akkaflow_model::code;
use akkaflow_model::diagnostic::{Finding, Severity};
use akkaflow_model::schedule::Calendar;
use akkaflow_model::text::{Lang, Text};
use clap::ArgMatches;

use super::Outcome;
use crate::context::Context;
use crate::exit::{FAILED, USAGE};
use gather::{Gathered, Wanted};
use report::Counts;

/// The folder of calendars beside workflows.
const CALENDARS: &str = "calendars";

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
    let registry = Registry::builtin();
    let (standard, paths): (Vec<PathBuf>, Vec<PathBuf>) = paths
        .into_iter()
        .partition(|path| path.as_os_str() == read::STANDARD);
    let mut files = if paths.is_empty() {
        Read::default()
    } else {
        named(context, &paths, &registry)
    };
    if !standard.is_empty() {
        files.add(self::standard(&registry));
    }
    let Read {
        checked: mut files,
        has_wrong_path,
    } = files;
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
    let faults = findings.iter().filter(|finding| is_fault(finding)).count();
    let strict_faults = faults - counts.errors;
    report::print(
        context,
        format,
        &findings,
        counts,
        is_strict.then_some(strict_faults),
    );
    if has_wrong_path {
        return Ok(USAGE);
    }
    let is_bad = counts.errors > 0 || (is_strict && faults > 0);
    Ok(if is_bad { FAILED } else { 0 })
}

/// What was checked.
#[derive(Default)]
struct Read {
    checked: Vec<CheckedFile>,
    /// Whether something that was named cannot be read at all; it is told of among the findings.
    has_wrong_path: bool,
}

impl Read {
    fn add(&mut self, other: Self) {
        self.checked.extend(other.checked);
        self.has_wrong_path |= other.has_wrong_path;
    }
}

/// The files that were named, and the calendars beside them.
fn named(context: &Context, paths: &[PathBuf], registry: &Registry) -> Read {
    let Gathered { files, wrong } = gather::gather(paths, Wanted::XmlAndCalendars);
    if files.is_empty() && wrong.is_empty() {
        let names: Vec<String> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        eprintln!("{}", no_file(&names, context.screen.lang));
    }
    let mut checked = read::read_all(&files, registry, context);
    let beside = calendars_beside(&checked);
    checked.extend(read::read_all(&beside, registry, context));
    let unreadable = |(path, why): &(PathBuf, Text)| unreadable(&path.display().to_string(), why);
    checked.extend(wrong.iter().map(unreadable));
    Read {
        checked,
        has_wrong_path: !wrong.is_empty(),
    }
}

fn no_file(names: &[String], lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("警告：{} 中没有工作流文件", names.join("、")),
        Lang::En => format!("warning: there is no workflow file in {}", names.join(", ")),
    }
}

/// What comes by standard input.
fn standard(registry: &Registry) -> Read {
    let name = read::STANDARD_NAME;
    let (file, has_wrong_path) = match read::standard_input() {
        Ok(bytes) => (check_file(name, &bytes, registry), false),
        Err(error) => (unreadable(name, &reason(&error)), true),
    };
    Read {
        checked: vec![file],
        has_wrong_path,
    }
}

/// The calendars that files name, that are not among what is checked and lie where a server would look for them: in the
/// file's directory, or in `calendars` there.
fn calendars_beside(files: &[CheckedFile]) -> Vec<PathBuf> {
    let known: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| file.calendar.as_deref())
        .collect();
    let mut found = BTreeSet::new();
    for file in files {
        let calendar = file
            .outline
            .as_ref()
            .and_then(|outline| outline.calendar.as_ref());
        let Some((name, _)) = calendar.filter(|(name, _)| !known.contains(name.as_str())) else {
            continue;
        };
        let directory = Path::new(&file.file).parent().unwrap_or(Path::new(""));
        let file_name = format!("{name}.{}", Calendar::EXTENSION);
        let places = [directory.to_owned(), directory.join(CALENDARS)];
        let place = places.map(|place| place.join(&file_name));
        found.extend(place.into_iter().find(|place| place.is_file()));
    }
    found.into_iter().collect()
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
