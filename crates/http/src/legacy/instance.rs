//! Instances.

use akkaflow_model::command::Command;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::state::InstanceState;
use akkaflow_model::text::{Lang, Text};
use akkaflow_store::InstanceQuery;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::{Outcome, Pairs, execute, instance_of, respond, success, unknown_action, value};
use crate::app::{App, Shared};
use crate::failure::Failure;
use crate::lookup;
use crate::v1::kill_instance;

/// `/akkaflow/workflow/instance/{id}`
pub(super) async fn one(
    State(app): Shared,
    Path(id): Path<String>,
    Query(pairs): Query<Pairs>,
) -> Response {
    let outcome = match value(&pairs, "action") {
        Some("rerun") => rerun(&app, &id, value(&pairs, "recover")).await,
        Some("kill") => kill(&app, &id).await,
        Some("del") => delete(&app, &id).await,
        _ => unknown_action(),
    };
    respond(outcome)
}

async fn rerun(app: &App, id: &str, recover: Option<&str>) -> Outcome {
    let command = Command::Rerun {
        id: lookup::instance_id(app, id).await?,
        from_failed: recover == Some("true"),
        same_version: false,
        nodes: Vec::new(),
        user: String::new(),
    };
    let id = instance_of(app, command).await?;
    success(
        Text::new(
            format!("工作流实例[{id}]放在等待队列，准备开始重跑"),
            format!("instance [{id}] is queued to run again"),
        ),
        json!(id),
    )
}

async fn kill(app: &App, id: &str) -> Outcome {
    let id = lookup::instance_id(app, id)
        .await
        .map_err(|failure| cannot_kill(id, failure))?;
    let state = kill_instance(app, id, String::new())
        .await
        .map_err(|failure| match failure.code {
            // akkaflow knows no difference between an instance that has ended and one that never was.
            ErrorCode::Conflict => Failure {
                text: cannot_kill_text(&id.to_string(), failure.text.en),
                ..failure
            },
            _ => failure,
        })?;
    let data = json!({
        "status": InstanceState::Killed.code(),
        "name": "W_KILLED",
        "desc": InstanceState::Killed.label(Lang::Zh),
    });
    let msg = if state.is_terminal() {
        Text::new(
            format!("工作流[{id}]已被杀死"),
            format!("instance [{id}] was killed"),
        )
    } else {
        Text::new(
            format!("工作流[{id}]正在被杀死，等待其进程全部结束"),
            format!("instance [{id}] is being killed, waiting for its processes to be gone"),
        )
    };
    success(msg, data)
}

fn cannot_kill(id: &str, failure: Failure) -> Failure {
    if failure.code != ErrorCode::NotFound {
        return failure;
    }
    Failure {
        text: cannot_kill_text(id, failure.text.en),
        ..failure
    }
}

fn cannot_kill_text(id: &str, en: String) -> Text {
    Text::new(format!("[工作流实例：{id}]不存在，不能kill掉"), en)
}

async fn delete(app: &App, id: &str) -> Outcome {
    let id = lookup::instance_id(app, id).await.map_err(|failure| {
        if failure.code != ErrorCode::NotFound {
            return failure;
        }
        Failure {
            text: Text::new("无效实例id", failure.text.en.clone()),
            ..failure
        }
    })?;
    execute(app, Command::DeleteInstance { id }).await?;
    success(
        Text::new(
            format!("成功删除工作流{id}"),
            format!("deleted instance {id}"),
        ),
        Value::Null,
    )
}

/// `/akkaflow/workflow/watting_instance/list`: what akkaflow's own command asked for and never got.
pub(super) async fn waiting(State(app): Shared) -> Response {
    let outcome = list_waiting(&app).await;
    respond(outcome)
}

async fn list_waiting(app: &App) -> Outcome {
    let query = InstanceQuery {
        states: vec![InstanceState::Ready],
        ..InstanceQuery::default()
    };
    let rows = app.store.instances(&query).await?;
    let list: Vec<Value> = rows
        .iter()
        .rev()
        .map(|row| json!({ "wfid": row.id.to_string(), "name": row.workflow }))
        .collect();
    success(Text::new("成功获取数据", "here they are"), json!(list))
}
