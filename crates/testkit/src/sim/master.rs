//! A simulated master: the real leader, pipeline and engine, with the calls between them and the store.

mod calls;
mod committing;
mod leading;
mod stepping;
mod storing;
mod telling;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use akkaflow_engine::{Effect, Engine, Input, Options};
use akkaflow_model::id::{Epoch, Incarnation};
use akkaflow_model::record::Snapshot;
use akkaflow_model::time::Timestamp;
use akkaflow_protocol::leader::{Leader, LeaderInput};
use akkaflow_protocol::pipeline::{BatchOut, Pipeline};

use super::plan::{Plan, SECOND};
use super::planted::Planted;
use super::world::World;

pub(crate) use calls::{Call, Reply};

/// After so many milliseconds without an answer a store call counts as failed.
const STORE_TIMEOUT: u64 = 6 * SECOND;

#[derive(Debug)]
pub(crate) struct Master {
    pub(crate) is_up: bool,
    /// Grows with each start.
    pub(crate) life: u64,
    pub(crate) incarnation: u128,
    pub(crate) paused_until: u64,
    /// Until when its calls to the store are answered late, and until when not at all.
    pub(crate) slow_until: u64,
    pub(crate) cut_off_until: u64,
    pub(crate) leader: Leader,
    leader_tick: Option<u64>,
    pub(crate) reign: Option<Reign>,
    /// What a faulty master would load: the rows of a while ago, older ones first.
    stale: VecDeque<Snapshot>,
}

/// The time in which a master leads.
#[derive(Debug)]
pub(crate) struct Reign {
    pub(crate) epoch: Epoch,
    pub(crate) engine: Engine,
    pub(crate) pipeline: Pipeline<Effect>,
    pub(crate) options: Options,
    /// The batch under way, in case that it has to be committed again.
    batch: Option<Arc<BatchOut>>,
    /// The store's clock when the reign began, and when that was.
    anchor: (u64, Timestamp),
    tick_at: Option<u64>,
    /// The connection of each attached worker.
    pub(crate) sessions: BTreeMap<usize, (u64, Incarnation)>,
    /// What the engine was loaded from and fed since, for the replay.
    pub(crate) beginning: Snapshot,
    pub(crate) inputs: Vec<(Timestamp, Input)>,
}

impl Reign {
    /// The cluster's time: the store's, carried on by the clock that never steps.
    pub(crate) fn time(&self, now: u64) -> Timestamp {
        Timestamp::from_millis(self.anchor.1.as_millis() + (now - self.anchor.0) as i64)
    }

    /// The moment of the steady clock at which the cluster's time is `at`.
    fn moment(&self, at: Timestamp) -> u64 {
        let ahead = (at.as_millis() - self.anchor.1.as_millis()).max(0) as u64;
        self.anchor.0 + ahead
    }
}

impl Master {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            is_up: false,
            life: 0,
            incarnation: 0,
            paused_until: 0,
            slow_until: 0,
            cut_off_until: 0,
            leader: Leader::new(plan.leader, 0),
            leader_tick: None,
            reign: None,
            stale: VecDeque::new(),
        }
    }
}

impl World {
    pub(crate) fn start_master(&mut self, index: usize) {
        if self.masters[index].is_up {
            return;
        }
        let incarnation = u128::from(self.rng.next()) | (1 << 64);
        let mut options = self.plan.leader;
        match self.planted {
            Some(Planted::FenceTooLate) => options.self_fence = 4 * options.ttl,
            Some(Planted::LeaseTooShort) => options.ttl = options.renew_every + options.retry_after,
            _ => {}
        }
        let master = &mut self.masters[index];
        master.is_up = true;
        master.life += 1;
        master.incarnation = incarnation;
        master.paused_until = 0;
        master.leader = Leader::new(options, incarnation);
        master.leader_tick = None;
        master.reign = None;
        self.tell(|| format!("m{index} starts"));
        self.lead(index, LeaderInput::Tick);
    }

    pub(crate) fn crash_master(&mut self, index: usize) {
        let master = &mut self.masters[index];
        if !master.is_up {
            return;
        }
        master.is_up = false;
        master.life += 1;
        if master.reign.take().is_some() {
            self.stats.master_restarts += 1;
        }
        self.tell(|| format!("m{index} crashes"));
        self.cut_where(|connection| connection.master == index);
    }

    /// Whether workers and people find a leader in this master.
    pub(crate) fn may_lead(&self, index: usize) -> bool {
        let master = &self.masters[index];
        master.is_up
            && master.paused_until <= self.now
            && master.reign.is_some()
            && master.leader.may_act(self.boot_time()).is_some()
    }

    /// The leader that answers now.
    pub(crate) fn leading(&self) -> Option<usize> {
        (0..self.masters.len()).find(|&index| self.may_lead(index))
    }

    fn store_time(&self) -> Timestamp {
        Timestamp::from_millis(
            self.plan.beginning.as_millis() + self.now as i64 + self.clock_offset,
        )
    }
}
