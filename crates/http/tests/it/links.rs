//! Links over HTTP, by the new addresses and by akkaflow's.

use akkaflow_model::command::{Answer, Command, Rejection};
use akkaflow_model::db_links::Secret;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::links::{LinkEdit, LinkKey, LinkKind, Write};
use akkaflow_model::text::Text;
use serde_json::json;

use crate::support::{FakeMaster, Server};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn key(kind: LinkKind, name: &str) -> LinkKey {
    let name = name.to_owned();
    LinkKey { kind, name }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, Secret)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)))
        .collect()
}

/// What was asked of the master: the keys, and what each link shall say.
fn edits(master: &FakeMaster) -> Vec<(LinkKey, LinkEdit, String)> {
    let asked = master.asked().into_iter();
    asked
        .map(|command| match command {
            Command::PutLink { key, edit, user } => (key, edit, user),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[tokio::test]
async fn a_link_is_made_changed_and_replaced_by_what_the_body_says() {
    let master = FakeMaster::saying(Ok(Answer::Done));
    let server = Server::with_master(&master).await;
    let body = json!({
        "type": "MYSQL", "jdbc_url": "jdbc:mysql://h/d", "username": "u", "password": "PASS",
        "properties": {"a": "b"}, "user": "li"
    })
    .to_string();
    let path = "/api/v1/links/db/dw";
    let new = [("if-none-match", "*")];
    for (method, headers) in [("PUT", &new[..]), ("PUT", &[]), ("PATCH", &[])] {
        let got = server.send(method, path, headers, &body).await;
        assert_eq!((got.status, &got.json()["name"]), (200, &json!("dw")));
    }
    let said = pairs(&[
        ("type", "MYSQL"),
        ("jdbc-url", "jdbc:mysql://h/d"),
        ("username", "u"),
        ("password", "PASS"),
    ]);
    let expected = [Write::Create, Write::Put, Write::Change].map(|write| {
        let edit = LinkEdit {
            values: said.clone(),
            properties: Some(pairs(&[("a", "b")])),
            write,
        };
        (key(LinkKind::Db, "dw"), edit, "li".to_owned())
    });
    assert_eq!(edits(&master), expected);
}

#[tokio::test]
async fn a_link_is_removed_and_what_is_wrong_is_said() {
    let master = FakeMaster::saying(Ok(Answer::Done));
    let server = Server::with_master(&master).await;
    let path = "/api/v1/links/file/partner?user=li";
    let got = server.send("DELETE", path, &[], "").await;
    assert_eq!(got.status, 200);
    let removed = Command::DeleteLink {
        key: key(LinkKind::File, "partner"),
        user: "li".to_owned(),
    };
    assert_eq!(master.asked(), [removed]);
    for (method, path, body) in [
        ("GET", "/api/v1/links/dir/a", ""),
        ("PUT", "/api/v1/links/db/a", r#"{"pasword": "PASS"}"#),
        ("PATCH", "/api/v1/links/db/a", r#"{"password": 123456}"#),
        ("PATCH", "/api/v1/links/db/a", r#""PASS""#),
    ] {
        let got = server.send(method, path, &[], body).await;
        assert_eq!(got.status, 400, "{got:?}");
        let is_told = got.body.contains("PASS") || got.body.contains("123456");
        assert!(!is_told, "{got:?}");
    }
    assert_eq!(master.asked().len(), 1);
}

#[tokio::test]
async fn links_are_shown_as_the_master_lists_them() {
    let master = FakeMaster::saying(Ok(Answer::Done));
    let server = Server::with_master(&master).await;
    let list = server.get("/api/v1/links").await.json();
    assert_eq!(list.as_array().unwrap().len(), 2);
    let partner = server.get("/api/v1/links/file/partner").await.json();
    assert_eq!(partner, list[0]);
    assert_eq!(
        (&partner["type"], &partner["port"], &partner["file"]),
        (&json!("SFTP"), &json!(22), &json!("/etc/file_links.xml"))
    );
    assert_eq!(partner["changed_at"], json!(null));
    let english = [("accept-language", "en")];
    let dw = server
        .send("GET", "/api/v1/links/db/dw", &english, "")
        .await;
    assert_eq!(dw.json()["problem"], "no key");
    assert_eq!(dw.json()["changed_by"], "li");
    assert_eq!(server.get("/api/v1/links/db/partner").await.status, 404);
}

#[tokio::test]
async fn akkaflow_s_page_adds_updates_and_removes_links_in_its_words() {
    let master = FakeMaster::saying(Ok(Answer::Done));
    let server = Server::with_master(&master).await;
    let db = "name=dw&dbtype=MYSQL&jdbcUrl=jdbc%3Amysql%3A%2F%2Fh%2Fd&username=u&password=&desc=&properties=a%3Db%26c%3D%26";
    let file = "fstype=SFTP&host=h&port=22&username=u&password=PASS&desc=d";
    for (path, form) in [
        ("/akkaflow/db-link?action=add", db),
        ("/akkaflow/file-link/partner?action=update", file),
    ] {
        let got = server.send("POST", path, &[FORM], form).await;
        let got = got.json();
        assert_eq!(
            (&got["result"], &got["msg"]),
            (&json!("success"), &json!("执行成功")),
            "{got}"
        );
    }
    let expected = [
        (
            key(LinkKind::Db, "dw"),
            LinkEdit {
                values: pairs(&[
                    ("type", "MYSQL"),
                    ("jdbc-url", "jdbc:mysql://h/d"),
                    ("username", "u"),
                    ("password", ""),
                ]),
                properties: Some(pairs(&[("a", "b")])),
                write: Write::Put,
            },
            String::new(),
        ),
        (
            key(LinkKind::File, "partner"),
            LinkEdit {
                values: pairs(&[
                    ("type", "SFTP"),
                    ("host", "h"),
                    ("port", "22"),
                    ("username", "u"),
                    ("password", "PASS"),
                    ("desc", "d"),
                ]),
                properties: Some(Vec::new()),
                write: Write::Put,
            },
            String::new(),
        ),
    ];
    assert_eq!(edits(&master), expected);
    let got = server.get("/akkaflow/db-link/dw?action=del").await;
    assert_eq!(
        got.body,
        r#"{"result":"success","msg":"删除成功","data":"dw"}"#
    );
}

#[tokio::test]
async fn what_akkaflow_s_page_may_not_do_is_said_in_its_words() {
    let rejection = Rejection::new(
        ErrorCode::Conflict,
        Text::new("以文件为准", "the file counts"),
    );
    let master = FakeMaster::saying(Err(rejection));
    let server = Server::with_master(&master).await;
    let file =
        |port: &str| format!("name=a&fstype=SFTP&host=h&port={port}&username=u&password=p&desc=");
    for (path, form, msg) in [
        ("/akkaflow/file-link?action=add", file("22"), "以文件为准"),
        (
            "/akkaflow/file-link?action=add",
            file("x"),
            "端口port不为整数",
        ),
        (
            "/akkaflow/file-link?action=add",
            String::new(),
            "缺少参数name",
        ),
        (
            "/akkaflow/db-link/a?action=get",
            String::new(),
            "action参数有误",
        ),
        (
            "/akkaflow/db-link?action=update",
            String::new(),
            "action参数有误",
        ),
    ] {
        let got = server.send("POST", path, &[FORM], &form).await;
        let got = got.json();
        assert_eq!(
            (&got["result"], &got["msg"]),
            (&json!("fail"), &json!(msg)),
            "{got}"
        );
    }
}

#[tokio::test]
async fn the_parts_of_a_test_are_lines_and_a_refusal_is_a_problem() {
    let master = FakeMaster::saying(Ok(Answer::Done));
    let server = Server::with_master(&master).await;
    let got = server.post("/api/v1/links/db/dw/test", "").await;
    let lines: Vec<serde_json::Value> = got
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let line = |part: &str, works: bool| json!({"part": part, "works": works, "seconds": 1.5, "said": "no", "worker": "w1"});
    assert_eq!(lines, [line("connect", true), line("read", false)]);
    let got = server.post("/api/v1/links/db/other/test", "").await;
    assert_eq!(
        (got.status, &got.json()["detail"]),
        (503, &json!("no worker"))
    );
}
