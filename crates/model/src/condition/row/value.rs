//! From the bytes of a row to the values of an expression, and back.

use std::sync::Arc;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime};

use super::ColumnType;
use crate::text::Text;

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Computed {
    /// The value of this column, as it is.
    Column(usize),
    /// NULL.
    Null,
    /// Truth.
    Boolean(bool),
    /// Anything that is spelled as text; numbers too.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

pub(super) fn of(kind: ColumnType, value: Option<&[u8]>) -> cel::Value {
    let Some(bytes) = value else {
        return cel::Value::Null;
    };
    let as_bytes = || cel::Value::Bytes(Arc::new(bytes.to_vec()));
    let Ok(text) = std::str::from_utf8(bytes) else {
        return as_bytes();
    };
    let typed = match kind {
        ColumnType::Bytes => Some(as_bytes()),
        ColumnType::Text => None,
        ColumnType::Integer => (text.parse().ok().map(cel::Value::Int))
            .or_else(|| text.parse().ok().map(cel::Value::UInt)),
        ColumnType::Number => text.parse().ok().map(cel::Value::Float),
        ColumnType::Boolean => match text {
            "t" | "true" | "1" => Some(cel::Value::Bool(true)),
            "f" | "false" | "0" => Some(cel::Value::Bool(false)),
            _ => None,
        },
        ColumnType::Moment => moment(text).map(cel::Value::Timestamp),
    };
    typed.unwrap_or_else(|| cel::Value::from(text))
}

/// `2026-11-21`, `2026-11-21 05:00:00.5`, or with an offset such as `+08` or `+05:30`.
fn moment(text: &str) -> Option<DateTime<FixedOffset>> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(day.and_hms_opt(0, 0, 0)?.and_utc().fixed_offset());
    }
    let text = text.replacen('T', " ", 1);
    if let Ok(local) = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f") {
        return Some(local.and_utc().fixed_offset());
    }
    DateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f%#z").ok()
}

pub(super) fn computed(value: cel::Value) -> Result<Computed, Text> {
    Ok(match value {
        cel::Value::Null => Computed::Null,
        cel::Value::Bool(truth) => Computed::Boolean(truth),
        cel::Value::Int(number) => Computed::Text(number.to_string()),
        cel::Value::UInt(number) => Computed::Text(number.to_string()),
        cel::Value::Float(number) => Computed::Text(number.to_string()),
        cel::Value::String(text) => Computed::Text(Arc::unwrap_or_clone(text)),
        cel::Value::Bytes(bytes) => Computed::Bytes(Arc::unwrap_or_clone(bytes)),
        cel::Value::Timestamp(moment) => Computed::Text(spelled(moment)),
        other => {
            let kind = other.type_of();
            return Err(Text::new(
                format!("结果的类型{kind}不能作为字段的值，请用string()等转换"),
                format!(
                    "it gives a value of type {kind}, which no column holds; turn it into text by string()"
                ),
            ));
        }
    })
}

/// As databases spell it: the offset stands there unless it is that of UTC, which is also that of a moment without one.
fn spelled(moment: DateTime<FixedOffset>) -> String {
    let mut text = moment.format("%Y-%m-%d %H:%M:%S%.f").to_string();
    if moment.offset().local_minus_utc() != 0 {
        text.push_str(&moment.format("%:z").to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_databases_spell_them() {
        for (text, read) in [
            ("2026-11-21", "2026-11-21 00:00:00"),
            ("2026-11-21 05:00:00.25", "2026-11-21 05:00:00.250"),
            ("2026-11-21T05:00:00", "2026-11-21 05:00:00"),
            ("2026-11-21 05:00:00+08", "2026-11-21 05:00:00+08:00"),
            (
                "2026-11-21 05:00:00.1+05:30",
                "2026-11-21 05:00:00.100+05:30",
            ),
            ("2026-11-21 05:00:00+00", "2026-11-21 05:00:00"),
        ] {
            assert_eq!(moment(text).map(spelled).as_deref(), Some(read), "{text}");
        }
        for text in ["0000-00-00 00:00:00", "5", "", "2026-11-21 5"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
