//! An open backfill in memory: its rows, and what follows from them about what may start next.

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::backfill::{BackfillRow, BackfillRunRow, Groups, RunState};
use akkaflow_model::id::InstanceId;

/// All open backfills.
#[derive(Debug, Default)]
pub(crate) struct Backfills {
    pub(crate) open: BTreeMap<InstanceId, Backfill>,
    /// Those that may have become able to start something, or to end.
    pub(crate) due: BTreeSet<InstanceId>,
    /// Those that wait for a workflow to have room.
    parked: BTreeMap<String, BTreeSet<InstanceId>>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Backfill {
    pub(crate) row: BackfillRow,
    pub(crate) runs: Vec<BackfillRunRow>,
    groups: Groups,
    /// Places of the runs that have an instance.
    instances: BTreeMap<InstanceId, usize>,
    pub(crate) running: usize,
    /// Runs that have not begun, whatever keeps them.
    pub(crate) waiting: usize,
    /// Those of them whose needs are met, by workflow.
    ready: BTreeMap<String, BTreeSet<usize>>,
    /// The first ready run of each workflow that may have room.
    heads: BTreeSet<(usize, String)>,
}

impl Backfills {
    pub(crate) fn load(rows: Vec<BackfillRow>, runs: Vec<BackfillRunRow>) -> Self {
        let mut of: BTreeMap<InstanceId, Vec<BackfillRunRow>> = BTreeMap::new();
        for run in runs {
            of.entry(run.backfill).or_default().push(run);
        }
        let mut backfills = Self::default();
        for row in rows {
            let mut runs = of.remove(&row.id).unwrap_or_default();
            runs.sort_by_key(|run| run.position);
            backfills.insert(Backfill::new(row, runs));
        }
        backfills
    }

    pub(crate) fn insert(&mut self, backfill: Backfill) {
        self.due.insert(backfill.row.id);
        self.open.insert(backfill.row.id, backfill);
    }

    pub(crate) fn remove(&mut self, id: InstanceId) {
        self.open.remove(&id);
        self.due.remove(&id);
        self.parked.retain(|_, waiting| {
            waiting.remove(&id);
            !waiting.is_empty()
        });
    }

    /// Whose turn it is; it is due no more.
    pub(crate) fn next_due(&mut self) -> Option<InstanceId> {
        self.due.pop_first()
    }

    /// The workflow of the backfill has no room: it is looked at again when that changes.
    pub(crate) fn park(&mut self, id: InstanceId, workflow: &str) {
        if let Some(backfill) = self.open.get_mut(&id) {
            backfill.heads.retain(|(_, name)| name != workflow);
            self.parked
                .entry(workflow.to_owned())
                .or_default()
                .insert(id);
        }
    }

    /// Something has changed for a workflow.
    pub(crate) fn unpark(&mut self, workflow: &str) {
        for id in self.parked.remove(workflow).unwrap_or_default() {
            if let Some(backfill) = self.open.get_mut(&id) {
                let first = backfill.ready.get(workflow).and_then(BTreeSet::first);
                let head = first.map(|first| (*first, workflow.to_owned()));
                backfill.heads.extend(head);
                self.due.insert(id);
            }
        }
    }

    /// Whether somebody waits for the workflow to have room.
    pub(crate) fn is_parked(&self, id: InstanceId, workflow: &str) -> bool {
        self.parked
            .get(workflow)
            .is_some_and(|waiting| waiting.contains(&id))
    }

    /// The backfill that still has a run of the workflow ahead, or open.
    pub(crate) fn holding(&self, workflow: &str) -> Option<InstanceId> {
        let has = |backfill: &&Backfill| {
            backfill.row.abort.is_none()
                && backfill.runs.iter().any(|run| {
                    run.workflow == workflow
                        && matches!(run.state, RunState::Waiting | RunState::Running)
                })
        };
        self.open.values().find(has).map(|backfill| backfill.row.id)
    }
}

impl Backfill {
    pub(crate) fn new(row: BackfillRow, runs: Vec<BackfillRunRow>) -> Self {
        let with_instance = (0..).zip(&runs);
        let mut backfill = Self {
            row,
            groups: Groups::new(&runs),
            instances: with_instance
                .filter_map(|(position, run)| Some((run.instance?, position)))
                .collect(),
            running: runs
                .iter()
                .filter(|run| run.state == RunState::Running)
                .count(),
            waiting: runs
                .iter()
                .filter(|run| run.state == RunState::Waiting)
                .count(),
            ready: BTreeMap::new(),
            heads: BTreeSet::new(),
            runs,
        };
        let free: Vec<usize> = backfill.groups.free().collect();
        backfill.release(free);
        backfill
    }

    /// All that the runs need is good: they may begin.
    fn release(&mut self, positions: Vec<usize>) {
        for position in positions {
            if self.runs[position].state == RunState::Waiting {
                self.make_ready(position);
            }
        }
    }

    fn make_ready(&mut self, position: usize) {
        let workflow = self.runs[position].workflow.clone();
        let ready = self.ready.entry(workflow.clone()).or_default();
        let before = ready.first().copied();
        ready.insert(position);
        // A workflow with ready runs and without a head is parked, and stays so.
        let has_head = before.is_none_or(|before| self.heads.remove(&(before, workflow.clone())));
        if has_head {
            let first = before.map_or(position, |before| before.min(position));
            self.heads.insert((first, workflow));
        }
    }

    /// The first run that may begin, as far as this backfill knows.
    pub(crate) fn head(&self) -> Option<usize> {
        self.heads.first().map(|(position, _)| *position)
    }

    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    pub(crate) fn is_ready(&self, position: usize) -> bool {
        let ready = self.ready.get(&self.runs[position].workflow);
        ready.is_some_and(|ready| ready.contains(&position))
    }

    /// The first ready run of each workflow.
    pub(crate) fn first_ready(&self) -> impl Iterator<Item = (&str, usize)> {
        self.ready
            .iter()
            .filter_map(|(name, ready)| Some((name.as_str(), *ready.first()?)))
    }

    pub(crate) fn position_of(&self, instance: InstanceId) -> Option<usize> {
        self.instances.get(&instance).copied()
    }

    /// Groups that a run needs and that are not good, by their first run.
    pub(crate) fn unmet(&self, position: usize) -> impl Iterator<Item = &[BackfillRunRow]> {
        let groups = self.groups.unmet(&self.runs[position].needs);
        groups.map(|runs| &self.runs[runs])
    }

    /// A run has its instance.
    pub(crate) fn begin(&mut self, position: usize, instance: InstanceId) {
        let workflow = self.runs[position].workflow.clone();
        self.heads.remove(&(position, workflow.clone()));
        if let Some(ready) = self.ready.get_mut(&workflow) {
            ready.remove(&position);
            match ready.first() {
                Some(next) => drop(self.heads.insert((*next, workflow))),
                None => drop(self.ready.remove(&workflow)),
            }
        }
        self.instances.insert(instance, position);
        self.runs[position].state = RunState::Running;
        self.runs[position].instance = Some(instance);
        self.waiting -= 1;
        self.running += 1;
    }

    /// The instance of a run is over.
    pub(crate) fn end(&mut self, position: usize, is_good: bool) {
        self.running -= 1;
        self.runs[position].state = if is_good {
            RunState::Succeeded
        } else {
            RunState::Failed
        };
        if is_good {
            let freed = self.groups.on_good(position);
            self.release(freed);
        }
    }

    /// A failed run goes on: somebody runs its instance again.
    pub(crate) fn again(&mut self, position: usize) {
        self.runs[position].state = RunState::Running;
        self.running += 1;
    }

    /// What is kept beside the rows is what follows from them.
    pub(crate) fn check(&self, parked: &Backfills) -> Result<(), String> {
        let again = Self::new(self.row.clone(), self.runs.clone());
        if (again.running, again.waiting, &again.ready, &again.instances)
            != (self.running, self.waiting, &self.ready, &self.instances)
        {
            return Err(format!(
                "backfill {} has lost count of its runs",
                self.row.id
            ));
        }
        for (workflow, ready) in &self.ready {
            let first = ready.first().map(|first| (*first, workflow.clone()));
            let has_head = first.is_some_and(|first| self.heads.contains(&first));
            if has_head == parked.is_parked(self.row.id, workflow) {
                return Err(format!("backfill {} has lost {workflow}", self.row.id));
            }
        }
        Ok(())
    }
}
