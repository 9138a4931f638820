//! A new master rebuilds the state from the stored rows.

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::record::{InstanceRow, NodeRow, Snapshot, WorkflowStatus};

use crate::backfill::Backfills;
use crate::calendars::Calendars;
use crate::definition::{Definitions, Recent};
use crate::graph::Graph;
use crate::ids::Ids;
use crate::instances::{Instance, Instances};
use crate::outbox::Outbox;
use crate::pairs::Pairs;
use crate::pools::Pools;
use crate::queue::ReadyQueues;
use crate::requests::Requests;
use crate::state::States;
use crate::timers::Timers;
use crate::workers::Workers;
use crate::workflows::{Entry, Files};
use crate::{Engine, Options};

impl Engine {
    /// Rebuilds the state from stored rows: the one way in which an engine begins, an empty snapshot included.
    ///
    /// `definitions` holds the content of every version in the snapshot; a version that no longer parses is
    /// left out by the caller, and its workflow stays known but never starts.
    pub fn load(options: Options, snapshot: Snapshot, mut definitions: Definitions) -> Self {
        let mut engine = Self {
            ids: Ids::new(options.seed, options.epoch),
            options,
            now: akkaflow_model::time::Timestamp::from_millis(i64::MIN),
            has_stepped: false,
            workflows: BTreeMap::new(),
            crons: std::mem::take(&mut definitions.crons),
            calendars: Calendars::load(snapshot.calendars),
            recent: Recent::default(),
            dependants: Pairs::default(),
            not_runnable: BTreeSet::new(),
            files: Files::default(),
            instances: Instances::default(),
            chains: snapshot
                .chains
                .into_iter()
                .filter(|chain| !chain.remaining.is_empty())
                .map(|chain| (chain.root, chain))
                .collect(),
            requests: Requests::load(snapshot.requests),
            states: States::default(),
            workers: Workers::default(),
            ready: ReadyQueues::default(),
            pools: Pools::load(snapshot.pools),
            backfills: Backfills::load(snapshot.backfills, snapshot.backfill_runs),
            cluster: snapshot.cluster,
            own: Default::default(),
            timers: Timers::default(),
            consider: Default::default(),
            backlog: Default::default(),
            touched: Vec::new(),
            unarmed: Vec::new(),
            served: None,
            out: Outbox::default(),
        };
        for row in snapshot.file_problems {
            engine.files.problems.insert(row.path.clone(), row);
        }
        for row in snapshot.states {
            engine.states.put(row);
        }
        for row in snapshot.workflows {
            engine.load_workflow(row, &mut definitions);
        }
        for row in snapshot.schedules {
            if let Some(entry) = engine.workflows.get_mut(&row.workflow) {
                entry.schedule = Some(row);
            }
        }
        for row in snapshot.fires {
            if let Some(entry) = engine.workflows.get_mut(&row.workflow) {
                entry.waiting_fires.push(row);
            }
        }
        for entry in engine.workflows.values_mut() {
            entry.waiting_fires.sort_by_key(|fire| fire.due_at);
        }
        for row in snapshot.tokens {
            if let Some(entry) = engine.workflows.get_mut(&row.dependant) {
                entry
                    .tokens
                    .entry(row.upstream.clone())
                    .or_default()
                    .insert(row.upstream_instance, row);
            }
        }
        let mut nodes: BTreeMap<_, Vec<NodeRow>> = BTreeMap::new();
        for row in snapshot.nodes {
            nodes.entry(row.instance).or_default().push(row);
        }
        for row in snapshot.instances {
            let nodes = nodes.remove(&row.id).unwrap_or_default();
            engine.load_instance(row, nodes, &mut definitions);
        }
        for row in snapshot.attempts {
            engine.load_attempt(row);
        }
        engine.resume();
        engine
    }

    fn load_workflow(
        &mut self,
        row: akkaflow_model::record::WorkflowRow,
        definitions: &mut Definitions,
    ) {
        let name = row.name.clone();
        let is_deleted = row.status == WorkflowStatus::Deleted;
        if let Some(path) = row.file_path.as_ref().filter(|_| !is_deleted) {
            self.files.owned.insert(path, &name);
        }
        let mut entry = Entry::new(row);
        if !is_deleted {
            entry.definition = definitions.take(&entry.row.version);
        }
        if let Some(definition) = &mut entry.definition {
            self.calendars.settle(definition, self.options.zone);
        }
        if entry.not_runnable().is_some() {
            self.not_runnable.insert(name.clone());
        }
        let calendar = entry.plan().and_then(|plan| plan.calendar());
        self.calendars.note_user(&name, None, calendar);
        for upstream in entry.depends().to_vec() {
            self.dependants.insert(&upstream, &name);
        }
        self.workflows.insert(name, Box::new(entry));
    }

    fn load_instance(
        &mut self,
        row: InstanceRow,
        nodes: Vec<NodeRow>,
        definitions: &mut Definitions,
    ) {
        let nodes: Vec<NodeRow> = nodes
            .into_iter()
            .filter(|node| node.run == row.run)
            .collect();
        let is_in_force = self
            .workflows
            .get(&row.workflow)
            .is_some_and(|entry| entry.row.version == row.version);
        let graph = if is_in_force {
            self.graph_in_force(&row.workflow)
        } else {
            definitions.graph(&row.version, &*self.options.packing, &mut self.recent)
        };
        let graph = graph.unwrap_or_else(|| {
            Graph::unreadable(nodes.iter().map(|node| node.node.clone()).collect())
        });
        if let Some(entry) = self.workflows.get_mut(&row.workflow) {
            if row.state == akkaflow_model::state::InstanceState::Ready {
                entry.queue.insert((row.created_at, row.id));
            } else if let Some(since) = row.started_at {
                entry.running.insert((since, row.id));
            } else {
                entry.paused.insert((row.created_at, row.id));
            }
        }
        let mut instance = Instance::new(row.into(), graph);
        for node in nodes {
            instance.put_row(node.into());
        }
        instance.replay();
        self.instances.insert(instance);
    }

    fn load_attempt(&mut self, row: akkaflow_model::record::AttemptRow) {
        let id = row.key.instance;
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        if row.key.run != instance.row.run || row.state.is_terminal() {
            return;
        }
        let Some(node) = instance.graph.position(&row.key.node) else {
            return;
        };
        let worker = row.worker.clone();
        instance.slots[node].attempt = Some(row.into());
        instance.open_attempts += 1;
        if let Some(need) = instance.share(node) {
            self.pools.take(need, (id, node));
        }
        self.workers.add_attempt(&worker, (id, node));
    }

    /// Sets timers and queues as the rows say, and marks for a look what may go on at once.
    fn resume(&mut self) {
        let names: Vec<String> = self.workflows.keys().cloned().collect();
        for name in names {
            self.arm(&name);
            let Some(entry) = self.workflows.get(&name) else {
                continue;
            };
            if !entry.tokens.is_empty() || !entry.waiting_fires.is_empty() {
                self.consider.join(&name);
            }
            if !entry.queue.is_empty() {
                self.backlog.join(&name);
            }
        }
        let nodes: Vec<_> = self
            .instances
            .values()
            .flat_map(|it| (0..it.slots.len()).map(|node| (it.row.id, node)))
            .collect();
        for (id, node) in nodes {
            let child = self.child_of_rows(id, node);
            if let Some(instance) = self.instances.get_mut(&id) {
                instance.slots[node].child = child;
            }
            self.resume_waiting(id, node);
        }
        for id in self.instances.ids() {
            self.resume_landing(id);
            self.ask_usual(id);
        }
    }
}
