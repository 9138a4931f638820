//! Carries out what the agent's state machine decides.

use std::sync::Arc;
use std::time::Duration;

use akkaflow_actions::{AttemptContext, Level, ParsedAction};
use akkaflow_model::id::AttemptKey;
use akkaflow_model::outcome::{Outcome, OutcomeKind};
use akkaflow_protocol::agent::{Event, Input, Output};
use akkaflow_rpc::wire;
use akkaflow_rpc::worker::finished_to_wire;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::attempt::{Attempt, Phase};
use super::turns::Turns;
use super::{Core, Message, WATCH_AFTER};
use crate::attachments;
use crate::clock::{self, millis};
use crate::logs;
use crate::outcome;
use crate::prepare::{self, Done, Order, Prepared};
use crate::secrets::Secrets;
use crate::supervisor::Request;

/// A task that does not end so long after it was told to is dropped where it stands.
const TASK_PATIENCE: Duration = Duration::from_secs(10);

impl Core {
    pub(super) fn carry_out(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Persist(entry) => self.entries.push(entry),
                Output::Exec { key } => self.on_exec(&key),
                Output::Stop { key } => self.on_stop(&key),
                Output::Send(event) => self.events.push(to_wire(&event)),
                Output::Forget { key } => {
                    if let Some(attempt) = self.attempts.get_mut(&key) {
                        attempt.is_acknowledged = true;
                        self.forget_if_done(&key);
                    }
                }
                Output::HangUp(refusal) => {
                    tracing::warn!(reason = ?refusal, "not obeying this master");
                    if let Some(session) = self.session.take() {
                        session.hang_up.cancel();
                    }
                }
            }
        }
    }

    /// Begins to prepare an attempt that was just accepted.
    pub(super) fn begin(&mut self, key: AttemptKey, start: wire::Start) {
        let attempt = Attempt::new(&key, &self.home);
        let order = Order {
            key: key.clone(),
            id: attempt.id.clone(),
            home: attempt.home.clone(),
            writer: attempt.writer.clone(),
            cancel: attempt.cancel.clone(),
            start,
        };
        self.keys.insert(attempt.id.clone(), key.clone());
        self.attempts.insert(key, attempt);
        if order.start.attachments.is_empty() {
            let _ = self.hands.orders.send(order);
        } else {
            self.fetch(order);
        }
    }

    fn fetch(&self, order: Order) {
        let client = self.session.as_ref().map(|session| session.client.clone());
        let worker_id = Arc::clone(&self.hands.worker_id);
        let cache = Arc::clone(&self.hands.cache);
        let orders = self.hands.orders.clone();
        let core = self.hands.myself.clone();
        tokio::spawn(async move {
            match attachments::fetch(client, &worker_id, &cache, &order).await {
                Ok(()) => {
                    let _ = orders.send(order);
                }
                Err(outcome) => {
                    let prepared = Box::new(Prepared::Failed(outcome));
                    let _ = core.send(Message::Prepared(order.key, prepared)).await;
                }
            }
        });
    }

    pub(super) fn on_prepared(&mut self, key: &AttemptKey, prepared: Prepared) {
        let Some(attempt) = self.attempts.get_mut(key) else {
            return;
        };
        match attempt.phase {
            Phase::Preparing { must_start: true } => self.launch(key, prepared),
            Phase::Preparing { must_start: false } => attempt.phase = Phase::Ready(prepared),
            // It ended meanwhile: stopped before it began.
            Phase::Ready(_) | Phase::Waiting(_) | Phase::Process | Phase::Task | Phase::Ended => {}
        }
    }

    /// What does not run yet will not: its turn comes elsewhere. An acceptance that is still being flushed is given up once it is
    /// durable, see [`Self::on_exec`].
    pub(super) fn give_up_unstarted(&mut self) {
        let accepted: Vec<AttemptKey> = self.agent.running().cloned().collect();
        for key in accepted {
            let is_unstarted = |attempt: &Attempt| match attempt.phase {
                Phase::Preparing { must_start } => must_start,
                Phase::Waiting(_) => true,
                _ => false,
            };
            if self.attempts.get(&key).is_some_and(is_unstarted) {
                self.on_ended(&key, outcome::lost());
            }
        }
    }

    fn on_exec(&mut self, key: &AttemptKey) {
        if self.is_stopping {
            return self.on_ended(key, outcome::lost());
        }
        let Some(attempt) = self.attempts.get_mut(key) else {
            return;
        };
        match std::mem::replace(&mut attempt.phase, Phase::Preparing { must_start: true }) {
            Phase::Ready(prepared) => self.launch(key, prepared),
            Phase::Preparing { .. } => {}
            other => attempt.phase = other,
        }
    }

    fn launch(&mut self, key: &AttemptKey, prepared: Prepared) {
        let Some(attempt) = self.attempts.get_mut(key) else {
            return;
        };
        if attempt.must_stop {
            return self.on_ended(key, outcome::cancelled());
        }
        match prepared {
            Prepared::Failed(outcome) => self.on_ended(key, outcome),
            Prepared::Process(start) if self.supervisor.is_some() => {
                attempt.phase = Phase::Process;
                self.unwatched
                    .push_back((clock::since_boot() + WATCH_AFTER, key.clone()));
                self.request(Request::Start(*start));
            }
            Prepared::Process(_) => attempt.phase = Phase::Waiting(prepared),
            Prepared::Task(action, context) => {
                attempt.phase = Phase::Task;
                self.unwatched
                    .push_back((clock::since_boot() + WATCH_AFTER, key.clone()));
                let core = self.hands.myself.clone();
                let key = key.clone();
                let turns = self.turns.clone();
                let tasks = self.hands.tasks.clone();
                tokio::spawn(async move {
                    let outcome = run_task(action, context, &turns, &tasks).await;
                    let _ = core.send(Message::TaskEnded(key, outcome)).await;
                });
            }
        }
    }

    /// Starts what waited for a supervisor.
    pub(super) fn launch_waiting(&mut self) {
        let waiting: Vec<AttemptKey> = self
            .attempts
            .iter()
            .filter(|(_, attempt)| matches!(attempt.phase, Phase::Waiting(_)))
            .map(|(key, _)| key.clone())
            .collect();
        for key in waiting {
            if let Some(attempt) = self.attempts.get_mut(&key)
                && let Phase::Waiting(prepared) =
                    std::mem::replace(&mut attempt.phase, Phase::Process)
            {
                self.launch(&key, prepared);
            }
        }
    }

    fn on_stop(&mut self, key: &AttemptKey) {
        let Some(attempt) = self.attempts.get_mut(key) else {
            return;
        };
        attempt.must_stop = true;
        attempt.cancel.cancel();
        match &attempt.phase {
            Phase::Preparing { .. } | Phase::Ready(_) | Phase::Waiting(_) => {
                self.on_ended(key, outcome::cancelled());
            }
            Phase::Process => self.request_kill(key),
            Phase::Task | Phase::Ended => {}
        }
    }

    pub(super) fn request_kill(&self, key: &AttemptKey) {
        if let Some(attempt) = self.attempts.get(key) {
            self.request(Request::Kill {
                id: attempt.id.clone(),
                marker: key.to_string(),
                grace_ms: millis(self.kill_grace),
            });
        }
    }

    /// An attempt is over, for whatever reason.
    pub(super) fn on_ended(&mut self, key: &AttemptKey, mut outcome: Outcome) {
        let Some(attempt) = self.attempts.get_mut(key) else {
            return;
        };
        if matches!(attempt.phase, Phase::Ended) {
            return;
        }
        attempt.phase = Phase::Ended;
        if outcome.kind == OutcomeKind::Cancelled && !attempt.must_stop {
            outcome = outcome::lost();
        }
        outcome.log_length = self.end_output(key);
        let key = key.clone();
        self.feed(Input::Exited { key, outcome });
    }

    /// No output follows; the bytes that there are.
    pub(super) fn end_output(&mut self, key: &AttemptKey) -> u64 {
        let Some(attempt) = self.attempts.get_mut(key) else {
            return 0;
        };
        let size = |path| std::fs::metadata(path).map_or(0, |data| data.len());
        let (out, err) = (size(attempt.home.out()), size(attempt.home.err()));
        let lines = attempt.writer.flush();
        if out + err + lines == 0 && !attempt.is_watched {
            attempt.is_delivered = true;
            return 0;
        }
        self.watch(key);
        let key = key.clone();
        self.tell_logs(logs::Command::Ended { key, out, err });
        out + err + lines
    }

    /// Has somebody read the output of an attempt from now on.
    pub(super) fn watch(&mut self, key: &AttemptKey) {
        let Some(attempt) = self.attempts.get_mut(key) else {
            return;
        };
        if attempt.is_watched || attempt.is_delivered {
            return;
        }
        attempt.is_watched = true;
        let command = logs::Command::Watch {
            key: key.clone(),
            home: attempt.home.clone(),
            writer: Some(attempt.writer.clone()),
        };
        self.tell_logs(command);
    }

    /// Once the master has the outcome and the output nothing of the attempt is kept.
    pub(super) fn forget_if_done(&mut self, key: &AttemptKey) {
        let is_done = |attempt: &Attempt| attempt.is_acknowledged && attempt.is_delivered;
        if !self.attempts.get(key).is_some_and(is_done) {
            return;
        }
        if let Some(attempt) = self.attempts.remove(key) {
            self.keys.remove(&attempt.id);
            self.request(Request::Forget { id: attempt.id });
            let _ = self.hands.cleaner.send(Done {
                home: attempt.home,
                is_alone: attempt.is_alone,
            });
        }
    }
}

/// A panic of an action is its failure, not ours.
async fn run_task(
    action: Box<dyn ParsedAction>,
    context: Box<AttemptContext>,
    turns: &Turns,
    tasks: &Handle,
) -> Outcome {
    let (cancel, meter) = (context.cancel.clone(), context.meter.clone());
    let secrets = Secrets::of(&context);
    let say = |text| context.log.say(Level::Info, &text);
    let Some(_turn) = turns.wait(&context.links, &cancel, say).await else {
        return outcome::cancelled();
    };
    let time = meter.time.clone();
    let work = async move { action.run(&context).await };
    let mut task = tasks.spawn(async move { time.count(work).await });
    let ended = tokio::select! {
        ended = &mut task => Ok(ended),
        () = cancel.cancelled() => timeout(TASK_PATIENCE, &mut task).await,
    };
    let outcome = match ended {
        Ok(Ok(Ok(done))) => Outcome {
            text: done.text,
            outputs: done.outputs,
            ..Outcome::new(OutcomeKind::Succeeded)
        },
        Ok(Ok(Err(error))) => prepare::failure(error),
        Ok(Err(error)) => outcome::panicked(&panic_text(error)),
        Err(_) => {
            task.abort();
            outcome::cancelled()
        }
    };
    Outcome {
        figures: meter.figures(),
        ..secrets.hide_in(outcome)
    }
}

fn panic_text(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(payload) => payload
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| {
                payload
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
            })
            .unwrap_or_else(|| "panic".to_owned()),
        Err(error) => error.to_string(),
    }
}

fn to_wire(event: &Event) -> wire::WorkerEvent {
    use wire::worker_event::Event as Wire;
    let event = match event {
        Event::Accepted(key) => Wire::Accepted(key.into()),
        Event::Finished(key, outcome) => Wire::Finished(finished_to_wire(key, outcome)),
        Event::Tombstoned(key) => Wire::Tombstoned(key.into()),
        Event::Leaving { holds } => Wire::Leaving(wire::Leaving {
            holds: holds.iter().map(Into::into).collect(),
        }),
    };
    wire::WorkerEvent { event: Some(event) }
}
