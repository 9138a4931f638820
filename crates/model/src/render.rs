//! Findings as people read them.
//!
//! ```text
//! error[AF104]: `retry-times` must be a whole number, found `三`
//!  --> xmlconfig/report.xml:2:33
//!   |
//! 2 |   <action name="a" retry-times="三">
//!   |                                 ^^
//!   = help: write 0 to switch retries off
//! ```

mod excerpt;
mod paint;
mod sarif;

use crate::code;
use crate::diagnostic::{Diagnostic, Finding, Severity};
use crate::element::Span;
use crate::links::may_hold_password;
use crate::text::Lang;
use excerpt::{Excerpt, visible};
use paint::Paint;

pub use sarif::sarif;

/// Where an excerpt is cut, in characters.
const LONGEST_EXCERPT: usize = 400;
/// Columns of a line that are shown where nobody says how many there are: in a file or a pipe.
const PIPED_COLUMNS: usize = 200;

/// Spells out the place of one diagnostic.
pub fn locate(source: &str, file: &str, diagnostic: &Diagnostic) -> Finding {
    Lines::new(source).locate(file, diagnostic)
}

/// Spells out the places of many, at the cost of one pass over the text.
pub fn locate_all(source: &str, file: &str, diagnostics: &[Diagnostic]) -> Vec<Finding> {
    if diagnostics.is_empty() {
        return Vec::new();
    }
    let mut lines = Lines::new(source);
    let secrets = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.code == code::SECRET_IN_CLEAR);
    lines
        .secrets
        .extend(secrets.map(|diagnostic| diagnostic.span));
    diagnostics
        .iter()
        .map(|diagnostic| lines.locate(file, diagnostic))
        .collect()
}

/// A part of a line.
struct Part {
    text: String,
    /// Characters of the line that precede it.
    from: usize,
}

/// The part of a line of a file that is shown for a place in it, in bytes: all of it unless it is long.
fn part(line: &str, place: std::ops::Range<usize>) -> std::ops::Range<usize> {
    // No character is shorter than a byte.
    if line.len() <= LONGEST_EXCERPT || line.chars().nth(LONGEST_EXCERPT).is_none() {
        return 0..line.len();
    }
    let behind = |at: usize, characters: usize| {
        let end = line[at..].char_indices().nth(characters);
        end.map_or(line.len(), |(length, _)| at + length)
    };
    let first = behind(0, LONGEST_EXCERPT);
    if place.end.min(place.start + LONGEST_EXCERPT) <= first {
        return 0..first;
    }
    let before = |at: usize, characters: usize| {
        let start = line[..at].char_indices().rev().take(characters).last();
        start.map_or(at, |(start, _)| start)
    };
    let start = before(place.start, LONGEST_EXCERPT / 4);
    // Near the end of the line there is room for more before it.
    let start = start.min(before(line.len(), LONGEST_EXCERPT));
    start..behind(start, LONGEST_EXCERPT)
}

/// A text and where its lines begin.
pub(crate) struct Lines<'a> {
    source: &'a str,
    starts: Vec<usize>,
    /// What no excerpt shows: findings are logged, stored and mailed.
    secrets: Vec<Span>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        let bytes = source.as_bytes();
        Self {
            source,
            starts: std::iter::once(0).chain(breaks(bytes, bytes)).collect(),
            secrets: secrets(source),
        }
    }

    /// The part of the line at `begin` that shows a place of it.
    fn excerpt(&self, line: &str, begin: usize, place: std::ops::Range<usize>) -> Part {
        let part = part(line, place);
        let from = line[..part.start].chars().count();
        let (line, begin) = (&line[part.clone()], begin + part.start);
        // A hostile line holds a hundred thousand of them.
        let end = begin + line.len();
        let near: Vec<&Span> = self
            .secrets
            .iter()
            .filter(|span| span.start < end && span.end > begin)
            .collect();
        let is_secret = |at: usize| near.iter().any(|span| span.range().contains(&(begin + at)));
        let text = line
            .char_indices()
            .map(|(at, character)| if is_secret(at) { '*' } else { character })
            .collect();
        Part { text, from }
    }

    pub(crate) fn locate(&self, file: &str, diagnostic: &Diagnostic) -> Finding {
        let start = self.boundary(diagnostic.span.start);
        let index = self.starts.partition_point(|begin| *begin <= start) - 1;
        let begin = self.starts[index];
        let line = self.line(index);
        let line_end = begin + line.len();
        let end = self
            .boundary(diagnostic.span.end)
            .clamp(start, line_end.max(start));
        let place = (start - begin).min(line.len())..end.clamp(begin, line_end) - begin;
        let excerpt = self.excerpt(line, begin, place);
        Finding {
            code: diagnostic.code.to_owned(),
            severity: diagnostic.severity,
            file: file.to_owned(),
            line: count(index + 1),
            column: count(1 + self.source[begin..start].chars().count()),
            width: count(self.source[start..end].chars().count()).max(1),
            excerpt: excerpt.text,
            excerpt_from: count(excerpt.from),
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
        }
    }

    /// A line without its break.
    fn line(&self, index: usize) -> &'a str {
        let end = self.starts.get(index + 1).copied();
        let line = &self.source[self.starts[index]..end.unwrap_or(self.source.len())];
        line.trim_end_matches(['\r', '\n'])
    }

    fn boundary(&self, at: usize) -> usize {
        self.source.floor_char_boundary(at.min(self.source.len()))
    }
}

/// What the files of links hold in clear, on lines with other things: the values of attributes called `password`, and addresses with
/// a password in them.
fn secrets(source: &str) -> Vec<Span> {
    let addresses = values(source, "jdbc-url");
    let addresses = addresses.filter(|span| may_hold_password(&source[span.range()]));
    values(source, "password").chain(addresses).collect()
}

/// Where the values of attributes of this name stand.
fn values<'a>(source: &'a str, name: &'a str) -> impl Iterator<Item = Span> + 'a {
    let value = move |at: usize| {
        let rest = source[at + name.len()..].trim_start().strip_prefix('=')?;
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let rest = &rest[1..];
        let start = source.len() - rest.len();
        // One that is never closed may reach as far as the line.
        let length = rest.find([quote, '\n']).unwrap_or(rest.len());
        Some(Span {
            start,
            end: start + length,
        })
    };
    memchr::memmem::find_iter(source.as_bytes(), name.as_bytes()).filter_map(value)
}

/// The line, from 1, in which a place of a text stands.
pub(crate) fn line_of(source: &str, place: usize) -> usize {
    1 + breaks(&source.as_bytes()[..place], source.as_bytes()).count()
}

/// Where the lines of a text begin, but for the first. A CR alone ends one, too: old programs write no more.
fn breaks<'b>(bytes: &'b [u8], all: &'b [u8]) -> impl Iterator<Item = usize> + 'b {
    memchr::memchr2_iter(b'\n', b'\r', bytes)
        .filter(|at| all[*at] == b'\n' || all.get(at + 1) != Some(&b'\n'))
        .map(|at| at + 1)
}

/// Files are limited to a mebibyte, so every count fits.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Findings one below the other, with an empty line between them; ends with a line break unless empty. It needs nothing but
/// the findings, which may have come over the wire; control characters in them are made harmless.
pub fn render_findings(findings: &[Finding], lang: Lang, color: bool) -> String {
    render_for(findings, lang, color, None)
}

/// The same on a terminal of `width` columns: of a line of a file that is longer the part with the place is shown.
pub fn render_for(findings: &[Finding], lang: Lang, color: bool, width: Option<usize>) -> String {
    let paint = Paint { color };
    let blocks: Vec<String> = findings
        .iter()
        .map(|finding| block(finding, lang, paint, width))
        .collect();
    blocks.join("\n")
}

fn block(finding: &Finding, lang: Lang, paint: Paint, width: Option<usize>) -> String {
    let word = severity_word(finding.severity, lang);
    let head = format!("{word}[{}]", visible(&finding.code));
    let message = visible(finding.message.get(lang));
    let colon = match lang {
        Lang::Zh => "：",
        Lang::En => ": ",
    };
    let number = finding.line.to_string();
    let margin = " ".repeat(number.len());
    let mut lines = vec![
        format!(
            "{}{}",
            paint.severity(finding.severity, &head),
            paint.strong(&format!("{colon}{message}"))
        ),
        format!(
            "{margin}{} {}:{}:{}",
            paint.frame("-->"),
            file_name(&finding.file),
            finding.line,
            finding.column
        ),
    ];
    if !finding.excerpt.trim().is_empty() {
        lines.push(format!("{margin} {}", paint.frame("|")));
        let frame = format!("{number} |");
        let width = width.unwrap_or(PIPED_COLUMNS);
        let room = width.saturating_sub(frame.len() + 1);
        let Excerpt { line, carets } = Excerpt::of(finding, room);
        lines.push(format!("{} {line}", paint.frame(&frame)));
        if let Some((before, carets)) = carets {
            let carets = paint.severity(finding.severity, &"^".repeat(carets));
            let blanks = " ".repeat(before);
            lines.push(format!("{margin} {} {blanks}{carets}", paint.frame("|")));
        }
    }
    if let Some(help) = &finding.help {
        let word = match lang {
            Lang::Zh => "帮助：",
            Lang::En => "help: ",
        };
        lines.push(format!(
            "{margin} {} {}{}",
            paint.frame("="),
            paint.strong(word),
            visible(help.get(lang))
        ));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// A name may hold anything: what would break the line is spelled out, so that the file can be found.
fn file_name(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    visible(&shown)
}

fn severity_word(severity: Severity, lang: Lang) -> &'static str {
    match (severity, lang) {
        (Severity::Error, Lang::En) => "error",
        (Severity::Error, Lang::Zh) => "错误",
        (Severity::Warning, Lang::En) => "warning",
        (Severity::Warning, Lang::Zh) => "警告",
        (Severity::Note, Lang::En) => "note",
        (Severity::Note, Lang::Zh) => "提示",
    }
}

#[cfg(test)]
mod tests;
