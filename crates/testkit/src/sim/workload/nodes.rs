//! Random graphs: edges lead from earlier to later nodes, the clean-up and the end stand last.

use std::sync::LazyLock;

use akkaflow_model::condition::{Condition, EDGE_VARIABLES};
use akkaflow_model::definition::{
    ActionNode, Backoff, Case, CodeRanges, Edge, FailurePolicy, Growth, Node, NodeKind, OnTimeout,
    Pool, RetryRule, TimeoutScope,
};
use akkaflow_model::element::{Child, Element, Span};

use super::POOLS;
use crate::sim::rng::Rng;

/// What the parameter `n` says about a condition: `None` where it cannot be decided.
pub(crate) type Meaning = fn(Option<&str>) -> Option<bool>;

/// The conditions there are, each with what it means.
pub(crate) const CONDITIONS: &[(&str, Meaning)] = &[
    ("param.n == '1'", |n| n.map(|n| n == "1")),
    ("param.n != '1'", |n| n.map(|n| n != "1")),
    ("int(param.n) > 2", |n| n?.parse().ok().map(|n: i64| n > 2)),
    ("has(param.n)", |n| Some(n.is_some())),
    ("!has(param.n) || param.n == '2'", |n| {
        Some(n.is_none_or(|n| n == "2"))
    }),
];

/// The conditions once more, read once: reading one costs as much as hundreds of events.
static PARSED: LazyLock<Vec<Condition>> = LazyLock::new(|| {
    let texts = CONDITIONS.iter().map(|(text, _)| *text);
    texts
        .map(|text| Condition::parse(text, EDGE_VARIABLES).expect("it is one of ours"))
        .collect()
});

/// The values of `n`; the last one is no number.
pub(super) const VALUES: &[&str] = &["1", "2", "3", "x"];

/// Exit codes of simulated failures.
pub(crate) const EXIT_CODES: [i32; 3] = [1, 75, 100];

pub(super) fn draw_policy(rng: &mut Rng) -> FailurePolicy {
    match rng.below(10) {
        0..=4 => FailurePolicy::CancelRunning,
        5..=6 => FailurePolicy::FinishRunning,
        _ => FailurePolicy::FinishPossible,
    }
}

/// The nodes of a workflow.
pub(super) fn draw_nodes(rng: &mut Rng, workers: usize) -> Vec<Node> {
    let has_start = rng.chance(75);
    let count = rng.between(2, 9);
    let names: Vec<String> = (1..=count).map(|number| format!("n{number}")).collect();
    let mut nodes = Vec::new();
    if has_start {
        let to = draw_target(rng, &names);
        nodes.push(Node::new("start", NodeKind::Start { to }));
    }
    for position in 0..names.len() {
        let later = &names[position + 1..];
        let mut node = Node::new(names[position].clone(), draw_kind(rng, workers, later));
        if !has_start {
            forget_ways(rng, &mut node);
        }
        let is_ordered = rng.chance(if has_start { 8 } else { 70 });
        if is_ordered && !matches!(node.kind, NodeKind::Join { .. }) {
            node.after = draw_after(rng, &nodes);
        }
        nodes.push(node);
    }
    if rng.chance(30) {
        draw_clean_up(rng, workers, &mut nodes);
    }
    nodes.push(Node::new("end", NodeKind::End));
    nodes
}

/// Nodes that nothing leads to are left out: they would belong to the rest.
fn draw_clean_up(rng: &mut Rng, workers: usize, nodes: &mut Vec<Node>) {
    let names: Vec<String> = (1..=rng.between(1, 3)).map(|n| format!("c{n}")).collect();
    let mut led_to = vec![names[0].clone()];
    let to = names[0].clone();
    nodes.push(Node::new("z", NodeKind::Finally { to }));
    for position in 0..names.len() {
        let kind = draw_kind(rng, workers, &names[position + 1..]);
        let node = Node::new(names[position].clone(), kind);
        if led_to.contains(&node.name) {
            led_to.extend(node.targets().into_iter().map(str::to_owned));
            nodes.push(node);
        }
    }
}

/// Where nodes say what they come after, most actions lead nowhere.
fn forget_ways(rng: &mut Rng, node: &mut Node) {
    if let NodeKind::Action(action) = &mut node.kind
        && rng.chance(70)
    {
        action.ok = None;
    }
}

/// A few nodes before it that do not end an instance.
fn draw_after(rng: &mut Rng, nodes: &[Node]) -> Vec<String> {
    let mut known: Vec<String> = nodes
        .iter()
        .filter(|node| !matches!(node.kind, NodeKind::Kill { .. }))
        .map(|node| node.name.clone())
        .collect();
    let mut after = Vec::new();
    for _ in 0..rng.between(1, 3) {
        if !known.is_empty() {
            after.push(known.remove(rng.index(known.len())));
        }
    }
    after
}

/// Mostly the next node, so that graphs are deep as well as wide.
fn draw_target(rng: &mut Rng, later: &[String]) -> String {
    let position = if rng.chance(60) {
        0
    } else {
        rng.index(later.len() + 1)
    };
    later.get(position).map_or("end".to_owned(), Clone::clone)
}

fn draw_condition(rng: &mut Rng) -> Condition {
    PARSED[rng.index(CONDITIONS.len())].clone()
}

fn draw_edge(rng: &mut Rng, later: &[String], percent: u64) -> Edge {
    Edge {
        to: draw_target(rng, later),
        when: rng.chance(percent).then(|| draw_condition(rng)),
    }
}

fn draw_kind(rng: &mut Rng, workers: usize, later: &[String]) -> NodeKind {
    match rng.below(100) {
        0..=15 => {
            let mut paths: Vec<Edge> = (0..rng.between(1, 3))
                .map(|_| draw_edge(rng, later, 15))
                .collect();
            paths.sort_by(|a, b| a.to.cmp(&b.to));
            paths.dedup_by(|a, b| a.to == b.to);
            NodeKind::Fork { paths }
        }
        16..=31 => NodeKind::Join {
            to: draw_target(rng, later),
        },
        32..=34 => NodeKind::Kill {
            message: "stop at ${param:day}".to_owned(),
        },
        35..=42 => NodeKind::Decision {
            cases: (0..rng.between(1, 2))
                .map(|_| Case {
                    to: draw_target(rng, later),
                    when: draw_condition(rng),
                })
                .collect(),
            default: rng.chance(60).then(|| draw_target(rng, later)),
        },
        _ => NodeKind::Action(Box::new(draw_action(rng, workers, later))),
    }
}

fn draw_action(rng: &mut Rng, workers: usize, later: &[String]) -> ActionNode {
    let ok = draw_edge(rng, later, 12);
    let error = rng
        .chance(30)
        .then(|| draw_edge(rng, later, 15))
        .filter(|error| error.to != ok.to);
    ActionNode {
        host: draw_host(rng, workers),
        worker_labels: draw_labels(rng),
        priority: draw_priority(rng),
        pool: draw_pool(rng),
        retry_times: rng.below(3) as u32,
        interval_seconds: if rng.chance(40) {
            0
        } else {
            rng.between(1, 40)
        },
        retry: draw_retry(rng),
        timeout_seconds: rng.chance(30).then(|| rng.between(5, 90)),
        timeout_scope: if rng.chance(30) {
            TimeoutScope::Attempt
        } else {
            TimeoutScope::Node
        },
        on_timeout: if rng.chance(10) {
            OnTimeout::Kill
        } else {
            OnTimeout::Fail
        },
        is_ignore: rng.chance(4),
        ok: Some(ok),
        error,
        ..ActionNode::new(draw_body(rng))
    }
}

fn draw_retry(rng: &mut Rng) -> RetryRule {
    if rng.chance(60) {
        return RetryRule::default();
    }
    RetryRule {
        backoff: Backoff {
            growth: *rng.pick(&[Growth::Fixed, Growth::Linear, Growth::Exponential]),
            max_seconds: rng.chance(30).then(|| rng.between(10, 60)),
            jitter_percent: if rng.chance(40) { 30 } else { 0 },
        },
        exit_codes: rng
            .chance(40)
            .then(|| CodeRanges(vec![*rng.pick(&[(1, 1), (1, 80), (75, 110)])])),
    }
}

fn draw_body(rng: &mut Rng) -> Element {
    let text = if rng.chance(2) {
        "echo ${param:unknown}"
    } else {
        "echo ${param:day}"
    };
    let mut body = Element::new("script");
    body.children.push(Child::Text {
        text: text.into(),
        span: Span::default(),
    });
    body
}

fn draw_host(rng: &mut Rng, workers: usize) -> Option<String> {
    match rng.below(100) {
        0..=7 => Some(format!("w{}", rng.index(workers))),
        8..=15 => Some(format!("host{}", rng.index(workers))),
        16 => Some("nowhere".to_owned()),
        _ => None,
    }
}

pub(super) fn draw_priority(rng: &mut Rng) -> Option<i32> {
    rng.chance(30).then(|| rng.below(5) as i32 - 2)
}

fn draw_labels(rng: &mut Rng) -> Vec<String> {
    let labels: &[&str] = match rng.below(100) {
        0..=5 => &["l0"],
        6..=9 => &["l1"],
        10..=12 => &["l0", "large"],
        13 => &["nobody's"],
        _ => &[],
    };
    labels.iter().map(|label| (*label).to_owned()).collect()
}

/// Now and then a pool that nobody defines.
fn draw_pool(rng: &mut Rng) -> Option<Pool> {
    let number = match rng.below(200) {
        0..=39 => rng.below(POOLS),
        40 => POOLS,
        _ => return None,
    };
    Some(Pool {
        name: format!("pool{number}"),
        slots: rng.between(1, 2) as u32,
    })
}
