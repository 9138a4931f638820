//! Cuts a failing history down: fewer habits, fewer steps, a shorter time, as long as the same rule is broken.

use std::collections::BTreeSet;

use super::kept::{Habit, Kept};
use super::plan::SECOND;
use super::{History, Recipe, run};

/// Looks for a smaller history that breaks the same rule, until nothing more can go or `is_time_left` says no.
///
/// Returns `history` itself when it breaks no rule or cannot be made smaller.
pub fn shrink(history: &History, is_time_left: impl Fn() -> bool) -> History {
    let Some(rule) = history.rule().map(str::to_owned) else {
        return history.clone();
    };
    let mut shrinker = Shrinker {
        rule,
        smallest: history.clone(),
        is_time_left,
    };
    shrinker.drop_later_steps();
    let mut before = u64::MAX;
    // Rounds, because what can go depends on what has gone.
    while shrinker.size() < before && (shrinker.is_time_left)() {
        before = shrinker.size();
        shrinker.drop_habits();
        shrinker.drop_steps();
        shrinker.shorten();
    }
    shrinker.smallest
}

struct Shrinker<F> {
    rule: String,
    smallest: History,
    is_time_left: F,
}

impl<F: Fn() -> bool> Shrinker<F> {
    fn kept(&self) -> &Kept {
        &self.smallest.recipe.kept
    }

    fn steps(&self) -> Vec<u32> {
        self.kept().steps.iter().flatten().copied().collect()
    }

    /// Steps weigh most: they are what a reader has to understand.
    fn size(&self) -> u64 {
        let (steps, habits) = (self.steps().len() as u64, self.kept().habits.len() as u64);
        (steps + habits) * 1_000_000 + self.smallest.stats.events
    }

    /// Keeps the candidate if it breaks the same rule.
    fn attempt(&mut self, kept: Kept) -> bool {
        if !(self.is_time_left)() {
            return false;
        }
        let history = run(&Recipe {
            kept,
            ..self.smallest.recipe.clone()
        });
        let is_same = history.rule() == Some(self.rule.as_str());
        if is_same {
            self.smallest = history;
        }
        is_same
    }

    /// Steps that never came to pass before the rule was broken.
    fn drop_later_steps(&mut self) {
        let mut kept = self.kept().clone();
        let taken = 0..self.smallest.steps;
        kept.steps = Some(taken.filter(|step| kept.has_step(*step)).collect());
        // The steps left out had no say, so this cannot fail.
        self.smallest.recipe.kept = kept;
    }

    fn drop_habits(&mut self) {
        for habit in Habit::ALL {
            let mut kept = self.kept().clone();
            if kept.habits.remove(habit) {
                self.attempt(kept);
            }
        }
    }

    /// Leaves out runs of steps: all, halves, quarters, ..., single ones, the later ones first.
    fn drop_steps(&mut self) {
        let mut length = self.steps().len();
        while length > 0 {
            let mut end = self.steps().len();
            while end > 0 {
                let steps = self.steps();
                let begin = end.saturating_sub(length);
                let mut kept = self.kept().clone();
                let rest: BTreeSet<u32> = steps[..begin]
                    .iter()
                    .chain(&steps[end..])
                    .copied()
                    .collect();
                kept.steps = Some(rest);
                self.attempt(kept);
                end = begin;
            }
            length /= 2;
        }
    }

    /// Gets quiet earlier, by halves.
    fn shorten(&mut self) {
        loop {
            let now = self.smallest.busy / SECOND;
            let mut kept = self.kept().clone();
            kept.busy_seconds = Some(now / 2);
            if now < 2 || !self.attempt(kept) {
                return;
            }
        }
    }
}
