//! A workflow as its file says it, checked.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cron::Cron;
use crate::element::{Element, Span};
use crate::state::InstanceState;
use crate::text::Text;
use crate::time::Timestamp;

/// Names one content of a definition: the first 16 hexadecimal digits of the SHA-256 of its decoded text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version(pub String);

/// A workflow: the graph, when it starts, and with which parameters.
///
/// Every name that an edge gives exists in [`Workflow::nodes`], names are unique, the graph has no cycle and exactly
/// one start: the reader hands out nothing else.
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
    /// The end states that send mail.
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
    /// The distinct parameter names that the text uses, in order of first use.
    pub used_params: Vec<String>,
    /// The decoded text.
    pub source: Arc<str>,
    /// Names the text.
    pub version: Version,
    /// Why no instance of it can run in this version of akkaflow, although it is right.
    pub not_runnable: Option<Text>,
}

impl Workflow {
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
    /// The times; `None` when it waits for its dependencies alone.
    pub cron: Option<Cron>,
    /// The workflows that it waits for, without repeats, in order.
    pub depends: Vec<String>,
    /// Name and unresolved value, in order.
    pub params: Vec<(String, String)>,
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
        paths: Vec<String>,
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
    /// Attempts after the first one failed.
    pub retry_times: u32,
    /// Seconds between attempts.
    pub interval_seconds: u64,
    /// Limit in seconds for the whole node, retries included.
    pub timeout_seconds: Option<u64>,
    /// Not run, counts as succeeded.
    pub is_ignore: bool,
    /// Next node after success.
    pub ok: String,
    /// Next node after failure for good.
    pub error: Option<String>,
}

impl Node {
    /// Outgoing edges, ok first. A fork's in order.
    pub fn targets(&self) -> Vec<&str> {
        match &self.kind {
            NodeKind::Start { to } | NodeKind::Join { to } => vec![to],
            NodeKind::End | NodeKind::Kill { .. } => Vec::new(),
            NodeKind::Fork { paths } => paths.iter().map(String::as_str).collect(),
            NodeKind::Action(action) => std::iter::once(action.ok.as_str())
                .chain(action.error.as_deref())
                .collect(),
        }
    }

    /// The lower-case type that the API shows: `start`, `end`, `kill`, `fork`, `join` or the action's tag.
    pub fn type_name(&self) -> &str {
        match &self.kind {
            NodeKind::Start { .. } => "start",
            NodeKind::End => "end",
            NodeKind::Kill { .. } => "kill",
            NodeKind::Fork { .. } => "fork",
            NodeKind::Join { .. } => "join",
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
