//! The walk through an instance's graph: decided edges reach nodes, control nodes complete at once, dead paths die.
//!
//! Iterative, and its cost is the number of edges decided.

use std::collections::VecDeque;

use akkaflow_model::definition::NodeKind;
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::Message;
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Text;

use crate::Engine;
use crate::instances::{Arrival, Verdict};
use crate::params;

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
    pub(crate) fn walk_from(&mut self, id: InstanceId, node: usize, has_succeeded: bool) {
        let Some(instance) = self.instances.get(&id) else {
            return;
        };
        let mut arrivals = VecDeque::new();
        instance.leave(node, Some(has_succeeded), &mut arrivals);
        self.walk(id, arrivals);
    }

    fn walk(&mut self, id: InstanceId, mut arrivals: VecDeque<Arrival>) {
        self.touched.push(id);
        while let Some(arrival) = arrivals.pop_front() {
            let Some(instance) = self.instances.get_mut(&id) else {
                return;
            };
            match instance.judge(arrival) {
                (_, Verdict::Open) => {}
                (node, Verdict::Dead) => instance.leave(node, None, &mut arrivals),
                (node, Verdict::Reached) => {
                    if self.reach(id, node, &mut arrivals) {
                        return;
                    }
                }
            }
        }
        self.finish_if_done(id);
    }

    /// A node's turn has come. True when that ends the instance.
    fn reach(&mut self, id: InstanceId, node: usize, arrivals: &mut VecDeque<Arrival>) -> bool {
        let (now, zone) = (self.now, self.options.zone);
        let Some(instance) = self.instances.get_mut(&id) else {
            return true;
        };
        if instance
            .node(node)
            .is_some_and(|row| row.state.is_terminal())
        {
            // Carried over from the run before.
            instance.leave(node, Some(true), arrivals);
            return false;
        }
        let graph = instance.graph.clone();
        match graph.kind(node) {
            Some(
                NodeKind::Start { .. }
                | NodeKind::Fork { .. }
                | NodeKind::Join { .. }
                | NodeKind::End,
            ) => {
                instance.reach(node, NodeState::Succeeded, None, now);
                instance.leave(node, Some(true), arrivals);
            }
            Some(NodeKind::Kill { message }) => {
                instance.reach(node, NodeState::Succeeded, None, now);
                let row = &instance.row;
                let message = params::substitute(message, &row.params, row.fire_time, zone)
                    .unwrap_or_else(|_| message.clone());
                let node = graph.name(node).to_owned();
                self.end(
                    id,
                    InstanceState::Killed,
                    Message::KillNode { node, message },
                );
                return true;
            }
            Some(NodeKind::Action(_)) if instance.is_ignored(node) => {
                instance.reach(node, NodeState::Succeeded, Some(Message::Ignored), now);
                instance.leave(node, Some(true), arrivals);
            }
            Some(NodeKind::Action(_)) => {
                instance.reach(node, NodeState::Ready, None, now);
                self.enqueue(id, node);
            }
            // Workflows that hold one are not runnable yet, so no instance comes here.
            Some(NodeKind::Decision { .. } | NodeKind::Finally { .. }) | None => {}
        }
        false
    }

    /// Puts a ready node into the queue that it belongs to, if its instance may start work.
    pub(crate) fn enqueue(&mut self, id: InstanceId, node: usize) {
        if let Some((host, place)) = self
            .instances
            .get(&id)
            .and_then(|instance| instance.place(node))
        {
            self.ready.push(host, place);
        }
    }

    /// Ends an instance in which nothing lives any more.
    pub(crate) fn finish_if_done(&mut self, id: InstanceId) {
        let Some(instance) = self.instances.get(&id) else {
            return;
        };
        if instance.live > 0 || instance.row.state.is_terminal() {
            return;
        }
        if instance.graph.is_readable() {
            self.finish(id, InstanceState::Succeeded, None);
        } else {
            let text = unreadable_text(&instance.row.workflow);
            self.finish(id, InstanceState::Failed, Some(Message::said(text)));
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
