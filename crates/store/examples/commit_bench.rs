//! Times commits: `cargo run --release --example commit_bench [mysql://...]` (without an address: SQLite in a fresh
//! directory under the current one).
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use akkaflow_model::definition::Version;
use akkaflow_model::id::{AttemptKey, Incarnation, InstanceId, WorkerId};
use akkaflow_model::message::Message;
use akkaflow_model::record::{AttemptRow, InstanceRow, NodeRow, Record, TriggerKind};
use akkaflow_model::state::{AttemptState, InstanceState, NodeState};
use akkaflow_model::time::Timestamp;
use akkaflow_store::{
    Batch, BatchId, Candidate, MysqlOptions, MysqlStore, SqliteStore, Store, TakenOver,
};

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir_in(".").unwrap();
    let store = open(directory.path()).await;
    let flush = flushes(directory.path());
    println!("one flush of 4 KiB: {flush:?}");
    let candidate = Candidate {
        holder: "bench".to_owned(),
        incarnation: 1,
        endpoint: String::new(),
        seed: 1,
    };
    let seen = store.lease().await.unwrap();
    let taken = store
        .take_over(seen.as_ref(), &candidate)
        .await
        .unwrap()
        .unwrap();
    let mut bench = Bench { store, taken };
    bench.run("empty", 500, |_| Vec::new()).await;
    bench.run("3 records", 1000, three).await;
    bench
        .run("100 nodes + 100 attempts", 100, |round| wide(round, 100))
        .await;
    bench
        .run("1000 nodes + 1000 attempts", 30, |round| wide(round, 1000))
        .await;
    bench.run("200 instances of 7 records", 30, many).await;
    bench.snapshot().await;
}

async fn open(directory: &std::path::Path) -> Arc<dyn Store> {
    match std::env::args().nth(1) {
        Some(url) => {
            let options = MysqlOptions::from_url(&url).unwrap();
            Arc::new(MysqlStore::connect(options).await.unwrap())
        }
        None => Arc::new(
            SqliteStore::open(&directory.join("bench.db"))
                .await
                .unwrap(),
        ),
    }
}

/// The median of plain appends with a flush: the limit of the disk.
fn flushes(directory: &std::path::Path) -> Duration {
    use std::io::Write as _;
    let mut file = std::fs::File::create(directory.join("flush")).unwrap();
    let times = (0..200).map(|_| {
        let start = Instant::now();
        file.write_all(&[1; 4096]).unwrap();
        file.sync_data().unwrap();
        start.elapsed()
    });
    median(times.collect())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

struct Bench {
    store: Arc<dyn Store>,
    taken: TakenOver,
}

impl Bench {
    async fn run(&mut self, name: &str, rounds: u64, records: impl Fn(u64) -> Vec<Record>) {
        let mut times = Vec::new();
        for round in 0..rounds {
            self.taken.seq += 1;
            let batch = Batch {
                seq: self.taken.seq,
                epoch: self.taken.epoch,
                id: BatchId(self.taken.seq.into()),
                journal: vec![b'x'; 300],
                records: records(round),
            };
            let start = Instant::now();
            self.store.commit(&batch).await.unwrap();
            times.push(start.elapsed());
        }
        let most = times.iter().max().copied().unwrap();
        println!("{name}: median {:?}, most {most:?}", median(times));
    }

    async fn snapshot(&self) {
        let start = Instant::now();
        let snapshot = self
            .store
            .snapshot(Timestamp::from_millis(0))
            .await
            .unwrap();
        println!(
            "snapshot of {} instances, {} nodes, {} attempts: {:?}",
            snapshot.instances.len(),
            snapshot.nodes.len(),
            snapshot.attempts.len(),
            start.elapsed()
        );
    }
}

fn id(number: u64) -> InstanceId {
    InstanceId::from_parts(
        Timestamp::from_millis(1_790_000_000_000 + number as i64),
        u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834),
    )
}

/// A hop of a chain: one node done, the next one assigned.
fn three(round: u64) -> Vec<Record> {
    let owner = id(1_000_000 + round / 40);
    vec![
        Record::node(node(owner, round % 40, NodeState::Succeeded)),
        Record::node(node(owner, round % 40 + 1, NodeState::Running)),
        Record::attempt(attempt(owner, round % 40 + 1)),
    ]
}

fn wide(round: u64, width: u64) -> Vec<Record> {
    let owner = id(2_000_000 + width * 1000 + round);
    (0..width)
        .flat_map(|number| {
            [
                Record::node(node(owner, number, NodeState::Running)),
                Record::attempt(attempt(owner, number)),
            ]
        })
        .collect()
}

fn many(round: u64) -> Vec<Record> {
    (0..200)
        .flat_map(|number| {
            let owner = id(3_000_000 + round * 200 + number);
            let nodes = (0..5).map(move |n| Record::node(node(owner, n, NodeState::Running)));
            std::iter::once(Record::instance(instance(owner)))
                .chain(nodes)
                .chain([Record::attempt(attempt(owner, 1))])
        })
        .collect()
}

fn instance(owner: InstanceId) -> InstanceRow {
    let now = Timestamp::from_millis(1_790_000_000_000);
    InstanceRow {
        id: owner,
        workflow: "daily_report".to_owned(),
        version: Version("0123456789abcdef".to_owned()),
        run: 1,
        state: InstanceState::Running,
        trigger: TriggerKind::Run,
        fire_time: now,
        created_at: now,
        started_at: Some(now),
        ended_at: None,
        params: vec![("stadate".to_owned(), "2026-11-20".to_owned())],
        message: None,
        handled_errors: false,
        ignore_nodes: Vec::new(),
        ending: None,
        chain: None,
        dir: "/report".to_owned(),
        creator: "bench".to_owned(),
        gave_tokens: false,
        earlier: Vec::new(),
        clean_up: Default::default(),
        hold: None,
        marks: Vec::new(),
        asked_by: None,
        pinned: None,
        parent: None,
        landing: None,
        interventions: Vec::new(),
    }
}

fn node(owner: InstanceId, number: u64, state: NodeState) -> NodeRow {
    let now = Timestamp::from_millis(1_790_000_000_000);
    NodeRow {
        instance: owner,
        node: format!("action-{number}").into(),
        run: 1,
        type_name: "script".into(),
        state,
        attempts: 1,
        failures: 0,
        losses: 0,
        ready_at: now,
        started_at: Some(now),
        ended_at: None,
        deadline: None,
        retry_at: None,
        message: state.is_terminal().then_some(Message::Succeeded),
        worker: Some(WorkerId("worker-1".into())),
        waits: Vec::new(),
        outputs: Vec::new(),
        child: None,
    }
}

fn attempt(owner: InstanceId, number: u64) -> AttemptRow {
    AttemptRow {
        key: AttemptKey {
            instance: owner,
            node: format!("action-{number}").into(),
            run: 1,
            attempt: 1,
        },
        state: AttemptState::Assigned,
        worker: WorkerId("worker-1".into()),
        incarnation: Incarnation(7),
        host: "host-1".into(),
        epoch: akkaflow_model::id::Epoch(1),
        assigned_at: Timestamp::from_millis(1_790_000_000_000),
        accepted_at: None,
        ended_at: None,
        cancel: None,
        message: None,
        exit_code: None,
        log_length: 0,
        figures: None,
    }
}
