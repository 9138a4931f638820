//! Output of actions, as it is kept.

use akkaflow_model::id::AttemptKey;
use akkaflow_model::time::Timestamp;

/// Where a line of output came from; its level for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Standard output of a process: INFO.
    Stdout = 1,
    /// Standard error of a process: ERROR.
    Stderr = 2,
    /// What the action itself reports: INFO.
    Info = 3,
    /// The same: WARN.
    Warn = 4,
    /// The same: ERROR.
    Error = 5,
}

/// Output of one attempt on one stream. Cut at a line break wherever the worker could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChunk {
    /// Whose output.
    pub key: AttemptKey,
    /// Which stream.
    pub stream: Stream,
    /// Bytes of this stream before this chunk.
    pub offset: u64,
    /// When it was captured.
    pub at: Timestamp,
    /// The bytes.
    pub data: Vec<u8>,
}

/// A chunk with its place in the order of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredChunk {
    /// Grows with arrival; never 0.
    pub number: u64,
    /// The chunk.
    pub chunk: LogChunk,
}

impl Stream {
    /// The number that databases hold.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The stream with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Stdout),
            2 => Some(Self::Stderr),
            3 => Some(Self::Info),
            4 => Some(Self::Warn),
            5 => Some(Self::Error),
            _ => None,
        }
    }
}
