//! What people hold up, let go on, mark and repair, over HTTP.

use akkaflow_model::command::{Answer, By, ChangeKind, Command, NodeChange};
use akkaflow_model::record::Record;
use akkaflow_model::text::Text;
use serde_json::json;

use crate::support::{FakeMaster, Server, id, instance_row, led_by, put};

async fn server(answer: Answer) -> (Server, FakeMaster) {
    let master = FakeMaster::saying(Ok(answer));
    let store = led_by(&master.serve().await).await;
    put(&store, 1, vec![Record::instance(instance_row())]).await;
    (Server::start(&store).await, master)
}

#[tokio::test]
async fn each_address_gives_its_command() {
    let (server, master) = server(Answer::Done).await;
    let id = id();
    let by = By {
        user: "ann".to_owned(),
        reason: "停机".to_owned(),
    };
    let said = r#"{"user": "ann", "reason": "停机"}"#;
    let name = || "日报".to_owned();
    let pool = |slots| Command::SetPool {
        name: "db".to_owned(),
        slots,
        user: String::new(),
    };
    let mark = Command::MarkNode {
        id,
        node: "a".to_owned(),
        is_skipped: true,
        by: by.clone(),
    };
    let cases = [
        (
            "POST",
            format!("instances/{}/pause", id.short()),
            said,
            Command::PauseInstance { id, by: by.clone() },
        ),
        (
            "POST",
            format!("instances/{id}/resume"),
            said,
            Command::ResumeInstance { id, by: by.clone() },
        ),
        (
            "POST",
            format!("instances/{id}/nodes/a/mark"),
            r#"{"as": "skipped", "user": "ann", "reason": "停机"}"#,
            mark,
        ),
        (
            "POST",
            "workflows/日报/suspend".to_owned(),
            said,
            Command::SuspendWorkflow {
                name: name(),
                by: by.clone(),
            },
        ),
        (
            "POST",
            "workflows/日报/resume".to_owned(),
            "",
            Command::ResumeWorkflow { name: name() },
        ),
        (
            "POST",
            "cluster/freeze".to_owned(),
            said,
            Command::Freeze { by: by.clone() },
        ),
        ("POST", "cluster/thaw".to_owned(), "", Command::Thaw),
        (
            "PUT",
            "pools/db".to_owned(),
            r#"{"slots": 3}"#,
            pool(Some(3)),
        ),
        ("DELETE", "pools/db".to_owned(), "", pool(None)),
    ];
    for (number, (method, path, body, command)) in cases.into_iter().enumerate() {
        let got = server
            .send(method, &format!("/api/v1/{path}"), &[], body)
            .await;
        assert!(got.status == 200 || got.status == 204, "{path}: {got:?}");
        assert_eq!(master.asked()[number], command, "{path}");
    }
}

#[tokio::test]
async fn what_is_missing_in_a_body_is_said() {
    let (server, master) = server(Answer::Done).await;
    for (method, path, body) in [
        ("POST", format!("instances/{}/nodes/a/mark", id()), "{}"),
        (
            "POST",
            format!("instances/{}/pause", id()),
            r#"{"who": "ann"}"#,
        ),
        ("PUT", "pools/db".to_owned(), "{}"),
        ("PUT", "pools/%20db".to_owned(), r#"{"slots": 3}"#),
        (
            "POST",
            "workflows/w/trigger-blood".to_owned(),
            r#"{"ignore_nodes": ["a"]}"#,
        ),
    ] {
        let got = server
            .send(method, &format!("/api/v1/{path}"), &[], body)
            .await;
        assert_eq!(got.status, 400, "{path}: {got:?}");
    }
    assert_eq!(master.asked(), []);
}

#[tokio::test]
async fn a_repair_shows_what_changes_in_the_language_of_the_reader() {
    let (server, master) = server(Answer::Repair {
        id: id(),
        is_applied: false,
        changes: vec![NodeChange {
            node: "a".to_owned(),
            kind: ChangeKind::Changed,
            refusal: Some(Text::new("正在运行", "it runs")),
        }],
    })
    .await;
    let path = format!("/api/v1/instances/{}/repair?lang=en", id());
    let got = server
        .post(&path, r#"{"dry_run": true, "xml": "<x/>", "user": "ann"}"#)
        .await;
    assert_eq!(
        got.json(),
        json!({"id": id().to_string(), "is_applied": false,
            "changes": [{"node": "a", "kind": "changed", "refusal": "it runs"}]})
    );
    let expected = Command::Repair {
        id: id(),
        xml: Some(b"<x/>".to_vec()),
        is_dry_run: true,
        by: By {
            user: "ann".to_owned(),
            ..By::default()
        },
    };
    assert_eq!(master.asked(), [expected]);
}

#[tokio::test]
async fn a_trigger_takes_a_business_date() {
    let (server, master) = server(Answer::Instance { id: id() }).await;
    let body = r#"{"date": "2026-11-20", "user": "ann"}"#;
    assert_eq!(
        server
            .post("/api/v1/workflows/w/trigger", body)
            .await
            .status,
        201
    );
    let path = "/akkaflow/workflow/w?action=trigger&ignore_node=&date=2026-11-20";
    server.get(path).await;
    let trigger = |user: &str| Command::Trigger {
        name: "w".to_owned(),
        ignore_nodes: Vec::new(),
        date: Some("2026-11-20".to_owned()),
        user: user.to_owned(),
    };
    assert_eq!(master.asked(), [trigger("ann"), trigger("")]);
}
