//! Nodes and attempts.

use akkaflow_model::id::{AttemptKey, Epoch, Incarnation, WorkerId};
use akkaflow_model::record::{AttemptRow, NodeRow};
use akkaflow_model::state::{AttemptState, NodeState};

use crate::error::Error;
use crate::sql::codes::Coded as _;
use crate::sql::row::Columns;
use crate::sql::table::{Layout, Number, Table};
use crate::sql::value::Value;

impl Table for NodeRow {
    const LAYOUT: Layout = Layout {
        name: "af_node",
        keys: &["instance", "node"],
        columns: &[
            "run",
            "type_name",
            "state",
            "attempts",
            "failures",
            "losses",
            "ready_at",
            "started_at",
            "ended_at",
            "deadline",
            "retry_at",
            "message",
            "worker",
            "waits",
            "outputs",
            "child",
        ],
        number: Number::PerRun,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([
            Value::id(self.instance),
            Value::text(&self.node),
            Value::Int(self.run.into()),
            Value::text(&self.type_name),
            Value::Int(self.state.code().into()),
            Value::Int(self.attempts.into()),
            Value::Int(self.failures.into()),
            Value::Int(self.losses.into()),
            Value::time(self.ready_at),
            Value::optional_time(self.started_at),
            Value::optional_time(self.ended_at),
            Value::optional_time(self.deadline),
            Value::optional_time(self.retry_at),
            Value::optional_json(self.message.as_ref()),
            Value::optional_text(self.worker.as_ref().map(|worker| worker.0.as_str())),
            Value::optional_json((!self.waits.is_empty()).then_some(&self.waits)),
            Value::optional_json((!self.outputs.is_empty()).then_some(&self.outputs)),
            Value::optional_id(self.child),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            instance: columns.id()?,
            node: columns.text()?.into(),
            run: columns.count()?,
            type_name: columns.text()?.into(),
            state: columns.state(NodeState::from_code)?,
            attempts: columns.count()?,
            failures: columns.count()?,
            losses: columns.count()?,
            ready_at: columns.time()?,
            started_at: columns.optional_time()?,
            ended_at: columns.optional_time()?,
            deadline: columns.optional_time()?,
            retry_at: columns.optional_time()?,
            message: columns.optional_json()?,
            worker: columns.optional_text()?.map(|id| WorkerId(id.into())),
            waits: columns.optional_json()?.unwrap_or_default(),
            outputs: columns.optional_json()?.unwrap_or_default(),
            child: columns.optional_id()?,
        })
    }
}

impl Table for AttemptRow {
    const LAYOUT: Layout = Layout {
        name: "af_attempt",
        keys: &["instance", "node", "run", "attempt"],
        columns: &[
            "state",
            "worker",
            "incarnation",
            "host",
            "epoch",
            "assigned_at",
            "accepted_at",
            "ended_at",
            "cancel",
            "message",
            "exit_code",
            "log_length",
            "figures",
        ],
        number: Number::Once,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([
            Value::id(self.key.instance),
            Value::text(&self.key.node),
            Value::Int(self.key.run.into()),
            Value::Int(self.key.attempt.into()),
            Value::Int(self.state.code().into()),
            Value::text(&self.worker.0),
            Value::bits(self.incarnation.0),
            Value::text(&self.host),
            Value::bits(self.epoch.0),
            Value::time(self.assigned_at),
            Value::optional_time(self.accepted_at),
            Value::optional_time(self.ended_at),
            Value::optional_int(self.cancel.map(|reason| reason.code())),
            Value::optional_json(self.message.as_ref()),
            Value::optional_int(self.exit_code.map(i64::from)),
            Value::bits(self.log_length),
            Value::optional_json(self.figures.as_ref()),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            key: AttemptKey {
                instance: columns.id()?,
                node: columns.text()?.into(),
                run: columns.count()?,
                attempt: columns.count()?,
            },
            state: columns.state(AttemptState::from_code)?,
            worker: WorkerId(columns.text()?.into()),
            incarnation: Incarnation(columns.bits()?),
            host: columns.text()?.into(),
            epoch: Epoch(columns.bits()?),
            assigned_at: columns.time()?,
            accepted_at: columns.optional_time()?,
            ended_at: columns.optional_time()?,
            cancel: columns.optional_coded()?,
            message: columns.optional_json()?,
            exit_code: exit_code(columns.optional_int()?)?,
            log_length: columns.bits()?,
            figures: columns.optional_json()?,
        })
    }
}

fn exit_code(number: Option<i64>) -> Result<Option<i32>, Error> {
    number
        .map(i32::try_from)
        .transpose()
        .map_err(|_| Error::Corrupt("an exit code out of range".to_owned()))
}
