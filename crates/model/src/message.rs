//! Why a node, an attempt or an instance is in its state. Stored as data, so that each reader gets their language.

use serde::{Deserialize, Serialize};

use crate::definition::{ParamType, Version};
use crate::id::InstanceId;
use crate::state::InstanceState;
use crate::text::{Lang, Text};
use crate::time::Timestamp;

/// The reason that stands beside a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Message {
    /// The node's action succeeded.
    Succeeded,
    /// The mail of an `<email>` node is in the outbox: whether it reaches anybody is another matter.
    MailOwed,
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
    /// The node is ready, but no attached worker may take it.
    NoWorker {
        /// The host (or id of a worker) that it asks for; `None` takes any worker.
        host: Option<String>,
        /// Hosts of the workers that are attached, in order; the first few of them.
        hosts: Vec<String>,
        /// How many more hosts there are.
        more: usize,
        /// Since when it waits for that.
        since: Timestamp,
        /// Labels that it asks for besides, all of them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        labels: Vec<String>,
    },
    /// Whether to take an edge could not be decided.
    UndecidableCondition {
        /// The condition.
        condition: String,
        /// Why.
        reason: Text,
    },
    /// A decision went this way.
    Chose {
        /// The next node; `None` where no condition held and there is no default.
        to: Option<String>,
        /// The condition that held; `None` for the default.
        condition: Option<String>,
    },
    /// `node` ran longer than its `timeout`, and that ends the instance.
    NodeTimedOut {
        /// The node.
        node: String,
        /// The limit, seconds.
        seconds: u64,
    },
    /// A person marked the node: it need not run.
    Marked {
        /// Whether it was left out; else its work was done by other means.
        is_skipped: bool,
        /// Who; empty when unknown.
        user: String,
        /// Why; empty when they did not say.
        reason: String,
    },
    /// A person holds the instance up.
    Paused {
        /// Who; empty when unknown.
        user: String,
        /// Why; empty when they did not say.
        reason: String,
    },
    /// A person let the instance go on.
    Resumed {
        /// Who; empty when unknown.
        user: String,
        /// Why; empty when they did not say.
        reason: String,
    },
    /// A person had the ended instance run again.
    RunAgain {
        /// Who; empty when unknown.
        user: String,
    },
    /// A person gave the instance another definition.
    Repaired {
        /// The definition.
        version: Version,
        /// Who; empty when unknown.
        user: String,
        /// Why; empty when they did not say.
        reason: String,
    },
    /// The node is no part of the definition that the instance was repaired with.
    Removed,
    /// The action succeeded, but did not hand on what the node declares.
    OutputMissing {
        /// The output.
        name: String,
        /// What it has handed on instead, the first few.
        given: Vec<String>,
    },
    /// The action succeeded, but an output is no value of its declared type.
    OutputWrong {
        /// The output.
        name: String,
        /// The type.
        kind: String,
        /// The value, shortened.
        value: String,
    },
    /// The action succeeded, and handed on more than the node declares.
    OutputsIgnored {
        /// The first few.
        names: Vec<String>,
    },
    /// The instance succeeded, but values of the state stay as they are.
    StateKept {
        /// Which.
        names: Vec<String>,
        /// Whether a person has set them since the instance read them; otherwise they are of a later fire time.
        by_hand: bool,
    },
    /// The instance that a `<sub-workflow>` has started ended in another way than succeeding.
    ChildEnded {
        /// The instance.
        instance: InstanceId,
        /// Its workflow.
        workflow: String,
        /// How.
        state: InstanceState,
    },
    /// The instance was killed because the instance whose node started it ended, or that node's time was up, or it was marked.
    ParentEnded {
        /// That instance.
        instance: InstanceId,
        /// The node.
        node: String,
    },
    /// What a `<wait>` waits for is not there yet.
    NotYet {
        /// What the last look saw, where it saw something.
        seen: Option<String>,
    },
    /// The action cannot begin: something that it needs is not to be had just now. It is tried again by itself.
    CannotBegin {
        /// What is missing.
        why: Text,
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
            Self::MailOwed => Text::new("邮件已存入发件箱", "the mail is in the outbox"),
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
            Self::NoWorker {
                host,
                hosts,
                more,
                labels,
                ..
            } if labels.is_empty() => no_worker(host.as_deref(), hosts, *more),
            Self::NoWorker {
                host,
                hosts,
                labels,
                ..
            } => no_labels(host.as_deref(), labels, hosts.is_empty()),
            Self::Marked {
                is_skipped,
                user,
                reason,
            } => marked(*is_skipped, user, reason),
            Self::Paused { user, reason } => Text::new(
                format!("实例已被{}暂停{}", by_zh(user), because_zh(reason)),
                format!("paused{}{}", by_en(user), because_en(reason)),
            ),
            Self::Resumed { user, reason } => Text::new(
                format!("实例已被{}恢复{}", by_zh(user), because_zh(reason)),
                format!("resumed{}{}", by_en(user), because_en(reason)),
            ),
            Self::RunAgain { user } => Text::new(
                format!("实例已被{}重跑", by_zh(user)),
                format!("run again{}", by_en(user)),
            ),
            Self::Repaired {
                version,
                user,
                reason,
            } => Text::new(
                format!(
                    "实例已被{}修复，改用版本{}的定义{}",
                    by_zh(user),
                    version.0,
                    because_zh(reason)
                ),
                format!(
                    "repaired{}, goes on with version {}{}",
                    by_en(user),
                    version.0,
                    because_en(reason)
                ),
            ),
            Self::Removed => Text::new(
                "实例修复后的定义中不再有该节点",
                "the definition that the instance was repaired with no longer has this node",
            ),
            Self::UndecidableCondition { condition, reason } => Text::new(
                format!("条件 {condition} 无法判断：{}", reason.zh),
                format!("condition `{condition}` cannot be decided: {}", reason.en),
            ),
            Self::Chose { to, condition } => chose(to.as_deref(), condition.as_deref()),
            Self::NodeTimedOut { node, seconds } => Text::new(
                format!("节点[{node}]超时（上限{seconds}秒），杀死实例"),
                format!(
                    "node `{node}` ran longer than its limit of {seconds} s, which kills the instance"
                ),
            ),
            Self::OutputMissing { name, given } => output_missing(name, given),
            Self::OutputWrong { name, kind, value } => {
                let such = ParamType::named(kind).map_or("", ParamType::stand_in);
                Text::new(
                    format!("输出 `{name}` 的类型是{kind}（如 `{such}`），不能是 `{value}`"),
                    format!(
                        "output `{name}` is of type {kind}, such as `{such}`; it cannot be `{value}`"
                    ),
                )
            }
            Self::OutputsIgnored { names } => {
                let (zh, en) = (names.join("、"), names.join(", "));
                Text::new(
                    format!("节点执行成功；未声明的输出被忽略：{zh}"),
                    format!("succeeded; outputs that the node does not declare are ignored: {en}"),
                )
            }
            Self::StateKept { names, by_hand } => state_kept(names, *by_hand),
            Self::ChildEnded {
                instance,
                workflow,
                state,
            } => Text::new(
                format!(
                    "工作流[{workflow}]的实例{instance}{}",
                    if *state == InstanceState::Killed {
                        "已被杀死"
                    } else {
                        "执行失败"
                    }
                ),
                format!(
                    "instance {instance} of workflow `{workflow}` {}",
                    if *state == InstanceState::Killed {
                        "was killed"
                    } else {
                        "failed"
                    }
                ),
            ),
            Self::ParentEnded { instance, node } => Text::new(
                format!("启动它的实例{instance}的节点[{node}]已结束"),
                format!(
                    "killed because node `{node}` of instance {instance}, which started it, is over"
                ),
            ),
            Self::NotYet { seen: None } => {
                Text::new("条件尚未满足", "what it waits for is not there yet")
            }
            Self::NotYet { seen: Some(seen) } => Text::new(
                format!("已发现{seen}，等待其不再变化"),
                format!("found {seen}, waits until it no longer changes"),
            ),
            Self::CannotBegin { why } => Text::new(
                format!("尚不能开始：{}", why.zh),
                format!("cannot begin yet: {}", why.en),
            ),
        };
        text.get(lang).to_owned()
    }
}

fn chose(to: Option<&str>, condition: Option<&str>) -> Text {
    match (to, condition) {
        (Some(to), Some(condition)) => Text::new(
            format!("条件 {condition} 成立，前往节点[{to}]"),
            format!("`{condition}` holds: on to node `{to}`"),
        ),
        (Some(to), None) => Text::new(
            format!("没有条件成立，前往默认节点[{to}]"),
            format!("no condition holds: on to the default, node `{to}`"),
        ),
        (None, _) => Text::new(
            "没有条件成立，该分支到此结束",
            "no condition holds: the branch ends here",
        ),
    }
}

fn marked(is_skipped: bool, user: &str, reason: &str) -> Text {
    let (zh, en) = if is_skipped {
        ("跳过", "skipped")
    } else {
        ("成功", "succeeded")
    };
    Text::new(
        format!("被{}标记为{zh}，未执行{}", by_zh(user), because_zh(reason)),
        format!("marked {en}{}, not run{}", by_en(user), because_en(reason)),
    )
}

/// Who did it, within a Chinese sentence.
pub fn by_zh(user: &str) -> String {
    if user.is_empty() {
        "人工".to_owned()
    } else {
        format!("用户{user}")
    }
}

/// Who did it, at the end of an English clause.
pub fn by_en(user: &str) -> String {
    if user.is_empty() {
        " by hand".to_owned()
    } else {
        format!(" by {user}")
    }
}

/// Why, at the end of a Chinese sentence.
pub fn because_zh(reason: &str) -> String {
    if reason.is_empty() {
        String::new()
    } else {
        format!("：{reason}")
    }
}

/// Why, at the end of an English sentence.
pub fn because_en(reason: &str) -> String {
    if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    }
}

fn no_labels(host: Option<&str>, labels: &[String], is_empty: bool) -> Text {
    let wanted = labels.join(" ");
    if is_empty {
        return Text::new(
            format!("没有在线的Worker（该节点要求标签{wanted}），请启动带这些标签的Worker"),
            format!(
                "no worker is attached, the node asks for labels `{wanted}`: start one that has them"
            ),
        );
    }
    let (on_zh, on_en) = host.map_or_else(Default::default, |host| {
        (format!("主机为{host}且"), format!(" on host `{host}`"))
    });
    Text::new(
        format!(
            "没有{on_zh}带全部标签{wanted}的在线Worker；请修改worker-labels，或在Worker的配置labels中加上它们"
        ),
        format!(
            "no attached worker{on_en} has all of the labels `{wanted}`; correct `worker-labels`, or add them to `labels` in a worker's configuration"
        ),
    )
}

fn output_missing(name: &str, given: &[String]) -> Text {
    if given.is_empty() {
        return Text::new(
            format!("动作没有给出声明的输出 `{name}`"),
            format!("the action handed on no output `{name}`, which the node declares"),
        );
    }
    Text::new(
        format!(
            "动作没有给出声明的输出 `{name}`，它给出了：{}",
            given.join("、")
        ),
        format!(
            "the action handed on no output `{name}`, which the node declares, but: {}",
            given.join(", ")
        ),
    )
}

fn state_kept(names: &[String], by_hand: bool) -> Text {
    let (zh, en) = (names.join("、"), names.join(", "));
    if by_hand {
        return Text::new(
            format!("状态值{zh}未更新：实例读取之后已有人修改"),
            format!("state not updated: {en}, somebody has set it since this instance read it"),
        );
    }
    Text::new(
        format!("状态值{zh}未更新：已有业务日期更新的实例写入"),
        format!("state not updated: {en}, it comes from an instance with a later date"),
    )
}

fn no_worker(host: Option<&str>, hosts: &[String], more: usize) -> Text {
    let Some(host) = host else {
        return Text::new(
            "没有在线的Worker，请启动Worker",
            "no worker is attached: start one",
        );
    };
    if hosts.is_empty() {
        return Text::new(
            format!("没有在线的Worker（该节点要求主机{host}），请在该主机启动Worker"),
            format!("no worker is attached, the node asks for host `{host}`: start one there"),
        );
    }
    let (mut zh, mut en) = (hosts.join("、"), hosts.join(", "));
    if more > 0 {
        zh.push_str(&format!("等{}个", hosts.len() + more));
        en.push_str(&format!(" and {more} more"));
    }
    Text::new(
        format!("没有主机为{host}的在线Worker，在线的主机：{zh}；请修改host或在该主机启动Worker"),
        format!(
            "no attached worker has host `{host}`, the attached hosts are: {en}; correct `host` or start a worker there"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(host: Option<&str>, hosts: &[&str], more: usize, lang: Lang) -> String {
        Message::NoWorker {
            host: host.map(str::to_owned),
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            more,
            since: Timestamp::default(),
            labels: Vec::new(),
        }
        .render(lang)
    }

    #[test]
    fn a_missing_host_is_named_beside_those_there_are() {
        assert_eq!(
            rendered(Some("nowhere"), &["a", "b"], 3, Lang::En),
            "no attached worker has host `nowhere`, the attached hosts are: a, b and 3 more; correct `host` or start a worker there"
        );
        assert_eq!(
            rendered(Some("nowhere"), &["a", "b"], 3, Lang::Zh),
            "没有主机为nowhere的在线Worker，在线的主机：a、b等5个；请修改host或在该主机启动Worker"
        );
        assert_eq!(
            rendered(Some("nowhere"), &[], 0, Lang::En),
            "no worker is attached, the node asks for host `nowhere`: start one there"
        );
        assert_eq!(
            rendered(None, &[], 0, Lang::En),
            "no worker is attached: start one"
        );
    }
}
