//! Time passes for an engine, from one event to the next.

use std::collections::BTreeMap;
use std::time::Duration;

use akkaflow_model::id::{AttemptKey, Incarnation, InstanceId, Name, WorkerId};
use akkaflow_model::outcome::{Outcome, OutcomeKind};
use akkaflow_model::record::{AttemptRow, Record};
use akkaflow_model::time::Timestamp;
use chrono::NaiveDate;

use super::hours::Hours;
use super::tracks::{Track, Tracks};
use super::{Ahead, Cut, Forecast, Planned, stuck};
use crate::{Dispatch, Effect, Engine, ExplainObject, Input, WorkerInfo};

/// Steps between two questions whether it may go on.
const STEPS: u32 = 256;

/// An attempt that pretends to run.
#[derive(Debug)]
struct Pretended {
    worker: WorkerId,
    kind: OutcomeKind,
    /// Whether somebody asked about its workflow.
    is_told: bool,
}

pub(super) struct Stage<'a> {
    pub(super) engine: Engine,
    pub(super) now: Timestamp,
    pub(super) ahead: &'a Ahead<'a>,
    pub(super) tracks: Tracks,
    /// What pretends to run, by when it ends.
    ends: BTreeMap<(Timestamp, AttemptKey), Pretended>,
    end_of: BTreeMap<AttemptKey, Timestamp>,
    /// When the nodes of the last step fail by time-out.
    deadlines: BTreeMap<(InstanceId, Name), Timestamp>,
    hours: Hours,
}

impl<'a> Stage<'a> {
    pub(super) fn new(engine: Engine, ahead: &'a Ahead<'a>) -> Self {
        Self {
            engine,
            now: ahead.from,
            ahead,
            tracks: Tracks::default(),
            ends: BTreeMap::new(),
            end_of: BTreeMap::new(),
            deadlines: BTreeMap::new(),
            hours: Hours::new(ahead.from),
        }
    }

    /// Until nothing moves any more, or the horizon. Says why it stopped before.
    pub(super) fn run(&mut self) -> Option<Cut> {
        self.attach();
        for step in 0_u32.. {
            let end = self.ends.first_key_value().map(|((at, _), _)| *at);
            let timer = self.engine.next_deadline();
            let Some(next) = [end, timer].into_iter().flatten().min() else {
                break;
            };
            if next > self.ahead.until {
                break;
            }
            if self.tracks.len() > self.ahead.most_instances {
                return Some(Cut::Instances);
            }
            if step.is_multiple_of(STEPS) && !(self.ahead.may_go_on)() {
                return Some(Cut::Time);
            }
            if next > self.now {
                self.move_to(next);
            }
            match self.ends.first_entry() {
                Some(entry) if entry.key().0 <= self.now => {
                    let ((_, key), pretended) = entry.remove_entry();
                    self.finish(key, pretended);
                }
                _ => self.step(Input::Tick),
            }
        }
        self.move_to(self.ahead.until);
        None
    }

    fn move_to(&mut self, next: Timestamp) {
        for id in self.tracks.take_unasked() {
            let reasons = self.engine.explain(&ExplainObject::Instance(id));
            if let Some(track) = self.tracks.get_mut(id) {
                // What was said of its deadline keeps nothing waiting.
                let mut reasons = reasons.into_iter();
                track.why = reasons.find(|reason| !reason.is_of_deadline());
            }
        }
        self.now = next;
        self.hours.move_to(next);
    }

    /// The workers come with all that they hold.
    fn attach(&mut self) {
        let mut held: BTreeMap<WorkerId, Vec<AttemptRow>> = BTreeMap::new();
        let ids: Vec<InstanceId> = self.engine.open_instances().map(|row| row.id).collect();
        for id in ids {
            if let Some(row) = self.engine.instance(id) {
                self.tracks.open(row, self.now);
            }
            for attempt in self.engine.attempts(id) {
                let of_worker = held.entry(attempt.worker.clone()).or_default();
                of_worker.push(attempt.clone());
            }
        }
        for worker in &self.ahead.workers {
            let attempts = held.remove(&worker.id).unwrap_or_default();
            let newest = attempts.iter().map(|attempt| attempt.incarnation).max();
            let worker = WorkerInfo {
                incarnation: newest.unwrap_or(Incarnation(1)),
                ..worker.clone()
            };
            let holds = attempts.iter().map(|it| it.key.clone()).collect();
            for attempt in attempts {
                self.adopt(&attempt);
            }
            self.step(Input::WorkerAttached { worker, holds });
        }
        self.step(Input::Tick);
    }

    /// An attempt that runs already goes on for what is left of its usual time.
    fn adopt(&mut self, attempt: &AttemptRow) {
        let key = &attempt.key;
        let Some(row) = self.engine.instance(key.instance) else {
            return;
        };
        let workflow = row.workflow.clone();
        let took = self.takes(key, &workflow, attempt.assigned_at);
        let is_cancelled = attempt.cancel.is_some();
        let end = if is_cancelled {
            self.now
        } else {
            attempt.assigned_at.plus(took).max(self.now)
        };
        let nodes = self.engine.nodes(key.instance);
        let deadline = nodes.iter().find(|row| row.node == key.node);
        let deadline = deadline.and_then(|row| row.deadline);
        let pretended = Pretended {
            worker: attempt.worker.clone(),
            kind: if is_cancelled {
                OutcomeKind::Cancelled
            } else {
                OutcomeKind::Succeeded
            },
            is_told: self.is_told(&workflow),
        };
        self.begin(key.clone(), before(end, deadline).max(self.now), pretended);
    }

    fn pretend(&mut self, dispatch: &Dispatch) {
        let key = &dispatch.key;
        if let Some(track) = self.tracks.get_mut(key.instance) {
            track.first_attempt.get_or_insert(self.now);
        }
        let took = self.takes(key, &dispatch.workflow, self.now);
        let deadline = self.deadlines.get(&(key.instance, key.node.clone()));
        let (end, kind) = self.ending(key, took, deadline.copied());
        let pretended = Pretended {
            worker: dispatch.worker.clone(),
            kind,
            is_told: self.is_told(&dispatch.workflow),
        };
        self.begin(key.clone(), end.max(self.now), pretended);
    }

    /// When an attempt ends that begins now, and how: a look that comes too early sees nothing and holds no slot.
    fn ending(
        &self,
        key: &AttemptKey,
        took: Duration,
        deadline: Option<Timestamp>,
    ) -> (Timestamp, OutcomeKind) {
        match self.engine.looks(key) {
            None => (
                before(self.now.plus(took), deadline),
                OutcomeKind::Succeeded,
            ),
            Some((since, every)) => {
                let end = before(since.plus(took), deadline);
                if self.now.plus(every) < end {
                    (self.now, OutcomeKind::NotYet)
                } else {
                    (end, OutcomeKind::Succeeded)
                }
            }
        }
    }

    fn takes(&mut self, key: &AttemptKey, workflow: &str, at: Timestamp) -> Duration {
        let learned = self.ahead.learned;
        let usual = match self.engine.looks(key) {
            Some(_) => learned.usual_wait(workflow, &key.node, at),
            None => learned.usual(workflow, &key.node, at),
        };
        match usual {
            Some(usual) => usual.median,
            None => {
                if let Some(track) = self.tracks.get_mut(key.instance) {
                    track.is_guess = true;
                }
                self.ahead.guess
            }
        }
    }

    fn begin(&mut self, key: AttemptKey, end: Timestamp, pretended: Pretended) {
        if pretended.is_told {
            self.hours.note_begin();
        }
        self.end_of.insert(key.clone(), end);
        self.ends.insert((end, key), pretended);
    }

    fn finish(&mut self, key: AttemptKey, pretended: Pretended) {
        self.end_of.remove(&key);
        if pretended.is_told {
            self.hours.note_end();
        }
        let outputs = match pretended.kind {
            OutcomeKind::Succeeded => self.engine.stand_ins(&key),
            _ => Vec::new(),
        };
        self.step(Input::AttemptFinished {
            worker: pretended.worker,
            key,
            outcome: Outcome {
                outputs,
                ..Outcome::new(pretended.kind)
            },
        });
    }

    /// What shall stop has stopped.
    fn cancel(&mut self, key: AttemptKey) {
        let Some(end) = self.end_of.get_mut(&key) else {
            return;
        };
        let was = std::mem::replace(end, self.now);
        if let Some(mut pretended) = self.ends.remove(&(was, key.clone())) {
            pretended.kind = OutcomeKind::Cancelled;
            self.ends.insert((self.now, key), pretended);
        }
    }

    fn step(&mut self, input: Input) {
        let step = self.engine.step(self.now, input);
        self.deadlines.clear();
        for record in &step.records {
            if let Record::Node(row) = record
                && let Some(deadline) = row.deadline
            {
                let node = (row.instance, row.node.clone());
                self.deadlines.insert(node, deadline);
            }
            let started = self.tracks.note(record, self.now);
            let track = started.and_then(|id| self.tracks.get_mut(id));
            if track.is_some_and(|track| self.ahead.is_told(&track.workflow)) {
                self.hours.note_start();
            }
        }
        for effect in step.effects {
            if let Effect::Dispatch(dispatch) = effect {
                self.pretend(&dispatch);
            } else if let Effect::Cancel { key, .. } = effect {
                self.cancel(key);
            }
        }
    }

    fn is_told(&self, workflow: &str) -> bool {
        self.ahead.is_told(workflow)
    }

    pub(super) fn end(self, cut: Option<Cut>) -> Forecast {
        let stuck = stuck::find(&self);
        let told = self.tracks.iter();
        let told = told.filter(|(_, track)| self.is_told(&track.workflow));
        let instances = told.map(|(id, track)| self.planned(id, track)).collect();
        Forecast {
            from: self.ahead.from,
            until: self.now,
            cut,
            slots: self.ahead.slots(),
            instances,
            stuck,
            hours: self.hours.into_hours(),
        }
    }

    fn planned(&self, id: InstanceId, track: &Track) -> Planned {
        let start = track.start();
        let waited = start.unwrap_or(self.now).since(track.created_at);
        let starts_late = !track.was_started && waited > self.ahead.late_after;
        let end = track.ended_at.unwrap_or(self.now);
        Planned {
            id: track.was_open.then_some(id),
            workflow: track.workflow.clone(),
            trigger: track.trigger,
            date: self.business_date(track),
            created_at: track.created_at,
            start,
            end: track.ended_at,
            why: track.why.clone(),
            deadline: track.deadline,
            is_late: starts_late || track.deadline.is_some_and(|deadline| end > deadline),
            is_guess: track.is_guess,
        }
    }

    fn business_date(&self, track: &Track) -> Option<NaiveDate> {
        let zone = self.engine.zone(&track.workflow);
        let local = track.fire_time.to_utc().with_timezone(&zone);
        Some(local.date_naive())
    }
}

impl Ahead<'_> {
    pub(super) fn is_told(&self, workflow: &str) -> bool {
        self.only.is_none_or(|only| only == workflow)
    }

    fn slots(&self) -> u64 {
        let slots = self.workers.iter().map(|worker| u64::from(worker.slots));
        slots.sum()
    }
}

/// A node that succeeds does so before its time is up.
fn before(end: Timestamp, deadline: Option<Timestamp>) -> Timestamp {
    let Some(deadline) = deadline else {
        return end;
    };
    end.min(Timestamp::from_millis(deadline.as_millis() - 1))
}
