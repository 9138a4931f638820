//! Which days and which times of day, as sets of bits, and how the next one is found.

use chrono::{Datelike, Months, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use crate::schedule::{Calendar, DayPolicy};

/// Nothing is looked for further ahead.
const HORIZON_YEARS: i32 = 50;
/// The last year of all.
const LAST_YEAR: i32 = 9999;
/// Days of a week, one bit each, at the seven days of five weeks.
const EVERY_WEEK: u64 = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28;
/// Every day of the longest month: bits 1 to 31.
const ALL_DAYS: u32 = !1;

/// An expression without its text: each of the times on each of the days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// A time counts when one of these holds it; at least one, each with a time.
    pub(super) times: Vec<TimeSet>,
    pub(super) days: DayRule,
}

/// Times of day: each of the seconds of each of the minutes of each of the hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TimeSet {
    pub(super) hours: u64,
    pub(super) minutes: u64,
    pub(super) seconds: u64,
}

/// Which days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DayRule {
    /// First and last years; empty for all.
    pub(super) years: Vec<(i32, i32)>,
    /// Bits 1 to 12.
    pub(super) months: u64,
    /// Bits 1 to 31.
    pub(super) month_days: u64,
    /// Whether the last day of the month is one.
    pub(super) has_last_day: bool,
    /// Bits 0 to 6 from Sunday.
    pub(super) weekdays: u64,
    /// The same, of the first to the fifth of each in a month.
    pub(super) nth_weekdays: [u64; 5],
    /// The same, of the last one in a month.
    pub(super) last_weekdays: u64,
    pub(super) mode: DayMode,
}

/// Which fields of the day count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DayMode {
    MonthDays,
    Weekdays,
    Either,
    Both,
}

impl Rule {
    pub(super) fn never_fires(&self) -> bool {
        let start = self.days.years.iter().map(|(first, _)| *first).min();
        NaiveDate::from_ymd_opt(start.unwrap_or(2000), 1, 1)
            .is_none_or(|date| self.days.on_or_after(date).is_none())
    }
}

impl TimeSet {
    /// The first second of the day that counts, from `second` on.
    fn at_or_after(self, second: u32) -> Option<u32> {
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let first = |bits: u64| bits.trailing_zeros();
        let at = |hour, minute, second| Some((hour * 60 + minute) * 60 + second);
        if self.hours >> hour & 1 == 1 {
            if self.minutes >> minute & 1 == 1
                && let Some(second) = from_bit(self.seconds, second)
            {
                return at(hour, minute, second);
            }
            if let Some(minute) = from_bit(self.minutes, minute + 1) {
                return at(hour, minute, first(self.seconds));
            }
        }
        let hour = from_bit(self.hours, hour + 1)?;
        at(hour, first(self.minutes), first(self.seconds))
    }
}

/// The first bit that is set, from `from` on.
fn from_bit(bits: u64, from: u32) -> Option<u32> {
    let rest = bits.checked_shr(from)?;
    (rest != 0).then(|| from + rest.trailing_zeros())
}

impl DayRule {
    /// The first day that counts, from `date` on, within the horizon.
    fn on_or_after(&self, date: NaiveDate) -> Option<NaiveDate> {
        self.on_or_after_where(date, |_| ALL_DAYS)
    }

    /// The same, among the days that `allowed` gives as bits of the month that begins on a date.
    fn on_or_after_where(
        &self,
        date: NaiveDate,
        allowed: impl Fn(NaiveDate) -> u32,
    ) -> Option<NaiveDate> {
        // A year named in the expression may lie beyond the horizon.
        let limit = self
            .years
            .iter()
            .map(|(first, _)| *first)
            .fold(date.year(), i32::max)
            .saturating_add(HORIZON_YEARS)
            .min(LAST_YEAR);
        let mut wanted = ALL_DAYS << (date.day() - 1);
        let mut month = date.with_day(1)?;
        while month.year() <= limit {
            let mut days = self.days_of(month)? & wanted;
            if days != 0 {
                days &= allowed(month);
            }
            if days != 0 {
                return month.with_day(days.trailing_zeros());
            }
            wanted = ALL_DAYS;
            month = month.checked_add_months(Months::new(1))?;
        }
        None
    }

    /// The days that count of the month that begins on `first`, bits 1 to 31.
    fn days_of(&self, first: NaiveDate) -> Option<u32> {
        let (year, month) = (first.year(), first.month());
        let is_year = self.years.is_empty()
            || self
                .years
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&year));
        if !is_year || self.months >> month & 1 == 0 {
            return Some(0);
        }
        let length = u32::from(first.num_days_in_month());
        let valid = (1_u64 << (length + 1)) - 2;
        let month_days = self.month_days | u64::from(self.has_last_day) << length;
        let weekdays = || self.weekdays_of(first.weekday().num_days_from_sunday(), length);
        let days = valid
            & match self.mode {
                DayMode::MonthDays => month_days,
                DayMode::Weekdays => weekdays(),
                DayMode::Either => month_days | weekdays(),
                DayMode::Both => month_days & weekdays(),
            };
        u32::try_from(days).ok()
    }

    /// The days that fit the field of weekdays in a month that begins on weekday `first`.
    fn weekdays_of(&self, first: u32, length: u32) -> u64 {
        // Bit n: whether the weekday that is n days after the month's first one counts.
        let from_first = |bits: u64| from_first(bits, first);
        let mut days = from_first(self.weekdays) * EVERY_WEEK;
        for (weeks, bits) in self.nth_weekdays.iter().enumerate() {
            days |= from_first(*bits) << (7 * weeks);
        }
        let last_week = 0x7f_u64 << (length - 7);
        days |= (from_first(self.last_weekdays) * EVERY_WEEK) & last_week;
        days << 1
    }
}

/// Days of a week by their distance from weekday `first`, of bits from Sunday.
fn from_first(bits: u64, first: u32) -> u64 {
    (bits >> first | bits << (7 - first)) & 0x7f
}

/// The days of the month that begins on `first` that fall on some weekdays, bits 1 to 31 and beyond.
pub(crate) fn days_on(weekdays: u8, first: NaiveDate) -> u64 {
    let weekday = first.weekday().num_days_from_sunday();
    (from_first(u64::from(weekdays), weekday) * EVERY_WEEK) << 1
}

/// A calendar and what it means for days.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calendared<'a> {
    pub(crate) calendar: &'a Calendar,
    pub(crate) policy: DayPolicy,
}

/// What fires at a wall that knows no time zone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocalSlots<'a> {
    rule: &'a Rule,
    calendar: Option<Calendared<'a>>,
}

impl<'a> LocalSlots<'a> {
    pub(super) fn new(rule: &'a Rule, calendar: Option<Calendared<'a>>) -> Self {
        Self { rule, calendar }
    }

    /// The first slot strictly after a local time.
    pub(super) fn next_local(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let second = after.num_seconds_from_midnight() + 1;
        let date = self.day_on_or_after(after.date())?;
        if date == after.date() {
            if let Some(time) = self.time_at_or_after(second) {
                return Some(date.and_time(time));
            }
            let later = self.day_on_or_after(date.succ_opt()?)?;
            return Some(later.and_time(self.time_at_or_after(0)?));
        }
        Some(date.and_time(self.time_at_or_after(0)?))
    }

    fn time_at_or_after(&self, second: u32) -> Option<NaiveTime> {
        let times = self.rule.times.iter();
        let second = times.filter_map(|set| set.at_or_after(second)).min()?;
        NaiveTime::from_num_seconds_from_midnight_opt(second, 0)
    }

    fn day_on_or_after(&self, date: NaiveDate) -> Option<NaiveDate> {
        let days = &self.rule.days;
        let Some(Calendared { calendar, policy }) = self.calendar else {
            return days.on_or_after(date);
        };
        match policy {
            DayPolicy::Only => days.on_or_after_where(date, |month| calendar.workdays_of(month)),
            DayPolicy::Except => {
                days.on_or_after_where(date, |month| ALL_DAYS & !calendar.workdays_of(month))
            }
            DayPolicy::Next => {
                // Whatever was meant for the days off just before `date` lands on it or later.
                let from = match calendar.workday_before(date) {
                    Some(workday) => workday.succ_opt()?,
                    None => date,
                };
                calendar.workday_from(days.on_or_after(from)?)
            }
            DayPolicy::Previous => {
                let from = calendar.workday_from(date)?;
                let day = days.on_or_after(from)?;
                if calendar.is_workday(day) {
                    Some(day)
                } else {
                    calendar.workday_before(day)
                }
            }
        }
    }
}
