//! The log of an instance: pages of JSON, or all of it as text.

use std::sync::Arc;

use akkaflow_api::{LOG_COMPLETE_HEADER, LOG_CURSOR_HEADER};
use akkaflow_log::{Cursor, Page, Stored};
use akkaflow_model::id::InstanceId;
use akkaflow_model::text::Lang;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use chrono_tz::Tz;
use futures::stream;
use serde::Deserialize;

use crate::app::{App, Shared};
use crate::failure::Failure;
use crate::language::Language;
use crate::lookup;

/// Lines of a page when the caller does not say.
const DEFAULT_LIMIT: usize = 1000;
/// Most lines of a page.
const LIMIT: usize = 10_000;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/instances/{id}/logs", get(logs))
}

#[derive(Deserialize)]
struct LogQuery {
    /// A cursor from an earlier answer.
    after: Option<String>,
    limit: Option<usize>,
}

async fn logs(
    State(app): Shared,
    Path(id): Path<String>,
    Query(query): Query<LogQuery>,
    Language(lang): Language,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let id = lookup::instance_id(&app, &id).await?;
    let cursor: Cursor =
        query.after.unwrap_or_default().parse().map_err(|_| {
            Failure::invalid("after不是有效的日志位置", "`after` is no cursor of ours")
        })?;
    if wants_text(&headers) {
        let zone = app.zone().await?;
        let first = page(&app, id, cursor, LIMIT, lang).await?;
        return Ok(text_response(app, id, first, lang, zone));
    }
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, LIMIT);
    let page = page(&app, id, cursor, limit, lang).await?;
    let headers = [
        (LOG_CURSOR_HEADER, page.cursor.to_string()),
        (LOG_COMPLETE_HEADER, page.is_complete.to_string()),
    ];
    Ok((headers, Json(page.lines)).into_response())
}

fn wants_text(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.trim_start().starts_with("text/plain"))
}

async fn page(
    app: &App,
    id: InstanceId,
    cursor: Cursor,
    limit: usize,
    lang: Lang,
) -> Result<Page, Failure> {
    let store = &*app.store;
    let stored = Stored::read(store, id).await?;
    let stored = stored.ok_or_else(|| lookup::not_found(&id.to_string()))?;
    let version = &stored.instance.version;
    let definition = app.definitions.get(store, version).await?;
    let rows = stored.rows(definition.as_deref(), app.zone().await?);
    Ok(akkaflow_log::read(store, &rows, cursor, limit, lang, app.now()).await?)
}

/// Everything there is now, however much, with one page in memory at a time.
fn text_response(app: Arc<App>, id: InstanceId, first: Page, lang: Lang, zone: Tz) -> Response {
    let pages = stream::try_unfold(Some(first), move |page| {
        let app = Arc::clone(&app);
        async move {
            let Some(page) = page else { return Ok(None) };
            let text: String = page
                .lines
                .iter()
                .map(|line| akkaflow_log::as_text(line, zone))
                .collect();
            let next = if page.lines.is_empty() {
                None
            } else {
                let next = self::page(&app, id, page.cursor, LIMIT, lang).await;
                Some(next.map_err(|failure| std::io::Error::other(failure.text.en))?)
            };
            Ok::<_, std::io::Error>(Some((text, next)))
        }
    });
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (headers, Body::from_stream(pages)).into_response()
}
