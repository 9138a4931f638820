//! How an instance may end, and what may begin in one that is about to.

use akkaflow_model::definition::{FailurePolicy, Node, NodeKind, OnTimeout, Overlap};
use akkaflow_model::id::AttemptKey;
use akkaflow_model::message::Message;
use akkaflow_model::record::{CancelReason, CleanUp, InstanceRow, NodeRow};
use akkaflow_model::state::{InstanceState, NodeState};

use super::{Fate, Run, action};
use crate::sim::oracle::Verdict;
use crate::sim::tables::Tables;
use crate::sim::workload::Library;

/// A node that is reached after a failure that nothing takes care of, or before everything else is over.
pub(crate) fn check_new_node(tables: &Tables, library: &Library, row: &NodeRow) -> Verdict {
    let Some(instance) = tables.instances.get(&row.instance) else {
        return Ok(());
    };
    let run = Run::of(tables, library, instance)?;
    let Some(index) = run.workflow.node_index(&row.node) else {
        return Err(format!("I6: node {} is in no definition", row.node));
    };
    let node = &run.workflow.nodes[index];
    if tables.is_carried_over(row) || run.is_clean_up(node) {
        return Ok(());
    }
    // The clean-up may lead to the same end as the rest.
    if instance.clean_up != CleanUp::Ahead && matches!(node.kind, NodeKind::End) {
        return Ok(());
    }
    let clean_up = run
        .finally()
        .and_then(|node| run.rows.get(node.name.as_str()));
    if clean_up.is_some_and(|clean_up| row.ready_at > clean_up.ready_at) {
        return Err(format!(
            "I6: node {} of {} begins beside the clean-up",
            row.node, instance.id
        ));
    }
    if run.workflow.failure_policy == FailurePolicy::FinishPossible {
        return Ok(());
    }
    let failed = (run.workflow.nodes.iter())
        .filter(|other| run.is_unhandled(other) && !run.is_clean_up(other))
        .find(|other| {
            let failed_at = run.rows[other.name.as_str()].ended_at;
            failed_at.is_some_and(|failed_at| row.ready_at > failed_at)
        });
    match failed {
        Some(other) => Err(format!(
            "I6: node {} of {} begins after {} has failed",
            row.node, instance.id, other.name
        )),
        None => Ok(()),
    }
}

/// A run that is over. `kills` says how often people asked for its end.
pub(crate) fn check_end(
    tables: &Tables,
    library: &Library,
    instance: &InstanceRow,
    kills: u32,
) -> Verdict {
    // What never began may end in any way; what its definition says of that is checked elsewhere.
    if instance.started_at.is_none() {
        return Ok(());
    }
    let run = Run::of(tables, library, instance)?;
    let fates = run.fates();
    match instance.state {
        InstanceState::Succeeded => run.check_success(&fates)?,
        InstanceState::Failed => run.check_failure(&fates)?,
        _ => {}
    }
    // A new instance may put an end to an older one of its workflow.
    let may_be_replaced = (library.contents.values()).any(|content| {
        content.name == instance.workflow && content.overlap == Overlap::CancelRunning
    });
    let kills = if may_be_replaced || may_be_ended_above(tables, library, instance) {
        u32::MAX
    } else {
        kills
    };
    run.check_clean_up(tables, &fates, kills)
}

/// Whether the node that waits for an instance may have put an end to it: by its time, a person's mark, or with its own
/// instance.
fn may_be_ended_above(tables: &Tables, library: &Library, instance: &InstanceRow) -> bool {
    let Some(link) = instance.parent.as_ref().filter(|link| link.waits) else {
        return false;
    };
    let Some(parent) = tables.instances.get(&link.instance) else {
        return true;
    };
    let workflow = library.contents.get(&parent.version);
    let action = workflow.and_then(|workflow| action(workflow, &link.node));
    parent.run != link.run
        || parent.state.is_terminal()
        || parent.ending.is_some()
        || parent.marks.iter().any(|mark| mark.node == link.node)
        || action.is_none_or(|action| action.timeout_seconds.is_some())
}

impl Run<'_> {
    /// Everything that must be reached was, and nothing failed unhandled.
    fn check_success(&self, fates: &[Fate]) -> Verdict {
        let id = self.instance.id;
        for (node, fate) in self.workflow.nodes.iter().zip(fates) {
            let name = &node.name;
            match fate {
                Fate::Dead { .. } => {}
                Fate::Open | Fate::Live => {
                    return Err(format!(
                        "I6: instance {id} succeeded though {name} was not decided"
                    ));
                }
                Fate::Ended(NodeState::Succeeded) => {
                    if matches!(node.kind, NodeKind::Kill { .. }) {
                        return Err(format!(
                            "I6: instance {id} succeeded though it reached {name}"
                        ));
                    }
                }
                Fate::Ended(_) if self.is_handled(node) => {}
                Fate::Ended(_) => {
                    return Err(format!("I6: instance {id} succeeded though {name} did not"));
                }
            }
        }
        Ok(())
    }

    /// Something failed that nothing takes care of; where the policy says so, everything else was done.
    fn check_failure(&self, fates: &[Fate]) -> Verdict {
        let id = self.instance.id;
        if !self
            .workflow
            .nodes
            .iter()
            .any(|node| self.is_unhandled(node))
        {
            return Err(format!("I6: instance {id} failed though no node did"));
        }
        let is_to_blame = |node: &Node| {
            matches!(&self.instance.message, Some(Message::NodeFailed { node: name }) if *name == node.name)
                && self.is_killing(node)
        };
        if let Some(node) = self.workflow.nodes.iter().find(|node| is_to_blame(node)) {
            return Err(format!(
                "I15: instance {id} failed though the limit of {} kills",
                node.name
            ));
        }
        if self.workflow.failure_policy != FailurePolicy::FinishPossible {
            return Ok(());
        }
        let left = (self.workflow.nodes.iter().zip(fates))
            .filter(|(node, _)| !self.is_clean_up(node) && !matches!(node.kind, NodeKind::End))
            .find(|(_, fate)| {
                matches!(
                    fate,
                    Fate::Open | Fate::Live | Fate::Ended(NodeState::Killed)
                )
            });
        match left {
            Some((node, _)) => Err(format!(
                "I6: instance {id} failed though {} was still possible",
                node.name
            )),
            None => Ok(()),
        }
    }

    /// The clean-up was done, unless somebody put an end to it.
    fn check_clean_up(&self, tables: &Tables, fates: &[Fate], kills: u32) -> Verdict {
        let id = self.instance.id;
        let Some(finally) = self.finally() else {
            return Ok(());
        };
        if !self.rows.contains_key(finally.name.as_str()) {
            return Err(format!("I6: instance {id} ended without its clean-up"));
        }
        if self.instance.clean_up == CleanUp::Stopped {
            let was_killed = matches!(self.instance.message, Some(Message::KilledBy { .. }));
            let is_stopped = kills > u32::from(was_killed && self.has_ended_before_clean_up())
                || self
                    .workflow
                    .nodes
                    .iter()
                    .any(|node| self.stops_clean_up(tables, node));
            return if is_stopped {
                Ok(())
            } else {
                Err(format!(
                    "I15: nobody asked for the end of the clean-up of {id}"
                ))
            };
        }
        let left = (self.workflow.nodes.iter().zip(fates))
            .filter(|(node, _)| self.is_clean_up(node))
            .find(|(_, fate)| {
                matches!(
                    fate,
                    Fate::Open | Fate::Live | Fate::Ended(NodeState::Killed)
                )
            });
        match left {
            Some((node, _)) => Err(format!(
                "I6: instance {id} ended before {} of its clean-up",
                node.name
            )),
            None => Ok(()),
        }
    }

    /// Whether some node was ended by the kill that the instance's message names: then that kill came before the clean-up.
    fn has_ended_before_clean_up(&self) -> bool {
        (self.workflow.nodes.iter())
            .filter(|node| !self.is_clean_up(node))
            .filter_map(|node| self.rows.get(node.name.as_str()))
            .any(|row| row.state == NodeState::Killed)
    }

    /// A node of the clean-up that ends it: a kill node, or a limit that kills.
    fn stops_clean_up(&self, tables: &Tables, node: &Node) -> bool {
        let Some(row) = self.rows.get(node.name.as_str()) else {
            return false;
        };
        let is_over_time = || {
            matches!(row.message, Some(Message::TimedOut { .. }))
                || tables
                    .attempts_of(row.instance)
                    .filter(|attempt| attempt.key.run == row.run && attempt.key.node == row.node)
                    .any(|attempt| attempt.cancel == Some(CancelReason::TimedOut))
        };
        self.is_clean_up(node)
            && match &node.kind {
                NodeKind::Kill { .. } => true,
                NodeKind::Action(action) => action.on_timeout == OnTimeout::Kill && is_over_time(),
                _ => false,
            }
    }
}

/// Whether what runs of the instance must be cancelled.
pub(crate) fn must_stop(library: &Library, instance: &InstanceRow) -> bool {
    let may_finish = || {
        instance.ending == Some(InstanceState::Failed)
            && library
                .contents
                .get(&instance.version)
                .is_some_and(|workflow| workflow.failure_policy == FailurePolicy::FinishRunning)
    };
    match instance.clean_up {
        CleanUp::Stopped => !instance.state.is_terminal(),
        CleanUp::Begun => false,
        CleanUp::Ahead => instance.ending.is_some() && !may_finish(),
    }
}

/// Whether an attempt may begin in an instance whose row was like this before.
pub(crate) fn may_begin(library: &Library, before: &InstanceRow, key: &AttemptKey) -> bool {
    if before.run != key.run {
        return true;
    }
    let Some(workflow) = library.contents.get(&before.version) else {
        return false;
    };
    let begin =
        (workflow.nodes.iter()).position(|node| matches!(node.kind, NodeKind::Finally { .. }));
    let is_clean_up = begin.is_some() && workflow.node_index(&key.node) >= begin;
    if before.state.is_terminal() {
        false
    } else if is_clean_up {
        before.clean_up != CleanUp::Stopped
    } else {
        let is_ending = before.ending.is_some();
        let goes_on = !must_stop(library, before) && key.attempt > 1;
        before.clean_up == CleanUp::Ahead && (!is_ending || goes_on)
    }
}
