//! What an agent writes down, and how it remembers.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use akkaflow_model::id::{AttemptKey, Epoch, Incarnation};

use super::{Agent, Attempt, Entry, Link, Output, Phase};

/// What becomes true when an entry is durable.
#[derive(Clone, Debug)]
pub(super) enum Release {
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
            is_leaving: false,
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

    pub(super) fn persist(&mut self, entry: Entry, release: Release, outputs: &mut Vec<Output>) {
        self.unflushed.push_back(release);
        outputs.push(Output::Persist(entry));
    }
}
