//! akkaflow's cron dialect: five fields, minute hour day-of-month month weekday.
//!
//! | form | where | means |
//! |---|---|---|
//! | `*`, `n`, `a-b`, `*/n`, `a-b/n`, `x,y` | everywhere | any, one, a range, every n-th, several |
//! | `L` | day of month | the last day |
//! | `d#n` | weekday | the n-th weekday d of the month |
//! | `dL` | weekday | the last weekday d of the month; `L` alone is Saturday |
//! | `JAN`, `MON` | month, weekday | English names in any case |
//!
//! Weekdays are 0 to 6 from Sunday, 7 is Sunday too. When a weekday is set the day of month is ignored, and a sixth
//! field is ignored always, as akkaflow 2.12 does.
//!
//! **Daylight saving.** A schedule with a fixed hour fires once a slot: at the first moment after a gap that swallows
//! it, and at the first occurrence when the clock is set back. A schedule whose hour is `*` or `*/n` follows elapsed
//! time: it skips what does not exist and goes on through the repeated hour.

mod days;
mod parse;
mod zone;

use std::fmt;
use std::ops::Range;

use chrono_tz::Tz;

use crate::text::Text;
use crate::time::Timestamp;
use days::Alternative;
pub(crate) use zone::moment_of;

/// A schedule: which minutes of which days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    /// A slot is whatever one of these names.
    alternatives: Vec<Alternative>,
    /// Whether the hour is `*` or `*/n`.
    follows_elapsed_time: bool,
    is_day_ignored: bool,
    surplus: Option<Range<usize>>,
}

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronError {
    /// What is wrong.
    pub message: Text,
    /// Where, in bytes of the text.
    pub range: Range<usize>,
}

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message.en)
    }
}

impl std::error::Error for CronError {}

impl Cron {
    /// Reads five fields.
    ///
    /// # Errors
    /// [`CronError`] naming the field that is wrong.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        parse::parse(text)
    }

    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first slot strictly after `after` in `zone`; `None` when none follows within 41 years, or before 2101.
    /// Never panics.
    pub fn next_after(&self, after: Timestamp, zone: Tz) -> Option<Timestamp> {
        zone::next_after(self, after, zone)
    }

    /// Whether a day of month stands there without effect, because a weekday is set.
    pub fn is_day_ignored(&self) -> bool {
        self.is_day_ignored
    }

    /// Where more than five fields stand without effect.
    pub fn surplus(&self) -> Option<Range<usize>> {
        self.surplus.clone()
    }
}

#[cfg(test)]
mod tests;
