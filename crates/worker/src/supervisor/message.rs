//! What the agent and its supervisor tell each other.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// From the agent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// The first request: the environment that processes inherit from now on. Answered by [`Event::Known`].
    Hello {
        /// Names and values.
        environment: Vec<(String, String)>,
    },
    /// Start a process. Answered by its [`Event::Exited`] or [`Event::NotStarted`].
    Start(Start),
    /// Kill a process and all that descends from it. Answered by [`Event::Exited`] once nothing is left, also when the
    /// process is not known any more.
    Kill {
        /// Which.
        id: String,
        /// The value of its marker.
        marker: String,
        /// From SIGTERM to SIGKILL.
        grace_ms: u64,
    },
    /// Kill everything.
    KillAll {
        /// From SIGTERM to SIGKILL.
        grace_ms: u64,
    },
    /// The agent has stopped in order: the supervisor waits for no other one once nothing runs.
    Leave,
    /// The exit record is not needed any more.
    Forget {
        /// Which.
        id: String,
    },
    /// A master has been heard of.
    Contact {
        /// Kill everything when that is not said again within this time.
        stop_after_ms: u64,
    },
}

/// A process to start.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    /// Names it among all others.
    pub(crate) id: String,
    /// The value of its marker in the environment.
    pub(crate) marker: String,
    /// Absolute path.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// Added to the inherited environment.
    pub(crate) environment: Vec<(String, String)>,
    /// Its working directory.
    pub(crate) directory: PathBuf,
    /// Takes its standard output.
    pub(crate) out: PathBuf,
    /// Takes its standard error.
    pub(crate) err: PathBuf,
    /// From SIGTERM to SIGKILL for what it leaves behind.
    #[serde(default = "a_second")]
    pub(crate) grace_ms: u64,
}

/// What an agent of an earlier version means.
fn a_second() -> u64 {
    1_000
}

/// To the agent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Event {
    /// What there is, answering [`Request::Hello`].
    Known {
        /// Ids of running processes.
        running: Vec<String>,
        /// The exits that are not forgotten.
        exited: Vec<Exit>,
    },
    /// The process could not be started.
    NotStarted {
        /// Which.
        id: String,
        /// The system's reason.
        reason: String,
    },
    /// The process is over.
    Exited(Exit),
    /// Nothing runs any more, answering [`Request::KillAll`].
    AllKilled,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exit {
    /// Which.
    pub(crate) id: String,
    /// Its exit code, unless a signal ended it or it is unknown.
    pub(crate) code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// Why.
    pub(crate) cause: Cause,
    /// Whether it is certain that it has left no other process behind, which might still use its files.
    #[serde(default)]
    pub(crate) is_alone: bool,
    /// What it and those that it has waited for used; `None` where nobody knows.
    #[serde(default)]
    pub(crate) used: Option<Used>,
    /// What it left behind, as far as it was still there a moment later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) left: Vec<Left>,
}

/// A process that the end of its attempt's main process has left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Left {
    /// Its id.
    pub(crate) pid: i32,
    /// Its command, cut.
    pub(crate) command: String,
    /// Whether it was ended; otherwise it runs on.
    pub(crate) is_ended: bool,
}

/// What a process used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Used {
    /// Processor time, milliseconds.
    pub(crate) cpu_millis: u64,
    /// The most memory that one of them held, bytes; `None` where that was no more than the supervisor's own, which the system counts as
    /// theirs until their program begins.
    pub(crate) peak_memory: Option<u64>,
}

/// Why a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cause {
    /// By itself, or by somebody else.
    Itself,
    /// We killed it on request; nothing of it is left.
    Killed,
    /// We killed it for want of contact to a master; nothing of it is left.
    OutOfContact,
}
