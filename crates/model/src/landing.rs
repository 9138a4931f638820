//! Landing time: by when an instance shall have ended, and what is said of one that will not have.

use std::time::Duration;

use chrono::{Days, NaiveDateTime, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::text::Text;
use crate::time::Timestamp;

/// The most days that a deadline may lie behind the scheduled time.
const MOST_DAYS: u32 = 366;
/// The same as a length of time.
const LONGEST_SECONDS: u64 = MOST_DAYS as u64 * 86_400;

/// By when the instances of a workflow shall have ended: `08:30`, `08:30 +1d` or `2h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// The first such time of day after the scheduled time, and so many days later.
    Clock {
        /// In the zone of the workflow.
        time: NaiveTime,
        /// Added.
        days: u32,
    },
    /// So long after the scheduled time.
    After {
        /// How long.
        seconds: u64,
    },
}

impl Deadline {
    /// Reads `HH:mm`, `HH:mm +Nd`, or a length of time.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if !text.contains(':') {
            // A bare number could mean an hour as well.
            let has_unit = text.ends_with(|letter: char| letter.is_ascii_alphabetic());
            let seconds = crate::shape::parse_duration(text).filter(|_| has_unit)?;
            return (seconds <= LONGEST_SECONDS).then_some(Self::After { seconds });
        }
        let (time, days) = match text.split_once('+') {
            Some((time, days)) => (time.trim_end(), days.strip_suffix('d')?.trim_end()),
            None => (text, "0"),
        };
        let is_number = !days.is_empty() && days.bytes().all(|byte| byte.is_ascii_digit());
        let days: u32 = is_number.then(|| days.parse().ok())??;
        let time = NaiveTime::parse_from_str(time, "%H:%M").ok()?;
        (days <= MOST_DAYS).then_some(Self::Clock { time, days })
    }

    /// The moment that it means for an instance of this scheduled time.
    pub fn at(self, fire_time: Timestamp, zone: Tz) -> Timestamp {
        match self {
            Self::After { seconds } => fire_time.plus(Duration::from_secs(seconds)),
            Self::Clock { time, days } => {
                let local = fire_time.to_utc().with_timezone(&zone).naive_local();
                let moment = |date: NaiveDateTime| crate::cron::moment_of(date, zone);
                let same_day = local.date().and_time(time);
                let first = if moment(same_day).is_some_and(|at| at > fire_time) {
                    Some(same_day)
                } else {
                    same_day.checked_add_signed(TimeDelta::days(1))
                };
                let last = first.and_then(|first| first.checked_add_days(Days::new(days.into())));
                // Beyond the calendar nothing is ever late.
                last.and_then(moment)
                    .unwrap_or(Timestamp::from_millis(i64::MAX))
            }
        }
    }
}

/// How long one node usually takes, as the history of its successes says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsualTime {
    /// The node.
    pub node: String,
    /// From when an attempt is given to a worker until it ends; for what looks again and again, from its first look.
    pub ms: u64,
}

/// The deadline of an instance, and what people were told about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landing {
    /// By when it shall have ended. It stays as it was when the instance was made.
    pub deadline: Timestamp,
    /// How long its nodes usually take; `None` until the history was looked up.
    pub usual: Option<Vec<UsualTime>>,
    /// That it was expected to end too late, before the deadline passed.
    pub late: Option<LandingNotice>,
    /// That the deadline passed before it had ended.
    pub missed: Option<LandingNotice>,
}

/// That an instance ends too late, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandingNotice {
    /// When it was found.
    pub at: Timestamp,
    /// The run in which it was.
    pub run: u32,
    /// Whether the instance was still in its queue.
    pub was_waiting: bool,
    /// When it was expected to end, as far as anything was known.
    pub expected: Timestamp,
    /// The node without whose delay it would be in time; `None` where no node is as far behind: it began too late.
    pub blame: Option<Blame>,
    /// The actions of the critical path, those that have ended first.
    pub path: Vec<String>,
}

/// A node that takes too long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blame {
    /// Its name.
    pub node: String,
    /// How much longer it has taken by then than it usually does, its wait for a worker included; `None` when too little is
    /// known of what it usually takes.
    pub behind_ms: Option<u64>,
}

impl Landing {
    /// What is said of the warning, with the times of a zone.
    pub fn late_text(&self, late: &LandingNotice, zone: Tz) -> Text {
        let deadline = self.deadline.wall_clock(zone);
        // Rounded up, so that it reads as later than the deadline by whatever it is.
        let millis = late.expected.as_millis();
        let second = Timestamp::from_millis(millis.saturating_add(999).div_euclid(1000) * 1000);
        let expected = second.wall_clock(zone);
        let why = late.why();
        Text::new(
            format!("预计{expected}结束，晚于期限{deadline}；{}", why.zh),
            format!(
                "is expected to end at {expected}, after its deadline {deadline}; {}",
                why.en
            ),
        )
    }

    /// What is said once the deadline has passed.
    pub fn missed_text(&self, missed: &LandingNotice, zone: Tz) -> Text {
        let deadline = self.deadline.wall_clock(zone);
        let why = missed.why();
        Text::new(
            format!("已错过期限{deadline}；{}", why.zh),
            format!("has missed its deadline {deadline}; {}", why.en),
        )
    }
}

impl LandingNotice {
    fn why(&self) -> Text {
        let path = self.path.join(" → ");
        let (on_zh, on_en) = if path.is_empty() {
            (String::new(), String::new())
        } else {
            (
                format!("；关键路径：{path}"),
                format!("; critical path: {path}"),
            )
        };
        match &self.blame {
            Some(Blame {
                node,
                behind_ms: None,
            }) => Text::new(
                format!("责任节点[{node}]平时的耗时未知{on_zh}"),
                format!("node `{node}` is to blame; how long it usually takes is not known{on_en}"),
            ),
            Some(Blame {
                node,
                behind_ms: Some(behind_ms),
            }) => {
                let behind = length(*behind_ms);
                Text::new(
                    format!("责任节点[{node}]比平时慢{behind}{on_zh}"),
                    format!("node `{node}` is to blame, {behind} behind its usual time{on_en}"),
                )
            }
            None if self.was_waiting => Text::new(
                format!("实例仍在排队{on_zh}"),
                format!("it has not left the queue{on_en}"),
            ),
            None => Text::new(
                format!("没有节点明显落后，实例开始得太晚{on_zh}"),
                format!("no node is as far behind: it began too late{on_en}"),
            ),
        }
    }
}

/// `2h05m`, `7m30s` or `12s`.
fn length(ms: u64) -> String {
    let seconds = ms.div_ceil(1000);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let time = chrono::DateTime::parse_from_rfc3339(text).unwrap();
        Timestamp::from_millis(time.timestamp_millis())
    }

    fn of(deadline: &str, fire_time: &str, zone: Tz) -> Timestamp {
        Deadline::parse(deadline).unwrap().at(at(fire_time), zone)
    }

    #[test]
    fn a_time_of_day_is_the_next_one_after_the_scheduled_time() {
        let zone = Tz::Asia__Shanghai;
        // 02:00 and 22:00 in Shanghai.
        let (night, evening) = ("2026-03-01T18:00:00Z", "2026-03-01T14:00:00Z");
        assert_eq!(of("08:30", night, zone), at("2026-03-02T00:30:00Z"));
        assert_eq!(of("08:30", evening, zone), at("2026-03-02T00:30:00Z"));
        assert_eq!(of("08:30 +1d", night, zone), at("2026-03-03T00:30:00Z"));
        assert_eq!(of("02:00", night, zone), at("2026-03-02T18:00:00Z"));
    }

    #[test]
    fn a_length_of_time_counts_from_the_scheduled_time() {
        let night = "2026-03-01T18:00:00Z";
        assert_eq!(of("90m", night, Tz::UTC), at("2026-03-01T19:30:00Z"));
        assert_eq!(of("1d", night, Tz::UTC), at("2026-03-02T18:00:00Z"));
    }

    #[test]
    fn a_time_in_a_gap_of_the_wall_is_its_end() {
        // Berlin goes from 02:00 to 03:00 on that night.
        let evening = "2026-03-28T22:00:00Z";
        assert_eq!(
            of("02:30", evening, Tz::Europe__Berlin),
            at("2026-03-29T01:00:00Z")
        );
    }

    #[test]
    fn near_misses_are_none() {
        for text in [
            "",
            "8",
            "0",
            "24:00",
            "08:60",
            "8h30m",
            "08:30 1d",
            "08:30 +d",
            "08:30 +1",
            "08:30 +1h",
            "08:30 +367d",
            "08:30:00",
            "+1d",
            "-1h",
            "367d",
            "08:30 +-1d",
            "八点",
        ] {
            let read = Deadline::parse(text);
            assert_eq!(read, None, "{text}");
        }
    }

    #[test]
    fn lengths_read_well() {
        assert_eq!(length(1), "1s");
        assert_eq!(length(450_000), "7m30s");
        assert_eq!(length(7_500_000), "2h05m");
    }
}
