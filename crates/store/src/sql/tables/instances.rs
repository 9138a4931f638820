//! Instances and chains of them.

use std::borrow::Cow;

use akkaflow_model::definition::Version;
use akkaflow_model::record::{ChainRow, CleanUp, InstanceRow};
use akkaflow_model::state::InstanceState;

use crate::error::Error;
use crate::query::search_text;
use crate::sql::codes::Coded as _;
use crate::sql::row::Columns;
use crate::sql::table::{Layout, Number, Table};
use crate::sql::value::Value;

impl Table for InstanceRow {
    const LAYOUT: Layout = Layout {
        name: "af_instance",
        keys: &["id"],
        columns: &[
            "workflow",
            "version",
            "run",
            "state",
            "trigger_kind",
            "fire_time",
            "created_at",
            "started_at",
            "ended_at",
            "params",
            "message",
            "handled_errors",
            "ignore_nodes",
            "ending",
            "chain",
            "dir",
            "creator",
            "gave_tokens",
            "earlier",
            "clean_up",
            "hold",
            "marks",
            "asked_by",
            "pinned",
            "parent",
            "landing",
            "interventions",
            "search",
        ],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([
            Value::id(self.id),
            Value::text(&self.workflow),
            Value::text(&self.version.0),
            Value::Int(self.run.into()),
            Value::Int(self.state.code().into()),
            Value::Int(self.trigger.code()),
            Value::time(self.fire_time),
            Value::time(self.created_at),
            Value::optional_time(self.started_at),
            Value::optional_time(self.ended_at),
            Value::json(&self.params),
            Value::optional_json(self.message.as_ref()),
            Value::Int(self.handled_errors.into()),
            Value::json(&self.ignore_nodes),
            Value::optional_int(self.ending.map(|state| state.code().into())),
            Value::optional_id(self.chain),
            Value::text(&self.dir),
            Value::text(&self.creator),
            Value::Int(self.gave_tokens.into()),
            Value::optional_json((!self.earlier.is_empty()).then_some(&self.earlier)),
            Value::optional_json((self.clean_up != CleanUp::Ahead).then_some(&self.clean_up)),
            Value::optional_json(self.hold.as_ref()),
            Value::optional_json((!self.marks.is_empty()).then_some(&self.marks)),
            Value::optional_text(self.asked_by.as_deref()),
            Value::optional_json(self.pinned.as_ref()),
            Value::optional_json(self.parent.as_ref()),
            Value::optional_json(self.landing.as_ref()),
            Value::optional_json((!self.interventions.is_empty()).then_some(&self.interventions)),
            Value::Text(Cow::Owned(search_text(self.id, &self.workflow))),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: columns.id()?,
            workflow: columns.text()?,
            version: Version(columns.text()?),
            run: columns.count()?,
            state: columns.state(InstanceState::from_code)?,
            trigger: columns.coded()?,
            fire_time: columns.time()?,
            created_at: columns.time()?,
            started_at: columns.optional_time()?,
            ended_at: columns.optional_time()?,
            params: columns.json()?,
            message: columns.optional_json()?,
            handled_errors: columns.flag()?,
            ignore_nodes: columns.json()?,
            ending: columns.optional_state(InstanceState::from_code)?,
            chain: columns.optional_id()?,
            dir: columns.text()?,
            creator: columns.text()?,
            gave_tokens: columns.flag()?,
            earlier: columns.optional_json()?.unwrap_or_default(),
            clean_up: columns.optional_json()?.unwrap_or_default(),
            hold: columns.optional_json()?,
            marks: columns.optional_json()?.unwrap_or_default(),
            asked_by: columns.optional_text()?,
            pinned: columns.optional_json()?,
            parent: columns.optional_json()?,
            landing: columns.optional_json()?,
            interventions: columns.optional_json()?.unwrap_or_default(),
        })
    }
}

impl Table for ChainRow {
    const LAYOUT: Layout = Layout {
        name: "af_chain",
        keys: &["root"],
        columns: &["remaining", "started", "fire_time", "is_over"],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([
            Value::id(self.root),
            Value::json(&self.remaining),
            Value::json(&self.started),
            Value::time(self.fire_time),
            Value::Int(self.remaining.is_empty().into()),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            root: columns.id()?,
            remaining: columns.json()?,
            started: columns.json()?,
            fire_time: columns.time()?,
        })
    }
}
