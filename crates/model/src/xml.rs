//! From the bytes of a file to the tree that keeps where everything stood.
//!
//! Nothing but elements, attributes, text and CDATA is accepted: no document type, no entity beyond the five. Reading goes on
//! behind most faults, so that all of a file come at once: a bare `&` or `<` is kept as the text that it was meant to be,
//! and what a wrong closing tag meant is guessed (`recover`). Any other fault ends the tree with what precedes it.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use compact_str::CompactString;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::element::{Attribute, Child, Element, Span};
use crate::encoding::{self, is_xml_character};
use crate::entity;
use crate::text::Text;

mod attribute;
mod faults;
mod in_tag;
mod recover;
mod respell;
mod section;
mod strict;
mod tag;

use attribute::{Attributes, Piece};
use faults::bracket_help;
use in_tag::Told;
use tag::Look;

/// The largest file that is read: a thousand times a usual one.
pub const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting: bodies use four levels, an HTML mail some twenty.
pub const MAX_DEPTH: usize = 64;
/// Elements of a file: a graph of two thousand nodes.
pub const MAX_ELEMENTS: usize = 10_000;
/// Attributes of one element: no element of ours has twenty.
pub const MAX_ATTRIBUTES: usize = 64;

/// Faults behind which the reading goes on: to find out what was meant may take a look at the whole rest of the file.
const MAX_PASSED_OVER: usize = 100;

/// Faults of one tag that are told: behind so many nobody can say what was meant.
const MAX_FAULTS: usize = 8;

/// Findings of one file that are listed: more than anybody reads.
pub const MAX_FINDINGS: usize = 500;

/// A file as far as it can be read.
#[derive(Debug)]
pub struct Document {
    /// The decoded text, to which all spans refer.
    pub source: Arc<str>,
    /// The outermost element; `None` when a fault precedes its opening tag.
    pub root: Option<Element>,
    /// What is wrong so far.
    pub diagnostics: Diagnostics,
    /// Where the first fault ended the reading; `None` for a well-formed file.
    pub fault: Option<usize>,
    /// Labels of the elements that were never closed: what they hold is not known.
    pub unclosed: Vec<Span>,
    /// Labels of those with something in their tag that may have been meant as any attribute.
    pub half_read: BTreeSet<Span>,
}

impl Document {
    /// All findings in the order of their place, at most [`MAX_FINDINGS`] of them; takes them out of the document.
    ///
    /// What an element that a fault cut off seems to lack may follow in the unread rest, so that is not reported.
    pub fn findings(&mut self) -> Vec<Diagnostic> {
        let left_out = self.diagnostics.left_out();
        let mut found = std::mem::take(&mut self.diagnostics).into_sorted();
        found.retain(|finding| {
            let depends_on_rest =
                [code::MISSING_ELEMENT, code::MISSING_TEXT].contains(&finding.code);
            let depends_on_tag = finding.code == code::MISSING_ATTRIBUTE;
            !(depends_on_rest && self.unclosed.contains(&finding.span)
                || depends_on_tag && self.half_read.contains(&finding.span))
        });
        let rest = found.len().saturating_sub(MAX_FINDINGS) + left_out;
        if rest > 0 {
            // Errors matter more than warnings when not everything can be said.
            found.sort_by_key(|finding| Reverse(finding.severity));
            found.truncate(MAX_FINDINGS);
            found.push(not_listed(rest, self.source.len()));
        }
        found
    }
}

fn not_listed(rest: usize, end: usize) -> Diagnostic {
    Diagnostic {
        code: code::TOO_MANY_FINDINGS,
        severity: Severity::Warning,
        span: Span { start: end, end },
        message: Text::new(
            format!("还有{rest}个问题没有列出"),
            format!("{rest} more findings are not listed"),
        ),
        help: code::general_help(code::TOO_MANY_FINDINGS).map(|(zh, en)| Text::new(zh, en)),
    }
}

/// Reads a file. Never panics, and its cost is linear in the bytes.
pub fn read(bytes: &[u8]) -> Document {
    let mut diagnostics = Diagnostics::new();
    let decoded = encoding::decode(bytes, &mut diagnostics);
    let mut parser = Parser {
        source: decoded.sound(),
        has_forbidden: diagnostics.has_any(&[code::FORBIDDEN_CHARACTER]),
        has_wide_bracket: decoded.sound().contains(respell::WIDE_BRACKETS),
        wide_looks: 0,
        diagnostics,
        stack: Vec::new(),
        root: None,
        element_count: 0,
        passed_over: 0,
        has_given_up: false,
        // Where decoding has failed, that is the first fault; the end of the sound part is none.
        fault: decoded.fault,
        unclosed: Vec::new(),
        half_read: BTreeSet::new(),
        unended: Vec::new(),
        crossed: Vec::new(),
    };
    parser.run(decoded.fault.is_none());
    let still_open = parser.stack.iter().map(|open| open.name_span);
    parser.unclosed.extend(still_open);
    parser.close_all();
    let Parser {
        root,
        diagnostics,
        fault,
        unclosed,
        half_read,
        ..
    } = parser;
    Document {
        source: Arc::from(decoded.text),
        root,
        diagnostics,
        fault,
        unclosed,
        half_read,
    }
}

struct Parser<'a> {
    source: &'a str,
    /// Whether characters that XML forbids stand in it: they are reported, and left out of the tree.
    has_forbidden: bool,
    /// Whether brackets stand in it that may be meant as `<`, and how many were looked at.
    has_wide_bracket: bool,
    wide_looks: usize,
    diagnostics: Diagnostics,
    stack: Vec<Element>,
    root: Option<Element>,
    element_count: usize,
    passed_over: usize,
    /// Whether there were too many of them.
    has_given_up: bool,
    fault: Option<usize>,
    unclosed: Vec<Span>,
    half_read: BTreeSet<Span>,
    /// Labels of the tags that lack their `>`: perhaps they were meant to be empty.
    unended: Vec<Span>,
    /// What the last wrong closing tag left open: where tags cross, the closing one follows.
    crossed: Vec<CompactString>,
}

/// Ends the reading at a fault that is reported already.
struct Stop;

impl Parser<'_> {
    fn run(&mut self, is_sound: bool) {
        let source = self.source;
        // Where the text of the reader begins.
        let mut offset = 0;
        let mut reader = reader_at(source, &mut offset);
        loop {
            let start = offset + position(reader.buffer_position());
            match self.on_bracket(start) {
                Ok(None) => {}
                Ok(Some(end)) => {
                    offset = end;
                    reader = reader_at(source, &mut offset);
                    continue;
                }
                Err(Stop) => return self.stop_at(start),
            }
            let event = reader.read_event();
            let span = Span {
                start,
                end: offset + position(reader.buffer_position()),
            };
            let result = match event {
                Ok(Event::Eof) => {
                    if is_sound {
                        self.on_end_of_file();
                    }
                    return;
                }
                Ok(event) => self.on_event(&event, span),
                Err(_) if !is_sound => return,
                Err(error) => {
                    let at = offset + position(reader.error_position());
                    self.on_error(&error, at, span)
                }
            };
            if result.is_err() {
                return self.stop_at(start);
            }
        }
    }

    fn stop_at(&mut self, place: usize) {
        if self.has_given_up {
            self.rest_not_read(place);
        }
        self.fault = Some(self.fault.unwrap_or(place).min(place));
    }

    /// Takes what begins with a `<` where it is no tag as the reader knows them; gives where it ends.
    fn on_bracket(&mut self, start: usize) -> Result<Option<usize>, Stop> {
        let rest = &self.source[start..];
        if !rest.starts_with('<') {
            return if self.has_wide_bracket {
                self.on_wide_bracket(start)
            } else {
                Ok(None)
            };
        }
        if let Some(end) = self.on_section(start)? {
            return Ok(Some(end));
        }
        let is_behind_text =
            !self.source[..start].ends_with(|before: char| before == '>' || before.is_whitespace());
        let look = match tag::look_parted(rest) {
            Some(look) if self.is_meant(&look, start) => look,
            _ => tag::look(rest, is_behind_text),
        };
        let is_cut_off = self.fault.is_some() && look.length() == Some(rest.len());
        let may_be_misspelt = matches!(look, Look::Bare { .. } | Look::Odd { .. }) && !is_cut_off;
        if may_be_misspelt && let Some(end) = self.on_misspelt_tag(start)? {
            return Ok(Some(end));
        }
        let end = match look {
            Look::Markup => return Ok(None),
            // Behind it decoding has failed, which is reported.
            _ if is_cut_off => return Err(Stop),
            Look::Bare { .. } | Look::Closing { .. } if self.stack.is_empty() => return Ok(None),
            Look::Bare { length } => {
                let end = start + length;
                self.bare_bracket(Span { start, end })?;
                end
            }
            Look::Opening { length } => {
                let end = start + length;
                self.opening_without_end(Span { start, end })?;
                end
            }
            Look::Closing { name, length } => {
                let end = start + length;
                self.tag_without_end(start)?;
                self.end(&rest[name], Span { start, end })?;
                end
            }
            Look::Parted { name, length, ends } => {
                let end = start + length;
                let name = Span {
                    start: start + name.start,
                    end: start + name.end,
                };
                self.parted_tag(name, Span { start, end }, ends)?;
                end
            }
            Look::Odd { length, is_empty } => {
                let end = start + length;
                self.odd_tag(Span { start, end }, is_empty)?;
                end
            }
        };
        Ok(Some(end))
    }

    /// Takes a `<`, or several in a row, for the text that it was meant to be.
    fn bare_bracket(&mut self, span: Span) -> Result<(), Stop> {
        let shown = &self.source[span.range()];
        let stop = self.fail(
            span,
            Text::new(
                format!("`{shown}` 之后不是标签"),
                format!("`{shown}` does not begin a tag"),
            ),
            bracket_help(),
        );
        self.pass_over(stop)?;
        self.text(&self.source[span.range()], span)
    }

    /// Goes on behind what was reported, a bounded number of times.
    fn pass_over(&mut self, stop: Stop) -> Result<(), Stop> {
        self.passed_over += 1;
        if self.passed_over > MAX_PASSED_OVER {
            self.has_given_up = true;
            return Err(stop);
        }
        Ok(())
    }

    fn on_event(&mut self, event: &Event<'_>, span: Span) -> Result<(), Stop> {
        match event {
            Event::Start(tag) => self.open(behind(span.start, tag.name().as_ref()), span, span.end),
            Event::Empty(tag) => {
                self.open(behind(span.start, tag.name().as_ref()), span, span.end)?;
                self.close(span.end)
            }
            Event::End(tag) => self.end(tag.name().as_ref(), span),
            Event::Text(_) => {
                self.section_end(span);
                self.text(&self.source[span.range()], span)
            }
            Event::CData(_) => {
                let inside = span.start + "<![CDATA[".len()..span.end - "]]>".len();
                self.text(&self.source[inside], span)
            }
            Event::GeneralRef(_) => self.reference(span),
            // No entity of it is ever resolved.
            Event::DocType(_) => {
                let stop = self.doctype(span);
                self.pass_over(stop)
            }
            Event::Comment(_) => {
                self.dashes_in_comment(span);
                Ok(())
            }
            Event::Decl(_) => {
                self.declaration(span);
                Ok(())
            }
            Event::PI(_) | Event::Eof => Ok(()),
        }
    }

    /// Opens the element whose tag is `span`; `limit` is where its attributes end.
    fn open(&mut self, name_span: Span, span: Span, limit: usize) -> Result<(), Stop> {
        self.open_with(name_span, span, name_span.end..limit)
    }

    /// Opens the element whose tag is `span`, with the attributes of a part of it.
    fn open_with(
        &mut self,
        name_span: Span,
        span: Span,
        attributes: Range<usize>,
    ) -> Result<(), Stop> {
        let name = CompactString::from(&self.source[name_span.range()]);
        if !is_xml_name(&name) {
            return Err(self.not_a_name(&name, span.start));
        }
        if self.stack.is_empty() && self.root.is_some() {
            return Err(self.second_root(name_span));
        }
        self.element_count += 1;
        if self.element_count > MAX_ELEMENTS {
            return Err(self.limit(
                code::TOO_MANY_ELEMENTS,
                name_span,
                Text::new(
                    format!("元素超过{MAX_ELEMENTS}个"),
                    format!("more than {MAX_ELEMENTS} elements"),
                ),
            ));
        }
        if self.stack.len() >= MAX_DEPTH {
            return Err(self.limit(
                code::TOO_DEEP,
                name_span,
                Text::new(
                    format!("元素嵌套超过{MAX_DEPTH}层"),
                    format!("elements are nested more than {MAX_DEPTH} deep"),
                ),
            ));
        }
        let attributes = self.attributes(name_span, span, attributes);
        self.crossed.clear();
        self.stack.push(Element {
            name,
            attributes,
            children: Vec::new(),
            span,
            name_span,
        });
        Ok(())
    }

    fn close(&mut self, end: usize) -> Result<(), Stop> {
        let mut element = self.stack.pop().ok_or(Stop)?;
        element.span.end = end;
        match self.stack.last_mut() {
            Some(parent) => parent.children.push(Child::Element(element)),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn close_all(&mut self) {
        let end = self.source.len();
        while self.close(end).is_ok() {}
    }

    fn text(&mut self, run: &str, run_span: Span) -> Result<(), Stop> {
        let is_literal = run.len() == run_span.end - run_span.start;
        let sound: String;
        let run = if self.has_forbidden {
            sound = run.chars().filter(|it| is_xml_character(*it)).collect();
            &sound
        } else {
            run
        };
        let Some(parent) = self.stack.last_mut() else {
            return self.text_outside(run, run_span);
        };
        match parent.children.last_mut() {
            Some(Child::Text { text, span }) => {
                // What precedes a comment, CDATA or the like and is blank is no part of what people see.
                let is_parted = !is_literal || span.end != run_span.start;
                // The new part is looked at first: blanks between thousands of comments make a long blank text.
                let begins = is_parted && !run.trim_start().is_empty();
                if begins && text.trim_end().is_empty() {
                    span.start = run_span.start;
                }
                text.push_str(run);
                span.end = run_span.end;
            }
            _ => parent.children.push(Child::Text {
                text: run.into(),
                span: run_span,
            }),
        }
        Ok(())
    }

    fn reference(&mut self, span: Span) -> Result<(), Stop> {
        let name = &self.source[span.start + 1..span.end - 1];
        match entity::resolve(name) {
            Some(character) => self.text(character.encode_utf8(&mut [0; 4]), span),
            None => {
                if entity::is_name(name) {
                    entity::unknown(name, span, &mut self.diagnostics);
                } else {
                    self.bare_ampersand(span.start);
                }
                self.text(&self.source[span.range()], span)
            }
        }
    }

    /// Reports the `&` at `start`; of several in a row the first speaks for all.
    fn bare_ampersand(&mut self, start: usize) {
        if self.source[..start].ends_with('&') {
            return;
        }
        entity::bare_ampersand(&self.source[start..], start, &mut self.diagnostics);
    }

    /// The attributes that stand in a part of a tag.
    fn attributes(&mut self, name: Span, tag: Span, part: Range<usize>) -> Vec<Attribute> {
        let mut found: Vec<Attribute> = Vec::new();
        let mut told = Told::new(tag, name);
        let mut pieces = Attributes::new(&self.source[tag.start..], part.start - tag.start);
        let limit = part.end;
        loop {
            let piece = pieces.next();
            if tag.start + piece.start() >= limit {
                break;
            }
            let mut attribute = match piece {
                Piece::Attribute(attribute) => attribute,
                Piece::Surplus(place) => {
                    self.surplus_in_tag(&place, &mut told);
                    continue;
                }
                Piece::End(end) => {
                    self.odd_end(&end, &told);
                    break;
                }
            };
            // The `/` of a tag that lacks its `>` is no part of a value without quotes.
            let value = &mut attribute.value;
            value.end = value.end.min(limit - tag.start).max(value.start);
            let (name_span, value_span) =
                (told.place(&attribute.name), told.place(&attribute.value));
            if told.faults >= MAX_FAULTS {
                self.half_read.insert(name);
                break;
            }
            if found.len() == MAX_ATTRIBUTES {
                self.half_read.insert(name);
                self.limit(
                    code::TOO_MANY_ATTRIBUTES,
                    name_span,
                    Text::new(
                        format!("属性超过{MAX_ATTRIBUTES}个"),
                        format!("more than {MAX_ATTRIBUTES} attributes"),
                    ),
                );
                break;
            }
            // Duplicates are looked for at a cost that MAX_ATTRIBUTES bounds.
            if self.is_attribute(&attribute, &found, &mut told) {
                found.push(self.attribute(name_span, value_span));
            }
        }
        found
    }

    fn attribute(&mut self, name_span: Span, value_span: Span) -> Attribute {
        let raw = &self.source[value_span.range()];
        let mut value = entity::unescape(raw, value_span.start, &mut self.diagnostics);
        if self.has_forbidden {
            value.retain(is_xml_character);
        }
        Attribute {
            name: self.source[name_span.range()].into(),
            value,
            name_span,
            value_span,
        }
    }
}

/// Where a name stands that follows a `<`.
fn behind(bracket: usize, name: &str) -> Span {
    Span {
        start: bracket + 1,
        end: bracket + 1 + name.len(),
    }
}

/// Reads a text from its beginning or from the middle, where it cannot know which elements are open.
fn reader_at<'a>(source: &'a str, offset: &mut usize) -> Reader<&'a [u8]> {
    const MARK: char = '\u{FEFF}';
    let text = &source[*offset..];
    let mut reader = Reader::from_str(text);
    // The reader takes one of these for the mark at the beginning of a file, and does not count it.
    if text.starts_with(MARK) {
        *offset += MARK.len_utf8();
    }
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    reader
}

/// The file is in memory, so every position fits.
fn position(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn ceil_boundary(source: &str, at: usize) -> usize {
    source.ceil_char_boundary(at.min(source.len()))
}

fn is_name_start(character: char) -> bool {
    character.is_alphabetic() || matches!(character, '_' | ':')
}

fn is_name_part(character: char) -> bool {
    is_name_start(character) || character.is_numeric() || matches!(character, '-' | '.')
}

pub(crate) fn is_xml_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(is_name_start) && characters.all(is_name_part)
}

#[cfg(test)]
mod tests;
