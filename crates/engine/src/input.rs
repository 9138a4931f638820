//! What happened.

use std::collections::BTreeSet;
use std::sync::Arc;

use akkaflow_model::backfill::BackfillSpec;
use akkaflow_model::command::By;
use akkaflow_model::definition::Workflow;
use akkaflow_model::diagnostic::Finding;
use akkaflow_model::id::{AttemptKey, Incarnation, InstanceId, Name, RequestId, WorkerId};
use akkaflow_model::links::{LinkKey, LinkRow};
use akkaflow_model::mail::{DeliveryRow, MailKey};
pub use akkaflow_model::outcome::{Outcome, OutcomeKind};
use akkaflow_model::record::{FileProblemRow, InstanceRow, Mark, NodeRow};
use akkaflow_model::time::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use crate::learned::Known;

/// One thing that happened. The master journals it before anybody sees what follows from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "snake_case")]
pub enum Input {
    /// Time has passed; see [`crate::Engine::next_deadline`].
    Tick,
    /// Somebody asks for something; answered by [`crate::Effect::Reply`] with the same request.
    Order {
        /// Correlates the reply.
        request: RequestId,
        /// What they ask.
        order: Order,
    },
    /// The file at `path` is gone.
    FileGone {
        /// The file.
        path: String,
    },
    /// A calendar's file says this; it has no errors.
    Calendar {
        /// The file; its stem is the calendar's name.
        path: String,
        /// Its decoded text.
        text: String,
    },
    /// The file cannot be used.
    FileProblem(FileProblemRow),
    /// A worker has (re)connected. What it was given and does not hold is judged here.
    WorkerAttached {
        /// Who.
        worker: WorkerInfo,
        /// Attempts that it runs, or whose outcome it has not been able to deliver.
        holds: Vec<AttemptKey>,
    },
    /// The connection of that incarnation is gone; its work goes on.
    WorkerDetached {
        /// Who.
        id: WorkerId,
        /// Which start of it. A newer one that has attached meanwhile stays attached.
        incarnation: Incarnation,
    },
    /// That start of the worker stops in order: it takes nothing new, and what it was given and does not hold will never run.
    WorkerLeaving {
        /// Who.
        id: WorkerId,
        /// Which start of it.
        incarnation: Incarnation,
        /// Attempts that it runs, may still run, or whose outcome it has not been able to deliver.
        holds: Vec<AttemptKey>,
    },
    /// The worker has taken the attempt.
    AttemptAccepted {
        /// Who.
        worker: WorkerId,
        /// Which.
        key: AttemptKey,
    },
    /// The attempt is over. Repeated until [`crate::Effect::Acknowledge`] is seen.
    AttemptFinished {
        /// Who.
        worker: WorkerId,
        /// Which.
        key: AttemptKey,
        /// How.
        outcome: Outcome,
    },
    /// The worker promises that this attempt, which it never accepted, will never start.
    Tombstoned {
        /// Who.
        worker: WorkerId,
        /// Which.
        key: AttemptKey,
    },
    /// How long the nodes of an instance usually take: those of which enough is known.
    Usual {
        /// The instance.
        instance: InstanceId,
        /// Its nodes.
        nodes: Vec<Known>,
    },
}

impl Input {
    /// Whether it speaks of one instance alone, and of this one: then it is part of what the instance replays from.
    pub fn is_about(&self, instance: InstanceId) -> bool {
        match self {
            Self::AttemptAccepted { key, .. }
            | Self::AttemptFinished { key, .. }
            | Self::Tombstoned { key, .. } => key.instance == instance,
            Self::Order { order, .. } => order.instance() == Some(instance),
            Self::Usual { instance: id, .. } => *id == instance,
            Self::Tick
            | Self::FileGone { .. }
            | Self::Calendar { .. }
            | Self::FileProblem(_)
            | Self::WorkerAttached { .. }
            | Self::WorkerDetached { .. }
            | Self::WorkerLeaving { .. } => false,
        }
    }
}

/// What somebody asks, with everything looked up that the engine needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// Puts a workflow in force.
    #[serde(skip_deserializing)]
    PutWorkflow {
        /// The checked definition; the journal holds its version only.
        #[serde(serialize_with = "version_only")]
        workflow: Arc<Workflow>,
        /// Where it came from.
        origin: Origin,
        /// Its warnings, for the answer.
        findings: Vec<Finding>,
    },
    /// Deletes a workflow.
    DeleteWorkflow {
        /// Its name.
        name: String,
    },
    /// Starts an instance that no dependant notices.
    Run {
        /// The workflow.
        name: String,
        /// Override what the coordinator's parameters give.
        params: Vec<(String, String)>,
        /// The business date; `now` when absent.
        fire_time: Option<Timestamp>,
        /// Key and hash of the content of a request that may be repeated.
        idempotency: Option<(String, String)>,
        /// Who asks; may be empty.
        user: String,
    },
    /// Starts an instance as its schedule would.
    Trigger {
        /// The workflow.
        name: String,
        /// Action nodes to pass over.
        ignore_nodes: Vec<String>,
        /// The business date; `now` when absent.
        fire_time: Option<Timestamp>,
        /// Who asks; may be empty.
        user: String,
    },
    /// The same, and everything downstream after it.
    TriggerBlood {
        /// The workflow.
        name: String,
        /// The business date; `now` when absent.
        fire_time: Option<Timestamp>,
        /// Who asks; may be empty.
        user: String,
    },
    /// Clears the readiness of one workflow.
    ResetWorkflow {
        /// The workflow.
        name: String,
    },
    /// Clears the readiness of all.
    ResetAll,
    /// Ends an instance.
    Kill {
        /// The instance.
        id: InstanceId,
        /// Who asks.
        user: String,
    },
    /// Runs an ended instance again.
    #[serde(skip_deserializing)]
    Rerun {
        /// The instance.
        id: InstanceId,
        /// Its stored rows; `None` when the store does not know it. Read after all earlier batches were committed.
        stored: Option<Box<StoredInstance>>,
        /// How.
        how: Rerun,
    },
    /// Removes an ended instance.
    DeleteInstance {
        /// The instance.
        id: InstanceId,
        /// Whether the store knows it.
        is_stored: bool,
    },
    /// Declares a detached worker dead.
    FenceWorker {
        /// The worker.
        id: WorkerId,
    },
    /// Lets what runs in an instance finish and starts nothing new in it.
    PauseInstance {
        /// The instance.
        id: InstanceId,
        /// Who asks, and why.
        by: By,
    },
    /// Lets a paused instance, or one in quarantine, go on.
    ResumeInstance {
        /// The instance.
        id: InstanceId,
        /// Who asks, and why.
        #[serde(default)]
        by: By,
    },
    /// Starts no instance of a workflow by itself any more.
    SuspendWorkflow {
        /// The workflow.
        name: String,
        /// Who asks, and why.
        by: By,
    },
    /// Lets its schedule go on from now.
    ResumeWorkflow {
        /// The workflow.
        name: String,
    },
    /// Fires, starts and dispatches nothing any more.
    Freeze {
        /// Who asks, and why.
        by: By,
    },
    /// Lets the cluster go on.
    Thaw,
    /// Defines a pool, changes its size, or removes it.
    SetPool {
        /// The pool.
        name: String,
        /// How much of it there is; `None` removes it.
        slots: Option<u32>,
        /// Who asks; may be empty.
        user: String,
    },
    /// Says that a node need not run.
    MarkNode {
        /// The instance.
        id: InstanceId,
        /// What is said; its moment is the step's.
        mark: Mark,
        /// The instance's rows, when it has ended.
        stored: Option<Box<StoredInstance>>,
        /// The definition that an ended instance ran with; an open one needs none.
        #[serde(serialize_with = "optional_version_only", skip_deserializing)]
        pinned: Option<Arc<Workflow>>,
    },
    /// Gives an open instance another definition for what has not succeeded.
    #[serde(skip_deserializing)]
    Repair {
        /// The instance.
        id: InstanceId,
        /// The definition; `None` takes the one in force.
        #[serde(serialize_with = "optional_version_only")]
        workflow: Option<Arc<Workflow>>,
        /// Only say what would change.
        is_dry_run: bool,
        /// Who asks, and why.
        #[serde(default)]
        by: By,
    },
    /// Removes what was kept for long enough. What is open stays.
    Expire {
        /// The workflow.
        workflow: String,
        /// Ended instances of it.
        instances: Vec<InstanceId>,
        /// Fires without an instance that were due earlier.
        fires_before: Option<Timestamp>,
    },
    /// Runs a workflow for a range of business dates.
    StartBackfill {
        /// What.
        spec: BackfillSpec,
        /// What has succeeded already: workflows with fire times; see [`crate::Engine::backfill_scope`].
        good: Vec<(String, Timestamp)>,
        /// Only say what would run.
        is_dry_run: bool,
        /// Key and hash of the content of a request that may be repeated.
        idempotency: Option<(String, String)>,
        /// Who asks, and why.
        by: By,
    },
    /// Starts nothing of a backfill for the time being.
    PauseBackfill {
        /// The backfill.
        id: InstanceId,
        /// Who asks, and why.
        by: By,
    },
    /// Lets a paused backfill go on.
    ResumeBackfill {
        /// The backfill.
        id: InstanceId,
    },
    /// Starts nothing of a backfill ever again.
    AbortBackfill {
        /// The backfill.
        id: InstanceId,
        /// Whether what runs of it is killed.
        kills: bool,
        /// Who asks, and why.
        by: By,
    },
    /// Sets values that a workflow keeps between its instances.
    SetState {
        /// The workflow.
        name: String,
        /// Names and values.
        values: Vec<(String, String)>,
        /// Who asks.
        user: String,
    },
    /// A mail was tried: how its sending goes now.
    MailTried {
        /// All of it.
        delivery: Box<DeliveryRow>,
    },
    /// Sends a mail again that was sent or given up.
    SendMail {
        /// The mail.
        key: MailKey,
        /// How its sending went; `None` when the store does not know it. Read after all earlier batches were committed.
        stored: Option<Box<DeliveryRow>>,
        /// Who asks; may be empty.
        user: String,
    },
    /// Keeps a link, checked and sealed.
    #[serde(skip_deserializing)]
    PutLink {
        /// All of it; the journal, which outlives it, says only which was changed and by whom.
        #[serde(serialize_with = "without_content")]
        link: Box<LinkRow>,
    },
    /// Keeps these links, sealed with another key: all of them or none.
    #[serde(skip_deserializing)]
    ResealLinks {
        /// All of them; the journal says only which.
        #[serde(serialize_with = "names_only")]
        links: Vec<LinkRow>,
        /// Who asks; may be empty.
        user: String,
    },
    /// Removes a link.
    DeleteLink {
        /// The link.
        key: LinkKey,
        /// Who asks; may be empty.
        user: String,
    },
}

impl Order {
    /// The open instance that it is about. A rerun admits one, see [`crate::Given::Admitted`]; a repair brings a definition
    /// from outside, see [`crate::Given::Repaired`].
    fn instance(&self) -> Option<InstanceId> {
        match self {
            Self::Kill { id, .. }
            | Self::PauseInstance { id, .. }
            | Self::ResumeInstance { id, .. }
            | Self::MarkNode { id, .. } => Some(*id),
            Self::PutWorkflow { .. }
            | Self::DeleteWorkflow { .. }
            | Self::Run { .. }
            | Self::Trigger { .. }
            | Self::TriggerBlood { .. }
            | Self::ResetWorkflow { .. }
            | Self::ResetAll
            | Self::Rerun { .. }
            | Self::DeleteInstance { .. }
            | Self::FenceWorker { .. }
            | Self::SuspendWorkflow { .. }
            | Self::ResumeWorkflow { .. }
            | Self::Freeze { .. }
            | Self::Thaw
            | Self::SetPool { .. }
            | Self::Repair { .. }
            | Self::Expire { .. }
            | Self::StartBackfill { .. }
            | Self::PauseBackfill { .. }
            | Self::ResumeBackfill { .. }
            | Self::AbortBackfill { .. }
            | Self::SetState { .. }
            | Self::MailTried { .. }
            | Self::SendMail { .. }
            | Self::PutLink { .. }
            | Self::ResealLinks { .. }
            | Self::DeleteLink { .. } => None,
        }
    }
}

/// How an ended instance runs again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rerun {
    /// From where.
    pub from: RerunFrom,
    /// The definition it ran with, when that shall be kept; `None` takes the newest.
    #[serde(serialize_with = "optional_version_only")]
    pub pinned: Option<Arc<Workflow>>,
    /// Who asks; may be empty.
    pub user: String,
}

/// From where an instance runs again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RerunFrom {
    /// Everything runs.
    Start,
    /// What has succeeded is kept.
    Failed,
    /// What has succeeded is kept, but for these nodes and all that comes after them.
    Nodes(Vec<String>),
}

/// An ended instance as the store holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredInstance {
    /// Its row.
    pub instance: InstanceRow,
    /// The nodes of its latest run.
    pub nodes: Vec<NodeRow>,
}

/// Where a definition came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "origin", rename_all = "snake_case")]
pub enum Origin {
    /// A file under the watched directory: it owns the workflow.
    File {
        /// The file.
        path: String,
        /// When it was put there or written: one that lay there when its workflow was deleted does not bring it back.
        dropped_at: Timestamp,
    },
    /// The API; refused when a file owns the workflow.
    Api {
        /// What the caller says about its origin.
        path: Option<String>,
    },
}

/// A worker that has attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerInfo {
    /// Who.
    pub id: WorkerId,
    /// Which start of it.
    pub incarnation: Incarnation,
    /// What `host=` is compared with, and what people see.
    pub host: Name,
    /// How many attempts it takes at once.
    pub slots: u32,
    /// What `worker-labels` is compared with.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub labels: BTreeSet<String>,
}

#[expect(clippy::borrowed_box, reason = "serde hands over what the field is")]
fn without_content<S: Serializer>(link: &Box<LinkRow>, serializer: S) -> Result<S::Ok, S::Error> {
    (&link.key, &link.user).serialize(serializer)
}

fn names_only<S: Serializer>(links: &[LinkRow], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(links.iter().map(|link| &link.key))
}

fn version_only<S: Serializer>(workflow: &Arc<Workflow>, serializer: S) -> Result<S::Ok, S::Error> {
    (&workflow.name, &workflow.version).serialize(serializer)
}

fn optional_version_only<S: Serializer>(
    workflow: &Option<Arc<Workflow>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    workflow
        .as_ref()
        .map(|workflow| (&workflow.name, &workflow.version))
        .serialize(serializer)
}
