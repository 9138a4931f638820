//! Workflows, their contents, problems of files.

use akkaflow_model::definition::Version;
use akkaflow_model::record::{FileProblemRow, VersionRow, WorkflowRow};

use crate::error::Error;
use crate::sql::codes::Coded as _;
use crate::sql::row::Columns;
use crate::sql::table::{Layout, Number, Table};
use crate::sql::tables::digest;
use crate::sql::value::Value;

impl Table for WorkflowRow {
    const LAYOUT: Layout = Layout {
        name: "af_workflow",
        keys: &["name"],
        columns: &[
            "version",
            "status",
            "dir",
            "creator",
            "description",
            "file_path",
            "created_at",
            "updated_at",
            "hold",
        ],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([
            Value::text(&self.name),
            Value::text(&self.version.0),
            Value::Int(self.status.code()),
            Value::text(&self.dir),
            Value::text(&self.creator),
            Value::optional_text(self.desc.as_deref()),
            Value::optional_text(self.file_path.as_deref()),
            Value::time(self.created_at),
            Value::time(self.updated_at),
            Value::optional_json(self.hold.as_ref()),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            name: columns.text()?,
            version: Version(columns.text()?),
            status: columns.coded()?,
            dir: columns.text()?,
            creator: columns.text()?,
            desc: columns.optional_text()?,
            file_path: columns.optional_text()?,
            created_at: columns.time()?,
            updated_at: columns.time()?,
            hold: columns.optional_json()?,
        })
    }
}

impl Table for VersionRow {
    const LAYOUT: Layout = Layout {
        name: "af_version",
        keys: &["version"],
        columns: &["workflow", "xml", "created_at"],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([
            Value::text(&self.version.0),
            Value::text(&self.workflow),
            Value::text(&self.xml),
            Value::time(self.created_at),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            version: Version(columns.text()?),
            workflow: columns.text()?,
            xml: columns.text()?,
            created_at: columns.time()?,
        })
    }
}

impl Table for FileProblemRow {
    const LAYOUT: Layout = Layout {
        name: "af_file_problem",
        keys: &["path_hash"],
        columns: &["path", "workflow", "found_at", "findings"],
        number: Number::Absent,
    };

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([
            digest(&self.path),
            Value::text(&self.path),
            Value::optional_text(self.workflow.as_deref()),
            Value::time(self.found_at),
            Value::json(&self.findings),
        ]);
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Error> {
        columns.bytes()?;
        Ok(Self {
            path: columns.text()?,
            workflow: columns.optional_text()?,
            found_at: columns.time()?,
            findings: columns.json()?,
        })
    }
}
