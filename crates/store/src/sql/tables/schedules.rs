//! Schedules, fires, tokens, calendars, states.

use akkaflow_model::record::{CalendarRow, FireRow, ScheduleRow, StateRow, TokenRow};

use crate::error::Error;
use crate::sql::codes::Coded;
use crate::sql::row::Columns;
use crate::sql::table::{Layout, Number, Table};
use crate::sql::value::Value;

impl Table for ScheduleRow {
    const LAYOUT: Layout = Layout {
        name: "af_schedule",
        keys: &["workflow"],
        columns: &["generation", "trigger_text", "is_enabled", "fired_through"],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([
            Value::text(&self.workflow),
            Value::Int(self.generation.into()),
            Value::text(&self.trigger),
            Value::Int(self.is_enabled.into()),
            Value::time(self.fired_through),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            workflow: columns.text()?,
            generation: columns.count()?,
            trigger: columns.text()?,
            is_enabled: columns.flag()?,
            fired_through: columns.time()?,
        })
    }
}

impl Table for FireRow {
    const LAYOUT: Layout = Layout {
        name: "af_fire",
        keys: &["workflow", "kind", "generation", "fire_key"],
        columns: &["due_at", "state", "instance", "through", "reason"],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([
            Value::text(&self.workflow),
            Value::Int(self.kind.code()),
            Value::Int(self.generation.into()),
            Value::text(&self.key),
            Value::time(self.due_at),
            Value::Int(self.state.code()),
            Value::optional_id(self.instance),
            Value::optional_time(self.through),
            Value::optional_int(self.reason.map(Coded::code)),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            workflow: columns.text()?,
            kind: columns.coded()?,
            generation: columns.count()?,
            key: columns.text()?,
            due_at: columns.time()?,
            state: columns.coded()?,
            instance: columns.optional_id()?,
            through: columns.optional_time()?,
            reason: columns.optional_coded()?,
        })
    }
}

impl Table for TokenRow {
    const LAYOUT: Layout = Layout {
        name: "af_token",
        keys: &["upstream_instance", "dependant"],
        columns: &[
            "upstream",
            "business_at",
            "given_at",
            "consumed_by",
            "business_day",
            "is_held",
        ],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([
            Value::id(self.upstream_instance),
            Value::text(&self.dependant),
            Value::text(&self.upstream),
            Value::time(self.business_at),
            Value::time(self.given_at),
            Value::optional_id(self.consumed_by),
            Value::Int(self.business_day.into()),
            Value::Int(self.is_held.into()),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            upstream_instance: columns.id()?,
            dependant: columns.text()?,
            upstream: columns.text()?,
            business_at: columns.time()?,
            given_at: columns.time()?,
            consumed_by: columns.optional_id()?,
            business_day: columns.day()?,
            is_held: columns.flag()?,
        })
    }
}

impl Table for CalendarRow {
    const LAYOUT: Layout = Layout {
        name: "af_calendar",
        keys: &["name"],
        columns: &["path", "content", "read_at", "is_file_gone"],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([
            Value::text(&self.name),
            Value::text(&self.path),
            Value::text(&self.text),
            Value::time(self.read_at),
            Value::Int(self.is_file_gone.into()),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            name: columns.text()?,
            path: columns.text()?,
            text: columns.text()?,
            read_at: columns.time()?,
            is_file_gone: columns.flag()?,
        })
    }
}

impl Table for StateRow {
    const LAYOUT: Layout = Layout {
        name: "af_state",
        keys: &["workflow", "name"],
        columns: &["content", "set_at", "instance", "fire_time", "person"],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([
            Value::text(&self.workflow),
            Value::text(&self.name),
            Value::text(&self.value),
            Value::time(self.set_at),
            Value::optional_id(self.instance),
            Value::optional_time(self.fire_time),
            Value::text(&self.user),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            workflow: columns.text()?,
            name: columns.text()?,
            value: columns.text()?,
            set_at: columns.time()?,
            instance: columns.optional_id()?,
            fire_time: columns.optional_time()?,
            user: columns.text()?,
        })
    }
}
