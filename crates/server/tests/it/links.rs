//! Links that were made over HTTP, used by the real programs.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Api, Place, assert_all_succeeded};

/// A password that must stand nowhere.
const CANARY: &str = "hunter2-canary-7391";

/// A workflow that asks the database of a link.
fn asks(link: &str) -> String {
    format!(
        r#"<work-flow name="asks"><start name="start" to="ask"/>
<action name="ask"><sql db-link="{link}">select 41 + 1 as answer</sql><ok to="end"/></action>
<end name="end"/></work-flow>"#
    )
}

fn put(api: &Api, place: &Place) {
    let url = format!("jdbc:sqlite:{}", place.text("dw.db"));
    let body = json!({
        "type": "SQLITE", "jdbc_url": url, "username": "u", "password": CANARY,
        "properties": {"trustStorePassword": CANARY}, "user": "li"
    });
    let (status, answer) = api.send("PUT", "/api/v1/links/db/dw", &body);
    assert_eq!(status, 200, "{answer}");
}

fn link(api: &Api) -> Value {
    let (status, link) = api.get("/api/v1/links/db/dw");
    assert_eq!(status, 200, "{link}");
    link
}

/// Files below a directory that hold the canary.
fn holding(directory: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holding(&path, found);
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes
                .windows(CANARY.len())
                .any(|it| it == CANARY.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
}

#[test]
fn a_node_uses_a_link_made_over_http_and_its_password_stands_nowhere() {
    let place = Place::new();
    let (server, api) = place.standalone();
    put(&api, &place);
    assert_eq!(link(&api)["password"], "***");
    assert_eq!(link(&api)["properties"]["trustStorePassword"], "***");
    place.drop_file("asks", &asks("dw"));
    api.wait_for_workflow("asks");
    let id = api.run("asks");
    assert_all_succeeded(&api.wait_for_end(&id), 1);
    let shown = [
        api.text("/api/v1/links"),
        api.text(&format!("/api/v1/instances/{id}/logs")),
        server.log(),
    ];
    assert!(!shown.concat().contains(CANARY), "{shown:?}");
    // The next start reads it from the store.
    server.stop();
    let (server, api) = place.standalone();
    let id = api.run("asks");
    assert_all_succeeded(&api.wait_for_end(&id), 1);
    let (status, _) = api.delete("/api/v1/links/db/dw?user=li");
    assert_eq!(status, 200);
    assert_eq!(api.get("/api/v1/links/db/dw").0, 404);
    server.stop();
    let mut found = Vec::new();
    holding(&place.path(""), &mut found);
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_missing_key_is_said_and_nothing_else_suffers() {
    let place = Place::new();
    let (server, api) = place.standalone();
    put(&api, &place);
    server.stop();
    let (key, away) = (place.path("data/config/links.key"), place.path("away"));
    std::fs::rename(&key, &away).unwrap();
    let (server, api) = place.standalone();
    api.wait("/api/v1/links", |status, _| status == 200);
    let problem = link(&api)["problem"].to_string();
    assert!(problem.contains("links.key"), "{problem}");
    assert!(server.log().contains("links.key"), "{}", server.log());
    let body = json!({"type": "SQLITE", "jdbc_url": "jdbc:sqlite:x.db"});
    let (status, refused) = api.send("PUT", "/api/v1/links/db/other", &body);
    assert_eq!(status, 409, "no second key is made: {refused}");
    place.drop_file("asks", &asks("dw"));
    api.wait_for_workflow("asks");
    let id = api.run("asks");
    let why = api.wait(&format!("/api/v1/instances/{id}/explain"), |_, why| {
        why.to_string().contains("cannot_begin")
    });
    assert!(why.to_string().contains("links.key"), "{why}");
    std::fs::rename(&away, &key).unwrap();
    assert_eq!(link(&api)["problem"], Value::Null);
    let instance = api.wait_for_end(&id);
    assert_eq!(instance["state"], "succeeded", "{instance}");
    let (_, attempts) = api.get(&format!("/api/v1/instances/{id}/attempts"));
    assert_eq!(attempts.as_array().unwrap().len(), 1, "{attempts}");
}

#[test]
fn a_name_that_stands_in_a_file_is_the_file_s() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    let body = json!({"type": "SQLITE", "jdbc_url": "jdbc:sqlite:x.db"});
    for (method, path) in [
        ("PUT", "/api/v1/links/db/local"),
        ("PATCH", "/api/v1/links/db/local"),
    ] {
        let (status, refused) = api.send(method, path, &body);
        assert_eq!(status, 409, "{refused}");
        assert!(
            refused["detail"].as_str().unwrap().contains("db_links.xml"),
            "{refused}"
        );
    }
    let (status, refused) = api.delete("/api/v1/links/db/local");
    assert_eq!(status, 409, "{refused}");
    let (_, local) = api.get("/api/v1/links/db/local");
    assert!(
        local["file"].as_str().unwrap().ends_with("db_links.xml"),
        "{local}"
    );
}

#[test]
fn what_is_wrong_with_a_link_is_said_at_once() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    let refused = |method: &str, name: &str, body: Value| {
        let (status, body) = api.send(method, &format!("/api/v1/links/db/{name}"), &body);
        (
            status,
            body["text"]["en"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let (status, said) = refused("PUT", "a", json!({"type": "DB2", "jdbc_url": "x"}));
    assert_eq!(status, 400);
    assert!(said.contains("DB2") && said.contains("username"), "{said}");
    let mysql = json!({"type": "MYSQL", "jdbc_url": "jdbc:postgresql://h/d", "username": "u", "password": CANARY});
    let (status, said) = refused("PUT", "a", mysql);
    assert_eq!(status, 400);
    assert!(
        said.contains("another product") && !said.contains(CANARY),
        "{said}"
    );
    assert_eq!(refused("PATCH", "a", json!({"username": "u"})).0, 404);
    put(&api, &place);
    let moved = json!({"jdbc_url": "jdbc:sqlite:elsewhere.db"});
    let (status, said) = refused("PATCH", "dw", moved);
    assert_eq!(status, 400);
    assert!(said.contains("password again"), "{said}");
    assert_eq!(refused("PATCH", "dw", json!({"desc": "d"})).0, 200);
    assert_eq!(
        (&link(&api)["desc"], &link(&api)["changed_by"]),
        (&json!("d"), &json!(""))
    );
}

#[test]
fn a_worker_tries_a_link_part_by_part() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    put(&api, &place);
    api.wait("/readyz", |status, _| status == 200);
    let tested = |path: &str| {
        let (status, text) = api.post(path, &json!({}));
        assert_eq!(status, 200, "{text}");
        let text = text.as_str().unwrap().to_owned();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect::<Vec<Value>>()
    };
    let parts = tested("/api/v1/links/db/dw/test");
    let names: Vec<&str> = parts
        .iter()
        .map(|part| part["part"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["connect", "read", "write", "bulk", "cancel"]);
    assert!(parts.iter().all(|part| part["works"] == true), "{parts:?}");
    let worker = parts[0]["worker"].as_str().unwrap();
    let again = tested(&format!("/api/v1/links/db/local/test?worker={worker}"));
    assert_eq!(again.len(), 5, "{again:?}");
    let (status, nobody) = api.post("/api/v1/links/db/dw/test?worker=nobody", &json!({}));
    assert_eq!(status, 503, "{nobody}");
    assert_eq!(api.post("/api/v1/links/db/unknown/test", &json!({})).0, 404);
}

/// Another key takes the place of the one that has sealed the links.
fn put_another_key(place: &Place) {
    let key = place.path("data/config/links.key");
    std::fs::write(&key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
}

#[test]
fn nothing_is_sealed_with_a_key_that_does_not_open_what_is_there() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    put(&api, &place);
    put_another_key(&place);
    let body = json!({"type": "SQLITE", "jdbc_url": "jdbc:sqlite:x.db"});
    let (status, refused) = api.send("PUT", "/api/v1/links/db/other", &body);
    assert_eq!(status, 409, "{refused}");
    let said = refused["detail"].as_str().unwrap();
    assert!(
        said.contains("db-link `dw`") && said.contains("put the right key file back"),
        "{said}"
    );
    assert_eq!(api.get("/api/v1/links/db/other").0, 404);
    let (status, answer) = api.send("PUT", "/api/v1/links/db/dw", &body);
    assert_eq!(status, 200, "it is the only one, and said anew: {answer}");
}

#[test]
fn what_was_shown_of_a_link_may_be_put_back_and_keeps_its_password() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    put(&api, &place);
    let mut shown = link(&api);
    let asked = ["type", "jdbc_url", "username", "password", "properties"];
    shown
        .as_object_mut()
        .unwrap()
        .retain(|name, _| asked.contains(&&**name));
    shown["username"] = json!("v");
    let (status, answer) = api.send("PUT", "/api/v1/links/db/dw", &shown);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(link(&api)["username"], "v");
    shown["jdbc_url"] = json!("jdbc:sqlite:elsewhere.db");
    let (status, refused) = api.send("PUT", "/api/v1/links/db/dw", &shown);
    assert_eq!(status, 400, "{refused}");
    let said = refused["detail"].as_str().unwrap();
    assert!(said.contains("give the password itself"), "{said}");
    let (status, refused) = api.send("PUT", "/api/v1/links/db/new", &shown);
    assert_eq!(status, 400, "{refused}");
}

#[test]
fn only_its_owner_reads_what_a_server_keeps() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Place::new();
    std::fs::create_dir(place.path("data")).unwrap();
    std::fs::write(place.path("data/akkaflow-log.db"), "").unwrap();
    let (_server, _api) = place.standalone();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(place.path("data")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        // SQLite makes and removes its own beside them.
        if let Ok(data) = entry.metadata()
            && name.starts_with("akkaflow")
        {
            assert_eq!(data.permissions().mode() & 0o777, 0o600, "{name}");
            found.push(name);
        }
    }
    for file in ["akkaflow.db", "akkaflow.db-wal", "akkaflow-log.db"] {
        assert!(found.iter().any(|name| name == file), "{file}: {found:?}");
    }
}

#[test]
fn links_that_cannot_work_are_listed_with_the_reason() {
    let place = Place::new();
    let (server, api) = place.standalone();
    let account = r#"username="u" password="p""#;
    let links = format!(
        r#"<db-links><link name="odd" type="MYSQL" jdbc-url="mysql://foo" {account}/><link name="old" type="ORACLE" jdbc-url="jdbc:oracle:thin:@h:1521:x" {account}/></db-links>"#
    );
    std::fs::write(place.path("data/config/db_links.xml"), links).unwrap();
    let lake = r#"<file-links><link name="lake" type="HDFS" host="h" port="8020" username="u" password=""/></file-links>"#;
    std::fs::write(place.path("data/config/file_links.xml"), lake).unwrap();
    let problem = |path: &str| api.get(path).1["problem"].to_string();
    assert!(problem("/api/v1/links/db/odd").contains("akka check"));
    for (path, product) in [
        ("/api/v1/links/db/old", "Oracle"),
        ("/api/v1/links/file/lake", "HDFS"),
    ] {
        let said = problem(path);
        assert!(
            said.contains(product) && said.contains("not supported by this version"),
            "{said}"
        );
    }
    assert!(server.log().contains("AF605"), "{}", server.log());
}
