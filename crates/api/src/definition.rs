//! Putting and checking definitions.

use akkaflow_model::diagnostic::{Finding, Severity};
use akkaflow_model::text::{Lang, Text};
use serde::{Deserialize, Serialize};

use crate::time::Time;

/// One thing that is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Stable code: `AF104`.
    pub code: String,
    /// `error` or `warning`.
    pub severity: Severity,
    /// The file, as it was named by the caller.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, in Unicode scalar values.
    pub column: u32,
    /// Characters concerned, at least 1.
    pub width: u32,
    /// The line; of a long one the part around the place.
    pub excerpt: String,
    /// Characters of the line that the excerpt leaves out at its beginning.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub excerpt_from: u32,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A finding in one language.
    pub fn new(finding: &Finding, lang: Lang) -> Self {
        Self {
            code: finding.code.clone(),
            severity: finding.severity,
            file: finding.file.clone(),
            line: finding.line,
            column: finding.column,
            width: finding.width,
            excerpt: finding.excerpt.clone(),
            excerpt_from: finding.excerpt_from,
            message: finding.message.get(lang).to_owned(),
            help: finding.help.as_ref().map(|help| help.get(lang).to_owned()),
        }
    }

    /// Back to a finding that knows one language only.
    pub fn into_finding(self) -> Finding {
        Finding {
            code: self.code,
            severity: self.severity,
            file: self.file,
            line: self.line,
            column: self.column,
            width: self.width,
            excerpt: self.excerpt,
            excerpt_from: self.excerpt_from,
            message: Text::verbatim(self.message),
            help: self.help.map(Text::verbatim),
        }
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A workflow is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Put {
    /// Its name.
    pub name: String,
    /// Names its content.
    pub version: String,
    /// Whether it was unknown before.
    pub created: bool,
    /// Warnings.
    #[serde(default)]
    pub diagnostics: Vec<Diagnostic>,
}

/// A definition that could be put.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Its name.
    pub name: String,
    /// Names its content.
    pub version: String,
    /// Whether a workflow of that name is in force.
    pub exists: bool,
    /// The file that defines that one: a definition that comes otherwise is refused.
    #[serde(default)]
    pub file: Option<String>,
    /// Upstream workflows that do not exist.
    #[serde(default)]
    pub missing_upstreams: Vec<String>,
    /// The workflows of a circle of dependencies that it would close; empty when there is none.
    #[serde(default)]
    pub cycle: Vec<String>,
    /// Warnings, those too that come of the workflows in force.
    #[serde(default)]
    pub diagnostics: Vec<Diagnostic>,
}

/// A file under the watched directory that cannot be used; the last good version stays in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileProblem {
    /// The file.
    pub path: String,
    /// The workflow in force that the file defined before; else the one that it names, where that could be read.
    pub workflow: Option<String>,
    /// Whether that workflow is in force with the last good version of the file.
    #[serde(default)]
    pub runs_on: bool,
    /// When it was found.
    pub found_at: Time,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}
