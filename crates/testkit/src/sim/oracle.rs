//! Watches what becomes durable: every row is compared with the one that it replaces, every batch with the definitions.
//!
//! It knows nothing of the engine: the rules are the contract's.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::cron::Cron;
use akkaflow_model::id::{AttemptKey, InstanceId, WorkerId};
use akkaflow_model::record::{
    AttemptRow, FireRow, FireState, InstanceRow, NodeRow, Record, ScheduleRow, TokenRow,
    TriggerKind, WorkflowStatus,
};
use akkaflow_model::state::{AttemptState, InstanceState};
use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;

use super::graph;
use super::tables::{Tables, fire_key};
use super::workload::Library;

/// What the contract says has been broken, in words.
pub(crate) type Verdict = Result<(), String>;

/// A node is lost at most so often before a person must look.
const MAX_LOSSES: usize = 3;

/// Facts that the rows alone do not say.
#[derive(Debug)]
pub(crate) struct Oracle {
    zone: Tz,
    /// Host and slots of each worker.
    pub(crate) workers: BTreeMap<WorkerId, (String, u32)>,
    open_by_worker: BTreeMap<WorkerId, BTreeSet<AttemptKey>>,
    running: BTreeMap<String, BTreeSet<InstanceId>>,
    chain_members: BTreeSet<(InstanceId, String)>,
    /// Schedules that were read before; `None`: the text is no cron.
    crons: RefCell<BTreeMap<String, Option<Cron>>>,
}

/// What one batch touched.
#[derive(Debug, Default)]
struct Touched {
    /// The instances, with their rows before the batch.
    before: BTreeMap<InstanceId, Option<InstanceRow>>,
    nodes: BTreeMap<InstanceId, BTreeSet<String>>,
    assigned: Vec<AttemptKey>,
    /// Fired rows by instance.
    fired: BTreeMap<InstanceId, u32>,
    consumed: Vec<TokenRow>,
    advanced: Vec<(ScheduleRow, Timestamp)>,
    has_definitions: bool,
}

macro_rules! ensure {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            return Err(format!($($text)+));
        }
    };
}

impl Oracle {
    pub(crate) fn new(zone: Tz, workers: BTreeMap<WorkerId, (String, u32)>) -> Self {
        Self {
            zone,
            workers,
            open_by_worker: BTreeMap::new(),
            running: BTreeMap::new(),
            chain_members: BTreeSet::new(),
            crons: RefCell::default(),
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
            Record::Attempt(row) => self.check_attempt(tables, library, row, touched),
            Record::Node(row) => {
                let nodes = touched.nodes.entry(row.instance).or_default();
                nodes.insert(row.node.clone());
                touched
                    .before
                    .entry(row.instance)
                    .or_insert_with(|| tables.instances.get(&row.instance).cloned());
                check_node(tables, row)
            }
            Record::Instance(row) => self.check_instance(tables, row, touched),
            Record::Token(row) => check_token(tables, row, touched),
            Record::Fire(row) => self.check_fire(tables, row, touched),
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
            Record::DeleteInstance { id } => {
                let row = tables.instances.get(id);
                ensure!(
                    row.is_none_or(|row| row.state.is_terminal()),
                    "I6: instance {id} was deleted while open"
                );
                Ok(())
            }
            Record::Workflow(_) => {
                touched.has_definitions = true;
                Ok(())
            }
            Record::Version(_)
            | Record::Chain(_)
            | Record::FileProblem(_)
            | Record::ClearFileProblem { .. } => Ok(()),
        }
    }

    fn check_attempt(
        &mut self,
        tables: &Tables,
        library: &Library,
        row: &AttemptRow,
        touched: &mut Touched,
    ) -> Verdict {
        let key = &row.key;
        match tables.attempts.get(key) {
            Some(before) => {
                ensure!(
                    !before.state.is_terminal(),
                    "I5: attempt {key} ended twice: {:?}, then {:?}",
                    before.state,
                    row.state
                );
                ensure!(
                    before.worker == row.worker && before.state <= row.state,
                    "I3: attempt {key} changed hands or went back: {before:?}, then {row:?}"
                );
            }
            None => {
                ensure!(
                    row.state == AttemptState::Assigned,
                    "I3: attempt {key} begins as {:?}",
                    row.state
                );
                self.check_assignment(tables, library, row)?;
                touched.assigned.push(key.clone());
            }
        }
        let open = self.open_by_worker.entry(row.worker.clone()).or_default();
        if row.state.is_terminal() {
            open.remove(key);
        } else {
            open.insert(key.clone());
            let slots = self
                .workers
                .get(&row.worker)
                .map_or(0, |(_, slots)| *slots as usize);
            ensure!(
                open.len() <= slots,
                "I16: worker {} has {} attempts and {slots} slots",
                row.worker,
                open.len()
            );
        }
        Ok(())
    }

    fn check_assignment(&self, tables: &Tables, library: &Library, row: &AttemptRow) -> Verdict {
        let key = &row.key;
        let instance = tables
            .instances
            .get(&key.instance)
            .ok_or_else(|| format!("I6: attempt {key} has no instance"))?;
        ensure!(
            instance.run == key.run,
            "I6: attempt {key} is of another run than {}",
            instance.run
        );
        let action = library
            .contents
            .get(&instance.version)
            .and_then(|workflow| graph::action(workflow, &key.node))
            .ok_or_else(|| format!("I6: attempt {key} is of no action node"))?;
        ensure!(!action.is_ignore, "I6: attempt {key} is of an ignored node");
        ensure!(
            action.host.as_ref().is_none_or(|host| *host == row.worker.0
                || self
                    .workers
                    .get(&row.worker)
                    .is_some_and(|(name, _)| name == host)),
            "I6: attempt {key} requires {:?} and was given to {}",
            action.host,
            row.worker
        );
        let earlier: Vec<&AttemptRow> = tables
            .attempts_of(key.instance)
            .filter(|other| other.key.node == key.node && other.key.run == key.run)
            .collect();
        ensure!(
            earlier.iter().all(|other| other.state.is_terminal()),
            "I4: attempt {key} begins while another one is open"
        );
        ensure!(
            earlier.len() as u32 + 1 == key.attempt,
            "I3: attempt {key} follows {} others",
            earlier.len()
        );
        let count =
            |state: AttemptState| earlier.iter().filter(|other| other.state == state).count();
        ensure!(
            count(AttemptState::Failed) <= action.retry_times as usize,
            "I16: attempt {key} follows {} failures of {} retries",
            count(AttemptState::Failed),
            action.retry_times
        );
        ensure!(
            count(AttemptState::Lost) < MAX_LOSSES,
            "I16: attempt {key} follows too many losses"
        );
        ensure!(
            count(AttemptState::Succeeded) == 0,
            "I5: attempt {key} follows a success"
        );
        let deadline = tables
            .nodes
            .get(&(key.instance, key.node.clone()))
            .and_then(|node| node.deadline);
        ensure!(
            deadline.is_none_or(|deadline| row.assigned_at <= deadline),
            "I15: attempt {key} begins after its node's time is up"
        );
        Ok(())
    }

    fn check_instance(
        &mut self,
        tables: &Tables,
        row: &InstanceRow,
        touched: &mut Touched,
    ) -> Verdict {
        let before = tables.instances.get(&row.id);
        touched
            .before
            .entry(row.id)
            .or_insert_with(|| before.cloned());
        let is_running = matches!(row.state, InstanceState::Running | InstanceState::Suspended);
        let running = self.running.entry(row.workflow.clone()).or_default();
        if is_running {
            running.insert(row.id);
        } else {
            running.remove(&row.id);
        }
        let Some(before) = before else {
            ensure!(
                row.run == 1,
                "I6: instance {} begins at run {}",
                row.id,
                row.run
            );
            if let Some(root) = row.chain {
                ensure!(
                    self.chain_members.insert((root, row.workflow.clone())),
                    "I7: chain {root} started {} twice",
                    row.workflow
                );
            }
            return Ok(());
        };
        ensure!(
            (
                &before.workflow,
                before.fire_time,
                before.trigger,
                before.created_at
            ) == (&row.workflow, row.fire_time, row.trigger, row.created_at),
            "I11: instance {} changed what never changes: {before:?}, then {row:?}",
            row.id
        );
        ensure!(
            row.gave_tokens || !before.gave_tokens,
            "I7: instance {} forgot that it gave tokens",
            row.id
        );
        if before.run == row.run {
            ensure!(
                (&before.version, &before.params) == (&row.version, &row.params),
                "I11: instance {} changed its definition or parameters",
                row.id
            );
            ensure!(
                before == row || !before.state.is_terminal(),
                "I6: instance {} changed after its end: {before:?}, then {row:?}",
                row.id
            );
            ensure!(
                row.state != InstanceState::Ready || before.state == InstanceState::Ready,
                "I6: instance {} went back to the queue",
                row.id
            );
            ensure!(
                before.ending.is_none()
                    || before.ending == row.ending
                    || before.ending == Some(row.state),
                "I15: instance {} was ending as {:?} and is {:?}",
                row.id,
                before.ending,
                row.state
            );
        } else {
            ensure!(
                before.state.is_terminal() && row.run == before.run + 1,
                "I6: instance {} jumped from run {} ({:?}) to {}",
                row.id,
                before.run,
                before.state,
                row.run
            );
        }
        Ok(())
    }

    fn check_fire(&self, tables: &Tables, row: &FireRow, touched: &mut Touched) -> Verdict {
        let before = tables.fires.get(&fire_key(row));
        ensure!(
            before.is_none_or(|before| before.state == FireState::Waiting || before == row),
            "I1: fire {}/{} was decided twice: {before:?}, then {row:?}",
            row.workflow,
            row.key
        );
        ensure!(
            (row.state == FireState::Fired) == row.instance.is_some(),
            "I1: fire {}/{} is {:?} with instance {:?}",
            row.workflow,
            row.key,
            row.state,
            row.instance
        );
        if row.kind == TriggerKind::Cron && before.is_none() {
            let just_before = Timestamp::from_millis(row.due_at.as_millis() - 1);
            let slot = tables
                .schedules
                .get(&row.workflow)
                .and_then(|schedule| self.next_slot(&schedule.trigger, just_before));
            ensure!(
                slot == Some(row.due_at),
                "I12: fire {}/{} is no slot of its schedule",
                row.workflow,
                row.key
            );
        }
        if let Some(id) = row.instance {
            *touched.fired.entry(id).or_default() += 1;
        }
        Ok(())
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
            }
        }
        for key in &touched.assigned {
            check_assigned_after(tables, touched, key)?;
        }
        for token in &touched.consumed {
            let consumer = token.consumed_by.and_then(|id| tables.instances.get(&id));
            ensure!(
                consumer.is_none_or(|row| row.workflow == token.dependant),
                "I7: a token for {} was consumed by {consumer:?}",
                token.dependant
            );
        }
        for (schedule, from) in &touched.advanced {
            self.check_slots(tables, schedule, *from)?;
        }
        Ok(())
    }

    fn check_instance_after(
        &self,
        tables: &Tables,
        library: &Library,
        row: &InstanceRow,
        before: Option<&InstanceRow>,
        touched: &Touched,
    ) -> Verdict {
        let id = row.id;
        if before.is_none() {
            let fires = touched.fired.get(&id).copied().unwrap_or_default();
            ensure!(fires == 1, "I1: instance {id} has {fires} fires");
            check_consumption(library, row, touched)?;
        }
        let limit = library
            .shapes
            .iter()
            .find(|shape| shape.name == row.workflow)
            .map_or(0, |shape| shape.instance_limit.max(0) as usize);
        let running = self.running.get(&row.workflow).map_or(0, BTreeSet::len);
        ensure!(
            running <= limit,
            "I16: {running} instances of {} run, its limit is {limit}",
            row.workflow
        );
        if row.state.is_terminal() {
            if let Some(open) = tables
                .nodes_of(id)
                .find(|node| node.run == row.run && !node.state.is_terminal())
            {
                return Err(format!("I6: instance {id} ended before node {}", open.node));
            }
            if let Some(open) = tables
                .attempts_of(id)
                .find(|attempt| !attempt.state.is_terminal())
            {
                return Err(format!(
                    "I6: instance {id} ended before attempt {}",
                    open.key
                ));
            }
            if row.state == InstanceState::Succeeded {
                graph::check_success(tables, library, row)?;
            }
        }
        let gives = row.gave_tokens && before.is_none_or(|before| !before.gave_tokens);
        if gives && !touched.has_definitions {
            check_tokens_given(tables, library, row)?;
        }
        Ok(())
    }

    /// Every slot up to the high-water mark has its row.
    fn check_slots(&self, tables: &Tables, schedule: &ScheduleRow, from: Timestamp) -> Verdict {
        let mut at = from;
        while let Some(slot) = self
            .next_slot(&schedule.trigger, at)
            .filter(|slot| *slot <= schedule.fired_through)
        {
            let key = (
                schedule.workflow.clone(),
                TriggerKind::Cron,
                schedule.generation,
                slot.as_millis().to_string(),
            );
            let Some(row) = tables.fires.get(&key) else {
                return Err(format!(
                    "I12: slot {} of {} has no row",
                    slot.to_rfc3339(),
                    schedule.workflow
                ));
            };
            at = row.through.unwrap_or(slot);
        }
        Ok(())
    }

    /// The first slot of a schedule after a moment.
    fn next_slot(&self, trigger: &str, after: Timestamp) -> Option<Timestamp> {
        let mut crons = self.crons.borrow_mut();
        if !crons.contains_key(trigger) {
            crons.insert(trigger.to_owned(), Cron::parse(trigger).ok());
        }
        crons.get(trigger)?.as_ref()?.next_after(after, self.zone)
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

fn check_node(tables: &Tables, row: &NodeRow) -> Verdict {
    let Some(instance) = tables.instances.get(&row.instance) else {
        return Err(format!("I6: node {} has no instance", row.node));
    };
    ensure!(
        row.run == instance.run,
        "I6: node {}/{} is of run {}, its instance of {}",
        row.instance,
        row.node,
        row.run,
        instance.run
    );
    let Some(before) = tables
        .nodes
        .get(&(row.instance, row.node.clone()))
        .filter(|before| before.run == row.run)
    else {
        return Ok(());
    };
    ensure!(
        before == row || !before.state.is_terminal(),
        "I6: node {}/{} changed after its end: {before:?}, then {row:?}",
        row.instance,
        row.node
    );
    ensure!(
        before.ready_at == row.ready_at,
        "I6: node {}/{} was reached twice",
        row.instance,
        row.node
    );
    ensure!(
        before.failures <= row.failures && before.attempts <= row.attempts,
        "I16: node {}/{} forgot attempts",
        row.instance,
        row.node
    );
    Ok(())
}

fn check_token(tables: &Tables, row: &TokenRow, touched: &mut Touched) -> Verdict {
    let before = tables
        .tokens
        .get(&(row.upstream_instance, row.dependant.clone()));
    ensure!(
        before.is_none_or(|before| before.consumed_by.is_none() || before == row),
        "I7: a token was used twice: {before:?}, then {row:?}"
    );
    if row.consumed_by.is_some() {
        touched.consumed.push(row.clone());
    }
    Ok(())
}

fn check_assigned_after(tables: &Tables, touched: &Touched, key: &AttemptKey) -> Verdict {
    let Some(attempt) = tables.attempts.get(key) else {
        return Ok(());
    };
    let now = tables.instances.get(&key.instance);
    let was_over = touched
        .before
        .get(&key.instance)
        .map_or(now, Option::as_ref)
        .is_some_and(|row| row.run == key.run && (row.state.is_terminal() || row.ending.is_some()));
    ensure!(
        !was_over,
        "I15: attempt {key} begins after its instance was ended"
    );
    let is_over = now.is_some_and(|row| row.run == key.run && row.ending.is_some());
    ensure!(
        !is_over || attempt.cancel.is_some() || attempt.state.is_terminal(),
        "I15: attempt {key} of an ending instance is not cancelled"
    );
    Ok(())
}

/// An instance that waited for upstreams has a token of each.
fn check_consumption(library: &Library, row: &InstanceRow, touched: &Touched) -> Verdict {
    if !matches!(row.trigger, TriggerKind::Cron | TriggerKind::Dependency) {
        return Ok(());
    }
    let Some(coordinator) = library
        .contents
        .get(&row.version)
        .and_then(|workflow| workflow.coordinator.as_ref())
    else {
        return Err(format!(
            "I1: instance {} of a workflow without coordinator fired by itself",
            row.id
        ));
    };
    for upstream in &coordinator.depends {
        let has_token = touched
            .consumed
            .iter()
            .any(|token| token.consumed_by == Some(row.id) && token.upstream == *upstream);
        ensure!(
            has_token,
            "I7: instance {} began without a token of {upstream}",
            row.id
        );
    }
    Ok(())
}

/// A success that counts has given one token to each dependant.
fn check_tokens_given(tables: &Tables, library: &Library, row: &InstanceRow) -> Verdict {
    for workflow in tables.workflows.values() {
        if workflow.status == WorkflowStatus::Deleted {
            continue;
        }
        let depends = library
            .contents
            .get(&workflow.version)
            .and_then(|content| content.coordinator.as_ref())
            .is_some_and(|coordinator| coordinator.depends.contains(&row.workflow));
        ensure!(
            !depends || tables.tokens.contains_key(&(row.id, workflow.name.clone())),
            "I7: instance {} gave no token to {}",
            row.id,
            workflow.name
        );
    }
    Ok(())
}
