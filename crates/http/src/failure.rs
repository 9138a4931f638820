//! What went wrong, as HTTP says it.

use std::sync::Arc;

use akkaflow_api::{Diagnostic, Problem};
use akkaflow_model::command::Rejection;
use akkaflow_model::diagnostic::Finding;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::text::{Lang, Text};
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Seconds after which a refused caller may try again.
const RETRY_AFTER_SECONDS: u64 = 2;

/// A request that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: ErrorCode,
    pub(crate) text: Text,
    pub(crate) findings: Vec<Finding>,
    /// Ids that an ambiguous part may mean.
    pub(crate) candidates: Vec<String>,
}

impl Failure {
    pub(crate) fn new(code: ErrorCode, text: Text) -> Self {
        Self {
            code,
            text,
            findings: Vec::new(),
            candidates: Vec::new(),
        }
    }

    pub(crate) fn workflow_not_found(name: &str) -> Self {
        Self::new(
            ErrorCode::NotFound,
            Text::new(
                format!("工作流{name}不存在"),
                format!("there is no workflow `{name}`"),
            ),
        )
    }

    pub(crate) fn invalid(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(ErrorCode::Invalid, Text::new(zh, en))
    }

    /// The HTTP status; a definition with findings is 422.
    pub(crate) fn status(&self) -> StatusCode {
        if self.code == ErrorCode::Invalid && !self.findings.is_empty() {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            http_status(self.code)
        }
    }

    /// The body in one language.
    pub(crate) fn problem(&self, lang: Lang) -> Problem {
        Problem {
            kind: "about:blank".to_owned(),
            title: title(self.code).get(lang).to_owned(),
            status: self.status().as_u16(),
            detail: self.text.get(lang).to_owned(),
            code: self.code,
            text: self.text.clone(),
            diagnostics: self
                .findings
                .iter()
                .map(|finding| Diagnostic::new(finding, lang))
                .collect(),
            candidates: self.candidates.clone(),
        }
    }

    /// The answer in one language.
    pub(crate) fn render(&self, lang: Lang) -> Response {
        let body = serde_json::to_vec(&self.problem(lang)).expect("a problem is plain data");
        let mut response = (
            self.status(),
            [(header::CONTENT_TYPE, "application/problem+json")],
            body,
        )
            .into_response();
        if matches!(self.code, ErrorCode::Unavailable | ErrorCode::Exhausted) {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        response
    }
}

/// The HTTP status of an error code: one of its three total mappings.
pub fn http_status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Invalid => StatusCode::BAD_REQUEST,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Conflict => StatusCode::CONFLICT,
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::Exhausted => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Timeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn title(code: ErrorCode) -> Text {
    match code {
        ErrorCode::Invalid => Text::new("请求有误", "invalid request"),
        ErrorCode::NotFound => Text::new("不存在", "not found"),
        ErrorCode::Conflict => Text::new("当前状态不允许", "not possible in this state"),
        ErrorCode::Forbidden => Text::new("禁止访问", "forbidden"),
        ErrorCode::Exhausted => Text::new("请求过多", "too much at once"),
        ErrorCode::Unavailable => Text::new("暂时不可用", "unavailable"),
        ErrorCode::Timeout => Text::new("结果未知", "outcome unknown"),
        ErrorCode::Internal => Text::new("内部错误", "internal error"),
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self {
            code: rejection.code,
            text: rejection.text,
            findings: rejection.findings,
            candidates: Vec::new(),
        }
    }
}

impl From<akkaflow_store::Error> for Failure {
    fn from(error: akkaflow_store::Error) -> Self {
        let (code, text) = match &error {
            akkaflow_store::Error::Unavailable { .. } => (ErrorCode::Unavailable, error.text()),
            _ => (
                ErrorCode::Internal,
                Text::new(
                    "读取元数据库出错，详情见http-server日志",
                    "reading the metadata database failed; see the log of the http-server",
                ),
            ),
        };
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::warn!(%error, cause, "cannot read from the store");
        Self::new(code, text)
    }
}

impl From<BytesRejection> for Failure {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Self::invalid("请求体过大", "the body of the request is too large")
        } else {
            Self::invalid("请求体读取失败", "the body of the request cannot be read")
        }
    }
}

/// Leaves the failure to [`crate::language::speak`], which knows the language of the request.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}
