//! What is wrong with a definition, where, and what to do about it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::code;
use crate::element::Span;
use crate::text::Text;
use crate::xml::MAX_FINDINGS;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know; never a reason to refuse a file, not even under `--strict`.
    Note,
    /// Legal, but surely not meant.
    Warning,
    /// The file cannot be used.
    Error,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code: `AF104`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub span: Span,
    /// What is wrong.
    pub message: Text,
    /// What to do.
    pub help: Option<Text>,
}

/// Errors and warnings of a file that are kept, of each so many: a hostile megabyte has a hundred thousand, in two
/// languages, and nobody reads them.
const MOST_KEPT: usize = 2 * MAX_FINDINGS;

/// Errors of the XML reader that are kept of those with one message: a script full of `&` must not crowd out the others.
const MOST_ALIKE: usize = 20;

/// Collects findings while a file is read; reading never stops at the first one.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
    /// How often each message of the XML reader came, and how many are left out as one more of those.
    alike: BTreeMap<String, usize>,
    alike_left_out: usize,
    /// What keeps the workflow from running in this version, by name.
    not_runnable: Vec<String>,
}

impl Diagnostics {
    /// Nothing found yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an error.
    pub fn error(
        &mut self,
        code: &'static str,
        span: Span,
        message: Text,
        help: impl Into<Option<Text>>,
    ) {
        if code == code::ILL_FORMED && self.is_one_more(&message.en) {
            self.alike_left_out += 1;
            return;
        }
        self.errors += 1;
        if self.errors <= MOST_KEPT {
            self.found.push(Diagnostic {
                code,
                severity: Severity::Error,
                span,
                message,
                help: help.into(),
            });
        }
    }

    /// Whether enough errors with this message are kept.
    fn is_one_more(&mut self, message: &str) -> bool {
        // None is kept any more, and no message either.
        if self.errors >= MOST_KEPT {
            return false;
        }
        let count = self.alike.entry(message.to_owned()).or_default();
        *count += 1;
        *count > MOST_ALIKE
    }

    /// Adds a warning.
    pub fn warning(
        &mut self,
        code: &'static str,
        span: Span,
        message: Text,
        help: impl Into<Option<Text>>,
    ) {
        self.warnings += 1;
        if self.warnings <= MOST_KEPT {
            self.found.push(Diagnostic {
                code,
                severity: Severity::Warning,
                span,
                message,
                help: help.into(),
            });
        }
    }

    /// Adds a warning, once, that this version cannot run `what`, so that the workflow is kept but does not run.
    pub fn not_runnable(
        &mut self,
        span: Span,
        what: &str,
        message: Text,
        help: impl Into<Option<Text>>,
    ) {
        // Once for each thing: a graph may say the same of every node.
        if !self.not_runnable.iter().any(|known| known == what) {
            self.not_runnable.push(what.to_owned());
            self.warning(crate::code::NOT_RUNNABLE, span, message, help);
        }
    }

    /// What keeps the workflow from running so far, each once.
    pub(crate) fn reasons(&self) -> &[String] {
        &self.not_runnable
    }

    /// Forgets what came to keep the workflow from running after the first `count` reasons.
    pub(crate) fn keep_reasons(&mut self, count: usize) {
        self.not_runnable.truncate(count);
    }

    /// Puts the findings of a code at a place to another, which shows better what is wrong.
    pub(crate) fn narrow(&mut self, code: &str, place: Span, part: Span) {
        let is_meant = |finding: &&mut Diagnostic| finding.code == code && finding.span == place;
        for finding in self.found.iter_mut().filter(is_meant) {
            finding.span = part;
        }
    }

    /// Takes back the errors of a code at a place: another one says better what is wrong.
    pub(crate) fn withdraw(&mut self, code: &str, place: Span) {
        let before = self.found.len();
        self.found.retain(|finding| {
            !(finding.severity == Severity::Error && finding.code == code && finding.span == place)
        });
        self.errors -= before - self.found.len();
    }

    /// Whether any finding has one of the codes.
    pub(crate) fn has_any(&self, codes: &[&str]) -> bool {
        self.found
            .iter()
            .any(|finding| codes.contains(&finding.code))
    }

    /// Whether any finding is an error.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// How many were found and are not kept.
    pub(crate) fn left_out(&self) -> usize {
        self.errors.saturating_sub(MOST_KEPT)
            + self.warnings.saturating_sub(MOST_KEPT)
            + self.alike_left_out
    }

    /// Says in one finding what this version does not run: a graph uses each thing in many places, and none of them is wrong.
    fn fold_not_runnable(&mut self) {
        let is_told = |finding: &Diagnostic| finding.code == code::NOT_RUNNABLE;
        let told = self.found.iter().filter(|finding| is_told(finding)).count();
        // Of a node that is ignored it is no reason, but still said.
        if told < 2 || told != self.not_runnable.len() {
            return;
        }
        let Some(first) = self
            .found
            .iter()
            .filter(|it| is_told(it))
            .map(|it| it.span)
            .min()
        else {
            return;
        };
        self.found.retain(|finding| !is_told(finding));
        let names = &self.not_runnable;
        self.found.push(Diagnostic {
            code: code::NOT_RUNNABLE,
            severity: Severity::Warning,
            span: first,
            message: Text::new(
                format!(
                    "当前版本暂不能执行：{}；工作流会保存但不会运行",
                    names.join("、")
                ),
                format!(
                    "this version does not run {} yet; the workflow is kept but does not run",
                    names.join(", ")
                ),
            ),
            help: Some(Text::new(
                "去掉它们后当前版本可以运行；节点也可以写 is-ignore=\"true\"",
                "without them this version runs it; a node may say is-ignore=\"true\" meanwhile",
            )),
        });
    }

    /// All findings in the order of their place, each with a help where there is any.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.fold_not_runnable();
        for finding in self
            .found
            .iter_mut()
            .filter(|finding| finding.help.is_none())
        {
            finding.help = code::general_help(finding.code).map(|(zh, en)| Text::new(zh, en));
        }
        self.found
            .sort_by_key(|finding| (finding.span.start, finding.span.end));
        self.found
    }
}

/// A [`Diagnostic`] with its place spelled out: what travels over the wire and is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable code.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// The file, as it was named to us.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, in Unicode scalar values.
    pub column: u32,
    /// Characters underlined in that line, at least 1.
    pub width: u32,
    /// The line, without its line break; of a longer one the 400 characters around the place.
    pub excerpt: String,
    /// Characters of the line that the excerpt leaves out at its beginning.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub excerpt_from: u32,
    /// What is wrong.
    pub message: Text,
    /// What to do.
    pub help: Option<Text>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}
