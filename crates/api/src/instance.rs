//! Instances.

use akkaflow_model::command::ChangeKind;
use akkaflow_model::outcome::Figures;
use akkaflow_model::record::TriggerKind;
use akkaflow_model::state::{AttemptState, InstanceState};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cluster::Hold;
use crate::params::Params;
use crate::time::Time;

/// A request to run a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Override what the coordinator's parameters give.
    #[serde(default)]
    pub params: Params,
    /// Local business date `YYYY-MM-DD[THH:MM:SS]`; the moment of the request when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Who asks.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user: String,
}

/// A request to run an instance again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rerun {
    /// Keep what has succeeded; false runs everything again.
    #[serde(default)]
    pub recover: bool,
    /// Keep the definition it ran with; false takes the newest.
    #[serde(default)]
    pub same_version: bool,
    /// Keep what has succeeded but for these nodes and all that comes after them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
    /// Who asks.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user: String,
}

/// A request to trigger a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Action nodes to pass over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore_nodes: Vec<String>,
    /// Local business date `YYYY-MM-DD[THH:MM:SS]`; the moment of the request when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Who asks.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user: String,
}

/// That a node need not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkNode {
    /// Its work was done by other means, or is left out; either way the instance goes on along `ok`.
    #[serde(rename = "as")]
    pub kind: MarkKind,
    /// Who asks.
    #[serde(default)]
    pub user: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// What is said of a node that need not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// Its work was done by other means.
    Succeeded,
    /// It is left out.
    Skipped,
}

/// A request to give an open instance another definition for what has not succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repair {
    /// The definition; the one in force when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xml: Option<String>,
    /// Only say what would change.
    #[serde(default)]
    pub dry_run: bool,
    /// Who asks.
    #[serde(default)]
    pub user: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// What another definition changes for an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repaired {
    /// The instance.
    pub id: String,
    /// Whether it is in force there now.
    pub is_applied: bool,
    /// The nodes that differ; none when the definition is the one that it has.
    pub changes: Vec<NodeChange>,
}

/// What another definition means for a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeChange {
    /// The node.
    pub node: String,
    /// `added`, `removed`, `changed`, `rewired` (leads elsewhere) or `kept` (changed, but it has ended: its end stands).
    pub kind: ChangeKind,
    /// Why that is not possible now.
    pub refusal: Option<String>,
}

/// The instance exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// Its id.
    pub id: String,
    /// What the caller may not have meant, in the language of the request: a parameter that nothing uses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A chain has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Its first instance.
    pub id: String,
    /// The workflows that follow, in order.
    pub workflows: Vec<String>,
}

/// A kill was carried out, or goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Killed {
    /// The instance.
    pub id: String,
    /// Its state now: `killed`, or still `running` (HTTP 202) while its attempts are being proven gone.
    pub state: InstanceState,
}

/// An instance in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceSummary {
    /// Its id.
    pub id: String,
    /// Its last eight digits, for people.
    pub short_id: String,
    /// Its workflow.
    pub workflow: String,
    /// Its state.
    pub state: InstanceState,
    /// 1, and one more at each rerun.
    pub run: u32,
    /// Why it was started.
    pub trigger: TriggerKind,
    /// The slot or moment from which its dates are computed.
    pub fire_time: Time,
    /// When it was created.
    pub created_at: Time,
    /// When its current run left the queue.
    pub started_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Why it is in its state.
    pub message: Option<String>,
    /// Whether an error edge was taken.
    pub handled_errors: bool,
    /// The folder of its workflow at creation.
    pub dir: String,
    /// The creator of its workflow at creation.
    pub creator: String,
    /// Who has paused it; `null` when nobody has.
    #[serde(default)]
    pub hold: Option<Hold>,
    /// Who asked for its current run; `null` when it started by itself, or nobody said.
    #[serde(default)]
    pub asked_by: Option<String>,
}

/// Everything about an instance but its log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceDetail {
    /// What a listing shows.
    #[serde(flatten)]
    pub summary: InstanceSummary,
    /// Name and resolved value, in order.
    pub params: Params,
    /// The values of its workflow's state that it sees.
    #[serde(default)]
    pub state_values: Params,
    /// Who started it, when that was a node of another instance.
    #[serde(default)]
    pub parent: Option<ParentNode>,
    /// Names the definition it runs with.
    pub version: String,
    /// The backfill that started it.
    #[serde(default)]
    pub backfill: Option<String>,
    /// By when it shall have ended, where its workflow says so.
    #[serde(default)]
    pub landing: Option<Landing>,
    /// Set while it waits for its cancelled attempts: the state it will have.
    pub ending: Option<InstanceState>,
    /// What its workflow is for.
    pub desc: Option<String>,
    /// The end states that send mail.
    pub mail_level: Vec<InstanceState>,
    /// Who is told.
    pub mail_receivers: Vec<String>,
    /// How many instances of its workflow may run at once.
    pub instance_limit: Option<i64>,
    /// Its nodes in the order of the file.
    pub nodes: Vec<InstanceNode>,
}

/// A node in the current run of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceNode {
    /// Its name.
    pub name: String,
    /// `start`, `script`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// A node's state; `ready` also before it is reached, `skipped` when the instance ended without reaching it.
    pub state: String,
    /// Attempts made in this run.
    pub attempts: u32,
    /// The worker of its latest attempt.
    pub worker: Option<String>,
    /// When its first attempt was assigned; control nodes: when it was reached.
    pub started_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Why it is in its state.
    pub message: Option<String>,
    /// What it is for.
    pub desc: Option<String>,
    /// When its next attempt may start; of a `<wait>`, when it looks again or is over.
    pub retry_at: Option<Time>,
    /// What it has handed on.
    #[serde(default)]
    pub outputs: Params,
    /// The instance that a `<sub-workflow>` has started, the latest one.
    #[serde(default)]
    pub child: Option<String>,
}

/// By when an instance shall have ended, and what was found about that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landing {
    /// The deadline.
    pub deadline: Time,
    /// The warning that it would end too late; `null` while there was none.
    pub late: Option<LandingNotice>,
    /// That the deadline passed before it had ended.
    pub missed: Option<LandingNotice>,
}

/// Why an instance ends too late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandingNotice {
    /// When it was found.
    pub at: Time,
    /// The run in which it was.
    pub run: u32,
    /// When it was expected to end.
    pub expected: Time,
    /// The node to blame; `null` where the instance began too late.
    pub node: Option<String>,
    /// How far that node was behind its usual time; `null` where that is not known.
    pub behind_seconds: Option<u64>,
    /// The actions of the critical path, in order.
    pub critical_path: Vec<String>,
    /// All of it in the language of the request.
    pub text: String,
}

/// The `<sub-workflow>` that started an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentNode {
    /// Its instance.
    pub instance: String,
    /// The node.
    pub node: String,
}

/// One try of an action on one worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The node.
    pub node: String,
    /// Which run of the instance.
    pub run: u32,
    /// Which try of the node in that run, from 1.
    pub attempt: u32,
    /// Its state.
    pub state: AttemptState,
    /// Who runs it.
    pub worker: String,
    /// Host that people see.
    pub host: String,
    /// When it was assigned.
    pub assigned_at: Time,
    /// When the worker had taken it.
    pub accepted_at: Option<Time>,
    /// When its outcome became known.
    pub ended_at: Option<Time>,
    /// Exit code of its process, where it had one.
    pub exit_code: Option<i32>,
    /// Its outcome, in words.
    pub message: Option<String>,
    /// Bytes of output captured.
    pub log_length: u64,
    /// What it used and measured: `cpu_millis`, `peak_memory` and `bytes` (both bytes), `measured`. Each is there once known.
    #[serde(default)]
    pub figures: Figures,
}

/// What a `<data-monitor>` has seen once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurement {
    /// The instance.
    pub instance: String,
    /// The node.
    pub node: String,
    /// Which run of the instance.
    pub run: u32,
    /// Which try of the node in that run.
    pub attempt: u32,
    /// The instance's fire time.
    pub fire_time: Time,
    /// When it was seen.
    pub at: Time,
    /// How the attempt ended.
    pub state: AttemptState,
    /// The number, exactly: as text where a floating point number would be another one, null where none could be read.
    pub value: Value,
    /// The smallest that was allowed, likewise; null where there is none.
    pub min: Value,
    /// The greatest.
    pub max: Value,
    /// Its outcome, in words.
    #[serde(default)]
    pub message: Option<String>,
}
