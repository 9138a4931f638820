//! The workflows of a cluster: of each thousand so many of each kind.

use std::sync::Arc;

use akkaflow_model::cron::Cron;
use akkaflow_model::definition::{
    Coordinator, DateRule, Dependency, DependencyTerm, Overlap, Version, Workflow,
};
use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;

use super::Options;
use super::graph::{self, Size};
use crate::sim::rng::{Rng, mix};

/// The zone of all dates; it knows no summer time, so that the oracle may reckon with days of 24 hours.
pub(super) const ZONE: Tz = Tz::Asia__Shanghai;

/// 2026-03-02, a Monday, 00:00 in [`ZONE`].
pub(super) const BEGIN: i64 = 1_772_380_800_000;

pub(super) const MINUTE: i64 = 60_000;
pub(super) const DAY: i64 = 24 * 60 * MINUTE;

/// Minutes of a day.
const DAILY: u32 = 24 * 60;

/// Of a thousand workflows so many are of each kind; the hourly ones are what is left.
const MIDNIGHT: usize = 250;
const NIGHTLY: usize = 150;
const SAME_DAY: usize = 125;
const FAN_IN: usize = 5;
const TIMED_SAME_DAY: usize = 50;
const TIMED_PREVIOUS: usize = 20;
const QUARTERLY: usize = 70;
const AFTER_EACH: usize = 15;

/// So many upstreams has a workflow that collects.
const FAN_IN_OF: usize = 50;

/// Times of day in minutes: the first, and how far they are apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) first: u32,
    pub(super) every: u32,
}

impl Times {
    fn daily(first: u32) -> Option<Self> {
        let every = DAILY;
        Some(Self { first, every })
    }

    /// All slots of so many days.
    pub(super) fn slots(self, days: u32) -> impl Iterator<Item = i64> {
        (self.first..days * DAILY)
            .step_by(self.every as usize)
            .map(|minute| BEGIN + i64::from(minute) * MINUTE)
    }

    fn cron(self) -> Cron {
        let text = if self.every == DAILY {
            format!("{} {} * * *", self.first % 60, self.first / 60)
        } else {
            let minutes = (self.first..60).step_by(self.every as usize);
            let minutes: Vec<String> = minutes.map(|it| it.to_string()).collect();
            format!("{} * * * *", minutes.join(","))
        };
        Cron::parse(&text).expect("minutes and hours are in range")
    }
}

/// One workflow, and what the oracle knows of it.
#[derive(Debug)]
pub(super) struct Routine {
    pub(super) times: Option<Times>,
    /// What it waits for; `Fresh` without upstreams for nothing.
    pub(super) rule: DateRule,
    /// Their positions in the plan.
    pub(super) upstreams: Vec<usize>,
    /// Shortest and longest ordinary time of an attempt, milliseconds.
    pub(super) takes: (u64, u64),
    pub(super) workflow: Arc<Workflow>,
}

impl Routine {
    /// Whether it runs once a day: what fails of it people run again.
    pub(super) fn is_daily(&self) -> bool {
        match self.times {
            Some(times) => times.every == DAILY,
            None => self.rule == DateRule::SameDay,
        }
    }
}

/// All workflows; upstreams stand before what waits for them.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) routines: Vec<Routine>,
    /// How many slots each of the pools has.
    pub(super) pools: Vec<(String, u32)>,
    pub(super) workers: usize,
    /// Slots of each worker.
    pub(super) slots: u32,
}

impl Plan {
    pub(super) fn draw(options: Options) -> Self {
        let rng = Rng::new(mix(options.seed ^ 0x7765_656b));
        let mut draft = Draft {
            rng,
            days: options.days,
            routines: Vec::with_capacity(options.workflows),
        };
        draft.draw_all(options.workflows);
        let share = |of_2000: usize| (of_2000 * options.workflows).div_ceil(2_000) as u32;
        Self {
            routines: draft.routines,
            pools: graph::POOLS
                .map(|(name, of_2000)| (name.to_owned(), share(of_2000).max(2)))
                .into(),
            workers: 8,
            slots: share(12).max(2),
        }
    }
}

struct Draft {
    rng: Rng,
    days: u32,
    routines: Vec<Routine>,
}

impl Draft {
    fn draw_all(&mut self, workflows: usize) {
        let count = |of_1000: usize| of_1000 * workflows / 1_000;
        for _ in 0..count(MIDNIGHT) {
            self.put("midnight", Times::daily(0), DateRule::Fresh, 0);
        }
        for _ in 0..count(NIGHTLY) {
            let first = self.rng.between(1, 359) as u32;
            self.put("nightly", Times::daily(first), DateRule::Fresh, 0);
        }
        for _ in 0..count(SAME_DAY) {
            let upstreams = self.rng.between(1, 5) as usize;
            self.put("sameday", None, DateRule::SameDay, upstreams);
        }
        for _ in 0..count(FAN_IN) {
            self.put("collect", None, DateRule::SameDay, FAN_IN_OF);
        }
        for _ in 0..count(TIMED_SAME_DAY) {
            let first = self.rng.between(30, 300) as u32;
            let upstreams = self.rng.between(1, 4) as usize;
            self.put("timed", Times::daily(first), DateRule::SameDay, upstreams);
        }
        for _ in 0..count(TIMED_PREVIOUS) {
            let first = self.rng.between(10, 600) as u32;
            self.put("previous", Times::daily(first), DateRule::Previous, 2);
        }
        let daily = self.routines.len();
        for _ in 0..count(QUARTERLY) {
            let first = self.rng.below(15) as u32;
            let times = Times { first, every: 15 };
            self.put("quarter", Some(times), DateRule::Fresh, 0);
        }
        let after_each = count(AFTER_EACH);
        while self.routines.len() + after_each < workflows {
            // Half of them at the full hour.
            let first = self.rng.below(60) as u32 * u32::from(self.rng.chance(50));
            let times = Times { first, every: 60 };
            self.put("hourly", Some(times), DateRule::Fresh, 0);
        }
        let quarterly = daily + count(QUARTERLY);
        for number in 0..after_each {
            self.put_after("each", vec![quarterly + number]);
        }
    }

    /// A workflow that waits for so many of the daily ones before it.
    fn put(&mut self, kind: &str, times: Option<Times>, rule: DateRule, upstreams: usize) {
        let mut before: Vec<usize> = (0..self.routines.len()).collect();
        let upstreams = (0..upstreams)
            .filter(|_| !before.is_empty())
            .collect::<Vec<_>>()
            .into_iter()
            .map(|_| before.swap_remove(self.rng.index(before.len())))
            .collect();
        self.add(kind, times, rule, upstreams);
    }

    /// One that follows each success of its upstream.
    fn put_after(&mut self, kind: &str, upstreams: Vec<usize>) {
        self.add(kind, None, DateRule::Fresh, upstreams);
    }

    fn add(&mut self, kind: &str, times: Option<Times>, rule: DateRule, upstreams: Vec<usize>) {
        let name = format!("{kind}{}", self.routines.len());
        let is_frequent = times.is_some_and(|times| times.every == 15);
        let (size, takes) = match times {
            // Some take about as long as the time between their slots: limits and overlaps.
            Some(_) if is_frequent && self.rng.chance(10) => (Size::One, (300_000, 900_000)),
            Some(_) if is_frequent => (Size::Small, (2_000, 20_000)),
            Some(times) if times.every == 60 => (Size::Small, (3_000, 40_000)),
            None if rule == DateRule::Fresh => (Size::Small, (3_000, 40_000)),
            _ if self.rng.chance(5) => (Size::Wide, (5_000, 60_000)),
            _ => (Size::Ordinary, (5_000, 120_000)),
        };
        let nodes = graph::draw(&mut self.rng, size);
        let overlap = match self.rng.below(100) {
            0..=34 if is_frequent => Overlap::Skip,
            35..=44 if is_frequent => Overlap::CancelRunning,
            _ => Overlap::Queue,
        };
        let workflow = Workflow {
            overlap,
            priority: i32::from(self.rng.chance(10)),
            version: Version(format!("{name}@1")),
            coordinator: Some(self.coordinator(times, rule, &upstreams)),
            ..Workflow::new(name, nodes)
        };
        self.routines.push(Routine {
            times,
            rule,
            upstreams,
            takes,
            workflow: Arc::new(workflow),
        });
    }

    fn coordinator(
        &self,
        times: Option<Times>,
        rule: DateRule,
        upstreams: &[usize],
    ) -> Coordinator {
        let names = upstreams
            .iter()
            .map(|it| self.routines[*it].workflow.name.clone());
        let depends: Vec<String> = names.collect();
        let term = |name: &String| {
            DependencyTerm::One(Dependency {
                date: rule,
                ..Dependency::fresh(name)
            })
        };
        let mut coordinator = Coordinator {
            cron: times.map(Times::cron),
            dependencies: depends.iter().map(term).collect(),
            depends,
            ..Coordinator::new()
        };
        if times.is_some() {
            // No slot after the last day.
            let end = Timestamp::from_millis(BEGIN + i64::from(self.days) * DAY - 1_000);
            coordinator.end_time = end.to_utc().with_timezone(&ZONE).naive_local();
        }
        coordinator
    }
}
