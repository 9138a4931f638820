//! Mails: each cause has one, none has two, and nobody is forgotten.

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::definition::Workflow;
use akkaflow_model::id::{InstanceId, Name};
use akkaflow_model::mail::{DeliveryRow, EMAIL_TAG, MailFacts, MailKey, MailKind, MailRow};
use akkaflow_model::message::Message;
use akkaflow_model::record::{AttemptRow, InstanceRow, NodeRow, WorkflowStatus};
use akkaflow_model::state::{AttemptState, NodeState};

use super::{Oracle, Touched, Verdict, ensure};
use crate::sim::graph;
use crate::sim::tables::Tables;
use crate::sim::workload::Library;

/// What a mail is about, but for the attempt.
type Cause = (InstanceId, u32, MailKind, Name);

/// What one batch says of mails.
#[derive(Debug, Default)]
pub(super) struct TouchedMails {
    /// How many mails there must be, if anybody is to be told.
    causes: BTreeMap<Cause, u32>,
    /// Causes of which the rows do not say whether there was one.
    doubtful: BTreeSet<Cause>,
    /// Those that there are.
    born: Vec<MailKey>,
}

impl TouchedMails {
    fn note(&mut self, instance: InstanceId, run: u32, kind: MailKind, node: Name) {
        *self.causes.entry((instance, run, kind, node)).or_default() += 1;
    }
}

fn definition<'a>(library: &'a Library, instance: &InstanceRow) -> Option<&'a Workflow> {
    let workflow = library.contents.get(&instance.version);
    workflow.map(|workflow| &**workflow)
}

/// An instance has ended: somebody wants to know.
pub(super) fn note_end(
    tables: &Tables,
    library: &Library,
    row: &InstanceRow,
    touched: &mut Touched,
) {
    let before = tables.instances.get(&row.id);
    let is_new = before.is_none_or(|it| it.run != row.run || !it.state.is_terminal());
    let levels = definition(library, row).map_or(&[][..], |it| &it.mail_level);
    if is_new && levels.contains(&row.state) {
        let touched = &mut touched.mails;
        touched.note(row.id, row.run, MailKind::Ended, Name::default());
    }
}

impl Oracle {
    fn may_be_tried_again(tables: &Tables, library: &Library, id: InstanceId, node: &str) -> bool {
        let workflow = (tables.instances.get(&id)).and_then(|row| definition(library, row));
        let action = workflow.and_then(|workflow| graph::action(workflow, node));
        action.is_some_and(|action| action.retry_times > 0)
    }

    /// A node has failed once more, or is a mail that was sent.
    pub(super) fn note_node(
        &self,
        tables: &Tables,
        library: &Library,
        row: &NodeRow,
        touched: &mut Touched,
    ) {
        // A rerun that keeps its success tells nothing of it.
        if tables.is_carried_over(row) {
            return;
        }
        let key = (row.instance, row.node.clone());
        let before = tables.nodes.get(&key).filter(|it| it.run == row.run);
        let known = before.map_or(0, |it| it.failures);
        let threshold = self.retry_fail_times;
        let touched = &mut touched.mails;
        let has_failed = row.failures > threshold
            && Self::may_be_tried_again(tables, library, row.instance, &row.node);
        if known <= threshold && has_failed {
            touched.note(row.instance, row.run, MailKind::Failing, row.node.clone());
        }
        let was_done = before.is_some_and(|it| it.state.is_terminal());
        let cause = (row.instance, row.run, MailKind::Recovered, row.node.clone());
        match (row.state, &row.message) {
            _ if was_done || row.child.is_none() || !has_failed => {}
            (NodeState::Succeeded, Some(Message::Succeeded)) => {
                *touched.causes.entry(cause).or_default() += 1;
            }
            // Its child may have succeeded before.
            (NodeState::Failed, Some(Message::UndecidableCondition { .. })) => {
                touched.doubtful.insert(cause);
            }
            _ => {}
        }
        if row.type_name != EMAIL_TAG || was_done {
            return;
        }
        let cause = (row.instance, row.run, MailKind::Notice, row.node.clone());
        match (row.state, &row.message) {
            (NodeState::Succeeded, Some(Message::MailOwed)) => {
                *touched.causes.entry(cause).or_default() += 1;
            }
            // Its mail may be owed all the same: the way on is looked for afterwards.
            (NodeState::Failed, Some(Message::UndecidableCondition { .. })) => {
                touched.doubtful.insert(cause);
            }
            _ => {}
        }
    }

    /// A node has succeeded at last.
    pub(super) fn note_success(
        &self,
        tables: &Tables,
        library: &Library,
        row: &AttemptRow,
        touched: &mut Touched,
    ) {
        let key = &row.key;
        let is_new = tables
            .attempts
            .get(key)
            .is_some_and(|before| !before.state.is_terminal());
        let node = tables.nodes.get(&(key.instance, key.node.clone()));
        let has_failed =
            node.is_some_and(|node| node.run == key.run && node.failures > self.retry_fail_times);
        if is_new
            && has_failed
            && row.state == AttemptState::Succeeded
            && Self::may_be_tried_again(tables, library, key.instance, &key.node)
        {
            let touched = &mut touched.mails;
            touched.note(key.instance, key.run, MailKind::Recovered, key.node.clone());
        }
    }
}

/// A mail is born once, tells everybody, and tells what is so.
pub(super) fn check_mail(
    tables: &Tables,
    library: &Library,
    row: &MailRow,
    touched: &mut Touched,
) -> Verdict {
    let key = &row.key;
    ensure!(
        !tables.mails.contains_key(key),
        "I13: mail {key} was born twice"
    );
    let Some(instance) = tables.instances.get(&key.instance) else {
        return Err(format!("I13: mail {key} is about nothing"));
    };
    // Somebody may put definitions in the very step in which it is born.
    if !touched.has_definitions {
        let wanted = receivers(tables, library, instance, key.kind);
        ensure!(
            row.receivers == wanted,
            "I13: mail {key} goes to {:?}, not to {wanted:?}",
            row.receivers
        );
    }
    match &row.facts {
        MailFacts::Ended(facts) => ensure!(
            (facts.state, &facts.message, Some(facts.ended_at))
                == (instance.state, &instance.message, instance.ended_at),
            "I13: mail {key} tells {facts:?} of {instance:?}"
        ),
        MailFacts::Retry(facts) => {
            let node = tables.nodes.get(&(key.instance, key.node.clone()));
            ensure!(
                // A node that fails at once is tried again, and fails again, within one commit.
                node.is_some_and(|node| key.attempt < node.attempts
                    || key.attempt == node.attempts
                        && (key.kind == MailKind::Recovered || node.failures == facts.failures)),
                "I13: mail {key} tells {facts:?} of {node:?}"
            );
        }
        MailFacts::Notice { .. } => {}
    }
    touched.mails.born.push(key.clone());
    Ok(())
}

/// The sending of a mail stands beside it.
pub(super) fn check_delivery(tables: &Tables, row: &DeliveryRow) -> Verdict {
    ensure!(
        tables.mails.contains_key(&row.key),
        "I13: {} is sent and was never born",
        row.key
    );
    Ok(())
}

/// Each cause has its mail where there is somebody to tell, and each mail its cause.
pub(super) fn check_mails_after(tables: &Tables, library: &Library, touched: &Touched) -> Verdict {
    let mut born: BTreeMap<Cause, u32> = BTreeMap::new();
    for key in &touched.mails.born {
        ensure!(
            tables.deliveries.contains_key(key),
            "I13: nobody sends mail {key}"
        );
        let cause = (key.instance, key.run, key.kind, key.node.clone());
        *born.entry(cause).or_default() += 1;
    }
    for (cause, count) in &touched.mails.causes {
        let (id, _, kind, _) = cause;
        let found = born.remove(cause).unwrap_or_default();
        let is_told = tables.instances.get(id).is_none_or(|instance| {
            touched.has_definitions || !receivers(tables, library, instance, *kind).is_empty()
        });
        ensure!(
            found == *count || (found == 0 && (!is_told || touched.has_definitions)),
            "I13: {cause:?} happened {count} times and has {found} mails"
        );
    }
    born.retain(|cause, count| *count > 1 || !touched.mails.doubtful.contains(cause));
    ensure!(
        born.is_empty(),
        "I13: mails without a cause: {:?}",
        born.keys()
    );
    Ok(())
}

/// Who is told: the workflow's own, then those of every enabled workflow that comes after it.
fn receivers(
    tables: &Tables,
    library: &Library,
    instance: &InstanceRow,
    kind: MailKind,
) -> Vec<String> {
    let own = definition(library, instance).map_or(&[][..], |it| &it.mail_receivers);
    let mut told = own.to_vec();
    if kind != MailKind::Notice {
        for name in downstream(tables, library, &instance.workflow) {
            let others = in_force(tables, library, &name).map(|it| &it.mail_receivers);
            told.extend(others.into_iter().flatten().cloned());
        }
    }
    let mut known = BTreeSet::new();
    told.retain(|receiver| known.insert(receiver.clone()));
    told
}

fn in_force<'a>(tables: &Tables, library: &'a Library, name: &str) -> Option<&'a Workflow> {
    let row = tables.workflows.get(name);
    let row = row.filter(|row| row.status != WorkflowStatus::Deleted)?;
    library.contents.get(&row.version).map(|it| &**it)
}

/// Enabled workflows that wait for it, or for another one of them.
fn downstream(tables: &Tables, library: &Library, root: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    loop {
        let more: Vec<&String> = tables
            .workflows
            .keys()
            .filter(|name| *name != root && !found.contains(*name))
            .filter(|name| {
                let workflow = in_force(tables, library, name);
                let coordinator = workflow.and_then(|it| it.coordinator.as_ref());
                coordinator.is_some_and(|it| {
                    it.is_enabled && (it.depends.iter()).any(|up| *up == root || found.contains(up))
                })
            })
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more.into_iter().cloned());
    }
}
