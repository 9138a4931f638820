//! Workflows.

use akkaflow_model::record::{FireState, WorkflowStatus};
use akkaflow_model::state::InstanceState;
use serde::{Deserialize, Serialize};

use crate::cluster::Hold;
use crate::cron::NextFire;
use crate::definition::FileProblem;
use crate::params::Params;
use crate::time::Time;

/// A workflow in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowSummary {
    /// Its name.
    pub name: String,
    /// Folder in the tree.
    pub dir: String,
    /// Who wrote it.
    pub creator: String,
    /// What it is for.
    pub desc: Option<String>,
    /// `live`, or `file_gone` when the file that owned it is gone.
    pub status: WorkflowStatus,
    /// Whether it may start by itself: its file says so, nobody has suspended it, it can run, and its limit is above 0.
    /// `null` when only people start it.
    pub is_enabled: Option<bool>,
    /// The cron of its schedule.
    pub cron: Option<String>,
    /// Names the content in force.
    pub version: String,
    /// The file that owns it; `null` when it came by API.
    pub file: Option<String>,
    /// When it was first put.
    pub created_at: Time,
    /// When its content last changed.
    pub updated_at: Time,
    /// Who has suspended its schedule; `null` when nobody has.
    #[serde(default)]
    pub hold: Option<Hold>,
    /// Why this version keeps it and does not run it; `null` when it does, or when no master answers.
    #[serde(default)]
    pub not_runnable: Option<String>,
}

/// Everything about a workflow but its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowDetail {
    /// What a listing shows.
    #[serde(flatten)]
    pub summary: WorkflowSummary,
    /// `create-time` as written.
    pub create_time: Option<String>,
    /// The end states that send mail.
    pub mail_level: Vec<InstanceState>,
    /// Who is told.
    pub mail_receivers: Vec<String>,
    /// How many instances may run at once.
    pub instance_limit: i64,
    /// The parameters that its text uses.
    pub used_params: Vec<String>,
    /// When it starts by itself; `null` when only people start it.
    pub schedule: Option<Schedule>,
    /// The workflows that wait for it.
    pub dependants: Vec<String>,
    /// Its nodes in the order of the file.
    pub nodes: Vec<WorkflowNode>,
    /// Why the newest content of its file is not in force.
    pub file_problems: Vec<FileProblem>,
}

/// When a workflow starts by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Whether its file says that it may.
    pub is_enabled: bool,
    /// The times; `null` when it waits for its dependencies alone.
    pub cron: Option<String>,
    /// The cron in words; `null` without one.
    #[serde(default)]
    pub cron_words: Option<String>,
    /// The next slot; `null` without cron, or when there is none.
    pub next_fire: Option<Time>,
    /// The next ten of them.
    #[serde(default)]
    pub next_fires: Vec<NextFire>,
    /// First moment, local to `time_zone`: `yyyy-MM-dd HH:mm:ss`.
    pub start_time: String,
    /// Last moment, the same way.
    pub end_time: String,
    /// The time zone of the schedule.
    pub time_zone: String,
    /// Name and unresolved value, in order.
    pub params: Params,
    /// The workflows that it waits for.
    pub depends: Vec<Dependency>,
    /// What became of the slots that came last, newest first.
    #[serde(default)]
    pub recent_fires: Vec<PastFire>,
}

/// A slot that came due, or a range of slots that share their fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastFire {
    /// When it was due.
    pub due_at: Time,
    /// The last slot of a range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Time>,
    /// `waiting` for its dependencies, `fired`, `coalesced` into another one, or `skipped`.
    pub state: FireState,
    /// Its instance.
    pub instance: Option<String>,
    /// Why it was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A workflow that another one waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// Its name.
    pub workflow: String,
    /// Whether it has done what is asked of it.
    pub is_ready: bool,
    /// How many of its successes are not used yet.
    pub tokens: u64,
    /// Whether there is such a workflow.
    pub exists: bool,
    /// What is asked of it beside a success that is not used yet: `same-day`, `all-of-last 7`, `any-of latest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// One vertex of the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowNode {
    /// Its name.
    pub name: String,
    /// `start`, `script`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is for.
    pub desc: Option<String>,
    /// Outgoing edges, ok first, then the nodes that come after it.
    pub targets: Vec<String>,
}

/// A workflow was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// Its name.
    pub name: String,
    /// The file that it came from, which stays: the workflow comes back when that file's content changes. `null` when it
    /// came by API.
    #[serde(default)]
    pub file: Option<String>,
}

/// The workflow that something was done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its name.
    pub name: String,
}

/// A value that a workflow keeps between its instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateValue {
    /// Its name.
    pub name: String,
    /// What the next instance sees.
    pub value: String,
    /// Whose output becomes the value once an instance has succeeded: `node.output`.
    pub from: String,
    /// What it is for.
    pub desc: Option<String>,
    /// When it was written; `null` while it is the initial value.
    pub set_at: Option<Time>,
    /// The instance whose success wrote it.
    pub instance: Option<String>,
    /// The fire time of that instance: only an instance that is not older may write it again.
    pub fire_time: Option<Time>,
    /// The person who set it; empty when it was an instance, or nobody gave a name.
    pub user: String,
}

/// Sets values that a workflow keeps between its instances.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetState {
    /// Names and values.
    pub values: Params,
    /// Who asks.
    #[serde(default)]
    pub user: String,
}
