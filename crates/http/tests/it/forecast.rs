//! What is to come, over what the store holds.

use akkaflow_model::command::Answer;
use akkaflow_model::id::{AttemptKey, Epoch, Incarnation, InstanceId, WorkerId};
use akkaflow_model::record::{AttemptRow, InstanceRow, Record, ScheduleRow};
use akkaflow_model::state::{AttemptState, InstanceState};
use akkaflow_model::time::Timestamp;
use serde_json::Value;

use crate::support::{FakeMaster, Server, XML, at, instance_row, led_by, put, workflow_records};

const HOURLY: &str = r#"<work-flow name="日结" creator="张三">
  <coordinator><depend-list cron="0 * * * *"/></coordinator>
  <start name="start" to="a"/>
  <action name="a"><script><code>true</code></script><ok to="end"/></action>
  <end name="end"/>
</work-flow>"#;

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::default().plus(since.unwrap())
}

fn schedule(workflow: &str, trigger: &str) -> Record {
    Record::Schedule(ScheduleRow {
        workflow: workflow.to_owned(),
        generation: 1,
        trigger: trigger.to_owned(),
        is_enabled: true,
        fired_through: now(),
    })
}

/// An instance that has succeeded; its node took ten minutes.
fn past(number: u64) -> [Record; 2] {
    let from = at(number as i64 * 86_400_000);
    let id = InstanceId::from_parts(from, u128::from(number));
    let end = from.plus(std::time::Duration::from_secs(600));
    let instance = InstanceRow {
        id,
        workflow: "日结".to_owned(),
        state: InstanceState::Succeeded,
        created_at: from,
        ended_at: Some(end),
        ..instance_row()
    };
    let attempt = AttemptRow {
        key: AttemptKey {
            instance: id,
            node: "a".into(),
            run: 1,
            attempt: 1,
        },
        state: AttemptState::Succeeded,
        worker: WorkerId("w1".into()),
        incarnation: Incarnation(1),
        host: "host1".into(),
        epoch: Epoch(1),
        assigned_at: from,
        accepted_at: Some(from),
        ended_at: Some(end),
        cancel: None,
        message: None,
        exit_code: Some(0),
        log_length: 0,
        figures: None,
    };
    [Record::instance(instance), Record::attempt(attempt)]
}

async fn server(past_instances: u64) -> Server {
    let master = FakeMaster::saying(Ok(Answer::Done));
    let store = led_by(&master.serve().await).await;
    let mut records = workflow_records(HOURLY);
    records.extend(workflow_records(XML));
    records.push(schedule("日结", "0 * * * *"));
    records.push(schedule("日报", "0 1 * * *"));
    records.extend((0..past_instances).flat_map(past));
    put(&store, 1, records).await;
    Server::start(&store).await
}

fn millis(moment: &Value) -> i64 {
    let text = moment.as_str().unwrap();
    chrono::DateTime::parse_from_rfc3339(text)
        .unwrap()
        .timestamp_millis()
}

fn sum(forecast: &Value, key: &str) -> u64 {
    let hours = forecast["hours"].as_array().unwrap();
    hours.iter().map(|hour| hour[key].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn schedules_are_played_ahead_with_the_durations_that_were_learned() {
    let server = server(3).await;
    let forecast = server.get("/api/v1/forecast?horizon=6h").await.json();
    assert_eq!(
        (forecast["slots"].as_u64(), forecast["workers"].as_u64()),
        (Some(8), Some(1))
    );
    let instances = forecast["instances"].as_array().unwrap();
    assert_eq!(instances.len(), 6, "{forecast}");
    // The last one may begin as the horizon ends.
    for instance in &instances[..5] {
        assert_eq!(instance["workflow"], "日结");
        assert_eq!(instance["trigger"], "cron");
        assert_eq!(
            millis(&instance["end"]) - millis(&instance["start"]),
            600_000
        );
        assert_eq!(instance["is_guess"], false);
        assert!(instance.get("id").is_none(), "it does not exist yet");
    }
    assert_eq!(sum(&forecast, "started"), 6);
    assert_eq!(forecast["late_in_all"], 0);
    let stuck = &forecast["stuck"][0];
    assert_eq!(stuck["workflow"], "日报");
    assert_eq!(stuck["reasons"][0]["code"], "upstream_missing");
    assert_eq!(forecast.get("cut"), None);
}

#[tokio::test]
async fn two_successes_teach_nothing() {
    let server = server(2).await;
    let forecast = server.get("/api/v1/forecast?horizon=2h").await.json();
    let first = &forecast["instances"][0];
    assert_eq!(first["is_guess"], true);
    let took = millis(&first["end"]) - millis(&first["start"]);
    assert_eq!(took, forecast["guess_seconds"].as_i64().unwrap() * 1000);
}

#[tokio::test]
async fn lists_are_cut_and_one_workflow_is_told_of_alone() {
    let server = server(3).await;
    let forecast = server
        .get("/api/v1/forecast?horizon=6h&limit=2")
        .await
        .json();
    assert_eq!(forecast["instances"].as_array().unwrap().len(), 2);
    assert_eq!(forecast["instances_in_all"], 6);
    let name = "%E6%97%A5%E6%8A%A5";
    let alone = server
        .get(&format!("/api/v1/forecast?horizon=6h&workflow={name}"))
        .await
        .json();
    assert_eq!((sum(&alone, "started"), sum(&alone, "busy")), (0, 0));
    assert_eq!(alone["stuck_in_all"], 1);
}

#[tokio::test]
async fn a_wrong_question_is_refused() {
    let server = server(0).await;
    let wrong = server.get("/api/v1/forecast?horizon=32d").await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.contains("31d"), "{}", wrong.body);
    assert_eq!(
        server.get("/api/v1/forecast?workflow=nobody").await.status,
        404
    );
}
