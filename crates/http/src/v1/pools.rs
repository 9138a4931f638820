//! Pools, and holding up the whole cluster.

use std::sync::Arc;

use akkaflow_api::{Named, Pool, SetPool};
use akkaflow_model::command::Command;
use akkaflow_rpc::wire;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};

use super::by;
use super::workflows::done;
use crate::app::{App, Shared};
use crate::failure::Failure;

/// Characters of a pool's name: as many as an attribute that names one may have.
const NAME_LENGTH: usize = 128;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/pools", get(list))
        .route("/pools/{name}", put(set).delete(remove))
        .route("/cluster/freeze", post(freeze))
        .route("/cluster/thaw", post(thaw))
}

async fn list(State(app): Shared) -> Result<Json<Vec<Pool>>, Failure> {
    let status = app.master.status().await?;
    Ok(Json(status.pools.into_iter().map(pool).collect()))
}

/// A pool as the master sees it.
pub(super) fn pool(status: wire::PoolStatus) -> Pool {
    Pool {
        name: status.name,
        slots: status.slots,
        held: status.held,
        waiting: status.waiting,
    }
}

async fn set(
    State(app): Shared,
    Path(name): Path<String>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Named>, Failure> {
    let SetPool { slots, user } = serde_json::from_slice(&bytes?).map_err(|error| {
        Failure::invalid(
            format!("请求体应为 {{\"slots\":份数}}：{error}"),
            format!("the body must be {{\"slots\":NUMBER}}: {error}"),
        )
    })?;
    let is_fine = name.trim() == name && !name.is_empty() && name.chars().count() <= NAME_LENGTH;
    if !is_fine {
        return Err(Failure::invalid(
            format!("资源池名称[{name}]不可用：首尾不能有空格，长度为1到{NAME_LENGTH}"),
            format!(
                "`{name}` is no name of a pool: 1 to {NAME_LENGTH} characters, no blanks at its ends"
            ),
        ));
    }
    let command = Command::SetPool {
        name: name.clone(),
        slots: Some(slots),
        user,
    };
    done(&app, command).await?;
    Ok(Json(Named { name }))
}

async fn remove(State(app): Shared, Path(name): Path<String>) -> Result<Json<Named>, Failure> {
    let command = Command::SetPool {
        name: name.clone(),
        slots: None,
        user: String::new(),
    };
    done(&app, command).await?;
    Ok(Json(Named { name }))
}

async fn freeze(
    State(app): Shared,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Failure> {
    let by = by(&bytes?)?;
    done(&app, Command::Freeze { by }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn thaw(State(app): Shared) -> Result<StatusCode, Failure> {
    done(&app, Command::Thaw).await?;
    Ok(StatusCode::NO_CONTENT)
}
