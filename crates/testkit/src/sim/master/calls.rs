//! What a master asks of the store, how calls go wrong, and the answers.

use std::sync::Arc;
use std::time::Duration;

use akkaflow_model::id::Epoch;
use akkaflow_model::record::Snapshot;
use akkaflow_model::time::Timestamp;
use akkaflow_protocol::leader::{LeaderInput, LeaseView, StoreDown};
use akkaflow_protocol::pipeline::BatchOut;

use super::STORE_TIMEOUT;
use crate::sim::kept::Habit;
use crate::sim::world::{Event, World};

/// What a master asks of the store.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    ReadLease,
    TakeOver {
        seen: Option<LeaseView>,
        incarnation: u128,
    },
    Renew {
        epoch: Epoch,
        incarnation: u128,
        sent_at: u64,
    },
    Release {
        epoch: Epoch,
        incarnation: u128,
    },
    Load {
        epoch: Epoch,
        seq: u64,
    },
    Commit {
        batch: Arc<BatchOut>,
    },
    LookUp {
        epoch: Epoch,
        seq: u64,
    },
}

/// What the store answers.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Leader(LeaderInput),
    Loaded {
        epoch: Epoch,
        seq: u64,
        snapshot: Option<Box<Snapshot>>,
        /// The store's clock.
        time: Timestamp,
    },
    /// `None`: unknown.
    Committed {
        epoch: Epoch,
        seq: u64,
        is_committed: Option<bool>,
    },
    /// The outer `None`: no answer.
    LookedUp {
        epoch: Epoch,
        found: Option<Option<u128>>,
    },
}

impl World {
    pub(super) fn call(&mut self, index: usize, call: Call) {
        let life = self.masters[index].life;
        let arrives_after = self.rng.between(1, 8);
        let trouble = if self.has(Habit::Store) {
            self.rng.below(1_000)
        } else {
            1_000
        };
        let event = |call: Call, answer_after| Event::StoreCall {
            master: index,
            life,
            call: Box::new(call),
            answer_after,
        };
        let master = &self.masters[index];
        if master.cut_off_until > self.now {
            if master.slow_until > self.now {
                let answer = Some(self.rng.between(STORE_TIMEOUT - 900, STORE_TIMEOUT - 10));
                self.at(arrives_after, event(call, answer));
            } else {
                self.time_out(index, &call);
            }
            return;
        }
        if trouble >= self.plan.store_trouble {
            let answer = Some(self.rng.between(1, 8));
            self.at(arrives_after, event(call, answer));
            return;
        }
        match trouble % 4 {
            // Slow, but it comes.
            0 => {
                let answer = Some(self.rng.between(1, STORE_TIMEOUT - 10));
                self.at(arrives_after, event(call, answer));
            }
            // The answer is lost.
            1 => {
                self.time_out(index, &call);
                self.at(arrives_after, event(call, None));
            }
            // The call is lost.
            2 => self.time_out(index, &call),
            // It is carried out long after its caller has given up.
            _ => {
                self.time_out(index, &call);
                let late = STORE_TIMEOUT + self.rng.below(2 * STORE_TIMEOUT);
                self.at(late, event(call, None));
            }
        }
    }

    pub(super) fn time_out(&mut self, index: usize, call: &Call) {
        if let Some(reply) = no_answer(call) {
            let life = self.masters[index].life;
            self.at(
                STORE_TIMEOUT,
                Event::StoreReply {
                    master: index,
                    life,
                    reply: Box::new(reply),
                },
            );
        }
    }

    pub(crate) fn on_store_call(
        &mut self,
        index: usize,
        life: u64,
        call: Call,
        answer_after: Option<u64>,
    ) {
        let is_down = self.store_down_until > self.now;
        let reply = if is_down {
            no_answer(&call)
        } else {
            self.execute(index, call)
        };
        let Some(reply) = reply else {
            return;
        };
        // A database that is down refuses at once or lets its callers wait.
        let delay = match answer_after {
            None => return,
            Some(_) if is_down => self.rng.between(1, STORE_TIMEOUT),
            Some(delay) => delay,
        };
        self.at(
            delay,
            Event::StoreReply {
                master: index,
                life,
                reply: Box::new(reply),
            },
        );
    }

    pub(crate) fn on_store_reply(&mut self, index: usize, life: u64, reply: Reply) {
        let master = &self.masters[index];
        if !master.is_up || master.life != life {
            return;
        }
        if master.paused_until > self.now {
            let delay = master.paused_until - self.now;
            self.at(
                delay,
                Event::StoreReply {
                    master: index,
                    life,
                    reply: Box::new(reply),
                },
            );
            return;
        }
        match reply {
            Reply::Leader(input) => self.lead(index, input),
            Reply::Loaded {
                epoch,
                seq,
                snapshot,
                time,
            } => self.on_loaded(index, epoch, seq, snapshot, time),
            Reply::Committed {
                epoch,
                seq,
                is_committed,
            } => self.on_commit_reply(index, epoch, seq, is_committed),
            Reply::LookedUp { epoch, found } => self.on_looked_up(index, epoch, found),
        }
    }
}

/// The answer that a call without an answer has.
fn no_answer(call: &Call) -> Option<Reply> {
    Some(match call {
        Call::ReadLease => Reply::Leader(LeaderInput::LeaseRead(Err(StoreDown))),
        Call::TakeOver { .. } => Reply::Leader(LeaderInput::TookOver(Err(StoreDown))),
        Call::Renew { epoch, sent_at, .. } => Reply::Leader(LeaderInput::Renewed {
            epoch: *epoch,
            sent_at: Duration::from_millis(*sent_at),
            result: Err(StoreDown),
        }),
        Call::Release { .. } => return None,
        Call::Load { epoch, seq } => Reply::Loaded {
            epoch: *epoch,
            seq: *seq,
            snapshot: None,
            time: Timestamp::default(),
        },
        Call::Commit { batch } => Reply::Committed {
            epoch: batch.epoch,
            seq: batch.seq,
            is_committed: None,
        },
        Call::LookUp { epoch, .. } => Reply::LookedUp {
            epoch: *epoch,
            found: None,
        },
    })
}
