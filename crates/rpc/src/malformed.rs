//! What is wrong with a message from the other side.

use tonic::Status;

/// A message that no version of ours sends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A field that must be there is not.
    #[error("malformed message: the field `{0}` is missing")]
    Missing(&'static str),
    /// A field does not hold what it should.
    #[error("malformed message: the field `{0}` is invalid")]
    Invalid(&'static str),
}

impl From<Malformed> for Status {
    fn from(malformed: Malformed) -> Self {
        Self::invalid_argument(malformed.to_string())
    }
}
