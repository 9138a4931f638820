//! Graphs of ordinary workflows: chains, diamonds, forks of fifty.

use akkaflow_model::definition::{ActionNode, Edge, Node, NodeKind, Pool};
use akkaflow_model::element::Element;

use crate::sim::rng::Rng;

/// The pools, with their slots where there are 2,000 workflows.
pub(super) const POOLS: [(&str, usize); 2] = [("warehouse", 24), ("lake", 10)];

/// Half of the workers have it.
pub(super) const LABEL: &str = "large";

/// Branches of a wide graph.
const WIDE: u64 = 50;

/// How many nodes it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    One,
    Small,
    Ordinary,
    Wide,
}

pub(super) fn draw(rng: &mut Rng, size: Size) -> Vec<Node> {
    match size {
        Size::One => chain(rng, 1),
        Size::Small => {
            let length = rng.between(1, 4);
            chain(rng, length)
        }
        Size::Ordinary if rng.chance(60) => {
            let length = rng.between(2, 6);
            chain(rng, length)
        }
        Size::Ordinary => {
            let branches = rng.between(2, 6);
            fan(rng, branches)
        }
        Size::Wide => fan(rng, WIDE),
    }
}

fn chain(rng: &mut Rng, length: u64) -> Vec<Node> {
    let name = |number| match number {
        number if number == length => "end".to_owned(),
        number => format!("n{number}"),
    };
    let mut nodes = vec![Node::new("start", NodeKind::Start { to: name(0) })];
    nodes.extend((0..length).map(|number| action(rng, name(number), &name(number + 1))));
    nodes.push(Node::new("end", NodeKind::End));
    nodes
}

fn fan(rng: &mut Rng, branches: u64) -> Vec<Node> {
    let names: Vec<String> = (0..branches).map(|number| format!("b{number}")).collect();
    let paths = names.iter().map(|name| Edge::from(name.as_str())).collect();
    let mut nodes = vec![
        Node::new("start", NodeKind::Start { to: "first".into() }),
        action(rng, "first".to_owned(), "fork"),
        Node::new("fork", NodeKind::Fork { paths }),
    ];
    nodes.extend(names.into_iter().map(|name| action(rng, name, "join")));
    nodes.push(Node::new("join", NodeKind::Join { to: "last".into() }));
    nodes.push(action(rng, "last".to_owned(), "end"));
    nodes.push(Node::new("end", NodeKind::End));
    nodes
}

fn action(rng: &mut Rng, name: String, ok: &str) -> Node {
    let pool = rng.chance(20).then(|| Pool {
        name: rng.pick(&POOLS).0.to_owned(),
        slots: rng.between(1, 2) as u32,
    });
    let action = ActionNode {
        ok: Some(ok.into()),
        retry_times: [0, 1, 1, 2][rng.index(4)],
        interval_seconds: rng.between(10, 300),
        worker_labels: if rng.chance(5) {
            vec![LABEL.to_owned()]
        } else {
            Vec::new()
        },
        pool,
        ..ActionNode::new(Element::new("script"))
    };
    Node::new(name, NodeKind::Action(Box::new(action)))
}
