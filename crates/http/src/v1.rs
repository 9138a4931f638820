//! The routes of `/api/v1`.

mod backfills;
mod capsule;
mod check;
mod cluster;
mod cron;
mod forecast;
mod instances;
mod link_test;
mod links;
mod logs;
mod mails;
mod measurements;
mod pools;
mod state;
mod steering;
mod unused;
mod workflows;

use std::sync::Arc;

use akkaflow_model::error::ErrorCode;
use akkaflow_model::text::Text;
use axum::Router;

use crate::app::App;
use crate::failure::Failure;

pub(crate) use check::check;
pub(crate) use instances::kill_instance;
pub(crate) use unused::{unknown_nodes, warnings as unused_params};

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .merge(workflows::routes())
        .merge(instances::routes())
        .merge(capsule::routes())
        .merge(state::routes())
        .merge(logs::routes())
        .merge(mails::routes())
        .merge(measurements::routes())
        .merge(links::routes())
        .merge(steering::routes())
        .merge(pools::routes())
        .merge(backfills::routes())
        .merge(cluster::routes())
        .merge(cron::routes())
        .merge(forecast::routes())
        .method_not_allowed_fallback(async || {
            Failure::new(
                ErrorCode::Invalid,
                Text::new("该地址不支持此方法", "this method is not possible here"),
            )
        })
}

/// An answer that does not belong to the command that was given.
fn unexpected(answer: &akkaflow_model::command::Answer) -> Failure {
    tracing::error!(?answer, "the master answered something else than was asked");
    Failure::new(
        ErrorCode::Internal,
        Text::new(
            "master的应答与请求不符",
            "the master answered something else than was asked",
        ),
    )
}

/// Who asks, and why; nothing is said by an empty body.
fn by(bytes: &[u8]) -> Result<akkaflow_model::command::By, Failure> {
    let akkaflow_api::By { user, reason } = body(bytes)?;
    Ok(akkaflow_model::command::By { user, reason })
}

/// A body of JSON; an empty one is the default.
fn body<T: serde::de::DeserializeOwned + Default>(bytes: &[u8]) -> Result<T, Failure> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(T::default());
    }
    serde_json::from_slice(bytes).map_err(|error| {
        Failure::invalid(
            format!("请求体不是所要求的JSON：{error}"),
            format!("the body is not the JSON that is expected: {error}"),
        )
    })
}
