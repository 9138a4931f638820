//! A kill: SIGTERM, patience, SIGKILL, and the proof that nothing is left. What an attempt leaves behind at its own end goes the
//! same way, after a moment in which it may end by itself.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::family::{Census, Process, command_of};
use super::message::{Cause, Event, Exit, Left};
use super::state::{State, exit_of};
use crate::clock;

/// What is left behind has so long to end by itself: the reader of a pipe does when its writer is gone.
const SETTLE: Duration = Duration::from_millis(500);

/// One kill that goes on.
#[derive(Debug)]
pub(super) struct Kill {
    /// From when on processes are asked to end, on the clock of [`clock::since_boot`].
    begin: Duration,
    /// When patience ends.
    deadline: Duration,
    cause: Cause,
    /// Processes that were asked to end, by id and start.
    asked: BTreeSet<(i32, u64)>,
    /// Of an attempt that ended by itself.
    leftovers: Option<Leftovers>,
}

/// What an attempt has left behind.
#[derive(Debug)]
struct Leftovers {
    /// Whether those that have made a session of their own may stay.
    spares_detached: bool,
    told: Vec<Left>,
}

impl Kill {
    pub(super) fn new(deadline: Duration, cause: Cause) -> Self {
        Self {
            begin: Duration::ZERO,
            deadline,
            cause,
            asked: BTreeSet::new(),
            leftovers: None,
        }
    }

    /// Ends what is left of an attempt whose main process has ended by itself at `now`.
    pub(super) fn of_leftovers(now: Duration, grace: Duration, has_succeeded: bool) -> Self {
        Self {
            begin: now + SETTLE,
            leftovers: Some(Leftovers {
                spares_detached: has_succeeded,
                told: Vec::new(),
            }),
            ..Self::new(now + SETTLE + grace, Cause::Itself)
        }
    }

    /// Whether it stands in nobody's way that this process goes on.
    fn spares(&self, process: &Process, census: &Census) -> bool {
        let spares = |leftovers: &Leftovers| leftovers.spares_detached;
        self.leftovers.as_ref().is_some_and(spares) && census.is_detached(process)
    }

    /// Signals whatever is still there, but for those that are spared. Says whether it is over.
    fn press(&mut self, family: &[Process], census: &Census, now: Duration) -> bool {
        let (spared, family): (Vec<Process>, Vec<Process>) = family
            .iter()
            .partition(|process| self.spares(process, census));
        if family.is_empty() {
            self.tell(&spared, false);
            return true;
        }
        if now < self.begin {
            return false;
        }
        let is_new = |process: &&Process| !self.asked.contains(&(process.pid, process.started));
        let new: Vec<Process> = family.iter().filter(is_new).copied().collect();
        self.tell(&new, true);
        for process in &family {
            let is_new = self.asked.insert((process.pid, process.started));
            if now >= self.deadline {
                signal(process.pid, Signal::KILL);
            } else if is_new {
                signal(process.pid, Signal::TERM);
            }
        }
        false
    }

    fn tell(&mut self, processes: &[Process], is_ended: bool) {
        let Some(leftovers) = &mut self.leftovers else {
            return;
        };
        let room = MOST_TOLD.saturating_sub(leftovers.told.len());
        let told = processes.iter().take(room).map(|process| Left {
            pid: process.pid,
            command: command_of(process.pid),
            is_ended,
        });
        leftovers.told.extend(told);
    }

    fn told(&mut self) -> Vec<Left> {
        let leftovers = self.leftovers.as_mut();
        leftovers.map_or_else(Vec::new, |leftovers| std::mem::take(&mut leftovers.told))
    }
}

/// So many processes that are left behind are named.
const MOST_TOLD: usize = 20;

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
        if kill.press(&family, &census, now) && child.ended.is_some() {
            exits.push(Exit {
                left: kill.told(),
                ..exit_of(id.clone(), child.ended, kill.cause)
            });
        }
    }
    for (id, (marker, kill)) in &mut state.strangers {
        let family = census.family(None, marker, &state.owner, &mains, &kill.asked);
        if kill.press(&family, &census, now) {
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
