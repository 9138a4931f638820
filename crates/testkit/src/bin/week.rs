//! Lives a week of a busy cluster and tells its figures: see `akkaflow_testkit::week`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is what it is for"
)]

use std::process::ExitCode;
use std::time::Instant;

use akkaflow_testkit::week::{Options, live};
use clap::Parser;

/// Lives a week of a busy cluster in virtual time. Ends with 1 when something was lost, doubled, or late without a reason.
#[derive(Debug, Parser)]
#[command(name = "week")]
struct Arguments {
    /// The source of all chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many workflows there are.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(200..=100_000))]
    workflows: u32,
    /// How many days.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=60))]
    days: u32,
    /// Print rows of Markdown instead of columns.
    #[arg(long)]
    markdown: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let begin = Instant::now();
    let options = Options {
        seed: arguments.seed,
        workflows: arguments.workflows as usize,
        days: arguments.days,
    };
    let report = live(options, &mut |day| {
        eprintln!("{:4} s: {day}", begin.elapsed().as_secs());
    });
    let seconds = begin.elapsed().as_secs();
    if arguments.markdown {
        println!("{}| wall time | {seconds} s |", report.rows());
    } else {
        println!("{report}wall time: {seconds} s");
    }
    match report.violation {
        None => ExitCode::SUCCESS,
        Some(text) => {
            eprintln!("seed {}: {text}", arguments.seed);
            ExitCode::FAILURE
        }
    }
}
