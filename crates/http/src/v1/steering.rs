//! What people do to an open instance: hold it up, let it go on, mark a node, repair it.

use std::sync::Arc;

use akkaflow_api::{Created, MarkKind, MarkNode, NodeChange, Repair, Repaired};
use akkaflow_model::command::{Answer, By, Command};
use akkaflow_model::id::InstanceId;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};

use super::instances::change_open;
use super::workflows::expect_done;
use super::{by, unexpected};
use crate::app::{App, Shared};
use crate::failure::Failure;
use crate::language::Language;
use crate::lookup;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/instances/{id}/pause", post(pause))
        .route("/instances/{id}/resume", post(resume))
        .route("/instances/{id}/repair", post(repair))
        .route("/instances/{id}/nodes/{node}/mark", post(mark))
}

fn named(id: InstanceId) -> Json<Created> {
    Json(Created {
        id: id.to_string(),
        warnings: Vec::new(),
    })
}

async fn pause(
    State(app): Shared,
    Path(id): Path<String>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Created>, Failure> {
    let by = by(&bytes?)?;
    let id = lookup::instance_id(&app, &id).await?;
    expect_done(change_open(&app, id, Command::PauseInstance { id, by }).await?)?;
    Ok(named(id))
}

async fn resume(
    State(app): Shared,
    Path(id): Path<String>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Created>, Failure> {
    let by = by(&bytes?)?;
    let id = lookup::instance_id(&app, &id).await?;
    expect_done(change_open(&app, id, Command::ResumeInstance { id, by }).await?)?;
    Ok(named(id))
}

/// An instance that has ended runs again from where it broke, with the mark.
async fn mark(
    State(app): Shared,
    Path((id, node)): Path<(String, String)>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Created>, Failure> {
    let MarkNode { kind, user, reason } = serde_json::from_slice(&bytes?).map_err(|error| {
        Failure::invalid(
            format!("请求体应为 {{\"as\":\"succeeded|skipped\",\"reason\":...}}：{error}"),
            format!("the body must be {{\"as\":\"succeeded|skipped\",\"reason\":...}}: {error}"),
        )
    })?;
    let id = lookup::instance_id(&app, &id).await?;
    let command = Command::MarkNode {
        id,
        node,
        is_skipped: kind == MarkKind::Skipped,
        by: By { user, reason },
    };
    match app.master.execute(command).await? {
        Answer::Done | Answer::Instance { .. } => Ok(named(id)),
        other => Err(unexpected(&other)),
    }
}

async fn repair(
    State(app): Shared,
    Path(id): Path<String>,
    Language(lang): Language,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Repaired>, Failure> {
    let Repair {
        xml,
        dry_run,
        user,
        reason,
    } = super::body(&bytes?)?;
    let id = lookup::instance_id(&app, &id).await?;
    let command = Command::Repair {
        id,
        xml: xml.map(String::into_bytes),
        is_dry_run: dry_run,
        by: By { user, reason },
    };
    match change_open(&app, id, command).await? {
        Answer::Repair {
            id,
            is_applied,
            changes,
        } => Ok(Json(Repaired {
            id: id.to_string(),
            is_applied,
            changes: changes
                .into_iter()
                .map(|change| NodeChange {
                    node: change.node,
                    kind: change.kind,
                    refusal: change.refusal.map(|text| text.get(lang).to_owned()),
                })
                .collect(),
        })),
        other => Err(unexpected(&other)),
    }
}
