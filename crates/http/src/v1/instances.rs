//! Instances.

use std::sync::Arc;

use akkaflow_api::{Attempt, InstanceDetail, InstanceSummary, Killed, Reason, Rerun, Time};
use akkaflow_model::command::{Answer, Command};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::InstanceId;
use akkaflow_model::param::substitute;
use akkaflow_model::record::{CleanUp, InstanceRow};
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::{Lang, Text};
use akkaflow_rpc::command::instance_bytes;
use akkaflow_rpc::wire::NodeOf;
use akkaflow_rpc::wire::explain_request::Object;
use akkaflow_store::InstanceQuery;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono_tz::Tz;
use serde::Deserialize;

use super::workflows::{created, reasons, xml_response};
use super::{body, unexpected};
use crate::app::{App, Shared};
use crate::failure::Failure;
use crate::language::Language;
use crate::{lookup, view};

/// Most instances in one listing.
const LIST_LIMIT: u32 = 1000;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/instances", get(list))
        .route("/instances/{id}", get(detail).delete(delete))
        .route("/instances/{id}/xml", get(xml))
        .route("/instances/{id}/attempts", get(attempts))
        .route("/instances/{id}/explain", get(explain))
        .route("/instances/{id}/kill", post(kill))
        .route("/instances/{id}/rerun", post(rerun))
}

#[derive(Deserialize)]
struct ListQuery {
    /// Words of states, separated by commas.
    state: Option<String>,
    workflow: Option<String>,
    creator: Option<String>,
    /// Part of the id or of the workflow's name.
    key: Option<String>,
    /// Created at or after, RFC 3339.
    from: Option<String>,
    /// Created before, RFC 3339.
    to: Option<String>,
    limit: Option<u32>,
}

async fn list(
    State(app): Shared,
    Query(query): Query<ListQuery>,
    Language(lang): Language,
) -> Result<Json<Vec<InstanceSummary>>, Failure> {
    let query = InstanceQuery {
        states: states(query.state.as_deref())?,
        workflow: query.workflow,
        creator: query.creator,
        key: query.key,
        from: moment("from", query.from.as_deref())?.map(|time| time.0),
        to: moment("to", query.to.as_deref())?.map(|time| time.0),
        limit: query.limit.unwrap_or_default().min(LIST_LIMIT),
    };
    let rows = app.store.instances(&query).await?;
    Ok(Json(
        rows.iter().map(|row| view::summary(row, lang)).collect(),
    ))
}

fn states(words: Option<&str>) -> Result<Vec<InstanceState>, Failure> {
    let words = words.into_iter().flat_map(|words| words.split(','));
    words
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(|word| {
            InstanceState::from_word(word).ok_or_else(|| {
                Failure::invalid(
                    format!("没有[{word}]这种实例状态"),
                    format!("there is no state `{word}`"),
                )
            })
        })
        .collect()
}

fn moment(name: &str, text: Option<&str>) -> Result<Option<Time>, Failure> {
    let Some(text) = text else { return Ok(None) };
    match Time::parse(text) {
        Some(time) => Ok(Some(time)),
        None => Err(Failure::invalid(
            format!("{name}不是RFC 3339时间，例如2026-11-21T04:59:00Z"),
            format!("`{name}` is no RFC 3339 moment such as 2026-11-21T04:59:00Z"),
        )),
    }
}

async fn detail(
    State(app): Shared,
    Path(id): Path<String>,
    Language(lang): Language,
) -> Result<Json<InstanceDetail>, Failure> {
    read_detail(&app, &id, lang).await.map(Json)
}

async fn read_detail(app: &App, id: &str, lang: Lang) -> Result<InstanceDetail, Failure> {
    let id = lookup::instance_id(app, id).await?;
    // Nodes first: the instance is then at least as new, and an ended one has all its nodes.
    let nodes = app.store.nodes(id).await?;
    let row = lookup::instance(app, &id.to_string()).await?;
    let nodes = if row.state.is_terminal() {
        app.store.nodes(id).await?
    } else {
        nodes
    };
    let definition = app.definitions.get(&*app.store, &row.version).await?;
    let zone = app.zone().await?;
    let definition = definition.as_deref();
    Ok(view::detail(&row, &nodes, definition, lang, zone))
}

#[derive(Deserialize)]
struct XmlQuery {
    /// The definition as it was put, its parameters unresolved.
    #[serde(default)]
    raw: bool,
}

async fn xml(
    State(app): Shared,
    Path(id): Path<String>,
    Query(query): Query<XmlQuery>,
) -> Result<Response, Failure> {
    let row = lookup::instance(&app, &id).await?;
    let Some(version) = app.store.version(&row.version.0).await? else {
        return Err(Failure::workflow_not_found(&row.workflow));
    };
    if query.raw {
        return Ok(xml_response(version.xml));
    }
    let resolved = resolved(&version.xml, &row, app.zone().await?);
    Ok(xml_response(resolved.unwrap_or(version.xml)))
}

/// The definition with the values of the instance, as akkaflow shows it; `None` when it names one that is not defined.
fn resolved(xml: &str, row: &InstanceRow, zone: Tz) -> Option<String> {
    let escaped = |value: &str| {
        value
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;")
    };
    let params: Vec<(String, String)> = view::shown(&row.params)
        .into_iter()
        .map(|(name, value)| (name, escaped(&value)))
        .collect();
    substitute(xml, &params, row.fire_time, zone).ok()
}

async fn attempts(
    State(app): Shared,
    Path(id): Path<String>,
    Language(lang): Language,
) -> Result<Json<Vec<Attempt>>, Failure> {
    let row = lookup::instance(&app, &id).await?;
    let attempts = app.store.attempts(row.id).await?;
    Ok(Json(
        attempts
            .iter()
            .map(|attempt| view::attempt(attempt, lang))
            .collect(),
    ))
}

#[derive(Deserialize)]
struct ExplainQuery {
    /// One node of it.
    node: Option<String>,
}

async fn explain(
    State(app): Shared,
    Path(id): Path<String>,
    Query(query): Query<ExplainQuery>,
    Language(lang): Language,
) -> Result<Json<Vec<Reason>>, Failure> {
    let row = lookup::instance(&app, &id).await?;
    if row.state.is_terminal() {
        // A master knows open instances only.
        let detail = read_detail(&app, &id, lang).await?;
        return ended(&detail, query.node.as_deref(), lang).map(Json);
    }
    let instance = instance_bytes(row.id);
    let object = match query.node {
        Some(node) => Object::Node(NodeOf { instance, node }),
        None => Object::Instance(instance),
    };
    reasons(&app, object, lang).await
}

/// How an instance has ended, and those of its nodes that did not succeed; or the one asked for, however it ended.
fn ended(
    detail: &InstanceDetail,
    wanted: Option<&str>,
    lang: Lang,
) -> Result<Vec<Reason>, Failure> {
    let with_why = |head: String, why: &str| match (why.is_empty(), lang) {
        (true, _) => head,
        (false, Lang::Zh) => format!("{head}：{why}"),
        (false, Lang::En) => format!("{head}: {why}"),
    };
    let InstanceSummary {
        id,
        state,
        ended_at,
        message,
        ..
    } = &detail.summary;
    let has_ended = Text::new(
        format!("实例已结束，{}", state.label(Lang::Zh)),
        format!("the instance has ended, {}", state.label(Lang::En)),
    );
    let has_ended = has_ended.get(lang).to_owned();
    let mut reasons = vec![Reason {
        code: "ended".to_owned(),
        object: id.clone(),
        since: *ended_at,
        text: with_why(has_ended, message.as_deref().unwrap_or_default()),
    }];
    let nodes = detail.nodes.iter().filter(|node| match wanted {
        Some(wanted) => node.name == wanted,
        None => node.state != NodeState::Succeeded.as_str(),
    });
    let unreached = Text::new("没有分支通向它", "no branch led to it");
    reasons.extend(nodes.map(|node| {
        let state = NodeState::from_word(&node.state);
        let why = match &node.message {
            Some(message) => message,
            None if node.started_at.is_none() => unreached.get(lang),
            None => "",
        };
        let skipped = Text::new("未执行", "not run");
        let head = state.map_or(skipped.get(lang), |state| state.label(lang));
        Reason {
            code: node.state.clone(),
            object: node.name.clone(),
            since: node.ended_at,
            text: with_why(head.to_owned(), why),
        }
    }));
    let is_unknown = wanted.is_some() && reasons.len() == 1;
    let missed = detail.landing.iter().filter_map(|it| it.missed.as_ref());
    reasons.extend(missed.map(|missed| Reason {
        code: "deadline_missed".to_owned(),
        object: id.clone(),
        since: Some(missed.at),
        text: missed.text.clone(),
    }));
    match wanted {
        Some(node) if is_unknown => Err(Failure::new(
            ErrorCode::NotFound,
            Text::new(
                format!("实例{id}中没有节点[{node}]"),
                format!("instance {id} has no node `{node}`"),
            ),
        )),
        _ => Ok(reasons),
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct KillBody {
    /// Who asks.
    #[serde(default)]
    user: String,
}

async fn kill(
    State(app): Shared,
    Path(id): Path<String>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Killed>), Failure> {
    let KillBody { user } = body(&bytes?)?;
    let id = lookup::instance_id(&app, &id).await?;
    let state = kill_instance(&app, id, user).await?;
    let status = if state.is_terminal() {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    let id = id.to_string();
    Ok((status, Json(Killed { id, state })))
}

/// Kills an instance; its state is not terminal when its attempts are still being proven gone.
pub(crate) async fn kill_instance(
    app: &App,
    id: InstanceId,
    user: String,
) -> Result<InstanceState, Failure> {
    let outcome = app.master.execute(Command::Kill { id, user }).await;
    match outcome {
        // It may have ended another way: what a kill during the clean-up ends is the clean-up.
        Ok(Answer::Done) => Ok(app
            .store
            .instance(id)
            .await?
            .map(|row| row.state)
            .filter(|state| state.is_terminal())
            .unwrap_or(InstanceState::Killed)),
        Ok(other) => Err(unexpected(&other)),
        // A master knows open instances only; the row tells an ended one from one that never was.
        Err(failure) if failure.code == ErrorCode::NotFound => {
            Err(match app.store.instance(id).await? {
                Some(row) => over_already(&row, "不能再杀死", "there is nothing to kill"),
                None => failure,
            })
        }
        // The order may stand though the answer did not come: the row says so.
        Err(failure) if failure.code == ErrorCode::Timeout => {
            match app.store.instance(id).await?.as_ref().and_then(ends_as) {
                Some(state) => Ok(state),
                None => Err(failure),
            }
        }
        Err(failure) => Err(failure),
    }
}

/// Carries out what only an open instance takes.
pub(super) async fn change_open(
    app: &App,
    id: InstanceId,
    command: Command,
) -> Result<Answer, Failure> {
    let outcome = app.master.execute(command).await;
    if let Err(failure) = &outcome
        && failure.code == ErrorCode::NotFound
        && let Some(row) = app.store.instance(id).await?
        && row.state.is_terminal()
    {
        let (zh, en) = ("只能重跑", "it can only run again");
        return Err(over_already(&row, zh, en));
    }
    outcome
}

fn over_already(row: &InstanceRow, zh: &str, en: &str) -> Failure {
    let (id, state) = (row.id, row.state);
    Failure::new(
        ErrorCode::Conflict,
        Text::new(
            format!("工作流实例[{id}]已结束（{}），{zh}", state.label(Lang::Zh)),
            format!(
                "instance {id} has ended already ({}): {en}",
                state.label(Lang::En)
            ),
        ),
    )
}

/// The state of an instance that a kill has reached.
fn ends_as(row: &InstanceRow) -> Option<InstanceState> {
    let is_ending = row.ending == Some(InstanceState::Killed) || row.clean_up == CleanUp::Stopped;
    (is_ending || row.state == InstanceState::Killed).then_some(row.state)
}

async fn rerun(
    State(app): Shared,
    Path(id): Path<String>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let Rerun {
        recover,
        same_version,
        nodes,
        user,
    } = body(&bytes?)?;
    let id = lookup::instance_id(&app, &id).await?;
    let command = Command::Rerun {
        id,
        from_failed: recover,
        same_version,
        nodes,
        user,
    };
    created(&app, command).await
}

async fn delete(
    State(app): Shared,
    Path(id): Path<String>,
) -> Result<Json<akkaflow_api::Created>, Failure> {
    let id = lookup::instance_id(&app, &id).await?;
    match app.master.execute(Command::DeleteInstance { id }).await? {
        Answer::Done => Ok(Json(akkaflow_api::Created {
            id: id.to_string(),
            warnings: Vec::new(),
        })),
        other => Err(unexpected(&other)),
    }
}
