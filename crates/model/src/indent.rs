//! Mends the indentation of definitions, and nothing else.
//!
//! A line is moved only where it begins with a tag or a comment between elements. Scripts, statements, CDATA, the inside of
//! comments and of values stay byte for byte, as does whatever no declaration knows. What stands in an element is two blanks
//! deeper than the line on which the element begins, so that compact lines stay compact.
//!
//! **Invariants:** the definition stays the same, and what was mended once is mended no further.

mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::db_links;
use crate::diagnostic::Diagnostic;
use crate::file_links;
use crate::read::workflow_shape;
use crate::shape::Shape;
use crate::xml;

/// A mended file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    /// Its bytes, in the encoding that it had.
    pub bytes: Vec<u8>,
    /// The lines that differ, in order.
    pub lines: Vec<MendedLine>,
}

/// A line that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MendedLine {
    /// From 1.
    pub line: usize,
    /// What stood there.
    pub old: String,
    /// What stands there now.
    pub new: String,
}

/// Why a file is not mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It is no well-formed XML.
    IllFormed {
        /// The decoded text.
        source: Arc<str>,
        /// What is wrong.
        diagnostics: Vec<Diagnostic>,
    },
    /// Its root is none of ours.
    OtherRoot {
        /// The root's label.
        label: String,
    },
}

/// Mends a workflow or a link file; `bodies` are the action types.
///
/// # Errors
/// [`Refused`] for a file that is broken or none of ours.
pub fn mend(bytes: &[u8], bodies: &[Shape]) -> Result<Mended, Refused> {
    let mut document = xml::read(bytes);
    let root = document.root.take();
    let is_broken = document.diagnostics.has_errors();
    let Some(root) = root.filter(|_| !is_broken) else {
        let diagnostics = document.findings();
        let source = document.source;
        return Err(Refused::IllFormed {
            source,
            diagnostics,
        });
    };
    let shape = shape_of(&root.name, bodies).ok_or_else(|| Refused::OtherRoot {
        label: root.name.to_string(),
    })?;
    let indentations = walk::indentations(&document.source, &root, &shape);
    Ok(rewrite(bytes, &document.source, &indentations))
}

fn shape_of(label: &str, bodies: &[Shape]) -> Option<Shape> {
    match label {
        "work-flow" | "workflow" => Some(whole(bodies)),
        "db-links" => Some(db_links::shape()),
        "file-links" => Some(file_links::shape()),
        _ => None,
    }
}

/// The shape of workflows with the bodies of their actions.
fn whole(bodies: &[Shape]) -> Shape {
    let mut workflow = workflow_shape().clone();
    for child in &mut workflow.children {
        if child.shape.tag == "action" {
            let action = std::mem::replace(&mut child.shape, bodies_placeholder());
            child.shape = bodies.iter().fold(action, |action, body| {
                action.child(body.clone(), 0, Some(1))
            });
            child.shape.is_open = false;
        }
    }
    workflow
}

fn bodies_placeholder() -> Shape {
    Shape::new("action", crate::text::Text::verbatim(""))
}

/// Puts the indentations into the bytes. Line breaks and blanks are the same bytes in every encoding that is read, and
/// decoding changes none of them, so lines are lines in both.
fn rewrite(bytes: &[u8], source: &str, indentations: &BTreeMap<usize, usize>) -> Mended {
    let mut mended = Vec::with_capacity(bytes.len());
    let mut lines = Vec::new();
    let decoded = source.split('\n');
    for (number, (line, text)) in bytes.split(|byte| *byte == b'\n').zip(decoded).enumerate() {
        if number > 0 {
            mended.push(b'\n');
        }
        let mark: &[u8] = if number == 0 && line.starts_with(b"\xEF\xBB\xBF") {
            &line[..3]
        } else {
            &[]
        };
        let line = &line[mark.len()..];
        mended.extend_from_slice(mark);
        let blanks = line
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        let old = &line[..blanks];
        let new = match indentations.get(&number) {
            Some(width) => " ".repeat(*width).into_bytes(),
            None => old.to_vec(),
        };
        if new != old {
            let text = text.trim_end_matches('\r');
            lines.push(MendedLine {
                line: number + 1,
                old: text.to_owned(),
                new: format!(
                    "{}{}",
                    " ".repeat(new.len()),
                    text.trim_start_matches([' ', '\t'])
                ),
            });
        }
        mended.extend_from_slice(&new);
        mended.extend_from_slice(&line[blanks..]);
    }
    Mended {
        bytes: mended,
        lines,
    }
}

#[cfg(test)]
mod tests;
