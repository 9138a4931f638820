//! What processes really did, and how their instances must end for it.

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_engine::OutcomeKind;
use akkaflow_model::definition::{ActionNode, NodeKind, Workflow};
use akkaflow_model::id::{AttemptKey, InstanceId, Name};
use akkaflow_model::record::InstanceRow;
use akkaflow_model::state::InstanceState;

type Verdict = Result<(), String>;

/// What the processes of one instance did.
#[derive(Debug, Default)]
struct Deed {
    succeeded: BTreeSet<Name>,
    /// Failures of its current run.
    failures: BTreeMap<Name, u32>,
    /// The latest attempt that was started, by node.
    started: BTreeMap<Name, (u32, u32)>,
    live: BTreeSet<Name>,
}

/// What the processes of open instances, and of those that people will run again, did.
#[derive(Debug, Default)]
pub(super) struct Deeds {
    of: BTreeMap<InstanceId, Deed>,
}

impl Deeds {
    /// An attempt starts: after those before it, and never beside one.
    pub(super) fn start(&mut self, key: &AttemptKey) -> Verdict {
        let deed = self.of.entry(key.instance).or_default();
        let number = (key.run, key.attempt);
        let before = deed.started.insert(key.node.clone(), number);
        if before >= Some(number) {
            return Err(format!("attempt {key} was started twice"));
        }
        if deed.succeeded.contains(&key.node) {
            return Err(format!(
                "attempt {key} was started after its node had succeeded"
            ));
        }
        if !deed.live.insert(key.node.clone()) {
            return Err(format!("attempt {key} was started beside another one"));
        }
        Ok(())
    }

    /// `None`: it died with its worker.
    pub(super) fn end(&mut self, key: &AttemptKey, kind: Option<OutcomeKind>) {
        let deed = self.of.entry(key.instance).or_default();
        deed.live.remove(&key.node);
        match kind {
            Some(OutcomeKind::Succeeded) => drop(deed.succeeded.insert(key.node.clone())),
            Some(OutcomeKind::Failed) => {
                *deed.failures.entry(key.node.clone()).or_default() += 1;
            }
            _ => {}
        }
    }

    /// People run it again.
    pub(super) fn renew(&mut self, id: InstanceId) {
        if let Some(deed) = self.of.get_mut(&id) {
            deed.failures.clear();
        }
    }

    pub(super) fn forget(&mut self, id: InstanceId) {
        self.of.remove(&id);
    }

    /// It has ended as its processes did.
    pub(super) fn check_end(&self, row: &InstanceRow, workflow: &Workflow) -> Verdict {
        let none = Deed::default();
        let deed = self.of.get(&row.id).unwrap_or(&none);
        if let Some(node) = deed.live.first() {
            return Err(format!(
                "{} {} ended while {node} runs",
                row.workflow, row.id
            ));
        }
        let mut actions = workflow.nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::Action(action) => Some((&node.name, &**action)),
            _ => None,
        });
        let has_failed = |(name, action): (&String, &ActionNode)| {
            let failures = deed
                .failures
                .get(name.as_str())
                .copied()
                .unwrap_or_default();
            failures > action.retry_times
        };
        let is_right = match row.state {
            InstanceState::Succeeded => {
                actions.all(|(name, _)| deed.succeeded.contains(name.as_str()))
            }
            InstanceState::Failed => actions.any(has_failed),
            InstanceState::Killed => true,
            InstanceState::Ready | InstanceState::Running | InstanceState::Suspended => false,
        };
        if is_right {
            return Ok(());
        }
        let (succeeded, failures) = (&deed.succeeded, &deed.failures);
        Err(format!(
            "{} {} is {}, its nodes {succeeded:?} succeeded and failed so often: {failures:?}",
            row.workflow,
            row.id,
            row.state.as_str()
        ))
    }
}
