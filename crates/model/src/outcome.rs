//! How an attempt ended, as the worker reports it.

use serde::{Deserialize, Serialize};

use crate::text::Text;

/// Names and values of an attempt's outputs together are no longer, bytes: they stand in a row that is written with every
/// change of the node.
pub const OUTPUTS_BYTES: usize = 64 << 10;

/// An attempt hands on no more values.
pub const MOST_OUTPUTS: usize = 200;

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How.
    pub kind: OutcomeKind,
    /// In words; `None` for plain success.
    #[serde(default)]
    pub text: Option<Text>,
    /// Exit code of the process, where it had one.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// Bytes of output captured.
    #[serde(default)]
    pub log_length: u64,
    /// What the action hands on, name and value.
    #[serde(default)]
    pub outputs: Vec<(String, String)>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// The action succeeded.
    Succeeded,
    /// It failed; another attempt may succeed.
    Failed,
    /// It failed, and would fail again (a wrong definition): no retry.
    FailedForGood,
    /// It was cancelled on our request and is proven gone.
    Cancelled,
    /// The worker cannot tell: its processes died with the machine or the supervisor.
    Lost,
    /// It looked, and what it waits for is not there yet: not a failure, look again.
    NotYet,
}
