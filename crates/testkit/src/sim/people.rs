//! What people do: put, run, trigger, kill, rerun, delete, reset, at bad moments too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use akkaflow_engine::{Input, Order, Origin, Rerun, RerunFrom, StoredInstance};
use akkaflow_model::command::{Answer, By, Rejection};
use akkaflow_model::definition::Workflow;
use akkaflow_model::id::{InstanceId, RequestId};
use akkaflow_model::record::{FileProblemRow, Mark, Record};
use akkaflow_model::state::InstanceState;
use akkaflow_model::time::Timestamp;

use super::nesting::STATE;
use super::planted::Planted;
use super::workload::{POOLS, draw_calendar};
use super::world::{Event, World};

/// How often a repeatable request is repeated at most before it is given up.
const KEPT_KEYS: usize = 8;

/// What people remember.
#[derive(Debug, Default)]
pub(crate) struct People {
    last_request: u64,
    open: BTreeMap<RequestId, Asked>,
    /// Every instance that they have heard of.
    ids: Vec<InstanceId>,
    known: BTreeSet<InstanceId>,
    /// Keys of repeatable requests with their body.
    keys: Vec<(String, String, String)>,
    /// What each key was answered.
    answered: BTreeMap<String, InstanceId>,
    /// When a standby was last told that the holder is out of reach: two may act for a while.
    pub(crate) hinted_at: Option<u64>,
}

/// What a reply is held against.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    Start,
    Repeatable { key: String },
    Kill { id: InstanceId },
    Other,
}

impl People {
    pub(crate) fn remember(&mut self, records: &[Record]) {
        for record in records {
            if let Record::Instance(row) = record
                && self.known.insert(row.id)
            {
                self.ids.push(row.id);
            }
        }
    }
}

impl World {
    pub(crate) fn on_act(&mut self) {
        if self.is_quiet {
            return;
        }
        self.step(
            |world| {
                let delay = world.rng.between(1, 2 * world.plan.act_every);
                world.at(delay, Event::Act);
            },
            Self::act,
        );
    }

    fn act(&mut self) {
        let Some(master) = self.leading() else {
            return;
        };
        let missing = (0..self.library.shapes.len()).find(|&index| {
            let name = &self.library.shapes[index].name;
            !self.store.tables.workflows.contains_key(name)
        });
        let missing = missing.filter(|_| self.rng.chance(80));
        let is_frozen = self.store.tables.cluster.frozen.is_some();
        let is_poolless = self.store.tables.pools.is_empty() && self.rng.chance(30);
        if let Some(input) = match missing {
            Some(index) => Some(self.put(index)),
            // Nobody leaves a cluster frozen for long.
            None if is_frozen && self.rng.chance(25) => Some(self.order(Asked::Other, Order::Thaw)),
            None if is_poolless => Some(self.set_pool()),
            None => self.draw_input(master),
        } {
            self.feed(master, input);
        }
    }

    fn put(&mut self, index: usize) -> Input {
        let workers = self.workers.len();
        let workflow = if self.rng.chance(15) {
            // The content in force once more.
            let name = &self.library.shapes[index].name;
            let known = self
                .store
                .tables
                .workflows
                .get(name)
                .and_then(|row| self.library.contents.get(&row.version))
                .cloned();
            known.unwrap_or_else(|| self.library.draw(&mut self.rng, index, workers))
        } else {
            self.library.draw(&mut self.rng, index, workers)
        };
        let origin = if self.rng.chance(50) {
            Origin::File {
                path: format!("xmlconfig/{}.xml", workflow.name),
                dropped_at: Timestamp::default(),
            }
        } else {
            Origin::Api { path: None }
        };
        let order = Order::PutWorkflow {
            workflow: self.understood(workflow),
            origin,
            findings: Vec::new(),
        };
        self.order(Asked::Other, order)
    }

    /// A definition as the master understands it.
    fn understood(&self, workflow: Arc<Workflow>) -> Arc<Workflow> {
        let Some(planted) = self.planted else {
            return workflow;
        };
        let mut understood = (*workflow).clone();
        planted.spoil_definition(&mut understood);
        Arc::new(understood)
    }

    /// Somebody's program asks again for a kill that has worked already.
    pub(crate) fn kill_again(&mut self, id: InstanceId) -> Input {
        let user = "li".to_owned();
        self.order(Asked::Other, Order::Kill { id, user })
    }

    pub(super) fn order(&mut self, asked: Asked, order: Order) -> Input {
        self.people.last_request += 1;
        let request = RequestId(self.people.last_request);
        self.people.open.insert(request, asked);
        Input::Order { request, order }
    }

    pub(super) fn workflow_name(&mut self) -> String {
        let index = self.rng.index(self.library.shapes.len());
        self.library.shapes[index].name.clone()
    }

    /// An instance, more likely a young one.
    fn some_instance(&mut self) -> Option<InstanceId> {
        let count = self.people.ids.len();
        if count == 0 {
            return None;
        }
        let window = if self.rng.chance(70) {
            count.min(8)
        } else {
            count
        };
        Some(self.people.ids[count - 1 - self.rng.index(window)])
    }

    fn draw_input(&mut self, master: usize) -> Option<Input> {
        Some(match self.rng.below(126) {
            120..=125 => self.draw_backfill(master)?,
            100..=119 => self.draw_steering(master)?,
            0..=7 => {
                let index = self.rng.index(self.library.shapes.len());
                self.put(index)
            }
            8..=9 => {
                let name = self.workflow_name();
                self.order(Asked::Other, Order::DeleteWorkflow { name })
            }
            10..=34 => self.draw_run(),
            35..=56 => {
                let name = self.workflow_name();
                let ignore_nodes = if self.rng.chance(10) {
                    vec![format!("n{}", self.rng.between(1, 5))]
                } else {
                    Vec::new()
                };
                let fire_time = self.draw_date();
                let order = Order::Trigger {
                    name,
                    ignore_nodes,
                    fire_time,
                    user: String::new(),
                };
                self.order(Asked::Start, order)
            }
            57..=61 => {
                let name = self.workflow_name();
                let fire_time = self.draw_date();
                let order = Order::TriggerBlood {
                    name,
                    fire_time,
                    user: "li".to_owned(),
                };
                self.order(Asked::Start, order)
            }
            62..=63 => {
                let name = self.workflow_name();
                self.order(Asked::Other, Order::ResetWorkflow { name })
            }
            64 => self.order(Asked::Other, Order::ResetAll),
            65..=67 if self.rng.chance(50) => {
                let (path, text) = draw_calendar(&mut self.rng);
                Input::Calendar { path, text }
            }
            65..=74 => {
                let id = self.some_instance()?;
                let user = "li".to_owned();
                *self.oracle.kills.entry(id).or_default() += 1;
                let input = self.order(Asked::Kill { id }, Order::Kill { id, user });
                if self.planted == Some(Planted::KillAnsweredAtOnce) {
                    self.on_answer(RequestId(self.people.last_request), Ok(Answer::Done));
                }
                input
            }
            75..=90 => self.draw_rerun(master)?,
            91..=93 => self.draw_deletion(master)?,
            94 => self.draw_expiry(master)?,
            95 => self.draw_fencing()?,
            96 => self.draw_state(),
            97 => Input::FileGone {
                path: format!("xmlconfig/{}.xml", self.workflow_name()),
            },
            98 => Input::FileGone {
                path: draw_calendar(&mut self.rng).0,
            },
            _ => Input::FileProblem(FileProblemRow {
                path: format!("xmlconfig/{}.xml", self.workflow_name()),
                workflow: None,
                found_at: Timestamp::from_millis(self.now as i64),
                findings: Vec::new(),
            }),
        })
    }

    fn draw_run(&mut self) -> Input {
        if !self.people.keys.is_empty() && self.rng.chance(30) {
            let (key, hash, name) = self.rng.pick(&self.people.keys).clone();
            return self.run(name, Some((key, hash)));
        }
        let name = self.workflow_name();
        if self.rng.chance(60) {
            return self.run(name, None);
        }
        let key = format!("key{}", self.people.last_request);
        let hash = format!("hash of {name}");
        self.people
            .keys
            .push((key.clone(), hash.clone(), name.clone()));
        if self.people.keys.len() > KEPT_KEYS {
            self.people.keys.remove(0);
        }
        self.run(name, Some((key, hash)))
    }

    fn run(&mut self, name: String, idempotency: Option<(String, String)>) -> Input {
        let asked = match &idempotency {
            Some((key, _)) => Asked::Repeatable { key: key.clone() },
            None => Asked::Start,
        };
        let idempotency = idempotency.filter(|_| self.planted != Some(Planted::RequestKeyIgnored));
        let order = Order::Run {
            name,
            params: vec![("day".to_owned(), "2".to_owned())],
            fire_time: None,
            idempotency,
            user: "li".to_owned(),
        };
        self.order(asked, order)
    }

    /// Stored rows may be read only while nothing is on its way to the store.
    pub(super) fn is_settled(&self, master: usize) -> bool {
        self.masters[master]
            .reign
            .as_ref()
            .is_some_and(|reign| reign.pipeline.is_idle())
    }

    fn draw_rerun(&mut self, master: usize) -> Option<Input> {
        if !self.is_settled(master) {
            return None;
        }
        let id = self.some_instance()?;
        let stored = self.stored(id);
        let pinned = stored
            .as_ref()
            .filter(|_| self.rng.clone().chance(40))
            .and_then(|stored| self.library.contents.get(&stored.instance.version))
            .cloned();
        let from = match self.rng.below(4) {
            0 => RerunFrom::Start,
            1 | 2 => RerunFrom::Failed,
            _ => RerunFrom::Nodes(vec![self.some_node()]),
        };
        let how = Rerun {
            from,
            pinned,
            user: "li".to_owned(),
        };
        Some(self.order(Asked::Start, Order::Rerun { id, stored, how }))
    }

    fn stored(&self, id: InstanceId) -> Option<Box<StoredInstance>> {
        let row = self.store.tables.instances.get(&id)?;
        let nodes = self.store.tables.nodes_of(id);
        Some(Box::new(StoredInstance {
            instance: row.clone(),
            nodes: nodes.filter(|node| node.run == row.run).cloned().collect(),
        }))
    }

    fn some_node(&mut self) -> String {
        format!("n{}", self.rng.between(1, 9))
    }

    /// A business date of the day before, now and then.
    fn draw_date(&mut self) -> Option<Timestamp> {
        let yesterday = self.plan.beginning.as_millis() - 86_400_000;
        self.rng
            .chance(30)
            .then(|| Timestamp::from_millis(yesterday))
    }

    fn set_pool(&mut self) -> Input {
        let name = format!("pool{}", self.rng.below(POOLS));
        let slots = self.rng.chance(92).then(|| self.rng.below(4) as u32);
        // The engine hears of one slot more than people have said.
        let more = u32::from(self.planted == Some(Planted::PoolOverstated));
        let order = Order::SetPool {
            name,
            slots: slots.map(|slots| slots + more),
            user: "li".to_owned(),
        };
        self.order(Asked::Other, order)
    }

    /// Holds up and lets go on, marks, repairs.
    fn draw_steering(&mut self, master: usize) -> Option<Input> {
        let by = By {
            user: "li".to_owned(),
            reason: String::new(),
        };
        let order = match self.rng.below(20) {
            0..=3 => Order::PauseInstance {
                id: self.some_instance()?,
                by,
            },
            4..=7 => {
                let id = self.some_held()?;
                self.oracle.steered.insert(id);
                Order::ResumeInstance { id, by }
            }
            8 => Order::SuspendWorkflow {
                name: self.workflow_name(),
                by,
            },
            9..=10 => Order::ResumeWorkflow {
                name: self.workflow_name(),
            },
            11 => Order::Freeze { by },
            12..=13 => return Some(self.set_pool()),
            14..=17 => return self.draw_mark(master),
            _ => self.draw_repair()?,
        };
        Some(self.order(Asked::Other, order))
    }

    /// An instance that is held up, more likely than another one.
    fn some_held(&mut self) -> Option<InstanceId> {
        let held = self
            .store
            .tables
            .instances
            .values()
            .find(|row| row.state == InstanceState::Suspended)
            .map(|row| row.id);
        match held {
            Some(id) if self.rng.chance(80) => Some(id),
            _ => self.some_instance(),
        }
    }

    fn draw_mark(&mut self, master: usize) -> Option<Input> {
        if !self.is_settled(master) {
            return None;
        }
        let id = self.some_instance()?;
        let stored = self.stored(id);
        let pinned = stored
            .as_ref()
            .and_then(|stored| self.library.contents.get(&stored.instance.version))
            .cloned();
        let mark = Mark {
            node: self.some_node(),
            is_skipped: self.rng.chance(50),
            user: "li".to_owned(),
            reason: String::new(),
            at: Timestamp::default(),
        };
        self.oracle.steered.insert(id);
        let order = Order::MarkNode {
            id,
            mark,
            stored,
            pinned,
        };
        Some(self.order(Asked::Other, order))
    }

    /// The definition in force, or any other one of the workflow.
    fn draw_repair(&mut self) -> Option<Order> {
        let id = self.some_instance()?;
        let name = self.store.tables.instances.get(&id)?.workflow.clone();
        let others: Vec<Arc<Workflow>> = self
            .library
            .contents
            .values()
            .filter(|content| content.name == name)
            .cloned()
            .collect();
        let workflow = self
            .rng
            .chance(50)
            .then(|| self.rng.pick(&others).clone())
            .map(|workflow| self.understood(workflow));
        self.oracle.steered.insert(id);
        Some(Order::Repair {
            id,
            workflow,
            is_dry_run: self.rng.chance(20),
            by: By::default(),
        })
    }

    fn draw_deletion(&mut self, master: usize) -> Option<Input> {
        if !self.is_settled(master) {
            return None;
        }
        let id = self.some_instance()?;
        let is_stored = self.store.tables.instances.contains_key(&id);
        Some(self.order(Asked::Other, Order::DeleteInstance { id, is_stored }))
    }

    /// What ended is removed once it is old enough; here any age will do.
    fn draw_expiry(&mut self, master: usize) -> Option<Input> {
        if !self.is_settled(master) {
            return None;
        }
        let workflow = self.workflow_name();
        let instances = self.store.tables.instances.values();
        let instances = instances
            .filter(|row| row.workflow == workflow && row.state.is_terminal())
            .map(|row| row.id)
            .take(3)
            .collect();
        let schedule = self.store.tables.schedules.get(&workflow);
        let fires_before = schedule.map(|schedule| schedule.fired_through);
        let order = Order::Expire {
            workflow,
            instances,
            fires_before,
        };
        Some(self.order(Asked::Other, order))
    }

    /// Somebody sets the state of a workflow, whether it has one or not.
    fn draw_state(&mut self) -> Input {
        let name = self.workflow_name();
        let value = self.rng.below(1_000).to_string();
        let order = Order::SetState {
            name,
            values: vec![(STATE.to_owned(), value)],
            user: "people".to_owned(),
        };
        self.order(Asked::Other, order)
    }

    /// An operator vouches only for a machine that is off.
    fn draw_fencing(&mut self) -> Option<Input> {
        let dead = (0..self.workers.len()).find(|&index| {
            !self.workers[index].is_up && self.processes.on_worker(index).is_empty()
        })?;
        let id = self.workers[dead].id.clone();
        Some(self.order(Asked::Other, Order::FenceWorker { id }))
    }

    /// An answer tells of something durable.
    pub(crate) fn on_answer(&mut self, request: RequestId, result: Result<Answer, Rejection>) {
        let Some(asked) = self.people.open.remove(&request) else {
            return;
        };
        self.note(request.0 ^ u64::from(result.is_ok()));
        let Ok(answer) = result else {
            return;
        };
        if let Answer::Instance { id } | Answer::Chain { id, .. } = &answer {
            self.check_answered_instance(*id, &asked);
        }
        if let Answer::Put { name, version, .. } = &answer {
            let row = self.store.tables.workflows.get(name);
            let is_durable = row.is_some_and(|row| row.version.0 == *version)
                || self.store.tables.versions.contains_key(version);
            if !is_durable {
                self.fail(format!(
                    "I8: workflow {name} was answered before it is durable"
                ));
            }
        }
        if let Asked::Kill { id } = asked {
            self.check_killed(id);
        }
    }

    fn check_answered_instance(&mut self, id: InstanceId, asked: &Asked) {
        if !self.people.known.contains(&id) {
            self.fail(format!(
                "I8: instance {id} was answered before it is durable"
            ));
        }
        if let Asked::Repeatable { key } = asked {
            let before = self.people.answered.insert(key.clone(), id);
            if before.is_some_and(|before| before != id) {
                self.fail(format!("I9: request {key} made {before:?}, then {id}"));
            }
        }
    }

    fn check_killed(&mut self, id: InstanceId) {
        let row = self.store.tables.instances.get(&id);
        if row.is_some_and(|row| !row.state.is_terminal()) {
            self.fail(format!("I15: the kill of {id} was answered before its end"));
        }
        let survivor = self.processes.live_of(id).next().cloned();
        if let Some(key) = survivor {
            self.fail(format!("I15: {key} survived the kill of its instance"));
        }
    }
}
