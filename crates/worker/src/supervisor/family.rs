//! Which processes belong to an attempt.
//!
//! This process is a subreaper: whatever descends from an attempt stays below us, whoever its parent was. A process that
//! left its group and lost its parents is recognised by its attempt and its worker, which are named in its environment.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use super::{MARKER, OWNER};

/// So much of a command is told, characters.
const COMMAND: usize = 120;

/// One process as `/proc` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Process {
    /// Its id.
    pub(super) pid: i32,
    /// When it was started, clock ticks since boot: with the id it names the process for ever.
    pub(super) started: u64,
    parent: i32,
    group: i32,
    session: i32,
    is_dead: bool,
}

/// All processes at one moment.
#[derive(Debug)]
pub(super) struct Census {
    us: i32,
    our_session: i32,
    processes: BTreeMap<i32, Process>,
}

impl Census {
    /// Reads `/proc`.
    pub(super) fn take() -> Self {
        let processes: BTreeMap<i32, Process> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter_map(read_process)
            .map(|process| (process.pid, process))
            .collect();
        let us = rustix::process::getpid().as_raw_nonzero().get();
        Self {
            us,
            our_session: processes.get(&us).map_or(0, |process| process.session),
            processes,
        }
    }

    /// Whether a process has made a session of its own, as daemons do.
    pub(super) fn is_detached(&self, process: &Process) -> bool {
        process.session != self.our_session
    }

    /// The living processes of an attempt: those below `main` or in its group, those seen before, and those whose
    /// environment names the attempt (`marker`) and the worker (`owner`). `mains` are the main processes of all attempts:
    /// what is below another of them is not ours.
    pub(super) fn family(
        &self,
        main: Option<i32>,
        marker: &str,
        owner: &OsStr,
        mains: &BTreeSet<i32>,
        seen: &BTreeSet<(i32, u64)>,
    ) -> Vec<Process> {
        let wanted = [
            variable(MARKER, marker.as_bytes()),
            variable(OWNER, owner.as_bytes()),
        ];
        self.processes
            .values()
            .filter(|process| !process.is_dead && process.pid != self.us)
            .filter(|process| {
                if seen.contains(&(process.pid, process.started)) {
                    return true;
                }
                if main.is_some_and(|main| process.group == main || process.session == main) {
                    return true;
                }
                match self.ancestor_among(process, mains) {
                    Ancestor::Main(ancestor) => main == Some(ancestor),
                    // Not below us: only of interest when nobody else knows this attempt any more.
                    Ancestor::Foreign if main.is_some() => false,
                    Ancestor::Us | Ancestor::Foreign => carries(process.pid, &wanted),
                }
            })
            .copied()
            .collect()
    }

    fn ancestor_among(&self, process: &Process, mains: &BTreeSet<i32>) -> Ancestor {
        let mut current = process;
        // A chain of parents read at different moments may, in theory, be circular.
        for _ in 0..self.processes.len() {
            if mains.contains(&current.pid) {
                return Ancestor::Main(current.pid);
            }
            if current.parent == self.us {
                return Ancestor::Us;
            }
            match self.processes.get(&current.parent) {
                Some(parent) => current = parent,
                None => break,
            }
        }
        Ancestor::Foreign
    }
}

enum Ancestor {
    Main(i32),
    Us,
    Foreign,
}

fn variable(name: &str, value: &[u8]) -> Vec<u8> {
    [name.as_bytes(), b"=", value].concat()
}

/// Whether all the variables stand in the environment that the process was started with.
fn carries(pid: i32, variables: &[Vec<u8>]) -> bool {
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
        let has = |variable: &Vec<u8>| {
            environment
                .split(|byte| *byte == 0)
                .any(|entry| entry == variable)
        };
        variables.iter().all(has)
    })
}

/// The command of a process, on one line and cut.
pub(super) fn command_of(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line).replace(|c: char| c.is_control(), " ");
    line.trim().chars().take(COMMAND).collect()
}

fn read_process(pid: i32) -> Option<Process> {
    parse_stat(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Reads a `stat` line; the name in parentheses may hold anything, parentheses too.
fn parse_stat(pid: i32, line: &str) -> Option<Process> {
    let fields: Vec<&str> = line[line.rfind(')')? + 1..]
        .split_ascii_whitespace()
        .collect();
    let number = |at: usize| fields.get(at)?.parse().ok();
    Some(Process {
        pid,
        is_dead: matches!(*fields.first()?, "Z" | "X" | "x"),
        parent: number(1)?,
        group: number(2)?,
        session: number(3)?,
        started: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_confuse_the_reading() {
        let line = "42 (a) R (b) S 7 8 9 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0";
        let process = parse_stat(42, line).unwrap();
        assert_eq!(
            (
                process.parent,
                process.group,
                process.session,
                process.started
            ),
            (7, 8, 9, 12345)
        );
        assert!(!process.is_dead);
    }

    #[test]
    fn the_census_finds_the_one_who_takes_it() {
        let census = Census::take();
        assert!(census.processes.contains_key(&census.us));
    }
}
