//! Where every fact is kept: one narrow trait, an in-memory twin, SQLite and MySQL/MariaDB behind it.
//!
//! **Invariants:** the primary key of the journal is the fence: a master whose epoch is over cannot append, so it can
//! change nothing. Only the SQL modules name sqlx. No statement is built by pasting values.

use std::fmt;

use akkaflow_model::id::{AttemptKey, Epoch, InstanceId};
use akkaflow_model::record::{
    AttemptRow, FileProblemRow, FireRow, InstanceRow, NodeRow, Record, ScheduleRow, Snapshot,
    TokenRow, VersionRow, WorkflowRow,
};
use akkaflow_model::state::InstanceState;
use akkaflow_model::time::Timestamp;
use async_trait::async_trait;

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

/// The lease row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Names the cluster; drawn when the store was first used.
    pub cluster: u128,
    /// How many masters have led.
    pub epoch: Epoch,
    /// Name of the leading process; empty when it has given the lease back.
    pub holder: String,
    /// One start of that process.
    pub incarnation: u128,
    /// Where it serves gRPC: `127.0.0.1:2751`.
    pub endpoint: String,
    /// Grows with each renewal.
    pub renew_seq: u64,
    /// Database connections of the holder that a successor cuts before it takes over; empty for SQLite.
    pub connections: String,
}

/// Who wants to lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Name of the process.
    pub holder: String,
    /// One start of it.
    pub incarnation: u128,
    /// Where it will serve gRPC.
    pub endpoint: String,
    /// Journaled with the epoch: seed of the engine's ids.
    pub seed: u64,
}

/// A take-over that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenOver {
    /// The new epoch.
    pub epoch: Epoch,
    /// The journal position of its EPOCH_START; the first batch is the one after.
    pub seq: u64,
}

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

/// How a commit ended, when it did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Another master has appended at this position: step down at once.
    #[error("another master has taken over")]
    Fenced,
    /// Whether it was committed is unknown: ask [`Store::batch_at`], then commit the same batch again or step down.
    #[error("the outcome of a commit is unknown")]
    Unknown(#[source] Cause),
}

/// Order and bounds of a listing of instances.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstanceQuery {
    /// Only these states; empty means all.
    pub states: Vec<InstanceState>,
    /// Only of this workflow.
    pub workflow: Option<String>,
    /// Only of this creator.
    pub creator: Option<String>,
    /// Only those whose id or workflow name contains this, case-insensitively.
    pub key: Option<String>,
    /// Only those created at or after.
    pub from: Option<Timestamp>,
    /// Only those created before.
    pub to: Option<Timestamp>,
    /// At most so many, newest first by creation. 0 means 500.
    pub limit: u32,
}

/// The facts of the cluster.
///
/// All methods may be called at once from many tasks. Reads see committed rows only.
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// The lease row; `None` before the first master has led.
    async fn lease(&self) -> Result<Option<Lease>, Error>;

    /// Proves life. `Ok(false)`: the lease is someone else's.
    async fn renew(&self, epoch: Epoch, incarnation: u128) -> Result<bool, Error>;

    /// Takes the lease if it still is what `seen` says, in one transaction with the EPOCH_START entry of the journal.
    /// `seen: None` founds the cluster. `Ok(None)`: somebody else was faster.
    async fn take_over(
        &self,
        seen: Option<&Lease>,
        candidate: &Candidate,
    ) -> Result<Option<TakenOver>, Error>;

    /// Gives the lease back, so that a successor need not wait. Does nothing when it is someone else's.
    async fn release(&self, epoch: Epoch, incarnation: u128) -> Result<(), Error>;

    /// Appends to the journal and replaces rows, all or nothing, durable on return.
    async fn commit(&self, batch: &Batch) -> Result<(), CommitError>;

    /// The batch that stands at a position of the journal. EPOCH_START entries have ids of their own.
    async fn batch_at(&self, seq: u64) -> Result<Option<BatchId>, Error>;

    /// What a new master needs.
    async fn snapshot(&self, now: Timestamp) -> Result<Snapshot, Error>;

    /// A cluster-wide setting (`time-zone`), written once: returns what is in force.
    async fn setting(&self, name: &str, default: &str) -> Result<String, Error>;

    /// All workflows but deleted ones, by name.
    async fn workflows(&self) -> Result<Vec<WorkflowRow>, Error>;

    /// One workflow, deleted ones too.
    async fn workflow(&self, name: &str) -> Result<Option<WorkflowRow>, Error>;

    /// One content.
    async fn version(&self, version: &str) -> Result<Option<VersionRow>, Error>;

    /// One schedule.
    async fn schedule(&self, workflow: &str) -> Result<Option<ScheduleRow>, Error>;

    /// Fires of a workflow, newest first.
    async fn fires(&self, workflow: &str, limit: u32) -> Result<Vec<FireRow>, Error>;

    /// Tokens that wait for a workflow.
    async fn waiting_tokens(&self, dependant: &str) -> Result<Vec<TokenRow>, Error>;

    /// Problems of files, by path.
    async fn file_problems(&self) -> Result<Vec<FileProblemRow>, Error>;

    /// Instances, newest first by creation.
    async fn instances(&self, query: &InstanceQuery) -> Result<Vec<InstanceRow>, Error>;

    /// Ids that contain `part` of the hyphenated form, case-insensitively; at most `limit`.
    async fn instance_ids(&self, part: &str, limit: u32) -> Result<Vec<InstanceId>, Error>;

    /// How many instances ended in each state, by UTC day `yyyy-mm-dd` shifted by `offset_seconds`, from `from` on.
    async fn daily_counts(
        &self,
        from: Timestamp,
        offset_seconds: i32,
    ) -> Result<Vec<(String, InstanceState, u64)>, Error>;

    /// One instance.
    async fn instance(&self, id: InstanceId) -> Result<Option<InstanceRow>, Error>;

    /// The nodes of the latest run of an instance, in the order of `ready_at`, then of their writing.
    async fn nodes(&self, id: InstanceId) -> Result<Vec<NodeRow>, Error>;

    /// All attempts of an instance, of all runs, in the order of assignment.
    async fn attempts(&self, id: InstanceId) -> Result<Vec<AttemptRow>, Error>;

    /// Appends output. A chunk that is already there (same attempt, stream and offset) is passed over.
    async fn append_log(&self, chunks: &[LogChunk]) -> Result<(), Error>;

    /// Output of an instance in the order of its arrival, after the chunk numbered `after` (0: from the start).
    async fn read_log(
        &self,
        id: InstanceId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredChunk>, Error>;
}

/// Where a line of output came from; its level for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Standard output of a process: INFO.
    Stdout = 1,
    /// Standard error of a process: ERROR.
    Stderr = 2,
    /// What the action itself reports: INFO.
    Info = 3,
    /// The same: WARN.
    Warn = 4,
    /// The same: ERROR.
    Error = 5,
}

/// Output of one attempt on one stream. Cut at a line break wherever the worker could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChunk {
    /// Whose output.
    pub key: AttemptKey,
    /// Which stream.
    pub stream: Stream,
    /// Bytes of this stream before this chunk.
    pub offset: u64,
    /// When it was captured.
    pub at: Timestamp,
    /// The bytes.
    pub data: Vec<u8>,
}

/// A chunk with its place in the order of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredChunk {
    /// Grows with arrival; never 0.
    pub number: u64,
    /// The chunk.
    pub chunk: LogChunk,
}
