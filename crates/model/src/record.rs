//! The rows that must be durable. The engine writes them, the store keeps them, a new master rebuilds itself from them.
//!
//! Every record is a whole row: applying it replaces the row with the same key, so a store needs no knowledge of states.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::backfill::{BackfillRow, BackfillRunRow};
use crate::definition::Version;
use crate::id::{AttemptKey, Epoch, Incarnation, InstanceId, Name, WorkerId};
use crate::landing::Landing;
use crate::links::{LinkKey, LinkRow};
use crate::mail::{DeliveryRow, MailRow};
use crate::message::Message;
use crate::outcome::{Figures, Measured};
use crate::shared::Shared;
use crate::state::{AttemptState, InstanceState, NodeState};
use crate::text::Text;
use crate::time::Timestamp;

/// One durable change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// Key: name.
    Workflow(WorkflowRow),
    /// Key: version. Written once, before anything that names it.
    Version(VersionRow),
    /// Key: workflow.
    Schedule(ScheduleRow),
    /// Key: workflow, kind, gen, key.
    Fire(FireRow),
    /// Key: upstream instance, dependant.
    Token(TokenRow),
    /// Key: id.
    Instance(Shared<InstanceRow>),
    /// Key: instance, node.
    Node(Shared<NodeRow>),
    /// Key: instance, node, run, attempt.
    Attempt(Shared<AttemptRow>),
    /// Removes an instance with its nodes, attempts and logs; its fires and tokens stay.
    DeleteInstance {
        /// The instance.
        id: InstanceId,
    },
    /// Key: root.
    Chain(ChainRow),
    /// Key: key.
    Request(RequestRow),
    /// Key: path.
    FileProblem(FileProblemRow),
    /// The file at `path` is fine again, or gone.
    ClearFileProblem {
        /// The file.
        path: String,
    },
    /// Key: name.
    Calendar(CalendarRow),
    /// There is one.
    Cluster(ClusterRow),
    /// Key: name.
    Pool(PoolRow),
    /// Removes an instance that has been kept for long enough: as [`Record::DeleteInstance`], and the tokens that it gave
    /// and nobody needs any more, and its chain when that is over.
    ExpireInstance {
        /// The instance.
        id: InstanceId,
    },
    /// Removes the fires of a workflow that were due before a moment, wait for nothing and have no instance any more.
    ForgetFires {
        /// The workflow.
        workflow: String,
        /// Due before it.
        before: Timestamp,
    },
    /// Key: id.
    Backfill(BackfillRow),
    /// Key: backfill, position.
    BackfillRun(BackfillRunRow),
    /// Key: workflow, name.
    State(StateRow),
    /// Removes an attempt that only looked whether a wait is over, and saw that it is not: a wait of a day would leave
    /// thousands of them.
    DeleteAttempt {
        /// The attempt.
        key: AttemptKey,
    },
    /// Key: its key. Written once.
    Mail(Box<MailRow>),
    /// Key: that of its mail.
    Delivery(Box<DeliveryRow>),
    /// Key: its key.
    Link(Box<LinkRow>),
    /// Removes a link.
    DeleteLink {
        /// The link.
        key: LinkKey,
    },
}

impl Record {
    /// The row of an instance.
    pub fn instance(row: InstanceRow) -> Self {
        Self::Instance(row.into())
    }

    /// The row of a node.
    pub fn node(row: NodeRow) -> Self {
        Self::Node(row.into())
    }

    /// The row of an attempt.
    pub fn attempt(row: AttemptRow) -> Self {
        Self::Attempt(row.into())
    }
}

/// That somebody holds something up, until somebody lets it go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Who; empty when unknown.
    pub user: String,
    /// Why; empty when they did not say.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

/// What holds for the whole cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClusterRow {
    /// While it is set nothing is fired, started or dispatched; what runs goes on.
    pub frozen: Option<Hold>,
}

/// Something scarce that nodes share: a database that bears so many queries at once, licences, a machine's memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolRow {
    /// Its name.
    pub name: String,
    /// How much of it there is; `None` once it was removed.
    pub slots: Option<u32>,
    /// Who said so last; empty when unknown.
    pub user: String,
    /// When.
    pub updated_at: Timestamp,
}

/// A person's word that a node need not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The action node.
    pub node: String,
    /// Whether it was left out; else its work was done by other means. Either way the instance goes on along `ok`.
    pub is_skipped: bool,
    /// Who; empty when unknown.
    pub user: String,
    /// Why; empty when they did not say.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A workflow as the cluster holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowRow {
    /// Its name.
    pub name: String,
    /// The content in force: key of a [`VersionRow`].
    pub version: Version,
    /// Whether it exists for people.
    pub status: WorkflowStatus,
    /// Folder in the tree.
    pub dir: String,
    /// Who wrote it.
    pub creator: String,
    /// What it is for.
    pub desc: Option<String>,
    /// The file that owns it; `None` when it came by API.
    pub file_path: Option<String>,
    /// When it was first put.
    pub created_at: Timestamp,
    /// When its content last changed.
    pub updated_at: Timestamp,
    /// While it is set no instance starts by itself.
    #[serde(default)]
    pub hold: Option<Hold>,
}

impl WorkflowRow {
    /// What is said of a deleted workflow besides that it does not exist: since when, and what brings it back.
    pub fn epitaph(&self, zone: Tz) -> Option<Text> {
        if self.status != WorkflowStatus::Deleted {
            return None;
        }
        let at = self.updated_at.to_utc().with_timezone(&zone);
        let at = at.format("%Y-%m-%d %H:%M:%S");
        Some(match &self.file_path {
            Some(path) => Text::new(
                format!("已于{at}被删除，其文件{path}此后未变；修改该文件或重新放入即可恢复"),
                format!(
                    "it was deleted at {at} and its file {path} has not changed since; change that file, or drop it in again, to bring it back"
                ),
            ),
            None => Text::new(
                format!("已于{at}被删除；重新提交其定义即可恢复"),
                format!("it was deleted at {at}; put its definition again to bring it back"),
            ),
        })
    }
}

/// Whether a workflow exists for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkflowStatus {
    /// In force.
    Live,
    /// In force, but the file that owned it is gone.
    FileGone,
    /// Deleted by a person. The row remembers the deleted content, so that an untouched file does not bring it back.
    Deleted,
}

/// One content of a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRow {
    /// Its name.
    pub version: Version,
    /// The workflow that it defines.
    pub workflow: String,
    /// The decoded XML.
    pub xml: String,
    /// When it was first seen.
    pub created_at: Timestamp,
}

/// How far a workflow's schedule has been enumerated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleRow {
    /// The workflow.
    pub workflow: String,
    /// Grows only when crons, zone or calendars change.
    pub generation: u32,
    /// What `generation` stands for: the cron text, or what else it fires by, its zone and its calendar's content; empty
    /// without times. A different text means a new generation.
    pub trigger: String,
    /// Whether the coordinator was enabled; re-enabling starts the high-water mark anew.
    pub is_enabled: bool,
    /// Every slot up to and including this moment has its fire row.
    pub fired_through: Timestamp,
}

/// Why a workflow starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// A slot of its cron.
    Cron,
    /// Its dependencies, without a cron.
    Dependency,
    /// A person said `trigger`: gives tokens, consumes none.
    Trigger,
    /// A chain of `trigger-blood`.
    Blood,
    /// A person said `run`: gives no token.
    Run,
    /// A date of a backfill: gives no token, consumes none.
    Backfill,
    /// A `<sub-workflow>` of another instance: gives no token.
    SubWorkflow,
}

/// What became of a due slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FireState {
    /// Due, waits for its dependencies.
    Waiting,
    /// Has its instance.
    Fired,
    /// Merged into another waiting fire.
    Coalesced,
    /// Passed over by policy.
    Skipped,
}

/// Why a due slot was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// It was missed for longer than `misfire` allows.
    TooOld,
    /// It was missed, and `misfire="skip"`.
    Missed,
    /// More slots were missed than `misfire="all"` makes up for, or too many wait for their dependencies.
    TooMany,
    /// Other instances filled the limit, and `overlap="skip"`.
    Overlap,
    /// The coordinator was disabled, or the workflow deleted, while it waited.
    Disabled,
    /// The schedule changed while it waited.
    Changed,
    /// A person cleared the readiness while it waited.
    Reset,
}

impl SkipReason {
    /// What it means.
    pub fn text(self) -> Text {
        let (zh, en) = match self {
            Self::TooOld => (
                "错过的时间超过misfire允许的期限",
                "it was missed for longer than its misfire policy allows",
            ),
            Self::Missed => (
                "错过的触发时间，misfire为skip",
                "it was missed, and misfire is skip",
            ),
            Self::TooMany => (
                "一次补跑的触发时间过多",
                "too many slots were missed or wait at once",
            ),
            Self::Overlap => (
                "运行中的实例已达上限，overlap为skip",
                "other instances filled the limit, and overlap is skip",
            ),
            Self::Disabled => (
                "等待期间调度被停用或工作流被删除",
                "the schedule was disabled or the workflow deleted while it waited",
            ),
            Self::Changed => (
                "等待期间调度时间已更改",
                "the schedule was changed while it waited",
            ),
            Self::Reset => (
                "等待期间被重置",
                "somebody reset the workflow while it waited",
            ),
        };
        Text::new(zh, en)
    }
}

/// One due slot (or, for skipped ones, a range of them).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FireRow {
    /// The workflow.
    pub workflow: String,
    /// Why.
    pub kind: TriggerKind,
    /// The schedule's generation; 0 unless `kind` is cron.
    pub generation: u32,
    /// Cron: the UTC slot in milliseconds. Dependency: the newest consumed token's upstream instance. Else the instance.
    pub key: String,
    /// The slot or moment from which dates are computed.
    pub due_at: Timestamp,
    /// What became of it.
    pub state: FireState,
    /// Its instance, once fired.
    pub instance: Option<InstanceId>,
    /// The last slot of a range row.
    pub through: Option<Timestamp>,
    /// Why it was skipped.
    #[serde(default)]
    pub reason: Option<SkipReason>,
}

/// One success of an upstream, for one dependant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    /// The instance that succeeded.
    pub upstream_instance: InstanceId,
    /// Its workflow.
    pub upstream: String,
    /// The workflow that waits for it.
    pub dependant: String,
    /// The upstream instance's fire time.
    pub business_at: Timestamp,
    /// When it was given.
    pub given_at: Timestamp,
    /// The instance that consumed it first; the nil id (0) when a reset, a deletion or a changed definition cleared it.
    pub consumed_by: Option<InstanceId>,
    /// The business date of that success: the day of `business_at` in the zone of the upstream, counted from
    /// 0001-01-01 as day 1.
    pub business_day: i32,
    /// Whether it may still let something fire: it is not consumed, or a rule looks at consumed ones too.
    pub is_held: bool,
}

/// A calendar of workdays, as its file said it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarRow {
    /// Its name: the stem of its file.
    pub name: String,
    /// The file that owns it.
    pub path: String,
    /// The file's decoded text.
    pub text: String,
    /// When that text was first seen.
    pub read_at: Timestamp,
    /// Whether the file is gone; what it said stays in force.
    pub is_file_gone: bool,
}

/// One run of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceRow {
    /// Its id.
    pub id: InstanceId,
    /// Its workflow.
    pub workflow: String,
    /// The definition it is pinned to.
    pub version: Version,
    /// 1, and one more at each rerun; never less again.
    pub run: u32,
    /// Its state.
    pub state: InstanceState,
    /// Why it was started.
    pub trigger: TriggerKind,
    /// The slot or moment from which its dates are computed.
    pub fire_time: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its current run left the queue.
    pub started_at: Option<Timestamp>,
    /// When it reached its terminal state.
    pub ended_at: Option<Timestamp>,
    /// Name and resolved value, in order.
    pub params: Vec<(String, String)>,
    /// Why it is in its state.
    pub message: Option<Message>,
    /// Whether an error edge was taken in this run.
    pub handled_errors: bool,
    /// Action nodes that this instance passes over.
    pub ignore_nodes: Vec<String>,
    /// Set while it waits before it ends for what still runs, or for its clean-up: the state it will have. Its `message` is
    /// already set.
    pub ending: Option<InstanceState>,
    /// The chain it belongs to: the id of the chain's root instance; of an instance of a backfill, the backfill.
    pub chain: Option<InstanceId>,
    /// The folder of its workflow at creation.
    pub dir: String,
    /// The creator of its workflow at creation.
    pub creator: String,
    /// Whether one of its runs has given tokens: it gives them once, reruns included.
    #[serde(default)]
    pub gave_tokens: bool,
    /// The runs before this one, oldest first; the newest [`EARLIER_RUNS`] of them.
    #[serde(default)]
    pub earlier: Vec<EarlierRun>,
    /// How far the clean-up of this run has come.
    #[serde(default)]
    pub clean_up: CleanUp,
    /// While it is set, in state suspended, nothing of it starts; what runs goes on.
    #[serde(default)]
    pub hold: Option<Hold>,
    /// Nodes that need not run, in the order in which people said so.
    #[serde(default)]
    pub marks: Vec<Mark>,
    /// Who asked for its current run; `None` when it started by itself, or nobody said.
    #[serde(default)]
    pub asked_by: Option<String>,
    /// The values of the workflow's state as they were when the instance first left the queue: all its runs see these.
    #[serde(default)]
    pub pinned: Option<PinnedState>,
    /// The node of another instance that started it.
    #[serde(default)]
    pub parent: Option<ParentNode>,
    /// By when it shall have ended, and what was said about that; `None` where its workflow names no deadline.
    #[serde(default)]
    pub landing: Option<Box<Landing>>,
    /// What people did to it while it was open, in order; the first [`INTERVENTIONS`] of it.
    #[serde(default)]
    pub interventions: Vec<Intervention>,
}

/// So many interventions of an instance are kept.
pub const INTERVENTIONS: usize = 200;

/// What a person did to an open instance: its log tells of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intervention {
    /// In which run.
    pub run: u32,
    /// When.
    pub at: Timestamp,
    /// The node that it was about; `None` for the whole instance.
    pub node: Option<String>,
    /// What, by whom and why.
    pub what: Message,
}

impl InstanceRow {
    /// Keeps what a person did.
    pub fn intervene(&mut self, at: Timestamp, node: Option<String>, what: Message) {
        if self.interventions.len() < INTERVENTIONS {
            self.interventions.push(Intervention {
                run: self.run,
                at,
                node,
                what,
            });
        }
    }
}

/// Values that an instance has from those before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedState {
    /// When they were read.
    pub at: Timestamp,
    /// Name and value, in the order of the definition.
    pub values: Vec<(String, String)>,
}

/// The `<sub-workflow>` that started an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentNode {
    /// Its instance.
    pub instance: InstanceId,
    /// The node.
    pub node: String,
    /// The run of that instance.
    pub run: u32,
    /// Whether the node ends with this instance.
    pub waits: bool,
    /// How many instances stand above this one.
    pub depth: u32,
}

/// How far the clean-up of a run has come: what `<finally>` leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CleanUp {
    /// It has not begun, or there is none.
    #[default]
    Ahead,
    /// It has begun; `ending` says how the instance will end.
    Begun,
    /// Somebody killed the instance once more: what runs of it is cancelled.
    Stopped,
}

/// So many earlier runs an instance remembers: people look at the last few, and the row is written with every change.
pub const EARLIER_RUNS: usize = 20;

/// How a run went that a rerun has followed: what the log of its instance tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierRun {
    /// Its number, from 1.
    pub run: u32,
    /// When it left the queue.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How.
    pub state: InstanceState,
    /// Why.
    pub message: Option<Message>,
}

/// The current state of a node in the current run of its instance. Rows whose `run` is not the instance's are history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeRow {
    /// The instance.
    pub instance: InstanceId,
    /// The node's name.
    pub node: Name,
    /// The run it belongs to.
    pub run: u32,
    /// `start`, `script`, ...
    pub type_name: Name,
    /// Its state.
    pub state: NodeState,
    /// Attempts made in this run.
    pub attempts: u32,
    /// Failed attempts in this run: what `retry-times` is compared with.
    pub failures: u32,
    /// Lost attempts in this run.
    pub losses: u32,
    /// When it was reached.
    pub ready_at: Timestamp,
    /// When its first attempt was assigned (control nodes: when it was reached).
    pub started_at: Option<Timestamp>,
    /// When it reached its terminal state.
    pub ended_at: Option<Timestamp>,
    /// When it fails by time-out.
    pub deadline: Option<Timestamp>,
    /// When its next attempt may start.
    pub retry_at: Option<Timestamp>,
    /// Why it is in its state.
    pub message: Option<Message>,
    /// The worker of its latest attempt.
    pub worker: Option<WorkerId>,
    /// The waits for a worker that people were told of, oldest first; only ever grows within a run, up to a bound.
    pub waits: Vec<WaitTold>,
    /// What it has handed on, in the order of its declaration. While a `<wait>` looks for a file: what the last look saw.
    #[serde(default)]
    pub outputs: Vec<(String, String)>,
    /// The instance that a `<sub-workflow>` has started, the latest one.
    #[serde(default)]
    pub child: Option<InstanceId>,
}

/// A wait of a node that its instance's log tells of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaitTold {
    /// The attempt that had to wait.
    pub attempt: u32,
    /// When it was told.
    pub at: Timestamp,
    /// Whether it had lasted so long by then that somebody should look.
    pub is_warning: bool,
    /// What it waited for.
    pub reason: Message,
}

/// One try of an action on one worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptRow {
    /// Which.
    pub key: AttemptKey,
    /// Its state.
    pub state: AttemptState,
    /// Who runs it.
    pub worker: WorkerId,
    /// Which start of that worker it was given to.
    pub incarnation: Incarnation,
    /// Host that people see.
    pub host: Name,
    /// The epoch of the master that assigned it.
    pub epoch: Epoch,
    /// When it was assigned.
    pub assigned_at: Timestamp,
    /// When the worker's acceptance became known.
    pub accepted_at: Option<Timestamp>,
    /// When its outcome became known.
    pub ended_at: Option<Timestamp>,
    /// Why it must stop; set as soon as it is asked for.
    pub cancel: Option<CancelReason>,
    /// Its outcome, in words.
    pub message: Option<Message>,
    /// Exit code of its process, where it had one.
    pub exit_code: Option<i32>,
    /// Bytes of output captured, known at the end.
    pub log_length: u64,
    /// What was counted and measured, known at the end where anything was.
    pub figures: Option<Box<Figures>>,
}

/// What a `<data-monitor>` has seen once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measurement {
    /// The attempt.
    pub key: AttemptKey,
    /// The instance's fire time.
    pub fire_time: Timestamp,
    /// When it was seen.
    pub at: Timestamp,
    /// How the attempt ended.
    pub state: AttemptState,
    /// What it saw.
    pub measured: Measured,
    /// Its outcome, in words.
    pub message: Option<Message>,
}

/// What is left to learn from of an attempt that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Success {
    /// The node.
    pub node: String,
    /// When it was assigned.
    pub from: Timestamp,
    /// When its end became known.
    pub to: Timestamp,
    /// When its node began: earlier than the attempt where that waited, or was tried before. `None` where nobody knows.
    pub since: Option<Timestamp>,
}

/// Why an attempt must stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// A person killed the instance, or the instance ends for another reason.
    InstanceEnding,
    /// The node's time is up.
    TimedOut,
    /// The master does not know it, or has given it to another worker.
    Orphan,
    /// A person marked its node: it need not run.
    Marked,
}

/// A running `trigger-blood`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainRow {
    /// The instance that began it.
    pub root: InstanceId,
    /// Workflows of the chain that have not succeeded yet, in dependency order. Empty: the chain is over.
    pub remaining: Vec<String>,
    /// Workflows of the chain that have their instance.
    pub started: Vec<String>,
    /// The date of every instance of the chain.
    pub fire_time: Timestamp,
}

/// A value that outlives the instances of its workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateRow {
    /// The workflow.
    pub workflow: String,
    /// The variable.
    pub name: String,
    /// Its value.
    pub value: String,
    /// When it was written.
    pub set_at: Timestamp,
    /// The instance whose success wrote it; `None` when a person did.
    pub instance: Option<InstanceId>,
    /// The fire time of that instance.
    pub fire_time: Option<Timestamp>,
    /// The person, where they gave a name.
    pub user: String,
}

/// The answer that a repeated request gets again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRow {
    /// The caller's idempotency key.
    pub key: String,
    /// Names the request's content; the same key with another one is refused.
    pub body_hash: String,
    /// The instance that the request made.
    pub instance: InstanceId,
    /// When.
    pub at: Timestamp,
}

/// A file that cannot be used as it is; the last good version stays in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileProblemRow {
    /// The file.
    pub path: String,
    /// The workflow in force that the file defined before; else the one that it names, where that could be read.
    pub workflow: Option<String>,
    /// When it was found.
    pub found_at: Timestamp,
    /// The findings.
    pub findings: Vec<crate::diagnostic::Finding>,
}

/// Everything that a new master needs to go on: live workflows, open instances and what they wait for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// All workflows, deleted ones too.
    pub workflows: Vec<WorkflowRow>,
    /// The contents in force and those that open instances are pinned to.
    pub versions: Vec<VersionRow>,
    /// The schedules of all workflows.
    pub schedules: Vec<ScheduleRow>,
    /// Fires in [`FireState::Waiting`].
    pub fires: Vec<FireRow>,
    /// Tokens that are held.
    pub tokens: Vec<TokenRow>,
    /// Instances in no terminal state.
    pub instances: Vec<InstanceRow>,
    /// The nodes of those instances, of their current run.
    pub nodes: Vec<NodeRow>,
    /// Attempts in no terminal state, of any instance.
    pub attempts: Vec<AttemptRow>,
    /// Chains that are not over.
    pub chains: Vec<ChainRow>,
    /// Requests of the last seven days.
    pub requests: Vec<RequestRow>,
    /// Known problems of files.
    pub file_problems: Vec<FileProblemRow>,
    /// All calendars.
    pub calendars: Vec<CalendarRow>,
    /// What holds for the whole cluster.
    pub cluster: ClusterRow,
    /// All pools that were not removed.
    pub pools: Vec<PoolRow>,
    /// Backfills that have not ended.
    pub backfills: Vec<BackfillRow>,
    /// All their runs, in order.
    pub backfill_runs: Vec<BackfillRunRow>,
    /// The state of all workflows.
    pub states: Vec<StateRow>,
}
