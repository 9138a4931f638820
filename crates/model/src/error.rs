//! The closed set of ways in which a request can go wrong.

use serde::{Deserialize, Serialize};

/// What kind of failure a caller sees. It has exactly three total mappings: gRPC status (`rpc`), HTTP status (`http`)
/// and exit code (`cli`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request itself is wrong.
    Invalid,
    /// What it names does not exist.
    NotFound,
    /// What it names is not in a state that allows it.
    Conflict,
    /// The caller may not do this.
    Forbidden,
    /// Too much at once; try again later.
    Exhausted,
    /// No active master, or no database; nothing was lost, try again.
    Unavailable,
    /// The answer did not come in time; the outcome is unknown.
    Timeout,
    /// Our fault.
    Internal,
}
