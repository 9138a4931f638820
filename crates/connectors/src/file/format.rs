//! How rows stand in a file.

use super::csv::Csv;
use super::delimiter::Delimiter;
use super::text;
use crate::batch::Batch;
use akkaflow_model::text::Text;

/// How rows stand in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// How one row is spelled.
    pub layout: Layout,
    /// Whether the names of the columns stand before the rows, spelled as a row.
    pub has_header: bool,
}

/// How one row is spelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// Fields parted by a delimiter, without quotes.
    Text(Delimiter),
    /// RFC 4180.
    Csv(Csv),
}

/// A row that was taken off the front of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// Its length, line break included.
    pub(super) bytes: usize,
    /// Line breaks in it.
    pub(super) lines: u64,
}

/// Why a text is no row.
#[derive(Debug)]
pub(super) struct Mistake {
    /// Line breaks between the row's beginning and the mistake.
    pub(super) lines: u64,
    /// What is wrong.
    pub(super) text: Text,
}

impl Layout {
    /// Appends the values of the first row of `text` to the row under way in `batch`; nothing, and `None`, when its end is not there yet.
    #[inline]
    pub(super) fn take_row(
        &self,
        text: &[u8],
        is_at_end: bool,
        batch: &mut Batch,
    ) -> Result<Option<Taken>, Mistake> {
        if text.is_empty() {
            return Ok(None);
        }
        match self {
            Self::Text(delimiter) => Ok(text::take_row(delimiter, text, is_at_end, batch)),
            Self::Csv(csv) => csv.take_row(text, is_at_end, batch),
        }
    }

    /// What stands between two values.
    pub(super) fn delimiter(&self) -> &[u8] {
        match self {
            Self::Text(delimiter) => delimiter.as_bytes(),
            Self::Csv(csv) => csv.delimiter.as_bytes(),
        }
    }

    /// Bytes that a value cannot hold as they are: line breaks, the delimiter's first, signs.
    pub(super) fn special_bytes(&self) -> [bool; 256] {
        let mut is_special = [false; 256];
        let signs = match self {
            Self::Text(_) => &[][..],
            Self::Csv(csv) => &[csv.quote, csv.escape],
        };
        for byte in [b'\n', b'\r', self.delimiter()[0]].iter().chain(signs) {
            is_special[usize::from(*byte)] = true;
        }
        is_special
    }
}
