//! Names and edges.

use std::collections::{BTreeMap, BTreeSet};

use crate::code;
use crate::element::Element;
use crate::quote::shortened;
use crate::read::Reader;
use crate::read::node::{Draft, Target};
use crate::read::shapes::ACTION;
use crate::text::Text;

/// A cycle is spelled out up to this many nodes.
const LONGEST_CYCLE_SHOWN: usize = 8;

/// Each edge's end: index of the node, and where the edge is written.
type Edges<'a> = Vec<Vec<(usize, &'a Target)>>;

/// Which node leads to which.
pub(super) struct Ways {
    /// The nodes that lead to each node.
    before: Vec<Vec<usize>>,
    by_name: BTreeMap<String, usize>,
    /// The nodes of the clean-up, which comes after everything else.
    is_cleanup: Vec<bool>,
}

impl Ways {
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Every node from which a way leads to `node`, and `node` itself.
    pub(super) fn ancestors(&self, node: usize) -> Vec<bool> {
        let mut is_ancestor: Vec<bool> = if self.is_cleanup[node] {
            self.is_cleanup
                .iter()
                .map(|is_cleanup| !is_cleanup)
                .collect()
        } else {
            vec![false; self.before.len()]
        };
        let mut waiting = vec![node];
        while let Some(node) = waiting.pop() {
            if !std::mem::replace(&mut is_ancestor[node], true) {
                waiting.extend(&self.before[node]);
            }
        }
        is_ancestor
    }
}

impl Reader<'_> {
    /// `None` when the graph is not sound enough to say what comes before what.
    pub(super) fn check_graph(&mut self, root: &Element, nodes: &[Draft]) -> Option<Ways> {
        let by_name = self.check_names(nodes);
        // Behind a fault of the file may stand anything: what is missing so far proves nothing.
        if self.document.fault.is_some() {
            return None;
        }
        let is_ordered = nodes.iter().any(|node| !node.after.is_empty());
        let (edges, is_resolved) = self.resolve_edges(root, nodes, &by_name);
        let start = nodes.iter().position(|node| node.is("start"));
        let has_terminal = nodes.iter().any(Draft::is_terminal);
        let has_ways = is_ordered || self.check_ends(root, start.is_some(), has_terminal);
        let has_cycle = self.check_cycles(nodes, &edges);
        let is_plain = by_name.len() == nodes.len()
            && nodes.iter().filter(|node| node.is("start")).count() <= 1;
        let is_whole =
            is_resolved && has_ways && is_plain && nodes.iter().all(|node| node.node.is_some());
        // Behind a wrong edge or node everything seems to be out of reach: say only what is sure.
        if !is_whole || has_cycle {
            return None;
        }
        let first: Vec<usize> = match start {
            Some(start) => vec![start],
            None if is_ordered => beginnings(nodes, &edges),
            None => return None,
        };
        let is_cleanup = self.check_cleanup(nodes, &edges, &first);
        if has_terminal || is_ordered {
            self.check_reach(root, nodes, &edges, &first, has_terminal && !is_ordered);
        }
        Some(Ways {
            before: reversed(&edges),
            by_name: by_name
                .into_iter()
                .map(|(name, index)| (name.to_owned(), index))
                .collect(),
            is_cleanup,
        })
    }

    /// Where no node says what it comes after, the edges must say where to begin, to go on and to end. Whether every
    /// action does.
    fn check_ends(&mut self, root: &Element, has_start: bool, has_terminal: bool) -> bool {
        if !has_start {
            self.missing_start(root);
        }
        if !has_terminal {
            self.no_terminal(root);
        }
        let mut is_complete = true;
        for action in root.elements_named("action") {
            if action.elements_named("ok").next().is_none() {
                ACTION.missing_child(action, "ok", &mut self.diagnostics);
                is_complete = false;
            }
        }
        is_complete
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

    /// Edges to nodes that exist, and whether all of them do; others are reported.
    fn resolve_edges<'n>(
        &mut self,
        root: &Element,
        nodes: &'n [Draft],
        by_name: &BTreeMap<&str, usize>,
    ) -> (Edges<'n>, bool) {
        let mut edges: Edges<'n> = Vec::with_capacity(nodes.len());
        let mut is_resolved = true;
        for node in nodes {
            let mut resolved: Vec<(usize, &Target)> = Vec::new();
            let mut known = BTreeSet::new();
            for target in &node.targets {
                match by_name.get(target.to.as_str()) {
                    Some(index) if nodes[*index].is("finally") => {
                        self.leads_to_finally(target);
                        is_resolved = false;
                    }
                    Some(index) => {
                        if !known.insert(*index) && node.is("fork") {
                            self.repeated_path(target);
                        }
                        resolved.push((*index, target));
                    }
                    None => {
                        is_resolved = false;
                        if !is_named(root, &target.to) {
                            self.unknown_target(target, by_name);
                        }
                    }
                }
            }
            edges.push(resolved);
        }
        for (index, node) in nodes.iter().enumerate() {
            for target in &node.after {
                match by_name.get(target.to.as_str()) {
                    Some(before) if nodes[*before].is_terminal() => {
                        self.after_terminal(target, &nodes[*before].tag);
                        is_resolved = false;
                    }
                    Some(before) => edges[*before].push((index, target)),
                    None => {
                        is_resolved = false;
                        if !is_named(root, &target.to) {
                            self.unknown_target(target, by_name);
                        }
                    }
                }
            }
        }
        (edges, is_resolved)
    }

    fn leads_to_finally(&mut self, target: &Target) {
        let found = shortened(&target.to);
        self.diagnostics.error(
            code::BAD_FINALLY,
            target.span,
            Text::new(
                format!("不能指向 <finally> 节点 `{found}`"),
                format!("no edge may lead to the <finally> node `{found}`"),
            ),
            Text::new(
                "其余部分结束后它会自动执行，请删除该指向",
                "it runs by itself once everything else is over; remove the edge",
            ),
        );
    }

    fn after_terminal(&mut self, target: &Target, tag: &str) {
        let found = shortened(&target.to);
        self.diagnostics.error(
            code::BAD_AFTER,
            target.span,
            Text::new(
                format!("<{tag}> 节点 `{found}` 之后不能再有节点"),
                format!("nothing can come after the <{tag}> node `{found}`"),
            ),
            Text::new(
                "收尾节点请用 <finally>",
                "for a clean-up there is <finally>",
            ),
        );
    }

    /// Which nodes belong to the clean-up alone. It may share nothing with the rest but the ends.
    fn check_cleanup(&mut self, nodes: &[Draft], edges: &Edges<'_>, first: &[usize]) -> Vec<bool> {
        let mut is_cleanup = match nodes.iter().position(|node| node.is("finally")) {
            Some(finally) => reached(edges, &[finally]),
            None => return vec![false; nodes.len()],
        };
        let is_main = reached(edges, first);
        for (index, node) in nodes.iter().enumerate() {
            if !is_cleanup[index] || !is_main[index] {
                continue;
            }
            is_cleanup[index] = false;
            if !node.is_terminal() {
                self.shared_with_cleanup(node);
            }
        }
        is_cleanup
    }

    fn shared_with_cleanup(&mut self, node: &Draft) {
        let found = shortened(node.name.as_deref().unwrap_or_default());
        self.diagnostics.error(
            code::BAD_FINALLY,
            node.name_span,
            Text::new(
                format!("节点 `{found}` 既在流程中，又在 <finally> 之后"),
                format!("node `{found}` belongs to the flow and to what comes after <finally>"),
            ),
            Text::new(
                "收尾节点只能由 <finally> 到达",
                "only <finally> may lead to the nodes of the clean-up",
            ),
        );
    }

    fn unknown_target(&mut self, target: &Target, by_name: &BTreeMap<&str, usize>) {
        let found = shortened(&target.to);
        let help = target
            .to
            .contains("${")
            .then(|| {
                Text::new(
                    "节点之间的路径在实例产生之前就已确定，不能引用参数或时间，请写明节点名称",
                    "edges are settled before there is an instance, not made of parameters or dates: write the node's name",
                )
            })
            .or_else(|| self.did_you_mean(&target.to, by_name.keys().copied()))
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
        shown.extend(names.first().map(|name| shortened(name)));
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

    fn check_reach(
        &mut self,
        root: &Element,
        nodes: &[Draft],
        edges: &Edges<'_>,
        first: &[usize],
        needs_end: bool,
    ) {
        let finally = nodes.iter().position(|node| node.is("finally"));
        let is_reached = reached(edges, first);
        let is_cleanup = finally.map(|finally| reached(edges, &[finally]));
        let is_touched =
            |index: usize| is_reached[index] || is_cleanup.as_ref().is_some_and(|it| it[index]);
        let lost = nodes
            .iter()
            .enumerate()
            .filter(|(index, _)| !is_touched(*index));
        for (_, node) in lost {
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
            .any(|(node, reached)| node.is("end") && *reached);
        if needs_end && !has_end {
            self.end_unreachable(root);
        }
    }

    fn end_unreachable(&mut self, root: &Element) {
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

/// The nodes that nothing leads to, where no start says where to begin.
fn beginnings(nodes: &[Draft], edges: &Edges<'_>) -> Vec<usize> {
    let mut is_led_to = vec![false; nodes.len()];
    for (to, _) in edges.iter().flatten() {
        is_led_to[*to] = true;
    }
    (0..nodes.len())
        .filter(|index| !is_led_to[*index] && !nodes[*index].is("finally"))
        .collect()
}

fn reached(edges: &Edges<'_>, first: &[usize]) -> Vec<bool> {
    let mut is_reached = vec![false; edges.len()];
    let mut waiting = first.to_vec();
    while let Some(node) = waiting.pop() {
        if !std::mem::replace(&mut is_reached[node], true) {
            waiting.extend(edges[node].iter().map(|(to, _)| *to));
        }
    }
    is_reached
}

fn reversed(edges: &Edges<'_>) -> Vec<Vec<usize>> {
    let mut before = vec![Vec::new(); edges.len()];
    for (from, targets) in edges.iter().enumerate() {
        for (to, _) in targets {
            before[*to].push(from);
        }
    }
    before
}

/// Whether an element of whatever kind has this name: one that is no node is reported for that, not its edges too.
fn is_named(root: &Element, name: &str) -> bool {
    root.elements()
        .filter_map(|element| element.attribute("name"))
        .any(|attribute| attribute.value.trim() == name)
}
