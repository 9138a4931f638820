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
    /// What was counted and measured, where anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<Box<Figures>>,
}

impl Outcome {
    /// An end of this kind of which nothing else is known.
    pub fn new(kind: OutcomeKind) -> Self {
        Self {
            kind,
            text: None,
            exit_code: None,
            log_length: 0,
            outputs: Vec::new(),
            figures: None,
        }
    }
}

/// What an attempt used and measured, as far as somebody counted it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Processor time of its processes, or of the threads that worked for it, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_millis: Option<u64>,
    /// The most memory that one of its processes held, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory: Option<u64>,
    /// Bytes of rows or files that it moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// What a `<data-monitor>` has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
}

/// A number that was held against its limits; each as short as its decimal form can be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Measured {
    /// The number; empty where none could be read.
    pub value: String,
    /// The smallest that is allowed, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// The greatest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
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
    /// It looked, and what it waits for is not there yet: not a failure, look again. With a text, it could not even begin for
    /// want of that.
    NotYet,
}
