//! The core of a master without network and processes: engine, pipeline, journal and a real store.
//! `cargo run --release -p akkaflow-testkit --example durable -- sqlite|mysql://... [w3n|w6|growth]...` prints one JSON object a line.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures, and ends at the first fault"
)]

mod common;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use akkaflow_engine::{Definitions, Effect, Engine, Input, JournalEntry, Order};
use akkaflow_model::cron::Cron;
use akkaflow_model::definition::Node;
use akkaflow_model::id::RequestId;
use akkaflow_model::record::{Record, Snapshot};
use akkaflow_model::time::Timestamp;
use akkaflow_protocol::pipeline::Pipeline;
use akkaflow_store::{
    Batch, BatchId, Candidate, CommitError, MysqlOptions, MysqlStore, SqliteStore, Store,
};
use tokio::task::JoinHandle;

/// 2026-01-01T00:00:30Z.
const BEGIN: i64 = 1_767_225_630_000;
/// Instances at once, as the workload says.
const AT_ONCE: usize = 200;
/// How long W3n runs.
const LENGTH: Duration = Duration::from_secs(5);
/// Workflows that are due in the same second.
const DUE: usize = 10_000;
/// Instances whose growth is weighed.
const GROWN: usize = 2_000;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let store = arguments.next().unwrap_or_else(|| "sqlite".to_owned());
    let wanted: Vec<String> = arguments.collect();
    let directory = tempfile::tempdir_in(".").unwrap();
    for name in ["w3n", "w6", "growth"] {
        if !wanted.is_empty() && !wanted.iter().any(|it| it == name) {
            continue;
        }
        let path = directory.path().join(format!("{name}.db"));
        let core = Core::new(&store, &path).await;
        match name {
            "w3n" => w3n(core).await,
            "w6" => w6(core).await,
            _ if store == "sqlite" => growth(core, &path).await,
            _ => {}
        }
    }
}

async fn w3n(mut core: Core) {
    core.put("diamond", common::diamond(), None).await;
    let begin = Instant::now();
    for _ in 0..AT_ONCE {
        core.run_one("diamond");
    }
    core.works_until = Some(begin + LENGTH);
    core.drain().await;
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{{\"workload\":\"w3n\",\"transitions_per_second\":{:.0},\"nodes_per_second\":{:.0},\"instances\":{},\"commits\":{}}}",
        core.transitions as f64 / seconds,
        core.finished as f64 / seconds,
        core.ended,
        core.commits,
    );
}

async fn w6(mut core: Core) {
    for number in 0..DUE {
        let cron = Cron::parse("1 0 * * *").unwrap();
        core.put(&format!("w{number}"), common::chain(1), Some(cron))
            .await;
    }
    core.drain().await;
    // What is dispatched is not what is measured: nothing of it ends.
    core.is_answering = false;
    core.now = Timestamp::from_millis(BEGIN + 30_000);
    core.due_at = Some(Instant::now());
    core.drain().await;
    let mut late = std::mem::take(&mut core.fired);
    assert_eq!(late.len(), DUE, "every workflow fires once");
    late.sort();
    let millis = |at: Duration| at.as_secs_f64() * 1000.0;
    println!(
        "{{\"workload\":\"w6\",\"all_durable_seconds\":{:.3},\"lateness_p50_ms\":{:.0},\"lateness_p99_ms\":{:.0},\"commits\":{}}}",
        late[DUE - 1].as_secs_f64(),
        millis(late[DUE / 2]),
        millis(late[DUE * 99 / 100]),
        core.commits,
    );
}

/// Bytes of the database for each instance of 1, 5 and 40 action nodes, and how much of it the journal takes.
async fn growth(mut core: Core, path: &Path) {
    for actions in [1, 5, 40] {
        let name = format!("chain{actions}");
        core.put(&name, common::chain(actions), None).await;
        core.drain().await;
        let before = std::fs::metadata(path).unwrap().len();
        let journal = core.journal_bytes;
        for _ in 0..GROWN {
            core.run_one(&name);
            core.drain().await;
        }
        let after = std::fs::metadata(path).unwrap().len();
        let each = |bytes: u64| bytes / GROWN as u64;
        println!(
            "{{\"workload\":\"growth\",\"actions\":{actions},\"bytes_per_instance\":{},\"of_them_journal\":{}}}",
            each(after - before),
            each(core.journal_bytes - journal),
        );
    }
}

/// The outcome, the position and how many instances it made.
type Commit = JoinHandle<(Result<(), CommitError>, u64, usize)>;

/// The loop of a master's core, over nodes that succeed as soon as they are dispatched.
struct Core {
    engine: Engine,
    pipeline: Pipeline<Effect>,
    store: Arc<dyn Store>,
    now: Timestamp,
    inputs: VecDeque<Input>,
    commit: Option<Commit>,
    is_answering: bool,
    /// Until then an instance that ends is followed by another one.
    works_until: Option<Instant>,
    due_at: Option<Instant>,
    /// After how long each fire was durable.
    fired: Vec<Duration>,
    transitions: u64,
    finished: u64,
    ended: u64,
    commits: u64,
    journal_bytes: u64,
    request: u64,
}

impl Core {
    async fn new(store: &str, path: &Path) -> Self {
        let store: Arc<dyn Store> = if store == "sqlite" {
            Arc::new(SqliteStore::open(path).await.unwrap())
        } else {
            let options = MysqlOptions::from_url(store).unwrap();
            Arc::new(MysqlStore::connect(options).await.unwrap())
        };
        let seen = store.lease().await.unwrap();
        let candidate = Candidate {
            holder: "bench".to_owned(),
            incarnation: 1,
            endpoint: String::new(),
            seed: 1,
        };
        let taken = store.take_over(seen.as_ref(), &candidate).await;
        let taken = taken.unwrap().unwrap();
        let seed = u64::from(std::process::id());
        let options = common::options(taken.epoch, seed);
        Self {
            engine: Engine::load(options, Snapshot::default(), Definitions::default()),
            pipeline: Pipeline::new(taken.epoch, taken.seq, seed),
            store,
            now: Timestamp::from_millis(BEGIN),
            inputs: VecDeque::from([common::attached(AT_ONCE as u32)]),
            commit: None,
            is_answering: true,
            works_until: None,
            due_at: None,
            fired: Vec::new(),
            transitions: 0,
            finished: 0,
            ended: 0,
            commits: 0,
            journal_bytes: 0,
            request: 0,
        }
    }

    fn order(&mut self, order: Order) {
        self.request += 1;
        let request = RequestId(self.request);
        self.inputs.push_back(Input::Order { request, order });
    }

    async fn put(&mut self, name: &str, nodes: Vec<Node>, cron: Option<Cron>) {
        self.order(common::put(name, nodes, cron));
        if self.inputs.len() >= 500 {
            self.drain().await;
        }
    }

    fn run_one(&mut self, name: &str) {
        self.order(common::start(name));
    }

    /// Steps and commits until nothing is left to do.
    async fn drain(&mut self) {
        loop {
            while self.pipeline.has_room() {
                let Some(input) = self.next_input() else {
                    break;
                };
                self.step(input);
            }
            if self.commit.is_none() {
                self.begin_commit();
            }
            let Some(commit) = self.commit.take() else {
                return;
            };
            let (result, seq, made) = commit.await.unwrap();
            result.unwrap();
            self.commits += 1;
            if let Some(due_at) = self.due_at {
                let late = due_at.elapsed();
                self.fired.extend(std::iter::repeat_n(late, made));
            }
            for effect in self.pipeline.on_committed(seq) {
                self.see(effect);
            }
        }
    }

    fn next_input(&mut self) -> Option<Input> {
        self.inputs.pop_front().or_else(|| {
            let due = self.engine.next_deadline()?;
            (due <= self.now).then_some(Input::Tick)
        })
    }

    fn step(&mut self, input: Input) {
        let mut step = self.engine.step(self.now, input.clone());
        if step.records.is_empty() && step.effects.is_empty() {
            return;
        }
        let mut followers = Vec::new();
        for record in &step.records {
            match record {
                Record::Node(_) => self.transitions += 1,
                Record::Instance(row) if row.state.is_terminal() => {
                    self.ended += 1;
                    if self.works_until.is_some_and(|end| Instant::now() < end) {
                        followers.push(row.workflow.clone());
                    }
                }
                _ => {}
            }
        }
        followers.iter().for_each(|name| self.run_one(name));
        let entry = JournalEntry::new(self.now, &input, &mut step).to_json();
        self.journal_bytes += entry.len() as u64;
        self.pipeline.push(entry, step.records, step.effects);
        // The clock of a real master goes on.
        let passed = i64::from(self.due_at.is_none() && self.works_until.is_some());
        self.now = Timestamp::from_millis(self.now.as_millis() + passed);
    }

    fn begin_commit(&mut self) {
        let Some(out) = self.pipeline.take_batch() else {
            return;
        };
        let store = Arc::clone(&self.store);
        let batch = Batch {
            seq: out.seq,
            epoch: out.epoch,
            id: BatchId(out.id),
            journal: out.journal(),
            records: out.records,
        };
        self.commit = Some(tokio::spawn(async move {
            let made = batch
                .records
                .iter()
                .filter(|record| matches!(record, Record::Fire(row) if row.instance.is_some()));
            let made = made.count();
            (store.commit(&batch).await, batch.seq, made)
        }));
    }

    fn see(&mut self, effect: Effect) {
        if let Effect::Dispatch(dispatch) = effect
            && self.is_answering
        {
            self.finished += 1;
            self.inputs.push_back(common::succeeded(*dispatch));
        }
    }
}
