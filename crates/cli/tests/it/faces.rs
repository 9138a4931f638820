//! What people see of a server that answers.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::server::{Answer, serve};
use crate::text;

/// Runs the program; `lang` is a locale.
fn akka(server: &str, lang: &str, arguments: &[&str]) -> Output {
    akka_on(server, lang, None, arguments)
}

fn akka_on(server: &str, lang: &str, columns: Option<u16>, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_akka"));
    command
        .args(arguments)
        .env_remove("AKKAFLOW_LANG")
        .env_remove("COLUMNS")
        .env("AKKAFLOW_SERVER", server)
        .env("LC_ALL", lang);
    if let Some(columns) = columns {
        command.env("COLUMNS", columns.to_string());
    }
    command.output().expect("the program was built")
}

fn problems() -> Value {
    let diagnostic = |line: u32, message: &str| {
        json!({
            "code": "AF104", "severity": "error", "file": "xmlconfig/report.xml", "line": line, "column": 7,
            "width": 1, "excerpt": "<action/>", "message": message, "help": null
        })
    };
    json!([{
        "path": "xmlconfig/report.xml", "workflow": null, "found_at": "2026-11-21T01:00:00.000Z",
        "diagnostics": [diagnostic(3, "first mistake"), diagnostic(9, "second mistake")]
    }])
}

fn instance(state: &str) -> Value {
    let ended = (state != "running").then_some("2026-11-21T02:01:05.010Z");
    json!({
        "id": "01933333-3333-7333-8333-33338f3a11bb", "short_id": "8f3a11bb",
        "workflow": "每天的销售数据汇总报表与核对", "state": state, "run": 1, "trigger": "cron",
        "fire_time": "2026-11-21T01:00:00.000Z", "created_at": "2026-11-21T01:00:00.000Z",
        "started_at": "2026-11-21T01:00:00.010Z", "ended_at": ended, "message": null, "handled_errors": false,
        "dir": "/tmp", "creator": "张三丰"
    })
}

fn detail(state: &str) -> Value {
    let mut body = instance(state);
    let node = |name: &str, kind: &str, state: &str, message: Option<&str>| {
        json!({
            "name": name, "type": kind, "state": state, "attempts": 1, "worker": "w1",
            "started_at": "2026-11-21T01:00:00.010Z", "ended_at": null, "message": message,
            "desc": "a rather long description of what this node is for", "retry_at": null
        })
    };
    let waits = "no worker on host `etl-07` is attached; it waits for one";
    let more = json!({
        "params": {"stadate": "2026-11-20"}, "version": "0123456789abcdef", "ending": null,
        "desc": "a long description of the workflow that does not fit on one line of a small terminal",
        "mail_level": ["failed"], "mail_receivers": ["a@b.c"], "instance_limit": 1,
        "nodes": [node("start", "start", "succeeded", None), node("extract", "script", "ready", Some(waits))]
    });
    let object = body.as_object_mut().expect("it is an object");
    object.extend(more.as_object().expect("it is an object").clone());
    body
}

fn workflow(name: &str, desc: &str) -> Value {
    json!({
        "name": name, "dir": "/a", "creator": "张三", "desc": desc, "status": "live", "is_enabled": true,
        "cron": null, "version": "0123456789abcdef", "file": "xmlconfig/report.xml",
        "created_at": "2026-11-21T01:00:00.000Z", "updated_at": "2026-11-21T01:00:00.000Z"
    })
}

fn workflow_detail(problems: &Value) -> Value {
    let mut body = workflow("report", "d");
    let more = json!({
        "create_time": null, "mail_level": [], "mail_receivers": [], "instance_limit": 1, "used_params": [],
        "schedule": null, "dependants": [], "nodes": [], "file_problems": problems
    });
    let object = body.as_object_mut().expect("it is an object");
    object.extend(more.as_object().expect("it is an object").clone());
    body
}

fn front() -> Value {
    let days: Vec<Value> = (14..=21)
        .rev()
        .map(|day| json!({"day": format!("2026-11-{day}"), "succeeded": 12, "failed": 1, "killed": 0}))
        .collect();
    json!({
        "days": days, "waiting": [], "running": [instance("running")],
        "finished": [instance("succeeded"), instance("failed")], "file_problems": problems()
    })
}

/// A server that knows no workflow, and one file that is broken.
fn broken() -> String {
    serve(|_, path| match path {
        "/api/v1/front" => Answer::ok(front()),
        "/api/v1/file-problems" => Answer::ok(problems()),
        "/api/v1/workflows" => Answer::ok("[]"),
        path if path.starts_with("/akkaflow/") => {
            Answer::ok(r#"{"result":"fail","msg":"工作流report不存在","data":null}"#)
                .with_header("akkaflow-error-code", "not_found")
        }
        _ => Answer::problem(404, "not_found", "there is no such thing"),
    })
}

#[test]
fn a_broken_file_shows_at_the_end_of_the_overview_and_of_the_list() {
    let server = broken();
    for command in [
        &["front"][..],
        &["workflow", "list"],
        &["workflow", "-list"],
    ] {
        let said = text(&akka(&server, "zh_CN.UTF-8", command).stdout);
        let end =
            "1个工作流文件有错误，其最新内容未生效：\n  xmlconfig/report.xml:3:7 first mistake\n";
        assert!(said.ends_with(end), "{command:?}: {said}");
    }
    let said = text(&akka(&server, "C", &["workflow", "list"]).stdout);
    assert!(said.contains("1 file has problems"), "{said}");
}

#[test]
fn a_workflow_that_is_absent_because_its_file_is_broken_shows_the_mistakes() {
    let server = broken();
    for command in [
        &["workflow", "info", "report"][..],
        &["why", "report"],
        &["workflow", "run", "report"],
        &["workflow", "-run", "report"],
        &["workflow", "-info", "report"],
    ] {
        let output = akka(&server, "C", command);
        assert_eq!(output.status.code(), Some(3), "{command:?}");
        let said = text(&output.stderr);
        assert!(
            said.contains("first mistake") && said.contains("second mistake"),
            "{command:?}: {said}"
        );
        assert!(said.contains("xmlconfig/report.xml:3:7"), "{said}");
    }
    let said = text(&akka(&server, "C", &["workflow", "info", "other"]).stderr);
    assert!(!said.contains("mistake"), "{said}");
}

#[test]
fn a_second_file_of_a_workflow_is_not_blamed_on_the_first() {
    let server = serve(|_, path| match path {
        "/api/v1/workflows/report" => Answer::ok(workflow_detail(&problems())),
        _ => Answer::problem(404, "not_found", "no"),
    });
    let said = text(&akka(&server, "C", &["workflow", "info", "report"]).stdout);
    assert!(
        said.contains("another file is about this workflow"),
        "{said}"
    );
    assert!(!said.contains("last good version"), "{said}");
}

#[test]
fn a_workflow_whose_newer_file_is_broken_says_that_the_last_good_version_runs() {
    let server = serve(|_, path| match path {
        "/api/v1/workflows/report" => {
            let mut own = problems();
            own[0]["runs_on"] = json!(true);
            Answer::ok(workflow_detail(&own))
        }
        "/api/v1/workflows/report/explain" => Answer::ok("[]"),
        _ => Answer::problem(404, "not_found", "no"),
    });
    for command in [&["workflow", "-info", "report"][..], &["why", "report"]] {
        let said = text(&akka(&server, "zh_CN.UTF-8", command).stdout);
        let (before, after) = said
            .split_once("仍在使用上一个正确的版本")
            .unwrap_or_else(|| panic!("{command:?}: {said}"));
        assert!(after.contains("first mistake"), "{said}");
        assert!(!before.contains("mistake"), "{said}");
    }
}

#[test]
fn what_is_typed_wrongly_exits_with_two() {
    let server = serve(|_, _| Answer::ok("[]"));
    for command in [
        &["workflow", "run", "w", "-p", "nonsense"][..],
        &["workflow", "-run", "w", "-p", "nonsense"],
        &["workflow", "run", "w", "--date", "tomorrow"],
        &["instance", "search", "--status", "flying"],
        &["instance", "-search", "--sdate", "1.1.2026"],
        &["instance", "search", "--edate", "soon"],
        &["fly"],
    ] {
        let output = akka(&server, "C", command);
        assert_eq!(output.status.code(), Some(2), "{command:?}");
    }
    // As akkaflow has it.
    for command in [&[][..], &["instance", "-search"]] {
        let output = akka(&server, "C", command);
        assert_eq!(output.status.code(), Some(1), "{command:?}");
    }
}

#[test]
fn a_conflict_exits_with_four() {
    let server = serve(|_, _| Answer::problem(409, "conflict", "it has ended"));
    let output = akka(&server, "C", &["instance", "kill", "8f3a"]);
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn a_deleted_workflow_s_file_is_said_to_stay() {
    let server = serve(|method, path| match (method, path) {
        ("DELETE", "/api/v1/workflows/report") => {
            Answer::ok(json!({"name": "report", "file": "xmlconfig/report.xml"}))
        }
        ("DELETE", _) => Answer::ok(json!({"name": "by-api", "file": null})),
        ("GET", "/api/v1/workflows/report") => Answer::ok(workflow_detail(&json!([]))),
        _ => Answer::ok(r#"{"result":"success","msg":"成功删除工作流report","data":null}"#),
    });
    let said = text(&akka(&server, "C", &["workflow", "del", "report"]).stderr);
    assert!(
        said.contains("xmlconfig/report.xml stays")
            && said.contains("until that file changes or is dropped in again"),
        "{said}"
    );
    let output = akka(&server, "C", &["workflow", "-del", "report"]);
    assert!(
        text(&output.stderr).contains("xmlconfig/report.xml 仍在原处"),
        "{output:?}"
    );
    let expected = "{\"result\":\"success\",\"msg\":\"成功删除工作流report\",\"data\":null}\n";
    assert_eq!(text(&output.stdout), expected);
    let output = akka(&server, "C", &["workflow", "del", "by-api"]);
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn warnings_about_parameters_are_for_people_and_the_run_goes_on() {
    let server =
        serve(|_, _| Answer::of(201, json!({"id": "1", "warnings": ["did you mean `a`?"]})));
    let output = akka(&server, "C", &["workflow", "run", "w", "-p", "aa=1"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "warning: did you mean `a`?\n");
    assert_eq!(text(&output.stdout), "instance 1\n");
    let server = serve(|_, _| {
        Answer::ok("{}").with_header("akkaflow-warnings", "%E5%8F%82%E6%95%B0%0Ab%3F")
    });
    let output = akka(&server, "C", &["workflow", "-run", "w", "-p", "aa=1"]);
    assert_eq!(text(&output.stderr), "警告：参数\n警告：b?\n");
    assert_eq!(text(&output.stdout), "{}\n");
}

/// Columns of the widest line.
fn widest(said: &str) -> usize {
    said.lines()
        .map(unicode_width::UnicodeWidthStr::width)
        .max()
        .unwrap_or(0)
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let server = serve(|_, path| match path {
        "/api/v1/front" => Answer::ok(front()),
        "/api/v1/file-problems" => Answer::ok("[]"),
        "/api/v1/workflows" => Answer::ok(json!([
            workflow("每天的销售数据汇总", &"很长的描述".repeat(12)),
            workflow("b", &"a long description ".repeat(9)),
        ])),
        path if path.starts_with("/api/v1/instances?") => {
            Answer::ok(json!([instance("running"), instance("failed")]))
        }
        _ => Answer::ok(detail("running")),
    });
    for command in [
        &["front"][..],
        &["workflow", "list"],
        &["instance", "search"],
        &["instance", "info", "8f3a"],
    ] {
        for lang in ["zh_CN.UTF-8", "C"] {
            for columns in [60, 80, 100] {
                let said = text(&akka_on(&server, lang, Some(columns), command).stdout);
                let widest = widest(&said);
                assert!(
                    widest <= columns.into(),
                    "{command:?} {lang} {columns}: {widest}\n{said}"
                );
                assert!(said.lines().count() > 2, "{said}");
            }
        }
    }
    let said = text(&akka(&server, "C", &["instance", "info", "8f3a"]).stdout);
    assert!(
        said.contains("no worker on host `etl-07` is attached; it waits for one"),
        "{said}"
    );
}

#[test]
fn one_instance_is_no_instances() {
    let server = serve(|_, _| Answer::ok(json!([instance("failed")])));
    let said = text(&akka(&server, "C", &["instance", "search"]).stdout);
    assert!(said.contains("\n1 instance ("), "{said}");
}

#[test]
fn a_command_that_waits_for_a_master_says_so() {
    let server = serve(|_, path| match path {
        "/api/v1/cluster" => {
            Answer::ok(json!({"master": null, "workers": [], "http_version": "0"}))
        }
        _ => Answer::problem(503, "unavailable", "no active master")
            .after(Duration::from_millis(1800)),
    });
    for (command, expected) in [
        (
            ["workflow", "run", "w"],
            "no master answers; waiting for one",
        ),
        (["workflow", "-run", "w"], "没有master应答，正在等待"),
    ] {
        let output = akka(&server, "C", &command);
        assert_eq!(output.status.code(), Some(5));
        let said = text(&output.stderr);
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn a_run_that_is_waited_for_tells_once_why_a_node_waits() {
    let asked = AtomicUsize::new(0);
    let server = serve(move |_, path| match path {
        "/api/v1/workflows/w/runs" => Answer::of(201, json!({"id": "8f3a"})),
        "/api/v1/instances/8f3a/explain" => {
            asked.fetch_add(1, Ordering::SeqCst);
            Answer::ok(json!([{
                "code": "no_worker", "object": "etl-07", "since": null, "text": "no worker on host `etl-07`"
            }]))
        }
        // It goes on once the reason was asked for often enough to be told twice.
        _ if asked.load(Ordering::SeqCst) >= 3 => Answer::ok(detail("succeeded")),
        _ => Answer::ok(detail("running")),
    });
    let output = akka(&server, "C", &["workflow", "run", "w", "--wait"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(
        text(&output.stderr),
        "waiting: no worker on host `etl-07`\n"
    );
}

#[test]
fn the_tail_of_a_log_is_its_last_lines() {
    let line = |text: &str| json!({"time": "2026-11-21T01:00:00.000Z", "level": "INFO", "node": null, "attempt": null, "text": text});
    let server = serve(move |_, path| {
        let (lines, complete) = match path.contains("after=1") {
            false => (json!([line("one"), line("two")]), "false"),
            true => (json!([line("three")]), "true"),
        };
        Answer::ok(lines)
            .with_header("akkaflow-log-cursor", "1")
            .with_header("akkaflow-log-complete", complete)
    });
    let output = akka(&server, "C", &["instance", "log", "8f3a", "--tail", "2"]);
    let said = text(&output.stdout);
    assert!(
        said.contains("two") && said.contains("three") && !said.contains("one"),
        "{said}"
    );
    let output = akka(&server, "C", &["instance", "log", "8f3a", "--tail", "x"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn the_log_of_a_run_that_was_waited_for_is_printed_to_its_last_line_however_long_that_takes() {
    let server = serve(|_, path| {
        let Some((_, after)) = path.split_once("/logs?after=") else {
            return match path {
                "/api/v1/workflows/w/runs" => Answer::of(201, json!({"id": "8f3a"})),
                _ => Answer::ok(detail("succeeded")),
            };
        };
        let page: u32 = after
            .split('&')
            .next()
            .and_then(|it| it.parse().ok())
            .unwrap_or(0);
        let line = json!({"time": "2026-11-21T01:00:00.000Z", "level": "INFO", "node": null, "attempt": null, "text": format!("page {page}")});
        Answer::ok(json!([line]))
            .with_header("akkaflow-log-cursor", page + 1)
            .with_header("akkaflow-log-complete", page == 5)
            .after(Duration::from_millis(800))
    });
    let output = akka(&server, "C", &["workflow", "run", "w", "--wait", "--log"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = text(&output.stdout);
    let pages: Vec<&str> = said
        .lines()
        .filter_map(|line| line.split_once("page "))
        .map(|(_, page)| page)
        .collect();
    assert_eq!(pages, ["0", "1", "2", "3", "4", "5"], "{said}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_run_that_was_waited_for_takes_a_line_for_each_node_that_did_something() {
    let ended = |state: &str, message: Value| {
        let mut body = detail(state);
        body["message"] = json!("node `extract` failed");
        body["nodes"][1]["state"] = json!(state);
        body["nodes"][1]["ended_at"] = json!("2026-11-21T01:00:02.010Z");
        body["nodes"][1]["message"] = message;
        body
    };
    let run = |body: Value| {
        let server = serve(move |_, path| match path {
            "/api/v1/workflows/w/runs" => Answer::of(201, json!({"id": "8f3a"})),
            _ => Answer::ok(&body),
        });
        text(&akka(&server, "C", &["workflow", "run", "w", "--wait"]).stdout)
    };
    let lines =
        |said: &str| -> Vec<String> { said.lines().map(|line| line.trim().to_owned()).collect() };
    let name = "每天的销售数据汇总报表与核对";
    let good = run(ended("succeeded", Value::Null));
    let expected = [
        "instance 8f3a",
        "extract:  succeeded 2.000s",
        &format!("instance 8f3a11bb of {name}: succeeded, 1h 1m 5s"),
    ];
    assert_eq!(lines(&good), expected, "{good}");
    let bad = run(ended("failed", json!("exit code 3")));
    let expected = [
        "instance 8f3a",
        "extract:  failed 2.000s: exit code 3",
        &format!("instance 8f3a11bb of {name}: failed, 1h 1m 5s"),
    ];
    assert_eq!(lines(&bad), expected, "{bad}");
}

#[test]
fn without_a_master_the_list_of_mails_says_so_and_keeps_the_zone_of_the_cluster() {
    let mail = json!({
        "id": "01933333-3333-7333-8333-33338f3a11bb.1.ended", "kind": "ended", "subject": "report failed",
        "workflow": "report", "instance": "01933333-3333-7333-8333-33338f3a11bb", "node": null,
        "born_at": "2026-11-21T01:00:00.000Z", "receivers": ["a@b.c"], "state": "waiting", "tries": 1,
        "tried_at": null, "next_at": "2026-11-21T02:00:00.000Z", "accepted": [], "refused": [], "error": "nobody answers"
    });
    let server = serve(move |_, path| match path {
        "/api/v1/cluster" => Answer::ok(
            json!({"master": null, "workers": [], "time_zone": "Asia/Shanghai", "http_version": "0"}),
        ),
        _ => Answer::ok(json!({"mail_server": null, "has_master": false, "mails": [mail]})),
    });
    let said = text(&akka(&server, "C", &["mail", "list"]).stdout);
    assert!(said.starts_with("no active master"), "{said}");
    assert!(said.contains("2026-11-21 09:00:00"), "{said}");
    assert!(
        said.contains("nobody answers; tried 1 time, next at 2026-11-21 10:00:00"),
        "{said}"
    );
    let narrow = text(&akka_on(&server, "C", Some(60), &["mail", "list"]).stdout);
    let words = narrow.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("nobody answers; tried 1 time, next at 2026-11-21 10:00:00"),
        "{narrow}"
    );
    for limit in ["0", "501"] {
        let output = akka(&server, "C", &["mail", "list", "--limit", limit]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
}

#[test]
fn attempts_are_readable_on_sixty_columns() {
    let attempt = json!({
        "node": "extract", "run": 1, "attempt": 2, "state": "succeeded", "worker": "etl-07-e67226", "host": "etl-07-e67226", "log_length": 0,
        "assigned_at": "2026-11-21T01:00:00.000Z", "accepted_at": null, "ended_at": "2026-11-21T01:00:02.000Z", "exit_code": 0,
        "message": "all of it is there, and nothing had to be done again by hand", "figures": {"cpu_millis": 12}
    });
    let server = serve(move |_, _| Answer::ok(json!([attempt])));
    let said = text(&akka_on(&server, "C", Some(60), &["instance", "attempts", "8f3a"]).stdout);
    assert!(said.contains("succeeded") && widest(&said) <= 60, "{said}");
    assert!(said.contains("(no room for: "), "{said}");
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("extract 2: all of it is there, and nothing had to be done again by hand"),
        "{said}"
    );
}
