//! Links, as akkaflow's page edits them.

use akkaflow_model::command::Command;
use akkaflow_model::db_links::Secret;
use akkaflow_model::links::{LinkEdit, LinkKey, LinkKind, Write};
use akkaflow_model::text::Text;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, Query, State};
use axum::response::Response;
use serde_json::json;

use super::{Outcome, Pairs, execute, fail, respond, success, unknown_action, value};
use crate::app::{App, Shared};
use crate::failure::Failure;

/// What a form calls an attribute. An empty value says that it is not there, but for the account's.
type Names = [(&'static str, &'static str)];

const DB: &Names = &[
    ("dbtype", "type"),
    ("jdbcUrl", "jdbc-url"),
    ("username", "username"),
    ("password", "password"),
    ("desc", "desc"),
];

const FILE: &Names = &[
    ("fstype", "type"),
    ("host", "host"),
    ("port", "port"),
    ("username", "username"),
    ("password", "password"),
    ("desc", "desc"),
];

type Posted = Result<Form<Pairs>, FormRejection>;

/// `/akkaflow/db-link`
pub(super) async fn new_db_link(
    State(app): Shared,
    Query(pairs): Query<Pairs>,
    form: Posted,
) -> Response {
    respond(add(&app, LinkKind::Db, &pairs, form).await)
}

/// `/akkaflow/file-link`
pub(super) async fn new_file_link(
    State(app): Shared,
    Query(pairs): Query<Pairs>,
    form: Posted,
) -> Response {
    respond(add(&app, LinkKind::File, &pairs, form).await)
}

/// `/akkaflow/db-link/{name}`
pub(super) async fn db_link(
    State(app): Shared,
    Path(name): Path<String>,
    Query(pairs): Query<Pairs>,
    form: Posted,
) -> Response {
    let key = LinkKey {
        kind: LinkKind::Db,
        name,
    };
    respond(change(&app, key, &pairs, form).await)
}

/// `/akkaflow/file-link/{name}`
pub(super) async fn file_link(
    State(app): Shared,
    Path(name): Path<String>,
    Query(pairs): Query<Pairs>,
    form: Posted,
) -> Response {
    let key = LinkKey {
        kind: LinkKind::File,
        name,
    };
    respond(change(&app, key, &pairs, form).await)
}

async fn add(app: &App, kind: LinkKind, pairs: &Pairs, form: Posted) -> Outcome {
    if value(pairs, "action") != Some("add") {
        return unknown_action();
    }
    let form = read(form)?;
    let name = given(&form, "name")?.to_owned();
    put(app, LinkKey { kind, name }, &form).await
}

async fn change(app: &App, key: LinkKey, pairs: &Pairs, form: Posted) -> Outcome {
    match value(pairs, "action") {
        Some("update") => put(app, key, &read(form)?).await,
        Some("del") => {
            let data = json!(key.name);
            let user = String::new();
            execute(app, Command::DeleteLink { key, user }).await?;
            success(Text::new("删除成功", "removed"), data)
        }
        _ => unknown_action(),
    }
}

async fn put(app: &App, key: LinkKey, form: &Pairs) -> Outcome {
    let (names, properties) = match key.kind {
        LinkKind::Db => (DB, properties(given(form, "properties")?)),
        LinkKind::File => (FILE, Vec::new()),
    };
    let mut values = Vec::new();
    for (posted, attribute) in names {
        let value = given(form, posted)?;
        if *posted == "port" && value.trim().parse::<i64>().is_err() {
            return fail("端口port不为整数", "`port` must be a whole number");
        }
        if !value.is_empty() || ["username", "password"].contains(posted) {
            values.push(((*attribute).to_owned(), Secret::new(value)));
        }
    }
    let edit = LinkEdit {
        values,
        properties: Some(properties),
        write: Write::Put,
    };
    let data = json!(key.name);
    let user = String::new();
    execute(app, Command::PutLink { key, edit, user }).await?;
    success(Text::new("执行成功", "done"), data)
}

/// `k=v&k=v`; those without a value are left out.
fn properties(text: &str) -> Vec<(String, Secret)> {
    text.split('&')
        .filter_map(|property| property.split_once('='))
        .filter(|(name, value)| !name.trim().is_empty() && !value.trim().is_empty())
        .map(|(name, value)| (name.trim().to_owned(), Secret::new(value.trim())))
        .collect()
}

fn read(form: Posted) -> Result<Pairs, Failure> {
    form.map(|Form(pairs)| pairs).map_err(|_| {
        Failure::invalid(
            "请用POST表单（application/x-www-form-urlencoded）提交",
            "post a form (application/x-www-form-urlencoded)",
        )
    })
}

/// A field of the form, which may be empty, but has to be there.
fn given<'a>(form: &'a Pairs, name: &str) -> Result<&'a str, Failure> {
    value(form, name).ok_or_else(|| {
        Failure::invalid(
            format!("缺少参数{name}"),
            format!("the field `{name}` is missing"),
        )
    })
}
