//! What holds for the whole cluster, and what nodes share.

use akkaflow_model::record::{ClusterRow, PoolRow};

use crate::error::Error;
use crate::sql::row::Columns;
use crate::sql::table::{Layout, Number, Table};
use crate::sql::value::Value;

impl Table for ClusterRow {
    const LAYOUT: Layout = Layout {
        name: "af_cluster",
        keys: &["id"],
        columns: &["frozen"],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([Value::Int(1), Value::optional_json(self.frozen.as_ref())]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        columns.int()?;
        Ok(Self {
            frozen: columns.optional_json()?,
        })
    }
}

impl Table for PoolRow {
    const LAYOUT: Layout = Layout {
        name: "af_pool",
        keys: &["name"],
        columns: &["slots", "changed_by", "updated_at"],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([
            Value::text(&self.name),
            Value::optional_int(self.slots.map(Into::into)),
            Value::text(&self.user),
            Value::time(self.updated_at),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            name: columns.text()?,
            slots: columns.optional_count()?,
            user: columns.text()?,
            updated_at: columns.time()?,
        })
    }
}
