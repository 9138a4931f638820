//! An engine with a store in memory and workers that do as they are told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use akkaflow_engine::{
    Definition, Definitions, Dispatch, Effect, Engine, ExplainObject, Input, JournalEntry, Known,
    Moment, Options, Order, Origin, Outcome, OutcomeKind, Rerun, RerunFrom, Shelf, Solo, Step,
    StoredInstance, WorkerInfo,
};
use akkaflow_model::backfill::{BackfillRow, BackfillRunRow};
use akkaflow_model::command::{Answer, By, Rejection};
use akkaflow_model::condition::{Condition, EDGE_VARIABLES};
use akkaflow_model::definition::{
    ActionNode, Case, CodeRanges, Coordinator, DateRule, Dependency, DependencyTerm, Edge,
    FailurePolicy, Growth, Misfire, Node, NodeKind, OnTimeout, Output, OutputRef, Overlap,
    ParamRule, ParamType, Pool, StateVariable, TimeoutScope, Version, Workflow,
};
use akkaflow_model::element::{Attribute, Child, Element, Span};
use akkaflow_model::id::{AttemptKey, Epoch, Incarnation, InstanceId, Name, RequestId, WorkerId};
use akkaflow_model::links::{LinkKey, LinkRow};
use akkaflow_model::mail::{DeliveryRow, MailKey, MailRow};
use akkaflow_model::record::{
    AttemptRow, CalendarRow, CancelReason, ClusterRow, FireRow, InstanceRow, Mark, NodeRow,
    PoolRow, Record, Snapshot, TokenRow,
};
use akkaflow_model::record::{
    ChainRow, FileProblemRow, RequestRow, ScheduleRow, StateRow, WorkflowRow,
};
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;

/// 2026-01-01T00:00:00Z.
pub(crate) const BEGIN: i64 = 1_767_225_600_000;
pub(crate) const LOST_AFTER: u64 = 1800;

pub(crate) fn options() -> Options {
    Options {
        zone: chrono_tz::UTC,
        epoch: Epoch(1),
        seed: 1,
        lost_after: Duration::from_secs(LOST_AFTER),
        retry_fail_times: 0,
        packing: Arc::new(Shelf::default()),
    }
}

/// Everything that was written, whole rows by key.
#[derive(Debug, Default, Clone)]
pub(crate) struct Rows {
    pub(crate) workflows: BTreeMap<String, WorkflowRow>,
    pub(crate) schedules: BTreeMap<String, ScheduleRow>,
    pub(crate) fires: BTreeMap<(String, String, u32, String), FireRow>,
    pub(crate) tokens: BTreeMap<(InstanceId, String), TokenRow>,
    pub(crate) instances: BTreeMap<InstanceId, InstanceRow>,
    pub(crate) nodes: BTreeMap<(InstanceId, Name), NodeRow>,
    pub(crate) attempts: BTreeMap<AttemptKey, AttemptRow>,
    pub(crate) chains: BTreeMap<InstanceId, ChainRow>,
    pub(crate) requests: BTreeMap<String, RequestRow>,
    pub(crate) problems: BTreeMap<String, FileProblemRow>,
    pub(crate) calendars: BTreeMap<String, CalendarRow>,
    pub(crate) cluster: ClusterRow,
    pub(crate) pools: BTreeMap<String, PoolRow>,
    pub(crate) backfills: BTreeMap<InstanceId, BackfillRow>,
    pub(crate) backfill_runs: BTreeMap<(InstanceId, u32), BackfillRunRow>,
    pub(crate) states: BTreeMap<(String, String), StateRow>,
    /// Mails in the order of their birth.
    pub(crate) mails: Vec<MailRow>,
    pub(crate) deliveries: BTreeMap<MailKey, DeliveryRow>,
    pub(crate) links: BTreeMap<LinkKey, LinkRow>,
}

impl Rows {
    fn write(&mut self, record: Record) {
        match record {
            Record::Workflow(row) => drop(self.workflows.insert(row.name.clone(), row)),
            Record::Version(_) => {}
            Record::Schedule(row) => drop(self.schedules.insert(row.workflow.clone(), row)),
            Record::Fire(row) => {
                let kind = format!("{:?}", row.kind);
                let key = (row.workflow.clone(), kind, row.generation, row.key.clone());
                self.fires.insert(key, row);
            }
            Record::Token(row) => {
                let key = (row.upstream_instance, row.dependant.clone());
                self.tokens.insert(key, row);
            }
            Record::Instance(row) => drop(self.instances.insert(row.id, row.into_inner())),
            Record::Node(row) => {
                let key = (row.instance, row.node.clone());
                self.nodes.insert(key, row.into_inner());
            }
            Record::Attempt(row) => {
                let before = self.attempts.get(&row.key);
                assert!(
                    before.is_none_or(|before| !before.state.is_terminal()),
                    "an attempt ends once: {before:?} then {row:?}"
                );
                self.attempts.insert(row.key.clone(), row.into_inner());
            }
            Record::DeleteInstance { id } => {
                self.instances.remove(&id);
                self.nodes.retain(|(instance, _), _| *instance != id);
                self.attempts.retain(|key, _| key.instance != id);
            }
            Record::Chain(row) => drop(self.chains.insert(row.root, row)),
            Record::Request(row) => drop(self.requests.insert(row.key.clone(), row)),
            Record::FileProblem(row) => drop(self.problems.insert(row.path.clone(), row)),
            Record::Calendar(row) => drop(self.calendars.insert(row.name.clone(), row)),
            Record::ClearFileProblem { path } => drop(self.problems.remove(&path)),
            Record::Cluster(row) => self.cluster = row,
            Record::Pool(row) => drop(self.pools.insert(row.name.clone(), row)),
            Record::ExpireInstance { id } => {
                self.instances.remove(&id);
                self.nodes.retain(|(instance, _), _| *instance != id);
                self.attempts.retain(|key, _| key.instance != id);
                self.tokens
                    .retain(|(upstream, _), row| *upstream != id || row.is_held);
            }
            Record::ForgetFires { workflow, before } => {
                let instances = &self.instances;
                self.fires.retain(|_, row| {
                    row.workflow != workflow
                        || row.due_at >= before
                        || row.state == akkaflow_model::record::FireState::Waiting
                        || row.instance.is_some_and(|id| instances.contains_key(&id))
                });
            }
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
            Record::Mail(row) => {
                let is_new = self.mails.iter().all(|mail| mail.key != row.key);
                assert!(is_new, "a mail is born once: {row:?}");
                self.mails.push(*row);
            }
            Record::Delivery(row) => {
                self.deliveries.insert(row.key.clone(), *row);
            }
            Record::Link(row) => drop(self.links.insert(row.key.clone(), *row)),
            Record::DeleteLink { key } => drop(self.links.remove(&key)),
        }
    }

    fn snapshot(&self) -> Snapshot {
        let open = |id: &InstanceId| {
            self.instances
                .get(id)
                .is_some_and(|row| !row.state.is_terminal())
        };
        Snapshot {
            workflows: self.workflows.values().cloned().collect(),
            versions: Vec::new(),
            schedules: self.schedules.values().cloned().collect(),
            fires: self
                .fires
                .values()
                .filter(|row| row.state == akkaflow_model::record::FireState::Waiting)
                .cloned()
                .collect(),
            tokens: self
                .tokens
                .values()
                .filter(|row| row.is_held)
                .cloned()
                .collect(),
            instances: self
                .instances
                .values()
                .filter(|row| open(&row.id))
                .cloned()
                .collect(),
            nodes: self
                .nodes
                .values()
                .filter(|row| open(&row.instance) && self.instances[&row.instance].run == row.run)
                .cloned()
                .collect(),
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
            requests: self.requests.values().cloned().collect(),
            file_problems: self.problems.values().cloned().collect(),
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
                .filter(|row| self.backfills[&row.backfill].ended_at.is_none())
                .cloned()
                .collect(),
            states: self.states.values().cloned().collect(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    pub(crate) rows: Rows,
    pub(crate) definitions: BTreeMap<Version, Arc<Workflow>>,
    /// What workers were told to run and have not reported on.
    pub(crate) running: Vec<Dispatch>,
    pub(crate) cancelled: Vec<(AttemptKey, CancelReason)>,
    pub(crate) tombstones: Vec<AttemptKey>,
    pub(crate) acknowledged: usize,
    pub(crate) replies: BTreeMap<RequestId, Result<Answer, Rejection>>,
    next_request: u64,
    epoch: u64,
    retry_fail_times: u32,
    solos: BTreeMap<InstanceId, Solo>,
    /// Whose usual times were asked for.
    pub(crate) asked: Vec<InstanceId>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            engine: Engine::load(options(), Snapshot::default(), Definitions::default()),
            now: Timestamp::from_millis(BEGIN),
            rows: Rows::default(),
            definitions: BTreeMap::new(),
            running: Vec::new(),
            cancelled: Vec::new(),
            tombstones: Vec::new(),
            acknowledged: 0,
            replies: BTreeMap::new(),
            next_request: 0,
            epoch: 1,
            retry_fail_times: 0,
            solos: BTreeMap::new(),
            asked: Vec::new(),
        }
    }

    /// After so many failed retries people are told from now on.
    pub(crate) fn retry_fail_times(&mut self, times: u32) {
        self.retry_fail_times = times;
        self.take_over();
    }

    /// One attached worker `w` with ten slots.
    pub(crate) fn with_worker() -> Self {
        let mut world = Self::new();
        world.attach("w", 10);
        world
    }

    pub(crate) fn input(&mut self, input: Input) {
        let mut step = self.engine.step(self.now, input.clone());
        self.replay_alone(&input, &mut step);
        for record in step.records {
            self.rows.write(record);
        }
        for effect in step.effects {
            self.see(effect);
        }
        self.engine.check_invariants().unwrap();
        let again = self.loaded();
        assert_eq!(
            again.digest(),
            self.engine.digest(),
            "a load gives the same state"
        );
        again.check_invariants().unwrap_or_else(|fault| {
            // Before its first step a loaded engine has dispatched nothing and looked at nothing.
            panic!("after a load: {fault}")
        });
    }

    /// Every instance that the step touched decides the same when it replays alone from what the journal keeps.
    fn replay_alone(&mut self, input: &Input, step: &mut Step) {
        let entry = JournalEntry::new(self.now, input, step);
        for part in entry.parts {
            let id = part.id;
            let moment = Moment {
                epoch: Epoch(self.epoch),
                at: self.now,
                input: input.is_about(id).then(|| input.clone()),
                given: part.given,
                decisions: part.decisions,
            };
            let text = serde_json::to_string(&moment).unwrap();
            let moment: Moment = serde_json::from_str(&text).unwrap();
            let solo = self
                .solos
                .entry(id)
                .or_insert_with(|| Solo::new(id, options().zone, []));
            for workflow in self.definitions.values() {
                solo.learn(workflow.clone());
            }
            let again = solo.step(&moment);
            let here = step.records.iter().filter(|record| match record {
                Record::Instance(row) => row.id == id,
                Record::Node(row) => row.instance == id,
                Record::Attempt(row) => row.key.instance == id,
                _ => false,
            });
            assert_eq!(
                again.iter().collect::<Vec<_>>(),
                here.collect::<Vec<_>>(),
                "alone it decides the same: {text}"
            );
            assert_eq!(akkaflow_engine::decisions(&again), moment.decisions);
        }
    }

    /// A new master's engine.
    pub(crate) fn loaded(&self) -> Engine {
        let options = Options {
            epoch: Epoch(self.epoch),
            retry_fail_times: self.retry_fail_times,
            ..options()
        };
        let mut definitions = Definitions::default();
        for (version, workflow) in &self.definitions {
            let definition = Definition::new(workflow, &*options.packing);
            definitions.insert(version.clone(), definition);
        }
        Engine::load(options, self.rows.snapshot(), definitions)
    }

    /// The master dies, another one takes over.
    pub(crate) fn restart(&mut self) {
        self.epoch += 1;
        self.engine = self.loaded();
        self.tick();
    }

    fn see(&mut self, effect: Effect) {
        match effect {
            Effect::Dispatch(dispatch) => self.running.push(*dispatch),
            Effect::Cancel { key, reason, .. } => self.cancelled.push((key, reason)),
            Effect::RequestTombstone { key, .. } => self.tombstones.push(key),
            Effect::Acknowledge { .. } => self.acknowledged += 1,
            Effect::Reply { request, result } => {
                assert!(
                    self.replies.insert(request, result).is_none(),
                    "one reply each"
                );
            }
            Effect::Changed { .. } | Effect::MailOwed | Effect::LinkChanged { .. } => {}
            Effect::Learn { instance, .. } => self.asked.push(instance),
        }
    }

    /// What the history says of an instance's nodes: minutes.
    pub(crate) fn usual(&mut self, instance: InstanceId, minutes: &[(&str, u64)]) {
        let known = |(node, minutes): &(&str, u64)| Known {
            node: (*node).to_owned(),
            attempt_ms: minutes * 60_000,
            whole_ms: minutes * 60_000,
        };
        let nodes = minutes.iter().map(known).collect();
        self.input(Input::Usual { instance, nodes });
    }

    pub(crate) fn tick(&mut self) {
        self.input(Input::Tick);
    }

    /// Lets time pass, stopping at every deadline on the way.
    pub(crate) fn pass(&mut self, seconds: u64) {
        let end = self.now.plus(Duration::from_secs(seconds));
        for _ in 0..10_000 {
            match self.engine.next_deadline().filter(|at| *at <= end) {
                Some(at) => {
                    self.now = self.now.max(at);
                    self.tick();
                }
                None => break,
            }
        }
        self.now = end;
        self.tick();
    }

    pub(crate) fn ask(&mut self, order: Order) -> RequestId {
        self.next_request += 1;
        let request = RequestId(self.next_request);
        self.input(Input::Order { request, order });
        request
    }

    pub(crate) fn order(&mut self, order: Order) -> Result<Answer, Rejection> {
        let request = self.ask(order);
        self.replies[&request].clone()
    }

    /// The Chinese text of the rejection.
    pub(crate) fn refused(&mut self, order: Order) -> String {
        self.order(order).unwrap_err().text.zh
    }

    pub(crate) fn put(&mut self, workflow: Workflow) {
        self.put_from(workflow, api()).unwrap();
    }

    pub(crate) fn put_from(
        &mut self,
        workflow: Workflow,
        origin: Origin,
    ) -> Result<Answer, Rejection> {
        let workflow = Arc::new(workflow);
        self.definitions
            .insert(workflow.version.clone(), workflow.clone());
        self.order(Order::PutWorkflow {
            workflow,
            origin,
            findings: Vec::new(),
        })
    }

    pub(crate) fn attach(&mut self, id: &str, slots: u32) {
        self.attach_again(id, slots, 1, &[]);
    }

    pub(crate) fn attach_again(
        &mut self,
        id: &str,
        slots: u32,
        incarnation: u64,
        holds: &[AttemptKey],
    ) {
        self.input(Input::WorkerAttached {
            worker: WorkerInfo {
                id: WorkerId(id.into()),
                incarnation: Incarnation(incarnation),
                host: format!("host-{id}").into(),
                slots,
                labels: Default::default(),
            },
            holds: holds.to_vec(),
        });
    }

    pub(crate) fn detach(&mut self, id: &str) {
        self.input(Input::WorkerDetached {
            id: WorkerId(id.into()),
            incarnation: Incarnation(1),
        });
    }

    pub(crate) fn leave(&mut self, id: &str, holds: &[AttemptKey]) {
        self.input(Input::WorkerLeaving {
            id: WorkerId(id.into()),
            incarnation: Incarnation(1),
            holds: holds.to_vec(),
        });
    }

    pub(crate) fn run(&mut self, name: &str) -> InstanceId {
        instance_of(self.order(run(name)))
    }

    pub(crate) fn run_with(&mut self, name: &str, params: &[(&str, &str)]) -> InstanceId {
        let params = params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        instance_of(self.order(Order::Run {
            name: name.into(),
            params,
            fire_time: None,
            user: String::new(),
            idempotency: None,
        }))
    }

    /// The master dies and another one takes over, which finds the worker with all that it runs.
    pub(crate) fn take_over(&mut self) {
        self.restart();
        let keys: Vec<AttemptKey> = self.running.iter().map(|it| it.key.clone()).collect();
        self.attach_again("w", 10, 1, &keys);
    }

    /// The same by a master whose clock is so much behind.
    pub(crate) fn take_over_behind(&mut self, seconds: i64) {
        self.now = Timestamp::from_millis(self.now.as_millis() - seconds * 1000);
        self.take_over();
    }

    pub(crate) fn trigger(&mut self, name: &str) -> InstanceId {
        instance_of(self.order(Order::Trigger {
            name: name.into(),
            ignore_nodes: Vec::new(),
            fire_time: None,
            user: String::new(),
        }))
    }

    pub(crate) fn kill(&mut self, id: InstanceId) -> RequestId {
        self.ask(Order::Kill {
            id,
            user: "ann".into(),
        })
    }

    pub(crate) fn rerun(&mut self, id: InstanceId, from_failed: bool) -> Result<Answer, Rejection> {
        let stored = self.stored(id);
        let from = if from_failed {
            RerunFrom::Failed
        } else {
            RerunFrom::Start
        };
        self.order(Order::Rerun {
            id,
            stored,
            how: how(from, None),
        })
    }

    pub(crate) fn mark(
        &mut self,
        id: InstanceId,
        node: &str,
        is_skipped: bool,
    ) -> Result<Answer, Rejection> {
        let mark = Mark {
            node: node.into(),
            is_skipped,
            user: "ann".into(),
            reason: "done by hand".into(),
            at: Timestamp::default(),
        };
        let stored = self.stored(id);
        let pinned = stored
            .as_ref()
            .and_then(|stored| self.definitions.get(&stored.instance.version))
            .cloned();
        self.order(Order::MarkNode {
            id,
            mark,
            stored,
            pinned,
        })
    }

    pub(crate) fn set_pool(&mut self, name: &str, slots: Option<u32>) {
        let order = Order::SetPool {
            name: name.into(),
            slots,
            user: "ann".into(),
        };
        assert_eq!(self.order(order), Ok(Answer::Done));
    }

    /// A worker that has labels.
    pub(crate) fn attach_with(&mut self, id: &str, slots: u32, labels: &[&str]) {
        self.input(Input::WorkerAttached {
            worker: WorkerInfo {
                id: WorkerId(id.into()),
                incarnation: Incarnation(1),
                host: format!("host-{id}").into(),
                slots,
                labels: labels.iter().map(|label| (*label).into()).collect(),
            },
            holds: Vec::new(),
        });
    }

    pub(crate) fn stored(&self, id: InstanceId) -> Option<Box<StoredInstance>> {
        self.rows.instances.get(&id).map(|row| {
            Box::new(StoredInstance {
                instance: row.clone(),
                nodes: self.current_nodes(id),
            })
        })
    }

    pub(crate) fn current_nodes(&self, id: InstanceId) -> Vec<NodeRow> {
        let run = self.rows.instances[&id].run;
        self.rows
            .nodes
            .values()
            .filter(|row| row.instance == id && row.run == run)
            .cloned()
            .collect()
    }

    /// Takes the oldest attempt of the node that runs.
    pub(crate) fn take(&mut self, node: &str) -> Dispatch {
        let position = self
            .running
            .iter()
            .position(|dispatch| dispatch.key.node == node)
            .unwrap_or_else(|| panic!("{node} is not running, but {:?}", self.running_nodes()));
        self.running.remove(position)
    }

    pub(crate) fn finish(&mut self, node: &str, kind: OutcomeKind) {
        let dispatch = self.take(node);
        self.report(&dispatch, kind);
    }

    pub(crate) fn report(&mut self, dispatch: &Dispatch, kind: OutcomeKind) {
        self.report_with(dispatch, kind, None, &[]);
    }

    /// The action fails with this exit code.
    pub(crate) fn exit(&mut self, node: &str, code: i32) {
        let dispatch = self.take(node);
        self.report_with(&dispatch, OutcomeKind::Failed, Some(code), &[]);
    }

    /// The oldest attempt of the node ends, and hands something on.
    pub(crate) fn hand_on(&mut self, node: &str, outputs: &[(&str, &str)]) {
        let dispatch = self.take(node);
        self.report_with(&dispatch, OutcomeKind::Succeeded, None, outputs);
    }

    pub(crate) fn report_with(
        &mut self,
        dispatch: &Dispatch,
        kind: OutcomeKind,
        exit_code: Option<i32>,
        outputs: &[(&str, &str)],
    ) {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.input(Input::AttemptFinished {
            worker: dispatch.worker.clone(),
            key: dispatch.key.clone(),
            outcome: Outcome {
                exit_code,
                outputs: outputs.iter().map(owned).collect(),
                ..Outcome::new(kind)
            },
        });
    }

    pub(crate) fn ok(&mut self, node: &str) {
        self.finish(node, OutcomeKind::Succeeded);
    }

    pub(crate) fn fail(&mut self, node: &str) {
        self.finish(node, OutcomeKind::Failed);
    }

    /// Finishes whatever runs, until nothing does.
    pub(crate) fn run_out(&mut self) {
        while let Some(dispatch) = self.running.first().cloned() {
            self.running.remove(0);
            self.report(&dispatch, OutcomeKind::Succeeded);
        }
    }

    pub(crate) fn running_nodes(&self) -> String {
        let mut names: Vec<&str> = self
            .running
            .iter()
            .map(|dispatch| dispatch.key.node.as_str())
            .collect();
        names.sort_unstable();
        names.join(" ")
    }

    pub(crate) fn state(&self, id: InstanceId) -> InstanceState {
        self.rows.instances[&id].state
    }

    pub(crate) fn row(&self, id: InstanceId) -> &InstanceRow {
        &self.rows.instances[&id]
    }

    pub(crate) fn node(&self, id: InstanceId, node: &str) -> &NodeRow {
        &self.rows.nodes[&(id, Name::from(node))]
    }

    /// `a:succeeded b:running`, by name, of the current run.
    pub(crate) fn nodes(&self, id: InstanceId) -> String {
        self.current_nodes(id)
            .iter()
            .map(|row| format!("{}:{}", row.node, row.state.as_str()))
            .collect::<Vec<_>>()
            .join(" ")
    }

    pub(crate) fn node_state(&self, id: InstanceId, node: &str) -> NodeState {
        self.node(id, node).state
    }

    /// The instances of a workflow, oldest first.
    pub(crate) fn instances_of(&self, workflow: &str) -> Vec<&InstanceRow> {
        self.rows
            .instances
            .values()
            .filter(|row| row.workflow == workflow)
            .collect()
    }

    /// What became of each slot, by due time: `02T01:00 fired`, `02T01:00..04T01:00 skipped too_old`, by day of January
    /// 2026, or of the year from February on.
    pub(crate) fn slots_of(&self, workflow: &str) -> Vec<String> {
        let shown = |at: Timestamp| {
            let text = at.to_rfc3339();
            let from = if text.starts_with("2026-01-") { 8 } else { 5 };
            text[from..16].to_owned()
        };
        let word = |value: serde_json::Value| value.as_str().unwrap().to_owned();
        self.fires_of(workflow)
            .into_iter()
            .map(|fire| {
                let first = shown(fire.due_at);
                let last = fire.through.map(|at| format!("..{}", shown(at)));
                let state = word(serde_json::to_value(fire.state).unwrap());
                let reason = fire
                    .reason
                    .map(|it| word(serde_json::to_value(it).unwrap()));
                let reason = reason.map(|it| format!(" {it}")).unwrap_or_default();
                format!("{first}{} {state}{reason}", last.unwrap_or_default())
            })
            .collect()
    }

    /// Lets the engine stand still, as when no master leads, and be woken up.
    pub(crate) fn outage(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
        self.restart();
    }

    /// A success of the workflow with the business date of now.
    pub(crate) fn give(&mut self, upstream: &str) {
        self.trigger(upstream);
        self.succeed(upstream);
    }

    /// What runs of the workflow is done.
    pub(crate) fn succeed(&mut self, workflow: &str) {
        let position = self
            .running
            .iter()
            .rposition(|it| *it.workflow == *workflow);
        let dispatch = self.running.remove(position.expect("it runs"));
        self.report(&dispatch, OutcomeKind::Succeeded);
    }

    pub(crate) fn calendar(&mut self, path: &str, text: &str) {
        self.input(Input::Calendar {
            path: path.into(),
            text: text.into(),
        });
    }

    /// `state@slot` of each fire of the workflow by due time; a range has its end.
    pub(crate) fn fires_of(&self, workflow: &str) -> Vec<&FireRow> {
        let mut fires: Vec<&FireRow> = self
            .rows
            .fires
            .values()
            .filter(|row| row.workflow == workflow)
            .collect();
        fires.sort_by_key(|row| row.due_at);
        fires
    }

    pub(crate) fn codes(&self, object: ExplainObject) -> Vec<&'static str> {
        self.engine
            .explain(&object)
            .into_iter()
            .map(|reason| {
                assert!(!reason.text.zh.is_empty() && !reason.text.en.is_empty());
                reason.code
            })
            .collect()
    }

    pub(crate) fn why(&self, instance: InstanceId, node: &str) -> Vec<&'static str> {
        self.codes(ExplainObject::Node {
            instance,
            node: node.into(),
        })
    }
}

pub(crate) fn instance_of(result: Result<Answer, Rejection>) -> InstanceId {
    match result.unwrap() {
        Answer::Instance { id } | Answer::Chain { id, .. } => id,
        other => panic!("no instance in {other:?}"),
    }
}

pub(crate) fn how(from: RerunFrom, pinned: Option<Arc<Workflow>>) -> Rerun {
    Rerun {
        from,
        pinned,
        user: "ann".into(),
    }
}

pub(crate) fn resume(id: InstanceId) -> Order {
    Order::ResumeInstance {
        id,
        by: By::default(),
    }
}

pub(crate) fn ann(reason: &str) -> By {
    By {
        user: "ann".into(),
        reason: reason.into(),
    }
}

pub(crate) fn run(name: &str) -> Order {
    Order::Run {
        name: name.into(),
        params: Vec::new(),
        fire_time: None,
        idempotency: None,
        user: String::new(),
    }
}

pub(crate) fn api() -> Origin {
    Origin::Api { path: None }
}

pub(crate) fn file(path: &str) -> Origin {
    file_dropped_at(path, Timestamp::default())
}

pub(crate) fn file_dropped_at(path: &str, dropped_at: Timestamp) -> Origin {
    Origin::File {
        path: path.into(),
        dropped_at,
    }
}

/// A workflow from lines such as `start a`, `fork f: a b[param.x=='1']`, `join j: e`, `decision d: param.x=='1'->a ->b`,
/// `end e`, `kill k: why`, `finally f: a`, or for an action
/// `a: ok=b error=c[param.x=='1'] retry=1 interval=5 timeout=9 host=h ignore body=${param:x} output=rows:integer priority=2
/// labels=l+m pool=p*2`; any node may say `after=a,b`.
/// For those that the engine does itself `sub=other wait=false give=name:value`, `for=10s`, `until=02:30`, `sql=...`, `file=...`,
/// `monitor=...`, `mail=text`.
pub(crate) fn workflow(name: &str, text: &str) -> Workflow {
    let nodes = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(node_of)
        .collect();
    Workflow {
        source: Arc::from(text),
        ..Workflow::new(name, nodes)
    }
    .versioned()
}

fn node_of(line: &str) -> Node {
    let after = line
        .split_whitespace()
        .find_map(|word| word.strip_prefix("after="));
    let line = line.replace(&format!("after={}", after.unwrap_or_default()), "");
    let (head, rest) = line.split_once(':').unwrap_or((&line, ""));
    let mut words = head.split_whitespace();
    let (first, second) = (words.next().unwrap(), words.next());
    let rest = rest.trim();
    let (name, kind) = match (first, second) {
        ("start", Some(to)) => ("start", NodeKind::Start { to: to.into() }),
        ("end", Some(name)) => (name, NodeKind::End),
        ("kill", Some(name)) => (
            name,
            NodeKind::Kill {
                message: rest.into(),
            },
        ),
        ("fork", Some(name)) => (
            name,
            NodeKind::Fork {
                paths: rest.split_whitespace().map(edge_of).collect(),
            },
        ),
        ("decision", Some(name)) => (name, decision_of(rest)),
        ("join", Some(name)) => (name, NodeKind::Join { to: rest.into() }),
        ("finally", Some(name)) => (name, NodeKind::Finally { to: rest.into() }),
        (name, _) => (name, NodeKind::Action(Box::new(action_of(rest)))),
    };
    let mut node = Node::new(name, kind);
    node.after = after
        .map(|names| names.split(',').map(str::to_owned).collect())
        .unwrap_or_default();
    node
}

fn condition(text: &str) -> Condition {
    Condition::parse(text, EDGE_VARIABLES).unwrap()
}

/// `b`, or `b[param.x=='1']`.
fn edge_of(word: &str) -> Edge {
    match word.split_once('[') {
        None => word.into(),
        Some((to, when)) => Edge {
            to: to.into(),
            when: Some(condition(when.strip_suffix(']').unwrap())),
        },
    }
}

fn decision_of(text: &str) -> NodeKind {
    let mut cases = Vec::new();
    let mut default = None;
    for word in text.split_whitespace() {
        match word.split_once("->").unwrap() {
            ("", to) => default = Some(to.to_owned()),
            (when, to) => cases.push(Case {
                to: to.into(),
                when: condition(when),
            }),
        }
    }
    NodeKind::Decision { cases, default }
}

fn action_of(text: &str) -> ActionNode {
    let mut action = ActionNode::new(Element::new("shell"));
    for word in text.split_whitespace() {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "ok" => action.ok = Some(edge_of(value)),
            "error" => action.error = Some(edge_of(value)),
            "retry" => action.retry_times = value.parse().unwrap(),
            "interval" => action.interval_seconds = value.parse().unwrap(),
            "linear" => action.retry.backoff.growth = Growth::Linear,
            "exponential" => action.retry.backoff.growth = Growth::Exponential,
            "max" => action.retry.backoff.max_seconds = Some(value.parse().unwrap()),
            "jitter" => action.retry.backoff.jitter_percent = value.parse().unwrap(),
            "codes" => action.retry.exit_codes = Some(CodeRanges::parse(value).unwrap()),
            "timeout" => action.timeout_seconds = Some(value.parse().unwrap()),
            "each" => action.timeout_scope = TimeoutScope::Attempt,
            "kills" => action.on_timeout = OnTimeout::Kill,
            "host" => action.host = Some(value.into()),
            "output" => {
                let (name, kind) = value.split_once(':').unwrap_or((value, "string"));
                action.outputs.push(Output {
                    name: name.into(),
                    kind: ParamType::named(kind).unwrap(),
                    desc: None,
                });
            }
            "sub" => {
                action = with_body(action, "sub-workflow");
                attribute(&mut action.body, "workflow", value);
            }
            "wait" => attribute(&mut action.body, "wait", value),
            "give" => {
                let (name, value) = value.split_once(':').unwrap();
                let mut param = Element::new("param");
                attribute(&mut param, "name", name);
                attribute(&mut param, "value", value);
                action.body.children.push(Child::Element(param));
            }
            "for" | "until" => {
                action = with_body(action, "wait");
                attribute(&mut action.body, key, value);
            }
            "sql" | "file" => {
                action = with_body(action, "wait");
                let mut look = Element::new(key);
                attribute(&mut look, "db-link", "l");
                look.children.push(content(value));
                action.body.children.push(Child::Element(look));
            }
            "monitor" => {
                action = with_body(action, "file-monitor");
                let mut file = Element::new("file");
                file.children.push(content(value));
                action.body.children.push(Child::Element(file));
            }
            "mail" => {
                action = with_body(action, "email");
                let mut paragraph = Element::new("p");
                paragraph.children.push(content(value));
                action.body.children.push(content("bare text"));
                action.body.children.push(Child::Element(paragraph));
            }
            "ignore" => action.is_ignore = true,
            "priority" => action.priority = Some(value.parse().unwrap()),
            "labels" => action.worker_labels = value.split('+').map(str::to_owned).collect(),
            "pool" => {
                let (name, slots) = value.split_once('*').unwrap_or((value, "1"));
                action.pool = Some(Pool {
                    name: name.into(),
                    slots: slots.parse().unwrap(),
                });
            }
            "body" => action.body.children.push(content(value)),
            _ => panic!("unknown word {word}"),
        }
    }
    action
}

/// One success of `upstream` by a rule.
pub(crate) fn by(upstream: &str, date: DateRule) -> DependencyTerm {
    DependencyTerm::One(Dependency {
        date,
        ..Dependency::fresh(upstream)
    })
}

fn with_body(action: ActionNode, tag: &str) -> ActionNode {
    ActionNode {
        tag: tag.to_owned(),
        body: Element::new(tag),
        ..action
    }
}

fn content(text: &str) -> Child {
    Child::Text {
        text: text.into(),
        span: Span::default(),
    }
}

fn attribute(element: &mut Element, name: &str, value: &str) {
    element.attributes.push(Attribute {
        name: name.into(),
        value: value.into(),
        name_span: Span::default(),
        value_span: Span::default(),
    });
}

/// One action between start and end.
pub(crate) fn single(name: &str) -> Workflow {
    workflow(name, "start a\n a: ok=e\n end e")
}

/// Small changes to a workflow; each gives it another version.
pub(crate) trait Change: Sized {
    fn versioned(self) -> Self;
    fn limit(self, limit: i64) -> Self;
    fn after(self, upstreams: &[&str]) -> Self;
    fn cron(self, text: &str) -> Self;
    fn params(self, params: &[(&str, &str)]) -> Self;
    fn disabled(self) -> Self;
    fn window(self, from: &str, until: &str) -> Self;
    fn not_runnable(self, why: &str) -> Self;
    fn on_failure(self, policy: FailurePolicy) -> Self;
    /// Any other change of the coordinator.
    fn with(self, change: impl FnOnce(&mut Coordinator)) -> Self;
    /// Waits for upstreams with rules.
    fn after_all(self, terms: &[DependencyTerm]) -> Self;
    fn misfire(self, misfire: Misfire) -> Self;
    fn overlap(self, overlap: Overlap) -> Self;
    fn keeps(self, name: &str, initial: &str, from: (&str, &str)) -> Self;
    fn rule(self, rule: ParamRule) -> Self;
    /// Ends that send mail, as letters of `sfk`, and the receivers.
    fn mails(self, levels: &str, receivers: &[&str]) -> Self;
}

fn coordinator(workflow: &mut Workflow) -> &mut Coordinator {
    workflow.coordinator.get_or_insert_with(Coordinator::new)
}

impl Change for Workflow {
    fn versioned(mut self) -> Self {
        let text = format!(
            "{} {} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            self.name,
            self.instance_limit,
            self.overlap,
            self.coordinator,
            self.nodes,
            self.not_runnable,
            self.failure_policy,
            self.state,
            self.mail_level,
            self.mail_receivers
        );
        self.version = Version(text);
        self
    }

    fn limit(mut self, limit: i64) -> Self {
        self.instance_limit = limit;
        self.versioned()
    }

    fn after(mut self, upstreams: &[&str]) -> Self {
        coordinator(&mut self).depends = upstreams.iter().map(|it| (*it).to_owned()).collect();
        self.versioned()
    }

    fn cron(mut self, text: &str) -> Self {
        coordinator(&mut self).cron = Some(akkaflow_model::cron::Cron::parse(text).unwrap());
        self.versioned()
    }

    fn params(mut self, params: &[(&str, &str)]) -> Self {
        coordinator(&mut self).params = params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.versioned()
    }

    fn disabled(mut self) -> Self {
        coordinator(&mut self).is_enabled = false;
        self.versioned()
    }

    fn window(mut self, from: &str, until: &str) -> Self {
        let moment =
            |text| chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap();
        coordinator(&mut self).start_time = moment(from);
        coordinator(&mut self).end_time = moment(until);
        self.versioned()
    }

    fn on_failure(mut self, policy: FailurePolicy) -> Self {
        self.failure_policy = policy;
        self.versioned()
    }

    fn keeps(mut self, name: &str, initial: &str, (node, output): (&str, &str)) -> Self {
        self.state.push(StateVariable {
            name: name.into(),
            initial: initial.into(),
            from: OutputRef {
                node: node.into(),
                output: output.into(),
            },
            desc: None,
        });
        self.versioned()
    }

    fn mails(mut self, levels: &str, receivers: &[&str]) -> Self {
        let level = |letter| match letter {
            's' => InstanceState::Succeeded,
            'f' => InstanceState::Failed,
            _ => InstanceState::Killed,
        };
        self.mail_level = levels.chars().map(level).collect();
        self.mail_receivers = receivers.iter().map(|it| (*it).to_owned()).collect();
        self.versioned()
    }

    fn rule(mut self, rule: ParamRule) -> Self {
        coordinator(&mut self).param_rules.push(rule);
        self.versioned()
    }

    fn not_runnable(mut self, why: &str) -> Self {
        self.not_runnable = Some(Text::verbatim(why));
        self.versioned()
    }

    fn with(mut self, change: impl FnOnce(&mut Coordinator)) -> Self {
        change(coordinator(&mut self));
        self.versioned()
    }

    fn after_all(self, terms: &[DependencyTerm]) -> Self {
        self.with(|coordinator| {
            let dependencies = terms.iter().flat_map(DependencyTerm::dependencies);
            let mut names: Vec<String> = dependencies.map(|it| it.workflow.clone()).collect();
            names.dedup();
            coordinator.depends = names;
            coordinator.dependencies = terms.to_vec();
        })
    }

    fn misfire(self, misfire: Misfire) -> Self {
        self.with(|coordinator| coordinator.misfire = misfire)
    }

    fn overlap(mut self, overlap: Overlap) -> Self {
        self.overlap = overlap;
        self.versioned()
    }
}
