//! What people ask for, and its answers. The Chinese of a rejection is akkaflow 2.12's where it has one.

use std::sync::Arc;

use akkaflow_model::command::{Answer, Rejection};
use akkaflow_model::definition::Workflow;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::{InstanceId, RequestId};
use akkaflow_model::links::LinkRow;
use akkaflow_model::message::Message;
use akkaflow_model::record::{Record, RequestRow, SkipReason, TriggerKind};
use akkaflow_model::state::InstanceState;
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;

use crate::Engine;
use crate::backfill::StartBackfill;
use crate::effect::Effect;
use crate::input::Order;
use crate::lifecycle::Birth;
use crate::params::ParamError;
use crate::workflows::Entry;

pub(crate) type Answered = Result<Answer, Rejection>;

impl Engine {
    pub(crate) fn on_order(&mut self, request: RequestId, order: Order) {
        let result = match order {
            Order::PutWorkflow {
                workflow,
                origin,
                findings,
            } => self.put_workflow(workflow, origin, findings),
            Order::DeleteWorkflow { name } => self.delete_workflow(&name),
            Order::Run {
                name,
                params,
                fire_time,
                idempotency,
                user,
            } => self.run(&name, &params, fire_time, idempotency, user),
            Order::Trigger {
                name,
                ignore_nodes,
                fire_time,
                user,
            } => self.trigger(&name, ignore_nodes, fire_time, user),
            Order::TriggerBlood {
                name,
                fire_time,
                user,
            } => self.trigger_blood(&name, fire_time, user),
            Order::ResetWorkflow { name } => self.reset_workflow(&name),
            Order::ResetAll => self.reset_all(),
            // Answered when the instance is over.
            Order::Kill { id, user } => return self.kill(request, id, user),
            Order::Rerun { id, stored, how } => self.rerun(id, stored, how, None),
            Order::DeleteInstance { id, is_stored } => self.delete_instance(id, is_stored),
            Order::FenceWorker { id } => self.fence_worker(&id),
            Order::PauseInstance { id, by } => self.pause(id, by.user, by.reason),
            Order::ResumeInstance { id, by } => self.resume_instance(id, by),
            Order::SuspendWorkflow { name, by } => self.suspend_workflow(&name, by.user, by.reason),
            Order::ResumeWorkflow { name } => self.resume_workflow(&name),
            Order::Freeze { by } => self.freeze(by.user, by.reason),
            Order::Thaw => self.thaw(),
            Order::SetPool { name, slots, user } => self.set_pool(name, slots, user),
            Order::MarkNode {
                id,
                mark,
                stored,
                pinned,
            } => self.mark_node(id, mark, stored, pinned),
            Order::Repair {
                id,
                workflow,
                is_dry_run,
                by,
            } => self.repair(id, workflow, is_dry_run, by),
            Order::Expire {
                workflow,
                instances,
                fires_before,
            } => Ok(self.expire(workflow, &instances, fires_before)),
            Order::StartBackfill {
                spec,
                good,
                is_dry_run,
                idempotency,
                by,
            } => self.start_backfill(StartBackfill {
                spec,
                good,
                is_dry_run,
                idempotency,
                by,
            }),
            Order::PauseBackfill { id, by } => self.pause_backfill(id, by),
            Order::ResumeBackfill { id } => self.resume_backfill(id),
            Order::AbortBackfill { id, kills, by } => self.abort_backfill(id, kills, by),
            Order::SetState { name, values, user } => self.set_state(&name, &values, &user),
            Order::MailTried { delivery } => {
                self.out.record(Record::Delivery(delivery));
                Ok(Answer::Done)
            }
            Order::SendMail { key, stored, user } => self.send_again(&key, stored, user),
            // Whoever connects keeps the links; the order of their changes is the core's.
            Order::PutLink { link } => {
                self.keep_link(link);
                Ok(Answer::Done)
            }
            Order::ResealLinks { links, .. } => {
                for link in links {
                    self.keep_link(Box::new(link));
                }
                Ok(Answer::Done)
            }
            Order::DeleteLink { key, .. } => {
                self.out.record(Record::DeleteLink { key: key.clone() });
                self.out.effect(Effect::LinkChanged { key, link: None });
                Ok(Answer::Done)
            }
        };
        self.out.reply(request, result);
    }

    fn keep_link(&mut self, link: Box<LinkRow>) {
        self.out.effect(Effect::LinkChanged {
            key: link.key.clone(),
            link: Some(link.clone()),
        });
        self.out.record(Record::Link(link));
    }

    /// The workflow in force, if instances of it may be asked for.
    pub(crate) fn startable(
        &mut self,
        name: &str,
        unknown: impl FnOnce() -> Text,
    ) -> Result<Arc<Workflow>, Rejection> {
        let Some(entry) = self.workflows.get(name).filter(|entry| entry.exists()) else {
            let text = self.with_epitaph(name, unknown());
            return Err(Rejection::new(ErrorCode::NotFound, text));
        };
        if let Some(text) = entry.not_runnable() {
            return Err(Rejection::new(ErrorCode::Conflict, text.clone()));
        }
        self.workflow_in_force(name)
            .ok_or_else(|| Rejection::new(ErrorCode::Conflict, crate::walk::unreadable_text(name)))
    }

    /// That a workflow does not exist, and why, when somebody has deleted it.
    pub(crate) fn with_epitaph(&self, name: &str, unknown: Text) -> Text {
        let row = self.workflows.get(name).map(|entry| &entry.row);
        match row.and_then(|row| row.epitaph(self.options.zone)) {
            Some(why) => Text::new(
                format!("{}：{}", unknown.zh, why.zh),
                format!("{}: {}", unknown.en, why.en),
            ),
            None => unknown,
        }
    }

    fn run(
        &mut self,
        name: &str,
        overrides: &[(String, String)],
        fire_time: Option<Timestamp>,
        idempotency: Option<(String, String)>,
        user: String,
    ) -> Answered {
        if let Some(id) = self.known_request(idempotency.as_ref())? {
            return Ok(Answer::Instance { id });
        }
        let workflow = self.startable(name, || {
            Text::new(
                format!("未找到名称为[{name}]的工作流"),
                format!("workflow `{name}` does not exist"),
            )
        })?;
        let fire_time = fire_time.unwrap_or(self.now);
        let params = self
            .resolve(&workflow, overrides, fire_time)
            .map_err(|error| wrong_params(&error))?;
        let id = self.create(Birth {
            workflow: name.to_owned(),
            trigger: TriggerKind::Run,
            fire_time,
            params: Ok(params),
            ignore_nodes: Vec::new(),
            chain: None,
            fire: None,
            asked_by: named(user),
            parent: None,
        });
        self.remember_request(idempotency, id);
        Ok(Answer::Instance { id })
    }

    /// What a request made that was asked before.
    pub(crate) fn known_request(
        &self,
        idempotency: Option<&(String, String)>,
    ) -> Result<Option<InstanceId>, Rejection> {
        let Some((key, body_hash)) = idempotency else {
            return Ok(None);
        };
        match self.requests.find(key, self.now) {
            None => Ok(None),
            Some(known) if known.body_hash == *body_hash => Ok(Some(known.instance)),
            Some(_) => Err(Rejection::new(
                ErrorCode::Conflict,
                Text::new(
                    format!("请求标识{key}已用于另一个内容不同的请求"),
                    format!("idempotency key `{key}` was used for a request with other content"),
                ),
            )),
        }
    }

    pub(crate) fn remember_request(
        &mut self,
        idempotency: Option<(String, String)>,
        instance: InstanceId,
    ) {
        if let Some((key, body_hash)) = idempotency {
            let row = RequestRow {
                key,
                body_hash,
                instance,
                at: self.now,
            };
            self.out.record(Record::Request(row.clone()));
            self.requests.remember(row);
        }
    }

    /// The workflow in force, if it has a coordinator.
    fn scheduled(&mut self, name: &str) -> Result<Arc<Workflow>, Rejection> {
        let workflow = self.startable(name, || not_found(name))?;
        if workflow.coordinator.is_none() {
            return Err(Rejection::new(ErrorCode::Conflict, no_coordinator(name)));
        }
        Ok(workflow)
    }

    fn trigger(
        &mut self,
        name: &str,
        ignore_nodes: Vec<String>,
        fire_time: Option<Timestamp>,
        user: String,
    ) -> Answered {
        let workflow = self.scheduled(name)?;
        let fire_time = fire_time.unwrap_or(self.now);
        let params = self
            .resolve(&workflow, &[], fire_time)
            .map_err(|error| wrong_params(&error))?;
        let id = self.create(Birth {
            workflow: name.to_owned(),
            trigger: TriggerKind::Trigger,
            fire_time,
            params: Ok(params),
            ignore_nodes,
            chain: None,
            fire: None,
            asked_by: named(user),
            parent: None,
        });
        Ok(Answer::Instance { id })
    }

    fn trigger_blood(
        &mut self,
        name: &str,
        fire_time: Option<Timestamp>,
        user: String,
    ) -> Answered {
        let workflow = self.scheduled(name)?;
        let fire_time = fire_time.unwrap_or(self.now);
        let params = self
            .resolve(&workflow, &[], fire_time)
            .map_err(|error| wrong_params(&error))?;
        let workflows = self.downstream(name);
        let id = self.create(Birth {
            workflow: name.to_owned(),
            trigger: TriggerKind::Blood,
            fire_time,
            params: Ok(params),
            ignore_nodes: Vec::new(),
            chain: Some(None),
            fire: None,
            asked_by: named(user),
            parent: None,
        });
        self.begin_chain(id, name, &workflows, fire_time);
        Ok(Answer::Chain { id, workflows })
    }

    fn reset_workflow(&mut self, name: &str) -> Answered {
        let Some(entry) = self.workflows.get(name).filter(|entry| entry.exists()) else {
            return Err(Rejection::new(ErrorCode::NotFound, not_found(name)));
        };
        if entry.plan().is_none() {
            return Err(Rejection::new(ErrorCode::Conflict, no_coordinator(name)));
        }
        self.reset(name);
        Ok(Answer::Done)
    }

    fn reset_all(&mut self) -> Answered {
        let names: Vec<String> = self
            .workflows
            .iter()
            .filter(|(_, entry)| entry.plan().is_some())
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            self.reset(&name);
        }
        Ok(Answer::Done)
    }

    fn reset(&mut self, name: &str) {
        self.skip_waiting(name, SkipReason::Reset, |_| true);
        self.clear_tokens(name, |_| true);
        self.arm(name);
    }

    fn kill(&mut self, request: RequestId, id: InstanceId, user: String) {
        let Some(instance) = self
            .instances
            .get_mut(&id)
            .filter(|instance| !instance.row.state.is_terminal())
        else {
            let rejection = Rejection::new(
                ErrorCode::NotFound,
                Text::new(
                    format!("[工作流实例：{id}]不存在，不能kill掉"),
                    format!("instance {id} is not running and cannot be killed"),
                ),
            );
            self.out.reply(request, Err(rejection));
            return;
        };
        instance.killers.push(request);
        self.lift_pause(id);
        self.end(id, InstanceState::Killed, Message::KilledBy { user });
    }

    fn delete_instance(&mut self, id: InstanceId, is_stored: bool) -> Answered {
        let (code, text) = match self.instances.get(&id) {
            Some(instance) if instance.is_waiting() => (
                ErrorCode::Conflict,
                Text::new(
                    format!("工作流{id}在等待队列，无法删除，请先移除"),
                    format!("instance {id} is waiting to start; kill it first"),
                ),
            ),
            Some(_) => (
                ErrorCode::Conflict,
                Text::new(
                    format!("工作流{id}运行中，无法删除，请先杀死"),
                    format!("instance {id} is running; kill it first"),
                ),
            ),
            None if is_stored => {
                self.out.record(Record::DeleteInstance { id });
                return Ok(Answer::Done);
            }
            None => (
                ErrorCode::NotFound,
                Text::new("无效实例id", format!("instance {id} does not exist")),
            ),
        };
        Err(Rejection::new(code, text))
    }

    /// Removes old instances, but none that was rerun since somebody found it ended, and old fires.
    fn expire(
        &mut self,
        workflow: String,
        instances: &[InstanceId],
        fires_before: Option<Timestamp>,
    ) -> Answer {
        for &id in instances {
            if !self.instances.contains_key(&id) {
                self.out.record(Record::ExpireInstance { id });
            }
        }
        if let Some(before) = fires_before {
            self.out.record(Record::ForgetFires { workflow, before });
        }
        Answer::Done
    }

    /// What keeps a workflow's next instance in the queue, apart from those before it.
    pub(crate) fn start_block(&self, workflow: &str) -> Option<StartBlock> {
        if self.cluster.frozen.is_some() {
            return Some(StartBlock::Frozen);
        }
        let Some(entry) = self.workflows.get(workflow) else {
            return Some(StartBlock::NoDefinition);
        };
        let Some(definition) = &entry.definition else {
            return Some(StartBlock::NoDefinition);
        };
        if entry.not_runnable().is_some() {
            Some(StartBlock::NotRunnable)
        } else if definition.instance_limit <= 0 {
            Some(StartBlock::LimitZero)
        } else if !entry.is_below_limit(definition.instance_limit) {
            Some(StartBlock::LimitReached)
        } else {
            None
        }
    }
}

/// Why no waiting instance of a workflow may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartBlock {
    Frozen,
    NoDefinition,
    NotRunnable,
    LimitZero,
    LimitReached,
}

impl Entry {
    fn is_below_limit(&self, limit: i64) -> bool {
        i64::try_from(self.running.len()).is_ok_and(|running| running < limit)
    }
}

/// Who asks, where they said so.
pub(crate) fn named(user: String) -> Option<String> {
    (!user.is_empty()).then_some(user)
}

pub(crate) fn not_found(name: &str) -> Text {
    Text::new(
        format!("工作流[{name}]不存在"),
        format!("workflow `{name}` does not exist"),
    )
}

fn no_coordinator(name: &str) -> Text {
    Text::new(
        format!("工作流[{name}]未配置调度"),
        format!("workflow `{name}` has no <coordinator>"),
    )
}

fn wrong_params(error: &ParamError) -> Rejection {
    Rejection::new(ErrorCode::Invalid, error.text())
}
