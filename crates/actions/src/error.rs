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
    /// Stopped because [`crate::AttemptContext::cancelled`] fired; nothing of it is left running.
    #[error("cancelled")]
    Cancelled,
}
