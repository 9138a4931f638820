//! How rows stand in a file.

use akkaflow_model::text::Text;

use super::compression::Compression;
use super::csv::Csv;
use super::delimiter::Delimiter;
use super::encoding::Encoding;

/// How rows stand in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// How one row is spelled.
    pub layout: Layout,
    /// Whether the names of the columns stand before the rows, spelled as a row.
    pub has_header: bool,
    /// In which bytes it holds its text.
    pub encoding: Encoding,
    /// Whether these are compressed.
    pub compression: Compression,
}

impl Format {
    /// Rows spelled by `layout`, in UTF-8, without a header.
    pub fn new(layout: Layout) -> Self {
        Self {
            layout,
            has_header: false,
            encoding: Encoding::UTF_8,
            compression: Compression::Auto,
        }
    }
}

/// How one row is spelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// Fields parted by a delimiter, without quotes.
    Text(Delimiter),
    /// RFC 4180.
    Csv(Csv),
    /// An object of JSON on a line of its own; its keys are the columns.
    JsonLines,
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

impl Mistake {
    /// On the row's first line.
    pub(super) fn here(text: Text) -> Self {
        Self { lines: 0, text }
    }
}

impl Layout {
    /// What stands between two values.
    pub(super) fn delimiter(&self) -> &[u8] {
        match self {
            Self::Text(delimiter) => delimiter.as_bytes(),
            Self::Csv(csv) => csv.delimiter.as_bytes(),
            Self::JsonLines => b",",
        }
    }

    /// Bytes that a value cannot hold as they are: line breaks, the delimiter's first, signs.
    pub(super) fn special_bytes(&self) -> [bool; 256] {
        let mut is_special = [false; 256];
        let signs = match self {
            Self::Text(_) | Self::JsonLines => &[][..],
            Self::Csv(csv) => &[csv.quote, csv.escape],
        };
        for byte in [b'\n', b'\r', self.delimiter()[0]].iter().chain(signs) {
            is_special[usize::from(*byte)] = true;
        }
        is_special
    }
}
