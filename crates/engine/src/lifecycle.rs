//! The life of an instance: created, waiting, started, ending, over.

use akkaflow_model::command::Answer;
use akkaflow_model::definition::Workflow;
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::Message;
use akkaflow_model::record::{
    CancelReason, CleanUp, FireRow, FireState, InstanceRow, ParentNode, Record, TriggerKind,
};
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;

use crate::effect::Effect;
use crate::graph::Runner;
use crate::instances::{Course, Instance};
use crate::journal::Given;
use crate::params::{self, ParamError};
use crate::plan::day_of;
use crate::walk::unreadable_text;
use crate::{Engine, Params};

/// What a new instance is made of.
#[derive(Debug)]
pub(crate) struct Birth {
    pub(crate) workflow: String,
    pub(crate) trigger: TriggerKind,
    pub(crate) fire_time: Timestamp,
    pub(crate) params: Result<Params, ParamError>,
    pub(crate) ignore_nodes: Vec<String>,
    /// The root of the chain that it belongs to; `Some(None)` makes it the root.
    pub(crate) chain: Option<Option<InstanceId>>,
    /// Generation and key of its fire; a manual one is keyed by the instance.
    pub(crate) fire: Option<(u32, String)>,
    /// Who asked for it; `None` when it starts by itself, or nobody said.
    pub(crate) asked_by: Option<String>,
    /// The node of another instance that starts it.
    pub(crate) parent: Option<ParentNode>,
}

impl Engine {
    /// The parameters that a definition gives at a moment, overridden by `overrides`.
    pub(crate) fn resolve(
        &self,
        workflow: &Workflow,
        overrides: &[(String, String)],
        fire_time: Timestamp,
    ) -> Result<Params, ParamError> {
        let coordinator = workflow.coordinator.as_ref();
        let zone = self.zone_of(Some(workflow));
        params::resolve(coordinator, overrides, fire_time, zone)
    }

    /// The wall that a workflow's dates are read from.
    pub(crate) fn zone_of(&self, workflow: Option<&Workflow>) -> Tz {
        let coordinator = workflow.and_then(|workflow| workflow.coordinator.as_ref());
        let own = coordinator.and_then(|coordinator| coordinator.time_zone);
        own.unwrap_or(self.options.zone)
    }

    pub(crate) fn zone_of_instance(&self, id: InstanceId) -> Tz {
        let instance = self.instances.get(&id);
        let workflow = instance.and_then(|instance| instance.graph.workflow());
        self.zone_of(workflow.map(|workflow| &**workflow))
    }

    /// Makes an instance with its fire row and puts it at the end of its workflow's queue.
    ///
    /// The caller has made sure that the workflow exists with a readable definition.
    pub(crate) fn create(&mut self, birth: Birth) -> InstanceId {
        let id = self.draw_id();
        let graph = self
            .graph_in_force(&birth.workflow)
            .expect("callers look the definition up first");
        let entry = self
            .workflows
            .get(&birth.workflow)
            .expect("it has a definition");
        let (params, fault) = match birth.params {
            Ok(params) => (params, None),
            Err(error) => (Vec::new(), Some(params::message(&error))),
        };
        let row = InstanceRow {
            id,
            workflow: birth.workflow.clone(),
            version: entry.row.version.clone(),
            run: 1,
            state: InstanceState::Ready,
            trigger: birth.trigger,
            fire_time: birth.fire_time,
            created_at: self.now,
            started_at: None,
            ended_at: None,
            params,
            message: None,
            handled_errors: false,
            ignore_nodes: birth.ignore_nodes,
            ending: None,
            chain: birth.chain.map(|root| root.unwrap_or(id)),
            dir: entry.row.dir.clone(),
            creator: entry.row.creator.clone(),
            gave_tokens: false,
            earlier: Vec::new(),
            clean_up: CleanUp::Ahead,
            hold: None,
            marks: Vec::new(),
            asked_by: birth.asked_by,
            pinned: None,
            parent: birth.parent,
            interventions: Vec::new(),
            landing: self
                .landing_of(&graph, birth.trigger, birth.fire_time)
                .map(Box::new),
        };
        let (generation, key) = birth.fire.unwrap_or_else(|| (0, id.to_string()));
        self.out.record(Record::Fire(FireRow {
            workflow: birth.workflow,
            kind: birth.trigger,
            generation,
            key,
            due_at: birth.fire_time,
            state: FireState::Fired,
            instance: Some(id),
            through: None,
            reason: None,
        }));
        self.admit(Instance::new(row.into(), graph));
        if let Some(message) = fault {
            let state = InstanceState::Failed;
            self.end_from_outside(id, state, message);
        }
        id
    }

    pub(crate) fn draw_id(&mut self) -> InstanceId {
        loop {
            let id = self.ids.draw(self.now);
            if !self.instances.contains_key(&id) {
                return id;
            }
        }
    }

    /// Puts a waiting instance into memory and its workflow's queue.
    pub(crate) fn admit(&mut self, mut instance: Instance) {
        instance.is_dirty = true;
        let id = instance.row.id;
        let given = Given::Admitted {
            row: instance.row.clone(),
            nodes: instance.dirty_nodes().cloned().collect(),
        };
        self.out.given(id, given);
        if let Some(entry) = self.workflows.get_mut(&instance.row.workflow) {
            entry.queue.insert((instance.row.created_at, id));
            self.backlog.join(&instance.row.workflow);
        }
        self.touched.push(id);
        self.instances.insert(instance);
        self.unarmed.push(id);
        self.ask_usual(id);
    }

    /// Starts the first waiting instance of a workflow, if its limit allows. Says whether it did.
    pub(crate) fn start_next(&mut self, workflow: &str) -> bool {
        if self.start_block(workflow).is_some() {
            return false;
        }
        let Some(entry) = self.workflows.get_mut(workflow) else {
            return false;
        };
        let Some((_, id)) = entry.queue.pop_first() else {
            return false;
        };
        entry.running.insert((self.now, id));
        self.backfills.unpark(workflow);
        self.pin_state(id, None);
        self.out.given(id, Given::Started);
        self.start(id);
        true
    }

    /// The instance leaves the queue.
    pub(crate) fn start(&mut self, id: InstanceId) {
        self.stop_landing(id);
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        instance.row.state = InstanceState::Running;
        instance.row.started_at = Some(self.now);
        let is_readable = instance.graph.is_readable();
        self.resume_landing(id);
        self.touch(id);
        if is_readable {
            self.walk_from_start(id);
        } else {
            self.end_unreadable(id);
        }
    }

    /// Remembers that the instance's row has changed.
    pub(crate) fn touch(&mut self, id: InstanceId) {
        if let Some(instance) = self.instances.get_mut(&id) {
            instance.is_dirty = true;
            self.touched.push(id);
        }
    }

    /// Ends an instance on grounds that lie outside of it, which the journal keeps.
    pub(crate) fn end_from_outside(
        &mut self,
        id: InstanceId,
        state: InstanceState,
        message: Message,
    ) {
        self.note_timers(id);
        let given = Given::Ended {
            state,
            message: message.clone(),
        };
        self.out.given(id, given);
        self.end(id, state, message);
    }

    /// Ends an instance: what runs is cancelled, or may finish where it failed and its policy says so. It is over once
    /// nothing runs any more and its clean-up is done. The first call decides how it ends, but a kill does not wait for
    /// what may finish, and one during the clean-up ends that.
    pub(crate) fn end(&mut self, id: InstanceId, state: InstanceState, message: Message) {
        let Some(instance) = self.instances.get(&id) else {
            return;
        };
        if instance.row.state.is_terminal() {
            return;
        }
        if instance.row.started_at.is_none() {
            self.finish(id, state, Some(message));
            return;
        }
        match instance.course() {
            Course::Stopping => return,
            Course::Finishing if state != InstanceState::Killed => return,
            Course::Walking | Course::Finishing | Course::Cleaning => {}
        }
        let nodes = 0..instance.slots.len();
        for node in nodes.clone() {
            self.stop_waiting(id, node);
        }
        let children = self.open_children(id);
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        begin_ending(&mut instance.row, state, message);
        halt(instance, &children, self.now, &mut self.out);
        let may_finish = instance.course() == Course::Finishing;
        for node in nodes {
            self.resume_waiting(id, node);
        }
        self.touch(id);
        for (node, child) in children.into_iter().filter(|_| !may_finish) {
            self.kill_child(id, node, child);
        }
        self.finish_if_done(id);
    }

    /// Writes the terminal state and lets the world go on from it. The instance leaves memory at the end of the step.
    pub(crate) fn finish(
        &mut self,
        id: InstanceId,
        state: InstanceState,
        message: Option<Message>,
    ) {
        let now = self.now;
        self.miss_at_end(id);
        self.stop_landing(id);
        let kept = (state == InstanceState::Succeeded)
            .then(|| self.commit_state(id))
            .flatten();
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let was_waiting = instance.is_waiting();
        let graph = instance.graph.clone();
        let was_started = instance.row.started_at.is_some();
        let row = &mut *instance.row;
        let running_since = row.started_at.unwrap_or(row.created_at);
        row.state = state;
        row.ending = None;
        row.hold = None;
        if let Some(message) = kept.as_ref().filter(|_| message.is_none()).cloned() {
            self.out.given(id, Given::StateKept { message });
        }
        row.message = message.or(kept);
        row.ended_at = Some(now);
        let gives_tokens = state == InstanceState::Succeeded
            && !row.gave_tokens
            && matches!(
                row.trigger,
                TriggerKind::Cron | TriggerKind::Dependency | TriggerKind::Trigger
            );
        row.gave_tokens |= gives_tokens;
        let (workflow, created_at, chain) = (row.workflow.clone(), row.created_at, row.chain);
        let fire_time = row.fire_time;
        let is_backfill = row.trigger == TriggerKind::Backfill;
        for request in std::mem::take(&mut instance.killers) {
            self.out.reply(request, Ok(Answer::Done));
        }
        self.touch(id);
        if let Some(entry) = self.workflows.get_mut(&workflow) {
            if was_waiting {
                entry.queue.remove(&(created_at, id));
            } else if was_started {
                entry.running.remove(&(running_since, id));
            } else {
                entry.paused.remove(&(created_at, id));
            }
            if !entry.queue.is_empty() {
                self.backlog.join(&workflow);
            }
        }
        if gives_tokens {
            let zone = self.zone_of(graph.workflow().map(|workflow| &**workflow));
            self.give_tokens(id, &workflow, fire_time, day_of(fire_time, zone));
        }
        self.tell_end(id);
        self.backfills.unpark(&workflow);
        let is_good = state == InstanceState::Succeeded;
        match chain {
            Some(backfill) if is_backfill => self.run_ended(backfill, id, is_good),
            Some(root) => self.chain_member_ended(root, &workflow, is_good),
            None => {}
        }
        self.tell_parent(id);
    }

    /// Takes the node out of its queue and stops its timers; call before its state changes.
    pub(crate) fn stop_waiting(&mut self, id: InstanceId, node: usize) {
        let Some(instance) = self.instances.get(&id) else {
            return;
        };
        if let Some((class, place)) = instance.place(node) {
            self.ready.remove(class, place);
        }
        self.own.remove(&(id, node));
        for (at, timer) in instance.timers(node) {
            self.timers.clear(at, timer);
        }
    }

    /// Puts the node into its queue and starts its timers; call after its state has changed.
    pub(crate) fn resume_waiting(&mut self, id: InstanceId, node: usize) {
        let Some(instance) = self.instances.get(&id) else {
            return;
        };
        if let Some((class, place)) = instance.place(node) {
            self.ready.push(class, place);
        }
        if instance.is_own_turn(node) {
            self.own.insert((id, node));
        }
        for (at, timer) in instance.timers(node) {
            self.timers.set(at, timer);
        }
    }

    /// Ends an instance whose definition cannot be read and in which nothing can go on.
    pub(crate) fn end_unreadable(&mut self, id: InstanceId) {
        let Some(instance) = self.instances.get(&id) else {
            return;
        };
        let text = unreadable_text(&instance.row.workflow);
        self.end(id, InstanceState::Failed, Message::said(text));
    }
}

fn begin_ending(row: &mut InstanceRow, state: InstanceState, message: Message) {
    let is_cleaning = row.clean_up == CleanUp::Begun;
    if is_cleaning {
        row.clean_up = CleanUp::Stopped;
    }
    // What went wrong before the clean-up stays what people are told.
    if !is_cleaning || row.ending == Some(InstanceState::Succeeded) {
        row.ending = Some(state);
        row.message = Some(message);
    }
}

/// Ends what must not go on in an ending instance.
fn halt(
    instance: &mut Instance,
    children: &[(usize, InstanceId)],
    now: Timestamp,
    out: &mut crate::outbox::Outbox,
) {
    let may_finish = instance.course() == Course::Finishing;
    for node in 0..instance.slots.len() {
        let Some(row) = instance.node(node).filter(|row| !row.state.is_terminal()) else {
            continue;
        };
        let has_begun = row.started_at.is_some() && row.state != NodeState::Suspended;
        if may_finish && has_begun {
            continue;
        }
        if may_finish && row.state == NodeState::Suspended && instance.row.hold.is_none() {
            // What held the instance is ended with it.
            instance.row.state = InstanceState::Running;
        }
        if let Some(attempt) = &instance.slots[node].attempt {
            if attempt.cancel.is_none() {
                cancel(instance, node, CancelReason::InstanceEnding, out);
            }
        } else if !children.iter().any(|(parent, _)| *parent == node) {
            // A node with a child is over once that is.
            close(
                instance,
                node,
                NodeState::Killed,
                Message::InstanceEnded,
                now,
            );
        }
    }
}

/// Asks a worker to stop the node's attempt; an earlier reason stands.
pub(crate) fn cancel(
    instance: &mut Instance,
    node: usize,
    reason: CancelReason,
    out: &mut crate::outbox::Outbox,
) {
    let Some(attempt) = &mut instance.slots[node].attempt else {
        return;
    };
    if attempt.cancel.is_none() {
        attempt.cancel = Some(reason);
        out.attempt(attempt.clone());
    }
    out.effect(Effect::Cancel {
        worker: attempt.worker.clone(),
        key: attempt.key.clone(),
        reason: attempt.cancel.unwrap_or(reason),
    });
}

/// Writes the terminal state of a node that has no open attempt and waits for nothing.
pub(crate) fn close(
    instance: &mut Instance,
    node: usize,
    state: NodeState,
    message: Message,
    now: Timestamp,
) {
    if let Some(row) = instance.slots[node].row.as_deref_mut() {
        debug_assert!(!row.state.is_terminal(), "a node ends once");
        row.state = state;
        row.message = Some(message);
        row.ended_at = Some(now);
        row.retry_at = None;
        if state != NodeState::Succeeded || instance.graph.vertex(node).runner == Runner::Look {
            // A failure hands nothing on, and what the last look of a wait saw is no output.
            row.outputs.clear();
        }
        instance.live -= 1;
        instance.mark(node);
    }
}
