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
//! - Once a master was told that this start of the worker leaves, nothing but what was named then is executed.
//! - An outcome is reported until it is acknowledged; the first one wins.
//!
//! An outcome is told while its entry is still being flushed. Whether the machine dies just before or just after the
//! flush, a master that has not made the outcome durable learns the same: the attempt is lost. So waiting would only
//! cost a flush of latency for each attempt.

mod attempts;
mod entry;
mod ledger;
mod masters;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use akkaflow_model::id::{AttemptKey, Epoch, Incarnation};
use akkaflow_model::outcome::Outcome;

use attempts::REMEMBERED_OUTCOMES;
pub use entry::Entry;
use ledger::Release;
pub use words::{Attach, Event, Input, Output, Refusal};

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
    /// Whether it stops in order and takes nothing new.
    is_leaving: bool,
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

impl Agent {
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
            Input::Leave => {
                self.is_leaving = true;
                self.send(self.farewell(), &mut outputs);
            }
            Input::Tick => self.on_tick(now, &mut outputs),
        }
        outputs
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

    /// Whether [`Input::Leave`] was given.
    pub fn is_leaving(&self) -> bool {
        self.is_leaving
    }

    /// Attempts that are held, whatever their phase.
    pub fn held(&self) -> usize {
        self.attempts.len()
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
