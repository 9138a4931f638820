//! What a definition says must have happened, worked out from the rows alone.

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::definition::{ActionNode, NodeKind, Workflow};
use akkaflow_model::message::Message;
use akkaflow_model::record::{InstanceRow, NodeRow};
use akkaflow_model::state::NodeState;

use super::oracle::Verdict;
use super::tables::Tables;
use super::workload::Library;

/// The action node called `name`.
pub(crate) fn action<'a>(workflow: &'a Workflow, name: &str) -> Option<&'a ActionNode> {
    match &workflow.nodes.iter().find(|node| node.name == name)?.kind {
        NodeKind::Action(action) => Some(action),
        _ => None,
    }
}

/// What is known of a node of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Not decided yet.
    Open,
    /// Reached, and over with this end.
    Ended(NodeState),
    /// Reached, not over.
    Live,
    /// Never to be reached.
    Dead,
}

fn rows_of<'a>(tables: &'a Tables, instance: &InstanceRow) -> BTreeMap<&'a str, &'a NodeRow> {
    tables
        .nodes_of(instance.id)
        .filter(|row| row.run == instance.run)
        .map(|row| (row.node.as_str(), row))
        .collect()
}

/// Goes through the nodes in the order of the file, which is an order of the graph in simulated workflows.
fn fates(workflow: &Workflow, rows: &BTreeMap<&str, &NodeRow>) -> Vec<Fate> {
    let mut fates: Vec<Fate> = Vec::with_capacity(workflow.nodes.len());
    for (position, node) in workflow.nodes.iter().enumerate() {
        let mut incoming = 0;
        let mut decided = 0;
        let mut taken = 0;
        for (from, earlier) in workflow.nodes[..position].iter().enumerate() {
            for (edge, target) in earlier.targets().into_iter().enumerate() {
                if target != node.name {
                    continue;
                }
                incoming += 1;
                match fates[from] {
                    Fate::Open | Fate::Live => {}
                    Fate::Dead => decided += 1,
                    Fate::Ended(state) => {
                        decided += 1;
                        let has_succeeded = state == NodeState::Succeeded;
                        let is_taken = match earlier.kind {
                            NodeKind::Action(_) => match state {
                                NodeState::Killed => false,
                                _ => has_succeeded == (edge == 0),
                            },
                            _ => true,
                        };
                        taken += u32::from(is_taken);
                    }
                }
            }
        }
        let is_start = matches!(node.kind, NodeKind::Start { .. });
        let is_join = matches!(node.kind, NodeKind::Join { .. });
        let is_reached = is_start || (taken > 0 && (!is_join || decided == incoming));
        fates.push(if is_reached {
            match rows.get(node.name.as_str()) {
                Some(row) if row.state.is_terminal() => Fate::Ended(row.state),
                _ => Fate::Live,
            }
        } else if decided == incoming {
            Fate::Dead
        } else {
            Fate::Open
        });
    }
    fates
}

/// Nodes have a row only when their predecessors justify it.
pub(crate) fn check_reached(
    tables: &Tables,
    library: &Library,
    instance: &InstanceRow,
    nodes: &BTreeSet<String>,
) -> Verdict {
    let Some(workflow) = library.contents.get(&instance.version) else {
        return Err(format!("I11: instance {} has no definition", instance.id));
    };
    let rows = rows_of(tables, instance);
    let fates = fates(workflow, &rows);
    for node in nodes {
        let Some(row) = rows.get(node.as_str()) else {
            continue;
        };
        let is_reached = workflow
            .node_index(node)
            .is_some_and(|index| matches!(fates[index], Fate::Ended(_) | Fate::Live));
        // A repair ends what waited where its definition no longer leads.
        let is_removed = row.state == NodeState::Killed && row.message == Some(Message::Removed);
        if !is_reached && !is_removed && !is_carried_over(instance, row) {
            return Err(format!(
                "I6: node {node} of {} was reached without a reason; rows {:?}",
                instance.id,
                rows.values()
                    .map(|row| (&row.node, row.state))
                    .collect::<Vec<_>>()
            ));
        }
    }
    Ok(())
}

/// A success of an earlier run that a rerun keeps.
fn is_carried_over(instance: &InstanceRow, row: &NodeRow) -> bool {
    let is_older = instance
        .started_at
        .is_none_or(|started_at| row.ended_at.is_some_and(|ended_at| ended_at <= started_at));
    instance.run > 1 && row.state == NodeState::Succeeded && is_older
}

/// In an instance that succeeded, everything that must be reached was, and nothing failed unhandled.
pub(crate) fn check_success(tables: &Tables, library: &Library, instance: &InstanceRow) -> Verdict {
    let Some(workflow) = library.contents.get(&instance.version) else {
        return Err(format!("I11: instance {} has no definition", instance.id));
    };
    let rows = rows_of(tables, instance);
    for (index, fate) in fates(workflow, &rows).into_iter().enumerate() {
        let node = &workflow.nodes[index];
        match fate {
            Fate::Dead => {}
            Fate::Open | Fate::Live => {
                return Err(format!(
                    "I6: instance {} succeeded though {} was not decided",
                    instance.id, node.name
                ));
            }
            Fate::Ended(NodeState::Succeeded) => {
                if matches!(node.kind, NodeKind::Kill { .. }) {
                    return Err(format!(
                        "I6: instance {} succeeded though it reached {}",
                        instance.id, node.name
                    ));
                }
            }
            Fate::Ended(_) => {
                let is_handled =
                    matches!(&node.kind, NodeKind::Action(action) if action.error.is_some());
                if !is_handled {
                    return Err(format!(
                        "I6: instance {} succeeded though {} did not",
                        instance.id, node.name
                    ));
                }
            }
        }
    }
    Ok(())
}
