//! How many node transitions one core decides in a second: `cargo run --release -p akkaflow-engine --example throughput`.
#![expect(clippy::print_stdout, reason = "prints its figures")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures the real clock; the engine is still told the time"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use akkaflow_engine::{
    Definitions, Dispatch, Effect, Engine, Input, Options, Order, Origin, Outcome, OutcomeKind,
    Shelf, Step, WorkerInfo,
};
use akkaflow_model::definition::{
    ActionNode, FailurePolicy, Keep, Node, NodeKind, Overlap, Version, Workflow,
};
use akkaflow_model::element::Element;
use akkaflow_model::id::{Epoch, Incarnation, RequestId, WorkerId};
use akkaflow_model::record::{Record, Snapshot};
use akkaflow_model::time::Timestamp;

fn node(name: &str, kind: NodeKind) -> Node {
    Node::new(name, kind)
}

fn action(name: &str, ok: &str) -> Node {
    let action = ActionNode {
        ok: Some(ok.into()),
        ..ActionNode::new(Element::new("shell"))
    };
    node(name, NodeKind::Action(Box::new(action)))
}

fn workflow(name: &str, nodes: Vec<Node>) -> Arc<Workflow> {
    Arc::new(Workflow {
        name: name.into(),
        creator: "bench".into(),
        desc: None,
        create_time: None,
        mail_level: Vec::new(),
        mail_receivers: Vec::new(),
        instance_limit: 1_000_000,
        dir: "/bench".into(),
        overlap: Overlap::default(),
        failure_policy: FailurePolicy::default(),
        priority: 0,
        keep: Keep::default(),
        state: Vec::new(),
        coordinator: None,
        nodes,
        used_params: Vec::new(),
        source: Arc::from(""),
        version: Version(name.into()),
        not_runnable: None,
    })
}

/// Answers every dispatch with success until nothing runs.
struct Bench {
    engine: Engine,
    now: Timestamp,
    open: Vec<Dispatch>,
    nodes: usize,
    records: usize,
}

impl Bench {
    fn new(slots: u32) -> Self {
        let options = Options {
            zone: chrono_tz::UTC,
            epoch: Epoch(1),
            seed: 1,
            lost_after: Duration::from_secs(1800),
            packing: Arc::new(Shelf::default()),
        };
        let mut bench = Self {
            engine: Engine::load(options, Snapshot::default(), Definitions::default()),
            now: Timestamp::from_millis(1_767_225_600_000),
            open: Vec::new(),
            nodes: 0,
            records: 0,
        };
        let worker = WorkerInfo {
            id: WorkerId("w".into()),
            incarnation: Incarnation(1),
            host: "w".into(),
            slots,
            labels: std::collections::BTreeSet::new(),
        };
        bench.step(Input::WorkerAttached {
            worker,
            holds: Vec::new(),
        });
        bench
    }

    fn put(&mut self, name: &str, nodes: Vec<Node>) {
        let order = Order::PutWorkflow {
            workflow: workflow(name, nodes),
            origin: Origin::Api { path: None },
            findings: Vec::new(),
        };
        let request = RequestId(0);
        self.step(Input::Order { request, order });
    }

    fn run(&mut self, name: &str, instances: u64) {
        for n in 0..instances {
            let order = Order::Run {
                name: name.into(),
                params: Vec::new(),
                fire_time: None,
                idempotency: None,
                user: String::new(),
            };
            let request = RequestId(n);
            self.step(Input::Order { request, order });
        }
    }

    fn step(&mut self, input: Input) {
        let Step {
            records, effects, ..
        } = self.engine.step(self.now, input);
        self.records += records.len();
        self.nodes += records
            .iter()
            .filter(|record| matches!(record, Record::Node(_)))
            .count();
        for effect in effects {
            if let Effect::Dispatch(dispatch) = effect {
                self.open.push(*dispatch);
            }
        }
    }

    fn drain(&mut self) {
        while let Some(dispatch) = self.open.pop() {
            self.step(Input::AttemptFinished {
                worker: dispatch.worker,
                key: dispatch.key,
                outcome: Outcome {
                    kind: OutcomeKind::Succeeded,
                    text: None,
                    exit_code: Some(0),
                    log_length: 0,
                    outputs: Vec::new(),
                },
            });
        }
    }
}

fn measure(title: &str, nodes: Vec<Node>, instances: u64, slots: u32) -> f64 {
    let mut bench = Bench::new(slots);
    bench.put(title, nodes);
    let begin = Instant::now();
    bench.run(title, instances);
    bench.drain();
    let seconds = begin.elapsed().as_secs_f64();
    let rate = bench.nodes as f64 / seconds;
    println!(
        "{title}: {rate:.0} node transitions/s, {:.0} records/s ({} rows of nodes in {seconds:.2} s)",
        bench.records as f64 / seconds,
        bench.nodes,
    );
    rate
}

/// Seconds of a node transition while so many other instances are open, each with a node that runs.
fn cost_beside(open: u64) -> f64 {
    let mut bench = Bench::new(1_000_000);
    let mut chain = vec![node("start", NodeKind::Start { to: "n0".into() })];
    chain.extend((0..40).map(|n| action(&format!("n{n}"), &format!("n{}", n + 1))));
    chain.push(node("n40", NodeKind::End));
    bench.put("chain", chain);
    bench.run("chain", open);
    // They stay open; what is measured comes beside them.
    bench.open.clear();
    let before = bench.nodes;
    let begin = Instant::now();
    for _ in 0..2_000 {
        bench.run("chain", 1);
        bench.drain();
    }
    begin.elapsed().as_secs_f64() / (bench.nodes - before) as f64
}

fn main() {
    let mut chain = vec![node("start", NodeKind::Start { to: "n0".into() })];
    chain.extend((0..40).map(|n| action(&format!("n{n}"), &format!("n{}", n + 1))));
    chain.push(node("n40", NodeKind::End));
    let chain = measure("chain of 40, 2000 at once", chain, 2000, 10_000);

    let names: Vec<String> = (0..1000).map(|n| format!("n{n}")).collect();
    let mut fan = vec![
        node("start", NodeKind::Start { to: "fork".into() }),
        node(
            "fork",
            NodeKind::Fork {
                paths: names.iter().map(|name| name.as_str().into()).collect(),
            },
        ),
    ];
    fan.extend(names.iter().map(|name| action(name, "join")));
    fan.push(node("join", NodeKind::Join { to: "end".into() }));
    fan.push(node("end", NodeKind::End));
    let fan = measure("fan-out of 1000, 100 at once, 8 slots", fan, 100, 8);

    let diamond = vec![
        node("start", NodeKind::Start { to: "a".into() }),
        action("a", "f"),
        node(
            "f",
            NodeKind::Fork {
                paths: vec!["b".into(), "c".into(), "d".into()],
            },
        ),
        action("b", "j"),
        action("c", "j"),
        action("d", "j"),
        node("j", NodeKind::Join { to: "e".into() }),
        action("e", "end"),
        node("end", NodeKind::End),
    ];
    let diamonds = measure("diamonds, 50000 at once, 64 slots", diamond, 50_000, 64);
    let slowest = chain.min(fan).min(diamonds);
    println!("{{\"workload\":\"engine\",\"transitions_per_second\":{slowest:.0}}}");

    let (few, many) = (cost_beside(1_000), cost_beside(100_000));
    println!(
        "a node transition beside 1,000 open instances: {:.2} us, beside 100,000: {:.2} us",
        few * 1e6,
        many * 1e6
    );
    println!("{{\"workload\":\"flat\",\"growth\":{:.3}}}", many / few);
}
