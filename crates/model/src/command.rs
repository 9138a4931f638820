//! What people ask of the master, and its answers.

use serde::{Deserialize, Serialize};

use crate::backfill::{BackfillRunRow, BackfillSpec, LeftOut};
use crate::diagnostic::Finding;
use crate::error::ErrorCode;
use crate::id::{InstanceId, WorkerId};
use crate::links::{LinkEdit, LinkKey};
use crate::mail::MailKey;
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
        /// Who asks; may be empty.
        user: String,
    },
    /// Starts an instance as its schedule would. Answer: [`Answer::Instance`].
    Trigger {
        /// The workflow.
        name: String,
        /// Action nodes to pass over this time.
        ignore_nodes: Vec<String>,
        /// Local business date `yyyy-MM-dd[THH:mm:ss]`; the moment of the request when absent.
        date: Option<String>,
        /// Who asks; may be empty.
        user: String,
    },
    /// The same, and after it everything downstream, all for one business date. Answer: [`Answer::Chain`].
    TriggerBlood {
        /// The workflow.
        name: String,
        /// Local business date `yyyy-MM-dd[THH:mm:ss]`; the moment of the request when absent.
        date: Option<String>,
        /// Who asks; may be empty.
        user: String,
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
        /// Keep what has succeeded but for these nodes and all that comes after them. Wins over `from_failed`.
        nodes: Vec<String>,
        /// Who asks; may be empty.
        user: String,
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
    /// Lets what runs in an instance finish and starts nothing new in it. Answer: [`Answer::Done`].
    PauseInstance {
        /// The instance.
        id: InstanceId,
        /// Who asks, and why.
        by: By,
    },
    /// Lets a paused instance, or one in quarantine, go on. Answer: [`Answer::Done`].
    ResumeInstance {
        /// The instance.
        id: InstanceId,
        /// Who asks, and why.
        by: By,
    },
    /// Starts no instance of a workflow by itself any more. Answer: [`Answer::Done`].
    SuspendWorkflow {
        /// The workflow.
        name: String,
        /// Who asks, and why.
        by: By,
    },
    /// Lets its schedule go on from now. Answer: [`Answer::Done`].
    ResumeWorkflow {
        /// The workflow.
        name: String,
    },
    /// Fires, starts and dispatches nothing any more in the whole cluster. Answer: [`Answer::Done`].
    Freeze {
        /// Who asks, and why.
        by: By,
    },
    /// Lets the cluster go on. Answer: [`Answer::Done`].
    Thaw,
    /// Defines a pool, changes its size, or removes it. Answer: [`Answer::Done`].
    SetPool {
        /// The pool.
        name: String,
        /// How much of it there is; `None` removes it.
        slots: Option<u32>,
        /// Who asks; may be empty.
        user: String,
    },
    /// Says that a node need not run. Answer: [`Answer::Done`], or [`Answer::Instance`] when an ended instance runs again by it.
    MarkNode {
        /// The instance.
        id: InstanceId,
        /// The action node.
        node: String,
        /// Whether it is left out; else its work was done by other means.
        is_skipped: bool,
        /// Who asks, and why.
        by: By,
    },
    /// Gives an open instance another definition for what has not succeeded. Answer: [`Answer::Repair`].
    Repair {
        /// The instance.
        id: InstanceId,
        /// The definition as its bytes came; `None` takes the one in force.
        xml: Option<Vec<u8>>,
        /// Only say what would change.
        is_dry_run: bool,
        /// Who asks, and why.
        by: By,
    },
    /// Runs a workflow for a range of business dates. Answer: [`Answer::Backfill`].
    StartBackfill {
        /// What.
        spec: BackfillSpec,
        /// Only say what would run.
        is_dry_run: bool,
        /// A repeated request with the same key gets the same backfill.
        idempotency_key: Option<String>,
        /// Who asks, and why.
        by: By,
    },
    /// Starts nothing of a backfill for the time being. Answer: [`Answer::Done`].
    PauseBackfill {
        /// The backfill.
        id: InstanceId,
        /// Who asks, and why.
        by: By,
    },
    /// Lets a paused backfill go on. Answer: [`Answer::Done`].
    ResumeBackfill {
        /// The backfill.
        id: InstanceId,
    },
    /// Starts nothing of a backfill ever again. Answer: [`Answer::Done`].
    AbortBackfill {
        /// The backfill.
        id: InstanceId,
        /// Whether what runs of it is killed; else it may finish.
        kills: bool,
        /// Who asks, and why.
        by: By,
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
    /// Sends a mail again that was sent or given up. Answer: [`Answer::Done`].
    SendMail {
        /// The mail.
        key: MailKey,
        /// Who asks; may be empty.
        user: String,
    },
    /// Makes a link or changes one, in the store. Answer: [`Answer::Done`].
    PutLink {
        /// The link.
        key: LinkKey,
        /// What it shall say.
        edit: LinkEdit,
        /// Who asks; may be empty.
        user: String,
    },
    /// Seals all links of the store with the key that the key file holds now. Answer: [`Answer::Done`].
    ResealLinks {
        /// Who asks; may be empty.
        user: String,
    },
    /// Removes a link from the store. Answer: [`Answer::Done`].
    DeleteLink {
        /// The link.
        key: LinkKey,
        /// Who asks; may be empty.
        user: String,
    },
}

/// Who asks for something, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct By {
    /// Who; may be empty.
    pub user: String,
    /// Why; may be empty.
    pub reason: String,
}

/// What another definition means for a node of an open instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeChange {
    /// The node.
    pub node: String,
    /// What happens to it.
    pub kind: ChangeKind,
    /// Why that is not possible now.
    pub refusal: Option<Text>,
}

/// What happens to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is there no more.
    Removed,
    /// It does something else.
    Changed,
    /// It does the same and leads elsewhere.
    Rewired,
    /// It does something else, but has ended in this instance: its end stands.
    Kept,
}

impl ChangeKind {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Added,
        Self::Removed,
        Self::Changed,
        Self::Rewired,
        Self::Kept,
    ];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Rewired => "rewired",
            Self::Kept => "kept",
        }
    }
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
    /// What another definition changes, or has changed, for an instance.
    Repair {
        /// The instance.
        id: InstanceId,
        /// Whether it is in force there now.
        is_applied: bool,
        /// The nodes that differ; none when the definition is the one it has.
        changes: Vec<NodeChange>,
    },
    /// What a backfill runs.
    Backfill {
        /// Its id; `None` when it was only asked what would run.
        id: Option<InstanceId>,
        /// Its runs, in order; none when the answer is repeated for a backfill that has ended.
        runs: Vec<BackfillRunRow>,
        /// Dependants that it leaves out.
        left_out: Vec<LeftOut>,
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
