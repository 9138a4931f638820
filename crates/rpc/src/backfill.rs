//! Backfills on the wire.

use akkaflow_model::backfill::{BackfillRunRow, BackfillSpec, LeftOut, RunState};
use akkaflow_model::command::Answer;
use akkaflow_model::id::InstanceId;
use akkaflow_model::time::Timestamp;

use crate::Malformed;
use crate::command::{instance_bytes, instance_from_bytes};
use crate::wire;

impl From<BackfillSpec> for wire::BackfillSpec {
    fn from(spec: BackfillSpec) -> Self {
        Self {
            workflow: spec.workflow,
            from: spec.from,
            to: spec.to,
            with_dependants: spec.with_dependants,
            max_parallel: spec.max_parallel,
            keep_going: spec.keep_going,
            again: spec.again,
        }
    }
}

impl From<wire::BackfillSpec> for BackfillSpec {
    fn from(spec: wire::BackfillSpec) -> Self {
        Self {
            workflow: spec.workflow,
            from: spec.from,
            to: spec.to,
            with_dependants: spec.with_dependants,
            max_parallel: spec.max_parallel,
            keep_going: spec.keep_going,
            again: spec.again,
        }
    }
}

impl From<BackfillRunRow> for wire::BackfillRun {
    fn from(run: BackfillRunRow) -> Self {
        Self {
            workflow: run.workflow,
            day: run.day,
            fire_time_ms: run.fire_time.as_millis(),
            needs: run.needs,
            state: run.state.as_str().to_owned(),
            instance: run.instance.map(instance_bytes).unwrap_or_default(),
            changed_at_ms: run.changed_at.as_millis(),
        }
    }
}

impl From<LeftOut> for wire::LeftOut {
    fn from(left_out: LeftOut) -> Self {
        Self {
            workflow: left_out.workflow,
            why: Some(left_out.why.into()),
        }
    }
}

/// An id that may be missing.
fn id_of(bytes: &[u8]) -> Result<Option<InstanceId>, Malformed> {
    (!bytes.is_empty())
        .then(|| instance_from_bytes(bytes))
        .transpose()
}

/// What a backfill runs, read back.
pub(crate) fn answer(plan: wire::BackfillPlan) -> Result<Answer, Malformed> {
    let id = id_of(&plan.id)?;
    let backfill = id.unwrap_or(InstanceId::from_u128(0));
    let runs = (0..)
        .zip(plan.runs)
        .map(|(position, run)| run_of(backfill, position, run))
        .collect::<Result<_, _>>()?;
    let left_out = plan
        .left_out
        .into_iter()
        .map(|it| {
            let why = it.why.ok_or(Malformed::Missing("left_out.why"))?;
            Ok(LeftOut {
                workflow: it.workflow,
                why: why.into(),
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Answer::Backfill { id, runs, left_out })
}

fn run_of(
    backfill: InstanceId,
    position: u32,
    run: wire::BackfillRun,
) -> Result<BackfillRunRow, Malformed> {
    let state = RunState::ALL
        .iter()
        .find(|state| state.as_str() == run.state)
        .ok_or(Malformed::Invalid("run.state"))?;
    Ok(BackfillRunRow {
        backfill,
        position,
        workflow: run.workflow,
        day: run.day,
        fire_time: Timestamp::from_millis(run.fire_time_ms),
        needs: run.needs,
        state: *state,
        instance: id_of(&run.instance)?,
        changed_at: Timestamp::from_millis(run.changed_at_ms),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use akkaflow_model::text::Text;

    use super::*;

    pub(crate) fn spec() -> BackfillSpec {
        BackfillSpec {
            workflow: "日报".to_owned(),
            from: -1,
            to: 739_000,
            with_dependants: true,
            max_parallel: 4,
            keep_going: true,
            again: false,
        }
    }

    pub(crate) fn planned(id: Option<InstanceId>) -> Answer {
        let run = |position, state, instance| BackfillRunRow {
            backfill: id.unwrap_or(InstanceId::from_u128(0)),
            position,
            workflow: "日报".to_owned(),
            day: 739_000,
            fire_time: Timestamp::from_millis(-1),
            needs: vec![0, 7],
            state,
            instance,
            changed_at: Timestamp::from_millis(9),
        };
        Answer::Backfill {
            id,
            runs: vec![
                run(0, RunState::Good, None),
                run(1, RunState::Running, Some(InstanceId::from_u128(5))),
            ],
            left_out: vec![LeftOut {
                workflow: "b".to_owned(),
                why: Text::new("停用", "disabled"),
            }],
        }
    }
}
