//! What the master, the simulator and people may see of the state.

use std::sync::Arc;

use akkaflow_model::definition::Workflow;
use akkaflow_model::id::{InstanceId, WorkerId};
use akkaflow_model::record::{AttemptRow, InstanceRow, NodeRow, WorkflowRow};
use akkaflow_model::time::Timestamp;

use crate::{Engine, WorkerInfo};

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
    /// What it said when it attached; `None` while it is detached.
    pub attached: Option<WorkerInfo>,
    /// Since when it is detached, with attempts that it may still run.
    pub detached_since: Option<Timestamp>,
    /// Attempts in no terminal state.
    pub open_attempts: usize,
}

impl Engine {
    /// How many of what there are.
    pub fn counts(&self) -> Counts {
        Counts::default()
    }

    /// All instances in no terminal state, oldest first.
    pub fn open_instances(&self) -> impl Iterator<Item = &InstanceRow> {
        std::iter::empty()
    }

    /// The row of an open instance.
    pub fn instance(&self, id: InstanceId) -> Option<&InstanceRow> {
        let _ = id;
        None
    }

    /// The nodes that an open instance has reached in its current run, in the order of the definition.
    pub fn nodes(&self, id: InstanceId) -> Vec<&NodeRow> {
        let _ = id;
        Vec::new()
    }

    /// The attempts of an open instance that are in no terminal state.
    pub fn attempts(&self, id: InstanceId) -> Vec<&AttemptRow> {
        let _ = id;
        Vec::new()
    }

    /// The workers that are attached or have open attempts.
    pub fn workers(&self) -> Vec<WorkerView> {
        Vec::new()
    }

    /// All workflows, deleted ones too.
    pub fn workflows(&self) -> impl Iterator<Item = &WorkflowRow> {
        std::iter::empty()
    }

    /// A workflow's row, deleted ones too.
    pub fn workflow(&self, name: &str) -> Option<&WorkflowRow> {
        let _ = name;
        None
    }

    /// The definition in force.
    pub fn definition(&self, name: &str) -> Option<&Arc<Workflow>> {
        let _ = name;
        None
    }

    /// The workflows that depend on `name`, in order.
    pub fn dependants(&self, name: &str) -> Vec<&str> {
        let _ = name;
        Vec::new()
    }

    /// The next slot of the workflow's schedule.
    pub fn next_fire(&self, name: &str) -> Option<Timestamp> {
        let _ = name;
        None
    }

    /// Each upstream of the workflow with the number of its successes that wait to be consumed.
    pub fn readiness(&self, name: &str) -> Vec<(String, usize)> {
        let _ = name;
        Vec::new()
    }
}
