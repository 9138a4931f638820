//! The ground truth: which processes really run.

use std::collections::BTreeMap;

use akkaflow_model::id::{AttemptKey, InstanceId, Name};
use akkaflow_model::outcome::{Outcome, OutcomeKind};
use akkaflow_model::record::Record;
use akkaflow_model::state::AttemptState;

use super::nesting::OUTPUT;
use super::oracle::Verdict;
use super::rng::mix;
use super::workload::nodes::EXIT_CODES;

/// A process that runs.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) worker: usize,
    /// Names the planned end; an earlier plan is void.
    pub(crate) token: u64,
    /// How it will end when nobody interferes.
    pub(crate) outcome: OutcomeKind,
}

/// All processes of all workers.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    pub(crate) live: BTreeMap<AttemptKey, Process>,
    /// Every attempt that was ever executed, with the outcome that its worker has written down.
    pub(crate) executed: BTreeMap<AttemptKey, Option<OutcomeKind>>,
    /// How those ended that came to an end of their own, or were stopped.
    pub(crate) ended: BTreeMap<AttemptKey, OutcomeKind>,
    last_token: u64,
}

impl Processes {
    pub(crate) fn token(&mut self) -> u64 {
        self.last_token += 1;
        self.last_token
    }

    /// An attempt is executed: once, and never beside another one of its node.
    pub(crate) fn exec(&mut self, key: AttemptKey, process: Process) -> Verdict {
        if self.executed.contains_key(&key) {
            return Err(format!("I3: attempt {key} was executed twice"));
        }
        let other = self
            .live_of(key.instance)
            .find(|other| other.node == key.node);
        if let Some(other) = other {
            return Err(format!("I4: attempt {key} was executed beside {other}"));
        }
        self.executed.insert(key.clone(), None);
        self.live.insert(key, process);
        Ok(())
    }

    /// A worker writes down how an attempt ended. It reports that before it lies on the disk: should its machine die first, it says
    /// later that the attempt is lost, and what a master has heard before may become durable all the same.
    ///
    /// Source: docs/decisions/0004.
    pub(crate) fn finish(&mut self, key: &AttemptKey, kind: OutcomeKind) -> Verdict {
        if let Some(known) = self.executed.get_mut(key)
            && !known.is_some_and(is_own_end)
        {
            *known = Some(kind);
        }
        self.check_report(key, kind)
    }

    /// A success or failure that a worker reports is one that the process really had.
    fn check_report(&self, key: &AttemptKey, kind: OutcomeKind) -> Verdict {
        let ended = self.ended.get(key);
        if is_own_end(kind) && ended != Some(&kind) {
            return Err(format!(
                "I5: attempt {key} is reported as {kind:?}, its process ended {ended:?}"
            ));
        }
        Ok(())
    }

    /// A success or failure that is recorded is one that a process really had. A success that lacks what its node declares
    /// is a failure; `may_lack` says of which nodes that may be true.
    pub(crate) fn check_outcomes(
        &self,
        records: &[Record],
        may_lack: impl Fn(&AttemptKey) -> bool,
    ) -> Verdict {
        for record in records {
            let Record::Attempt(row) = record else {
                continue;
            };
            let is_true = match row.state {
                AttemptState::Succeeded => {
                    self.executed.get(&row.key) == Some(&Some(OutcomeKind::Succeeded))
                }
                AttemptState::Failed => match self.executed.get(&row.key) {
                    Some(Some(OutcomeKind::Failed | OutcomeKind::FailedForGood)) => true,
                    Some(Some(OutcomeKind::Succeeded)) => {
                        handed_on(&row.key).is_none() && may_lack(&row.key)
                    }
                    _ => false,
                },
                _ => true,
            };
            if !is_true {
                return Err(format!(
                    "I5: attempt {} is recorded as {:?}, its process ended {:?}",
                    row.key,
                    row.state,
                    self.executed.get(&row.key)
                ));
            }
        }
        Ok(())
    }

    /// The attempts of an instance that run.
    pub(crate) fn live_of(&self, id: InstanceId) -> impl Iterator<Item = &AttemptKey> {
        let first = AttemptKey {
            instance: id,
            node: Name::default(),
            run: 0,
            attempt: 0,
        };
        self.live
            .range(first..)
            .map(|(key, _)| key)
            .take_while(move |key| key.instance == id)
    }

    /// The attempts that run on a worker.
    pub(crate) fn on_worker(&self, worker: usize) -> Vec<AttemptKey> {
        self.live
            .iter()
            .filter(|(_, process)| process.worker == worker)
            .map(|(key, _)| key.clone())
            .collect()
    }
}

/// Whether a process came to this end by itself.
fn is_own_end(kind: OutcomeKind) -> bool {
    matches!(
        kind,
        OutcomeKind::Succeeded | OutcomeKind::Failed | OutcomeKind::FailedForGood
    )
}

/// What the attempt hands on when it succeeds: a number of its own; a few hand on nothing.
pub(crate) fn handed_on(key: &AttemptKey) -> Option<String> {
    let node = key.node.bytes().map(u64::from).sum::<u64>();
    let place = node ^ (u64::from(key.run) << 32) ^ (u64::from(key.attempt) << 48);
    let number = mix(key.instance.as_u128() as u64 ^ place);
    (!number.is_multiple_of(25)).then(|| (number >> 8).to_string())
}

/// An outcome of this kind, as a worker reports it. What would fail again has no exit code.
pub(crate) fn outcome(key: &AttemptKey, kind: OutcomeKind) -> Outcome {
    let outputs = handed_on(key).filter(|_| kind == OutcomeKind::Succeeded);
    Outcome {
        exit_code: match kind {
            OutcomeKind::Succeeded => Some(0),
            OutcomeKind::Failed => Some(EXIT_CODES[key.scatter() as usize % EXIT_CODES.len()]),
            OutcomeKind::FailedForGood
            | OutcomeKind::Cancelled
            | OutcomeKind::Lost
            | OutcomeKind::NotYet => None,
        },
        outputs: outputs
            .map(|value| (OUTPUT.to_owned(), value))
            .into_iter()
            .collect(),
        ..Outcome::new(kind)
    }
}

#[cfg(test)]
mod tests {
    use akkaflow_model::id::{Epoch, Incarnation, WorkerId};
    use akkaflow_model::record::AttemptRow;
    use akkaflow_model::time::Timestamp;

    use super::*;

    fn key() -> AttemptKey {
        AttemptKey {
            instance: InstanceId::from_parts(Timestamp::default(), 1),
            node: "a".into(),
            run: 1,
            attempt: 1,
        }
    }

    fn recorded(state: AttemptState) -> [Record; 1] {
        [Record::attempt(AttemptRow {
            key: key(),
            state,
            worker: WorkerId("w".into()),
            incarnation: Incarnation(1),
            host: "host".into(),
            epoch: Epoch(1),
            assigned_at: Timestamp::default(),
            accepted_at: None,
            ended_at: None,
            cancel: None,
            message: None,
            exit_code: None,
            log_length: 0,
            figures: None,
        })]
    }

    #[test]
    fn a_success_may_be_recorded_though_its_machine_forgot_it() {
        let mut processes = Processes::default();
        let process = Process {
            worker: 0,
            token: 1,
            outcome: OutcomeKind::Succeeded,
        };
        processes.exec(key(), process).unwrap();
        let success = recorded(AttemptState::Succeeded);
        assert!(processes.check_outcomes(&success, |_| false).is_err());
        processes.ended.insert(key(), OutcomeKind::Succeeded);
        processes.finish(&key(), OutcomeKind::Succeeded).unwrap();
        processes.finish(&key(), OutcomeKind::Lost).unwrap();
        processes.check_outcomes(&success, |_| false).unwrap();
        let failure = recorded(AttemptState::Failed);
        assert!(processes.check_outcomes(&failure, |_| false).is_err());
        assert!(processes.finish(&key(), OutcomeKind::Failed).is_err());
    }
}
