//! `akka link`, with a server that says what the test wants.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::server::{Answer, serve_bodies};
use crate::{file, text};

/// Runs the program with something on its standard input.
fn akka(server: &str, lang: &str, input: &str, arguments: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_akka"))
        .args(arguments)
        .env_remove("AKKAFLOW_LANG")
        .env("AKKAFLOW_SERVER", server)
        .env("LC_ALL", lang)
        .env("USER", "li")
        .env("COLUMNS", "200")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program was built");
    let mut stdin = child.stdin.take().expect("it is piped");
    // A program that does not read has ended already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it was started")
}

fn link(kind: &str, name: &str) -> Value {
    json!({
        "kind": kind, "name": name, "type": "MYSQL", "jdbc_url": "jdbc:mysql://h/d?password=***",
        "host": null, "port": null, "username": "etl", "password": "***", "key_file": null,
        "desc": "the warehouse", "properties": {"a": "b"}, "file": null,
        "changed_at": "2026-11-21T01:00:00.000Z", "changed_by": "wang", "problem": null
    })
}

fn links() -> Value {
    let mut in_file = link("file", "both");
    in_file["file"] = json!("/etc/akkaflow/file_links.xml");
    in_file["changed_at"] = Value::Null;
    let mut sealed = link("db", "lost");
    sealed["problem"] = json!("there is no key file");
    json!([link("db", "dw"), in_file, link("db", "both"), sealed])
}

type Asked = Arc<Mutex<Vec<(String, String, String)>>>;

/// A server, and what it was asked: method, path and body.
fn server() -> (String, Asked) {
    let asked = Asked::default();
    let notes = Arc::clone(&asked);
    let server = serve_bodies(move |method, path, body| {
        match (method, path) {
            ("GET", "/api/v1/links") => return Answer::ok(links()),
            ("GET", "/api/v1/links/db/dw") => return Answer::ok(link("db", "dw")),
            ("GET", "/api/v1/links/file/both") => return Answer::ok(links()[1].clone()),
            ("POST", _) => {
                let part = |part: &str, works: bool| json!({"part": part, "works": works, "seconds": 0.012, "said": "said", "worker": "w1"});
                let is_good = path.contains("/dw/");
                return Answer::ok(format!(
                    "{}\n{}\n",
                    part("connect", true),
                    part("read", is_good)
                ));
            }
            _ => {}
        }
        let one = (method.to_owned(), path.to_owned(), body.to_owned());
        notes.lock().expect("no panic while held").push(one);
        Answer::ok(json!({"name": "dw"}))
    });
    (server, asked)
}

#[test]
fn links_are_listed_with_where_they_are_kept_and_what_is_wrong() {
    let (server, _) = server();
    let output = akka(&server, "C", "", &["link", "list"]);
    let said = text(&output.stdout);
    for part in [
        "dw",
        "/etc/akkaflow/file_links.xml",
        "akka link",
        "there is no key file",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = text(&akka(&server, "zh_CN.UTF-8", "", &["link", "show", "dw"]).stdout);
    for part in ["用户名", "etl", "***", "a=b", "wang"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let output = akka(&server, "C", "", &["link", "list", "--json"]);
    let printed: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(printed, links());
}

#[test]
fn a_password_comes_from_standard_input_or_a_file_and_what_is_not_said_is_not_sent() {
    let (server, asked) = server();
    let url = "jdbc:mysql://h/d";
    let new = [
        "link",
        "add",
        "dw",
        "--type",
        "mysql",
        "--url",
        url,
        "--username",
        "etl",
    ];
    let add = [&new[..], &["--property", "a=b=c", "--password-stdin"]].concat();
    let output = akka(&server, "C", "hunter 2\n", &add);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let kept = file("password", "hunter3\nand more\n");
    let set = ["link", "set", "dw", "--password-file", &kept];
    assert_eq!(akka(&server, "C", "", &set).status.code(), Some(0));
    let none = ["link", "set", "dw", "--no-password", "--desc", ""];
    assert_eq!(akka(&server, "C", "", &none).status.code(), Some(0));
    assert_eq!(
        akka(&server, "C", "", &["link", "remove", "dw"])
            .status
            .code(),
        Some(0)
    );
    let asked = asked.lock().expect("no panic while held").clone();
    let bodies: Vec<(&str, &str, Value)> = asked
        .iter()
        .map(|(method, path, body)| {
            (
                &**method,
                &**path,
                serde_json::from_str(body).unwrap_or_default(),
            )
        })
        .collect();
    let path = "/api/v1/links/db/dw";
    let added = json!({
        "type": "mysql", "jdbc_url": url, "username": "etl", "password": "hunter 2",
        "properties": {"a": "b=c"}, "user": "li"
    });
    let expected = [
        ("PUT", path, added),
        ("PATCH", path, json!({"password": "hunter3", "user": "li"})),
        (
            "PATCH",
            path,
            json!({"password": "", "desc": "", "user": "li"}),
        ),
        ("DELETE", "/api/v1/links/db/dw?user=li", Value::Null),
    ];
    assert_eq!(bodies, expected);
}

#[test]
fn a_password_that_others_could_see_is_refused_and_so_is_one_that_cannot_be_asked_for() {
    let (server, asked) = server();
    let of = |url: &'static str, rest: &[&'static str]| {
        let new = [
            "link",
            "add",
            "dw",
            "--type",
            "MYSQL",
            "--url",
            url,
            "--username",
            "u",
        ];
        [&new[..], rest].concat()
    };
    let cases = [
        (
            of("jdbc:mysql://h/d?password=hunter2", &["--no-password"]),
            "--url",
        ),
        (
            of(
                "jdbc:mysql://h/d",
                &["--no-password", "--property", "trustPassword=hunter2"],
            ),
            "--property",
        ),
        (of("jdbc:mysql://h/d", &[]), "--password-stdin"),
        (
            of("jdbc:mysql://h/d", &["--no-password", "--property", "x"]),
            "NAME=VALUE",
        ),
        (vec!["link", "add", "dw", "--type", "DB2"], "POSTGRESQL"),
        (vec!["link", "show", "both"], "--kind"),
        (
            of("jdbc:mysql://h/d", &["--no-password", "--password-stdin"]),
            "--no-password",
        ),
    ];
    for (arguments, words) in cases {
        let output = akka(&server, "C", "", &arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(words), "{words}: {said}");
    }
    let unknown = akka(&server, "C", "", &["link", "show", "nowhere"]);
    assert_eq!(unknown.status.code(), Some(3));
    assert_eq!(asked.lock().expect("no panic while held").len(), 0);
}

#[test]
fn a_test_says_each_part_and_fails_when_one_does() {
    let (server, _) = server();
    let output = akka(&server, "C", "", &["link", "test", "dw"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in ["tried by worker w1", "connect", "works", "0.012s", "said"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let bad = ["link", "test", "lost", "--json"];
    let output = akka(&server, "C", "", &bad);
    assert_eq!(output.status.code(), Some(1));
    let lines = text(&output.stdout);
    let parts: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    assert_eq!(parts[1]["works"], false);
    let output = akka(&server, "zh_CN.UTF-8", "", &["link", "test", "lost"]);
    assert!(text(&output.stdout).contains("失败"));
}

#[test]
fn an_empty_password_is_refused_unless_it_is_said_that_there_is_none() {
    let (server, asked) = server();
    let empty = file("empty", "\n");
    for given in [&["--password-file", &empty][..], &["--password-stdin"]] {
        let set = [&["link", "set", "dw"], given].concat();
        let output = akka(&server, "C", "", &set);
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output.stderr);
        assert!(said.contains("--no-password"), "{said}");
    }
    assert!(asked.lock().expect("no panic while held").is_empty());
}

#[test]
fn whoever_removes_a_link_of_a_file_s_name_hears_that_the_file_s_stays() {
    let (server, _) = server();
    let remove = |name: &str, kind: &str| {
        let output = akka(&server, "C", "", &["link", "remove", name, "--kind", kind]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let said = remove("both", "file");
    assert!(
        said.contains("/etc/akkaflow/file_links.xml stays in force"),
        "{said}"
    );
    assert_eq!(remove("dw", "db").trim(), "removed link dw");
}
