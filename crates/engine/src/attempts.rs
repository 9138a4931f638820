//! Attempts: given to workers, adopted, over. `reliability.md` 3.3's table, one function per line of it.

use std::sync::Arc;
use std::time::Duration;

use akkaflow_model::definition::{OnTimeout, TimeoutScope};
use akkaflow_model::id::{AttemptKey, Epoch, Incarnation, InstanceId, Name, WorkerId};
use akkaflow_model::message::Message;
use akkaflow_model::record::{AttemptRow, CancelReason, Record};
use akkaflow_model::shared::Shared;
use akkaflow_model::state::{AttemptState, InstanceState, NodeState};
use akkaflow_model::text::Text;

use crate::Engine;
use crate::effect::{Dispatch, Effect};
use crate::graph::Runner;
use crate::input::{Outcome, OutcomeKind};
use crate::instances::{Course, Instance};
use crate::journal::Given;
use crate::lifecycle::{cancel, close};
use crate::marks::mark_message;
use crate::params;
use crate::queue::{Class, Place};
use crate::timers::Timer;
use crate::waiting;
use crate::waits;

/// A node that is lost so often is suspected of killing its workers: a person must look.
pub(crate) const QUARANTINE_LOSSES: u32 = 3;

/// The worker that gets an attempt.
#[derive(Debug, Clone)]
pub(crate) struct Assignee {
    pub(crate) worker: WorkerId,
    pub(crate) incarnation: Incarnation,
    pub(crate) host: Name,
    /// Of the master that chose it.
    pub(crate) epoch: Epoch,
}

impl Assignee {
    fn given(&self, node: Name) -> Given {
        Given::Worker {
            node,
            worker: self.worker.clone(),
            incarnation: self.incarnation,
            host: self.host.clone(),
            epoch: self.epoch,
        }
    }
}

impl Engine {
    /// Gives ready nodes to workers until one or the other runs out.
    pub(crate) fn dispatch_ready(&mut self) {
        if self.cluster.frozen.is_some() {
            return;
        }
        while let Some((place, class)) = self.ready.head() {
            let (_, id, node) = place;
            let Some(worker) = self.workers.best(&class.target) else {
                self.ready.cool(&class.target);
                continue;
            };
            if self.has_room(&class, place) {
                self.dispatch(id, node, &worker);
            } else {
                self.ready.park(&class);
            }
        }
    }

    /// Whether the pool of a line has room for its head.
    pub(crate) fn has_room(&self, class: &Class, place: Place) -> bool {
        class.pool.as_ref().is_none_or(|need| {
            self.pools.no_room(need).is_none()
                && self.ready.ahead_in_pool(need, place, &self.pools).is_none()
        })
    }

    fn dispatch(&mut self, id: InstanceId, node: usize, worker: &WorkerId) {
        let (Some(info), Some(instance)) = (self.workers.info(worker), self.instances.get(&id))
        else {
            self.stop_waiting(id, node);
            return;
        };
        let assignee = Assignee {
            worker: worker.clone(),
            incarnation: info.incarnation,
            host: info.host.clone(),
            epoch: self.options.epoch,
        };
        let given = assignee.given(instance.graph.row_name(node));
        self.out.given(id, given);
        self.assign(id, node, assignee);
    }

    /// The node's next attempt is this worker's.
    pub(crate) fn assign(&mut self, id: InstanceId, node: usize, assignee: Assignee) {
        self.stop_waiting(id, node);
        let (now, zone) = (self.now, self.zone_of_instance(id));
        let Assignee {
            worker,
            incarnation,
            host,
            epoch,
        } = assignee;
        let worker = &worker;
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let Some(action) = instance.graph.action(node) else {
            return;
        };
        let body = instance.with_values(zone, |values| values.substitute_element(&action.body));
        let body = match body {
            Ok(body) => body,
            Err(error) => {
                self.end_node(id, node, NodeState::Failed, params::message(&error));
                return;
            }
        };
        let Some(row) = instance.slots[node].row.as_deref_mut() else {
            return;
        };
        row.state = NodeState::Running;
        row.attempts += 1;
        row.message = None;
        row.worker = Some(worker.clone());
        if row.started_at.is_none() || action.timeout_scope == TimeoutScope::Attempt {
            row.deadline = action
                .timeout_seconds
                .map(|seconds| now.plus(Duration::from_secs(seconds)));
        }
        row.started_at.get_or_insert(now);
        let attempt = row.attempts;
        let key = instance.attempt_key(node, attempt);
        let attempt = Shared::from(AttemptRow {
            key: key.clone(),
            state: AttemptState::Assigned,
            worker: worker.clone(),
            incarnation,
            host,
            epoch,
            assigned_at: now,
            accepted_at: None,
            ended_at: None,
            cancel: None,
            message: None,
            exit_code: None,
            log_length: 0,
            figures: None,
        });
        self.out.attempt(attempt.clone());
        self.out.effect(Effect::Dispatch(Box::new(Dispatch {
            worker: worker.clone(),
            incarnation,
            key,
            workflow: Arc::clone(instance.graph.title()),
            desc: (instance.graph.workflow())
                .and_then(|workflow| workflow.desc.clone())
                .unwrap_or_default(),
            body,
            params: instance.row.params.clone(),
            fire_time: instance.row.fire_time,
            zone,
            outputs: action.outputs.iter().map(|it| it.name.clone()).collect(),
        })));
        instance.slots[node].attempt = Some(attempt);
        instance.open_attempts += 1;
        instance.mark(node);
        if let Some(need) = instance.share(node) {
            self.pools.take(need, (id, node));
        }
        self.touched.push(id);
        self.workers.add_attempt(worker, (id, node));
        self.resume_waiting(id, node);
    }

    /// The open attempt that `worker` speaks of.
    fn find_attempt(&self, worker: &WorkerId, key: &AttemptKey) -> Option<usize> {
        let instance = self.instances.get(&key.instance)?;
        let node = instance.graph.position(&key.node)?;
        let attempt = instance.slots[node].attempt.as_ref()?;
        (attempt.key == *key && attempt.worker == *worker).then_some(node)
    }

    pub(crate) fn on_accepted(&mut self, worker: WorkerId, key: AttemptKey) {
        match self.find_attempt(&worker, &key) {
            Some(node) => self.on_held(key.instance, node, None),
            None => self.out.effect(Effect::Cancel {
                worker,
                key,
                reason: CancelReason::Orphan,
            }),
        }
    }

    /// The worker holds the attempt: it runs, and nothing restarts. What must stop is told again.
    pub(crate) fn on_held(
        &mut self,
        id: InstanceId,
        node: usize,
        attached: Option<(Incarnation, Epoch)>,
    ) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let Some(attempt) = &mut instance.slots[node].attempt else {
            return;
        };
        let mut has_changed = false;
        if attempt.state == AttemptState::Assigned {
            attempt.state = AttemptState::Running;
            attempt.accepted_at = Some(now);
            has_changed = true;
        }
        if let Some((incarnation, epoch)) = attached
            && (attempt.incarnation, attempt.epoch) != (incarnation, epoch)
        {
            attempt.incarnation = incarnation;
            attempt.epoch = epoch;
            has_changed = true;
        }
        if has_changed {
            self.out.attempt(attempt.clone());
            self.touched.push(id);
        }
        if let Some(reason) = attempt.cancel {
            cancel(instance, node, reason, &mut self.out);
        }
    }

    pub(crate) fn on_finished(&mut self, worker: WorkerId, key: AttemptKey, outcome: Outcome) {
        if let Some(node) = self.find_attempt(&worker, &key) {
            self.attempt_over(key.instance, node, outcome);
        }
        self.out.effect(Effect::Acknowledge { worker, key });
    }

    pub(crate) fn on_tombstoned(&mut self, worker: WorkerId, key: AttemptKey) {
        if let Some(node) = self.find_attempt(&worker, &key) {
            self.lose(key.instance, node);
        }
    }

    /// A worker that has attached holds the attempt.
    pub(crate) fn adopt(&mut self, id: InstanceId, node: usize, incarnation: Incarnation) {
        let epoch = self.options.epoch;
        self.tell_of(id, node, |node| Given::Held {
            node,
            incarnation,
            epoch,
        });
        self.on_held(id, node, Some((incarnation, epoch)));
    }

    /// What became of the worker says that the attempt is lost.
    pub(crate) fn lose_with_worker(&mut self, id: InstanceId, node: usize) {
        self.tell_of(id, node, |node| Given::Lost { node });
        self.lose(id, node);
    }

    fn tell_of(&mut self, id: InstanceId, node: usize, given: impl FnOnce(Name) -> Given) {
        if let Some(instance) = self.instances.get(&id) {
            let given = given(instance.graph.row_name(node));
            self.out.given(id, given);
        }
    }

    /// The attempt is dead with its worker, or proven never to have started.
    pub(crate) fn lose(&mut self, id: InstanceId, node: usize) {
        self.attempt_over(id, node, Outcome::new(OutcomeKind::Lost));
    }

    /// The first outcome of an attempt; there is no second one.
    fn attempt_over(&mut self, id: InstanceId, node: usize, mut outcome: Outcome) {
        let now = self.now;
        self.stop_waiting(id, node);
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let Some(mut taken) = instance.slots[node].attempt.take() else {
            return;
        };
        let attempt = &mut *taken;
        instance.open_attempts -= 1;
        if is_limited_by_attempt(instance, node)
            && let Some(row) = instance.slots[node].row.as_deref_mut()
        {
            row.deadline = None;
        }
        if let Some(need) = instance.need(node) {
            self.pools.give_back(need, (id, node));
            self.ready.unpark(&need.pool);
        }
        let note = take_outputs(instance, node, &mut outcome);
        attempt.state = match outcome.kind {
            OutcomeKind::Succeeded => AttemptState::Succeeded,
            OutcomeKind::Failed | OutcomeKind::FailedForGood => AttemptState::Failed,
            OutcomeKind::Cancelled => AttemptState::Killed,
            OutcomeKind::Lost => AttemptState::Lost,
            // Its row goes, whatever it says.
            OutcomeKind::NotYet => AttemptState::Succeeded,
        };
        attempt.ended_at = Some(now);
        attempt.message = Some(match (&outcome.text, outcome.kind) {
            (None, _) if note.is_some() => note.unwrap_or(Message::Succeeded),
            (Some(why), OutcomeKind::NotYet) => Message::CannotBegin { why: why.clone() },
            (Some(text), _) => Message::said(text.clone()),
            (None, OutcomeKind::Succeeded) => Message::Succeeded,
            (None, OutcomeKind::NotYet) => Message::NotYet { seen: None },
            (None, OutcomeKind::Failed | OutcomeKind::FailedForGood) => {
                Message::said(Text::new("节点执行失败", "failed"))
            }
            (None, OutcomeKind::Cancelled) => match attempt.cancel {
                Some(CancelReason::TimedOut) => Message::TimedOut {
                    seconds: timeout_of(instance, node),
                },
                Some(CancelReason::Marked) => instance
                    .mark_of(node)
                    .map_or(Message::InstanceEnded, mark_message),
                Some(CancelReason::InstanceEnding | CancelReason::Orphan) | None => {
                    Message::InstanceEnded
                }
            },
            (None, OutcomeKind::Lost) => Message::Lost {
                worker: attempt.worker.to_string(),
            },
        });
        attempt.exit_code = outcome.exit_code;
        attempt.log_length = outcome.log_length;
        attempt.figures = outcome.figures.take();
        let (worker, cancelled) = (attempt.worker.clone(), attempt.cancel);
        let message = attempt.message.clone().unwrap_or(Message::Succeeded);
        match outcome.kind {
            OutcomeKind::NotYet => self.out.record(Record::DeleteAttempt {
                key: attempt.key.clone(),
            }),
            _ => self.out.attempt(taken),
        }
        self.touched.push(id);
        self.release_slot(&worker, id, node);
        let ended = Ended {
            kind: outcome.kind,
            exit_code: outcome.exit_code,
            is_timed_out: cancelled == Some(CancelReason::TimedOut),
            message,
        };
        self.judge_node(id, node, ended);
    }

    fn release_slot(&mut self, worker: &WorkerId, id: InstanceId, node: usize) {
        self.workers.remove_attempt(worker, (id, node));
        if let Some(info) = self.workers.info(worker) {
            self.ready.wake(&info.host, &info.id.0, &info.labels);
        } else if let Some(since) = self.workers.forget_if_done(worker) {
            let at = since.plus(self.options.lost_after);
            self.timers.clear(at, Timer::WorkerLost(worker.clone()));
        }
    }

    /// What the end of its attempt means for a node.
    fn judge_node(&mut self, id: InstanceId, node: usize, ended: Ended) {
        if ended.kind == OutcomeKind::Succeeded {
            self.tell_success(id, node, &ended.message);
        }
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let timed_out = Message::TimedOut {
            seconds: timeout_of(instance, node),
        };
        let Ended { kind, message, .. } = ended;
        if instance.course() == Course::Stopping {
            let (state, message) = match kind {
                OutcomeKind::Succeeded => (NodeState::Succeeded, message),
                _ if ended.is_timed_out => (NodeState::Failed, timed_out),
                OutcomeKind::Failed | OutcomeKind::FailedForGood => (NodeState::Failed, message),
                OutcomeKind::Cancelled | OutcomeKind::Lost | OutcomeKind::NotYet => {
                    (NodeState::Killed, Message::InstanceEnded)
                }
            };
            close(instance, node, state, message, self.now);
            self.finish_if_done(id);
            return;
        }
        let is_limited_by_attempt = is_limited_by_attempt(instance, node);
        let mark = instance.mark_of(node).map(mark_message);
        match kind {
            OutcomeKind::Succeeded => self.end_node(id, node, NodeState::Succeeded, message),
            // It need not have succeeded.
            _ if mark.is_some() => {
                let message = mark.unwrap_or(message);
                self.end_node(id, node, NodeState::Succeeded, message);
            }
            _ if ended.is_timed_out && is_limited_by_attempt => {
                self.retry_or_fail(id, node, timed_out, None);
            }
            _ if ended.is_timed_out => self.end_node(id, node, NodeState::Failed, timed_out),
            OutcomeKind::Failed => self.retry_or_fail(id, node, message, ended.exit_code),
            OutcomeKind::FailedForGood => self.fail(id, node, message),
            OutcomeKind::NotYet if matches!(message, Message::CannotBegin { .. }) => {
                self.begin_later(id, node, message);
            }
            OutcomeKind::NotYet => self.look_again(id, node, message),
            OutcomeKind::Cancelled | OutcomeKind::Lost => self.lost_once_more(id, node, message),
        }
    }

    /// It failed once more, and would fail again.
    fn fail(&mut self, id: InstanceId, node: usize, message: Message) {
        if let Some(row) = self
            .instances
            .get_mut(&id)
            .and_then(|instance| instance.slots[node].row.as_deref_mut())
        {
            row.failures += 1;
        }
        self.tell_failure(id, node, &message, None);
        self.end_node(id, node, NodeState::Failed, message);
    }

    pub(crate) fn retry_or_fail(
        &mut self,
        id: InstanceId,
        node: usize,
        message: Message,
        exit_code: Option<i32>,
    ) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let graph = instance.graph.clone();
        let Some((action, row)) = graph
            .action(node)
            .zip(instance.slots[node].row.as_deref_mut())
        else {
            return;
        };
        let failures = row.failures + 1;
        if failures > action.retry_times || !action.retry.applies_to(exit_code) {
            self.fail(id, node, message);
            return;
        }
        row.failures = failures;
        row.message = Some(message.clone());
        let attempt = row.attempts;
        let pause = action.pause(failures, &instance.attempt_key(node, attempt));
        if let Some(row) = instance.slots[node].row.as_deref_mut() {
            if pause.is_zero() {
                row.state = NodeState::Ready;
            } else {
                row.retry_at = Some(now.plus(pause));
            }
        }
        instance.mark(node);
        self.resume_waiting(id, node);
        self.tell_failure(id, node, &message, Some(pause));
    }

    /// A loss consumes no retry, but a node that is lost too often puts its instance into quarantine.
    fn lost_once_more(&mut self, id: InstanceId, node: usize, message: Message) {
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let Some(row) = instance.slots[node].row.as_deref_mut() else {
            return;
        };
        row.losses += 1;
        if row.losses < QUARANTINE_LOSSES {
            row.state = NodeState::Ready;
            row.message = Some(message);
            instance.mark(node);
            self.resume_waiting(id, node);
            return;
        }
        let quarantined = Message::Quarantined {
            node: row.node.to_string(),
            times: row.losses,
        };
        row.state = NodeState::Suspended;
        row.outputs.clear();
        row.message = Some(quarantined.clone());
        instance.mark(node);
        self.suspend(id, quarantined);
    }

    /// Nothing new starts in the instance; what runs goes on.
    fn suspend(&mut self, id: InstanceId, message: Message) {
        self.change_all_waits(id, |instance| {
            instance.row.state = InstanceState::Suspended;
            // How it will end is what people are told already.
            if instance.row.ending.is_none() {
                instance.row.message = Some(message);
            }
            waits::forget(instance);
        });
    }

    /// A node without an open attempt has ended for good; its edges are decided.
    pub(crate) fn end_node(
        &mut self,
        id: InstanceId,
        node: usize,
        state: NodeState,
        message: Message,
    ) {
        let now = self.now;
        self.stop_waiting(id, node);
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        if matches!(instance.course(), Course::Finishing | Course::Stopping) {
            close(instance, node, state, message, now);
            self.touched.push(id);
            self.finish_if_done(id);
            return;
        }
        let (state, message) = match instance.undecidable(node, state == NodeState::Succeeded) {
            Some(fault) => (NodeState::Failed, fault),
            None => (state, message),
        };
        close(instance, node, state, message, now);
        self.touched.push(id);
        self.walk_from(id, node);
    }

    /// The interval between two tries is over.
    pub(crate) fn on_retry_due(&mut self, id: InstanceId, node: usize) {
        self.stop_waiting(id, node);
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        if instance.graph.vertex(node).runner == Runner::Timer {
            self.end_node(id, node, NodeState::Succeeded, Message::Succeeded);
            return;
        }
        let Some(row) = instance.slots[node].row.as_deref_mut() else {
            return;
        };
        row.state = NodeState::Ready;
        row.retry_at = None;
        instance.mark(node);
        self.touched.push(id);
        self.resume_waiting(id, node);
    }

    /// The time of the node, or of its attempt, is up.
    pub(crate) fn on_deadline(&mut self, id: InstanceId, node: usize) {
        let child = self.open_child(id, node);
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let seconds = timeout_of(instance, node);
        let kills = instance
            .graph
            .action(node)
            .is_some_and(|action| action.on_timeout == OnTimeout::Kill);
        let name = instance.graph.name(node).to_owned();
        if instance.slots[node].attempt.is_some() {
            cancel(instance, node, CancelReason::TimedOut, &mut self.out);
            self.touched.push(id);
        } else if let Some(child) = child {
            self.time_out_child(id, node);
            // One that kills its instance kills the child with it.
            if !kills {
                self.kill_child(id, node, child);
            }
        } else if kills {
            self.stop_waiting(id, node);
            if let Some(instance) = self.instances.get_mut(&id) {
                let message = Message::TimedOut { seconds };
                close(instance, node, NodeState::Failed, message, self.now);
                self.touched.push(id);
            }
        } else {
            self.end_node(id, node, NodeState::Failed, Message::TimedOut { seconds });
        }
        if kills {
            let message = Message::NodeTimedOut {
                node: name,
                seconds,
            };
            self.end(id, InstanceState::Killed, message);
        }
    }
}

/// How an attempt ended.
struct Ended {
    kind: OutcomeKind,
    exit_code: Option<i32>,
    is_timed_out: bool,
    message: Message,
}

/// Keeps what a successful attempt has handed on. A success that lacks what its node declares is a failure. Gives back
/// what there is to say.
fn take_outputs(instance: &mut Instance, node: usize, outcome: &mut Outcome) -> Option<Message> {
    let has_looked = outcome.kind == OutcomeKind::NotYet && outcome.text.is_none();
    if has_looked && !waiting::has_settled(instance, node, outcome) {
        return Some(waiting::remember(instance, node, outcome));
    }
    if outcome.kind != OutcomeKind::Succeeded {
        return None;
    }
    let action = instance.graph.action(node);
    let declared = action.map_or(&[][..], |it| &it.outputs);
    match params::judge_outputs(declared, &outcome.outputs) {
        Ok((outputs, note)) => {
            if let Some(row) = instance.slots[node].row.as_deref_mut() {
                row.outputs = outputs;
            }
            note
        }
        Err(message) => {
            // A value of another type comes again, after the work, such as rows that were committed, was done a second time.
            outcome.kind = match message {
                Message::OutputWrong { .. } => OutcomeKind::FailedForGood,
                _ => OutcomeKind::Failed,
            };
            outcome.text = None;
            Some(message)
        }
    }
}

/// The limit in seconds of the node or its attempts.
pub(crate) fn timeout_of(instance: &Instance, node: usize) -> u64 {
    instance
        .graph
        .action(node)
        .and_then(|action| action.timeout_seconds)
        .unwrap_or_default()
}

/// Whether the limit holds for each attempt by itself.
pub(crate) fn is_limited_by_attempt(instance: &Instance, node: usize) -> bool {
    instance
        .graph
        .action(node)
        .is_some_and(|action| action.timeout_scope == TimeoutScope::Attempt)
}
