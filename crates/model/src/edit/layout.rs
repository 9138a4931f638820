//! Where tags and lines begin and end in the text.

use std::ops::Range;

use crate::element::{Attribute, Element};

/// One level of indentation where a file shows none.
const UNIT: &str = "  ";

/// The opening tag of an element.
pub(super) struct StartTag {
    /// One past `>`.
    pub(super) end: usize,
    /// Whether it is `<tag/>`.
    pub(super) is_empty: bool,
    /// One past the last attribute, or past the label.
    pub(super) last_end: usize,
}

impl StartTag {
    pub(super) fn of(source: &str, element: &Element) -> Self {
        let last_end = element
            .attributes
            .last()
            .map_or(element.name_span.end, attribute_end);
        let bracket = source[last_end..]
            .find('>')
            .expect("a tag of a well-formed file ends");
        let end = last_end + bracket + 1;
        Self {
            end,
            is_empty: source[..end - 1].ends_with('/'),
            last_end,
        }
    }
}

/// One past the closing quote.
pub(super) fn attribute_end(attribute: &Attribute) -> usize {
    attribute.value_span.end + 1
}

/// The quote around an attribute's value.
pub(super) fn quote_of(source: &str, attribute: &Attribute) -> char {
    if source[..attribute.value_span.start].ends_with('\'') {
        '\''
    } else {
        '"'
    }
}

/// What stands between the tags; empty for `<tag/>`.
pub(super) fn content(source: &str, element: &Element) -> Range<usize> {
    let tag = StartTag::of(source, element);
    if tag.is_empty {
        return tag.end..tag.end;
    }
    let length = source[tag.end..element.span.end]
        .rfind("</")
        .expect("an element of a well-formed file is closed");
    tag.end..tag.end + length
}

/// The line break of the file.
pub(super) fn line_break(source: &str) -> &'static str {
    if source.contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    }
}

fn line_start(source: &str, at: usize) -> usize {
    source[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// The blanks with which the line of `at` begins.
pub(super) fn indentation(source: &str, at: usize) -> &str {
    let line = &source[line_start(source, at)..];
    let width = line.len() - line.trim_start_matches([' ', '\t']).len();
    &line[..width]
}

/// Whether only blanks stand before `at` in its line.
pub(super) fn begins_line(source: &str, at: usize) -> bool {
    is_blank(&source[line_start(source, at)..at])
}

/// How children of `parent` are indented.
pub(super) fn child_indentation(source: &str, parent: &Element) -> String {
    let of_children = parent
        .elements()
        .find(|child| begins_line(source, child.span.start))
        .map(|child| indentation(source, child.span.start).to_owned());
    of_children.unwrap_or_else(|| {
        let own = indentation(source, parent.span.start);
        let unit = if own.ends_with('\t') { "\t" } else { UNIT };
        format!("{own}{unit}")
    })
}

/// An element with the blanks and the line break that are there for it alone.
pub(super) fn with_line(source: &str, element: &Element) -> Range<usize> {
    let span = element.span.range();
    let rest = &source[span.end..];
    let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
    let start = line_start(source, span.start);
    if start == 0 || !begins_line(source, span.start) || !is_blank(line) {
        return span;
    }
    let end = span.end + line.trim_end_matches('\r').len();
    let before = source[..start].trim_end_matches('\n').len().max(start - 1);
    let before = if source[..before].ends_with('\r') {
        before - 1
    } else {
        before
    };
    before..end
}

fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}
