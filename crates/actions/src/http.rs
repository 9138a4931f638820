//! `<http>`: calls a web service.

mod answer;
mod shape;

use std::time::{Duration, Instant};

use akkaflow_connectors::web::{Call, Failure, Masks, address, ask, system_roots, usual_headers};
use akkaflow_model::definition::CodeRanges;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::Shape;
use akkaflow_model::text::Text;
use async_trait::async_trait;
use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use crate::action::{Action, Outcome};
use crate::context::{AttemptContext, Level};
use crate::error::ActionError;

/// `<http>`: calls a web service and holds the answer against what is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Http {
    url: String,
    method: String,
    headers: Vec<(String, String)>,
    /// Its content type and its text.
    body: Option<(String, String)>,
    expected: Codes,
    /// `None`: whatever is no success.
    retried: Option<Codes>,
    time_limit: Duration,
    checks: Vec<String>,
}

/// Statuses, and as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Codes {
    ranges: CodeRanges,
    words: String,
}

impl Codes {
    fn read(shape: &Shape, element: &Element, name: &str) -> Option<Self> {
        Some(Self {
            ranges: shape.codes(element, name)?,
            words: shape.value(element, name)?.to_owned(),
        })
    }

    fn contains(&self, status: u16) -> bool {
        self.ranges.contains(status.into())
    }
}

#[async_trait]
impl Action for Http {
    const TAG: &'static str = "http";

    fn shape() -> Shape {
        shape::shape(Self::TAG)
    }

    fn parse(element: &Element, diagnostics: &mut Diagnostics) -> Option<Self> {
        shape::check(element, diagnostics);
        let shape = Self::shape();
        let named = |tag| element.elements_named(tag);
        let headers = named("header").map(|header| {
            let name = header.attribute("name").map_or("", |name| &name.value);
            (name.trim().to_owned(), header.text().trim().to_owned())
        });
        let body = named("body").next().map(|body| {
            let kind = shape::body()
                .value(body, "content-type")
                .unwrap_or_default()
                .to_owned();
            (kind, body.text())
        });
        Some(Self {
            url: shape.value(element, "url")?.to_owned(),
            method: shape.value(element, "method")?.to_owned(),
            headers: headers.collect(),
            body,
            expected: Codes::read(&shape, element, "expect-status")?,
            retried: Codes::read(&shape, element, "retry-status"),
            time_limit: Duration::from_secs(shape.duration(element, "time-limit")?),
            checks: named("check")
                .map(|check| check.text().trim().to_owned())
                .collect(),
        })
    }

    async fn run(&self, attempt: &AttemptContext) -> Result<Outcome, ActionError> {
        let call = self.call().map_err(ActionError::Fatal)?;
        let masks = Masks::of(&call);
        let start = Instant::now();
        let asked = tokio::time::timeout(self.time_limit, ask(&call, system_roots));
        let reply = tokio::select! {
            biased;
            () = attempt.cancelled() => return Err(ActionError::Cancelled),
            reply = asked => reply.unwrap_or(Err(Failure::Late(self.time_limit))),
        };
        let reply = reply.map_err(|failure| unanswered(&call, &masks, &failure))?;
        let (method, url) = (&call.method, masks.url(&call.url));
        let (status, bytes) = (reply.status, reply.body.len());
        attempt.meter.moved(bytes as u64);
        let seconds = start.elapsed().as_secs_f64();
        attempt.log.both(
            format_args!("{method} {url} 应答{status}，{bytes}字节，耗时{seconds:.3}s"),
            format_args!("{method} {url} answered {status}, {bytes} bytes, {seconds:.3} s"),
        );
        if reply.is_cut {
            attempt.log.say(Level::Warn, &answer::only_the_first());
        }
        let judged = answer::judge(self, attempt, &masks, reply);
        tokio::select! {
            biased;
            () = attempt.cancelled() => Err(ActionError::Cancelled),
            outcome = judged => outcome,
        }
    }
}

impl Http {
    /// The request, or what is wrong with it now that its values are known.
    fn call(&self) -> Result<Call, Text> {
        let url = address(&self.url).ok_or_else(|| {
            Text::new(
                "`url` 不是有效的http或https地址",
                "`url` is no address of http or https",
            )
        })?;
        let method = Method::from_bytes(self.method.as_bytes()).map_err(|_| {
            Text::new(
                format!("请求方法`{}`无效", self.method),
                format!("there is no method `{}`", self.method),
            )
        })?;
        let mut headers = usual_headers();
        if let Some((kind, _)) = &self.body {
            headers.insert(CONTENT_TYPE, value(CONTENT_TYPE.as_str(), kind)?);
        }
        let mut own = HeaderMap::new();
        for (name, text) in &self.headers {
            let known = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                Text::new(
                    format!("`{name}`不能作为请求头名称"),
                    format!("`{name}` is no name of a header"),
                )
            })?;
            own.append(known, value(name, text)?);
        }
        // What the definition says of a name replaces ours; said twice, both stand.
        headers.extend(own);
        let body = self.body.as_ref().map_or("", |(_, text)| text);
        Ok(Call {
            url,
            method,
            headers,
            body: body.to_owned().into(),
        })
    }
}

/// The value is not shown: it may be secret.
fn value(name: &str, text: &str) -> Result<HeaderValue, Text> {
    HeaderValue::from_str(text).map_err(|_| {
        Text::new(
            format!("请求头`{name}`的值含有换行或其他控制字符"),
            format!("the value of header `{name}` holds line breaks or other control characters"),
        )
    })
}

fn unanswered(call: &Call, masks: &Masks, failure: &Failure) -> ActionError {
    let url = masks.url(&call.url);
    let why = failure.text();
    ActionError::Retryable(masks.text(&Text::new(
        format!("{} {url} 失败：{}", call.method, why.zh),
        format!("{} {url} failed: {}", call.method, why.en),
    )))
}
