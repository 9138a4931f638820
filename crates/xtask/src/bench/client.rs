//! The HTTP API as the benchmark uses it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::moment;

/// After this long without an end a run has failed.
const PATIENCE: Duration = Duration::from_secs(300);

/// One keep-alive connection to a front door.
#[derive(Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
}

/// An instance that has ended with every node succeeded.
#[derive(Debug)]
pub(crate) struct Finished {
    /// When it ended, in milliseconds since 1970.
    pub(crate) ended_ms: f64,
}

impl Client {
    /// A client of `http://HOST:PORT`.
    pub(crate) fn new(base: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build();
        Self {
            agent: config.into(),
            base: base.to_owned(),
        }
    }

    /// Whether work is accepted.
    pub(crate) fn is_ready(&self) -> bool {
        self.agent
            .get(format!("{}/readyz", self.base))
            .call()
            .is_ok_and(|answer| answer.status() == 200)
    }

    /// Puts a workflow in force.
    pub(crate) fn put(&self, xml: &str) -> Result<()> {
        let request = self
            .agent
            .post(format!("{}/api/v1/workflows", self.base))
            .content_type("application/xml");
        let mut answer = request.send(xml)?;
        let status = answer.status();
        let body = answer.body_mut().read_to_string()?;
        ensure!(
            status == 200,
            "the workflow was refused with {status}: {body}"
        );
        Ok(())
    }

    /// A workflow as it is in force; `None` when there is none of that name.
    pub(crate) fn workflow(&self, name: &str) -> Result<Option<Value>> {
        let mut answer = self
            .agent
            .get(format!("{}/api/v1/workflows/{name}", self.base))
            .call()?;
        let status = answer.status();
        let body: Value = answer.body_mut().read_json()?;
        ensure!(
            status == 200 || status == 404,
            "the workflow {name} cannot be read, {status}: {body}"
        );
        Ok((status == 200).then_some(body))
    }

    /// Runs a workflow; its instance's id.
    pub(crate) fn run(&self, workflow: &str) -> Result<String> {
        let request = self
            .agent
            .post(format!("{}/api/v1/workflows/{workflow}/runs", self.base));
        let mut answer = request.send_json(json!({"params": {}}))?;
        let status = answer.status();
        let body: Value = answer
            .body_mut()
            .read_json()
            .with_context(|| format!("answer {status}"))?;
        ensure!(status == 201, "the run was refused with {status}: {body}");
        Ok(body["id"]
            .as_str()
            .context("the answer has no id")?
            .to_owned())
    }

    /// Waits for the end of an instance, looking every `pause`; all its nodes must have succeeded, and `actions` of
    /// them must be actions.
    pub(crate) fn wait(&self, id: &str, actions: usize, pause: Duration) -> Result<Finished> {
        let since = Instant::now();
        loop {
            let instance = self.instance(id)?;
            if is_end(&instance) {
                return check(&instance, actions).with_context(|| format!("instance {id}"));
            }
            ensure!(
                since.elapsed() < PATIENCE,
                "instance {id} has not ended within {PATIENCE:?}: {}",
                open(&instance)
            );
            std::thread::sleep(pause);
        }
    }

    /// Kills an instance; what is left of it once it has ended.
    pub(crate) fn kill(&self, id: &str) -> Result<Value> {
        let request = self
            .agent
            .post(format!("{}/api/v1/instances/{id}/kill", self.base));
        let answer = request.send_json(json!({}))?;
        let status = answer.status();
        ensure!(status.is_success(), "the kill was refused with {status}");
        let since = Instant::now();
        loop {
            let instance = self.instance(id)?;
            if is_end(&instance) {
                return Ok(instance);
            }
            ensure!(
                since.elapsed() < PATIENCE,
                "instance {id} outlives its kill: {}",
                open(&instance)
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn instance(&self, id: &str) -> Result<Value> {
        let mut answer = self
            .agent
            .get(format!("{}/api/v1/instances/{id}", self.base))
            .call()?;
        let status = answer.status();
        let body = answer
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_json()
            .context("read the instance")?;
        ensure!(
            status == 200,
            "the instance {id} cannot be read, {status}: {body}"
        );
        Ok(body)
    }
}

fn is_end(instance: &Value) -> bool {
    matches!(
        instance["state"].as_str(),
        Some("succeeded" | "failed" | "killed")
    )
}

fn open(instance: &Value) -> String {
    let nodes = instance["nodes"].as_array().into_iter().flatten();
    let open = nodes.filter(|node| node["ended_at"].is_null());
    let open: Vec<String> = open
        .take(5)
        .map(|node| format!("{} is {}", node["name"], node["state"]))
        .collect();
    open.join(", ")
}

fn check(instance: &Value, actions: usize) -> Result<Finished> {
    let nodes = instance["nodes"]
        .as_array()
        .context("the instance has no nodes")?;
    for node in nodes {
        if node["state"] != "succeeded" {
            bail!(
                "node {} is {}: {}",
                node["name"],
                node["state"],
                node["message"]
            );
        }
    }
    ensure!(
        instance["state"] == "succeeded",
        "it has {}: {}",
        instance["state"],
        instance["message"]
    );
    let is_control = |node: &&Value| {
        matches!(
            node["type"].as_str(),
            Some("start" | "fork" | "join" | "end" | "kill")
        )
    };
    let tried: Vec<u64> = nodes
        .iter()
        .filter(|node| !is_control(node))
        .filter_map(|node| node["attempts"].as_u64())
        .collect();
    ensure!(
        tried.len() == actions,
        "{} action nodes instead of {actions}",
        tried.len()
    );
    ensure!(
        tried.iter().all(|attempts| *attempts == 1),
        "some nodes needed more than one attempt"
    );
    let ended = instance["ended_at"]
        .as_str()
        .context("it has ended without saying when")?;
    Ok(Finished {
        ended_ms: moment::parse_ms(ended)?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{check, is_end};

    fn instance(node_state: &str, attempts: u32) -> Value {
        json!({"state": "succeeded", "ended_at": "1970-01-01T00:00:01.000Z", "nodes": [
            {"name": "start", "type": "start", "state": "succeeded", "attempts": 0},
            {"name": "n1", "type": "shell", "state": node_state, "attempts": attempts, "message": "exit 1"}]})
    }

    #[test]
    fn a_run_whose_nodes_all_succeeded_counts() {
        assert!(is_end(&instance("succeeded", 1)));
        assert_eq!(
            check(&instance("succeeded", 1), 1).unwrap().ended_ms,
            1000.0
        );
    }

    #[test]
    fn a_run_with_a_failed_repeated_or_missing_node_does_not_count() {
        assert!(
            check(&instance("failed", 1), 1)
                .unwrap_err()
                .to_string()
                .contains("exit 1")
        );
        assert!(check(&instance("succeeded", 2), 1).is_err());
        assert!(check(&instance("succeeded", 1), 2).is_err());
    }
}
