//! Where scripts and statements stand in the bodies of actions.

use super::{Value, texts};
use crate::element::{Child, Element};

/// What a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Shell,
    Sql,
    /// Another interpreter's: nothing is known of its quotes.
    Other,
}

/// A text that somebody will execute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Script<'a> {
    pub(super) value: Value<'a>,
    pub(super) language: Language,
}

/// Every text of a workflow that is executed, in the order of the file.
pub(super) fn scripts(root: &Element) -> Vec<Script<'_>> {
    let mut found = Vec::new();
    for action in root.elements_named("action") {
        let bodies = action
            .elements()
            .filter(|child| !matches!(child.name.as_str(), "ok" | "error"));
        bodies.for_each(|body| take_in(body, body.name.as_str(), &mut found));
    }
    found
}

fn take_in<'a>(element: &'a Element, parent: &str, found: &mut Vec<Script<'a>>) {
    let kind = || {
        element
            .attribute("type")
            .map(|kind| kind.value.trim().to_ascii_uppercase())
    };
    let language = match element.name.as_str() {
        "sql" => Some(Language::Sql),
        "code" => Some(language_of(&element.text())),
        "command" | "param-line" => Some(Language::Shell),
        "source" | "min" | "max" => match kind().as_deref() {
            Some("DB") if parent == "transfer" => Some(Language::Sql),
            Some("SQL") => Some(Language::Sql),
            Some("COMMAND") => Some(Language::Shell),
            _ => None,
        },
        _ => None,
    };
    if let Some(language) = language {
        found.extend(texts(element).map(|value| Script { value, language }));
    }
    if element.name == "target" {
        let language = match kind().as_deref() {
            Some("DB") => Language::Sql,
            _ => Language::Shell,
        };
        for hook in element.elements() {
            if matches!(hook.name.as_str(), "pre" | "after") {
                found.extend(texts(hook).map(|value| Script { value, language }));
            }
        }
    }
    for child in &element.children {
        if let Child::Element(inner) = child {
            take_in(inner, &element.name, found);
        }
    }
}

/// What the first line of a script asks for; bash without one.
fn language_of(code: &str) -> Language {
    let first = code.trim_start().lines().next().unwrap_or_default();
    let Some(interpreter) = first.strip_prefix("#!") else {
        return Language::Shell;
    };
    let program = interpreter
        .split_whitespace()
        .map(|word| word.rsplit('/').next().unwrap_or(word))
        .find(|word| !matches!(*word, "env" | "") && !word.starts_with('-'));
    match program {
        Some("sh" | "bash" | "dash" | "ksh" | "zsh" | "ash") => Language::Shell,
        _ => Language::Other,
    }
}
