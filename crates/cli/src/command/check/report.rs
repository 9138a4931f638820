//! What is printed, for people and for programs.

use std::collections::BTreeSet;

use akkaflow_api::Diagnostic;
use akkaflow_model::diagnostic::{Finding, Severity};
use akkaflow_model::render::sarif;
use akkaflow_model::text::{Lang, Text};
use serde_json::json;

use super::Format;
use crate::context::Context;
use crate::screen::Paint;

/// How much was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) files: usize,
    pub(super) errors: usize,
    pub(super) warnings: usize,
    pub(super) notes: usize,
}

impl Counts {
    pub(super) fn of(findings: &[Finding], files: usize) -> Self {
        let count = |severity: Severity| {
            let found = findings.iter().filter(|found| found.severity == severity);
            found.count()
        };
        Self {
            files,
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            notes: count(Severity::Note),
        }
    }
}

/// `strict` says how many warnings a strict check fails for.
pub(super) fn print(
    context: &Context,
    format: Format,
    findings: &[Finding],
    counts: Counts,
    strict: Option<usize>,
) {
    let lang = context.screen.lang;
    match format {
        Format::Text => print_text(context, findings, counts, strict),
        Format::Json => outln!("{}", json_of(findings, counts, lang)),
        Format::Sarif => {
            let log = sarif(findings, lang, env!("CARGO_PKG_VERSION"));
            outln!(
                "{}",
                serde_json::to_string_pretty(&log).expect("plain data")
            );
        }
    }
}

fn json_of(findings: &[Finding], counts: Counts, lang: Lang) -> serde_json::Value {
    let diagnostics: Vec<Diagnostic> = findings
        .iter()
        .map(|finding| Diagnostic::new(finding, lang))
        .collect();
    json!({
        "files": counts.files,
        "errors": counts.errors,
        "warnings": counts.warnings,
        "notes": counts.notes,
        "diagnostics": diagnostics,
    })
}

fn print_text(context: &Context, findings: &[Finding], counts: Counts, strict: Option<usize>) {
    let folded = folded(findings);
    let text = context.screen.findings(&folded);
    if !text.is_empty() {
        outln!("{text}");
    }
    outln!("{}", summary(context, counts, strict));
}

/// Notes are said once, with the number of places; everything else stands where it was found.
fn folded(findings: &[Finding]) -> Vec<Finding> {
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let mut shown: Vec<Finding> = Vec::new();
    let mut notes: Vec<Finding> = Vec::new();
    for finding in findings {
        if finding.severity != Severity::Note {
            shown.push(finding.clone());
        } else if told.insert(&finding.code) {
            let same = findings.iter().filter(|other| other.code == finding.code);
            notes.push(with_others(finding, same.count() - 1));
        }
    }
    shown.append(&mut notes);
    shown
}

fn with_others(finding: &Finding, others: usize) -> Finding {
    let mut finding = finding.clone();
    if others > 0 {
        let Text { zh, en } = finding.message;
        finding.message = Text::new(
            format!("{zh}（另有{others}处相同，--format json列出全部）"),
            format!(
                "{en} (and {}; --format json lists all)",
                counted(others, "more place")
            ),
        );
    }
    finding
}

/// One line for the end.
fn summary(context: &Context, counts: Counts, strict: Option<usize>) -> String {
    let Counts {
        files,
        errors,
        warnings,
        notes,
    } = counts;
    let line = match context.screen.lang {
        Lang::Zh => format!("已检查{files}个文件：{errors}个错误，{warnings}个警告，{notes}个提示"),
        Lang::En => format!(
            "checked {}: {}, {}, {}",
            counted(files, "file"),
            counted(errors, "error"),
            counted(warnings, "warning"),
            counted(notes, "note")
        ),
    };
    let strict = strict.filter(|count| *count > 0);
    let line = match (context.screen.lang, strict) {
        (_, None) => line,
        (Lang::Zh, Some(count)) => format!("{line}；--strict下其中{count}个警告按错误计"),
        (Lang::En, Some(1)) => {
            format!("{line}; with --strict 1 of the warnings counts as an error")
        }
        (Lang::En, Some(count)) => {
            format!("{line}; with --strict {count} of the warnings count as errors")
        }
    };
    let paint = match (errors, warnings) {
        (0, 0) => Paint::Green,
        (0, _) if strict.is_none() => Paint::Yellow,
        _ => Paint::Red,
    };
    context.screen.paint(&line, paint)
}

fn counted(number: usize, word: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {word}{plural}")
}
