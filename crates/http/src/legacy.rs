//! akkaflow 2.12's interface for the tools built on it: `{"result","msg","data"}` as text, always with status 200.
//!
//! What answered 404 because a parameter of no use was missing (`recover`, `ignore_node`) works without it; `shutdown`
//! is refused, because whatever can open a link must not be able to stop a cluster.

mod cluster;
mod instance;
mod links;
mod plan;
mod workflow;

use std::sync::Arc;

use akkaflow_api::{ERROR_CODE_HEADER, WARNINGS_HEADER};
use akkaflow_model::command::{Answer, Command};
use akkaflow_model::diagnostic::Finding;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::text::{Lang, Text};
use akkaflow_rpc::command::code_word;
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use serde::Serialize;
use serde_json::Value;

use crate::app::App;
use crate::failure::Failure;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/workflow/{name}", any(workflow::one))
        .route(
            "/workflow",
            get(workflow::folder).post(workflow::definition),
        )
        .route("/workflows", any(workflow::all))
        .route("/workflow/instance/{id}", any(instance::one))
        .route("/workflow/watting_instance/list", any(instance::waiting))
        .route("/db-link", any(links::new_db_link))
        .route("/db-link/{name}", any(links::db_link))
        .route("/file-link", any(links::new_file_link))
        .route("/file-link/{name}", any(links::file_link))
        .route("/cluster", any(cluster::get))
}

/// The parameters of a request, in order.
type Pairs = Vec<(String, String)>;

/// The first value of a parameter.
fn value<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

/// A good answer.
struct Success {
    msg: Text,
    data: Value,
    warnings: Vec<Text>,
}

/// What a handler finds: `Err` answers `fail`.
type Outcome = Result<Success, Failure>;

fn success(msg: Text, data: Value) -> Outcome {
    Ok(Success {
        msg,
        data,
        warnings: Vec::new(),
    })
}

fn fail<T>(zh: impl Into<String>, en: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::invalid(zh, en))
}

fn unknown_action() -> Outcome {
    fail("action参数有误", "there is no such action")
}

#[derive(Serialize)]
struct Body<'a> {
    result: &'static str,
    msg: &'a str,
    data: Value,
}

/// An answer that waits for its language.
pub(crate) struct Answered {
    code: Option<ErrorCode>,
    msg: Text,
    data: Value,
    warnings: Vec<Text>,
}

impl Answered {
    /// The answer in one language.
    pub(crate) fn render(&self, lang: Lang) -> Response {
        let body = Body {
            result: if self.code.is_none() {
                "success"
            } else {
                "fail"
            },
            msg: self.msg.get(lang),
            data: self.data.clone(),
        };
        let body = serde_json::to_string(&body).expect("an answer is plain data");
        let content_type = [(header::CONTENT_TYPE, "text/plain; charset=UTF-8")];
        let mut response = (content_type, body).into_response();
        if let Some(code) = self.code {
            let word = HeaderValue::from_static(code_word(code));
            response.headers_mut().insert(ERROR_CODE_HEADER, word);
        }
        if !self.warnings.is_empty() {
            let lines: Vec<&str> = self.warnings.iter().map(|text| text.get(lang)).collect();
            let value = HeaderValue::from_str(&encoded(&lines.join("\n")));
            let value = value.expect("percent-encoded text is ASCII");
            response.headers_mut().insert(WARNINGS_HEADER, value);
        }
        response
    }
}

/// Any text as the value of a header.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Leaves the answer to [`crate::language::speak`].
fn respond(outcome: Outcome) -> Response {
    let answered = match outcome {
        Ok(Success {
            msg,
            data,
            warnings,
        }) => Answered {
            code: None,
            msg,
            data,
            warnings,
        },
        Err(failure) => Answered {
            code: Some(failure.code),
            msg: with_findings(failure),
            data: Value::Null,
            warnings: Vec::new(),
        },
    };
    let mut response = Response::default();
    response.extensions_mut().insert(Arc::new(answered));
    response
}

/// Says every finding in the one line that there is.
fn with_findings(failure: Failure) -> Text {
    let list = |lang| {
        let found: Vec<String> = failure
            .findings
            .iter()
            .map(|finding| one_line(finding, lang))
            .collect();
        format!("{}: {}", failure.text.get(lang), found.join("; "))
    };
    if failure.findings.is_empty() {
        return failure.text;
    }
    Text::new(list(Lang::Zh), list(Lang::En))
}

fn one_line(finding: &Finding, lang: Lang) -> String {
    format!(
        "{}:{}:{}: [{}] {}",
        finding.file,
        finding.line,
        finding.column,
        finding.code,
        finding.message.get(lang)
    )
}

async fn execute(app: &App, command: Command) -> Result<Answer, Failure> {
    app.master.execute(command).await
}

/// Carries out a command that answers with an instance.
async fn instance_of(app: &App, command: Command) -> Result<String, Failure> {
    match execute(app, command).await? {
        Answer::Instance { id } | Answer::Chain { id, .. } => Ok(id.to_string()),
        Answer::Done | Answer::Put { .. } | Answer::Repair { .. } | Answer::Backfill { .. } => {
            fail(
                "master的应答与请求不符",
                "the master answered something else than was asked",
            )
        }
    }
}
