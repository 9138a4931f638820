//! `GET /instances/{id}/capsule`: what an instance was decided from, out of the journal, without secrets.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use akkaflow_api::{CAPSULE_FORMAT, Capsule, CapsuleDefinition};
use akkaflow_model::code::SECRET_IN_CLEAR;
use akkaflow_model::id::{Epoch, InstanceId};
use akkaflow_model::read::is_secret_name;
use akkaflow_model::record::InstanceRow;
use akkaflow_model::time::Timestamp;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{App, Shared};
use crate::failure::Failure;
use crate::lookup;

/// Entries of the journal that are read at once: some megabytes.
const PAGE: u32 = 200;
/// Entries that are looked through at most: an instance that ran for days on a busy cluster.
const MOST_ENTRIES: u32 = 500_000;
/// The database stamps the journal by its own clock: so far it may differ from the master's.
const CLOCKS_DIFFER: Duration = Duration::from_secs(120);
/// What stands in place of a secret.
const HIDDEN: &str = "***";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/instances/{id}/capsule", get(capsule))
}

async fn capsule(State(app): Shared, Path(id): Path<String>) -> Result<Json<Capsule>, Failure> {
    let row = lookup::instance(&app, &id).await?;
    let id = row.id;
    let moments = moments(&app, &row).await?;
    let repaired = given(&moments, "repaired").filter_map(|given| given["version"].as_str());
    let versions: BTreeSet<&str> = admitted(&moments)
        .filter_map(|row| row["version"].as_str())
        .chain(repaired)
        .chain([row.version.0.as_str()])
        .collect();
    let mut definitions = Vec::new();
    for version in versions {
        if let Some(row) = app.store.version(version).await? {
            definitions.push(CapsuleDefinition {
                version: row.version,
                xml: row.xml,
            });
        }
    }
    let is_complete = admitted(&moments).any(|row| row["run"] == 1);
    let capsule = Capsule {
        format: CAPSULE_FORMAT.to_owned(),
        instance: id,
        workflow: row.workflow.clone(),
        time_zone: app.zone().await?.name().to_owned(),
        definitions,
        moments,
        is_complete,
        nodes: app.store.nodes(id).await?,
        attempts: app.store.attempts(id).await?,
        row,
    };
    Ok(Json(without_secrets(&app, capsule)))
}

/// The rows with which its runs begin.
fn admitted(moments: &[Value]) -> impl Iterator<Item = &Value> {
    given(moments, "admitted").map(|given| &given["row"])
}

fn given<'a>(moments: &'a [Value], kind: &str) -> impl Iterator<Item = &'a Value> {
    let all = moments
        .iter()
        .filter_map(|moment| moment["given"].as_array());
    all.flatten().filter(move |given| given["given"] == *kind)
}

#[derive(Deserialize)]
struct Entry {
    at: Timestamp,
    input: Value,
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    id: InstanceId,
    #[serde(default)]
    given: Vec<Value>,
    decisions: u32,
}

/// The instance's parts of the journal, in order.
async fn moments(app: &App, row: &InstanceRow) -> Result<Vec<Value>, Failure> {
    let millis = CLOCKS_DIFFER.as_millis() as i64;
    let from = Timestamp::from_millis(row.created_at.as_millis() - millis);
    let mut after = app.store.journal_at(from).await?;
    let last = match row.ended_at {
        Some(end) => app.store.journal_at(end.plus(CLOCKS_DIFFER)).await?,
        None => u64::MAX,
    };
    let id = row.id.to_string();
    let mut moments = Vec::new();
    for _ in 0..MOST_ENTRIES / PAGE {
        let page = app.store.journal(after, PAGE).await?;
        let Some(newest) = page.last().map(|entry| entry.seq) else {
            break;
        };
        for entry in page {
            if std::str::from_utf8(&entry.body).is_ok_and(|body| body.contains(&id)) {
                moments.extend(parts(&entry.body, entry.epoch, row.id));
            }
        }
        if newest >= last {
            break;
        }
        after = newest;
    }
    Ok(moments)
}

/// The parts of one instance in a batch. What an older version wrote has none.
fn parts(body: &[u8], epoch: Epoch, id: InstanceId) -> Vec<Value> {
    let entries: Vec<Entry> = serde_json::from_slice(body).unwrap_or_default();
    let mut found = Vec::new();
    for entry in entries {
        for part in entry.parts.into_iter().filter(|part| part.id == id) {
            let mut moment = json!({
                "epoch": epoch,
                "at": entry.at,
                "decisions": part.decisions,
            });
            if is_about(&entry.input, id) {
                moment["input"] = entry.input.clone();
            }
            if !part.given.is_empty() {
                moment["given"] = Value::Array(part.given);
            }
            found.push(moment);
        }
    }
    found
}

/// Whether an input speaks of one instance alone: a report of its worker, or an order that names it while it is open.
fn is_about(input: &Value, id: InstanceId) -> bool {
    let id = id.to_string();
    let order = &input["order"];
    // What a rerun admits and a repair brings is given.
    let is_given = matches!(
        order["order"].as_str(),
        Some("rerun" | "delete_instance" | "repair")
    );
    input["key"]["instance"] == *id || (order["id"] == *id && !is_given)
}

/// Takes out what the checker takes for secrets, wherever it stands.
fn without_secrets(app: &App, mut capsule: Capsule) -> Capsule {
    let mut secrets = BTreeSet::new();
    for definition in &capsule.definitions {
        let reading = app.definitions.read(definition.xml.as_bytes());
        let found = reading
            .diagnostics
            .iter()
            .filter(|finding| finding.code == SECRET_IN_CLEAR);
        secrets.extend(found.filter_map(|finding| {
            let text = reading.source.get(finding.span.start..finding.span.end)?;
            Some(text.to_owned())
        }));
    }
    let named = capsule
        .row
        .params
        .iter()
        .filter(|(name, _)| is_secret_name(name));
    secrets.extend(named.map(|(_, value)| value.clone()));
    secrets.retain(|secret| !secret.trim().is_empty());
    // A secret may be part of another one.
    let mut secrets: Vec<String> = secrets.into_iter().collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    if secrets.is_empty() {
        return capsule;
    }
    for definition in &mut capsule.definitions {
        hide_in(&mut definition.xml, &secrets);
    }
    capsule.moments.iter_mut().for_each(|it| hide(it, &secrets));
    let mut rest = json!({
        "row": capsule.row,
        "nodes": capsule.nodes,
        "attempts": capsule.attempts,
    });
    hide(&mut rest, &secrets);
    let kept = "only texts were replaced by texts";
    capsule.row = serde_json::from_value(rest["row"].take()).expect(kept);
    capsule.nodes = serde_json::from_value(rest["nodes"].take()).expect(kept);
    capsule.attempts = serde_json::from_value(rest["attempts"].take()).expect(kept);
    capsule
}

/// What names things and states; nothing that people write freely.
const NAMES: &[&str] = &[
    "id",
    "instance",
    "workflow",
    "version",
    "node",
    "worker",
    "host",
    "dir",
    "given",
    "input",
    "order",
    "state",
    "kind",
    "trigger",
    "at",
    "type_name",
    "ending",
    "chain",
    "cancel",
    "code",
];

fn hide(value: &mut Value, secrets: &[String]) {
    match value {
        Value::String(text) => hide_in(text, secrets),
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, secrets)),
        Value::Object(fields) => {
            for (name, value) in fields {
                // Of a name only what is a structure is looked into.
                if !(value.is_string() && NAMES.contains(&name.as_str())) {
                    hide(value, secrets);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn hide_in(text: &mut String, secrets: &[String]) {
    for secret in secrets {
        if text.contains(secret.as_str()) {
            *text = text.replace(secret.as_str(), HIDDEN);
        }
    }
}
