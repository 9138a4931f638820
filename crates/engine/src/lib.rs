//! Decides. One deterministic state machine that turns inputs into what must be durable and what the world may then see.
//!
//! **Invariants:** no clock, no I/O, no async, no randomness of its own, no hash order: the same state, `now` and input
//! give the same records and effects in the same order. Nothing scans all workflows or all instances on a tick.

mod effect;
mod explain;
mod input;
mod inspect;
mod invariants;

pub use effect::{Dispatch, Effect, Step};
pub use explain::{ExplainObject, Reason};
pub use input::{Input, Order, Origin, Outcome, OutcomeKind, StoredInstance, WorkerInfo};
pub use inspect::{Counts, WorkerView};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use akkaflow_model::definition::{Version, Workflow};
use akkaflow_model::id::Epoch;
use akkaflow_model::record::Snapshot;
use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;

/// What an engine is told once.
#[derive(Debug, Clone)]
pub struct Options {
    /// The cluster's time zone.
    pub zone: Tz,
    /// The epoch of the master that drives it.
    pub epoch: Epoch,
    /// Draws instance ids; journaled with the epoch, so that a replay draws the same.
    pub seed: u64,
    /// How long a detached worker keeps its attempts before they are given to others (`reliability.md` 3.3, `fenced`).
    pub lost_after: Duration,
}

/// The state machine.
#[derive(Debug)]
pub struct Engine {
    options: Options,
}

impl Engine {
    /// Rebuilds the state from stored rows: the one way in which an engine begins, an empty snapshot included.
    ///
    /// `definitions` holds the parsed content of every version in the snapshot; a version that no longer parses is
    /// left out by the caller, and its workflow stays known but never starts.
    pub fn load(
        options: Options,
        snapshot: Snapshot,
        definitions: BTreeMap<Version, Arc<Workflow>>,
    ) -> Self {
        let _ = (snapshot, definitions);
        Self { options }
    }

    /// Advances the schedule by one input. Same state, `now` and input give the same records and effects, in order.
    pub fn step(&mut self, now: Timestamp, input: Input) -> Step {
        let _ = (now, input, &self.options);
        Step::default()
    }

    /// Latest moment at which the caller must send [`Input::Tick`], if anything is waiting for time.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        None
    }
}
