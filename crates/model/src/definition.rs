//! A workflow as its file says it, checked.
//!
//! | module | holds |
//! |---|---|
//! | `dependency` | which successes of other workflows it waits for |
//! | `edge` | where a node leads, and under which condition |
//! | `param_rule` | which values a parameter takes |
//! | `policy` | what happens when runs overlap, fail, or are missed |

mod dependency;
mod edge;
mod param_rule;
mod policy;

use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::cron::Cron;
use crate::element::{Element, Span};
use crate::id::AttemptKey;
use crate::landing::Deadline;
use crate::schedule::{Calendar, DayPolicy, FixedRate, Schedule};
use crate::state::InstanceState;
use crate::text::Text;
use crate::time::Timestamp;

pub use dependency::{DateRule, Dependency, DependencyTerm};
pub use edge::{Case, Edge};
pub(crate) use param_rule::compile_pattern;
pub use param_rule::{ParamRule, ParamType};
pub use policy::{
    Backoff, CodeRanges, FailurePolicy, Growth, Misfire, OnTimeout, Overlap, Pool, RetryRule,
    TimeoutScope,
};

/// Names one content of a definition: the first 16 hexadecimal digits of the SHA-256 of its decoded text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version(pub String);

/// A workflow: the graph, when it starts, and with which parameters.
///
/// Every name that an edge gives exists in [`Workflow::nodes`], names are unique, and the graph has no cycle. It has
/// exactly one start, except where nodes say what they come [`after`](Node::after): there it may have none, and begins
/// with the nodes that nothing leads to. The reader hands out nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct Workflow {
    /// Unique among workflows; trimmed, 1 to 128 characters.
    pub name: String,
    /// Who wrote it; `Unknown` when the file does not say.
    pub creator: String,
    /// What it is for.
    pub desc: Option<String>,
    /// `create-time` as written, `yyyy-MM-dd HH:mm:ss`.
    pub create_time: Option<String>,
    /// The end states that a mail is due for.
    pub mail_level: Vec<InstanceState>,
    /// Who is told.
    pub mail_receivers: Vec<String>,
    /// How many instances may run at once; 0 or less means that none ever starts.
    pub instance_limit: i64,
    /// Folder in the tree that people see, `/`-separated; `/tmp` by default.
    pub dir: String,
    /// When it starts by itself; `None` when only people start it.
    pub coordinator: Option<Coordinator>,
    /// The graph's nodes in the order of the file.
    pub nodes: Vec<Node>,
    /// What happens when a new instance comes while others fill the limit.
    pub overlap: Overlap,
    /// What happens to the other branches when a node fails for good and nothing takes care of it.
    pub failure_policy: FailurePolicy,
    /// Of its instances among those of others: the greater, the earlier; 0 by default.
    pub priority: i32,
    /// How long its ended instances are kept.
    pub keep: Keep,
    /// Values that outlive an instance.
    pub state: Vec<StateVariable>,
    /// The distinct parameter names that the text uses, in order of first use.
    pub used_params: Vec<String>,
    /// The decoded text.
    pub source: Arc<str>,
    /// Names the text.
    pub version: Version,
    /// Why no instance of it can run in this version of akkaflow, although it is right.
    pub not_runnable: Option<Text>,
}

/// How long ended instances are kept, as far as a definition says: an instance is removed once it ended so many days ago
/// and so many newer ones of its workflow exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// Days since its end; 0 keeps all for ever, `None` leaves it to the configuration.
    pub days: Option<u32>,
    /// The newest instances, kept whatever their age; `None` leaves it to the configuration.
    pub instances: Option<u32>,
}

impl Workflow {
    /// A workflow of these nodes that says nothing else, for programs that build one. Its version is its name.
    pub fn new(name: impl Into<String>, nodes: Vec<Node>) -> Self {
        let name = name.into();
        Self {
            version: Version(name.clone()),
            name,
            creator: "Unknown".to_owned(),
            desc: None,
            create_time: None,
            mail_level: Vec::new(),
            mail_receivers: Vec::new(),
            instance_limit: 1,
            dir: "/tmp".to_owned(),
            coordinator: None,
            nodes,
            overlap: Overlap::default(),
            failure_policy: FailurePolicy::default(),
            priority: 0,
            keep: Keep::default(),
            state: Vec::new(),
            used_params: Vec::new(),
            source: Arc::from("<work-flow/>"),
            not_runnable: None,
        }
    }

    /// The position of a node in [`Workflow::nodes`].
    pub fn node_index(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name == name)
    }
}

/// When a workflow starts by itself, and with which parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Coordinator {
    /// Whether it may start by itself.
    pub is_enabled: bool,
    /// Local time `yyyy-MM-dd HH:mm:ss`, inclusive; default 1990-12-29 00:00:00.
    pub start_time: chrono::NaiveDateTime,
    /// The same; default 2090-12-29 00:00:00.
    pub end_time: chrono::NaiveDateTime,
    /// The zone of its times; `None` for the cluster's.
    pub time_zone: Option<Tz>,
    /// The times; `None` when it waits for its dependencies alone.
    pub cron: Option<Cron>,
    /// The times beside that cron.
    pub timing: Timing,
    /// The workflows that it waits for, without repeats, in order.
    pub depends: Vec<String>,
    /// The same with their rules: all terms must be met.
    pub dependencies: Vec<DependencyTerm>,
    /// Name and unresolved value, in order. A parameter that every run must give stands only in `param_rules`.
    pub params: Vec<(String, String)>,
    /// Which values parameters take, for those that say so.
    pub param_rules: Vec<ParamRule>,
    /// What becomes of slots that passed while nobody could fire them.
    pub misfire: Misfire,
    /// Whether the first load fires the slots since `start_time` that are past already.
    pub catch_up: bool,
    /// By when each instance shall have ended.
    pub deadline: Option<Deadline>,
}

/// When a coordinator fires beside its cron, and on which days.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timing {
    /// Further expressions; each fires by itself.
    pub crons: Vec<Cron>,
    /// Seconds of a fixed rate, counted from the coordinator's `start_time`.
    pub every_seconds: Option<u64>,
    /// Local times, in any order.
    pub dates: Vec<chrono::NaiveDateTime>,
    /// The name of a calendar, and what it means for a slot.
    pub calendar: Option<(String, DayPolicy)>,
}

impl Timing {
    /// Whether it has no times of its own.
    pub fn is_empty(&self) -> bool {
        self.crons.is_empty() && self.every_seconds.is_none() && self.dates.is_empty()
    }
}

impl Coordinator {
    /// Everything that says when it fires as one schedule; `zone` is the cluster's, `calendar` the one that
    /// [`Timing::calendar`] names.
    pub fn schedule(&self, zone: Tz, calendar: Option<Arc<Calendar>>) -> Schedule {
        let policy = self.timing.calendar.as_ref().map(|(_, policy)| *policy);
        Schedule {
            crons: self
                .cron
                .iter()
                .chain(&self.timing.crons)
                .cloned()
                .map(Arc::new)
                .collect(),
            every: self.timing.every_seconds.map(|seconds| FixedRate {
                seconds,
                anchor: self.start_time,
            }),
            dates: self.timing.dates.clone(),
            zone: self.time_zone.unwrap_or(zone),
            calendar: calendar.zip(policy),
            window: (Some(self.start_time), Some(self.end_time)),
        }
    }
}

/// A value that outlives an instance: `${state:last_id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateVariable {
    /// Letters, digits and `_`, not beginning with a digit; unique in its workflow.
    pub name: String,
    /// The value before any instance has set it.
    pub initial: String,
    /// Whose output becomes the value once the instance has succeeded.
    pub from: OutputRef,
    /// What it is for.
    pub desc: Option<String>,
}

/// An output of a node: `count.rows`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutputRef {
    /// The node, which declares the output.
    pub node: String,
    /// The output.
    pub output: String,
}

/// A value that a node hands on: `${output:count.rows}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Letters, digits and `_`, not beginning with a digit; unique in its node.
    pub name: String,
    /// Which values it takes.
    pub kind: ParamType,
    /// What it is for.
    pub desc: Option<String>,
}

/// One vertex of the graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Unique in its workflow.
    pub name: String,
    /// What it is for.
    pub desc: Option<String>,
    /// What it does.
    pub kind: NodeKind,
    /// Nodes that must all have succeeded before it starts, without repeats, in order.
    pub after: Vec<String>,
    /// Where it stands in the text.
    pub span: Span,
}

/// What a node does.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// Where an instance begins.
    Start {
        /// The next node.
        to: String,
    },
    /// Reaching it ends the instance as succeeded once no other branch is live.
    End,
    /// Reaching it ends the instance as killed.
    Kill {
        /// Text of `<message>`, parameters unresolved; empty when there is none.
        message: String,
    },
    /// Takes all its edges.
    Fork {
        /// At least one.
        paths: Vec<Edge>,
    },
    /// Takes the first of its cases whose condition holds.
    Decision {
        /// At least one, in order.
        cases: Vec<Case>,
        /// The next node when no condition holds; without one the branch ends there.
        default: Option<String>,
    },
    /// Where the clean-up begins, once everything else is over, however it ended.
    Finally {
        /// The next node.
        to: String,
    },
    /// Waits until all incoming edges are decided and one at least was taken.
    Join {
        /// The next node.
        to: String,
    },
    /// Work for a worker.
    Action(Box<ActionNode>),
}

/// Work for a worker.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionNode {
    /// The action type: label of the body (`script`, `sql`, ...).
    pub tag: String,
    /// The body, parameters unresolved.
    pub body: Element,
    /// Worker host or id that must run it; `None` for `-1`, any worker.
    pub host: Option<String>,
    /// Labels that a worker must have, all of them.
    pub worker_labels: Vec<String>,
    /// Attempts after the first one failed.
    pub retry_times: u32,
    /// Seconds between attempts, or before the second one where [`ActionNode::retry`] lets it grow.
    pub interval_seconds: u64,
    /// When attempts follow each other, and after which failures.
    pub retry: RetryRule,
    /// Limit in seconds for the whole node, retries included, or for each attempt: see [`ActionNode::timeout_scope`].
    pub timeout_seconds: Option<u64>,
    /// What the limit covers.
    pub timeout_scope: TimeoutScope,
    /// What happens when it is over.
    pub on_timeout: OnTimeout,
    /// Among the nodes that wait for a worker: the greater, the earlier; `None` for the workflow's.
    pub priority: Option<i32>,
    /// The pool that must have room.
    pub pool: Option<Pool>,
    /// Not run, counts as succeeded.
    pub is_ignore: bool,
    /// What it hands on to later nodes.
    pub outputs: Vec<Output>,
    /// Next node after success; `None` where others come [`after`](Node::after) it, or nothing does.
    pub ok: Option<Edge>,
    /// Next node after failure for good.
    pub error: Option<Edge>,
}

impl Coordinator {
    /// What an empty `<coordinator/>` means.
    pub fn new() -> Self {
        let midnight = |year| {
            chrono::NaiveDate::from_ymd_opt(year, 12, 29)
                .expect("the date exists")
                .and_time(chrono::NaiveTime::MIN)
        };
        Self {
            is_enabled: true,
            start_time: midnight(1990),
            end_time: midnight(2090),
            time_zone: None,
            cron: None,
            timing: Timing::default(),
            depends: Vec::new(),
            dependencies: Vec::new(),
            params: Vec::new(),
            param_rules: Vec::new(),
            misfire: Misfire::default(),
            catch_up: false,
            deadline: None,
        }
    }
}

impl Default for Coordinator {
    fn default() -> Self {
        Self::new()
    }
}

impl ActionNode {
    /// What an `<action>` means that says nothing but what to do.
    pub fn new(body: Element) -> Self {
        Self {
            tag: body.name.to_string(),
            body,
            host: None,
            worker_labels: Vec::new(),
            retry_times: 0,
            interval_seconds: 0,
            retry: RetryRule::default(),
            timeout_seconds: None,
            timeout_scope: TimeoutScope::default(),
            on_timeout: OnTimeout::default(),
            priority: None,
            pool: None,
            is_ignore: false,
            outputs: Vec::new(),
            ok: None,
            error: None,
        }
    }
}

impl ActionNode {
    /// How long to wait after the attempt `key`, the `failures`th that failed.
    pub fn pause(&self, failures: u32, key: &AttemptKey) -> Duration {
        (self.retry.backoff).pause(self.interval_seconds, failures, key)
    }

    /// Values that its outputs may take: what an attempt hands on that only pretends to run.
    pub fn stand_ins(&self) -> Vec<(String, String)> {
        let outputs = self.outputs.iter();
        outputs
            .map(|output| (output.name.clone(), output.kind.stand_in().to_owned()))
            .collect()
    }
}

impl Node {
    /// A node that stands nowhere in a text, for programs that build one.
    pub fn new(name: impl Into<String>, kind: NodeKind) -> Self {
        Self {
            name: name.into(),
            desc: None,
            kind,
            after: Vec::new(),
            span: Span::default(),
        }
    }

    /// Where its edges lead, ok first. A fork's and a decision's in order.
    pub fn targets(&self) -> Vec<&str> {
        match &self.kind {
            NodeKind::Start { to } | NodeKind::Join { to } | NodeKind::Finally { to } => vec![to],
            NodeKind::End | NodeKind::Kill { .. } => Vec::new(),
            NodeKind::Fork { paths } => paths.iter().map(|path| path.to.as_str()).collect(),
            NodeKind::Decision { cases, default } => cases
                .iter()
                .map(|case| case.to.as_str())
                .chain(default.as_deref())
                .collect(),
            NodeKind::Action(action) => (action.ok.iter().chain(&action.error))
                .map(|edge| edge.to.as_str())
                .collect(),
        }
    }

    /// The lower-case type that the API shows: `start`, `end`, `kill`, `fork`, `join`, `decision`, `finally` or the action's tag.
    pub fn type_name(&self) -> &str {
        match &self.kind {
            NodeKind::Start { .. } => "start",
            NodeKind::End => "end",
            NodeKind::Kill { .. } => "kill",
            NodeKind::Fork { .. } => "fork",
            NodeKind::Join { .. } => "join",
            NodeKind::Decision { .. } => "decision",
            NodeKind::Finally { .. } => "finally",
            NodeKind::Action(action) => &action.tag,
        }
    }

    /// The class name that akkaflow 2.12 shows: `StartNode`, `FileMonitorNode`, ...
    pub fn legacy_type_name(&self) -> String {
        legacy_type_name(self.type_name())
    }
}

/// The class name that akkaflow 2.12 shows for a type: `file-monitor` is `FileMonitorNode`.
pub fn legacy_type_name(type_name: &str) -> String {
    let mut name: String = type_name
        .split('-')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(letters)
        })
        .collect();
    name.push_str("Node");
    name
}

/// The slot of a schedule or the moment of a request, from which all dates of an instance are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FireTime(pub Timestamp);
