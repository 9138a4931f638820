//! What the core knows of one attempt.

use akkaflow_model::id::AttemptKey;
use tokio_util::sync::CancellationToken;

use super::id_and_home;
use crate::home::{AttemptHome, Home};
use crate::logs::LineWriter;
use crate::prepare::Prepared;

/// One attempt that the agent holds.
pub(super) struct Attempt {
    pub(super) id: String,
    pub(super) home: AttemptHome,
    pub(super) writer: LineWriter,
    pub(super) phase: Phase,
    /// Fires when it must stop.
    pub(super) cancel: CancellationToken,
    /// Whether the agent has asked for its end.
    pub(super) must_stop: bool,
    /// Whether somebody reads its output while it runs.
    pub(super) is_watched: bool,
    /// Whether its output is at the master.
    pub(super) is_delivered: bool,
    /// Whether its outcome is at the master.
    pub(super) is_acknowledged: bool,
    /// Whether nobody can use its directory any more.
    pub(super) is_alone: bool,
}

/// How far it has come.
pub(super) enum Phase {
    /// The directory and the files are being made; the agent may have asked for the start meanwhile.
    Preparing { must_start: bool },
    /// Ready, but the acceptance is not durable yet.
    Ready(Prepared),
    /// Waits for a supervisor.
    Waiting(Prepared),
    /// Runs as a process; or is believed to, until the supervisor says what it knows.
    Process,
    /// Runs inside this program.
    Task,
    /// Over.
    Ended,
}

impl Phase {
    /// Whether nothing of it runs yet.
    pub(super) fn is_unstarted(&self) -> bool {
        matches!(
            self,
            Self::Preparing { .. } | Self::Ready(_) | Self::Waiting(_)
        )
    }
}

impl Attempt {
    pub(super) fn new(key: &AttemptKey, home: &Home) -> Self {
        let (id, home) = id_and_home(key, home);
        Self {
            id,
            writer: LineWriter::new(home.lines()),
            home,
            phase: Phase::Preparing { must_start: false },
            cancel: CancellationToken::new(),
            must_stop: false,
            is_watched: false,
            is_delivered: false,
            is_acknowledged: false,
            is_alone: false,
        }
    }

    /// One that an earlier agent has begun.
    pub(super) fn adopted(key: &AttemptKey, home: &Home, is_over: bool) -> Self {
        Self {
            phase: if is_over {
                Phase::Ended
            } else {
                Phase::Process
            },
            ..Self::new(key, home)
        }
    }
}
