//! The next fires as people want to see them.

use chrono::{Days, NaiveDate, NaiveDateTime, Offset};
use chrono_tz::Tz;

use crate::cron::{Moment, Wall, moment_of};
use crate::schedule::{Schedule, wall_time};
use crate::text::Text;
use crate::time::Timestamp;

/// One coming fire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fire {
    /// When.
    pub at: Timestamp,
    /// What the wall shows then.
    pub local: NaiveDateTime,
    /// How far the wall is ahead of UTC, seconds.
    pub offset_seconds: i32,
    /// What is special about the clock that day.
    pub clock: Option<ClockMark>,
    /// What the calendar calls the day.
    pub day_name: Option<String>,
    /// Whether the day lies beyond what the calendar knows, so that only weekends count.
    pub is_beyond_calendar: bool,
}

/// What is special about the clock on a day at which it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockMark {
    /// The local time asked for does not exist: it fires at the end of the gap.
    Gap {
        /// The local time asked for.
        asked: NaiveDateTime,
    },
    /// The local time comes twice, and this is the first.
    First,
    /// This is the second.
    Second,
    /// The clock changes on this day, by so many seconds, but not at this time.
    ChangeDay {
        /// Positive when it is put forward.
        seconds: i32,
    },
}

impl ClockMark {
    /// What it means.
    pub fn text(self) -> Text {
        match self {
            Self::Gap { asked } => {
                let asked = asked.format("%H:%M:%S").to_string();
                let asked = asked.strip_suffix(":00").unwrap_or(&asked);
                Text::new(
                    format!("夏令时：当天没有{asked}，在时钟拨快后立即触发"),
                    format!(
                        "daylight saving: {asked} does not exist, fires when the clock has jumped"
                    ),
                )
            }
            Self::First => Text::new(
                "夏令时：该时刻出现两次，此为第一次",
                "daylight saving: this time comes twice, this is the first",
            ),
            Self::Second => Text::new(
                "夏令时：该时刻出现两次，此为第二次",
                "daylight saving: this time comes twice, this is the second",
            ),
            Self::ChangeDay { seconds } => {
                let minutes = seconds.abs() / 60;
                let (zh, en) = if seconds > 0 {
                    ("拨快", "forward")
                } else {
                    ("拨慢", "back")
                };
                Text::new(
                    format!("夏令时：当天时钟{zh}{minutes}分钟"),
                    format!("daylight saving: the clock goes {en} {minutes} minutes that day"),
                )
            }
        }
    }

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gap { .. } => "gap",
            Self::First => "first",
            Self::Second => "second",
            Self::ChangeDay { .. } => "change-day",
        }
    }
}

impl Schedule {
    /// The next `count` fires strictly after `after`, fewer when no more follow.
    pub fn preview(&self, after: Timestamp, count: usize) -> Vec<Fire> {
        let mut fires = Vec::new();
        let mut after = after;
        while fires.len() < count {
            let Some((at, moment)) = self.next_moment(after) else {
                break;
            };
            fires.push(self.fire(at, moment));
            after = at;
        }
        fires
    }

    fn fire(&self, at: Timestamp, moment: Option<Moment>) -> Fire {
        let wall = wall_time(at, self.zone);
        let date = wall.date_naive();
        let calendar = self.calendar.as_ref().map(|(calendar, _)| calendar);
        let clock = match moment.map(|moment| (moment.wall, moment.slot)) {
            Some((Wall::Gap, asked)) => Some(ClockMark::Gap { asked }),
            Some((Wall::First, _)) => Some(ClockMark::First),
            Some((Wall::Second, _)) => Some(ClockMark::Second),
            Some((Wall::Once, _)) | None => change_on(date, self.zone),
        };
        Fire {
            at,
            local: wall.naive_local(),
            offset_seconds: wall.offset().fix().local_minus_utc(),
            clock,
            day_name: calendar
                .and_then(|calendar| calendar.day_name(date))
                .map(str::to_owned),
            is_beyond_calendar: calendar
                .and_then(|calendar| calendar.known_until())
                .is_some_and(|last| date > last),
        }
    }
}

/// How the clock changes between the begin of a day and that of the next.
fn change_on(date: NaiveDate, zone: Tz) -> Option<ClockMark> {
    let offset = |date: NaiveDate| {
        let begin = moment_of(date.and_hms_opt(0, 0, 0)?, zone)?;
        Some(wall_time(begin, zone).offset().fix().local_minus_utc())
    };
    let seconds = offset(date.checked_add_days(Days::new(1))?)? - offset(date)?;
    (seconds != 0).then_some(ClockMark::ChangeDay { seconds })
}
