//! A snapshot holds what is open, nothing else, in a fixed order.

use std::sync::Arc;

use akkaflow_model::backfill::BackfillRow;
use akkaflow_model::record::{
    ClusterRow, FireRow, FireState, InstanceRow, NodeRow, Record, Snapshot, TokenRow, WorkflowRow,
    WorkflowStatus,
};
use akkaflow_model::state::{AttemptState, InstanceState};

use crate::conformance::Leader;
use crate::conformance::samples::{
    at, attempt, backfill, backfill_run, calendar, chain, fire, hold, id, instance, node, pool,
    problem, request, schedule, state, token, version, workflow,
};
use crate::contract::Store;

const WEEK: i64 = 7 * 24 * 3600 * 1000;

/// Open and closed things of every kind side by side.
pub async fn a_snapshot_holds_what_is_open(store: Arc<dyn Store>) {
    let empty = store.snapshot(at(0)).await.unwrap();
    assert_eq!(empty, Snapshot::default());
    let mut leader = Leader::new(&store).await;
    let deleted = WorkflowRow {
        status: WorkflowStatus::Deleted,
        ..workflow("z", "deleted")
    };
    let looked_at = TokenRow {
        consumed_by: Some(id(1)),
        ..token(id(4), "w", 3)
    };
    let mut pinned = instance(id(1), "w");
    pinned.version.0 = "pinned".to_owned();
    pinned.run = 2;
    let ended = InstanceRow {
        state: InstanceState::Succeeded,
        ..instance(id(2), "w")
    };
    let current = NodeRow {
        run: 2,
        ..node(id(1), "b")
    };
    let mut ended_attempt = attempt(id(1), "b", 2, 1);
    ended_attempt.state = AttemptState::Failed;
    let mut orphan = attempt(id(2), "a", 1, 1);
    orphan.state = AttemptState::Running;
    leader
        .commit(
            ["deleted", "live", "pinned", "old"]
                .map(|name| Record::Version(version(name)))
                .into(),
        )
        .await;
    leader
        .commit(vec![
            Record::Workflow(deleted.clone()),
            Record::Workflow(workflow("w", "live")),
            Record::Schedule(schedule("w")),
            Record::Fire(fire("w", "1", 10)),
            Record::Fire(FireRow {
                state: FireState::Skipped,
                ..fire("w", "2", 20)
            }),
            Record::Token(token(id(2), "w", 1)),
            Record::Token(TokenRow {
                consumed_by: Some(id(1)),
                is_held: false,
                ..token(id(3), "w", 2)
            }),
            Record::Token(looked_at.clone()),
            Record::Calendar(calendar("b")),
            Record::Calendar(calendar("a")),
            Record::instance(ended),
            Record::instance(pinned.clone()),
            Record::node(node(id(1), "a")),
            Record::node(current.clone()),
            Record::node(node(id(2), "a")),
            Record::attempt(ended_attempt),
            Record::attempt(orphan.clone()),
            Record::Chain(chain(id(4), &[])),
            Record::Chain(chain(id(5), &["x"])),
            Record::Request(request("old", WEEK - 1)),
            Record::Request(request("new", WEEK)),
            Record::FileProblem(problem("/p")),
            Record::Cluster(ClusterRow {
                frozen: Some(hold("x")),
            }),
            Record::Pool(pool("b", Some(0))),
            Record::Pool(pool("a", Some(u32::MAX))),
            Record::Pool(pool("gone", Some(1))),
            Record::Pool(pool("gone", None)),
            Record::BackfillRun(backfill_run(2, 10)),
            Record::BackfillRun(backfill_run(2, 9)),
            Record::BackfillRun(backfill_run(1, 0)),
            Record::Backfill(backfill(2)),
            Record::Backfill(BackfillRow {
                ended_at: Some(at(9)),
                ..backfill(1)
            }),
            Record::State(state("w", "last")),
        ])
        .await;
    let expected = Snapshot {
        workflows: vec![workflow("w", "live"), deleted],
        versions: vec![version("live"), version("pinned")],
        schedules: vec![schedule("w")],
        fires: vec![fire("w", "1", 10)],
        tokens: vec![token(id(2), "w", 1), looked_at],
        instances: vec![pinned],
        nodes: vec![current],
        attempts: vec![orphan],
        chains: vec![chain(id(5), &["x"])],
        requests: vec![request("new", WEEK)],
        file_problems: vec![problem("/p")],
        calendars: vec![calendar("a"), calendar("b")],
        cluster: ClusterRow {
            frozen: Some(hold("x")),
        },
        pools: vec![pool("a", Some(u32::MAX)), pool("b", Some(0))],
        backfills: vec![backfill(2)],
        backfill_runs: vec![backfill_run(2, 9), backfill_run(2, 10)],
        states: vec![state("w", "last")],
    };
    assert_eq!(store.snapshot(at(2 * WEEK)).await.unwrap(), expected);
}
