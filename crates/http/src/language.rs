//! In which language a request is answered: `?lang=`, then `Akkaflow-Lang`, then `Accept-Language`, then English. The
//! `/akkaflow` answers know `Akkaflow-Lang` and else the server's own language.

use std::sync::Arc;

use akkaflow_api::LANG_HEADER;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::text::{Lang, Text};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;
use crate::failure::Failure;
use crate::legacy::Answered;

/// The language of the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Language(pub(crate) Lang);

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(language_of(parts.uri.query(), &parts.headers)))
    }
}

/// Limits the time of a request and says its failure in its language.
pub(crate) async fn speak(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let lang = language_of(request.uri().query(), request.headers());
    let forced = forced(request.headers());
    let limit = app.options.read_timeout + app.options.command_timeout;
    let Ok(response) = tokio::time::timeout(limit, next.run(request)).await else {
        return too_slow().render(lang);
    };
    if let Some(answered) = response.extensions().get::<Arc<Answered>>() {
        return answered.render(forced.unwrap_or(app.options.legacy_lang));
    }
    match response.extensions().get::<Arc<Failure>>() {
        Some(failure) => failure.render(lang),
        None if is_bare_refusal(&response) => spelled_out(response, lang).await,
        None => response,
    }
}

/// Whether the framework refused the request with a line of text: a query that cannot be read.
fn is_bare_refusal(response: &Response) -> bool {
    let content = response.headers().get(CONTENT_TYPE);
    response.status().is_client_error()
        && content.is_none_or(|content| content.as_bytes().starts_with(b"text/plain"))
}

async fn spelled_out(response: Response, lang: Lang) -> Response {
    const LONGEST: usize = 4096;
    let said = axum::body::to_bytes(response.into_body(), LONGEST).await;
    let said = said.unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    Failure::invalid(format!("请求有误：{said}"), said.clone()).render(lang)
}

fn too_slow() -> Failure {
    Failure::new(
        ErrorCode::Timeout,
        Text::new("处理超时", "the request took too long"),
    )
}

fn language_of(query: Option<&str>, headers: &HeaderMap) -> Lang {
    let asked = query.and_then(|query| {
        query
            .split('&')
            .filter_map(|pair| pair.strip_prefix("lang="))
            .next_back()
    });
    match asked {
        Some(asked) => Lang::from_locale(asked),
        None => forced(headers).unwrap_or_else(|| accepted(headers)),
    }
}

/// What the `akka` command asks for.
fn forced(headers: &HeaderMap) -> Option<Lang> {
    let value = headers.get(LANG_HEADER)?.to_str().ok()?;
    Some(Lang::from_locale(value))
}

/// The one of our languages that the header weighs most; the first one wins a tie.
fn accepted(headers: &HeaderMap) -> Lang {
    let header = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let mut best = (Lang::En, 0.0);
    for range in header.into_iter().flat_map(|header| header.split(',')) {
        let (tag, weight) = range
            .trim()
            .split_once(";q=")
            .unwrap_or((range.trim(), "1"));
        let weight: f32 = weight.trim().parse().unwrap_or(0.0);
        let is_ours = ["zh", "en"]
            .iter()
            .any(|ours| tag.to_ascii_lowercase().starts_with(ours));
        if is_ours && weight > best.1 {
            best = (Lang::from_locale(tag), weight);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_header(value: &'static str) -> Lang {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, value.parse().unwrap());
        language_of(None, &headers)
    }

    #[test]
    fn the_heaviest_language_of_ours_wins() {
        assert_eq!(with_header("zh-CN,zh;q=0.9,en;q=0.8"), Lang::Zh);
        assert_eq!(with_header("en;q=0.5, zh;q=0.6"), Lang::Zh);
        assert_eq!(with_header("fr, en;q=0.1"), Lang::En);
        assert_eq!(with_header("fr"), Lang::En);
    }

    #[test]
    fn the_query_wins_over_the_header() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, "en".parse().unwrap());
        assert_eq!(language_of(Some("a=1&lang=zh_CN"), &headers), Lang::Zh);
    }
}
