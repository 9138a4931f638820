//! Watches what becomes durable: every row is compared with the one that it replaces, every batch with the definitions.
//!
//! It knows nothing of the engine: the rules are the contract's.

mod attempts;
mod backfills;
mod dispatch;
mod holds;
mod instances;
mod landings;
mod mails;
mod slots;
mod tokens;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::id::{AttemptKey, InstanceId, Name, WorkerId};
use akkaflow_model::record::{
    FireRow, Hold, InstanceRow, NodeRow, PinnedState, Record, ScheduleRow, StateRow, TokenRow,
};
use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;

use super::graph;
use super::plan::Plan;
use super::tables::Tables;
use super::workload::Library;
use attempts::check_assigned_after;
use backfills::TouchedBackfills;
use mails::{TouchedMails, check_delivery, check_mail, check_mails_after, note_end};
use slots::check_forgotten;
pub(crate) use values::check_outputs_used;
use values::{check_child_over, check_handed_on, check_states};

/// What the contract says has been broken, in words.
pub(crate) type Verdict = Result<(), String>;

/// Facts that the rows alone do not say.
#[derive(Debug)]
pub(crate) struct Oracle {
    zone: Tz,
    /// Host and slots of each worker.
    pub(crate) workers: BTreeMap<WorkerId, (String, u32)>,
    open_by_worker: BTreeMap<WorkerId, BTreeSet<AttemptKey>>,
    running: BTreeMap<String, BTreeSet<InstanceId>>,
    chain_members: BTreeSet<(InstanceId, String)>,
    /// Labels of each worker.
    pub(crate) labels: BTreeMap<WorkerId, BTreeSet<String>>,
    /// Instances that people let go on, mark or repair: there a few rules that hold of a run left alone do not.
    pub(crate) steered: BTreeSet<InstanceId>,
    /// After so many failed retries people are told of a node.
    retry_fail_times: u32,
    /// How often people asked for the end of an instance, or of all of a backfill.
    pub(crate) kills: BTreeMap<InstanceId, u32>,
}

/// What one batch touched.
#[derive(Debug, Default)]
struct Touched {
    /// The instances, with their rows before the batch.
    before: BTreeMap<InstanceId, Option<InstanceRow>>,
    nodes: BTreeMap<InstanceId, BTreeSet<Name>>,
    assigned: Vec<AttemptKey>,
    /// Fired rows by instance.
    fired: BTreeMap<InstanceId, u32>,
    consumed: Vec<TokenRow>,
    /// Slots with their first row.
    slots: Vec<FireRow>,
    advanced: Vec<(ScheduleRow, Timestamp)>,
    /// States, with the rows that they replace.
    states: Vec<(StateRow, Option<StateRow>)>,
    /// What instances have read, and what was there before the batch.
    pinned: Vec<(String, PinnedState, Option<StateRow>)>,
    has_definitions: bool,
    /// Who held up the cluster before the batch, once its row was written.
    frozen_before: Option<Option<Hold>>,
    /// Who held up workflows before the batch, of those that were written.
    held_before: BTreeMap<String, Option<Hold>>,
    /// Workflows that fired by themselves.
    fired_alone: Vec<String>,
    /// The largest size of each pool that was written.
    pool_sizes: BTreeMap<String, u32>,
    backfills: TouchedBackfills,
    mails: TouchedMails,
    /// Nodes as they stood before the batch, of those that were written.
    nodes_before: BTreeMap<(InstanceId, Name), Option<NodeRow>>,
}

/// Breaks off with a text unless the rule holds.
macro_rules! ensure {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            return Err(format!($($text)+));
        }
    };
}
use ensure;

impl Oracle {
    pub(crate) fn new(plan: &Plan, workers: BTreeMap<WorkerId, (String, u32)>) -> Self {
        Self {
            zone: plan.zone,
            retry_fail_times: plan.retry_fail_times,
            workers,
            open_by_worker: BTreeMap::new(),
            running: BTreeMap::new(),
            chain_members: BTreeSet::new(),
            labels: BTreeMap::new(),
            steered: BTreeSet::new(),
            kills: BTreeMap::new(),
        }
    }

    /// Applies one committed batch.
    pub(crate) fn commit(
        &mut self,
        tables: &mut Tables,
        library: &Library,
        records: &[Record],
    ) -> Verdict {
        let mut touched = Touched::default();
        for record in records {
            self.check_record(tables, library, record, &mut touched)?;
            tables.apply(record);
        }
        self.check_batch(tables, library, &touched)
    }

    fn check_record(
        &mut self,
        tables: &Tables,
        library: &Library,
        record: &Record,
        touched: &mut Touched,
    ) -> Verdict {
        match record {
            Record::Attempt(row) => {
                self.note_success(tables, library, row, touched);
                self.check_attempt(tables, library, row, touched)
            }
            Record::Node(row) => {
                let nodes = touched.nodes.entry(row.instance).or_default();
                nodes.insert(row.node.clone());
                let key = (row.instance, row.node.clone());
                let before = tables.nodes.get(&key).cloned();
                touched.nodes_before.entry(key).or_insert(before);
                touched
                    .before
                    .entry(row.instance)
                    .or_insert_with(|| tables.instances.get(&row.instance).cloned());
                self.note_node(tables, library, row, touched);
                self.check_node(tables, library, row)?;
                check_handed_on(tables, library, row)
            }
            Record::Instance(row) => {
                note_end(tables, library, row, touched);
                self.check_instance(tables, library, row, touched)
            }
            Record::Token(row) => self.check_token(tables, library, row, touched),
            Record::Fire(row) => self.check_fire(tables, library, row, touched),
            Record::Schedule(row) => {
                if let Some(before) = tables.schedules.get(&row.workflow) {
                    ensure!(
                        before.generation <= row.generation
                            && before.fired_through <= row.fired_through,
                        "I12: the schedule of {} went back: {before:?}, then {row:?}",
                        row.workflow
                    );
                    if before.generation == row.generation && before.is_enabled && row.is_enabled {
                        touched.advanced.push((row.clone(), before.fired_through));
                    }
                }
                Ok(())
            }
            Record::Request(row) => {
                let before = tables.requests.get(&row.key);
                ensure!(
                    before.is_none_or(|before| before == row),
                    "I9: request {} was answered twice: {before:?}, then {row:?}",
                    row.key
                );
                Ok(())
            }
            Record::DeleteInstance { id } | Record::ExpireInstance { id } => {
                let row = tables.instances.get(id);
                ensure!(
                    row.is_none_or(|row| row.state.is_terminal()),
                    "I6: instance {id} was deleted while open"
                );
                Ok(())
            }
            Record::ForgetFires { workflow, before } => check_forgotten(tables, workflow, *before),
            Record::State(row) => {
                let key = (row.workflow.clone(), row.name.clone());
                let before = tables.states.get(&key).cloned();
                touched.states.push((row.clone(), before));
                Ok(())
            }
            Record::Workflow(row) => {
                let before = tables.workflows.get(&row.name);
                let hold = before.and_then(|before| before.hold.clone());
                touched.held_before.entry(row.name.clone()).or_insert(hold);
                touched.has_definitions = true;
                Ok(())
            }
            Record::Cluster(_) => {
                touched
                    .frozen_before
                    .get_or_insert_with(|| tables.cluster.frozen.clone());
                Ok(())
            }
            Record::Pool(row) => {
                let before = tables.pools.get(&row.name).and_then(|row| row.slots);
                let size = touched.pool_sizes.entry(row.name.clone()).or_default();
                *size = (*size).max(before.unwrap_or(0)).max(row.slots.unwrap_or(0));
                Ok(())
            }
            Record::Backfill(row) => self.check_backfill(tables, row, touched),
            Record::BackfillRun(row) => self.check_run(tables, library, row, touched),
            Record::Mail(row) => check_mail(tables, library, row, touched),
            Record::Delivery(row) => check_delivery(tables, row),
            Record::Version(_)
            | Record::Chain(_)
            | Record::Calendar(_)
            | Record::DeleteAttempt { .. }
            | Record::FileProblem(_)
            | Record::Link(_)
            | Record::DeleteLink { .. }
            | Record::ClearFileProblem { .. } => Ok(()),
        }
    }

    fn check_batch(&self, tables: &Tables, library: &Library, touched: &Touched) -> Verdict {
        for (id, before) in &touched.before {
            if let Some(row) = tables.instances.get(id) {
                self.check_instance_after(tables, library, row, before.as_ref(), touched)?;
            }
        }
        for (id, nodes) in &touched.nodes {
            if let Some(instance) = tables.instances.get(id) {
                graph::check_reached(tables, library, instance, nodes)?;
                for node in nodes.iter().filter(|_| !self.steered.contains(id)) {
                    if let Some(row) = tables.nodes.get(&(*id, node.clone())) {
                        graph::check_given_up(tables, library, instance, row)?;
                    }
                }
            }
            let rows = nodes.iter().map(|node| (*id, node.clone()));
            rows.filter_map(|key| tables.nodes.get(&key))
                .try_for_each(|row| check_child_over(tables, row))?;
        }
        check_mails_after(tables, library, touched)?;
        self.check_holds(tables, touched)?;
        self.check_backfills_after(tables, touched)?;
        check_states(tables, library, touched)?;
        for key in &touched.assigned {
            check_assigned_after(tables, library, touched, key)?;
            self.check_dispatch(tables, library, touched, key)?;
        }
        for token in &touched.consumed {
            let consumer = token.consumed_by.and_then(|id| tables.instances.get(&id));
            ensure!(
                consumer.is_none_or(|row| row.workflow == token.dependant),
                "I7: a token for {} was consumed by {consumer:?}",
                token.dependant
            );
        }
        self.check_policy(tables, library, touched)?;
        for (schedule, from) in &touched.advanced {
            // What a generation meant that is over nobody knows any more.
            let now = tables.schedules.get(&schedule.workflow);
            if now.is_none_or(|now| now.generation != schedule.generation) {
                continue;
            }
            self.check_slots(tables, library, schedule, *from)?;
        }
        Ok(())
    }

    /// Recounts what is kept incrementally.
    pub(crate) fn check_counts(&self, tables: &Tables) -> Verdict {
        for (worker, open) in &self.open_by_worker {
            let stored = tables
                .attempts
                .values()
                .filter(|row| row.worker == *worker && !row.state.is_terminal())
                .count();
            ensure!(
                stored == open.len(),
                "the simulator lost count of {worker}: {stored}, {}",
                open.len()
            );
        }
        Ok(())
    }
}
