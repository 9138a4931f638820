//! The lines that the rows of an instance tell.

use std::collections::{BTreeMap, HashMap, HashSet};

use akkaflow_api::{Level, LogLine};
use akkaflow_model::definition::{NodeKind, Workflow, legacy_type_name};
use akkaflow_model::id::AttemptKey;
use akkaflow_model::mail::EMAIL_TAG;
use akkaflow_model::message::Message;
use akkaflow_model::read::is_secret_name;
use akkaflow_model::record::{AttemptRow, CancelReason, InstanceRow, Intervention, NodeRow};
use akkaflow_model::state::{AttemptState, InstanceState, NodeState};
use akkaflow_model::sub_workflow::SubWorkflow;
use akkaflow_model::text::{Lang, Text};
use akkaflow_model::time::Timestamp;
use akkaflow_model::wait::Wait;
use chrono_tz::Tz;

/// What the store knows of an instance. To be read in the order attempts, nodes, instance, so that a node is at least as
/// new as its attempts.
#[derive(Debug)]
pub struct Rows<'a> {
    /// The instance.
    pub instance: &'a InstanceRow,
    /// Its nodes.
    pub nodes: &'a [NodeRow],
    /// Their attempts.
    pub attempts: &'a [AttemptRow],
    /// The definition that it is pinned to.
    pub definition: Option<&'a Workflow>,
    /// Of the times that stand in a text.
    pub zone: Tz,
}

/// The events of the instance itself or of one node, in order. Later readings only ever add at the end.
pub(crate) type Sequence = Vec<Event>;

/// One of them.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) line: LogLine,
    pub(crate) follows: Follows,
}

/// Whose output stands before an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Follows {
    /// Only what was written before it.
    Nothing,
    /// All of an attempt's: it tells of its end.
    Attempt(AttemptKey),
    /// All there is: the instance has ended.
    All,
}

/// A sequence under construction: times never go back, so that a node's events stay in their order when all are sorted.
struct Teller {
    lines: Sequence,
    node: Option<String>,
    lang: Lang,
    last: Timestamp,
    follows: Follows,
}

impl Teller {
    fn new(node: Option<&str>, lang: Lang) -> Self {
        Self {
            lines: Vec::new(),
            node: node.map(ToOwned::to_owned),
            lang,
            last: Timestamp::from_millis(i64::MIN),
            follows: Follows::Nothing,
        }
    }

    fn tell(&mut self, at: Timestamp, level: Level, attempt: Option<u32>, text: &Text) {
        self.last = self.last.max(at);
        let line = LogLine {
            time: self.last.into(),
            level,
            node: self.node.clone(),
            attempt,
            text: text.get(self.lang).to_owned(),
        };
        let follows = self.follows.clone();
        self.lines.push(Event { line, follows });
    }
}

impl Rows<'_> {
    /// The names of the nodes that the run has or had: in the order of the definition, reached or not, then those that a
    /// repair took away. A place in the list means the same node at each reading until a repair.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .definition
            .iter()
            .flat_map(|definition| &definition.nodes)
            .map(|node| node.name.as_str())
            .collect();
        let known: HashSet<&str> = names.iter().copied().collect();
        let mut gone: Vec<&str> = self
            .nodes
            .iter()
            .filter(|row| row.run == self.instance.run)
            .map(|row| row.node.as_str())
            .filter(|name| !known.contains(name))
            .collect();
        gone.sort_unstable();
        names.extend(gone);
        names
    }

    /// The instance's sequence, then one for each of the [`Self::names`].
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
        let of_nodes = self.names().into_iter().map(|name| {
            let attempts = attempts.remove(name).unwrap_or_default();
            rows.get(name)
                .map_or_else(Sequence::new, |row| self.node(row, attempts, lang))
        });
        std::iter::once(self.of_instance(lang))
            .chain(of_nodes)
            .collect()
    }

    /// What is known of earlier runs, one after the other: how they began and ended, and their attempts. The rows of their
    /// nodes are gone.
    pub(crate) fn earlier_runs(&self, lang: Lang) -> Sequence {
        let mut attempts: BTreeMap<u32, Vec<&AttemptRow>> = BTreeMap::new();
        for known in &self.instance.earlier {
            attempts.insert(known.run, Vec::new());
        }
        for attempt in self.attempts {
            if attempt.key.run < self.instance.run {
                attempts.entry(attempt.key.run).or_default().push(attempt);
            }
        }
        attempts
            .into_iter()
            .flat_map(|(run, attempts)| self.earlier_run(run, &attempts, lang))
            .collect()
    }

    fn earlier_run(&self, run: u32, attempts: &[&AttemptRow], lang: Lang) -> Sequence {
        let known = self.instance.earlier.iter().find(|known| known.run == run);
        let first = attempts.iter().map(|attempt| attempt.assigned_at).min();
        let mut teller = Teller::new(None, lang);
        if let Some(at) = known.and_then(|known| known.started_at).or(first) {
            teller.tell(at, Level::Info, None, &beginning(run));
        }
        let began = teller.last;
        let mut lines = self.earlier_nodes(attempts, began, lang);
        lines.sort_by_key(|event| event.line.time);
        if let Some(last) = lines.last() {
            teller.last = teller.last.max(last.line.time.0);
        }
        let begun = teller.lines.len();
        let mut told = self.landing_notices(run);
        told.extend(self.interventions(run));
        tell_in_order(&mut teller, told);
        if let Some((known, at)) = known.and_then(|known| Some((known, known.ended_at?))) {
            self.over(&mut teller, at, known.state, known.message.as_ref());
        }
        let end = teller.lines.split_off(begun);
        teller.lines.into_iter().chain(lines).chain(end).collect()
    }

    /// The attempts of an earlier run. Only actions have any; of when their nodes were reached, the first one tells.
    fn earlier_nodes(&self, attempts: &[&AttemptRow], began: Timestamp, lang: Lang) -> Sequence {
        let mut tellers: BTreeMap<&str, (Teller, u32)> = BTreeMap::new();
        let mut last: BTreeMap<&str, u32> = BTreeMap::new();
        for attempt in attempts {
            let number = last.entry(&attempt.key.node).or_default();
            *number = attempt.key.attempt.max(*number);
        }
        for attempt in attempts {
            let node = attempt.key.node.as_str();
            let (teller, failures) = tellers.entry(node).or_insert_with(|| {
                let mut teller = Teller::new(Some(node), lang);
                teller.last = began;
                if let Some(type_name) = self.type_of(node)
                    && !self.is_carried_over(node, attempt.assigned_at)
                {
                    let text = reached_text(type_name, node);
                    teller.tell(attempt.assigned_at, Level::Info, None, &text);
                }
                (teller, 0)
            });
            assigned(teller, attempt, *failures);
            let is_retried = attempt.key.attempt < last[node];
            *failures += u32::from(has_failed(attempt));
            let wait = is_retried.then(|| self.pause_after(attempt, *failures));
            ended(teller, attempt, wait);
        }
        tellers
            .into_values()
            .flat_map(|(teller, _)| teller.lines)
            .collect()
    }

    /// Whether the row of a node, now of the current run, tells of when it was reached then: its success was kept.
    fn is_carried_over(&self, node: &str, assigned_at: Timestamp) -> bool {
        self.nodes.iter().any(|row| {
            row.node == node && row.run == self.instance.run && row.ready_at <= assigned_at
        })
    }

    /// As the row of the node in the current run says it, or its definition.
    fn type_of(&self, node: &str) -> Option<&str> {
        let row = self.nodes.iter().find(|row| row.node == node);
        row.map(|row| row.type_name.as_str()).or_else(|| {
            let nodes = &self.definition?.nodes;
            let known = nodes.iter().find(|known| known.name == node)?;
            Some(known.type_name())
        })
    }

    fn over(
        &self,
        teller: &mut Teller,
        at: Timestamp,
        state: InstanceState,
        message: Option<&Message>,
    ) {
        if let Some(message) = message {
            teller.tell(at, level_of(state), None, &both(message));
        }
        let name = self.name();
        let text = Text::new(
            format!(
                "工作流实例：{name}执行完毕.执行状态: {}",
                state.label(Lang::Zh)
            ),
            format!("instance {name} has ended: {}", state.label(Lang::En)),
        );
        teller.tell(at, level_of(state), None, &text);
    }

    fn name(&self) -> String {
        format!("{}:{}", self.instance.workflow, self.instance.id)
    }

    /// What people did to the instance in a run.
    fn interventions(&self, run: u32) -> Vec<Told> {
        let of_run = self
            .instance
            .interventions
            .iter()
            .filter(|it| it.run == run);
        of_run
            .map(|Intervention { at, node, what, .. }| {
                let what = both(what);
                let text = match node {
                    Some(node) => Text::new(
                        format!("节点{node}：{}", what.zh),
                        format!("node {node}: {}", what.en),
                    ),
                    None => what,
                };
                (*at, 2, Level::Info, text)
            })
            .collect()
    }

    /// What was said of the deadline in a run.
    fn landing_notices(&self, run: u32) -> Vec<Told> {
        let Some(landing) = &self.instance.landing else {
            return Vec::new();
        };
        let name = self.name();
        let named = |text: Text| {
            Text::new(
                format!("工作流实例：{name}{}", text.zh),
                format!("instance {name} {}", text.en),
            )
        };
        let late = landing
            .late
            .iter()
            .map(|it| (it, Level::Warn, landing.late_text(it, self.zone)));
        let missed = landing
            .missed
            .iter()
            .map(|it| (it, Level::Error, landing.missed_text(it, self.zone)));
        late.chain(missed)
            .filter(|(notice, _, _)| notice.run == run)
            .map(|(notice, level, text)| {
                let order = if notice.was_waiting { 0 } else { 2 };
                (notice.at, order, level, named(text))
            })
            .collect()
    }

    fn of_instance(&self, lang: Lang) -> Sequence {
        let row = self.instance;
        let name = self.name();
        let mut teller = Teller::new(None, lang);
        let text = Text::new(
            format!("生成工作流实例：{name}"),
            format!("created instance {name}"),
        );
        teller.tell(row.created_at, Level::Info, None, &text);
        let mut told = self.landing_notices(row.run);
        told.extend(self.interventions(row.run));
        if let Some(at) = row.started_at {
            told.push((at, 1, Level::Info, beginning(row.run)));
        }
        tell_in_order(&mut teller, told);
        if let Some(at) = row.ended_at.filter(|_| row.state.is_terminal()) {
            teller.follows = Follows::All;
            self.over(&mut teller, at, row.state, row.message.as_ref());
        }
        teller.lines
    }

    fn node(&self, row: &NodeRow, mut attempts: Vec<&AttemptRow>, lang: Lang) -> Sequence {
        let mut teller = Teller::new(Some(&row.node), lang);
        reached(&mut teller, row);
        started_child(&mut teller, row);
        let is_own = [SubWorkflow::TAG, Wait::TAG, EMAIL_TAG].contains(&row.type_name.as_str())
            && attempts.is_empty();
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
            failures += u32::from(has_failed(attempt));
            let wait = is_retried.then(|| self.pause_after(attempt, failures));
            ended(&mut teller, attempt, wait);
        }
        waited(&mut teller, row, next_attempt);
        concluded(&mut teller, row, is_own);
        handed_on(&mut teller, row);
        teller.lines
    }

    /// Seconds until the try after an attempt, the `failures`th that failed.
    fn pause_after(&self, attempt: &AttemptRow, failures: u32) -> u64 {
        let node = &attempt.key.node;
        let node = self
            .definition
            .and_then(|definition| definition.nodes.iter().find(|known| known.name == *node));
        match node.map(|node| &node.kind) {
            Some(NodeKind::Action(action)) => action.pause(failures, &attempt.key).as_secs(),
            _ => 0,
        }
    }
}

/// When, its place among what has the same time, how bad, what.
type Told = (Timestamp, u8, Level, Text);

fn tell_in_order(teller: &mut Teller, mut told: Vec<Told>) {
    told.sort_by_key(|it| (it.0, it.1));
    for (at, _, level, text) in told {
        teller.tell(at, level, None, &text);
    }
}

/// Whether the attempt counts against `retry-times`.
fn has_failed(attempt: &AttemptRow) -> bool {
    attempt.state == AttemptState::Failed || attempt.cancel == Some(CancelReason::TimedOut)
}

/// The first line of a run.
fn beginning(run: u32) -> Text {
    match run {
        1 => Text::new("开始运行实例", "started"),
        _ => Text::new(
            format!("重跑工作流实例，第{run}次运行"),
            format!("running again, run {run}"),
        ),
    }
}

fn reached_text(type_name: &str, node: &str) -> Text {
    Text::new(
        format!("执行【{}】节点：{node}", legacy_type_name(type_name)),
        format!("reached {type_name} node {node}"),
    )
}

fn reached(teller: &mut Teller, row: &NodeRow) {
    let (kind, node) = (legacy_type_name(&row.type_name), &row.node);
    let text = if row.message == Some(Message::Ignored) {
        Text::new(
            format!("忽略【{kind}】节点：{node}"),
            format!("ignored {} node {node}", row.type_name),
        )
    } else {
        reached_text(&row.type_name, node)
    };
    teller.tell(row.ready_at, Level::Info, None, &text);
}

/// The instance of another workflow, the latest one of the node.
fn started_child(teller: &mut Teller, row: &NodeRow) {
    if let (Some(child), Some(at)) = (row.child, row.started_at) {
        let text = Text::new(
            format!("启动子工作流实例：{child}"),
            format!("started instance {child}"),
        );
        teller.tell(at, Level::Info, None, &text);
    }
}

/// So much of a value stands in a line, characters.
const SHOWN: usize = 200;

/// What a success hands on.
fn handed_on(teller: &mut Teller, row: &NodeRow) {
    let Some(at) = row.ended_at.filter(|_| row.state == NodeState::Succeeded) else {
        return;
    };
    for (name, value) in &row.outputs {
        let shown: String = if is_secret_name(name) {
            "***".to_owned()
        } else {
            value.chars().take(SHOWN).collect()
        };
        let text = Text::new(
            format!("输出 {name}={shown}"),
            format!("handed on {name}={shown}"),
        );
        teller.tell(at, Level::Info, None, &text);
    }
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
    teller.follows = Follows::Attempt(attempt.key.clone());
    teller.tell(at, level, Some(attempt.key.attempt), &text);
    teller.follows = Follows::Nothing;
}

/// What the end of a node tells beyond the end of its last attempt.
fn concluded(teller: &mut Teller, row: &NodeRow, is_own: bool) {
    let (Some(at), Some(message)) = (row.ended_at, &row.message) else {
        return;
    };
    if matches!(message, Message::Chose { .. }) {
        teller.tell(at, Level::Info, None, &both(message));
        return;
    }
    if is_own && row.state == NodeState::Succeeded {
        let level = match message {
            Message::Succeeded | Message::MailOwed => Some(Level::Info),
            // It has not done what it is for, and nobody need mend that now.
            Message::Said { .. } => Some(Level::Warn),
            _ => None,
        };
        if let Some(level) = level {
            teller.tell(at, level, None, &both(message));
        }
        return;
    }
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
