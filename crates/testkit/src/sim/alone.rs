//! Each instance once more, alone, from its parts of the journal: it must decide the same.

use std::collections::BTreeMap;

use akkaflow_engine::{Given, Input, Moment, Part, Solo, decisions};
use akkaflow_model::id::InstanceId;
use akkaflow_model::time::Timestamp;
use akkaflow_protocol::pipeline::BatchOut;
use serde::Deserialize;
use serde_json::Value;

use super::world::World;

/// In one history of so many the journal is spelt out and read back: it costs more than all the rest.
const HISTORIES: u64 = 16;

/// What is replayed.
#[derive(Debug, Default)]
pub(crate) struct Alone {
    solos: BTreeMap<InstanceId, Solo>,
}

impl Alone {
    /// Under a planted fault the rows are not what was decided.
    pub(crate) fn of(seed: u64, is_planted: bool) -> Option<Self> {
        (seed.is_multiple_of(HISTORIES) && !is_planted).then(Self::default)
    }
}

/// An entry of the journal as a reader finds it.
#[derive(Deserialize)]
struct Entry {
    at: Timestamp,
    input: Value,
    #[serde(default)]
    parts: Vec<Part>,
}

impl World {
    /// What was committed is what counts: a master that was fenced off decided in vain.
    pub(crate) fn replay_alone(&mut self, batch: &BatchOut) {
        let Some(mut alone) = self.alone.take() else {
            return;
        };
        for body in &batch.entries {
            let entry: Entry = serde_json::from_slice(body).expect("the journal can be read");
            // An order that cannot be read back speaks of no single instance.
            let input: Option<Input> = serde_json::from_value(entry.input).ok();
            for part in entry.parts {
                let moment = Moment {
                    epoch: batch.epoch,
                    at: entry.at,
                    input: input.clone().filter(|input| input.is_about(part.id)),
                    given: part.given,
                    decisions: part.decisions,
                };
                let verdict = self.decide_alone(&mut alone, part.id, &moment);
                self.judge(verdict);
            }
        }
        self.alone = Some(alone);
    }

    fn decide_alone(
        &self,
        alone: &mut Alone,
        id: InstanceId,
        moment: &Moment,
    ) -> Result<(), String> {
        let zone = self.plan.zone;
        let solo = alone
            .solos
            .entry(id)
            .or_insert_with(|| Solo::new(id, zone, []));
        for given in &moment.given {
            let version = match given {
                Given::Admitted { row, .. } => &row.version,
                Given::Repaired { version, .. } => version,
                _ => continue,
            };
            if let Some(workflow) = self.library.contents.get(version) {
                solo.learn(workflow.clone());
            }
        }
        let records = solo.step(moment);
        if decisions(&records) == moment.decisions {
            Ok(())
        } else {
            Err(format!(
                "I11: instance {id} decides otherwise alone: {moment:?} gives {records:?}"
            ))
        }
    }
}
