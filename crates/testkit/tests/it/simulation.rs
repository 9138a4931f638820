//! Whole clusters from seeds: nothing that the contract forbids happens, and what is planted is found.

#![expect(
    clippy::print_stdout,
    reason = "a failing history is told, and figures are shown"
)]

use std::time::{Duration, Instant};

use akkaflow_testkit::campaign::{Campaign, Totals};
use akkaflow_testkit::report::report;
use akkaflow_testkit::sim::{self, Kept, Planted, Recipe};

/// Histories in an ordinary test run.
const SEEDS: u64 = 20_000;

/// Lines of a failing history that are printed; all of them with `AKKAFLOW_TELL`.
const TRACE_LINES: usize = 200;

/// Within so many histories every planted fault is found.
const SEEDS_PER_FAULT: u64 = 20_000;

/// How long a failing history may be cut down, unless `AKKAFLOW_SIM_SHRINK_SECONDS` says so.
const SHRINKING: Duration = Duration::from_secs(60);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn lines() -> usize {
    match std::env::var_os("AKKAFLOW_TELL") {
        Some(_) => usize::MAX,
        None => TRACE_LINES,
    }
}

fn until_the_first_violation(seeds: u64, planted: Option<Planted>) -> Totals {
    let campaign = Campaign {
        from: 0,
        seeds,
        limit: None,
        planted,
        stops_at_first: true,
    };
    campaign.run()
}

/// What the environment asks to live again.
fn wanted() -> Option<Recipe> {
    let seed = number("AKKAFLOW_SEED")?;
    let planted = std::env::var("AKKAFLOW_PLANTED").ok().map(|name| {
        let named = |fault: &&Planted| format!("{fault:?}") == name;
        *Planted::ALL
            .iter()
            .find(named)
            .expect("AKKAFLOW_PLANTED names a planted fault")
    });
    let kept = std::env::var("AKKAFLOW_KEEP")
        .map_or(Kept::default(), |text| text.parse().expect("AKKAFLOW_KEEP"));
    Some(Recipe {
        seed,
        planted,
        kept,
    })
}

/// Lives one history again. What was cut down already is told as it is.
fn again(recipe: &Recipe) {
    let history = sim::run(recipe);
    if history.violation.is_none() && std::env::var_os("AKKAFLOW_TELL").is_none() {
        return;
    }
    if recipe.kept == Kept::default() && history.violation.is_some() {
        print!("{}", report(&history, SHRINKING, lines()));
    } else {
        let told = sim::tell(recipe);
        for line in &told.trace[told.trace.len().saturating_sub(lines())..] {
            println!("{line}");
        }
        println!("{:?}", told.stats);
    }
    if let Some(violation) = &history.violation {
        panic!("seed {}: {violation}", recipe.seed);
    }
}

#[test]
fn no_history_breaks_the_contract() {
    if let Some(recipe) = wanted() {
        return again(&recipe);
    }
    let begin = Instant::now();
    let totals = until_the_first_violation(number("AKKAFLOW_SIM_SEEDS").unwrap_or(SEEDS), None);
    if let Some(history) = totals.first_violation() {
        let shrinking =
            number("AKKAFLOW_SIM_SHRINK_SECONDS").map_or(SHRINKING, Duration::from_secs);
        print!("{}", report(history, shrinking, lines()));
        panic!("seed {}: {:?}", history.recipe.seed, history.violation);
    }
    let (seeds, sum) = (totals.seeds, totals.stats);
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
        100 * totals.troubled / seeds,
    );
    assert!(sum.events / seeds >= 2_000, "histories are too short");
    assert!(
        2 * totals.troubled >= seeds,
        "too few histories are troubled"
    );
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in 0..50 {
        let recipe = Recipe::of(seed, None);
        let first = sim::run(&recipe);
        assert_eq!(first, sim::run(&recipe), "seed {seed}");
        assert_eq!(first.hash, sim::tell(&recipe).hash, "told, seed {seed}");
    }
}

#[test]
fn other_seeds_give_other_histories() {
    let hash = |seed| sim::run(&Recipe::of(seed, None)).hash;
    let hashes: std::collections::BTreeSet<u64> = (0..20).map(hash).collect();
    assert_eq!(hashes.len(), 20);
}

#[test]
fn a_failing_history_is_cut_down_and_lives_again() {
    // One that goes on for a while before it fails: a short one holds little to cut.
    let whole = (0..SEEDS_PER_FAULT)
        .map(|seed| sim::run(&Recipe::of(seed, Some(Planted::KillAnsweredAtOnce))))
        .find(|history| history.violation.is_some() && history.steps >= 40)
        .expect("it is found");
    let whole = &whole;
    let begin = Instant::now();
    let smallest = sim::shrink(whole, || begin.elapsed() < SHRINKING);
    let kept = |recipe: &Recipe| {
        recipe
            .kept
            .steps
            .as_ref()
            .map_or(usize::MAX, |steps| steps.len())
    };
    assert!(
        2 * kept(&smallest.recipe) < whole.steps as usize,
        "{}",
        smallest.recipe.command()
    );
    assert_eq!(smallest.rule(), whole.rule());
    // The way from text, as a reader of the report goes.
    let read: Kept = smallest.recipe.kept.to_string().parse().unwrap();
    let again = sim::run(&Recipe {
        kept: read,
        ..smallest.recipe.clone()
    });
    assert_eq!(
        (again.hash, again.violation),
        (smallest.hash, smallest.violation)
    );
}

#[test]
fn a_history_that_breaks_no_rule_is_not_cut_down() {
    let history = sim::run(&Recipe::of(0, None));
    assert_eq!(sim::shrink(&history, || true), history);
}

#[test]
fn every_planted_fault_is_found() {
    let mut missed = Vec::new();
    for planted in Planted::ALL {
        match until_the_first_violation(SEEDS_PER_FAULT, Some(*planted)).first_violation() {
            Some(history) => println!(
                "{planted:?}: seed {}: {}",
                history.recipe.seed,
                history.violation.as_deref().unwrap_or_default()
            ),
            None => missed.push(*planted),
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}

#[test]
fn the_page_of_proofs_lists_every_planted_fault() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/proof.md");
    let page = std::fs::read_to_string(page).unwrap();
    for planted in Planted::ALL {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| {planted:?} |")))
            .unwrap_or_else(|| panic!("run `cargo xtask prove --faults`: {planted:?} is missing"));
        assert!(!row.contains("not in"), "{row}");
        assert!(
            row.contains(planted.what()),
            "run `cargo xtask prove --faults`: {row}"
        );
    }
}
