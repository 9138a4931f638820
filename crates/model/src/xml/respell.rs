//! Tags that are wrong in one sign, where it is plain which tag was meant: `<<ok to="end"/>`, `<\shell>`, `＜ok to="end"/＞`.

use std::ops::Range;

use super::attribute::{Attributes, EndKind, How, Piece};
use super::tag::{Ends, blanks, name_length};
use super::{Parser, Stop};
use crate::element::Span;
use crate::quote::shortened;
use crate::text::Text;

/// Longer tags are not guessed at.
const MOST_BYTES: usize = 1_000;

/// Wide brackets of a text that are looked at: a longer look at each may go far.
const MOST_LOOKS: usize = 200;

/// What Chinese input gives for `<`.
pub(super) const WIDE_BRACKETS: [char; 5] = ['＜', '‹', '〈', '《', '«'];
const WIDE_ENDS: [char; 5] = ['＞', '›', '〉', '》', '»'];
const SLASHES: [char; 3] = ['/', '\\', '／'];

/// A tag as it was meant; places count from its beginning.
#[derive(Debug, PartialEq, Eq)]
struct Meant {
    ends: Ends,
    name: Range<usize>,
    /// Where its attributes stand.
    attributes: Range<usize>,
    has_attribute: bool,
    length: usize,
    /// What is wrong; `None` where it is an attribute, of which is told with the others.
    wrong: Option<Range<usize>>,
}

fn meant(text: &str) -> Option<Meant> {
    let is_bracket = |c: char| c == '<' || WIDE_BRACKETS.contains(&c);
    let marked = text.trim_start_matches(is_bracket);
    let unslashed = marked.trim_start_matches(SLASHES);
    // `<1ok`: no name begins with a digit.
    let named = unslashed.trim_start_matches(char::is_numeric);
    let start = text.len() - named.len();
    let name = start..start + name_length(named);
    if name.is_empty() {
        return None;
    }
    let head = &text[..start];
    if unslashed.len() < marked.len() {
        return closing(text, name, head != "</");
    }
    opening(text, name, head != "<")
}

fn closing(text: &str, name: Range<usize>, is_wrong: bool) -> Option<Meant> {
    let end = name.end + blanks(&text[name.end..]);
    let mark = text[end..].chars().next()?;
    let is_wide = WIDE_ENDS.contains(&mark);
    if !is_wide && (mark != '>' || !is_wrong) {
        return None;
    }
    let length = end + mark.len_utf8();
    Some(Meant {
        ends: Ends::Another,
        attributes: end..end,
        has_attribute: false,
        length,
        wrong: Some(0..length),
        name,
    })
}

fn opening(text: &str, name: Range<usize>, is_wrong: bool) -> Option<Meant> {
    let (from, slash) = behind_slash(text, name.end);
    let mut wrong = is_wrong.then_some(0..name.end).or(slash);
    let mut ends = if from > name.end {
        Ends::Itself
    } else {
        Ends::Nothing
    };
    let mut has_attribute = false;
    let mut is_nameless = false;
    let mut pieces = Attributes::new(text, from);
    let (at, length) = loop {
        match pieces.next() {
            Piece::Attribute(found) if matches!(found.how, How::Quoted | How::Wide) => {
                has_attribute = true;
            }
            Piece::Attribute(_) => return None,
            Piece::Surplus(place) => {
                let found = &text[place.clone()];
                let unslashed = found.trim_start_matches(SLASHES);
                let is_slash = unslashed.len() < found.len();
                let is_end = unslashed.starts_with(WIDE_ENDS) && unslashed.chars().count() == 1;
                let is_before_end =
                    is_slash && unslashed.is_empty() && text[place.end..].starts_with('>');
                if is_end || is_before_end {
                    if is_slash {
                        ends = Ends::Itself;
                    }
                    let length = place.end + usize::from(is_before_end);
                    wrong = wrong.or(Some(place.start..length));
                    break (place.start, length);
                }
                is_nameless |= found.starts_with(['"', '\'']);
                if !is_nameless || has_attribute {
                    return None;
                }
            }
            Piece::End(end) => {
                if matches!(end.kind, EndKind::Cut | EndKind::OfValue) {
                    return None;
                }
                if end.is_empty() {
                    ends = Ends::Itself;
                }
                break (end.at, end.end());
            }
        }
    };
    (wrong.is_some() || is_nameless && has_attribute).then_some(Meant {
        ends,
        name,
        attributes: from..at,
        has_attribute,
        length,
        wrong,
    })
}

/// Where the attributes begin, and the slash that stands before them in `<ok/ to="end">`.
fn behind_slash(text: &str, at: usize) -> (usize, Option<Range<usize>>) {
    let start = at + blanks(&text[at..]);
    let rest = &text[start..];
    let behind = rest.trim_start_matches(SLASHES);
    let end = text.len() - behind.len();
    let is_end = behind
        .trim_start()
        .starts_with(|c| c == '>' || WIDE_ENDS.contains(&c));
    if end == start || is_end {
        return (at, None);
    }
    (end, Some(start..end))
}

impl Parser<'_> {
    /// Takes a tag that is wrong in one sign; gives where it ends.
    pub(super) fn on_misspelt_tag(&mut self, start: usize) -> Result<Option<usize>, Stop> {
        let source = self.source;
        let rest = &source[start..];
        let Some(meant) = meant(&rest[..rest.floor_char_boundary(MOST_BYTES)]) else {
            return Ok(None);
        };
        if !self.is_plain(&meant, start) {
            return Ok(None);
        }
        let span = Span {
            start,
            end: start + meant.length,
        };
        let name = Span {
            start: start + meant.name.start,
            end: start + meant.name.end,
        };
        let stop = match &meant.wrong {
            Some(wrong) => self.misspelt_tag(start, wrong.clone(), &meant),
            None => Stop,
        };
        self.pass_over(stop)?;
        if meant.ends == Ends::Another {
            self.end(&source[name.range()], span)?;
            return Ok(Some(span.end));
        }
        let attributes = start + meant.attributes.start..start + meant.attributes.end;
        self.open_with(name, span, attributes)?;
        if meant.ends == Ends::Itself {
            self.close(span.end)?;
        }
        Ok(Some(span.end))
    }

    /// Looks for a tag that begins with a wide bracket, in the text that begins here; gives where the tag ends.
    pub(super) fn on_wide_bracket(&mut self, start: usize) -> Result<Option<usize>, Stop> {
        let source = self.source;
        let rest = &source[start..];
        let text = &rest[..rest.find(['<', '&']).unwrap_or(rest.len())];
        for (at, _) in text.match_indices(WIDE_BRACKETS) {
            if self.wide_looks == MOST_LOOKS {
                break;
            }
            self.wide_looks += 1;
            let is_cut_off = self.fault.is_some();
            let candidate = &rest[at..at + rest[at..].floor_char_boundary(MOST_BYTES)];
            let is_plain = meant(candidate).is_some_and(|meant| self.is_plain(&meant, start + at));
            if is_cut_off || !is_plain {
                continue;
            }
            if at > 0 {
                let before = Span {
                    start,
                    end: start + at,
                };
                self.section_end(before);
                self.text(&source[before.range()], before)?;
            }
            return self.on_misspelt_tag(start + at);
        }
        Ok(None)
    }

    /// Whether no text was meant.
    fn is_plain(&self, meant: &Meant, start: usize) -> bool {
        let name = &self.source[start + meant.name.start..start + meant.name.end];
        if meant.ends == Ends::Another {
            return self.stack.iter().any(|open| open.name == name);
        }
        let is_whole = meant.has_attribute
            || meant.ends == Ends::Itself
            || self.is_closed_behind(name, start + meant.length);
        self.begins_line(start) && is_whole
    }

    fn misspelt_tag(&mut self, start: usize, wrong: Range<usize>, meant: &Meant) -> Stop {
        let source = self.source;
        let span = Span {
            start: start + wrong.start,
            end: start + wrong.end,
        };
        let name = shortened(&source[start + meant.name.start..start + meant.name.end]);
        let inside = if meant.has_attribute { " ..." } else { "" };
        let right = match meant.ends {
            Ends::Another => format!("</{name}>"),
            Ends::Itself => format!("<{name}{inside}/>"),
            Ends::Nothing => format!("<{name}{inside}>"),
        };
        let shown = shortened(&source[span.range()]);
        self.fail(
            span,
            Text::new(
                format!("标签 <{name}> 写错了：`{shown}`"),
                format!("the tag <{name}> is misspelt: `{shown}`"),
            ),
            Text::new(format!("请写作 {right}"), format!("write {right}")),
        )
    }
}
