//! How a master comes to lead, goes on leading and stops.

use std::collections::BTreeMap;

use akkaflow_engine::{Engine, Input, Options};
use akkaflow_model::id::Epoch;
use akkaflow_model::record::Snapshot;
use akkaflow_model::time::Timestamp;
use akkaflow_protocol::leader::{LeaderAction, LeaderInput, LeaderState};
use akkaflow_protocol::pipeline::Pipeline;

use super::{Call, Reign, STORE_TIMEOUT};
use crate::sim::plan::SECOND;
use crate::sim::planted::Planted;
use crate::sim::world::{Event, World};

/// A faulty master loads what it saw so many looks at the lease before.
const STALE_SNAPSHOTS: usize = 4;

impl World {
    pub(crate) fn on_leader_tick(&mut self, index: usize, life: u64) {
        let now = self.now;
        let master = &mut self.masters[index];
        // A tick that was brought forward is void.
        if !master.is_up || master.life != life || master.leader_tick.is_none_or(|at| at > now) {
            return;
        }
        if master.paused_until > self.now {
            let delay = master.paused_until - self.now;
            self.at(
                delay,
                Event::LeaderTick {
                    master: index,
                    life,
                },
            );
            return;
        }
        master.leader_tick = None;
        self.lead(index, LeaderInput::Tick);
    }

    pub(crate) fn lead(&mut self, index: usize, input: LeaderInput) {
        let now = self.boot_time();
        let planted = self.planted;
        let input = match input {
            LeaderInput::Renewed {
                epoch,
                sent_at,
                result: Ok(false),
            } if planted == Some(Planted::LostLeaseCountsAsRenewed) => LeaderInput::Renewed {
                epoch,
                sent_at,
                result: Ok(true),
            },
            LeaderInput::Renewed {
                epoch,
                result: Ok(true),
                ..
            } if self.planted == Some(Planted::RenewalCountsFromAnswer) => LeaderInput::Renewed {
                epoch,
                sent_at: now,
                result: Ok(true),
            },
            input => input,
        };
        let actions = self.masters[index].leader.on(now, input);
        for action in actions {
            self.on_leader_action(index, action);
        }
        self.arm_leader(index);
    }

    pub(super) fn arm_leader(&mut self, index: usize) {
        let master = &mut self.masters[index];
        let Some(deadline) = master.leader.next_deadline() else {
            return;
        };
        let at = (deadline.as_millis() as u64).max(self.now);
        if master.leader_tick.is_some_and(|tick| tick <= at) {
            return;
        }
        master.leader_tick = Some(at);
        let life = master.life;
        let delay = at - self.now;
        self.at(
            delay,
            Event::LeaderTick {
                master: index,
                life,
            },
        );
    }

    pub(super) fn on_leader_action(&mut self, index: usize, action: LeaderAction) {
        let incarnation = self.masters[index].incarnation;
        match action {
            LeaderAction::ReadLease => {
                if self.planted == Some(Planted::StaleSnapshot) {
                    let snapshot = self.store.tables.snapshot(self.store_time());
                    let stale = &mut self.masters[index].stale;
                    stale.push_back(snapshot);
                    if stale.len() > STALE_SNAPSHOTS {
                        stale.pop_front();
                    }
                }
                self.call(index, Call::ReadLease);
            }
            LeaderAction::TakeOver { seen } => {
                self.tell(|| format!("m{index} wants to take over from {seen:?}"));
                self.call(index, Call::TakeOver { seen, incarnation });
            }
            LeaderAction::Recover { epoch, seq } => self.call(index, Call::Load { epoch, seq }),
            LeaderAction::Renew { epoch } => {
                let sent_at = self.now;
                self.call(
                    index,
                    Call::Renew {
                        epoch,
                        incarnation,
                        sent_at,
                    },
                );
            }
            LeaderAction::Demote { reason } => {
                self.tell(|| format!("m{index} is demoted: {reason:?}"));
                self.drop_reign(index);
            }
            LeaderAction::Release { epoch } => {
                self.call(index, Call::Release { epoch, incarnation });
            }
        }
    }

    pub(super) fn drop_reign(&mut self, index: usize) {
        if self.masters[index].reign.take().is_some() {
            self.stats.master_restarts += 1;
        }
        self.cut_where(|connection| connection.master == index);
    }

    pub(super) fn on_loaded(
        &mut self,
        index: usize,
        epoch: Epoch,
        seq: u64,
        snapshot: Option<Box<Snapshot>>,
        time: Timestamp,
    ) {
        let Some(mut snapshot) = snapshot else {
            self.lead(index, LeaderInput::RecoveryFailed { epoch });
            return;
        };
        if let Some(planted) = self.planted {
            planted.spoil_snapshot(&mut snapshot);
        }
        if !matches!(self.masters[index].leader.state(), LeaderState::Recovering { epoch: mine, .. } if *mine == epoch)
        {
            return;
        }
        let mut options = Options {
            zone: self.plan.zone,
            epoch,
            seed: self.rng.next(),
            lost_after: self.plan.lost_after,
            retry_fail_times: self.plan.retry_fail_times,
            packing: self.library.shelf.clone(),
        };
        if self.planted == Some(Planted::LostTooEarly) {
            options.lost_after = self.plan.stop_after / 4;
        }
        if self.planted == Some(Planted::ToldOfLaterFailures) {
            options.retry_fail_times += 1;
        }
        let definitions = self.library.named_by(&snapshot);
        let engine = Engine::load(options.clone(), (*snapshot).clone(), definitions);
        let pipeline = Pipeline::new(epoch, seq, self.rng.next());
        self.tell(|| {
            format!(
                "m{index} leads, epoch {epoch}, {} open instances",
                snapshot.instances.len()
            )
        });
        self.masters[index].reign = Some(Reign {
            epoch,
            engine,
            pipeline,
            options,
            batch: None,
            anchor: (self.now, time),
            tick_at: None,
            sessions: BTreeMap::new(),
            beginning: *snapshot,
            inputs: Vec::new(),
        });
        self.lead(index, LeaderInput::Recovered { epoch });
        self.feed(index, Input::Tick);
    }

    /// Two masters never act at once, however the lease went over: the old one's fence is shorter than the lease.
    pub(super) fn check_one_leader(&mut self, index: usize) {
        let is_hinted = self
            .people
            .hinted_at
            .is_some_and(|at| self.now - at < 4 * STORE_TIMEOUT + 20 * SECOND);
        if !is_hinted && self.may_lead(index) && self.may_lead(1 - index) {
            self.fail("L1: two masters act at once".to_owned());
        }
    }
}
