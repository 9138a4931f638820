//! What people ask for.

use std::sync::Arc;

use akkaflow_model::id::InstanceId;
use akkaflow_model::outcome::{Figures, Measured};
use akkaflow_model::record::{AttemptRow, InstanceRow, NodeRow, Record, TriggerKind};
use akkaflow_model::state::{AttemptState, InstanceState};

use crate::conformance::Leader;
use crate::conformance::samples::{at, attempt, fire, id, instance, node};
use crate::contract::Store;
use crate::query::InstanceQuery;

const DAY: i64 = 24 * 3600 * 1000;

fn made(number: u128, workflow: &str, creator: &str, state: InstanceState) -> InstanceRow {
    InstanceRow {
        created_at: at(number as i64 * 100),
        creator: creator.to_owned(),
        state,
        ended_at: state.is_terminal().then(|| at(number as i64 * DAY / 2)),
        ..instance(id(number), workflow)
    }
}

async fn some_instances(store: &Arc<dyn Store>) {
    let rows = [
        made(1, "Daily_报表", "赵", InstanceState::Succeeded),
        made(2, "daily_load", "钱", InstanceState::Failed),
        made(3, "weekly%", "赵", InstanceState::Running),
        made(4, "daily_load", "赵", InstanceState::Succeeded),
        made(5, "daily_load", "赵", InstanceState::Ready),
    ];
    let records = rows.map(Record::instance).into();
    Leader::new(store).await.commit(records).await;
}

async fn found(store: &Arc<dyn Store>, query: InstanceQuery) -> Vec<i64> {
    let rows = store.instances(&query).await.unwrap();
    rows.iter()
        .map(|row| row.created_at.as_millis() / 100)
        .collect()
}

/// Each filter, filters together, order and bound.
pub async fn listings_obey_all_filters(store: Arc<dyn Store>) {
    some_instances(&store).await;
    let all = InstanceQuery::default();
    let key = |key: &str| InstanceQuery {
        key: Some(key.to_owned()),
        ..InstanceQuery::default()
    };
    assert_eq!(found(&store, all.clone()).await, [5, 4, 3, 2, 1]);
    let query = InstanceQuery {
        limit: 2,
        ..all.clone()
    };
    assert_eq!(found(&store, query).await, [5, 4]);
    let query = InstanceQuery {
        states: vec![InstanceState::Succeeded, InstanceState::Ready],
        ..all.clone()
    };
    assert_eq!(found(&store, query).await, [5, 4, 1]);
    let query = InstanceQuery {
        workflow: Some("daily_load".to_owned()),
        creator: Some("赵".to_owned()),
        ..all.clone()
    };
    assert_eq!(found(&store, query).await, [5, 4]);
    let query = InstanceQuery {
        from: Some(at(200)),
        to: Some(at(400)),
        ..all
    };
    assert_eq!(found(&store, query).await, [3, 2]);
    assert_eq!(found(&store, key("DAILY_")).await, [5, 4, 2, 1]);
    assert_eq!(found(&store, key("报")).await, [1]);
    assert_eq!(found(&store, key("%")).await, [3]);
    assert_eq!(found(&store, key("")).await, [5, 4, 3, 2, 1]);
    assert_eq!(found(&store, key(&id(2).to_string())).await, [2]);
    assert_eq!(
        found(&store, key("'; drop table af_instance")).await,
        [0; 0]
    );
}

/// Suffix, middle with hyphens, capitals, the whole.
pub async fn ids_are_found_by_any_part(store: Arc<dyn Store>) {
    some_instances(&store).await;
    let ids = async |part: &str, limit| store.instance_ids(part, limit).await.unwrap();
    let whole = id(3).to_string();
    assert_eq!(ids(&whole, 5).await, [id(3)]);
    assert_eq!(ids(&whole.to_uppercase(), 5).await, [id(3)]);
    assert_eq!(ids(&id(3).short(), 5).await, [id(3)]);
    assert_eq!(ids(&whole[4..10], 9).await.len(), 5);
    assert_eq!(ids("", 9).await, [5, 4, 3, 2, 1].map(id));
    assert_eq!(ids("", 2).await.len(), 2);
    assert_eq!(ids("daily", 9).await, [] as [InstanceId; 0]);
    assert_eq!(ids("%", 9).await, [] as [InstanceId; 0]);
}

/// Ends by local day, from a moment on, terminal states only.
pub async fn daily_counts_follow_the_offset(store: Arc<dyn Store>) {
    some_instances(&store).await;
    let counts = store.daily_counts(at(0), 0).await.unwrap();
    let expected = [
        ("1970-01-01", InstanceState::Succeeded, 1),
        ("1970-01-02", InstanceState::Failed, 1),
        ("1970-01-03", InstanceState::Succeeded, 1),
    ];
    assert_eq!(
        counts,
        expected.map(|(day, state, n)| (day.to_owned(), state, n))
    );
    let east = store.daily_counts(at(0), 12 * 3600).await.unwrap();
    assert_eq!(east[0].0, "1970-01-02");
    let west = store.daily_counts(at(0), -1).await.unwrap();
    assert_eq!(west[1].0, "1970-01-01");
    let later = store.daily_counts(at(DAY + 1), 0).await.unwrap();
    assert_eq!(later.len(), 1);
}

/// Newest due first, at most so many.
pub async fn fires_come_newest_first(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    let mut manual = fire("w", "m", 30);
    manual.kind = TriggerKind::Run;
    leader
        .commit(vec![
            Record::Fire(fire("w", "1", 10)),
            Record::Fire(manual),
            Record::Fire(fire("w", "3", 30)),
            Record::Fire(fire("w", "2", 20)),
            Record::Fire(fire("other", "9", 90)),
        ])
        .await;
    let keys = async |limit| -> Vec<String> {
        let fires = store.fires("w", limit).await.unwrap();
        fires.into_iter().map(|fire| fire.key).collect()
    };
    assert_eq!(keys(10).await, ["m", "3", "2", "1"]);
    assert_eq!(keys(2).await, ["m", "3"]);
}

/// Nodes by readiness, then by first writing; attempts by assignment, of all runs.
pub async fn attempts_and_nodes_come_in_order(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    let owner = id(1);
    let names = ["z", "a", "m"];
    let mut records = vec![Record::instance(instance(owner, "w"))];
    records.extend(names.map(|name| Record::node(node(owner, name))));
    records.extend(names.map(|name| Record::attempt(attempt(owner, name, 1, 1))));
    let mut early = node(owner, "start");
    early.ready_at = at(1);
    records.push(Record::node(early));
    leader.commit(records).await;
    // Written again, in another order and batch: the places stay.
    let again = ["m", "z"].map(|name| Record::node(node(owner, name)));
    leader.commit(again.into()).await;
    let nodes = store.nodes(owner).await.unwrap();
    let order: Vec<&str> = nodes.iter().map(|row| row.node.as_str()).collect();
    assert_eq!(order, ["start", "z", "a", "m"]);
    let attempts = store.attempts(owner).await.unwrap();
    let order: Vec<&str> = attempts.iter().map(|row| row.key.node.as_str()).collect();
    assert_eq!(order, names);

    // A new run: older rows are history, and the order starts anew.
    let mut rerun = instance(owner, "w");
    rerun.run = 2;
    let mut records = vec![Record::instance(rerun)];
    records.extend(["m", "z"].map(|name| {
        let mut row = node(owner, name);
        row.run = 2;
        Record::node(row)
    }));
    leader.commit(records).await;
    let nodes = store.nodes(owner).await.unwrap();
    let order: Vec<&str> = nodes.iter().map(|row| row.node.as_str()).collect();
    assert_eq!(order, ["m", "z"]);
    assert_eq!(store.attempts(owner).await.unwrap().len(), 3);
}

/// Of the newest ended instances only, whatever became of them, and of attempts that succeeded.
pub async fn successes_are_of_the_newest_ended_instances(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    let took = |number: u128, name: &str, run: u32, state: AttemptState| {
        let from = at(number as i64 * 1000);
        Record::attempt(AttemptRow {
            state,
            assigned_at: from,
            ended_at: state.is_terminal().then(|| at(number as i64 * 1001)),
            ..attempt(id(number), name, run, 1)
        })
    };
    let states = [
        InstanceState::Succeeded,
        InstanceState::Failed,
        InstanceState::Running,
        InstanceState::Succeeded,
    ];
    let mut records = Vec::new();
    for (number, state) in (1..).zip(states) {
        records.push(Record::instance(made(number, "w", "", state)));
        records.push(took(number, "b", 1, AttemptState::Succeeded));
        records.push(took(number, "a", 1, AttemptState::Failed));
        records.push(took(number, "a", 2, AttemptState::Succeeded));
        records.push(took(number, "c", 1, AttemptState::Running));
    }
    records.push(Record::instance(made(
        9,
        "other",
        "",
        InstanceState::Failed,
    )));
    records.push(took(9, "a", 1, AttemptState::Succeeded));
    // The row of a node tells only of its last run.
    records.push(Record::node(NodeRow {
        run: 2,
        started_at: Some(at(7)),
        ..node(id(4), "a")
    }));
    records.push(Record::node(NodeRow {
        run: 2,
        ..node(id(4), "b")
    }));
    leader.commit(records).await;
    let newest = store.successes("w", 1).await.unwrap();
    let since: Vec<_> = newest.iter().map(|it| it.since).collect();
    assert_eq!(since, [Some(at(7)), None]);
    let found = async |instances| -> Vec<(String, i64, i64)> {
        let found = store.successes("w", instances).await.unwrap();
        let found = found.into_iter();
        found
            .map(|it| (it.node, it.from.as_millis(), it.to.as_millis()))
            .collect()
    };
    let both = |number: i64| ["a", "b"].map(|node| (node.to_owned(), number * 1000, number * 1001));
    assert_eq!(found(2).await, [both(4), both(2)].concat());
    assert_eq!(found(9).await, [both(4), both(2), both(1)].concat());
    assert_eq!(found(0).await, []);
}

/// What monitors have seen is listed newest first, of one node or of all.
pub async fn measurements_are_of_one_workflow_newest_first(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    let seen = |number: u128, name: &str, value: Option<&str>| {
        let measured = value.map(|value| Measured {
            value: value.to_owned(),
            min: Some("1".to_owned()),
            max: None,
        });
        Record::attempt(AttemptRow {
            state: AttemptState::Failed,
            ended_at: Some(at(number as i64)),
            figures: Some(Box::new(Figures {
                cpu_millis: Some(3),
                measured,
                ..Figures::default()
            })),
            ..attempt(id(number), name, 1, 1)
        })
    };
    let mut records = Vec::new();
    for (number, workflow) in [(1, "w"), (2, "w"), (3, "other")] {
        records.push(Record::instance(made(
            number,
            workflow,
            "",
            InstanceState::Failed,
        )));
        records.push(seen(number, "a", Some("7")));
        records.push(seen(number, "b", Some("8.5")));
        records.push(seen(number, "c", None));
    }
    leader.commit(records).await;
    let found = async |node: Option<&str>, limit| -> Vec<String> {
        let found = store.measurements("w", node, limit).await.unwrap();
        let told = found.iter().map(|it| {
            let (node, at, value) = (&it.key.node, it.at.as_millis(), &it.measured.value);
            assert_eq!((it.state, &it.measured.max), (AttemptState::Failed, &None));
            format!("{node}@{at}={value}")
        });
        told.collect()
    };
    assert_eq!(
        found(None, 9).await,
        ["b@2=8.5", "a@2=7", "b@1=8.5", "a@1=7"]
    );
    assert_eq!(found(Some("a"), 1).await, ["a@2=7"]);
    assert_eq!(found(Some("c"), 9).await, Vec::<String>::new());
}
