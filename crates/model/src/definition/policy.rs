//! What happens when runs overlap, fail, or are missed.

use std::time::Duration;

use crate::id::AttemptKey;
use crate::shape::words;

/// No pause is longer: it keeps growing ones within what a moment can hold.
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 24 * 3600);

/// What happens when a new instance comes while others fill the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overlap {
    /// It waits its turn.
    #[default]
    Queue,
    /// It is not started, and that is recorded.
    Skip,
    /// The oldest running instance is killed for it.
    CancelRunning,
}

/// What happens to the other branches when a node fails for good and nothing takes care of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailurePolicy {
    /// Running actions are cancelled.
    #[default]
    CancelRunning,
    /// Running actions may finish, no new ones start.
    FinishRunning,
    /// Whatever does not come after the failed node still runs.
    FinishPossible,
}

/// What becomes of slots of a schedule that passed while nobody could fire them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Misfire {
    /// They become one instance, of the latest slot.
    #[default]
    Once,
    /// Each becomes an instance, the earliest first.
    All,
    /// None does.
    Skip,
    /// As `Once`, for slots that are not older than so many seconds.
    Deadline {
        /// The greatest age.
        seconds: u64,
    },
}

/// When attempts follow each other, and after which failures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RetryRule {
    /// How long the pauses are.
    pub backoff: Backoff,
    /// The exit codes after which another attempt is made; `None` for every failure that may be retried.
    pub exit_codes: Option<CodeRanges>,
}

impl RetryRule {
    /// Whether an attempt that ended with this exit code, or without one, is followed by another.
    pub fn applies_to(&self, exit_code: Option<i32>) -> bool {
        let codes = self.exit_codes.as_ref();
        codes.is_none_or(|codes| exit_code.is_some_and(|code| codes.contains(code)))
    }
}

/// How long the pauses between attempts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backoff {
    /// How they grow from `interval`.
    pub growth: Growth,
    /// The longest, seconds; `None` for no limit.
    pub max_seconds: Option<u64>,
    /// Up to so many hundredths are added or taken away at random.
    pub jitter_percent: u8,
}

impl Backoff {
    /// The pause after the attempt `key`, the `failures`th that failed, where the first pause is `interval_seconds`.
    ///
    /// Chance comes from the attempt's name alone, so that whoever asks gets the same answer.
    pub fn pause(&self, interval_seconds: u64, failures: u32, key: &AttemptKey) -> Duration {
        let times = match self.growth {
            Growth::Fixed => 1,
            Growth::Linear => u64::from(failures.max(1)),
            Growth::Exponential => 1_u64
                .checked_shl(failures.saturating_sub(1))
                .unwrap_or(u64::MAX),
        };
        let longest = self.max_seconds.map_or(LONGEST_PAUSE, Duration::from_secs);
        let longest = longest.min(LONGEST_PAUSE);
        let pause = Duration::from_secs(interval_seconds.saturating_mul(times)).min(longest);
        self.jittered(pause, key).min(longest)
    }

    fn jittered(&self, pause: Duration, key: &AttemptKey) -> Duration {
        let millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        let most = millis / 100 * u64::from(self.jitter_percent.min(100));
        if most == 0 {
            return pause;
        }
        let drawn = key.scatter() % (2 * most + 1);
        Duration::from_millis(millis - most + drawn)
    }
}

/// How pauses grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Growth {
    /// All alike.
    #[default]
    Fixed,
    /// By the first one each time.
    Linear,
    /// Twice as long each time.
    Exponential,
}

/// Whole numbers and ranges of them: `1,75,100-110`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CodeRanges(pub Vec<(u16, u16)>);

impl CodeRanges {
    /// Reads `1,75,100-110`.
    ///
    /// # Errors
    /// The first item that is neither a number nor a rising range of two.
    pub fn parse(text: &str) -> Result<Self, &str> {
        let mut ranges = Vec::new();
        for item in words(text) {
            ranges.push(parse_range(item).ok_or(item)?);
        }
        if ranges.is_empty() {
            return Err(text);
        }
        Ok(Self(ranges))
    }

    /// Whether `code` is among them.
    pub fn contains(&self, code: i32) -> bool {
        self.0
            .iter()
            .any(|(first, last)| (i32::from(*first)..=i32::from(*last)).contains(&code))
    }

    /// Whether all of them are.
    pub(crate) fn lies_within(&self, min: u16, max: u16) -> bool {
        self.0
            .iter()
            .all(|(first, last)| *first >= min && *last <= max)
    }
}

fn parse_range(item: &str) -> Option<(u16, u16)> {
    let (first, last) = item.split_once('-').unwrap_or((item, item));
    let number = |text: &str| {
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| is_plain)
    };
    let range = (number(first)?, number(last)?);
    (range.0 <= range.1).then_some(range)
}

/// What a limit in time covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeoutScope {
    /// The whole node, retries included.
    #[default]
    Node,
    /// Each attempt.
    Attempt,
}

/// What happens when a limit in time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnTimeout {
    /// The node has failed, and takes its error edge.
    #[default]
    Fail,
    /// The instance is killed.
    Kill,
}

/// A share of something scarce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// How much of it the node takes; at least 1.
    pub slots: u32,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Backoff, CodeRanges, Growth};
    use crate::id::{AttemptKey, InstanceId};

    fn key(attempt: u32) -> AttemptKey {
        AttemptKey {
            instance: InstanceId::from_u128(7),
            node: "load".into(),
            run: 1,
            attempt,
        }
    }

    fn seconds(backoff: Backoff, interval: u64) -> Vec<u64> {
        [1, 2, 3, 4, 100]
            .map(|failures| backoff.pause(interval, failures, &key(failures)).as_secs())
            .to_vec()
    }

    #[test]
    fn pauses_grow_up_to_their_limit() {
        let of = |growth, max_seconds| Backoff {
            growth,
            max_seconds,
            jitter_percent: 0,
        };
        assert_eq!(seconds(of(Growth::Fixed, None), 5), [5, 5, 5, 5, 5]);
        assert_eq!(seconds(of(Growth::Linear, None), 5), [5, 10, 15, 20, 500]);
        assert_eq!(
            seconds(of(Growth::Exponential, Some(30)), 5),
            [5, 10, 20, 30, 30]
        );
        let month = 30 * 24 * 3600;
        assert_eq!(
            seconds(of(Growth::Exponential, None), 5),
            [5, 10, 20, 40, month]
        );
        assert_eq!(seconds(of(Growth::Exponential, None), 0), [0; 5]);
    }

    #[test]
    fn jitter_stays_within_its_share_and_the_limit_and_is_the_same_for_the_same_attempt() {
        let backoff = Backoff {
            growth: Growth::Fixed,
            max_seconds: Some(110),
            jitter_percent: 20,
        };
        let pauses: Vec<Duration> = (1..500).map(|n| backoff.pause(100, 1, &key(n))).collect();
        let again: Vec<Duration> = (1..500).map(|n| backoff.pause(100, 1, &key(n))).collect();
        assert_eq!(pauses, again);
        let [least, most] = [pauses.iter().min(), pauses.iter().max()].map(Option::unwrap);
        assert!((80..83).contains(&least.as_secs()), "{least:?}");
        assert_eq!(most.as_secs(), 110);
    }

    #[test]
    fn codes_are_numbers_and_ranges() {
        let codes = CodeRanges::parse(" 1, 75 100-110").unwrap();
        assert_eq!(codes, CodeRanges(vec![(1, 1), (75, 75), (100, 110)]));
        assert!(codes.contains(105) && !codes.contains(111) && !codes.contains(-1));
        assert!(codes.lies_within(1, 110) && !codes.lies_within(1, 109));
        for (text, wrong) in [
            ("1,x", "x"),
            ("9-3", "9-3"),
            ("", ""),
            ("+1", "+1"),
            ("65536", "65536"),
        ] {
            assert_eq!(CodeRanges::parse(text), Err(wrong), "{text}");
        }
    }
}
