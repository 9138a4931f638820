//! What went wrong.

use akkaflow_api::{Diagnostic, Problem};
use akkaflow_model::error::ErrorCode;

use crate::context::Context;

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: ErrorCode,
    /// Whether what was typed is wrong, rather than what it asked for.
    is_usage: bool,
    message: String,
    /// What the server said, when it said something.
    problem: Option<Box<Problem>>,
}

impl Failure {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            is_usage: false,
            message: message.into(),
            problem: None,
        }
    }

    /// What was typed is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            is_usage: true,
            ..Self::new(ErrorCode::Invalid, message)
        }
    }

    /// The exit code of the command.
    pub(crate) fn exit_code(&self) -> u8 {
        if self.is_usage {
            crate::exit::USAGE
        } else {
            crate::exit_code(self.code)
        }
    }

    pub(crate) fn of_problem(problem: Problem) -> Self {
        Self {
            code: problem.code,
            is_usage: false,
            message: problem.detail.clone(),
            problem: Some(Box::new(problem)),
        }
    }

    /// What went wrong, in words.
    pub(crate) fn message(&self) -> &str {
        &self.message
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
    context.screen.findings(&findings)
}
