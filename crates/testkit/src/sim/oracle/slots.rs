//! Slots of schedules: each has one row, each row is a slot, and what became of it is what the policy says.
//!
//! Crons are asked for their own slots, which other tests hold against brute force. What the parts of a schedule make
//! together, its zone, its calendar and its window are worked out here anew.

use akkaflow_model::definition::{Coordinator, Misfire};
use akkaflow_model::record::{
    FireRow, FireState, InstanceRow, ScheduleRow, SkipReason, TriggerKind,
};
use akkaflow_model::schedule::DayPolicy;
use akkaflow_model::time::Timestamp;
use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeZone as _, Weekday};
use chrono_tz::Tz;

use super::{Oracle, Touched, Verdict, ensure};
use crate::sim::tables::{Tables, fire_key};
use crate::sim::workload::Library;

/// Slots that are late by less are not missed, in milliseconds.
const ON_TIME: i64 = 60_000;
/// What `once` makes up for, in milliseconds.
const DAY: i64 = 24 * 3_600_000;
/// Slots that `all` makes up for at once.
const MOST: usize = 100;

impl Oracle {
    pub(super) fn check_fire(
        &self,
        tables: &Tables,
        library: &Library,
        row: &FireRow,
        touched: &mut Touched,
    ) -> Verdict {
        let before = tables.fires.get(&fire_key(row));
        ensure!(
            before.is_none_or(|before| before.state == FireState::Waiting || before == row),
            "I1: fire {}/{} was decided twice: {before:?}, then {row:?}",
            row.workflow,
            row.key
        );
        ensure!(
            (row.state == FireState::Fired) == row.instance.is_some()
                && (row.state == FireState::Skipped) == row.reason.is_some(),
            "I1: fire {}/{} is {:?} with instance {:?} and reason {:?}",
            row.workflow,
            row.key,
            row.state,
            row.instance,
            row.reason
        );
        if row.kind == TriggerKind::Cron && before.is_none() {
            let schedule = tables.schedules.get(&row.workflow);
            // A slot of the generation that this very step has ended is no slot of the new one.
            if schedule.is_some_and(|schedule| schedule.generation == row.generation)
                && let Some(coordinator) = coordinator_of(tables, library, &row.workflow)
            {
                let just_before = Timestamp::from_millis(row.due_at.as_millis() - 1);
                let slot = self.next_slot(tables, coordinator, just_before, row.due_at);
                ensure!(
                    slot == Some(row.due_at),
                    "I12: fire {}/{} is no slot of its schedule",
                    row.workflow,
                    row.key
                );
            }
            touched.slots.push(row.clone());
        }
        let is_alone = matches!(row.kind, TriggerKind::Cron | TriggerKind::Dependency);
        if row.state == FireState::Fired && is_alone {
            touched.fired_alone.push(row.workflow.clone());
        }
        if let Some(id) = row.instance {
            *touched.fired.entry(id).or_default() += 1;
        }
        Ok(())
    }

    /// Every slot up to the high-water mark has its row.
    pub(super) fn check_slots(
        &self,
        tables: &Tables,
        library: &Library,
        schedule: &ScheduleRow,
        from: Timestamp,
    ) -> Verdict {
        let Some(coordinator) = coordinator_of(tables, library, &schedule.workflow) else {
            return Ok(());
        };
        let (start, _) = self.window(coordinator);
        let mut at = from.max(Timestamp::from_millis(start.as_millis() - 1));
        while let Some(slot) = self.next_slot(tables, coordinator, at, schedule.fired_through) {
            let key = (
                schedule.workflow.clone(),
                TriggerKind::Cron,
                schedule.generation,
                slot.as_millis().to_string(),
            );
            let Some(row) = tables.fires.get(&key) else {
                return Err(format!(
                    "I12: slot {} of {} has no row",
                    slot.to_rfc3339(),
                    schedule.workflow
                ));
            };
            at = row.through.unwrap_or(slot);
        }
        Ok(())
    }

    /// What became of new slots is what the misfire policy says.
    pub(super) fn check_policy(
        &self,
        tables: &Tables,
        library: &Library,
        touched: &Touched,
    ) -> Verdict {
        if touched.has_definitions {
            return Ok(());
        }
        for row in &touched.slots {
            let Some(coordinator) = coordinator_of(tables, library, &row.workflow) else {
                continue;
            };
            let misfire = coordinator.misfire;
            let is_impossible = matches!(
                (row.state, row.reason, misfire),
                (FireState::Coalesced, _, Misfire::All)
                    | (
                        _,
                        Some(SkipReason::TooOld | SkipReason::Missed),
                        Misfire::All
                    )
                    | (
                        _,
                        Some(SkipReason::Missed),
                        Misfire::Once | Misfire::Deadline { .. }
                    )
                    | (_, Some(SkipReason::TooOld), Misfire::Skip)
                    | (
                        _,
                        Some(SkipReason::TooMany),
                        Misfire::Once | Misfire::Skip | Misfire::Deadline { .. },
                    )
            );
            ensure!(!is_impossible, "I12: misfire is {misfire:?}, but {row:?}");
            let Some(instance) = row.instance.and_then(|id| tables.instances.get(&id)) else {
                continue;
            };
            check_age(coordinator, row, instance)?;
            let at_once = touched.slots.iter().filter(|other| {
                let id = other.instance.and_then(|id| tables.instances.get(&id));
                other.workflow == row.workflow
                    && id.is_some_and(|other| other.created_at == instance.created_at)
            });
            let at_once = at_once.count();
            let most = if misfire == Misfire::All { MOST } else { 1 };
            ensure!(
                at_once <= most,
                "I12: {at_once} slots of {} fired at once under {misfire:?}",
                row.workflow
            );
        }
        Ok(())
    }

    /// The first slot after a moment and not after another one.
    fn next_slot(
        &self,
        tables: &Tables,
        coordinator: &Coordinator,
        after: Timestamp,
        until: Timestamp,
    ) -> Option<Timestamp> {
        let zone = self.zone_of(coordinator);
        let counts = |slot: Timestamp| {
            let date = slot.to_utc().with_timezone(&zone).date_naive();
            counts_day(tables, coordinator, date)
        };
        let timing = &coordinator.timing;
        if let Some((name, _)) = &timing.calendar
            && !tables.calendars.contains_key(name)
        {
            return None;
        }
        let crons = coordinator.cron.iter().chain(&timing.crons);
        let crons = crons.filter_map(|cron| {
            let mut at = after;
            loop {
                at = cron.next_after(at, zone).filter(|slot| *slot <= until)?;
                if counts(at) {
                    return Some(at);
                }
            }
        });
        let beats = timing.every_seconds.map(|seconds| {
            let step = seconds as i64 * 1_000;
            let anchor = first_moment(coordinator.start_time, zone).as_millis();
            let mut at = anchor + ((after.as_millis() - anchor).div_euclid(step) + 1) * step;
            while at <= until.as_millis() && !counts(Timestamp::from_millis(at)) {
                at += step;
            }
            Timestamp::from_millis(at)
        });
        let dates = timing.dates.iter().map(|date| first_moment(*date, zone));
        let (start, end) = self.window(coordinator);
        crons
            .chain(beats)
            .chain(dates)
            .filter(|slot| *slot > after && *slot <= until && *slot >= start && *slot <= end)
            .min()
    }

    fn window(&self, coordinator: &Coordinator) -> (Timestamp, Timestamp) {
        let zone = self.zone_of(coordinator);
        (
            first_moment(coordinator.start_time, zone),
            first_moment(coordinator.end_time, zone),
        )
    }

    pub(super) fn zone_of(&self, coordinator: &Coordinator) -> Tz {
        coordinator.time_zone.unwrap_or(self.zone)
    }
}

/// How late a slot fired that had not waited before.
fn check_age(coordinator: &Coordinator, row: &FireRow, instance: &InstanceRow) -> Verdict {
    let age = instance.created_at.as_millis() - row.due_at.as_millis();
    let most = match coordinator.misfire {
        Misfire::All => return Ok(()),
        Misfire::Once if coordinator.catch_up => return Ok(()),
        Misfire::Once => DAY,
        Misfire::Skip => ON_TIME,
        Misfire::Deadline { seconds } => seconds as i64 * 1_000,
    };
    ensure!(
        age <= most,
        "I12: slot {} of {} fired {age} ms late under {:?}",
        row.due_at.to_rfc3339(),
        row.workflow,
        coordinator.misfire
    );
    Ok(())
}

/// What the content in force says.
fn coordinator_of<'a>(
    tables: &Tables,
    library: &'a Library,
    workflow: &str,
) -> Option<&'a Coordinator> {
    let row = tables.workflows.get(workflow)?;
    library.contents.get(&row.version)?.coordinator.as_ref()
}

/// Whether the calendar lets a day count.
fn counts_day(tables: &Tables, coordinator: &Coordinator, date: NaiveDate) -> bool {
    let Some((name, policy)) = &coordinator.timing.calendar else {
        return true;
    };
    let text = tables
        .calendars
        .get(name)
        .map_or("", |row| row.text.as_str());
    let is_weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
    let is_workday = if text.starts_with("weekend none") {
        true
    } else if text.starts_with("weekend mon") {
        false
    } else {
        !is_weekend
    };
    is_workday != (*policy == DayPolicy::Except)
}

/// When a wall first shows a local time, or the first one after it that it shows.
fn first_moment(local: NaiveDateTime, zone: Tz) -> Timestamp {
    let minutes = (0..).map(|minutes| local + chrono::TimeDelta::minutes(minutes));
    let found = minutes
        .filter_map(|local| zone.from_local_datetime(&local).earliest())
        .next();
    found.map_or_else(Timestamp::default, Timestamp::from)
}

/// Fires may be forgotten up to the high-water mark only: a slot beyond it would fire again.
pub(super) fn check_forgotten(tables: &Tables, workflow: &str, before: Timestamp) -> Verdict {
    let schedule = tables.schedules.get(workflow);
    let unsafe_row = tables.fires.values().find(|row| {
        row.workflow == workflow
            && row.kind == TriggerKind::Cron
            && row.state != FireState::Waiting
            && row.due_at < before
            && schedule.is_some_and(|schedule| {
                schedule.generation == row.generation && schedule.fired_through < row.due_at
            })
    });
    ensure!(
        unsafe_row.is_none(),
        "I1: a fire beyond the high-water mark of {workflow} was forgotten: {unsafe_row:?}"
    );
    Ok(())
}
