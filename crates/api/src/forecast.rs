//! What is to come.

use akkaflow_model::id::InstanceId;
use akkaflow_model::record::TriggerKind;
use serde::{Deserialize, Serialize};

use crate::cluster::Reason;
use crate::time::Time;

/// What is to come when nobody does anything, nothing fails, and every node takes as long as it usually does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// From when.
    pub from: Time,
    /// Until when; earlier than was asked for when it was cut.
    pub until: Time,
    /// Why it ends before that: `instances` (too many) or `time` (it took too long).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// Workers that are attached.
    pub workers: u32,
    /// Their slots together.
    pub slots: u64,
    /// How long a node is taken to run of which less than three successes are known.
    pub guess_seconds: u64,
    /// An instance that waits for longer than this is late.
    pub late_after_seconds: u64,
    /// The load, hour by hour.
    pub hours: Vec<ForecastHour>,
    /// The open instances and those to come, in the order of their creation; the first of them.
    pub instances: Vec<ForecastInstance>,
    /// How many there are.
    pub instances_in_all: u64,
    /// Those that start late or end after their deadline, in the same order; the first of them.
    pub late: Vec<ForecastInstance>,
    /// How many there are.
    pub late_in_all: u64,
    /// What waits at the end though nothing to come would let it go on; the first of them.
    pub stuck: Vec<ForecastStuck>,
    /// How many there are.
    pub stuck_in_all: u64,
}

/// The load of an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastHour {
    /// When it begins.
    pub at: Time,
    /// Instances that start in it.
    pub started: u64,
    /// Slots that are busy at most.
    pub busy: u64,
}

/// An instance as it is expected to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastInstance {
    /// Its id, when it is open already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<InstanceId>,
    /// Its workflow.
    pub workflow: String,
    /// Its business date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Why it starts.
    pub trigger: TriggerKind,
    /// When it comes into its workflow's queue.
    pub created: Time,
    /// When its first action starts; absent when it does not within the forecast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Time>,
    /// When it ends; absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Time>,
    /// By when it shall have ended, where its workflow says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Time>,
    /// What it has to wait for first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Reason>,
    /// Whether the duration of one of its nodes is a guess.
    pub is_guess: bool,
}

/// Something that waits for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastStuck {
    /// The workflow.
    pub workflow: String,
    /// The instance, when one waits that is open already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// Since when, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// What it waits for.
    pub reasons: Vec<Reason>,
}
