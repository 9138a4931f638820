//! The store's side of a call: what is durable after it, and what must hold of that.

use std::time::Duration;

use akkaflow_model::id::{AttemptKey, Epoch};
use akkaflow_model::record::{InstanceRow, Record};
use akkaflow_protocol::leader::{LeaderInput, TakenOver};
use akkaflow_protocol::pipeline::BatchOut;

use super::{Call, Reply};
use crate::sim::graph;
use crate::sim::planted::Planted;
use crate::sim::world::World;

impl World {
    pub(super) fn execute(&mut self, index: usize, call: Call) -> Option<Reply> {
        let planted = self.planted;
        Some(match call {
            Call::ReadLease => Reply::Leader(LeaderInput::LeaseRead(Ok(self.store.lease.clone()))),
            Call::TakeOver { seen, incarnation } => {
                let id = (u128::from(self.rng.next()) << 64) | u128::from(self.rng.next());
                let holder = format!("m{index}");
                let seen = match planted {
                    Some(Planted::TakeOverUnconditional) => self.store.lease.clone(),
                    _ => seen,
                };
                let result = self
                    .store
                    .take_over(seen.as_ref(), holder, incarnation, id, planted);
                self.tell(|| format!("m{index} takes over: {result:?}"));
                self.check_takeover(result);
                Reply::Leader(LeaderInput::TookOver(Ok(result)))
            }
            Call::Renew {
                epoch,
                incarnation,
                sent_at,
            } => {
                let result = Ok(self.store.renew(epoch, incarnation));
                let sent_at = Duration::from_millis(sent_at);
                Reply::Leader(LeaderInput::Renewed {
                    epoch,
                    sent_at,
                    result,
                })
            }
            Call::Release { epoch, incarnation } => {
                self.store.release(epoch, incarnation);
                return None;
            }
            Call::Load { epoch, seq } => {
                let time = self.store_time();
                let stale = self.masters[index].stale.pop_front();
                let snapshot = stale.unwrap_or_else(|| self.store.tables.snapshot(time));
                self.masters[index].stale.clear();
                Reply::Loaded {
                    epoch,
                    seq,
                    snapshot: Some(Box::new(snapshot)),
                    time,
                }
            }
            Call::Commit { batch } => {
                let is_committed = Some(self.commit(index, &batch));
                Reply::Committed {
                    epoch: batch.epoch,
                    seq: batch.seq,
                    is_committed,
                }
            }
            Call::LookUp { epoch, seq } => Reply::LookedUp {
                epoch,
                found: Some(self.store.journal.get(&seq).map(|entry| entry.id)),
            },
        })
    }

    pub(super) fn check_takeover(&mut self, result: Option<TakenOver>) {
        let Some(TakenOver { epoch, .. }) = result else {
            return;
        };
        let last = self
            .store
            .journal
            .values()
            .next_back()
            .map_or(Epoch(0), |entry| entry.epoch);
        if epoch < last {
            self.fail(format!("I2: epoch {epoch} follows {last}"));
        }
    }

    pub(super) fn commit(&mut self, index: usize, batch: &BatchOut) -> bool {
        let last = self
            .store
            .journal
            .values()
            .next_back()
            .map_or(Epoch(0), |entry| entry.epoch);
        match self.store.append(batch, self.planted) {
            Err(_) => {
                self.tell(|| format!("m{index}: position {} is taken", batch.seq));
                false
            }
            Ok(false) => {
                if self.planted == Some(Planted::BatchAppliedTwice) {
                    self.apply(&batch.records);
                }
                true
            }
            Ok(true) => {
                self.tell(|| {
                    format!(
                        "m{index} commits {} ({} records)",
                        batch.seq,
                        batch.records.len()
                    )
                });
                let newest = self.store.lease.as_ref().map_or(Epoch(0), |row| row.epoch);
                if batch.epoch < last || batch.epoch < newest {
                    self.fail(format!(
                        "I2: epoch {} committed after epoch {newest} had begun",
                        batch.epoch
                    ));
                    return true;
                }
                self.stats.commits += 1;
                self.note(batch.seq ^ (batch.records.len() as u64) << 32);
                self.apply(&batch.records);
                self.replay_alone(batch);
                true
            }
        }
    }

    /// Whether an attempt may lack an output: its node declares one, as far as its definition is still known.
    fn may_lack(&self, key: &AttemptKey) -> bool {
        let instance = self.store.tables.instances.get(&key.instance);
        let is_known =
            |row: &&InstanceRow| row.run == key.run && !self.oracle.steered.contains(&key.instance);
        let Some(instance) = instance.filter(is_known) else {
            return true;
        };
        let workflow = self.library.contents.get(&instance.version);
        let action = workflow.and_then(|workflow| graph::action(workflow, &key.node));
        action.is_some_and(|action| !action.outputs.is_empty())
    }

    pub(super) fn apply(&mut self, records: &[Record]) {
        let verdict = self
            .oracle
            .commit(&mut self.store.tables, &self.library, records)
            .and_then(|()| {
                self.processes
                    .check_outcomes(records, |key| self.may_lack(key))
            });
        self.judge(verdict);
        self.people.remember(records);
        let created = records
            .iter()
            .filter(|record| matches!(record, Record::Fire(row) if row.instance.is_some()))
            .count();
        self.stats.instances += created as u64;
    }
}
