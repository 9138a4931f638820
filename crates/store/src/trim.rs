//! What is removed beside the core loop, because no decision rests on it any more.

use akkaflow_model::time::Timestamp;

/// What to remove. The output of instances that were removed goes whatever is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trim {
    /// Entries of the journal written earlier. EPOCH_START entries and the newest one stay: the fence rests on them.
    pub journal_before: Timestamp,
    /// Keys of repeatable requests made earlier.
    pub requests_before: Timestamp,
    /// Mails born earlier, whatever became of them.
    pub mails_before: Timestamp,
    /// Rows of each kind at most, so that no transaction lasts long.
    pub limit: u32,
}

/// How many rows were removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trimmed {
    /// Entries of the journal.
    pub journal: u64,
    /// Keys of requests.
    pub requests: u64,
    /// Mails.
    pub mails: u64,
    /// Chunks of output.
    pub output: u64,
    /// Instances whose output is gone to the last chunk.
    pub swept: u64,
}

impl Trimmed {
    /// Whether there was nothing to remove.
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

impl std::ops::AddAssign for Trimmed {
    fn add_assign(&mut self, other: Self) {
        self.journal += other.journal;
        self.requests += other.requests;
        self.mails += other.mails;
        self.output += other.output;
        self.swept += other.swept;
    }
}
