//! Who is there, and why something waits.

use akkaflow_model::text::Text;
use serde::{Deserialize, Serialize};

use crate::time::Time;

/// Who is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// The master that leads; `null` when none answers.
    pub master: Option<Master>,
    /// The workers that it knows.
    pub workers: Vec<WorkerView>,
    /// Version of the http-server that answers.
    pub http_version: String,
}

/// The master that leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Master {
    /// Where it serves gRPC.
    pub endpoint: String,
    /// How many masters have led.
    pub epoch: u64,
    /// The cluster's time zone.
    pub time_zone: String,
    /// Its version.
    pub version: String,
}

/// A worker as the master sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerView {
    /// Its stable name.
    pub id: String,
    /// Host that people see.
    pub host: String,
    /// How many attempts it takes at once.
    pub slots: u32,
    /// How many it has.
    pub busy: u32,
    /// Whether it is connected.
    pub is_attached: bool,
    /// Since when it is, or is not.
    pub since: Option<Time>,
}

/// One unmet condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable word for programs: `no_free_slot`.
    pub code: String,
    /// What holds it up.
    pub object: String,
    /// Since when, where that is known.
    pub since: Option<Time>,
    /// In words.
    pub text: String,
}

/// The answer of `/healthz` and `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `ok` or `unavailable`.
    pub status: String,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
}
