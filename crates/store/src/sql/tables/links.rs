//! Links that are kept here, sealed.

use akkaflow_model::links::{LinkKey, LinkKind, LinkRow};

use crate::error::Error;
use crate::sql::codes::Coded;
use crate::sql::row::Columns;
use crate::sql::table::{Layout, Number, Table};
use crate::sql::value::Value;

impl Coded for LinkKind {
    const CODES: &'static [(Self, i64)] = &[(Self::Db, 0), (Self::File, 1)];

    fn code(self) -> i64 {
        match self {
            Self::Db => 0,
            Self::File => 1,
        }
    }
}

/// The values of a key's columns.
pub(crate) fn key_values(key: &LinkKey) -> [Value<'_>; 2] {
    [Value::Int(key.kind.code()), Value::text(&key.name)]
}

impl Table for LinkRow {
    const LAYOUT: Layout = Layout {
        name: "af_link",
        keys: &["kind", "name"],
        columns: &["key_id", "sealed", "changed_at", "changed_by"],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend(key_values(&self.key));
        values.extend([
            Value::text(&self.key_id),
            Value::Bytes((&self.sealed[..]).into()),
            Value::time(self.changed_at),
            Value::text(&self.user),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            key: LinkKey {
                kind: columns.coded()?,
                name: columns.text()?,
            },
            key_id: columns.text()?,
            sealed: columns.bytes()?,
            changed_at: columns.time()?,
            user: columns.text()?,
        })
    }
}
