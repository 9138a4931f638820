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
    /// The time zone of the cluster; `null` while nobody has said which it is.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Version of the http-server that answers.
    pub http_version: String,
    /// Who has frozen the cluster: nothing is fired, started or dispatched; `null` when it is not.
    #[serde(default)]
    pub frozen: Option<Hold>,
    /// The pools that are defined, held or asked for.
    #[serde(default)]
    pub pools: Vec<Pool>,
}

/// That somebody holds something up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Who; empty when unknown.
    pub user: String,
    /// Why; empty when they did not say.
    pub reason: String,
    /// Since when.
    pub since: Time,
}

/// Who asks for something, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct By {
    /// Who.
    #[serde(default)]
    pub user: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// Something scarce that nodes share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// How much of it there is; `null` when nobody has defined it.
    pub slots: Option<u32>,
    /// How much of it running nodes hold.
    pub held: u64,
    /// Nodes that wait and ask for it.
    pub waiting: u64,
}

/// A request to define a pool, or to change its size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetPool {
    /// How much of it there is; 0 lets nothing in.
    pub slots: u32,
    /// Who asks.
    #[serde(default)]
    pub user: String,
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
    /// What `worker-labels` is compared with.
    #[serde(default)]
    pub labels: Vec<String>,
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
