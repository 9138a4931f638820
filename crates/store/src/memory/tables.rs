//! The rows, by key, and what the active master does to them.

mod listing;
mod mails;
mod open;
mod retention;

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::backfill::{BackfillRow, BackfillRunRow};
use akkaflow_model::id::{AttemptKey, Epoch, InstanceId, Name};
use akkaflow_model::links::{LinkKey, LinkRow};
use akkaflow_model::mail::{DeliveryRow, MailKey, MailRow};
use akkaflow_model::record::{
    AttemptRow, CalendarRow, ChainRow, ClusterRow, FileProblemRow, FireRow, InstanceRow, NodeRow,
    PoolRow, Record, RequestRow, ScheduleRow, StateRow, TokenRow, TriggerKind, VersionRow,
    WorkflowRow,
};
use akkaflow_model::time::Timestamp;

use crate::batch::{Batch, BatchId, CommitError};
use crate::lease::{Candidate, Lease, TakenOver};
use crate::log::{LogChunk, StoredChunk, Stream};

/// One entry of the journal.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Under which epoch.
    pub(super) epoch: Epoch,
    /// Its name.
    pub(crate) batch: BatchId,
    /// Its content; `None` opens an epoch.
    pub(super) body: Option<Vec<u8>>,
    /// When it was written.
    pub(super) at: Timestamp,
}

/// A row with its place in the order of first writing.
#[derive(Debug)]
pub(crate) struct Numbered<T> {
    /// Journal position and place in the batch.
    number: (u64, usize),
    /// The row.
    row: T,
}

/// The databases stamp their journals themselves; so does their twin.
fn wall_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_millis(since.unwrap_or_default().as_millis() as i64)
}

/// Identity of a chunk of output.
type ChunkKey = (AttemptKey, Stream, u64);

/// All rows.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) lease: Option<Lease>,
    pub(crate) journal: BTreeMap<u64, Entry>,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) cluster: ClusterRow,
    pub(crate) pools: BTreeMap<String, PoolRow>,
    pub(crate) workflows: BTreeMap<String, WorkflowRow>,
    pub(crate) versions: BTreeMap<String, VersionRow>,
    pub(crate) schedules: BTreeMap<String, ScheduleRow>,
    pub(crate) fires: BTreeMap<(String, TriggerKind, u32, String), FireRow>,
    pub(crate) tokens: BTreeMap<(InstanceId, String), TokenRow>,
    pub(crate) instances: BTreeMap<InstanceId, InstanceRow>,
    pub(crate) nodes: BTreeMap<(InstanceId, Name), Numbered<NodeRow>>,
    pub(crate) attempts: BTreeMap<AttemptKey, Numbered<AttemptRow>>,
    pub(crate) chains: BTreeMap<InstanceId, ChainRow>,
    pub(crate) requests: BTreeMap<String, RequestRow>,
    pub(crate) file_problems: BTreeMap<String, FileProblemRow>,
    pub(crate) calendars: BTreeMap<String, CalendarRow>,
    pub(crate) backfills: BTreeMap<InstanceId, BackfillRow>,
    pub(crate) backfill_runs: BTreeMap<(InstanceId, u32), BackfillRunRow>,
    pub(crate) states: BTreeMap<(String, String), StateRow>,
    mails: BTreeMap<MailKey, MailRow>,
    deliveries: BTreeMap<MailKey, DeliveryRow>,
    pub(crate) links: BTreeMap<LinkKey, LinkRow>,
    chunks: BTreeMap<(InstanceId, u64), LogChunk>,
    chunk_keys: BTreeSet<ChunkKey>,
    last_chunk: u64,
}

impl Tables {
    fn lease_of(&mut self, epoch: Epoch, incarnation: u128) -> Option<&mut Lease> {
        self.lease
            .as_mut()
            .filter(|lease| lease.epoch == epoch && lease.incarnation == incarnation)
    }

    /// See [`crate::Store::renew`].
    pub(crate) fn renew(&mut self, epoch: Epoch, incarnation: u128) -> bool {
        let Some(lease) = self.lease_of(epoch, incarnation) else {
            return false;
        };
        if lease.holder.is_empty() {
            return false;
        }
        lease.renew_seq += 1;
        true
    }

    /// See [`crate::Store::release`].
    pub(crate) fn release(&mut self, epoch: Epoch, incarnation: u128) {
        if let Some(lease) = self.lease_of(epoch, incarnation) {
            lease.holder.clear();
            lease.renew_seq += 1;
        }
    }

    /// See [`crate::Store::take_over`].
    pub(crate) fn take_over(
        &mut self,
        seen: Option<&Lease>,
        candidate: &Candidate,
    ) -> Option<TakenOver> {
        let (cluster, epoch) = match (&self.lease, seen) {
            (None, None) => (uuid::Uuid::new_v4().as_u128(), Epoch(1)),
            (Some(lease), Some(seen))
                if (lease.epoch, lease.renew_seq) == (seen.epoch, seen.renew_seq) =>
            {
                (lease.cluster, Epoch(lease.epoch.0 + 1))
            }
            _ => return None,
        };
        self.lease = Some(Lease {
            cluster,
            epoch,
            holder: candidate.holder.clone(),
            incarnation: candidate.incarnation,
            endpoint: candidate.endpoint.clone(),
            renew_seq: 0,
            connections: String::new(),
        });
        let seq = self.last_seq() + 1;
        let batch = BatchId(uuid::Uuid::new_v4().as_u128());
        let entry = Entry {
            epoch,
            batch,
            body: None,
            at: wall_clock(),
        };
        self.journal.insert(seq, entry);
        Some(TakenOver { epoch, seq })
    }

    fn last_seq(&self) -> u64 {
        self.journal.keys().next_back().copied().unwrap_or(0)
    }

    /// See [`crate::Store::commit`].
    pub(crate) fn commit(&mut self, batch: &Batch) -> Result<(), CommitError> {
        if let Some(entry) = self.journal.get(&batch.seq) {
            return if entry.batch == batch.id {
                Ok(())
            } else {
                Err(CommitError::Fenced)
            };
        }
        debug_assert!(
            self.journal
                .values()
                .next_back()
                .is_none_or(|last| last.epoch <= batch.epoch),
            "an older epoch finds its position taken"
        );
        self.journal.insert(
            batch.seq,
            Entry {
                epoch: batch.epoch,
                batch: batch.id,
                body: Some(batch.journal.clone()),
                at: wall_clock(),
            },
        );
        for (place, record) in batch.records.iter().enumerate() {
            self.apply(record, (batch.seq, place));
        }
        Ok(())
    }

    fn apply(&mut self, record: &Record, number: (u64, usize)) {
        match record.clone() {
            Record::Workflow(row) => drop(self.workflows.insert(row.name.clone(), row)),
            Record::Version(row) => drop(self.versions.insert(row.version.0.clone(), row)),
            Record::Schedule(row) => drop(self.schedules.insert(row.workflow.clone(), row)),
            Record::Fire(row) => {
                let key = (
                    row.workflow.clone(),
                    row.kind,
                    row.generation,
                    row.key.clone(),
                );
                self.fires.insert(key, row);
            }
            Record::Token(row) => {
                let key = (row.upstream_instance, row.dependant.clone());
                self.tokens.insert(key, row);
            }
            Record::Instance(row) => drop(self.instances.insert(row.id, row.into_inner())),
            Record::Node(row) => self.put_node(row.into_inner(), number),
            Record::Attempt(row) => self.put_attempt(row.into_inner(), number),
            Record::DeleteInstance { id } => self.delete_instance(id),
            Record::Chain(row) => drop(self.chains.insert(row.root, row)),
            Record::Request(row) => drop(self.requests.insert(row.key.clone(), row)),
            Record::FileProblem(row) => drop(self.file_problems.insert(row.path.clone(), row)),
            Record::ClearFileProblem { path } => drop(self.file_problems.remove(&path)),
            Record::Calendar(row) => drop(self.calendars.insert(row.name.clone(), row)),
            Record::Cluster(row) => self.cluster = row,
            Record::Pool(row) => drop(self.pools.insert(row.name.clone(), row)),
            Record::ExpireInstance { id } => self.expire_instance(id),
            Record::ForgetFires { workflow, before } => self.forget_fires(&workflow, before),
            Record::Backfill(row) => drop(self.backfills.insert(row.id, row)),
            Record::BackfillRun(row) => {
                let key = (row.backfill, row.position);
                self.backfill_runs.insert(key, row);
            }
            Record::State(row) => {
                let key = (row.workflow.clone(), row.name.clone());
                self.states.insert(key, row);
            }
            Record::DeleteAttempt { key } => drop(self.attempts.remove(&key)),
            Record::Mail(row) => drop(self.mails.insert(row.key.clone(), *row)),
            Record::Delivery(row) => drop(self.deliveries.insert(row.key.clone(), *row)),
            Record::Link(row) => drop(self.links.insert(row.key.clone(), *row)),
            Record::DeleteLink { key } => drop(self.links.remove(&key)),
        }
    }

    fn put_node(&mut self, row: NodeRow, number: (u64, usize)) {
        let key = (row.instance, row.node.clone());
        let number = match self.nodes.get(&key) {
            Some(earlier) if earlier.row.run == row.run => earlier.number,
            _ => number,
        };
        self.nodes.insert(key, Numbered { number, row });
    }

    fn put_attempt(&mut self, row: AttemptRow, number: (u64, usize)) {
        let number = self
            .attempts
            .get(&row.key)
            .map_or(number, |earlier| earlier.number);
        self.attempts
            .insert(row.key.clone(), Numbered { number, row });
    }

    fn delete_instance(&mut self, id: InstanceId) {
        self.instances.remove(&id);
        self.nodes.retain(|(instance, _), _| *instance != id);
        self.attempts.retain(|key, _| key.instance != id);
        self.chunks.retain(|(instance, _), _| *instance != id);
        self.chunk_keys.retain(|(key, _, _)| key.instance != id);
    }

    /// See [`crate::Store::append_log`].
    pub(crate) fn append_log(&mut self, chunks: &[LogChunk]) {
        for chunk in chunks {
            let key = (chunk.key.clone(), chunk.stream, chunk.offset);
            if self.chunk_keys.insert(key) {
                self.last_chunk += 1;
                self.chunks
                    .insert((chunk.key.instance, self.last_chunk), chunk.clone());
            }
        }
    }

    /// See [`crate::Store::read_log`].
    pub(crate) fn read_log(&self, id: InstanceId, after: u64, limit: u32) -> Vec<StoredChunk> {
        let first = after.saturating_add(1);
        self.chunks
            .range((id, first)..=(id, u64::MAX))
            .take(limit as usize)
            .map(|((_, number), chunk)| StoredChunk {
                number: *number,
                chunk: chunk.clone(),
            })
            .collect()
    }
}
