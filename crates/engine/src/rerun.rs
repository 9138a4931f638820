//! Reruns: an ended instance goes on under the same id, from its start or from where it broke.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use akkaflow_model::command::{Answer, Rejection};
use akkaflow_model::definition::{NodeKind, Workflow};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::{InstanceId, Name};
use akkaflow_model::message::Message;
use akkaflow_model::record::{
    CleanUp, EARLIER_RUNS, EarlierRun, InstanceRow, Mark, NodeRow, TriggerKind,
};
use akkaflow_model::shared::Shared;
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Text;

use crate::Engine;
use crate::graph::Graph;
use crate::input::{Rerun, RerunFrom, StoredInstance};
use crate::instances::Instance;
use crate::marks::mark_message;
use crate::orders::named;
use crate::params;
use crate::ways::{Left, Verdict};

impl Engine {
    pub(crate) fn rerun(
        &mut self,
        id: InstanceId,
        stored: Option<Box<StoredInstance>>,
        how: Rerun,
        mark: Option<Mark>,
    ) -> Result<Answer, Rejection> {
        let stored = self.check_rerun(id, stored)?;
        let graph = self.graph_for(&stored.instance, how.pinned)?;
        let again = runs_again(&graph, &how.from)?;
        let mut marks = stored.instance.marks.clone();
        match &how.from {
            RerunFrom::Start => marks.clear(),
            RerunFrom::Failed | RerunFrom::Nodes(_) => marks.retain(|known| {
                let is_again = graph
                    .position(&known.node)
                    .is_some_and(|node| again.contains(&node));
                !is_again && mark.as_ref().is_none_or(|mark| mark.node != known.node)
            }),
        }
        let said = mark
            .as_ref()
            .map(|mark| (mark.node.clone(), mark_message(mark)));
        marks.extend(mark);
        let params = graph
            .workflow()
            .and_then(|workflow| {
                // What the newest definition adds is computed for the same date; what the instance has stays.
                let known = &stored.instance.params;
                self.resolve(workflow, known, stored.instance.fire_time)
                    .ok()
            })
            .unwrap_or_else(|| stored.instance.params.clone());
        let by = Message::RunAgain {
            user: how.user.clone(),
        };
        let mut row = InstanceRow {
            version: graph
                .workflow()
                .map_or(stored.instance.version.clone(), |workflow| {
                    workflow.version.clone()
                }),
            run: stored.instance.run + 1,
            state: InstanceState::Ready,
            started_at: None,
            ended_at: None,
            params,
            message: None,
            handled_errors: false,
            ending: None,
            earlier: with_run_of(&stored.instance),
            clean_up: CleanUp::Ahead,
            hold: None,
            marks,
            asked_by: named(how.user),
            ..stored.instance
        };
        row.intervene(self.now, None, by);
        if let Some((node, message)) = said {
            row.intervene(self.now, Some(node), message);
        }
        let mut instance = Instance::new(row.into(), graph);
        if how.from != RerunFrom::Start {
            carry_over(&mut instance, stored.nodes, &again);
        }
        let backfill = (instance.row.trigger == TriggerKind::Backfill)
            .then_some(instance.row.chain)
            .flatten();
        self.admit(instance);
        if let Some(backfill) = backfill {
            self.run_again(backfill, id);
        }
        self.tell_parent_again(id);
        Ok(Answer::Instance { id })
    }

    fn check_rerun(
        &self,
        id: InstanceId,
        stored: Option<Box<StoredInstance>>,
    ) -> Result<StoredInstance, Rejection> {
        let conflict = |text| Err(Rejection::new(ErrorCode::Conflict, text));
        match self.instances.get(&id) {
            Some(instance) if instance.is_waiting() => {
                return conflict(Text::new(
                    format!("工作流实例[{id}]已经存在等待队列中"),
                    format!("instance {id} is already waiting to start"),
                ));
            }
            Some(_) => {
                return conflict(Text::new(
                    format!("工作流实例[{id}]已经在重跑"),
                    format!("instance {id} is already running"),
                ));
            }
            None => {}
        }
        match stored {
            None => Err(Rejection::new(
                ErrorCode::NotFound,
                Text::new(
                    format!("工作流实例[{id}]不存在"),
                    format!("instance {id} does not exist"),
                ),
            )),
            Some(stored) if !stored.instance.state.is_terminal() => conflict(Text::new(
                format!("工作流实例重跑出错, 实例[{id}]尚未结束"),
                format!("instance {id} has not ended"),
            )),
            Some(stored) => Ok(*stored),
        }
    }

    fn graph_for(
        &mut self,
        instance: &InstanceRow,
        pinned: Option<Arc<Workflow>>,
    ) -> Result<Arc<Graph>, Rejection> {
        let (id, name) = (instance.id, &instance.workflow);
        let Some(entry) = self.workflows.get(name).filter(|entry| entry.exists()) else {
            return Err(Rejection::new(
                ErrorCode::NotFound,
                Text::new(
                    format!("找不到该工作流实例[{id}]中的工作流[{name}]"),
                    format!("workflow `{name}` of instance {id} does not exist any more"),
                ),
            ));
        };
        if let Some(text) = entry.not_runnable() {
            return Err(Rejection::new(ErrorCode::Conflict, text.clone()));
        }
        let graph = match pinned {
            Some(workflow) => Some(Graph::compile(workflow)),
            None => self.graph_in_force(name),
        };
        graph.ok_or_else(|| Rejection::new(ErrorCode::Conflict, crate::walk::unreadable_text(name)))
    }
}

/// The earlier runs of the instance, once the run of this row is one of them.
fn with_run_of(row: &InstanceRow) -> Vec<EarlierRun> {
    let over = EarlierRun {
        run: row.run,
        started_at: row.started_at,
        ended_at: row.ended_at,
        state: row.state,
        message: row.message.clone(),
    };
    let too_many = (row.earlier.len() + 1).saturating_sub(EARLIER_RUNS);
    let kept = row.earlier.iter().skip(too_many).cloned();
    kept.chain([over]).collect()
}

/// The nodes that run again whether they have succeeded or not.
fn runs_again(graph: &Graph, from: &RerunFrom) -> Result<BTreeSet<usize>, Rejection> {
    let RerunFrom::Nodes(names) = from else {
        return Ok(BTreeSet::new());
    };
    let mut open = Vec::new();
    for name in names {
        open.push(graph.position(name).ok_or_else(|| {
            Rejection::new(
                ErrorCode::NotFound,
                Text::new(
                    format!("节点[{name}]不存在"),
                    format!("there is no node `{name}`"),
                ),
            )
        })?);
    }
    let mut again = BTreeSet::new();
    while let Some(node) = open.pop() {
        if again.insert(node) {
            open.extend(graph.vertex(node).outs.iter().map(|way| way.to));
        }
    }
    Ok(again)
}

/// Keeps the successes that lie before the first thing to run again: what comes after it runs again too.
///
/// Their rows are written with the new run at once, so that a restart before the instance starts forgets nothing.
fn carry_over(instance: &mut Instance, nodes: Vec<NodeRow>, again: &BTreeSet<usize>) {
    let run = instance.row.run;
    let mut succeeded: BTreeMap<Name, NodeRow> = nodes
        .into_iter()
        .filter(|row| row.state == NodeState::Succeeded)
        .filter(|row| {
            let position = instance.graph.position(&row.node);
            position.is_some_and(|node| !again.contains(&node))
        })
        .map(|row| (row.node.clone(), row))
        .collect();
    let mut arrivals = instance.begin();
    while let Some(arrival) = arrivals.pop_front() {
        match instance.judge(arrival) {
            (_, Verdict::Open) => {}
            (node, Verdict::Dead) => instance.leave(node, Left::Dead, &mut arrivals),
            // It fails again, so that it runs again.
            (node, Verdict::Reached) if instance.undecidable(node, true).is_some() => {}
            (node, Verdict::Reached) => match instance.graph.kind(node) {
                Some(NodeKind::Action(_)) => {
                    let declared = instance
                        .graph
                        .action(node)
                        .map_or(&[][..], |it| &it.outputs);
                    let type_name = instance.graph.type_name(node);
                    let row = succeeded.remove(instance.graph.name(node)).filter(|row| {
                        // What had this name and was something else has not done this work.
                        row.type_name == type_name
                            && (matches!(
                                row.message,
                                Some(Message::Ignored | Message::Marked { .. })
                            ) || params::has_outputs(declared, &row.outputs))
                    });
                    if let Some(row) = row {
                        instance.slots[node].row = Some(Shared::from(NodeRow {
                            run,
                            // They were told of the run in which it waited.
                            waits: Vec::new(),
                            ..row
                        }));
                        instance.mark(node);
                        instance.leave(node, Left::Well, &mut arrivals);
                    }
                }
                Some(
                    NodeKind::Start { .. }
                    | NodeKind::Fork { .. }
                    | NodeKind::Decision { .. }
                    | NodeKind::Join { .. }
                    | NodeKind::End,
                ) => instance.leave(node, Left::Well, &mut arrivals),
                // Nothing leads to the clean-up: all of it runs again.
                Some(NodeKind::Kill { .. } | NodeKind::Finally { .. }) | None => {}
            },
        }
    }
    // The walk was a rehearsal; the real one begins when the instance starts.
    instance.replay();
}
