//! Schedules: which slots are due, what becomes of each, and when to look again.
//!
//! Slots are enumerated from the durable high-water mark, never from "now". Every slot gets its row.

use std::time::Duration;

use akkaflow_model::definition::Misfire;
use akkaflow_model::record::{FireRow, FireState, Record, ScheduleRow, SkipReason, TriggerKind};
use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;

use crate::Engine;
use crate::lifecycle::Birth;
use crate::plan::Plan;
use crate::slots::Slots;
use crate::timers::Timer;
use crate::workflows::Entry;

/// `misfire="once"` skips a slot that was missed for longer: `reliability.md` 3.2's default deadline.
const MISFIRE_DEADLINE: Duration = Duration::from_secs(24 * 3600);

/// A slot that is late by less was not missed: a fail-over takes seconds, and at a busy minute some wait their turn.
const ON_TIME: Duration = Duration::from_secs(60);

/// Missed slots that `misfire="all"` makes up for at once, and slots of one workflow that may wait for dependencies:
/// beyond it people backfill, with a bound on what runs at a time.
pub(crate) const MOST_SLOTS: usize = 100;

/// The slots of one look.
struct Due {
    /// Those that get no instance of their own.
    ranges: Vec<Range>,
    /// Those that do, the earliest first.
    fired: Vec<Timestamp>,
    /// The last slot of all.
    through: Timestamp,
}

/// Slots in a row that share their fate.
struct Range {
    first: Timestamp,
    last: Timestamp,
    /// Why they are skipped; `None` when they are merged into a later or waiting one.
    skipped: Option<SkipReason>,
}

/// A fire whose conditions are met.
pub(crate) struct Ready {
    pub(crate) kind: TriggerKind,
    pub(crate) generation: u32,
    pub(crate) key: String,
    pub(crate) due_at: Timestamp,
    /// Its business date.
    pub(crate) day: i32,
}

impl Engine {
    /// Brings the schedule row of a workflow in line with its definition.
    pub(crate) fn update_schedule(&mut self, name: &str) {
        let (now, zone) = (self.now, self.options.zone);
        let Some(entry) = self.workflows.get_mut(name) else {
            return;
        };
        let is_enabled = entry.may_fire();
        let before = entry.schedule.clone();
        let after = match (&before, entry.plan()) {
            (None, None) => None,
            (None, Some(plan)) => Some(ScheduleRow {
                workflow: name.to_owned(),
                generation: 1,
                trigger: plan.trigger(),
                is_enabled,
                fired_through: first_mark(plan, zone, now),
            }),
            (Some(before), plan) => Some(renewed(before, plan, is_enabled, now)),
        };
        if let Some(row) = after.clone().filter(|_| after != before) {
            self.out.definition(Record::Schedule(row));
        }
        entry.schedule = after;
        if !is_enabled {
            self.skip_waiting(name, SkipReason::Disabled, |_| true);
        }
        let generation = self
            .workflows
            .get(name)
            .and_then(|entry| entry.schedule.as_ref())
            .map(|schedule| schedule.generation);
        self.skip_waiting(name, SkipReason::Changed, |fire| {
            Some(fire.generation) != generation
        });
        self.arm(name);
    }

    /// Passes over slots that wait for their dependencies.
    pub(crate) fn skip_waiting(
        &mut self,
        name: &str,
        reason: SkipReason,
        is_skipped: impl Fn(&FireRow) -> bool,
    ) {
        let Some(entry) = self.workflows.get_mut(name) else {
            return;
        };
        let out = &mut self.out;
        entry.waiting_fires.retain(|fire| {
            if is_skipped(fire) {
                out.record(Record::Fire(FireRow {
                    state: FireState::Skipped,
                    reason: Some(reason),
                    ..fire.clone()
                }));
            }
            !is_skipped(fire)
        });
    }

    /// Sets the workflow's timer for the next moment at which its schedule has something to do.
    pub(crate) fn arm(&mut self, name: &str) {
        let zone = self.options.zone;
        let now = self.now;
        let Some(entry) = self.workflows.get_mut(name) else {
            return;
        };
        let next = entry.next_wake(zone, now);
        if next == entry.timer {
            return;
        }
        let before = std::mem::replace(&mut entry.timer, next);
        if let Some(at) = before {
            self.timers.clear(at, Timer::Schedule(name.to_owned()));
        }
        if let Some(at) = next {
            self.timers.set(at, Timer::Schedule(name.to_owned()));
        }
    }

    /// The workflow's timer has gone off.
    pub(crate) fn on_schedule_due(&mut self, name: &str) {
        if let Some(entry) = self.workflows.get_mut(name) {
            entry.timer = None;
        }
        let new = self.enumerate(name);
        self.consider_firing(name);
        // Most slots fire at once, and need no row before.
        if let Some(entry) = self.workflows.get(name).filter(|_| !new.is_empty()) {
            for fire in entry
                .waiting_fires
                .iter()
                .filter(|it| new.contains(&it.due_at))
            {
                self.out.record(Record::Fire(fire.clone()));
            }
        }
    }

    /// Takes stock of the slots that are due. Gives those that wait from now on, which have no row yet.
    fn enumerate(&mut self, name: &str) -> Vec<Timestamp> {
        let (now, zone) = (self.now, self.options.zone);
        let Some(entry) = self.workflows.get_mut(name) else {
            return Vec::new();
        };
        let Some(due) = entry.due(now, zone) else {
            return Vec::new();
        };
        let Some(schedule) = entry.schedule.as_mut() else {
            return Vec::new();
        };
        schedule.fired_through = due.through;
        let generation = schedule.generation;
        self.out.definition(Record::Schedule(schedule.clone()));
        let fire = |slot: Timestamp, state| FireRow {
            workflow: name.to_owned(),
            kind: TriggerKind::Cron,
            generation,
            key: slot.as_millis().to_string(),
            due_at: slot,
            state,
            instance: None,
            through: None,
            reason: None,
        };
        for range in due.ranges {
            let state = match range.skipped {
                Some(_) => FireState::Skipped,
                None => FireState::Coalesced,
            };
            self.out.record(Record::Fire(FireRow {
                through: (range.last != range.first).then_some(range.last),
                reason: range.skipped,
                ..fire(range.first, state)
            }));
        }
        let waiting = due.fired.iter().map(|slot| fire(*slot, FireState::Waiting));
        entry.waiting_fires.extend(waiting);
        due.fired
    }

    /// Fires the workflow as often as everything that it waits for is there.
    pub(crate) fn consider_firing(&mut self, name: &str) {
        let (now, zone) = (self.now, self.options.zone);
        if self.cluster.frozen.is_some() {
            return self.arm(name);
        }
        while let Some(ready) = self
            .workflows
            .get(name)
            .and_then(|entry| entry.next_ready(now, zone))
        {
            // A definition that cannot be read keeps its fires waiting.
            if self.graph_in_force(name).is_none() {
                break;
            }
            self.fire(name, &ready);
        }
        self.arm(name);
    }

    fn fire(&mut self, name: &str, ready: &Ready) {
        let Some(workflow) = self.workflow_in_force(name) else {
            return;
        };
        if let Some(entry) = self.workflows.get_mut(name) {
            entry
                .waiting_fires
                .retain(|fire| ready.kind != TriggerKind::Cron || fire.due_at != ready.due_at);
        }
        if self.must_skip(name) {
            return self.skip_for_overlap(name, ready);
        }
        let params = self.resolve(&workflow, &[], ready.due_at);
        let id = self.create(Birth {
            workflow: name.to_owned(),
            trigger: ready.kind,
            fire_time: ready.due_at,
            params,
            ignore_nodes: Vec::new(),
            chain: None,
            fire: Some((ready.generation, ready.key.clone())),
            asked_by: None,
            parent: None,
        });
        self.consume_tokens(name, id, ready.day);
        self.make_room(name, id);
    }
}

/// Where the first enumeration of a schedule begins: dropping a new file never fires the past, unless it asks for that.
fn first_mark(plan: &Plan, zone: Tz, now: Timestamp) -> Timestamp {
    if plan.catch_up {
        now.min(before(plan.window(zone).0))
    } else {
        now
    }
}

/// The row of a schedule whose definition may have changed.
fn renewed(
    row: &ScheduleRow,
    plan: Option<&Plan>,
    is_enabled: bool,
    now: Timestamp,
) -> ScheduleRow {
    let trigger = plan.map_or_else(|| row.trigger.clone(), Plan::trigger);
    let is_changed = trigger != row.trigger;
    // What came due while nobody knew the calendar was not fired: the misfire policy decides on it.
    let was_blind = plan.is_some_and(|plan| plan.trigger_without_calendar() == row.trigger);
    let restarts = (is_changed && !was_blind) || (is_enabled && !row.is_enabled);
    ScheduleRow {
        generation: row.generation + u32::from(is_changed),
        trigger,
        is_enabled,
        fired_through: if restarts {
            row.fired_through.max(now)
        } else {
            row.fired_through
        },
        workflow: row.workflow.clone(),
    }
}

impl Entry {
    /// Whether the workflow may start by itself at all.
    pub(crate) fn may_fire(&self) -> bool {
        self.exists()
            && self.row.hold.is_none()
            && self.plan().is_some_and(|plan| plan.is_enabled)
            && self
                .definition
                .as_ref()
                .is_some_and(|definition| definition.instance_limit > 0)
            && self.not_runnable().is_none()
    }

    pub(crate) fn waits_for_dependencies_only(&self) -> bool {
        self.plan().is_some_and(Plan::waits_for_dependencies_only)
    }

    pub(crate) fn is_in_window(&self, now: Timestamp, zone: Tz) -> bool {
        self.plan().is_some_and(|plan| {
            let (from, until) = plan.window(zone);
            from <= now && now <= until
        })
    }

    /// The fire that is next, if its conditions are met.
    pub(crate) fn next_ready(&self, now: Timestamp, zone: Tz) -> Option<Ready> {
        if !self.may_fire() {
            return None;
        }
        let plan = self.plan()?;
        if plan.waits_for_dependencies_only() {
            let driven = self
                .driven(now, zone)
                .filter(|_| self.is_in_window(now, zone))?;
            return Some(Ready {
                kind: TriggerKind::Dependency,
                generation: 0,
                key: driven.newest.to_string(),
                due_at: driven.due_at,
                day: driven.day,
            });
        }
        let of = |fire: &FireRow| Ready {
            kind: TriggerKind::Cron,
            generation: fire.generation,
            key: fire.key.clone(),
            due_at: fire.due_at,
            day: plan.day(fire.due_at, zone),
        };
        self.waiting_fires
            .iter()
            .find(|fire| self.is_satisfied(plan.day(fire.due_at, zone), now))
            .map(of)
    }

    /// When the schedule has something to do next.
    pub(crate) fn next_wake(&self, zone: Tz, now: Timestamp) -> Option<Timestamp> {
        if !self.may_fire() {
            return None;
        }
        if self.waits_for_dependencies_only() {
            let (from, _) = self.plan()?.window(zone);
            return (now < from && self.newest_token().is_some()).then_some(from);
        }
        self.next_slot(zone)
    }

    /// The first slot that has no row yet.
    pub(crate) fn next_slot(&self, zone: Tz) -> Option<Timestamp> {
        if !self.may_fire() {
            return None;
        }
        let plan = self.plan()?;
        let (from, until) = plan.window(zone);
        let after = self.schedule.as_ref()?.fired_through.max(before(from));
        plan.next_after(after, zone).filter(|slot| *slot <= until)
    }

    fn due(&self, now: Timestamp, zone: Tz) -> Option<Due> {
        let first = self.next_slot(zone).filter(|slot| *slot <= now)?;
        let plan = self.plan()?;
        let (from, until) = plan.window(zone);
        let slots = Slots::new(plan, zone, until.min(now));
        if plan.misfire == Misfire::All {
            let room = MOST_SLOTS.saturating_sub(self.waiting_fires.len());
            return Some(all_due(&slots, first, room));
        }
        let catches_up = plan.catch_up && self.schedule.as_ref()?.fired_through == before(from);
        let oldest = match plan.misfire {
            Misfire::Once | Misfire::All if catches_up => None,
            Misfire::Once | Misfire::All => Some(MISFIRE_DEADLINE),
            Misfire::Skip => Some(ON_TIME),
            Misfire::Deadline { seconds } => Some(Duration::from_secs(seconds)),
        };
        let oldest = oldest.map(|age| earlier(now, age));
        let reason = match plan.misfire {
            Misfire::Skip => SkipReason::Missed,
            _ => SkipReason::TooOld,
        };
        Some(once_due(&slots, first, oldest, reason, |slot| {
            self.takes_in(plan, slot, zone)
        }))
    }

    /// Whether a slot is merged into one that waits: under plain dependencies any, else one of the same business date.
    fn takes_in(&self, plan: &Plan, slot: Timestamp, zone: Tz) -> bool {
        self.waiting_fires.len() >= MOST_SLOTS
            || self
                .waiting_fires
                .iter()
                .any(|fire| !plan.is_dated() || plan.day(fire.due_at, zone) == plan.day(slot, zone))
    }
}

/// Each slot fires, up to `room` of them, the newest.
fn all_due(slots: &Slots<'_>, first: Timestamp, room: usize) -> Due {
    let through = slots.last(first);
    let fired = slots.newest(first, through, room);
    let until = fired.first().map_or(through, |slot| before(*slot));
    let surplus = (first <= until).then(|| Range {
        first,
        last: slots.last_until(first, until),
        skipped: Some(SkipReason::TooMany),
    });
    Due {
        ranges: surplus.into_iter().collect(),
        fired,
        through,
    }
}

/// The latest slot fires for all that are not older than `oldest`, unless one takes it in that waits already.
fn once_due(
    slots: &Slots<'_>,
    first: Timestamp,
    oldest: Option<Timestamp>,
    reason: SkipReason,
    is_taken_in: impl Fn(Timestamp) -> bool,
) -> Due {
    let through = slots.last(first);
    let mut ranges = Vec::new();
    let mut in_time = Some(first);
    if let Some(oldest) = oldest.filter(|oldest| first < *oldest) {
        let last = slots.last_until(first, before(oldest));
        ranges.push(Range {
            first,
            last,
            skipped: Some(reason),
        });
        in_time = slots.next(last);
    }
    let mut fired = Vec::new();
    if let Some(first) = in_time {
        let last = if is_taken_in(through) {
            Some(through)
        } else {
            fired.push(through);
            (first < through).then(|| slots.last_until(first, before(through)))
        };
        ranges.extend(last.map(|last| Range {
            first,
            last,
            skipped: None,
        }));
    }
    Due {
        ranges,
        fired,
        through,
    }
}

pub(crate) fn before(moment: Timestamp) -> Timestamp {
    Timestamp::from_millis(moment.as_millis().saturating_sub(1))
}

fn earlier(moment: Timestamp, by: Duration) -> Timestamp {
    let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(moment.as_millis().saturating_sub(millis))
}
