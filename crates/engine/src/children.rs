//! `<sub-workflow>`: a node that is an instance of another workflow.
//!
//! The child knows its parent's node, the node's row knows its latest child: both are written in the step that makes the
//! child, and read again by a new master. A node that waits ends in the step in which its child ends.

use std::time::Duration;

use akkaflow_model::command::Rejection;
use akkaflow_model::definition::TimeoutScope;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::Message;
use akkaflow_model::record::{NodeRow, ParentNode, TriggerKind};
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::sub_workflow::SubWorkflow;
use akkaflow_model::text::Text;

use crate::attempts::{is_limited_by_attempt, timeout_of};
use crate::instances::{Course, Instance};
use crate::journal::Given;
use crate::lifecycle::{Birth, close};
use crate::marks::mark_message;
use crate::waiting::first_error;
use crate::{Engine, Params};

/// So many instances may stand above one: a workflow that starts itself must end somewhere.
const DEEPEST: u32 = 16;

/// Whether the node's time is up and its child is being killed for that.
pub(crate) fn is_timed_out(row: &NodeRow) -> bool {
    row.child.is_some()
        && row.retry_at.is_none()
        && row.state == NodeState::Running
        && matches!(row.message, Some(Message::TimedOut { .. }))
}

impl Engine {
    /// The child that a node waits for.
    pub(crate) fn open_child(&self, id: InstanceId, node: usize) -> Option<InstanceId> {
        self.instances.get(&id)?.slots[node].child
    }

    /// The same from the rows: what a load sets.
    pub(crate) fn child_of_rows(&self, id: InstanceId, node: usize) -> Option<InstanceId> {
        let instance = self.instances.get(&id)?;
        let row = instance.node(node).filter(|row| !row.state.is_terminal())?;
        let child = self.instances.get(&row.child?)?;
        let is_ours =
            child.row.parent.as_ref().is_some_and(|parent| {
                parent.instance == id && parent.waits && parent.run == row.run
            });
        (is_ours && !child.row.state.is_terminal()).then_some(child.row.id)
    }

    /// Somebody has an instance run again: the node that still waits to try once more takes its end.
    pub(crate) fn tell_parent_again(&mut self, child: InstanceId) {
        let parent = self
            .instances
            .get(&child)
            .and_then(|it| it.row.parent.clone());
        let Some(parent) = parent else {
            return;
        };
        let above = self.instances.get(&parent.instance);
        let node = above.and_then(|above| above.graph.position(&parent.node));
        if let Some(node) =
            node.filter(|node| self.child_of_rows(parent.instance, *node) == Some(child))
        {
            let given = Given::ChildAgain {
                node: parent.node.into(),
                child,
            };
            self.out.given(parent.instance, given);
            self.await_again(parent.instance, node, child);
        }
    }

    pub(crate) fn await_again(&mut self, id: InstanceId, node: usize, child: InstanceId) {
        if let Some(instance) = self.instances.get_mut(&id) {
            instance.slots[node].child = Some(child);
        }
        self.touched.push(id);
    }

    /// All of them, with their nodes.
    pub(crate) fn open_children(&self, id: InstanceId) -> Vec<(usize, InstanceId)> {
        let count = self.instances.get(&id).map_or(0, |it| it.slots.len());
        (0..count)
            .filter_map(|node| Some((node, self.open_child(id, node)?)))
            .collect()
    }

    /// Starts the instance of a node whose turn has come.
    pub(crate) fn start_child(&mut self, id: InstanceId, node: usize, body: &Element) {
        let mut diagnostics = Diagnostics::new();
        let made = match SubWorkflow::parse(body, &mut diagnostics) {
            // Somebody has rerun the child that had failed.
            Some(sub) if self.open_child(id, node).is_some() => {
                let child = self.open_child(id, node).expect("looked at just now");
                Ok((sub, child))
            }
            Some(sub) => self.child_params(id, &sub).map(|params| {
                let child = self.make_child(id, node, &sub, params);
                (sub, child)
            }),
            None => Err(first_error(diagnostics)),
        };
        let Some(name) = self.instances.get(&id).map(|it| it.graph.row_name(node)) else {
            return;
        };
        match made {
            Err(text) => {
                let message = Message::said(text);
                let given = Given::NoChild {
                    node: name,
                    message: message.clone(),
                };
                self.out.given(id, given);
                self.end_node(id, node, NodeState::Failed, message);
            }
            Ok((sub, child)) => {
                let given = Given::Child {
                    node: name,
                    child,
                    waits: sub.waits,
                };
                self.out.given(id, given);
                self.attach_child(id, node, child, sub.waits);
            }
        }
    }

    /// The parameters of a child that may be started.
    fn child_params(&mut self, id: InstanceId, sub: &SubWorkflow) -> Result<Params, Text> {
        let name = &sub.workflow;
        let unknown = || {
            Text::new(
                format!("工作流[{name}]不存在"),
                format!("workflow `{name}` does not exist"),
            )
        };
        let workflow = self
            .startable(name, unknown)
            .map_err(|Rejection { text, .. }| text)?;
        let Some(instance) = self.instances.get(&id) else {
            return Err(unknown());
        };
        if depth_of(instance) >= DEEPEST {
            return Err(Text::new(
                format!("子工作流嵌套超过{DEEPEST}层，请检查是否互相调用"),
                format!(
                    "sub-workflows are nested deeper than {DEEPEST}; look whether they start each other"
                ),
            ));
        }
        if sub.waits && self.has_ancestor(instance, name) {
            return Err(Text::new(
                format!("工作流[{name}]正在等待本节点，不能再由它启动"),
                format!("workflow `{name}` waits for this node and cannot be started by it"),
            ));
        }
        self.resolve(&workflow, &sub.params, instance.row.fire_time)
            .map_err(|error| error.text())
    }

    /// Whether the instance, or one that waits for it, is of the workflow.
    fn has_ancestor(&self, instance: &Instance, workflow: &str) -> bool {
        let mut next = Some(instance);
        while let Some(instance) = next {
            if instance.row.workflow == workflow {
                return true;
            }
            let parent = instance.row.parent.as_ref().filter(|parent| parent.waits);
            next = parent.and_then(|parent| self.instances.get(&parent.instance));
        }
        false
    }

    /// Lets the node wait for its child.
    pub(crate) fn attach_child(
        &mut self,
        id: InstanceId,
        node: usize,
        child: InstanceId,
        waits: bool,
    ) {
        let now = self.now;
        self.stop_waiting(id, node);
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let graph = instance.graph.clone();
        let Some(row) = instance.slots[node].row.as_deref_mut() else {
            return;
        };
        row.state = NodeState::Running;
        row.message = None;
        row.attempts += 1;
        row.child = Some(child);
        let action = graph.action(node);
        let is_limited_by_attempt =
            action.is_some_and(|it| it.timeout_scope == TimeoutScope::Attempt);
        if row.started_at.is_none() || is_limited_by_attempt {
            let limit = action.and_then(|it| it.timeout_seconds);
            row.deadline = limit.map(|seconds| now.plus(Duration::from_secs(seconds)));
        }
        row.started_at.get_or_insert(now);
        instance.slots[node].child = waits.then_some(child);
        instance.mark(node);
        self.touched.push(id);
        self.resume_waiting(id, node);
        if !waits {
            self.tell_success(id, node, &Message::Succeeded);
            self.end_node(id, node, NodeState::Succeeded, Message::Succeeded);
        } else {
            // It may be over already: a policy of its workflow can forbid one more instance.
            self.tell_parent(child);
        }
    }

    fn make_child(
        &mut self,
        id: InstanceId,
        node: usize,
        sub: &SubWorkflow,
        params: Params,
    ) -> InstanceId {
        let parent = self.instances.get(&id).expect("its node starts it");
        let fire_time = parent.row.fire_time;
        let link = ParentNode {
            instance: id,
            node: parent.graph.name(node).to_owned(),
            run: parent.row.run,
            waits: sub.waits,
            depth: depth_of(parent) + 1,
        };
        self.create(Birth {
            workflow: sub.workflow.clone(),
            trigger: TriggerKind::SubWorkflow,
            fire_time,
            params: Ok(params),
            ignore_nodes: Vec::new(),
            chain: None,
            fire: None,
            asked_by: None,
            parent: Some(link),
        })
    }

    /// An instance is over: the node that waits for it goes on.
    pub(crate) fn tell_parent(&mut self, child: InstanceId) {
        let Some(instance) = self.instances.get(&child) else {
            return;
        };
        let row = &instance.row;
        let Some(parent) = row
            .parent
            .clone()
            .filter(|it| it.waits && row.state.is_terminal())
        else {
            return;
        };
        let (workflow, state) = (row.workflow.clone(), row.state);
        let node = self.instances.get(&parent.instance).and_then(|instance| {
            let node = instance.graph.position(&parent.node)?;
            let row = instance.node(node)?;
            let waits = instance.slots[node].child == Some(child)
                && row.run == parent.run
                && !row.state.is_terminal()
                && !instance.row.state.is_terminal();
            waits.then_some(node)
        });
        if let Some(node) = node {
            let message = match state {
                InstanceState::Succeeded => Message::Succeeded,
                _ => Message::ChildEnded {
                    instance: child,
                    workflow,
                    state,
                },
            };
            self.note_timers(parent.instance);
            let given = Given::ChildOver {
                node: parent.node.into(),
                state,
                message: message.clone(),
            };
            self.out.given(parent.instance, given);
            self.child_over(parent.instance, node, state, message);
        }
    }

    pub(crate) fn child_over(
        &mut self,
        id: InstanceId,
        node: usize,
        state: InstanceState,
        message: Message,
    ) {
        let now = self.now;
        self.stop_waiting(id, node);
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let seconds = timeout_of(instance, node);
        let is_timed_out = instance.node(node).is_some_and(is_timed_out);
        let has_succeeded = state == InstanceState::Succeeded;
        let is_limited_by_attempt = is_limited_by_attempt(instance, node);
        instance.slots[node].child = None;
        if let Some(row) = instance.slots[node].row.as_deref_mut() {
            // Somebody had it run again between two tries, or while the next one was held up: that was a try as well.
            let was_idle = row.retry_at.take().is_some() || row.state == NodeState::Ready;
            row.attempts += u32::from(was_idle);
            row.state = NodeState::Running;
            row.deadline = row.deadline.filter(|_| !is_limited_by_attempt);
        }
        if has_succeeded {
            self.tell_success(id, node, &message);
        }
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let mark = instance.mark_of(node).map(mark_message);
        let timed_out = Message::TimedOut { seconds };
        if instance.course() == Course::Stopping {
            let (state, message) = match state {
                InstanceState::Succeeded => (NodeState::Succeeded, message),
                _ if is_timed_out => (NodeState::Failed, timed_out),
                InstanceState::Failed => (NodeState::Failed, message),
                _ => (NodeState::Killed, Message::InstanceEnded),
            };
            close(instance, node, state, message, now);
            self.touched.push(id);
            self.finish_if_done(id);
        } else if has_succeeded {
            self.end_node(id, node, NodeState::Succeeded, message);
        } else if let Some(mark) = mark {
            self.end_node(id, node, NodeState::Succeeded, mark);
        } else if is_timed_out && is_limited_by_attempt {
            self.touched.push(id);
            self.retry_or_fail(id, node, timed_out, None);
        } else if is_timed_out {
            self.end_node(id, node, NodeState::Failed, timed_out);
        } else {
            self.touched.push(id);
            self.retry_or_fail(id, node, message, None);
        }
    }

    /// The node, or its instance, is over: so is what it has started.
    pub(crate) fn kill_child(&mut self, id: InstanceId, node: usize, child: InstanceId) {
        let Some(instance) = self.instances.get(&id) else {
            return;
        };
        let node = instance.graph.name(node).to_owned();
        let message = Message::ParentEnded { instance: id, node };
        self.end_from_outside(child, InstanceState::Killed, message);
    }

    /// The node's time is up: it fails once its child is gone.
    pub(crate) fn time_out_child(&mut self, id: InstanceId, node: usize) {
        self.stop_waiting(id, node);
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let seconds = timeout_of(instance, node);
        if let Some(row) = instance.slots[node].row.as_deref_mut() {
            row.state = NodeState::Running;
            row.retry_at = None;
            row.message = Some(Message::TimedOut { seconds });
        }
        instance.mark(node);
        self.touched.push(id);
        self.resume_waiting(id, node);
    }
}

fn depth_of(instance: &Instance) -> u32 {
    let parent = instance.row.parent.as_ref();
    parent.map_or(0, |parent| parent.depth)
}
