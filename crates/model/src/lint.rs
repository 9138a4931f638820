//! What is legal but bites people: found in one file, beside the errors of its reader.
//!
//! | module | looks at |
//! |---|---|
//! | `settings` | settings without effect: mail levels, intervals |
//! | `params` | parameters that nothing uses, that stand twice |
//! | `schedule` | times that lie outside the schedule's own window |
//! | `joins` | joins whose branches can never all arrive |
//! | `secrets` | passwords and keys in clear |
//! | `quoting` | parameters that stand unquoted in shell or SQL |
//!
//! What lies between files is the matter of [`crate::check`].

mod joins;
mod params;
mod quoting;
mod schedule;
mod scripts;
mod secrets;
mod settings;
mod shell;
mod sql;

use std::ops::Range;

use crate::definition::Workflow;
use crate::diagnostic::Diagnostics;
use crate::element::{Child, Element, Span};
use crate::read::place::inside;
use crate::text::Text;
use crate::xml::MAX_FINDINGS;

/// Whether a parameter or attribute of this name holds a secret, as far as its name says.
pub fn is_secret_name(name: &str) -> bool {
    secrets::is_secret_word(name)
}

/// Looks for secrets alone, in what could be read of a file.
pub(crate) fn lint_secrets(source: &str, root: &Element, diagnostics: &mut Diagnostics) {
    let mut lint = Lint {
        source,
        root,
        diagnostics,
        left: MAX_FINDINGS,
    };
    lint.secrets();
}

/// Looks for everything that this module knows. `workflow` is there when the file has no error.
pub(crate) fn lint(
    source: &str,
    root: &Element,
    workflow: Option<&Workflow>,
    diagnostics: &mut Diagnostics,
) {
    let mut lint = Lint {
        source,
        root,
        diagnostics,
        left: MAX_FINDINGS,
    };
    lint.settings();
    lint.params();
    lint.secrets();
    lint.quoting();
    if let Some(workflow) = workflow {
        lint.schedule(workflow);
        lint.joins(workflow);
    }
}

/// One pass over one file.
struct Lint<'a> {
    source: &'a str,
    root: &'a Element,
    diagnostics: &'a mut Diagnostics,
    /// How many more findings are worth their memory.
    left: usize,
}

/// A value of the file and where it stands.
#[derive(Debug, Clone, Copy)]
struct Value<'a> {
    text: &'a str,
    span: Span,
}

impl Lint<'_> {
    fn warning(&mut self, code: &'static str, span: Span, message: Text, help: Text) {
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            self.diagnostics.warning(code, span, message, help);
        }
    }

    /// The line, from 1, in which a place stands.
    fn line(&self, span: Span) -> usize {
        crate::render::line_of(self.source, span.start)
    }

    fn place(&self, value: Value<'_>, range: Range<usize>) -> Span {
        inside(self.source, value.span, value.text, range)
    }
}

/// Every element in an element, itself included, in the order of the file.
fn visit<'a>(element: &'a Element, look: &mut impl FnMut(&'a Element)) {
    look(element);
    for inner in element.elements() {
        visit(inner, look);
    }
}

/// The texts directly inside an element.
fn texts(element: &Element) -> impl Iterator<Item = Value<'_>> {
    element.children.iter().filter_map(|child| match child {
        Child::Text { text, span } => Some(Value { text, span: *span }),
        Child::Element(_) => None,
    })
}

/// The values of all attributes.
fn attributes(element: &Element) -> impl Iterator<Item = (&str, Value<'_>)> {
    element.attributes.iter().map(|attribute| {
        let value = Value {
            text: &attribute.value,
            span: attribute.value_span,
        };
        (attribute.name.as_str(), value)
    })
}

#[cfg(test)]
mod tests;
