//! What happens when runs overlap, fail, or are missed.

use crate::shape::words;

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
    use super::CodeRanges;

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
