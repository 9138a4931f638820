//! The rows by key, with the rule by which a record replaces a row, and what a new master reads of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use akkaflow_model::backfill::{BackfillRow, BackfillRunRow};
use akkaflow_model::id::{AttemptKey, InstanceId, Name};
use akkaflow_model::mail::{DeliveryRow, MailKey, MailRow};
use akkaflow_model::record::{
    AttemptRow, CalendarRow, ChainRow, ClusterRow, FileProblemRow, FireRow, FireState, InstanceRow,
    NodeRow, PoolRow, Record, RequestRow, ScheduleRow, Snapshot, StateRow, TokenRow, TriggerKind,
    VersionRow, WorkflowRow,
};
use akkaflow_model::state::NodeState;
use akkaflow_model::time::Timestamp;

/// Key of a fire.
pub(crate) type FireKey = (String, TriggerKind, u32, String);

/// How long a new master remembers requests.
const REQUESTS_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// All rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    pub(crate) workflows: BTreeMap<String, WorkflowRow>,
    pub(crate) versions: BTreeMap<String, VersionRow>,
    pub(crate) schedules: BTreeMap<String, ScheduleRow>,
    pub(crate) fires: BTreeMap<FireKey, FireRow>,
    pub(crate) tokens: BTreeMap<(InstanceId, String), TokenRow>,
    pub(crate) instances: BTreeMap<InstanceId, InstanceRow>,
    pub(crate) nodes: BTreeMap<(InstanceId, Name), NodeRow>,
    pub(crate) attempts: BTreeMap<AttemptKey, AttemptRow>,
    pub(crate) chains: BTreeMap<InstanceId, ChainRow>,
    pub(crate) requests: BTreeMap<String, RequestRow>,
    pub(crate) file_problems: BTreeMap<String, FileProblemRow>,
    pub(crate) calendars: BTreeMap<String, CalendarRow>,
    pub(crate) cluster: ClusterRow,
    pub(crate) pools: BTreeMap<String, PoolRow>,
    pub(crate) backfills: BTreeMap<InstanceId, BackfillRow>,
    pub(crate) backfill_runs: BTreeMap<(InstanceId, u32), BackfillRunRow>,
    pub(crate) states: BTreeMap<(String, String), StateRow>,
    pub(crate) mails: BTreeMap<MailKey, MailRow>,
    pub(crate) deliveries: BTreeMap<MailKey, DeliveryRow>,
    /// Nodes of runs that keep the success of an earlier one.
    carried: BTreeSet<(InstanceId, Name, u32)>,
}

impl Tables {
    /// Replaces the row with the record's key.
    pub(crate) fn apply(&mut self, record: &Record) {
        match record.clone() {
            Record::Workflow(row) => drop(self.workflows.insert(row.name.clone(), row)),
            Record::Version(row) => drop(self.versions.insert(row.version.0.clone(), row)),
            Record::Schedule(row) => drop(self.schedules.insert(row.workflow.clone(), row)),
            Record::Fire(row) => drop(self.fires.insert(fire_key(&row), row)),
            Record::Token(row) => drop(
                self.tokens
                    .insert((row.upstream_instance, row.dependant.clone()), row),
            ),
            Record::Instance(row) => drop(self.instances.insert(row.id, row.into_inner())),
            Record::Node(row) => {
                let key = (row.instance, row.node.clone());
                if self.is_carried_over(&row) {
                    self.carried
                        .insert((row.instance, row.node.clone(), row.run));
                }
                self.nodes.insert(key, row.into_inner());
            }
            Record::Attempt(row) => drop(self.attempts.insert(row.key.clone(), row.into_inner())),
            Record::DeleteInstance { id } => self.delete(id),
            Record::Chain(row) => drop(self.chains.insert(row.root, row)),
            Record::Request(row) => drop(self.requests.insert(row.key.clone(), row)),
            Record::FileProblem(row) => drop(self.file_problems.insert(row.path.clone(), row)),
            Record::Calendar(row) => drop(self.calendars.insert(row.name.clone(), row)),
            Record::ClearFileProblem { path } => drop(self.file_problems.remove(&path)),
            Record::Cluster(row) => self.cluster = row,
            Record::Pool(row) => drop(self.pools.insert(row.name.clone(), row)),
            Record::ExpireInstance { id } => self.expire(id),
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
            // Nobody there connects to anything.
            Record::Link(_) | Record::DeleteLink { .. } => {}
        }
    }

    /// Whether a success, written now or before, is one of an earlier run that a rerun keeps.
    pub(crate) fn is_carried_over(&self, row: &NodeRow) -> bool {
        let key = (row.instance, row.node.clone());
        let is_same = |before: &NodeRow| {
            let both = [before.state, row.state] == [NodeState::Succeeded; 2];
            both && before.run < row.run && before.ended_at == row.ended_at
        };
        self.carried
            .contains(&(row.instance, row.node.clone(), row.run))
            || self.nodes.get(&key).is_some_and(is_same)
    }

    fn expire(&mut self, id: InstanceId) {
        self.delete(id);
        self.tokens
            .retain(|(upstream, _), row| *upstream != id || row.is_held);
        if self
            .chains
            .get(&id)
            .is_some_and(|row| row.remaining.is_empty())
        {
            self.chains.remove(&id);
        }
    }

    fn forget_fires(&mut self, workflow: &str, before: Timestamp) {
        let instances = &self.instances;
        self.fires.retain(|_, row| {
            row.workflow != workflow
                || row.due_at >= before
                || row.state == FireState::Waiting
                || row.instance.is_some_and(|id| instances.contains_key(&id))
        });
    }

    fn is_backfill_open(&self, id: InstanceId) -> bool {
        let row = self.backfills.get(&id);
        row.is_some_and(|row| row.ended_at.is_none())
    }

    /// Removes an instance with its nodes and attempts.
    pub(crate) fn delete(&mut self, id: InstanceId) {
        self.instances.remove(&id);
        let nodes = self.nodes_of(id).map(|row| (id, row.node.clone()));
        for key in nodes.collect::<Vec<_>>() {
            self.nodes.remove(&key);
        }
        let attempts = self.attempts_of(id).map(|row| row.key.clone());
        for key in attempts.collect::<Vec<_>>() {
            self.attempts.remove(&key);
        }
    }

    /// The nodes of an instance, of whatever run.
    pub(crate) fn nodes_of(&self, id: InstanceId) -> impl Iterator<Item = &NodeRow> {
        self.nodes
            .range((id, Name::default())..)
            .take_while(move |((instance, _), _)| *instance == id)
            .map(|(_, row)| row)
    }

    /// The attempts of an instance, of all runs.
    pub(crate) fn attempts_of(&self, id: InstanceId) -> impl Iterator<Item = &AttemptRow> {
        let first = AttemptKey {
            instance: id,
            node: Name::default(),
            run: 0,
            attempt: 0,
        };
        self.attempts
            .range(first..)
            .take_while(move |(key, _)| key.instance == id)
            .map(|(_, row)| row)
    }

    /// What a new master needs.
    pub(crate) fn snapshot(&self, now: Timestamp) -> Snapshot {
        let instances: Vec<InstanceRow> = self
            .instances
            .values()
            .filter(|row| !row.state.is_terminal())
            .cloned()
            .collect();
        let nodes = instances
            .iter()
            .flat_map(|instance| {
                self.nodes_of(instance.id)
                    .filter(|row| row.run == instance.run)
            })
            .cloned()
            .collect();
        let wanted: BTreeSet<&str> = self
            .workflows
            .values()
            .map(|row| row.version.0.as_str())
            .chain(instances.iter().map(|row| row.version.0.as_str()))
            .collect();
        Snapshot {
            workflows: self.workflows.values().cloned().collect(),
            versions: self
                .versions
                .values()
                .filter(|row| wanted.contains(row.version.0.as_str()))
                .cloned()
                .collect(),
            schedules: self.schedules.values().cloned().collect(),
            fires: self
                .fires
                .values()
                .filter(|row| row.state == FireState::Waiting)
                .cloned()
                .collect(),
            tokens: self
                .tokens
                .values()
                .filter(|row| row.is_held)
                .cloned()
                .collect(),
            nodes,
            attempts: self
                .attempts
                .values()
                .filter(|row| !row.state.is_terminal())
                .cloned()
                .collect(),
            chains: self
                .chains
                .values()
                .filter(|row| !row.remaining.is_empty())
                .cloned()
                .collect(),
            requests: self
                .requests
                .values()
                .filter(|row| now.since(row.at) <= REQUESTS_KEPT)
                .cloned()
                .collect(),
            file_problems: self.file_problems.values().cloned().collect(),
            calendars: self.calendars.values().cloned().collect(),
            cluster: self.cluster.clone(),
            pools: self
                .pools
                .values()
                .filter(|row| row.slots.is_some())
                .cloned()
                .collect(),
            backfills: self
                .backfills
                .values()
                .filter(|row| row.ended_at.is_none())
                .cloned()
                .collect(),
            backfill_runs: self
                .backfill_runs
                .values()
                .filter(|run| self.is_backfill_open(run.backfill))
                .cloned()
                .collect(),
            states: self.states.values().cloned().collect(),
            instances,
        }
    }
}

pub(crate) fn fire_key(row: &FireRow) -> FireKey {
    (
        row.workflow.clone(),
        row.kind,
        row.generation,
        row.key.clone(),
    )
}
