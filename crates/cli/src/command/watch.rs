//! Logs, and instances that are watched to their end.

use std::collections::VecDeque;
use std::thread::sleep;
use std::time::{Duration, Instant};

use akkaflow_api::{InstanceDetail, LOG_COMPLETE_HEADER, LOG_CURSOR_HEADER, LogLine};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::state::InstanceState;
use akkaflow_model::text::Lang;
use clap::ArgMatches;

use super::reasons::Reasons;
use super::{Outcome, instance_end};
use crate::client::encode;
use crate::context::Context;
use crate::exit::FAILED;
use crate::failure::Failure;

/// The first question comes so soon after the start.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Later ones at most so far apart: people notice nothing shorter.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// Output of an ended instance may be on its way so long without a line of it coming. Longer than the server holds back the
/// line that tells the end (10 s): output that was lost with its worker never comes.
const LAST_WORDS: Duration = Duration::from_secs(15);
/// A server that is gone or has no master may come back within this.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lines of one page: the most that the server gives.
const PAGE_LINES: u32 = 10_000;

/// One page of a log.
struct Page {
    lines: Vec<LogLine>,
    cursor: String,
    is_complete: bool,
}

/// Whether the command shall go on after the start.
pub(super) fn is_asked_for(matches: &ArgMatches) -> bool {
    matches.get_flag("wait") || matches.get_flag("follow")
}

/// Watches an instance that has just begun.
pub(super) fn after_start(context: &Context, id: &str, matches: &ArgMatches) -> Outcome {
    if matches.get_flag("follow") {
        return follow(context, id);
    }
    let detail = wait(context, id)?;
    if context.is_json {
        let json = serde_json::to_string(&detail).expect("plain data");
        outln!("{json}");
    } else {
        out!("{}", instance_end::render(&context.screen, &detail));
    }
    if matches.get_flag("log") {
        if !context.is_json {
            out!("\n");
            out!(
                "{}",
                context.screen.title("实例日志信息", "Log of the instance")
            );
        }
        print_settled_log(context, id)?;
    }
    Ok(code_of(detail.summary.state))
}

fn code_of(state: InstanceState) -> u8 {
    if state == InstanceState::Succeeded {
        0
    } else {
        FAILED
    }
}

/// Waits for the end.
fn wait(context: &Context, id: &str) -> Result<InstanceDetail, Failure> {
    let path = format!("/api/v1/instances/{}", encode(id));
    let mut pause = FIRST_PAUSE;
    let mut reasons = Reasons::new(id);
    loop {
        let detail: InstanceDetail = patiently(|| context.client.get(&path))?;
        if detail.summary.state.is_terminal() {
            return Ok(detail);
        }
        reasons.tell(context);
        sleep(pause);
        pause = (pause * 5 / 4).min(LONGEST_PAUSE);
    }
}

/// Asks again while nobody can answer: a take-over is no reason to give up watching.
fn patiently<T>(ask: impl Fn() -> Result<T, Failure>) -> Result<T, Failure> {
    let since = Instant::now();
    loop {
        match ask() {
            Err(failure)
                if failure.code == ErrorCode::Unavailable && since.elapsed() < PATIENCE =>
            {
                sleep(LONGEST_PAUSE);
            }
            outcome => return outcome,
        }
    }
}

/// Prints the log as it comes, to the end of the instance.
pub(super) fn follow(context: &Context, id: &str) -> Outcome {
    let mut cursor = String::new();
    let mut pause = FIRST_PAUSE;
    let mut over_since: Option<Instant> = None;
    let mut reasons = Reasons::new(id);
    loop {
        let page = patiently(|| page(context, id, &cursor))?;
        print_page(context, &page);
        cursor = page.cursor;
        if page.is_complete {
            break;
        }
        if !page.lines.is_empty() {
            (pause, over_since) = (FIRST_PAUSE, None);
            continue;
        }
        let path = format!("/api/v1/instances/{}", encode(id));
        let detail: InstanceDetail = patiently(|| context.client.get(&path))?;
        if detail.summary.state.is_terminal() {
            let since = *over_since.get_or_insert_with(Instant::now);
            if since.elapsed() > LAST_WORDS {
                tell_of_missing(context, id);
                break;
            }
        } else {
            reasons.tell(context);
        }
        sleep(pause);
        pause = (pause * 5 / 4).min(LONGEST_PAUSE);
    }
    let detail = wait(context, id)?;
    Ok(code_of(detail.summary.state))
}

/// Prints what there is now.
pub(super) fn print_log(context: &Context, id: &str) -> Outcome {
    let mut cursor = String::new();
    loop {
        let page = page(context, id, &cursor)?;
        print_page(context, &page);
        if page.is_complete || page.lines.is_empty() {
            return Ok(0);
        }
        cursor = page.cursor;
    }
}

/// Prints the last `count` lines that there are now.
pub(super) fn print_tail(context: &Context, id: &str, count: usize) -> Outcome {
    let mut kept = VecDeque::new();
    let mut cursor = String::new();
    loop {
        let page = page(context, id, &cursor)?;
        let is_last = page.is_complete || page.lines.is_empty();
        kept.extend(page.lines);
        kept.drain(..kept.len().saturating_sub(count));
        if is_last {
            print_lines(context, kept.iter());
            return Ok(0);
        }
        cursor = page.cursor;
    }
}

/// Prints the log of an ended instance to its last line: its end is known before all of its output has arrived.
fn print_settled_log(context: &Context, id: &str) -> Outcome {
    let mut cursor = String::new();
    let mut since = Instant::now();
    loop {
        let page = patiently(|| page(context, id, &cursor))?;
        print_page(context, &page);
        cursor = page.cursor;
        if page.is_complete {
            return Ok(0);
        }
        if !page.lines.is_empty() {
            since = Instant::now();
            continue;
        }
        if since.elapsed() > LAST_WORDS {
            tell_of_missing(context, id);
            return Ok(0);
        }
        sleep(FIRST_PAUSE);
    }
}

/// That some of the log has not arrived.
fn tell_of_missing(context: &Context, id: &str) {
    let seconds = LAST_WORDS.as_secs();
    let what = match context.screen.lang {
        Lang::Zh => {
            format!("日志不完整：{seconds}秒内没有收到其余输出；之后可用akka instance log {id}查看")
        }
        Lang::En => format!(
            "the log is not complete: the rest of the output has not arrived within {seconds} s; see akka instance log {id} later"
        ),
    };
    eprintln!("{what}");
}

fn page(context: &Context, id: &str, cursor: &str) -> Result<Page, Failure> {
    let path = format!(
        "/api/v1/instances/{}/logs?after={cursor}&limit={PAGE_LINES}",
        encode(id)
    );
    let answer = context.client.get_raw(&path)?;
    Ok(Page {
        lines: context.client.parse(&answer)?,
        cursor: answer
            .header(LOG_CURSOR_HEADER)
            .unwrap_or(cursor)
            .to_owned(),
        is_complete: answer.header(LOG_COMPLETE_HEADER) == Some("true"),
    })
}

/// With `--json` one line of JSON each.
fn print_page(context: &Context, page: &Page) {
    print_lines(context, page.lines.iter());
}

fn print_lines<'a>(context: &Context, lines: impl Iterator<Item = &'a LogLine>) {
    let mut text = String::new();
    for line in lines {
        if context.is_json {
            text.push_str(&serde_json::to_string(line).expect("plain data"));
            text.push('\n');
        } else {
            text.push_str(&context.screen.log_line(line));
        }
    }
    crate::out::write(&text);
}
