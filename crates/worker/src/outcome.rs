//! How the end of a process or task is told.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use akkaflow_model::outcome::{Figures, Outcome, OutcomeKind};
use akkaflow_model::text::Text;

use crate::home::AttemptHome;
use crate::outputs;
use crate::supervisor::{Cause, Exit};

/// So much of the last output on standard error stands in the message, characters.
const EXCERPT: usize = 300;

/// A failure in words.
pub(crate) fn failed(kind: OutcomeKind, text: Text) -> Outcome {
    Outcome {
        text: Some(text),
        ..Outcome::new(kind)
    }
}

/// It looked, and what it waits for is not there yet.
pub(crate) fn not_yet(seen: Vec<(String, String)>) -> Outcome {
    Outcome {
        outputs: seen,
        ..Outcome::new(OutcomeKind::NotYet)
    }
}

/// It cannot begin before something is there.
pub(crate) fn cannot_begin(why: Text) -> Outcome {
    failed(OutcomeKind::NotYet, why)
}

/// Stopped, and proven gone.
pub(crate) fn cancelled() -> Outcome {
    Outcome::new(OutcomeKind::Cancelled)
}

/// It ended with the worker.
pub(crate) fn lost() -> Outcome {
    failed(
        OutcomeKind::Lost,
        Text::new(
            "随worker、其监管进程或机器一起终止",
            "ended with its worker, its supervisor or its machine",
        ),
    )
}

/// The outcome of a process. `was_cancelled` says whether a master asked for the kill; `home` is where its standard error
/// went, and what it hands on.
pub(crate) fn of_exit(exit: &Exit, was_cancelled: bool, home: &AttemptHome) -> Outcome {
    let figures = exit.used.map(|used| {
        Box::new(Figures {
            cpu_millis: Some(used.cpu_millis),
            peak_memory: used.peak_memory,
            ..Figures::default()
        })
    });
    let outcome = match exit.cause {
        Cause::Killed if was_cancelled => cancelled(),
        Cause::Killed => lost(),
        Cause::OutOfContact => failed(
            OutcomeKind::Lost,
            Text::new(
                "与master失联过久，进程已被终止",
                "killed after its worker had been out of contact with any master for too long",
            ),
        ),
        Cause::Itself => of_own_end(exit, home),
    };
    Outcome { figures, ..outcome }
}

fn of_own_end(exit: &Exit, home: &AttemptHome) -> Outcome {
    let text = match (exit.code, exit.signal) {
        (Some(0), _) => None,
        (Some(code), _) => Some(Text::new(
            format!("退出码 {code}"),
            format!("exit code {code}"),
        )),
        (None, Some(signal)) => {
            let name = signal_name(signal);
            Some(Text::new(
                format!("被信号 {name} 终止"),
                format!("ended by signal {name}"),
            ))
        }
        (None, None) => return lost(),
    };
    let outputs = match text {
        None => outputs::read_all(home),
        Some(text) => Err(with_excerpt(text, &home.err())),
    };
    let (kind, text, outputs) = match outputs {
        Ok(outputs) => (OutcomeKind::Succeeded, None, outputs),
        Err(text) => (OutcomeKind::Failed, Some(text), Vec::new()),
    };
    Outcome {
        text,
        exit_code: exit.code,
        outputs,
        ..Outcome::new(kind)
    }
}

/// The process could not be started.
pub(crate) fn not_started(reason: &str) -> Outcome {
    failed(
        OutcomeKind::Failed,
        Text::new(
            format!("无法启动进程: {reason}"),
            format!("cannot start the process: {reason}"),
        ),
    )
}

/// A task's code broke down.
pub(crate) fn panicked(message: &str) -> Outcome {
    failed(
        OutcomeKind::Failed,
        Text::new(
            format!("动作内部错误，请报告此问题: {message}"),
            format!("internal error of the action, please report it: {message}"),
        ),
    )
}

fn with_excerpt(text: Text, err: &Path) -> Text {
    let excerpt = last_lines(err).unwrap_or_default();
    if excerpt.is_empty() {
        return text;
    }
    Text::new(
        format!("{}: {excerpt}", text.zh),
        format!("{}: {excerpt}", text.en),
    )
}

/// The last lines of a file, as many whole ones as fit, at least the end of the last.
fn last_lines(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let wanted = length.min(4 * EXCERPT as u64);
    let mut bytes = vec![0; usize::try_from(wanted).unwrap_or_default()];
    file.read_exact_at(&mut bytes, length - wanted)?;
    Ok(excerpt(&String::from_utf8_lossy(&bytes)))
}

fn excerpt(text: &str) -> String {
    let text = text.trim();
    let mut kept = String::new();
    for line in text.lines().rev().map(str::trim_end) {
        let candidate = if kept.is_empty() {
            line.to_owned()
        } else {
            format!("{line}\n{kept}")
        };
        let length = candidate.chars().count();
        if length > EXCERPT {
            if kept.is_empty() {
                kept = candidate.chars().skip(length - EXCERPT).collect();
            }
            break;
        }
        kept = candidate;
    }
    kept
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        10 => "SIGUSR1",
        11 => "SIGSEGV",
        12 => "SIGUSR2",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => return signal.to_string(),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(code: Option<i32>, signal: Option<i32>, cause: Cause) -> Exit {
        Exit {
            id: "x".to_owned(),
            code,
            signal,
            cause,
            is_alone: false,
            used: None,
            left: Vec::new(),
        }
    }

    fn nowhere() -> AttemptHome {
        AttemptHome::at("/nonexistent".into())
    }

    #[test]
    fn a_success_hands_on_what_it_has_written() {
        let directory = tempfile::tempdir().unwrap();
        let home = AttemptHome::at(directory.path().to_owned());
        let of = |code| of_exit(&exit(Some(code), None, Cause::Itself), false, &home);
        assert_eq!(of(0).outputs, []);
        std::fs::write(home.outputs(), "rows=42\n").unwrap();
        let rows = ("rows".to_owned(), "42".to_owned());
        assert_eq!(
            (of(0).kind, of(0).outputs),
            (OutcomeKind::Succeeded, vec![rows])
        );
        assert_eq!((of(1).kind, of(1).outputs), (OutcomeKind::Failed, vec![]));
        std::fs::write(home.outputs(), "rows\n").unwrap();
        let text = of(0).text.unwrap();
        assert_eq!(of(0).kind, OutcomeKind::Failed);
        assert!(
            text.en.contains("line 1 of $AKKAFLOW_OUTPUT"),
            "{}",
            text.en
        );
    }

    #[test]
    fn a_failure_says_its_code_and_the_last_words_on_standard_error() {
        let directory = tempfile::tempdir().unwrap();
        let home = AttemptHome::at(directory.path().to_owned());
        std::fs::write(home.err(), "warming up\nno such table: t\n").unwrap();
        let outcome = of_exit(&exit(Some(7), None, Cause::Itself), false, &home);
        assert_eq!(outcome.kind, OutcomeKind::Failed);
        assert_eq!(outcome.exit_code, Some(7));
        let text = outcome.text.unwrap();
        assert_eq!(text.en, "exit code 7: warming up\nno such table: t");
        assert_eq!(text.zh, "退出码 7: warming up\nno such table: t");
    }

    #[test]
    fn a_signal_is_named() {
        let outcome = of_exit(&exit(None, Some(9), Cause::Itself), false, &nowhere());
        let text = outcome.text.unwrap();
        assert_eq!(text.en, "ended by signal SIGKILL");
        assert_eq!(text.zh, "被信号 SIGKILL 终止");
    }

    #[test]
    fn a_kill_that_nobody_asked_for_is_a_loss() {
        let exit = exit(None, Some(9), Cause::Killed);
        let home = nowhere();
        assert_eq!(of_exit(&exit, true, &home).kind, OutcomeKind::Cancelled);
        assert_eq!(of_exit(&exit, false, &home).kind, OutcomeKind::Lost);
    }

    #[test]
    fn an_excerpt_keeps_whole_lines_and_at_most_300_characters() {
        let long = "长".repeat(400);
        assert_eq!(excerpt(&long).chars().count(), 300);
        assert_eq!(excerpt(&format!("{long}\nlast\n\n")), "last");
    }
}
