//! The masters that an agent obeys, and what it says to them.

use std::time::Duration;

use akkaflow_model::id::{AttemptKey, Epoch};

use super::ledger::Release;
use super::{Agent, Attach, Entry, Event, Link, Output, Refusal};

impl Agent {
    /// What to say when attaching to a master.
    pub fn attach(&self) -> Attach {
        Attach {
            incarnation: self.incarnation,
            holds: self.attempts.keys().cloned().collect(),
            cluster: self.cluster,
            max_epoch: self.max_epoch,
        }
    }

    pub(super) fn on_connected(
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
        if self.is_leaving {
            self.send(self.farewell(), outputs);
        }
        for (key, attempt) in &self.attempts {
            outputs.extend(attempt.report(key).map(Output::Send));
        }
    }

    /// What is held when the worker stops in order. An acceptance that is still being flushed counts: it may yet become durable.
    pub(super) fn farewell(&self) -> Event {
        Event::Leaving {
            holds: self.attempts.keys().cloned().collect(),
        }
    }

    /// Says again what is known of an attempt; `false` when nothing is.
    pub(super) fn resend(&self, key: &AttemptKey, outputs: &mut Vec<Output>) -> bool {
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

    pub(super) fn send_state(&self, key: &AttemptKey, outputs: &mut Vec<Output>) {
        if let Some(event) = self
            .attempts
            .get(key)
            .and_then(|attempt| attempt.report(key))
        {
            self.send(event, outputs);
        }
    }

    pub(super) fn send(&self, event: Event, outputs: &mut Vec<Output>) {
        if matches!(self.link, Link::Up) {
            outputs.push(Output::Send(event));
        }
    }
}
