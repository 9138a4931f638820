//! The worker's side of the contract: what it has accepted, what it promised never to start, what it still owes.
//!
//! The host (the worker's runtime, or the simulator) feeds [`Input`]s and carries out [`Output`]s in order. It appends
//! each [`Output::Persist`] to a ledger and says [`Input::Persisted`] once a group of them is flushed. After a crash
//! it begins again with [`Agent::restore`] from the entries that were flushed, and a new incarnation.
//!
//! **Invariants**
//! - [`Output::Exec`] comes at most once for an attempt, ever, and only after its [`Entry::Accepted`] is durable.
//! - An attempt that was tombstoned is never executed, and one that was accepted is never tombstoned.
//! - A start is refused when its epoch is below the highest one seen, or when it names another incarnation.
//! - An outcome is reported until it is acknowledged; the first one wins.
//!
//! An outcome is told while its entry is still being flushed. Whether the machine dies just before or just after the
//! flush, a master that has not made the outcome durable learns the same: the attempt is lost. So waiting would only
//! cost a flush of latency for each attempt.

mod entry;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use akkaflow_model::id::{AttemptKey, Epoch, Incarnation};
use akkaflow_model::outcome::{Outcome, OutcomeKind};
use akkaflow_model::text::Text;

pub use entry::Entry;

/// Outcomes remembered after their acknowledgement. Streams are in order, so that a start never follows its own
/// acknowledgement; this is a second line of defence, and bounded because nothing depends on it.
const REMEMBERED_OUTCOMES: usize = 4_096;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A master has welcomed us.
    Connected {
        /// Its cluster.
        cluster: u128,
        /// Its epoch.
        epoch: Epoch,
        /// Without contact for so long, every attempt is stopped.
        stop_after: Duration,
    },
    /// The connection is gone.
    Disconnected,
    /// The master asks to run an attempt.
    Start {
        /// Which.
        key: AttemptKey,
        /// The epoch of the master that assigned it.
        epoch: Epoch,
        /// The one start of this worker that may run it.
        incarnation: Incarnation,
    },
    /// The oldest `entries` of the entries not yet confirmed are durable.
    Persisted {
        /// How many.
        entries: usize,
    },
    /// An executed attempt is over, or (after [`Agent::restore`]) proven not to run any more.
    Exited {
        /// Which.
        key: AttemptKey,
        /// How.
        outcome: Outcome,
    },
    /// The master wants an attempt stopped.
    Cancel {
        /// Which.
        key: AttemptKey,
    },
    /// The master wants the promise that an attempt never starts, or to hear what became of it.
    TombstoneRequest {
        /// Which.
        key: AttemptKey,
    },
    /// The master has the outcome durably.
    Acknowledge {
        /// Which.
        key: AttemptKey,
    },
    /// Time has passed; see [`Agent::next_deadline`].
    Tick,
}

/// What the host must do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Append to the ledger; confirm with [`Input::Persisted`] once flushed.
    Persist(Entry),
    /// Start the attempt; say [`Input::Exited`] when it is over.
    Exec {
        /// Which.
        key: AttemptKey,
    },
    /// Stop the attempt; say [`Input::Exited`] once nothing of it is left. May be repeated.
    Stop {
        /// Which.
        key: AttemptKey,
    },
    /// Tell the connected master.
    Send(Event),
    /// The outcome is acknowledged: whatever is kept of the attempt may go.
    Forget {
        /// Which.
        key: AttemptKey,
    },
    /// Close the connection and look for another master.
    HangUp(Refusal),
}

/// What the master is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The attempt is ours and may run.
    Accepted(AttemptKey),
    /// The attempt is over.
    Finished(AttemptKey, Outcome),
    /// The attempt will never start.
    Tombstoned(AttemptKey),
}

/// Why a master is not obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A master with a higher epoch has been seen.
    StaleEpoch {
        /// The master's.
        epoch: Epoch,
        /// The highest seen.
        seen: Epoch,
    },
    /// This worker belongs to another cluster.
    OtherCluster {
        /// The master's.
        cluster: u128,
        /// Ours.
        ours: u128,
    },
}

/// What an attaching worker says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attach {
    /// This start of the worker.
    pub incarnation: Incarnation,
    /// Attempts that run, or whose outcome was not acknowledged.
    pub holds: Vec<AttemptKey>,
    /// The cluster that it belongs to; `None` before it has met one.
    pub cluster: Option<u128>,
    /// The highest epoch that it has seen.
    pub max_epoch: Epoch,
}

/// The state machine.
#[derive(Clone, Debug)]
pub struct Agent {
    incarnation: Incarnation,
    cluster: Option<u128>,
    max_epoch: Epoch,
    stop_after: Option<Duration>,
    attempts: BTreeMap<AttemptKey, Attempt>,
    /// Whether the promise is durable.
    tombstones: BTreeMap<AttemptKey, bool>,
    ended: BTreeMap<AttemptKey, Outcome>,
    ended_order: VecDeque<AttemptKey>,
    link: Link,
    /// One item for each entry handed out and not yet durable.
    unflushed: VecDeque<Release>,
}

#[derive(Clone, Debug)]
struct Attempt {
    phase: Phase,
    stop: Option<Stop>,
    epoch: Epoch,
    incarnation: Incarnation,
}

#[derive(Clone, Debug)]
enum Phase {
    /// The acceptance is being flushed.
    Accepting,
    Running,
    Finished(Outcome),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Cancelled,
    OutOfContact,
}

#[derive(Clone, Copy, Debug)]
enum Link {
    Up,
    Down { since: Duration },
}

/// What becomes true when an entry is durable.
#[derive(Clone, Debug)]
enum Release {
    Nothing,
    Accepted(AttemptKey),
    Tombstoned(AttemptKey),
}

impl Agent {
    /// A worker that has accepted nothing yet, at `now` on any clock that never goes back.
    pub fn new(incarnation: Incarnation, now: Duration) -> Self {
        Self::restore(incarnation, now, [])
    }

    /// The worker as its ledger remembers it. All that [`Agent::running`] then names must be told of: what is still
    /// there is adopted silently, what is gone is said by [`Input::Exited`].
    pub fn restore(
        incarnation: Incarnation,
        now: Duration,
        entries: impl IntoIterator<Item = Entry>,
    ) -> Self {
        let mut agent = Self {
            incarnation,
            cluster: None,
            max_epoch: Epoch(0),
            stop_after: None,
            attempts: BTreeMap::new(),
            tombstones: BTreeMap::new(),
            ended: BTreeMap::new(),
            ended_order: VecDeque::new(),
            link: Link::Down { since: now },
            unflushed: VecDeque::new(),
        };
        for entry in entries {
            agent.recall(entry);
        }
        agent
    }

    fn recall(&mut self, entry: Entry) {
        match entry {
            Entry::Contact {
                cluster,
                epoch,
                stop_after_ms,
            } => {
                self.cluster = Some(cluster);
                self.max_epoch = self.max_epoch.max(epoch);
                self.stop_after = Some(Duration::from_millis(stop_after_ms));
            }
            Entry::Accepted {
                key,
                epoch,
                incarnation,
            } => {
                self.max_epoch = self.max_epoch.max(epoch);
                self.attempts.insert(
                    key,
                    Attempt {
                        phase: Phase::Running,
                        stop: None,
                        epoch,
                        incarnation,
                    },
                );
            }
            Entry::Finished { key, outcome } => {
                if let Some(attempt) = self.attempts.get_mut(&key) {
                    attempt.phase = Phase::Finished(outcome);
                }
            }
            Entry::Tombstone { key, incarnation } => {
                // A start names its incarnation: what an older one promised is kept by refusing its starts.
                if incarnation == self.incarnation {
                    self.tombstones.insert(key, true);
                }
            }
            Entry::Forgotten { key } => {
                self.attempts.remove(&key);
            }
        }
    }

    /// Advances by one input. `now` is on the clock of [`Agent::restore`].
    pub fn step(&mut self, now: Duration, input: Input) -> Vec<Output> {
        let mut outputs = Vec::new();
        match input {
            Input::Connected {
                cluster,
                epoch,
                stop_after,
            } => self.on_connected(cluster, epoch, stop_after, &mut outputs),
            Input::Disconnected => {
                if matches!(self.link, Link::Up) {
                    self.link = Link::Down { since: now };
                }
            }
            Input::Start {
                key,
                epoch,
                incarnation,
            } => self.on_start(key, epoch, incarnation, &mut outputs),
            Input::Persisted { entries } => {
                for _ in 0..entries {
                    self.on_durable(&mut outputs);
                }
            }
            Input::Exited { key, outcome } => self.on_exited(key, outcome, &mut outputs),
            Input::Cancel { key } => self.on_cancel(key, &mut outputs),
            Input::TombstoneRequest { key } => self.on_tombstone_request(key, &mut outputs),
            Input::Acknowledge { key } => self.on_acknowledge(key, &mut outputs),
            Input::Tick => self.on_tick(now, &mut outputs),
        }
        outputs
    }

    /// What to say when attaching to a master.
    pub fn attach(&self) -> Attach {
        Attach {
            incarnation: self.incarnation,
            holds: self.attempts.keys().cloned().collect(),
            cluster: self.cluster,
            max_epoch: self.max_epoch,
        }
    }

    /// Latest moment for an [`Input::Tick`], if anything waits for time.
    pub fn next_deadline(&self) -> Option<Duration> {
        let Link::Down { since } = self.link else {
            return None;
        };
        let is_waiting = self.attempts.values().any(Attempt::may_be_stopped);
        self.stop_after
            .filter(|_| is_waiting)
            .map(|limit| since + limit)
    }

    /// Attempts that were accepted and are not known to be over.
    pub fn running(&self) -> impl Iterator<Item = &AttemptKey> {
        self.attempts
            .iter()
            .filter(|(_, attempt)| matches!(attempt.phase, Phase::Accepting | Phase::Running))
            .map(|(key, _)| key)
    }

    /// Attempts that are held, whatever their phase.
    pub fn held(&self) -> usize {
        self.attempts.len()
    }

    /// Whether every entry handed out is durable.
    pub fn is_settled(&self) -> bool {
        self.unflushed.is_empty()
    }

    /// The shortest ledger that restores this state. The host may replace its ledger by it at any moment: it holds all
    /// that was handed out to be persisted, flushed or not.
    pub fn snapshot(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        if let (Some(cluster), Some(stop_after)) = (self.cluster, self.stop_after) {
            entries.push(Entry::contact(cluster, self.max_epoch, stop_after));
        }
        for (key, attempt) in &self.attempts {
            entries.push(Entry::Accepted {
                key: key.clone(),
                epoch: attempt.epoch,
                incarnation: attempt.incarnation,
            });
            if let Phase::Finished(outcome) = &attempt.phase {
                entries.push(Entry::Finished {
                    key: key.clone(),
                    outcome: outcome.clone(),
                });
            }
        }
        for key in self.tombstones.keys() {
            entries.push(Entry::Tombstone {
                key: key.clone(),
                incarnation: self.incarnation,
            });
        }
        entries
    }

    fn on_connected(
        &mut self,
        cluster: u128,
        epoch: Epoch,
        stop_after: Duration,
        outputs: &mut Vec<Output>,
    ) {
        if let Some(ours) = self.cluster.filter(|ours| *ours != cluster) {
            outputs.push(Output::HangUp(Refusal::OtherCluster { cluster, ours }));
            return;
        }
        if epoch < self.max_epoch {
            let seen = self.max_epoch;
            outputs.push(Output::HangUp(Refusal::StaleEpoch { epoch, seen }));
            return;
        }
        if (self.cluster, self.max_epoch, self.stop_after)
            != (Some(cluster), epoch, Some(stop_after))
        {
            self.cluster = Some(cluster);
            self.max_epoch = epoch;
            self.stop_after = Some(stop_after);
            // Entries are flushed in order: an acceptance of this epoch is never durable before the epoch itself.
            self.persist(
                Entry::contact(cluster, epoch, stop_after),
                Release::Nothing,
                outputs,
            );
        }
        self.link = Link::Up;
        for (key, attempt) in &self.attempts {
            outputs.extend(attempt.report(key).map(Output::Send));
        }
    }

    fn on_start(
        &mut self,
        key: AttemptKey,
        epoch: Epoch,
        incarnation: Incarnation,
        outputs: &mut Vec<Output>,
    ) {
        if self.resend(&key, outputs)
            || !matches!(self.link, Link::Up)
            || epoch < self.max_epoch
            || incarnation != self.incarnation
        {
            return;
        }
        // Made durable by the acceptance itself.
        self.max_epoch = epoch;
        self.attempts.insert(
            key.clone(),
            Attempt {
                phase: Phase::Accepting,
                stop: None,
                epoch,
                incarnation,
            },
        );
        let entry = Entry::Accepted {
            key: key.clone(),
            epoch,
            incarnation,
        };
        self.persist(entry, Release::Accepted(key), outputs);
    }

    fn on_durable(&mut self, outputs: &mut Vec<Output>) {
        let release = self
            .unflushed
            .pop_front()
            .expect("the host confirms only entries that it was given");
        match release {
            Release::Nothing => {}
            Release::Accepted(key) => self.on_accepted(key, outputs),
            Release::Tombstoned(key) => {
                self.tombstones.insert(key.clone(), true);
                self.send(Event::Tombstoned(key), outputs);
            }
        }
    }

    fn on_accepted(&mut self, key: AttemptKey, outputs: &mut Vec<Output>) {
        let attempt = self
            .attempts
            .get_mut(&key)
            .expect("an attempt is forgotten only after its outcome");
        attempt.phase = Phase::Running;
        let stop = attempt.stop;
        self.send(Event::Accepted(key.clone()), outputs);
        if stop.is_none() {
            outputs.push(Output::Exec { key });
            return;
        }
        let outcome = Outcome {
            kind: OutcomeKind::Cancelled,
            text: None,
            exit_code: None,
            log_length: 0,
        };
        self.on_exited(key, outcome, outputs);
    }

    fn on_exited(&mut self, key: AttemptKey, mut outcome: Outcome, outputs: &mut Vec<Output>) {
        let Some(attempt) = self.attempts.get_mut(&key) else {
            return;
        };
        if !matches!(attempt.phase, Phase::Running) {
            return;
        }
        // Stopped, but not by the master's order: to the master it is lost.
        if attempt.stop != Some(Stop::Cancelled) && outcome.kind == OutcomeKind::Cancelled {
            outcome.kind = OutcomeKind::Lost;
        }
        if attempt.stop == Some(Stop::OutOfContact) && outcome.kind == OutcomeKind::Lost {
            outcome.text = Some(out_of_contact());
        }
        attempt.phase = Phase::Finished(outcome.clone());
        let entry = Entry::Finished {
            key: key.clone(),
            outcome,
        };
        self.persist(entry, Release::Nothing, outputs);
        self.send_state(&key, outputs);
    }

    fn on_cancel(&mut self, key: AttemptKey, outputs: &mut Vec<Output>) {
        let Some(attempt) = self.attempts.get_mut(&key) else {
            return;
        };
        match attempt.phase {
            Phase::Accepting => {
                attempt.stop.get_or_insert(Stop::Cancelled);
            }
            Phase::Running => {
                attempt.stop.get_or_insert(Stop::Cancelled);
                outputs.push(Output::Stop { key });
            }
            Phase::Finished(_) => self.send_state(&key, outputs),
        }
    }

    fn on_tombstone_request(&mut self, key: AttemptKey, outputs: &mut Vec<Output>) {
        if self.resend(&key, outputs) {
            return;
        }
        self.tombstones.insert(key.clone(), false);
        let entry = Entry::Tombstone {
            key: key.clone(),
            incarnation: self.incarnation,
        };
        self.persist(entry, Release::Tombstoned(key), outputs);
    }

    fn on_acknowledge(&mut self, key: AttemptKey, outputs: &mut Vec<Output>) {
        let Some(attempt) = self.attempts.get(&key) else {
            return;
        };
        let Phase::Finished(outcome) = &attempt.phase else {
            return;
        };
        let outcome = outcome.clone();
        self.attempts.remove(&key);
        self.remember(key.clone(), outcome);
        // Losing this entry only means that the outcome is reported, and acknowledged, once more.
        self.persist(
            Entry::Forgotten { key: key.clone() },
            Release::Nothing,
            outputs,
        );
        outputs.push(Output::Forget { key });
    }

    fn on_tick(&mut self, now: Duration, outputs: &mut Vec<Output>) {
        if self.next_deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        for (key, attempt) in &mut self.attempts {
            if !attempt.may_be_stopped() {
                continue;
            }
            attempt.stop = Some(Stop::OutOfContact);
            if matches!(attempt.phase, Phase::Running) {
                outputs.push(Output::Stop { key: key.clone() });
            }
        }
    }

    /// Says again what is known of an attempt; `false` when nothing is.
    fn resend(&self, key: &AttemptKey, outputs: &mut Vec<Output>) -> bool {
        if self.attempts.contains_key(key) {
            self.send_state(key, outputs);
        } else if let Some(is_durable) = self.tombstones.get(key) {
            if *is_durable {
                self.send(Event::Tombstoned(key.clone()), outputs);
            }
        } else if let Some(outcome) = self.ended.get(key) {
            self.send(Event::Finished(key.clone(), outcome.clone()), outputs);
        } else {
            return false;
        }
        true
    }

    fn send_state(&self, key: &AttemptKey, outputs: &mut Vec<Output>) {
        if let Some(event) = self
            .attempts
            .get(key)
            .and_then(|attempt| attempt.report(key))
        {
            self.send(event, outputs);
        }
    }

    fn send(&self, event: Event, outputs: &mut Vec<Output>) {
        if matches!(self.link, Link::Up) {
            outputs.push(Output::Send(event));
        }
    }

    fn persist(&mut self, entry: Entry, release: Release, outputs: &mut Vec<Output>) {
        self.unflushed.push_back(release);
        outputs.push(Output::Persist(entry));
    }

    fn remember(&mut self, key: AttemptKey, outcome: Outcome) {
        if self.ended_order.len() == REMEMBERED_OUTCOMES
            && let Some(oldest) = self.ended_order.pop_front()
        {
            self.ended.remove(&oldest);
        }
        self.ended_order.push_back(key.clone());
        self.ended.insert(key, outcome);
    }

    /// What must hold after every step.
    ///
    /// # Errors
    /// The violated rule, in words.
    pub fn check_invariants(&self) -> Result<(), String> {
        let held: BTreeSet<_> = self.attempts.keys().collect();
        if let Some(key) = self.tombstones.keys().find(|key| held.contains(key)) {
            return Err(format!("{key} is both tombstoned and held"));
        }
        if let Some((key, _)) = self
            .attempts
            .iter()
            .find(|(_, attempt)| attempt.epoch > self.max_epoch)
        {
            return Err(format!(
                "{key} was accepted from an epoch that was never seen"
            ));
        }
        if self.ended.len() != self.ended_order.len() || self.ended.len() > REMEMBERED_OUTCOMES {
            return Err("the remembered outcomes are out of bounds".to_owned());
        }
        Ok(())
    }
}

impl Attempt {
    /// What a master may be told of it: an acceptance only once it is durable.
    fn report(&self, key: &AttemptKey) -> Option<Event> {
        match &self.phase {
            Phase::Accepting => None,
            Phase::Running => Some(Event::Accepted(key.clone())),
            Phase::Finished(outcome) => Some(Event::Finished(key.clone(), outcome.clone())),
        }
    }

    fn may_be_stopped(&self) -> bool {
        self.stop.is_none() && matches!(self.phase, Phase::Accepting | Phase::Running)
    }
}

fn out_of_contact() -> Text {
    Text::new(
        "与master失联过久，worker已停止本次尝试",
        "stopped by its worker, which was out of contact with any master for too long",
    )
}
