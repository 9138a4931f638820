//! A piece of an expression that knows where it stands.

use std::ops::Range;

use crate::cron::CronError;
use crate::text::Text;

/// A piece of the expression and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl<'a> Piece<'a> {
    /// All of a text, without the blanks around it.
    pub(super) fn trimmed(text: &'a str) -> Self {
        Self {
            text: text.trim(),
            start: text.len() - text.trim_start().len(),
        }
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    pub(super) fn split(self, separator: char) -> impl Iterator<Item = Piece<'a>> {
        let mut start = self.start;
        self.text.split(separator).map(move |text| {
            let piece = Piece { text, start };
            start += text.len() + separator.len_utf8();
            piece
        })
    }

    /// The words between blanks.
    pub(super) fn words(self) -> impl Iterator<Item = Piece<'a>> {
        let begin = self.text.as_ptr() as usize;
        self.text.split_whitespace().map(move |text| Piece {
            text,
            start: self.start + (text.as_ptr() as usize - begin),
        })
    }

    pub(super) fn split_once(self, separator: char) -> Option<(Piece<'a>, Piece<'a>)> {
        let (left, right) = self.text.split_once(separator)?;
        let start = self.start + left.len() + separator.len_utf8();
        Some((
            Piece {
                text: left,
                start: self.start,
            },
            Piece { text: right, start },
        ))
    }

    pub(super) fn strip_suffix(self, suffix: [char; 2]) -> Option<Piece<'a>> {
        let text = self.text.strip_suffix(suffix)?;
        Some(Piece {
            text,
            start: self.start,
        })
    }

    pub(super) fn is_any(self) -> bool {
        matches!(self.text, "*" | "?")
    }

    pub(super) fn error(self, zh: impl Into<String>, en: impl Into<String>) -> CronError {
        CronError {
            message: Text::new(zh, en),
            help: None,
            range: self.range(),
        }
    }
}

impl CronError {
    /// The same with what to do.
    pub(super) fn helped(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.help = Some(Text::new(zh, en));
        self
    }
}
