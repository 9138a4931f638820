//! A workflow played by the engine under a virtual clock, with nodes that only pretend to run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use akkaflow_engine::{
    Definitions, Dispatch, Effect, Engine, ExplainObject, Input, Options, Order, Origin, Outcome,
    OutcomeKind, Shelf, WorkerInfo,
};
use akkaflow_model::command::{Answer, Rejection};
use akkaflow_model::definition::{ActionNode, Node, NodeKind, Workflow};
use akkaflow_model::id::{AttemptKey, Epoch, Incarnation, InstanceId, Name, RequestId, WorkerId};
use akkaflow_model::record::{InstanceRow, NodeRow, Record, Snapshot};
use akkaflow_model::sub_workflow::SubWorkflow;
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;

/// Steps after which a play that does not end is given up.
const MOST_STEPS: usize = 100_000;
/// Room for every branch at once.
const SLOTS: u32 = 100_000;

/// How one attempt pretends to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mock {
    pub(crate) kind: OutcomeKind,
    pub(crate) exit_code: Option<i32>,
    /// How long it takes.
    pub(crate) takes: Duration,
    /// What it hands on when it succeeds; any value of its type stands in for an output that is not named.
    pub(crate) outputs: Vec<(String, String)>,
}

impl Mock {
    pub(crate) fn at_once(kind: OutcomeKind) -> Self {
        Self {
            kind,
            exit_code: None,
            takes: Duration::ZERO,
            outputs: Vec::new(),
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) instance: InstanceRow,
    /// The nodes in the order in which they were reached.
    pub(crate) nodes: Vec<NodeRow>,
    /// Why it goes no further, when it has not ended.
    pub(crate) stuck: Vec<Text>,
}

/// Plays one instance.
pub(crate) struct Play<'a> {
    pub(crate) workflow: &'a Arc<Workflow>,
    pub(crate) zone: Tz,
    pub(crate) fire_time: Timestamp,
    pub(crate) params: Vec<(String, String)>,
    /// How an attempt of a node ends, by its number from 1.
    pub(crate) mock: &'a dyn Fn(&str, u32) -> Mock,
}

impl Play<'_> {
    /// To its end, or until nothing moves it any more.
    pub(crate) fn run(self) -> Result<Played, Rejection> {
        let options = Options {
            zone: self.zone,
            epoch: Epoch(1),
            seed: 1,
            lost_after: Duration::from_secs(3600),
            retry_fail_times: 0,
            packing: Arc::new(Shelf::default()),
        };
        let mut stage = Stage {
            engine: Engine::load(options, Snapshot::default(), Definitions::default()),
            now: self.fire_time,
            workflow: self.workflow,
            mock: self.mock,
            ends: BTreeMap::new(),
            kinds: BTreeMap::new(),
            instances: BTreeMap::new(),
            nodes: BTreeMap::new(),
            order: Vec::new(),
            answer: None,
        };
        stage.attach(self.workflow);
        stage.fill_pools(self.workflow)?;
        stage.put(self.workflow)?;
        let id = stage.start(&self.workflow.name, self.params, self.fire_time)?;
        Ok(stage.play(id))
    }
}

struct Stage<'a> {
    engine: Engine,
    now: Timestamp,
    workflow: &'a Workflow,
    mock: &'a dyn Fn(&str, u32) -> Mock,
    /// What pretends to run, by when it ends.
    ends: BTreeMap<(Timestamp, AttemptKey), (WorkerId, Outcome)>,
    kinds: BTreeMap<AttemptKey, Timestamp>,
    instances: BTreeMap<InstanceId, InstanceRow>,
    nodes: BTreeMap<(InstanceId, Name), NodeRow>,
    order: Vec<(InstanceId, Name)>,
    answer: Option<Result<Answer, Rejection>>,
}

impl Stage<'_> {
    fn step(&mut self, input: Input) {
        let step = self.engine.step(self.now, input);
        for record in step.records {
            match record {
                Record::Instance(row) => drop(self.instances.insert(row.id, row.into_inner())),
                Record::Node(row) => {
                    let key = (row.instance, row.node.clone());
                    if self.nodes.insert(key.clone(), row.into_inner()).is_none() {
                        self.order.push(key);
                    }
                }
                _ => {}
            }
        }
        for effect in step.effects {
            self.see(effect);
        }
    }

    fn see(&mut self, effect: Effect) {
        match effect {
            Effect::Dispatch(dispatch) => self.pretend(&dispatch),
            Effect::Cancel { key, worker, .. } => {
                let end = self.kinds.get(&key).copied();
                if end.is_some_and(|end| self.ends.remove(&(end, key.clone())).is_some()) {
                    let outcome = outcome(&Mock::at_once(OutcomeKind::Cancelled));
                    self.ends.insert((self.now, key), (worker, outcome));
                }
            }
            Effect::Reply { result, .. } => self.answer = Some(result),
            Effect::RequestTombstone { .. }
            | Effect::Acknowledge { .. }
            | Effect::Learn { .. }
            | Effect::MailOwed
            | Effect::LinkChanged { .. }
            | Effect::Changed { .. } => {}
        }
    }

    fn pretend(&mut self, dispatch: &Dispatch) {
        let mock = (self.mock)(&dispatch.key.node, dispatch.key.attempt);
        let end = self.now.plus(mock.takes);
        let key = dispatch.key.clone();
        self.kinds.insert(key.clone(), end);
        let mut outcome = outcome(&mock);
        if mock.kind == OutcomeKind::Succeeded {
            outcome.outputs = self.outputs(&key.node, mock.outputs);
        }
        self.ends
            .insert((end, key), (dispatch.worker.clone(), outcome));
    }

    /// Stand-ins first: of several values of a name the last one counts.
    fn outputs(&self, node: &str, given: Vec<(String, String)>) -> Vec<(String, String)> {
        let node = self.workflow.nodes.iter().find(|it| it.name == node);
        let mut outputs = match node.map(|node| &node.kind) {
            Some(NodeKind::Action(action)) => action.stand_ins(),
            _ => Vec::new(),
        };
        outputs.extend(given);
        outputs
    }

    /// A worker for every host that the workflow names, and one for the rest; each has all labels that it names.
    fn attach(&mut self, workflow: &Workflow) {
        let mut hosts: BTreeSet<String> = BTreeSet::from(["any".to_owned()]);
        hosts.extend(actions(workflow).filter_map(|action| action.host.clone()));
        let labels: BTreeSet<String> = actions(workflow)
            .flat_map(|action| action.worker_labels.iter().cloned())
            .collect();
        for host in hosts {
            let worker = WorkerInfo {
                id: WorkerId(format!("worker-{host}").into()),
                incarnation: Incarnation(1),
                host: host.into(),
                slots: SLOTS,
                labels: labels.clone(),
            };
            self.step(Input::WorkerAttached {
                worker,
                holds: Vec::new(),
            });
        }
    }

    /// Every pool that the workflow names, with room for every branch at once.
    fn fill_pools(&mut self, workflow: &Workflow) -> Result<(), Rejection> {
        let pools = actions(workflow).filter_map(|action| action.pool.as_ref());
        let names: BTreeSet<&str> = pools.map(|pool| pool.name.as_str()).collect();
        for name in names {
            self.ask(Order::SetPool {
                name: name.to_owned(),
                slots: Some(u32::MAX),
                user: String::new(),
            })?;
        }
        Ok(())
    }

    fn ask(&mut self, order: Order) -> Result<Answer, Rejection> {
        self.step(Input::Order {
            request: RequestId(1),
            order,
        });
        self.answer
            .take()
            .expect("these orders are answered at once")
    }

    fn put(&mut self, workflow: &Arc<Workflow>) -> Result<(), Rejection> {
        let mut workflow = Workflow::clone(workflow);
        // Time passes while it plays: its schedule would start others.
        if let Some(coordinator) = &mut workflow.coordinator {
            coordinator.is_enabled = false;
        }
        for node in &mut workflow.nodes {
            pretend_to_call(node);
        }
        self.ask(Order::PutWorkflow {
            workflow: Arc::new(workflow),
            origin: Origin::Api { path: None },
            findings: Vec::new(),
        })
        .map(drop)
    }

    fn start(
        &mut self,
        name: &str,
        params: Vec<(String, String)>,
        fire_time: Timestamp,
    ) -> Result<InstanceId, Rejection> {
        let answer = self.ask(Order::Run {
            name: name.to_owned(),
            params,
            fire_time: Some(fire_time),
            idempotency: None,
            user: String::new(),
        })?;
        match answer {
            Answer::Instance { id } => Ok(id),
            other => unreachable!("a run is answered by an instance, not {other:?}"),
        }
    }

    fn play(mut self, id: InstanceId) -> Played {
        for _ in 0..MOST_STEPS {
            if self
                .instances
                .get(&id)
                .is_some_and(|row| row.state.is_terminal())
            {
                break;
            }
            let end = self.ends.keys().next().map(|(at, _)| *at);
            let timer = self.engine.next_deadline();
            match (end, timer) {
                (Some(end), timer) if timer.is_none_or(|timer| end <= timer) => {
                    let ((at, key), (worker, outcome)) =
                        self.ends.pop_first().expect("one was just seen");
                    self.now = self.now.max(at);
                    self.step(Input::AttemptFinished {
                        worker,
                        key,
                        outcome,
                    });
                }
                (_, Some(timer)) => {
                    self.now = self.now.max(timer);
                    self.step(Input::Tick);
                }
                (_, None) => break,
            }
        }
        let stuck = self.engine.explain(&ExplainObject::Instance(id));
        let order = self.order.iter().filter(|(instance, _)| *instance == id);
        let nodes = order
            .filter_map(|key| self.nodes.get(key).cloned())
            .collect();
        Played {
            instance: self.instances.remove(&id).expect("its start was answered"),
            nodes,
            stuck: stuck.into_iter().map(|reason| reason.text).collect(),
        }
    }
}

/// Other workflows are not there: a node that starts one only pretends, as all others do.
fn pretend_to_call(node: &mut Node) {
    if let NodeKind::Action(action) = &mut node.kind
        && action.tag == SubWorkflow::TAG
    {
        action.tag = "script".to_owned();
    }
}

fn actions(workflow: &Workflow) -> impl Iterator<Item = &ActionNode> {
    workflow.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Action(action) => Some(&**action),
        _ => None,
    })
}

fn outcome(mock: &Mock) -> Outcome {
    Outcome {
        exit_code: mock.exit_code,
        ..Outcome::new(mock.kind)
    }
}
