//! Random coordinators: plain ones mostly, and everything else that the language can say about when.

use akkaflow_model::cron::Cron;
use akkaflow_model::definition::{
    Coordinator, DateRule, Dependency, DependencyTerm, Misfire, Timing,
};
use akkaflow_model::landing::Deadline;
use akkaflow_model::schedule::DayPolicy;
use chrono::{NaiveDateTime, TimeDelta, Timelike};
use chrono_tz::Tz;

use super::nodes::VALUES;
use crate::sim::rng::Rng;

/// Times that come due often within a simulated hour.
const CRONS: &[&str] = &[
    "*/5 * * * *",
    "*/10 * * * *",
    "7,37 * * * *",
    "*/15 2-9 * * *",
];

/// Far from each other, so that dates differ.
const ZONES: &[Tz] = &[Tz::UTC, Tz::Pacific__Kiritimati, Tz::Pacific__Midway];

/// Calendars that workflows name.
const CALENDARS: &[&str] = &["cal0", "cal1"];

/// What their files say: each day of the week or none is a day off, or those that are by default.
const CALENDAR_TEXTS: &[&str] = &[
    "weekend none\n",
    "weekend none\n# the same otherwise\n",
    "weekend mon tue wed thu fri sat sun\n",
    "title the default\n",
];

/// The path of a calendar's file, and what it says from now on.
pub(crate) fn draw_calendar(rng: &mut Rng) -> (String, String) {
    let path = format!("xmlconfig/{}.calendar", rng.pick(CALENDARS));
    (path, (*rng.pick(CALENDAR_TEXTS)).to_owned())
}

/// A coordinator of the last of these workflows, or none. It waits for those before it, so that nothing waits in a circle,
/// or for itself of the day before.
pub(super) fn draw(
    rng: &mut Rng,
    names: &[String],
    beginning: NaiveDateTime,
) -> Option<Coordinator> {
    if rng.chance(15) {
        return None;
    }
    let (own, others) = names.split_last()?;
    let mut depends: Vec<String> = others.iter().filter(|_| rng.chance(40)).cloned().collect();
    let has_cron = rng.chance(if depends.is_empty() { 75 } else { 40 });
    let cron = if has_cron { draw_cron(rng) } else { None };
    let mut dependencies: Vec<DependencyTerm> = draw_terms(rng, &depends);
    if has_cron && rng.chance(4) {
        depends.push(own.clone());
        dependencies.push(DependencyTerm::One(Dependency {
            date: DateRule::Previous,
            ..Dependency::fresh(own)
        }));
    }
    let coordinator = Coordinator {
        is_enabled: rng.chance(92),
        cron,
        dependencies,
        depends,
        params: vec![
            ("day".to_owned(), "1".to_owned()),
            ("n".to_owned(), (*rng.pick(VALUES)).to_owned()),
        ],
        misfire: draw_misfire(rng),
        time_zone: rng.chance(20).then(|| *rng.pick(ZONES)),
        deadline: draw_deadline(rng, beginning),
        ..Coordinator::new()
    };
    Some(if has_cron && rng.chance(40) {
        draw_more_times(rng, coordinator, beginning)
    } else {
        coordinator
    })
}

fn draw_cron(rng: &mut Rng) -> Option<Cron> {
    Cron::parse(CRONS[rng.index(CRONS.len())]).ok()
}

/// So near that some are missed and some are not.
fn draw_deadline(rng: &mut Rng, beginning: NaiveDateTime) -> Option<Deadline> {
    match rng.below(100) {
        0..=24 => Some(Deadline::After {
            seconds: rng.between(20, 900),
        }),
        25..=34 => {
            let minutes = TimeDelta::minutes(rng.between(5, 90) as i64);
            Some(Deadline::Clock {
                time: (beginning + minutes).time(),
                days: 0,
            })
        }
        _ => None,
    }
}

fn draw_misfire(rng: &mut Rng) -> Misfire {
    match rng.below(100) {
        0..=17 => Misfire::All,
        18..=31 => Misfire::Skip,
        32..=41 => Misfire::Deadline {
            seconds: rng.between(600, 7_200),
        },
        _ => Misfire::Once,
    }
}

fn draw_more_times(
    rng: &mut Rng,
    coordinator: Coordinator,
    beginning: NaiveDateTime,
) -> Coordinator {
    let minute = beginning
        .with_second(0)
        .and_then(|time| time.with_nanosecond(0))
        .unwrap_or(beginning);
    let start_time = minute - TimeDelta::minutes(rng.between(30, 900) as i64);
    let timing = Timing {
        crons: draw_cron(rng)
            .filter(|_| rng.chance(40))
            .into_iter()
            .collect(),
        every_seconds: rng.chance(40).then(|| 60 * rng.between(4, 20)),
        dates: (0..rng.below(3))
            .map(|_| minute + TimeDelta::minutes(rng.between(0, 60) as i64))
            .collect(),
        calendar: rng.chance(50).then(|| {
            let policy = if rng.chance(60) {
                DayPolicy::Only
            } else {
                DayPolicy::Except
            };
            ((*rng.pick(CALENDARS)).to_owned(), policy)
        }),
    };
    Coordinator {
        start_time,
        timing,
        catch_up: rng.chance(30),
        ..coordinator
    }
}

fn draw_terms(rng: &mut Rng, depends: &[String]) -> Vec<DependencyTerm> {
    if !rng.chance(50) {
        let fresh = |upstream: &String| DependencyTerm::One(Dependency::fresh(upstream));
        return depends.iter().map(fresh).collect();
    }
    let ruled: Vec<Dependency> = depends
        .iter()
        .map(|upstream| Dependency {
            date: draw_rule(rng),
            max_age_seconds: rng.chance(20).then(|| rng.between(60, 1_800)),
            workflow: upstream.clone(),
        })
        .collect();
    if ruled.len() > 1 && rng.chance(30) {
        return vec![DependencyTerm::AnyOf(ruled)];
    }
    ruled.into_iter().map(DependencyTerm::One).collect()
}

fn draw_rule(rng: &mut Rng) -> DateRule {
    match rng.below(100) {
        0..=19 => DateRule::Fresh,
        20..=49 => DateRule::SameDay,
        50..=59 => DateRule::Previous,
        60..=79 => DateRule::Latest,
        80..=89 => DateRule::AllOfLast(rng.between(1, 2) as u32),
        _ => DateRule::AnyOfLast(rng.between(1, 3) as u32),
    }
}
