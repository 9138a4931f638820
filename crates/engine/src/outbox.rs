//! Collects what one step leads to, in an order in which every row follows the rows that it names.

use akkaflow_model::command::{Answer, Rejection};
use akkaflow_model::id::{InstanceId, RequestId};
use akkaflow_model::record::{AttemptRow, InstanceRow, NodeRow, Record};
use akkaflow_model::shared::Shared;

use crate::effect::{Effect, Step};
use crate::journal::Given;

/// For so many records of a kind the space is kept from step to step.
const KEPT_RECORDS: usize = 64;

/// The records and effects of the current step.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    definitions: Vec<Record>,
    instances: Vec<Record>,
    nodes: Vec<Record>,
    attempts: Vec<Record>,
    rest: Vec<Record>,
    effects: Vec<Effect>,
    given: Vec<(InstanceId, Given)>,
}

impl Outbox {
    /// How many records there are so far; the rows of instances come when the step ends.
    pub(crate) fn len(&self) -> usize {
        self.definitions.len() + self.rest.len()
    }

    /// Whether there is anything to be seen.
    pub(crate) fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    /// A workflow, version, schedule, calendar or problem of a file.
    pub(crate) fn definition(&mut self, record: Record) {
        self.definitions.push(record);
    }

    pub(crate) fn instance(&mut self, row: Shared<InstanceRow>) {
        self.instances.push(Record::Instance(row));
    }

    pub(crate) fn node(&mut self, row: Shared<NodeRow>) {
        self.nodes.push(Record::Node(row));
    }

    pub(crate) fn attempt(&mut self, row: Shared<AttemptRow>) {
        self.attempts.push(Record::Attempt(row));
    }

    /// A row that may name an instance.
    pub(crate) fn record(&mut self, record: Record) {
        self.rest.push(record);
    }

    /// Something that the instance did not decide by itself.
    pub(crate) fn given(&mut self, id: InstanceId, given: Given) {
        self.given.push((id, given));
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(crate) fn reply(&mut self, request: RequestId, result: Result<Answer, Rejection>) {
        self.effects.push(Effect::Reply { request, result });
    }

    pub(crate) fn take(&mut self) -> Step {
        let mut parts = [
            &mut self.definitions,
            &mut self.instances,
            &mut self.nodes,
            &mut self.attempts,
            &mut self.rest,
        ];
        let mut records = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        for part in &mut parts {
            records.append(part);
            // What few records need stays at hand for the next step.
            part.shrink_to(KEPT_RECORDS);
        }
        Step {
            records,
            effects: std::mem::take(&mut self.effects),
            given: std::mem::take(&mut self.given),
        }
    }
}
