//! Changes of one element.

use std::ops::Range;

use crate::diagnostic::Diagnostics;
use crate::edit::layout::{self, StartTag};
use crate::edit::{EditError, Replacement, escape, write};
use crate::element::Element;
use crate::entity;

const CDATA: &str = "<![CDATA[";
const CDATA_END: &str = "]]>";

pub(super) fn set_attribute(
    source: &str,
    element: &Element,
    name: &str,
    value: &str,
) -> Result<Vec<Replacement>, EditError> {
    write::check_label(name)?;
    escape::check(value)?;
    let Some(attribute) = element.attribute(name) else {
        return Ok(vec![insert_attribute(source, element, name, value)]);
    };
    if attribute.value == value {
        return Ok(Vec::new());
    }
    Ok(vec![Replacement {
        range: attribute.value_span.range(),
        text: escape::attribute(value, layout::quote_of(source, attribute)),
    }])
}

/// Behind the last attribute, on a line of its own where that one has one.
fn insert_attribute(source: &str, element: &Element, name: &str, value: &str) -> Replacement {
    let at = StartTag::of(source, element).last_end;
    let own_line = element
        .attributes
        .last()
        .map(|last| last.name_span.start)
        .filter(|start| layout::begins_line(source, *start));
    let gap = match own_line {
        Some(start) => format!(
            "{}{}",
            layout::line_break(source),
            layout::indentation(source, start)
        ),
        None => " ".to_owned(),
    };
    Replacement {
        range: at..at,
        text: format!("{gap}{name}=\"{}\"", escape::attribute(value, '"')),
    }
}

pub(super) fn remove_attribute(
    source: &str,
    element: &Element,
    name: &str,
) -> Result<Replacement, EditError> {
    let attribute = element
        .attribute(name)
        .ok_or_else(|| EditError::UnknownAttribute {
            tag: element.name.to_string(),
            name: name.to_owned(),
        })?;
    let start = source[..attribute.name_span.start].trim_end().len();
    Ok(Replacement {
        range: start..layout::attribute_end(attribute),
        text: String::new(),
    })
}

/// A run of an element's content.
struct Piece {
    range: Range<usize>,
    kind: Kind,
}

enum Kind {
    /// Characters and references, with what they stand for.
    Text(String),
    /// A section, with what is inside.
    CData(String),
    /// A comment or a processing instruction.
    Other,
}

impl Piece {
    fn words(&self) -> &str {
        match &self.kind {
            Kind::Text(words) | Kind::CData(words) => words,
            Kind::Other => "",
        }
    }
}

fn pieces(source: &str, content: Range<usize>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = content.start;
    while at < content.end {
        let rest = &source[at..content.end];
        let until = |end: &str| rest.find(end).map_or(rest.len(), |found| found + end.len());
        let (length, kind) = if let Some(inside) = rest.strip_prefix(CDATA) {
            let words = inside.split(CDATA_END).next().unwrap_or_default();
            (until(CDATA_END), Kind::CData(words.to_owned()))
        } else if let Some(inside) = rest.strip_prefix("<!--") {
            // Looked for in the whole, the end of `<!-->` would be found inside its beginning.
            let length = inside.find("-->").map_or(rest.len(), |found| found + 7);
            (length, Kind::Other)
        } else if rest.starts_with('<') {
            (until("?>"), Kind::Other)
        } else {
            let length = rest.find('<').unwrap_or(rest.len());
            let words = entity::unescape(&rest[..length], 0, &mut Diagnostics::new());
            (length, Kind::Text(words.into()))
        };
        pieces.push(Piece {
            range: at..at + length,
            kind,
        });
        at += length;
    }
    pieces
}

/// Puts the text where text stands: into the first section, else into the first run that is more than blanks. What stands around
/// it stays where the new text begins and ends with it too; comments stay anyway.
pub(super) fn set_text(
    source: &str,
    element: &Element,
    text: &str,
) -> Result<Vec<Replacement>, EditError> {
    escape::check(text)?;
    if element.elements().next().is_some() {
        return Err(EditError::HasElements {
            tag: element.name.to_string(),
        });
    }
    if element.text() == text {
        return Ok(Vec::new());
    }
    let tag = StartTag::of(source, element);
    if tag.is_empty {
        let start = source[..tag.end - 2].trim_end().len();
        let closed = format!(">{}</{}>", escape::fresh(text), element.name);
        return Ok(vec![Replacement {
            range: start..tag.end,
            text: closed,
        }]);
    }
    let content = layout::content(source, element);
    let pieces = pieces(source, content.clone());
    let Some(home) = home(&pieces) else {
        return Ok(vec![Replacement {
            range: content.start..content.start,
            text: escape::fresh(text),
        }]);
    };
    let joined = |pieces: &[Piece]| pieces.iter().map(Piece::words).collect::<String>();
    let (before, after) = (joined(&pieces[..home]), joined(&pieces[home + 1..]));
    let inner = text
        .strip_prefix(before.as_str())
        .and_then(|rest| rest.strip_suffix(after.as_str()));
    let mut replacements = Vec::new();
    if inner.is_none() {
        let others = pieces
            .iter()
            .enumerate()
            .filter(|(number, piece)| *number != home && !matches!(piece.kind, Kind::Other));
        replacements.extend(others.map(|(_, piece)| Replacement {
            range: piece.range.clone(),
            text: String::new(),
        }));
    }
    let inner = inner.unwrap_or(text);
    let range = pieces[home].range.clone();
    replacements.push(match pieces[home].kind {
        Kind::CData(_) => Replacement {
            range: range.start + CDATA.len()..range.end - CDATA_END.len(),
            text: escape::inside_cdata(inner),
        },
        _ => Replacement {
            range,
            text: escape::text(inner),
        },
    });
    Ok(replacements)
}

fn home(pieces: &[Piece]) -> Option<usize> {
    let find = |is_home: &dyn Fn(&Piece) -> bool| pieces.iter().position(is_home);
    find(&|piece| matches!(&piece.kind, Kind::CData(_)))
        .or_else(|| find(&|piece| !piece.words().trim().is_empty()))
        .or_else(|| find(&|piece| matches!(piece.kind, Kind::Text(_))))
}

/// Adds `element` to `parent` behind `after`, or before everything else.
pub(super) fn add(
    source: &str,
    parent: &Element,
    after: Option<&Element>,
    element: &Element,
) -> Result<Replacement, EditError> {
    let line_break = layout::line_break(source);
    let indent = layout::child_indentation(source, parent);
    let written = write::element(element, &indent, line_break)?;
    let own = layout::indentation(source, parent.span.start);
    let tag = StartTag::of(source, parent);
    if tag.is_empty {
        let start = source[..tag.end - 2].trim_end().len();
        let name = &parent.name;
        return Ok(Replacement {
            range: start..tag.end,
            text: format!(">{line_break}{indent}{written}{line_break}{own}</{name}>"),
        });
    }
    if let Some(after) = after {
        let at = after.span.end;
        let has_own_line = layout::begins_line(source, after.span.start);
        let text = if has_own_line {
            format!("{line_break}{indent}{written}")
        } else {
            written
        };
        return Ok(Replacement {
            range: at..at,
            text,
        });
    }
    let content = layout::content(source, parent);
    let inside = &source[content.clone()];
    if inside.trim().is_empty() && !inside.contains('\n') {
        return Ok(Replacement {
            range: content,
            text: format!("{line_break}{indent}{written}{line_break}{own}"),
        });
    }
    Ok(Replacement {
        range: tag.end..tag.end,
        text: format!("{line_break}{indent}{written}"),
    })
}

pub(super) fn remove(source: &str, element: &Element) -> Replacement {
    Replacement {
        range: layout::with_line(source, element),
        text: String::new(),
    }
}
