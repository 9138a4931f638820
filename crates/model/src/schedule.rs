//! When a workflow starts by itself: several crons, a fixed rate and a list of dates in one time zone, on the days that
//! a calendar leaves, within a window.
//!
//! | part | fires |
//! |---|---|
//! | [`Schedule::crons`] | at each of their slots, on the days that the calendar leaves or moves them to |
//! | [`Schedule::every`] | each so many seconds of elapsed time from its anchor; a slot on a day that does not count is dropped, never moved |
//! | [`Schedule::dates`] | at these local times, whatever the calendar says |
//! | [`Schedule::calendar`] | see [`DayPolicy`]: only on workdays, only on days off, or moved to the next or previous workday at the same time of day |
//! | [`Schedule::window`] | nothing before its first and after its second local time, both included |
//!
//! Two parts that come due at the same moment fire once. Daylight saving is treated as [`crate::cron`] says; a fixed
//! rate knows nothing of it; a date in a gap fires at the gap's end, a repeated one at its first occurrence.
//!
//! A reader builds one from the attributes of a coordinator:
//!
//! | attribute (or element) | read by |
//! |---|---|
//! | `cron`, several times; `cron-style` | [`Cron::read`] with [`Style::from_word`](crate::cron::Style::from_word) |
//! | `every`, a duration | [`FixedRate`], whose anchor is the start of the window |
//! | `dates`, `2026-03-31 02:00, 2026-06-30` | [`read_dates`] |
//! | `calendar`, the name of a file without `.calendar` | [`Calendar::read`] on the file's bytes |
//! | `calendar-policy` | [`DayPolicy::from_word`], one of [`DayPolicy::WORDS`] |
//! | `time-zone` | `chrono_tz::Tz` |
//!
//! and asks [`Schedule::lints`] what is legal but surely not meant.

mod calendar;
mod dates;
mod lint;
mod preview;
mod words;

use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;

use crate::cron::{Calendared, Cron, Moment, moment_of};
use crate::time::Timestamp;

pub use calendar::{Calendar, CalendarFile};
pub use dates::{DateError, read_dates};
pub use lint::Lint;
pub use preview::{ClockMark, Fire};

/// Days that are looked through for a fixed rate that only ever meets days that do not count.
const MOST_DAYS_DROPPED: u32 = 1_000;

/// A complete schedule. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Expressions; each fires by itself.
    pub crons: Vec<Arc<Cron>>,
    /// A fixed rate.
    pub every: Option<FixedRate>,
    /// Local times, in any order.
    pub dates: Vec<NaiveDateTime>,
    /// Where the wall hangs that all of this is read from.
    pub zone: Tz,
    /// Which days count, and what becomes of the others.
    pub calendar: Option<(Arc<Calendar>, DayPolicy)>,
    /// First and last local time, both included; `None` for no limit.
    pub window: (Option<NaiveDateTime>, Option<NaiveDateTime>),
}

/// Each so many seconds of elapsed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedRate {
    /// At least 1; 0 never fires.
    pub seconds: u64,
    /// A local time at which it fires, and from which all others are counted, before and after. 1970-01-01 00:00 is a
    /// Thursday.
    pub anchor: NaiveDateTime,
}

/// What a calendar means for the days of a cron.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DayPolicy {
    /// Fires on workdays alone.
    #[default]
    Only,
    /// Fires on days off alone.
    Except,
    /// A slot on a day off moves to the next workday, at the same time of day; two that meet fire once.
    Next,
    /// The same to the last workday before it.
    Previous,
}

impl DayPolicy {
    /// The spellings of `calendar-policy`, the default first.
    pub const WORDS: &'static [&'static str] = &["workdays", "days-off", "next", "previous"];

    /// Reads one of [`DayPolicy::WORDS`].
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "workdays" => Some(Self::Only),
            "days-off" => Some(Self::Except),
            "next" => Some(Self::Next),
            "previous" => Some(Self::Previous),
            _ => None,
        }
    }

    /// The word of `calendar-policy`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Only => "workdays",
            Self::Except => "days-off",
            Self::Next => "next",
            Self::Previous => "previous",
        }
    }
}

impl Schedule {
    /// A schedule that never fires, in a zone: to be filled.
    pub fn empty(zone: Tz) -> Self {
        Self {
            crons: Vec::new(),
            every: None,
            dates: Vec::new(),
            zone,
            calendar: None,
            window: (None, None),
        }
    }

    /// One cron in a zone, without limits.
    pub fn of_cron(cron: Cron, zone: Tz) -> Self {
        Self {
            crons: vec![Arc::new(cron)],
            ..Self::empty(zone)
        }
    }

    /// Whether it has no part that could fire.
    pub fn is_empty(&self) -> bool {
        self.crons.is_empty() && self.every.is_none() && self.dates.is_empty()
    }

    /// The first moment strictly after `after` at which it fires; `None` when none follows within 50 years, within the
    /// window, or before the year 10000. Never panics.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.next_moment(after).map(|(at, _)| at)
    }

    /// The moments at which it fires, strictly after `after` and up to `until`, in order, each once.
    ///
    /// They are found as they are asked for; a caller that does not know how many there are takes a bounded number.
    pub fn fires_between(
        &self,
        after: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = Timestamp> + '_ {
        let next = move |after| self.next_after(after).filter(|at| *at <= until);
        std::iter::successors(next(after), move |at| next(*at))
    }

    /// The next moment, and the cron slot that it stands for unless a rate or a date fires.
    fn next_moment(&self, after: Timestamp) -> Option<(Timestamp, Option<Moment>)> {
        let after = match self.window.0 {
            Some(start) => {
                let start = moment_of(start, self.zone)?;
                after.max(Timestamp::from_millis(start.as_millis() - 1))
            }
            None => after,
        };
        let calendar = self.calendar.as_ref().map(|(calendar, policy)| Calendared {
            calendar,
            policy: *policy,
        });
        let crons = self.crons.iter().filter_map(|cron| {
            let moment = cron.next_moment(after, self.zone, calendar)?;
            Some((moment.at(), Some(moment)))
        });
        let rate = self.next_of_rate(after).map(|at| (at, None));
        let date = self
            .next_date(after)
            .map(|moment| (moment.at(), Some(moment)));
        let found = crons.chain(rate).chain(date).min_by_key(|(at, _)| *at)?;
        match self.window.1 {
            Some(end) => (found.0 <= moment_of(end, self.zone)?).then_some(found),
            None => Some(found),
        }
    }

    fn next_date(&self, after: Timestamp) -> Option<Moment> {
        self.dates
            .iter()
            .filter_map(|date| Moment::of(*date, self.zone))
            .filter(|moment| moment.at() > after)
            .min_by_key(|moment| moment.at())
    }

    fn next_of_rate(&self, after: Timestamp) -> Option<Timestamp> {
        let rate = self.every?;
        let anchor = moment_of(rate.anchor, self.zone)?;
        let mut at = rate.next(anchor, after)?;
        let Some((calendar, policy)) = &self.calendar else {
            return Some(at);
        };
        for _ in 0..MOST_DAYS_DROPPED {
            let date = at.to_utc().with_timezone(&self.zone).date_naive();
            if calendar.is_workday(date) != (*policy == DayPolicy::Except) {
                return Some(at);
            }
            let next_day = moment_of(date.succ_opt()?.and_hms_opt(0, 0, 0)?, self.zone)?;
            let just_before = Timestamp::from_millis(next_day.as_millis() - 1);
            at = rate.next(anchor, just_before.max(at))?;
        }
        None
    }
}

impl FixedRate {
    /// The first beat strictly after `after`.
    fn next(self, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
        let step = i64::try_from(self.seconds).ok()?.checked_mul(1_000)?;
        if step == 0 {
            return None;
        }
        let elapsed = after.as_millis().checked_sub(anchor.as_millis())?;
        let beats = elapsed.div_euclid(step).checked_add(1)?;
        let at = anchor.as_millis().checked_add(beats.checked_mul(step)?)?;
        // As for crons: not beyond the years of four digits.
        (at <= LAST_MILLISECOND).then(|| Timestamp::from_millis(at))
    }
}

/// 9999-12-29, as the cron's.
const LAST_MILLISECOND: i64 = 253_402_041_600_000;

/// What the wall of a zone shows at a moment.
pub(crate) fn wall_time(at: Timestamp, zone: Tz) -> DateTime<Tz> {
    at.to_utc().with_timezone(&zone)
}

#[cfg(test)]
mod tests;
