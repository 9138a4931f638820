//! What went wrong, as RFC 9457 says it.

use akkaflow_model::error::ErrorCode;
use akkaflow_model::text::Text;
use serde::{Deserialize, Serialize};

use crate::definition::Diagnostic;

/// The body of every answer that is no success: `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `about:blank`: the status says it all; `code` is for programs.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short, the same for each `code`.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened here and what to do, in the language of the request.
    pub detail: String,
    /// What kind of failure.
    pub code: ErrorCode,
    /// `detail` in both languages.
    pub text: Text,
    /// What is wrong with the definition, where that is the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Diagnostic>,
    /// The full ids that an ambiguous part of one may mean.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
}
