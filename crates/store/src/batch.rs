//! One transaction of the active master, and how it can end.

use akkaflow_model::id::Epoch;
use akkaflow_model::record::Record;

use crate::error::Error;
use crate::place::Place;

/// Names one batch, so that a commit whose answer was lost can be recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BatchId(pub u128);

/// One transaction of the active master.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Position in the journal: exactly one more than the last.
    pub seq: u64,
    /// The epoch under which it was decided.
    pub epoch: Epoch,
    /// Its name.
    pub id: BatchId,
    /// The accepted inputs, in order, as JSON.
    pub journal: Vec<u8>,
    /// The rows to replace, in order.
    pub records: Vec<Record>,
}

/// One entry of the journal, as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// Its position.
    pub seq: u64,
    /// The epoch under which it was decided.
    pub epoch: Epoch,
    /// [`Batch::journal`].
    pub body: Vec<u8>,
}

/// How a commit ended, when it did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Another master has appended at this position: step down at once.
    #[error("another master has taken over")]
    Fenced,
    /// Whether it was committed is unknown: ask [`Queries::batch_at`](crate::Queries::batch_at), then commit the same batch again or step down.
    #[error("the outcome of a commit is unknown")]
    Unknown(#[source] Error),
}

impl CommitError {
    /// The same failure, saying of which database it is.
    pub(crate) fn at(self, known: &Place) -> Self {
        match self {
            Self::Fenced => Self::Fenced,
            Self::Unknown(error) => Self::Unknown(error.at(known)),
        }
    }
}
