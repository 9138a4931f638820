//! Mails that are owed, and how their sending goes.

use akkaflow_model::mail::{DeliveryRow, DeliveryState, MailKey, MailKind, MailRow};

use crate::error::Error;
use crate::sql::codes::Coded;
use crate::sql::row::Columns;
use crate::sql::table::{Layout, Number, Table};
use crate::sql::value::Value;

impl Coded for MailKind {
    const CODES: &'static [(Self, i64)] = &[
        (Self::Ended, 0),
        (Self::Failing, 1),
        (Self::Recovered, 2),
        (Self::Notice, 3),
    ];

    fn code(self) -> i64 {
        match self {
            Self::Ended => 0,
            Self::Failing => 1,
            Self::Recovered => 2,
            Self::Notice => 3,
        }
    }
}

impl Coded for DeliveryState {
    const CODES: &'static [(Self, i64)] = &[(Self::Waiting, 0), (Self::Sent, 1), (Self::Dead, 2)];

    fn code(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Sent => 1,
            Self::Dead => 2,
        }
    }
}

/// The columns of a mail's key.
pub(crate) const KEY: &[&str] = &["instance", "run", "kind", "node", "attempt"];

/// The values of these columns.
pub(crate) fn key_values(key: &MailKey) -> [Value<'_>; 5] {
    [
        Value::id(key.instance),
        Value::Int(key.run.into()),
        Value::Int(key.kind.code()),
        Value::text(&key.node),
        Value::Int(key.attempt.into()),
    ]
}

/// Reads these columns.
pub(crate) fn read_key(columns: &mut Columns<'_>) -> Result<MailKey, Error> {
    Ok(MailKey {
        instance: columns.id()?,
        run: columns.count()?,
        kind: columns.coded()?,
        node: columns.text()?.into(),
        attempt: columns.count()?,
    })
}

impl Table for MailRow {
    const LAYOUT: Layout = Layout {
        name: "af_mail",
        keys: KEY,
        columns: &["workflow", "born_at", "receivers", "facts"],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend(key_values(&self.key));
        values.extend([
            Value::text(&self.workflow),
            Value::time(self.born_at),
            Value::json(&self.receivers),
            Value::json(&self.facts),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            key: read_key(columns)?,
            workflow: columns.text()?,
            born_at: columns.time()?,
            receivers: columns.json()?,
            facts: columns.json()?,
        })
    }
}

impl Table for DeliveryRow {
    const LAYOUT: Layout = Layout {
        name: "af_mail_delivery",
        keys: KEY,
        columns: &[
            "state", "since", "next_at", "tries", "tried_at", "accepted", "refused", "error",
            "asked_by",
        ],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend(key_values(&self.key));
        values.extend([
            Value::Int(self.state.code()),
            Value::time(self.since),
            Value::time(self.next_at),
            Value::Int(self.tries.into()),
            Value::optional_time(self.tried_at),
            Value::json(&self.accepted),
            Value::json(&self.refused),
            Value::optional_json(self.error.as_ref()),
            Value::text(&self.user),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            key: read_key(columns)?,
            state: columns.coded()?,
            since: columns.time()?,
            next_at: columns.time()?,
            tries: columns.count()?,
            tried_at: columns.optional_time()?,
            accepted: columns.json()?,
            refused: columns.json()?,
            error: columns.optional_json()?,
            user: columns.text()?,
        })
    }
}
