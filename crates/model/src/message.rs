//! Why a node, an attempt or an instance is in its state. Stored as data, so that each reader gets their language.

use serde::{Deserialize, Serialize};

use crate::text::{Lang, Text};

/// The reason that stands beside a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Message {
    /// The node's action succeeded.
    Succeeded,
    /// The node was marked `is-ignore` or named in `ignore_node`.
    Ignored,
    /// What the action itself reports, in both languages.
    Said {
        /// The report.
        text: Text,
    },
    /// `node`'s failure for good ended the instance.
    NodeFailed {
        /// The node.
        node: String,
    },
    /// The node ran longer than its `timeout`.
    TimedOut {
        /// The limit, seconds.
        seconds: u64,
    },
    /// A person asked for the kill.
    KilledBy {
        /// Who asked; empty when unknown.
        user: String,
    },
    /// A kill node was reached.
    KillNode {
        /// The node.
        node: String,
        /// The text of its `<message>`.
        message: String,
    },
    /// Ended because the instance ended.
    InstanceEnded,
    /// The body names a parameter that the instance does not have.
    UndefinedParameter {
        /// The parameter.
        name: String,
    },
    /// The attempt was lost with its worker, or proven never to have started.
    Lost {
        /// The worker.
        worker: String,
    },
    /// Lost too often; a person must look.
    Quarantined {
        /// The node that was lost.
        node: String,
        /// How often.
        times: u32,
    },
}

impl Message {
    /// A report in both languages.
    pub fn said(text: Text) -> Self {
        Self::Said { text }
    }

    /// The sentence that people read.
    pub fn render(&self, lang: Lang) -> String {
        let text = match self {
            Self::Succeeded => Text::new("节点执行成功", "succeeded"),
            Self::Ignored => Text::new("忽略执行节点", "ignored, not run"),
            Self::Said { text } => text.clone(),
            Self::NodeFailed { node } => Text::new(
                format!("节点[{node}]执行失败"),
                format!("node `{node}` failed and has no error edge"),
            ),
            Self::TimedOut { seconds } => Text::new(
                format!("节点超时（上限{seconds}秒）"),
                format!("timed out: ran longer than its limit of {seconds} s"),
            ),
            Self::KilledBy { user } if user.is_empty() => {
                Text::new("手动杀死节点", "killed on request")
            }
            Self::KilledBy { user } => {
                Text::new(format!("被用户{user}手动杀死"), format!("killed by {user}"))
            }
            Self::KillNode { node, message } if message.is_empty() => Text::new(
                format!("到达杀死节点[{node}]"),
                format!("reached kill node `{node}`"),
            ),
            Self::KillNode { message, .. } => Text::verbatim(message.clone()),
            Self::InstanceEnded => Text::new(
                "工作流实例已结束，节点被取消",
                "cancelled because the instance ended",
            ),
            Self::UndefinedParameter { name } => Text::new(
                format!("参数未定义: {name}，请在<param-list>中定义或在运行时给出"),
                format!(
                    "parameter `{name}` is not defined; define it in <param-list> or give it with the run"
                ),
            ),
            Self::Lost { worker } => Text::new(
                format!("Worker[{worker}]失联，本次尝试丢失"),
                format!("lost with worker `{worker}`"),
            ),
            Self::Quarantined { node, times } => Text::new(
                format!("节点[{node}]已丢失{times}次，实例被隔离，请检查后重跑或杀死"),
                format!(
                    "node `{node}` was lost {times} times; the instance is quarantined: look, then rerun or kill it"
                ),
            ),
        };
        text.get(lang).to_owned()
    }
}
