//! Backfills: a workflow run again for a range of business dates, alone or with all that depends on it.
//!
//! Days are counted from 0001-01-01 as day 1, as in [`crate::record::TokenRow::business_day`].

mod groups;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use groups::Groups;

use crate::id::InstanceId;
use crate::record::Hold;
use crate::text::Text;
use crate::time::Timestamp;

/// Runs that a backfill has at most, good ones included: a year of an hourly workflow, 27 years of a daily one. Each is a
/// row, and all are written in one transaction.
pub const MOST_RUNS: usize = 10_000;

/// Days that a range has at most.
pub const MOST_DAYS: i32 = 10_000;

/// Instances of one backfill that are open at once at most, however many are asked for.
pub const MOST_PARALLEL: u32 = 1000;

/// The same when nobody says: little enough for a cluster that is busy with production.
pub const DEFAULT_PARALLEL: u32 = 2;

/// What shall be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillSpec {
    /// The workflow.
    pub workflow: String,
    /// The first business date.
    pub from: i32,
    /// The last one.
    pub to: i32,
    /// Whether all that depends on it is run too.
    pub with_dependants: bool,
    /// How many of its instances are open at once.
    pub max_parallel: u32,
    /// Whether a failed run holds nothing up but what waits for it; else it pauses the backfill.
    pub keep_going: bool,
    /// Whether dates that are good already run too.
    pub again: bool,
}

/// A backfill. What becomes of its runs stands in [`BackfillRunRow`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillRow {
    /// Its id, drawn as those of instances are; its instances name it as their chain.
    pub id: InstanceId,
    /// What was asked for.
    pub spec: BackfillSpec,
    /// Who asked; empty when unknown.
    pub user: String,
    /// Why; empty when they did not say.
    pub reason: String,
    /// When.
    pub created_at: Timestamp,
    /// How it stands.
    pub state: BackfillState,
    /// While it is set nothing of it starts; what runs goes on.
    pub hold: Option<BackfillHold>,
    /// Once it is set nothing of it starts ever again; it ends with what runs.
    pub abort: Option<Hold>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// Why a backfill starts nothing for the time being.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackfillHold {
    /// A person paused it.
    Person(Hold),
    /// A run failed.
    Failure {
        /// Which.
        position: u32,
        /// When.
        since: Timestamp,
    },
}

/// How a backfill stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackfillState {
    /// It has runs to start, or that run.
    Running,
    /// All its dates are good.
    Succeeded,
    /// It is over, and some are not.
    Failed,
    /// A person ended it.
    Aborted,
}

impl BackfillState {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Running, Self::Succeeded, Self::Failed, Self::Aborted];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
        }
    }
}

/// One run of a backfill: a workflow at one of its times of one business date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillRunRow {
    /// The backfill.
    pub backfill: InstanceId,
    /// Its place in the order in which they are started, from 0.
    pub position: u32,
    /// The workflow.
    pub workflow: String,
    /// Its business date.
    pub day: i32,
    /// The moment from which its dates are computed.
    pub fire_time: Timestamp,
    /// What must be good before it starts: each names the first run of a workflow's date, and means all runs of that.
    pub needs: Vec<u32>,
    /// How it stands.
    pub state: RunState,
    /// The instance, once it has one.
    pub instance: Option<InstanceId>,
    /// Since when it stands so.
    pub changed_at: Timestamp,
}

/// How a run of a backfill stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It has not begun.
    Waiting,
    /// Its instance is open.
    Running,
    /// Its instance has succeeded.
    Succeeded,
    /// Its instance has failed or was killed.
    Failed,
    /// The date was good before: it is passed over.
    Good,
}

impl RunState {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Waiting,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Good,
    ];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Good => "good",
        }
    }

    /// Whether what needs it may start.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Succeeded | Self::Good)
    }
}

/// A dependant that a backfill leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The workflow.
    pub workflow: String,
    /// Why.
    pub why: Text,
}

/// `2026-01-31`.
pub fn date_of(day: i32) -> String {
    NaiveDate::from_num_days_from_ce_opt(day)
        .map_or_else(|| day.to_string(), |date| date.to_string())
}
