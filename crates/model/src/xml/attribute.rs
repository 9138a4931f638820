//! The attributes of an opening tag, each taken for what it was meant to be.

use std::ops::Range;

use super::is_name_part;
use super::is_xml_name;
use super::tag::{blanks, name_length};

/// Goes through what follows a tag's name; places count from the beginning of the text.
pub(super) struct Attributes<'a> {
    text: &'a str,
    at: usize,
    /// A value that lacks its quote has ended the tag.
    is_over: bool,
    /// How far a value that lacks its quote may reach, as last looked for: a long line is looked through once.
    line_end: usize,
}

/// What stands in a tag.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Attribute(Found),
    /// Characters that belong to no attribute.
    Surplus(Range<usize>),
    End(End),
}

/// An attribute as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: Range<usize>,
    /// Empty where none is given.
    pub(super) value: Range<usize>,
    pub(super) how: How,
    /// Whether no blank stands before it.
    pub(super) is_glued: bool,
}

/// How the value of an attribute is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Quoted,
    /// `name="value` without the second quote, which stands here.
    OpenQuote(usize),
    /// `name=value`.
    Unquoted,
    /// `name=“value”` or `name＝"value"`.
    Wide,
    /// `name "value"`, `name: "value"` or `name=="value"`.
    Equals,
    /// `name=""value""`, `name="value'` or `name="a "b" c"`.
    Quotes,
    /// `name=`.
    NoValue,
    /// `name`.
    NoEquals,
}

/// Where a tag ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) at: usize,
    pub(super) kind: EndKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EndKind {
    /// `>` or `/>`.
    Right { is_empty: bool },
    /// `/＞`, `/ >` and the like, of so many bytes.
    Odd { is_empty: bool, length: usize },
    /// The text ends, or another tag begins.
    Cut,
    /// A value that lacks its quote reaches this far.
    OfValue,
}

impl Piece {
    pub(super) fn start(&self) -> usize {
        match self {
            Self::Attribute(found) => found.name.start,
            Self::Surplus(place) => place.start,
            Self::End(end) => end.at,
        }
    }
}

impl End {
    /// One past its last byte.
    pub(super) fn end(&self) -> usize {
        self.at
            + match self.kind {
                EndKind::Right { is_empty } => 1 + usize::from(is_empty),
                EndKind::Odd { length, .. } => length,
                EndKind::Cut | EndKind::OfValue => 0,
            }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(
            self.kind,
            EndKind::Right { is_empty: true } | EndKind::Odd { is_empty: true, .. }
        )
    }
}

pub(super) fn is_wide_quote(character: char) -> bool {
    matches!(
        character,
        '“' | '”'
            | '„'
            | '‘'
            | '’'
            | '＂'
            | '＇'
            | '「'
            | '」'
            | '『'
            | '』'
            | '«'
            | '»'
            | '‹'
            | '›'
            | '`'
    )
}

fn is_quote(character: char) -> bool {
    matches!(character, '"' | '\'') || is_wide_quote(character)
}

pub(super) fn is_separator(character: char) -> bool {
    matches!(character, ',' | ';' | '，' | '；' | '、')
}

fn is_equals(character: char) -> bool {
    matches!(character, '=' | '＝')
}

impl<'a> Attributes<'a> {
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        Self {
            text,
            at,
            is_over: false,
            line_end: 0,
        }
    }

    pub(super) fn next(&mut self) -> Piece {
        let before = self.at;
        if self.is_over {
            return self.end(before, EndKind::OfValue);
        }
        self.at += blanks(&self.text[before..]);
        let rest = &self.text[self.at..];
        if let Some(kind) = end_of(rest) {
            return self.end(self.at, kind);
        }
        if rest.is_empty() || rest.starts_with('<') {
            return self.end(before, EndKind::Cut);
        }
        let length = token(rest);
        if length == 0 {
            return self.surplus(rest);
        }
        let name = self.at..self.at + length;
        let is_glued = name.start == before;
        let gap = blanks(&rest[length..]);
        let behind = &rest[length + gap..];
        if !behind.starts_with(is_equals) {
            let bare = rest[..length].trim_end_matches(COLONS);
            let colon = behind.len() - behind.trim_start_matches(COLONS).trim_start().len();
            if behind[colon..].starts_with(is_quote) && is_xml_name(bare) {
                let name = name.start..name.start + bare.len();
                self.at = name.start + length + gap + colon;
                let (value, how) = self.value();
                let how = match how {
                    How::OpenQuote(_) => how,
                    _ => How::Equals,
                };
                return attribute(name, value, how, is_glued);
            }
            self.at = name.end;
            if !is_xml_name(&rest[..length]) {
                return Piece::Surplus(name);
            }
            let value = name.end..name.end;
            return attribute(name, value, How::NoEquals, is_glued);
        }
        let equals = &behind[..behind.len() - behind.trim_start_matches(is_equals).len()];
        self.at = name.end + gap + equals.len();
        let (value, mut how) = self.value();
        if matches!(how, How::Quoted | How::Wide | How::Unquoted) && equals.chars().count() > 1 {
            how = How::Equals;
        } else if how == How::Quoted && !equals.is_ascii() {
            how = How::Wide;
        }
        attribute(name, value, how, is_glued)
    }

    fn end(&self, at: usize, kind: EndKind) -> Piece {
        Piece::End(End { at, kind })
    }

    fn surplus(&mut self, rest: &str) -> Piece {
        let of_separators = rest.len() - rest.trim_start_matches(is_separator).len();
        let length = if of_separators > 0 {
            of_separators
        } else {
            word(rest).max(rest.chars().next().map_or(0, char::len_utf8))
        };
        let start = self.at;
        self.at += length;
        Piece::Surplus(start..self.at)
    }

    /// What stands behind the `=`.
    fn value(&mut self) -> (Range<usize>, How) {
        let none = self.at..self.at;
        let start = self.at + blanks(&self.text[self.at..]);
        let rest = &self.text[start..];
        let is_end = rest.is_empty() || rest.starts_with('<') || end_of(rest).is_some();
        if is_end || self.is_next_attribute(start) {
            return (none, How::NoValue);
        }
        if rest.starts_with(['"', '\'']) {
            return self.quoted(start);
        }
        if rest.starts_with(is_quote)
            && let Some(found) = self.wide(start)
        {
            return found;
        }
        let written = &rest[..self.words(rest)];
        if let Some(inner) = written.trim_start_matches(is_quote).strip_prefix(QUOTE)
            && let Some(length) = inner.find(QUOTE)
        {
            let from = start + written.len() - inner.len();
            self.at = from + length + QUOTE.len();
            return (from..from + length, How::Unquoted);
        }
        let unparted = written.trim_end_matches(is_separator);
        if unparted.is_empty() {
            return (none, How::NoValue);
        }
        self.at = start + unparted.len();
        let begun = unparted.trim_start_matches(is_quote);
        let from = self.at - begun.len();
        let value = begun.trim_end_matches(is_quote);
        (from..from + value.len(), How::Unquoted)
    }

    /// How long a value without quotes is: up to the next attribute, the end of the line or of the tag.
    fn words(&self, rest: &str) -> usize {
        let mut length = word(rest);
        loop {
            let behind = &rest[length..];
            let next = behind.trim_start_matches([' ', '\t']);
            let is_parted = next.len() < behind.len();
            let is_end = next.is_empty()
                || next.starts_with(['\n', '\r', '<'])
                || next.starts_with(is_separator)
                || end_of(next).is_some();
            if !is_parted || is_end || begins_attribute(next) {
                return length;
            }
            length = rest.len() - next.len() + word(next);
        }
    }

    /// Whether `to="x"` stands here, which is no value.
    fn is_next_attribute(&self, start: usize) -> bool {
        let rest = &self.text[start..];
        let name = name_length(rest);
        name > 0 && value_quote(&rest[name..]).is_some()
    }

    fn quoted(&mut self, quote: usize) -> (Range<usize>, How) {
        let mark = &self.text[quote..=quote];
        if let Some(end) = self.value_end(quote) {
            self.at = end + 1;
            let value = quote + 1..end;
            let behind = &self.text[self.at..];
            if is_end_of_value(behind) || begins_attribute(behind) {
                return (value, How::Quoted);
            }
            if end == quote + 1
                && let Some(length) = behind.find([mark.as_bytes()[0] as char, '>', '<', '\n'])
                && behind[length..].starts_with(mark)
            {
                let value = self.at..self.at + length;
                self.at = value.end + mark.len();
                self.at += usize::from(self.text[self.at..].starts_with(mark));
                return (value, How::Quotes);
            }
            if behind.starts_with(mark) {
                self.at += mark.len();
                return (value, How::Quotes);
            }
            if let Some(inner) = self.inner(quote + 1).and_then(|it| it.strip_suffix(mark)) {
                let value = quote + 1..quote + 1 + inner.len();
                self.at = value.end + mark.len();
                return (value, How::Quotes);
            }
            return (value, How::Quoted);
        }
        let start = quote + 1;
        let (value, line) = self.on_its_line(start);
        self.at = start + value.len();
        self.is_over = value.len() == line.trim_end().len() && !self.goes_on();
        let unquoted = value.trim_end_matches(is_quote);
        if unquoted.len() < value.len() && !unquoted.is_empty() {
            return (start..start + unquoted.len(), How::Quotes);
        }
        (start..self.at, How::OpenQuote(quote))
    }

    /// What may be meant as the value that begins at `start`, quotes in it included, if it ends close by: a line may be as
    /// long as the file, and hold such values only.
    fn inner(&self, start: usize) -> Option<&'a str> {
        let rest = &self.text[start..];
        let near = &rest[..rest.floor_char_boundary(LONGEST_INNER)];
        let limit = line_end(near);
        let line = &near[..limit.unwrap_or(near.len())];
        next_attribute(line).or_else(|| {
            let line = line.trim_end();
            limit.map(|_| line.strip_suffix('/').unwrap_or(line).trim_end())
        })
    }

    /// What of a line may belong to a value that begins at `start`, up to the next attribute or the end of the tag, and the line.
    fn on_its_line(&mut self, start: usize) -> (&'a str, &'a str) {
        let rest = &self.text[start..];
        if self.line_end < start {
            self.line_end = start + line_end(rest).unwrap_or(rest.len());
        }
        let limit = self.line_end - start;
        let line = &rest[..limit];
        let value = match next_attribute(line) {
            Some(value) => value,
            None if rest[limit..].starts_with('>') => {
                let value = line.trim_end();
                value.strip_suffix('/').unwrap_or(value).trim_end()
            }
            None => line.trim_end(),
        };
        (value, line)
    }

    /// Whether the tag is seen to go on behind a value that lacks its quote.
    fn goes_on(&self) -> bool {
        let rest = &self.text[self.at..];
        let next = self.at + blanks(rest);
        end_of(&self.text[next..]).is_some() || self.is_next_attribute(next)
    }

    /// Where the closing quote stands; `None` where there is none, and where it is the opening one of a later value.
    fn value_end(&self, quote: usize) -> Option<usize> {
        let mark = &self.text[quote..=quote];
        let value = &self.text[quote + 1..];
        let length = value.find(mark)?;
        let (value, behind) = (&value[..length], &value[length + 1..]);
        // `name="value'>` on a line of its own: the quote that is found opens or ends another value.
        let line = &value[..value.find(['>', '\n']).unwrap_or(0)];
        let line = line.trim_end().trim_end_matches('/').trim_end();
        if value.contains('<') && line.ends_with(is_quote) {
            return None;
        }
        let is_meant = is_end_of_value(behind) || !(value.contains('<') || ends_with_name(value));
        is_meant.then_some(quote + 1 + length)
    }

    /// A value in quotes as Chinese input gives them.
    fn wide(&mut self, start: usize) -> Option<(Range<usize>, How)> {
        let first = self.text[start..].chars().next()?;
        let from = start + first.len_utf8();
        let rest = &self.text[from..];
        let near = &rest[..rest.floor_char_boundary(LONGEST_INNER)];
        let line = &near[..line_end(near).unwrap_or(near.len())];
        // Its own closing quote, if that stands where a value may end; else whatever quote comes first.
        let own = line.find(closing(first)).filter(|at| {
            let behind = line[*at..].chars().next().map_or(0, char::len_utf8);
            is_end_of_value(&rest[at + behind..])
        });
        let length = own.or_else(|| line.find(is_quote))?;
        let last = rest[length..]
            .chars()
            .next()
            .filter(|last| is_quote(*last))?;
        self.at = from + length + last.len_utf8();
        Some((from..from + length, How::Wide))
    }
}

/// What people write for `=` in other languages.
const COLONS: [char; 2] = [':', '：'];

/// How far the end of a value in odd quotes, or with quotes in it, is looked for.
const LONGEST_INNER: usize = 400;

/// Where no value in odd quotes goes on.
fn line_end(text: &str) -> Option<usize> {
    memchr::memchr3(b'>', b'\n', b'<', text.as_bytes())
}

/// How a quote is written where it would end the text.
const QUOTE: &str = "&quot;";

/// The quote that ends what `open` begins.
fn closing(open: char) -> char {
    match open {
        '“' | '„' => '”',
        '‘' => '’',
        '「' => '」',
        '『' => '』',
        '«' => '»',
        '‹' => '›',
        other => other,
    }
}

/// Whether a value may end where this follows.
fn is_end_of_value(behind: &str) -> bool {
    behind.is_empty() || behind.starts_with(char::is_whitespace) || end_of(behind).is_some()
}

/// Whether `name=` or `name "` stands here.
fn begins_attribute(text: &str) -> bool {
    let name = name_length(text);
    let behind = text[name..].trim_start_matches([' ', '\t']);
    let is_parted = behind.len() < text.len() - name;
    name > 0 && (behind.starts_with(is_equals) || (is_parted && behind.starts_with(['"', '\''])))
}

fn attribute(name: Range<usize>, value: Range<usize>, how: How, is_glued: bool) -> Piece {
    Piece::Attribute(Found {
        name,
        value,
        how,
        is_glued,
    })
}

/// What of the end of a tag stands here.
fn end_of(text: &str) -> Option<EndKind> {
    if text.starts_with('>') {
        return Some(EndKind::Right { is_empty: false });
    }
    if text.starts_with("/>") {
        return Some(EndKind::Right { is_empty: true });
    }
    let behind = text.strip_prefix(['/', '／']);
    let is_empty = behind.is_some();
    let behind = behind.unwrap_or(text).trim_start_matches([' ', '\t']);
    let behind = behind
        .strip_prefix('＞')
        .or_else(|| behind.strip_prefix('>').filter(|_| is_empty))?;
    Some(EndKind::Odd {
        is_empty,
        length: text.len() - behind.len(),
    })
}

/// How long what is meant as a name is.
fn token(text: &str) -> usize {
    let is_end = |(at, next): (usize, char)| {
        let is_end = next.is_whitespace()
            || matches!(next, '<' | '>' | '＞')
            || is_equals(next)
            || is_quote(next)
            || is_separator(next)
            || (matches!(next, '/' | '／') && end_of(&text[at..]).is_some());
        is_end.then_some(at)
    };
    text.char_indices().find_map(is_end).unwrap_or(text.len())
}

/// How long what stands here without a blank is.
fn word(text: &str) -> usize {
    let is_end = |(at, next): (usize, char)| {
        let is_end = next.is_whitespace()
            || matches!(next, '<' | '>' | '＞')
            || (matches!(next, '/' | '／') && end_of(&text[at..]).is_some());
        is_end.then_some(at)
    };
    text.char_indices().find_map(is_end).unwrap_or(text.len())
}

/// Where the quote of a value stands behind an attribute's name.
fn value_quote(text: &str) -> Option<usize> {
    let equals = blanks(text);
    let behind = text[equals..].strip_prefix('=')?;
    let quote = equals + 1 + blanks(behind);
    text[quote..].starts_with(['"', '\'']).then_some(quote)
}

/// Whether a value ends as `start to=` does: what follows it is the value of `to`.
fn ends_with_name(value: &str) -> bool {
    let Some(before) = value.trim_end().strip_suffix('=') else {
        return false;
    };
    let before = before.trim_end_matches('=').trim_end();
    let name = before.trim_end_matches(is_name_part);
    name.len() < before.len()
        && name.ends_with(char::is_whitespace)
        && is_xml_name(&before[name.len()..])
}

/// What precedes the next attribute of a line, if there is one.
fn next_attribute(line: &str) -> Option<&str> {
    let behind = |at: usize| {
        let is_value = line[at + 1..].trim_start().starts_with(['"', '\'']);
        let value = &line[..=at];
        if !is_value || !ends_with_name(value) {
            return None;
        }
        let name = value[..at].trim_end().trim_end_matches(is_name_part);
        Some(name.trim_end())
    };
    line.match_indices('=').find_map(|(at, _)| behind(at))
}
