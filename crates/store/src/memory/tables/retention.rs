//! What is old, and its removal.

use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{FireRow, FireState, InstanceRow};
use akkaflow_model::time::Timestamp;

use super::Tables;
use crate::batch::JournalRow;
use crate::trim::{Trim, Trimmed};

impl Tables {
    /// See [`crate::Queries::journal_at`].
    pub(crate) fn journal_at(&self, at: Timestamp) -> u64 {
        let mut before = self.journal.iter().filter(|(_, entry)| entry.at < at);
        before.next_back().map_or(0, |(seq, _)| *seq)
    }

    /// See [`crate::Queries::journal`].
    pub(crate) fn journal_after(&self, after: u64, limit: u32) -> Vec<JournalRow> {
        let entries = self.journal.range(after.saturating_add(1)..);
        entries
            .filter_map(|(seq, entry)| {
                Some(JournalRow {
                    seq: *seq,
                    epoch: entry.epoch,
                    body: entry.body.clone()?,
                })
            })
            .take(limit as usize)
            .collect()
    }

    /// See [`crate::Queries::workflow_with_instances`].
    pub(crate) fn workflow_with_instances(&self, after: &str) -> Option<String> {
        let names = self.instances.values().map(|row| &row.workflow);
        names.filter(|name| name.as_str() > after).min().cloned()
    }

    /// See [`crate::Queries::expired`].
    pub(crate) fn expired(
        &self,
        workflow: &str,
        before: Timestamp,
        keep: u32,
        limit: u32,
    ) -> Vec<InstanceId> {
        let of_workflow = self.instances.values();
        let mut rows: Vec<&InstanceRow> =
            of_workflow.filter(|row| row.workflow == workflow).collect();
        rows.sort_by_key(|row| (row.created_at, row.id));
        let kept = rows.len().saturating_sub(keep as usize);
        rows[..kept]
            .iter()
            .filter(|row| row.state.is_terminal() && row.ended_at.is_some_and(|end| end < before))
            .take(limit as usize)
            .map(|row| row.id)
            .collect()
    }

    fn is_forgettable(&self, row: &FireRow, workflow: &str, before: Timestamp) -> bool {
        row.workflow == workflow
            && row.due_at < before
            && row.state != FireState::Waiting
            && row
                .instance
                .is_none_or(|id| !self.instances.contains_key(&id))
    }

    /// See [`crate::Queries::forgettable_fires`].
    pub(crate) fn forgettable_fires(
        &self,
        workflow: &str,
        before: Timestamp,
        limit: u32,
    ) -> Option<Timestamp> {
        let mut due: Vec<Timestamp> = self
            .fires
            .values()
            .filter(|row| self.is_forgettable(row, workflow, before))
            .map(|row| row.due_at)
            .collect();
        due.sort_unstable();
        due.truncate(limit as usize);
        due.last()
            .map(|last| Timestamp::from_millis(last.as_millis() + 1))
    }

    pub(super) fn expire_instance(&mut self, id: InstanceId) {
        self.delete_instance(id);
        self.tokens
            .retain(|(upstream, _), row| *upstream != id || row.is_held);
        let chain = self.chains.get(&id);
        if chain.is_some_and(|row| row.remaining.is_empty()) {
            self.chains.remove(&id);
        }
    }

    pub(super) fn forget_fires(&mut self, workflow: &str, before: Timestamp) {
        let mut fires = std::mem::take(&mut self.fires);
        fires.retain(|_, row| !self.is_forgettable(row, workflow, before));
        self.fires = fires;
    }

    /// See [`crate::Store::trim`]. Output went with its instance.
    pub(crate) fn trim(&mut self, trim: Trim) -> Trimmed {
        let newest = self.last_seq();
        let limit = trim.limit as usize;
        let old: Vec<u64> = self
            .journal
            .iter()
            .filter(|(seq, entry)| {
                **seq < newest && entry.body.is_some() && entry.at < trim.journal_before
            })
            .map(|(seq, _)| *seq)
            .take(limit)
            .collect();
        let requests: Vec<String> = self
            .requests
            .values()
            .filter(|row| row.at < trim.requests_before)
            .map(|row| row.key.clone())
            .take(limit)
            .collect();
        old.iter().for_each(|seq| drop(self.journal.remove(seq)));
        requests
            .iter()
            .for_each(|key| drop(self.requests.remove(key)));
        Trimmed {
            journal: old.len() as u64,
            requests: requests.len() as u64,
            mails: self.trim_mails(&trim),
            ..Trimmed::default()
        }
    }
}
