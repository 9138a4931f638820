//! Do the tests notice when the code is wrong? Mutants of the pure crates, and what the tests make of them.
//!
//! All mutants of a run are built at once and sleep; a variable of the environment wakes one of them, so that nothing is built
//! for each. A mutant is killed when a test fails under it, or takes many times longer than without. What is known is kept
//! below `target/`: another call goes on, and after changes it tries again what survived.

mod build;
mod copy;
mod draw;
mod places;
mod rewrite;
mod state;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::bench::today;
use crate::prove::{commit, target_directory};
use build::Build;
use draw::{Candidate, candidates, draw, hash};
use places::{Place, Shape, places};
use rewrite::{MODULE, Spots, rewrite};
use state::{State, Verdict};
use trial::{Ending, Trial, trials};

/// How many mutants, which ones.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many mutants.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    count: u32,
    /// What draws them.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Begin no trial after so many minutes; another call goes on. With 0 they are only built.
    #[arg(long)]
    minutes: Option<u64>,
    /// How many histories are lived under a mutant that the other tests did not kill.
    #[arg(long, default_value_t = 500)]
    histories: u64,
    /// Forget what earlier runs found.
    #[arg(long)]
    fresh: bool,
}

/// The crates that are mutated.
const CRATES: &[&str] = &["engine", "protocol"];

/// Mutants that are tried at a time.
const AT_A_TIME: usize = 2;

/// The share of mutants that must be killed.
const MARK: f64 = 95.0;

pub(crate) fn run(options: &Options) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().context("find the repository")?;
    let directory = target_directory(&root)?.join("mutate");
    std::fs::create_dir_all(&directory).context("make a directory for mutants")?;
    let file = directory.join("state.json");
    let mut state = if options.fresh {
        State::default()
    } else {
        State::read(&file)?
    };
    let all = find(&root)?;
    state.look_at(fingerprint(&root)?);
    let build = Build {
        workspace: directory.join("workspace"),
        target: directory.join("build"),
    };
    let mutants = plant(&root, &build, &all, options, &mut state, &file)?;
    let mut trials = trials(&build.programs()?, &build.workspace, options.histories);
    let end = options
        .minutes
        .map(|minutes| Instant::now() + Duration::from_secs(minutes * 60));
    if is_time(end) {
        measure(&mut trials)?;
    }
    let state = Mutex::new(state);
    try_all(&mutants, &trials, &state, &file, end)?;
    let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    let head = format!("{}, {}, seed {}", today(), commit(&root), options.seed);
    conclude(&head, &all, &mutants, &state)
}

/// All candidates of the crates.
fn find(root: &Path) -> Result<Vec<Candidate>> {
    let mut all = Vec::new();
    for name in CRATES {
        for file in copy::sources(root, &format!("crates/{name}/src"))? {
            // Only tests ask what must always hold.
            if file.ends_with("/invariants.rs") || file.ends_with("/tests.rs") {
                continue;
            }
            let found = places(&text(root, &file)?).with_context(|| file.clone())?;
            all.extend(candidates(&file, found));
        }
    }
    Ok(all)
}

fn text(root: &Path, file: &str) -> Result<String> {
    std::fs::read_to_string(root.join(file)).with_context(|| format!("read {file}"))
}

/// Of the sources and tests that decide over mutants.
fn fingerprint(root: &Path) -> Result<u64> {
    let mut sum = 0;
    for name in ["engine", "protocol", "testkit", "model"] {
        for file in copy::sources(root, &format!("crates/{name}"))? {
            sum = hash(sum, &text(root, &file)?);
        }
    }
    Ok(sum)
}

/// Draws mutants and writes them into the copy, until all of them compile. They are numbered from 1.
fn plant<'a>(
    root: &Path,
    build: &Build,
    all: &'a [Candidate],
    options: &Options,
    state: &mut State,
    file: &Path,
) -> Result<Vec<&'a Candidate>> {
    loop {
        let drawn = draw(all, &state.unfit(), options.seed, options.count as usize);
        say(&format!(
            "{} of {} places drawn with seed {}",
            drawn.len(),
            all.len(),
            options.seed
        ));
        let spots = write(root, &build.workspace, &drawn)?;
        let unfit = build.unfit(&spots)?;
        if unfit.is_empty() {
            return Ok(drawn);
        }
        say(&format!("{} do not compile, others are drawn", unfit.len()));
        for number in unfit {
            state.set(&drawn[number as usize - 1].key, Verdict::Unfit);
        }
        state.write(file)?;
    }
}

/// Writes the copy with the mutants in it; says where each stands.
fn write(root: &Path, workspace: &Path, drawn: &[&Candidate]) -> Result<BTreeMap<String, Spots>> {
    let mut by_file: BTreeMap<String, Vec<(u32, &Place)>> = CRATES
        .iter()
        .map(|name| (format!("crates/{name}/src/lib.rs"), Vec::new()))
        .collect();
    let mut changed: BTreeSet<String> = BTreeSet::new();
    for (candidate, number) in drawn.iter().zip(1..) {
        let mutants = by_file.entry(candidate.file.clone()).or_default();
        mutants.push((number, &candidate.place));
    }
    for name in CRATES {
        let module = format!("crates/{name}/src/mutant.rs");
        copy::put(&workspace.join(&module), MODULE.as_bytes())?;
        changed.insert(module);
    }
    let mut spots = BTreeMap::new();
    for (name, mut mutants) in by_file {
        mutants.sort_by_key(|(_, place)| (place.range.start, place.range.end));
        let (mut new, found) = rewrite(&text(root, &name)?, &mutants);
        if name.ends_with("/src/lib.rs") {
            new.push_str("\nmod mutant;\n");
        }
        copy::put(&workspace.join(&name), new.as_bytes())?;
        spots.insert(name.clone(), found);
        changed.insert(name);
    }
    copy::copy(root, workspace, &changed)?;
    Ok(spots)
}

fn is_time(end: Option<Instant>) -> bool {
    end.is_none_or(|end| Instant::now() < end)
}

/// Runs all trials without a mutant, and puts the cheap ones first.
fn measure(trials: &mut [Trial]) -> Result<()> {
    for trial in trials.iter_mut() {
        trial.measure()?;
        let seconds = trial.cost.as_secs_f64();
        say(&format!("{} without a mutant: {seconds:.1} s", trial.name));
    }
    trials.sort_by_key(|trial| trial.cost);
    Ok(())
}

/// Tries what has no verdict yet, and writes down each.
fn try_all(
    mutants: &[&Candidate],
    trials: &[Trial],
    state: &Mutex<State>,
    file: &Path,
    end: Option<Instant>,
) -> Result<()> {
    let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
    let open: Vec<(u32, &Candidate)> = (1..)
        .zip(mutants.iter().copied())
        .filter(|(_, mutant)| lock().verdict(&mutant.key).is_none())
        .collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || -> Result<()> {
        while is_time(end) {
            let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some((number, mutant)) = open.get(index) else {
                break;
            };
            let verdict = judge(*number, mutant, trials)?;
            let word = match &verdict {
                Verdict::Killed(by) => format!("killed by {by}"),
                _ => "SURVIVED".to_owned(),
            };
            say(&format!(
                "{} left; {word}: {}",
                open.len() - index - 1,
                words(mutant)
            ));
            let mut state = lock();
            state.set(&mutant.key, verdict);
            state.write(file)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_A_TIME).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
}

fn judge(number: u32, mutant: &Candidate, trials: &[Trial]) -> Result<Verdict> {
    let package = mutant.file.split('/').nth(1).unwrap_or_default();
    for trial in trials.iter().filter(|trial| trial.sees(package)) {
        match trial.run(number)? {
            Ending::Passed => {}
            Ending::Failed => return Ok(Verdict::Killed(trial.name.clone())),
            Ending::TookTooLong => {
                return Ok(Verdict::Killed(format!("the time of {}", trial.name)));
            }
        }
    }
    Ok(Verdict::Survived)
}

/// The place of a mutant, and what it does.
fn words(mutant: &Candidate) -> String {
    let short = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let place = &mutant.place;
    let mutated = match place.shape {
        Shape::Statement => "(left out)".to_owned(),
        Shape::Expression | Shape::Entry => format!("`{}`", short(&place.mutated)),
    };
    let at = format!("{}:{} ({})", mutant.file, place.line, place.function);
    format!("{at}: `{}` -> {mutated}", short(&place.original))
}

/// Counts, and tells of each that survived.
fn conclude(head: &str, all: &[Candidate], mutants: &[&Candidate], state: &State) -> Result<()> {
    let mut killed = BTreeMap::<&str, usize>::new();
    let (mut survivors, mut open) = (Vec::new(), 0);
    for mutant in mutants {
        match state.verdict(&mutant.key) {
            Some(Verdict::Killed(by)) => *killed.entry(by).or_default() += 1,
            Some(Verdict::Survived) => survivors.push(*mutant),
            Some(Verdict::Unfit) | None => open += 1,
        }
    }
    let deaths: usize = killed.values().sum();
    let tried = deaths + survivors.len();
    let share = 100.0 * deaths as f64 / tried.max(1) as f64;
    print(&format!(
        "{head}: {} mutants of {} places, {tried} tried, {deaths} killed ({share:.1} %), {} survived",
        mutants.len(),
        all.len(),
        survivors.len()
    ));
    for (by, count) in killed {
        print(&format!("  {count} by {by}"));
    }
    for survivor in &survivors {
        print(&format!("survived: {}", words(survivor)));
    }
    if open > 0 {
        print(&format!("{open} are left: call it again"));
    }
    ensure!(
        open > 0 || share >= MARK,
        "fewer than {MARK} % of the mutants were killed"
    );
    Ok(())
}

#[expect(clippy::print_stderr, reason = "for the person who waits")]
fn say(line: &str) {
    eprintln!("{line}");
}

#[expect(clippy::print_stdout, reason = "this is what it is for")]
fn print(line: &str) {
    println!("{line}");
}
