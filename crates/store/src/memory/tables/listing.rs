//! Queries of people and programs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::backfill::{BackfillRow, BackfillRunRow};
use akkaflow_model::id::{AttemptKey, InstanceId, Name};
use akkaflow_model::record::{
    AttemptRow, FireRow, InstanceRow, Measurement, NodeRow, StateRow, Success, TokenRow,
    WorkflowRow, WorkflowStatus,
};
use akkaflow_model::state::{AttemptState, InstanceState};
use akkaflow_model::time::Timestamp;

use crate::memory::tables::Tables;
use crate::query::{InstanceQuery, search_text};
use crate::sql::daily;

impl Tables {
    /// See [`crate::Store::workflows`].
    pub(crate) fn live_workflows(&self) -> Vec<WorkflowRow> {
        self.workflows
            .values()
            .filter(|row| row.status != WorkflowStatus::Deleted)
            .cloned()
            .collect()
    }

    /// See [`crate::Store::fires`].
    pub(crate) fn fires_of(&self, workflow: &str, limit: u32) -> Vec<FireRow> {
        let mut rows: Vec<&FireRow> = self
            .fires
            .values()
            .filter(|row| row.workflow == workflow)
            .collect();
        rows.sort_by_key(|row| Reverse((row.due_at, row.kind, row.generation, &row.key)));
        rows.into_iter().take(limit as usize).cloned().collect()
    }

    /// See [`crate::Queries::states`].
    pub(crate) fn states_of(&self, workflow: &str) -> Vec<StateRow> {
        let rows = self.states.values();
        rows.filter(|row| row.workflow == workflow)
            .cloned()
            .collect()
    }

    /// See [`crate::Store::waiting_tokens`].
    pub(crate) fn waiting_tokens(&self, dependant: &str) -> Vec<TokenRow> {
        let mut rows: Vec<&TokenRow> = self
            .tokens
            .values()
            .filter(|row| row.dependant == dependant && row.consumed_by.is_none())
            .collect();
        rows.sort_by_key(|row| (row.given_at, row.upstream_instance));
        rows.into_iter().cloned().collect()
    }

    /// See [`crate::Store::instances`].
    pub(crate) fn listing(&self, query: &InstanceQuery) -> Vec<InstanceRow> {
        let mut rows: Vec<&InstanceRow> = self
            .instances
            .values()
            .filter(|row| matches(row, query))
            .collect();
        rows.sort_by_key(|row| Reverse((row.created_at, row.id)));
        let limit = query.effective_limit() as usize;
        rows.into_iter().take(limit).cloned().collect()
    }

    /// See [`crate::Store::instance_ids`].
    pub(crate) fn ids_with(&self, part: &str, limit: u32) -> Vec<InstanceId> {
        let part = part.to_lowercase();
        self.instances
            .keys()
            .rev()
            .filter(|id| id.to_string().contains(&part))
            .take(limit as usize)
            .copied()
            .collect()
    }

    /// See [`crate::Store::daily_counts`].
    pub(crate) fn daily_counts(
        &self,
        from: Timestamp,
        offset_seconds: i32,
    ) -> Vec<(String, InstanceState, u64)> {
        let counted = daily::counted(from);
        let mut counts: BTreeMap<(String, InstanceState), u64> = BTreeMap::new();
        for row in self.instances.values() {
            let Some(ended_at) = row.ended_at.map(Timestamp::as_millis) else {
                continue;
            };
            if counted.contains(&ended_at) && row.state.is_terminal() {
                let day = daily::day(ended_at, offset_seconds);
                *counts.entry((day, row.state)).or_default() += 1;
            }
        }
        counts
            .into_iter()
            .map(|((day, state), count)| (day, state, count))
            .collect()
    }

    /// See [`crate::Store::nodes`].
    pub(crate) fn nodes_of(&self, id: InstanceId) -> Vec<NodeRow> {
        let Some(instance) = self.instances.get(&id) else {
            return Vec::new();
        };
        let mut rows: Vec<_> = self
            .nodes
            .range((id, Name::default())..)
            .take_while(|((owner, _), _)| *owner == id)
            .map(|(_, numbered)| numbered)
            .filter(|numbered| numbered.row.run == instance.run)
            .collect();
        rows.sort_by_key(|numbered| (numbered.row.ready_at, numbered.number));
        rows.into_iter()
            .map(|numbered| numbered.row.clone())
            .collect()
    }

    /// See [`crate::Store::attempts`].
    pub(crate) fn attempts_of(&self, id: InstanceId) -> Vec<AttemptRow> {
        let first = AttemptKey {
            instance: id,
            node: Name::default(),
            run: 0,
            attempt: 0,
        };
        let mut rows: Vec<_> = self
            .attempts
            .range(first..)
            .take_while(|(key, _)| key.instance == id)
            .map(|(_, numbered)| numbered)
            .collect();
        rows.sort_by_key(|numbered| (numbered.row.assigned_at, numbered.number));
        rows.into_iter()
            .map(|numbered| numbered.row.clone())
            .collect()
    }

    /// See [`crate::Queries::successes`].
    pub(crate) fn successes(&self, workflow: &str, instances: u32) -> Vec<Success> {
        let mut ended: Vec<&InstanceRow> = self
            .instances
            .values()
            .filter(|row| row.workflow == workflow && row.ended_at.is_some())
            .collect();
        ended.sort_by_key(|row| Reverse((row.created_at, row.id)));
        let newest = ended.into_iter().take(instances as usize);
        let attempts = newest.flat_map(|row| {
            let mut attempts = self.attempts_of(row.id);
            attempts.sort_by(|a, b| a.key.cmp(&b.key));
            attempts
        });
        attempts
            .filter(|row| row.state == AttemptState::Succeeded)
            .filter_map(|row| {
                let node = self.nodes.get(&(row.key.instance, row.key.node.clone()));
                let node = node
                    .map(|node| &node.row)
                    .filter(|node| node.run == row.key.run);
                Some(Success {
                    since: node.and_then(|node| node.started_at),
                    node: row.key.node.into(),
                    from: row.assigned_at,
                    to: row.ended_at?,
                })
            })
            .collect()
    }

    /// See [`crate::Queries::measurements`].
    pub(crate) fn measurements(
        &self,
        workflow: &str,
        node: Option<&str>,
        limit: u32,
    ) -> Vec<Measurement> {
        let mut found: Vec<Measurement> = self
            .attempts
            .values()
            .map(|numbered| &numbered.row)
            .filter(|row| node.is_none_or(|node| row.key.node == node))
            .filter_map(|row| {
                let instance = self.instances.get(&row.key.instance)?;
                let measured = row.figures.as_ref()?.measured.clone()?;
                (instance.workflow == workflow).then_some(Measurement {
                    key: row.key.clone(),
                    fire_time: instance.fire_time,
                    at: row.ended_at?,
                    state: row.state,
                    measured,
                    message: row.message.clone(),
                })
            })
            .collect();
        found.sort_by(|a, b| (b.at, &b.key).cmp(&(a.at, &a.key)));
        found.truncate(limit as usize);
        found
    }

    /// See [`crate::Queries::backfills`].
    pub(crate) fn newest_backfills(&self, limit: u32) -> Vec<BackfillRow> {
        let mut rows: Vec<&BackfillRow> = self.backfills.values().collect();
        rows.sort_by_key(|row| Reverse((row.created_at, row.id)));
        rows.into_iter().take(limit as usize).cloned().collect()
    }

    /// See [`crate::Queries::backfill_runs`].
    pub(crate) fn runs_of(&self, id: InstanceId) -> impl Iterator<Item = &BackfillRunRow> {
        self.backfill_runs
            .range((id, 0)..=(id, u32::MAX))
            .map(|(_, row)| row)
    }

    /// See [`crate::Queries::succeeded`].
    pub(crate) fn succeeded(
        &self,
        workflow: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<Timestamp> {
        let has_succeeded = |fire: &&FireRow| {
            let instance = fire.instance.and_then(|id| self.instances.get(&id));
            instance.is_some_and(|row| row.state == InstanceState::Succeeded)
        };
        let moments: BTreeSet<Timestamp> = self
            .fires
            .values()
            .filter(|fire| fire.workflow == workflow && (from..until).contains(&fire.due_at))
            .filter(has_succeeded)
            .map(|fire| fire.due_at)
            .collect();
        moments.into_iter().collect()
    }
}

fn matches(row: &InstanceRow, query: &InstanceQuery) -> bool {
    let fits = |wanted: &Option<String>, found: &str| {
        wanted.as_deref().is_none_or(|wanted| wanted == found)
    };
    (query.states.is_empty() || query.states.contains(&row.state))
        && fits(&query.workflow, &row.workflow)
        && fits(&query.creator, &row.creator)
        && query
            .key
            .as_deref()
            .is_none_or(|key| search_text(row.id, &row.workflow).contains(&key.to_lowercase()))
        && query.from.is_none_or(|from| row.created_at >= from)
        && query.to.is_none_or(|to| row.created_at < to)
}
