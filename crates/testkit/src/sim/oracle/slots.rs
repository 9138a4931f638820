//! Slots of schedules: each has one row, and each row is a slot.

use akkaflow_model::cron::Cron;
use akkaflow_model::record::{FireRow, FireState, ScheduleRow, TriggerKind};
use akkaflow_model::time::Timestamp;

use super::{Oracle, Touched, Verdict, ensure};
use crate::sim::tables::{Tables, fire_key};

impl Oracle {
    pub(super) fn check_fire(
        &self,
        tables: &Tables,
        row: &FireRow,
        touched: &mut Touched,
    ) -> Verdict {
        let before = tables.fires.get(&fire_key(row));
        ensure!(
            before.is_none_or(|before| before.state == FireState::Waiting || before == row),
            "I1: fire {}/{} was decided twice: {before:?}, then {row:?}",
            row.workflow,
            row.key
        );
        ensure!(
            (row.state == FireState::Fired) == row.instance.is_some(),
            "I1: fire {}/{} is {:?} with instance {:?}",
            row.workflow,
            row.key,
            row.state,
            row.instance
        );
        if row.kind == TriggerKind::Cron && before.is_none() {
            let just_before = Timestamp::from_millis(row.due_at.as_millis() - 1);
            let slot = tables
                .schedules
                .get(&row.workflow)
                .and_then(|schedule| self.next_slot(&schedule.trigger, just_before));
            ensure!(
                slot == Some(row.due_at),
                "I12: fire {}/{} is no slot of its schedule",
                row.workflow,
                row.key
            );
        }
        if let Some(id) = row.instance {
            *touched.fired.entry(id).or_default() += 1;
        }
        Ok(())
    }

    /// Every slot up to the high-water mark has its row.
    pub(super) fn check_slots(
        &self,
        tables: &Tables,
        schedule: &ScheduleRow,
        from: Timestamp,
    ) -> Verdict {
        let mut at = from;
        while let Some(slot) = self
            .next_slot(&schedule.trigger, at)
            .filter(|slot| *slot <= schedule.fired_through)
        {
            let key = (
                schedule.workflow.clone(),
                TriggerKind::Cron,
                schedule.generation,
                slot.as_millis().to_string(),
            );
            let Some(row) = tables.fires.get(&key) else {
                return Err(format!(
                    "I12: slot {} of {} has no row",
                    slot.to_rfc3339(),
                    schedule.workflow
                ));
            };
            at = row.through.unwrap_or(slot);
        }
        Ok(())
    }

    /// The first slot of a schedule after a moment.
    pub(super) fn next_slot(&self, trigger: &str, after: Timestamp) -> Option<Timestamp> {
        let mut crons = self.crons.borrow_mut();
        if !crons.contains_key(trigger) {
            crons.insert(trigger.to_owned(), Cron::parse(trigger).ok());
        }
        crons.get(trigger)?.as_ref()?.next_after(after, self.zone)
    }
}
