//! What a new master needs.

use akkaflow_model::backfill::BackfillRow;
use akkaflow_model::record::{
    AttemptRow, FireState, NodeRow, RequestRow, Snapshot, TokenRow, VersionRow,
};
use akkaflow_model::time::Timestamp;

use crate::memory::tables::{Numbered, Tables};
use crate::sql::snapshot::{REQUESTS_KEPT_MS, versions_in_use};

impl Tables {
    /// See [`crate::Store::snapshot`].
    pub(crate) fn snapshot(&self, now: Timestamp) -> Snapshot {
        let mut fires: Vec<_> = self
            .fires
            .values()
            .filter(|row| row.state == FireState::Waiting)
            .cloned()
            .collect();
        fires.sort_by(|a, b| (&a.workflow, a.due_at).cmp(&(&b.workflow, b.due_at)));
        Snapshot {
            workflows: self.workflows.values().cloned().collect(),
            versions: self.versions_needed(),
            schedules: self.schedules.values().cloned().collect(),
            fires,
            tokens: self.open_tokens(),
            instances: self
                .instances
                .values()
                .filter(|row| !row.state.is_terminal())
                .cloned()
                .collect(),
            nodes: self.open_nodes(),
            attempts: self.open_attempts(),
            chains: self
                .chains
                .values()
                .filter(|row| !row.remaining.is_empty())
                .cloned()
                .collect(),
            requests: self.recent_requests(now),
            file_problems: self.file_problems.values().cloned().collect(),
            calendars: self.calendars.values().cloned().collect(),
            cluster: self.cluster.clone(),
            pools: self
                .pools
                .values()
                .filter(|row| row.slots.is_some())
                .cloned()
                .collect(),
            backfills: self.open_backfills().cloned().collect(),
            backfill_runs: self
                .open_backfills()
                .flat_map(|row| self.runs_of(row.id))
                .cloned()
                .collect(),
            states: self.states.values().cloned().collect(),
        }
    }

    fn open_backfills(&self) -> impl Iterator<Item = &BackfillRow> {
        let all = self.backfills.values();
        all.filter(|row| row.ended_at.is_none())
    }

    fn versions_needed(&self) -> Vec<VersionRow> {
        let open = self
            .instances
            .values()
            .filter(|row| !row.state.is_terminal());
        versions_in_use(self.workflows.values(), open)
            .into_iter()
            .filter_map(|version| self.versions.get(&version.0).cloned())
            .collect()
    }

    fn open_tokens(&self) -> Vec<TokenRow> {
        let mut rows: Vec<TokenRow> = self
            .tokens
            .values()
            .filter(|row| row.is_held)
            .cloned()
            .collect();
        rows.sort_by(|a, b| {
            (a.given_at, a.upstream_instance, &a.dependant).cmp(&(
                b.given_at,
                b.upstream_instance,
                &b.dependant,
            ))
        });
        rows
    }

    fn open_nodes(&self) -> Vec<NodeRow> {
        let mut rows: Vec<&Numbered<NodeRow>> = self
            .nodes
            .values()
            .filter(|numbered| {
                self.instances
                    .get(&numbered.row.instance)
                    .is_some_and(|instance| {
                        !instance.state.is_terminal() && instance.run == numbered.row.run
                    })
            })
            .collect();
        rows.sort_by_key(|numbered| {
            (
                numbered.row.instance,
                numbered.row.ready_at,
                numbered.number,
            )
        });
        rows.into_iter()
            .map(|numbered| numbered.row.clone())
            .collect()
    }

    fn open_attempts(&self) -> Vec<AttemptRow> {
        let mut rows: Vec<&Numbered<AttemptRow>> = self
            .attempts
            .values()
            .filter(|numbered| !numbered.row.state.is_terminal())
            .collect();
        rows.sort_by_key(|numbered| (numbered.row.assigned_at, numbered.number));
        rows.into_iter()
            .map(|numbered| numbered.row.clone())
            .collect()
    }

    fn recent_requests(&self, now: Timestamp) -> Vec<RequestRow> {
        let since = now.as_millis().saturating_sub(REQUESTS_KEPT_MS);
        let mut rows: Vec<RequestRow> = self
            .requests
            .values()
            .filter(|row| row.at.as_millis() >= since)
            .cloned()
            .collect();
        rows.sort_by(|a, b| (a.at, &a.key).cmp(&(b.at, &b.key)));
        rows
    }
}
