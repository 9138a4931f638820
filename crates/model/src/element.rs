//! The XML tree that keeps where everything stood.

use std::ops::Range;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// Bytes `start..end` of the decoded (UTF-8) text of a definition.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes as a range.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// An attribute, unescaped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Its name. Most names and values are short, and a file has hundreds: these lie where they are used.
    pub name: CompactString,
    /// Its value, entities resolved.
    pub value: CompactString,
    /// Where the name stands.
    #[serde(skip)]
    pub name_span: Span,
    /// Where the value stands, without the quotes.
    #[serde(skip)]
    pub value_span: Span,
}

/// What stands inside an element, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Child {
    /// A nested element.
    Element(Element),
    /// Text or CDATA, unescaped; neighbouring runs are one child.
    Text {
        /// The characters.
        text: CompactString,
        /// Where they stand.
        #[serde(skip)]
        span: Span,
    },
}

/// An element with everything inside it. Comments and processing instructions are gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Element {
    /// Its label.
    pub name: CompactString,
    /// Its attributes, in order.
    pub attributes: Vec<Attribute>,
    /// What is inside, in order.
    pub children: Vec<Child>,
    /// From `<` to the end of the closing tag.
    #[serde(skip)]
    pub span: Span,
    /// The label in the opening tag.
    #[serde(skip)]
    pub name_span: Span,
}

impl Element {
    /// An empty element that stands nowhere, for programs that build one.
    pub fn new(name: impl Into<CompactString>) -> Self {
        Self {
            name: name.into(),
            attributes: Vec::new(),
            children: Vec::new(),
            span: Span::default(),
            name_span: Span::default(),
        }
    }

    /// The attribute called `name`.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
    }

    /// The nested elements, in order.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|child| match child {
            Child::Element(element) => Some(element),
            Child::Text { .. } => None,
        })
    }

    /// The nested elements with this label, in order.
    pub fn elements_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements().filter(move |element| element.name == name)
    }

    /// All text directly inside, joined; nested elements are passed over.
    pub fn text(&self) -> String {
        self.children
            .iter()
            .filter_map(|child| match child {
                Child::Text { text, .. } => Some(text.as_str()),
                Child::Element(_) => None,
            })
            .collect()
    }
}
