//! One instance alone: the engine's own functions, fed with the instance's part of the journal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use akkaflow_model::definition::{Version, Workflow};
use akkaflow_model::id::{Epoch, InstanceId};
use akkaflow_model::record::{InstanceRow, NodeRow, Record, Snapshot};
use akkaflow_model::shared::Shared;
use akkaflow_model::state::NodeState;
use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::attempts::Assignee;
use crate::definition::Definitions;
use crate::graph::Graph;
use crate::input::Input;
use crate::instances::Instance;
use crate::journal::{Given, owner};
use crate::{Engine, Options, Shelf};

/// One step as far as it concerned one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// The epoch of the master that took it.
    pub epoch: Epoch,
    /// When.
    pub at: Timestamp,
    /// What happened, where it speaks of this instance alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Input>,
    /// What the instance was given of what it shares with others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<Given>,
    /// What was decided, see [`crate::decisions`].
    pub decisions: u32,
}

/// An engine that holds one instance and takes what it shares with others as given.
#[derive(Debug)]
pub struct Solo {
    id: InstanceId,
    engine: Engine,
    epoch: Epoch,
    definitions: BTreeMap<Version, Arc<Workflow>>,
}

impl Solo {
    /// An instance that is still to be admitted; `definitions` holds those that its runs are pinned to.
    pub fn new(
        id: InstanceId,
        zone: Tz,
        definitions: impl IntoIterator<Item = Arc<Workflow>>,
    ) -> Self {
        let options = Options {
            zone,
            epoch: Epoch(0),
            seed: 0,
            // Losses are given.
            lost_after: Duration::MAX,
            retry_fail_times: 0,
            packing: Arc::new(Shelf::default()),
        };
        Self {
            id,
            engine: Engine::load(options, Snapshot::default(), Definitions::default()),
            epoch: Epoch::default(),
            definitions: definitions
                .into_iter()
                .map(|workflow| (workflow.version.clone(), workflow))
                .collect(),
        }
    }

    /// Adds a definition, which a later run may be pinned to.
    pub fn learn(&mut self, workflow: Arc<Workflow>) {
        self.definitions.insert(workflow.version.clone(), workflow);
    }

    /// Takes the step again; gives the rows of the instance that it leads to.
    pub fn step(&mut self, moment: &Moment) -> Vec<Record> {
        if moment.epoch != self.epoch {
            // Another master, another clock.
            self.epoch = moment.epoch;
            self.engine.now = moment.at;
        }
        let engine = &mut self.engine;
        engine.now = engine.now.max(moment.at);
        engine.has_stepped = true;
        let after = self.serve_timers(&moment.given);
        let engine = &mut self.engine;
        if let Some(input) = moment.input.clone().filter(|it| it.is_about(self.id)) {
            engine.accept(input);
        }
        for given in after.iter().cloned() {
            self.give(given);
        }
        let mut records = self.engine.flush().records;
        records.retain(|record| owner(record) == Some(self.id));
        records
    }

    /// Serves the timers, with what other instances gave by theirs in between. Gives back what came later.
    fn serve_timers<'a>(&mut self, given: &'a [Given]) -> &'a [Given] {
        let is_timers = |it: &Given| matches!(it, Given::Timers { .. });
        let last = given.iter().rposition(is_timers).map_or(0, |at| at + 2);
        let (during, after) = given.split_at(last.min(given.len()));
        let mut count = 0;
        for given in during.iter().cloned() {
            match given {
                Given::Timers { served } => {
                    while count < served && self.engine.serve_timer() {
                        count += 1;
                    }
                }
                given => self.give(given),
            }
        }
        self.engine.serve_timers();
        after
    }

    /// The instance, while it is open.
    pub fn instance(&self) -> Option<&InstanceRow> {
        self.engine.instance(self.id)
    }

    fn give(&mut self, given: Given) {
        let id = self.id;
        match given {
            Given::Admitted { row, nodes } => self.admit(row, nodes),
            Given::Repaired { version, by } => {
                if let Some(workflow) = self.definitions.get(&version) {
                    let graph = Graph::compile(workflow.clone());
                    self.engine.replace_graph(id, graph, by);
                }
            }
            Given::Started => self.engine.start(id),
            Given::Ended { state, message } => self.engine.end(id, state, message),
            Given::Worker {
                node,
                worker,
                incarnation,
                host,
                epoch,
            } => {
                let assignee = Assignee {
                    worker,
                    incarnation,
                    host,
                    epoch,
                };
                self.with_node(&node, |engine, node| engine.assign(id, node, assignee));
            }
            Given::Held {
                node,
                incarnation,
                epoch,
            } => self.with_node(&node, |engine, node| {
                engine.on_held(id, node, Some((incarnation, epoch)));
            }),
            Given::Lost { node } => self.with_node(&node, |engine, node| engine.lose(id, node)),
            Given::Wait { node, message } => {
                self.with_node(&node, |engine, node| engine.say_wait(id, node, message));
            }
            other => self.give_values(other),
        }
    }

    /// What concerns state, waits and children.
    fn give_values(&mut self, given: Given) {
        let id = self.id;
        match given {
            Given::Read { pinned } => self.engine.read_state(id, pinned),
            Given::StateKept { message } => {
                if let Some(instance) = self.engine.instances.get_mut(&id) {
                    instance.row.message = Some(message);
                }
            }
            Given::Begun { node } => {
                self.with_node(&node, |engine, node| engine.do_own(id, node));
            }
            Given::Child { node, child, waits } => self.with_node(&node, |engine, node| {
                engine.attach_child(id, node, child, waits);
            }),
            Given::NoChild { node, message } => self.with_node(&node, |engine, node| {
                engine.end_node(id, node, NodeState::Failed, message);
            }),
            Given::ChildAgain { node, child } => {
                self.with_node(&node, |engine, node| engine.await_again(id, node, child));
            }
            Given::ChildOver {
                node,
                state,
                message,
            } => self.with_node(&node, |engine, node| {
                engine.child_over(id, node, state, message);
            }),
            Given::Admitted { .. }
            | Given::Repaired { .. }
            | Given::Started
            | Given::Ended { .. }
            | Given::Worker { .. }
            | Given::Held { .. }
            | Given::Lost { .. }
            | Given::Timers { .. }
            | Given::Wait { .. } => {}
        }
    }

    fn with_node(&mut self, name: &str, act: impl FnOnce(&mut Engine, usize)) {
        let instance = self.engine.instances.get(&self.id);
        if let Some(node) = instance.and_then(|instance| instance.graph.position(name)) {
            act(&mut self.engine, node);
        }
    }

    fn admit(&mut self, row: Shared<InstanceRow>, nodes: Vec<NodeRow>) {
        let graph = match self.definitions.get(&row.version) {
            Some(workflow) => Graph::compile(workflow.clone()),
            None => Graph::unreadable(nodes.iter().map(|node| node.node.clone()).collect()),
        };
        let mut instance = Instance::new(row, graph);
        for node in nodes {
            if let Some(position) = instance.put_row(node.into()) {
                instance.mark(position);
            }
        }
        instance.replay();
        self.engine.admit(instance);
    }
}
