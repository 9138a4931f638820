//! How much usually comes after each node of a graph.

use std::collections::BTreeMap;

use akkaflow_model::definition::NodeKind;
use akkaflow_model::landing::UsualTime;

use crate::graph::{Graph, On};

/// Longer nothing takes: so that sums of what a history says never overflow.
const LONGEST_MS: u64 = 100 * 366 * 86_400_000;

/// The usual times along a graph, in milliseconds. What is not known counts as nothing.
#[derive(Debug)]
pub(crate) struct Reckoning {
    /// By node.
    pub(super) usual: Vec<u64>,
    /// Whether anything is known of it.
    pub(super) is_known: Vec<bool>,
    /// The longest way on from a node's end, by node: of a decision's cases the longest, without error edges and without
    /// the clean-up behind it.
    tails: Vec<u64>,
    /// The clean-up.
    clean_up: u64,
    /// Nodes that belong to the clean-up alone.
    pub(super) is_clean_up: Vec<bool>,
    /// The whole instance.
    pub(super) total: u64,
}

impl Reckoning {
    pub(super) fn of(graph: &Graph, usual: &[UsualTime]) -> Self {
        let by_name: BTreeMap<&str, u64> = (usual.iter())
            .map(|usual| (usual.node.as_str(), usual.ms.min(LONGEST_MS)))
            .collect();
        let known = |node| by_name.get(graph.name(node)).copied();
        let is_known = (0..graph.len()).map(|node| known(node).is_some()).collect();
        let usual: Vec<u64> = (0..graph.len())
            .map(|node| known(node).unwrap_or(0))
            .collect();
        let mut tails = vec![0; graph.len()];
        for node in backwards(graph) {
            tails[node] = ways(graph, node)
                .map(|to| u64::saturating_add(usual[to], tails[to]))
                .max()
                .unwrap_or(0);
        }
        let mut is_clean_up = vec![false; graph.len()];
        let mut clean_up = 0;
        if let Some(finally) = graph.finally() {
            clean_up = tails[finally.node];
            for (member, _) in &finally.members {
                // An end may belong to the rest too.
                is_clean_up[*member] = !matches!(
                    graph.kind(*member),
                    Some(NodeKind::End | NodeKind::Kill { .. })
                );
            }
        }
        let first = graph.first().iter();
        let whole = first.map(|&node| u64::saturating_add(usual[node], tails[node]));
        let total = whole.max().unwrap_or(0).saturating_add(clean_up);
        Self {
            usual,
            is_known,
            tails,
            clean_up,
            is_clean_up,
            total,
        }
    }

    /// What usually comes after a node has ended, until its instance has.
    pub(super) fn after(&self, node: usize) -> u64 {
        let clean_up = if self.is_clean_up[node] {
            0
        } else {
            self.clean_up
        };
        self.tails[node].saturating_add(clean_up)
    }

    /// The node with which the longest way on from a node begins, among those that lie there.
    pub(super) fn next(&self, graph: &Graph, node: usize) -> Option<usize> {
        let way = |to: &usize| u64::saturating_add(self.usual[*to], self.tails[*to]);
        // Of equal ones the first.
        ways(graph, node).rev().max_by_key(way)
    }
}

/// Where a node leads that does not fail.
fn ways(graph: &Graph, node: usize) -> impl DoubleEndedIterator<Item = usize> {
    let outs = graph.vertex(node).outs.iter();
    outs.filter(|way| way.on != On::Error).map(|way| way.to)
}

/// All nodes, each after those to which it leads.
fn backwards(graph: &Graph) -> Vec<usize> {
    let mut open: Vec<u32> = vec![0; graph.len()];
    for node in 0..graph.len() {
        for way in &graph.vertex(node).outs {
            open[way.to] += 1;
        }
    }
    let mut order: Vec<usize> = (0..graph.len()).filter(|&node| open[node] == 0).collect();
    let mut done = 0;
    while let Some(&node) = order.get(done) {
        done += 1;
        for way in &graph.vertex(node).outs {
            open[way.to] -= 1;
            if open[way.to] == 0 {
                order.push(way.to);
            }
        }
    }
    order.reverse();
    order
}
