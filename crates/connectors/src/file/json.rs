//! JSON lines: one object a line. Its keys are columns; a key that is missing is NULL. Numbers pass as they are spelled, whatever their size,
//! objects and arrays as JSON text. On writing numbers, booleans, NULL and text keep their kinds.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use akkaflow_model::suggest::closest;
use akkaflow_model::text::Text;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::format::{Mistake, Taken};
use super::text::take_line;
use crate::batch::Batch;
use crate::column::{Column, Kind};

/// The keys of a file, in the order in which they first stand there.
#[derive(Debug, Default)]
pub(super) struct Keys {
    positions: HashMap<String, usize>,
    names: Vec<String>,
    /// What their values are; `None` when all are NULL.
    kinds: Vec<Option<Kind>>,
}

impl Keys {
    /// Adds those of a line.
    pub(super) fn learn(&mut self, line: &[u8]) -> Result<(), Mistake> {
        let entries = parse(line)?.0;
        if entries.is_empty() && self.names.is_empty() {
            return Err(Mistake::here(Text::new(
                "第一个对象没有任何键",
                "the first object has no keys",
            )));
        }
        for (Key(key), value) in entries {
            let position = match self.positions.get(key.as_ref()) {
                Some(position) => *position,
                None => self.add(&key),
            };
            let seen = &mut self.kinds[position];
            *seen = match (*seen, kind(value.get())) {
                (Some(one), Some(other)) => Some(common(one, other)),
                (one, other) => one.or(other),
            };
        }
        Ok(())
    }

    fn add(&mut self, key: &str) -> usize {
        let position = self.names.len();
        self.positions.insert(key.to_owned(), position);
        self.names.push(key.to_owned());
        self.kinds.push(None);
        position
    }

    /// As columns.
    pub(super) fn columns(&self) -> Vec<Column> {
        let pairs = self.names.iter().zip(&self.kinds);
        pairs
            .map(|(name, kind)| Column::new(name, kind.unwrap_or(Kind::Field)))
            .collect()
    }

    /// Appends the values of the first line of `text`, if it is not blank; `None` when its end is not there yet.
    pub(super) fn take_row(
        &self,
        text: &[u8],
        is_at_end: bool,
        batch: &mut Batch,
    ) -> Result<Option<Taken>, Mistake> {
        let Some((line, taken)) = take_line(text, is_at_end) else {
            return Ok(None);
        };
        if !line.trim_ascii().is_empty() {
            self.append(line, batch)?;
        }
        Ok(Some(taken))
    }

    /// Appends the values of a line in the order of the keys.
    fn append(&self, line: &[u8], batch: &mut Batch) -> Result<(), Mistake> {
        let mut values = vec![None; self.names.len()];
        for (index, (Key(key), value)) in parse(line)?.0.into_iter().enumerate() {
            // Lines mostly have their keys in one order.
            let position = match self.names.get(index) {
                Some(name) if *name == key => index,
                _ => *self
                    .positions
                    .get(key.as_ref())
                    .ok_or_else(|| self.unknown(&key))?,
            };
            if values[position].replace(value.get()).is_some() {
                return Err(twice(&key));
            }
        }
        for value in values {
            append_value(value, batch)?;
        }
        Ok(())
    }

    fn unknown(&self, key: &str) -> Mistake {
        let (zh, en) = match closest(key, self.names.iter().map(String::as_str)) {
            Some(meant) => (
                format!("，是否应为 `{meant}`？"),
                format!("; is `{meant}` meant?"),
            ),
            None => Default::default(),
        };
        Mistake::here(Text::new(
            format!(
                "键 `{key}` 未出现在文件开头的记录中{zh}（开头的记录决定有哪些字段，缺少的键为NULL）"
            ),
            format!(
                "key `{key}` is not among those of the rows at the file's beginning{en} (they tell which columns there are; a missing key is NULL)"
            ),
        ))
    }
}

fn twice(key: &str) -> Mistake {
    Mistake::here(Text::new(
        format!("键 `{key}` 出现两次"),
        format!("key `{key}` stands twice"),
    ))
}

/// What a JSON value is; `None` for NULL.
fn kind(value: &str) -> Option<Kind> {
    Some(match value.as_bytes()[0] {
        b'n' => return None,
        b't' | b'f' => Kind::Boolean,
        b'{' | b'[' => Kind::Json,
        b'"' => Kind::Field,
        _ if value.parse::<i64>().is_ok() => Kind::signed(64),
        _ => Kind::Decimal(None),
    })
}

fn common(one: Kind, other: Kind) -> Kind {
    let is_number = |kind| matches!(kind, Kind::Integer { .. } | Kind::Decimal(_));
    match one == other {
        true => one,
        false if is_number(one) && is_number(other) => Kind::Decimal(None),
        false => Kind::Field,
    }
}

fn append_value(value: Option<&str>, batch: &mut Batch) -> Result<(), Mistake> {
    match value {
        None | Some("null") => batch.push_null(),
        Some(value) => match value.strip_prefix('"') {
            None => batch.push(value.as_bytes()),
            Some(_) if value.contains('\\') => {
                let text: String = serde_json::from_str(value).map_err(|error| wrong(&error))?;
                batch.push(text.as_bytes());
            }
            Some(text) => batch.push(&text.as_bytes()[..text.len() - 1]),
        },
    }
    Ok(())
}

/// The entries of an object, in order.
struct Object<'a>(Vec<(Key<'a>, &'a RawValue)>);

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

fn parse(line: &[u8]) -> Result<Object<'_>, Mistake> {
    serde_json::from_slice(line).map_err(|error| wrong(&error))
}

fn wrong(error: &serde_json::Error) -> Mistake {
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    let column = error.column();
    Mistake::here(Text::new(
        format!("不是一行一个的JSON对象（第{column}个字节处）：{words}"),
        format!("this is no JSON object on one line (byte {column}): {words}"),
    ))
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// Appends a value as JSON. Numbers that JSON does not know, such as NaN, become text.
pub(super) fn append_json(value: &str, kind: Kind, output: &mut Vec<u8>) {
    let first = value.bytes().next().unwrap_or_default();
    let is_digit = matches!(first, b'-' | b'0'..=b'9');
    let literal = match kind {
        Kind::Integer { .. } | Kind::Decimal(_) | Kind::Float | Kind::Double | Kind::Bits(_) => {
            is_digit.then_some(value)
        }
        Kind::Boolean => boolean(value),
        // A text or NULL within JSON stays apart from a text and NULL of the database.
        Kind::Json => (is_digit || matches!(first, b'{' | b'[' | b't' | b'f')).then_some(value),
        _ => None,
    };
    match literal.filter(|text| serde_json::from_str::<&RawValue>(text).is_ok()) {
        // Between two tokens a blank is as good as a line break.
        Some(text) => output.extend(text.bytes().map(|byte| match byte {
            b'\n' | b'\r' => b' ',
            other => other,
        })),
        None => append_string(value, output),
    }
}

fn boolean(value: &str) -> Option<&'static str> {
    match value {
        "t" | "true" | "TRUE" | "1" => Some("true"),
        "f" | "false" | "FALSE" | "0" => Some("false"),
        _ => None,
    }
}

/// Appends text in quotes.
pub(super) fn append_string(text: &str, output: &mut Vec<u8>) {
    serde_json::to_writer(output, text).expect("writing to memory does not fail");
}
