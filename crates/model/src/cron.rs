//! akkaflow's cron dialect: five fields, minute hour day-of-month month weekday, or an English phrase.
//!
//! | form | where | means |
//! |---|---|---|
//! | `*`, `n`, `a-b`, `*/n`, `a-b/n`, `x,y` | everywhere | any, one, a range, every n-th, several; mixed as in `1,5-9/2` |
//! | `L` | day of month | the last day |
//! | `d#n` | weekday | the n-th weekday d of the month |
//! | `dL` | weekday | the last weekday d of the month; `L` alone is Saturday |
//! | `JAN`, `MON` | month, weekday | English names in any case |
//! | `@daily` and the like | alone | `@hourly @daily @midnight @weekly @monthly @yearly @annually` |
//! | `every day at midnight`, `3:30 on monday` | alone | the grammar of the library `cronish`, wider; see `english.rs` |
//!
//! Weekdays are 0 to 6 from Sunday, 7 is Sunday too; a range may end on a Sunday, `5-0`. Two [`Style`]s differ in how
//! the two fields of the day work together, and in what a sixth field is.
//!
//! **Daylight saving.** A schedule with a fixed hour fires once a slot: at the first moment after a gap that swallows
//! it, and at the first occurrence when the clock is set back. A schedule whose hour is `*` or `*/n` follows elapsed
//! time: it skips what does not exist and goes on through the repeated hour.
//!
//! **Bounds.** Slots are found up to the end of the year 9999, at most 50 years ahead (only a calendar can tear a wider
//! gap: the longest of the fields alone are 40 years, between two Februaries with five Mondays around 2100). Looking
//! ahead costs the same for a time that never comes. Zones' rules are known until 2099 at least; after the last
//! transition that the time zone database spells out, its offset stays.

mod english;
mod note;
mod parse;
mod piece;
mod rule;
mod words;
mod zone;

use std::fmt;
use std::ops::Range;

use chrono_tz::Tz;

use crate::code;
use crate::diagnostic::{Diagnostic, Finding, Severity};
use crate::element::Span;
use crate::render::locate;
use crate::text::Text;
use crate::time::Timestamp;
pub(crate) use english::WEEKDAYS;
use rule::Rule;
pub(crate) use rule::{Calendared, LocalSlots, days_on};
pub(crate) use zone::{Moment, Wall, moment_of};

pub use note::{Note, StepUnit};

/// How the fields of an expression work together: `cron-style` of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Style {
    /// As akkaflow 2.12: a weekday overrides the day of month, and what follows the fifth field is ignored.
    #[default]
    Akkaflow,
    /// As crontab: when neither field of the day begins with `*`, one of them is enough; otherwise both must fit. Six
    /// fields begin with the second.
    Crontab,
}

impl Style {
    /// The spellings of `cron-style`.
    pub const WORDS: &'static [&'static str] = &["akkaflow", "crontab"];

    /// Reads one of [`Style::WORDS`].
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "akkaflow" => Some(Self::Akkaflow),
            "crontab" => Some(Self::Crontab),
            _ => None,
        }
    }

    /// The word of `cron-style`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Akkaflow => "akkaflow",
            Self::Crontab => "crontab",
        }
    }
}

/// One expression, read: which seconds of which days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    style: Style,
    rule: Rule,
    /// Whether the hour is `*` or `*/n`.
    follows_elapsed_time: bool,
    notes: Vec<Note>,
}

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronError {
    /// What is wrong.
    pub message: Text,
    /// What to do, where it is known.
    pub help: Option<Text>,
    /// Where, in bytes of the text.
    pub range: Range<usize>,
}

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message.en)
    }
}

impl std::error::Error for CronError {}

impl CronError {
    /// As a finding in a file that holds `text` alone.
    pub fn finding(&self, file: &str, text: &str) -> Finding {
        let diagnostic = Diagnostic {
            code: code::BAD_CRON,
            severity: Severity::Error,
            span: Span {
                start: self.range.start,
                end: self.range.end,
            },
            message: self.message.clone(),
            help: self.help.clone(),
        };
        locate(text, file, &diagnostic)
    }
}

impl Cron {
    /// Reads an expression in the style of akkaflow 2.12.
    ///
    /// # Errors
    /// The first of the [`CronError`]s that [`Cron::read`] would give.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        Self::read(text, Style::Akkaflow).map_err(|mut errors| errors.remove(0))
    }

    /// Reads an expression: fields, `@daily` and the like, or an English phrase.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the text; at least one. Ranges lie on character boundaries
    /// of `text`.
    pub fn read(text: &str, style: Style) -> Result<Self, Vec<CronError>> {
        parse::parse(text, style)
    }

    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The style that it was read in.
    pub fn style(&self) -> Style {
        self.style
    }

    /// The first slot strictly after `after` in `zone`; `None` when none follows within 50 years or before the year
    /// 10000. Never panics.
    pub fn next_after(&self, after: Timestamp, zone: Tz) -> Option<Timestamp> {
        self.next_moment(after, zone, None)
            .map(|moment| moment.at())
    }

    /// The same on the days that a calendar leaves or moves, with what became of the slot.
    pub(crate) fn next_moment(
        &self,
        after: Timestamp,
        zone: Tz,
        calendar: Option<Calendared<'_>>,
    ) -> Option<Moment> {
        zone::next_after(
            &LocalSlots::new(&self.rule, calendar),
            self.follows_elapsed_time,
            after,
            zone,
        )
    }

    /// Whether no day of any year fits it, as in `0 0 31 2 *`.
    pub fn never_fires(&self) -> bool {
        self.rule.never_fires()
    }

    /// Why it never fires, for one that does not.
    pub fn why_never(&self) -> Text {
        words::never(&self.rule)
    }

    /// What is legal but surely not meant, in the order of the text; [`Cron::never_fires`] aside.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// In words: `at 01:00 every day`, `每天 01:00`; `never` and why where it never fires.
    pub fn describe(&self) -> Text {
        if self.never_fires() {
            let Text { zh, en } = self.why_never();
            return Text::new(format!("永远不会触发（{zh}）"), format!("never ({en})"));
        }
        words::describe(&self.rule)
    }

    /// Whether a day of month stands there without effect, because a weekday is set.
    pub fn is_day_ignored(&self) -> bool {
        self.notes.contains(&Note::DayIgnored)
    }

    /// Where more than five fields stand without effect.
    pub fn surplus(&self) -> Option<Range<usize>> {
        self.notes.iter().find_map(|note| match note {
            Note::Surplus { range, .. } => Some(range.clone()),
            _ => None,
        })
    }
}

#[cfg(test)]
mod english_tests;
#[cfg(test)]
mod tests;
