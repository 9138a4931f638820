//! How many node transitions one core decides in a second: `cargo run --release -p akkaflow-testkit --example throughput`.
#![expect(clippy::print_stdout, reason = "prints its figures")]

mod common;

use std::time::{Duration, Instant};

use akkaflow_engine::{Definitions, Dispatch, Effect, Engine, Input, Order, Step};
use akkaflow_model::definition::Node;
use akkaflow_model::id::{Epoch, RequestId};
use akkaflow_model::record::{Record, Snapshot};
use akkaflow_model::time::Timestamp;

/// Open instances beside which the cost of a transition is measured.
const BESIDE: [u64; 3] = [1_000, 10_000, 100_000];

/// How long it is measured beside each of them.
const LENGTH: Duration = Duration::from_secs(2);

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
        let options = common::options(Epoch(1), 1);
        let mut bench = Self {
            engine: Engine::load(options, Snapshot::default(), Definitions::default()),
            now: Timestamp::from_millis(1_767_225_600_000),
            open: Vec::new(),
            nodes: 0,
            records: 0,
        };
        bench.step(common::attached(slots));
        bench
    }

    fn order(&mut self, order: Order) {
        let request = RequestId(0);
        self.step(Input::Order { request, order });
    }

    fn run(&mut self, name: &str, instances: u64) {
        for _ in 0..instances {
            self.order(common::start(name));
        }
    }

    fn step(&mut self, input: Input) {
        let Step {
            records, effects, ..
        } = self.engine.step(self.now, input);
        self.records += records.len();
        let rows = records.iter();
        self.nodes += rows.filter(|it| matches!(it, Record::Node(_))).count();
        for effect in effects {
            if let Effect::Dispatch(dispatch) = effect {
                self.open.push(*dispatch);
            }
        }
    }

    fn drain(&mut self) {
        while let Some(dispatch) = self.open.pop() {
            self.step(common::succeeded(dispatch));
        }
    }
}

fn measure(title: &str, nodes: Vec<Node>, instances: u64, slots: u32) -> f64 {
    let mut bench = Bench::new(slots);
    bench.order(common::put(title, nodes, None));
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

/// Node transitions a second while so many other instances are open, each with a node that runs.
fn rate_beside(open: u64) -> f64 {
    let mut bench = Bench::new(1_000_000);
    bench.order(common::put("chain", common::chain(40), None));
    bench.run("chain", open);
    // They stay open; what is measured comes beside them.
    bench.open.clear();
    let before = bench.nodes;
    let begin = Instant::now();
    while begin.elapsed() < LENGTH {
        bench.run("chain", 10);
        bench.drain();
    }
    let rate = (bench.nodes - before) as f64 / begin.elapsed().as_secs_f64();
    println!("beside {open} open instances: {rate:.0} node transitions/s");
    rate
}

fn main() {
    let chain = measure("chain of 40, 2000 at once", common::chain(40), 2000, 10_000);
    let title = "fan-out of 1000, 100 at once, 8 slots";
    let names: Vec<String> = (0..1000).map(|number| format!("n{number}")).collect();
    let fan = measure(title, common::fan(&names, "fork", "end"), 100, 8);
    let title = "diamonds, 50000 at once, 64 slots";
    let diamonds = measure(title, common::diamond(), 50_000, 64);
    let slowest = chain.min(fan).min(diamonds);
    println!("{{\"workload\":\"engine\",\"transitions_per_second\":{slowest:.0}}}");

    let [few, some, many] = BESIDE.map(rate_beside);
    println!(
        "{{\"workload\":\"flat\",\"at_1000\":{few:.0},\"at_10000\":{some:.0},\"at_100000\":{many:.0},\"ratio\":{:.3}}}",
        some.min(many) / few
    );
}
