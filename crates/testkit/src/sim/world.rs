//! The clock, the queue of events and everything that lives in one history.

use std::collections::BTreeMap;
use std::time::Duration;

use akkaflow_engine::Input;
use akkaflow_model::id::{AttemptKey, Epoch, InstanceId};

use super::Recipe;
use super::alone::Alone;
use super::kept::{Habit, Kept};
use super::master::{Call, Master, Reply};
use super::network::{Connection, ToMaster, ToWorker};
use super::oracle::Oracle;
use super::people::People;
use super::plan::Plan;
use super::planted::Planted;
use super::processes::Processes;
use super::rng::{Rng, mix};
use super::store::SimStore;
use super::worker::Worker;
use super::workload::Library;

/// Lines kept of a history that is told.
const TRACE_LINES: usize = 50_000;

/// Events after which a history is cut off: many times what the longest ordinary one takes.
const MAX_EVENTS: u64 = 400_000;

/// Something that happens at a moment.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    LeaderTick {
        master: usize,
        life: u64,
    },
    EngineTick {
        master: usize,
        epoch: Epoch,
    },
    /// An input that the master gives to its own engine.
    Feed {
        master: usize,
        epoch: Epoch,
        input: Box<Input>,
    },
    StoreCall {
        master: usize,
        life: u64,
        call: Box<Call>,
        /// Milliseconds until the answer arrives; `None`: it never does.
        answer_after: Option<u64>,
    },
    StoreReply {
        master: usize,
        life: u64,
        reply: Box<Reply>,
    },
    ToMaster {
        connection: u64,
        message: ToMaster,
    },
    ToWorker {
        connection: u64,
        message: ToWorker,
    },
    MasterNotices {
        connection: u64,
    },
    WorkerNotices {
        connection: u64,
    },
    Connect {
        worker: usize,
        life: u64,
    },
    Flush {
        worker: usize,
        life: u64,
    },
    AgentTick {
        worker: usize,
        life: u64,
    },
    Supervise {
        worker: usize,
        life: u64,
    },
    CrashAgent {
        worker: usize,
        life: u64,
    },
    ProcessEnds {
        key: AttemptKey,
        token: u64,
    },
    StartWorker {
        worker: usize,
    },
    StartMaster {
        master: usize,
    },
    Fault,
    Act,
    BeQuiet,
}

/// What a history was like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Inputs of all engines.
    pub inputs: u64,
    /// Everything that happened.
    pub events: u64,
    /// Masters that were killed, or demoted, after they had led.
    pub master_restarts: u64,
    /// Workers that crashed or were cut off.
    pub lost_workers: u64,
    /// Attempts that were executed.
    pub executions: u64,
    /// Instances that were created.
    pub instances: u64,
    /// Commits that succeeded.
    pub commits: u64,
}

impl Stats {
    /// Adds those of another history.
    pub fn add(&mut self, other: &Self) {
        self.inputs += other.inputs;
        self.events += other.events;
        self.master_restarts += other.master_restarts;
        self.lost_workers += other.lost_workers;
        self.executions += other.executions;
        self.instances += other.instances;
        self.commits += other.commits;
    }
}

/// One history in the making.
#[derive(Debug)]
pub(crate) struct World {
    /// Milliseconds since the beginning, on a clock that never steps.
    pub(crate) now: u64,
    pub(crate) rng: Rng,
    pub(crate) plan: Plan,
    pub(crate) planted: Option<Planted>,
    pub(crate) kept: Kept,
    pub(crate) seed: u64,
    steps: u32,
    queue: BTreeMap<(u64, u64), Box<Event>>,
    next_event: u64,
    pub(crate) is_quiet: bool,
    pub(crate) library: Library,
    pub(crate) store: SimStore,
    /// Until when the store answers nobody.
    pub(crate) store_down_until: u64,
    /// How far the store's clock has been set off, in milliseconds.
    pub(crate) clock_offset: i64,
    pub(crate) masters: Vec<Master>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) connections: BTreeMap<u64, Connection>,
    pub(crate) next_connection: u64,
    pub(crate) processes: Processes,
    pub(crate) people: People,
    pub(crate) oracle: Oracle,
    pub(crate) alone: Option<Alone>,
    pub(crate) stats: Stats,
    hash: u64,
    pub(crate) is_told: bool,
    trace: std::collections::VecDeque<String>,
    pub(crate) violation: Option<String>,
}

impl World {
    pub(crate) fn new(recipe: &Recipe, is_told: bool) -> Self {
        let (seed, planted) = (recipe.seed, recipe.planted);
        let mut rng = Rng::new(mix(seed ^ 0x616b_6b61_666c_6f77));
        let plan = Plan::draw(&mut rng, &recipe.kept);
        let library = Library::new(&mut rng, plan.beginning);
        let workers: Vec<Worker> = (0..plan.workers)
            .map(|index| Worker::new(index, &mut rng))
            .collect();
        let known = workers
            .iter()
            .map(|worker| (worker.id.clone(), (worker.host.clone(), worker.slots)))
            .collect();
        let masters = (0..2).map(|_| Master::new(&plan)).collect();
        let mut oracle = Oracle::new(&plan, known);
        let labels = |worker: &Worker| (worker.id.clone(), worker.labels.clone());
        oracle.labels = workers.iter().map(labels).collect();
        Self {
            now: 0,
            oracle,
            rng,
            plan,
            planted,
            kept: recipe.kept.clone(),
            seed,
            steps: 0,
            queue: BTreeMap::new(),
            next_event: 0,
            is_quiet: false,
            library,
            store: SimStore::default(),
            store_down_until: 0,
            clock_offset: 0,
            masters,
            workers,
            connections: BTreeMap::new(),
            next_connection: 1,
            processes: Processes::default(),
            people: People::default(),
            alone: Alone::of(seed, planted.is_some()),
            stats: Stats::default(),
            hash: seed,
            is_told,
            trace: std::collections::VecDeque::new(),
            violation: None,
        }
    }

    /// Lives the whole history, or up to the first violation.
    pub(crate) fn live(&mut self) {
        self.begin();
        let end = self.plan.busy + self.plan.quiet;
        while let Some(((at, _), event)) = self.queue.pop_first() {
            if at > end || self.violation.is_some() {
                break;
            }
            self.now = at;
            self.stats.events += 1;
            if self.stats.events > MAX_EVENTS {
                self.fail("the history does not come to rest".to_owned());
                break;
            }
            self.happen(*event);
        }
        if self.violation.is_none() {
            self.now = end;
            self.check_end();
        }
    }

    fn begin(&mut self) {
        for master in 0..self.masters.len() {
            self.at(self.rng.clone().below(500), Event::StartMaster { master });
        }
        for worker in 0..self.workers.len() {
            let delay = self.rng.below(5_000);
            self.at(delay, Event::StartWorker { worker });
        }
        self.at(1_000, Event::Act);
        let first_fault = self.rng.below(self.plan.fault_every);
        self.at(first_fault, Event::Fault);
        self.at(self.plan.busy, Event::BeQuiet);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::LeaderTick { master, life } => self.on_leader_tick(master, life),
            Event::EngineTick { master, epoch } => self.on_engine_tick(master, epoch),
            Event::Feed {
                master,
                epoch,
                input,
            } => self.on_feed(master, epoch, *input),
            Event::StoreCall {
                master,
                life,
                call,
                answer_after,
            } => self.on_store_call(master, life, *call, answer_after),
            Event::StoreReply {
                master,
                life,
                reply,
            } => self.on_store_reply(master, life, *reply),
            Event::ToMaster {
                connection,
                message,
            } => self.on_to_master(connection, message),
            Event::ToWorker {
                connection,
                message,
            } => self.on_to_worker(connection, message),
            Event::MasterNotices { connection } => self.on_master_notices(connection),
            Event::WorkerNotices { connection } => self.on_worker_notices(connection),
            Event::Connect { worker, life } => self.on_connect(worker, life),
            Event::Flush { worker, life } => self.on_flush(worker, life),
            Event::AgentTick { worker, life } => self.on_agent_tick(worker, life),
            Event::Supervise { worker, life } => self.on_supervise(worker, life),
            Event::CrashAgent { worker, life } => self.on_crash_agent(worker, life),
            Event::ProcessEnds { key, token } => self.on_process_ends(&key, token),
            Event::StartWorker { worker } => self.start_worker(worker),
            Event::StartMaster { master } => self.start_master(master),
            Event::Fault => self.on_fault(),
            Event::Act => self.on_act(),
            Event::BeQuiet => self.be_quiet(),
        }
    }

    /// Lets something happen `delay` milliseconds from now.
    pub(crate) fn at(&mut self, delay: u64, event: Event) {
        self.next_event += 1;
        self.queue
            .insert((self.now + delay, self.next_event), Box::new(event));
    }

    /// Takes the next numbered step, if it is kept. `again` says when the one after it comes.
    ///
    /// A step draws from chance of its own: the others stay what they are when it is left out.
    pub(crate) fn step(&mut self, again: impl FnOnce(&mut Self), step: impl FnOnce(&mut Self)) {
        let number = self.steps;
        self.steps += 1;
        let own = Rng::new(mix(self.seed ^ mix(u64::from(number) + 1)));
        let common = std::mem::replace(&mut self.rng, own);
        again(self);
        if self.kept.has_step(number) {
            self.tell(|| format!("step {number}"));
            step(self);
        }
        self.rng = common;
    }

    pub(crate) fn steps(&self) -> u32 {
        self.steps
    }

    /// Whether trouble of this kind may come now.
    pub(crate) fn has(&self, habit: Habit) -> bool {
        !self.is_quiet && self.kept.has(habit)
    }

    /// The clock that goes on while machines sleep, as the protocols read it.
    pub(crate) fn boot_time(&self) -> Duration {
        Duration::from_millis(self.now)
    }

    /// Remembers the first violation; nothing happens after it.
    pub(crate) fn fail(&mut self, text: String) {
        if self.violation.is_none() {
            self.tell(|| format!("VIOLATION {text}"));
            self.violation = Some(text);
        }
    }

    pub(crate) fn judge(&mut self, verdict: Result<(), String>) {
        if let Err(text) = verdict {
            self.fail(text);
        }
    }

    /// Adds a line to the trace of a history that is told.
    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if !self.is_told {
            return;
        }
        if self.trace.len() == TRACE_LINES {
            self.trace.pop_front();
        }
        let line = format!("{:>9.3}s {}", self.now as f64 / 1_000.0, line());
        self.trace.push_back(line);
    }

    /// Mixes a fact into the hash of the trace.
    pub(crate) fn note(&mut self, fact: u64) {
        self.hash = mix(self.hash ^ mix(fact.wrapping_add(self.now)));
    }

    pub(crate) fn note_instance(&mut self, id: InstanceId) {
        self.note(id.as_u128() as u64);
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn take_trace(&mut self) -> Vec<String> {
        self.trace.drain(..).collect()
    }
}
