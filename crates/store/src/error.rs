//! What can go wrong between us and a database.

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database does not answer; nothing is known to be wrong with the data.
    #[error("the metadata database cannot be reached")]
    Unavailable(#[source] Cause),
    /// The database answered with an error.
    #[error("the metadata database refused a statement")]
    Refused(#[source] Cause),
    /// A row is not what we wrote.
    #[error("the metadata database holds a row that cannot be read: {0}")]
    Corrupt(String),
    /// The database cannot be used as it is configured.
    #[error("{0}")]
    Unsuitable(String),
}

/// A driver's error, kept out of the trait.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;
