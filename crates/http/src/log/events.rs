//! The lines that the rows of an instance tell.

use std::collections::HashMap;

use akkaflow_api::{Level, LogLine};
use akkaflow_model::definition::{NodeKind, Workflow, legacy_type_name};
use akkaflow_model::message::Message;
use akkaflow_model::record::{AttemptRow, CancelReason, InstanceRow, NodeRow};
use akkaflow_model::state::{AttemptState, InstanceState, NodeState};
use akkaflow_model::text::{Lang, Text};
use akkaflow_model::time::Timestamp;

/// What the store knows of an instance. To be read in the order attempts, nodes, instance, so that a node is at least as
/// new as its attempts.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    pub(crate) instance: &'a InstanceRow,
    pub(crate) nodes: &'a [NodeRow],
    pub(crate) attempts: &'a [AttemptRow],
    /// The definition that it is pinned to.
    pub(crate) definition: Option<&'a Workflow>,
}

/// The events of the instance itself or of one node, in order. Later readings only ever add at the end.
pub(crate) type Sequence = Vec<LogLine>;

/// A sequence under construction: times never go back, so that a node's events stay in their order when all are sorted.
struct Teller {
    lines: Sequence,
    node: Option<String>,
    lang: Lang,
    last: Timestamp,
}

impl Teller {
    fn new(node: Option<&str>, lang: Lang) -> Self {
        Self {
            lines: Vec::new(),
            node: node.map(ToOwned::to_owned),
            lang,
            last: Timestamp::from_millis(i64::MIN),
        }
    }

    fn tell(&mut self, at: Timestamp, level: Level, attempt: Option<u32>, text: &Text) {
        self.last = self.last.max(at);
        self.lines.push(LogLine {
            time: self.last.into(),
            level,
            node: self.node.clone(),
            attempt,
            text: text.get(self.lang).to_owned(),
        });
    }
}

impl Rows<'_> {
    /// The instance's sequence, then one for each node: in the order of the definition, reached or not, so that a place
    /// in the list means the same node at each reading of the same run.
    pub(crate) fn sequences(&self, lang: Lang) -> Vec<Sequence> {
        let rows: HashMap<&str, &NodeRow> = self
            .nodes
            .iter()
            .filter(|row| row.run == self.instance.run)
            .map(|row| (row.node.as_str(), row))
            .collect();
        let mut attempts: HashMap<&str, Vec<&AttemptRow>> = HashMap::new();
        for attempt in self.attempts {
            if attempt.key.run == self.instance.run {
                attempts.entry(&attempt.key.node).or_default().push(attempt);
            }
        }
        let names: Vec<&str> = match self.definition {
            Some(definition) => definition
                .nodes
                .iter()
                .map(|node| node.name.as_str())
                .collect(),
            None => self.nodes.iter().map(|row| row.node.as_str()).collect(),
        };
        let of_nodes = names.into_iter().map(|name| {
            let attempts = attempts.remove(name).unwrap_or_default();
            rows.get(name)
                .map_or_else(Sequence::new, |row| self.node(row, attempts, lang))
        });
        std::iter::once(self.of_instance(lang))
            .chain(of_nodes)
            .collect()
    }

    /// What attempts of earlier runs tell: their nodes' rows are gone.
    pub(crate) fn earlier_runs(&self, lang: Lang) -> Sequence {
        let mut lines = Sequence::new();
        for attempt in self.attempts {
            if attempt.key.run < self.instance.run {
                let mut teller = Teller::new(Some(&attempt.key.node), lang);
                assigned(&mut teller, attempt, 0);
                ended(&mut teller, attempt, None);
                lines.append(&mut teller.lines);
            }
        }
        lines
    }

    fn of_instance(&self, lang: Lang) -> Sequence {
        let row = self.instance;
        let name = format!("{}:{}", row.workflow, row.id);
        let mut teller = Teller::new(None, lang);
        let text = Text::new(
            format!("生成工作流实例：{name}"),
            format!("created instance {name}"),
        );
        teller.tell(row.created_at, Level::Info, None, &text);
        if let Some(at) = row.started_at {
            let text = if row.run > 1 {
                Text::new(
                    format!("重跑工作流实例，第{}次运行", row.run),
                    format!("running again, run {}", row.run),
                )
            } else {
                Text::new("开始运行实例", "started")
            };
            teller.tell(at, Level::Info, None, &text);
        }
        if let Some(at) = row.ended_at.filter(|_| row.state.is_terminal()) {
            if let Some(message) = &row.message {
                teller.tell(at, level_of(row.state), None, &both(message));
            }
            let state = row.state;
            let text = Text::new(
                format!(
                    "工作流实例：{name}执行完毕.执行状态: {}",
                    state.label(Lang::Zh)
                ),
                format!("instance {name} has ended: {}", state.label(Lang::En)),
            );
            teller.tell(at, level_of(state), None, &text);
        }
        teller.lines
    }

    fn node(&self, row: &NodeRow, mut attempts: Vec<&AttemptRow>, lang: Lang) -> Sequence {
        let mut teller = Teller::new(Some(&row.node), lang);
        reached(&mut teller, row);
        attempts.sort_by_key(|attempt| attempt.key.attempt);
        let mut failures = 0;
        // A wait is told once all attempts before it are known to be over: attempts are read before nodes.
        let mut next_attempt = 1;
        for attempt in attempts {
            waited(&mut teller, row, attempt.key.attempt);
            next_attempt = match attempt.ended_at {
                Some(_) => attempt.key.attempt + 1,
                None => 0,
            };
            assigned(&mut teller, attempt, failures);
            let is_retried = attempt.key.attempt < row.attempts
                || (!row.state.is_terminal() && self.instance.ending.is_none());
            let wait = is_retried.then(|| self.interval_of(&row.node));
            ended(&mut teller, attempt, wait);
            failures += u32::from(attempt.state == AttemptState::Failed);
        }
        waited(&mut teller, row, next_attempt);
        concluded(&mut teller, row);
        teller.lines
    }

    fn interval_of(&self, node: &str) -> u64 {
        let node = self
            .definition
            .and_then(|definition| definition.nodes.iter().find(|known| known.name == node));
        match node.map(|node| &node.kind) {
            Some(NodeKind::Action(action)) => action.interval_seconds,
            _ => 0,
        }
    }
}

fn reached(teller: &mut Teller, row: &NodeRow) {
    let (kind, node) = (legacy_type_name(&row.type_name), &row.node);
    let text = if row.message == Some(Message::Ignored) {
        Text::new(
            format!("忽略【{kind}】节点：{node}"),
            format!("ignored {} node {node}", row.type_name),
        )
    } else {
        Text::new(
            format!("执行【{kind}】节点：{node}"),
            format!("reached {} node {node}", row.type_name),
        )
    };
    teller.tell(row.ready_at, Level::Info, None, &text);
}

/// What kept an attempt from being assigned.
fn waited(teller: &mut Teller, row: &NodeRow, attempt: u32) {
    for told in row.waits.iter().filter(|told| told.attempt == attempt) {
        let level = if told.is_warning {
            Level::Warn
        } else {
            Level::Info
        };
        let why = both(&told.reason);
        let text = if told.is_warning {
            Text::new(
                format!("节点{}仍在等待：{}", row.node, why.zh),
                format!("node {} still waits: {}", row.node, why.en),
            )
        } else {
            Text::new(
                format!("节点{}等待分配：{}", row.node, why.zh),
                format!("node {} waits: {}", row.node, why.en),
            )
        };
        teller.tell(told.at, level, Some(attempt), &text);
    }
}

fn assigned(teller: &mut Teller, attempt: &AttemptRow, failures: u32) {
    let node = &attempt.key.node;
    let number = Some(attempt.key.attempt);
    if failures > 0 {
        let text = Text::new(
            format!("动作节点[{node}]进行第{failures}次重试"),
            format!("retry {failures} of action node {node}"),
        );
        teller.tell(attempt.assigned_at, Level::Warn, number, &text);
    }
    let text = Text::new(
        format!("节点{node}分配到Worker[{}]", attempt.host),
        format!("assigned to worker {} on {}", attempt.worker, attempt.host),
    );
    teller.tell(attempt.assigned_at, Level::Info, number, &text);
}

/// `wait`: seconds until the next try, when there is one.
fn ended(teller: &mut Teller, attempt: &AttemptRow, wait: Option<u64>) {
    let Some(at) = attempt.ended_at else {
        return;
    };
    let node = &attempt.key.node;
    let why = attempt.message.as_ref().map(both);
    let with_why = |zh: String, en: String| match &why {
        Some(why) => Text::new(format!("{zh}：{}", why.zh), format!("{en}: {}", why.en)),
        None => Text::new(zh, en),
    };
    let timed_out = attempt.cancel == Some(CancelReason::TimedOut);
    let (level, text) = match attempt.state {
        AttemptState::Assigned | AttemptState::Running => return,
        AttemptState::Succeeded => (
            Level::Info,
            why.clone().unwrap_or_else(|| both(&Message::Succeeded)),
        ),
        AttemptState::Killed if timed_out => (
            Level::Error,
            Text::new(
                format!("以下动作节点超时：[{node}]"),
                format!("action node {node} has run out of time"),
            ),
        ),
        AttemptState::Killed => (
            Level::Warn,
            with_why(
                format!("动作节点[{node}]已停止"),
                format!("action node {node} was stopped"),
            ),
        ),
        AttemptState::Lost => (
            Level::Warn,
            why.clone().unwrap_or_else(|| {
                both(&Message::Lost {
                    worker: attempt.worker.to_string(),
                })
            }),
        ),
        AttemptState::Failed => match wait {
            Some(seconds) => (
                Level::Warn,
                with_why(
                    format!("动作节点[{node}]执行失败，等待{seconds}秒..."),
                    format!("action node {node} failed, waiting {seconds} s"),
                ),
            ),
            None => (
                Level::Error,
                with_why(
                    format!("动作节点[{node}]执行失败"),
                    format!("action node {node} failed"),
                ),
            ),
        },
    };
    teller.tell(at, level, Some(attempt.key.attempt), &text);
}

/// What the end of a node tells beyond the end of its last attempt.
fn concluded(teller: &mut Teller, row: &NodeRow) {
    let (Some(at), Some(message)) = (row.ended_at, &row.message) else {
        return;
    };
    let is_told = match message {
        Message::Succeeded | Message::Ignored | Message::InstanceEnded => true,
        Message::Said { .. } => row.attempts > 0,
        _ => row.state == NodeState::Succeeded,
    };
    if row.state.is_terminal() && !is_told {
        teller.tell(at, Level::Error, None, &both(message));
    }
}

fn level_of(state: InstanceState) -> Level {
    match state {
        InstanceState::Failed => Level::Error,
        InstanceState::Killed => Level::Warn,
        _ => Level::Info,
    }
}

fn both(message: &Message) -> Text {
    Text::new(message.render(Lang::Zh), message.render(Lang::En))
}
