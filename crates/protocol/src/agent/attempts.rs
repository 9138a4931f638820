//! The course of one attempt: accepted, executed, stopped, over, forgotten; or never to be started.

use std::time::Duration;

use akkaflow_model::id::{AttemptKey, Epoch, Incarnation};
use akkaflow_model::outcome::{Outcome, OutcomeKind};
use akkaflow_model::text::Text;

use super::ledger::Release;
use super::{Agent, Attempt, Entry, Event, Link, Output, Phase, Stop};

/// Outcomes remembered after their acknowledgement. Streams are in order, so that a start never follows its own
/// acknowledgement; this is a second line of defence, and bounded because nothing depends on it.
pub(super) const REMEMBERED_OUTCOMES: usize = 4_096;

impl Agent {
    pub(super) fn on_start(
        &mut self,
        key: AttemptKey,
        epoch: Epoch,
        incarnation: Incarnation,
        outputs: &mut Vec<Output>,
    ) {
        if self.resend(&key, outputs)
            || self.is_leaving
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

    pub(super) fn on_durable(&mut self, outputs: &mut Vec<Output>) {
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
        self.on_exited(key, Outcome::new(OutcomeKind::Cancelled), outputs);
    }

    pub(super) fn on_exited(
        &mut self,
        key: AttemptKey,
        mut outcome: Outcome,
        outputs: &mut Vec<Output>,
    ) {
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

    pub(super) fn on_cancel(&mut self, key: AttemptKey, outputs: &mut Vec<Output>) {
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

    pub(super) fn on_tombstone_request(&mut self, key: AttemptKey, outputs: &mut Vec<Output>) {
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

    pub(super) fn on_acknowledge(&mut self, key: AttemptKey, outputs: &mut Vec<Output>) {
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

    pub(super) fn on_tick(&mut self, now: Duration, outputs: &mut Vec<Output>) {
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

    fn remember(&mut self, key: AttemptKey, outcome: Outcome) {
        if self.ended_order.len() == REMEMBERED_OUTCOMES
            && let Some(oldest) = self.ended_order.pop_front()
        {
            self.ended.remove(&oldest);
        }
        self.ended_order.push_back(key.clone());
        self.ended.insert(key, outcome);
    }
}

fn out_of_contact() -> Text {
    Text::new(
        "与master失联过久，worker已停止本次尝试",
        "stopped by its worker, which was out of contact with any master for too long",
    )
}
