//! Workers come and go.

use std::collections::BTreeSet;

use akkaflow_model::command::{Answer, Rejection};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::{AttemptKey, Incarnation, InstanceId, WorkerId};
use akkaflow_model::record::CancelReason;
use akkaflow_model::text::Text;

use crate::Engine;
use crate::effect::Effect;
use crate::input::WorkerInfo;
use crate::timers::Timer;

impl Engine {
    /// A worker says what it holds; what it was given and does not hold is judged.
    pub(crate) fn on_attached(&mut self, info: WorkerInfo, holds: Vec<AttemptKey>) {
        let (id, incarnation) = (info.id.clone(), info.incarnation);
        if self.newest_incarnation(&id) > Some(incarnation) {
            self.on_outdated_attach(&id);
            return;
        }
        self.stop_clock(&id);
        self.ready.wake(&info.host, &id.0, &info.labels);
        self.workers.attach(info);
        self.ready.unpark_all();
        let given = self.given_to(&id);
        let mut holds: BTreeSet<AttemptKey> = holds.into_iter().collect();
        for (instance, node) in given {
            let Some(attempt) = self
                .instances
                .get(&instance)
                .and_then(|instance| instance.slots[node].attempt.as_deref())
            else {
                continue;
            };
            if holds.remove(&attempt.key) {
                self.adopt(instance, node, incarnation);
            } else if attempt.incarnation == incarnation {
                let key = attempt.key.clone();
                self.out.effect(Effect::RequestTombstone {
                    worker: id.clone(),
                    key,
                });
            } else {
                self.lose_with_worker(instance, node);
            }
        }
        for key in holds {
            self.out.effect(Effect::Cancel {
                worker: id.clone(),
                key,
                reason: CancelReason::Orphan,
            });
        }
    }

    /// The latest start of the worker that we know of.
    fn newest_incarnation(&self, id: &WorkerId) -> Option<Incarnation> {
        let worker = self.workers.get(id)?;
        let given = worker.attempts.iter().filter_map(|(instance, node)| {
            let slot = &self.instances.get(instance)?.slots[*node];
            Some(slot.attempt.as_deref()?.incarnation)
        });
        worker
            .info
            .iter()
            .map(|info| info.incarnation)
            .chain(given)
            .max()
    }

    /// What an earlier start of the worker held proves nothing any more. Its stream has taken the place of the newer
    /// one's, which has ended by that and attaches again.
    fn on_outdated_attach(&mut self, id: &WorkerId) {
        if self.workers.info(id).is_some() {
            self.take_out_of_service(id);
        }
    }

    fn stop_clock(&mut self, id: &WorkerId) {
        if let Some(since) = self
            .workers
            .get(id)
            .and_then(|worker| worker.detached_since)
        {
            let at = since.plus(self.options.lost_after);
            self.timers.clear(at, Timer::WorkerLost(id.clone()));
        }
    }

    pub(crate) fn on_detached(&mut self, id: &WorkerId, incarnation: Incarnation) {
        if self.is_attached_as(id, incarnation) {
            self.take_out_of_service(id);
        }
    }

    /// A worker that stops in order gets nothing new, and others get at once what it has not accepted.
    pub(crate) fn on_leaving(
        &mut self,
        id: &WorkerId,
        incarnation: Incarnation,
        holds: &[AttemptKey],
    ) {
        if !self.is_attached_as(id, incarnation) {
            return;
        }
        self.take_out_of_service(id);
        let holds: BTreeSet<&AttemptKey> = holds.iter().collect();
        for (instance, node) in self.given_to(id) {
            let is_held = self
                .instances
                .get(&instance)
                .and_then(|instance| instance.slots[node].attempt.as_deref())
                .is_none_or(|attempt| holds.contains(&attempt.key));
            if !is_held {
                self.lose_with_worker(instance, node);
            }
        }
    }

    fn is_attached_as(&self, id: &WorkerId, incarnation: Incarnation) -> bool {
        let info = self.workers.info(id);
        info.is_some_and(|info| info.incarnation == incarnation)
    }

    fn take_out_of_service(&mut self, id: &WorkerId) {
        self.workers.detach(id);
        // Nodes that it might have run keep nobody out of a pool any more.
        self.ready.unpark_all();
        self.start_clock(id);
    }

    /// From now on the worker counts as detached.
    pub(crate) fn start_clock(&mut self, id: &WorkerId) {
        if self.workers.start_clock(id, self.now) {
            let at = self.now.plus(self.options.lost_after);
            self.timers.set(at, Timer::WorkerLost(id.clone()));
        }
    }

    /// Gives up all attempts of a worker that has been away for too long.
    pub(crate) fn on_worker_lost(&mut self, id: &WorkerId) {
        for (instance, node) in self.given_to(id) {
            self.lose_with_worker(instance, node);
        }
    }

    fn given_to(&self, id: &WorkerId) -> Vec<(InstanceId, usize)> {
        let worker = self.workers.get(id).into_iter();
        worker
            .flat_map(|worker| worker.attempts.iter().copied())
            .collect()
    }

    /// A person vouches that the worker is dead.
    pub(crate) fn fence_worker(&mut self, id: &WorkerId) -> Result<Answer, Rejection> {
        let Some(worker) = self.workers.get(id) else {
            return Err(Rejection::new(
                ErrorCode::NotFound,
                Text::new(
                    format!("未找到Worker[{id}]，或它没有未结束的节点"),
                    format!("worker `{id}` is unknown, or runs nothing that waits for it"),
                ),
            ));
        };
        if worker.info.is_some() {
            return Err(Rejection::new(
                ErrorCode::Conflict,
                Text::new(
                    format!("Worker[{id}]仍然在线，请先停止它"),
                    format!("worker `{id}` is attached; stop it first"),
                ),
            ));
        }
        self.stop_clock(id);
        self.on_worker_lost(id);
        Ok(Answer::Done)
    }
}
