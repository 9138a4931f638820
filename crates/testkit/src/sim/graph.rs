//! What a definition says must have happened, worked out from the rows alone.

mod ends;
mod pauses;

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::condition::Condition;
use akkaflow_model::definition::{ActionNode, Node, NodeKind, OnTimeout, Workflow};
use akkaflow_model::id::Name;
use akkaflow_model::message::Message;
use akkaflow_model::record::{InstanceRow, NodeRow};
use akkaflow_model::state::NodeState;

pub(crate) use ends::{check_end, check_new_node, may_begin, must_stop};
pub(crate) use pauses::{check_given_up, check_retry};

use super::oracle::Verdict;
use super::tables::Tables;
use super::workload::Library;
use super::workload::nodes::CONDITIONS;

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
    /// Never to be reached, and whether because of a failure that nothing takes care of.
    Dead { is_broken: bool },
}

/// What is known of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passage {
    Undecided,
    Taken,
    Missed,
    Broken,
}

/// One run of an instance: its definition and its rows.
struct Run<'a> {
    instance: &'a InstanceRow,
    workflow: &'a Workflow,
    rows: BTreeMap<&'a str, &'a NodeRow>,
}

impl<'a> Run<'a> {
    fn of(
        tables: &'a Tables,
        library: &'a Library,
        instance: &'a InstanceRow,
    ) -> Result<Self, String> {
        let Some(workflow) = library.contents.get(&instance.version) else {
            return Err(format!("I11: instance {} has no definition", instance.id));
        };
        let rows = tables
            .nodes_of(instance.id)
            .filter(|row| row.run == instance.run)
            .map(|row| (row.node.as_str(), row))
            .collect();
        Ok(Self {
            instance,
            workflow,
            rows,
        })
    }

    fn finally(&self) -> Option<&Node> {
        let mut nodes = self.workflow.nodes.iter();
        nodes.find(|node| matches!(node.kind, NodeKind::Finally { .. }))
    }

    /// The parameter that conditions look at.
    fn n(&self) -> Option<&str> {
        let mut params = self.instance.params.iter();
        params
            .find(|(name, _)| name == "n")
            .map(|(_, value)| value.as_str())
    }

    /// `None`: it cannot be decided.
    fn is_true(&self, condition: &Condition) -> Option<bool> {
        let (_, meaning) = CONDITIONS
            .iter()
            .find(|(text, _)| *text == condition.as_str())?;
        meaning(self.n())
    }

    fn holds(&self, condition: Option<&Condition>) -> bool {
        condition.is_none_or(|condition| self.is_true(condition) == Some(true))
    }

    /// Whether the node's failure is taken care of.
    fn is_handled(&self, node: &Node) -> bool {
        let NodeKind::Action(action) = &node.kind else {
            return false;
        };
        let error = action.error.as_ref();
        !self.is_killing(node) && error.is_some_and(|error| self.holds(error.when.as_ref()))
    }

    /// Whether it ran out of time, which is to kill the instance.
    fn is_killing(&self, node: &Node) -> bool {
        let row = self.rows.get(node.name.as_str());
        let is_over_time =
            row.is_some_and(|row| matches!(row.message, Some(Message::TimedOut { .. })));
        let kills = |action: &ActionNode| action.on_timeout == OnTimeout::Kill;
        is_over_time && matches!(&node.kind, NodeKind::Action(action) if kills(action))
    }

    /// Whether it failed, and nothing takes care of that.
    fn is_unhandled(&self, node: &Node) -> bool {
        let row = self.rows.get(node.name.as_str());
        row.is_some_and(|row| row.state == NodeState::Failed) && !self.is_handled(node)
    }

    /// The ways from a node that was passed, and whether each is taken.
    fn ways(&self, node: &'a Node) -> Vec<(&'a str, bool)> {
        match &node.kind {
            NodeKind::End | NodeKind::Kill { .. } => Vec::new(),
            NodeKind::Start { to } | NodeKind::Finally { to } | NodeKind::Join { to } => {
                vec![(to.as_str(), true)]
            }
            NodeKind::Fork { paths } => paths
                .iter()
                .map(|path| (path.to.as_str(), self.holds(path.when.as_ref())))
                .collect(),
            NodeKind::Decision { cases, default } => {
                let chosen = cases.iter().position(|case| self.holds(Some(&case.when)));
                let mut ways: Vec<(&str, bool)> = cases
                    .iter()
                    .enumerate()
                    .map(|(number, case)| (case.to.as_str(), chosen == Some(number)))
                    .collect();
                ways.extend(default.as_deref().map(|to| (to, chosen.is_none())));
                ways
            }
            NodeKind::Action(action) => {
                let ok = action.ok.iter();
                let ok = ok.map(|edge| (edge.to.as_str(), self.holds(edge.when.as_ref())));
                let error = action.error.iter().map(|edge| (edge.to.as_str(), false));
                ok.chain(error).collect()
            }
        }
    }

    /// What has become of a way from `from`: one that is taken when it is passed, or its edge for errors.
    fn passage(
        &self,
        from: &Node,
        fate: Fate,
        is_taken_when_passed: bool,
        is_error: bool,
    ) -> Passage {
        match fate {
            Fate::Open | Fate::Live => Passage::Undecided,
            Fate::Dead { is_broken: true } => Passage::Broken,
            Fate::Dead { is_broken: false } => Passage::Missed,
            Fate::Ended(NodeState::Succeeded) if is_taken_when_passed => Passage::Taken,
            Fate::Ended(NodeState::Succeeded) => Passage::Missed,
            Fate::Ended(NodeState::Failed) if !self.is_handled(from) => Passage::Broken,
            Fate::Ended(NodeState::Failed) if is_error => Passage::Taken,
            Fate::Ended(NodeState::Failed) => Passage::Missed,
            Fate::Ended(_) => Passage::Undecided,
        }
    }

    /// Goes through the nodes in the order of the file, which is an order of the graph in simulated workflows.
    fn fates(&self) -> Vec<Fate> {
        let nodes = &self.workflow.nodes;
        let has_start = (nodes.iter()).any(|node| matches!(node.kind, NodeKind::Start { .. }));
        let mut fates: Vec<Fate> = Vec::with_capacity(nodes.len());
        // What leads to nodes that come later, by their names.
        let mut edges_to: Vec<(&str, Passage)> = Vec::new();
        for node in nodes {
            let edges = || {
                let own = edges_to.iter().filter(|(to, _)| *to == node.name);
                own.map(|(_, passage)| *passage)
            };
            let after = || {
                let earlier = nodes.iter().zip(&fates);
                let meant = earlier.filter(|(from, _)| node.after.contains(&from.name));
                meant.map(|(from, fate)| self.passage(from, *fate, true, false))
            };
            let row = self.rows.get(node.name.as_str());
            let (has_edges, has_after) = (edges().next().is_some(), after().next().is_some());
            let begins = match node.kind {
                NodeKind::Start { .. } => true,
                NodeKind::Finally { .. } => row.is_some(),
                _ => !has_start && !has_edges && !has_after,
            };
            let mut all = edges().chain(after());
            let is_decided = all.all(|passage| passage != Passage::Undecided);
            let is_broken = edges()
                .chain(after())
                .any(|passage| passage == Passage::Broken);
            let is_join = matches!(node.kind, NodeKind::Join { .. });
            let leads_on = !has_edges || edges().any(|passage| passage == Passage::Taken);
            let has_all = after().all(|passage| passage == Passage::Taken);
            let is_ready = !is_join || (is_decided && !is_broken);
            let has_ways = has_edges || has_after;
            let fate = if begins || (has_ways && leads_on && has_all && is_ready) {
                match row {
                    Some(row) if row.state.is_terminal() => Fate::Ended(row.state),
                    _ => Fate::Live,
                }
            } else if is_decided && !matches!(node.kind, NodeKind::Finally { .. }) {
                Fate::Dead { is_broken }
            } else {
                Fate::Open
            };
            fates.push(fate);
            let error = match &node.kind {
                NodeKind::Action(action) => action.error.as_ref().map(|edge| edge.to.as_str()),
                _ => None,
            };
            for (to, is_taken) in self.ways(node) {
                edges_to.push((to, self.passage(node, fate, is_taken, error == Some(to))));
            }
        }
        fates
    }

    /// Whether a node belongs to the clean-up alone.
    fn is_clean_up(&self, node: &Node) -> bool {
        let finally = self.workflow.nodes.iter();
        let begin = finally
            .clone()
            .position(|node| matches!(node.kind, NodeKind::Finally { .. }));
        let own = finally.clone().position(|other| other.name == node.name);
        !matches!(node.kind, NodeKind::End) && begin.is_some() && own >= begin
    }
}

/// Nodes have a row only when their predecessors justify it.
pub(crate) fn check_reached(
    tables: &Tables,
    library: &Library,
    instance: &InstanceRow,
    nodes: &BTreeSet<Name>,
) -> Verdict {
    let run = Run::of(tables, library, instance)?;
    let fates = run.fates();
    for node in nodes {
        let Some(row) = run.rows.get(node.as_str()) else {
            continue;
        };
        let index = run.workflow.node_index(node);
        let is_reached =
            index.is_some_and(|index| matches!(fates[index], Fate::Ended(_) | Fate::Live));
        // Gone through and then taken away by a repair, within one commit.
        let is_gone = index.is_none() && row.state == NodeState::Succeeded && row.attempts == 0;
        if !is_reached && !is_gone && !is_removed(row) && !tables.is_carried_over(row) {
            return Err(format!(
                "I6: node {node} of {} was reached without a reason; rows {:?}",
                instance.id,
                run.rows
                    .values()
                    .map(|row| (&row.node, row.state))
                    .collect::<Vec<_>>()
            ));
        }
    }
    Ok(())
}

/// A repair ends what waited where its definition no longer leads.
pub(crate) fn is_removed(row: &NodeRow) -> bool {
    row.state == NodeState::Killed && row.message == Some(Message::Removed)
}
