//! Why something does not run. Answered by the predicates that schedule.

use akkaflow_model::id::InstanceId;
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;

use crate::Engine;

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExplainObject {
    /// An open instance.
    Instance(InstanceId),
    /// One of its nodes.
    Node {
        /// The instance.
        instance: InstanceId,
        /// The node's name.
        node: String,
    },
    /// A workflow: why it does not fire by itself just now.
    Workflow(String),
}

/// One unmet condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Stable word for programs: `no_free_slot`.
    pub code: &'static str,
    /// What holds it up: a worker, an upstream workflow, a node, another instance.
    pub object: String,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// In words.
    pub text: Text,
}

impl Engine {
    /// The unmet conditions of `object`, most important first. Empty: it runs, or could run at this moment.
    pub fn explain(&self, object: &ExplainObject) -> Vec<Reason> {
        let _ = object;
        Vec::new()
    }
}
