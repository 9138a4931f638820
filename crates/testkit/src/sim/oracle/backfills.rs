//! Backfills: each date once, within the bound, after what it needs; nothing while it is held up; an end when all has ended.

use std::collections::BTreeMap;

use akkaflow_model::backfill::{
    BackfillHold, BackfillRow, BackfillRunRow, BackfillState, RunState,
};
use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{Hold, InstanceRow, TriggerKind};
use akkaflow_model::state::InstanceState;
use chrono::Datelike;
use chrono_tz::Tz;

use super::{Oracle, Touched, Verdict, ensure};
use crate::sim::tables::Tables;
use crate::sim::workload::Library;

/// What held a backfill up.
type Held = (Option<BackfillHold>, Option<Hold>);

/// What one batch touched of backfills.
#[derive(Debug, Default)]
pub(super) struct TouchedBackfills {
    /// What held them up before the batch, of those that were written.
    held_before: BTreeMap<InstanceId, Held>,
    /// Backfills with the workflows of the runs that began.
    begun: Vec<(InstanceId, String)>,
}

/// The runs of a backfill, in order.
pub(super) fn runs_of(tables: &Tables, id: InstanceId) -> impl Iterator<Item = &BackfillRunRow> {
    let range = tables.backfill_runs.range((id, 0)..=(id, u32::MAX));
    range.map(|(_, run)| run)
}

/// Whether everything is good that a run needs: all runs of each date that it names.
pub(super) fn is_due(tables: &Tables, run: &BackfillRunRow) -> bool {
    run.needs.iter().all(|need| {
        let Some(needed) = tables.backfill_runs.get(&(run.backfill, *need)) else {
            return false;
        };
        runs_of(tables, run.backfill)
            .filter(|other| (other.day, &other.workflow) == (needed.day, &needed.workflow))
            .all(|other| other.state.is_good())
    })
}

impl Oracle {
    pub(super) fn check_backfill(
        &self,
        tables: &Tables,
        row: &BackfillRow,
        touched: &mut Touched,
    ) -> Verdict {
        let before = tables.backfills.get(&row.id);
        let held = before.map_or((None, None), |before| {
            (before.hold.clone(), before.abort.clone())
        });
        touched.backfills.held_before.entry(row.id).or_insert(held);
        let Some(before) = before else {
            return Ok(());
        };
        ensure!(
            (&before.spec, before.created_at) == (&row.spec, row.created_at),
            "B1: backfill {} changed what never changes",
            row.id
        );
        ensure!(
            before == row || before.ended_at.is_none(),
            "B1: backfill {} changed after its end",
            row.id
        );
        ensure!(
            before.abort.is_none() || before.abort == row.abort,
            "B1: backfill {} forgot that it was aborted",
            row.id
        );
        if row.ended_at.is_some() {
            check_end(tables, row)?;
        }
        Ok(())
    }

    pub(super) fn check_run(
        &self,
        tables: &Tables,
        library: &Library,
        row: &BackfillRunRow,
        touched: &mut Touched,
    ) -> Verdict {
        let Some(before) = tables.backfill_runs.get(&(row.backfill, row.position)) else {
            return self.check_new_run(tables, library, row);
        };
        ensure!(
            (
                &before.workflow,
                before.day,
                before.fire_time,
                &before.needs
            ) == (&row.workflow, row.day, row.fire_time, &row.needs),
            "B1: a run changed what never changes: {before:?}, then {row:?}"
        );
        let instance = row.instance.and_then(|id| tables.instances.get(&id));
        match (before.state, row.state) {
            (before, after) if before == after => Ok(()),
            (RunState::Waiting, RunState::Running) => {
                touched
                    .backfills
                    .begun
                    .push((row.backfill, row.workflow.clone()));
                check_begin(tables, row, instance)
            }
            (RunState::Running, RunState::Succeeded | RunState::Failed)
            | (RunState::Failed, RunState::Running) => {
                ensure!(
                    before.instance == row.instance,
                    "B2: {row:?} changed its instance"
                );
                Ok(())
            }
            _ => Err(format!("B2: {before:?} became {row:?}")),
        }
    }

    /// What is good is passed over, and nothing else.
    fn check_new_run(&self, tables: &Tables, library: &Library, row: &BackfillRunRow) -> Verdict {
        let twin = runs_of(tables, row.backfill)
            .find(|other| (&other.workflow, other.fire_time) == (&row.workflow, row.fire_time));
        ensure!(twin.is_none(), "B1: a backfill has {row:?} and {twin:?}");
        let Some(backfill) = tables.backfills.get(&row.backfill) else {
            return Ok(());
        };
        let zone = self.zone_of_workflow(tables, library, &row.workflow);
        // What it has made in this very step does not count, nor what that has: an instance without actions is over at once.
        let before = || {
            let all = tables.instances.values();
            all.filter(|it| !is_made_by(tables, it, row.backfill))
        };
        let is_good = !backfill.spec.again
            && before().any(|it| {
                it.workflow == row.workflow
                    && it.state == InstanceState::Succeeded
                    && it
                        .fire_time
                        .to_utc()
                        .with_timezone(&zone)
                        .num_days_from_ce()
                        == row.day
            });
        // Of several times of a date each counts for itself.
        let at_once = before().any(|it| {
            (&it.workflow, it.fire_time, it.state)
                == (&row.workflow, row.fire_time, InstanceState::Succeeded)
        });
        match row.state {
            RunState::Good => ensure!(is_good, "B3: {row:?} is passed over and was never good"),
            _ => ensure!(
                backfill.spec.again || !at_once,
                "B3: {row:?} runs again though it is good"
            ),
        }
        Ok(())
    }

    fn zone_of_workflow(&self, tables: &Tables, library: &Library, name: &str) -> Tz {
        let row = tables.workflows.get(name);
        let content = row.and_then(|row| library.contents.get(&row.version));
        let coordinator = content.and_then(|content| content.coordinator.as_ref());
        coordinator.map_or(self.zone, |coordinator| self.zone_of(coordinator))
    }

    pub(super) fn check_backfills_after(&self, tables: &Tables, touched: &Touched) -> Verdict {
        for (id, workflow) in &touched.backfills.begun {
            let Some(row) = tables.backfills.get(id) else {
                return Err(format!("B2: runs of backfill {id}, which is not there"));
            };
            let now: Held = (row.hold.clone(), row.abort.clone());
            let before = touched.backfills.held_before.get(id).unwrap_or(&now);
            ensure!(
                before.0.is_none() || before.0 != now.0,
                "B4: backfill {id} began a run while it was paused"
            );
            ensure!(
                before.1.is_none(),
                "B4: backfill {id} began a run after it was aborted"
            );
            let hold = |row: Option<&Hold>| row.cloned();
            let after = hold(
                tables
                    .workflows
                    .get(workflow)
                    .and_then(|row| row.hold.as_ref()),
            );
            let before = touched.held_before.get(workflow).unwrap_or(&after);
            ensure!(
                before.is_none() || *before != after,
                "B4: backfill {id} ran {workflow} while that was suspended"
            );
        }
        for (id, before) in &touched.before {
            let Some(row) = tables
                .instances
                .get(id)
                .filter(|row| row.trigger == TriggerKind::Backfill)
            else {
                continue;
            };
            ensure!(
                !row.gave_tokens,
                "B5: instance {id} of a backfill gave tokens"
            );
            check_instance_of(tables, row, before.is_none())?;
        }
        Ok(())
    }
}

/// A run begins with its own instance, when it is due, after those before it, within the bound.
fn check_begin(tables: &Tables, row: &BackfillRunRow, instance: Option<&InstanceRow>) -> Verdict {
    let is_own = instance.is_some_and(|it| {
        (&it.workflow, it.fire_time, it.chain, it.trigger)
            == (
                &row.workflow,
                row.fire_time,
                Some(row.backfill),
                TriggerKind::Backfill,
            )
    });
    ensure!(is_own, "B2: {row:?} begins with {instance:?}");
    ensure!(
        is_due(tables, row),
        "B2: {row:?} begins before what it needs"
    );
    let running = runs_of(tables, row.backfill)
        .filter(|other| other.state == RunState::Running)
        .count();
    let most = tables
        .backfills
        .get(&row.backfill)
        .map_or(0, |backfill| backfill.spec.max_parallel as usize);
    ensure!(
        running < most,
        "B2: {row:?} begins beside {running} others of {most}"
    );
    let overtaken = runs_of(tables, row.backfill).find(|other| {
        other.position < row.position
            && (&other.workflow, other.state) == (&row.workflow, RunState::Waiting)
            && is_due(tables, other)
    });
    ensure!(
        overtaken.is_none(),
        "B2: {row:?} begins before {overtaken:?}"
    );
    Ok(())
}

/// It ends when nothing runs and nothing more can begin, as what it is.
fn check_end(tables: &Tables, row: &BackfillRow) -> Verdict {
    let runs = || runs_of(tables, row.id);
    ensure!(
        runs().all(|run| run.state != RunState::Running),
        "B6: backfill {} ended while it runs",
        row.id
    );
    let is_good = runs().all(|run| run.state.is_good());
    let expected = match (is_good, &row.abort) {
        (true, _) => BackfillState::Succeeded,
        (false, Some(_)) => BackfillState::Aborted,
        (false, None) => BackfillState::Failed,
    };
    ensure!(
        row.state == expected,
        "B6: backfill {} ended as {:?}",
        row.id,
        row.state
    );
    let due = runs().find(|run| run.state == RunState::Waiting && is_due(tables, run));
    ensure!(
        row.abort.is_some() || due.is_none(),
        "B6: backfill {} ended before {due:?}",
        row.id
    );
    Ok(())
}

/// The run of an instance stands as the instance does, as long as its backfill is open.
fn check_instance_of(tables: &Tables, row: &InstanceRow, is_new: bool) -> Verdict {
    let Some(backfill) = row.chain.and_then(|id| tables.backfills.get(&id)) else {
        return Err(format!("B5: instance {} is of no backfill", row.id));
    };
    let run = runs_of(tables, backfill.id).find(|run| run.instance == Some(row.id));
    let Some(run) = run else {
        return Err(format!("B5: instance {} is no run of its backfill", row.id));
    };
    if backfill.ended_at.is_some() && !is_new {
        return Ok(());
    }
    let is_open = !row.state.is_terminal();
    let fits = match run.state {
        RunState::Running => is_open,
        RunState::Failed => !is_open && row.state != InstanceState::Succeeded,
        // A person may run again what is good.
        RunState::Succeeded => true,
        RunState::Waiting | RunState::Good => false,
    };
    ensure!(
        fits,
        "B5: instance {} is {:?}, its run {:?}",
        row.id,
        row.state,
        run.state
    );
    Ok(())
}

/// Whether an instance is one of a backfill, or was started by a node of one.
fn is_made_by(tables: &Tables, instance: &InstanceRow, backfill: InstanceId) -> bool {
    let mut next = Some(instance);
    while let Some(instance) = next {
        if instance.chain == Some(backfill) {
            return true;
        }
        let parent = instance.parent.as_ref();
        next = parent.and_then(|parent| tables.instances.get(&parent.instance));
    }
    false
}
