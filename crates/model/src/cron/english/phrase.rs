//! What a phrase has said so far, and the rule that it makes.

use crate::cron::parse::bits;
use crate::cron::rule::{DayMode, DayRule, Rule, TimeSet};
use crate::cron::words::describe;
use crate::cron::{Cron, Note, Style};

/// A unit that `every` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// A time of day, hour, minute and second.
pub(super) type Clock = (u32, u32, u32);

/// The fields in the order of cronish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Minute,
    Hour,
    Day,
    Month,
    Weekday,
}

/// Collects what the words say.
#[derive(Debug, Default)]
pub(super) struct Phrase {
    /// Bits from `every`: a unit alone or one of n.
    pub(super) seconds: Option<u64>,
    pub(super) minutes: Option<u64>,
    pub(super) hours: Option<u64>,
    /// Times of day, one by one.
    pub(super) clocks: Vec<Clock>,
    /// Hours and minutes of ranges of times.
    pub(super) clock_ranges: Vec<(u64, u64)>,
    pub(super) month_days: Option<u64>,
    pub(super) has_last_day: bool,
    pub(super) weekdays: u64,
    pub(super) nth_weekdays: [u64; 5],
    pub(super) last_weekdays: u64,
    pub(super) months: Option<u64>,
    pub(super) years: Vec<(i32, i32)>,
    /// The unit that the phrase begins with.
    pub(super) lead: Option<Unit>,
    pub(super) akkaflow: Akkaflow,
}

/// What akkaflow 2.12 makes of the phrase: fields, where what `every` says at the begin wins.
#[derive(Debug, Default)]
pub(super) struct Akkaflow {
    /// Whether it would refuse the phrase.
    pub(super) is_refused: bool,
    /// Whether the words at hand are those at the begin.
    pub(super) is_lead: bool,
    lead: [Option<String>; 5],
    rest: [Option<String>; 5],
}

impl Akkaflow {
    pub(super) fn set(&mut self, field: Field, text: impl Into<String>) {
        let fields = if self.is_lead {
            &mut self.lead
        } else {
            &mut self.rest
        };
        fields[field as usize] = Some(text.into());
    }

    fn fields(&self) -> String {
        let words: Vec<&str> = self
            .lead
            .iter()
            .zip(&self.rest)
            .map(|(lead, rest)| lead.as_deref().or(rest.as_deref()).unwrap_or("*"))
            .collect();
        words.join(" ")
    }
}

impl Phrase {
    fn has_weekday(&self) -> bool {
        self.weekdays != 0 || self.last_weekdays != 0 || self.nth_weekdays != [0; 5]
    }

    fn has_day(&self) -> bool {
        self.month_days.is_some() || self.has_last_day || self.has_weekday()
    }

    fn has_clock(&self) -> bool {
        !self.clocks.is_empty() || !self.clock_ranges.is_empty()
    }

    /// The expression; `text` is the phrase as written.
    pub(super) fn into_cron(self, text: &str, style: Style) -> Cron {
        let rule = Rule {
            times: self.times(),
            days: self.days(style),
        };
        // As fields would say it: every hour, or one of n.
        let follows_elapsed_time = !self.has_clock()
            && match self.hours {
                Some(_) => true,
                None => self.minutes.is_some() || self.seconds.is_some(),
            };
        let is_day_ignored = style == Style::Akkaflow
            && self.has_weekday()
            && (self.has_last_day || self.month_days.is_some_and(|days| days != bits(1, 31)));
        let mut notes = Vec::new();
        if is_day_ignored {
            notes.push(Note::DayIgnored);
        }
        notes.extend(self.ignored_hour().map(|hour| Note::HourIgnored { hour }));
        if let Some(fields) = self.other_in_akkaflow(&rule) {
            let meaning = describe(&rule);
            notes.push(Note::OtherInAkkaflow { fields, meaning });
        }
        Cron {
            text: text.to_owned(),
            style,
            rule,
            follows_elapsed_time,
            notes,
        }
    }

    /// The hour of a time beside `every hour`, of which only the minute counts.
    fn ignored_hour(&self) -> Option<u32> {
        let every = self.hours?;
        let hours = self.clocks.iter().map(|(hour, ..)| *hour);
        let outside = self
            .clock_ranges
            .iter()
            .filter(|(hours, _)| hours & every == 0);
        hours
            .chain(outside.map(|(hours, _)| hours.trailing_zeros()))
            .find(|hour| *hour != 0)
    }

    fn other_in_akkaflow(&self, rule: &Rule) -> Option<String> {
        if self.akkaflow.is_refused {
            return None;
        }
        let fields = self.akkaflow.fields();
        let theirs = Cron::parse(&fields).ok()?;
        (theirs.rule != *rule).then_some(fields)
    }

    /// Units that are smaller than what the phrase names are at their begin.
    fn times(&self) -> Vec<TimeSet> {
        let zero = 1;
        let mut sets: Vec<TimeSet> = Vec::new();
        for (hour, minute, second) in &self.clocks {
            sets.push(TimeSet {
                hours: self.hours.unwrap_or(1 << hour),
                minutes: self.minutes.unwrap_or(1 << minute),
                seconds: self.seconds.unwrap_or(1 << second),
            });
        }
        for (hours, minutes) in &self.clock_ranges {
            let (hours, minutes) = match self.hours {
                // `every 2 hours from 9am to 5pm`: those of them that lie between.
                Some(every) if every & hours != 0 => (every & hours, zero),
                Some(every) => (every, zero),
                None => (*hours, *minutes),
            };
            sets.push(TimeSet {
                hours,
                minutes: self.minutes.unwrap_or(minutes),
                seconds: self.seconds.unwrap_or(zero),
            });
        }
        if sets.is_empty() {
            let is_finer_than_hours = self.minutes.is_some() || self.seconds.is_some();
            sets.push(TimeSet {
                hours: self.hours.unwrap_or(if is_finer_than_hours {
                    bits(0, 23)
                } else {
                    zero
                }),
                minutes: self.minutes.unwrap_or(if self.seconds.is_some() {
                    bits(0, 59)
                } else {
                    zero
                }),
                seconds: self.seconds.unwrap_or(zero),
            });
        }
        merged(sets)
    }

    fn days(&self, style: Style) -> DayRule {
        let is_by_month = matches!(self.lead, Some(Unit::Month | Unit::Year));
        let sunday = u64::from(self.lead == Some(Unit::Week) && !self.has_day());
        let first_of_month = || if is_by_month { 1 << 1 } else { bits(1, 31) };
        let month_days = match self.month_days {
            Some(days) => days,
            None if self.has_last_day => 0,
            None => first_of_month(),
        };
        let january = || {
            if self.lead == Some(Unit::Year) && !self.has_weekday() {
                1 << 1
            } else {
                bits(1, 12)
            }
        };
        let is_every_day = !self.has_last_day && month_days == bits(1, 31);
        let mode = if !self.has_weekday() && sunday == 0 {
            DayMode::MonthDays
        } else if style == Style::Akkaflow || is_every_day || !self.has_month_day() {
            DayMode::Weekdays
        } else {
            DayMode::Both
        };
        DayRule {
            years: self.years.clone(),
            months: self.months.unwrap_or_else(january),
            month_days,
            has_last_day: self.has_last_day,
            weekdays: self.weekdays | sunday,
            nth_weekdays: self.nth_weekdays,
            last_weekdays: self.last_weekdays,
            mode,
        }
        .without_ignored()
    }

    fn has_month_day(&self) -> bool {
        self.month_days.is_some() || self.has_last_day
    }
}

/// Times that differ in their hours alone as one set, so that a phrase makes the rule that fields make.
fn merged(mut sets: Vec<TimeSet>) -> Vec<TimeSet> {
    sets.sort_by_key(|set| (set.minutes, set.seconds, set.hours));
    let mut merged: Vec<TimeSet> = Vec::new();
    for set in sets {
        match merged.last_mut() {
            Some(last) if (last.minutes, last.seconds) == (set.minutes, set.seconds) => {
                last.hours |= set.hours;
            }
            _ => merged.push(set),
        }
    }
    // The same hours at several minutes are one set too.
    let mut sets: Vec<TimeSet> = Vec::new();
    for set in merged {
        match sets.last_mut() {
            Some(last) if (last.hours, last.seconds) == (set.hours, set.seconds) => {
                last.minutes |= set.minutes;
            }
            _ => sets.push(set),
        }
    }
    sets
}
