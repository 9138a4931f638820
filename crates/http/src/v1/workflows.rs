//! Workflows.

use std::sync::Arc;

use akkaflow_api::{
    Chain, Created, Deleted, Diagnostic, Named, Put, Run, Trigger, WorkflowDetail, WorkflowSummary,
};
use akkaflow_model::command::{Answer, Command};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::record::WorkflowStatus;
use akkaflow_model::text::Lang;
use akkaflow_rpc::wire::explain_request::Object;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use super::{body, by, check, unexpected, unused};
use crate::app::{App, Shared};
use crate::failure::Failure;
use crate::language::Language;
use crate::{lookup, view};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/workflows", get(list).post(put))
        .route("/workflows/check", post(check_only))
        .route("/workflows/reset", post(reset_all))
        .route("/workflows/{name}", get(detail).delete(delete))
        .route("/workflows/{name}/xml", get(xml))
        .route("/workflows/{name}/runs", post(run))
        .route("/workflows/{name}/trigger", post(trigger))
        .route("/workflows/{name}/trigger-blood", post(trigger_blood))
        .route("/workflows/{name}/reset", post(reset))
        .route("/workflows/{name}/suspend", post(suspend))
        .route("/workflows/{name}/resume", post(resume))
        .route("/workflows/{name}/explain", get(explain))
}

#[derive(Deserialize)]
struct ListQuery {
    /// Only this folder and those below it.
    dir: Option<String>,
    /// Only names that contain it.
    key: Option<String>,
}

async fn list(
    State(app): Shared,
    Language(lang): Language,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<WorkflowSummary>>, Failure> {
    let mut all = view::workflow_summaries(&app, lang).await?;
    if let Some(dir) = &query.dir {
        let dir = dir.trim_end_matches('/');
        let lies_in = |path: &str| {
            path.strip_prefix(dir)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        all.retain(|workflow| lies_in(&workflow.dir));
    }
    if let Some(key) = &query.key {
        all.retain(|workflow| workflow.name.contains(key.as_str()));
    }
    Ok(Json(all))
}

#[derive(Deserialize)]
struct PutQuery {
    path: Option<String>,
    #[serde(default)]
    check: bool,
}

async fn put(
    State(app): Shared,
    Query(query): Query<PutQuery>,
    Language(lang): Language,
    xml: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let xml = xml?;
    if query.check {
        let checked = check(&app, &xml, query.path.as_deref(), lang).await?;
        return Ok(Json(checked).into_response());
    }
    let command = Command::PutWorkflow {
        xml: xml.to_vec(),
        path: query.path,
    };
    match app.master.execute(command).await? {
        Answer::Put {
            name,
            version,
            created,
            findings,
        } => Ok(Json(Put {
            name,
            version,
            created,
            diagnostics: findings
                .iter()
                .map(|finding| Diagnostic::new(finding, lang))
                .collect(),
        })
        .into_response()),
        other => Err(unexpected(&other)),
    }
}

async fn check_only(
    State(app): Shared,
    Query(query): Query<PutQuery>,
    Language(lang): Language,
    xml: Result<Bytes, BytesRejection>,
) -> Result<Json<akkaflow_api::Checked>, Failure> {
    check(&app, &xml?, query.path.as_deref(), lang)
        .await
        .map(Json)
}

async fn detail(
    State(app): Shared,
    Path(name): Path<String>,
    Language(lang): Language,
) -> Result<Json<WorkflowDetail>, Failure> {
    let row = lookup::workflow(&app, &name).await?;
    view::workflow_detail(&app, &row, lang).await.map(Json)
}

async fn xml(State(app): Shared, Path(name): Path<String>) -> Result<Response, Failure> {
    let row = lookup::workflow(&app, &name).await?;
    let version = app.store.version(&row.version.0).await?;
    version
        .map(|version| xml_response(version.xml))
        .ok_or_else(|| Failure::workflow_not_found(&name))
}

pub(super) fn xml_response(xml: String) -> Response {
    // Stored decoded, whatever encoding its declaration names.
    (
        [(header::CONTENT_TYPE, "application/xml; charset=utf-8")],
        xml,
    )
        .into_response()
}

async fn delete(State(app): Shared, Path(name): Path<String>) -> Result<Json<Deleted>, Failure> {
    // Its row tells no more once it is deleted.
    let row = app.store.workflow(&name).await?;
    done(&app, Command::DeleteWorkflow { name: name.clone() }).await?;
    let file = row
        .filter(|row| row.status == WorkflowStatus::Live)
        .and_then(|row| row.file_path);
    Ok(Json(Deleted { name, file }))
}

async fn reset(State(app): Shared, Path(name): Path<String>) -> Result<Json<Named>, Failure> {
    done(&app, Command::ResetWorkflow { name: name.clone() }).await?;
    Ok(Json(Named { name }))
}

async fn reset_all(State(app): Shared) -> Result<StatusCode, Failure> {
    done(&app, Command::ResetAll).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a command that is answered by nothing but its success.
pub(super) async fn done(app: &App, command: Command) -> Result<(), Failure> {
    expect_done(app.master.execute(command).await?)
}

/// Nothing else is to be said.
pub(super) fn expect_done(answer: Answer) -> Result<(), Failure> {
    match answer {
        Answer::Done => Ok(()),
        other => Err(unexpected(&other)),
    }
}

async fn run(
    State(app): Shared,
    Path(name): Path<String>,
    Language(lang): Language,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let Run { params, date, user } = body(&bytes?)?;
    let key = idempotency_key(&headers)?;
    let warnings = unused::warnings(&app, &name, &params.0).await;
    let warnings = warnings.iter().map(|text| text.get(lang).to_owned());
    let command = Command::Run {
        name,
        params: params.0,
        date,
        idempotency_key: key,
        user,
    };
    created_with(&app, command, warnings.collect()).await
}

/// The key of a request that may be repeated.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    headers
        .get("idempotency-key")
        .map(|key| key.to_str().map(ToOwned::to_owned))
        .transpose()
        .map_err(|_| {
            Failure::invalid(
                "Idempotency-Key含有非ASCII字符",
                "the Idempotency-Key holds characters beyond ASCII",
            )
        })
}

async fn trigger(
    State(app): Shared,
    Path(name): Path<String>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let Trigger {
        ignore_nodes,
        date,
        user,
    } = body(&bytes?)?;
    if let Some(text) = unused::unknown_nodes(&app, &name, &ignore_nodes)
        .await
        .pop()
    {
        return Err(Failure::new(ErrorCode::Invalid, text));
    }
    let command = Command::Trigger {
        name,
        ignore_nodes,
        date,
        user,
    };
    created(&app, command).await
}

async fn suspend(
    State(app): Shared,
    Path(name): Path<String>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Named>, Failure> {
    let by = by(&bytes?)?;
    let command = Command::SuspendWorkflow {
        name: name.clone(),
        by,
    };
    done(&app, command).await?;
    Ok(Json(Named { name }))
}

async fn resume(State(app): Shared, Path(name): Path<String>) -> Result<Json<Named>, Failure> {
    done(&app, Command::ResumeWorkflow { name: name.clone() }).await?;
    Ok(Json(Named { name }))
}

/// Gives the command and answers 201 with the new instance.
pub(super) async fn created(app: &App, command: Command) -> Result<Response, Failure> {
    created_with(app, command, Vec::new()).await
}

async fn created_with(
    app: &App,
    command: Command,
    warnings: Vec<String>,
) -> Result<Response, Failure> {
    match app.master.execute(command).await? {
        Answer::Instance { id } => {
            let location = [(header::LOCATION, format!("/api/v1/instances/{id}"))];
            let body = Created {
                id: id.to_string(),
                warnings,
            };
            Ok((StatusCode::CREATED, location, Json(body)).into_response())
        }
        other => Err(unexpected(&other)),
    }
}

async fn trigger_blood(
    State(app): Shared,
    Path(name): Path<String>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Chain>), Failure> {
    let Trigger {
        ignore_nodes,
        date,
        user,
    } = body(&bytes?)?;
    if !ignore_nodes.is_empty() {
        return Err(Failure::invalid(
            "trigger-blood不支持ignore_nodes",
            "`ignore_nodes` is of no use for a chain",
        ));
    }
    let command = Command::TriggerBlood { name, date, user };
    match app.master.execute(command).await? {
        Answer::Chain { id, workflows } => {
            let id = id.to_string();
            Ok((StatusCode::CREATED, Json(Chain { id, workflows })))
        }
        other => Err(unexpected(&other)),
    }
}

async fn explain(
    State(app): Shared,
    Path(name): Path<String>,
    Language(lang): Language,
) -> Result<Json<Vec<akkaflow_api::Reason>>, Failure> {
    let row = lookup::workflow(&app, &name).await?;
    reasons(&app, Object::Workflow(row.name), lang).await
}

/// Asks the master and answers in one language.
pub(super) async fn reasons(
    app: &App,
    object: Object,
    lang: Lang,
) -> Result<Json<Vec<akkaflow_api::Reason>>, Failure> {
    let reasons = app.master.explain(object).await?;
    let view = |reason: akkaflow_rpc::wire::Reason| {
        let text = reason.text.unwrap_or_default();
        akkaflow_api::Reason {
            code: reason.code,
            object: reason.object,
            since: reason
                .since_ms
                .map(|at| akkaflow_model::time::Timestamp::from_millis(at).into()),
            text: match lang {
                Lang::Zh => text.zh,
                Lang::En => text.en,
            },
        }
    };
    Ok(Json(reasons.into_iter().map(view).collect()))
}
