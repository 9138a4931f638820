//! Comma-separated values by RFC 4180, one row. Fields may stand in quotes, and hold delimiters, quotes and line breaks then. As in
//! PostgreSQL, a field without quotes that is the text for NULL, by default nothing, is NULL; one in quotes never is.

use akkaflow_model::text::Text;

use super::delimiter::{Delimiter, FormatError};
use super::format::{Mistake, Taken};
use crate::batch::Batch;

/// The signs of a CSV file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csv {
    pub(super) delimiter: Delimiter,
    pub(super) quote: u8,
    /// What stands before a quote within quotes; the quote itself by default.
    pub(super) escape: u8,
    null_text: Vec<u8>,
}

/// Where a field ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Field,
    Row,
}

impl Csv {
    /// Values parted by `delimiter`, with `quote` around them and `escape` before a quote within. NULL is the empty field.
    ///
    /// # Errors
    /// When the delimiter holds one of the signs.
    pub fn new(delimiter: Delimiter, quote: u8, escape: u8) -> Result<Self, FormatError> {
        if memchr::memchr2(quote, escape, delimiter.as_bytes()).is_some() {
            return Err(FormatError(Text::new(
                "分隔符不能含有引号或转义符",
                "a delimiter holds neither the quote nor the escape",
            )));
        }
        Ok(Self {
            delimiter,
            quote,
            escape,
            null_text: Vec::new(),
        })
    }

    /// The same with another spelling of NULL.
    ///
    /// # Errors
    /// When a field without quotes cannot be this text.
    pub fn with_null_text(mut self, text: &str) -> Result<Self, FormatError> {
        let has_delimiter =
            memchr::memmem::find(text.as_bytes(), self.delimiter.as_bytes()).is_some();
        if has_delimiter || text.contains([char::from(self.quote), '\n', '\r']) {
            return Err(FormatError(Text::new(
                "表示NULL的文本不能含有分隔符、引号或换行",
                "the text for NULL holds neither delimiter nor quote nor line break",
            )));
        }
        self.null_text = text.as_bytes().to_vec();
        Ok(self)
    }

    /// The sign that `text` names: one printable character of ASCII that is neither letter nor digit.
    ///
    /// # Errors
    /// When it is none.
    pub fn sign(text: &str) -> Result<u8, FormatError> {
        match text.as_bytes() {
            [sign] if sign.is_ascii_punctuation() => Ok(*sign),
            _ => Err(FormatError(Text::new(
                "须是一个ASCII标点符号",
                "it is one punctuation character of ASCII",
            ))),
        }
    }

    /// Appends the values of the first row of `text`; `None` when its end is not there yet.
    pub(super) fn take_row(
        &self,
        text: &[u8],
        is_at_end: bool,
        batch: &mut Batch,
    ) -> Result<Option<Taken>, Mistake> {
        let mut taken = Taken { bytes: 0, lines: 0 };
        loop {
            let field = match text.get(taken.bytes) {
                Some(byte) if *byte == self.quote => {
                    self.take_quoted(text, is_at_end, &mut taken, batch)?
                }
                _ => self.take_plain(text, is_at_end, &mut taken, batch)?,
            };
            match field {
                Some(End::Field) => {}
                Some(End::Row) => return Ok(Some(taken)),
                None => {
                    batch.undo_row();
                    return Ok(None);
                }
            }
        }
    }

    #[inline]
    fn take_plain(
        &self,
        text: &[u8],
        is_at_end: bool,
        taken: &mut Taken,
        batch: &mut Batch,
    ) -> Result<Option<End>, Mistake> {
        let delimiter = self.delimiter.as_bytes();
        let start = taken.bytes;
        let mut from = start;
        let (mut value, end) = loop {
            let rest = &text[from..];
            let Some(at) = memchr::memchr3(delimiter[0], b'\n', self.quote, rest) else {
                if !is_at_end {
                    return Ok(None);
                }
                taken.bytes = text.len();
                break (&text[start..], End::Row);
            };
            let value = &text[start..from + at];
            if rest[at..].starts_with(delimiter) {
                taken.bytes = from + at + delimiter.len();
                break (value, End::Field);
            }
            match rest[at] {
                b'\n' => {
                    taken.bytes = from + at + 1;
                    break (value, End::Row);
                }
                byte if byte == self.quote => return Err(quote_within(taken.lines)),
                _ => from += at + 1,
            }
        };
        if end == End::Row {
            value = value.strip_suffix(b"\r").unwrap_or(value);
            taken.lines += 1;
        }
        match value == self.null_text {
            true => batch.push_null(),
            false => batch.push(value),
        }
        Ok(Some(end))
    }

    fn take_quoted(
        &self,
        text: &[u8],
        is_at_end: bool,
        taken: &mut Taken,
        batch: &mut Batch,
    ) -> Result<Option<End>, Mistake> {
        let start = taken.bytes + 1;
        let Some(length) = self.closing(&text[start..]) else {
            return match is_at_end {
                true => Err(never_closed(taken.lines)),
                false => Ok(None),
            };
        };
        let behind = &text[start + length + 1..];
        let (end, length_of_end) = match behind {
            [] if is_at_end => (End::Row, 0),
            [b'\r'] if is_at_end => (End::Row, 1),
            [b'\n', ..] => (End::Row, 1),
            [b'\r', b'\n', ..] => (End::Row, 2),
            _ if behind.starts_with(self.delimiter.as_bytes()) => {
                (End::Field, self.delimiter.as_bytes().len())
            }
            // What stands behind may still become a delimiter, a line break or the second of two quotes.
            _ if !is_at_end && self.may_be_cut(behind) => return Ok(None),
            _ => {
                return Err(text_behind(
                    taken.lines + breaks(&text[start..start + length]),
                ));
            }
        };
        let value = &text[start..start + length];
        batch.push_with(|output| self.append_unescaped(value, output));
        taken.lines += breaks(value) + u64::from(end == End::Row);
        taken.bytes = start + length + 1 + length_of_end;
        Ok(Some(end))
    }

    fn may_be_cut(&self, behind: &[u8]) -> bool {
        behind == b"\r" || self.delimiter.as_bytes().starts_with(behind)
    }

    /// Where the quote stands that ends the value at the beginning of `text`.
    fn closing(&self, text: &[u8]) -> Option<usize> {
        let mut from = 0;
        loop {
            let at = from + memchr::memchr2(self.quote, self.escape, &text[from..])?;
            if self.is_escape(&text[at..]) {
                from = at + 2;
            } else if text[at] == self.quote {
                return Some(at);
            } else {
                from = at + 1;
            }
        }
    }

    /// Whether the text begins with an escape and what it is meant for: a quote or itself.
    fn is_escape(&self, text: &[u8]) -> bool {
        matches!(text, [first, second, ..]
            if *first == self.escape && (*second == self.quote || *second == self.escape))
    }

    fn append_unescaped(&self, mut value: &[u8], output: &mut Vec<u8>) {
        while let Some(at) = memchr::memchr(self.escape, value) {
            let is_escape = self.is_escape(&value[at..]);
            output.extend_from_slice(&value[..at]);
            output.push(value[at + usize::from(is_escape)]);
            value = &value[at + 1 + usize::from(is_escape)..];
        }
        output.extend_from_slice(value);
    }

    /// What NULL is, outside of quotes.
    pub(super) fn null_text(&self) -> &[u8] {
        &self.null_text
    }

    /// Whether a value without special bytes would be taken for NULL.
    pub(super) fn means_null(&self, value: &[u8]) -> bool {
        value == self.null_text
    }

    /// Appends a value in quotes.
    pub(super) fn append_quoted(&self, value: &[u8], output: &mut Vec<u8>) {
        output.push(self.quote);
        for byte in value {
            if *byte == self.quote || *byte == self.escape {
                output.push(self.escape);
            }
            output.push(*byte);
        }
        output.push(self.quote);
    }
}

fn breaks(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

fn never_closed(lines: u64) -> Mistake {
    Mistake {
        lines,
        text: Text::new(
            "此处开始的引号没有结束",
            "a quote that is opened here is never closed",
        ),
    }
}

fn quote_within(lines: u64) -> Mistake {
    Mistake {
        lines,
        text: Text::new(
            "字段中间有引号：请将整个字段放入引号并把其中的引号写两次，或更换quote",
            "a quote stands within a field: put the whole field in quotes and double the inner one, or choose another `quote`",
        ),
    }
}

fn text_behind(lines: u64) -> Mistake {
    Mistake {
        lines,
        text: Text::new(
            "结束引号之后还有文本：字段中的引号须写两次（或使用escape）",
            "text stands behind a closing quote: a quote within a field is doubled, or escaped by `escape`",
        ),
    }
}
