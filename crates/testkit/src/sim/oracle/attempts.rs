//! Attempts: one at a time for a node, never more than slots or retries allow, none after its instance's end.

use akkaflow_model::id::AttemptKey;
use akkaflow_model::record::{AttemptRow, CancelReason};
use akkaflow_model::state::AttemptState;

use super::{Oracle, Touched, Verdict, ensure};
use crate::sim::graph;
use crate::sim::tables::Tables;
use crate::sim::workload::Library;

/// A node is lost at most so often before a person must look.
const MAX_LOSSES: usize = 3;

impl Oracle {
    pub(super) fn check_attempt(
        &mut self,
        tables: &Tables,
        library: &Library,
        row: &AttemptRow,
        touched: &mut Touched,
    ) -> Verdict {
        let key = &row.key;
        match tables.attempts.get(key) {
            Some(before) => {
                ensure!(
                    !before.state.is_terminal(),
                    "I5: attempt {key} ended twice: {:?}, then {:?}",
                    before.state,
                    row.state
                );
                ensure!(
                    before.worker == row.worker && before.state <= row.state,
                    "I3: attempt {key} changed hands or went back: {before:?}, then {row:?}"
                );
            }
            None => {
                ensure!(
                    row.state == AttemptState::Assigned,
                    "I3: attempt {key} begins as {:?}",
                    row.state
                );
                self.check_assignment(tables, library, row)?;
                touched.assigned.push(key.clone());
            }
        }
        let open = self.open_by_worker.entry(row.worker.clone()).or_default();
        if row.state.is_terminal() {
            open.remove(key);
        } else {
            open.insert(key.clone());
            let slots = self
                .workers
                .get(&row.worker)
                .map_or(0, |(_, slots)| *slots as usize);
            ensure!(
                open.len() <= slots,
                "I16: worker {} has {} attempts and {slots} slots",
                row.worker,
                open.len()
            );
        }
        Ok(())
    }

    pub(super) fn check_assignment(
        &self,
        tables: &Tables,
        library: &Library,
        row: &AttemptRow,
    ) -> Verdict {
        let key = &row.key;
        let instance = tables
            .instances
            .get(&key.instance)
            .ok_or_else(|| format!("I6: attempt {key} has no instance"))?;
        ensure!(
            instance.run == key.run,
            "I6: attempt {key} is of another run than {}",
            instance.run
        );
        if self.steered.contains(&key.instance) {
            // Its row, and with it its definition, may be written later in the batch than what follows from it.
            return check_alone(tables, key);
        }
        let action = library
            .contents
            .get(&instance.version)
            .and_then(|workflow| graph::action(workflow, &key.node))
            .ok_or_else(|| format!("I6: attempt {key} is of no action node"))?;
        ensure!(!action.is_ignore, "I6: attempt {key} is of an ignored node");
        ensure!(
            action.host.as_ref().is_none_or(|host| *host == row.worker.0
                || self
                    .workers
                    .get(&row.worker)
                    .is_some_and(|(name, _)| name == host)),
            "I6: attempt {key} requires {:?} and was given to {}",
            action.host,
            row.worker
        );
        let earlier: Vec<&AttemptRow> = tables
            .attempts_of(key.instance)
            .filter(|other| other.key.node == key.node && other.key.run == key.run)
            .collect();
        check_alone(tables, key)?;
        ensure!(
            earlier.len() as u32 + 1 == key.attempt,
            "I3: attempt {key} follows {} others",
            earlier.len()
        );
        let count =
            |state: AttemptState| earlier.iter().filter(|other| other.state == state).count();
        graph::check_retry(action, &earlier, row)?;
        ensure!(
            count(AttemptState::Failed) <= action.retry_times as usize,
            "I16: attempt {key} follows {} failures of {} retries",
            count(AttemptState::Failed),
            action.retry_times
        );
        // One that ran out of time counts as a failure, even if it was lost before it could be stopped.
        let is_lost = |other: &&&AttemptRow| {
            other.state == AttemptState::Lost && other.cancel != Some(CancelReason::TimedOut)
        };
        ensure!(
            earlier.iter().filter(is_lost).count() < MAX_LOSSES,
            "I16: attempt {key} follows too many losses"
        );
        ensure!(
            count(AttemptState::Succeeded) == 0,
            "I5: attempt {key} follows a success"
        );
        let deadline = tables
            .nodes
            .get(&(key.instance, key.node.clone()))
            .and_then(|node| node.deadline);
        ensure!(
            deadline.is_none_or(|deadline| row.assigned_at <= deadline),
            "I15: attempt {key} begins after its node's time is up"
        );
        Ok(())
    }
}

/// No other attempt of the node is open.
fn check_alone(tables: &Tables, key: &AttemptKey) -> Verdict {
    let is_open = tables.attempts_of(key.instance).any(|other| {
        other.key.node == key.node && other.key.run == key.run && !other.state.is_terminal()
    });
    ensure!(
        !is_open,
        "I4: attempt {key} begins while another one is open"
    );
    Ok(())
}

pub(super) fn check_assigned_after(
    tables: &Tables,
    library: &Library,
    touched: &Touched,
    key: &AttemptKey,
) -> Verdict {
    let now = tables.instances.get(&key.instance);
    let before = touched
        .before
        .get(&key.instance)
        .map_or(now, Option::as_ref);
    ensure!(
        before.is_none_or(|before| graph::may_begin(library, before, key)),
        "I15: attempt {key} begins after its instance was ended"
    );
    Ok(())
}
