//! The part of a coordinator that decides when; its parameters are needed only once it is time.

use std::fmt::Write as _;
use std::sync::Arc;

use akkaflow_model::cron::{Cron, Style};
use akkaflow_model::definition::{Coordinator, DateRule, Dependency, DependencyTerm, Misfire};
use akkaflow_model::schedule::{Calendar, DayPolicy, Schedule};
use akkaflow_model::time::Timestamp;
use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::Tz;

/// When a workflow starts by itself. There is one for each of a hundred thousand idle workflows: keep it small.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) is_enabled: bool,
    pub(crate) catch_up: bool,
    /// The zone of its times, where it has one of its own.
    zone: Option<Tz>,
    pub(crate) start_time: NaiveDateTime,
    pub(crate) end_time: NaiveDateTime,
    pub(crate) times: Times,
    pub(crate) misfire: Misfire,
    /// The workflows that it waits for.
    pub(crate) depends: Box<[String]>,
    /// What it waits for of them; `None` for a fresh success of each, which is what most say.
    terms: Option<Box<[DependencyTerm]>>,
}

/// The times at which a schedule fires.
#[derive(Debug, Clone)]
pub(crate) enum Times {
    /// None: it waits for its dependencies, or for people.
    None,
    /// One expression, which many workflows share.
    Cron(Arc<Cron>),
    /// All else that the language can say.
    Whole(Box<Whole>),
}

/// A schedule of several parts.
#[derive(Debug, Clone)]
pub(crate) struct Whole {
    /// Without its calendar until that is known; its window is the plan's.
    pub(crate) schedule: Schedule,
    /// The calendar that it names, and for what.
    calendar: Option<(Box<str>, DayPolicy)>,
    /// Names the calendar's content.
    content: Box<str>,
}

/// One condition of a plan.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Term<'a> {
    /// A fresh success of this workflow.
    Fresh(&'a str),
    /// What a rule says.
    Rule(&'a DependencyTerm),
}

impl Plan {
    pub(crate) fn new(coordinator: &Coordinator) -> Self {
        let plain = |term: &DependencyTerm| {
            matches!(term, DependencyTerm::One(dependency)
                if *dependency == Dependency::fresh(&dependency.workflow))
        };
        let terms = &coordinator.dependencies;
        Self {
            is_enabled: coordinator.is_enabled,
            catch_up: coordinator.catch_up,
            zone: coordinator.time_zone,
            start_time: coordinator.start_time,
            end_time: coordinator.end_time,
            times: Times::new(coordinator),
            misfire: coordinator.misfire,
            depends: coordinator.depends.clone().into_boxed_slice(),
            terms: (!terms.iter().all(plain)).then(|| terms.clone().into_boxed_slice()),
        }
    }

    /// The wall that its times and dates are read from.
    pub(crate) fn zone(&self, cluster: Tz) -> Tz {
        self.zone.unwrap_or(cluster)
    }

    /// The business date of a moment, counted in days.
    pub(crate) fn day(&self, at: Timestamp, cluster: Tz) -> i32 {
        day_of(at, self.zone(cluster))
    }

    pub(crate) fn has_times(&self) -> bool {
        !matches!(self.times, Times::None)
    }

    pub(crate) fn waits_for_dependencies_only(&self) -> bool {
        !self.has_times() && !self.depends.is_empty()
    }

    /// What it waits for: all of these.
    pub(crate) fn terms(&self) -> impl Iterator<Item = Term<'_>> {
        let rules = self.terms.iter().flatten().map(Term::Rule);
        let fresh = self
            .depends
            .iter()
            .filter(|_| self.terms.is_none())
            .map(|upstream| Term::Fresh(upstream));
        rules.chain(fresh)
    }

    /// What it asks of one upstream, beside a fresh success.
    pub(crate) fn rules_on(&self, upstream: &str) -> impl Iterator<Item = &Dependency> {
        self.rules()
            .filter(move |dependency| dependency.workflow == upstream)
    }

    fn rules(&self) -> impl Iterator<Item = &Dependency> {
        self.terms
            .iter()
            .flatten()
            .flat_map(DependencyTerm::dependencies)
    }

    /// Whether one business date is not as good as another.
    pub(crate) fn is_dated(&self) -> bool {
        self.rules()
            .any(|dependency| !matches!(dependency.date, DateRule::Fresh | DateRule::Latest))
    }

    /// The business date before one: the day before, or, with a calendar of workdays, the workday before.
    pub(crate) fn day_before(&self, day: i32) -> i32 {
        let before = || {
            let Times::Whole(whole) = &self.times else {
                return None;
            };
            let (calendar, policy) = whole.schedule.calendar.as_ref()?;
            let date = NaiveDate::from_num_days_from_ce_opt(day)?;
            let workday =
                (*policy != DayPolicy::Except).then(|| calendar.workday_before(date))??;
            Some(workday.num_days_from_ce())
        };
        before().unwrap_or(day.saturating_sub(1))
    }

    /// Its first slot strictly after a moment, whatever its window.
    pub(crate) fn next_after(&self, after: Timestamp, cluster: Tz) -> Option<Timestamp> {
        match &self.times {
            Times::None => None,
            Times::Cron(cron) => cron.next_after(after, self.zone(cluster)),
            Times::Whole(_) if self.missing_calendar().is_some() => None,
            Times::Whole(whole) => whole.schedule.next_after(after),
        }
    }

    /// First and last moment of its window.
    pub(crate) fn window(&self, cluster: Tz) -> (Timestamp, Timestamp) {
        let zone = self.zone(cluster);
        (
            local(self.start_time, zone, false),
            local(self.end_time, zone, true),
        )
    }

    /// The calendar that it names.
    pub(crate) fn calendar(&self) -> Option<&str> {
        match &self.times {
            Times::Whole(whole) => whole.calendar.as_ref().map(|(name, _)| &**name),
            Times::None | Times::Cron(_) => None,
        }
    }

    /// The calendar that it names and that nobody knows: it cannot fire.
    pub(crate) fn missing_calendar(&self) -> Option<&str> {
        match &self.times {
            Times::Whole(whole) if whole.schedule.calendar.is_none() => self.calendar(),
            _ => None,
        }
    }

    /// Sets what the cluster knows: its zone, and the calendar with the name of its content.
    pub(crate) fn settle(&mut self, cluster: Tz, calendar: Option<(Arc<Calendar>, &str)>) {
        let zone = self.zone(cluster);
        if let Times::Whole(whole) = &mut self.times {
            whole.schedule.zone = zone;
            let policy = whole.calendar.as_ref().map(|(_, policy)| *policy);
            whole.content = calendar.as_ref().map_or("", |(_, content)| content).into();
            whole.schedule.calendar = calendar.map(|(calendar, _)| calendar).zip(policy);
        }
    }

    /// What a generation of the schedule stands for; see [`akkaflow_model::record::ScheduleRow::trigger`].
    pub(crate) fn trigger(&self) -> String {
        self.trigger_by(|whole| &whole.content)
    }

    /// The same as long as its calendar, if it has one, is not known.
    pub(crate) fn trigger_without_calendar(&self) -> String {
        self.trigger_by(|_| "")
    }

    fn trigger_by(&self, content: impl Fn(&Whole) -> &str) -> String {
        let mut text = match &self.times {
            Times::None => return String::new(),
            Times::Cron(cron) => written(cron),
            Times::Whole(whole) => whole.text(content(whole)),
        };
        if let Some(zone) = self.zone {
            let _ = write!(text, "; time-zone {zone}");
        }
        text
    }
}

impl Times {
    fn new(coordinator: &Coordinator) -> Self {
        let timing = &coordinator.timing;
        let is_single =
            timing.every_seconds.is_none() && timing.dates.is_empty() && timing.calendar.is_none();
        match (&coordinator.cron, &timing.crons[..]) {
            (Some(cron), []) if is_single => Self::Cron(Arc::new(cron.clone())),
            (None, [cron]) if is_single => Self::Cron(Arc::new(cron.clone())),
            (None, []) if is_single => Self::None,
            _ => {
                let schedule = coordinator.schedule(Tz::UTC, None);
                let calendar = timing.calendar.as_ref();
                if schedule.is_empty() {
                    return Self::None;
                }
                Self::Whole(Box::new(Whole {
                    schedule: Schedule {
                        window: (None, None),
                        ..schedule
                    },
                    calendar: calendar.map(|(name, policy)| (name.as_str().into(), *policy)),
                    content: "".into(),
                }))
            }
        }
    }

    /// The expressions in it.
    pub(crate) fn crons_mut(&mut self) -> &mut [Arc<Cron>] {
        match self {
            Self::None => &mut [],
            Self::Cron(cron) => std::slice::from_mut(cron),
            Self::Whole(whole) => &mut whole.schedule.crons,
        }
    }
}

impl Whole {
    fn text(&self, content: &str) -> String {
        let schedule = &self.schedule;
        let mut parts: Vec<String> = schedule.crons.iter().map(|cron| written(cron)).collect();
        if let Some(rate) = schedule.every {
            parts.push(format!("every {} s from {}", rate.seconds, rate.anchor));
        }
        parts.extend(schedule.dates.iter().map(|date| format!("at {date}")));
        if let Some((name, policy)) = &self.calendar {
            parts.push(format!("calendar {name} {} {content}", policy.as_str()));
        }
        parts.join("; ").trim_end().to_owned()
    }
}

fn written(cron: &Cron) -> String {
    match cron.style() {
        Style::Akkaflow => cron.as_str().to_owned(),
        Style::Crontab => format!("crontab {}", cron.as_str()),
    }
}

/// The date that a wall shows at a moment, counted in days.
pub(crate) fn day_of(at: Timestamp, zone: Tz) -> i32 {
    at.to_utc()
        .with_timezone(&zone)
        .date_naive()
        .num_days_from_ce()
}

/// The moment of a local time. One that happens twice is the first, or the last; one that a clock change passes over is
/// the first valid one after it.
pub(crate) fn local(time: NaiveDateTime, zone: Tz, takes_last: bool) -> Timestamp {
    // Clock changes are shorter than a day.
    for minutes in 0..=24 * 60 {
        let candidate = time + chrono::Duration::minutes(minutes);
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
