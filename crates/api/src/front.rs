//! The overview.

use serde::{Deserialize, Serialize};

use crate::cluster::Hold;
use crate::definition::FileProblem;
use crate::instance::InstanceSummary;

/// What runs, what waits, what ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Front {
    /// Ends by day of the cluster's time zone, today first, days without any included.
    pub days: Vec<DayCount>,
    /// Waiting for their workflow's instance limit, oldest first.
    pub waiting: Vec<InstanceSummary>,
    /// Running or held, newest first.
    pub running: Vec<InstanceSummary>,
    /// The last ones that ended, newest first.
    pub finished: Vec<InstanceSummary>,
    /// Files that cannot be used as they are.
    #[serde(default)]
    pub file_problems: Vec<FileProblem>,
    /// Workflows that this version keeps and does not run, by name.
    #[serde(default)]
    pub not_runnable: Vec<NotRunnable>,
    /// Open instances that are expected to miss their deadline, or have.
    #[serde(default)]
    pub late: Vec<Late>,
    /// Who has frozen the cluster; `null` when it is not, or when no master answers.
    #[serde(default)]
    pub frozen: Option<Hold>,
}

/// A workflow that is kept and never starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotRunnable {
    /// Its name.
    pub workflow: String,
    /// What of it this version does not run.
    pub why: String,
}

/// An instance that is behind its deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Late {
    /// Its id.
    pub id: String,
    /// As tables show it.
    pub short_id: String,
    /// Its workflow.
    pub workflow: String,
    /// Its deadline, when it is expected to end, and the node to blame.
    pub text: String,
}

/// How many instances ended in each way on one day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DayCount {
    /// `yyyy-mm-dd`.
    pub day: String,
    /// Succeeded.
    pub succeeded: u64,
    /// Failed.
    pub failed: u64,
    /// Killed.
    pub killed: u64,
}
