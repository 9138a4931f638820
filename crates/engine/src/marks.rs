//! Nodes that need not run because a person says so: their work was done by other means, or may be left out.
//!
//! In an open instance a node that waits ends at once, one that runs is stopped first, and one that has not been reached
//! will be passed over. An ended instance runs again from where it broke, with the mark.

use std::sync::Arc;

use akkaflow_model::command::{Answer, Rejection};
use akkaflow_model::definition::Workflow;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::Message;
use akkaflow_model::record::{CancelReason, Mark};
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Text;

use crate::Engine;
use crate::input::{Rerun, RerunFrom, StoredInstance};
use crate::instances::Instance;
use crate::lifecycle::cancel;
use crate::orders::Answered;

impl Engine {
    pub(crate) fn mark_node(
        &mut self,
        id: InstanceId,
        mut mark: Mark,
        stored: Option<Box<StoredInstance>>,
        pinned: Option<Arc<Workflow>>,
    ) -> Answered {
        mark.at = self.now;
        if self.instances.contains_key(&id) {
            return self.mark_open(id, mark);
        }
        if let Some(stored) = &stored {
            let is_known = pinned.as_ref().is_none_or(|workflow| {
                let node = workflow.nodes.iter().find(|node| node.name == mark.node);
                node.is_some_and(|node| {
                    matches!(node.kind, akkaflow_model::definition::NodeKind::Action(_))
                })
            });
            if !is_known {
                return Err(no_action(&mark.node));
            }
            let has_succeeded = stored.nodes.iter().any(|row| {
                row.run == stored.instance.run
                    && row.node == mark.node
                    && row.state == NodeState::Succeeded
            });
            if has_succeeded || stored.instance.state == InstanceState::Succeeded {
                return Err(over(&mark.node));
            }
        }
        let user = mark.user.clone();
        self.rerun(
            id,
            stored,
            Rerun {
                from: RerunFrom::Failed,
                pinned,
                user,
            },
            Some(mark),
        )
    }

    fn mark_open(&mut self, id: InstanceId, mark: Mark) -> Answered {
        let now = self.now;
        let instance = self.open(id)?;
        let node = instance
            .graph
            .position(&mark.node)
            .filter(|&node| instance.graph.action(node).is_some())
            .ok_or_else(|| no_action(&mark.node))?;
        let known = instance.mark_of(node);
        if known.is_some_and(|known| known.is_skipped == mark.is_skipped) {
            return Ok(Answer::Done);
        }
        let row = instance.node(node);
        if row.is_some_and(|row| row.state.is_terminal()) {
            return Err(over(&mark.node));
        }
        let is_reached = row.is_some();
        let message = mark_message(&mark);
        let node_name = Some(mark.node.clone());
        instance.row.intervene(now, node_name, message.clone());
        instance.row.marks.retain(|known| known.node != mark.node);
        instance.row.marks.push(mark);
        let is_running = instance.slots[node].attempt.is_some();
        self.touch(id);
        if let Some(child) = self.open_child(id, node) {
            self.kill_child(id, node, child);
        } else if is_running {
            self.stop_waiting(id, node);
            if let Some(instance) = self.instances.get_mut(&id) {
                cancel(instance, node, CancelReason::Marked, &mut self.out);
            }
            self.resume_waiting(id, node);
        } else if is_reached {
            self.end_node(id, node, NodeState::Succeeded, message);
            self.leave_quarantine(id);
        }
        Ok(Answer::Done)
    }

    /// An instance goes on once none of its nodes is in quarantine any more, unless a person holds it up.
    fn leave_quarantine(&mut self, id: InstanceId) {
        let is_free = self.instances.get(&id).is_some_and(|instance| {
            let row = &instance.row;
            row.state == InstanceState::Suspended
                && row.hold.is_none()
                && row.ending.is_none()
                && (0..instance.slots.len()).all(|node| {
                    instance
                        .node(node)
                        .is_none_or(|row| row.state != NodeState::Suspended)
                })
        });
        if is_free {
            self.change_all_waits(id, |instance| {
                instance.row.state = InstanceState::Running;
                instance.row.message = None;
            });
        }
    }
}

impl Instance {
    /// What a person has said about the node.
    pub(crate) fn mark_of(&self, node: usize) -> Option<&Mark> {
        let marks = &self.row.marks;
        if marks.is_empty() {
            return None;
        }
        let name = self.graph.name(node);
        marks.iter().find(|mark| mark.node == name)
    }
}

/// What stands beside the state of a marked node.
pub(crate) fn mark_message(mark: &Mark) -> Message {
    Message::Marked {
        is_skipped: mark.is_skipped,
        user: mark.user.clone(),
        reason: mark.reason.clone(),
    }
}

fn over(node: &str) -> Rejection {
    Rejection::new(
        ErrorCode::Conflict,
        Text::new(
            format!("节点[{node}]已结束，不能再标记"),
            format!("node `{node}` has ended: there is nothing to mark"),
        ),
    )
}

fn no_action(node: &str) -> Rejection {
    Rejection::new(
        ErrorCode::NotFound,
        Text::new(
            format!("动作节点[{node}]不存在"),
            format!("there is no action node `{node}`"),
        ),
    )
}
