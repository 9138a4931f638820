//! Repair: an open instance goes on with another definition. What has succeeded stays, what runs goes on untouched, and
//! what has not begun is done as the new definition says.

use std::collections::BTreeSet;
use std::mem::discriminant;
use std::sync::Arc;

use akkaflow_model::command::{Answer, By, ChangeKind, NodeChange, Rejection};
use akkaflow_model::definition::{NodeKind, Workflow};
use akkaflow_model::element::Element;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::Message;
use akkaflow_model::record::{NodeRow, Record, VersionRow};
use akkaflow_model::shared::Shared;
use akkaflow_model::state::NodeState;
use akkaflow_model::text::{Lang, Text};
use akkaflow_model::time::Timestamp;

use crate::Engine;
use crate::graph::{Graph, Runner};
use crate::instances::Instance;
use crate::journal::Given;
use crate::orders::Answered;
use crate::ways::{Arrival, Left};

impl Engine {
    /// Says what another definition changes for an open instance and, unless only that was asked for, puts it in force there.
    ///
    /// `workflow`: the new definition; `None` takes the one in force.
    pub(crate) fn repair(
        &mut self,
        id: InstanceId,
        workflow: Option<Arc<Workflow>>,
        is_dry_run: bool,
        by: By,
    ) -> Answered {
        let now = self.now;
        let name = self.open(id)?.row.workflow.clone();
        let graph = match &workflow {
            Some(workflow) => {
                check_fit(&name, workflow)?;
                Graph::compile(Arc::clone(workflow))
            }
            None => {
                let workflow = self.startable(&name, || crate::orders::not_found(&name))?;
                Graph::compile(workflow)
            }
        };
        let instance = self.open(id)?;
        let trial = Trial::of(instance, &graph, now);
        let is_applied = !is_dry_run && trial.refusals().next().is_none();
        if !is_dry_run && !is_applied {
            return Err(refused(&trial.changes));
        }
        if is_applied && instance.row.version != version_of(&graph) {
            if let Some(workflow) = &workflow {
                self.out.definition(Record::Version(VersionRow {
                    version: workflow.version.clone(),
                    workflow: name,
                    xml: workflow.source.to_string(),
                    created_at: self.now,
                }));
            }
            let version = version_of(&graph);
            if self.open(id)?.row.started_at.is_some() {
                self.pin_state(id, graph.workflow().map(|workflow| &**workflow));
            }
            let given = Given::Repaired {
                version,
                by: by.clone(),
            };
            self.out.given(id, given);
            self.replace_graph(id, graph, by);
        }
        Ok(Answer::Repair {
            id,
            is_applied,
            changes: trial.changes,
        })
    }

    /// Gives the instance its new graph, and their turn to the nodes to which that leads.
    pub(crate) fn replace_graph(&mut self, id: InstanceId, graph: Arc<Graph>, by: By) {
        let Some(old) = self.instances.get(&id) else {
            return;
        };
        for node in 0..old.slots.len() {
            self.stop_waiting(id, node);
            self.forget_attempt(id, node);
        }
        self.stop_landing(id);
        let params = graph.workflow().and_then(|workflow| {
            let row = &self.instances.get(&id)?.row;
            self.resolve(workflow, &row.params, row.fire_time).ok()
        });
        let Some(old) = self.instances.remove(&id) else {
            return;
        };
        let (mut instance, removed) = moved(*old, graph, self.now);
        if let Some(params) = params {
            instance.row.params = params;
        }
        let message = Message::Repaired {
            version: instance.row.version.clone(),
            user: by.user,
            reason: by.reason,
        };
        instance.row.intervene(self.now, None, message);
        for row in removed {
            self.out.node(row);
        }
        let has_started = instance.row.started_at.is_some();
        let reached: Vec<usize> = pass_controls(&mut instance, self.now)
            .into_iter()
            .filter(|&node| instance.node(node).is_none())
            .collect();
        let nodes = 0..instance.slots.len();
        self.instances.insert(instance);
        for node in nodes {
            self.remember_attempt(id, node);
            self.resume_waiting(id, node);
        }
        self.resume_landing(id);
        self.touch(id);
        if has_started {
            self.walk(id, reached.into_iter().map(Arrival::Reach).collect());
        }
    }

    /// Takes the node's attempt out of what is indexed by its position.
    fn forget_attempt(&mut self, id: InstanceId, node: usize) {
        let Some(instance) = self.instances.get(&id) else {
            return;
        };
        if let Some(need) = instance.share(node) {
            self.pools.give_back(need, (id, node));
        }
        if let Some(attempt) = instance.slots[node].attempt.as_deref() {
            let worker = attempt.worker.clone();
            self.workers.remove_attempt(&worker, (id, node));
        }
    }

    /// Puts it back in at its new position.
    fn remember_attempt(&mut self, id: InstanceId, node: usize) {
        let Some(instance) = self.instances.get(&id) else {
            return;
        };
        if let Some(need) = instance.share(node) {
            self.pools.take(need, (id, node));
        }
        if let Some(attempt) = instance.slots[node].attempt.as_deref() {
            let worker = attempt.worker.clone();
            self.workers.add_attempt(&worker, (id, node));
        }
    }
}

/// What a new definition would mean for an instance.
struct Trial {
    changes: Vec<NodeChange>,
}

impl Trial {
    fn of(instance: &Instance, graph: &Arc<Graph>, now: Timestamp) -> Self {
        let old = &instance.graph;
        let mut changes = Vec::new();
        for node in 0..graph.len() {
            let name = graph.name(node);
            match old.position(name) {
                None => {
                    let gone = instance.gone(name);
                    let is_other = |row: &NodeRow| {
                        row.state != NodeState::Killed && row.type_name != graph.type_name(node)
                    };
                    let refusal = gone.filter(|row| is_other(row)).map(|_| turned(name));
                    changes.push(change(name, ChangeKind::Added, refusal));
                }
                Some(before) => changes.extend(compare(instance, before, graph, node)),
            }
        }
        for node in 0..old.len() {
            let name = old.name(node);
            if graph.position(name).is_none() {
                let refusal = why_it_stays(instance, node);
                changes.push(change(name, ChangeKind::Removed, refusal));
            }
        }
        if instance.row.started_at.is_some() {
            let mut trial = copy(instance, Arc::clone(graph));
            let seen: BTreeSet<usize> = pass_controls(&mut trial, now).into_iter().collect();
            for node in 0..graph.len() {
                let name = graph.name(node);
                let was_handled = || {
                    let before = old.position(name);
                    before.is_some_and(|before| matches!(instance.left(before), Left::Failed))
                };
                let refusal = if trial.node(node).is_some() && !seen.contains(&node) {
                    unreached(name)
                } else if matches!(trial.left(node), Left::Broken) && was_handled() {
                    unhandled(name)
                } else {
                    continue;
                };
                changes.retain(|change| change.node != name);
                changes.push(change(name, ChangeKind::Changed, Some(refusal)));
            }
        }
        Self { changes }
    }

    fn refusals(&self) -> impl Iterator<Item = &Text> {
        refusals(&self.changes)
    }
}

fn refusals(changes: &[NodeChange]) -> impl Iterator<Item = &Text> {
    changes.iter().filter_map(|change| change.refusal.as_ref())
}

fn change(node: &str, kind: ChangeKind, refusal: Option<Text>) -> NodeChange {
    NodeChange {
        node: node.to_owned(),
        kind,
        refusal,
    }
}

/// What differs between a node as it was and as it shall be.
fn compare(instance: &Instance, before: usize, graph: &Graph, after: usize) -> Option<NodeChange> {
    let name = graph.name(after);
    let old = instance.graph.workflow().map(|it| &it.nodes[before]);
    let new = graph.workflow().map(|it| &it.nodes[after])?;
    let is_same = old.is_some_and(|old| content(&old.kind) == content(&new.kind));
    let is_rewired =
        old.is_some_and(|old| (plain(&old.kind), &old.after) != (plain(&new.kind), &new.after));
    if is_same {
        return is_rewired.then(|| change(name, ChangeKind::Rewired, None));
    }
    let is_running = instance.runs(before);
    let has_ended = instance
        .node(before)
        .is_some_and(|row| row.state.is_terminal());
    let has_begun = instance.node(before).is_some();
    let is_other_kind = old.is_some_and(|old| discriminant(&old.kind) != discriminant(&new.kind));
    let refusal = if is_running {
        Some(running(name))
    } else {
        (has_begun && is_other_kind).then(|| turned(name))
    };
    let kind = if has_ended {
        ChangeKind::Kept
    } else {
        ChangeKind::Changed
    };
    Some(change(name, kind, refusal))
}

/// A node without the body of its action, which knows where it stands in the text.
fn plain(kind: &NodeKind) -> NodeKind {
    let mut kind = kind.clone();
    if let NodeKind::Action(action) = &mut kind {
        action.body = Element::new("");
    }
    kind
}

/// What a node does, without where it leads and where it stands in the text.
fn content(kind: &NodeKind) -> (NodeKind, Option<String>) {
    let mut kind = kind.clone();
    let mut body = None;
    match &mut kind {
        NodeKind::Action(action) => {
            action.ok = None;
            action.error = None;
            let element = std::mem::replace(&mut action.body, Element::new(""));
            body = serde_json::to_string(&element).ok();
        }
        NodeKind::Start { to } | NodeKind::Join { to } | NodeKind::Finally { to } => to.clear(),
        NodeKind::Fork { paths } => paths.clear(),
        NodeKind::Decision { cases, default } => {
            cases.clear();
            *default = None;
        }
        NodeKind::End | NodeKind::Kill { .. } => {}
    }
    (kind, body)
}

/// Why a node cannot be taken away.
fn why_it_stays(instance: &Instance, node: usize) -> Option<Text> {
    let name = instance.graph.name(node);
    if instance.runs(node) {
        return Some(running(name));
    }
    let is_action = instance.graph.vertex(node).class.is_some();
    let has_ended = instance
        .node(node)
        .is_some_and(|row| row.state.is_terminal());
    (is_action && has_ended).then(|| {
        Text::new(
            format!("节点[{name}]已执行，不能删除"),
            format!("node `{name}` has run in this instance: it cannot be removed"),
        )
    })
}

fn running(name: &str) -> Text {
    Text::new(
        format!("节点[{name}]正在运行，请等它结束，或先将其标记或杀死实例"),
        format!("node `{name}` is running: wait for it, or mark it first"),
    )
}

fn turned(name: &str) -> Text {
    Text::new(
        format!("节点[{name}]已到达，不能变成另一类节点"),
        format!("node `{name}` was reached: it cannot become a node of another kind"),
    )
}

fn unhandled(name: &str) -> Text {
    Text::new(
        format!("节点[{name}]已失败，原定义的error边处理了该失败，请保留它的error边"),
        format!("node `{name}` has failed and its error edge took care of that: let it keep one"),
    )
}

fn unreached(name: &str) -> Text {
    Text::new(
        format!("节点[{name}]已到达，但在新定义中没有已走过的分支通向它"),
        format!(
            "node `{name}` was reached, but in the new definition nothing that was gone through leads to it"
        ),
    )
}

fn check_fit(name: &str, workflow: &Workflow) -> Result<(), Rejection> {
    if workflow.name != name {
        return Err(Rejection::new(
            ErrorCode::Invalid,
            Text::new(
                format!(
                    "该定义属于工作流[{}]，实例属于工作流[{name}]",
                    workflow.name
                ),
                format!(
                    "the definition is of workflow `{}`, the instance of `{name}`",
                    workflow.name
                ),
            ),
        ));
    }
    match &workflow.not_runnable {
        Some(text) => Err(Rejection::new(ErrorCode::Conflict, text.clone())),
        None => Ok(()),
    }
}

fn version_of(graph: &Graph) -> akkaflow_model::definition::Version {
    graph
        .workflow()
        .map(|workflow| workflow.version.clone())
        .expect("a compiled graph has its definition")
}

fn refused(changes: &[NodeChange]) -> Rejection {
    let all = |lang| {
        let texts: Vec<&str> = refusals(changes).map(|text| text.get(lang)).collect();
        texts.join(match lang {
            Lang::Zh => "；",
            Lang::En => "; ",
        })
    };
    Rejection::new(
        ErrorCode::Conflict,
        Text::new(
            format!("不能修复该实例：{}", all(Lang::Zh)),
            format!("the instance cannot be repaired so: {}", all(Lang::En)),
        ),
    )
}

/// The instance with another graph; the rows of nodes that it no longer has, and that had not ended, are handed out.
fn moved(mut old: Instance, graph: Arc<Graph>, now: Timestamp) -> (Instance, Vec<Shared<NodeRow>>) {
    let mut row = old.row.clone();
    row.version = version_of(&graph);
    let mut instance = Instance::new(row, graph);
    instance.killers = std::mem::take(&mut old.killers);
    let mut removed = Vec::new();
    for (node, slot) in old.slots.iter_mut().enumerate() {
        let Some(mut row) = slot.row.take() else {
            continue;
        };
        if let Some(position) = instance.graph.position(old.graph.name(node)) {
            row = begin_anew(&old.graph, node, &instance.graph, position, row);
            instance.slots[position].child = slot.child.filter(|child| row.child == Some(*child));
            instance.open_attempts += usize::from(slot.attempt.is_some());
            instance.slots[position].attempt = slot.attempt.take();
            instance.mark(position);
        } else if !row.state.is_terminal() {
            row.state = NodeState::Killed;
            row.message = Some(Message::Removed);
            row.ended_at = Some(now);
            row.retry_at = None;
            removed.push(row.clone());
        }
        instance.put_row(row);
    }
    for row in old.all_gone() {
        instance.put_row(row.clone());
    }
    (instance, removed)
}

/// What is still to be done is of its new type. A wait that shall now be another one begins anew; so does what takes its place, and what becomes one.
fn begin_anew(
    old: &Graph,
    before: usize,
    new: &Graph,
    after: usize,
    mut row: Shared<NodeRow>,
) -> Shared<NodeRow> {
    let is_ours = |graph: &Graph, node: usize| graph.vertex(node).runner != Runner::Worker;
    let what =
        |graph: &Graph, node: usize| graph.workflow().map(|it| content(&it.nodes[node].kind));
    if !row.state.is_terminal() {
        row.type_name = new.type_name(after).into();
    }
    if !row.state.is_terminal()
        && (is_ours(old, before) || is_ours(new, after))
        && what(old, before) != what(new, after)
    {
        row.state = NodeState::Ready;
        row.started_at = None;
        row.deadline = None;
        row.retry_at = None;
        row.message = None;
        row.outputs.clear();
        // Should somebody have that one run again, it stands alone.
        row.child = None;
    }
    row
}

/// Goes through new control nodes to which what was gone through leads; gives all nodes whose turn has come.
fn pass_controls(instance: &mut Instance, now: Timestamp) -> Vec<usize> {
    loop {
        let seen = instance.replay();
        let new: Vec<usize> = seen
            .iter()
            .copied()
            .filter(|&node| instance.node(node).is_none())
            .filter(|&node| {
                matches!(
                    instance.graph.kind(node),
                    Some(NodeKind::Start { .. } | NodeKind::Fork { .. } | NodeKind::Join { .. })
                )
            })
            .collect();
        if new.is_empty() {
            return seen;
        }
        for node in new {
            instance.reach(node, NodeState::Succeeded, None, now);
        }
    }
}

/// The same rows under another graph, to see what it would mean.
fn copy(instance: &Instance, graph: Arc<Graph>) -> Instance {
    let mut copy = Instance::new(instance.row.clone(), graph);
    let rows = instance.slots.iter().filter_map(|slot| slot.row.as_ref());
    for row in rows.chain(instance.all_gone()) {
        copy.put_row(row.clone());
    }
    copy
}
