//! Colours, where they are wanted.

use crate::diagnostic::Severity;

const RESET: &str = "\u{1b}[0m";
const BOLD: &str = "\u{1b}[1m";
const BOLD_RED: &str = "\u{1b}[1;31m";
const BOLD_YELLOW: &str = "\u{1b}[1;33m";
const BOLD_BLUE: &str = "\u{1b}[1;34m";

/// Paints, or does not.
#[derive(Clone, Copy)]
pub(super) struct Paint {
    pub(super) color: bool,
}

impl Paint {
    pub(super) fn severity(self, severity: Severity, text: &str) -> String {
        match severity {
            Severity::Error => self.with(BOLD_RED, text),
            Severity::Warning => self.with(BOLD_YELLOW, text),
            Severity::Note => self.with(BOLD_BLUE, text),
        }
    }

    pub(super) fn strong(self, text: &str) -> String {
        self.with(BOLD, text)
    }

    pub(super) fn frame(self, text: &str) -> String {
        self.with(BOLD_BLUE, text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.color {
            format!("{code}{text}{RESET}")
        } else {
            text.to_owned()
        }
    }
}
