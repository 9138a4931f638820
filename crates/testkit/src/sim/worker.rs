//! A simulated worker: the real agent, a ledger that is flushed now and then, and processes that may outlive it.

use std::collections::BTreeSet;
use std::time::Duration;

use akkaflow_model::id::{AttemptKey, Incarnation, WorkerId};
use akkaflow_model::outcome::OutcomeKind;
use akkaflow_protocol::agent::{Agent, Entry, Event as AgentEvent, Input, Output};

use super::kept::Habit;
use super::network::{ToMaster, ToWorker};
use super::plan::SECOND;
use super::planted::Planted;
use super::processes::{Process, outcome};
use super::rng::{Rng, mix};
use super::store::CLUSTER;
use super::world::{Event, World};

/// A process is gone within so many milliseconds after it was told to stop.
const KILL: u64 = 5 * SECOND;

/// One worker machine.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) id: WorkerId,
    pub(crate) host: String,
    pub(crate) slots: u32,
    pub(crate) labels: BTreeSet<String>,
    pub(crate) is_up: bool,
    /// Grows with each start of the agent.
    pub(crate) life: u64,
    pub(crate) incarnation: Incarnation,
    agent: Agent,
    /// What the disk holds.
    ledger: Vec<Entry>,
    /// What has not been flushed.
    unflushed: Vec<Entry>,
    is_flush_due: bool,
    tick_at: Option<u64>,
    pub(crate) connection: Option<u64>,
    /// Until when it reaches no master.
    pub(crate) cut_off_until: u64,
    /// Since when no master has been in contact; what the supervisor remembers for the next agent.
    out_of_contact: Option<u64>,
    /// It never comes back.
    pub(crate) is_gone: bool,
    /// Outcomes of processes that ended while the agent was down.
    orphans: Vec<(AttemptKey, OutcomeKind)>,
}

impl Worker {
    pub(crate) fn new(index: usize, rng: &mut Rng) -> Self {
        let incarnation = Incarnation(0);
        Self {
            id: WorkerId(format!("w{index}").into()),
            host: format!("host{}", index / 2),
            slots: rng.between(1, 4) as u32,
            labels: labels(index),
            is_up: false,
            life: 0,
            incarnation,
            agent: Agent::new(incarnation, Duration::ZERO),
            ledger: Vec::new(),
            unflushed: Vec::new(),
            is_flush_due: false,
            tick_at: None,
            connection: None,
            cut_off_until: 0,
            out_of_contact: Some(0),
            is_gone: false,
            orphans: Vec::new(),
        }
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.agent.is_leaving()
    }
}

/// Half of the workers are like each other, and the first one is large.
fn labels(index: usize) -> BTreeSet<String> {
    let mut labels = BTreeSet::from([format!("l{}", index % 2)]);
    if index == 0 {
        labels.insert("large".to_owned());
    }
    labels
}

impl World {
    pub(crate) fn start_worker(&mut self, index: usize) {
        if self.workers[index].is_up || self.workers[index].is_gone {
            return;
        }
        let planted = self.planted;
        let now = self.now;
        let worker = &mut self.workers[index];
        let since = Duration::from_millis(*worker.out_of_contact.get_or_insert(now));
        worker.is_up = true;
        worker.life += 1;
        worker.incarnation = Incarnation(if planted == Some(Planted::IncarnationsUnordered) {
            u64::MAX - worker.life
        } else {
            worker.life
        });
        worker.unflushed.clear();
        worker.is_flush_due = false;
        worker.tick_at = None;
        worker.connection = None;
        if planted == Some(Planted::LedgerLost) {
            worker.ledger.clear();
        }
        worker.agent = Agent::restore(worker.incarnation, since, worker.ledger.iter().cloned());
        let life = worker.life;
        let running: Vec<AttemptKey> = worker.agent.running().cloned().collect();
        let orphans = std::mem::take(&mut worker.orphans);
        self.tell(|| format!("w{index} starts, holding {}", running.len()));
        for key in running {
            if self.processes.live.contains_key(&key) {
                if planted == Some(Planted::AdoptedStartedAgain) {
                    self.exec(index, key);
                }
                continue;
            }
            let unknown = match planted {
                Some(Planted::OutcomeInvented) => OutcomeKind::Succeeded,
                _ => OutcomeKind::Lost,
            };
            let kind = orphans
                .iter()
                .find(|(ended, _)| *ended == key)
                .map_or(unknown, |(_, kind)| *kind);
            let outcome = outcome(&key, kind);
            self.step_agent(index, Input::Exited { key, outcome });
        }
        self.arm_agent(index);
        let delay = self.rng.below(2_000);
        self.at(
            delay,
            Event::Connect {
                worker: index,
                life,
            },
        );
    }

    /// The agent stops in order: it says so, and is gone a little later.
    pub(crate) fn stop_worker(&mut self, index: usize) {
        self.tell(|| format!("w{index} stops in order"));
        self.step_agent(index, Input::Leave);
        let life = self.workers[index].life;
        let delay = self.rng.below(3_000);
        self.at(
            delay,
            Event::CrashAgent {
                worker: index,
                life,
            },
        );
    }

    /// The agent dies; with it, maybe, everything on the machine.
    pub(crate) fn crash_worker(&mut self, index: usize, with_processes: bool) {
        if !self.workers[index].is_up {
            return;
        }
        self.stats.lost_workers += 1;
        self.tell(|| format!("w{index} crashes, processes die: {with_processes}"));
        let kept = self
            .rng
            .below(self.workers[index].unflushed.len() as u64 + 1) as usize;
        let worker = &mut self.workers[index];
        worker.is_up = false;
        worker.connection = None;
        // What was on its way to the disk may have arrived, in order.
        let arrived: Vec<Entry> = worker.unflushed.drain(..kept).collect();
        worker.ledger.extend(arrived);
        worker.unflushed.clear();
        self.lose_contact(index);
        self.cut_where(|connection| connection.worker == index);
        if !with_processes {
            self.arm_supervisor(index);
        }
        if with_processes {
            for key in self.processes.on_worker(index) {
                self.processes.live.remove(&key);
            }
            self.workers[index].orphans.clear();
        }
    }

    fn lose_contact(&mut self, index: usize) {
        let now = self.now;
        self.workers[index].out_of_contact.get_or_insert(now);
    }

    /// The supervisor keeps the promise that an agent cannot keep while it is down.
    fn arm_supervisor(&mut self, index: usize) {
        let worker = &self.workers[index];
        let since = worker.out_of_contact.unwrap_or(self.now);
        let at = since + self.plan.stop_after.as_millis() as u64;
        let life = worker.life;
        let event = Event::Supervise {
            worker: index,
            life,
        };
        self.at(at.saturating_sub(self.now), event);
    }

    pub(crate) fn on_supervise(&mut self, index: usize, life: u64) {
        let sleeps = self.planted == Some(Planted::SupervisorSleeps);
        if sleeps || self.workers[index].is_up || self.workers[index].life != life {
            return;
        }
        self.tell(|| format!("the supervisor of w{index} stops everything"));
        for key in self.processes.on_worker(index) {
            let token = self.processes.token();
            let delay = self.rng.below(KILL);
            if let Some(process) = self.processes.live.get_mut(&key) {
                process.token = token;
                process.outcome = OutcomeKind::Lost;
            }
            self.at(delay, Event::ProcessEnds { key, token });
        }
    }

    pub(crate) fn on_connect(&mut self, index: usize, life: u64) {
        let worker = &self.workers[index];
        if !worker.is_up || worker.life != life || worker.connection.is_some() {
            return;
        }
        let leader = (0..self.masters.len()).find(|&master| self.may_lead(master));
        match leader.filter(|_| worker.cut_off_until <= self.now) {
            Some(master) => {
                let number = self.open_connection(index, master);
                self.workers[index].connection = Some(number);
                let mut attach = self.workers[index].agent.attach();
                if self.planted == Some(Planted::HoldsForgotten) {
                    attach.holds.clear();
                }
                self.tell(|| {
                    format!(
                        "w{index} dials m{master} (connection {number}), holds {:?}",
                        attach.holds
                    )
                });
                self.send_to_master(number, ToMaster::Attach(attach));
            }
            None => self.reconnect_later(index),
        }
    }

    fn reconnect_later(&mut self, worker: usize) {
        let life = self.workers[worker].life;
        let delay = self.rng.between(200, 5_000);
        self.at(delay, Event::Connect { worker, life });
    }

    pub(crate) fn on_link_lost(&mut self, index: usize) {
        self.tell(|| format!("w{index} lost its connection"));
        self.workers[index].connection = None;
        self.lose_contact(index);
        self.step_agent(index, Input::Disconnected);
        self.reconnect_later(index);
    }

    pub(crate) fn on_master_message(&mut self, index: usize, message: ToWorker) {
        self.tell(|| format!("w{index} hears {message:?}"));
        if let ToWorker::Tombstone { key } = &message
            && self.planted == Some(Planted::PromiseUnchecked)
        {
            self.say(index, AgentEvent::Tombstoned(key.clone()));
            return;
        }
        let input = match message {
            ToWorker::Welcome { epoch } => Input::Connected {
                cluster: CLUSTER,
                epoch,
                stop_after: self.plan.stop_after,
            },
            ToWorker::Start {
                key,
                epoch,
                incarnation,
            } => Input::Start {
                key,
                epoch,
                incarnation: if self.planted == Some(Planted::IncarnationIgnored) {
                    self.workers[index].incarnation
                } else {
                    incarnation
                },
            },
            ToWorker::Cancel { key } => Input::Cancel { key },
            ToWorker::Tombstone { key } => Input::TombstoneRequest { key },
            ToWorker::Acknowledge { key } => Input::Acknowledge { key },
        };
        self.step_agent(index, input);
        // It has not hung up: this master counts.
        if self.workers[index].connection.is_some() {
            self.workers[index].out_of_contact = None;
        }
    }

    pub(crate) fn on_flush(&mut self, index: usize, life: u64) {
        let worker = &mut self.workers[index];
        if !worker.is_up || worker.life != life {
            return;
        }
        worker.is_flush_due = false;
        let entries = worker.unflushed.len();
        let flushed = std::mem::take(&mut worker.unflushed);
        worker.ledger.extend(flushed);
        if entries > 0 && self.planted != Some(Planted::AcceptBeforeFlush) {
            self.step_agent(index, Input::Persisted { entries });
        }
        let worker = &mut self.workers[index];
        if worker.ledger.len() > 64 && worker.unflushed.is_empty() && worker.agent.is_settled() {
            worker.ledger = worker.agent.snapshot();
        }
    }

    pub(crate) fn on_agent_tick(&mut self, index: usize, life: u64) {
        let now = self.now;
        let worker = &mut self.workers[index];
        if !worker.is_up || worker.life != life || worker.tick_at.is_none_or(|at| at > now) {
            return;
        }
        worker.tick_at = None;
        if self.planted != Some(Planted::OutOfContactIgnored) {
            self.step_agent(index, Input::Tick);
        }
    }

    fn step_agent(&mut self, index: usize, input: Input) {
        let now = self.boot_time();
        let outputs = self.workers[index].agent.step(now, input);
        let verdict = self.workers[index].agent.check_invariants();
        self.judge(verdict.map_err(|text| format!("agent of w{index}: {text}")));
        for output in outputs {
            self.on_agent_output(index, output);
        }
        self.arm_agent(index);
    }

    fn arm_agent(&mut self, index: usize) {
        let worker = &mut self.workers[index];
        let Some(deadline) = worker.agent.next_deadline() else {
            return;
        };
        let at = deadline.as_millis() as u64;
        if worker.tick_at.is_some_and(|tick| tick <= at) {
            return;
        }
        worker.tick_at = Some(at);
        let life = worker.life;
        let delay = at.saturating_sub(self.now);
        self.at(
            delay,
            Event::AgentTick {
                worker: index,
                life,
            },
        );
    }

    fn on_agent_output(&mut self, index: usize, output: Output) {
        match output {
            Output::Persist(entry) => self.persist(index, entry),
            Output::Exec { key } => self.exec(index, key),
            Output::Stop { key } => self.stop(index, &key),
            Output::Send(event) => self.say(index, event),
            Output::Forget { key } => self.check_forgotten(&key),
            Output::HangUp(reason) => {
                self.tell(|| format!("w{index} hangs up: {reason:?}"));
                if let Some(number) = self.workers[index].connection.take() {
                    self.cut(number);
                }
                self.lose_contact(index);
                self.step_agent(index, Input::Disconnected);
                self.reconnect_later(index);
            }
        }
    }

    fn persist(&mut self, index: usize, entry: Entry) {
        if let Entry::Finished { key, outcome } = &entry
            && self.processes.executed.contains_key(key)
        {
            let verdict = self.processes.finish(key, outcome.kind);
            self.judge(verdict);
        }
        let delay = match self.rng.below(50) {
            0 if self.has(Habit::Moments) => self.rng.between(8, 2_000),
            _ => self.rng.between(1, 8),
        };
        let worker = &mut self.workers[index];
        worker.unflushed.push(entry);
        let life = worker.life;
        if !std::mem::replace(&mut worker.is_flush_due, true) {
            self.at(
                delay,
                Event::Flush {
                    worker: index,
                    life,
                },
            );
        }
        if self.planted == Some(Planted::AcceptBeforeFlush) {
            self.step_agent(index, Input::Persisted { entries: 1 });
        }
    }

    fn exec(&mut self, index: usize, key: AttemptKey) {
        self.stats.executions += 1;
        self.tell(|| format!("w{index} executes {key}"));
        self.note_instance(key.instance);
        let planned = match self.rng.below(100) {
            _ if is_poison(&key) => OutcomeKind::Lost,
            0..=76 => OutcomeKind::Succeeded,
            77..=95 => OutcomeKind::Failed,
            96 => OutcomeKind::Lost,
            _ => OutcomeKind::FailedForGood,
        };
        if self.has(Habit::Moments) && self.rng.below(200) == 0 {
            let delay = self.rng.below(20);
            let life = self.workers[index].life;
            self.at(
                delay,
                Event::CrashAgent {
                    worker: index,
                    life,
                },
            );
        }
        let hangs = self.has(Habit::Hangs) && self.rng.chance(2);
        let token = self.processes.token();
        let process = Process {
            worker: index,
            token,
            outcome: planned,
        };
        let verdict = self.processes.exec(key.clone(), process);
        self.judge(verdict);
        if !hangs {
            let delay = self.rng.between(50, self.plan.longest_run);
            self.at(delay, Event::ProcessEnds { key, token });
        }
    }

    fn stop(&mut self, index: usize, key: &AttemptKey) {
        self.tell(|| format!("w{index} stops {key}"));
        if self.planted == Some(Planted::KillReportedEarly) {
            let outcome = outcome(key, OutcomeKind::Cancelled);
            let key = key.clone();
            self.step_agent(index, Input::Exited { key, outcome });
        }
        let token = self.processes.token();
        let keeps_outcome = self.rng.chance(10);
        let delay = self.rng.below(KILL);
        let Some(process) = self.processes.live.get_mut(key) else {
            return;
        };
        process.token = token;
        if !keeps_outcome {
            process.outcome = OutcomeKind::Cancelled;
        }
        let key = key.clone();
        self.at(delay, Event::ProcessEnds { key, token });
    }

    /// Ends the processes that hang, so that the quiet time finds none.
    pub(crate) fn end_hanging(&mut self) {
        for key in self.processes.live.keys().cloned().collect::<Vec<_>>() {
            let token = self.processes.live[&key].token;
            let delay = self.rng.between(1, self.plan.longest_run);
            self.at(delay, Event::ProcessEnds { key, token });
        }
    }

    pub(crate) fn on_process_ends(&mut self, key: &AttemptKey, token: u64) {
        let Some(process) = self
            .processes
            .live
            .get(key)
            .filter(|process| process.token == token)
        else {
            return;
        };
        let (index, kind) = (process.worker, process.outcome);
        self.processes.live.remove(key);
        self.processes.ended.insert(key.clone(), kind);
        if self.planted == Some(Planted::OutcomeLostWhileAway)
            && self.workers[index].connection.is_none()
        {
            return;
        }
        self.tell(|| format!("process {key} on w{index} ends: {kind:?}"));
        if self.workers[index].is_up {
            let outcome = outcome(key, kind);
            let key = key.clone();
            self.step_agent(index, Input::Exited { key, outcome });
        } else {
            self.workers[index].orphans.push((key.clone(), kind));
        }
    }

    fn say(&mut self, index: usize, event: AgentEvent) {
        if let Some(number) = self.workers[index].connection {
            self.send_to_master(number, ToMaster::Event(event));
        }
    }

    /// A worker forgets an attempt only when its outcome is durable.
    fn check_forgotten(&mut self, key: &AttemptKey) {
        let row = self.store.tables.attempts.get(key);
        if let Some(row) = row.filter(|row| !row.state.is_terminal()) {
            let text = format!(
                "I8: attempt {key} was forgotten while it is {:?}",
                row.state
            );
            self.fail(text);
        }
    }
}

/// Some nodes kill whatever runs them.
fn is_poison(key: &AttemptKey) -> bool {
    let node = key.node.bytes().map(u64::from).sum::<u64>();
    mix(key.instance.as_u128() as u64 ^ node).is_multiple_of(60)
}
