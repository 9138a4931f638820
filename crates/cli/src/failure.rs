//! What went wrong.

use akkaflow_api::{Diagnostic, Problem};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::render::render_findings;

use crate::context::Context;

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: ErrorCode,
    message: String,
    /// What the server said, when it said something.
    problem: Option<Box<Problem>>,
}

impl Failure {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            problem: None,
        }
    }

    pub(crate) fn of_problem(problem: Problem) -> Self {
        Self {
            code: problem.code,
            message: problem.detail.clone(),
            problem: Some(Box::new(problem)),
        }
    }

    /// For standard error: the problem as JSON for programs, a sentence and the findings for people.
    pub(crate) fn render(&self, context: &Context) -> String {
        if let Some(problem) = self.problem.as_ref().filter(|_| context.is_json) {
            let json = serde_json::to_string(problem).expect("a problem is plain data");
            return format!("{json}\n");
        }
        let head = context.say("错误：", "error: ");
        let mut text = format!("{head}{}\n", self.message);
        if let Some(problem) = &self.problem {
            text.push_str(&findings(context, problem.diagnostics.clone()));
        }
        text
    }
}

/// Findings as the check prints them.
pub(crate) fn findings(context: &Context, diagnostics: Vec<Diagnostic>) -> String {
    let findings: Vec<_> = diagnostics
        .into_iter()
        .map(Diagnostic::into_finding)
        .collect();
    render_findings(&findings, context.screen.lang, context.screen.is_colored)
}
