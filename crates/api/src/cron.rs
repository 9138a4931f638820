//! Crons and what they lead to.

use akkaflow_model::schedule::{Fire, Schedule};
use akkaflow_model::text::Lang;
use akkaflow_model::time::Timestamp;
use chrono::FixedOffset;
use serde::{Deserialize, Serialize};

use crate::definition::Diagnostic;
use crate::time::Time;

/// The next fires of an expression, and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CronPreview {
    /// As it was given.
    pub expression: String,
    /// `akkaflow` or `crontab`.
    pub style: String,
    /// Where the wall hangs that it is read from.
    pub time_zone: String,
    /// In words.
    pub words: String,
    /// Whether no date fits it at all.
    pub never_fires: bool,
    /// What is legal but surely not meant.
    pub diagnostics: Vec<Diagnostic>,
    /// The next ones, in order; fewer than asked for when no more follow.
    pub fires: Vec<NextFire>,
}

/// A coming fire of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextFire {
    /// When.
    pub at: Time,
    /// The same on the schedule's wall: `2026-03-08T03:00:00-04:00`.
    pub local: String,
    /// On days at which the clock changes: `gap`, `first`, `second` or `change-day`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// What is special about the time or the day, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl CronPreview {
    /// Looks ahead from `after`; `expression` is the text of the schedule's cron.
    pub fn new(
        expression: &str,
        schedule: &Schedule,
        after: Timestamp,
        count: usize,
        lang: Lang,
    ) -> Self {
        let style = schedule.crons.first().map(|cron| cron.style());
        let lints = schedule.lints();
        Self {
            expression: expression.to_owned(),
            style: style.unwrap_or_default().as_str().to_owned(),
            time_zone: schedule.zone.name().to_owned(),
            words: schedule.describe().get(lang).to_owned(),
            never_fires: schedule.crons.iter().all(|cron| cron.never_fires()),
            diagnostics: lints
                .iter()
                .map(|lint| Diagnostic::new(&lint.finding("cron", expression), lang))
                .collect(),
            fires: NextFire::of(schedule, after, count, lang),
        }
    }
}

impl NextFire {
    /// The next `count` fires of a schedule strictly after a moment.
    pub fn of(schedule: &Schedule, after: Timestamp, count: usize, lang: Lang) -> Vec<Self> {
        let fires = schedule.preview(after, count);
        fires.iter().map(|fire| Self::new(fire, lang)).collect()
    }

    fn new(fire: &Fire, lang: Lang) -> Self {
        let local = FixedOffset::east_opt(fire.offset_seconds)
            .map(|offset| fire.at.to_utc().with_timezone(&offset).to_rfc3339());
        let mut notes: Vec<String> = Vec::new();
        notes.extend(fire.day_name.clone());
        notes.extend(fire.clock.map(|mark| mark.text().get(lang).to_owned()));
        if fire.is_beyond_calendar {
            let note = match lang {
                Lang::Zh => "日历尚无当年数据，仅按周末计算",
                Lang::En => "the calendar ends before this day: weekends alone count",
            };
            notes.push(note.to_owned());
        }
        let separator = match lang {
            Lang::Zh => "；",
            Lang::En => "; ",
        };
        Self {
            at: fire.at.into(),
            local: local.unwrap_or_else(|| fire.at.to_rfc3339()),
            clock: fire.clock.map(|mark| mark.as_str().to_owned()),
            note: (!notes.is_empty()).then(|| notes.join(separator)),
        }
    }
}
