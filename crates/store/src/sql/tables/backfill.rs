//! Backfills and their runs.

use akkaflow_model::backfill::{BackfillRow, BackfillRunRow, BackfillState, RunState};

use crate::error::Error;
use crate::sql::codes::Coded;
use crate::sql::row::Columns;
use crate::sql::table::{Layout, Number, Table};
use crate::sql::value::Value;

impl Coded for BackfillState {
    const CODES: &'static [(Self, i64)] = &[
        (Self::Running, 0),
        (Self::Succeeded, 1),
        (Self::Failed, 2),
        (Self::Aborted, 3),
    ];

    fn code(self) -> i64 {
        match self {
            Self::Running => 0,
            Self::Succeeded => 1,
            Self::Failed => 2,
            Self::Aborted => 3,
        }
    }
}

impl Coded for RunState {
    const CODES: &'static [(Self, i64)] = &[
        (Self::Waiting, 0),
        (Self::Running, 1),
        (Self::Succeeded, 2),
        (Self::Failed, 3),
        (Self::Good, 4),
    ];

    fn code(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Running => 1,
            Self::Succeeded => 2,
            Self::Failed => 3,
            Self::Good => 4,
        }
    }
}

impl Table for BackfillRow {
    const LAYOUT: Layout = Layout {
        name: "af_backfill",
        keys: &["id"],
        columns: &[
            "spec",
            "asked_by",
            "reason",
            "created_at",
            "state",
            "hold",
            "aborted",
            "ended_at",
        ],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([
            Value::id(self.id),
            Value::json(&self.spec),
            Value::text(&self.user),
            Value::text(&self.reason),
            Value::time(self.created_at),
            Value::Int(self.state.code()),
            Value::optional_json(self.hold.as_ref()),
            Value::optional_json(self.abort.as_ref()),
            Value::optional_time(self.ended_at),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: columns.id()?,
            spec: columns.json()?,
            user: columns.text()?,
            reason: columns.text()?,
            created_at: columns.time()?,
            state: columns.coded()?,
            hold: columns.optional_json()?,
            abort: columns.optional_json()?,
            ended_at: columns.optional_time()?,
        })
    }
}

impl Table for BackfillRunRow {
    const LAYOUT: Layout = Layout {
        name: "af_backfill_run",
        keys: &["backfill", "place"],
        columns: &[
            "workflow",
            "business_day",
            "fire_time",
            "needs",
            "state",
            "instance",
            "changed_at",
        ],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([
            Value::id(self.backfill),
            Value::Int(self.position.into()),
            Value::text(&self.workflow),
            Value::Int(self.day.into()),
            Value::time(self.fire_time),
            Value::json(&self.needs),
            Value::Int(self.state.code()),
            Value::optional_id(self.instance),
            Value::time(self.changed_at),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            backfill: columns.id()?,
            position: columns.count()?,
            workflow: columns.text()?,
            day: columns.day()?,
            fire_time: columns.time()?,
            needs: columns.json()?,
            state: columns.coded()?,
            instance: columns.optional_id()?,
            changed_at: columns.time()?,
        })
    }
}
