//! Mails: owed from the step of their cause on, in its very transaction.
//!
//! Who is told is decided here and never again. The engine keeps none of them: whoever sends them reads the store.

use std::collections::BTreeSet;
use std::time::Duration;

use akkaflow_model::command::{Answer, Rejection};
use akkaflow_model::definition::{ActionNode, Workflow};
use akkaflow_model::element::{Child, Element};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::InstanceId;
use akkaflow_model::mail::{
    AffectedWorkflow, DeliveryRow, EndFacts, MOST_AFFECTED, MOST_NODES, MailFacts, MailKey,
    MailKind, MailRow, NodeFacts, RetryFacts,
};
use akkaflow_model::message::Message;
use akkaflow_model::record::{NodeRow, Record};
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Text;

use crate::Engine;
use crate::effect::Effect;
use crate::instances::Instance;
use crate::orders::Answered;

/// The mail about an end shows the log: what its last nodes have printed may still be on its way.
const LOG_COMES: Duration = Duration::from_secs(3);

/// The ends that a workflow tells of whose definition cannot be read any more: those that one tells of by default.
const BY_DEFAULT: &[InstanceState] = &[InstanceState::Failed];

impl Engine {
    /// An instance has ended: who wants to know is told. Call once its row is final.
    pub(crate) fn tell_end(&mut self, id: InstanceId) {
        let Some(instance) = self.instances.get(&id) else {
            return;
        };
        let row = &*instance.row;
        let workflow = instance.graph.workflow();
        let levels = workflow.map_or(BY_DEFAULT, |workflow| &workflow.mail_level);
        let Some(ended_at) = row.ended_at.filter(|_| levels.contains(&row.state)) else {
            return;
        };
        let downstream = self.told_downstream(&row.workflow);
        let receivers = self.receivers(own_receivers(instance), &downstream);
        if receivers.is_empty() {
            return;
        }
        let (nodes, more_nodes) = node_facts(instance);
        let facts = EndFacts {
            state: row.state,
            message: row.message.clone(),
            trigger: row.trigger,
            fire_time: row.fire_time,
            started_at: row.started_at,
            ended_at,
            dir: row.dir.clone(),
            params: row.params.clone(),
            levels: levels.to_vec(),
            desc: workflow.and_then(|workflow| workflow.desc.clone()),
            nodes,
            more_nodes,
            more_affected: downstream.len().saturating_sub(MOST_AFFECTED),
            affected: self.affected(&downstream),
        };
        let key = MailKey::ended(id, row.run);
        let name = row.workflow.clone();
        self.owe(key, name, receivers, MailFacts::Ended(Box::new(facts)));
    }

    /// A node has failed once more, and is tried again after `pause`, or not.
    pub(crate) fn tell_failure(
        &mut self,
        id: InstanceId,
        node: usize,
        message: &Message,
        pause: Option<Duration>,
    ) {
        let threshold = self.options.retry_fail_times;
        let failures = self.failures(id, node);
        // Told once: every failure is one more.
        if failures.checked_sub(1) == Some(threshold) {
            self.tell_of_retries(id, node, MailKind::Failing, failures, message, pause);
        }
    }

    /// A node has done what it should, whatever its instance makes of that.
    pub(crate) fn tell_success(&mut self, id: InstanceId, node: usize, message: &Message) {
        let failures = self.failures(id, node);
        self.tell_recovery(id, node, failures, message);
    }

    /// A node works again after so many failures.
    pub(crate) fn tell_recovery(
        &mut self,
        id: InstanceId,
        node: usize,
        failures: u32,
        message: &Message,
    ) {
        if failures > self.options.retry_fail_times {
            self.tell_of_retries(id, node, MailKind::Recovered, failures, message, None);
        }
    }

    fn failures(&self, id: InstanceId, node: usize) -> u32 {
        let instance = self.instances.get(&id);
        let row = instance.and_then(|instance| instance.node(node));
        row.map_or(0, |row| row.failures)
    }

    fn tell_of_retries(
        &mut self,
        id: InstanceId,
        node: usize,
        kind: MailKind,
        failures: u32,
        message: &Message,
        pause: Option<Duration>,
    ) {
        let Some(instance) = self.instances.get(&id) else {
            return;
        };
        let Some((action, row)) = retried(instance, node) else {
            return;
        };
        let name = instance.row.workflow.clone();
        let receivers = self.receivers(own_receivers(instance), &self.told_downstream(&name));
        if receivers.is_empty() {
            return;
        }
        let pause_ms = pause.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
        let facts = RetryFacts {
            desc: instance.graph.workflow().and_then(|it| it.desc.clone()),
            type_name: row.type_name.clone(),
            message: message.clone(),
            retry_times: action.retry_times,
            failures,
            pause_ms,
        };
        let key = MailKey {
            instance: id,
            run: row.run,
            kind,
            node: row.node.clone(),
            attempt: row.attempts,
        };
        self.owe(key, name, receivers, MailFacts::Retry(Box::new(facts)));
    }

    /// An `<email>` node's turn has come. Its mail is owed from this step on: nothing more can be lost of it.
    pub(crate) fn send_notice(&mut self, id: InstanceId, node: usize, body: Element) {
        let now = self.now;
        self.stop_waiting(id, node);
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let Some(row) = instance.slots[node].row.as_deref_mut() else {
            return;
        };
        row.started_at = Some(now);
        let key = MailKey {
            instance: id,
            run: row.run,
            kind: MailKind::Notice,
            node: row.node.clone(),
            attempt: row.attempts,
        };
        let name = instance.row.workflow.clone();
        let receivers = distinct(own_receivers(instance).iter());
        let message = if receivers.is_empty() {
            Message::said(Text::new(
                "工作流没有收件人，未发送邮件",
                "the workflow has no receivers: no mail was sent",
            ))
        } else {
            let content = content_of(body);
            self.owe(key, name, receivers, MailFacts::Notice { content });
            Message::MailOwed
        };
        self.end_node(id, node, NodeState::Succeeded, message);
    }

    /// Somebody wants a mail to be sent now: again, or without waiting for its next turn.
    pub(crate) fn send_again(
        &mut self,
        key: &MailKey,
        stored: Option<Box<DeliveryRow>>,
        user: String,
    ) -> Answered {
        let Some(delivery) = stored else {
            let text = Text::new(
                format!("邮件[{key}]不存在"),
                format!("mail `{key}` does not exist"),
            );
            return Err(Rejection::new(ErrorCode::NotFound, text));
        };
        let again = delivery.again(self.now, user);
        self.out.record(Record::Delivery(Box::new(again)));
        self.out.effect(Effect::MailOwed);
        Ok(Answer::Done)
    }

    fn owe(&mut self, key: MailKey, workflow: String, receivers: Vec<String>, facts: MailFacts) {
        let mut delivery = DeliveryRow::new(key.clone(), self.now);
        if key.kind == MailKind::Ended {
            delivery.next_at = self.now.plus(LOG_COMES);
        }
        self.out.record(Record::Mail(Box::new(MailRow {
            key,
            workflow,
            born_at: self.now,
            receivers,
            facts,
        })));
        self.out.record(Record::Delivery(Box::new(delivery)));
        self.out.effect(Effect::MailOwed);
    }

    /// The enabled workflows that wait for one, directly or not: suspended ones too, whose people want to know as well.
    fn told_downstream(&self, workflow: &str) -> BTreeSet<String> {
        self.all_after(workflow, |name| self.is_enabled(name))
    }

    /// Everybody who is told, each once.
    fn receivers(&self, own: &[String], downstream: &BTreeSet<String>) -> Vec<String> {
        let others = downstream.iter().flat_map(|name| self.receivers_of(name));
        distinct(own.iter().chain(others))
    }

    fn receivers_of(&self, workflow: &str) -> &[String] {
        let entry = self.workflows.get(workflow);
        let definition = entry.and_then(|entry| entry.definition.as_ref());
        definition.map_or(&[], |definition| definition.receivers())
    }

    fn affected(&self, downstream: &BTreeSet<String>) -> Vec<AffectedWorkflow> {
        let entries = downstream
            .iter()
            .filter_map(|name| self.workflows.get(name));
        entries
            .take(MOST_AFFECTED)
            .map(|entry| AffectedWorkflow {
                name: entry.row.name.clone(),
                creator: entry.row.creator.clone(),
                receivers: self.receivers_of(&entry.row.name).to_vec(),
                dir: entry.row.dir.clone(),
                desc: entry.row.desc.clone(),
            })
            .collect()
    }
}

/// What an `<email>` says. Text that stands directly in it becomes an element like the others.
fn content_of(body: Element) -> Vec<Element> {
    let parts = body.children.into_iter().filter_map(|child| match child {
        Child::Element(element) => Some(element),
        Child::Text { ref text, .. } if text.trim().is_empty() => None,
        text @ Child::Text { .. } => {
            let mut span = Element::new("span");
            span.children.push(text);
            Some(span)
        }
    });
    parts.collect()
}

fn own_receivers(instance: &Instance) -> &[String] {
    let workflow = instance.graph.workflow();
    workflow.map_or(&[], |workflow| &workflow.mail_receivers)
}

fn distinct<'a>(receivers: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut known = BTreeSet::new();
    receivers.filter(|it| known.insert(*it)).cloned().collect()
}

/// The action of a node that is tried more than once.
fn retried(instance: &Instance, node: usize) -> Option<(&ActionNode, &NodeRow)> {
    let action = instance.graph.action(node)?;
    (action.retry_times > 0).then_some((action, instance.node(node)?))
}

/// The nodes that a mail lists, and how many it leaves out: of too many those that went well go first.
fn node_facts(instance: &Instance) -> (Vec<NodeFacts>, usize) {
    let reached = (0..instance.slots.len()).filter_map(|node| Some((node, instance.node(node)?)));
    let mut rows: Vec<(usize, &NodeRow)> = reached.collect();
    let more = rows.len().saturating_sub(MOST_NODES);
    if more > 0 {
        rows.sort_by_key(|(_, row)| row.state == NodeState::Succeeded);
        rows.truncate(MOST_NODES);
    }
    rows.sort_by_key(|(node, row)| (row.ready_at, *node));
    let workflow = instance.graph.workflow().map(|workflow| &**workflow);
    let facts = rows.into_iter().map(|(node, row)| NodeFacts {
        name: row.node.clone(),
        type_name: row.type_name.clone(),
        state: row.state,
        started_at: row.started_at,
        ended_at: row.ended_at,
        message: row.message.clone(),
        desc: workflow.and_then(|workflow: &Workflow| workflow.nodes[node].desc.clone()),
    });
    (facts.collect(), more)
}
