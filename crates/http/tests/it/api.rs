//! `/api/v1`.

use akkaflow_model::command::{Answer, Command, Rejection};
use akkaflow_model::diagnostic::{Finding, Severity};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::Message;
use akkaflow_model::record::{CalendarRow, Record};
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;
use akkaflow_store::MemoryStore;
use serde_json::json;

use crate::support::{
    FakeMaster, Server, XML, at, id, instance_row, led_by, node_row, put, workflow_records,
};

async fn filled() -> (Server, MemoryStore) {
    let master = FakeMaster::saying(Ok(Answer::Done));
    let store = led_by(&master.serve().await).await;
    let mut records = workflow_records(XML);
    records.push(Record::instance(instance_row()));
    records.push(Record::node(node_row(
        "start",
        "start",
        NodeState::Succeeded,
        5,
    )));
    let mut a = node_row("a", "script", NodeState::Running, 6);
    a.attempts = 2;
    a.worker = Some(akkaflow_model::id::WorkerId("w1".into()));
    records.push(Record::node(a));
    put(&store, 1, records).await;
    (Server::start(&store).await, store)
}

#[tokio::test]
async fn an_open_instance_shows_all_its_nodes() {
    let (server, _) = filled().await;
    let got = server
        .get(&format!("/api/v1/instances/{}", id()))
        .await
        .json();
    assert_eq!(got["id"], id().to_string());
    assert_eq!(got["workflow"], "日报");
    assert_eq!(got["state"], "running");
    assert_eq!(got["params"], json!({"stadate": "2026-11-20"}));
    assert_eq!(got["started_at"], at(5).to_rfc3339());
    assert_eq!(got["ended_at"], json!(null));
    let nodes = got["nodes"].as_array().unwrap();
    let states: Vec<_> = nodes
        .iter()
        .map(|node| {
            (
                node["name"].as_str().unwrap(),
                node["state"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        states,
        [
            ("start", "succeeded"),
            ("a", "running"),
            ("b", "ready"),
            ("end", "ready")
        ]
    );
    assert_eq!(nodes[1]["attempts"], 2);
    assert_eq!(nodes[1]["worker"], "w1");
    assert_eq!(nodes[1]["type"], "script");
}

#[tokio::test]
async fn what_an_ended_instance_never_reached_is_skipped() {
    let (server, store) = filled().await;
    let mut row = instance_row();
    row.state = InstanceState::Killed;
    row.ended_at = Some(at(100));
    row.message = Some(Message::KilledBy {
        user: "李四".to_owned(),
    });
    put(&store, 2, vec![Record::instance(row)]).await;
    let path = format!("/api/v1/instances/{}?lang=zh", id().short());
    let got = server.get(&path).await.json();
    assert_eq!(got["state"], "killed");
    assert_eq!(got["message"], "被用户李四手动杀死");
    assert_eq!(got["nodes"][3]["state"], "skipped");
}

#[tokio::test]
async fn the_xml_of_an_instance_has_its_values() {
    let (server, _) = filled().await;
    let path = format!("/api/v1/instances/{}/xml", id());
    let got = server.get(&path).await.body;
    assert!(got.contains("<code>echo 2026-11-20</code>"), "{got}");
    assert_eq!(server.get(&format!("{path}?raw=true")).await.body, XML);
}

#[tokio::test]
async fn a_part_of_an_id_must_mean_one_instance() {
    let (server, store) = filled().await;
    let mut other = instance_row();
    other.id = InstanceId::from_parts(at(0), 0x1234_5678);
    put(&store, 2, vec![Record::instance(other)]).await;
    let part = &id().to_string()[..8];
    let got = server.get(&format!("/api/v1/instances/{part}")).await;
    assert_eq!(got.status, 409);
    assert_eq!(got.json()["candidates"].as_array().unwrap().len(), 2);
    for part in ["8f3a11bb", "8F3A11", &id().to_string()] {
        let got = server.get(&format!("/api/v1/instances/{part}")).await;
        assert_eq!(got.json()["id"], id().to_string(), "{part}");
    }
    for part in ["nonsense", "00000000000000000000"] {
        let got = server.get(&format!("/api/v1/instances/{part}")).await;
        assert_eq!(got.status, 404, "{part}");
        assert_eq!(got.header("content-type"), "application/problem+json");
    }
}

#[tokio::test]
async fn instances_are_found_by_state_and_name() {
    let (server, _) = filled().await;
    let count = async |query: &str| {
        let got = server
            .get(&format!("/api/v1/instances?{query}"))
            .await
            .json();
        got.as_array().unwrap().len()
    };
    assert_eq!(count("").await, 1);
    assert_eq!(count("state=succeeded,running").await, 1);
    assert_eq!(count("state=failed").await, 0);
    assert_eq!(count("key=8f3a").await, 1);
    assert_eq!(count("from=2030-01-01T00:00:00Z").await, 0);
    assert_eq!(
        server.get("/api/v1/instances?state=flying").await.status,
        400
    );
    let got = server.get("/api/v1/instances?limit=many").await;
    assert_eq!(got.status, 400);
    assert_eq!(got.json()["code"], "invalid");
}

#[tokio::test]
async fn a_workflow_shows_its_schedule_and_neighbours() {
    let (server, store) = filled().await;
    let dependant = XML
        .replace(r#"name="日报""#, r#"name="月报""#)
        .replace(r#"name="抽取""#, r#"name="日报""#);
    put(&store, 2, workflow_records(&dependant)).await;
    let name = "%E6%97%A5%E6%8A%A5";
    let got = server
        .get(&format!("/api/v1/workflows/{name}"))
        .await
        .json();
    assert_eq!(got["name"], "日报");
    let schedule = &got["schedule"];
    assert_eq!(schedule["cron"], "0 1 * * *");
    assert_eq!(schedule["time_zone"], "Asia/Shanghai");
    let next = schedule["next_fire"].as_str().unwrap();
    assert!(next.ends_with("T17:00:00.000Z"), "{next}");
    assert_eq!(
        schedule["depends"],
        json!([{"workflow": "抽取", "is_ready": false, "tokens": 0, "exists": false}])
    );
    assert_eq!(got["dependants"], json!(["月报"]));
    assert_eq!(got["nodes"][1]["targets"], json!(["b"]));
    assert_eq!(got["mail_receivers"], json!(["a@b.c"]));
    let xml = server.get(&format!("/api/v1/workflows/{name}/xml")).await;
    assert_eq!(xml.body, XML);
    assert_eq!(server.get("/api/v1/workflows/x").await.status, 404);
}

#[tokio::test]
async fn a_definition_with_errors_is_422_with_every_place() {
    let finding = Finding {
        code: "AF104".to_owned(),
        severity: Severity::Error,
        file: "a.xml".to_owned(),
        line: 2,
        column: 33,
        width: 1,
        excerpt: "<action>".to_owned(),
        excerpt_from: 0,
        message: Text::new("错", "wrong"),
        help: None,
    };
    let rejection = Rejection {
        code: ErrorCode::Invalid,
        text: Text::new("工作流定义有误", "the definition has errors"),
        findings: vec![finding],
    };
    let master = FakeMaster::saying(Err(rejection));
    let server = Server::with_master(&master).await;
    let got = server.post("/api/v1/workflows?path=a.xml", "<x/>").await;
    assert_eq!(got.status, 422);
    let found = &got.json()["diagnostics"][0];
    assert_eq!(found["code"], "AF104");
    assert_eq!(found["severity"], "error");
    assert_eq!((&found["line"], &found["column"]), (&json!(2), &json!(33)));
    assert_eq!(found["message"], "wrong");
}

#[tokio::test]
async fn a_good_definition_is_in_force() {
    let master = FakeMaster::saying(Ok(Answer::Put {
        name: "日报".to_owned(),
        version: "0123".to_owned(),
        created: true,
        findings: Vec::new(),
    }));
    let server = Server::with_master(&master).await;
    let got = server.post("/api/v1/workflows", XML).await;
    assert_eq!(got.status, 200);
    assert_eq!(
        got.json(),
        json!({"name": "日报", "version": "0123", "created": true, "diagnostics": []})
    );
}

#[tokio::test]
async fn a_check_changes_nothing_and_needs_no_master() {
    let server = Server::start(&MemoryStore::new()).await;
    for path in ["/api/v1/workflows?check=true", "/api/v1/workflows/check"] {
        let got = server.post(path, XML).await.json();
        assert_eq!(got["name"], "日报");
        assert_eq!(got["exists"], false);
        assert_eq!(got["missing_upstreams"], json!(["抽取"]));
        let got = server.post(path, "<work-flow/>").await;
        assert_eq!(got.status, 422);
        assert!(!got.json()["diagnostics"].as_array().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_run_takes_params_a_date_and_a_key() {
    let master = FakeMaster::saying(Ok(Answer::Instance { id: id() }));
    let server = Server::with_master(&master).await;
    let body = r#"{"params": {"b": "1", "a": 2}, "date": "2026-11-20"}"#;
    let path = "/api/v1/workflows/w/runs";
    let got = server
        .send("POST", path, &[("idempotency-key", "once")], body)
        .await;
    assert_eq!(got.status, 201);
    assert_eq!(got.json(), json!({"id": id().to_string()}));
    assert_eq!(
        got.header("location"),
        format!("/api/v1/instances/{}", id())
    );
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = Command::Run {
        name: "w".to_owned(),
        params: vec![pair("b", "1"), pair("a", "2")],
        date: Some("2026-11-20".to_owned()),
        idempotency_key: Some("once".to_owned()),
        user: String::new(),
    };
    assert_eq!(master.asked(), [expected]);
    let got = server.post(path, r#"{"parms": {}}"#).await;
    assert_eq!(got.status, 400);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let server = Server::start(&MemoryStore::new()).await;
    for mebibytes in [5, 40] {
        let body = " ".repeat(mebibytes << 20);
        let got = server.post("/api/v1/workflows", &body).await;
        assert_eq!(got.status, 400);
        let detail = got.json()["detail"].clone();
        let expected = "the body of the request is larger than 4194304 bytes";
        assert_eq!(detail, expected);
    }
}

#[tokio::test]
async fn reasons_come_in_the_language_of_the_reader() {
    let (server, _) = filled().await;
    let path = format!("/api/v1/instances/{}/explain", id());
    let got = server.get(&path).await.json();
    assert_eq!(got[0]["code"], "no_free_slot");
    assert_eq!(got[0]["text"], "no free slot");
    let got = server
        .send("GET", &path, &[("accept-language", "zh-CN")], "")
        .await
        .json();
    assert_eq!(got[0]["text"], "没有空闲槽位");
}

#[tokio::test]
async fn the_overview_has_eight_days_and_the_cluster_its_workers() {
    let (server, _) = filled().await;
    let front = server.get("/api/v1/front").await.json();
    assert_eq!(front["days"].as_array().unwrap().len(), 8);
    assert_eq!(front["running"].as_array().unwrap().len(), 1);
    let cluster = server.get("/api/v1/cluster").await.json();
    assert_eq!(cluster["workers"][0]["id"], "w1");
    assert_eq!(cluster["master"]["epoch"], 1);
    assert_eq!(server.get("/api/v1/file-problems").await.json(), json!([]));
    assert_eq!(server.get("/api/v1/nothing").await.status, 404);
}

#[tokio::test]
async fn a_run_with_a_misspelt_parameter_is_accepted_with_a_warning() {
    let master = FakeMaster::saying(Ok(Answer::Instance { id: id() }));
    let store = led_by(&master.serve().await).await;
    let xml = XML.replace("echo ", "echo $AKKAFLOW_PARAM_from_env ");
    put(&store, 1, workflow_records(&xml)).await;
    let server = Server::start(&store).await;
    let path = "/api/v1/workflows/%E6%97%A5%E6%8A%A5/runs";
    let run = async |body: &str, lang: &str| {
        let got = server.post(&format!("{path}?lang={lang}"), body).await;
        assert_eq!(got.status, 201, "{got:?}");
        got.json()["warnings"].clone()
    };
    let got = run(r#"{"params": {"stadat": "1"}}"#, "en").await;
    assert_eq!(
        got,
        json!([
            "workflow `日报` neither declares nor uses a parameter `stadat`; did you mean `stadate`?"
        ])
    );
    let got = run(r#"{"params": {"unknown": "1"}}"#, "zh").await;
    assert_eq!(
        got,
        json!(["工作流日报既未声明也未使用参数 `unknown`；它的参数有: stadate"])
    );
    let fine = r#"{"params": {"stadate": "1", "from-env": "2"}}"#;
    assert_eq!(run(fine, "en").await, json!(null));
    assert_eq!(master.asked().len(), 3);
}

#[tokio::test]
async fn a_deleted_workflow_names_the_file_that_stays() {
    let (server, _) = filled().await;
    let path = "/api/v1/workflows/%E6%97%A5%E6%8A%A5";
    let got = server.send("DELETE", path, &[], "").await;
    assert_eq!(
        got.json(),
        json!({"name": "日报", "file": "xmlconfig/日报.xml"})
    );
}

#[tokio::test]
async fn killing_what_has_ended_is_a_conflict_and_what_never_was_is_not_found() {
    let gone = Rejection::new(ErrorCode::NotFound, Text::new("不存在", "not running"));
    let store = led_by(&FakeMaster::saying(Err(gone)).serve().await).await;
    let mut row = instance_row();
    row.state = InstanceState::Succeeded;
    put(&store, 1, vec![Record::instance(row)]).await;
    let server = Server::start(&store).await;
    let got = server
        .post(&format!("/api/v1/instances/{}/kill", id()), "")
        .await;
    assert_eq!(got.status, 409, "{got:?}");
    let said = got.json()["detail"].as_str().unwrap().to_owned();
    assert!(said.contains("has ended already (succeeded)"), "{said}");
    let never = InstanceId::from_parts(at(0), 0x1234_5678);
    let got = server
        .post(&format!("/api/v1/instances/{never}/kill"), "")
        .await;
    assert_eq!(got.status, 404, "{got:?}");
}

#[tokio::test]
async fn the_overview_tells_of_files_that_cannot_be_used() {
    let (server, store) = filled().await;
    let problem = |path: &str, workflow: Option<&str>| {
        Record::FileProblem(akkaflow_model::record::FileProblemRow {
            path: path.to_owned(),
            workflow: workflow.map(str::to_owned),
            found_at: at(0),
            findings: Vec::new(),
        })
    };
    let problems = vec![
        problem("xmlconfig/new.xml", None),
        problem("xmlconfig/other.xml", Some("日报")),
        problem("xmlconfig/日报.xml", Some("日报")),
    ];
    put(&store, 2, problems).await;
    let front = server.get("/api/v1/front").await.json();
    let known: Vec<_> = (0..3)
        .map(|n| &front["file_problems"][n])
        .map(|problem| {
            (
                problem["path"].as_str().unwrap(),
                problem["runs_on"] == true,
            )
        })
        .collect();
    let expected = [
        ("xmlconfig/new.xml", false),
        ("xmlconfig/other.xml", false),
        ("xmlconfig/日报.xml", true),
    ];
    assert_eq!(known, expected);
}

#[tokio::test]
async fn a_cron_is_previewed_and_its_mistakes_are_findings() {
    let (server, _) = filled().await;
    let path = "/api/v1/cron?zone=America/New_York&at=2026-03-08&n=2&expr=";
    let got = server.get(&format!("{path}30+2+*+*+*")).await.json();
    assert_eq!(got["words"], "at 02:30 every day");
    assert_eq!(got["fires"].as_array().unwrap().len(), 2);
    assert_eq!(got["fires"][0]["clock"], "gap");
    assert_eq!(got["fires"][1]["local"], "2026-03-09T02:30:00-04:00");
    let got = server.get(&format!("{path}every+dya")).await;
    assert_eq!(got.status, 422);
    assert_eq!(got.json()["diagnostics"][0]["column"], 7);
    for wrong in ["&zone=x", "&at=soon", "&style=quartz", "&n=many"] {
        let path = format!("/api/v1/cron?expr=0+0+*+*+*{wrong}");
        assert_eq!(server.get(&path).await.status, 400, "{wrong}");
    }
    assert_eq!(server.get("/api/v1/cron").await.status, 400);
}

#[tokio::test]
async fn a_check_names_the_circle_that_a_definition_would_close() {
    let (server, store) = filled().await;
    let upstream = r#"<work-flow name="抽取"><coordinator><depend-list><workflow name="日报"/></depend-list></coordinator><start name="s" to="e"/><end name="e"/></work-flow>"#;
    let path = "/api/v1/workflows/check";
    let got = server.post(path, upstream).await.json();
    assert_eq!(got["cycle"], json!(["抽取", "日报"]));
    assert_eq!(got["missing_upstreams"], json!([]));
    put(&store, 2, workflow_records(upstream)).await;
    let got = server.post(path, XML).await.json();
    assert_eq!(got["cycle"], json!(["日报", "抽取"]));
    let alone = XML.replace(r#"<workflow name="抽取"/>"#, "");
    let got = server.post(path, &alone).await.json();
    assert_eq!(got["cycle"], json!([]));
}

#[tokio::test]
async fn a_preview_knows_all_parts_of_a_schedule_and_its_calendar() {
    const EXAMPLE: &str = include_str!("../../../../examples/schedule.xml");
    const CALENDAR: &str = include_str!("../../../../examples/calendars/china.calendar");
    let store = MemoryStore::new();
    let server = Server::start(&store).await;
    put(&store, 1, workflow_records(EXAMPLE)).await;
    let path = "/api/v1/workflows/schedule?lang=en";
    let got = server.get(path).await.json()["schedule"].clone();
    assert_eq!(got["next_fires"], json!([]));
    let words = got["cron_words"].as_str().unwrap();
    assert!(words.contains("there is no calendar `china`"), "{words}");
    let calendar = CalendarRow {
        name: "china".to_owned(),
        path: "xmlconfig/china.calendar".to_owned(),
        text: CALENDAR.to_owned(),
        read_at: Timestamp::default(),
        is_file_gone: false,
    };
    put(&store, 2, vec![Record::Calendar(calendar)]).await;
    let got = server.get(path).await.json()["schedule"].clone();
    assert_eq!(got["cron"], "0 9 * * 1-5; 30 18 28-31 * *");
    assert_eq!(got["time_zone"], "Asia/Shanghai");
    let words = got["cron_words"].as_str().unwrap();
    assert!(words.contains("moved to the next workday"), "{words}");
    let fires = got["next_fires"].as_array().unwrap();
    assert_eq!(fires.len(), 10);
    for fire in fires {
        let local = fire["local"].as_str().unwrap();
        let is_slot = ["T09:00:00+08:00", "T18:30:00+08:00", "T23:30:00+08:00"]
            .iter()
            .any(|time| local.ends_with(time));
        assert!(is_slot, "{local}");
    }
}
