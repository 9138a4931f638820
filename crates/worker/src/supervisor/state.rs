//! What runs, shared by the thread that starts and kills and the thread that reaps.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use super::exits::Exits;
use super::kill::Kill;
use super::message::{Cause, Event, Exit, Start, Used};
use super::{MARKER, OWNER};
use crate::clock;
use crate::frame;

/// One attempt's process.
pub(super) struct Child {
    /// Its id, and that of its group.
    pub(super) pid: i32,
    pub(super) marker: String,
    /// Set once it was reaped while a kill goes on.
    pub(super) ended: Option<Ended>,
    pub(super) kill: Option<Kill>,
    /// From SIGTERM to SIGKILL for what it leaves behind.
    grace: Duration,
}

/// How a process ended, and what it used.
pub(super) type Ended = (ExitStatus, Used);

/// All of it.
pub(super) struct State {
    /// The worker's data directory, as its processes carry it.
    pub(super) owner: OsString,
    pub(super) running: BTreeMap<String, Child>,
    /// Kills of attempts whose process we did not start: an earlier supervisor did.
    pub(super) strangers: BTreeMap<String, (String, Kill)>,
    by_pid: HashMap<i32, String>,
    pub(super) exits: Exits,
    client: Option<UnixStream>,
    environment: Vec<(String, String)>,
    /// When everything is killed unless a master is heard of.
    pub(super) contact_deadline: Option<Duration>,
    pub(super) kill_all_requested: bool,
    /// Whether the last agent said that it goes, and none has come since.
    pub(super) has_agent_left: bool,
}

impl State {
    pub(super) fn new(owner: OsString, exits: Exits) -> Self {
        Self {
            owner,
            running: BTreeMap::new(),
            strangers: BTreeMap::new(),
            by_pid: HashMap::new(),
            exits,
            client: None,
            environment: Vec::new(),
            contact_deadline: None,
            kill_all_requested: false,
            has_agent_left: false,
        }
    }

    /// Whether nothing runs and nothing is being killed.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty() && self.strangers.is_empty()
    }

    /// Whether a process that we started is not reaped yet.
    pub(super) fn awaits_children(&self) -> bool {
        self.running.values().any(|child| child.ended.is_none())
    }

    /// Whether a kill goes on.
    pub(super) fn is_killing(&self) -> bool {
        !self.strangers.is_empty() || self.running.values().any(|child| child.kill.is_some())
    }

    /// Greets an agent: what runs, then what has ended. It replaces the one before it.
    pub(super) fn greet(&mut self, client: UnixStream, environment: Vec<(String, String)>) {
        self.client = Some(client);
        self.has_agent_left = false;
        self.environment = environment;
        let known = Event::Known {
            running: self.running.keys().cloned().collect(),
            exited: self.exits.all().cloned().collect(),
        };
        self.tell(&[known]);
    }

    pub(super) fn on_client_gone(&mut self) {
        self.client = None;
    }

    /// Tells the agent, if there is one. One that does not read is dropped: the next one hears everything again.
    pub(super) fn tell(&mut self, events: &[Event]) {
        let Some(client) = &mut self.client else {
            return;
        };
        let mut bytes = Vec::new();
        for event in events {
            frame::encode(&mut bytes, event);
        }
        if client.write_all(&bytes).is_err() {
            let _ = client.shutdown(std::net::Shutdown::Both);
            self.client = None;
        }
    }

    /// Starts a process, unless its id is known.
    pub(super) fn start(&mut self, start: Start) {
        if let Some(exit) = self.exits.get(&start.id) {
            let event = Event::Exited(exit.clone());
            self.tell(&[event]);
            return;
        }
        if self.running.contains_key(&start.id) {
            return;
        }
        match spawn(&start, &self.owner, &self.environment) {
            Ok(pid) => {
                self.by_pid.insert(pid, start.id.clone());
                self.running.insert(
                    start.id,
                    Child {
                        pid,
                        marker: start.marker,
                        ended: None,
                        kill: None,
                        grace: Duration::from_millis(start.grace_ms),
                    },
                );
            }
            Err(error) => self.tell(&[Event::NotStarted {
                id: start.id,
                reason: format!("{}: {error}", start.program.display()),
            }]),
        }
    }

    /// Takes note of reaped processes. Those that are no attempt's main process were orphans of one. Says whether one has left
    /// others behind that must be ended before its own end is told.
    pub(super) fn on_reaped(&mut self, reaped: &[(i32, Ended)]) -> io::Result<bool> {
        let mut ended_by_themselves = Vec::new();
        for (pid, ended) in reaped {
            let Some(id) = self.by_pid.remove(pid) else {
                continue;
            };
            let Some(child) = self.running.get_mut(&id) else {
                continue;
            };
            child.ended = Some(*ended);
            if child.kill.is_none() {
                ended_by_themselves.push(id);
            }
        }
        if ended_by_themselves.is_empty() {
            return Ok(false);
        }
        if !self.has_no_orphans() {
            // Whose they are is found out with the next look at the families.
            self.end_leftovers(&ended_by_themselves);
            return Ok(true);
        }
        let exits = ended_by_themselves.into_iter().map(|id| {
            let ended = self.running.remove(&id).and_then(|child| child.ended);
            Exit {
                is_alone: true,
                ..exit_of(id, ended, Cause::Itself)
            }
        });
        let exits = exits.collect();
        self.record(exits)?;
        Ok(false)
    }

    fn end_leftovers(&mut self, ids: &[String]) {
        let now = clock::since_boot();
        for id in ids {
            if let Some(child) = self.running.get_mut(id) {
                let has_succeeded = child.ended.is_some_and(|(status, _)| status.success());
                let kill = Kill::of_leftovers(now, child.grace, has_succeeded);
                child.kill = Some(kill);
            }
        }
    }

    /// Whether all our children are attempts' main processes. What an ended one has left behind is our child by now.
    fn has_no_orphans(&self) -> bool {
        children().is_ok_and(|children| children.iter().all(|pid| self.by_pid.contains_key(pid)))
    }

    /// Makes exits known: to the file first, then to the agent.
    pub(super) fn record(&mut self, exits: Vec<Exit>) -> io::Result<()> {
        if exits.is_empty() {
            return Ok(());
        }
        self.exits.add(&exits)?;
        let events: Vec<Event> = exits.into_iter().map(Event::Exited).collect();
        self.tell(&events);
        Ok(())
    }

    /// Begins to kill an attempt.
    pub(super) fn kill(&mut self, id: String, marker: String, grace: Duration, cause: Cause) {
        let deadline = clock::since_boot() + grace;
        if let Some(child) = self.running.get_mut(&id) {
            child.kill.get_or_insert_with(|| Kill::new(deadline, cause));
        } else if let Some(exit) = self.exits.get(&id) {
            let event = Event::Exited(exit.clone());
            self.tell(&[event]);
        } else {
            self.strangers
                .entry(id)
                .or_insert_with(|| (marker, Kill::new(deadline, cause)));
        }
    }

    pub(super) fn kill_all(&mut self, grace: Duration, cause: Cause) {
        let deadline = clock::since_boot() + grace;
        for child in self.running.values_mut() {
            child.kill.get_or_insert_with(|| Kill::new(deadline, cause));
        }
    }

    pub(super) fn mains(&self) -> BTreeSet<i32> {
        self.running.values().map(|child| child.pid).collect()
    }
}

/// The record of an end.
pub(super) fn exit_of(id: String, ended: Option<Ended>, cause: Cause) -> Exit {
    Exit {
        id,
        code: ended.and_then(|(status, _)| status.code()),
        signal: ended.and_then(|(status, _)| status.signal()),
        cause,
        is_alone: false,
        left: Vec::new(),
        used: ended.map(|(_, used)| used),
    }
}

/// The children of all our threads.
fn children() -> io::Result<Vec<i32>> {
    let mut children = Vec::new();
    for thread in std::fs::read_dir("/proc/self/task")? {
        let list = std::fs::read_to_string(thread?.path().join("children"))?;
        children.extend(
            list.split_ascii_whitespace()
                .filter_map(|pid| pid.parse::<i32>().ok()),
        );
    }
    Ok(children)
}

/// No `pre_exec` here: without it the standard library uses posix_spawn, which is many times faster than fork.
fn spawn(start: &Start, owner: &OsStr, environment: &[(String, String)]) -> io::Result<i32> {
    let out = File::create(&start.out)?;
    let err = File::create(&start.err)?;
    let child = Command::new(&start.program)
        .args(&start.arguments)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .envs(start.environment.iter().map(|(name, value)| (name, value)))
        .env(MARKER, &start.marker)
        .env(OWNER, owner)
        .current_dir(&start.directory)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .process_group(0)
        .spawn()?;
    i32::try_from(child.id()).map_err(io::Error::other)
}
