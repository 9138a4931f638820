//! A kill: SIGTERM, patience, SIGKILL, and the proof that nothing is left.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::family::{Census, Process};
use super::message::{Cause, Event};
use super::state::{State, exit_of};
use crate::clock;

/// One kill that goes on.
#[derive(Debug)]
pub(super) struct Kill {
    /// When patience ends, on the clock of [`clock::since_boot`].
    deadline: Duration,
    cause: Cause,
    /// Processes that were asked to end, by id and start.
    asked: BTreeSet<(i32, u64)>,
}

impl Kill {
    pub(super) fn new(deadline: Duration, cause: Cause) -> Self {
        Self {
            deadline,
            cause,
            asked: BTreeSet::new(),
        }
    }

    /// Signals whatever is still there.
    fn press(&mut self, family: &[Process], now: Duration) {
        for process in family {
            let is_new = self.asked.insert((process.pid, process.started));
            if now >= self.deadline {
                signal(process.pid, Signal::KILL);
            } else if is_new {
                signal(process.pid, Signal::TERM);
            }
        }
    }
}

/// A process that is gone already is none of our concern: the next census will not show it.
fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, signal);
    }
}

/// Presses on with every kill, and reports those that are done.
pub(super) fn advance(state: &mut State) -> io::Result<()> {
    let census = Census::take();
    let now = clock::since_boot();
    let mains = state.mains();
    let mut exits = Vec::new();
    for (id, child) in &mut state.running {
        let Some(kill) = &mut child.kill else {
            continue;
        };
        let family = census.family(
            Some(child.pid),
            &child.marker,
            &state.owner,
            &mains,
            &kill.asked,
        );
        kill.press(&family, now);
        if family.is_empty() && child.ended.is_some() {
            exits.push(exit_of(id.clone(), child.ended, kill.cause));
        }
    }
    for (id, (marker, kill)) in &mut state.strangers {
        let family = census.family(None, marker, &state.owner, &mains, &kill.asked);
        kill.press(&family, now);
        if family.is_empty() {
            exits.push(exit_of(id.clone(), None, kill.cause));
        }
    }
    for exit in &exits {
        state.running.remove(&exit.id);
        state.strangers.remove(&exit.id);
    }
    state.record(exits)?;
    if state.kill_all_requested && !state.is_killing() {
        state.kill_all_requested = false;
        state.tell(&[Event::AllKilled]);
    }
    Ok(())
}
