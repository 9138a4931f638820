//! A failing history in words: cut down, told, with the command that lives it again.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::sim::{self, History, shrink};

/// The report on a failing history: its smallest form that was found within `limit`, with the last `lines` of its trace.
pub fn report(history: &History, limit: Duration, lines: usize) -> String {
    let begin = Instant::now();
    let smallest = shrink(history, || begin.elapsed() < limit);
    let told = sim::tell(&smallest.recipe);
    let mut text = String::new();
    for line in &told.trace[told.trace.len().saturating_sub(lines)..] {
        text.push_str(line);
        text.push('\n');
    }
    let violation = |history: &History| history.violation.clone().unwrap_or_default();
    let kept = smallest
        .recipe
        .kept
        .steps
        .as_ref()
        .map_or(0, |steps| steps.len());
    let _ = write!(
        text,
        "{:?}\nseed {}: {}\n  whole: {} steps, {} events\n  again: {}\ncut down: {}\n  rest: {kept} steps, {} events ({:.1} s)\n  again: {}\n",
        told.stats,
        history.recipe.seed,
        violation(history),
        history.steps,
        history.stats.events,
        history.recipe.command(),
        violation(&smallest),
        smallest.stats.events,
        begin.elapsed().as_secs_f64(),
        smallest.recipe.command(),
    );
    text
}
