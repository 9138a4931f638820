//! What is kept, and what goes.

use std::sync::Arc;

use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{FireState, InstanceRow, Record};
use akkaflow_model::state::InstanceState;

use super::samples::{at, attempt, chain, fire, id, instance, node, request, token};
use super::{Leader, candidate, output};
use crate::batch::CommitError;
use crate::contract::Store;
use crate::trim::{Trim, Trimmed};

const DAY: i64 = 24 * 3600 * 1000;

/// An instance of `workflow` that was made on a day and ended a day later; `None` is open.
fn of_day(number: u128, workflow: &str, day: i64, state: Option<InstanceState>) -> InstanceRow {
    let mut row = instance(id(number), workflow);
    row.created_at = at(day * DAY);
    row.state = state.unwrap_or(InstanceState::Running);
    row.ended_at = state.map(|_| at((day + 1) * DAY));
    row
}

async fn expired(store: &Arc<dyn Store>, day: i64, keep: u32, limit: u32) -> Vec<InstanceId> {
    let before = at(day * DAY);
    store.expired("a", before, keep, limit).await.unwrap()
}

/// Old ones go, oldest first; open ones and the newest stay.
pub async fn the_newest_instances_and_open_ones_do_not_expire(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    assert_eq!(store.workflow_with_instances("").await.unwrap(), None);
    let ended = [
        Some(InstanceState::Succeeded),
        Some(InstanceState::Failed),
        Some(InstanceState::Killed),
        None,
        Some(InstanceState::Succeeded),
        Some(InstanceState::Succeeded),
    ];
    let of_a = (1..).zip(ended);
    let records = of_a
        .map(|(day, state)| Record::instance(of_day(day as u128, "a", day, state)))
        .chain([Record::instance(of_day(
            9,
            "b",
            0,
            Some(InstanceState::Failed),
        ))]);
    leader.commit(records.collect()).await;

    assert_eq!(expired(&store, 100, 1, 10).await, [1, 2, 3, 5].map(id));
    assert_eq!(expired(&store, 100, 1, 2).await, [1, 2].map(id));
    assert_eq!(expired(&store, 100, 3, 10).await, [1, 2, 3].map(id));
    assert_eq!(expired(&store, 100, 6, 10).await, []);
    assert_eq!(expired(&store, 100, 100, 10).await, []);
    // The second one ended on day 3: not before it.
    assert_eq!(expired(&store, 3, 1, 10).await, [1].map(id));
    assert_eq!(
        expired(&store, 100, 0, 10).await,
        [1, 2, 3, 5, 6].map(id),
        "0 keeps none"
    );

    let next = async |after| store.workflow_with_instances(after).await.unwrap();
    assert_eq!(next("").await.as_deref(), Some("a"));
    assert_eq!(next("a").await.as_deref(), Some("b"));
    assert_eq!(next("b").await, None);
}

/// Nodes, attempts, output, used tokens and a chain that is over go with their instance.
pub async fn expired_instances_leave_nothing_but_waiting_tokens(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    for number in 1..=2 {
        let owner = id(number);
        let mut used = token(owner, "used", 1);
        used.consumed_by = Some(id(77));
        used.is_held = false;
        leader
            .commit(vec![
                Record::instance(of_day(number, "a", 1, Some(InstanceState::Succeeded))),
                Record::node(node(owner, "n")),
                Record::attempt(attempt(owner, "n", 1, 1)),
                Record::Token(used),
                Record::Token(token(owner, "waiting", 2)),
                Record::Chain(chain(owner, if number == 1 { &[] } else { &["more"] })),
            ])
            .await;
        let chunks: Vec<_> = (0..5)
            .map(|offset| output::chunk(owner, offset, b"x"))
            .collect();
        store.append_log(&chunks).await.unwrap();
    }
    leader
        .commit(vec![Record::ExpireInstance { id: id(1) }])
        .await;
    let mut total = Trimmed::default();
    let trim = Trim {
        journal_before: at(0),
        requests_before: at(0),
        mails_before: at(i64::MIN),
        limit: 2,
    };
    loop {
        let trimmed = store.trim(trim).await.unwrap();
        assert!(trimmed.output <= 2, "in small parts: {trimmed:?}");
        if trimmed.is_nothing() {
            break;
        }
        total += trimmed;
    }
    assert_eq!((total.journal, total.requests), (0, 0));
    assert_eq!(store.instance(id(1)).await.unwrap(), None);
    assert_eq!(store.nodes(id(1)).await.unwrap(), []);
    assert_eq!(store.attempts(id(1)).await.unwrap(), []);
    assert_eq!(store.read_log(id(1), 0, 10).await.unwrap(), []);
    assert_eq!(store.nodes(id(2)).await.unwrap().len(), 1);
    assert_eq!(store.attempts(id(2)).await.unwrap().len(), 1);
    assert_eq!(store.read_log(id(2), 0, 10).await.unwrap().len(), 5);
    assert_eq!(store.waiting_tokens("waiting").await.unwrap().len(), 2);
    assert_eq!(store.snapshot(at(0)).await.unwrap().chains.len(), 1);
    // Twice does no harm: a batch may be committed again.
    leader
        .commit(vec![Record::ExpireInstance { id: id(1) }])
        .await;
    assert_eq!(store.nodes(id(2)).await.unwrap().len(), 1);
}

/// A fire goes when it is old, waits for nothing and has no instance any more.
pub async fn old_fires_go_but_waiting_ones_and_those_of_instances(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    let decided = |key: &str, due: i64, owner: Option<u128>| {
        let mut row = fire("a", key, due);
        row.state = match owner {
            Some(_) => FireState::Fired,
            None => FireState::Skipped,
        };
        row.instance = owner.map(id);
        Record::Fire(row)
    };
    let mut elsewhere = fire("b", "1", 1);
    elsewhere.state = FireState::Coalesced;
    leader
        .commit(vec![
            Record::instance(of_day(1, "a", 1, Some(InstanceState::Succeeded))),
            decided("kept", 10, Some(1)),
            decided("gone", 20, Some(2)),
            decided("skipped", 30, None),
            Record::Fire(fire("a", "waiting", 40)),
            decided("young", 50, None),
            Record::Fire(elsewhere),
        ])
        .await;
    let reach = async |before, limit| {
        store
            .forgettable_fires("a", at(before), limit)
            .await
            .unwrap()
    };
    assert_eq!(reach(20, 10).await, None);
    assert_eq!(reach(45, 1).await, Some(at(21)));
    assert_eq!(reach(45, 10).await, Some(at(31)));
    leader
        .commit(vec![Record::ForgetFires {
            workflow: "a".to_owned(),
            before: at(45),
        }])
        .await;
    let left = store.fires("a", 10).await.unwrap();
    let left: Vec<&str> = left.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(left, ["young", "waiting", "kept"]);
    assert_eq!(store.fires("b", 10).await.unwrap().len(), 1);
    assert_eq!(reach(45, 10).await, None);
}

/// What was journaled comes back by position, and by the time of its writing.
pub async fn the_journal_is_read_back(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    let start = leader.seq;
    for _ in 0..3 {
        leader.commit(Vec::new()).await;
    }
    let seqs = |rows: Vec<crate::batch::JournalRow>| rows.into_iter().map(|row| row.seq);
    let all = store.journal(0, 10).await.unwrap();
    assert_eq!(all[0].body, b"[{\"input\":\"tick\"}]");
    assert_eq!(all[0].epoch, leader.epoch);
    assert!(seqs(all).eq(start + 1..=start + 3), "no EPOCH_START");
    assert!(seqs(store.journal(start + 1, 1).await.unwrap()).eq([start + 2]));
    let far = at(i64::from(i32::MAX) * 1000);
    assert_eq!(store.journal_at(far).await.unwrap(), leader.seq);
    assert_eq!(store.journal_at(at(1)).await.unwrap(), 0);
}

/// However much of the journal is trimmed, nobody whose epoch is over finds a free position.
pub async fn old_entries_go_but_the_fence_holds(store: Arc<dyn Store>) {
    let mut old = Leader::new(&store).await;
    for number in 0..5 {
        old.commit(vec![Record::Request(request(
            &format!("key{number}"),
            number,
        ))])
        .await;
    }
    let everything = Trim {
        journal_before: at(i64::from(i32::MAX) * 1000),
        requests_before: at(2),
        mails_before: at(i64::MIN),
        limit: 3,
    };
    let mut total = Trimmed::default();
    loop {
        let trimmed = store.trim(everything).await.unwrap();
        if trimmed.is_nothing() {
            break;
        }
        total += trimmed;
    }
    assert_eq!((total.journal, total.requests), (4, 2));
    let start = old.seq - 5;
    assert!(
        store.batch_at(start).await.unwrap().is_some(),
        "EPOCH_START stays"
    );
    assert_eq!(store.batch_at(start + 1).await.unwrap(), None);
    assert!(
        store.batch_at(old.seq).await.unwrap().is_some(),
        "the newest stays"
    );
    assert_eq!(store.snapshot(at(0)).await.unwrap().requests.len(), 3);

    let seen = store.lease().await.unwrap();
    let taken = store.take_over(seen.as_ref(), &candidate(2)).await.unwrap();
    assert_eq!(taken.map(|taken| taken.seq), Some(old.seq + 1));
    while !store.trim(everything).await.unwrap().is_nothing() {}
    let stale = old.batch(Vec::new());
    let outcome = store.commit(&stale).await;
    assert!(
        matches!(outcome, Err(CommitError::Fenced)),
        "the old leader is fenced: {outcome:?}"
    );
}
