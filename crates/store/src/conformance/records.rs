//! Rows come back as they were written.

use std::sync::Arc;

use akkaflow_model::record::{
    CalendarRow, CleanUp, EarlierRun, FireRow, FireState, InstanceRow, NodeRow, ParentNode,
    PinnedState, Record, SkipReason, StateRow, TokenRow, TriggerKind, WaitTold, WorkflowRow,
    WorkflowStatus,
};
use akkaflow_model::state::{InstanceState, NodeState};

use crate::conformance::samples::{
    NAME, NASTY, at, attempt, calendar, chain, fire, full_attempt, id, instance, landing, node,
    problem, request, said, schedule, state, token, version, workflow,
};
use crate::conformance::{Leader, output};
use crate::contract::Store;
use crate::trim::Trim;

/// Characters of a text that no short column holds.
const HUGE: usize = 5 << 20;

/// Every kind of record, with full and with empty columns, extremes and huge texts.
pub async fn records_of_every_kind_round_trip(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    definitions(&store, &mut leader).await;
    schedules(&store, &mut leader).await;
    instances(&store, &mut leader).await;
    nodes(&store, &mut leader).await;
    open_things(&store, &mut leader).await;
    states(&store, &mut leader).await;
}

async fn definitions(store: &Arc<dyn Store>, leader: &mut Leader) {
    let plain = workflow(NAME, "v1");
    let full = WorkflowRow {
        status: WorkflowStatus::FileGone,
        desc: Some(NASTY.to_owned()),
        file_path: None,
        dir: String::new(),
        ..workflow("b", "v2")
    };
    let deleted = WorkflowRow {
        status: WorkflowStatus::Deleted,
        ..workflow("c", "v2")
    };
    let mut huge = version("v2");
    huge.xml = "汉".repeat(HUGE / 3);
    leader
        .commit(vec![
            Record::Version(version("v1")),
            Record::Version(huge.clone()),
            Record::Workflow(plain.clone()),
            Record::Workflow(deleted.clone()),
            Record::Workflow(full.clone()),
        ])
        .await;
    assert_eq!(store.version("v1").await.unwrap(), Some(version("v1")));
    assert_eq!(store.version("v2").await.unwrap(), Some(huge));
    assert_eq!(store.version("v3").await.unwrap(), None);
    assert_eq!(store.workflow("c").await.unwrap(), Some(deleted));
    assert_eq!(store.workflow("C").await.unwrap(), None);
    assert_eq!(store.workflows().await.unwrap(), [full, plain]);
}

async fn schedules(store: &Arc<dyn Store>, leader: &mut Leader) {
    let fired = FireRow {
        kind: TriggerKind::Blood,
        generation: 0,
        state: FireState::Fired,
        instance: Some(id(3)),
        through: Some(at(i64::MAX)),
        reason: Some(SkipReason::Reset),
        ..fire(NAME, NASTY, i64::MIN)
    };
    let gone = CalendarRow {
        is_file_gone: true,
        ..calendar(NAME)
    };
    let consumed = TokenRow {
        consumed_by: Some(id(4)),
        business_day: i32::MAX,
        is_held: false,
        ..token(id(5), NAME, 9)
    };
    leader
        .commit(vec![
            Record::Schedule(schedule(NAME)),
            Record::Fire(fired.clone()),
            Record::Token(consumed),
            Record::Token(token(id(6), NAME, 9)),
            Record::Calendar(calendar("other")),
            Record::Calendar(calendar(NAME)),
            Record::Calendar(gone.clone()),
        ])
        .await;
    assert_eq!(store.calendar(NAME).await.unwrap(), Some(gone));
    assert_eq!(store.calendar("?").await.unwrap(), None);
    assert_eq!(store.schedule(NAME).await.unwrap(), Some(schedule(NAME)));
    assert_eq!(store.schedule("?").await.unwrap(), None);
    assert_eq!(store.fires(NAME, 10).await.unwrap(), [fired]);
    assert_eq!(
        store.waiting_tokens(NAME).await.unwrap(),
        [token(id(6), NAME, 9)]
    );
}

async fn instances(store: &Arc<dyn Store>, leader: &mut Leader) {
    let plain = instance(id(1), NAME);
    let full = InstanceRow {
        run: u32::MAX,
        state: InstanceState::Killed,
        started_at: Some(at(-5)),
        ended_at: Some(at(i64::MAX)),
        params: vec![("p".to_owned(), "长".repeat(HUGE / 3))],
        message: Some(said(&NASTY.repeat(1000))),
        handled_errors: true,
        ignore_nodes: vec![NASTY.to_owned(), String::new()],
        ending: Some(InstanceState::Failed),
        chain: Some(id(1)),
        dir: NASTY.to_owned(),
        gave_tokens: true,
        earlier: vec![EarlierRun {
            run: 1,
            started_at: None,
            ended_at: Some(at(7)),
            state: InstanceState::Failed,
            message: Some(said(NASTY)),
        }],
        clean_up: CleanUp::Stopped,
        trigger: TriggerKind::SubWorkflow,
        pinned: Some(PinnedState {
            at: at(8),
            values: vec![(NASTY.to_owned(), NASTY.to_owned())],
        }),
        parent: Some(ParentNode {
            instance: id(1),
            node: NASTY.to_owned(),
            run: u32::MAX,
            waits: true,
            depth: 3,
        }),
        landing: Some(Box::new(landing(NASTY))),
        ..instance(id(2), NAME)
    };
    leader
        .commit(vec![
            Record::instance(plain.clone()),
            Record::instance(full.clone()),
        ])
        .await;
    assert_eq!(store.instance(plain.id).await.unwrap(), Some(plain));
    assert_eq!(store.instance(full.id).await.unwrap(), Some(full));
    assert_eq!(store.instance(id(99)).await.unwrap(), None);
}

async fn nodes(store: &Arc<dyn Store>, leader: &mut Leader) {
    let owner = id(1);
    let full = NodeRow {
        state: NodeState::Killed,
        attempts: u32::MAX,
        failures: u32::MAX,
        losses: u32::MAX,
        started_at: None,
        ended_at: Some(at(3)),
        deadline: Some(at(i64::MAX)),
        retry_at: Some(at(4)),
        message: Some(said(NASTY)),
        worker: None,
        waits: vec![WaitTold {
            attempt: u32::MAX,
            at: at(5),
            is_warning: true,
            reason: said(NASTY),
        }],
        outputs: vec![(NASTY.to_owned(), NASTY.to_owned())],
        child: Some(id(7)),
        ..node(owner, NASTY)
    };
    leader
        .commit(vec![
            Record::node(node(owner, "a")),
            Record::node(full.clone()),
            Record::attempt(attempt(owner, NASTY, 1, 1)),
            Record::attempt(full_attempt(owner, NASTY)),
        ])
        .await;
    assert_eq!(store.nodes(owner).await.unwrap(), [node(owner, "a"), full]);
    assert_eq!(
        store.attempts(owner).await.unwrap(),
        [attempt(owner, NASTY, 1, 1), full_attempt(owner, NASTY)]
    );
}

async fn states(store: &Arc<dyn Store>, leader: &mut Leader) {
    let given = StateRow {
        instance: Some(id(5)),
        fire_time: Some(at(i64::MIN)),
        user: NASTY.to_owned(),
        ..state(NAME, "b")
    };
    leader
        .commit(vec![
            Record::State(state(NAME, "b")),
            Record::State(state(NAME, "a")),
            Record::State(state("other", "a")),
            Record::State(given.clone()),
        ])
        .await;
    assert_eq!(store.states(NAME).await.unwrap(), [state(NAME, "a"), given]);
    assert_eq!(store.states("?").await.unwrap(), []);
}

async fn open_things(store: &Arc<dyn Store>, leader: &mut Leader) {
    let long_path = format!("/{}", "很长的路径/".repeat(600));
    leader
        .commit(vec![
            Record::Chain(chain(id(8), &[NASTY, ""])),
            Record::Request(request(NASTY, 100)),
            Record::Request(request(&long_path, 101)),
            Record::FileProblem(problem(&long_path)),
            Record::FileProblem(problem("/a")),
        ])
        .await;
    let snapshot = store.snapshot(at(200)).await.unwrap();
    assert_eq!(snapshot.chains, [chain(id(8), &[NASTY, ""])]);
    assert_eq!(
        snapshot.requests,
        [request(NASTY, 100), request(&long_path, 101)]
    );
    assert_eq!(
        store.file_problems().await.unwrap(),
        [problem("/a"), problem(&long_path)]
    );
    leader
        .commit(vec![Record::ClearFileProblem { path: long_path }])
        .await;
    assert_eq!(store.file_problems().await.unwrap(), [problem("/a")]);
}

/// Rows replace each other in the order of the batch, whatever stands between them.
pub async fn the_last_row_of_a_key_wins(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    let owner = id(1);
    let mut failed = node(owner, "a");
    failed.state = NodeState::Failed;
    let gone = Record::ClearFileProblem {
        path: "/a".to_owned(),
    };
    leader
        .commit(vec![
            Record::instance(instance(owner, "first")),
            Record::node(node(owner, "a")),
            Record::FileProblem(problem("/a")),
            Record::instance(instance(owner, "second")),
            Record::node(failed.clone()),
            gone.clone(),
            Record::instance(instance(owner, "third")),
            Record::FileProblem(problem("/a")),
            Record::FileProblem(problem("/b")),
        ])
        .await;
    let row = store.instance(owner).await.unwrap().unwrap();
    assert_eq!(row.workflow, "third");
    assert_eq!(store.nodes(owner).await.unwrap(), [failed]);
    assert_eq!(store.file_problems().await.unwrap().len(), 2);
    leader
        .commit(vec![Record::FileProblem(problem("/a")), gone])
        .await;
    assert_eq!(store.file_problems().await.unwrap(), [problem("/b")]);
}

/// Deleting an instance takes its nodes, attempts and output; order within the batch counts.
pub async fn deletions_leave_nothing_but_fires_and_tokens(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    for number in 1..=3 {
        let owner = id(number);
        leader
            .commit(vec![
                Record::instance(instance(owner, NAME)),
                Record::node(node(owner, "a")),
                Record::attempt(attempt(owner, "a", 1, 1)),
                Record::Fire(fire(NAME, &number.to_string(), number as i64)),
                Record::Token(token(owner, NAME, number as i64)),
            ])
            .await;
        store
            .append_log(&[output::chunk(owner, 0, b"x")])
            .await
            .unwrap();
    }
    leader
        .commit(vec![
            Record::node(node(id(1), "b")),
            Record::DeleteInstance { id: id(1) },
            Record::DeleteInstance { id: id(2) },
            Record::DeleteInstance { id: id(77) },
            Record::instance(instance(id(2), "again")),
        ])
        .await;
    let nothing = Trim {
        journal_before: at(0),
        requests_before: at(0),
        mails_before: at(i64::MIN),
        limit: 100,
    };
    while !store.trim(nothing).await.unwrap().is_nothing() {}
    for number in [1, 2] {
        assert_eq!(store.nodes(id(number)).await.unwrap(), []);
        assert_eq!(store.attempts(id(number)).await.unwrap(), []);
        assert_eq!(store.read_log(id(number), 0, 10).await.unwrap(), []);
    }
    assert_eq!(store.instance(id(1)).await.unwrap(), None);
    assert_eq!(
        store.instance(id(2)).await.unwrap(),
        Some(instance(id(2), "again"))
    );
    assert_eq!(store.nodes(id(3)).await.unwrap().len(), 1);
    assert_eq!(store.read_log(id(3), 0, 10).await.unwrap().len(), 1);
    assert_eq!(store.fires(NAME, 10).await.unwrap().len(), 3);
    assert_eq!(store.waiting_tokens(NAME).await.unwrap().len(), 3);
}

/// A dropped attempt is gone, and nothing else with it; written again it is there again.
pub async fn single_attempts_are_dropped(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    let owner = id(1);
    let attempts = [1, 2, 3].map(|number| attempt(owner, NASTY, 1, number));
    let dropped = |number: usize| Record::DeleteAttempt {
        key: attempts[number].key.clone(),
    };
    leader
        .commit(vec![
            Record::attempt(attempts[0].clone()),
            Record::attempt(attempts[1].clone()),
            dropped(0),
            Record::attempt(attempts[2].clone()),
        ])
        .await;
    assert_eq!(store.attempts(owner).await.unwrap(), attempts[1..]);
    leader
        .commit(vec![
            dropped(1),
            dropped(2),
            Record::attempt(attempts[2].clone()),
        ])
        .await;
    assert_eq!(store.attempts(owner).await.unwrap(), attempts[2..]);
}

/// The first value of a setting stays in force.
pub async fn a_setting_is_written_once(store: Arc<dyn Store>) {
    assert_eq!(
        store.setting("time-zone", "Asia/Shanghai").await.unwrap(),
        "Asia/Shanghai"
    );
    assert_eq!(
        store.setting("time-zone", "UTC").await.unwrap(),
        "Asia/Shanghai"
    );
    assert_eq!(store.setting("other", "").await.unwrap(), "");
}
