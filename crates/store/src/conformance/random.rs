//! Random batches: whatever the records, a database ends where the twin ends.

use std::sync::Arc;

use akkaflow_model::backfill::{BackfillHold, RunState};
use akkaflow_model::mail::{DeliveryState, MailKey};
use akkaflow_model::record::{ClusterRow, FireState, Record, TriggerKind, WorkflowStatus};
use akkaflow_model::state::{AttemptState, InstanceState, NodeState};

use crate::conformance::Leader;
use crate::conformance::samples::{
    at, attempt, backfill, backfill_run, chain, delivery, fire, hold, id, instance, landing, mail,
    mark, node, pool, problem, request, schedule, token, version, workflow,
};
use crate::contract::Store;
use crate::memory::MemoryStore;
use crate::query::{InstanceQuery, MailQuery};

/// Batches of one history, and histories' bound on records a batch.
const BATCHES: u64 = 60;
const MOST_RECORDS: u64 = 80;

/// SplitMix64: enough chance for a test, and the same everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    fn perhaps<T>(&mut self, value: T) -> Option<T> {
        (self.below(2) == 0).then_some(value)
    }
}

/// Applies the same random batches to `store` and to the twin and compares what they answer. `AKKAFLOW_SEED` repeats a
/// history.
pub async fn random_batches_give_the_snapshots_of_the_twin(store: Arc<dyn Store>) {
    let seed = std::env::var("AKKAFLOW_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| uuid::Uuid::new_v4().as_u128() as u64);
    // Shown by the test runner when an assertion below fails.
    #[expect(clippy::print_stdout, reason = "a test's seed")]
    {
        println!("AKKAFLOW_SEED={seed}");
    }
    let mut chance = Chance(seed);
    let twin: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let mut leader = Leader::new(&store).await;
    Leader::new(&twin).await;
    let mut run = 1;
    for round in 0..BATCHES {
        let records = (0..chance.below(MOST_RECORDS))
            .map(|_| {
                // A rerun counts upwards, never back; it may fall into the middle of a batch.
                run += u32::from(chance.below(300) == 0);
                record(&mut chance, run)
            })
            .collect();
        let batch = leader.batch(records);
        store.commit(&batch).await.unwrap();
        twin.commit(&batch).await.unwrap();
        if round % 10 == 9 {
            same(&store, &twin, seed).await;
        }
    }
}

async fn same(store: &Arc<dyn Store>, twin: &Arc<dyn Store>, seed: u64) {
    let now = at(8 * 24 * 3600 * 1000);
    assert_eq!(
        store.snapshot(now).await.unwrap(),
        twin.snapshot(now).await.unwrap(),
        "seed {seed}"
    );
    let query = InstanceQuery::default();
    let instances = twin.instances(&query).await.unwrap();
    assert_eq!(
        store.instances(&query).await.unwrap(),
        instances,
        "seed {seed}"
    );
    assert_eq!(
        store.daily_counts(at(0), 3600).await.unwrap(),
        twin.daily_counts(at(0), 3600).await.unwrap(),
        "seed {seed}"
    );
    let mails = MailQuery::default();
    assert_eq!(
        store.mails(&mails).await.unwrap(),
        twin.mails(&mails).await.unwrap(),
        "seed {seed}"
    );
    for row in instances {
        assert_eq!(
            store.nodes(row.id).await.unwrap(),
            twin.nodes(row.id).await.unwrap(),
            "seed {seed}"
        );
        assert_eq!(
            store.attempts(row.id).await.unwrap(),
            twin.attempts(row.id).await.unwrap(),
            "seed {seed}"
        );
    }
}

fn record(chance: &mut Chance, run: u32) -> Record {
    let number = chance.below(8);
    let owner = id(number.into());
    let name = format!("名{number}");
    let moment = at(chance.below(20 * 24 * 3600 * 1000) as i64);
    match chance.below(16) {
        0 => {
            let mut row = workflow(&name, &format!("v{}", chance.below(5)));
            row.status = chance.one(&[
                WorkflowStatus::Live,
                WorkflowStatus::FileGone,
                WorkflowStatus::Deleted,
            ]);
            row.hold = chance.perhaps(hold("z"));
            Record::Workflow(row)
        }
        1 => Record::Version(version(&format!("v{}", chance.below(5)))),
        2 => {
            let mut row = schedule(&name);
            row.fired_through = moment;
            Record::Schedule(row)
        }
        3 => {
            let mut row = fire(&name, &chance.below(3).to_string(), moment.as_millis());
            row.kind = chance.one(&[TriggerKind::Cron, TriggerKind::Dependency]);
            row.state = chance.one(&[FireState::Waiting, FireState::Fired]);
            row.instance = chance.perhaps(owner);
            Record::Fire(row)
        }
        4 => {
            let dependant = format!("名{}", chance.below(3));
            let mut row = token(owner, &dependant, moment.as_millis());
            row.consumed_by = chance.perhaps(id(3));
            Record::Token(row)
        }
        5..=7 => {
            let mut row = instance(owner, &name);
            row.version.0 = format!("v{}", chance.below(5));
            row.run = run;
            row.state = chance.one(InstanceState::ALL);
            row.created_at = moment;
            row.ended_at = chance.perhaps(moment);
            row.hold = chance.perhaps(hold("y"));
            row.marks.extend(chance.perhaps(mark("n1")));
            row.asked_by = chance.perhaps("王".to_owned());
            row.landing = chance.perhaps(Box::new(landing("n1")));
            Record::instance(row)
        }
        8..=10 => {
            let mut row = node(owner, &format!("n{}", chance.below(6)));
            row.run = run;
            row.state = chance.one(NodeState::ALL);
            row.ready_at = at(chance.below(3) as i64);
            row.deadline = chance.perhaps(moment);
            Record::node(row)
        }
        11..=12 => {
            let mut row = attempt(owner, &format!("n{}", chance.below(6)), run, 1);
            row.state = chance.one(AttemptState::ALL);
            row.assigned_at = at(chance.below(3) as i64);
            row.exit_code = chance.perhaps(number as i32);
            Record::attempt(row)
        }
        13 => match chance.below(3) {
            0 => Record::DeleteInstance { id: owner },
            1 => Record::ExpireInstance { id: owner },
            _ => Record::ForgetFires {
                workflow: name,
                before: moment,
            },
        },
        14 => {
            let remaining: &[&str] = if chance.below(2) == 0 { &[] } else { &["x"] };
            Record::Chain(chain(owner, remaining))
        }
        _ => match chance.below(9) {
            7 => Record::Mail(Box::new(mail(MailKey::ended(owner, 1), number as i64))),
            8 => {
                let mut row = delivery(MailKey::ended(owner, 1), number as i64);
                row.state = chance.one(DeliveryState::ALL);
                Record::Delivery(Box::new(row))
            }
            5 => {
                let mut row = backfill(number.into());
                row.ended_at = chance.perhaps(moment);
                row.hold = chance.perhaps(BackfillHold::Person(hold("w")));
                Record::Backfill(row)
            }
            6 => {
                let mut row = backfill_run(number.into(), chance.below(5) as u32);
                row.state = chance.one(RunState::ALL);
                row.instance = chance.perhaps(owner);
                Record::BackfillRun(row)
            }
            3 => Record::Cluster(ClusterRow {
                frozen: chance.perhaps(hold("x")),
            }),
            4 => Record::Pool(pool(&name, chance.perhaps(number as u32))),
            0 => Record::Request(request(&name, moment.as_millis())),
            1 => Record::FileProblem(problem(&name)),
            _ => Record::ClearFileProblem { path: name },
        },
    }
}
