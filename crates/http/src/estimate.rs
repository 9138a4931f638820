//! How long the runs of a backfill take: by the last successes of their workflows, within all bounds.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use akkaflow_api::Estimate;
use akkaflow_model::backfill::{BackfillRunRow, Groups, RunState};
use akkaflow_model::state::InstanceState;
use akkaflow_model::time::Timestamp;
use akkaflow_store::InstanceQuery;

use crate::app::App;
use crate::failure::Failure;

/// The last so many successes of a workflow say how long it takes.
const SUCCESSES: u32 = 30;
/// With fewer nobody can tell.
const LEAST: usize = 3;

/// What is known of a workflow.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Habit {
    /// The median of its last successes.
    pub(crate) seconds: Option<u64>,
    /// How many instances of it may run at once; `None` when its definition cannot be read.
    limit: Option<usize>,
}

/// The habits of all workflows among the runs.
pub(crate) async fn habits(
    app: &App,
    runs: &[BackfillRunRow],
) -> Result<BTreeMap<String, Habit>, Failure> {
    let names: BTreeSet<&str> = runs.iter().map(|run| &*run.workflow).collect();
    let mut habits = BTreeMap::new();
    for name in names {
        let query = InstanceQuery {
            states: vec![InstanceState::Succeeded],
            workflow: Some(name.to_owned()),
            limit: SUCCESSES,
            ..InstanceQuery::default()
        };
        let successes = app.store.instances(&query).await?;
        let durations = successes
            .iter()
            .filter_map(|row| Some(row.ended_at?.since(row.started_at?).as_secs()));
        let definition = match app.store.workflow(name).await? {
            Some(row) => app.definitions.get(&*app.store, &row.version).await?,
            None => None,
        };
        let habit = Habit {
            seconds: median(durations.collect()),
            limit: definition.and_then(|it| usize::try_from(it.instance_limit).ok()),
        };
        habits.insert(name.to_owned(), habit);
    }
    Ok(habits)
}

fn median(mut durations: Vec<u64>) -> Option<u64> {
    durations.sort_unstable();
    (durations.len() >= LEAST).then(|| durations[durations.len() / 2])
}

/// What is left of the runs at `now`: plays them through, each for as long as its workflow usually takes.
pub(crate) fn left(
    runs: &[BackfillRunRow],
    habits: &BTreeMap<String, Habit>,
    max_parallel: u32,
    now: Timestamp,
) -> Estimate {
    let mut play = Play::new(runs, habits, max_parallel);
    for (position, run) in runs.iter().enumerate() {
        if run.state == RunState::Running {
            play.begin(position, now.since(run.changed_at).as_secs());
        }
    }
    play.start_ready();
    while let Some(Reverse((at, position))) = play.open.pop() {
        play.now = at;
        play.end(position);
        play.start_ready();
    }
    Estimate {
        seconds: play.now,
        unknown: play.unknown,
    }
}

struct Play<'a> {
    runs: &'a [BackfillRunRow],
    habits: &'a BTreeMap<String, Habit>,
    max_parallel: usize,
    now: u64,
    unknown: u64,
    /// By their end.
    open: BinaryHeap<Reverse<(u64, usize)>>,
    open_of: BTreeMap<&'a str, usize>,
    /// Those that wait for nothing, by workflow.
    ready: BTreeMap<&'a str, BTreeSet<usize>>,
    groups: Groups,
}

impl<'a> Play<'a> {
    fn new(
        runs: &'a [BackfillRunRow],
        habits: &'a BTreeMap<String, Habit>,
        max_parallel: u32,
    ) -> Self {
        let mut play = Self {
            runs,
            habits,
            max_parallel: max_parallel as usize,
            now: 0,
            unknown: 0,
            open: BinaryHeap::new(),
            open_of: BTreeMap::new(),
            ready: BTreeMap::new(),
            groups: Groups::new(runs),
        };
        let free: Vec<usize> = play.groups.free().collect();
        play.release(free);
        play
    }

    fn release(&mut self, positions: Vec<usize>) {
        for position in positions {
            if self.runs[position].state == RunState::Waiting {
                let workflow = &*self.runs[position].workflow;
                self.ready.entry(workflow).or_default().insert(position);
            }
        }
    }

    fn habit(&self, workflow: &str) -> Habit {
        self.habits.get(workflow).copied().unwrap_or_default()
    }

    /// `before` is how long it has run already.
    fn begin(&mut self, position: usize, before: u64) {
        let workflow = &*self.runs[position].workflow;
        let seconds = self.habit(workflow).seconds;
        self.unknown += u64::from(seconds.is_none());
        let left = seconds.unwrap_or(0).saturating_sub(before);
        *self.open_of.entry(workflow).or_default() += 1;
        self.open.push(Reverse((self.now + left, position)));
    }

    fn start_ready(&mut self) {
        while self.open.len() < self.max_parallel {
            let has_room = |workflow: &str| {
                let open = self.open_of.get(workflow).copied().unwrap_or_default();
                self.habit(workflow)
                    .limit
                    .is_none_or(|limit| open < limit.max(1))
            };
            let next = self
                .ready
                .iter()
                .filter(|(workflow, _)| has_room(workflow))
                .filter_map(|(_, positions)| positions.first().copied())
                .min();
            let Some(position) = next else { return };
            let workflow = &*self.runs[position].workflow;
            if let Some(positions) = self.ready.get_mut(workflow) {
                positions.remove(&position);
                if positions.is_empty() {
                    self.ready.remove(workflow);
                }
            }
            self.begin(position, 0);
        }
    }

    fn end(&mut self, position: usize) {
        if let Some(open) = self.open_of.get_mut(&*self.runs[position].workflow) {
            *open -= 1;
        }
        let freed = self.groups.on_good(position);
        self.release(freed);
    }
}

#[cfg(test)]
mod tests {
    use akkaflow_model::id::InstanceId;

    use super::*;

    fn run(position: u32, workflow: &str, day: i32, needs: &[u32]) -> BackfillRunRow {
        BackfillRunRow {
            backfill: InstanceId::from_u128(1),
            position,
            workflow: workflow.to_owned(),
            day,
            fire_time: Timestamp::default(),
            needs: needs.to_vec(),
            state: RunState::Waiting,
            instance: None,
            changed_at: Timestamp::default(),
        }
    }

    fn habits() -> BTreeMap<String, Habit> {
        let habit = |seconds, limit| Habit {
            seconds,
            limit: Some(limit),
        };
        BTreeMap::from([
            ("a".to_owned(), habit(Some(10), 5)),
            ("b".to_owned(), habit(Some(3), 1)),
            ("new".to_owned(), habit(None, 5)),
        ])
    }

    fn seconds(runs: &[BackfillRunRow], max_parallel: u32) -> u64 {
        left(runs, &habits(), max_parallel, Timestamp::default()).seconds
    }

    #[test]
    fn the_bound_and_the_limits_of_workflows_lengthen_it() {
        let a: Vec<_> = (0..4).map(|day| run(day, "a", day as i32, &[])).collect();
        assert_eq!([1, 2, 4, 9].map(|most| seconds(&a, most)), [40, 20, 10, 10]);
        let b: Vec<_> = (0..4).map(|day| run(day, "b", day as i32, &[])).collect();
        assert_eq!(seconds(&b, 9), 12);
    }

    #[test]
    fn what_waits_for_others_comes_after_them_and_what_is_good_takes_no_time() {
        let mut runs = vec![run(0, "a", 1, &[]), run(1, "b", 1, &[0])];
        assert_eq!(seconds(&runs, 9), 13);
        runs[0].state = RunState::Good;
        assert_eq!(seconds(&runs, 9), 3);
        runs[0].state = RunState::Failed;
        assert_eq!(seconds(&runs, 9), 0, "it never comes");
        runs[0].state = RunState::Running;
        let now = Timestamp::from_millis(4_000);
        assert_eq!(left(&runs, &habits(), 9, now).seconds, 9);
    }

    #[test]
    fn what_nobody_knows_is_counted() {
        let runs = [run(0, "new", 1, &[]), run(1, "a", 1, &[])];
        let expected = Estimate {
            seconds: 10,
            unknown: 1,
        };
        assert_eq!(left(&runs, &habits(), 1, Timestamp::default()), expected);
    }

    #[test]
    fn three_successes_make_a_habit() {
        assert_eq!(median(vec![1, 2]), None);
        assert_eq!(median(vec![9, 1, 2]), Some(2));
    }
}
