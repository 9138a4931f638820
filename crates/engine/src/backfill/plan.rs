//! What a backfill runs, and in which order: by date, then by the graph of dependencies.
//!
//! A workflow with times runs at each of them that its calendar lets through; when its window begins or ends does not count,
//! because what lies before a workflow was put is what people backfill. Without times it runs once a day when it is the
//! first one, else on the dates on which something that it waits for runs.

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::backfill::{
    BackfillRunRow, BackfillSpec, LeftOut, MOST_DAYS, MOST_PARALLEL, MOST_RUNS, RunState, date_of,
};
use akkaflow_model::command::Rejection;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::InstanceId;
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;
use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;

use super::draft::{Draft, Place};
use crate::Engine;
use crate::orders::not_found;
use crate::plan::{Plan, day_of, local};
use crate::schedule::before;
use crate::tokens::moved;

/// Waits between dates that a backfill has at most: rules such as `all-of-last 365` multiply.
const MOST_NEEDS: usize = 200_000;

/// What a backfill runs.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) runs: Vec<BackfillRunRow>,
    pub(crate) left_out: Vec<LeftOut>,
}

impl Engine {
    /// What the store must be asked before a backfill is planned: each workflow that it runs, with the first moment of its
    /// dates and the first one after them.
    pub fn backfill_scope(&self, spec: &BackfillSpec) -> Vec<(String, Timestamp, Timestamp)> {
        if check_spec(spec).is_err() {
            return Vec::new();
        }
        let Ok((members, _)) = self.backfill_members(spec) else {
            return Vec::new();
        };
        let span = |name: String| {
            let zone = self.zone(&name);
            let until = midnight(spec.to.saturating_add(1), zone);
            (name, midnight(spec.from, zone), until)
        };
        members.into_iter().map(span).collect()
    }

    /// Plans a backfill. `good` names what has succeeded already: workflows with fire times.
    pub(crate) fn plan_backfill(
        &self,
        spec: &BackfillSpec,
        good: &[(String, Timestamp)],
    ) -> Result<Planned, Rejection> {
        check_spec(spec)?;
        let (members, left_out) = self.backfill_members(spec)?;
        let root = &spec.workflow;
        let today = day_of(self.now, self.zone(root));
        if spec.to > today {
            let today = date_of(today);
            return Err(invalid(
                format!("结束日期晚于今天{today}：尚未到来的日期由其调度运行"),
                format!(
                    "the last date lies after today, {today}: its schedule runs what is to come"
                ),
            ));
        }
        let mut draft = Draft {
            places: (0..)
                .zip(&members)
                .map(|(place, name)| (&**name, place))
                .collect(),
            moments: vec![BTreeMap::new(); members.len()],
            count: 0,
        };
        for (place, name) in members.iter().enumerate() {
            self.draft_member(&mut draft, spec, place, name)?;
        }
        if draft.moments[0].is_empty() {
            let (from, to) = (date_of(spec.from), date_of(spec.to));
            return Err(invalid(
                format!("工作流[{root}]的调度在{from}至{to}之间没有触发时间"),
                format!("the schedule of workflow `{root}` has no time from {from} to {to}"),
            ));
        }
        let mut runs = self.lay_out(&draft, &members)?;
        if !spec.again {
            self.pass_over(&mut runs, good);
        }
        Ok(Planned { runs, left_out })
    }

    /// The workflow and what else is run, each after all that it waits for; and what is left out.
    fn backfill_members(
        &self,
        spec: &BackfillSpec,
    ) -> Result<(Vec<String>, Vec<LeftOut>), Rejection> {
        let root = &spec.workflow;
        if !self.workflows.get(root).is_some_and(|entry| entry.exists()) {
            let text = self.with_epitaph(root, not_found(root));
            return Err(Rejection::new(ErrorCode::NotFound, text));
        }
        if let Some(text) = self.backfill_obstacle(root) {
            return Err(Rejection::new(ErrorCode::Conflict, text));
        }
        let mut members = vec![root.clone()];
        if !spec.with_dependants {
            return Ok((members, Vec::new()));
        }
        let obstacle = |name: &str| {
            self.backfill_obstacle(name)
                .or_else(|| (!self.is_enabled(name)).then(disabled))
        };
        let taken = self.all_after(root, |name| obstacle(name).is_none());
        members.extend(self.in_dependency_order(&taken));
        let left_out = self
            .all_after(root, |_| true)
            .into_iter()
            .filter(|name| !members.contains(name))
            .map(|workflow| LeftOut {
                why: obstacle(&workflow).unwrap_or_else(|| {
                    if taken.contains(&workflow) {
                        in_a_circle()
                    } else {
                        behind()
                    }
                }),
                workflow,
            })
            .collect();
        Ok((members, left_out))
    }

    /// Why a backfill cannot run a workflow at all.
    fn backfill_obstacle(&self, name: &str) -> Option<Text> {
        let entry = self.workflows.get(name)?;
        if let Some(text) = entry.not_runnable() {
            return Some(text.clone());
        }
        if entry.row.hold.is_some() {
            return Some(Text::new(
                format!("工作流[{name}]已被暂停调度，请先恢复：akka workflow resume {name}"),
                format!(
                    "workflow `{name}` is suspended; let it go on first: akka workflow resume {name}"
                ),
            ));
        }
        let Some(definition) = &entry.definition else {
            return Some(crate::walk::unreadable_text(name));
        };
        if definition.instance_limit <= 0 {
            return Some(Text::new(
                format!("工作流[{name}]的instance-limit小于1，永远不会启动"),
                format!("instance-limit of workflow `{name}` is below 1: no instance ever starts"),
            ));
        }
        let calendar = entry.plan().and_then(Plan::missing_calendar)?;
        Some(Text::new(
            format!("没有日历[{calendar}]，无法得知工作流[{name}]的日期"),
            format!("there is no calendar `{calendar}`, which says on which dates `{name}` runs"),
        ))
    }

    /// Finds the moments at which a workflow runs.
    fn draft_member(
        &self,
        draft: &mut Draft<'_>,
        spec: &BackfillSpec,
        place: usize,
        name: &str,
    ) -> Result<(), Rejection> {
        let zone = self.zone(name);
        let plan = self.workflows.get(name).and_then(|entry| entry.plan());
        if let Some(plan) = plan.filter(|plan| plan.has_times()) {
            let until = before(midnight(spec.to.saturating_add(1), zone)).min(self.now);
            let mut after = before(midnight(spec.from, zone));
            while let Some(slot) = plan
                .next_after(after, self.options.zone)
                .filter(|slot| *slot <= until)
            {
                draft.add(place, plan.day(slot, self.options.zone), slot)?;
                after = slot;
            }
        } else if place == 0 {
            for day in spec.from..=spec.to {
                draft.add(place, day, midnight(day, zone))?;
            }
        } else if let Some(plan) = plan {
            let planned: BTreeSet<i32> = draft
                .moments
                .iter()
                .flat_map(BTreeMap::keys)
                .copied()
                .collect();
            // A rule may ask for the date before.
            let next = planned.iter().map(|day| day.saturating_add(1));
            let days: BTreeSet<i32> = next.chain(planned.iter().copied()).collect();
            for day in days
                .into_iter()
                .filter(|day| (spec.from..=spec.to).contains(day))
            {
                if let Some(at) = draft.latest(&draft.needs(plan, place, day)) {
                    let is_of_day = day_of(at, zone) == day;
                    draft.add(
                        place,
                        day,
                        if is_of_day { at } else { moved(at, day, zone) },
                    )?;
                }
            }
        }
        Ok(())
    }

    /// The runs in order, each with what it needs.
    fn lay_out(
        &self,
        draft: &Draft<'_>,
        members: &[String],
    ) -> Result<Vec<BackfillRunRow>, Rejection> {
        let mut groups: BTreeMap<Place, &Vec<Timestamp>> = BTreeMap::new();
        for (place, days) in draft.moments.iter().enumerate() {
            groups.extend(days.iter().map(|(day, moments)| ((*day, place), moments)));
        }
        let mut first = BTreeMap::new();
        let mut runs = Vec::with_capacity(draft.count);
        let mut waits = 0;
        for ((day, place), moments) in groups {
            let position = u32::try_from(runs.len()).unwrap_or(u32::MAX);
            first.insert((day, place), position);
            let plan = self
                .workflows
                .get(&members[place])
                .and_then(|entry| entry.plan());
            let needs = plan
                .map(|plan| draft.needs(plan, place, day))
                .unwrap_or_default();
            let needs: Vec<u32> = needs
                .iter()
                .filter_map(|place| first.get(place))
                .copied()
                .collect();
            waits += needs.len() * moments.len();
            if waits > MOST_NEEDS {
                return Err(too_many());
            }
            runs.extend(
                (position..)
                    .zip(moments)
                    .map(|(position, at)| BackfillRunRow {
                        backfill: InstanceId::from_u128(0),
                        position,
                        workflow: members[place].clone(),
                        day,
                        fire_time: *at,
                        needs: needs.clone(),
                        state: RunState::Waiting,
                        instance: None,
                        changed_at: self.now,
                    }),
            );
        }
        Ok(runs)
    }

    /// Marks what is good already: of a date with one run any success of that date counts, of one with several that of the
    /// very moment.
    fn pass_over(&self, runs: &mut [BackfillRunRow], good: &[(String, Timestamp)]) {
        let zones: BTreeMap<&str, Tz> = good
            .iter()
            .map(|(name, _)| (&**name, self.zone(name)))
            .collect();
        let moments: BTreeSet<(&str, Timestamp)> =
            good.iter().map(|(name, at)| (&**name, *at)).collect();
        let days: BTreeSet<(&str, i32)> = moments
            .iter()
            .map(|(name, at)| (*name, day_of(*at, zones[name])))
            .collect();
        for group in runs.chunk_by_mut(|a, b| (a.day, &a.workflow) == (b.day, &b.workflow)) {
            let is_single = group.len() == 1;
            for run in group {
                let is_good = moments.contains(&(&*run.workflow, run.fire_time))
                    || is_single && days.contains(&(&*run.workflow, run.day));
                if is_good {
                    run.state = RunState::Good;
                }
            }
        }
    }
}

fn check_spec(spec: &BackfillSpec) -> Result<(), Rejection> {
    let (from, to) = (date_of(spec.from), date_of(spec.to));
    if spec.from > spec.to {
        return Err(invalid(
            format!("起始日期{from}晚于结束日期{to}，请对调"),
            format!("the first date {from} lies after the last date {to}: swap them"),
        ));
    }
    if spec.to.saturating_sub(spec.from) >= MOST_DAYS {
        return Err(invalid(
            format!("{from}至{to}超过{MOST_DAYS}天，请分段补数"),
            format!("{from} to {to} are more than {MOST_DAYS} days: backfill it in parts"),
        ));
    }
    if !(1..=MOST_PARALLEL).contains(&spec.max_parallel) {
        return Err(invalid(
            format!("并行数须为1到{MOST_PARALLEL}"),
            format!("between 1 and {MOST_PARALLEL} instances may be open at once"),
        ));
    }
    Ok(())
}

fn midnight(day: i32, zone: Tz) -> Timestamp {
    let date = NaiveDate::from_num_days_from_ce_opt(day).unwrap_or_default();
    local(date.and_time(NaiveTime::MIN), zone, false)
}

fn invalid(zh: String, en: String) -> Rejection {
    Rejection::new(ErrorCode::Invalid, Text::new(zh, en))
}

pub(super) fn too_many() -> Rejection {
    invalid(
        format!("运行次数超过{MOST_RUNS}，或相互等待过多，请缩短日期范围，分段补数"),
        format!(
            "more than {MOST_RUNS} runs, or too many that wait for each other: take a shorter range, backfill it in parts"
        ),
    )
}

fn disabled() -> Text {
    Text::new(
        "调度不可用（is-enabled为false）",
        "its coordinator is disabled",
    )
}

fn behind() -> Text {
    Text::new(
        "位于被略过的工作流之后",
        "it comes after one that is left out",
    )
}

fn in_a_circle() -> Text {
    Text::new("循环依赖", "it waits for itself in a circle")
}

#[cfg(test)]
mod tests {
    use chrono::Datelike;

    use super::*;

    #[test]
    fn a_date_whose_midnight_comes_twice_begins_with_the_first() {
        let date = NaiveDate::from_ymd_opt(2025, 11, 2).unwrap();
        let begin = midnight(date.num_days_from_ce(), Tz::America__Havana);
        assert_eq!(begin.to_rfc3339(), "2025-11-02T04:00:00.000Z");
    }
}
