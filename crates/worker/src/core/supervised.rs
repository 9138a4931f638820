//! What the supervisor says.

use std::collections::BTreeSet;

use akkaflow_model::id::AttemptKey;
use tokio::sync::mpsc;

use super::Core;
use super::attempt::Phase;
use crate::clock::millis;
use crate::left;
use crate::outcome;
use crate::supervision::News;
use crate::supervisor::{Event, Exit, Request};

impl Core {
    pub(super) fn on_supervisor(&mut self, news: News) {
        match news {
            News::Up {
                requests,
                running,
                exited,
            } => self.on_supervisor_up(requests, running, exited),
            News::Down => self.supervisor = None,
            News::Event(Event::Exited(exit)) => self.on_exit(&exit),
            News::Event(Event::NotStarted { id, reason }) => {
                if let Some(key) = self.keys.get(&id).cloned() {
                    self.on_ended(&key, outcome::not_started(&reason));
                }
            }
            News::Event(Event::AllKilled) => self.all_killed = true,
            News::Event(Event::Known { .. }) => {}
        }
    }

    /// Brings together what we believe to run and what does.
    fn on_supervisor_up(
        &mut self,
        requests: mpsc::UnboundedSender<Request>,
        running: Vec<String>,
        exited: Vec<Exit>,
    ) {
        self.supervisor = Some(requests);
        self.next_contact = std::time::Duration::ZERO;
        for exit in &exited {
            self.on_exit(exit);
        }
        let running: BTreeSet<String> = running.into_iter().collect();
        let believed: Vec<(AttemptKey, String, bool)> = self
            .attempts
            .iter()
            .filter(|(_, attempt)| matches!(attempt.phase, Phase::Process))
            .map(|(key, attempt)| (key.clone(), attempt.id.clone(), attempt.must_stop))
            .collect();
        for (key, id, must_stop) in believed {
            if running.contains(&id) {
                tracing::info!(attempt = %key, "adopted a running process");
            }
            // One that the supervisor does not know is lost once nothing of it is left: an earlier supervisor may
            // have left its processes behind.
            if must_stop || !running.contains(&id) {
                self.request_kill(&key);
            }
        }
        for id in running {
            if !self.keys.contains_key(&id) {
                tracing::warn!(id, "killing a process that no attempt of ours owns");
                self.request(Request::Kill {
                    id,
                    marker: String::new(),
                    grace_ms: millis(self.kill_grace),
                });
            }
        }
        self.launch_waiting();
    }

    fn on_exit(&mut self, exit: &Exit) {
        match self.keys.get(&exit.id).cloned() {
            Some(key) => {
                if let Some(attempt) = self.attempts.get_mut(&key) {
                    attempt.is_alone = exit.is_alone;
                    if !matches!(attempt.phase, Phase::Ended) {
                        left::tell(exit, &attempt.writer.sink());
                    }
                    let outcome = outcome::of_exit(exit, attempt.must_stop, &attempt.home);
                    self.on_ended(&key, outcome);
                }
            }
            None => self.request(Request::Forget {
                id: exit.id.clone(),
            }),
        }
    }
}
