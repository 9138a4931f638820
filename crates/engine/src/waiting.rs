//! `<wait>`: a moment is a timer of ours. For a file or a row a worker looks, again and again: each look is an attempt that
//! holds a slot only while it looks, and whose row goes when it saw nothing.

use std::time::Duration;

use akkaflow_model::definition::ActionNode;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::id::{AttemptKey, InstanceId};
use akkaflow_model::mail::EMAIL_TAG;
use akkaflow_model::message::Message;
use akkaflow_model::outcome::{Outcome, OutcomeKind};
use akkaflow_model::state::NodeState;
use akkaflow_model::sub_workflow::SubWorkflow;
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;
use akkaflow_model::wait::{Awaited, Wait};

use crate::Engine;
use crate::graph::Runner;
use crate::instances::Instance;
use crate::journal::Given;
use crate::params;

/// A file that was seen is looked at again after so long: if it is the same then, nobody writes it any more.
const SETTLES_AFTER: Duration = Duration::from_secs(10);
/// What could not begin is tried again after so long: soon enough for whoever puts back what it lacks, and no burden meanwhile.
const BEGINS_AFTER: Duration = Duration::from_secs(10);

impl Engine {
    /// Does what a node needs that no worker runs: begins its wait, or starts its instance.
    pub(crate) fn do_own(&mut self, id: InstanceId, node: usize) {
        let zone = self.zone_of_instance(id);
        let Some(instance) = self.instances.get(&id).filter(|it| it.is_own_turn(node)) else {
            return;
        };
        let graph = instance.graph.clone();
        let Some(action) = graph.action(node) else {
            return;
        };
        match instance.with_values(zone, |values| values.substitute_element(&action.body)) {
            Ok(body) if action.tag == SubWorkflow::TAG => self.start_child(id, node, &body),
            body => {
                let name = graph.row_name(node);
                self.out.given(id, Given::Begun { node: name });
                match body {
                    Err(error) => {
                        self.end_node(id, node, NodeState::Failed, params::message(&error));
                    }
                    Ok(body) if action.tag == EMAIL_TAG => self.send_notice(id, node, body),
                    Ok(body) => self.begin_wait(id, node, action, &body),
                }
            }
        }
    }

    fn begin_wait(&mut self, id: InstanceId, node: usize, action: &ActionNode, body: &Element) {
        let now = self.now;
        let until = match self.moment(id, body) {
            Ok(until) => until,
            Err(text) => {
                self.end_node(id, node, NodeState::Failed, Message::said(text));
                return;
            }
        };
        self.stop_waiting(id, node);
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let Some(row) = instance.slots[node].row.as_deref_mut() else {
            return;
        };
        row.started_at = Some(now);
        row.deadline = (action.timeout_seconds).map(|it| now.plus(Duration::from_secs(it)));
        if let Some(until) = until {
            row.state = NodeState::Running;
            row.retry_at = Some(until);
        }
        instance.mark(node);
        self.touched.push(id);
        self.resume_waiting(id, node);
        if until.is_some_and(|until| until <= now) {
            self.end_node(id, node, NodeState::Succeeded, Message::Succeeded);
        }
    }

    /// When a wait is over that waits for a moment; `None` for one that must look.
    fn moment(&self, id: InstanceId, body: &Element) -> Result<Option<Timestamp>, Text> {
        let mut diagnostics = Diagnostics::new();
        let Some(wait) = Wait::parse(body, &mut diagnostics) else {
            return Err(first_error(diagnostics));
        };
        let zone = self.zone_of_instance(id);
        match wait.what {
            Awaited::Elapsed { seconds } => Ok(Some(self.now.plus(Duration::from_secs(seconds)))),
            Awaited::Until(Some(moment)) => match moment.at(self.now, zone) {
                Some(at) => Ok(Some(at.max(self.now))),
                None => Err(Text::new("时刻超出范围", "the moment leaves the calendar")),
            },
            Awaited::Until(None) => Err(Text::new("时刻无法识别", "the moment cannot be read")),
            Awaited::File { .. } | Awaited::Sql { .. } => Ok(None),
        }
    }

    /// What it waits for is not there yet.
    pub(crate) fn look_again(&mut self, id: InstanceId, node: usize, message: Message) {
        let now = self.now;
        let pause = self.until_next_look(id, node);
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let Some(row) = instance.slots[node].row.as_deref_mut() else {
            return;
        };
        // It looked: what went wrong before is over.
        let failures = row.failures;
        (row.failures, row.losses) = (0, 0);
        row.retry_at = Some(now.plus(pause));
        row.message = Some(message.clone());
        instance.mark(node);
        self.resume_waiting(id, node);
        self.tell_recovery(id, node, failures, &message);
    }

    /// A worker cannot begin what the node asks for. That is no failure and uses up no retry, and the time-out of a node that has never
    /// begun has not begun either.
    pub(crate) fn begin_later(&mut self, id: InstanceId, node: usize, message: Message) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let is_worker_s = instance.graph.vertex(node).runner == Runner::Worker;
        let Some(row) = instance.slots[node].row.as_deref_mut() else {
            return;
        };
        row.retry_at = Some(now.plus(BEGINS_AFTER));
        row.message = Some(message);
        if is_worker_s && (row.failures, row.losses) == (0, 0) {
            (row.started_at, row.deadline) = (None, None);
        }
        instance.mark(node);
        self.resume_waiting(id, node);
    }

    /// Since when a node waits for what workers look for, and how long it is from one look to the next.
    pub(crate) fn looks(&self, key: &AttemptKey) -> Option<(Timestamp, Duration)> {
        let instance = self.instances.get(&key.instance)?;
        let node = instance.graph.position(&key.node)?;
        let since = instance.node(node)?.started_at?;
        (instance.graph.vertex(node).runner == Runner::Look)
            .then(|| (since, self.until_next_look(key.instance, node)))
    }

    fn until_next_look(&self, id: InstanceId, node: usize) -> Duration {
        let zone = self.zone_of_instance(id);
        let every = self.instances.get(&id).and_then(|instance| {
            let body = &instance.graph.action(node)?.body;
            let body = instance.with_values(zone, |values| values.substitute_element(body));
            let wait = Wait::parse(&body.ok()?, &mut Diagnostics::new())?;
            let every = Duration::from_secs(wait.every_seconds.max(1));
            let has_seen = instance
                .node(node)
                .is_some_and(|row| !row.outputs.is_empty());
            Some(if has_seen {
                every.min(SETTLES_AFTER)
            } else {
                every
            })
        });
        every.unwrap_or(SETTLES_AFTER)
    }
}

/// Whether a look saw just what the one before it saw.
pub(crate) fn has_settled(instance: &Instance, node: usize, outcome: &mut Outcome) -> bool {
    let before = instance.node(node).map_or(&[][..], |row| &row.outputs);
    let is_same = !before.is_empty() && before == outcome.outputs;
    if is_same {
        outcome.kind = OutcomeKind::Succeeded;
        outcome.outputs.clear();
    }
    is_same
}

/// Keeps what a look saw, and says it.
pub(crate) fn remember(instance: &mut Instance, node: usize, outcome: &mut Outcome) -> Message {
    let seen = outcome.outputs.first().map(|(_, value)| value.clone());
    if let Some(row) = instance.slots[node].row.as_deref_mut() {
        row.outputs = std::mem::take(&mut outcome.outputs);
    }
    Message::NotYet { seen }
}

/// What is wrong with a body whose values are known only now.
pub(crate) fn first_error(diagnostics: Diagnostics) -> Text {
    let mut findings = diagnostics.into_sorted().into_iter();
    findings.next().map_or_else(
        || Text::new("动作内容有误", "the body cannot be read"),
        |finding| finding.message,
    )
}
