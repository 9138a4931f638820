//! Whether a check holds of the answer of a web service.

use std::sync::Arc;

use cel::objects::Key;
use cel::{Context, ExecutionError};
use serde_json::Value as Json;

use super::Condition;
use super::evaluate::{fault, functions, map, no_truth};
use crate::text::Text;

/// What a check looks at.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// `status`.
    pub status: u16,
    /// `headers`: names in lower case, each once.
    pub headers: &'a [(String, String)],
    /// `body`.
    pub body: &'a str,
    /// `json`: absent when the body is none.
    pub json: Option<&'a Json>,
}

impl Condition {
    /// Whether it holds of an answer. What that costs is bounded by the size of the answer and the depth of the condition only.
    ///
    /// # Errors
    /// Why that cannot be said: the answer lacks what it looks at, or the outcome is neither true nor false.
    pub fn holds_of(&self, answer: &Answer<'_>) -> Result<bool, Text> {
        let mut context = Context::with_env(Arc::clone(functions()));
        let status = cel::Value::Int(answer.status.into());
        context.add_variable_from_value("status", status);
        context.add_variable_from_value("body", cel::Value::from(answer.body));
        let headers = answer.headers.iter();
        let headers = headers.map(|(name, value)| (name.clone(), value.as_str().into()));
        context.add_variable_from_value("headers", map(headers.collect()));
        match answer.json {
            Some(json) => context.add_variable_from_value("json", of_json(json)),
            None if self.names().iter().any(|path| path[0] == "json") => {
                return Err(Text::new("应答不是JSON", "the answer is no JSON"));
            }
            None => {}
        }
        match context.resolve(&self.expression) {
            Ok(cel::Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(no_truth(&other)),
            Err(ExecutionError::NoSuchOverload(overload)) => Err(Text::new(
                format!("值的类型不符（{overload}）"),
                format!("values of the wrong type ({overload})"),
            )),
            Err(error) => Err(fault(&error)),
        }
    }
}

/// Whole numbers stay whole; others are decimal.
fn of_json(json: &Json) -> cel::Value {
    match json {
        Json::Null => cel::Value::Null,
        Json::Bool(truth) => cel::Value::Bool(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => cel::Value::Int(number),
            (None, Some(number)) => cel::Value::UInt(number),
            (None, None) => cel::Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => cel::Value::from(text.as_str()),
        Json::Array(items) => cel::Value::List(Arc::new(items.iter().map(of_json).collect())),
        Json::Object(fields) => {
            let entries = fields
                .iter()
                .map(|(name, value)| (Key::from(name.as_str()), of_json(value)));
            cel::Value::Map(cel::objects::Map {
                map: Arc::new(entries.collect()),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::ANSWER_VARIABLES;

    fn check(text: &str, body: &str) -> Result<bool, String> {
        let json = serde_json::from_str(body).ok();
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        let answer = Answer {
            status: 200,
            headers: &headers,
            body,
            json: json.as_ref(),
        };
        let condition = Condition::parse(text, ANSWER_VARIABLES).unwrap();
        condition.holds_of(&answer).map_err(|text| text.en)
    }

    #[test]
    fn a_check_looks_at_all_of_an_answer() {
        let body =
            r#"{"state": "accepted", "n": 3, "share": 0.5, "none": null, "items": [{"id": 7}]}"#;
        for (text, holds) in [
            ("status == 200 && json.state == 'accepted'", true),
            ("headers['content-type'].startsWith('application/')", true),
            ("body.contains('accepted') && json.n > 3", false),
            ("json.share < 0.6 && json.none == null", true),
            ("json.items.exists(item, item.id == 7)", true),
            ("size(json.items) == 1 && json.items[0].id == 7", true),
            ("has(json.error)", false),
        ] {
            assert_eq!(check(text, body), Ok(holds), "{text}");
        }
    }

    #[test]
    fn what_an_answer_lacks_is_named() {
        for (text, body, why) in [
            ("json.state == 'x'", "<html>", "the answer is no JSON"),
            ("json.state == 'x'", "{}", "there is no value `state`"),
            ("headers.etag == 'x'", "{}", "there is no value `etag`"),
            ("json > 'x'", "1", "values of the wrong type"),
        ] {
            let found = check(text, body).unwrap_err();
            assert!(found.starts_with(why), "{text}: {found}");
        }
    }
}
