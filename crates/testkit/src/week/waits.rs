//! Who waits for how long, and what `explain` says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use akkaflow_engine::{Engine, ExplainObject};
use akkaflow_model::id::{InstanceId, Name};
use akkaflow_model::record::{FireRow, FireState, InstanceRow, NodeRow, Record};
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::time::Timestamp;

/// Whoever waits for longer is late, and `explain` must say why.
pub(super) const BOUND: Duration = Duration::from_secs(60);

/// Between two looks at all that wait.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Who waits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Waiter {
    Instance(InstanceId),
    Node(InstanceId, Name),
    /// A due slot of a workflow.
    Slot(String, Timestamp),
}

#[derive(Debug)]
struct Waiting {
    since: Timestamp,
    /// The codes that `explain` gave, once it was asked.
    reasons: BTreeSet<&'static str>,
}

/// What waited for longest.
#[derive(Debug, Clone, Default)]
pub(super) struct Longest {
    pub(super) seconds: u64,
    pub(super) what: String,
    pub(super) reasons: String,
}

/// All that waits, and what has waited.
#[derive(Debug, Default)]
pub(super) struct Waits {
    now: BTreeMap<Waiter, Waiting>,
    /// Who was late, by each reason that it was told.
    pub(super) late: BTreeMap<&'static str, u64>,
    pub(super) late_in_all: u64,
    /// Who was late, and was told nothing.
    pub(super) untold: u64,
    /// Questions that were asked.
    pub(super) asked: u64,
    /// Of instances and nodes; slots may wait for days.
    pub(super) longest: Longest,
    pub(super) fault: Option<String>,
}

impl Waits {
    pub(super) fn note(&mut self, record: &Record, now: Timestamp) {
        match record {
            Record::Instance(row) => self.note_instance(row, now),
            Record::Node(row) => self.note_node(row, now),
            Record::Fire(row) => self.note_slot(row, now),
            _ => {}
        }
    }

    fn note_instance(&mut self, row: &InstanceRow, now: Timestamp) {
        let waits = row.state == InstanceState::Ready;
        self.set(Waiter::Instance(row.id), waits, now);
    }

    fn note_node(&mut self, row: &NodeRow, now: Timestamp) {
        let pauses = row.state == NodeState::Running && row.retry_at.is_some();
        let waits = row.state == NodeState::Ready || pauses;
        let waiter = Waiter::Node(row.instance, row.node.clone());
        self.set(waiter, waits, now);
    }

    fn note_slot(&mut self, row: &FireRow, now: Timestamp) {
        let waiter = Waiter::Slot(row.workflow.clone(), row.due_at);
        self.set(waiter, row.state == FireState::Waiting, now);
    }

    /// An attempt died: its node waits for another one, though nobody knows yet.
    pub(super) fn note_death(&mut self, instance: InstanceId, node: &str, now: Timestamp) {
        self.set(Waiter::Node(instance, node.into()), true, now);
    }

    fn set(&mut self, waiter: Waiter, waits: bool, now: Timestamp) {
        if waits {
            self.now.entry(waiter).or_insert(Waiting {
                since: now,
                reasons: BTreeSet::new(),
            });
        } else if let Some(waiting) = self.now.remove(&waiter) {
            self.end(&waiter, &waiting, now);
        }
    }

    fn end(&mut self, waiter: &Waiter, waiting: &Waiting, now: Timestamp) {
        let waited = now.since(waiting.since);
        if waited > BOUND + LOOK_EVERY && waiting.reasons.is_empty() {
            let text = format!("{waiter:?} waited for {waited:?}, and nobody was told why");
            self.untold += 1;
            self.fault.get_or_insert(text);
        }
        if !waiting.reasons.is_empty() {
            self.late_in_all += 1;
        }
        for reason in &waiting.reasons {
            *self.late.entry(reason).or_default() += 1;
        }
        if !matches!(waiter, Waiter::Slot(..)) && waited.as_secs() > self.longest.seconds {
            let reasons: Vec<&str> = waiting.reasons.iter().copied().collect();
            self.longest = Longest {
                seconds: waited.as_secs(),
                what: match waiter {
                    Waiter::Node(_, node) => format!("node `{node}` of an instance"),
                    _ => "an instance in the queue of its workflow".to_owned(),
                },
                reasons: reasons.join(", "),
            };
        }
    }

    /// Asks about everyone who is late.
    pub(super) fn look(&mut self, engine: &Engine, now: Timestamp) {
        for (waiter, waiting) in &mut self.now {
            if now.since(waiting.since) <= BOUND {
                continue;
            }
            let object = match waiter {
                Waiter::Instance(id) => ExplainObject::Instance(*id),
                Waiter::Node(instance, node) => ExplainObject::Node {
                    instance: *instance,
                    node: node.to_string(),
                },
                Waiter::Slot(workflow, _) => ExplainObject::Workflow(workflow.clone()),
            };
            self.asked += 1;
            let mut reasons = engine.explain(&object);
            if let Waiter::Slot(_, due) = waiter {
                // Of a workflow much may be said; here only what is said of this slot counts.
                reasons.retain(|reason| reason.since == Some(*due));
            }
            if reasons.is_empty() {
                let since = waiting.since.to_rfc3339();
                let text = format!("{waiter:?} waits since {since}, and explain says nothing");
                self.untold += 1;
                self.fault.get_or_insert(text);
            }
            waiting.reasons.extend(reasons.iter().map(|it| it.code));
        }
    }

    /// The slots that still wait, with what they were told.
    pub(super) fn slots(&self) -> impl Iterator<Item = (&str, Timestamp, &BTreeSet<&'static str>)> {
        self.now
            .iter()
            .filter_map(|(waiter, waiting)| match waiter {
                Waiter::Slot(workflow, due) => Some((workflow.as_str(), *due, &waiting.reasons)),
                _ => None,
            })
    }

    /// Counts those that still wait too.
    pub(super) fn close(&mut self, now: Timestamp) {
        for (waiter, waiting) in std::mem::take(&mut self.now) {
            self.end(&waiter, &waiting, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waited_for_long_and_was_told_nothing_is_found() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let id = InstanceId::from_u128(1);
        for (seconds, is_told, is_fault) in
            [(60, false, false), (121, false, true), (121, true, false)]
        {
            let mut waits = Waits::default();
            waits.note_death(id, "a", at(0));
            if is_told {
                for waiting in waits.now.values_mut() {
                    waiting.reasons.insert("no_worker");
                }
            }
            waits.set(Waiter::Node(id, "a".into()), false, at(seconds));
            assert_eq!(
                waits.fault.is_some(),
                is_fault,
                "{seconds} s, told: {is_told}"
            );
            assert_eq!(waits.untold, u64::from(is_fault));
            assert_eq!(waits.late_in_all, u64::from(is_told));
        }
    }
}
