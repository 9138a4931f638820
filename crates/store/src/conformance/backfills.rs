//! Backfills: their rows, how far they are, and which dates were good before.

use std::sync::Arc;

use akkaflow_model::backfill::{
    BackfillHold, BackfillRow, BackfillRunRow, BackfillState, RunState,
};
use akkaflow_model::record::{FireRow, FireState, InstanceRow, Record, TriggerKind};
use akkaflow_model::state::InstanceState;

use crate::conformance::Leader;
use crate::conformance::samples::{NASTY, at, backfill, backfill_run, fire, hold, id, instance};
use crate::contract::Store;

/// Rows come back as they were written, newest first; runs in order; counts by state; successes by fire time.
pub async fn backfills_and_what_they_ask_of_the_past(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    let ended = BackfillRow {
        reason: NASTY.to_owned(),
        state: BackfillState::Aborted,
        hold: Some(BackfillHold::Failure {
            position: u32::MAX,
            since: at(i64::MIN),
        }),
        abort: Some(hold(NASTY)),
        ended_at: Some(at(90)),
        ..backfill(1)
    };
    let failed = BackfillRunRow {
        state: RunState::Failed,
        instance: Some(id(5)),
        day: i32::MAX,
        ..backfill_run(1, 2)
    };
    let mut records: Vec<Record> = (0..300)
        .filter(|position| *position != 2)
        .map(|position| Record::BackfillRun(backfill_run(1, position)))
        .collect();
    records.extend([
        Record::BackfillRun(failed.clone()),
        Record::Backfill(ended.clone()),
        Record::Backfill(backfill(2)),
        Record::BackfillRun(backfill_run(2, 0)),
    ]);
    leader.commit(records).await;
    assert_eq!(
        store.backfills(10).await.unwrap(),
        [backfill(2), ended.clone()]
    );
    assert_eq!(store.backfills(1).await.unwrap(), [backfill(2)]);
    assert_eq!(store.backfill(id(1)).await.unwrap(), Some(ended));
    assert_eq!(store.backfill(id(3)).await.unwrap(), None);
    let runs = store.backfill_runs(id(1)).await.unwrap();
    assert_eq!((runs.len(), &runs[2]), (300, &failed));
    assert!(runs.is_sorted_by_key(|run| run.position));
    let counts = store.backfill_counts(&[id(1), id(2), id(3)]).await.unwrap();
    let expected = [
        ((id(1), RunState::Waiting), 299),
        ((id(1), RunState::Failed), 1),
        ((id(2), RunState::Waiting), 1),
    ];
    assert_eq!(counts, expected.into());
    assert!(store.backfill_counts(&[]).await.unwrap().is_empty());
    successes(&store, &mut leader).await;
}

async fn successes(store: &Arc<dyn Store>, leader: &mut Leader) {
    let mut records = Vec::new();
    let made = [
        (1, "w", 100, InstanceState::Succeeded),
        (2, "w", 100, InstanceState::Succeeded),
        (3, "w", 200, InstanceState::Failed),
        (4, "w", 250, InstanceState::Succeeded),
        (5, "w", 300, InstanceState::Succeeded),
        (6, "v", 200, InstanceState::Succeeded),
    ];
    for (number, workflow, due_at, state) in made {
        records.push(Record::instance(InstanceRow {
            state,
            fire_time: at(due_at),
            ..instance(id(number), workflow)
        }));
        records.push(Record::Fire(FireRow {
            kind: TriggerKind::Run,
            state: FireState::Fired,
            instance: Some(id(number)),
            ..fire(workflow, &number.to_string(), due_at)
        }));
    }
    records.push(Record::Fire(fire("w", "waiting", 210)));
    leader.commit(records).await;
    let found = store.succeeded("w", at(100), at(300)).await.unwrap();
    assert_eq!(found, [at(100), at(250)]);
}
