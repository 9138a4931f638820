//! Starts the real programs with private data directories on free ports, and ends them by their process ids.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Nothing that these tests wait for takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A started program; killed when dropped.
pub(crate) struct Program {
    child: Child,
    /// The rest of its line `ready ...`.
    pub(crate) ready: String,
    log: PathBuf,
}

impl Program {
    /// Starts a program and waits for its line `ready ...`.
    pub(crate) fn start(program: &str, log: &Path, arguments: &[&str]) -> Self {
        Self::try_start(program, log, arguments)
            .unwrap_or_else(|said| panic!("{program} did not start: {said}"))
    }

    /// The same; what it said when it ended instead.
    pub(crate) fn try_start(program: &str, log: &Path, arguments: &[&str]) -> Result<Self, String> {
        let errors = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        let mut child = Command::new(program)
            .args(arguments)
            .env_remove("AKKAFLOW_STORE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let ready = loop {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    if let Some(rest) = line.strip_prefix("ready") {
                        break rest.trim().to_owned();
                    }
                }
                Err(_) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(std::fs::read_to_string(log).unwrap_or_default());
                }
            }
        };
        Ok(Self {
            child,
            ready,
            log: log.to_owned(),
        })
    }

    /// kill -9.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A directory for one test, with `xmlconfig/` and one for each process.
pub(crate) struct Place {
    directory: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir(place.path("xmlconfig")).unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Drops a workflow file.
    pub(crate) fn drop_file(&self, name: &str, xml: &str) {
        std::fs::write(self.path("xmlconfig").join(format!("{name}.xml")), xml).unwrap();
    }

    /// Starts a standalone server on whatever port is free.
    pub(crate) fn standalone(&self) -> (Program, Api) {
        self.standalone_with(&[])
    }

    /// The same, with these variables `name=value` in its environment.
    pub(crate) fn standalone_with(&self, environment: &[&str]) -> (Program, Api) {
        let (data, workflows) = (self.text("data"), self.text("xmlconfig"));
        let command = [
            env!("CARGO_BIN_EXE_akkaflow-standalone"),
            "--data-dir",
            &data,
            "--http",
            "127.0.0.1:0",
            "--workflows",
            &workflows,
        ];
        let program = Program::start(
            "env",
            &self.path("standalone.log"),
            &[environment, &command].concat(),
        );
        let api = Api {
            url: program.ready.clone(),
        };
        (program, api)
    }

    /// How often a script has said `word` to the witness, a file outside of the system.
    pub(crate) fn witnessed(&self, word: &str) -> usize {
        let said = std::fs::read_to_string(self.path("witness")).unwrap_or_default();
        said.lines().filter(|line| *line == word).count()
    }
}

/// The HTTP API of a server.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) url: String,
}

impl Api {
    fn agent() -> ureq::Agent {
        ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into()
    }

    /// GET: status and body.
    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        match Self::agent().get(format!("{}{path}", self.url)).call() {
            Ok(answer) => read(answer),
            Err(error) => (0, Value::String(error.to_string())),
        }
    }

    /// GET as plain text.
    pub(crate) fn text(&self, path: &str) -> String {
        let mut answer = Self::agent()
            .get(format!("{}{path}", self.url))
            .header("accept", "text/plain")
            .call()
            .unwrap();
        let mut text = String::new();
        answer
            .body_mut()
            .as_reader()
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    /// POST of a JSON body.
    pub(crate) fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        match Self::agent()
            .post(format!("{}{path}", self.url))
            .send_json(body)
        {
            Ok(answer) => read(answer),
            Err(error) => (0, Value::String(error.to_string())),
        }
    }

    /// PUT or PATCH of a JSON body.
    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("content-type", "application/json")
            .body(body.to_string())
            .unwrap();
        match Self::agent().run(request) {
            Ok(answer) => read(answer),
            Err(error) => (0, Value::String(error.to_string())),
        }
    }

    /// DELETE.
    pub(crate) fn delete(&self, path: &str) -> (u16, Value) {
        match Self::agent().delete(format!("{}{path}", self.url)).call() {
            Ok(answer) => read(answer),
            Err(error) => (0, Value::String(error.to_string())),
        }
    }

    /// POST of a definition.
    pub(crate) fn put_workflow(&self, xml: &str) -> (u16, Value) {
        let request = Self::agent().post(format!("{}/api/v1/workflows", self.url));
        read(
            request
                .header("content-type", "application/xml")
                .send(xml)
                .unwrap(),
        )
    }

    /// Waits until a workflow is known.
    pub(crate) fn wait_for_workflow(&self, name: &str) {
        self.wait(&format!("/api/v1/workflows/{name}"), |status, _| {
            status == 200
        });
    }

    /// Starts an instance; its id.
    pub(crate) fn run(&self, name: &str) -> String {
        let (status, body) = self.post(
            &format!("/api/v1/workflows/{name}/runs"),
            &serde_json::json!({"params": {}}),
        );
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    /// Waits until an instance is over.
    pub(crate) fn wait_for_end(&self, id: &str) -> Value {
        self.wait(&format!("/api/v1/instances/{id}"), |_, body| {
            matches!(
                body["state"].as_str(),
                Some("succeeded" | "failed" | "killed")
            )
        })
    }

    /// Waits until what `path` answers is as wanted.
    pub(crate) fn wait(&self, path: &str, is_wanted: impl Fn(u16, &Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let (status, body) = self.get(path);
            if is_wanted(status, &body) {
                return body;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{path} still answers {status}: {body}"
            );
            pause();
        }
    }
}

/// Between two looks at something that another process brings about.
pub(crate) fn pause() {
    std::thread::park_timeout(Duration::from_millis(20));
}

/// Waits until something that a script does outside of the system has happened.
pub(crate) fn wait_until(what: &str, has_happened: impl Fn() -> bool) {
    let begun = Instant::now();
    while !has_happened() {
        assert!(begun.elapsed() < PATIENCE, "{what} has not happened");
        pause();
    }
}

fn read(mut answer: ureq::http::Response<ureq::Body>) -> (u16, Value) {
    let status = answer.status().as_u16();
    let text = answer
        .body_mut()
        .with_config()
        .limit(256 << 20)
        .read_to_string()
        .unwrap();
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

/// State of a node in an instance's body.
pub(crate) fn node_state<'a>(instance: &'a Value, name: &str) -> &'a str {
    node(instance, name)["state"].as_str().unwrap()
}

/// A node in an instance's body.
pub(crate) fn node<'a>(instance: &'a Value, name: &str) -> &'a Value {
    let nodes = instance["nodes"].as_array().unwrap();
    nodes
        .iter()
        .find(|node| node["name"] == name)
        .unwrap_or_else(|| panic!("no node {name} in {instance}"))
}

/// A workflow of a start, the given nodes and an end.
pub(crate) fn workflow(name: &str, first: &str, nodes: &str) -> String {
    format!(
        r#"<work-flow name="{name}"><start name="start" to="{first}"/>{nodes}<end name="end"/></work-flow>"#
    )
}

/// A script node.
pub(crate) fn script(name: &str, code: &str, ok: &str) -> String {
    format!(
        r#"<action name="{name}"><script><code><![CDATA[{code}]]></code></script><ok to="{ok}"/></action>"#
    )
}

/// `count` shell nodes that do nothing, one after the other.
pub(crate) fn chain_of(name: &str, count: usize) -> String {
    let nodes: String = (0..count)
        .map(|n| {
            let ok = if n + 1 == count { "end".to_owned() } else { format!("n{}", n + 1) };
            format!(r#"<action name="n{n}"><shell><command>true</command></shell><ok to="{ok}"/></action>"#)
        })
        .collect();
    workflow(name, "n0", &nodes)
}

/// `count` shell nodes side by side between a fork and a join.
pub(crate) fn fan_of(name: &str, count: usize) -> String {
    let paths: String = (0..count)
        .map(|n| format!(r#"<path to="n{n}"/>"#))
        .collect();
    let nodes: String = (0..count)
        .map(|n| format!(r#"<action name="n{n}"><shell><command>true</command></shell><ok to="join"/></action>"#))
        .collect();
    let nodes = format!(r#"<fork name="fork">{paths}</fork>{nodes}<join name="join" to="end"/>"#);
    workflow(name, "fork", &nodes)
}

/// All nodes succeeded, each in one attempt.
pub(crate) fn assert_all_succeeded(instance: &Value, count: usize) {
    assert_eq!(instance["state"], "succeeded", "{instance}");
    let nodes = instance["nodes"].as_array().unwrap();
    let actions: Vec<_> = nodes
        .iter()
        .filter(|node| node["attempts"].as_u64() > Some(0))
        .collect();
    assert_eq!(actions.len(), count);
    for node in actions {
        assert_eq!(
            (node["state"].as_str(), node["attempts"].as_u64()),
            (Some("succeeded"), Some(1)),
            "{node}"
        );
    }
}
