//! The examples of action types that reach out, by the real programs.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Api, Place, assert_all_succeeded, node, wait_until, workflow};
use crate::values::drop_examples;

/// Runs an example with values for its parameters to its end.
fn run(api: &Api, name: &str, params: &Value) -> (String, Value) {
    let path = format!("/api/v1/workflows/{name}/runs");
    let (status, body) = api.post(&path, &json!({ "params": params }));
    assert_eq!(status, 201, "{body}");
    let id = body["id"].as_str().unwrap().to_owned();
    let instance = api.wait_for_end(&id);
    (id, instance)
}

/// Waits until the log of an instance holds a text.
fn wait_for_log(api: &Api, id: &str, text: &str) {
    api.wait(&format!("/api/v1/instances/{id}/logs"), |_, lines| {
        lines.to_string().contains(text)
    });
}

#[test]
fn the_example_of_http_calls_a_service_and_hands_on_what_it_says() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    drop_examples(&place, &api, &["http"]);
    let (id, instance) = run(&api, "http", &json!({"base": api.url}));
    assert_all_succeeded(&instance, 3);
    let (_, cluster) = api.get("/api/v1/cluster");
    let version = cluster["http_version"].as_str().unwrap();
    assert_eq!(
        node(&instance, "ask")["outputs"],
        json!({"http_version": version})
    );
    wait_for_log(&api, &id, &format!("http-server {version}"));
}

#[test]
fn the_example_of_python_runs_with_packages_and_without() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    drop_examples(&place, &api, &["python"]);
    let wheel = place.path("probe-1.0-py3-none-any.whl");
    let make = format!(
        "import zipfile\n\
         z = zipfile.ZipFile({wheel:?}, 'w')\n\
         z.writestr('probe-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: probe\\nVersion: 1.0\\n')\n\
         z.writestr('probe-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n\
         z.writestr('probe-1.0.dist-info/RECORD', '')\n\
         z.close()\n"
    );
    let made = std::process::Command::new("python3")
        .args(["-c", &make])
        .status();
    assert!(made.unwrap().success());
    let packages = wheel.display().to_string();
    let (id, instance) = run(&api, "python", &json!({ "packages": packages }));
    assert_all_succeeded(&instance, 2);
    wait_for_log(&api, &id, "median 2.0");
    wait_for_log(&api, &id, "probe 1.0");
    assert!(place.path("data").exists());
}

#[test]
fn the_example_of_the_file_monitor_looks_twice_and_fails_with_akkaflows_words() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    drop_examples(&place, &api, &["file_monitor"]);
    let folder = place.path("in/2026");
    std::fs::create_dir_all(&folder).unwrap();
    for file in ["orders_1.csv", "orders_2.csv"] {
        std::fs::write(folder.join(file), [b'x'; 1024]).unwrap();
    }
    let (_, instance) = run(&api, "file_monitor", &json!({"in": place.text("in")}));
    assert_eq!(instance["state"], "succeeded", "{instance}");
    let orders = node(&instance, "orders");
    assert_eq!(orders["attempts"], 2, "it is looked at twice: {orders}");
    let once = std::fs::read_to_string(example("file_monitor"))
        .unwrap()
        .replace("name=\"file_monitor\"", "name=\"monitor_once\"")
        .replace("retry-times=\"10\"", "retry-times=\"0\"");
    let (status, body) = api.put_workflow(&once);
    assert_eq!(status, 200, "{body}");
    let nothing = json!({"in": place.text("nothing")});
    let (id, instance) = run(&api, "monitor_once", &nothing);
    assert_eq!(instance["state"], "failed", "{instance}");
    let (_, instance) = api.get(&format!("/api/v1/instances/{id}?lang=zh"));
    let said = node(&instance, "orders").to_string();
    for words in ["个数为0,少于阈值2", "自定义信息: 订单未到"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn what_the_example_of_the_data_monitor_has_seen_is_kept_for_each_run() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    drop_examples(&place, &api, &["data_monitor"]);
    let ids = [(); 2].map(|()| {
        let (id, instance) = run(&api, "data_monitor", &json!({}));
        assert_all_succeeded(&instance, 1);
        id
    });
    let (_, seen) = api.get("/api/v1/workflows/data_monitor/measurements?node=rows");
    let seen = seen.as_array().unwrap();
    assert_eq!(seen.len(), 2, "{seen:?}");
    for (row, id) in seen.iter().zip(ids.iter().rev()) {
        assert_eq!(row["instance"], **id);
        assert_eq!(
            (&row["value"], &row["min"], &row["max"]),
            (&json!(2), &json!(1), &json!(100))
        );
    }
    let (_, attempts) = api.get(&format!("/api/v1/instances/{}/attempts", ids[0]));
    assert_eq!(
        attempts[0]["figures"]["measured"]["value"], "2",
        "{attempts}"
    );
}

/// Whether a process of that id does something still.
fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest);
    state.is_some_and(|rest| !rest.starts_with(['Z', 'X']))
}

#[test]
fn the_command_of_a_monitor_dies_with_an_agent_that_is_killed_whatever_it_ignores() {
    let place = Place::new();
    let (server, api) = place.standalone();
    let pids = place.text("pids");
    let command = format!(
        "trap '' TERM HUP INT PIPE; sleep 600 &amp; echo $! $$ &gt; {pids}; mv {pids} {pids}.there; wait"
    );
    let monitor = format!(
        r#"<action name="look"><data-monitor><source type="COMMAND">{command}</source></data-monitor><ok to="end"/></action>"#
    );
    place.drop_file("looks", &workflow("looks", "look", &monitor));
    api.wait_for_workflow("looks");
    api.run("looks");
    let there = place.path("pids.there");
    wait_until("the start of the command", || there.exists());
    let pids = std::fs::read_to_string(&there).unwrap();
    assert!(pids.split_whitespace().all(lives), "{pids}");
    server.kill();
    wait_until("the end of the command", || {
        !pids.split_whitespace().any(lives)
    });
}

fn example(name: &str) -> String {
    format!("{}/../../examples/{name}.xml", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_example_of_the_file_executor_brings_its_files_from_the_master() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let (_server, api) = place.standalone();
    drop_examples(&place, &api, &["file_executor"]);
    let jobs = place.path("jobs");
    std::fs::create_dir(&jobs).unwrap();
    let program = |text: &str| {
        let path = jobs.join("clean.sh");
        std::fs::write(&path, text).unwrap();
        // It need not be executable on the master.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    program("#!/bin/sh\necho \"$1 with $(cat rules.csv)\"\n");
    std::fs::write(jobs.join("rules.csv"), "规则").unwrap();
    let params = json!({"jobs": place.text("jobs")});
    let (id, instance) = run(&api, "file_executor", &params);
    assert_all_succeeded(&instance, 1);
    wait_for_log(&api, &id, "full with 规则");
    program("#!/bin/sh\necho worse >&2; exit 9\n");
    let (_, instance) = run(&api, "file_executor", &params);
    assert_eq!(instance["state"], "failed", "B10: {instance}");
    let said = node(&instance, "clean").to_string();
    assert!(said.contains('9') && said.contains("worse"), "{said}");
}

#[test]
fn the_example_of_ssh_runs_on_another_machine() {
    let Ok(url) = std::env::var("AKKAFLOW_TEST_SSH_URL") else {
        let must = std::env::var("AKKAFLOW_TEST_REQUIRE_SERVERS").is_ok_and(|value| value == "1");
        assert!(!must, "AKKAFLOW_TEST_SSH_URL is not set");
        return;
    };
    let (user, address) = url.strip_prefix("ssh://").unwrap().split_once('@').unwrap();
    let (host, port) = address.rsplit_once(':').unwrap();
    let place = Place::new();
    let config = place.path("data/config");
    std::fs::create_dir_all(&config).unwrap();
    let copy = |variable: &str, name: &str| {
        std::fs::copy(
            std::env::var(variable).unwrap(),
            Path::new(&config).join(name),
        )
        .unwrap()
    };
    copy("AKKAFLOW_TEST_SSH_KEY", "id");
    copy("AKKAFLOW_TEST_SSH_KNOWN_HOSTS", "known_hosts");
    let link = format!(
        r#"<file-links><link name="etl-host" type="SFTP" host="{host}" port="{port}" username="{user}" key-file="id"/></file-links>"#
    );
    std::fs::write(config.join("file_links.xml"), link).unwrap();
    let (_server, api) = place.standalone();
    drop_examples(&place, &api, &["ssh"]);
    let (id, instance) = run(&api, "ssh", &json!({}));
    assert_all_succeeded(&instance, 2);
    let files = node(&instance, "count")["outputs"]["files"]
        .as_str()
        .unwrap();
    assert!(files.parse::<u32>().unwrap() > 0);
    wait_for_log(&api, &id, &format!("{files} files"));
}
