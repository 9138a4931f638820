//! What the master, the simulator and people may see of the state.

use std::collections::BTreeSet;
use std::sync::Arc;

use akkaflow_model::code;
use akkaflow_model::definition::{Version, Workflow};
use akkaflow_model::diagnostic::Finding;
use akkaflow_model::id::{InstanceId, WorkerId};
use akkaflow_model::record::{
    AttemptRow, ChainRow, FileProblemRow, Hold, InstanceRow, NodeRow, WorkflowRow, WorkflowStatus,
};
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;

use crate::instances::Instance;
use crate::workers::Worker;
use crate::{Definition, Engine, WorkerInfo};

/// How many of what there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Workflows that exist for people.
    pub workflows: usize,
    /// Instances in no terminal state.
    pub open_instances: usize,
    /// Those of them that wait for their workflow's instance limit.
    pub waiting_instances: usize,
    /// Nodes that wait for a worker.
    pub ready_nodes: usize,
    /// Attempts in no terminal state.
    pub open_attempts: usize,
    /// Workers that are attached.
    pub attached_workers: usize,
}

/// A worker as the engine sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerView {
    /// Who.
    pub id: WorkerId,
    /// Its host; of a detached worker as its attempts remember it.
    pub host: String,
    /// What it said when it attached; `None` while it is detached.
    pub attached: Option<WorkerInfo>,
    /// Since when it is detached, with attempts that it may still run.
    pub detached_since: Option<Timestamp>,
    /// Attempts in no terminal state.
    pub open_attempts: usize,
}

/// A pool as the engine sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolView {
    /// Its name.
    pub name: String,
    /// How much of it there is; `None` when nodes ask for it, or hold it, but nobody has defined it.
    pub slots: Option<u32>,
    /// How much of it live attempts hold.
    pub held: u64,
    /// Nodes that wait in lines for it, whatever for.
    pub waiting: usize,
}

impl Engine {
    /// Who holds the whole cluster up.
    pub fn frozen(&self) -> Option<&Hold> {
        self.cluster.frozen.as_ref()
    }

    /// The pools that are defined, held or asked for, by name.
    pub fn pools(&self) -> Vec<PoolView> {
        let waiting = self.ready.waiting_for_pools();
        let mut names: BTreeSet<&str> = self.pools.names().collect();
        names.extend(waiting.keys().copied());
        names
            .into_iter()
            .map(|name| PoolView {
                name: name.to_owned(),
                slots: self.pools.size(name),
                held: self.pools.held(name),
                waiting: waiting.get(name).copied().unwrap_or_default(),
            })
            .collect()
    }

    /// How many of what there are.
    pub fn counts(&self) -> Counts {
        let waiting = self.instances.count(Instance::is_waiting);
        Counts {
            workflows: self
                .workflows
                .values()
                .filter(|entry| entry.exists())
                .count(),
            open_instances: self.instances.len(),
            waiting_instances: waiting,
            ready_nodes: self.ready.len(),
            open_attempts: self.workers.iter().map(|(_, it)| it.attempts.len()).sum(),
            attached_workers: self.workers.attached().count(),
        }
    }

    /// All instances in no terminal state, oldest first.
    pub fn open_instances(&self) -> impl Iterator<Item = &InstanceRow> {
        self.instances.values().map(|instance| &*instance.row)
    }

    /// The row of an open instance.
    pub fn instance(&self, id: InstanceId) -> Option<&InstanceRow> {
        self.instances.get(&id).map(|instance| &*instance.row)
    }

    /// The nodes that an open instance has reached in its current run, in the order of the definition.
    pub fn nodes(&self, id: InstanceId) -> Vec<&NodeRow> {
        self.instances
            .get(&id)
            .into_iter()
            .flat_map(|instance| &instance.slots)
            .filter_map(|slot| slot.row.as_deref())
            .collect()
    }

    /// The attempts of an open instance that are in no terminal state.
    pub fn attempts(&self, id: InstanceId) -> Vec<&AttemptRow> {
        self.instances
            .get(&id)
            .into_iter()
            .flat_map(|instance| &instance.slots)
            .filter_map(|slot| slot.attempt.as_deref())
            .collect()
    }

    /// The definition that an open instance is pinned to; `None` also when it cannot be read.
    pub fn pinned_definition(&self, id: InstanceId) -> Option<&Arc<Workflow>> {
        self.instances.get(&id)?.graph.workflow()
    }

    fn host_of(&self, worker: &Worker) -> String {
        let of_attempt = || {
            let (id, node) = worker.attempts.first()?;
            let attempt = self.instances.get(id)?.slots[*node].attempt.as_deref()?;
            Some(attempt.host.clone())
        };
        let info = worker.info.as_ref();
        info.map(|info| info.host.clone())
            .or_else(of_attempt)
            .unwrap_or_default()
            .into()
    }

    /// The workers that are attached or have open attempts.
    pub fn workers(&self) -> Vec<WorkerView> {
        self.workers
            .iter()
            .map(|(id, worker)| WorkerView {
                id: id.clone(),
                host: self.host_of(worker),
                attached: worker.info.clone(),
                detached_since: worker.detached_since,
                open_attempts: worker.attempts.len(),
            })
            .collect()
    }

    /// All workflows, deleted ones too.
    pub fn workflows(&self) -> impl Iterator<Item = &WorkflowRow> {
        self.workflows.values().map(|entry| &entry.row)
    }

    /// A workflow's row, deleted ones too.
    pub fn workflow(&self, name: &str) -> Option<&WorkflowRow> {
        self.workflows.get(name).map(|entry| &entry.row)
    }

    /// What is kept of the definition in force.
    pub fn definition(&self, name: &str) -> Option<&Definition> {
        self.workflows.get(name)?.definition.as_ref()
    }

    /// Whether the file at `path` has put just this content in force, so that it need not be read again.
    pub fn is_file_in_force(&self, path: &str, version: &Version) -> bool {
        !self.files.problems.contains_key(path)
            && self.files.owned.of(path).any(|name| {
                self.workflows.get(name).is_some_and(|entry| {
                    entry.row.status == WorkflowStatus::Live
                        && entry.row.version == *version
                        && entry.definition.is_some()
                })
            })
    }

    /// What is wrong with the file at `path`.
    pub fn file_problem(&self, path: &str) -> Option<&FileProblemRow> {
        self.files.problems.get(path)
    }

    /// Workflows that this version keeps and does not run, by name, and why.
    pub fn not_runnable(&self) -> Vec<(&str, &Text)> {
        let why = |name: &String| self.workflows.get(name)?.not_runnable();
        let found = self.not_runnable.iter();
        found
            .filter_map(|name| Some((name.as_str(), why(name)?)))
            .collect()
    }

    /// Files that are good but came second to another, whose workflow has lost that one meanwhile.
    pub fn files_in_waiting(&self) -> Vec<String> {
        let waits = |row: &&FileProblemRow| {
            let is_second = |finding: &Finding| finding.code == code::DUPLICATE_WORKFLOW;
            row.findings.iter().any(is_second)
                && row.workflow.as_ref().is_some_and(|name| {
                    let entry = self.workflows.get(name);
                    entry.is_none_or(|entry| entry.row.status == WorkflowStatus::FileGone)
                })
        };
        let problems = self.files.problems.values().filter(waits);
        problems.map(|row| row.path.clone()).collect()
    }

    /// The workflows that depend on `name`, in order.
    pub fn dependants<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        self.dependants.of(name).collect()
    }

    /// The next slot of the workflow's schedule.
    pub fn next_fire(&self, name: &str) -> Option<Timestamp> {
        self.workflows.get(name)?.next_slot(self.options.zone)
    }

    /// The zone from which the workflow's times and dates are read: its coordinator's own, else the cluster's.
    pub fn zone(&self, name: &str) -> Tz {
        let plan = self.workflows.get(name).and_then(|entry| entry.plan());
        plan.map_or(self.options.zone, |plan| plan.zone(self.options.zone))
    }

    /// Each upstream of the workflow with the number of its successes that wait to be consumed.
    pub fn readiness(&self, name: &str) -> Vec<(String, usize)> {
        self.workflows
            .get(name)
            .into_iter()
            .flat_map(|entry| {
                entry
                    .depends()
                    .iter()
                    .map(|upstream| (upstream.clone(), entry.tokens_of(upstream)))
            })
            .collect()
    }

    /// The running chains.
    pub fn chains(&self) -> impl Iterator<Item = &ChainRow> {
        self.chains.values()
    }
}
