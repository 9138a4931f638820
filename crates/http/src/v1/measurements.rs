//! What the monitors of a workflow have seen, run by run.

use std::sync::Arc;

use akkaflow_api::Measurement;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;

use crate::app::{App, Shared};
use crate::failure::Failure;
use crate::language::Language;
use crate::lookup;
use crate::view::measurement;

/// As many are listed unless asked for fewer.
const MOST: u32 = 1000;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/workflows/{name}/measurements", get(list))
}

#[derive(Deserialize)]
struct ListQuery {
    /// Only those of this node.
    node: Option<String>,
    limit: Option<u32>,
}

async fn list(
    State(app): Shared,
    Path(name): Path<String>,
    Language(lang): Language,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<Measurement>>, Failure> {
    let row = lookup::workflow(&app, &name).await?;
    let limit = query.limit.unwrap_or(MOST).min(MOST);
    let node = query.node.as_deref();
    let found = app.store.measurements(&row.name, node, limit).await?;
    let found = found.iter().map(|it| measurement(it, lang));
    Ok(Json(found.collect()))
}
