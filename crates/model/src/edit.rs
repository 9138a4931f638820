//! Definitions changed by program: a change replaces just its range of the text, so that comments and layout stay.
//!
//! ```
//! use akkaflow_model::edit::{Change, Place, apply, edit};
//!
//! let source = r#"<work-flow name="w"><!-- mine --><start name="s" to="e"/><end name="e"/></work-flow>"#;
//! let change = Change::RenameNode { name: "e".into(), to: "done".into() };
//! let edited = apply(source, &edit(source, &change)?);
//! assert_eq!(edited, r#"<work-flow name="w"><!-- mine --><start name="s" to="done"/><end name="done"/></work-flow>"#);
//! # Ok::<(), akkaflow_model::edit::EditError>(())
//! ```
//!
//! Nothing is checked here but that the change can be made: whoever stores the result reads it first, as any other file.
//!
//! | module | holds |
//! |---|---|
//! | `layout` | where tags, attributes and lines begin and end |
//! | `escape`, `write` | values, texts and whole elements as XML |
//! | `element` | attributes, texts, elements anywhere |
//! | `graph` | nodes, and the edges between them that follow them |

mod element;
mod error;
mod escape;
mod graph;
mod layout;
mod write;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::element::Element;
use crate::xml;

pub use error::EditError;

/// One change of a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Change {
    /// Gives an attribute this value; adds it where it is absent.
    SetAttribute {
        /// The element.
        at: Place,
        /// The attribute's name.
        name: String,
        /// Its value, unescaped.
        value: String,
    },
    /// Removes an attribute.
    RemoveAttribute {
        /// The element.
        at: Place,
        /// The attribute's name.
        name: String,
    },
    /// Replaces the text of an element that holds no elements. What was CDATA stays CDATA.
    SetText {
        /// The element.
        at: Place,
        /// The text, unescaped.
        text: String,
    },
    /// Adds an element behind the last one of its parent.
    AddElement {
        /// The parent.
        at: Place,
        /// The new element.
        element: Element,
    },
    /// Removes an element that is no node.
    RemoveElement {
        /// The element.
        at: Place,
    },
    /// Adds a node.
    AddNode {
        /// The node, with its name.
        node: Element,
        /// The node behind which it stands; behind everything when absent.
        #[serde(default)]
        after: Option<String>,
    },
    /// Removes a node.
    RemoveNode {
        /// Its name.
        name: String,
        /// Where edges lead that led to it. When absent they are removed, and one that must be there is an error.
        #[serde(default)]
        to: Option<String>,
    },
    /// Renames a node, in every edge too.
    RenameNode {
        /// Its name.
        name: String,
        /// Its new name.
        to: String,
    },
    /// Adds an edge.
    AddEdge {
        /// The node where it begins.
        from: String,
        /// Which of its edges: `to`, `ok`, `error`, `path`, `after`.
        label: String,
        /// The node where it ends.
        to: String,
    },
    /// Leads an edge to another node.
    RedirectEdge {
        /// The node where it begins.
        from: String,
        /// Which of its edges.
        label: String,
        /// The node where it ends now.
        old: String,
        /// The node where it shall end.
        to: String,
    },
    /// Removes an edge.
    RemoveEdge {
        /// The node where it begins.
        from: String,
        /// Which of its edges.
        label: String,
        /// The node where it ends.
        to: String,
    },
}

/// An element: a node or the root, and the way down from there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    /// The node's name; the root when absent.
    #[serde(default)]
    pub node: Option<String>,
    /// Labels on the way down.
    #[serde(default)]
    pub path: Vec<Step>,
}

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The child's label.
    pub tag: String,
    /// Which of the children with this label, from 0.
    #[serde(default)]
    pub index: usize,
}

impl Place {
    /// The root.
    pub fn root() -> Self {
        Self::default()
    }

    /// A node.
    pub fn node(name: impl Into<String>) -> Self {
        Self {
            node: Some(name.into()),
            path: Vec::new(),
        }
    }

    /// The first child with this label.
    #[must_use]
    pub fn child(self, tag: impl Into<String>) -> Self {
        self.nth(tag, 0)
    }

    /// A child with this label, counted from 0.
    #[must_use]
    pub fn nth(mut self, tag: impl Into<String>, index: usize) -> Self {
        self.path.push(Step {
            tag: tag.into(),
            index,
        });
        self
    }
}

/// New text for a range of bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// The bytes that go; empty for an insertion.
    pub range: Range<usize>,
    /// What stands there instead.
    pub text: String,
}

/// What a change replaces in `source`, in order and without overlaps.
///
/// # Errors
/// [`EditError`] when the text is no well-formed XML or the change cannot be made.
pub fn edit(source: &str, change: &Change) -> Result<Vec<Replacement>, EditError> {
    let mut document = xml::read(source.as_bytes());
    if document.diagnostics.has_errors() {
        return Err(EditError::IllFormed);
    }
    // Otherwise places in the text that was read are no places of this one.
    if &*document.source != source {
        return Err(EditError::NotDecoded);
    }
    let root = document.root.take().ok_or(EditError::IllFormed)?;
    let mut replacements = changed(source, &root, change)?;
    replacements.sort_by_key(|replacement| (replacement.range.start, replacement.range.end));
    debug_assert!(
        replacements
            .windows(2)
            .all(|pair| pair[0].range.end <= pair[1].range.start),
        "replacements do not overlap"
    );
    Ok(replacements)
}

/// The text with everything replaced, which [`edit`] gave for it.
pub fn apply(source: &str, replacements: &[Replacement]) -> String {
    let mut text = String::with_capacity(source.len());
    let mut end = 0;
    for replacement in replacements {
        text.push_str(&source[end..replacement.range.start]);
        text.push_str(&replacement.text);
        end = replacement.range.end;
    }
    text.push_str(&source[end..]);
    text
}

/// The text after several changes, each made on the result of the one before.
///
/// # Errors
/// [`EditError`] of the first change that cannot be made.
pub fn edit_all(source: &str, changes: &[Change]) -> Result<String, EditError> {
    let mut text = source.to_owned();
    for change in changes {
        text = apply(&text, &edit(&text, change)?);
    }
    Ok(text)
}

fn changed(source: &str, root: &Element, change: &Change) -> Result<Vec<Replacement>, EditError> {
    match change {
        Change::SetAttribute { at, name, value } => {
            let element = graph::find(root, at)?;
            if name == "name" && graph::is_node_of(root, element) {
                return Err(EditError::IsNodeName);
            }
            element::set_attribute(source, element, name, value)
        }
        Change::RemoveAttribute { at, name } => {
            let element = graph::find(root, at)?;
            if name == "name" && graph::is_node_of(root, element) {
                return Err(EditError::IsNodeName);
            }
            element::remove_attribute(source, element, name).map(|removed| vec![removed])
        }
        Change::SetText { at, text } => element::set_text(source, graph::find(root, at)?, text),
        Change::AddElement { at, element } => {
            let parent = graph::find(root, at)?;
            element::add(source, parent, parent.elements().last(), element).map(|added| vec![added])
        }
        Change::RemoveElement { at } => {
            let element = graph::find(root, at)?;
            if std::ptr::eq(element, root) || graph::is_node_of(root, element) {
                return Err(EditError::NotRemovable {
                    tag: element.name.to_string(),
                });
            }
            Ok(vec![element::remove(source, element)])
        }
        Change::AddNode { node, after } => graph::add_node(source, root, node, after.as_deref()),
        Change::RemoveNode { name, to } => graph::remove_node(source, root, name, to.as_deref()),
        Change::RenameNode { name, to } => graph::rename_node(source, root, name, to),
        Change::AddEdge { from, label, to } => graph::add_edge(source, root, from, label, to),
        Change::RedirectEdge {
            from,
            label,
            old,
            to,
        } => graph::redirect_edge(source, root, from, label, old, to),
        Change::RemoveEdge { from, label, to } => graph::remove_edge(source, root, from, label, to),
    }
}

#[cfg(test)]
mod tests;
