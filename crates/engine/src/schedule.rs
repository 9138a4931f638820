//! Schedules: which slots are due, what becomes of each, and when to look again.
//!
//! Slots are enumerated from the durable high-water mark, never from "now". Every slot gets its row.

use std::time::Duration;

use akkaflow_model::cron::Cron;
use akkaflow_model::record::{FireRow, FireState, Record, ScheduleRow, TriggerKind};
use akkaflow_model::time::Timestamp;
use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::Tz;

use crate::Engine;
use crate::definition::Plan;
use crate::lifecycle::Birth;
use crate::timers::Timer;
use crate::workflows::Entry;

/// A slot that was missed for longer is skipped: `reliability.md` 3.2's default deadline.
const MISFIRE_DEADLINE: Duration = Duration::from_secs(24 * 3600);

/// The slots of one look.
struct Due {
    /// First and last slot beyond the deadline.
    skipped: Option<(Timestamp, Timestamp)>,
    /// First and last slot merged into a later or waiting one.
    coalesced: Option<(Timestamp, Timestamp)>,
    /// The slot that counts.
    fired: Option<Timestamp>,
    /// The last slot of all.
    through: Timestamp,
}

impl Engine {
    /// Brings the schedule row of a workflow in line with its definition.
    pub(crate) fn update_schedule(&mut self, name: &str) {
        let now = self.now;
        let Some(entry) = self.workflows.get_mut(name) else {
            return;
        };
        let is_enabled = entry.may_fire();
        let before = entry.schedule.clone();
        let text = entry.plan().map(|plan| {
            plan.cron
                .as_ref()
                .map_or(String::new(), |cron| cron.as_str().to_owned())
        });
        let after = match (before.clone(), text) {
            (None, None) => None,
            (None, Some(trigger)) => Some(ScheduleRow {
                workflow: name.to_owned(),
                generation: 1,
                trigger,
                is_enabled,
                fired_through: now,
            }),
            (Some(before), text) => {
                let trigger = text.unwrap_or_else(|| before.trigger.clone());
                let is_changed = trigger != before.trigger;
                let restarts = is_changed || (is_enabled && !before.is_enabled);
                Some(ScheduleRow {
                    generation: before.generation + u32::from(is_changed),
                    trigger,
                    is_enabled,
                    fired_through: if restarts {
                        before.fired_through.max(now)
                    } else {
                        before.fired_through
                    },
                    ..before
                })
            }
        };
        if let Some(row) = after.clone().filter(|_| after != before) {
            self.out.definition(Record::Schedule(row));
        }
        entry.schedule = after;
        let is_other_generation = entry
            .waiting_fire
            .as_ref()
            .zip(entry.schedule.as_ref())
            .is_some_and(|(fire, schedule)| fire.generation != schedule.generation);
        if !is_enabled || is_other_generation {
            self.skip_waiting_fire(name);
        }
        self.arm(name);
    }

    /// Passes over a slot that waits for its dependencies.
    pub(crate) fn skip_waiting_fire(&mut self, name: &str) {
        if let Some(entry) = self.workflows.get_mut(name)
            && let Some(fire) = entry.waiting_fire.take()
        {
            self.out.record(Record::Fire(FireRow {
                state: FireState::Skipped,
                ..*fire
            }));
        }
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
        self.enumerate(name);
        self.consider.join(name);
        self.arm(name);
    }

    fn enumerate(&mut self, name: &str) {
        let (now, zone) = (self.now, self.options.zone);
        let Some(entry) = self.workflows.get_mut(name) else {
            return;
        };
        let Some(due) = entry.due(now, zone) else {
            return;
        };
        let Some(schedule) = entry.schedule.as_mut() else {
            return;
        };
        schedule.fired_through = due.through;
        let generation = schedule.generation;
        self.out.definition(Record::Schedule(schedule.clone()));
        let fire = |first: Timestamp, last: Timestamp, state| FireRow {
            workflow: name.to_owned(),
            kind: TriggerKind::Cron,
            generation,
            key: first.as_millis().to_string(),
            due_at: first,
            state,
            instance: None,
            through: (last != first).then_some(last),
        };
        if let Some((first, last)) = due.skipped {
            self.out
                .record(Record::Fire(fire(first, last, FireState::Skipped)));
        }
        if let Some((first, last)) = due.coalesced {
            self.out
                .record(Record::Fire(fire(first, last, FireState::Coalesced)));
        }
        if let Some(slot) = due.fired {
            let row = fire(slot, slot, FireState::Waiting);
            if !entry.is_satisfied() {
                self.out.record(Record::Fire(row.clone()));
            }
            entry.waiting_fire = Some(Box::new(row));
        }
    }

    /// Fires the workflow if everything that it waits for is there.
    pub(crate) fn consider_firing(&mut self, name: &str) {
        let (now, zone) = (self.now, self.options.zone);
        let Some(entry) = self.workflows.get_mut(name) else {
            return;
        };
        if !entry.may_fire() || !entry.is_satisfied() {
            return;
        }
        if let Some(fire) = entry.waiting_fire.take() {
            let identity = (fire.generation, fire.key);
            self.fire(name, TriggerKind::Cron, fire.due_at, identity);
        } else if entry.waits_for_dependencies_only()
            && entry.is_in_window(now, zone)
            && let Some(newest) = entry.newest_token()
        {
            let identity = (0, newest.upstream_instance.to_string());
            let due_at = newest.business_at;
            self.fire(name, TriggerKind::Dependency, due_at, identity);
        }
        self.arm(name);
    }

    fn fire(
        &mut self,
        name: &str,
        trigger: TriggerKind,
        fire_time: Timestamp,
        identity: (u32, String),
    ) {
        let Some(workflow) = self.workflow_in_force(name) else {
            return;
        };
        let params = self.resolve(&workflow, &[], fire_time);
        let id = self.create(Birth {
            workflow: name.to_owned(),
            trigger,
            fire_time,
            params,
            ignore_nodes: Vec::new(),
            chain: None,
            fire: Some(identity),
        });
        self.consume_tokens(name, id);
    }
}

impl Entry {
    /// Whether the workflow may start by itself at all.
    pub(crate) fn may_fire(&self) -> bool {
        self.exists()
            && self.plan().is_some_and(|plan| plan.is_enabled)
            && self
                .definition
                .as_ref()
                .is_some_and(|definition| definition.instance_limit > 0)
            && self.not_runnable().is_none()
    }

    pub(crate) fn waits_for_dependencies_only(&self) -> bool {
        self.plan()
            .is_some_and(|plan| plan.cron.is_none() && !plan.depends.is_empty())
    }

    pub(crate) fn is_in_window(&self, now: Timestamp, zone: Tz) -> bool {
        self.plan().is_some_and(|plan| {
            let (from, until) = window(plan, zone);
            from <= now && now <= until
        })
    }

    /// When the schedule has something to do next.
    pub(crate) fn next_wake(&self, zone: Tz, now: Timestamp) -> Option<Timestamp> {
        if !self.may_fire() {
            return None;
        }
        if self.waits_for_dependencies_only() {
            let (from, _) = window(self.plan()?, zone);
            return (now < from && self.is_satisfied()).then_some(from);
        }
        self.next_slot(zone)
    }

    /// The first slot that has no row yet.
    pub(crate) fn next_slot(&self, zone: Tz) -> Option<Timestamp> {
        if !self.may_fire() {
            return None;
        }
        let plan = self.plan()?;
        let (from, until) = window(plan, zone);
        let after = self.schedule.as_ref()?.fired_through.max(before(from));
        plan.cron
            .as_ref()?
            .next_after(after, zone)
            .filter(|slot| *slot <= until)
    }

    fn due(&self, now: Timestamp, zone: Tz) -> Option<Due> {
        let first = self.next_slot(zone).filter(|slot| *slot <= now)?;
        let plan = self.plan()?;
        let cron = plan.cron.as_ref()?;
        let until = window(plan, zone).1.min(now);
        let through = last_slot(cron, zone, first, until);
        let deadline = Timestamp::from_millis(
            now.as_millis() - i64::try_from(MISFIRE_DEADLINE.as_millis()).unwrap_or(i64::MAX),
        );
        let skipped =
            (first < deadline).then(|| (first, last_slot(cron, zone, first, before(deadline))));
        let first_in_time = match skipped {
            Some((_, last)) => cron.next_after(last, zone).filter(|slot| *slot <= until),
            None => Some(first),
        };
        let fired = first_in_time
            .filter(|_| self.waiting_fire.is_none())
            .map(|_| through);
        let last_merged = match fired {
            Some(slot) => first_in_time
                .filter(|first| *first < slot)
                .map(|first| last_slot(cron, zone, first, before(slot))),
            None => first_in_time.map(|_| through),
        };
        Some(Due {
            skipped,
            coalesced: first_in_time.zip(last_merged),
            fired,
            through,
        })
    }
}

/// The last slot at or before `until`, given that `slot` is one. Takes a number of looks that grows with the logarithm
/// of the time between, so that a year of missed minutes costs nothing.
fn last_slot(cron: &Cron, zone: Tz, mut slot: Timestamp, until: Timestamp) -> Timestamp {
    let mut high = until;
    while let Some(next) = cron.next_after(slot, zone).filter(|next| *next <= until) {
        let half = (high.as_millis() - slot.as_millis()).max(0) / 2;
        let middle = Timestamp::from_millis(slot.as_millis() + half);
        match cron.next_after(middle, zone).filter(|next| *next <= until) {
            Some(later) => slot = later,
            None => {
                high = middle;
                slot = next;
            }
        }
    }
    slot
}

fn before(moment: Timestamp) -> Timestamp {
    Timestamp::from_millis(moment.as_millis().saturating_sub(1))
}

/// First and last moment of the coordinator's window.
pub(crate) fn window(plan: &Plan, zone: Tz) -> (Timestamp, Timestamp) {
    (
        local(plan.start_time, zone, false),
        local(plan.end_time, zone, true),
    )
}

/// The moment of a local time. One that happens twice is the first, or the last; one that a clock change passes over is
/// the first valid one after it.
fn local(time: NaiveDateTime, zone: Tz, takes_last: bool) -> Timestamp {
    // Clock changes are shorter than a day.
    for quarters in 0..=96 {
        let candidate = time + chrono::Duration::minutes(15 * quarters);
        let found = zone.from_local_datetime(&candidate);
        let found = if takes_last {
            found.latest()
        } else {
            found.earliest()
        };
        if let Some(moment) = found {
            return moment.into();
        }
    }
    time.and_utc().into()
}
