//! What the benchmarks of the core have in common: their graphs, their worker, the allocator of the servers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use akkaflow_engine::{
    Dispatch, Input, Options, Order, Origin, Outcome, OutcomeKind, Shelf, WorkerInfo,
};
use akkaflow_model::cron::Cron;
use akkaflow_model::definition::{ActionNode, Coordinator, Node, NodeKind, Workflow};
use akkaflow_model::element::Element;
use akkaflow_model::id::{Epoch, Incarnation, WorkerId};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn action(name: &str, ok: &str) -> Node {
    let action = ActionNode {
        ok: Some(ok.into()),
        ..ActionNode::new(Element::new("shell"))
    };
    Node::new(name, NodeKind::Action(Box::new(action)))
}

/// a, then b c d, then e.
pub(crate) fn diamond() -> Vec<Node> {
    let mut nodes = vec![action("a", "fork"), action("e", "end")];
    nodes.extend(fan(&["b", "c", "d"].map(str::to_owned), "a", "e"));
    nodes
}

/// Nodes beside each other, between what leads to the fork and what follows the join.
pub(crate) fn fan(names: &[String], first: &str, last: &str) -> Vec<Node> {
    let paths = names.iter().map(|name| name.as_str().into()).collect();
    let mut nodes = vec![
        Node::new("start", NodeKind::Start { to: first.into() }),
        Node::new("fork", NodeKind::Fork { paths }),
        Node::new("join", NodeKind::Join { to: last.into() }),
        Node::new("end", NodeKind::End),
    ];
    nodes.extend(names.iter().map(|name| action(name, "join")));
    nodes
}

/// So many nodes in a row.
pub(crate) fn chain(actions: usize) -> Vec<Node> {
    let name = |number: usize| match number {
        number if number == actions => "end".to_owned(),
        number => format!("n{number}"),
    };
    let mut nodes = vec![Node::new("start", NodeKind::Start { to: name(0) })];
    nodes.extend((0..actions).map(|number| action(&name(number), &name(number + 1))));
    nodes.push(Node::new("end", NodeKind::End));
    nodes
}

/// The order that puts a workflow in force.
pub(crate) fn put(name: &str, nodes: Vec<Node>, cron: Option<Cron>) -> Order {
    let coordinator = cron.map(|cron| Coordinator {
        cron: Some(cron),
        ..Coordinator::new()
    });
    let workflow = Workflow {
        instance_limit: 1_000_000,
        coordinator,
        ..Workflow::new(name, nodes)
    };
    Order::PutWorkflow {
        workflow: Arc::new(workflow),
        origin: Origin::Api { path: None },
        findings: Vec::new(),
    }
}

/// The order that starts an instance.
pub(crate) fn start(name: &str) -> Order {
    Order::Run {
        name: name.to_owned(),
        params: Vec::new(),
        fire_time: None,
        idempotency: None,
        user: String::new(),
    }
}

pub(crate) fn options(epoch: Epoch, seed: u64) -> Options {
    Options {
        zone: chrono_tz::UTC,
        epoch,
        seed,
        lost_after: Duration::from_secs(1800),
        retry_fail_times: 0,
        packing: Arc::new(Shelf::default()),
    }
}

/// The only worker comes.
pub(crate) fn attached(slots: u32) -> Input {
    Input::WorkerAttached {
        worker: WorkerInfo {
            id: WorkerId("w".into()),
            incarnation: Incarnation(1),
            host: "w".into(),
            slots,
            labels: BTreeSet::new(),
        },
        holds: Vec::new(),
    }
}

/// What was dispatched has succeeded.
pub(crate) fn succeeded(dispatch: Dispatch) -> Input {
    Input::AttemptFinished {
        worker: dispatch.worker,
        key: dispatch.key,
        outcome: Outcome {
            exit_code: Some(0),
            ..Outcome::new(OutcomeKind::Succeeded)
        },
    }
}
