//! The twin of the databases, for tests and simulation: same answers, nothing durable.

mod tables;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
use futures::SinkExt as _;

use crate::batch::{Batch, BatchId, CommitError, JournalRow};
use crate::contract::{Contents, Queries, Store};
use crate::error::Error;
use crate::lease::{Candidate, Lease, TakenOver};
use crate::log::{LogChunk, StoredChunk};
use crate::memory::tables::Tables;
use crate::query::{InstanceQuery, MailQuery, RunCounts};
use crate::trim::{Trim, Trimmed};

/// Keeps everything in memory. Clones share it, as processes share a database.
///
/// Its futures are ready at the first poll: no runtime is needed.
#[derive(Clone, Default)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn lease(&self) -> Result<Option<Lease>, Error> {
        Ok(self.tables().lease.clone())
    }

    async fn renew(&self, epoch: Epoch, incarnation: u128) -> Result<bool, Error> {
        Ok(self.tables().renew(epoch, incarnation))
    }

    async fn take_over(
        &self,
        seen: Option<&Lease>,
        candidate: &Candidate,
    ) -> Result<Option<TakenOver>, Error> {
        Ok(self.tables().take_over(seen, candidate))
    }

    async fn release(&self, epoch: Epoch, incarnation: u128) -> Result<(), Error> {
        self.tables().release(epoch, incarnation);
        Ok(())
    }

    async fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        self.tables().commit(batch)
    }

    async fn snapshot_in_parts(
        &self,
        now: Timestamp,
        mut contents: Contents,
    ) -> Result<Snapshot, Error> {
        let mut snapshot = self.tables().snapshot(now);
        // A reader that has gone away needs nothing.
        let _ = contents.send(std::mem::take(&mut snapshot.versions)).await;
        Ok(snapshot)
    }

    async fn trim(&self, trim: Trim) -> Result<Trimmed, Error> {
        Ok(self.tables().trim(trim))
    }

    async fn setting(&self, name: &str, default: &str) -> Result<String, Error> {
        Ok(self
            .tables()
            .settings
            .entry(name.to_owned())
            .or_insert_with(|| default.to_owned())
            .clone())
    }

    async fn append_log(&self, chunks: &[LogChunk]) -> Result<(), Error> {
        self.tables().append_log(chunks);
        Ok(())
    }

    async fn read_log(
        &self,
        id: InstanceId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredChunk>, Error> {
        Ok(self.tables().read_log(id, after, limit))
    }
}

#[async_trait]
impl Queries for MemoryStore {
    async fn batch_at(&self, seq: u64) -> Result<Option<BatchId>, Error> {
        Ok(self.tables().journal.get(&seq).map(|entry| entry.batch))
    }

    async fn workflows(&self) -> Result<Vec<WorkflowRow>, Error> {
        Ok(self.tables().live_workflows())
    }

    async fn workflow(&self, name: &str) -> Result<Option<WorkflowRow>, Error> {
        Ok(self.tables().workflows.get(name).cloned())
    }

    async fn version(&self, version: &str) -> Result<Option<VersionRow>, Error> {
        Ok(self.tables().versions.get(version).cloned())
    }

    async fn schedule(&self, workflow: &str) -> Result<Option<ScheduleRow>, Error> {
        Ok(self.tables().schedules.get(workflow).cloned())
    }

    async fn fires(&self, workflow: &str, limit: u32) -> Result<Vec<FireRow>, Error> {
        Ok(self.tables().fires_of(workflow, limit))
    }

    async fn calendar(&self, name: &str) -> Result<Option<CalendarRow>, Error> {
        Ok(self.tables().calendars.get(name).cloned())
    }

    async fn states(&self, workflow: &str) -> Result<Vec<StateRow>, Error> {
        Ok(self.tables().states_of(workflow))
    }

    async fn waiting_tokens(&self, dependant: &str) -> Result<Vec<TokenRow>, Error> {
        Ok(self.tables().waiting_tokens(dependant))
    }

    async fn file_problems(&self) -> Result<Vec<FileProblemRow>, Error> {
        Ok(self.tables().file_problems.values().cloned().collect())
    }

    async fn instances(&self, query: &InstanceQuery) -> Result<Vec<InstanceRow>, Error> {
        Ok(self.tables().listing(query))
    }

    async fn instance_ids(&self, part: &str, limit: u32) -> Result<Vec<InstanceId>, Error> {
        Ok(self.tables().ids_with(part, limit))
    }

    async fn daily_counts(
        &self,
        from: Timestamp,
        offset_seconds: i32,
    ) -> Result<Vec<(String, InstanceState, u64)>, Error> {
        Ok(self.tables().daily_counts(from, offset_seconds))
    }

    async fn successes(&self, workflow: &str, instances: u32) -> Result<Vec<Success>, Error> {
        Ok(self.tables().successes(workflow, instances))
    }

    async fn measurements(
        &self,
        workflow: &str,
        node: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Measurement>, Error> {
        Ok(self.tables().measurements(workflow, node, limit))
    }

    async fn instance(&self, id: InstanceId) -> Result<Option<InstanceRow>, Error> {
        Ok(self.tables().instances.get(&id).cloned())
    }

    async fn nodes(&self, id: InstanceId) -> Result<Vec<NodeRow>, Error> {
        Ok(self.tables().nodes_of(id))
    }

    async fn attempts(&self, id: InstanceId) -> Result<Vec<AttemptRow>, Error> {
        Ok(self.tables().attempts_of(id))
    }

    async fn journal_at(&self, at: Timestamp) -> Result<u64, Error> {
        Ok(self.tables().journal_at(at))
    }

    async fn journal(&self, after: u64, limit: u32) -> Result<Vec<JournalRow>, Error> {
        Ok(self.tables().journal_after(after, limit))
    }

    async fn workflow_with_instances(&self, after: &str) -> Result<Option<String>, Error> {
        Ok(self.tables().workflow_with_instances(after))
    }

    async fn expired(
        &self,
        workflow: &str,
        before: Timestamp,
        keep: u32,
        limit: u32,
    ) -> Result<Vec<InstanceId>, Error> {
        Ok(self.tables().expired(workflow, before, keep, limit))
    }

    async fn forgettable_fires(
        &self,
        workflow: &str,
        before: Timestamp,
        limit: u32,
    ) -> Result<Option<Timestamp>, Error> {
        Ok(self.tables().forgettable_fires(workflow, before, limit))
    }

    async fn backfills(&self, limit: u32) -> Result<Vec<BackfillRow>, Error> {
        Ok(self.tables().newest_backfills(limit))
    }

    async fn backfill(&self, id: InstanceId) -> Result<Option<BackfillRow>, Error> {
        Ok(self.tables().backfills.get(&id).cloned())
    }

    async fn backfill_runs(&self, id: InstanceId) -> Result<Vec<BackfillRunRow>, Error> {
        Ok(self.tables().runs_of(id).cloned().collect())
    }

    async fn backfill_counts(&self, ids: &[InstanceId]) -> Result<RunCounts, Error> {
        let tables = self.tables();
        let mut counts = RunCounts::new();
        for run in ids.iter().flat_map(|id| tables.runs_of(*id)) {
            *counts.entry((run.backfill, run.state)).or_default() += 1;
        }
        Ok(counts)
    }

    async fn succeeded(
        &self,
        workflow: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Timestamp>, Error> {
        Ok(self.tables().succeeded(workflow, from, until))
    }

    async fn mails(&self, query: &MailQuery) -> Result<Vec<StoredMail>, Error> {
        Ok(self.tables().newest_mails(query))
    }

    async fn mail(&self, key: &MailKey) -> Result<Option<StoredMail>, Error> {
        Ok(self.tables().stored_mail(key))
    }

    async fn owed_mails(&self, limit: u32) -> Result<Vec<StoredMail>, Error> {
        Ok(self.tables().owed_mails(limit))
    }

    async fn links(&self) -> Result<Vec<LinkRow>, Error> {
        Ok(self.tables().links.values().cloned().collect())
    }
}
