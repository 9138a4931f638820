//! An answer against what is expected of it, and what of it is handed on.

use std::borrow::Cow;

use akkaflow_connectors::processor_time;
use akkaflow_connectors::web::{MOST_BYTES, Masks, Reply};
use akkaflow_model::condition::{ANSWER_VARIABLES, Answer, Condition};
use akkaflow_model::read::is_secret_name;
use akkaflow_model::text::Text;
use hyper::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use serde_json::Value;

use super::Http;
use crate::action::Outcome;
use crate::context::AttemptContext;
use crate::error::ActionError;
use crate::lines::excerpt;

/// So much of an answer stands in the message of a failure, characters.
const EXCERPT: usize = 300;

/// Stands for a secret.
const STARS: &str = "***";

/// Outputs that are no field of a JSON answer.
const STATUS_OUTPUT: &str = "http_status";
const BODY_OUTPUT: &str = "http_body";

/// Whether the answer is a success, and what it hands on.
pub(super) async fn judge(
    http: &Http,
    attempt: &AttemptContext,
    masks: &Masks,
    reply: Reply,
) -> Result<Outcome, ActionError> {
    let body = decoded(&reply);
    if !http.expected.contains(reply.status) {
        return Err(unexpected(http, masks, &reply, &body));
    }
    let wants_body = (attempt.outputs.iter()).any(|output| output != STATUS_OUTPUT);
    let needs_body = !http.checks.is_empty() || wants_body;
    if reply.is_cut && needs_body {
        let limit = MOST_BYTES >> 20;
        return Err(ActionError::Fatal(Text::new(
            format!("应答超过{limit}MiB，不能检查或作为输出；请用脚本处理"),
            format!(
                "the answer is longer than {limit} MiB: it can be neither checked nor handed on; use a script"
            ),
        )));
    }
    if !needs_body {
        return Ok(Outcome {
            outputs: attempt.declared(vec![status_output(&reply)]),
            ..Outcome::default()
        });
    }
    let json = serde_json::from_str::<Value>(&body).ok();
    let seen = Seen {
        status: reply.status,
        headers: headers(&reply.headers),
        body,
        json,
    };
    let seen = check(http.checks.clone(), seen, masks).await?;
    let mut outputs = vec![status_output(&reply)];
    if let Some(Value::Object(fields)) = &seen.json {
        outputs.extend(
            fields
                .iter()
                .filter_map(|(name, value)| output(name, value)),
        );
    }
    outputs.push((BODY_OUTPUT.to_owned(), seen.body));
    Ok(Outcome {
        outputs: attempt.declared(outputs),
        ..Outcome::default()
    })
}

/// That there is more of the answer than was read.
pub(super) fn only_the_first() -> Text {
    let limit = MOST_BYTES >> 20;
    Text::new(
        format!("应答超过{limit}MiB，只读取了前{limit}MiB"),
        format!("the answer is longer than {limit} MiB: only the first {limit} MiB were read"),
    )
}

fn status_output(reply: &Reply) -> (String, String) {
    (STATUS_OUTPUT.to_owned(), reply.status.to_string())
}

/// A field as an output; nothing is no value.
fn output(name: &str, value: &Value) -> Option<(String, String)> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Some((name.to_owned(), text))
}

/// What checks look at.
struct Seen {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    json: Option<Value>,
}

/// In a thread of its own: what a check costs is bounded by the answer's size only.
async fn check(checks: Vec<String>, seen: Seen, masks: &Masks) -> Result<Seen, ActionError> {
    let checking = processor_time::spawn_blocking(move || {
        let answer = Answer {
            status: seen.status,
            headers: &seen.headers,
            body: &seen.body,
            json: seen.json.as_ref(),
        };
        for check in &checks {
            match Condition::parse(check, ANSWER_VARIABLES) {
                Err(error) => return Err(ActionError::Fatal(broken(check, &error.message))),
                Ok(condition) => match condition.holds_of(&answer) {
                    Ok(true) => {}
                    Ok(false) => return Err(ActionError::Retryable(unmet(check, &seen.body))),
                    Err(why) => return Err(ActionError::Retryable(broken(check, &why))),
                },
            }
        }
        Ok(seen)
    });
    match checking.await {
        Ok(Err(ActionError::Retryable(text))) => Err(ActionError::Retryable(masks.text(&text))),
        Ok(other) => other,
        Err(error) => Err(ActionError::Retryable(Text::verbatim(error.to_string()))),
    }
}

fn unmet(check: &str, body: &str) -> Text {
    let shown = excerpt(&shown(body), EXCERPT);
    Text::new(
        format!("应答不满足条件 {check}：{shown}"),
        format!("the answer does not meet `{check}`: {shown}"),
    )
}

/// An answer as people may see it: in JSON, stars stand for what is named like a secret.
fn shown(body: &str) -> Cow<'_, str> {
    let Ok(mut json) = serde_json::from_str::<Value>(body) else {
        return body.into();
    };
    if hide(&mut json) {
        return json.to_string().into();
    }
    body.into()
}

/// Whether anything had to be hidden.
fn hide(json: &mut Value) -> bool {
    let mut is_hidden = false;
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_secret_name(name) && !value.is_null() {
                    *value = STARS.into();
                    is_hidden = true;
                } else {
                    is_hidden |= hide(value);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                is_hidden |= hide(item);
            }
        }
        _ => {}
    }
    is_hidden
}

fn broken(check: &str, why: &Text) -> Text {
    Text::new(
        format!("条件 {check} 无法判断：{}", why.zh),
        format!("`{check}` cannot be told: {}", why.en),
    )
}

fn unexpected(http: &Http, masks: &Masks, reply: &Reply, body: &str) -> ActionError {
    let status = reply.status;
    let expected = &http.expected.words;
    let location = reply.headers.get(LOCATION).and_then(|to| to.to_str().ok());
    let (zh, en) = match location.filter(|_| (300..400).contains(&status)) {
        Some(to) => (
            format!("转向{to}，请直接使用该地址"),
            format!("it leads to {to}, use that address"),
        ),
        None => {
            let said = excerpt(&shown(body), EXCERPT);
            (said.clone(), said)
        }
    };
    let text = masks.text(&Text::new(
        format!("应答状态码{status}，期望{expected}：{zh}"),
        format!("answered {status}, expected {expected}: {en}"),
    ));
    match &http.retried {
        Some(retried) if !retried.contains(status) => ActionError::Fatal(text),
        _ => ActionError::Retryable(text),
    }
}

/// In the encoding that the server names, UTF-8 without.
fn decoded(reply: &Reply) -> String {
    let kind = reply
        .headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let charset = kind.and_then(|kind| {
        let mut parts = kind.split(';').skip(1).map(str::trim);
        parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("charset")
                .then(|| value.trim_matches(['"', ' ']))
        })
    });
    let encoding = charset
        .and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()))
        .unwrap_or(encoding_rs::UTF_8);
    encoding.decode(&reply.body).0.into_owned()
}

/// Each name once, in lower case; values that stand apart are joined as HTTP says.
fn headers(found: &HeaderMap) -> Vec<(String, String)> {
    found
        .keys()
        .map(|name| {
            let values = found.get_all(name).iter();
            let values: Vec<_> = values
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect();
            (name.as_str().to_owned(), values.join(", "))
        })
        .collect()
}
