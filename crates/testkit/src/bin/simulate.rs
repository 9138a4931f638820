//! Lives histories of the simulator outside the tests: for long proofs, and for the table of planted faults.

#![expect(clippy::print_stdout, reason = "this is what it is for")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use akkaflow_testkit::campaign::Campaign;
use akkaflow_testkit::report::report;
use akkaflow_testkit::sim::Planted;
use clap::Parser;
use serde_json::json;

/// Lives simulated histories on all cores. Ends with 1 when one breaks the contract.
#[derive(Debug, Parser)]
#[command(name = "simulate")]
struct Options {
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many seeds at most.
    #[arg(long, default_value_t = u64::MAX)]
    seeds: u64,
    /// Begin no history after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// Look for planted faults instead: `all`, or names with commas. Prints a row of Markdown for each.
    #[arg(long, value_delimiter = ',')]
    planted: Vec<String>,
}

/// How long a failing history is cut down.
const SHRINKING: Duration = Duration::from_secs(60);

/// Lines of a failing history that are printed.
const LINES: usize = 100;

fn main() -> ExitCode {
    let options = Options::parse();
    let is_fine = if options.planted.is_empty() {
        prove(&options)
    } else {
        plant(&options)
    };
    if is_fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Lives what is asked for; the last line is a JSON object of totals.
fn prove(options: &Options) -> bool {
    let begin = Instant::now();
    let totals = Campaign {
        from: options.from,
        seeds: options.seeds,
        limit: options.seconds.map(Duration::from_secs),
        planted: None,
        stops_at_first: false,
    }
    .run();
    let seconds = begin.elapsed().as_secs_f64();
    if let Some(history) = totals.first_violation() {
        println!("{}", report(history, SHRINKING, LINES));
    }
    let violations: Vec<_> = totals
        .violated
        .iter()
        .map(|history| json!({"seed": history.recipe.seed, "text": history.violation}))
        .collect();
    let sums = json!({
        "from": options.from,
        "seeds": totals.seeds,
        "seconds": seconds,
        "events": totals.stats.events,
        "inputs": totals.stats.inputs,
        "troubled": totals.troubled,
        "violations": violations,
    });
    println!("{sums}");
    totals.violated.is_empty()
}

/// Looks for each fault and says after how many seeds it was found.
fn plant(options: &Options) -> bool {
    let is_wanted = |fault: &Planted| {
        let name = format!("{fault:?}");
        options
            .planted
            .iter()
            .any(|wanted| *wanted == name || wanted == "all")
    };
    let mut is_fine = true;
    for fault in Planted::ALL.iter().filter(|fault| is_wanted(fault)) {
        let totals = Campaign {
            from: options.from,
            seeds: options.seeds.min(20_000),
            limit: options.seconds.map(Duration::from_secs),
            planted: Some(*fault),
            stops_at_first: true,
        }
        .run();
        let found = totals.first_violation();
        is_fine &= found.is_some();
        let (seeds, rule) = match found {
            Some(history) => (
                (history.recipe.seed - options.from + 1).to_string(),
                history.rule().unwrap_or_default(),
            ),
            None => (format!("not in {}", totals.seeds), ""),
        };
        println!("| {fault:?} | {} | {seeds} | {rule} |", fault.what());
    }
    is_fine
}
