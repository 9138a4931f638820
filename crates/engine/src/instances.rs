//! An open instance in memory: its row, its nodes and how far its graph is decided.

use std::collections::VecDeque;
use std::sync::Arc;

use akkaflow_model::definition::NodeKind;
use akkaflow_model::id::{AttemptKey, RequestId};
use akkaflow_model::message::Message;
use akkaflow_model::record::{AttemptRow, InstanceRow, NodeRow};
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::time::Timestamp;

use crate::graph::Graph;
use crate::queue::{Host, Place};
use crate::timers::Timer;
use crate::waits;

/// One node of an open instance.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// Incoming edges that nothing has decided yet.
    pub(crate) undecided: u32,
    /// Incoming edges that were taken.
    pub(crate) taken: u32,
    /// Its row, once reached.
    pub(crate) row: Option<Box<NodeRow>>,
    /// Its attempt in no terminal state.
    pub(crate) attempt: Option<Box<AttemptRow>>,
    is_dirty: bool,
}

/// An instance in no terminal state.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) row: InstanceRow,
    pub(crate) graph: Arc<Graph>,
    pub(crate) slots: Vec<Slot>,
    /// Nodes in no terminal state.
    pub(crate) live: usize,
    /// Attempts in no terminal state.
    pub(crate) open_attempts: usize,
    /// Who waits for its end.
    pub(crate) killers: Vec<RequestId>,
    pub(crate) is_dirty: bool,
    dirty_nodes: Vec<usize>,
}

/// What a decided edge means for the node that it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The node's turn has come.
    Reached,
    /// It will never be reached.
    Dead,
    /// Nothing yet, or nothing new.
    Open,
}

/// Something that the walk through a graph has still to look at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Arrival {
    /// The node's turn has come.
    Reach(usize),
    /// The node will never be reached.
    Die(usize),
    /// An edge to the node is decided.
    Edge {
        /// Where it leads.
        to: usize,
        /// Whether it is taken.
        is_taken: bool,
    },
}

impl Instance {
    pub(crate) fn new(row: InstanceRow, graph: Arc<Graph>) -> Self {
        let slots = (0..graph.len())
            .map(|node| Slot {
                undecided: graph.vertex(node).incoming,
                ..Slot::default()
            })
            .collect();
        Self {
            row,
            graph,
            slots,
            live: 0,
            open_attempts: 0,
            killers: Vec::new(),
            is_dirty: false,
            dirty_nodes: Vec::new(),
        }
    }

    /// The walk's first arrivals.
    pub(crate) fn begin(&self) -> VecDeque<Arrival> {
        let mut arrivals: VecDeque<_> = self
            .graph
            .unreached()
            .iter()
            .map(|&node| Arrival::Die(node))
            .collect();
        arrivals.push_back(Arrival::Reach(self.graph.start()));
        arrivals
    }

    /// Counts a decided edge and says what follows. Every edge is decided exactly once.
    pub(crate) fn decide(&mut self, to: usize, is_taken: bool) -> Verdict {
        let is_join = self.graph.vertex(to).is_join;
        let slot = &mut self.slots[to];
        slot.undecided = slot.undecided.saturating_sub(1);
        slot.taken += u32::from(is_taken);
        let is_decided = slot.undecided == 0;
        if is_decided && slot.taken == 0 {
            Verdict::Dead
        } else if is_join {
            if is_decided {
                Verdict::Reached
            } else {
                Verdict::Open
            }
        } else if is_taken && slot.taken == 1 {
            Verdict::Reached
        } else {
            Verdict::Open
        }
    }

    /// Decides all edges out of a node. `None`: the node is dead; else whether it succeeded.
    pub(crate) fn leave(
        &self,
        node: usize,
        has_succeeded: Option<bool>,
        into: &mut VecDeque<Arrival>,
    ) {
        let is_action = matches!(self.graph.kind(node), Some(NodeKind::Action(_)));
        for (position, &to) in self.graph.vertex(node).outs.iter().enumerate() {
            let is_taken = match has_succeeded {
                None => false,
                Some(has_succeeded) => !is_action || has_succeeded == (position == 0),
            };
            into.push_back(Arrival::Edge { to, is_taken });
        }
    }

    /// Whether new work may start in it.
    pub(crate) fn may_start_work(&self) -> bool {
        self.row.state == InstanceState::Running
            && self.row.ending.is_none()
            && self.graph.is_readable()
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.row.state == InstanceState::Ready
    }

    pub(crate) fn mark(&mut self, node: usize) {
        if !self.slots[node].is_dirty {
            self.slots[node].is_dirty = true;
            self.dirty_nodes.push(node);
        }
    }

    /// The rows of all nodes that have changed since the last call.
    pub(crate) fn take_dirty_nodes(&mut self) -> Vec<NodeRow> {
        let mut dirty = std::mem::take(&mut self.dirty_nodes);
        let rows = dirty
            .drain(..)
            .filter_map(|node| {
                let slot = &mut self.slots[node];
                slot.is_dirty = false;
                slot.row.as_deref().cloned()
            })
            .collect();
        self.dirty_nodes = dirty;
        rows
    }

    /// Writes the row of a node that is reached now.
    pub(crate) fn reach(
        &mut self,
        node: usize,
        state: NodeState,
        message: Option<Message>,
        now: Timestamp,
    ) {
        let is_done = state.is_terminal();
        self.slots[node].row = Some(Box::new(NodeRow {
            instance: self.row.id,
            node: self.graph.name(node).to_owned(),
            run: self.row.run,
            type_name: self.graph.type_name(node).to_owned(),
            state,
            attempts: 0,
            failures: 0,
            losses: 0,
            ready_at: now,
            started_at: is_done.then_some(now),
            ended_at: is_done.then_some(now),
            deadline: None,
            retry_at: None,
            message,
            worker: None,
            waits: Vec::new(),
        }));
        self.live += usize::from(!is_done);
        self.mark(node);
    }

    pub(crate) fn node(&self, node: usize) -> Option<&NodeRow> {
        self.slots[node].row.as_deref()
    }

    pub(crate) fn attempt_key(&self, node: usize, attempt: u32) -> AttemptKey {
        AttemptKey {
            instance: self.row.id,
            node: self.graph.name(node).to_owned(),
            run: self.row.run,
            attempt,
        }
    }

    pub(crate) fn is_ignored(&self, node: usize) -> bool {
        self.graph
            .action(node)
            .is_some_and(|action| action.is_ignore)
            || self
                .row
                .ignore_nodes
                .iter()
                .any(|name| name == self.graph.name(node))
    }

    /// The queue and place in it that the node must have; `None` when it must wait in no queue.
    pub(crate) fn place(&self, node: usize) -> Option<(Host, Place)> {
        let row = self.node(node)?;
        if row.state != NodeState::Ready || !self.may_start_work() {
            return None;
        }
        let host = self.graph.action(node)?.host.clone();
        Some((host, (row.ready_at, self.row.id, node)))
    }

    /// The timers that must run for the node.
    pub(crate) fn timers(&self, node: usize) -> impl Iterator<Item = (Timestamp, Timer)> + use<> {
        let id = self.row.id;
        let slot = &self.slots[node];
        let row = slot
            .row
            .as_deref()
            .filter(|row| !row.state.is_terminal() && row.state != NodeState::Suspended)
            .filter(|_| self.row.ending.is_none() && !self.row.state.is_terminal());
        let retry = row
            .and_then(|row| row.retry_at)
            .map(|at| (at, Timer::Retry(id, node)));
        let is_cancelled = slot
            .attempt
            .as_ref()
            .is_some_and(|attempt| attempt.cancel.is_some());
        let deadline = row
            .and_then(|row| row.deadline)
            .filter(|_| !is_cancelled)
            .map(|at| (at, Timer::Deadline(id, node)));
        let warning = row
            .and_then(waits::warning_due)
            .map(|at| (at, Timer::WarnWaiting(id, node)));
        retry.into_iter().chain(deadline).chain(warning)
    }

    /// Decides the edges again from the rows of the nodes: what a load does, and what the kept counters must equal.
    pub(crate) fn replay(&mut self) {
        for node in 0..self.slots.len() {
            self.slots[node].undecided = self.graph.vertex(node).incoming;
            self.slots[node].taken = 0;
        }
        if self.is_waiting() || !self.graph.is_readable() {
            return;
        }
        let mut arrivals = self.begin();
        while let Some(arrival) = arrivals.pop_front() {
            let (node, verdict) = self.judge(arrival);
            match verdict {
                Verdict::Open => {}
                Verdict::Dead => self.leave(node, None, &mut arrivals),
                Verdict::Reached => match self.node(node).map(|row| row.state) {
                    Some(NodeState::Succeeded) => self.leave(node, Some(true), &mut arrivals),
                    Some(NodeState::Failed) => self.leave(node, Some(false), &mut arrivals),
                    Some(
                        NodeState::Ready
                        | NodeState::Running
                        | NodeState::Suspended
                        | NodeState::Killed,
                    )
                    | None => {}
                },
            }
        }
    }

    /// What [`Self::replay`] would set, without setting it.
    pub(crate) fn replayed(&self) -> Vec<(u32, u32)> {
        let mut again = Self::new(self.row.clone(), self.graph.clone());
        for (slot, here) in again.slots.iter_mut().zip(&self.slots) {
            slot.row = here.row.clone();
        }
        again.replay();
        again
            .slots
            .iter()
            .map(|slot| (slot.undecided, slot.taken))
            .collect()
    }

    pub(crate) fn judge(&mut self, arrival: Arrival) -> (usize, Verdict) {
        match arrival {
            Arrival::Reach(node) => (node, Verdict::Reached),
            Arrival::Die(node) => (node, Verdict::Dead),
            Arrival::Edge { to, is_taken } => (to, self.decide(to, is_taken)),
        }
    }
}
