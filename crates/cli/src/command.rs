//! One module per object.

mod backfill;
mod capsule;
mod check;
mod cluster;
mod cron;
mod eval;
mod forecast;
mod format;
mod front;
mod instance;
mod instance_end;
mod instance_view;
mod link;
mod mail;
mod problems;
mod reasons;
mod search;
mod steering;
mod test;
mod util;
mod watch;
mod why;
mod workflow;
mod workflow_check;
mod workflow_measurements;
mod workflow_state;
mod workflow_view;

use clap::ArgMatches;

use crate::client::Answer;
use crate::context::Context;
use crate::exit::exit_code;
use crate::failure::Failure;

/// The exit code of a command.
type Outcome = Result<u8, Failure>;

/// Runs what was typed.
pub(crate) fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let (name, matches) = matches.subcommand().expect("clap requires a command");
    match name {
        "front" => front::run(context),
        "workflow" => workflow::run(context, matches),
        "instance" => instance::run(context, matches),
        "util" => util::run(context, matches),
        "check" => check::run(context, matches),
        "cron" => cron::run(context, matches),
        "eval" => eval::run(context, matches),
        "capsule" => capsule::export(context, matches),
        "replay" => capsule::replay(context, matches),
        "test" => test::run(context, matches),
        "forecast" => forecast::run(context, matches),
        "why" => why::run(context, matches),
        "cluster" => cluster::run(context, matches),
        "backfill" => backfill::run(context, matches),
        "mail" => mail::run(context, matches),
        "link" => link::run(context, matches),
        "pool" => steering::pool(context, matches),
        "worker" => cluster::worker(context, matches),
        "fmt" => format::run(context, matches),
        "xsd" => xsd(),
        "completions" => completions(context, matches),
        other => unreachable!("clap knows no command {other}"),
    }
}

fn xsd() -> Outcome {
    let bodies = akkaflow_actions::Registry::builtin().shapes();
    out!("{}", akkaflow_model::xsd::schema(&bodies));
    Ok(0)
}

fn completions(context: &Context, matches: &ArgMatches) -> Outcome {
    let shell = *matches
        .get_one::<clap_complete::Shell>("SHELL")
        .expect("clap requires it");
    let mut command = crate::arguments::command(context.screen.lang);
    clap_complete::generate(shell, &mut command, "akka", &mut std::io::stdout());
    Ok(0)
}

/// A required argument.
fn required<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).expect("clap requires it")
}

/// An optional one.
fn optional<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches.get_one::<String>(name).map(String::as_str)
}

/// Prints what programs read.
fn print_json(answer: &Answer) -> Outcome {
    outln!("{}", answer.body.trim_end());
    Ok(0)
}

/// Tells of what the caller may not have meant.
fn warn(context: &Context, warning: &str) {
    eprintln!("{}{warning}", context.say("警告：", "warning: "));
}

/// Asks akkaflow's own interface and prints its line.
fn print_legacy(context: &Context, path: &str, form: Option<&[(&str, &str)]>) -> Outcome {
    let answer = context.client.legacy(path, form)?;
    outln!("{}", answer.line);
    for warning in answer.warnings.lines() {
        warn(context, warning);
    }
    Ok(answer.code.map_or(0, exit_code))
}
