//! A simulated master: the real leader, pipeline and engine, with the calls between them and the store.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use akkaflow_engine::{Effect, Engine, Input, Options};
use akkaflow_model::id::{Epoch, Incarnation};
use akkaflow_model::record::{Record, Snapshot};
use akkaflow_model::time::Timestamp;
use akkaflow_protocol::leader::{
    Leader, LeaderAction, LeaderInput, LeaderState, LeaseView, StoreDown, TakenOver,
};
use akkaflow_protocol::pipeline::{BatchOut, Pipeline, Verdict};

use super::plan::{Plan, SECOND};
use super::planted::Planted;
use super::world::{Event, World};

/// After so many milliseconds without an answer a store call counts as failed.
const STORE_TIMEOUT: u64 = 6 * SECOND;

/// Nothing reads the journal's bodies here: one in so many inputs is spelt out, which costs more than its step.
const JOURNALED: u64 = 16;

/// A faulty master loads what it saw so many looks at the lease before.
const STALE_SNAPSHOTS: usize = 4;

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

/// One master process.
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
        let options = self.plan.leader;
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
        let input = match input {
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

    fn arm_leader(&mut self, index: usize) {
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

    fn on_leader_action(&mut self, index: usize, action: LeaderAction) {
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

    fn drop_reign(&mut self, index: usize) {
        if self.masters[index].reign.take().is_some() {
            self.stats.master_restarts += 1;
        }
        self.cut_where(|connection| connection.master == index);
    }

    fn store_time(&self) -> Timestamp {
        Timestamp::from_millis(
            self.plan.beginning.as_millis() + self.now as i64 + self.clock_offset,
        )
    }

    fn call(&mut self, index: usize, call: Call) {
        let life = self.masters[index].life;
        let arrives_after = self.rng.between(1, 8);
        let trouble = if self.is_quiet {
            1_000
        } else {
            self.rng.below(1_000)
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

    fn time_out(&mut self, index: usize, call: &Call) {
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

    fn execute(&mut self, index: usize, call: Call) -> Option<Reply> {
        let planted = self.planted;
        Some(match call {
            Call::ReadLease => Reply::Leader(LeaderInput::LeaseRead(Ok(self.store.lease.clone()))),
            Call::TakeOver { seen, incarnation } => {
                let id = (u128::from(self.rng.next()) << 64) | u128::from(self.rng.next());
                let holder = format!("m{index}");
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
                let sent_at = std::time::Duration::from_millis(sent_at);
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

    fn check_takeover(&mut self, result: Option<TakenOver>) {
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

    fn commit(&mut self, index: usize, batch: &BatchOut) -> bool {
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
            Ok(false) => true,
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
                true
            }
        }
    }

    fn apply(&mut self, records: &[Record]) {
        let verdict = self
            .oracle
            .commit(&mut self.store.tables, &self.library, records)
            .and_then(|()| self.processes.check_outcomes(records));
        self.judge(verdict);
        self.people.remember(records);
        let created = records
            .iter()
            .filter(|record| matches!(record, Record::Fire(row) if row.instance.is_some()))
            .count();
        self.stats.instances += created as u64;
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

    fn on_loaded(
        &mut self,
        index: usize,
        epoch: Epoch,
        seq: u64,
        snapshot: Option<Box<Snapshot>>,
        time: Timestamp,
    ) {
        let Some(snapshot) = snapshot else {
            self.lead(index, LeaderInput::RecoveryFailed { epoch });
            return;
        };
        if !matches!(self.masters[index].leader.state(), LeaderState::Recovering { epoch: mine, .. } if *mine == epoch)
        {
            return;
        }
        let mut options = Options {
            zone: self.plan.zone,
            epoch,
            seed: self.rng.next(),
            lost_after: self.plan.lost_after,
        };
        if self.planted == Some(Planted::LostTooEarly) {
            options.lost_after = self.plan.stop_after / 4;
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
    fn check_one_leader(&mut self, index: usize) {
        let is_hinted = self
            .people
            .hinted_at
            .is_some_and(|at| self.now - at < 4 * STORE_TIMEOUT + 20 * SECOND);
        if !is_hinted && self.may_lead(index) && self.may_lead(1 - index) {
            self.fail("L1: two masters act at once".to_owned());
        }
    }

    pub(crate) fn on_engine_tick(&mut self, index: usize, epoch: Epoch) {
        let now = self.now;
        if let Some(delay) = self.pause_left(index) {
            self.at(
                delay,
                Event::EngineTick {
                    master: index,
                    epoch,
                },
            );
            return;
        }
        let Some(reign) = self.masters[index]
            .reign
            .as_mut()
            .filter(|reign| reign.epoch == epoch && reign.tick_at.is_some_and(|at| at <= now))
        else {
            return;
        };
        reign.tick_at = None;
        let did_something = self.feed(index, Input::Tick);
        if !did_something
            && let Some(reign) = &self.masters[index].reign
            && let Some(deadline) = reign.engine.next_deadline()
            && deadline <= reign.time(now)
        {
            self.fail(format!(
                "L2: a tick does nothing and leaves something due: {deadline:?}, {:?}",
                reign.time(now)
            ));
        }
    }

    fn pause_left(&self, index: usize) -> Option<u64> {
        let until = self.masters[index].paused_until;
        (until > self.now).then(|| until - self.now)
    }

    pub(crate) fn on_feed(&mut self, index: usize, epoch: Epoch, input: Input) {
        let leads = self.masters[index]
            .reign
            .as_ref()
            .is_some_and(|reign| reign.epoch == epoch);
        if leads {
            self.feed(index, input);
        }
    }

    /// One input for the engine of a leading master. Says whether anything came of it.
    pub(crate) fn feed(&mut self, index: usize, input: Input) -> bool {
        let (now, boot_time) = (self.now, self.boot_time());
        let master = &mut self.masters[index];
        if master.leader.may_act(boot_time).is_none() {
            self.lead(index, LeaderInput::Tick);
            return false;
        }
        let Some(reign) = master.reign.as_mut() else {
            return false;
        };
        let time = reign.time(now);
        let journal = if self.stats.inputs.is_multiple_of(JOURNALED) {
            serde_json::to_vec(&input).expect("inputs are plain data")
        } else {
            Vec::new()
        };
        let told = format_input(self.is_told, &input);
        reign.inputs.push((time, input.clone()));
        let step = reign.engine.step(time, input);
        self.stats.inputs += 1;
        let verdict = check_touched(&reign.engine, &step.records);
        let early: Vec<Effect> = step
            .effects
            .iter()
            .filter(|effect| is_early(self.planted, effect))
            .cloned()
            .collect();
        let (records, effects) = (step.records.len(), step.effects.len());
        let rows = format_records(self.is_told, &step.records);
        if records + effects > 0 {
            reign.pipeline.push(journal, step.records, step.effects);
        }
        self.note((records << 16 | effects) as u64);
        self.tell(|| format!("m{index} steps {told}: {effects} effects, {records} records {rows}"));
        self.judge(verdict);
        self.check_one_leader(index);
        for effect in early {
            self.release(index, effect);
        }
        self.pump(index);
        self.arm_engine(index);
        if self.stats.inputs.is_multiple_of(64) {
            self.check_fully(index);
        }
        records + effects > 0
    }

    fn arm_engine(&mut self, index: usize) {
        let now = self.now;
        let Some(reign) = self.masters[index].reign.as_mut() else {
            return;
        };
        let Some(deadline) = reign.engine.next_deadline() else {
            return;
        };
        let at = reign.moment(deadline).max(now);
        if reign.tick_at.is_some_and(|tick| tick <= at) {
            return;
        }
        reign.tick_at = Some(at);
        let epoch = reign.epoch;
        self.at(
            at - now,
            Event::EngineTick {
                master: index,
                epoch,
            },
        );
    }

    fn pump(&mut self, index: usize) {
        let Some(reign) = self.masters[index].reign.as_mut() else {
            return;
        };
        let Some(mut batch) = reign.pipeline.take_batch() else {
            return;
        };
        if let Some(planted) = self.planted {
            planted.spoil(&mut batch.records);
        }
        let batch = Arc::new(batch);
        reign.batch = Some(batch.clone());
        self.call(index, Call::Commit { batch });
    }

    fn reign_of(&mut self, index: usize, epoch: Epoch) -> Option<&mut Reign> {
        self.masters[index]
            .reign
            .as_mut()
            .filter(|reign| reign.epoch == epoch)
    }

    fn on_commit_reply(
        &mut self,
        index: usize,
        epoch: Epoch,
        seq: u64,
        is_committed: Option<bool>,
    ) {
        let trusts = self.planted == Some(Planted::UnknownCommitCountsAsDone);
        let Some(reign) = self
            .reign_of(index, epoch)
            .filter(|reign| reign.pipeline.in_flight() == Some(seq))
        else {
            return;
        };
        match is_committed {
            Some(true) => {
                let effects = reign.pipeline.on_committed(seq);
                self.on_committed(index, effects);
            }
            None if trusts => {
                let effects = reign.pipeline.on_committed(seq);
                self.on_committed(index, effects);
            }
            None => {
                if let Some(seq) = reign.pipeline.on_unknown() {
                    self.call(index, Call::LookUp { epoch, seq });
                }
            }
            Some(false) => {
                let verdict = reign.pipeline.on_fenced();
                self.on_verdict(index, epoch, verdict);
            }
        }
    }

    fn on_looked_up(&mut self, index: usize, epoch: Epoch, found: Option<Option<u128>>) {
        let Some(reign) = self.reign_of(index, epoch) else {
            return;
        };
        let Some(seq) = reign.pipeline.in_flight() else {
            return;
        };
        match found {
            Some(found) => {
                let verdict = reign.pipeline.on_looked_up(found);
                self.on_verdict(index, epoch, verdict);
            }
            None => self.call(index, Call::LookUp { epoch, seq }),
        }
    }

    fn on_verdict(&mut self, index: usize, epoch: Epoch, verdict: Verdict<Effect>) {
        match verdict {
            Verdict::LookUp(seq) => self.call(index, Call::LookUp { epoch, seq }),
            Verdict::CommitAgain => {
                let batch = self.masters[index]
                    .reign
                    .as_ref()
                    .and_then(|reign| reign.batch.clone());
                if let Some(batch) = batch {
                    self.call(index, Call::Commit { batch });
                }
            }
            Verdict::Committed(effects) => self.on_committed(index, effects),
            Verdict::Fenced => self.lead(index, LeaderInput::Fenced),
        }
    }

    fn on_committed(&mut self, index: usize, effects: Vec<Effect>) {
        let now = self.boot_time();
        if self.masters[index].leader.may_act(now).is_none() {
            self.lead(index, LeaderInput::Tick);
            return;
        }
        for effect in effects {
            if !is_early(self.planted, &effect) {
                self.release(index, effect);
            }
        }
        self.pump(index);
    }
}

/// The answer that a call without an answer has.
fn no_answer(call: &Call) -> Option<Reply> {
    Some(match call {
        Call::ReadLease => Reply::Leader(LeaderInput::LeaseRead(Err(StoreDown))),
        Call::TakeOver { .. } => Reply::Leader(LeaderInput::TookOver(Err(StoreDown))),
        Call::Renew { epoch, sent_at, .. } => Reply::Leader(LeaderInput::Renewed {
            epoch: *epoch,
            sent_at: std::time::Duration::from_millis(*sent_at),
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

/// Whether a planted fault releases the effect before its records are durable.
fn is_early(planted: Option<Planted>, effect: &Effect) -> bool {
    match planted {
        Some(Planted::EffectsBeforeCommit) => true,
        Some(Planted::AcknowledgeBeforeCommit) => matches!(effect, Effect::Acknowledge { .. }),
        Some(Planted::ReplyBeforeCommit) => matches!(effect, Effect::Reply { .. }),
        _ => false,
    }
}

/// Checks the instances that a step has touched.
fn check_touched(engine: &Engine, records: &[Record]) -> Result<(), String> {
    let mut last = None;
    for record in records {
        let id = match record {
            Record::Instance(row) => row.id,
            Record::Node(row) => row.instance,
            Record::Attempt(row) => row.key.instance,
            _ => continue,
        };
        if last.replace(id) != Some(id) {
            engine.check_instance(id)?;
        }
    }
    Ok(())
}

fn format_input(is_told: bool, input: &Input) -> String {
    if !is_told {
        return String::new();
    }
    let mut text = serde_json::to_string(input).unwrap_or_default();
    text.truncate(text.floor_char_boundary(240));
    text
}

fn format_records(is_told: bool, records: &[Record]) -> String {
    let mut text = String::new();
    if !is_told {
        return text;
    }
    for record in records {
        let line = match record {
            Record::Instance(row) => {
                format!(
                    "[{} {:?} ending {:?}]",
                    row.id.short(),
                    row.state,
                    row.ending
                )
            }
            Record::Node(row) => format!(
                "[{}/{} {:?} deadline {:?} retry {:?}]",
                row.instance.short(),
                row.node,
                row.state,
                row.deadline.map(Timestamp::as_millis),
                row.retry_at.map(Timestamp::as_millis)
            ),
            Record::Attempt(row) => {
                format!(
                    "[{} {:?} on {} cancel {:?}]",
                    row.key, row.state, row.worker, row.cancel
                )
            }
            other => {
                let mut text = serde_json::to_string(other).unwrap_or_default();
                text.truncate(text.floor_char_boundary(160));
                text
            }
        };
        text.push_str(&line);
    }
    text
}
