//! Which edges of an instance's graph are taken, and what that means for the nodes that they lead to.
//!
//! All of it follows from the rows: a load goes through the same functions. Every edge is decided exactly once, and the
//! order in which edges are decided changes nothing.

use std::collections::{BTreeMap, VecDeque};

use akkaflow_model::condition::{Condition, Scope, Value};
use akkaflow_model::definition::{FailurePolicy, NodeKind};
use akkaflow_model::message::Message;
use akkaflow_model::state::NodeState;

use crate::graph::On;
use crate::instances::{Course, Instance};

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

/// What has become of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The way goes on.
    Taken,
    /// It went another way.
    Missed,
    /// It comes from a failure that nothing takes care of: nobody who waits for all edges may go on.
    Broken,
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
        /// Whether the node comes `after` that from which it leads.
        is_after: bool,
        /// What has become of it.
        fate: Fate,
    },
}

/// How a node is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// It was passed, or has succeeded.
    Well,
    /// It has failed for good, and its error edge takes care of it.
    Failed,
    /// It has failed for good, and nothing takes care of it.
    Broken,
    /// It was never reached.
    Dead,
}

impl Instance {
    /// The walk's first arrivals.
    pub(crate) fn begin(&self) -> VecDeque<Arrival> {
        let dead = self
            .graph
            .unreached()
            .iter()
            .map(|&node| Arrival::Die(node));
        let first = self.graph.first().iter().map(|&node| Arrival::Reach(node));
        dead.chain(first).collect()
    }

    /// The first arrivals of the clean-up. Within it only its own edges count.
    pub(crate) fn begin_clean_up(&mut self) -> VecDeque<Arrival> {
        let graph = self.graph.clone();
        let Some(finally) = graph.finally() else {
            return VecDeque::new();
        };
        for (node, needs) in &finally.members {
            self.slots[*node].expect(*needs);
        }
        VecDeque::from([Arrival::Reach(finally.node)])
    }

    pub(crate) fn judge(&mut self, arrival: Arrival) -> (usize, Verdict) {
        match arrival {
            Arrival::Reach(node) => (node, Verdict::Reached),
            Arrival::Die(node) => (node, Verdict::Dead),
            Arrival::Edge { to, is_after, fate } => (to, self.decide(to, is_after, fate)),
        }
    }

    /// Counts a decided edge and says what follows.
    fn decide(&mut self, to: usize, is_after: bool, fate: Fate) -> Verdict {
        let is_join = self.graph.vertex(to).is_join;
        let slot = &mut self.slots[to];
        let had_unmet = slot.unmet > 0;
        slot.undecided = slot.undecided.saturating_sub(1);
        match fate {
            Fate::Taken if is_after => slot.unmet = slot.unmet.saturating_sub(1),
            Fate::Taken => {
                slot.taken += 1;
                slot.unmet = slot.unmet.saturating_sub(u32::from(slot.taken == 1));
            }
            Fate::Missed => {}
            Fate::Broken => slot.is_broken = true,
        }
        let is_met = slot.unmet == 0;
        let is_decided = slot.undecided == 0;
        if is_join && is_decided {
            if is_met && !slot.is_broken {
                Verdict::Reached
            } else {
                Verdict::Dead
            }
        } else if is_join {
            Verdict::Open
        } else if is_met && had_unmet {
            Verdict::Reached
        } else if is_decided && !is_met {
            Verdict::Dead
        } else {
            Verdict::Open
        }
    }

    /// Decides all edges out of a node.
    pub(crate) fn leave(&self, node: usize, left: Left, into: &mut VecDeque<Arrival>) {
        let vertex = self.graph.vertex(node);
        let case = match (left, self.graph.kind(node)) {
            (Left::Well, Some(NodeKind::Decision { .. })) => self.case(node).ok().flatten(),
            _ => None,
        };
        for (position, way) in vertex.outs.iter().enumerate() {
            let is_taken = match (left, way.on) {
                (Left::Well, On::Ok | On::Pass) | (Left::Failed, On::Error) => {
                    !vertex.has_conditions || self.holds(node, position)
                }
                (Left::Well, On::After) => true,
                (Left::Well, On::Case(number)) => case == Some(number),
                (Left::Well, On::Error) | (Left::Failed | Left::Broken | Left::Dead, _) => false,
            };
            let fate = match left {
                _ if is_taken => Fate::Taken,
                Left::Broken => Fate::Broken,
                Left::Dead if self.slots[node].is_broken => Fate::Broken,
                Left::Well | Left::Failed | Left::Dead => Fate::Missed,
            };
            into.push_back(Arrival::Edge {
                to: way.to,
                is_after: way.on == On::After,
                fate,
            });
        }
    }

    /// How a node is left that has ended for good.
    pub(crate) fn left(&self, node: usize) -> Left {
        match self.node(node).map(|row| row.state) {
            Some(NodeState::Succeeded) => Left::Well,
            Some(NodeState::Failed) if self.is_handled(node) => Left::Failed,
            Some(_) => Left::Broken,
            None => Left::Dead,
        }
    }

    /// Whether the node's error edge takes care of its failure.
    fn is_handled(&self, node: usize) -> bool {
        let vertex = self.graph.vertex(node);
        let error = vertex.outs.iter().position(|way| way.on == On::Error);
        error.is_some_and(|position| !vertex.has_conditions || self.holds(node, position))
    }

    /// What nodes have handed on, in their declared types.
    fn typed_outputs(&self) -> BTreeMap<String, BTreeMap<String, Value>> {
        let of_node = |node| {
            let row = self.node(node).filter(|row| !row.outputs.is_empty())?;
            let declared = self.graph.action(node)?.outputs.iter();
            let typed = declared.filter_map(|output| {
                let mut given = row.outputs.iter();
                let (_, value) = given.find(|(name, _)| *name == output.name)?;
                Some((output.name.clone(), Value::of(output.kind, value)))
            });
            Some((row.node.to_string(), typed.collect()))
        };
        (0..self.slots.len()).filter_map(of_node).collect()
    }

    fn holds(&self, node: usize, position: usize) -> bool {
        self.graph
            .condition(node, position)
            .is_none_or(|condition| self.is_true(condition) == Ok(true))
    }

    fn is_true(&self, condition: &Condition) -> Result<bool, Message> {
        let state = self.state().unwrap_or_default().iter().cloned().collect();
        let scope = Scope {
            params: &self.row.params,
            outputs: &self.typed_outputs(),
            state: &state,
        };
        condition
            .holds(&scope)
            .map_err(|reason| Message::UndecidableCondition {
                condition: condition.as_str().to_owned(),
                reason,
            })
    }

    /// The first case of a decision that holds, or the number after the last one where there is a default.
    fn case(&self, node: usize) -> Result<Option<usize>, Message> {
        let Some(NodeKind::Decision { cases, default }) = self.graph.kind(node) else {
            return Ok(None);
        };
        for (number, case) in cases.iter().enumerate() {
            if self.is_true(&case.when)? {
                return Ok(Some(number));
            }
        }
        Ok(default.as_ref().map(|_| cases.len()))
    }

    /// What a decision says that is passed.
    pub(crate) fn choice(&self, node: usize) -> Result<Option<Message>, Message> {
        let Some(NodeKind::Decision { cases, default }) = self.graph.kind(node) else {
            return Ok(None);
        };
        let case = self.case(node)?;
        let chosen = case.and_then(|number| cases.get(number));
        Ok(Some(Message::Chose {
            to: match (chosen, case) {
                (Some(case), _) => Some(case.to.clone()),
                (None, Some(_)) => default.clone(),
                (None, None) => None,
            },
            condition: chosen.map(|case| case.when.as_str().to_owned()),
        }))
    }

    /// Why it cannot be said which edges the node takes that has ended like this.
    pub(crate) fn undecidable(&self, node: usize, has_succeeded: bool) -> Option<Message> {
        if matches!(self.graph.kind(node), Some(NodeKind::Decision { .. })) {
            return self.case(node).err();
        }
        let vertex = self.graph.vertex(node);
        if !vertex.has_conditions {
            return None;
        }
        let wanted = |on| match on {
            On::Ok | On::Pass => has_succeeded,
            On::Error => !has_succeeded,
            On::Case(_) | On::After => false,
        };
        (0..vertex.outs.len())
            .filter(|&position| wanted(vertex.outs[position].on))
            .filter_map(|position| self.graph.condition(node, position))
            .find_map(|condition| self.is_true(condition).err())
    }

    /// Whether the failure of the node, which nothing takes care of, ends the walk. The clean-up always does what it can.
    pub(crate) fn breaks_off(&self) -> bool {
        self.course() == Course::Walking
            && self.graph.failure_policy() != FailurePolicy::FinishPossible
    }

    /// The first node, among all or those of the clean-up, that has failed without anything that takes care of it.
    pub(crate) fn first_broken(&self, is_clean_up: bool) -> Option<usize> {
        let is_broken = |node: &usize| {
            self.node(*node)
                .is_some_and(|row| row.state == NodeState::Failed)
                && self.left(*node) == Left::Broken
        };
        let ended_at = |node: &usize| (self.node(*node).and_then(|row| row.ended_at), *node);
        match self.graph.finally().filter(|_| is_clean_up) {
            Some(finally) => (finally.members.iter().map(|(node, _)| *node))
                .filter(is_broken)
                .min_by_key(ended_at),
            None => (0..self.slots.len()).filter(is_broken).min_by_key(ended_at),
        }
    }

    /// Decides the edges again from the rows of the nodes: what a load does, and what the kept counters must equal.
    ///
    /// Gives the nodes whose turn has come, those without a row too.
    pub(crate) fn replay(&mut self) -> Vec<usize> {
        let mut reached = Vec::new();
        for node in 0..self.slots.len() {
            let needs = self.graph.vertex(node).needs;
            self.slots[node].expect(needs);
        }
        if self.row.started_at.is_none() || !self.graph.is_readable() {
            return reached;
        }
        let arrivals = self.begin();
        self.replay_from(arrivals, &mut reached);
        if self.has_begun_clean_up() {
            let arrivals = self.begin_clean_up();
            self.replay_from(arrivals, &mut reached);
        }
        reached
    }

    fn replay_from(&mut self, mut arrivals: VecDeque<Arrival>, reached: &mut Vec<usize>) {
        while let Some(arrival) = arrivals.pop_front() {
            let (node, verdict) = self.judge(arrival);
            if verdict == Verdict::Reached {
                reached.push(node);
            }
            let state = self.node(node).map(|row| row.state);
            match (verdict, state) {
                (Verdict::Dead, _) => self.leave(node, Left::Dead, &mut arrivals),
                (Verdict::Reached, Some(NodeState::Succeeded | NodeState::Failed)) => {
                    self.leave(node, self.left(node), &mut arrivals);
                }
                (Verdict::Open | Verdict::Reached, _) => {}
            }
        }
    }

    /// The nodes whose counters a load must give back: those in which the walk may still go on.
    pub(crate) fn counted(&self) -> Vec<usize> {
        match self.course() {
            Course::Walking => (0..self.slots.len()).collect(),
            Course::Cleaning => self
                .graph
                .finally()
                .map(|finally| finally.members.iter().map(|(node, _)| *node).collect())
                .unwrap_or_default(),
            Course::Finishing | Course::Stopping => Vec::new(),
        }
    }

    /// What [`Self::replay`] would set, without setting it.
    pub(crate) fn replayed(&self) -> Self {
        let mut again = Self::new(self.row.clone(), self.graph.clone());
        for (slot, here) in again.slots.iter_mut().zip(&self.slots) {
            slot.row = here.row.clone();
        }
        again.replay();
        again
    }
}
