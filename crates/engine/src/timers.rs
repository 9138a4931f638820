//! What waits for a moment.

use std::collections::BTreeSet;

use akkaflow_model::id::{InstanceId, WorkerId};
use akkaflow_model::time::Timestamp;

/// What happens at a moment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The schedule of a workflow has something due.
    Schedule(String),
    /// A node may be tried again.
    Retry(InstanceId, usize),
    /// A node's time is up.
    Deadline(InstanceId, usize),
    /// A node has waited for long for a worker that is not there.
    WarnWaiting(InstanceId, usize),
    /// A detached worker's attempts are given up.
    WorkerLost(WorkerId),
    /// A node that has not ended makes its instance late.
    Late(InstanceId, usize),
    /// An instance that has not left its queue is late.
    LateStart(InstanceId),
    /// The deadline of an instance has passed.
    Missed(InstanceId),
}

impl Timer {
    /// The instance whose it is.
    pub(crate) fn instance(&self) -> Option<InstanceId> {
        match self {
            Self::Retry(id, _)
            | Self::Deadline(id, _)
            | Self::WarnWaiting(id, _)
            | Self::Late(id, _)
            | Self::LateStart(id)
            | Self::Missed(id) => Some(*id),
            Self::Schedule(_) | Self::WorkerLost(_) => None,
        }
    }
}

/// All moments, earliest first.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Timestamp, Timer)>,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Timestamp, timer: Timer) {
        self.due.insert((at, timer));
    }

    pub(crate) fn clear(&mut self, at: Timestamp, timer: Timer) {
        self.due.remove(&(at, timer));
    }

    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes the earliest one that is due.
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.due.pop_first().map(|(_, timer)| timer)
    }

    pub(crate) fn contains(&self, at: Timestamp, timer: Timer) -> bool {
        self.due.contains(&(at, timer))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Timestamp, Timer)> {
        self.due.iter()
    }
}
