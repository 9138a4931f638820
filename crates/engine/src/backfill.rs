//! Backfills: a range of business dates, run beside production and after it.
//!
//! A run begins when all of this holds: its backfill is neither paused nor aborted and has fewer instances open than it may,
//! the dates that it needs are good, and its workflow has room with nothing of production in its queue. Its instance is one
//! like any other, but gives no tokens and uses none up, ranks behind production at the workers, and counts for no
//! `overlap`. A failed one pauses the backfill, unless that shall keep going. It ends once nothing runs and nothing more
//! can begin.

mod draft;
mod orders;
mod plan;
mod state;

use akkaflow_model::backfill::{
    BackfillHold, BackfillRow, BackfillRunRow, BackfillState, RunState,
};
use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{Record, TriggerKind};
use akkaflow_model::state::InstanceState;

use crate::Engine;
use crate::lifecycle::Birth;
use crate::orders::{StartBlock, named};

pub(crate) use orders::StartBackfill;
pub(crate) use state::{Backfill, Backfills};

/// A node of a backfill ranks as one of so much less priority: it is overtaken by whatever of production becomes ready
/// within an hour after it, and by nothing later, so that it does not starve.
pub(crate) const RANK_BEHIND: i32 = 60;

/// Why the next run of a workflow cannot begin now, as far as the workflow is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunBlock {
    /// Nothing of it can start.
    Start(StartBlock),
    /// A person holds its schedule up.
    Suspended,
    /// Instances wait in its queue: they go first.
    Queue,
}

impl Engine {
    fn write_backfill(&mut self, id: InstanceId) {
        if let Some(backfill) = self.backfills.open.get(&id) {
            self.out.record(Record::Backfill(backfill.row.clone()));
            self.backfills.due.insert(id);
        }
    }

    fn write_run(&mut self, id: InstanceId, position: usize) {
        if let Some(backfill) = self.backfills.open.get_mut(&id) {
            backfill.runs[position].changed_at = self.now;
            let row = backfill.runs[position].clone();
            self.out.record(Record::BackfillRun(row));
            self.backfills.due.insert(id);
        }
    }

    /// Starts the next run of a backfill, or sees that none can start, or that it is over.
    pub(crate) fn advance_backfill(&mut self, id: InstanceId) {
        let Some(backfill) = self.backfills.open.get(&id) else {
            return;
        };
        if backfill.is_over() {
            return self.end_backfill(id);
        }
        if self.cluster.frozen.is_some() || !backfill.may_start() {
            return;
        }
        let Some(position) = backfill.head() else {
            return;
        };
        let workflow = backfill.runs[position].workflow.clone();
        if self.run_block(&workflow).is_some() {
            self.backfills.park(id, &workflow);
        } else {
            self.begin_run(id, position, &workflow);
        }
        self.backfills.due.insert(id);
    }

    /// Why the next run of a workflow cannot begin now.
    pub(crate) fn run_block(&self, workflow: &str) -> Option<RunBlock> {
        let entry = self.workflows.get(workflow);
        if entry.is_some_and(|entry| entry.row.hold.is_some()) {
            return Some(RunBlock::Suspended);
        }
        if let Some(block) = self.start_block(workflow) {
            return Some(RunBlock::Start(block));
        }
        entry
            .is_some_and(|entry| !entry.queue.is_empty())
            .then_some(RunBlock::Queue)
    }

    fn begin_run(&mut self, id: InstanceId, position: usize, name: &str) {
        // A definition that cannot be read parks its workflow like one that is not there.
        let Some(workflow) = self.workflow_in_force(name) else {
            return self.backfills.park(id, name);
        };
        let Some(backfill) = self.backfills.open.get(&id) else {
            return;
        };
        let fire_time = backfill.runs[position].fire_time;
        let user = backfill.row.user.clone();
        let params = self.resolve(&workflow, &[], fire_time);
        let instance = self.create(Birth {
            workflow: name.to_owned(),
            trigger: TriggerKind::Backfill,
            fire_time,
            params,
            ignore_nodes: Vec::new(),
            chain: Some(Some(id)),
            fire: None,
            asked_by: named(user),
            parent: None,
        });
        if let Some(backfill) = self.backfills.open.get_mut(&id) {
            backfill.begin(position, instance);
        }
        self.write_run(id, position);
        // Its parameters may have ended it before it began.
        let state = self
            .instances
            .get(&instance)
            .map(|instance| instance.row.state);
        if let Some(state) = state.filter(|state| state.is_terminal()) {
            self.run_ended(id, instance, state == InstanceState::Succeeded);
        }
    }

    /// An instance of a backfill is over.
    pub(crate) fn run_ended(&mut self, id: InstanceId, instance: InstanceId, is_good: bool) {
        let now = self.now;
        let Some(backfill) = self.backfills.open.get_mut(&id) else {
            return;
        };
        let Some(position) = backfill
            .position_of(instance)
            .filter(|position| backfill.runs[*position].state == RunState::Running)
        else {
            return;
        };
        backfill.end(position, is_good);
        if !is_good && !backfill.row.spec.keep_going && backfill.row.hold.is_none() {
            backfill.row.hold = Some(BackfillHold::Failure {
                position: backfill.runs[position].position,
                since: now,
            });
            self.write_backfill(id);
        }
        self.write_run(id, position);
    }

    /// Somebody runs an ended instance again: a failed run of an open backfill goes on with it.
    pub(crate) fn run_again(&mut self, id: InstanceId, instance: InstanceId) {
        let Some(backfill) = self.backfills.open.get_mut(&id) else {
            return;
        };
        let failed = backfill
            .position_of(instance)
            .filter(|position| backfill.runs[*position].state == RunState::Failed);
        if let Some(position) = failed {
            backfill.again(position);
            self.write_run(id, position);
        }
    }

    fn end_backfill(&mut self, id: InstanceId) {
        let now = self.now;
        let Some(backfill) = self.backfills.open.get_mut(&id) else {
            return;
        };
        let is_good = backfill.runs.iter().all(|run| run.state.is_good());
        backfill.row.state = match (is_good, &backfill.row.abort) {
            (true, _) => BackfillState::Succeeded,
            (false, Some(_)) => BackfillState::Aborted,
            (false, None) => BackfillState::Failed,
        };
        backfill.row.hold = None;
        backfill.row.ended_at = Some(now);
        self.out.record(Record::Backfill(backfill.row.clone()));
        self.backfills.remove(id);
    }

    /// All backfills deserve a look: the cluster goes on after a freeze.
    pub(crate) fn wake_backfills(&mut self) {
        let names: Vec<String> = self
            .backfills
            .open
            .values()
            .flat_map(|backfill| backfill.first_ready().map(|(name, _)| name.to_owned()))
            .collect();
        for name in names {
            self.backfills.unpark(&name);
        }
        self.backfills.due.extend(self.backfills.open.keys());
    }

    /// An instance that a backfill made.
    pub(crate) fn is_of_backfill(&self, id: InstanceId) -> bool {
        self.instances
            .get(&id)
            .is_some_and(|instance| instance.row.trigger == TriggerKind::Backfill)
    }

    /// The open backfills.
    pub fn backfills(&self) -> impl Iterator<Item = &BackfillRow> {
        self.backfills.open.values().map(|backfill| &backfill.row)
    }

    /// The runs of an open backfill, in order.
    pub fn backfill_runs(&self, id: InstanceId) -> &[BackfillRunRow] {
        self.backfills
            .open
            .get(&id)
            .map_or(&[], |backfill| &backfill.runs)
    }

    pub(crate) fn check_backfills(&self) -> Result<(), String> {
        for (id, backfill) in &self.backfills.open {
            backfill.check(&self.backfills)?;
            for run in &backfill.runs {
                let is_open = run
                    .instance
                    .is_some_and(|it| self.instances.contains_key(&it));
                if run.state == RunState::Running && !is_open {
                    return Err(format!(
                        "run {} of backfill {id} has no instance",
                        run.position
                    ));
                }
            }
            if self.backfills.due.contains(id) {
                continue;
            }
            if backfill.is_over() {
                return Err(format!("backfill {id} is over and open"));
            }
            let startable = backfill
                .first_ready()
                .find(|(name, _)| self.run_block(name).is_none());
            if let Some((name, _)) = startable.filter(|_| backfill.may_start()) {
                return Err(format!(
                    "backfill {id} does not start {name} though it could"
                ));
            }
        }
        Ok(())
    }
}

impl Backfill {
    /// Whether it may start something, if there is something to start.
    pub(crate) fn may_start(&self) -> bool {
        self.row.hold.is_none() && self.row.abort.is_none() && !self.is_full()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.running >= self.row.spec.max_parallel as usize
    }

    /// Whether nothing runs and nothing more can begin. One that is paused may be helped by running again what has failed.
    fn is_over(&self) -> bool {
        let is_stuck = self.row.hold.is_none() && !self.has_ready();
        self.running == 0 && (self.row.abort.is_some() || self.waiting == 0 || is_stuck)
    }
}
