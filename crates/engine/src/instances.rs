//! The open instances in memory: the row of each, its nodes and how far its graph is decided.

use std::sync::Arc;

use akkaflow_model::definition::FailurePolicy;
use akkaflow_model::id::{AttemptKey, InstanceId, RequestId};
use akkaflow_model::message::Message;
use akkaflow_model::record::{AttemptRow, CleanUp, InstanceRow, NodeRow, TriggerKind};
use akkaflow_model::shared::Shared;
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::time::Timestamp;

use crate::backfill::RANK_BEHIND;
use crate::children;
use crate::graph::{Graph, Needs, Runner};
use crate::hashing::FastMap;
use crate::landing::Reckoning;
use crate::queue::{Class, Need, Place, rank};
use crate::timers::Timer;
use crate::waits;

/// One node of an open instance.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// Incoming edges that nothing has decided yet.
    pub(crate) undecided: u32,
    /// What it needs and has not got: see [`Needs::unmet`].
    pub(crate) unmet: u32,
    /// Incoming edges that were taken, but for those of nodes that it comes `after`.
    pub(crate) taken: u32,
    /// Whether one of its edges comes from a failure that nothing takes care of.
    pub(crate) is_broken: bool,
    /// Its row, once reached.
    pub(crate) row: Option<Shared<NodeRow>>,
    /// Its attempt in no terminal state.
    pub(crate) attempt: Option<Shared<AttemptRow>>,
    /// The instance that it waits for, while that is open.
    pub(crate) child: Option<InstanceId>,
    is_dirty: bool,
}

/// An instance in no terminal state.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) row: Shared<InstanceRow>,
    pub(crate) graph: Arc<Graph>,
    pub(crate) slots: Vec<Slot>,
    /// Rows of this run whose nodes a repair has taken away. Final as they are, they come back with their node: a control
    /// node as it was left, any other one with what it has tried.
    gone: Vec<Shared<NodeRow>>,
    /// Nodes in no terminal state.
    pub(crate) live: usize,
    /// Attempts in no terminal state.
    pub(crate) open_attempts: usize,
    /// Who waits for its end.
    pub(crate) killers: Vec<RequestId>,
    pub(crate) is_dirty: bool,
    dirty_nodes: Vec<usize>,
    /// How long it usually takes, once that is known and where it has a deadline.
    pub(crate) reckoning: Option<Box<Reckoning>>,
}

/// All of them by id: found at the same cost however many there are.
#[derive(Debug, Default)]
pub(crate) struct Instances {
    by_id: FastMap<InstanceId, Box<Instance>>,
}

impl Instances {
    pub(crate) fn get(&self, id: &InstanceId) -> Option<&Instance> {
        self.by_id.get(id).map(|it| &**it)
    }

    pub(crate) fn get_mut(&mut self, id: &InstanceId) -> Option<&mut Instance> {
        self.by_id.get_mut(id).map(|it| &mut **it)
    }

    pub(crate) fn contains_key(&self, id: &InstanceId) -> bool {
        self.by_id.get(id).is_some()
    }

    pub(crate) fn insert(&mut self, instance: Instance) {
        self.by_id.insert(instance.row.id, Box::new(instance));
    }

    pub(crate) fn remove(&mut self, id: &InstanceId) -> Option<Box<Instance>> {
        self.by_id.remove(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// How many of them are like that.
    pub(crate) fn count(&self, is_wanted: impl Fn(&Instance) -> bool) -> usize {
        self.by_id.count(|it| is_wanted(it))
    }

    /// Their ids, oldest first.
    pub(crate) fn ids(&self) -> Vec<InstanceId> {
        self.by_id.keys()
    }

    /// All of them, oldest first. Costs sorting them: for what looks at all of them anyway, never for a decision.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Instance> {
        self.ids().into_iter().filter_map(|id| self.get(&id))
    }
}

/// What an instance still does that has left the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    /// It goes through its graph.
    Walking,
    /// What has begun may finish, nothing new begins.
    Finishing,
    /// What runs is cancelled.
    Stopping,
    /// It goes through its clean-up.
    Cleaning,
}

impl Slot {
    /// Begins to wait.
    pub(crate) fn expect(&mut self, needs: Needs) {
        self.undecided = needs.incoming;
        self.unmet = needs.unmet;
        self.taken = 0;
        self.is_broken = false;
    }

    /// How far its edges are decided.
    pub(crate) fn counters(&self) -> (u32, u32, u32, bool) {
        (self.undecided, self.unmet, self.taken, self.is_broken)
    }
}

impl Instance {
    pub(crate) fn new(row: Shared<InstanceRow>, graph: Arc<Graph>) -> Self {
        let slots = (0..graph.len())
            .map(|node| {
                let mut slot = Slot::default();
                slot.expect(graph.vertex(node).needs);
                slot
            })
            .collect();
        let mut instance = Self {
            row,
            graph,
            slots,
            gone: Vec::new(),
            live: 0,
            open_attempts: 0,
            killers: Vec::new(),
            is_dirty: false,
            dirty_nodes: Vec::new(),
            reckoning: None,
        };
        instance.reckon();
        instance
    }

    /// Puts the row where its node stands, and says where; one whose node is gone is kept aside.
    pub(crate) fn put_row(&mut self, row: Shared<NodeRow>) -> Option<usize> {
        let position = self.graph.position(&row.node);
        let Some(node) = position.filter(|_| !is_removed(&row)) else {
            self.gone.push(row);
            return None;
        };
        self.live += usize::from(!row.state.is_terminal());
        self.slots[node].row = Some(row);
        Some(node)
    }

    /// The row of a node that its graph does not have, or has again and has not reached again.
    pub(crate) fn gone(&self, node: &str) -> Option<&NodeRow> {
        self.gone
            .iter()
            .map(|row| &**row)
            .find(|row| row.node == node)
    }

    /// All of them.
    pub(crate) fn all_gone(&self) -> &[Shared<NodeRow>] {
        &self.gone
    }

    /// What it still does, given that it has left the queue.
    pub(crate) fn course(&self) -> Course {
        let is_finishing = || {
            self.row.ending == Some(InstanceState::Failed)
                && self.graph.failure_policy() == FailurePolicy::FinishRunning
        };
        match (self.row.clean_up, self.row.ending) {
            (CleanUp::Begun, _) => Course::Cleaning,
            (CleanUp::Stopped, _) => Course::Stopping,
            (CleanUp::Ahead, None) => Course::Walking,
            (CleanUp::Ahead, Some(_)) if is_finishing() => Course::Finishing,
            (CleanUp::Ahead, Some(_)) => Course::Stopping,
        }
    }

    pub(crate) fn has_begun_clean_up(&self) -> bool {
        self.row.clean_up != CleanUp::Ahead
    }

    /// Whether this node, which is ready, may be given to a worker.
    fn may_start(&self, row: &NodeRow) -> bool {
        self.row.state == InstanceState::Running
            && self.graph.is_readable()
            && match self.course() {
                Course::Walking | Course::Cleaning => true,
                Course::Finishing => row.started_at.is_some(),
                Course::Stopping => false,
            }
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
    pub(crate) fn take_dirty_nodes(&mut self) -> impl Iterator<Item = Shared<NodeRow>> {
        let slots = &mut self.slots;
        self.dirty_nodes.drain(..).filter_map(|node| {
            slots[node].is_dirty = false;
            slots[node].row.clone()
        })
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
        let name = self.graph.row_name(node);
        let gone = self.gone.iter().position(|row| row.node == name);
        let before = gone.map(|position| self.gone.swap_remove(position));
        let (attempts, failures, losses, waits) = before.map_or_else(Default::default, |row| {
            let row = row.into_inner();
            (row.attempts, row.failures, row.losses, row.waits)
        });
        self.slots[node].row = Some(Shared::from(NodeRow {
            instance: self.row.id,
            node: name,
            run: self.row.run,
            type_name: self.graph.type_name(node).into(),
            state,
            attempts,
            failures,
            losses,
            ready_at: now,
            started_at: is_done.then_some(now),
            ended_at: is_done.then_some(now),
            deadline: None,
            retry_at: None,
            message,
            worker: None,
            waits,
            outputs: Vec::new(),
            child: None,
        }));
        self.live += usize::from(!is_done);
        self.mark(node);
    }

    /// The rows of all nodes that have changed, in the order in which they will be written.
    pub(crate) fn dirty_nodes(&self) -> impl Iterator<Item = &NodeRow> {
        self.dirty_nodes.iter().filter_map(|&node| self.node(node))
    }

    pub(crate) fn node(&self, node: usize) -> Option<&NodeRow> {
        self.slots[node].row.as_deref()
    }

    pub(crate) fn attempt_key(&self, node: usize, attempt: u32) -> AttemptKey {
        AttemptKey {
            instance: self.row.id,
            node: self.graph.row_name(node),
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

    /// The line that the node must stand in, and its place; `None` when it must wait in none.
    pub(crate) fn place(&self, node: usize) -> Option<(&Arc<Class>, Place)> {
        let row = self.node(node)?;
        if row.state != NodeState::Ready || !self.may_start(row) || self.is_own_turn(node) {
            return None;
        }
        let vertex = self.graph.vertex(node);
        let behind = match self.row.trigger {
            TriggerKind::Backfill => RANK_BEHIND,
            _ => 0,
        };
        let rank = rank(row.ready_at, vertex.priority.saturating_sub(behind));
        let place = (rank, self.row.id, node);
        Some((vertex.class.as_ref()?, place))
    }

    /// The share of a pool that the node's attempt holds.
    pub(crate) fn share(&self, node: usize) -> Option<&Need> {
        self.slots[node].attempt.as_ref()?;
        self.need(node)
    }

    /// The share of a pool that the node asks for.
    pub(crate) fn need(&self, node: usize) -> Option<&Need> {
        self.graph.vertex(node).class.as_ref()?.pool.as_ref()
    }

    /// Whether work is being done for the node: it has an attempt or a child. One that waits, between two tries too, does
    /// not run.
    pub(crate) fn runs(&self, node: usize) -> bool {
        let slot = &self.slots[node];
        let is_waiting = |row: &NodeRow| row.state != NodeState::Running || row.retry_at.is_some();
        slot.attempt.is_some() || !slot.row.as_deref().is_none_or(is_waiting)
    }

    /// Whether the engine itself must do something with the node: start its instance, begin its wait.
    pub(crate) fn is_own_turn(&self, node: usize) -> bool {
        let is_begun = |row: &NodeRow| row.started_at.is_some();
        let Some(row) = self.node(node).filter(|row| row.state == NodeState::Ready) else {
            return false;
        };
        self.may_start(row)
            && match self.graph.vertex(node).runner {
                Runner::Worker => false,
                Runner::Look => !is_begun(row),
                Runner::Timer | Runner::Child | Runner::Mail => true,
            }
    }

    /// The timers that must run for the node: for most nodes none.
    pub(crate) fn timers(&self, node: usize) -> impl Iterator<Item = (Timestamp, Timer)> + use<> {
        let may_have = self.reckoning.is_some()
            || self.node(node).is_some_and(|row| {
                let waits = matches!(row.message, Some(Message::NoWorker { .. }));
                row.retry_at.is_some() || row.deadline.is_some() || waits
            });
        let timers = may_have.then(|| self.some_timers(node));
        timers.into_iter().flatten()
    }

    fn some_timers(&self, node: usize) -> impl Iterator<Item = (Timestamp, Timer)> + use<> {
        let id = self.row.id;
        let slot = &self.slots[node];
        let row = slot
            .row
            .as_deref()
            .filter(|row| !row.state.is_terminal() && row.state != NodeState::Suspended)
            .filter(|_| self.course() != Course::Stopping && !self.row.state.is_terminal());
        let retry = row
            .and_then(|row| row.retry_at)
            .map(|at| (at, Timer::Retry(id, node)));
        let is_cancelled = slot
            .attempt
            .as_ref()
            .is_some_and(|attempt| attempt.cancel.is_some());
        let deadline = row
            .and_then(|row| row.deadline)
            .filter(|_| !is_cancelled && !row.is_some_and(children::is_timed_out))
            // While a person holds the instance up, the time of what does not run stands still.
            .filter(|_| self.row.hold.is_none() || self.runs(node))
            .map(|at| (at, Timer::Deadline(id, node)));
        let warning = row
            .and_then(waits::warning_due)
            .map(|at| (at, Timer::WarnWaiting(id, node)));
        let late = self.late_timer(node);
        retry.into_iter().chain(deadline).chain(warning).chain(late)
    }
}

/// Whether a repair has taken the node away before it had ended.
fn is_removed(row: &NodeRow) -> bool {
    row.state == NodeState::Killed && row.message == Some(Message::Removed)
}
