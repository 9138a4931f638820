//! Joins whose branches can never all arrive.
//!
//! Here a join goes on once every incoming edge is decided, so nothing hangs; akkaflow 2.12 waits for ever. Either way
//! the author meant something else.

use std::collections::BTreeMap;

use super::Lint;
use crate::code;
use crate::definition::{Node, NodeKind, Workflow};
use crate::element::Span;
use crate::quote::shortened;
use crate::text::Text;

/// Actions with an error edge that are looked at for each file: each costs a walk through the graph.
const MOST_FORKINGS: usize = 200;

/// A graph by positions.
struct Graph<'a> {
    nodes: &'a [Node],
    outs: Vec<Vec<usize>>,
    start: usize,
}

impl<'a> Graph<'a> {
    fn of(workflow: &'a Workflow) -> Option<Self> {
        let nodes = &workflow.nodes;
        let index: BTreeMap<&str, usize> = nodes
            .iter()
            .enumerate()
            .map(|(position, node)| (node.name.as_str(), position))
            .collect();
        let outs = nodes
            .iter()
            .map(|node| {
                let targets = node.targets().into_iter();
                targets
                    .filter_map(|to| index.get(to).copied())
                    .collect::<Vec<_>>()
            })
            .collect();
        let start = nodes
            .iter()
            .position(|node| matches!(node.kind, NodeKind::Start { .. }))?;
        Some(Self { nodes, outs, start })
    }

    /// What is reached from the start when one edge is missing.
    fn reached_without(&self, missing: Option<(usize, usize)>) -> Vec<bool> {
        let mut reached = vec![false; self.nodes.len()];
        let mut open = vec![self.start];
        while let Some(node) = open.pop() {
            if std::mem::replace(&mut reached[node], true) {
                continue;
            }
            let outs = self.outs[node].iter().enumerate();
            open.extend(
                outs.filter(|(edge, _)| missing != Some((node, *edge)))
                    .map(|(_, to)| *to),
            );
        }
        reached
    }

    /// The joins, each with the nodes that lead to it, once for every edge: node, and which of its edges.
    fn joins(&self) -> Vec<(usize, Vec<(usize, usize)>)> {
        let is_join = |node: &Node| matches!(node.kind, NodeKind::Join { .. });
        let mut joins: BTreeMap<usize, Vec<(usize, usize)>> = self
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| is_join(node))
            .map(|(position, _)| (position, Vec::new()))
            .collect();
        for (node, outs) in self.outs.iter().enumerate() {
            for (edge, to) in outs.iter().enumerate() {
                if let Some(incoming) = joins.get_mut(to) {
                    incoming.push((node, edge));
                }
            }
        }
        joins.into_iter().collect()
    }

    /// Actions that have both an ok and an error edge, leading to different nodes or the same.
    fn forkings(&self) -> impl Iterator<Item = usize> {
        self.nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| matches!(&node.kind, NodeKind::Action(action) if action.error.is_some()))
            .map(|(position, _)| position)
            .filter(|position| self.outs[*position].len() == 2)
            .take(MOST_FORKINGS)
    }

    fn name(&self, node: usize) -> String {
        shortened(&self.nodes[node].name)
    }
}

impl Lint<'_> {
    pub(super) fn joins(&mut self, workflow: &Workflow) {
        let Some(graph) = Graph::of(workflow) else {
            return;
        };
        let joins = graph.joins();
        if joins.is_empty() {
            return;
        }
        let alive = graph.reached_without(None);
        let mut is_told = vec![false; graph.nodes.len()];
        for (join, incoming) in &joins {
            let dead = incoming.iter().find(|(node, _)| !alive[*node]);
            if let Some((node, _)) = dead.filter(|_| alive[*join]) {
                is_told[*join] = true;
                self.waits_for_dead(&graph, *join, *node);
            }
        }
        for action in graph.forkings() {
            let without_ok = graph.reached_without(Some((action, 0)));
            let without_error = graph.reached_without(Some((action, 1)));
            // An edge belongs to a side when it cannot be taken without that side.
            let needs = |without: &[bool], side: usize, (node, edge): (usize, usize)| {
                alive[node] && (!without[node] || (node, edge) == (action, side))
            };
            for (join, incoming) in &joins {
                let on_ok = incoming.iter().find(|edge| needs(&without_ok, 0, **edge));
                let on_error = incoming
                    .iter()
                    .find(|edge| needs(&without_error, 1, **edge));
                if let (Some(ok), Some(error)) = (on_ok, on_error)
                    && ok != error
                    && !std::mem::replace(&mut is_told[*join], true)
                {
                    self.excluded(&graph, *join, action);
                }
            }
        }
    }

    fn waits_for_dead(&mut self, graph: &Graph<'_>, join: usize, node: usize) {
        let (join_name, dead) = (graph.name(join), graph.name(node));
        self.warning(
            code::JOIN_INCOMPLETE,
            self.name_of(&graph.nodes[join]),
            Text::new(
                format!("join `{join_name}` 等待节点 `{dead}`，而它永远不会执行"),
                format!("join `{join_name}` waits for node `{dead}`, which never runs"),
            ),
            Text::new(
                format!("请连接 `{dead}`，或删除它通向join的边；本系统会忽略该分支，akkaflow 2.12会一直等待"),
                format!(
                    "connect `{dead}`, or remove its edge; here the branch counts as decided, akkaflow 2.12 waits for ever"
                ),
            ),
        );
    }

    fn excluded(&mut self, graph: &Graph<'_>, join: usize, action: usize) {
        let (join_name, forking) = (graph.name(join), graph.name(action));
        self.warning(
            code::JOIN_INCOMPLETE,
            self.name_of(&graph.nodes[join]),
            Text::new(
                format!("join `{join_name}` 的分支不可能全部到达：节点 `{forking}` 的ok与error只会走其一"),
                format!(
                    "the branches of join `{join_name}` never all arrive: node `{forking}` takes either its ok or its error edge"
                ),
            ),
            Text::new(
                "若任一分支到达即可继续，请让两条边直接指向下一个节点；本系统走到哪条算哪条，akkaflow 2.12会一直等待",
                "where either branch will do, lead both edges to the next node; here the join goes on with the one that was taken, akkaflow 2.12 waits for ever",
            ),
        );
    }

    /// Where the name of a node stands.
    fn name_of(&self, node: &Node) -> Span {
        self.root
            .elements()
            .find(|element| element.span == node.span)
            .and_then(|element| element.attribute("name"))
            .map_or(node.span, |name| name.value_span)
    }
}
