//! Looks up how long the nodes of an instance usually take, beside the core loop: one question after the other, so that
//! the database hardly notices a midnight at which thousands of instances with deadlines begin.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use akkaflow_engine::{Input, Known, Learned};
use akkaflow_model::id::InstanceId;
use chrono_tz::Tz;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::core::{CoreHandle, Gone};
use crate::outage::Call;
use crate::shared::Shared;

/// Ended instances of a workflow that are looked at: two months of a daily one, so that each weekday has its eight.
const INSTANCES: u32 = 60;
/// Pause before a question is asked again that the store has not answered.
const AGAIN: Duration = Duration::from_secs(5);
/// What was found counts for so long: a workflow that runs each minute is not looked up each minute.
const FRESH: Duration = Duration::from_secs(600);
/// Answers that are kept; some kilobytes each.
const MOST_KEPT: usize = 1_000;

/// An instance that wants to know, and its workflow.
pub(crate) type Question = (InstanceId, String);

/// Answers the questions of one term of leadership.
pub(crate) struct Learner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) core: CoreHandle,
    pub(crate) zone: Tz,
    /// At most one for each open instance.
    pub(crate) questions: mpsc::UnboundedReceiver<Question>,
}

impl Learner {
    /// Works until the term is over. What is not answered by then the next master asks again.
    pub(crate) async fn run(self, over: CancellationToken) {
        tokio::select! {
            () = over.cancelled() => {}
            _ = self.answer_all() => {}
        }
    }

    async fn answer_all(mut self) -> Result<(), Gone> {
        let mut answers = Answers::default();
        while let Some((instance, workflow)) = self.questions.recv().await {
            let nodes = match answers.get(&workflow) {
                Some(nodes) => nodes,
                None => {
                    let nodes = self.look_up(&workflow).await;
                    answers.keep(workflow, nodes.clone());
                    nodes
                }
            };
            self.core.input(Input::Usual { instance, nodes }).await?;
        }
        Ok(())
    }

    async fn look_up(&self, workflow: &str) -> Vec<Known> {
        loop {
            match self.shared.store.successes(workflow, INSTANCES).await {
                Ok(successes) => {
                    let mut learned = Learned::new(self.zone);
                    learned.learn(workflow, successes);
                    return learned.known(workflow, self.shared.clock.now());
                }
                Err(error) => {
                    self.shared.outage.on_failure(Call::Read, &error);
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }
}

/// What was found lately.
#[derive(Default)]
struct Answers {
    by_workflow: BTreeMap<String, (Instant, Vec<Known>)>,
    /// Oldest first.
    order: VecDeque<String>,
}

impl Answers {
    fn get(&self, workflow: &str) -> Option<Vec<Known>> {
        let (at, nodes) = self.by_workflow.get(workflow)?;
        (at.elapsed() < FRESH).then(|| nodes.clone())
    }

    fn keep(&mut self, workflow: String, nodes: Vec<Known>) {
        // Of a new workflow the next success may tell.
        if nodes.is_empty() {
            return;
        }
        let before = self
            .by_workflow
            .insert(workflow.clone(), (Instant::now(), nodes));
        if before.is_none() {
            self.order.push_back(workflow);
        }
        if self.order.len() > MOST_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_workflow.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<Known> {
        vec![Known {
            node: "a".to_owned(),
            attempt_ms: 1,
            whole_ms: 1,
        }]
    }

    #[test]
    fn so_many_answers_are_kept_the_newest_ones() {
        let mut answers = Answers::default();
        for number in 0..=MOST_KEPT {
            answers.keep(format!("w{number}"), known());
            answers.keep(format!("w{number}"), known());
        }
        assert_eq!(answers.get("w0"), None);
        assert_eq!(answers.get("w1"), Some(known()));
        assert_eq!(answers.by_workflow.len(), MOST_KEPT);
    }

    #[test]
    fn that_nothing_is_known_is_not_kept() {
        let mut answers = Answers::default();
        answers.keep("w".to_owned(), Vec::new());
        assert_eq!(answers.get("w"), None);
    }
}
