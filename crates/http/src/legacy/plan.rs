//! How often each workflow will still start today.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use akkaflow_model::definition::{Coordinator, DateRule, DependencyTerm};
use akkaflow_model::schedule::Calendar;
use akkaflow_model::time::Timestamp;
use chrono::Days;
use chrono_tz::Tz;

use crate::app::App;
use crate::failure::Failure;
use crate::view::calendar;

/// Seconds of the longest day: no schedule is finer.
const SLOTS: usize = 25 * 3600;

/// What the plan knows of a workflow that may start by itself.
struct Planned {
    /// Slots of its schedule that are left today; `None` without times.
    slots: Option<usize>,
    /// Groups of upstreams: a success of one of each is used up by each start.
    upstreams: Vec<Vec<String>>,
}

/// The least of the schedule's remaining slots and of the counts of all upstreams; workflows with none are left out.
pub(super) async fn left_today(app: &App) -> Result<BTreeMap<String, usize>, Failure> {
    let zone = app.zone().await?;
    let now = app.now();
    let mut planned = BTreeMap::new();
    for row in app.store.workflows().await? {
        let definition = app.definitions.get(&*app.store, &row.version).await?;
        let coordinator = definition
            .as_ref()
            .and_then(|definition| definition.coordinator.as_ref())
            .filter(|coordinator| coordinator.is_enabled);
        if let Some(coordinator) = coordinator {
            let calendar = calendar::of(app, coordinator).await?;
            let entry = Planned {
                slots: slots_left(coordinator, calendar, now, zone),
                upstreams: upstreams(coordinator),
            };
            planned.insert(row.name, entry);
        }
    }
    Ok(counts(&planned))
}

/// What each start uses up. Beside times a rule by date only looks: it bounds nothing.
fn upstreams(coordinator: &Coordinator) -> Vec<Vec<String>> {
    let has_times = !coordinator.schedule(Tz::UTC, None).is_empty();
    let uses_up = |term: &&DependencyTerm| {
        let mut dependencies = term.dependencies().iter();
        !has_times || dependencies.all(|dependency| dependency.date == DateRule::Fresh)
    };
    let terms = coordinator.dependencies.iter().filter(uses_up);
    terms
        .map(|term| {
            let dependencies = term.dependencies().iter();
            dependencies.map(|it| it.workflow.clone()).collect()
        })
        .collect()
}

fn slots_left(
    coordinator: &Coordinator,
    calendar: Option<Arc<Calendar>>,
    now: Timestamp,
    zone: Tz,
) -> Option<usize> {
    let schedule = coordinator.schedule(zone, calendar);
    if schedule.is_empty() {
        return None;
    }
    // Without its calendar it does not fire.
    if schedule.calendar.is_none() && coordinator.timing.calendar.is_some() {
        return Some(0);
    }
    let zone = schedule.zone;
    let today = now.to_utc().with_timezone(&zone).date_naive();
    let midnight = (today + Days::new(1)).and_time(chrono::NaiveTime::MIN);
    let end = midnight
        .and_local_timezone(zone)
        .earliest()
        .map_or_else(|| midnight.and_utc().into(), Timestamp::from);
    let last = Timestamp::from_millis(end.as_millis() - 1);
    Some(schedule.fires_between(now, last).take(SLOTS).count())
}

fn counts(planned: &BTreeMap<String, Planned>) -> BTreeMap<String, usize> {
    let mut known = BTreeMap::new();
    for name in planned.keys() {
        count(name, planned, &mut known, &mut BTreeSet::new());
    }
    known.retain(|_, count| *count > 0);
    known
}

fn count(
    name: &str,
    planned: &BTreeMap<String, Planned>,
    known: &mut BTreeMap<String, usize>,
    asked: &mut BTreeSet<String>,
) -> usize {
    if let Some(count) = known.get(name) {
        return *count;
    }
    // Disabled, unknown, or in a circle: it does not start by itself.
    let Some(workflow) = planned.get(name).filter(|_| asked.insert(name.to_owned())) else {
        return 0;
    };
    let of_upstreams = workflow
        .upstreams
        .iter()
        .map(|group| {
            let counts = group.iter().map(|it| count(it, planned, known, asked));
            counts.fold(0, usize::saturating_add)
        })
        .min();
    let count = [workflow.slots, of_upstreams]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(0);
    known.insert(name.to_owned(), count);
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(entries: &[(&str, Option<usize>, &[&str])]) -> BTreeMap<String, Planned> {
        let entry = |slots: Option<usize>, upstreams: &[&str]| Planned {
            slots,
            upstreams: upstreams
                .iter()
                .map(|group| group.split('|').map(str::to_owned).collect())
                .collect(),
        };
        entries
            .iter()
            .map(|(name, slots, upstreams)| ((*name).to_owned(), entry(*slots, upstreams)))
            .collect()
    }

    #[test]
    fn a_workflow_starts_as_often_as_its_rarest_condition() {
        let counts = counts(&planned(&[
            ("hourly", Some(5), &[]),
            ("daily", Some(1), &[]),
            ("after_both", None, &["hourly", "daily"]),
            ("after_hourly", Some(3), &["hourly"]),
            ("after_any", None, &["hourly|daily"]),
        ]));
        assert_eq!(
            counts["after_any"], 6,
            "each success of either lets it start"
        );
        assert_eq!(counts["after_both"], 1);
        assert_eq!(counts["after_hourly"], 3);
    }

    #[test]
    fn what_never_starts_is_left_out_and_circles_end() {
        let counts = counts(&planned(&[
            ("never", None, &[]),
            ("over", Some(0), &[]),
            ("after_missing", None, &["nobody"]),
            ("a", None, &["b"]),
            ("b", None, &["a"]),
        ]));
        assert!(counts.is_empty(), "{counts:?}");
    }
}
