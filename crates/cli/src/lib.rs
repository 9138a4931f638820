//! The `akka` command: akkaflow 2.12's commands in their single-dash form, the same and more as `akka workflow info NAME`.
//!
//! **Invariants:** data goes to standard output, all else to standard error; no colour when piped; every failure ends
//! with the exit code of its kind (`exit`).
//!
//! | module | holds |
//! |---|---|
//! | `rewrite`, `arguments`, `help`, `usage` | what was typed, what may be typed, and how a mistake is said |
//! | `context`, `client`, `failure`, `exit` | language and server, requests, what went wrong |
//! | `screen`, `layout`, `out` | tables, times, durations, colours; standard output |
//! | `command` | one module per object |

#![expect(
    clippy::print_stderr,
    reason = "a command line tells people what went wrong"
)]

#[macro_use]
mod out;

mod arguments;
mod client;
mod command;
mod context;
mod exit;
mod failure;
mod help;
mod layout;
mod rehearsal;
mod rewrite;
mod screen;
mod usage;

use std::ffi::OsString;

pub use arguments::command;
use context::Context;
pub use exit::exit_code;

/// Runs the command; gives its exit code.
pub fn main_of(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let typed: Vec<String> = arguments
        .into_iter()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let rewritten = rewrite::rewrite(typed);
    let lang = context::language(rewritten.is_legacy, |name| std::env::var(name).ok());
    if rewritten.arguments.is_empty() {
        out!("{}", help::banner(lang));
        // As akkaflow 2.12 ends; what is typed wrongly ends with 2.
        return exit::FAILED;
    }
    let mut clap = arguments::command(lang);
    let matches = match clap
        .try_get_matches_from_mut(std::iter::once("akka".to_owned()).chain(rewritten.arguments))
    {
        Ok(matches) => matches,
        Err(error) => return usage::report(&error, lang),
    };
    let context = Context::new(&matches, lang, rewritten.is_legacy);
    match command::run(&context, &matches) {
        Ok(code) => {
            out!("{}", context.screen.zone_line());
            code
        }
        Err(failure) => {
            eprint!("{}", failure.render(&context));
            failure.exit_code()
        }
    }
}
