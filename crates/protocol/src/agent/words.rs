//! What an agent hears, does and says.

use std::time::Duration;

use akkaflow_model::id::{AttemptKey, Epoch, Incarnation};
use akkaflow_model::outcome::Outcome;

use super::Entry;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A master has welcomed us.
    Connected {
        /// Its cluster.
        cluster: u128,
        /// Its epoch.
        epoch: Epoch,
        /// Without contact for so long, every attempt is stopped.
        stop_after: Duration,
    },
    /// The connection is gone.
    Disconnected,
    /// The master asks to run an attempt.
    Start {
        /// Which.
        key: AttemptKey,
        /// The epoch of the master that assigned it.
        epoch: Epoch,
        /// The one start of this worker that may run it.
        incarnation: Incarnation,
    },
    /// The oldest `entries` of the entries not yet confirmed are durable.
    Persisted {
        /// How many.
        entries: usize,
    },
    /// An executed attempt is over, or (after [`Agent::restore`]) proven not to run any more.
    Exited {
        /// Which.
        key: AttemptKey,
        /// How.
        outcome: Outcome,
    },
    /// The master wants an attempt stopped.
    Cancel {
        /// Which.
        key: AttemptKey,
    },
    /// The master wants the promise that an attempt never starts, or to hear what became of it.
    TombstoneRequest {
        /// Which.
        key: AttemptKey,
    },
    /// The master has the outcome durably.
    Acknowledge {
        /// Which.
        key: AttemptKey,
    },
    /// The worker stops in order: it takes nothing new from now on, until it is restored.
    Leave,
    /// Time has passed; see [`Agent::next_deadline`].
    Tick,
}

/// What the host must do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Append to the ledger; confirm with [`Input::Persisted`] once flushed.
    Persist(Entry),
    /// Start the attempt; say [`Input::Exited`] when it is over.
    Exec {
        /// Which.
        key: AttemptKey,
    },
    /// Stop the attempt; say [`Input::Exited`] once nothing of it is left. May be repeated.
    Stop {
        /// Which.
        key: AttemptKey,
    },
    /// Tell the connected master.
    Send(Event),
    /// The outcome is acknowledged: whatever is kept of the attempt may go.
    Forget {
        /// Which.
        key: AttemptKey,
    },
    /// Close the connection and look for another master.
    HangUp(Refusal),
}

/// What the master is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The attempt is ours and may run.
    Accepted(AttemptKey),
    /// The attempt is over.
    Finished(AttemptKey, Outcome),
    /// The attempt will never start.
    Tombstoned(AttemptKey),
    /// This start of the worker takes nothing new any more: whatever else it was given will never start.
    Leaving {
        /// Attempts that it runs, may still run, or whose outcome was not acknowledged.
        holds: Vec<AttemptKey>,
    },
}

/// Why a master is not obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A master with a higher epoch has been seen.
    StaleEpoch {
        /// The master's.
        epoch: Epoch,
        /// The highest seen.
        seen: Epoch,
    },
    /// This worker belongs to another cluster.
    OtherCluster {
        /// The master's.
        cluster: u128,
        /// Ours.
        ours: u128,
    },
}

/// What an attaching worker says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attach {
    /// This start of the worker.
    pub incarnation: Incarnation,
    /// Attempts that run, or whose outcome was not acknowledged.
    pub holds: Vec<AttemptKey>,
    /// The cluster that it belongs to; `None` before it has met one.
    pub cluster: Option<u128>,
    /// The highest epoch that it has seen.
    pub max_epoch: Epoch,
}
