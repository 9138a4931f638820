//! The narrow trait that everyone else codes against, in two halves: asking, and all the rest.

use std::fmt;

use akkaflow_model::backfill::{BackfillRow, BackfillRunRow};
use akkaflow_model::id::{Epoch, InstanceId};
use akkaflow_model::links::LinkRow;
use akkaflow_model::mail::{MailKey, StoredMail};
use akkaflow_model::record::{
    AttemptRow, CalendarRow, FileProblemRow, FireRow, InstanceRow, Measurement, NodeRow,
    ScheduleRow, Snapshot, StateRow, Success, TokenRow, VersionRow, WorkflowRow,
};
use akkaflow_model::state::InstanceState;
use akkaflow_model::time::Timestamp;
use async_trait::async_trait;
use futures::StreamExt as _;
use futures::channel::mpsc;

use crate::batch::{Batch, BatchId, CommitError, JournalRow};
use crate::error::Error;
use crate::lease::{Candidate, Lease, TakenOver};
use crate::log::{LogChunk, StoredChunk};
use crate::query::{InstanceQuery, MailQuery, RunCounts};
use crate::trim::{Trim, Trimmed};

/// Takes the contents that a new master needs; a reader that has gone away misses the rest.
pub type Contents = mpsc::Sender<Vec<VersionRow>>;

/// What anybody may ask of the facts, at any time.
#[async_trait]
pub trait Queries: Send + Sync {
    /// The batch that stands at a position of the journal. EPOCH_START entries have ids of their own.
    async fn batch_at(&self, seq: u64) -> Result<Option<BatchId>, Error>;

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

    /// One calendar.
    async fn calendar(&self, name: &str) -> Result<Option<CalendarRow>, Error>;

    /// The values that a workflow keeps between its instances, by name.
    async fn states(&self, workflow: &str) -> Result<Vec<StateRow>, Error>;

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

    /// The attempts that succeeded in the newest `instances` ended instances of a workflow: the newest instance first, then
    /// by node, run and number.
    async fn successes(&self, workflow: &str, instances: u32) -> Result<Vec<Success>, Error>;

    /// What the monitors of a workflow, or its node of that name alone, have seen; the newest `limit`, newest first.
    async fn measurements(
        &self,
        workflow: &str,
        node: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Measurement>, Error>;

    /// Where the journal stood at a moment: the position of the last entry written before it; 0 when there is none.
    async fn journal_at(&self, at: Timestamp) -> Result<u64, Error>;

    /// Entries of the journal after a position, in order, but for EPOCH_START ones.
    async fn journal(&self, after: u64, limit: u32) -> Result<Vec<JournalRow>, Error>;

    /// The first workflow after `name` in their order that has instances, existing or not.
    async fn workflow_with_instances(&self, after: &str) -> Result<Option<String>, Error>;

    /// Instances of a workflow that ended before a moment and are not among its `keep` newest, oldest first.
    async fn expired(
        &self,
        workflow: &str,
        before: Timestamp,
        keep: u32,
        limit: u32,
    ) -> Result<Vec<InstanceId>, Error>;

    /// How far the oldest `limit` fires of a workflow reach that [`Record::ForgetFires`](akkaflow_model::record::Record::ForgetFires)
    /// with `before` would remove: the moment to give it instead. `None` when there are none.
    async fn forgettable_fires(
        &self,
        workflow: &str,
        before: Timestamp,
        limit: u32,
    ) -> Result<Option<Timestamp>, Error>;

    /// Backfills, newest first.
    async fn backfills(&self, limit: u32) -> Result<Vec<BackfillRow>, Error>;

    /// One backfill.
    async fn backfill(&self, id: InstanceId) -> Result<Option<BackfillRow>, Error>;

    /// The runs of a backfill, in order.
    async fn backfill_runs(&self, id: InstanceId) -> Result<Vec<BackfillRunRow>, Error>;

    /// How many runs of each backfill stand how.
    async fn backfill_counts(&self, ids: &[InstanceId]) -> Result<RunCounts, Error>;

    /// The fire times from `from` until before `until` at which instances of a workflow have succeeded, in order, each once.
    async fn succeeded(
        &self,
        workflow: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Timestamp>, Error>;

    /// Mails with their sending, newest first.
    async fn mails(&self, query: &MailQuery) -> Result<Vec<StoredMail>, Error>;

    /// One mail.
    async fn mail(&self, key: &MailKey) -> Result<Option<StoredMail>, Error>;

    /// Mails that are to be sent, by when they are tried next.
    async fn owed_mails(&self, limit: u32) -> Result<Vec<StoredMail>, Error>;

    /// Links that are kept here, by kind and name.
    async fn links(&self) -> Result<Vec<LinkRow>, Error>;
}

/// The facts of the cluster.
///
/// All methods may be called at once from many tasks. Reads see committed rows only.
#[async_trait]
pub trait Store: Queries + fmt::Debug {
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

    /// What a new master needs, but for the contents, of which [`Snapshot::versions`] has none: they go to `contents` in
    /// parts, in the order of their names, because those of a large cluster take far more room than all the rest.
    async fn snapshot_in_parts(
        &self,
        now: Timestamp,
        contents: Contents,
    ) -> Result<Snapshot, Error>;

    /// What a new master needs.
    async fn snapshot(&self, now: Timestamp) -> Result<Snapshot, Error> {
        let (contents, parts) = mpsc::channel(1);
        let (snapshot, parts) = futures::join!(
            self.snapshot_in_parts(now, contents),
            parts.collect::<Vec<_>>()
        );
        Ok(Snapshot {
            versions: parts.concat(),
            ..snapshot?
        })
    }

    /// Removes a bounded part of what nothing needs any more: see [`Trim`]. Call it until [`Trimmed::is_nothing`].
    async fn trim(&self, trim: Trim) -> Result<Trimmed, Error>;

    /// A cluster-wide setting (`time-zone`), written once: returns what is in force.
    async fn setting(&self, name: &str, default: &str) -> Result<String, Error>;

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
