//! The history of one instance, in the words of the journal.

use akkaflow_model::definition::Version;
use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{AttemptRow, InstanceRow, NodeRow};
use serde::{Deserialize, Serialize};

/// What [`Capsule::format`] says.
pub const CAPSULE_FORMAT: &str = "akkaflow-capsule/1";

/// All that an instance was decided from, and what came of it; without secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capsule {
    /// [`CAPSULE_FORMAT`].
    pub format: String,
    /// The instance.
    pub instance: InstanceId,
    /// Its workflow.
    pub workflow: String,
    /// The cluster's time zone.
    pub time_zone: String,
    /// The definitions that its runs were pinned to.
    pub definitions: Vec<CapsuleDefinition>,
    /// The steps that touched it, in order: `epoch`, `at`, `input`, `given` and `decisions` as the engine knows them.
    pub moments: Vec<serde_json::Value>,
    /// Whether the journal still reaches back to its beginning; else it cannot be replayed.
    pub is_complete: bool,
    /// Its row as it stood at the export.
    pub row: InstanceRow,
    /// The nodes of its latest run.
    pub nodes: Vec<NodeRow>,
    /// All its attempts.
    pub attempts: Vec<AttemptRow>,
}

/// One content of a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapsuleDefinition {
    /// Its name.
    pub version: Version,
    /// Its text.
    pub xml: String,
}
