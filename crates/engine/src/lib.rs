//! Decides. One deterministic state machine that turns inputs into what must be durable and what the world may then see.
//!
//! **Invariants:** no clock, no I/O, no async, no randomness of its own, no hash order that shows: the same state, `now`
//! and input give the same records and effects in the same order. Nothing scans all workflows or all instances on a tick.
//! What a step changes is written as whole rows, each row once; an instance that is over leaves memory.
//!
//! | module | holds |
//! |---|---|
//! | `input`, `effect`, `outbox` | what happened, what follows |
//! | `workflows`, `schedule`, `slots`, `calendars`, `tokens`, `overlap`, `chain` | why instances start |
//! | `backfill` | ranges of business dates, beside production |
//! | `orders`, `rerun`, `holds`, `marks`, `repair`, `requests` | what people ask for |
//! | `definition`, `plan`, `packing` | what is kept of a workflow while nothing of it runs |
//! | `lifecycle`, `instances`, `graph`, `walk`, `ways` | an instance from its birth to its end |
//! | `queue`, `pools`, `workers`, `attempts`, `attach`, `waits` | who runs what, who waits for whom |
//! | `waiting`, `children` | nodes that the engine does itself: waits, instances of other workflows |
//! | `timers`, `turns`, `ids`, `pairs`, `hashing` | moments, fairness, names |
//! | `params`, `state` | values: given, handed on, kept |
//! | `mails` | who is told of an end, a failing node, and what an `<email>` says |
//! | `landing` | deadlines of instances: warned of, missed |
//! | `journal`, `solo` | what is kept of a step, and one instance replayed from it |
//! | `forecast`, `learned` | what is to come, and how long nodes usually take |
//! | `load`, `inspect`, `explain`, `invariants` | from rows, and what can be asked |

mod attach;
mod attempts;
mod backfill;
mod calendars;
mod chain;
mod children;
mod definition;
mod effect;
mod explain;
mod forecast;
mod graph;
mod hashing;
mod holds;
mod ids;
mod input;
mod inspect;
mod instances;
mod invariants;
mod journal;
mod landing;
mod learned;
mod lifecycle;
mod load;
mod mails;
mod marks;
mod orders;
mod outbox;
mod overlap;
mod packing;
mod pairs;
mod params;
mod plan;
mod pools;
mod queue;
mod repair;
mod requests;
mod rerun;
mod schedule;
mod slots;
mod solo;
mod state;
mod timers;
mod tokens;
mod turns;
mod waiting;
mod waits;
mod walk;
mod ways;
mod workers;
mod workflows;

pub use definition::{Definition, Definitions, Packing, Shelf};
pub use effect::{Dispatch, Effect, Step};
pub use explain::{ExplainObject, Reason};
pub use forecast::{Ahead, Cut, Forecast, Hour, Planned, Stuck};
pub use input::{
    Input, Order, Origin, Outcome, OutcomeKind, Rerun, RerunFrom, StoredInstance, WorkerInfo,
};
pub use inspect::{Counts, PoolView, WorkerView};
pub use journal::{Entry as JournalEntry, Given, Part, decisions};
pub use learned::{Known, Learned, Usual};
pub use packing::PackedText;
pub use solo::{Moment, Solo};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use akkaflow_model::id::{Epoch, InstanceId, WorkerId};
use akkaflow_model::record::{ChainRow, ClusterRow};
use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;

use crate::backfill::Backfills;
use crate::calendars::Calendars;
use crate::definition::{Crons, Recent};
use crate::ids::Ids;
use crate::instances::Instances;
use crate::outbox::Outbox;
use crate::pairs::Pairs;
use crate::pools::Pools;
use crate::queue::ReadyQueues;
use crate::requests::Requests;
use crate::state::States;
use crate::timers::{Timer, Timers};
use crate::turns::Turns;
use crate::workers::Workers;
use crate::workflows::{Entry, Files};

/// Names and values, in order.
pub(crate) type Params = Vec<(String, String)>;

/// Timers that one step serves, and workflows that it looks at: keeps a batch small when ten thousand are due at once.
/// The rest is due at once again, see [`Engine::next_deadline`].
const STEP_BUDGET: usize = 1000;

/// Records after which a step serves no further timer.
const RECORD_BUDGET: usize = 10_000;

/// What an engine is told once.
#[derive(Debug, Clone)]
pub struct Options {
    /// The cluster's time zone.
    pub zone: Tz,
    /// The epoch of the master that drives it.
    pub epoch: Epoch,
    /// Draws instance ids; journaled with the epoch, so that a replay draws the same.
    pub seed: u64,
    /// How long a detached worker keeps its attempts before they are given to others (`reliability.md` 3.3, `fenced`).
    pub lost_after: Duration,
    /// After so many failed retries of a node, beyond its first failure, people are told.
    pub retry_fail_times: u32,
    /// Keeps definitions small while nothing of them runs.
    pub packing: Arc<dyn Packing>,
}

/// The state machine.
#[derive(Debug)]
pub struct Engine {
    options: Options,
    /// The moment of the latest step; it never goes back.
    now: Timestamp,
    has_stepped: bool,
    ids: Ids,
    workflows: BTreeMap<String, Box<Entry>>,
    crons: Crons,
    calendars: Calendars,
    recent: Recent,
    /// Which workflows depend on a workflow.
    dependants: Pairs,
    /// Workflows that this version does not run.
    not_runnable: BTreeSet<String>,
    files: Files,
    instances: Instances,
    chains: BTreeMap<InstanceId, ChainRow>,
    requests: Requests,
    states: States,
    workers: Workers,
    ready: ReadyQueues,
    pools: Pools,
    backfills: Backfills,
    cluster: ClusterRow,
    /// Nodes that the engine itself must do something with.
    own: BTreeSet<(InstanceId, usize)>,
    timers: Timers,
    /// Workflows that may have become able to fire.
    consider: Turns,
    /// Workflows whose waiting instances may have become able to start.
    backlog: Turns,
    /// Instances with changed rows, repeats allowed.
    touched: Vec<InstanceId>,
    /// Instances that were admitted in this step: their own timers run from its end on, wherever in the step it was.
    unarmed: Vec<InstanceId>,
    /// Whose timers this step has served so far, while it does.
    served: Option<Vec<InstanceId>>,
    out: Outbox,
}

impl Engine {
    /// Advances the schedule by one input. Same state, `now` and input give the same records and effects, in order.
    pub fn step(&mut self, now: Timestamp, input: Input) -> Step {
        self.now = self.now.max(now);
        if !self.has_stepped {
            self.has_stepped = true;
            self.await_attach();
        }
        self.serve_timers();
        self.accept(input);
        self.settle();
        self.flush()
    }

    /// Latest moment at which the caller must send [`Input::Tick`], if anything is waiting for time.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let has_to_tell = self.workers.iter().next().is_some() || self.out.has_effects();
        let must_look = !self.has_stepped && has_to_tell;
        let is_behind = !self.consider.is_empty()
            || !self.backlog.is_empty()
            || !self.backfills.due.is_empty()
            || (!self.own.is_empty() && self.cluster.frozen.is_none())
            || self.ready.has_untold();
        if must_look || is_behind {
            return Some(self.now.max(Timestamp::default()));
        }
        self.timers.next()
    }

    /// After a load every worker counts as detached until it attaches; its clock starts with the first step.
    fn await_attach(&mut self) {
        let ids: Vec<WorkerId> = self.workers.iter().map(|(id, _)| id.clone()).collect();
        for id in ids {
            self.start_clock(&id);
        }
    }

    fn serve_timers(&mut self) {
        self.served = Some(Vec::new());
        for _ in 0..STEP_BUDGET {
            // A slot may make up for a hundred: what is still due is served by the next step.
            if self.out.len() > RECORD_BUDGET || !self.serve_timer() {
                break;
            }
        }
        self.served = None;
    }

    /// Serves the next timer that is due; says whether there was one.
    fn serve_timer(&mut self) -> bool {
        let Some(timer) = self.timers.pop_due(self.now) else {
            return false;
        };
        if let (Some(served), Some(id)) = (&mut self.served, timer.instance()) {
            served.push(id);
        }
        match timer {
            Timer::Schedule(name) => self.on_schedule_due(&name),
            Timer::Retry(id, node) => self.on_retry_due(id, node),
            Timer::Deadline(id, node) => self.on_deadline(id, node),
            Timer::WarnWaiting(id, node) => self.on_long_wait(id, node),
            Timer::Late(id, _) | Timer::LateStart(id) | Timer::Missed(id) => self.on_landing(id),
            Timer::WorkerLost(id) => self.on_worker_lost(&id),
        }
        true
    }

    /// A timer of another instance concerns this one: its own ones that were served before it count first.
    fn note_timers(&mut self, id: InstanceId) {
        if let Some(served) = &self.served {
            let served = served.iter().filter(|own| **own == id).count();
            self.out.given(id, Given::Timers { served });
        }
    }

    fn accept(&mut self, input: Input) {
        match input {
            Input::Tick => {}
            Input::Order { request, order } => self.on_order(request, order),
            Input::FileGone { path } => self.on_file_gone(&path),
            Input::Calendar { path, text } => self.on_calendar(&path, text),
            Input::FileProblem(row) => self.on_file_problem(row),
            Input::WorkerAttached { worker, holds } => self.on_attached(worker, holds),
            Input::WorkerDetached { id, incarnation } => self.on_detached(&id, incarnation),
            Input::WorkerLeaving {
                id,
                incarnation,
                holds,
            } => self.on_leaving(&id, incarnation, &holds),
            Input::AttemptAccepted { worker, key } => self.on_accepted(worker, key),
            Input::AttemptFinished {
                worker,
                key,
                outcome,
            } => self.on_finished(worker, key, outcome),
            Input::Tombstoned { worker, key } => self.on_tombstoned(worker, key),
            Input::Usual { instance, nodes } => self.on_usual(instance, &nodes),
        }
    }

    /// Lets everything go on that can: fires, starts, dispatches. Iterative, and bounded by the budget.
    fn settle(&mut self) {
        for _ in 0..STEP_BUDGET {
            if let Some((id, node)) = self.next_own() {
                self.do_own(id, node);
            } else if let Some(name) = self.consider.next() {
                self.consider_firing(&name);
            } else if let Some(name) = self.backlog.next() {
                if self.start_next(&name) {
                    self.backlog.join(&name);
                }
            } else if let Some(id) = self.backfills.next_due() {
                self.advance_backfill(id);
            } else {
                break;
            }
            self.dispatch_ready();
        }
        self.dispatch_ready();
        self.tell_waits();
    }

    /// The next node that the engine must do something with; none while the cluster is frozen.
    fn next_own(&mut self) -> Option<(InstanceId, usize)> {
        match self.cluster.frozen {
            Some(_) => None,
            None => self.own.pop_first(),
        }
    }

    /// Writes the rows of what has changed, each once, and lets go of what is over.
    fn flush(&mut self) -> Step {
        for id in std::mem::take(&mut self.unarmed) {
            self.resume_landing(id);
        }
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        for id in touched.drain(..) {
            let Some(instance) = self.instances.get_mut(&id) else {
                continue;
            };
            if std::mem::take(&mut instance.is_dirty) {
                self.out.instance(instance.row.clone());
            }
            for row in instance.take_dirty_nodes() {
                self.out.node(row);
            }
            self.out.effect(Effect::Changed { instance: id });
            if instance.row.state.is_terminal() {
                self.instances.remove(&id);
            }
        }
        self.touched = touched;
        self.out.take()
    }
}
