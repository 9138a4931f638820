//! How an attempt fails. The action decides; nobody matches on message text.

use akkaflow_model::text::Text;

/// The bad end of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// Another attempt may succeed.
    #[error("{}", .0.en)]
    Retryable(Text),
    /// Another attempt would fail in the same way.
    #[error("{}", .0.en)]
    Fatal(Text),
    /// It looked, and what it waits for is not there yet: no failure.
    #[error("not yet")]
    NotYet {
        /// What it saw: the same seen twice is what it waits for. In words first, then whatever tells two sights apart.
        seen: Vec<(String, String)>,
    },
    /// Stopped because [`crate::AttemptContext::cancelled`] fired; nothing of it is left running.
    #[error("cancelled")]
    Cancelled,
}

impl From<akkaflow_connectors::Error> for ActionError {
    /// What is configured wrongly stays wrong; anything else may go better next time.
    fn from(error: akkaflow_connectors::Error) -> Self {
        match error {
            akkaflow_connectors::Error::Cancelled => Self::Cancelled,
            akkaflow_connectors::Error::Configuration(text) => Self::Fatal(text),
            other => Self::Retryable(other.text()),
        }
    }
}
