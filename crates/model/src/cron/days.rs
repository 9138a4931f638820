//! Slots on a clock without time zone, found by the `cron` crate; the days that it cannot name are filtered here.

use std::str::FromStr;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, TimeZone, Utc};
use cron::Schedule;

use crate::cron::Cron;

/// A schedule in the terms of the `cron` crate, and what it cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alternative {
    schedule: Schedule,
    days: DayFilter,
}

/// Which of the schedule's days count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DayFilter {
    All,
    /// The last day of a month.
    LastOfMonth,
    /// Days that have no equal weekday after them in their month.
    LastWeekday,
}

impl DayFilter {
    fn accepts(self, date: NaiveDate) -> bool {
        let leads_out = |days| {
            date.checked_add_days(Days::new(days))
                .is_none_or(|later| later.month() != date.month())
        };
        match self {
            Self::All => true,
            Self::LastOfMonth => leads_out(1),
            Self::LastWeekday => leads_out(7),
        }
    }
}

impl Alternative {
    /// From six fields of the `cron` crate; weekdays by name, since its numbers differ from ours.
    pub(super) fn new(fields: &str, days: DayFilter) -> Self {
        Self {
            schedule: Schedule::from_str(fields)
                .expect("the parser writes only lists of numbers within their ranges"),
            days,
        }
    }

    fn next(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let mut cursor = Utc.from_utc_datetime(&after);
        loop {
            let found = self.schedule.after(&cursor).next()?;
            let date = found.date_naive();
            if self.days.accepts(date) {
                return Some(found.naive_utc());
            }
            cursor = Utc.from_utc_datetime(&date.and_hms_opt(23, 59, 59)?);
        }
    }

    fn includes(&self, moment: NaiveDateTime) -> bool {
        self.days.accepts(moment.date()) && self.schedule.includes(Utc.from_utc_datetime(&moment))
    }
}

impl Cron {
    /// The first slot strictly after a local time.
    pub(super) fn next_local(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        self.alternatives
            .iter()
            .filter_map(|alternative| alternative.next(after))
            .min()
    }

    /// Whether a local time is a slot.
    pub(super) fn includes_local(&self, moment: NaiveDateTime) -> bool {
        self.alternatives
            .iter()
            .any(|alternative| alternative.includes(moment))
    }
}
