//! Backfills: a workflow run again for a range of business dates.

use akkaflow_model::backfill::{BackfillState, RunState};
use serde::{Deserialize, Serialize};

use crate::cluster::Hold;
use crate::time::Time;

/// A request to plan a backfill, or to start one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartBackfill {
    /// The workflow.
    pub workflow: String,
    /// The first business date, `YYYY-MM-DD`.
    pub from: String,
    /// The last one.
    pub to: String,
    /// Run what depends on it too.
    #[serde(default)]
    pub dependants: bool,
    /// How many of its instances are open at once; 2 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parallel: Option<u32>,
    /// A failed run holds nothing up but what waits for it; else it pauses the backfill.
    #[serde(default)]
    pub keep_going: bool,
    /// Run what is good already too.
    #[serde(default)]
    pub again: bool,
    /// Only say what would run.
    #[serde(default)]
    pub dry_run: bool,
    /// Who asks.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A request to abort a backfill.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbortBackfill {
    /// Kill what runs of it; else that may finish.
    #[serde(default)]
    pub kill: bool,
    /// Who asks.
    #[serde(default)]
    pub user: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// What a backfill runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillPlan {
    /// Its id; `null` when it was only asked what would run.
    pub id: Option<String>,
    /// The runs, in the order in which they start.
    pub runs: Vec<BackfillRun>,
    /// Dependants that are left out.
    pub left_out: Vec<LeftOut>,
    /// How long it will take.
    pub estimate: Estimate,
}

/// How long something will take, by the last successful instances of each workflow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Estimate {
    /// Seconds, within its bound and the limits of the workflows, with nothing else in the cluster.
    pub seconds: u64,
    /// Runs whose workflow has too few successes to tell; they count as nothing.
    pub unknown: u64,
}

/// One run of a backfill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillRun {
    /// Its place, from 0.
    pub position: u32,
    /// The workflow.
    pub workflow: String,
    /// Its business date.
    pub date: String,
    /// The moment from which its dates are computed.
    pub fire_time: Time,
    /// What must be good before it starts: each names the first run of a workflow's date, and means all runs of that.
    pub needs: Vec<u32>,
    /// `good` was good before and is passed over.
    pub state: RunState,
    /// Its instance, once it has one.
    pub instance: Option<String>,
    /// Since when it stands so.
    pub changed_at: Time,
    /// How long it takes: the median of its workflow's last successes; `null` when these are too few.
    pub expected_seconds: Option<u64>,
}

/// A dependant that is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The workflow.
    pub workflow: String,
    /// Why.
    pub why: String,
}

/// A backfill in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillSummary {
    /// Its id.
    pub id: String,
    /// Its last eight digits.
    pub short_id: String,
    /// The workflow.
    pub workflow: String,
    /// The first business date.
    pub from: String,
    /// The last one.
    pub to: String,
    /// Whether what depends on it runs too.
    pub dependants: bool,
    /// How many of its instances are open at once.
    pub max_parallel: u32,
    /// Whether it goes on after a failure.
    pub keep_going: bool,
    /// Whether what was good already runs too.
    pub again: bool,
    /// Who asked.
    pub user: String,
    /// Why.
    pub reason: String,
    /// When.
    pub created_at: Time,
    /// How it stands.
    pub state: BackfillState,
    /// Who has paused it; `null` when nobody has.
    pub hold: Option<Hold>,
    /// The run whose failure has paused it.
    pub failed_run: Option<u32>,
    /// Who has aborted it.
    pub abort: Option<Hold>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// How many of its runs stand how.
    pub runs: RunCounts,
}

/// How many runs stand how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunCounts {
    /// Good before.
    pub good: u64,
    /// Done.
    pub succeeded: u64,
    /// Failed or killed.
    pub failed: u64,
    /// Open.
    pub running: u64,
    /// Not begun.
    pub waiting: u64,
}

/// A backfill with its runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillDetail {
    /// What a listing says.
    #[serde(flatten)]
    pub summary: BackfillSummary,
    /// What is left of it; `null` once it has ended.
    pub left: Option<Estimate>,
    /// Its runs.
    pub items: Vec<BackfillRun>,
}
