//! The log of an instance.

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// Response header with the cursor of what follows: the next request's `?after=`.
pub const LOG_CURSOR_HEADER: &str = "akkaflow-log-cursor";

/// Response header: `true` once the instance is over and every line of it has been given out.
pub const LOG_COMPLETE_HEADER: &str = "akkaflow-log-complete";

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Ordinary.
    Info,
    /// Recovered.
    Warn,
    /// Went wrong.
    Error,
}

impl Level {
    /// As it is written: `INFO`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it was captured.
    pub time: Time,
    /// How grave it is.
    pub level: Level,
    /// The node it belongs to; `null` for the instance itself.
    pub node: Option<String>,
    /// The try it belongs to, from 1; `null` when it belongs to none.
    pub attempt: Option<u32>,
    /// Without its line break.
    pub text: String,
}
