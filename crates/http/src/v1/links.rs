//! Links: listed without their passwords, made, changed and removed.

use std::sync::Arc;

use akkaflow_api::{LinkDetail, Named, PutLink};
use akkaflow_model::command::Command;
use akkaflow_model::db_links::Secret;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::links::{LinkEdit, LinkKey, LinkKind, Write};
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;
use akkaflow_rpc::wire;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use super::link_test;
use super::workflows::done;
use crate::app::{App, Shared};
use crate::failure::Failure;
use crate::language::Language;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/links", get(list))
        .route("/links/reseal", post(reseal))
        .route(
            "/links/{kind}/{name}",
            get(detail).put(put).patch(change).delete(remove),
        )
        .route("/links/{kind}/{name}/test", post(link_test::test))
}

async fn list(
    State(app): Shared,
    Language(lang): Language,
) -> Result<Json<Vec<LinkDetail>>, Failure> {
    let links = app.master.links().await?.into_iter();
    let links = links.map(|link| shown(link, |text| text.get(lang).to_owned()));
    Ok(Json(links.collect::<Result<_, _>>()?))
}

async fn detail(
    State(app): Shared,
    Path((kind, name)): Path<(String, String)>,
    Language(lang): Language,
) -> Result<Json<LinkDetail>, Failure> {
    let key = key_of(&kind, name)?;
    let found = app.master.links().await?.into_iter();
    let mut found = found.filter(|link| link.kind == key.kind.as_str() && link.name == key.name);
    // The first one is in force.
    let link = found.next().ok_or_else(|| {
        let name = key.text();
        let text = Text::new(
            format!("{}不存在", name.zh),
            format!("{} does not exist", name.en),
        );
        Failure::new(ErrorCode::NotFound, text)
    })?;
    Ok(Json(shown(link, |text| text.get(lang).to_owned())?))
}

async fn put(
    State(app): Shared,
    Path((kind, name)): Path<(String, String)>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Named>, Failure> {
    let is_new = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|it| it == "*");
    let write = if is_new { Write::Create } else { Write::Put };
    save(&app, &kind, name, &bytes?, write).await
}

async fn change(
    State(app): Shared,
    Path((kind, name)): Path<(String, String)>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Named>, Failure> {
    save(&app, &kind, name, &bytes?, Write::Change).await
}

async fn save(
    app: &App,
    kind: &str,
    name: String,
    bytes: &[u8],
    write: Write,
) -> Result<Json<Named>, Failure> {
    let key = key_of(kind, name.clone())?;
    let PutLink {
        type_name,
        jdbc_url,
        host,
        port,
        username,
        password,
        key_file,
        desc,
        properties,
        user,
    } = said(bytes)?;
    let plain = |value: Option<String>| value.map(Secret::new);
    let values = [
        ("type", plain(type_name)),
        ("jdbc-url", jdbc_url),
        ("host", plain(host)),
        ("port", plain(port.map(|port| port.to_string()))),
        ("username", plain(username)),
        ("password", password),
        ("key-file", plain(key_file)),
        ("desc", plain(desc)),
    ];
    let values = values.into_iter();
    let values = values.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let edit = LinkEdit {
        values: values.collect(),
        properties: properties.map(|properties| properties.into_iter().collect()),
        write,
    };
    done(app, Command::PutLink { key, edit, user }).await?;
    Ok(Json(Named { name }))
}

/// What a body says. Where it is wrong it is not repeated, but for the name of a field: its values are passwords.
fn said(bytes: &[u8]) -> Result<PutLink, Failure> {
    serde_json::from_slice(bytes).map_err(|error| {
        let words = error.to_string();
        let (line, column) = (error.line(), error.column());
        match words.starts_with("unknown field") {
            true => Failure::invalid(
                format!("请求体中有未知的项：{words}"),
                format!("the body holds something unknown: {words}"),
            ),
            false => Failure::invalid(
                format!("请求体第{line}行第{column}列不是所要求的JSON"),
                format!(
                    "the body is not the JSON that is expected, see line {line}, column {column}"
                ),
            ),
        }
    })
}

#[derive(Deserialize)]
struct By {
    /// Who asks.
    #[serde(default)]
    user: String,
}

async fn remove(
    State(app): Shared,
    Path((kind, name)): Path<(String, String)>,
    Query(By { user }): Query<By>,
) -> Result<Json<Named>, Failure> {
    let key = key_of(&kind, name.clone())?;
    done(&app, Command::DeleteLink { key, user }).await?;
    Ok(Json(Named { name }))
}

async fn reseal(
    State(app): Shared,
    Query(By { user }): Query<By>,
) -> Result<Json<serde_json::Value>, Failure> {
    done(&app, Command::ResealLinks { user }).await?;
    Ok(Json(serde_json::json!({})))
}

pub(super) fn key_of(kind: &str, name: String) -> Result<LinkKey, Failure> {
    let kind = LinkKind::from_word(kind).ok_or_else(|| {
        Failure::invalid(
            format!("连接种类应为db或file，而不是{kind}"),
            format!("the kind of a link is db or file, not {kind}"),
        )
    })?;
    Ok(LinkKey { kind, name })
}

/// A link as the master lists it.
fn shown(link: wire::ListedLink, say: impl FnOnce(&Text) -> String) -> Result<LinkDetail, Failure> {
    let key = key_of(&link.kind, link.name)?;
    let mut values = link.values;
    let mut take = |name: &str| {
        let place = values.iter().position(|pair| pair.name == name)?;
        Some(values.swap_remove(place).value)
    };
    let is_stored = link.is_stored;
    Ok(LinkDetail {
        kind: key.kind,
        name: key.name,
        type_name: take("type"),
        jdbc_url: take("jdbc-url"),
        host: take("host"),
        port: take("port").and_then(|port| port.parse().ok()),
        username: take("username"),
        password: take("password"),
        key_file: take("key-file"),
        desc: take("desc"),
        properties: link.properties.into_iter().map(Into::into).collect(),
        file: Some(link.file).filter(|file| !file.is_empty()),
        changed_at: is_stored.then(|| Timestamp::from_millis(link.changed_at_ms).into()),
        changed_by: is_stored.then_some(link.changed_by),
        problem: link.problem.map(|text| say(&text.into())),
    })
}
