//! How long nodes usually take, learned from attempts that succeeded.

use std::array;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use akkaflow_model::record::Success;
use akkaflow_model::time::Timestamp;
use chrono::Datelike;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// So many of the last successes count: what a node did half a year ago says little.
const SAMPLES: usize = 30;
/// With fewer, nothing is known.
const LEAST: usize = 3;
/// From so many of one weekday on that day counts for itself.
const LEAST_OF_WEEKDAY: usize = 8;
const WEEKDAYS: usize = 7;

/// How long one attempt of a node takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usual {
    /// As often longer as shorter.
    pub median: Duration,
    /// Longer once in ten times.
    pub slow: Duration,
}

/// What the history of a node says in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The node.
    pub node: String,
    /// How long an attempt usually takes.
    pub attempt_ms: u64,
    /// The same from the beginning of the node: its waits and earlier attempts included.
    pub whole_ms: u64,
}

/// What is known, by workflow and node.
#[derive(Debug)]
pub struct Learned {
    zone: Tz,
    workflows: BTreeMap<String, BTreeMap<String, Habit>>,
    /// The same from the beginning of the node, of those that began before that attempt.
    waits: BTreeMap<String, BTreeMap<String, Habit>>,
}

/// What is known of one node.
#[derive(Debug)]
struct Habit {
    always: Usual,
    /// From Monday on, where enough is known.
    weekdays: [Option<Usual>; WEEKDAYS],
}

impl Learned {
    /// Nothing yet; weekdays are those of `zone`.
    pub fn new(zone: Tz) -> Self {
        Self {
            zone,
            workflows: BTreeMap::new(),
            waits: BTreeMap::new(),
        }
    }

    /// Learns the successes of a workflow, newest first, in place of those it knew.
    pub fn learn(&mut self, workflow: &str, successes: Vec<Success>) {
        let mut samples: BTreeMap<String, Vec<(usize, Duration)>> = BTreeMap::new();
        let mut waits = samples.clone();
        let mut have_waited = BTreeSet::new();
        for success in successes {
            let weekday = self.weekday(success.from);
            let since = success.since.unwrap_or(success.from);
            if since < success.from {
                have_waited.insert(success.node.clone());
            }
            let of_node = waits.entry(success.node.clone()).or_default();
            of_node.push((weekday, success.to.since(since)));
            let of_node = samples.entry(success.node).or_default();
            of_node.push((weekday, success.to.since(success.from)));
        }
        waits.retain(|node, _| have_waited.contains(node));
        self.workflows.insert(workflow.to_owned(), habits(samples));
        self.waits.insert(workflow.to_owned(), habits(waits));
    }

    /// How long a node waits that looks for something, from its beginning on.
    pub fn usual_wait(&self, workflow: &str, node: &str, at: Timestamp) -> Option<Usual> {
        let habit = self.waits.get(workflow).and_then(|nodes| nodes.get(node));
        match habit {
            Some(habit) => Some(habit.weekdays[self.weekday(at)].unwrap_or(habit.always)),
            None => self.usual(workflow, node, at),
        }
    }

    /// How long an attempt takes that starts at `at`; `None` when too little is known.
    pub fn usual(&self, workflow: &str, node: &str, at: Timestamp) -> Option<Usual> {
        let habit = self.workflows.get(workflow)?.get(node)?;
        Some(habit.weekdays[self.weekday(at)].unwrap_or(habit.always))
    }

    /// What is known of the nodes of a workflow that runs at `at`.
    pub fn known(&self, workflow: &str, at: Timestamp) -> Vec<Known> {
        let ms = |usual: Usual| u64::try_from(usual.median.as_millis()).unwrap_or(u64::MAX);
        let nodes = self.workflows.get(workflow).into_iter().flatten();
        let known = nodes.filter_map(|(node, _)| {
            Some(Known {
                node: node.clone(),
                attempt_ms: ms(self.usual(workflow, node, at)?),
                whole_ms: ms(self.usual_wait(workflow, node, at)?),
            })
        });
        known.collect()
    }

    fn weekday(&self, at: Timestamp) -> usize {
        let weekday = at.to_utc().with_timezone(&self.zone).weekday();
        weekday.num_days_from_monday() as usize
    }
}

fn habits(samples: BTreeMap<String, Vec<(usize, Duration)>>) -> BTreeMap<String, Habit> {
    let habits = samples.into_iter();
    habits
        .filter_map(|(node, samples)| Some((node, Habit::of(&samples)?)))
        .collect()
}

impl Habit {
    /// Samples come newest first.
    fn of(samples: &[(usize, Duration)]) -> Option<Self> {
        let all = samples.iter().map(|(_, took)| *took);
        let of_weekday = |weekday: usize| {
            let those = samples.iter().filter(|(day, _)| *day == weekday);
            Usual::of(those.map(|(_, took)| *took), LEAST_OF_WEEKDAY)
        };
        Some(Self {
            always: Usual::of(all, LEAST)?,
            weekdays: array::from_fn(of_weekday),
        })
    }
}

impl Usual {
    fn of(newest_first: impl Iterator<Item = Duration>, least: usize) -> Option<Self> {
        let mut took: Vec<Duration> = newest_first.take(SAMPLES).collect();
        if took.len() < least {
            return None;
        }
        took.sort_unstable();
        let quantile = |tenths: usize| took[(took.len() * tenths).div_ceil(10) - 1];
        Some(Self {
            median: quantile(5),
            slow: quantile(9),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600 * 1000;
    /// A Monday.
    const MONDAY: i64 = 1_767_571_200_000;

    fn success(day: i64, seconds: i64) -> Success {
        let from = MONDAY + day * DAY;
        Success {
            since: None,
            node: "a".to_owned(),
            from: Timestamp::from_millis(from),
            to: Timestamp::from_millis(from + seconds * 1000),
        }
    }

    fn median(learned: &Learned, day: i64) -> Option<u64> {
        let at = Timestamp::from_millis(MONDAY + day * DAY);
        let usual = learned.usual("w", "a", at);
        usual.map(|usual| usual.median.as_secs())
    }

    #[test]
    fn the_last_thirty_successes_count_and_fewer_than_three_say_nothing() {
        let mut learned = Learned::new(Tz::UTC);
        learned.learn("w", vec![success(1, 10), success(0, 10)]);
        assert_eq!(median(&learned, 2), None);
        learned.learn("w", vec![success(2, 90), success(1, 20), success(0, 10)]);
        assert_eq!(median(&learned, 3), Some(20));
        assert_eq!(learned.usual("w", "b", Timestamp::default()), None);
        // One a second, so that no weekday has a habit of its own; the thirty newest took ten seconds.
        let old = (0..300).map(|_| success(0, 500));
        let new = (0..30).map(|index| success(index % 7, 10));
        learned.learn("w", new.chain(old).collect());
        assert_eq!(median(&learned, 1), Some(10));
    }

    #[test]
    fn a_weekday_counts_for_itself_from_eight_samples_on() {
        let mut learned = Learned::new(Tz::UTC);
        let weeks = |count: i64| {
            let days = (0..count * 7).rev();
            days.map(|day| success(day, if day % 7 == 0 { 600 } else { 60 }))
                .collect()
        };
        learned.learn("w", weeks(7));
        assert_eq!(median(&learned, 70), Some(60));
        learned.learn("w", weeks(8));
        assert_eq!(median(&learned, 70), Some(600));
        assert_eq!(median(&learned, 71), Some(60));
    }

    #[test]
    fn one_in_ten_takes_longer_than_the_slow_ones() {
        let mut learned = Learned::new(Tz::UTC);
        let successes = (1..=10).map(|seconds| success(seconds % 5, seconds));
        learned.learn("w", successes.collect());
        let usual = learned.usual("w", "a", Timestamp::default()).unwrap();
        assert_eq!((usual.median.as_secs(), usual.slow.as_secs()), (5, 9));
    }
}
