//! Values that a workflow keeps between its instances.

use std::sync::Arc;

use akkaflow_api::{SetState, StateValue};
use akkaflow_model::command::{Answer, Command};
use akkaflow_model::definition::StateVariable;
use akkaflow_model::record::StateRow;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};

use super::{body, unexpected};
use crate::app::{App, Shared};
use crate::failure::Failure;
use crate::lookup;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/workflows/{name}/state", get(show).put(set))
}

async fn show(
    State(app): Shared,
    Path(name): Path<String>,
) -> Result<Json<Vec<StateValue>>, Failure> {
    let row = lookup::workflow(&app, &name).await?;
    let rows = app.store.states(&row.name).await?;
    let definition = app.definitions.get(&*app.store, &row.version).await?;
    let variables = definition
        .as_ref()
        .map_or(&[][..], |definition| &definition.state);
    let value = |variable| view(variable, &rows);
    Ok(Json(variables.iter().map(value).collect()))
}

fn view(variable: &StateVariable, rows: &[StateRow]) -> StateValue {
    let row = rows.iter().find(|row| row.name == variable.name);
    StateValue {
        name: variable.name.clone(),
        value: row.map_or(&variable.initial, |row| &row.value).clone(),
        from: format!("{}.{}", variable.from.node, variable.from.output),
        desc: variable.desc.clone(),
        set_at: row.map(|row| row.set_at.into()),
        instance: row.and_then(|row| row.instance).map(|id| id.to_string()),
        fire_time: row.and_then(|row| row.fire_time).map(Into::into),
        user: row.map_or_else(String::new, |row| row.user.clone()),
    }
}

/// Sets some of the values and answers with all of them.
async fn set(
    State(app): Shared,
    Path(name): Path<String>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Vec<StateValue>>, Failure> {
    let SetState { values, user } = body(&bytes?)?;
    let command = Command::SetState {
        name: name.clone(),
        values: values.0,
        user,
    };
    match app.master.execute(command).await? {
        Answer::Done => show(State(app), Path(name)).await,
        other => Err(unexpected(&other)),
    }
}
