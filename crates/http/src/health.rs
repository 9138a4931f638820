//! Whether we live, and whether work is accepted.

use akkaflow_api::Health;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::text::Text;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use std::sync::Arc;

use crate::app::{App, Shared};
use crate::failure::Failure;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(live))
        .route("/readyz", get(ready))
}

async fn live() -> Json<Health> {
    Json(ok())
}

/// A master leads and a worker is attached.
async fn ready(State(app): Shared) -> Result<Json<Health>, Failure> {
    let status = app.master.status().await?;
    if status.workers.iter().any(|worker| worker.is_attached) {
        return Ok(Json(ok()));
    }
    Err(Failure::new(
        ErrorCode::Unavailable,
        Text::new(
            "没有worker连接到master，任务将一直等待；请启动worker",
            "no worker is attached to the master, work would wait; start a worker",
        ),
    ))
}

fn ok() -> Health {
    Health {
        status: "ok".to_owned(),
        reason: None,
    }
}
