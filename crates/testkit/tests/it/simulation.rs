//! Whole clusters from seeds: nothing that the contract forbids happens, and what is planted is found.

#![expect(
    clippy::print_stdout,
    reason = "a failing history is told, and figures are shown"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use akkaflow_testkit::sim::{self, History, Planted, Stats};

/// Histories in an ordinary test run.
const SEEDS: u64 = 20_000;

/// Lines of a failing history that are printed; all of them with `AKKAFLOW_TELL`.
const TRACE_LINES: usize = 200;

/// Within so many histories every planted fault is found.
const SEEDS_PER_FAULT: u64 = 20_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// Lives histories on all cores until one is violated or `count` are over.
fn first_violation(
    count: u64,
    planted: Option<Planted>,
    watch: impl Fn(&History) + Sync,
) -> Option<History> {
    let next = AtomicU64::new(0);
    let end = AtomicU64::new(count);
    let found: Mutex<Option<History>> = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end.load(Ordering::Relaxed) {
                        return;
                    }
                    let history = sim::run(seed, planted);
                    watch(&history);
                    if history.violation.is_some() {
                        end.fetch_min(seed, Ordering::Relaxed);
                        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                        // The smallest seed is the one that is told.
                        if found.as_ref().is_none_or(|other| seed < other.seed) {
                            *found = Some(history);
                        }
                    }
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Tells the history of a seed and fails.
fn report(seed: u64, planted: Option<Planted>) -> ! {
    let history = sim::tell(seed, planted);
    let lines = if std::env::var_os("AKKAFLOW_TELL").is_some() {
        usize::MAX
    } else {
        TRACE_LINES
    };
    for line in &history.trace[history.trace.len().saturating_sub(lines)..] {
        println!("{line}");
    }
    println!("{:?}", history.stats);
    println!(
        "again: AKKAFLOW_SEED={seed} cargo test -p akkaflow-testkit --test it simulation::no_history_breaks_the_contract"
    );
    panic!("seed {seed}: {}", history.violation.unwrap_or_default());
}

#[test]
fn no_history_breaks_the_contract() {
    if let Some(seed) = number("AKKAFLOW_SEED") {
        let planted = std::env::var("AKKAFLOW_PLANTED").ok();
        let planted = Planted::ALL
            .iter()
            .find(|fault| planted == Some(format!("{fault:?}")))
            .copied();
        let history = sim::run(seed, planted);
        if history.violation.is_some() || std::env::var_os("AKKAFLOW_TELL").is_some() {
            report(seed, planted);
        }
        return;
    }
    let seeds = number("AKKAFLOW_SIM_SEEDS").unwrap_or(SEEDS);
    let begin = Instant::now();
    let sums = Mutex::new((Stats::default(), 0_u64));
    let found = first_violation(seeds, None, |history| {
        let mut sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
        let stats = &history.stats;
        sums.0.inputs += stats.inputs;
        sums.0.events += stats.events;
        sums.0.executions += stats.executions;
        sums.0.instances += stats.instances;
        sums.0.commits += stats.commits;
        sums.0.master_restarts += stats.master_restarts;
        sums.0.lost_workers += stats.lost_workers;
        sums.1 += u64::from(stats.master_restarts > 0 && stats.lost_workers > 0);
    });
    if let Some(history) = found {
        report(history.seed, None);
    }
    let (sum, troubled) = *sums.lock().unwrap_or_else(PoisonError::into_inner);
    let elapsed = begin.elapsed().as_secs_f64();
    println!(
        "{seeds} histories in {elapsed:.1} s ({:.0}/s), a history: {} inputs, {} events, {} instances, {} executions, \
         {} commits; {}% with a restart and a lost worker",
        seeds as f64 / elapsed,
        sum.inputs / seeds,
        sum.events / seeds,
        sum.instances / seeds,
        sum.executions / seeds,
        sum.commits / seeds,
        100 * troubled / seeds,
    );
    assert!(sum.inputs / seeds >= 300, "histories are too short");
    assert!(2 * troubled >= seeds, "too few histories are troubled");
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in 0..50 {
        let first = sim::run(seed, None);
        assert_eq!(first, sim::run(seed, None), "seed {seed}");
        assert_eq!(first.hash, sim::tell(seed, None).hash, "told, seed {seed}");
    }
}

#[test]
fn every_planted_fault_is_found() {
    let mut missed = Vec::new();
    for planted in Planted::ALL {
        match first_violation(SEEDS_PER_FAULT, Some(*planted), |_| ()) {
            Some(history) => println!(
                "{planted:?}: seed {}: {}",
                history.seed,
                history.violation.unwrap_or_default()
            ),
            None => missed.push(*planted),
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}
