//! What people ask of the master, and its answers.

use serde::{Deserialize, Serialize};

use crate::diagnostic::Finding;
use crate::error::ErrorCode;
use crate::id::{InstanceId, WorkerId};
use crate::text::Text;

/// A request to change something, as it travels from an http-server to the active master.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Adds or replaces a workflow. Answer: [`Answer::Put`].
    PutWorkflow {
        /// The definition as its bytes came.
        xml: Vec<u8>,
        /// What diagnostics call it, and what is stored as its origin (akkaflow's `path`).
        path: Option<String>,
    },
    /// Deletes a workflow; refused while others depend on it or instances are open. Answer: [`Answer::Done`].
    DeleteWorkflow {
        /// Its name.
        name: String,
    },
    /// Starts an instance that no dependant notices. Answer: [`Answer::Instance`].
    Run {
        /// The workflow.
        name: String,
        /// Override what the coordinator's parameters give.
        params: Vec<(String, String)>,
        /// Local business date `yyyy-MM-dd[THH:mm:ss]`; the moment of the request when absent.
        date: Option<String>,
        /// A repeated request with the same key gets the same answer.
        idempotency_key: Option<String>,
    },
    /// Starts an instance as its schedule would. Answer: [`Answer::Instance`].
    Trigger {
        /// The workflow.
        name: String,
        /// Action nodes to pass over this time.
        ignore_nodes: Vec<String>,
    },
    /// The same, and after it everything downstream. Answer: [`Answer::Chain`].
    TriggerBlood {
        /// The workflow.
        name: String,
    },
    /// Clears the readiness of one workflow: its unconsumed tokens and waiting fire. Answer: [`Answer::Done`].
    ResetWorkflow {
        /// The workflow.
        name: String,
    },
    /// The same for all. Answer: [`Answer::Done`].
    ResetAll,
    /// Ends an instance. Answered once its attempts are proven gone. Answer: [`Answer::Done`].
    Kill {
        /// The instance.
        id: InstanceId,
        /// Who asks; may be empty.
        user: String,
    },
    /// Runs an ended instance again under the same id. Answer: [`Answer::Instance`].
    Rerun {
        /// The instance.
        id: InstanceId,
        /// Keep what has succeeded; false runs everything again.
        from_failed: bool,
        /// Pin the definition it ran with; false takes the newest.
        same_version: bool,
    },
    /// Removes an ended instance with its logs. Answer: [`Answer::Done`].
    DeleteInstance {
        /// The instance.
        id: InstanceId,
    },
    /// Declares a worker that is out of reach to be dead, so that its attempts may run elsewhere at once. Answer: [`Answer::Done`].
    FenceWorker {
        /// The worker.
        id: WorkerId,
    },
    /// Sets values that a workflow keeps between its instances. Answer: [`Answer::Done`].
    SetState {
        /// The workflow.
        name: String,
        /// Names and values.
        values: Vec<(String, String)>,
        /// Who asks; may be empty.
        user: String,
    },
}

/// The good end of a [`Command`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Done.
    Done,
    /// The workflow is in force.
    Put {
        /// Its name.
        name: String,
        /// Its content's name.
        version: String,
        /// Whether it was unknown before.
        created: bool,
        /// Warnings.
        findings: Vec<Finding>,
    },
    /// The instance exists.
    Instance {
        /// Its id.
        id: InstanceId,
    },
    /// The chain has begun.
    Chain {
        /// Its first instance.
        id: InstanceId,
        /// The workflows that follow, in order.
        workflows: Vec<String>,
    },
}

/// The bad end of a [`Command`]: nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// What kind of failure.
    pub code: ErrorCode,
    /// Why, and what to do. The Chinese text is akkaflow 2.12's where it has one.
    pub text: Text,
    /// What is wrong with the definition, where that is the reason.
    pub findings: Vec<Finding>,
}

impl Rejection {
    /// A rejection without findings.
    pub fn new(code: ErrorCode, text: Text) -> Self {
        Self {
            code,
            text,
            findings: Vec::new(),
        }
    }
}
