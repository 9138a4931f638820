//! What a listing of instances is asked for.

use std::collections::BTreeMap;

use akkaflow_model::backfill::RunState;
use akkaflow_model::id::InstanceId;
use akkaflow_model::mail::DeliveryState;
use akkaflow_model::state::InstanceState;
use akkaflow_model::time::Timestamp;

/// How many runs of backfills stand how; none is left out.
pub type RunCounts = BTreeMap<(InstanceId, RunState), u64>;

/// Order and bounds of a listing of instances.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstanceQuery {
    /// Only these states; empty means all.
    pub states: Vec<InstanceState>,
    /// Only of this workflow.
    pub workflow: Option<String>,
    /// Only of this creator.
    pub creator: Option<String>,
    /// Only those whose id or workflow name contains this, case-insensitively.
    pub key: Option<String>,
    /// Only those created at or after.
    pub from: Option<Timestamp>,
    /// Only those created before.
    pub to: Option<Timestamp>,
    /// At most so many, newest first by creation. 0 means 500.
    pub limit: u32,
}

impl InstanceQuery {
    /// The bound in force.
    pub(crate) fn effective_limit(&self) -> u32 {
        if self.limit == 0 {
            DEFAULT_LIMIT
        } else {
            self.limit
        }
    }
}

/// Bounds of a listing of mails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailQuery {
    /// Only those whose sending is that far; empty means all.
    pub states: Vec<DeliveryState>,
    /// Only those about this instance.
    pub instance: Option<InstanceId>,
    /// At most so many, newest first. 0 means 500.
    pub limit: u32,
}

impl MailQuery {
    /// The bound in force.
    pub(crate) fn effective_limit(&self) -> u32 {
        if self.limit == 0 {
            DEFAULT_LIMIT
        } else {
            self.limit
        }
    }
}

/// What `limit: 0` stands for: a page that people still read.
const DEFAULT_LIMIT: u32 = 500;

/// What `key` and parts of ids are looked up in: the hyphenated id, a line break, the workflow's name, in lower case.
pub(crate) fn search_text(id: InstanceId, workflow: &str) -> String {
    format!("{id}\n{}", workflow.to_lowercase())
}

/// Characters of the hyphenated id at the start of a search text.
pub(crate) const ID_CHARACTERS: usize = 36;
