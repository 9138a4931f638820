//! Rows as the bodies of the API.

pub(crate) mod calendar;
mod instance;
mod workflow;

pub(crate) use instance::{attempt, detail, hold, late, measurement, node_type_of, shown, summary};
pub(crate) use workflow::{file_problem, workflow_detail, workflow_summaries};
