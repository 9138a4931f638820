//! What a leading master shows the world, and what it hears from its workers.

use akkaflow_engine::{Dispatch, Effect, Input, Known, WorkerInfo};
use akkaflow_model::id::{AttemptKey, Epoch, InstanceId, WorkerId};
use akkaflow_protocol::agent;
use akkaflow_protocol::leader::LeaderInput;

use super::kept::Habit;
use super::network::{Connection, ToMaster, ToWorker};
use super::oracle::check_outputs_used;
use super::plan::SECOND;
use super::planted::Planted;
use super::world::{Event, World};

impl World {
    /// Lets the world see one effect.
    pub(crate) fn release(&mut self, index: usize, effect: Effect) {
        match effect {
            Effect::Dispatch(dispatch) => {
                self.check_dispatch(&dispatch.key, &dispatch.worker);
                self.check_body(&dispatch);
                let Some(epoch) = self.masters[index].reign.as_ref().map(|reign| reign.epoch)
                else {
                    return;
                };
                let message = ToWorker::Start {
                    key: dispatch.key.clone(),
                    epoch,
                    incarnation: dispatch.incarnation,
                };
                self.tell_worker(index, &dispatch.worker, message);
                if self.planted == Some(Planted::StartSentToAnother) {
                    self.start_elsewhere(index, &dispatch.worker, &dispatch.key, epoch);
                }
                self.maybe_cut(index, &dispatch.worker);
            }
            Effect::Cancel { worker, key, .. } => {
                self.tell_worker(index, &worker, ToWorker::Cancel { key });
            }
            Effect::RequestTombstone { worker, key } => self.ask_tombstone(index, worker, key),
            Effect::Acknowledge { worker, key } => {
                self.check_acknowledgement(&key);
                self.tell_worker(index, &worker, ToWorker::Acknowledge { key });
            }
            Effect::Reply { request, result } => self.on_answer(request, result),
            Effect::Changed { instance } => self.note_instance(instance),
            Effect::Learn { instance, .. } => self.look_up(index, instance),
            Effect::MailOwed | Effect::LinkChanged { .. } => {}
        }
    }

    /// The history says something, after a while; or the master is gone by then.
    fn look_up(&mut self, index: usize, instance: InstanceId) {
        let Some(epoch) = self.masters[index].reign.as_ref().map(|reign| reign.epoch) else {
            return;
        };
        let row = self.store.tables.instances.get(&instance);
        let content = row.and_then(|row| self.library.contents.get(&row.version));
        let names: Vec<String> = content
            .map(|content| content.nodes.iter().map(|node| node.name.clone()).collect())
            .unwrap_or_default();
        let longest = self.plan.longest_run;
        let mut nodes = Vec::new();
        for node in names {
            if self.rng.chance(80) {
                let attempt_ms = self.rng.between(SECOND, longest.max(2 * SECOND));
                nodes.push(Known {
                    node,
                    attempt_ms,
                    whole_ms: attempt_ms * 2,
                });
            }
        }
        let delay = self.rng.below(20 * SECOND);
        let event = Event::Feed {
            master: index,
            epoch,
            input: Box::new(Input::Usual { instance, nodes }),
        };
        self.at(delay, event);
    }

    fn start_elsewhere(&mut self, index: usize, not: &WorkerId, key: &AttemptKey, epoch: Epoch) {
        let other = self.workers.iter().find(|worker| worker.id != *not);
        if let Some((id, incarnation)) = other.map(|worker| (worker.id.clone(), worker.incarnation))
        {
            let message = ToWorker::Start {
                key: key.clone(),
                epoch,
                incarnation,
            };
            self.tell_worker(index, &id, message);
        }
    }

    fn ask_tombstone(&mut self, index: usize, worker: WorkerId, key: AttemptKey) {
        if self.planted == Some(Planted::TombstoneNotAsked) {
            return;
        }
        if self.planted != Some(Planted::NoTombstone) {
            self.tell_worker(index, &worker, ToWorker::Tombstone { key });
            return;
        }
        if let Some(reign) = &self.masters[index].reign {
            let event = Event::Feed {
                master: index,
                epoch: reign.epoch,
                input: Box::new(Input::Tombstoned { worker, key }),
            };
            self.at(0, event);
        }
    }

    fn tell_worker(&mut self, index: usize, worker: &WorkerId, message: ToWorker) {
        if let Some(number) = self.session_of(index, worker) {
            self.send_to_worker(number, message);
        }
    }

    /// A cut at the worst moment: a start is on its way, or was never sent.
    fn maybe_cut(&mut self, index: usize, worker: &WorkerId) {
        if self.rng.below(200) == 0
            && self.has(Habit::Moments)
            && let Some(number) = self.session_of(index, worker)
        {
            self.cut(number);
        }
    }

    fn session_of(&self, index: usize, worker: &WorkerId) -> Option<u64> {
        let reign = self.masters[index].reign.as_ref()?;
        let worker = self.workers.iter().position(|known| known.id == *worker)?;
        reign.sessions.get(&worker).map(|(number, _)| *number)
    }

    /// A dispatch follows its durable row.
    fn check_dispatch(&mut self, key: &AttemptKey, worker: &WorkerId) {
        let is_durable = self
            .store
            .tables
            .attempts
            .get(key)
            .is_some_and(|row| row.worker == *worker);
        if !is_durable {
            self.fail(format!(
                "I3: attempt {key} is dispatched before its row is durable"
            ));
        }
    }

    /// Outputs in the body are those of this run, as they are durable.
    fn check_body(&mut self, dispatch: &Dispatch) {
        let mut text = dispatch.body.text();
        if self.planted == Some(Planted::EarlierOutputUsed) && dispatch.key.run > 1 {
            text = text.replace('=', "=9");
        }
        let verdict = check_outputs_used(&self.store.tables, &dispatch.key, &text);
        self.judge(verdict);
    }

    /// An acknowledgement follows the durable outcome.
    fn check_acknowledgement(&mut self, key: &AttemptKey) {
        let row = self.store.tables.attempts.get(key);
        if row.is_some_and(|row| !row.state.is_terminal()) {
            self.fail(format!(
                "I8: attempt {key} is acknowledged before its outcome is durable"
            ));
        }
    }

    pub(crate) fn on_worker_message(
        &mut self,
        number: u64,
        connection: &Connection,
        message: ToMaster,
    ) {
        let (index, worker) = (connection.master, connection.worker);
        if !self.may_lead(index) {
            self.cut(number);
            return;
        }
        let id = self.workers[worker].id.clone();
        match message {
            ToMaster::Attach(attach) => self.on_attach(number, index, worker, attach),
            ToMaster::Event(agent::Event::Accepted(key)) => {
                self.feed(index, Input::AttemptAccepted { worker: id, key });
            }
            ToMaster::Event(agent::Event::Finished(key, outcome)) => {
                let input = Input::AttemptFinished {
                    worker: id,
                    key,
                    outcome,
                };
                self.feed(index, input);
            }
            ToMaster::Event(agent::Event::Tombstoned(key)) => {
                self.feed(index, Input::Tombstoned { worker: id, key });
            }
            ToMaster::Event(agent::Event::Leaving { holds }) => {
                let input = Input::WorkerLeaving {
                    id,
                    incarnation: connection.incarnation,
                    holds,
                };
                self.feed(index, input);
            }
        }
    }

    fn on_attach(&mut self, number: u64, index: usize, worker: usize, attach: agent::Attach) {
        let Some(reign) = self.masters[index].reign.as_mut() else {
            return;
        };
        let epoch = reign.epoch;
        if attach.max_epoch > epoch {
            self.lead(index, LeaderInput::Fenced);
            return;
        }
        let before = reign.sessions.insert(worker, (number, attach.incarnation));
        if let Some((before, _)) = before {
            self.cut(before);
        }
        self.send_to_worker(number, ToWorker::Welcome { epoch });
        let slots = self.workers[worker].slots;
        let info = WorkerInfo {
            id: self.workers[worker].id.clone(),
            incarnation: attach.incarnation,
            host: if self.planted == Some(Planted::HostMixedUp) {
                "host0".into()
            } else {
                self.workers[worker].host.as_str().into()
            },
            slots: if self.planted == Some(Planted::SlotsOverstated) {
                slots * 2
            } else {
                slots
            },
            labels: self.workers[worker].labels.clone(),
        };
        let holds = attach.holds;
        self.feed(
            index,
            Input::WorkerAttached {
                worker: info,
                holds,
            },
        );
    }

    pub(crate) fn on_session_lost(&mut self, index: usize, worker: usize, number: u64) {
        let Some(reign) = self.masters[index].reign.as_mut() else {
            return;
        };
        let Some((current, incarnation)) = reign.sessions.get(&worker).copied() else {
            return;
        };
        if current != number {
            return;
        }
        reign.sessions.remove(&worker);
        if self.planted == Some(Planted::DetachmentUnnoticed) {
            return;
        }
        let id = self.workers[worker].id.clone();
        self.feed(index, Input::WorkerDetached { id, incarnation });
    }
}
