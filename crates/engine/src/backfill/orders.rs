//! What people ask of backfills. Each of these may be repeated.

use std::collections::BTreeSet;

use akkaflow_model::backfill::{
    BackfillHold, BackfillRow, BackfillRunRow, BackfillSpec, BackfillState, RunState, date_of,
};
use akkaflow_model::command::{Answer, By, Rejection};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::Message;
use akkaflow_model::record::Record;
use akkaflow_model::state::InstanceState;
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;

use super::Backfill;
use crate::Engine;
use crate::orders::Answered;

/// Backfills that are open at once: each holds all its runs in memory.
const MOST_OPEN: usize = 20;

/// A request to start one, with what the store knows.
pub(crate) struct StartBackfill {
    pub(crate) spec: BackfillSpec,
    pub(crate) good: Vec<(String, Timestamp)>,
    pub(crate) is_dry_run: bool,
    pub(crate) idempotency: Option<(String, String)>,
    pub(crate) by: By,
}

impl Engine {
    pub(crate) fn start_backfill(&mut self, asked: StartBackfill) -> Answered {
        if let Some(id) = self.known_request(asked.idempotency.as_ref())? {
            let open = self.backfills.open.get(&id);
            return Ok(Answer::Backfill {
                id: Some(id),
                runs: open
                    .map(|backfill| backfill.runs.clone())
                    .unwrap_or_default(),
                left_out: Vec::new(),
            });
        }
        let planned = self.plan_backfill(&asked.spec, &asked.good)?;
        self.check_overlap(&planned.runs)?;
        // One with nothing to run would be over before anybody saw it.
        let has_work = planned
            .runs
            .iter()
            .any(|run| run.state == RunState::Waiting);
        if asked.is_dry_run || !has_work {
            return Ok(Answer::Backfill {
                id: None,
                runs: planned.runs,
                left_out: planned.left_out,
            });
        }
        if self.backfills.open.len() >= MOST_OPEN {
            return Err(Rejection::new(
                ErrorCode::Exhausted,
                Text::new(
                    format!("同时进行的补数已达{MOST_OPEN}个，请等待其结束或中止其一"),
                    format!(
                        "{MOST_OPEN} backfills are open already: wait for one to end, or abort one"
                    ),
                ),
            ));
        }
        let id = self.draw_id();
        let row = BackfillRow {
            id,
            spec: asked.spec,
            user: asked.by.user,
            reason: asked.by.reason,
            created_at: self.now,
            state: BackfillState::Running,
            hold: None,
            abort: None,
            ended_at: None,
        };
        self.out.record(Record::Backfill(row.clone()));
        let mut runs = planned.runs;
        for run in &mut runs {
            run.backfill = id;
            self.out.record(Record::BackfillRun(run.clone()));
        }
        self.remember_request(asked.idempotency, id);
        self.backfills.insert(Backfill::new(row, runs.clone()));
        Ok(Answer::Backfill {
            id: Some(id),
            runs,
            left_out: planned.left_out,
        })
    }

    /// Two backfills of the same date would run it twice.
    fn check_overlap(&self, planned: &[BackfillRunRow]) -> Result<(), Rejection> {
        let wanted: BTreeSet<(&str, Timestamp)> = planned
            .iter()
            .filter(|run| run.state == RunState::Waiting)
            .map(|run| (&*run.workflow, run.fire_time))
            .collect();
        let open = self
            .backfills
            .open
            .values()
            .filter(|other| other.row.abort.is_none());
        let taken = open.flat_map(|other| &other.runs).find(|run| {
            matches!(run.state, RunState::Waiting | RunState::Running)
                && wanted.contains(&(&*run.workflow, run.fire_time))
        });
        let Some(run) = taken else {
            return Ok(());
        };
        let (id, workflow, date) = (run.backfill, &run.workflow, date_of(run.day));
        Err(Rejection::new(
            ErrorCode::Conflict,
            Text::new(
                format!("工作流[{workflow}]的{date}已在补数{id}中，请等待其结束或先中止它"),
                format!(
                    "{date} of workflow `{workflow}` is part of backfill {id} already: wait for its end, or abort it first"
                ),
            ),
        ))
    }

    fn open_backfill(&mut self, id: InstanceId) -> Result<&mut Backfill, Rejection> {
        self.backfills.open.get_mut(&id).ok_or_else(|| {
            Rejection::new(
                ErrorCode::NotFound,
                Text::new(
                    format!("补数{id}不存在或已结束"),
                    format!("backfill {id} is unknown or has ended"),
                ),
            )
        })
    }

    /// Nothing of it starts any more until somebody lets it go on; what is paused already stays paused as it was first said.
    pub(crate) fn pause_backfill(&mut self, id: InstanceId, by: By) -> Answered {
        let hold = self.hold(by.user, by.reason);
        let backfill = self.open_backfill(id)?;
        if backfill.row.hold.is_none() {
            backfill.row.hold = Some(BackfillHold::Person(hold));
            self.write_backfill(id);
        }
        Ok(Answer::Done)
    }

    pub(crate) fn resume_backfill(&mut self, id: InstanceId) -> Answered {
        let backfill = self.open_backfill(id)?;
        if backfill.row.hold.take().is_some() {
            self.write_backfill(id);
        }
        Ok(Answer::Done)
    }

    /// It ends with what runs of it. Asked again with `kills`, what still runs is killed.
    pub(crate) fn abort_backfill(&mut self, id: InstanceId, kills: bool, by: By) -> Answered {
        let user = by.user.clone();
        let abort = self.hold(by.user, by.reason);
        let backfill = self.open_backfill(id)?;
        if backfill.row.abort.is_none() {
            backfill.row.abort = Some(abort);
            self.write_backfill(id);
        }
        if kills {
            for instance in self.open_of_backfill(id) {
                let user = user.clone();
                self.end_from_outside(instance, InstanceState::Killed, Message::KilledBy { user });
            }
        }
        Ok(Answer::Done)
    }

    fn open_of_backfill(&self, id: InstanceId) -> Vec<InstanceId> {
        let backfill = self.backfills.open.get(&id);
        let runs = backfill.into_iter().flat_map(|backfill| &backfill.runs);
        runs.filter(|run| run.state == RunState::Running)
            .filter_map(|run| run.instance)
            .collect()
    }
}
