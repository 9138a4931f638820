//! What of a history is kept: all of it, or what a failure was cut down to.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::plan::SECOND;

/// Trouble that comes by itself all the time, beside the numbered steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Habit {
    /// Calls of the store that are slow or lost.
    Store,
    /// Messages that are slow, or arrive after their connection was cut.
    Messages,
    /// Crashes and cuts just when an attempt is sent or started, and slow flushes.
    Moments,
    /// Processes that hang.
    Hangs,
}

impl Habit {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Store, Self::Messages, Self::Moments, Self::Hangs];

    fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Messages => "messages",
            Self::Moments => "moments",
            Self::Hangs => "hangs",
        }
    }
}

/// Which steps (what people do, and faults, numbered as they come) and habits a history has. As text, what is left
/// out is left out: `3,17-20 store busy=600` keeps five steps, the store's trouble and ten minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Steps by number; `None`: all.
    pub steps: Option<BTreeSet<u32>>,
    /// Habits.
    pub habits: BTreeSet<Habit>,
    /// Seconds until everything gets quiet; `None`: as drawn.
    pub busy_seconds: Option<u64>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            steps: None,
            habits: Habit::ALL.iter().copied().collect(),
            busy_seconds: None,
        }
    }
}

impl Kept {
    pub(crate) fn has_step(&self, number: u32) -> bool {
        self.steps
            .as_ref()
            .is_none_or(|steps| steps.contains(&number))
    }

    pub(crate) fn has(&self, habit: Habit) -> bool {
        self.habits.contains(&habit)
    }

    pub(crate) fn busy(&self, drawn: u64) -> u64 {
        self.busy_seconds
            .map_or(drawn, |seconds| drawn.min(seconds * SECOND))
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        match &self.steps {
            None => words.push("all".to_owned()),
            Some(steps) => words.extend(runs(steps)),
        }
        words.extend(self.habits.iter().map(|habit| habit.name().to_owned()));
        words.extend(self.busy_seconds.map(|seconds| format!("busy={seconds}")));
        f.write_str(&words.join(" "))
    }
}

/// The steps as one word; none for no steps.
fn runs(steps: &BTreeSet<u32>) -> Option<String> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &step in steps {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == step => *last = step,
            _ => runs.push((step, step)),
        }
    }
    let words: Vec<String> = runs
        .iter()
        .map(|(first, last)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first}-{last}")
            }
        })
        .collect();
    (!words.is_empty()).then(|| words.join(","))
}

impl FromStr for Kept {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut kept = Self {
            steps: Some(BTreeSet::new()),
            habits: BTreeSet::new(),
            busy_seconds: None,
        };
        for word in text.split_whitespace() {
            let unknown = || format!("`{word}` is neither steps, nor a habit, nor busy=SECONDS");
            if word == "all" {
                kept.steps = None;
            } else if let Some(habit) = Habit::ALL.iter().find(|habit| habit.name() == word) {
                kept.habits.insert(*habit);
            } else if let Some(seconds) = word.strip_prefix("busy=") {
                kept.busy_seconds = Some(seconds.parse().map_err(|_| unknown())?);
            } else {
                for run in word.split(',') {
                    let run = range(run).ok_or_else(unknown)?;
                    kept.steps.get_or_insert_default().extend(run);
                }
            }
        }
        Ok(kept)
    }
}

fn range(word: &str) -> Option<RangeInclusive<u32>> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_survives_being_written_and_read() {
        for text in [
            "all store messages moments hangs",
            "1,3-5 store busy=60",
            "hangs",
            "",
        ] {
            assert_eq!(text.parse::<Kept>().unwrap().to_string(), text);
        }
        assert_eq!(Kept::default().to_string().parse(), Ok(Kept::default()));
    }

    #[test]
    fn an_unknown_word_is_named() {
        for text in ["weather", "1-x", "busy=long"] {
            assert!(text.parse::<Kept>().unwrap_err().contains(text));
        }
    }
}
