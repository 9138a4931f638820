//! A link tried by a worker: one line of JSON for each part, as it ends.

use std::time::Duration;

use akkaflow_api::LinkTestPart;
use akkaflow_model::command::Rejection;
use akkaflow_model::text::{Lang, Text};
use akkaflow_rpc::wire;
use akkaflow_rpc::wire::link_test_reply::Reply;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures::{StreamExt as _, stream};
use serde::Deserialize;
use tonic::Streaming;

use super::links::key_of;
use crate::app::Shared;
use crate::failure::Failure;
use crate::language::Language;
use crate::master::{garbled, unknown};

#[derive(Deserialize)]
pub(super) struct ByWhom {
    /// Which worker tries it; any when absent.
    #[serde(default)]
    worker: String,
}

pub(super) async fn test(
    State(app): Shared,
    Path((kind, name)): Path<(String, String)>,
    Query(ByWhom { worker }): Query<ByWhom>,
    Language(lang): Language,
) -> Result<Response, Failure> {
    let key = key_of(&kind, name)?;
    let request = wire::TestLinkRequest {
        kind: key.kind.as_str().to_owned(),
        name: key.name,
        worker,
    };
    let mut parts = app.master.test_link(request).await?;
    // The first one decides the status; later it cannot be said any more.
    let first = next(&mut parts, lang).await?;
    let rest = stream::try_unfold(parts, move |mut parts| async move {
        let line = next(&mut parts, lang).await;
        let line = line.map_err(|failure| std::io::Error::other(failure.text.en))?;
        Ok::<_, std::io::Error>(line.map(|line| (line, parts)))
    });
    let lines = stream::iter(first.map(Ok)).chain(rest);
    let content_type = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((content_type, Body::from_stream(lines)).into_response())
}

/// The next part as a line.
async fn next(
    parts: &mut Streaming<wire::LinkTestReply>,
    lang: Lang,
) -> Result<Option<String>, Failure> {
    let reply = parts.message().await.map_err(|_| unknown())?;
    let Some(wire::LinkTestReply {
        reply: Some(reply),
        worker,
    }) = reply
    else {
        return Ok(None);
    };
    let part = match reply {
        Reply::Part(part) => part,
        Reply::Rejection(rejection) => {
            let rejection = Rejection::try_from(rejection).map_err(|error| garbled(&error))?;
            return Err(rejection.into());
        }
    };
    let said: Text = part.said.unwrap_or_default().into();
    let part = LinkTestPart {
        part: part.part,
        works: part.works,
        seconds: Duration::from_micros(part.elapsed_us).as_secs_f64(),
        said: said.get(lang).to_owned(),
        worker,
    };
    let line = serde_json::to_string(&part).expect("parts are plain data");
    Ok(Some(format!("{line}\n")))
}
