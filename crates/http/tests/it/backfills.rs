//! Backfills over HTTP.

use akkaflow_model::backfill::{
    BackfillHold, BackfillRow, BackfillRunRow, BackfillSpec, BackfillState, LeftOut, RunState,
};
use akkaflow_model::command::{Answer, By, Command, Rejection};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{Hold, InstanceRow, Record, TriggerKind};
use akkaflow_model::state::InstanceState;
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;
use serde_json::json;

use crate::support::{FakeMaster, Server, instance_row, led_by, put};

/// 2026-01-01 as a day.
const FIRST: i32 = 739_617;

fn id(number: u128) -> InstanceId {
    InstanceId::from_parts(Timestamp::from_millis(1_790_000_000_000), number)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn row(number: u128) -> BackfillRow {
    BackfillRow {
        id: id(number),
        spec: BackfillSpec {
            workflow: "日报".to_owned(),
            from: FIRST,
            to: FIRST + 2,
            with_dependants: false,
            max_parallel: 1,
            keep_going: false,
            again: false,
        },
        user: "ann".to_owned(),
        reason: "迟到".to_owned(),
        created_at: at(number as i64),
        state: BackfillState::Running,
        hold: None,
        abort: None,
        ended_at: None,
    }
}

fn run(number: u128, position: u32, state: RunState) -> BackfillRunRow {
    BackfillRunRow {
        backfill: id(number),
        position,
        workflow: "日报".to_owned(),
        day: FIRST + position as i32,
        fire_time: at(0),
        needs: Vec::new(),
        state,
        instance: None,
        changed_at: at(0),
    }
}

/// Three successes of ten, twenty and sixty seconds.
fn successes() -> Vec<Record> {
    let success = |(number, seconds): (u128, i64)| {
        Record::instance(InstanceRow {
            id: id(100 + number),
            workflow: "日报".to_owned(),
            state: InstanceState::Succeeded,
            started_at: Some(at(0)),
            ended_at: Some(at(seconds * 1000)),
            ..instance_row()
        })
    };
    [(1, 10), (2, 60), (3, 20)].map(success).into()
}

async fn server(answer: Answer, records: Vec<Record>) -> (Server, FakeMaster) {
    server_of(FakeMaster::saying(Ok(answer)), records).await
}

async fn server_of(master: FakeMaster, records: Vec<Record>) -> (Server, FakeMaster) {
    let store = led_by(&master.serve().await).await;
    put(&store, 1, records).await;
    (Server::start(&store).await, master)
}

#[tokio::test]
async fn a_plan_says_how_long_each_run_and_all_of_it_take() {
    let mut waits = run(0, 2, RunState::Waiting);
    waits.needs = vec![1];
    let answer = Answer::Backfill {
        id: None,
        runs: vec![
            run(0, 0, RunState::Good),
            run(0, 1, RunState::Waiting),
            waits,
        ],
        left_out: vec![LeftOut {
            workflow: "b".to_owned(),
            why: Text::new("停用", "it is disabled"),
        }],
    };
    let (server, master) = server(answer, successes()).await;
    let body = r#"{"workflow": "日报", "from": "2026-01-01", "to": "2026-01-03", "dependants": true,
        "max_parallel": 4, "dry_run": true, "user": "ann"}"#;
    let got = server.post("/api/v1/backfills?lang=en", body).await;
    assert_eq!(got.status, 200, "{got:?}");
    let plan = got.json();
    assert_eq!(plan["id"], json!(null));
    assert_eq!(plan["estimate"], json!({"seconds": 40, "unknown": 0}));
    assert_eq!(
        plan["left_out"],
        json!([{"workflow": "b", "why": "it is disabled"}])
    );
    assert_eq!(plan["runs"][0]["date"], "2026-01-01");
    assert_eq!(plan["runs"][0]["state"], "good");
    assert_eq!(plan["runs"][2]["needs"], json!([1]));
    assert_eq!(plan["runs"][2]["expected_seconds"], 20);
    let [
        Command::StartBackfill {
            spec,
            is_dry_run: true,
            idempotency_key: Some(_),
            by,
        },
    ] = &master.asked()[..]
    else {
        panic!("{:?}", master.asked());
    };
    let expected = BackfillSpec {
        with_dependants: true,
        max_parallel: 4,
        ..row(0).spec
    };
    assert_eq!((spec, &*by.user), (&expected, "ann"));
}

#[tokio::test]
async fn a_started_one_is_named() {
    let answer = Answer::Backfill {
        id: Some(id(7)),
        runs: vec![run(7, 0, RunState::Running)],
        left_out: Vec::new(),
    };
    let (server, _) = server(answer, Vec::new()).await;
    let body = r#"{"workflow": "日报", "from": "2026-01-01", "to": "2026-01-03"}"#;
    let got = server.post("/api/v1/backfills", body).await;
    assert_eq!(
        (got.status, got.json()["id"].clone()),
        (201, json!(id(7).to_string()))
    );
    assert_eq!(got.json()["estimate"], json!({"seconds": 0, "unknown": 1}));
}

#[tokio::test]
async fn listings_and_details_say_how_far_they_are() {
    let mut records = successes();
    let failure = BackfillHold::Failure {
        position: 1,
        since: at(5),
    };
    records.extend([
        Record::Backfill(BackfillRow {
            hold: Some(failure),
            ..row(1)
        }),
        Record::BackfillRun(run(1, 0, RunState::Succeeded)),
        Record::BackfillRun(run(1, 1, RunState::Failed)),
        Record::BackfillRun(run(1, 2, RunState::Waiting)),
        Record::Backfill(BackfillRow {
            state: BackfillState::Aborted,
            ended_at: Some(at(9)),
            abort: Some(Hold {
                user: "li".to_owned(),
                reason: String::new(),
                since: at(8),
            }),
            ..row(2)
        }),
    ]);
    let (server, _) = server(Answer::Done, records).await;
    let list = server.get("/api/v1/backfills").await.json();
    let ids: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [id(2).to_string(), id(1).to_string()]);
    assert_eq!(list[0]["abort"]["user"], "li");
    let counts = json!({"good": 0, "succeeded": 1, "failed": 1, "running": 0, "waiting": 1});
    assert_eq!(list[1]["runs"], counts);
    assert_eq!(list[1]["failed_run"], 1);
    let detail = server
        .get(&format!("/api/v1/backfills/{}", id(1).short()))
        .await
        .json();
    assert_eq!(detail["runs"], counts);
    assert_eq!(detail["left"], json!({"seconds": 20, "unknown": 0}));
    assert_eq!(detail["items"][1]["state"], "failed");
    let ended = server
        .get(&format!("/api/v1/backfills/{}", id(2)))
        .await
        .json();
    assert_eq!(
        (&ended["left"], &ended["items"]),
        (&json!(null), &json!([]))
    );
    let explained = server
        .get(&format!("/api/v1/backfills/{}/explain?run=2", id(1)))
        .await;
    assert_eq!(explained.status, 200, "{explained:?}");
}

#[tokio::test]
async fn an_instance_names_the_backfill_that_started_it() {
    let started = |number: u128, trigger| {
        Record::instance(InstanceRow {
            id: id(100 + number),
            trigger,
            chain: Some(id(1)),
            ..instance_row()
        })
    };
    let records = vec![
        started(1, TriggerKind::Backfill),
        started(2, TriggerKind::Blood),
    ];
    let (server, _) = server(Answer::Done, records).await;
    for (number, expected) in [(1, json!(id(1).to_string())), (2, json!(null))] {
        let path = format!("/api/v1/instances/{}", id(100 + number));
        assert_eq!(server.get(&path).await.json()["backfill"], expected);
    }
}

#[tokio::test]
async fn each_address_steers_an_open_backfill() {
    let (server, master) = server(Answer::Done, vec![Record::Backfill(row(1))]).await;
    let by = By {
        user: "ann".to_owned(),
        reason: "停机".to_owned(),
    };
    let said = r#"{"user": "ann", "reason": "停机"}"#;
    let kill = r#"{"kill": true, "user": "ann", "reason": "停机"}"#;
    let id = id(1);
    let commands = [
        ("pause", said, Command::PauseBackfill { id, by: by.clone() }),
        ("resume", "", Command::ResumeBackfill { id }),
        (
            "abort",
            kill,
            Command::AbortBackfill {
                id,
                kills: true,
                by,
            },
        ),
    ];
    for (number, (action, body, command)) in commands.into_iter().enumerate() {
        let path = |number| format!("/api/v1/backfills/{}/{action}", self::id(number));
        assert_eq!(server.post(&path(1), body).await.status, 200, "{action}");
        assert_eq!(master.asked()[number], command);
        assert_eq!(server.post(&path(4), body).await.status, 404, "{action}");
    }
    assert_eq!(master.asked().len(), 3);
}

/// The master forgets a backfill that has ended, maybe a moment after its row was read.
#[tokio::test]
async fn a_backfill_that_has_ended_cannot_be_steered_and_stays_aborted() {
    let ended = |number, state| {
        Record::Backfill(BackfillRow {
            state,
            ended_at: Some(at(9)),
            ..row(number)
        })
    };
    let records = vec![
        Record::Backfill(row(1)),
        ended(2, BackfillState::Succeeded),
        ended(3, BackfillState::Aborted),
    ];
    let unknown = Rejection::new(ErrorCode::NotFound, Text::verbatim("no longer known"));
    let (server, _) = server_of(FakeMaster::saying(Err(unknown)), records).await;
    for (action, expected) in [("pause", 409), ("resume", 409), ("abort", 200)] {
        let path = |number| format!("/api/v1/backfills/{}/{action}", id(number));
        assert_eq!(server.post(&path(2), "{}").await.status, 409, "{action}");
        let got = server.post(&path(3), "{}").await.status;
        assert_eq!(got, expected, "{action}");
        let got = server.post(&path(1), "{}").await;
        assert_eq!(got.status, 404, "as the master said: {}", got.body);
    }
}

#[tokio::test]
async fn what_cannot_be_understood_is_said() {
    let (server, master) = server(Answer::Done, Vec::new()).await;
    for (body, word) in [
        ("{}", "from"),
        (
            r#"{"workflow": "w", "from": "2026-01-32", "to": "2026-02-01"}"#,
            "2026-01-31",
        ),
        (
            r#"{"workflow": "w", "from": "2026-01-01", "to": "2026-02-01", "parallel": 2}"#,
            "parallel",
        ),
    ] {
        let got = server.post("/api/v1/backfills?lang=en", body).await;
        assert_eq!(got.status, 400, "{got:?}");
        assert!(got.body.contains(word), "{}", got.body);
    }
    assert_eq!(master.asked(), []);
}
