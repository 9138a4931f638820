//! Finding `${...}` in a text, in time linear in its length.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::shape::{half_width, is_identifier};
use crate::suggest::closest;

use super::check_time_expression;

/// No reference is longer: a script may hold a megabyte of `${`.
pub(super) const LONGEST_REFERENCE: usize = 512;

/// How far the brace of one that is too long is looked for.
const LONGEST_LOOK: usize = 4096;

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Stays as it is.
    Literal(&'a str),
    /// The whole reference as written, and what it means.
    Reference(&'a str, Reference<'a>),
}

/// What `${...}` refers to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reference<'a> {
    /// `${param:name}`.
    Param(&'a str),
    /// `${time.today|...}`: what stands between the braces.
    Time(&'a str),
    /// `${output:node.name}` or `${state:name}`.
    Kept(Kept<'a>),
    /// `${name}`.
    Bare(&'a str),
}

/// Cuts a text into pieces that make up the whole of it.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (token, length) = next(rest);
        rest = &rest[length..];
        Some(token)
    })
}

fn next(text: &str) -> (Token<'_>, usize) {
    let mut from = 0;
    while let Some(found) = opening(&text[from..]) {
        let start = from + found;
        if let Some((length, reference)) = reference(&text[start..]) {
            if start > 0 {
                return (Token::Literal(&text[..start]), start);
            }
            return (Token::Reference(&text[..length], reference), length);
        }
        from = start + 2;
    }
    (Token::Literal(text), text.len())
}

/// The first `${`. Every value of a file is searched several times, and a single byte is found much faster.
fn opening(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'$', bytes).find(|at| bytes.get(at + 1) == Some(&b'{'))
}

/// A reference at the very start of a text, and its length.
fn reference(text: &str) -> Option<(usize, Reference<'_>)> {
    if !text.starts_with("${") {
        return None;
    }
    let end = closing_brace(text)?;
    let inside = text[2..end].trim();
    let length = end + 1;
    if let Some(name) = inside
        .strip_prefix("param")
        .and_then(|rest| rest.trim_start().strip_prefix(':'))
    {
        return Some((length, Reference::Param(name.trim())));
    }
    if inside.starts_with("time.") {
        return Some((length, Reference::Time(inside)));
    }
    if let Some(kept) = kept(inside) {
        return Some((length, Reference::Kept(kept)));
    }
    let is_name = !inside.is_empty()
        && inside
            .chars()
            .all(|character| character.is_alphanumeric() || matches!(character, '_' | '-' | '.'));
    is_name.then_some((length, Reference::Bare(inside)))
}

/// The brace that closes the reference at the start, on the same line and not too far; references inside are passed
/// over.
fn closing_brace(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let reach = bytes.len().min(LONGEST_REFERENCE);
    // A hostile text holds a beginning at every second byte, and no end: a single byte is found much faster.
    memchr::memchr(b'}', &bytes[..reach])?;
    let mut depth = 0_usize;
    let mut at = 0;
    while at < reach {
        match bytes[at] {
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                depth += 1;
                at += 1;
            }
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            b'\n' => return None,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Whether `${param:..}` or `${time..}` stands in a text.
pub(crate) fn has_reference(text: &str) -> bool {
    use Reference::{Param, Time};
    tokens(text).any(|token| matches!(token, Token::Reference(_, Param(_) | Time(_))))
}

/// Where the parameters of a text are named, those inside dates included, and their names.
pub(crate) fn references(text: &str) -> Vec<(Range<usize>, &str)> {
    let mut found = Vec::new();
    if opening(text).is_some() {
        collect(text, 0, &mut found);
    }
    found
}

fn collect<'a>(text: &'a str, offset: usize, found: &mut Vec<(Range<usize>, &'a str)>) {
    let mut at = offset;
    for token in tokens(text) {
        let raw = match token {
            Token::Literal(raw) => raw,
            Token::Reference(raw, Reference::Param(name)) => {
                found.push((at..at + raw.len(), name));
                raw
            }
            Token::Reference(raw, Reference::Time(_)) => {
                // Dates do not nest, so this goes one level down.
                collect_params_only(&raw[2..raw.len() - 1], at + 2, found);
                raw
            }
            Token::Reference(raw, Reference::Bare(_) | Reference::Kept(_)) => raw,
        };
        at += raw.len();
    }
}

fn collect_params_only<'a>(text: &'a str, offset: usize, found: &mut Vec<(Range<usize>, &'a str)>) {
    let mut at = offset;
    for token in tokens(text) {
        let raw = match token {
            Token::Reference(raw, Reference::Param(name)) => {
                found.push((at..at + raw.len(), name));
                raw
            }
            Token::Literal(raw) | Token::Reference(raw, _) => raw,
        };
        at += raw.len();
    }
}

/// Where dates stand in a text, and what is between their braces.
pub(crate) fn time_expressions(text: &str) -> Vec<(Range<usize>, &str)> {
    positions(text, |reference| match reference {
        Reference::Time(expression) => Some(expression),
        _ => None,
    })
}

/// Where `${name}` without `param:` stands in a text, and the names.
pub(crate) fn bare_names(text: &str) -> Vec<(Range<usize>, &str)> {
    positions(text, |reference| match reference {
        Reference::Bare(name) => Some(name),
        _ => None,
    })
}

fn positions<'a>(
    text: &'a str,
    select: impl Fn(Reference<'a>) -> Option<&'a str>,
) -> Vec<(Range<usize>, &'a str)> {
    let mut at = 0;
    let mut found = Vec::new();
    if opening(text).is_none() {
        return found;
    }
    for token in tokens(text) {
        let raw = match token {
            Token::Literal(raw) => raw,
            Token::Reference(raw, reference) => {
                if let Some(selected) = select(reference) {
                    found.push((at..at + raw.len(), selected));
                }
                raw
            }
        };
        at += raw.len();
    }
    found
}

/// What looks like a reference of ours and is none, so that it stays as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Miswritten {
    /// The brace is missing.
    Unclosed,
    /// The brace is too far away.
    TooLong,
    /// `${TIME.TODAY}`, `${params:day}`, `${param.day}`, `${param：day}`, `${parma:day}`: what was meant.
    Meant(String),
}

/// Whether a text holds anything that may be a reference.
pub(crate) fn has_opening(text: &str) -> bool {
    opening(text).is_some() || has_wide_sign(text)
}

/// Whether any sign of a reference is written wide.
fn has_wide_sign(text: &str) -> bool {
    static SIGNS: LazyLock<[Finder<'_>; 4]> =
        LazyLock::new(|| ["＄", "｛", "：", "｝"].map(Finder::new));
    let is_in = |sign: &Finder<'_>| sign.find(text.as_bytes()).is_some();
    !text.is_ascii() && SIGNS.iter().any(is_in)
}

/// What looks like a parameter or a date and is none.
pub(crate) fn miswritten(text: &str) -> Vec<(Range<usize>, Miswritten)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = opening(&text[from..]) {
        let start = from + at;
        from = start + 2;
        let rest = &text[from..];
        let head: &str = rest.trim_start();
        let word_end = head.find(|c: char| !(c.is_ascii_alphabetic() || c == '_'));
        let word = &head[..word_end.unwrap_or(head.len())];
        let behind = head[word.len()..].trim_start();
        let is_time = word.eq_ignore_ascii_case("time") && behind.starts_with('.');
        let is_word = word.eq_ignore_ascii_case("param")
            || ["params", "parameter", "parameters"].contains(&word);
        let is_param = is_word && behind.starts_with(':');
        // As conditions write it.
        let is_dotted = is_word && behind.starts_with('.');
        if !is_time && !is_param && !is_dotted {
            // A shell has `${name:0:3}`, with numbers where a reference has a name.
            if word.len() >= 4
                && behind.starts_with(':')
                && let Some(meant) = closest(word, ["param", "output", "state"])
                && let Some(length) = closing_brace(&text[start..])
            {
                let range = start..start + length + 1;
                let length = range.end - (text.len() - behind.len());
                let meant = format!("${{{meant}{}", behind.get(..length).unwrap_or_default());
                if is_plain(&meant) {
                    found.push((range, Miswritten::Meant(meant)));
                }
            }
            if let Some(found_time) = almost_time(text, start, word, behind) {
                found.push(found_time);
            }
            continue;
        }
        match closing_brace(&text[start..]) {
            None if is_dotted => {}
            None => {
                let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';');
                // As far as a reference may reach: a hostile megabyte holds a hundred thousand beginnings.
                let near = &rest[..rest.floor_char_boundary(LONGEST_REFERENCE)];
                let end = from + near.find(is_end).unwrap_or(near.len());
                let far = &rest.as_bytes()[..rest.len().min(LONGEST_LOOK)];
                let is_closed = memchr::memchr2(b'}', b'\n', far).is_some_and(|at| far[at] == b'}');
                let what = if is_closed && end - from >= near.len() {
                    Miswritten::TooLong
                } else {
                    Miswritten::Unclosed
                };
                found.push((start..end, what));
            }
            Some(length) => {
                let range = start..start + length + 1;
                let inside = head[word.len()..].trim_start();
                let inside = &inside[..range.end - (text.len() - inside.len()) - 1];
                if is_time && word != "time" {
                    let keyword = inside.find('|').unwrap_or(inside.len());
                    let lower = inside[..keyword].to_lowercase();
                    let meant = format!("${{time{lower}{}}}", &inside[keyword..]);
                    found.push((range, Miswritten::Meant(meant)));
                } else if is_dotted {
                    let meant = format!("${{param:{}}}", inside[1..].trim());
                    found.push((range, Miswritten::Meant(meant)));
                } else if is_param && word != "param" {
                    let meant = format!("${{param{inside}}}");
                    found.push((range, Miswritten::Meant(meant)));
                }
            }
        }
    }
    wide(text, &mut found);
    found
}

/// Whether a text is one reference of ours, and nothing else.
/// A time that is written like a parameter (`${time:today}`), or with a slip in its first word. What a shell or a template knows
/// under such a name is no keyword.
fn almost_time(
    text: &str,
    start: usize,
    word: &str,
    behind: &str,
) -> Option<(Range<usize>, Miswritten)> {
    let is_meant = match behind.chars().next()? {
        ':' => word.eq_ignore_ascii_case("time"),
        '.' => word.len() >= 3 && closest(word, ["time"]).is_some(),
        _ => false,
    };
    if !is_meant {
        return None;
    }
    let end = start + closing_brace(&text[start..])? + 1;
    let rest = &text[text.len() - behind.len()..];
    let inside = rest.get(1..end.checked_sub(text.len() - rest.len())?)?;
    let meant = format!("${{time.{inside}");
    let (_, expression) = time_expressions(&meant).into_iter().next()?;
    check_time_expression(expression).ok()?;
    Some((start..end, Miswritten::Meant(meant)))
}

fn is_plain(text: &str) -> bool {
    use Reference::{Kept, Param, Time};
    let reference = reference(text).filter(|(length, _)| *length == text.len());
    reference.is_some_and(|(_, reference)| match reference {
        Param(name) => is_identifier(name),
        Time(_) | Kept(_) => true,
        Reference::Bare(_) => false,
    })
}

/// References with wide signs: `${param：day}`, `＄{param:day}`, `$｛param:day｝`.
fn wide(text: &str, found: &mut Vec<(Range<usize>, Miswritten)>) {
    if !has_wide_sign(text) {
        return;
    }
    let mut from = 0;
    while let Some(at) = text[from..].find(['$', '＄']) {
        let start = from + at;
        let sign = if text[start..].starts_with('$') {
            1
        } else {
            '＄'.len_utf8()
        };
        from = start + sign;
        if !text[from..].starts_with(['{', '｛']) {
            continue;
        }
        let near = &text[start..text.floor_char_boundary(start + LONGEST_REFERENCE)];
        let line = near.lines().next().unwrap_or_default();
        let Some(brace) = line.find(['}', '｝']) else {
            continue;
        };
        let end = start
            + brace
            + text[start + brace..]
                .chars()
                .next()
                .map_or(0, char::len_utf8);
        let written = &text[start..end];
        let narrow = half_width(written);
        if narrow != written && reference(written).is_none() && is_plain(&narrow) {
            found.push((start..end, Miswritten::Meant(narrow)));
            from = end;
        }
    }
}

/// A value that is no parameter: it comes from a node, or from the run before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kept<'a> {
    /// `${output:node.name}`.
    Output {
        /// The node.
        node: &'a str,
        /// Its output.
        name: &'a str,
    },
    /// `${state:name}`.
    State {
        /// The state.
        name: &'a str,
    },
}

/// Where `${output:node.name}` and `${state:name}` stand in a text.
///
/// A shell has `${output:-word}` and `${state:0:3}`: what is no name of ours is passed over.
pub(crate) fn kept_references(text: &str) -> Vec<(Range<usize>, Kept<'_>)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = opening(&text[from..]) {
        let start = from + at;
        from = start + 2;
        let Some(end) = closing_brace(&text[start..]) else {
            continue;
        };
        if let Some(kept) = kept(text[start + 2..start + end].trim()) {
            from = start + end + 1;
            found.push((start..from, kept));
        }
    }
    found
}

fn kept(inside: &str) -> Option<Kept<'_>> {
    if let Some(name) = inside.strip_prefix("state:") {
        return is_identifier(name).then_some(Kept::State { name });
    }
    let (node, name) = inside.strip_prefix("output:")?.rsplit_once('.')?;
    let is_shell = node.starts_with(['-', '=', '+', '?']) || node.contains(['$', '{', '}']);
    (!node.is_empty() && !is_shell && is_identifier(name)).then_some(Kept::Output { node, name })
}
