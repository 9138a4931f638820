//! What a test of a link says.

use std::time::Duration;

use akkaflow_model::text::Text;

/// What nodes do with a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartName {
    /// It is connected to; of a host the key is known.
    Connect,
    /// A directory is listed.
    List,
    /// Rows or a file are read.
    Read,
    /// Rows or a file are written.
    Write,
    /// Rows are written as transfers do.
    Bulk,
    /// A running statement is stopped.
    Cancel,
    /// A file gets another name.
    Rename,
}

impl PartName {
    const ALL: [Self; 7] = [
        Self::Connect,
        Self::List,
        Self::Read,
        Self::Write,
        Self::Bulk,
        Self::Cancel,
        Self::Rename,
    ];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::List => "list",
            Self::Read => "read",
            Self::Write => "write",
            Self::Bulk => "bulk",
            Self::Cancel => "cancel",
            Self::Rename => "rename",
        }
    }

    /// Reads [`PartName::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == word)
    }
}

/// How one part of a test went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkPart {
    /// Which.
    pub name: PartName,
    /// Whether it works.
    pub works: bool,
    /// How long it took.
    pub elapsed: Duration,
    /// How fast it is; why it does not work, and what to do.
    pub said: Text,
}
