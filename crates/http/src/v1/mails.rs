//! Mails: what is owed, what it says, and sending it again.

use std::sync::Arc;

use akkaflow_alert::letter::{LogExcerpt, letter, subject};
use akkaflow_api::{MailDetail, MailRefusal, MailSummary, Mails, SendMail};
use akkaflow_log::Stored;
use akkaflow_model::command::Command;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::InstanceId;
use akkaflow_model::mail::{DeliveryState, MailFacts, MailKey, MailKind, StoredMail};
use akkaflow_model::text::{Lang, Text};
use akkaflow_store::MailQuery;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use super::body;
use super::workflows::done;
use crate::app::{App, Shared};
use crate::failure::Failure;
use crate::language::Language;
use crate::lookup;

/// A mail that is shown as a page may neither run nor fetch anything.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/mails", get(list))
        .route("/mails/{id}", get(detail))
        .route("/mails/{id}/send", post(send))
}

#[derive(Deserialize)]
struct ListQuery {
    /// `waiting`, `sent` or `dead`.
    state: Option<String>,
    /// Only those about this instance.
    instance: Option<String>,
    limit: Option<u32>,
}

async fn list(
    State(app): Shared,
    Query(query): Query<ListQuery>,
    Language(lang): Language,
) -> Result<Json<Mails>, Failure> {
    let states = match query.state.as_deref().unwrap_or_default() {
        "" => Vec::new(),
        word => vec![state(word)?],
    };
    let instance = match &query.instance {
        Some(part) => Some(lookup::instance_id(&app, part).await?),
        None => None,
    };
    let query = MailQuery {
        states,
        instance,
        limit: query.limit.unwrap_or_default().min(500),
    };
    let mails = app.store.mails(&query).await?;
    // The list is worth showing while no master answers.
    let status = app.master.status().await.ok();
    let has_master = status.is_some();
    let server = status.map(|status| status.mail_server);
    Ok(Json(Mails {
        has_master,
        mail_server: server.filter(|server| !server.is_empty()),
        mails: mails.iter().map(|it| summary(it, lang)).collect(),
    }))
}

fn state(word: &str) -> Result<DeliveryState, Failure> {
    serde_json::from_value(word.into()).map_err(|_| {
        Failure::invalid(
            format!("state应为waiting、sent或dead，而不是{word}"),
            format!("`state` is waiting, sent or dead, not {word}"),
        )
    })
}

async fn detail(
    State(app): Shared,
    Path(id): Path<String>,
    Language(lang): Language,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let stored = stored(&app, &id).await?;
    let log = match &stored.mail.facts {
        MailFacts::Ended(_) => log(&app, stored.mail.key.instance, lang).await?,
        MailFacts::Retry(_) | MailFacts::Notice { .. } => None,
    };
    let letter = letter(&stored.mail, log.as_ref(), lang, app.zone().await?);
    let accept = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok());
    if accept.is_some_and(|accept| accept.trim_start().starts_with("text/html")) {
        let policy = [(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)];
        return Ok((policy, Html(letter.html)).into_response());
    }
    let detail = MailDetail {
        summary: summary(&stored, lang),
        text: letter.text,
        html: letter.html,
    };
    Ok(Json(detail).into_response())
}

async fn log(app: &App, id: InstanceId, lang: Lang) -> Result<Option<LogExcerpt>, Failure> {
    let store = &*app.store;
    let Some(stored) = Stored::read(store, id).await? else {
        return Ok(None);
    };
    let version = &stored.instance.version;
    let definition = app.definitions.get(store, version).await?;
    let rows = stored.rows(definition.as_deref(), app.zone().await?);
    let mut excerpt = LogExcerpt::default();
    let push = |line| excerpt.push(line);
    akkaflow_log::for_each_line(store, &rows, lang, app.now(), push).await?;
    Ok(Some(excerpt))
}

async fn send(
    State(app): Shared,
    Path(id): Path<String>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Failure> {
    let SendMail { user } = body(&bytes?)?;
    let key = stored(&app, &id).await?.mail.key;
    done(&app, Command::SendMail { key, user }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The mail with this id, in which any unique part of the instance's id will do.
async fn stored(app: &App, id: &str) -> Result<StoredMail, Failure> {
    let unknown = || {
        let text = Text::new(
            format!("邮件[{id}]不存在"),
            format!("mail `{id}` does not exist"),
        );
        Failure::new(ErrorCode::NotFound, text)
    };
    let (part, rest) = id.split_once('.').ok_or_else(unknown)?;
    let instance = lookup::instance_id(app, part).await?;
    let key: MailKey = format!("{instance}.{rest}")
        .parse()
        .map_err(|_| unknown())?;
    app.store.mail(&key).await?.ok_or_else(unknown)
}

fn summary(stored: &StoredMail, lang: Lang) -> MailSummary {
    let StoredMail { mail, delivery } = stored;
    let is_waiting = delivery.state == DeliveryState::Waiting;
    MailSummary {
        id: mail.key.to_string(),
        kind: mail.key.kind,
        subject: subject(mail, lang),
        workflow: mail.workflow.clone(),
        instance: mail.key.instance.to_string(),
        node: (mail.key.kind != MailKind::Ended).then(|| mail.key.node.to_string()),
        born_at: mail.born_at.into(),
        receivers: mail.receivers.clone(),
        state: delivery.state,
        tries: delivery.tries,
        tried_at: delivery.tried_at.map(Into::into),
        next_at: is_waiting.then(|| delivery.next_at.into()),
        accepted: delivery.accepted.clone(),
        refused: (delivery.refused.iter())
            .map(|it| MailRefusal {
                receiver: it.receiver.clone(),
                answer: it.answer.clone(),
            })
            .collect(),
        error: delivery.error.as_ref().map(|it| it.get(lang).to_owned()),
    }
}
