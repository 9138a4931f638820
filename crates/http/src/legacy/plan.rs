//! How often each workflow will still start today.

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::definition::Coordinator;
use akkaflow_model::time::Timestamp;
use chrono::Days;
use chrono_tz::Tz;

use crate::app::App;
use crate::failure::Failure;

/// Minutes of the longest day: no cron of ours is finer.
const SLOTS: usize = 25 * 60;

/// What the plan knows of a workflow that may start by itself.
struct Planned {
    /// Slots of its cron that are left today; `None` without cron.
    slots: Option<usize>,
    upstreams: Vec<String>,
}

/// The least of the cron's remaining slots and of the counts of all upstreams; workflows with none are left out.
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
            let entry = Planned {
                slots: slots_left(coordinator, now, zone),
                upstreams: coordinator.depends.clone(),
            };
            planned.insert(row.name, entry);
        }
    }
    Ok(counts(&planned))
}

fn slots_left(coordinator: &Coordinator, now: Timestamp, zone: Tz) -> Option<usize> {
    let cron = coordinator.cron.as_ref()?;
    let today = now.to_utc().with_timezone(&zone).date_naive();
    let midnight = (today + Days::new(1)).and_time(chrono::NaiveTime::MIN);
    let end = midnight
        .and_local_timezone(zone)
        .earliest()
        .map_or_else(|| midnight.and_utc().into(), Timestamp::from);
    let slots = std::iter::successors(cron.next_after(now, zone), |slot| {
        cron.next_after(*slot, zone)
    });
    Some(slots.take_while(|slot| *slot < end).take(SLOTS).count())
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
        .map(|upstream| count(upstream, planned, known, asked))
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
            upstreams: upstreams.iter().map(|name| (*name).to_owned()).collect(),
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
        ]));
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
