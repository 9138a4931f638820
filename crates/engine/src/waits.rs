//! Nodes that no attached worker may take: they say so in their row at once, and their instance's log tells of it, first as
//! information and after a while as a warning.

use std::time::Duration;

use akkaflow_model::id::InstanceId;
use akkaflow_model::message::Message;
use akkaflow_model::record::{NodeRow, WaitTold};
use akkaflow_model::state::NodeState;
use akkaflow_model::time::Timestamp;

use crate::instances::Instance;
use crate::journal::Given;
use crate::queue::{Lack, Place, Target};
use crate::{Engine, STEP_BUDGET};

/// A worker that is not back after so long is worth a warning: longer than a restart takes.
const WARN_AFTER: Duration = Duration::from_secs(60);
/// Waits that the log tells of for one run of a node: enough for every retry that people look at, small beside the row.
const MAX_TOLD: usize = 16;

impl Engine {
    /// Brings the rows of waiting nodes up to date with what their queues lack. Bounded; the rest comes with the next step.
    pub(crate) fn tell_waits(&mut self) {
        let are_workers_new = self.workers.take_changes();
        let workers = &self.workers;
        self.ready
            .review(are_workers_new, |target| workers.lack(target));
        for _ in 0..STEP_BUDGET {
            match self.ready.next_untold() {
                Some(place) => self.tell_wait(place),
                None => return,
            }
        }
    }

    fn tell_wait(&mut self, (_, id, node): Place) {
        let Some(instance) = self.instances.get(&id) else {
            return;
        };
        let (Some((class, _)), Some(row)) = (instance.place(node), instance.node(node)) else {
            return;
        };
        let lack = self.ready.lack(&class.target);
        let since = waiting_since(row);
        let wanted = lack.map(|lack| message(&class.target, lack, since.unwrap_or(self.now)));
        if wanted == row.message || (wanted.is_none() && since.is_none()) {
            return;
        }
        let given = Given::Wait {
            node: row.node.clone(),
            message: wanted.clone(),
        };
        self.out.given(id, given);
        self.say_wait(id, node, wanted);
    }

    /// The node says what it lacks, or no more that it lacks anything.
    pub(crate) fn say_wait(&mut self, id: InstanceId, node: usize, wanted: Option<Message>) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let before: Vec<_> = instance.timers(node).collect();
        let Some(row) = instance.slots[node].row.as_deref_mut() else {
            return;
        };
        let since = waiting_since(row);
        row.message = wanted;
        if since.is_none() {
            tell(row, now, false);
        }
        instance.mark(node);
        for (at, timer) in before {
            self.timers.clear(at, timer);
        }
        for (at, timer) in instance.timers(node) {
            self.timers.set(at, timer);
        }
        self.touched.push(id);
    }

    /// It has waited for long.
    pub(crate) fn on_long_wait(&mut self, id: InstanceId, node: usize) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        if let Some(row) = instance.slots[node].row.as_deref_mut() {
            tell(row, now, true);
            instance.mark(node);
            self.touched.push(id);
        }
    }

    /// The node's row says that it lacks a worker if and only if it does; between two looks it may be behind.
    pub(crate) fn check_told(&self, instance: &Instance, node: usize) -> Result<(), String> {
        let said = instance.node(node).and_then(waiting_since).is_some();
        let Some((class, place)) = instance.place(node) else {
            return if said {
                Err("says that it lacks a worker, but waits for none".into())
            } else {
                Ok(())
            };
        };
        if !self.ready.is_untold(place) && said != self.workers.lack(&class.target).is_some() {
            return Err(format!(
                "says {said} about lacking a worker for {:?}",
                class.target
            ));
        }
        Ok(())
    }
}

/// What a node for `target` says that lacks a worker.
pub(crate) fn message(target: &Target, lack: &Lack, since: Timestamp) -> Message {
    Message::NoWorker {
        host: target.host.clone(),
        labels: target.labels.clone(),
        hosts: lack.hosts.clone(),
        more: lack.more,
        since,
    }
}

/// Since when the row says that it lacks a worker.
fn waiting_since(row: &NodeRow) -> Option<Timestamp> {
    match row.message {
        Some(Message::NoWorker { since, .. }) if row.state == NodeState::Ready => Some(since),
        _ => None,
    }
}

/// When the wait of this node is worth a warning; `None` when it does not wait or was warned of.
pub(crate) fn warning_due(row: &NodeRow) -> Option<Timestamp> {
    let since = waiting_since(row)?;
    may_tell(row, true).then(|| since.plus(WARN_AFTER))
}

/// Each attempt is told of once as information and once as a warning: workers that come and go fill no log.
fn may_tell(row: &NodeRow, is_warning: bool) -> bool {
    let attempt = row.attempts + 1;
    row.waits.len() < MAX_TOLD
        && !row
            .waits
            .iter()
            .any(|told| told.attempt == attempt && told.is_warning == is_warning)
}

fn tell(row: &mut NodeRow, now: Timestamp, is_warning: bool) {
    if let Some(reason) = row.message.clone()
        && may_tell(row, is_warning)
    {
        row.waits.push(WaitTold {
            attempt: row.attempts + 1,
            at: now,
            is_warning,
            reason,
        });
    }
}

/// The nodes of an instance that starts no more work wait for no worker.
pub(crate) fn forget(instance: &mut Instance) {
    for node in 0..instance.slots.len() {
        if let Some(row) = instance.slots[node].row.as_deref_mut()
            && waiting_since(row).is_some()
        {
            row.message = None;
            instance.mark(node);
        }
    }
}
