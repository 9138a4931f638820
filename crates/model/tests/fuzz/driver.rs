//! Runs a target on the corpus and on what mutations make of it, and watches over it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::coverage::Coverage;
use crate::memory;
use crate::mutate::{Random, mutated};

/// What one target may take beside the bare program, its corpus included.
const MOST_KIB: u64 = 64 << 10;
/// An input that takes more processor time hangs.
const HANG: Duration = Duration::from_secs(30);
/// So does one that takes longer, however little the machine leaves to this process.
const STUCK: Duration = Duration::from_secs(1_800);
/// How often the watch looks.
const LOOK: Duration = Duration::from_millis(250);
/// Inputs of a run guided by coverage.
const LARGEST_CORPUS: usize = 20_000;

/// Set in the process of a single target.
const ALONE: &str = "AKKAFLOW_FUZZ_ALONE";

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs the corpus and `runs` mutations, or as many as `AKKAFLOW_FUZZ_RUNS` says, in a process of its own: its memory is then
/// the target's.
pub(crate) fn run(name: &str, runs: u64, corpus: &[Vec<u8>], target: fn(&[u8])) {
    if std::env::var_os(ALONE).is_some() {
        return run_here(name, runs, corpus, target);
    }
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(ALONE, "1")
        .status()
        .unwrap();
    assert!(status.success(), "{name} ended with {status}; see above");
}

fn run_here(name: &str, runs: u64, corpus: &[Vec<u8>], target: fn(&[u8])) {
    let seed = number("AKKAFLOW_SEED").unwrap_or(20_261_121);
    let runs = number("AKKAFLOW_FUZZ_RUNS").unwrap_or(runs);
    eprintln!(
        "{name}: AKKAFLOW_SEED={seed}, {runs} runs, {} inputs in the corpus",
        corpus.len()
    );
    let mut corpus = corpus.to_vec();
    corpus.extend(kept(name));
    let before = memory::forget_peak();
    let watch = Watch::start(name);
    let mut coverage = Coverage::new();
    for input in &corpus {
        execute(name, &watch, target, input);
        coverage.take_in();
    }
    let mut random = Random::new(seed);
    for count in 0..runs {
        let input = mutated(&mut random, &corpus);
        execute(name, &watch, target, &input);
        if !Coverage::is_counted() && before.is_some_and(|before| taken_since(before) > MOST_KIB) {
            fail(
                name,
                &input,
                &format!("takes {} KiB in all", before.map_or(0, taken_since)),
            );
        }
        if coverage.take_in() && corpus.len() < LARGEST_CORPUS {
            keep(name, &input);
            corpus.push(input);
        }
        if Coverage::is_counted() && count % 100_000 == 99_999 {
            eprintln!(
                "{name}: {} runs, {} inputs, {} counters reached",
                count + 1,
                corpus.len(),
                coverage.reached()
            );
        }
    }
    if let (Some(before), Some(peak)) = (before, memory::peak()) {
        let taken = peak.saturating_sub(before);
        eprintln!("{name}: {runs} runs done, {taken} KiB taken at most");
        // Counting takes memory of its own, and so does a corpus that grows.
        assert!(
            Coverage::is_counted() || taken <= MOST_KIB,
            "{name} took {taken} KiB"
        );
    }
}

fn execute(name: &str, watch: &Watch, target: fn(&[u8]), input: &[u8]) {
    watch.begin(input);
    let outcome = catch_unwind(AssertUnwindSafe(|| target(input)));
    watch.end();
    if outcome.is_err() {
        fail(name, input, "panics, see above");
    }
}

fn fail(name: &str, input: &[u8], what: &str) -> ! {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"));
    std::fs::write(&path, input).unwrap();
    panic!(
        "{name}: {} {what} (also in {})",
        shown(input),
        path.display()
    );
}

/// What was taken at most, in KiB.
fn taken_since(before: u64) -> u64 {
    memory::peak().map_or(0, |peak| peak.saturating_sub(before))
}

fn shown(input: &[u8]) -> String {
    let text: String = input.escape_ascii().to_string();
    text.chars().take(2_000).collect()
}

/// Inputs that an earlier run guided by coverage has found.
fn kept(name: &str) -> Vec<Vec<u8>> {
    let Some(directory) = directory(name) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

fn keep(name: &str, input: &[u8]) {
    if let Some(directory) = directory(name) {
        std::fs::create_dir_all(&directory).unwrap();
        let hash = input.iter().fold(0_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(1_099_511_628_211)
        });
        std::fs::write(directory.join(format!("{hash:016x}")), input).unwrap();
    }
}

fn directory(name: &str) -> Option<PathBuf> {
    Some(PathBuf::from(std::env::var_os("AKKAFLOW_FUZZ_FOUND")?).join(name))
}

/// Ends the program when an input takes too long: a loop without end cannot be ended otherwise.
struct Watch {
    input: Arc<Mutex<Option<Vec<u8>>>>,
    count: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
}

impl Watch {
    fn start(name: &str) -> Self {
        let watch = Self {
            input: Arc::default(),
            count: Arc::default(),
            is_over: Arc::default(),
        };
        let (input, count, is_over) = (
            watch.input.clone(),
            watch.count.clone(),
            watch.is_over.clone(),
        );
        let name = name.to_owned();
        std::thread::spawn(move || {
            let (mut last, mut waited, mut busy) = (usize::MAX, Duration::ZERO, clock::busy());
            while !is_over.load(Ordering::Relaxed) {
                std::thread::sleep(LOOK);
                let now = count.load(Ordering::Relaxed);
                waited += LOOK;
                if now != last {
                    (last, waited, busy) = (now, Duration::ZERO, clock::busy());
                }
                let is_hanging = waited >= STUCK || clock::busy() >= busy + HANG;
                let input = input.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(input) = input.as_ref().filter(|_| is_hanging) {
                    eprintln!("{name} hangs on {}", shown(input));
                    std::process::abort();
                }
            }
        });
        watch
    }

    fn begin(&self, input: &[u8]) {
        self.count.fetch_add(1, Ordering::Relaxed);
        *self.input.lock().unwrap_or_else(PoisonError::into_inner) = Some(input.to_vec());
    }

    fn end(&self) {
        *self.input.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}
