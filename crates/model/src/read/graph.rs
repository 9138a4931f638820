//! Names and edges.

use std::collections::BTreeMap;

use crate::code;
use crate::element::Element;
use crate::quote::shortened;
use crate::read::Reader;
use crate::read::node::{Draft, Target};
use crate::text::Text;

/// A cycle is spelled out up to this many nodes.
const LONGEST_CYCLE_SHOWN: usize = 8;

/// Each edge's end: index of the node, and the edge.
type Edges<'a> = Vec<Vec<(usize, &'a Target)>>;

impl Reader<'_> {
    pub(super) fn check_graph(&mut self, root: &Element, nodes: &[Draft]) {
        let by_name = self.check_names(nodes);
        // Behind a fault of the file may stand anything: what is missing so far proves nothing.
        if self.document.fault.is_some() {
            return;
        }
        let edges = self.resolve_edges(root, nodes, &by_name);
        let start = nodes.iter().position(|node| node.is_start);
        if start.is_none() {
            self.missing_start(root);
        }
        let has_terminal = root
            .elements()
            .any(|element| matches!(element.name.as_str(), "end" | "kill"));
        if !has_terminal {
            self.no_terminal(root);
        }
        let has_cycle = self.check_cycles(nodes, &edges);
        let is_whole = edges
            .iter()
            .zip(nodes)
            .all(|(edges, node)| edges.len() == node.targets.len() && node.node.is_some());
        let is_plain =
            by_name.len() == nodes.len() && nodes.iter().filter(|node| node.is_start).count() == 1;
        let is_whole = is_whole && is_plain;
        // Behind a wrong edge or node everything seems to be out of reach: say only what is sure.
        if let (Some(start), true, false, true) = (start, is_whole, has_cycle, has_terminal) {
            self.check_reach(root, nodes, &edges, start);
        }
    }

    fn check_names<'n>(&mut self, nodes: &'n [Draft]) -> BTreeMap<&'n str, usize> {
        let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, node) in nodes.iter().enumerate() {
            let Some(name) = node.name.as_deref() else {
                continue;
            };
            let Some(earlier) = by_name.get(name) else {
                by_name.insert(name, index);
                continue;
            };
            let line = self.line(nodes[*earlier].name_span);
            let found = shortened(name);
            self.diagnostics.error(
                code::DUPLICATE_NODE,
                node.name_span,
                Text::new(
                    format!("节点名称 `{found}` 重复"),
                    format!("a node called `{found}` exists already"),
                ),
                Text::new(
                    format!("第一个在第{line}行，请改名"),
                    format!("the first one is in line {line}; rename one of them"),
                ),
            );
        }
        by_name
    }

    /// Edges to nodes that exist; others are reported.
    fn resolve_edges<'n>(
        &mut self,
        root: &Element,
        nodes: &'n [Draft],
        by_name: &BTreeMap<&str, usize>,
    ) -> Edges<'n> {
        let mut edges: Edges<'n> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let mut resolved: Vec<(usize, &Target)> = Vec::new();
            for target in &node.targets {
                match by_name.get(target.to.as_str()) {
                    Some(index) => {
                        if node.is_fork && resolved.iter().any(|(known, _)| known == index) {
                            self.repeated_path(target);
                        }
                        resolved.push((*index, target));
                    }
                    None if is_named(root, &target.to) => {}
                    None => self.unknown_target(target, by_name),
                }
            }
            edges.push(resolved);
        }
        edges
    }

    fn unknown_target(&mut self, target: &Target, by_name: &BTreeMap<&str, usize>) {
        let found = shortened(&target.to);
        let help = self
            .did_you_mean(&target.to, by_name.keys().copied())
            .unwrap_or_else(|| {
                Text::new(
                    format!("请添加节点 `{found}`，或改为已有节点"),
                    format!("add a node `{found}`, or name one that exists"),
                )
            });
        self.diagnostics.error(
            code::UNKNOWN_TARGET,
            target.span,
            Text::new(
                format!("指向的节点 `{found}` 不存在"),
                format!("there is no node `{found}`"),
            ),
            help,
        );
    }

    fn repeated_path(&mut self, target: &Target) {
        let found = shortened(&target.to);
        self.diagnostics.warning(
            code::REPEATED_PATH,
            target.span,
            Text::new(
                format!("fork已有通向 `{found}` 的路径，它只会执行一次"),
                format!("the fork leads to `{found}` already; it runs once only"),
            ),
            Text::new("请删除该路径", "remove this path"),
        );
    }

    fn missing_start(&mut self, root: &Element) {
        self.diagnostics.error(
            code::MISSING_START,
            root.name_span,
            Text::new(
                "节点<start/>配置出错，请检查：缺少<start>",
                "the workflow has no <start>",
            ),
            Text::new(
                "请添加 <start name=\"start\" to=\"第一个节点\"/>",
                "add <start name=\"start\" to=\"first node\"/>",
            ),
        );
    }

    fn no_terminal(&mut self, root: &Element) {
        self.diagnostics.error(
            code::NO_TERMINAL,
            root.name_span,
            Text::new(
                "工作流没有<end>，也没有<kill>",
                "the workflow has neither an <end> nor a <kill>",
            ),
            Text::new("请添加 <end name=\"end\"/>", "add <end name=\"end\"/>"),
        );
    }

    /// Reports each edge that closes a cycle. Depth first with a stack of our own: a chain may have thousands of nodes.
    fn check_cycles(&mut self, nodes: &[Draft], edges: &Edges<'_>) -> bool {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            Open,
            Done,
        }
        let mut marks = vec![Mark::New; nodes.len()];
        let mut has_cycle = false;
        for first in 0..nodes.len() {
            if marks[first] != Mark::New {
                continue;
            }
            let mut path: Vec<(usize, usize)> = vec![(first, 0)];
            marks[first] = Mark::Open;
            while let Some((node, next)) = path.last_mut() {
                let Some((to, target)) = edges[*node].get(*next) else {
                    marks[*node] = Mark::Done;
                    path.pop();
                    continue;
                };
                *next += 1;
                match marks[*to] {
                    Mark::Done => {}
                    Mark::New => {
                        marks[*to] = Mark::Open;
                        path.push((*to, 0));
                    }
                    Mark::Open => {
                        has_cycle = true;
                        let begin = path.iter().position(|(node, _)| node == to).unwrap_or(0);
                        let names: Vec<&str> = path[begin..]
                            .iter()
                            .map(|(node, _)| nodes[*node].name.as_deref().unwrap_or_default())
                            .collect();
                        self.cycle(target, &names);
                    }
                }
            }
        }
        has_cycle
    }

    fn cycle(&mut self, target: &Target, names: &[&str]) {
        let mut shown: Vec<String> = names.iter().map(|name| shortened(name)).collect();
        if shown.len() > LONGEST_CYCLE_SHOWN {
            shown.truncate(LONGEST_CYCLE_SHOWN);
            shown.push("…".to_owned());
        }
        shown.push(shortened(&target.to));
        let path = shown.join(" -> ");
        self.diagnostics.error(
            code::CYCLE,
            target.span,
            Text::new(
                format!("节点之间存在环：{path}"),
                format!("the nodes form a cycle: {path}"),
            ),
            Text::new(
                "流程不能回到已执行的节点；需要重试请用 retry-times",
                "a flow cannot go back; use retry-times to try again",
            ),
        );
    }

    fn check_reach(&mut self, root: &Element, nodes: &[Draft], edges: &Edges<'_>, start: usize) {
        let mut is_reached = vec![false; nodes.len()];
        let mut waiting = vec![start];
        while let Some(node) = waiting.pop() {
            if !std::mem::replace(&mut is_reached[node], true) {
                waiting.extend(edges[node].iter().map(|(to, _)| *to));
            }
        }
        for (node, _) in nodes
            .iter()
            .zip(&is_reached)
            .filter(|(_, reached)| !**reached)
        {
            let found = shortened(node.name.as_deref().unwrap_or_default());
            self.diagnostics.warning(
                code::UNREACHABLE,
                node.name_span,
                Text::new(
                    format!("没有路径到达节点 `{found}`，它永远不会执行"),
                    format!("no path leads to node `{found}`, it never runs"),
                ),
                Text::new("请连接或删除它", "connect it or remove it"),
            );
        }
        let has_end = nodes
            .iter()
            .zip(&is_reached)
            .any(|(node, reached)| node.is_end && *reached);
        if !has_end {
            self.diagnostics.warning(
                code::END_UNREACHABLE,
                root.name_span,
                Text::new(
                    "没有路径到达<end>，每个实例都会被杀死",
                    "no path leads to an <end>, so every instance ends as killed",
                ),
                None,
            );
        }
    }
}

/// Whether an element of whatever kind has this name: one that is no node is reported for that, not its edges too.
fn is_named(root: &Element, name: &str) -> bool {
    root.elements()
        .filter_map(|element| element.attribute("name"))
        .any(|attribute| attribute.value.trim() == name)
}
