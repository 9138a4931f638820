//! What people hold up and let go on: an instance, a workflow's schedule, the whole cluster; and the pools.
//!
//! Each of these may be repeated: what is held already stays held as the first one said.

use akkaflow_model::command::{Answer, By, Rejection};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::Message;
use akkaflow_model::record::{Hold, PoolRow, Record, WorkflowRow};
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Text;

use crate::Engine;
use crate::instances::Instance;
use crate::orders::{Answered, not_found};
use crate::waits;

impl Engine {
    pub(crate) fn hold(&self, user: String, reason: String) -> Hold {
        Hold {
            user,
            reason,
            since: self.now,
        }
    }

    /// What runs in the instance finishes, nothing new starts; a waiting one leaves the queue.
    pub(crate) fn pause(&mut self, id: InstanceId, user: String, reason: String) -> Answered {
        let now = self.now;
        let hold = self.hold(user, reason);
        let instance = self.open(id)?;
        if instance.row.hold.is_some() {
            return Ok(Answer::Done);
        }
        let message = Message::Paused {
            user: hold.user.clone(),
            reason: hold.reason.clone(),
        };
        if instance.is_waiting() {
            let key = (instance.row.created_at, id);
            let workflow = instance.row.workflow.clone();
            instance.row.state = InstanceState::Suspended;
            instance.row.intervene(now, None, message.clone());
            instance.row.message = Some(message);
            instance.row.hold = Some(hold);
            self.touch(id);
            if let Some(entry) = self.workflows.get_mut(&workflow) {
                entry.queue.remove(&key);
                entry.paused.insert(key);
            }
            self.backfills.unpark(&workflow);
            return Ok(Answer::Done);
        }
        self.change_all_waits(id, |instance| {
            instance.row.state = InstanceState::Suspended;
            instance.row.intervene(now, None, message.clone());
            instance.row.message = Some(message);
            instance.row.hold = Some(hold);
            waits::forget(instance);
        });
        Ok(Answer::Done)
    }

    /// A paused instance goes on, one in quarantine too. Its time-outs have stood still for nodes that did not run.
    pub(crate) fn resume_instance(&mut self, id: InstanceId, by: By) -> Answered {
        let now = self.now;
        let message = Message::Resumed {
            user: by.user,
            reason: by.reason,
        };
        // What has begun to end meanwhile may have a clean-up that waits for this.
        let instance = self.living(id)?;
        if instance.row.state != InstanceState::Suspended {
            return Ok(Answer::Done);
        }
        if instance.row.started_at.is_none() {
            instance.row.state = InstanceState::Ready;
            instance.row.intervene(now, None, message);
            instance.row.message = None;
            instance.row.hold = None;
            let key = (instance.row.created_at, id);
            let workflow = instance.row.workflow.clone();
            self.touch(id);
            if let Some(entry) = self.workflows.get_mut(&workflow) {
                entry.paused.remove(&key);
                entry.queue.insert(key);
                self.backlog.join(&workflow);
            }
            return Ok(Answer::Done);
        }
        self.change_all_waits(id, |instance| {
            instance.row.state = InstanceState::Running;
            instance.row.intervene(now, None, message);
            // Why it ends badly stays what people are told.
            if matches!(instance.row.ending, None | Some(InstanceState::Succeeded)) {
                instance.row.message = None;
            }
            let paused_for = instance.row.hold.take().map(|hold| now.since(hold.since));
            for node in 0..instance.slots.len() {
                let runs = instance.runs(node);
                let Some(row) = instance.slots[node].row.as_deref_mut() else {
                    continue;
                };
                let is_idle = !runs && !row.state.is_terminal();
                if row.state == NodeState::Suspended {
                    // Somebody has looked: it may be lost as often again.
                    row.state = NodeState::Ready;
                    row.losses = 0;
                    row.message = None;
                } else if paused_for.is_none() || row.deadline.is_none() || !is_idle {
                    continue;
                }
                if let (Some(paused_for), Some(deadline)) = (paused_for, row.deadline) {
                    row.deadline = Some(deadline.plus(paused_for));
                }
                instance.mark(node);
            }
        });
        Ok(Answer::Done)
    }

    /// A kill is a later word than a pause: the clean-up behind it waits for nobody.
    pub(crate) fn lift_pause(&mut self, id: InstanceId) {
        let is_held =
            |instance: &Instance| instance.row.hold.is_some() && instance.row.started_at.is_some();
        if self.instances.get(&id).is_some_and(is_held) {
            self.change_all_waits(id, |instance| {
                instance.row.hold = None;
                instance.row.state = InstanceState::Running;
            });
        }
    }

    /// The open instance that somebody asks to change, unless it is to end.
    pub(crate) fn open(&mut self, id: InstanceId) -> Result<&mut Instance, Rejection> {
        let instance = self.living(id)?;
        if instance.row.ending.is_some() {
            return Err(Rejection::new(
                ErrorCode::Conflict,
                Text::new(
                    format!("工作流实例[{id}]正在结束"),
                    format!("instance {id} is ending"),
                ),
            ));
        }
        Ok(instance)
    }

    fn living(&mut self, id: InstanceId) -> Result<&mut Instance, Rejection> {
        self.instances
            .get_mut(&id)
            .filter(|instance| !instance.row.state.is_terminal())
            .ok_or_else(|| {
                Rejection::new(
                    ErrorCode::NotFound,
                    Text::new(
                        format!("工作流实例[{id}]不存在或已结束"),
                        format!("instance {id} is unknown or has ended"),
                    ),
                )
            })
    }

    /// Changes an instance that is no longer in the queue, with the lines and timers of all its nodes.
    pub(crate) fn change_all_waits(&mut self, id: InstanceId, change: impl FnOnce(&mut Instance)) {
        let Some(instance) = self.instances.get(&id) else {
            return;
        };
        let nodes = 0..instance.slots.len();
        for node in nodes.clone() {
            self.stop_waiting(id, node);
        }
        if let Some(instance) = self.instances.get_mut(&id) {
            change(instance);
        }
        for node in nodes {
            self.resume_waiting(id, node);
        }
        self.touch(id);
    }

    /// The workflow starts no instance by itself any more; people still may, and what is there goes on.
    pub(crate) fn suspend_workflow(
        &mut self,
        name: &str,
        user: String,
        reason: String,
    ) -> Answered {
        let hold = self.hold(user, reason);
        let row = self.existing(name)?;
        if row.hold.is_none() {
            let row = WorkflowRow {
                hold: Some(hold),
                ..row.clone()
            };
            self.write_workflow(row);
            self.update_schedule(name);
        }
        Ok(Answer::Done)
    }

    /// Its schedule goes on from now: the slots that have passed meanwhile are no missed ones. Its tokens have waited.
    pub(crate) fn resume_workflow(&mut self, name: &str) -> Answered {
        let row = self.existing(name)?;
        if row.hold.is_some() {
            let row = WorkflowRow {
                hold: None,
                ..row.clone()
            };
            self.write_workflow(row);
            self.update_schedule(name);
            self.consider.join(name);
            self.backfills.unpark(name);
            self.resume_chains_at(name);
        }
        Ok(Answer::Done)
    }

    fn existing(&self, name: &str) -> Result<&WorkflowRow, Rejection> {
        self.workflows
            .get(name)
            .filter(|entry| entry.exists())
            .map(|entry| &entry.row)
            .ok_or_else(|| Rejection::new(ErrorCode::NotFound, not_found(name)))
    }

    /// Nothing is fired, started or dispatched any more; what runs goes on.
    pub(crate) fn freeze(&mut self, user: String, reason: String) -> Answered {
        if self.cluster.frozen.is_none() {
            self.cluster.frozen = Some(self.hold(user, reason));
            self.out.record(Record::Cluster(self.cluster.clone()));
        }
        Ok(Answer::Done)
    }

    /// The cluster goes on where it was frozen: slots that came due meanwhile fire now, each as its schedule says.
    pub(crate) fn thaw(&mut self) -> Answered {
        if self.cluster.frozen.take().is_none() {
            return Ok(Answer::Done);
        }
        self.out.record(Record::Cluster(self.cluster.clone()));
        self.ready.wake_all();
        self.wake_backfills();
        for (name, entry) in &self.workflows {
            if !entry.waiting_fires.is_empty() || !entry.tokens.is_empty() {
                self.consider.join(name);
            }
            if !entry.queue.is_empty() {
                self.backlog.join(name);
            }
        }
        Ok(Answer::Done)
    }

    /// Defines a pool, changes its size, or removes it. What is held stays held.
    pub(crate) fn set_pool(&mut self, name: String, slots: Option<u32>, user: String) -> Answered {
        let before = self.pools.row(&name).map(|row| row.slots);
        if before == Some(slots) {
            return Ok(Answer::Done);
        }
        if before.is_none() && slots.is_none() {
            return Err(Rejection::new(
                ErrorCode::NotFound,
                Text::new(
                    format!("资源池[{name}]不存在"),
                    format!("pool `{name}` does not exist"),
                ),
            ));
        }
        let row = PoolRow {
            name: name.clone(),
            slots,
            user,
            updated_at: self.now,
        };
        self.out.record(Record::Pool(row.clone()));
        self.pools.put(row);
        self.ready.unpark(&name);
        Ok(Answer::Done)
    }
}
