//! What the dates of a backfill wait for.

use akkaflow_model::backfill::{BackfillHold, BackfillRunRow, RunState, date_of};
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::{because_en, because_zh, by_en, by_zh};
use akkaflow_model::record::Hold;

use super::{Reason, suspended};
use crate::Engine;
use crate::backfill::{Backfill, RunBlock};

/// So many runs that wait are explained: those behind them wait for much the same.
const RUNS_NAMED: usize = 10;

impl Engine {
    /// Of one run, or of the first few that have not begun.
    pub(super) fn explain_backfill(&self, id: InstanceId, run: Option<u32>) -> Vec<Reason> {
        let Some(backfill) = self.backfills.open.get(&id) else {
            return vec![not_open(id)];
        };
        if let Some(position) = run {
            let position = position as usize;
            return if position < backfill.runs.len() {
                self.explain_run(backfill, position)
            } else {
                vec![unknown_run(id, position)]
            };
        }
        let waiting = (0..backfill.runs.len())
            .filter(|position| backfill.runs[*position].state == RunState::Waiting);
        let mut reasons = Vec::new();
        for position in waiting.take(RUNS_NAMED) {
            for reason in self.explain_run(backfill, position) {
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
        }
        reasons
    }

    fn explain_run(&self, backfill: &Backfill, position: usize) -> Vec<Reason> {
        let run = &backfill.runs[position];
        if run.state != RunState::Waiting {
            return Vec::new();
        }
        let mut reasons: Vec<Reason> = held_up(backfill).into_iter().collect();
        reasons.extend(self.explain_frozen());
        reasons.extend(backfill.unmet(position).map(unmet));
        if backfill.is_full() {
            let (running, most) = (backfill.running, backfill.row.spec.max_parallel);
            reasons.push(Reason::new(
                "backfill_parallel",
                backfill.row.id.to_string(),
                None,
                format!("该补数已有{running}个实例在运行，上限为{most}"),
                format!("open instances of the backfill: {running}, it may have {most}"),
            ));
        }
        if backfill.is_ready(position) {
            reasons.extend(self.explain_room(&run.workflow));
        }
        reasons
    }

    /// Why the workflow has no room for a run of a backfill.
    fn explain_room(&self, name: &str) -> Option<Reason> {
        let entry = self.workflows.get(name);
        match self.run_block(name)? {
            // Said of the backfill already.
            RunBlock::Start(crate::orders::StartBlock::Frozen) => None,
            RunBlock::Start(block) => Some(self.explain_block(name, block, None)),
            RunBlock::Suspended => entry.and_then(|entry| suspended(name, entry)),
            RunBlock::Queue => {
                let count = entry.map_or(0, |entry| entry.queue.len());
                Some(Reason::new(
                    "queued",
                    name,
                    None,
                    format!("工作流[{name}]有{count}个实例在等待启动，它们先于补数"),
                    format!(
                        "instances of workflow `{name}` that wait to start: {count}; they go before a backfill"
                    ),
                ))
            }
        }
    }
}

fn held_up(backfill: &Backfill) -> Option<Reason> {
    let row = &backfill.row;
    let id = row.id.to_string();
    if let Some(Hold {
        user,
        reason,
        since,
    }) = &row.abort
    {
        return Some(Reason::new(
            "backfill_aborted",
            id,
            Some(*since),
            format!("补数已被{}中止{}", by_zh(user), because_zh(reason)),
            format!(
                "the backfill was aborted{}{}",
                by_en(user),
                because_en(reason)
            ),
        ));
    }
    Some(match row.hold.as_ref()? {
        BackfillHold::Person(Hold {
            user,
            reason,
            since,
        }) => Reason::new(
            "backfill_paused",
            id,
            Some(*since),
            format!("补数已被{}暂停{}", by_zh(user), because_zh(reason)),
            format!(
                "the backfill is paused{}{}",
                by_en(user),
                because_en(reason)
            ),
        ),
        BackfillHold::Failure { position, since } => {
            let failed = backfill.runs.get(*position as usize);
            let what = failed.map(named).unwrap_or_default();
            Reason::new(
                "backfill_paused",
                id,
                Some(*since),
                format!("{what}失败，补数已暂停：重跑该实例，或用 akka backfill resume 略过它继续"),
                format!(
                    "{what} failed, which paused the backfill: run that instance again, or go on without it by `akka backfill resume`"
                ),
            )
        }
    })
}

fn named(run: &BackfillRunRow) -> String {
    format!("{} {}", run.workflow, date_of(run.day))
}

/// `runs` are those of one date that is not good.
fn unmet(runs: &[BackfillRunRow]) -> Reason {
    let open = runs.iter().find(|run| !run.state.is_good());
    let object = open.map(named).unwrap_or_default();
    let failed = runs.iter().find(|run| run.state == RunState::Failed);
    let since = failed.map(|run| run.changed_at);
    let (zh, en) = match failed {
        Some(_) => ("失败", "has failed"),
        None => ("未完成", "is not good yet"),
    };
    let (zh, en) = (
        format!("前置日期{object}{zh}"),
        format!("{object} before it {en}"),
    );
    Reason::new("backfill_upstream", object, since, zh, en)
}

fn not_open(id: InstanceId) -> Reason {
    Reason::new(
        "not_open",
        id.to_string(),
        None,
        format!("补数{id}不存在或已结束"),
        format!("backfill {id} is unknown or has ended"),
    )
}

fn unknown_run(id: InstanceId, position: usize) -> Reason {
    Reason::new(
        "unknown_run",
        id.to_string(),
        None,
        format!("补数没有第{position}项"),
        format!("the backfill has no run {position}"),
    )
}
