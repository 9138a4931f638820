//! Answers to repeated requests.

use std::borrow::Cow;

use akkaflow_model::record::RequestRow;
use ring::digest::SHA256;

use crate::error::Error;
use crate::sql::row::Columns;
use crate::sql::table::{Layout, Number, Table};
use crate::sql::value::Value;

/// Stands for a key of any length: databases bound the length of an index.
pub(crate) fn digest(key: &str) -> Value<'static> {
    Value::Bytes(Cow::Owned(
        ring::digest::digest(&SHA256, key.as_bytes())
            .as_ref()
            .to_vec(),
    ))
}

impl Table for RequestRow {
    const LAYOUT: Layout = Layout {
        name: "af_request",
        keys: &["key_hash"],
        columns: &["request_key", "body_hash", "instance", "requested_at"],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([
            digest(&self.key),
            Value::text(&self.key),
            Value::text(&self.body_hash),
            Value::id(self.instance),
            Value::time(self.at),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        columns.bytes()?;
        Ok(Self {
            key: columns.text()?,
            body_hash: columns.text()?,
            instance: columns.id()?,
            at: columns.time()?,
        })
    }
}
