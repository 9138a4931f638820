//! The walk through an instance's graph: decided edges reach nodes, control nodes complete at once, dead paths die.
//!
//! Iterative, and its cost is the number of edges decided.

use std::collections::VecDeque;

use akkaflow_model::definition::NodeKind;
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::Message;
use akkaflow_model::record::CleanUp;
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Text;

use crate::Engine;
use crate::instances::{Course, Instance};
use crate::marks::mark_message;
use crate::ways::{Arrival, Left, Verdict};

impl Engine {
    /// Starts the graph of an instance that has just left the queue.
    pub(crate) fn walk_from_start(&mut self, id: InstanceId) {
        let arrivals = match self.instances.get(&id) {
            Some(instance) => instance.begin(),
            None => return,
        };
        self.walk(id, arrivals);
    }

    /// Goes on from a node that has ended for good.
    pub(crate) fn walk_from(&mut self, id: InstanceId, node: usize) {
        let mut arrivals = VecDeque::new();
        if !self.pass_on(id, node, &mut arrivals) {
            self.walk(id, arrivals);
        }
    }

    /// Looks at all that has been decided, and at what follows from it.
    pub(crate) fn walk(&mut self, id: InstanceId, mut arrivals: VecDeque<Arrival>) {
        self.touched.push(id);
        while let Some(arrival) = arrivals.pop_front() {
            let Some(instance) = self.instances.get_mut(&id) else {
                return;
            };
            match instance.judge(arrival) {
                (_, Verdict::Open) => {}
                (node, Verdict::Dead) => instance.leave(node, Left::Dead, &mut arrivals),
                (node, Verdict::Reached) => {
                    if self.reach(id, node, &mut arrivals) {
                        return;
                    }
                }
            }
        }
        self.finish_if_done(id);
    }

    /// A node's turn has come. True when that ends the walk.
    fn reach(&mut self, id: InstanceId, node: usize, arrivals: &mut VecDeque<Arrival>) -> bool {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(&id) else {
            return true;
        };
        if instance
            .node(node)
            .is_some_and(|row| row.state.is_terminal())
        {
            // Carried over from the run before, or an end that the clean-up shares.
            instance.leave(node, Left::Well, arrivals);
            return false;
        }
        let graph = instance.graph.clone();
        let passed = match graph.kind(node) {
            Some(NodeKind::Action(_))
                if !instance.is_ignored(node) && instance.mark_of(node).is_none() =>
            {
                instance.reach(node, NodeState::Ready, None, now);
                self.enqueue(id, node);
                return false;
            }
            Some(NodeKind::Kill { message }) => {
                let message = message.clone();
                self.reach_kill(id, node, &message);
                return true;
            }
            Some(NodeKind::Action(_)) => match instance.undecidable(node, true) {
                None => Ok(Some(
                    instance
                        .mark_of(node)
                        .map_or(Message::Ignored, mark_message),
                )),
                Some(fault) => Err(fault),
            },
            Some(NodeKind::Decision { .. }) => instance.choice(node),
            Some(NodeKind::Fork { .. }) => match instance.undecidable(node, true) {
                None => Ok(None),
                Some(fault) => Err(fault),
            },
            Some(
                NodeKind::Start { .. }
                | NodeKind::Join { .. }
                | NodeKind::Finally { .. }
                | NodeKind::End,
            ) => Ok(None),
            None => return false,
        };
        let (state, message) = match passed {
            Ok(message) => (NodeState::Succeeded, message),
            Err(fault) => (NodeState::Failed, Some(fault)),
        };
        instance.reach(node, state, message, now);
        self.pass_on(id, node, arrivals)
    }

    fn reach_kill(&mut self, id: InstanceId, node: usize, message: &str) {
        let (now, zone) = (self.now, self.zone_of_instance(id));
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        instance.reach(node, NodeState::Succeeded, None, now);
        let message = instance
            .with_values(zone, |values| values.substitute(message))
            .unwrap_or_else(|_| message.to_owned());
        let node = instance.graph.name(node).to_owned();
        self.end(
            id,
            InstanceState::Killed,
            Message::KillNode { node, message },
        );
    }

    /// Decides the edges of a node that has ended for good. True when its failure ends the walk.
    fn pass_on(&mut self, id: InstanceId, node: usize, arrivals: &mut VecDeque<Arrival>) -> bool {
        let Some(instance) = self.instances.get_mut(&id) else {
            return true;
        };
        let left = instance.left(node);
        if left == Left::Broken && instance.breaks_off() {
            let node = instance.graph.name(node).to_owned();
            self.end(id, InstanceState::Failed, Message::NodeFailed { node });
            return true;
        }
        if left == Left::Failed {
            instance.row.handled_errors = true;
            instance.is_dirty = true;
        }
        instance.leave(node, left, arrivals);
        false
    }

    /// Puts a ready node into the queue that it belongs to, if its instance may start work.
    pub(crate) fn enqueue(&mut self, id: InstanceId, node: usize) {
        self.resume_waiting(id, node);
    }

    /// Ends an instance in which nothing lives any more; its clean-up comes before that.
    pub(crate) fn finish_if_done(&mut self, id: InstanceId) {
        let Some(instance) = self.instances.get(&id) else {
            return;
        };
        if instance.live > 0 || instance.row.state.is_terminal() {
            return;
        }
        let (state, message) = instance.verdict();
        let has_clean_up = instance.graph.finally().is_some();
        if has_clean_up && !instance.has_begun_clean_up() {
            self.clean_up(id, state, message);
        } else {
            self.finish(id, state, message);
        }
    }

    /// Everything else is over, and the instance will end like this.
    fn clean_up(&mut self, id: InstanceId, state: InstanceState, message: Option<Message>) {
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        instance.row.clean_up = CleanUp::Begun;
        instance.row.ending = Some(state);
        // A quarantine held the rest alone; a person's pause holds this too.
        if instance.row.hold.is_none() {
            instance.row.state = InstanceState::Running;
        }
        if instance.row.hold.is_none() || message.is_some() {
            instance.row.message = message;
        }
        instance.is_dirty = true;
        let arrivals = instance.begin_clean_up();
        self.walk(id, arrivals);
    }
}

impl Instance {
    /// How an instance ends in which nothing lives any more.
    fn verdict(&self) -> (InstanceState, Option<Message>) {
        let failed = |node| {
            let node = self.graph.name(node).to_owned();
            (InstanceState::Failed, Some(Message::NodeFailed { node }))
        };
        let row = &self.row;
        match (self.course(), row.ending) {
            (_, None) if !self.graph.is_readable() => {
                let text = unreadable_text(&row.workflow);
                (InstanceState::Failed, Some(Message::said(text)))
            }
            // Whatever the policy is now: a repair may have brought another one than that by which it went on.
            (Course::Walking, _) => self
                .first_broken(false)
                .map_or((InstanceState::Succeeded, None), failed),
            (_, None) => (InstanceState::Succeeded, None),
            (Course::Cleaning, Some(InstanceState::Succeeded)) => self
                .first_broken(true)
                .map_or((InstanceState::Succeeded, None), failed),
            (_, Some(ending)) => (ending, row.message.clone()),
        }
    }
}

/// Why an instance of a version that cannot be read ends.
pub(crate) fn unreadable_text(workflow: &str) -> Text {
    Text::new(
        format!("工作流[{workflow}]的定义无法读取，请更新定义后重跑"),
        format!("the definition of workflow `{workflow}` cannot be read; replace it, then rerun"),
    )
}
