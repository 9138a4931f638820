//! Which fires are expected, and what became of each.
//!
//! Reckoned from the plan's times and from the business dates of which upstreams succeeded: not with the engine's crons and tokens.

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::definition::DateRule;
use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{FireRow, FireState, InstanceRow, SkipReason, TriggerKind};
use akkaflow_model::state::InstanceState;
use akkaflow_model::time::Timestamp;

use super::plan::{BEGIN, DAY, Plan, Routine};

/// The days since the beginning.
fn date_of(at: i64) -> i64 {
    (at - BEGIN).div_euclid(DAY)
}

/// One fire of one workflow: by its slot, by its date, or by the slot of the success that it follows.
type Key = (usize, i64);

/// What an instance was.
#[derive(Debug, Clone, Copy)]
struct Run {
    routine: usize,
    fire_time: i64,
    trigger: TriggerKind,
    state: InstanceState,
}

/// All instances there were.
#[derive(Debug, Default)]
pub(super) struct Book {
    runs: BTreeMap<InstanceId, Run>,
}

/// What became of all that was expected.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    pub(super) expected: u64,
    pub(super) fired: u64,
    pub(super) skipped: u64,
    /// Slots whose upstreams have not succeeded.
    pub(super) waiting: u64,
    /// Expected, and neither an instance, nor skipped, nor waiting with a reason.
    pub(super) lost: Vec<String>,
    /// A second instance for the same, or one that nobody expects.
    pub(super) doubled: Vec<String>,
}

impl Book {
    pub(super) fn note(&mut self, routine: usize, row: &InstanceRow) {
        let run = Run {
            routine,
            fire_time: row.fire_time.as_millis(),
            trigger: row.trigger,
            state: row.state,
        };
        self.runs.insert(row.id, run);
    }

    pub(super) fn len(&self) -> usize {
        self.runs.len()
    }

    /// How many instances there are of each day.
    pub(super) fn per_day(&self) -> Vec<u64> {
        let mut days = BTreeMap::new();
        for run in self.runs.values() {
            *days.entry(date_of(run.fire_time)).or_default() += 1;
        }
        days.into_values().collect()
    }

    pub(super) fn ended(&self, state: InstanceState) -> usize {
        self.runs.values().filter(|run| run.state == state).count()
    }

    /// `fires`: all rows of them; `told`: the slots that wait and were told why.
    pub(super) fn judge<'a>(
        &self,
        plan: &Plan,
        days: u32,
        fires: impl Iterator<Item = &'a FireRow>,
        told: &BTreeSet<(&str, Timestamp)>,
    ) -> Judgement {
        let mut runs: BTreeMap<Key, u32> = BTreeMap::new();
        // The dates, and the slots, of which a workflow has succeeded.
        let mut successes: BTreeMap<usize, BTreeSet<i64>> = BTreeMap::new();
        for run in self.runs.values() {
            let key = key(&plan.routines[run.routine], run.fire_time);
            *runs.entry((run.routine, key)).or_default() += 1;
            if run.state == InstanceState::Succeeded {
                successes
                    .entry(run.routine)
                    .or_default()
                    .insert(run.fire_time);
            }
        }
        let skips = skips(fires);
        let mut judgement = Judgement::default();
        for (number, routine) in plan.routines.iter().enumerate() {
            for (at, is_ready) in expected(routine, days, &successes) {
                let name = &routine.workflow.name;
                let due = Timestamp::from_millis(at);
                judgement.expected += 1;
                let skip = skips.get(&(name.as_str(), at));
                let what = || format!("{name} of {}", due.to_rfc3339());
                match (runs.remove(&(number, at)), skip) {
                    (Some(1), None) if is_ready => judgement.fired += 1,
                    (None, Some(_)) if is_ready => judgement.skipped += 1,
                    (None, None) if !is_ready && told.contains(&(name.as_str(), due)) => {
                        judgement.waiting += 1;
                    }
                    (Some(count), _) => {
                        let text = format!("{}: {count} instances, ready: {is_ready}", what());
                        judgement.doubled.push(text);
                    }
                    (None, skip) => {
                        let text = format!("{}: ready: {is_ready}, skipped: {skip:?}", what());
                        judgement.lost.push(text);
                    }
                }
            }
        }
        for ((number, at), count) in runs {
            let name = &plan.routines[number].workflow.name;
            let at = Timestamp::from_millis(at).to_rfc3339();
            judgement.doubled.push(format!(
                "{name} of {at}: {count} instances that nobody expects"
            ));
        }
        judgement
    }

    /// Whether the kinds of triggers are those of the plan.
    pub(super) fn check_triggers(&self, plan: &Plan) -> Result<(), String> {
        for (id, run) in &self.runs {
            let routine = &plan.routines[run.routine];
            let wanted = match routine.times {
                Some(_) => TriggerKind::Cron,
                None => TriggerKind::Dependency,
            };
            if run.trigger != wanted {
                let name = &routine.workflow.name;
                return Err(format!("{name} {id} was started by {:?}", run.trigger));
            }
        }
        Ok(())
    }
}

/// What names a fire of this workflow.
fn key(routine: &Routine, fire_time: i64) -> i64 {
    match (routine.times, routine.rule) {
        (None, DateRule::SameDay) => BEGIN + date_of(fire_time) * DAY,
        _ => fire_time,
    }
}

/// The fires of a workflow, and whether all that each waits for has happened.
fn expected(
    routine: &Routine,
    days: u32,
    successes: &BTreeMap<usize, BTreeSet<i64>>,
) -> Vec<(i64, bool)> {
    let none = BTreeSet::new();
    let of = |upstream: &usize| successes.get(upstream).unwrap_or(&none);
    let has_all = |date: i64| {
        let is_of_date = |at: &i64| date_of(*at) == date;
        let mut upstreams = routine.upstreams.iter();
        upstreams.all(|upstream| of(upstream).iter().any(is_of_date))
    };
    match (routine.times, routine.rule) {
        (Some(times), rule) => {
            let back = i64::from(rule == DateRule::Previous);
            let slots = times.slots(days);
            slots.map(|at| (at, has_all(date_of(at) - back))).collect()
        }
        (None, DateRule::SameDay) => (0..i64::from(days))
            .filter(|date| has_all(*date))
            .map(|date| (BEGIN + date * DAY, true))
            .collect(),
        (None, _) => {
            let upstreams = routine.upstreams.iter();
            upstreams.flat_map(of).map(|at| (*at, true)).collect()
        }
    }
}

/// The slots that were passed over, each with its reason. What was merged into another one is no skip.
fn skips<'a>(fires: impl Iterator<Item = &'a FireRow>) -> BTreeMap<(&'a str, i64), SkipReason> {
    let skipped = fires.filter(|fire| fire.state == FireState::Skipped);
    skipped
        .filter_map(|fire| {
            let key = (fire.workflow.as_str(), fire.due_at.as_millis());
            Some((key, fire.reason?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use akkaflow_model::state::InstanceState;

    use super::*;
    use crate::week::Options;

    fn plan() -> Plan {
        Plan::draw(Options {
            seed: 1,
            workflows: 200,
            days: 1,
        })
    }

    /// A book in which everything went well.
    fn well(plan: &Plan) -> Book {
        let mut book = Book::default();
        let mut successes: BTreeMap<usize, BTreeSet<i64>> = BTreeMap::new();
        for (number, routine) in plan.routines.iter().enumerate() {
            for (at, _) in expected(routine, 1, &successes)
                .into_iter()
                .filter(|it| it.1)
            {
                let id = InstanceId::from_u128(book.runs.len() as u128 + 1);
                book.runs.insert(id, run(number, at));
                successes.entry(number).or_default().insert(at);
            }
        }
        book
    }

    fn run(routine: usize, fire_time: i64) -> Run {
        Run {
            routine,
            fire_time,
            trigger: TriggerKind::Cron,
            state: InstanceState::Succeeded,
        }
    }

    fn judged(book: &Book, plan: &Plan) -> (usize, usize) {
        // Of the first day nothing waits but what needs the day before.
        let waiting = plan
            .routines
            .iter()
            .filter(|it| it.rule == DateRule::Previous);
        let slots = waiting.flat_map(|it| {
            it.times
                .into_iter()
                .flat_map(|times| times.slots(1))
                .map(|at| (it.workflow.name.as_str(), Timestamp::from_millis(at)))
        });
        let told = slots.collect();
        let judgement = book.judge(plan, 1, std::iter::empty(), &told);
        (judgement.lost.len(), judgement.doubled.len())
    }

    #[test]
    fn what_is_lost_doubled_or_unexpected_is_found() {
        let plan = plan();
        let mut book = well(&plan);
        assert_eq!(judged(&book, &plan), (0, 0));
        let (first, lost) = book.runs.pop_first().unwrap();
        let (found, _) = judged(&book, &plan);
        assert!(found >= 1, "a slot without an instance is lost");
        book.runs.insert(first, lost);
        book.runs.insert(InstanceId::from_u128(u128::MAX), lost);
        assert_eq!(judged(&book, &plan), (0, 1));
        book.runs
            .insert(InstanceId::from_u128(u128::MAX), run(0, BEGIN + 1));
        assert_eq!(judged(&book, &plan), (0, 1));
    }
}
