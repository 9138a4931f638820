//! Many histories on all cores.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::sim::{self, History, Planted, Recipe, Stats};

/// How many histories to live.
#[derive(Debug, Clone, Copy)]
pub struct Campaign {
    /// The first seed.
    pub from: u64,
    /// At most so many histories.
    pub seeds: u64,
    /// No history begins later than so long after the beginning.
    pub limit: Option<Duration>,
    /// Under which planted fault.
    pub planted: Option<Planted>,
    /// Whether the first violation ends it.
    pub stops_at_first: bool,
}

/// What came of it. All seeds from [`Campaign::from`] on, `seeds` of them, were lived to their end.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Histories.
    pub seeds: u64,
    /// Sums over all histories.
    pub stats: Stats,
    /// Histories with a restart of a master and a lost worker.
    pub troubled: u64,
    /// Histories that broke a rule, by seed.
    pub violated: Vec<History>,
}

/// Histories that broke a rule and are kept.
const KEPT_VIOLATIONS: usize = 100;

impl Campaign {
    /// Lives the histories, a thread on each core.
    pub fn run(&self) -> Totals {
        let begin = Instant::now();
        let next = AtomicU64::new(self.from);
        let end = AtomicU64::new(self.from.saturating_add(self.seeds));
        let totals = Mutex::new(Totals::default());
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while self.limit.is_none_or(|limit| begin.elapsed() < limit) {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= end.load(Ordering::Relaxed) {
                            return;
                        }
                        let history = sim::run(&Recipe::of(seed, self.planted));
                        if self.stops_at_first && history.violation.is_some() {
                            end.fetch_min(seed, Ordering::Relaxed);
                        }
                        let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
                        totals.add(history);
                    }
                });
            }
        });
        let mut totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
        totals.violated.sort_by_key(|history| history.recipe.seed);
        totals
    }
}

impl Totals {
    fn add(&mut self, history: History) {
        self.seeds += 1;
        self.stats.add(&history.stats);
        let is_troubled = history.stats.master_restarts > 0 && history.stats.lost_workers > 0;
        self.troubled += u64::from(is_troubled);
        if history.violation.is_some() && self.violated.len() < KEPT_VIOLATIONS {
            self.violated.push(history);
        }
    }

    /// The violated history with the smallest seed.
    pub fn first_violation(&self) -> Option<&History> {
        self.violated.first()
    }
}
