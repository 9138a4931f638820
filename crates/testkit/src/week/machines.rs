//! Workers that pretend to run what they are given, until they die.

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_engine::{OutcomeKind, WorkerInfo};
use akkaflow_model::id::{AttemptKey, Incarnation, WorkerId};
use akkaflow_model::time::Timestamp;

use super::graph::LABEL;
use super::plan::Plan;

/// A worker.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) info: WorkerInfo,
    pub(super) is_up: bool,
}

/// How an attempt will end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    pub(super) machine: usize,
    pub(super) kind: OutcomeKind,
}

/// All workers, and what runs on them.
#[derive(Debug)]
pub(super) struct Machines {
    pub(super) all: Vec<Machine>,
    ends: BTreeMap<(Timestamp, AttemptKey), Ending>,
    end_of: BTreeMap<AttemptKey, Timestamp>,
}

impl Machines {
    pub(super) fn new(plan: &Plan) -> Self {
        let all = (0..plan.workers).map(|number| {
            let name = format!("worker{number}");
            let labels = (number % 2 == 0).then(|| LABEL.to_owned());
            Machine {
                info: WorkerInfo {
                    id: WorkerId(name.clone().into()),
                    incarnation: Incarnation(1),
                    host: name.into(),
                    slots: plan.slots,
                    labels: labels.into_iter().collect::<BTreeSet<_>>(),
                },
                is_up: true,
            }
        });
        Self {
            all: all.collect(),
            ends: BTreeMap::new(),
            end_of: BTreeMap::new(),
        }
    }

    /// The position of a worker that is up.
    pub(super) fn find(&self, id: &WorkerId) -> Option<usize> {
        let is_it = |machine: &Machine| machine.is_up && machine.info.id == *id;
        self.all.iter().position(is_it)
    }

    pub(super) fn begin(&mut self, key: AttemptKey, end: Timestamp, ending: Ending) {
        self.end_of.insert(key.clone(), end);
        self.ends.insert((end, key), ending);
    }

    pub(super) fn next_end(&self) -> Option<Timestamp> {
        self.ends.first_key_value().map(|((at, _), _)| *at)
    }

    pub(super) fn take_ended(&mut self) -> Option<(AttemptKey, Ending)> {
        let ((_, key), ending) = self.ends.pop_first()?;
        self.end_of.remove(&key);
        Some((key, ending))
    }

    /// What shall stop stops soon. Says whether it runs.
    pub(super) fn stop(&mut self, key: &AttemptKey, at: Timestamp) -> bool {
        let Some(end) = self.end_of.get_mut(key) else {
            return false;
        };
        let was = std::mem::replace(end, (*end).min(at));
        let end = *end;
        if let Some(mut ending) = self.ends.remove(&(was, key.clone())) {
            if end < was {
                ending.kind = OutcomeKind::Cancelled;
            }
            self.ends.insert((end, key.clone()), ending);
        }
        true
    }

    /// What runs on a machine.
    pub(super) fn held_by(&self, machine: usize) -> Vec<AttemptKey> {
        let of_it = self
            .ends
            .iter()
            .filter(|(_, ending)| ending.machine == machine);
        of_it.map(|((_, key), _)| key.clone()).collect()
    }

    /// It dies with all that it runs.
    pub(super) fn kill(&mut self, machine: usize) -> Vec<AttemptKey> {
        let held = self.held_by(machine);
        for key in &held {
            if let Some(end) = self.end_of.remove(key) {
                self.ends.remove(&(end, key.clone()));
            }
        }
        self.all[machine].is_up = false;
        held
    }

    /// It comes back and remembers nothing.
    pub(super) fn start(&mut self, machine: usize) -> WorkerInfo {
        let machine = &mut self.all[machine];
        machine.is_up = true;
        machine.info.incarnation.0 += 1;
        machine.info.clone()
    }
}
