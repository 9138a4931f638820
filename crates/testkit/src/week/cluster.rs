//! Time, the engine, its rows, and workers that pretend.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use akkaflow_engine::{
    Definition, Definitions, Dispatch, Effect, Engine, Input, Options as EngineOptions, Order,
    Origin, Outcome, OutcomeKind, Rerun, RerunFrom, Shelf, StoredInstance,
};
use akkaflow_model::id::{AttemptKey, Epoch, InstanceId, RequestId};
use akkaflow_model::record::{InstanceRow, Record, Snapshot};
use akkaflow_model::state::{AttemptState, InstanceState};
use akkaflow_model::time::Timestamp;

use super::Options;
use super::deeds::Deeds;
use super::machines::{Ending, Machines};
use super::oracle::{Book, Judgement};
use super::plan::{BEGIN, DAY, MINUTE, Plan, ZONE};
use super::report::{Report, duration, number};
use super::waits::{BOUND, LOOK_EVERY, Waits};
use crate::sim::explained::check_explained;
use crate::sim::rng::{Rng, mix};
use crate::sim::tables::Tables;

/// Of all attempts so many percent fail.
const FAILURES: u64 = 2;

/// So many percent take several times as long as usual.
const SLOW: u64 = 4;
const SLOWER: u64 = 6;

/// How long a new master takes until it leads.
const TAKE_OVER: Duration = Duration::from_secs(20);

/// How long a process takes to stop.
const STOP: Duration = Duration::from_secs(1);

/// When people come and run again what failed.
const MORNING: i64 = 8 * 60 * MINUTE;

/// After the last day everything comes to an end within this.
const REST: i64 = 3 * DAY;

/// Between two examinations of the engine's whole state.
const EXAMINED_EVERY: i64 = 60 * MINUTE;

#[derive(Debug, Clone, Copy)]
enum Happening {
    WorkerDies(usize),
    WorkerStarts(usize),
    MasterChanges,
    PeopleRerun,
}

/// What is counted on the way.
#[derive(Debug, Default)]
struct Counts {
    inputs: u64,
    nodes: u64,
    attempts: u64,
    failures: u64,
    retries: u64,
    lost: u64,
    losses: u64,
    masters: u64,
    reruns: u64,
    peak: usize,
    peak_at: Timestamp,
}

pub(super) struct Cluster<'a> {
    plan: &'a Plan,
    positions: BTreeMap<&'a str, usize>,
    options: Options,
    rng: Rng,
    now: Timestamp,
    engine: Engine,
    epoch: Epoch,
    shelf: Arc<Shelf>,
    tables: Tables,
    machines: Machines,
    inputs: VecDeque<Input>,
    happenings: BTreeMap<(Timestamp, u64), Happening>,
    last_happening: u64,
    /// Failed instances that people will run again.
    failed: Vec<InstanceId>,
    deeds: Deeds,
    book: Book,
    waits: Waits,
    counts: Counts,
    fault: Option<String>,
}

fn engine_options(epoch: Epoch, shelf: &Arc<Shelf>) -> EngineOptions {
    EngineOptions {
        zone: ZONE,
        epoch,
        seed: mix(epoch.0),
        lost_after: Duration::from_secs(1800),
        retry_fail_times: 0,
        packing: Arc::<Shelf>::clone(shelf),
    }
}

impl<'a> Cluster<'a> {
    pub(super) fn new(plan: &'a Plan, options: Options) -> Self {
        let shelf = Arc::<Shelf>::default();
        let epoch = Epoch(1);
        let load = engine_options(epoch, &shelf);
        let routines = plan.routines.iter().enumerate();
        let mut cluster = Self {
            plan,
            positions: routines
                .map(|(position, routine)| (routine.workflow.name.as_str(), position))
                .collect(),
            options,
            rng: Rng::new(mix(options.seed ^ 0x6461_7973)),
            now: Timestamp::from_millis(BEGIN - MINUTE),
            engine: Engine::load(load, Snapshot::default(), Definitions::default()),
            epoch,
            shelf,
            tables: Tables::default(),
            machines: Machines::new(plan),
            inputs: VecDeque::new(),
            happenings: BTreeMap::new(),
            last_happening: 0,
            failed: Vec::new(),
            deeds: Deeds::default(),
            book: Book::default(),
            waits: Waits::default(),
            counts: Counts::default(),
            fault: None,
        };
        cluster.begin();
        cluster
    }

    fn begin(&mut self) {
        for (name, slots) in &self.plan.pools {
            self.order(Order::SetPool {
                name: name.clone(),
                slots: Some(*slots),
                user: String::new(),
            });
        }
        for routine in &self.plan.routines {
            self.order(Order::PutWorkflow {
                workflow: routine.workflow.clone(),
                origin: Origin::Api { path: None },
                findings: Vec::new(),
            });
        }
        for machine in 0..self.machines.all.len() {
            self.attach(machine);
        }
        for day in 0..i64::from(self.options.days) {
            self.plan_day(BEGIN + day * DAY);
        }
    }

    /// A worker dies, mostly while there is much to do, and stays away for longer or shorter than the master waits for it.
    fn plan_day(&mut self, day: i64) {
        let within = if self.rng.chance(60) { 3 } else { 24 };
        let dies =
            day + self.rng.below(within * 60) as i64 * MINUTE + self.rng.below(60_000) as i64;
        let starts = dies + self.rng.between(1, 55) as i64 * MINUTE;
        let machine = self.rng.index(self.plan.workers);
        self.at(dies, Happening::WorkerDies(machine));
        self.at(starts, Happening::WorkerStarts(machine));
        let changes = day + self.rng.below(24 * 60) as i64 * MINUTE + self.rng.below(60_000) as i64;
        self.at(changes, Happening::MasterChanges);
        self.at(day + DAY + MORNING, Happening::PeopleRerun);
    }

    fn at(&mut self, millis: i64, happening: Happening) {
        self.last_happening += 1;
        let at = Timestamp::from_millis(millis);
        self.happenings.insert((at, self.last_happening), happening);
    }

    /// Lives until nothing is open after the last day.
    pub(super) fn live(mut self, tell: &mut dyn FnMut(&str)) -> Report {
        let end = BEGIN + i64::from(self.options.days) * DAY;
        let mut look = self.now;
        while self.fault.is_none() {
            self.work_until(look);
            self.look();
            let millis = look.as_millis();
            if (millis - BEGIN).rem_euclid(DAY) == 0 && millis > BEGIN {
                tell(&self.progress((millis - BEGIN) / DAY));
            }
            let is_open = self.engine.open_instances().next().is_some();
            if millis >= end && self.happenings.is_empty() && !is_open {
                break;
            }
            if millis > end + REST {
                self.fail("something stays open for ever".to_owned());
            }
            look = look.plus(LOOK_EVERY);
        }
        self.end()
    }

    /// Lets everything happen up to a moment.
    fn work_until(&mut self, until: Timestamp) {
        while self.fault.is_none() {
            if let Some(input) = self.inputs.pop_front() {
                self.step(input);
                continue;
            }
            let end = self.machines.next_end();
            let timer = self.engine.next_deadline();
            let happening = self.happenings.first_key_value().map(|((at, _), _)| *at);
            let Some(next) = [end, timer, happening].into_iter().flatten().min() else {
                break;
            };
            if next > until.max(self.now) {
                break;
            }
            self.now = self.now.max(next);
            let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= self.now);
            if is_due(end) {
                self.end_attempt();
            } else if is_due(timer) {
                self.step(Input::Tick);
            } else if let Some((_, happening)) = self.happenings.pop_first() {
                self.happen(happening);
            }
        }
        self.now = self.now.max(until);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::WorkerDies(machine) => {
                self.counts.losses += 1;
                for key in self.machines.kill(machine) {
                    self.deeds.end(&key, None);
                    self.waits.note_death(key.instance, &key.node, self.now);
                }
                let info = &self.machines.all[machine].info;
                self.inputs.push_back(Input::WorkerDetached {
                    id: info.id.clone(),
                    incarnation: info.incarnation,
                });
            }
            Happening::WorkerStarts(machine) => {
                self.machines.start(machine);
                self.attach(machine);
            }
            Happening::MasterChanges => self.change_master(),
            Happening::PeopleRerun => self.rerun(),
        }
    }

    fn attach(&mut self, machine: usize) {
        self.inputs.push_back(Input::WorkerAttached {
            worker: self.machines.all[machine].info.clone(),
            holds: self.machines.held_by(machine),
        });
    }

    /// Another master goes on from the rows. What ends while nobody leads is reported once it does.
    fn change_master(&mut self) {
        self.counts.masters += 1;
        self.now = self.now.plus(TAKE_OVER);
        self.epoch.0 += 1;
        let snapshot = self.tables.snapshot(self.now);
        let mut definitions = Definitions::default();
        for row in &snapshot.versions {
            let name = row.version.0.trim_end_matches("@1");
            if let Some(position) = self.positions.get(name) {
                let workflow = &self.plan.routines[*position].workflow;
                let definition = Definition::new(workflow, &*self.shelf);
                definitions.insert(row.version.clone(), definition);
            }
        }
        let options = engine_options(self.epoch, &self.shelf);
        self.engine = Engine::load(options, snapshot, definitions);
        let up = (0..self.machines.all.len()).filter(|it| self.machines.all[*it].is_up);
        for machine in up.collect::<Vec<_>>() {
            self.attach(machine);
        }
    }

    fn rerun(&mut self) {
        for id in std::mem::take(&mut self.failed) {
            let Some(instance) = self.tables.instances.get(&id).cloned() else {
                continue;
            };
            self.counts.reruns += 1;
            self.deeds.renew(id);
            let nodes = self.tables.nodes_of(id).cloned().collect();
            let stored = Some(Box::new(StoredInstance { instance, nodes }));
            let how = Rerun {
                from: RerunFrom::Failed,
                pinned: None,
                user: String::new(),
            };
            self.order(Order::Rerun { id, stored, how });
        }
    }

    fn order(&mut self, order: Order) {
        let request = RequestId(self.counts.inputs);
        self.inputs.push_back(Input::Order { request, order });
    }

    fn step(&mut self, input: Input) {
        self.counts.inputs += 1;
        let step = self.engine.step(self.now, input);
        for record in &step.records {
            self.tables.apply(record);
            self.waits.note(record, self.now);
            self.note(record);
        }
        for record in &step.records {
            if let Record::Instance(row) = record {
                self.note_instance(row);
            }
        }
        for effect in step.effects {
            self.see(effect);
        }
    }

    fn note(&mut self, record: &Record) {
        match record {
            Record::Node(_) => self.counts.nodes += 1,
            Record::Attempt(row) if row.state == AttemptState::Lost => self.counts.lost += 1,
            _ => {}
        }
    }

    fn note_instance(&mut self, row: &InstanceRow) {
        let Some(position) = self.positions.get(row.workflow.as_str()).copied() else {
            return self.fail(format!(
                "an instance of {}, which nobody knows",
                row.workflow
            ));
        };
        self.book.note(position, row);
        if !row.state.is_terminal() {
            return;
        }
        let routine = &self.plan.routines[position];
        if let Err(text) = self.deeds.check_end(row, &routine.workflow) {
            return self.fail(text);
        }
        if row.state == InstanceState::Failed && routine.is_daily() {
            self.failed.push(row.id);
        } else {
            // As retention would; it keeps a week in memory.
            self.deeds.forget(row.id);
            self.tables.delete(row.id);
        }
    }

    fn see(&mut self, effect: Effect) {
        match effect {
            Effect::Dispatch(dispatch) => self.dispatch(&dispatch),
            Effect::Cancel { worker, key, .. } => {
                let stops = self.now.plus(STOP);
                if !self.machines.stop(&key, stops) && self.machines.find(&worker).is_some() {
                    self.fail(format!("{worker} shall stop {key}, which it does not run"));
                }
            }
            Effect::RequestTombstone { worker, key } => {
                if self.machines.find(&worker).is_some() {
                    self.inputs.push_back(Input::Tombstoned { worker, key });
                }
            }
            Effect::Reply {
                result: Err(rejection),
                ..
            } => self.fail(format!("an order was refused: {rejection:?}")),
            Effect::Reply { .. }
            | Effect::Acknowledge { .. }
            | Effect::Learn { .. }
            | Effect::MailOwed
            | Effect::LinkChanged { .. }
            | Effect::Changed { .. } => {}
        }
    }

    /// A worker that is up takes what it is given and pretends to run it.
    fn dispatch(&mut self, dispatch: &Dispatch) {
        let Some(machine) = self.machines.find(&dispatch.worker) else {
            return;
        };
        let key = dispatch.key.clone();
        if let Err(text) = self.deeds.start(&key) {
            return self.fail(text);
        }
        self.counts.attempts += 1;
        self.counts.retries += u64::from(key.attempt > 1);
        let (least, most) = self.takes(&dispatch.workflow);
        let mut takes = self.rng.between(least, most);
        if self.rng.chance(SLOW) {
            takes *= SLOWER;
        }
        let kind = if self.rng.chance(FAILURES) {
            OutcomeKind::Failed
        } else {
            OutcomeKind::Succeeded
        };
        let end = self.now.plus(Duration::from_millis(takes));
        self.machines
            .begin(key.clone(), end, Ending { machine, kind });
        self.inputs.push_back(Input::AttemptAccepted {
            worker: dispatch.worker.clone(),
            key,
        });
    }

    fn takes(&self, workflow: &str) -> (u64, u64) {
        let position = self.positions.get(workflow);
        position.map_or((1_000, 1_000), |it| self.plan.routines[*it].takes)
    }

    fn end_attempt(&mut self) {
        let Some((key, ending)) = self.machines.take_ended() else {
            return;
        };
        self.deeds.end(&key, Some(ending.kind));
        self.counts.failures += u64::from(ending.kind == OutcomeKind::Failed);
        let worker = self.machines.all[ending.machine].info.id.clone();
        self.inputs.push_back(finished(worker, key, ending.kind));
    }

    /// Nothing is due: who waits must know why, and the engine's state must be sound.
    fn look(&mut self) {
        let open = self.engine.open_instances().count();
        if open > self.counts.peak {
            self.counts.peak = open;
            self.counts.peak_at = self.now;
        }
        self.waits.look(&self.engine, self.now);
        if let Some(text) = self.waits.fault.take() {
            return self.fail(text);
        }
        if let Err(text) = check_explained(&self.engine) {
            return self.fail(text);
        }
        if (self.now.as_millis() - BEGIN).rem_euclid(EXAMINED_EVERY) < LOOK_EVERY.as_millis() as i64
            && let Err(text) = self.engine.check_invariants()
        {
            self.fail(text);
        }
    }

    fn fail(&mut self, text: String) {
        let at = self.now.to_utc().with_timezone(&ZONE).naive_local();
        self.fault.get_or_insert(format!("{at}: {text}"));
    }

    fn progress(&self, days: i64) -> String {
        format!(
            "day {days}: {} instances, {} open, {} attempts, {} late so far",
            number(self.book.len() as u64),
            self.engine.open_instances().count(),
            number(self.counts.attempts),
            number(self.waits.late_in_all),
        )
    }

    fn end(mut self) -> Report {
        let told = self.waits.slots();
        let told: BTreeSet<(&str, Timestamp)> = told
            .filter(|(_, _, reasons)| reasons.contains("upstream_not_ready"))
            .map(|(workflow, due, _)| (workflow, due))
            .collect();
        let fires = self.tables.fires.values();
        let days = self.options.days;
        let judgement = self.book.judge(self.plan, days, fires, &told);
        drop(told);
        self.waits.close(self.now);
        let violation = self
            .fault
            .take()
            .or_else(|| self.waits.fault.take())
            .or_else(|| judgement.lost.first().map(|it| format!("lost: {it}")))
            .or_else(|| judgement.doubled.first().map(|it| format!("doubled: {it}")))
            .or_else(|| self.book.check_triggers(self.plan).err());
        let mut report = Report {
            violation,
            figures: Vec::new(),
        };
        self.put_fires(&mut report, &judgement);
        self.put_work(&mut report);
        self.put_waits(&mut report);
        report
    }

    fn put_fires(&self, report: &mut Report, judgement: &Judgement) {
        let count = |state| number(self.book.ended(state) as u64);
        let days: Vec<String> = self.book.per_day().into_iter().map(number).collect();
        report.put("workflows", number(self.plan.routines.len() as u64));
        report.put("fires that the oracle expects", number(judgement.expected));
        report.put("of them with one instance", number(judgement.fired));
        report.put(
            "of them skipped, with the reason written",
            number(judgement.skipped),
        );
        let waiting = "of them waiting at the end for an upstream that has not succeeded";
        report.put(waiting, number(judgement.waiting));
        report.put("lost", number(judgement.lost.len() as u64));
        report.put(
            "doubled, or expected by nobody",
            number(judgement.doubled.len() as u64),
        );
        report.put("instances", number(self.book.len() as u64));
        report.put("instances of each day", days.join(" "));
        report.put("succeeded", count(InstanceState::Succeeded));
        report.put("failed for good", count(InstanceState::Failed));
        report.put("killed by overlap", count(InstanceState::Killed));
    }

    fn put_work(&self, report: &mut Report) {
        let counts = &self.counts;
        let peak_at = counts.peak_at.to_utc().with_timezone(&ZONE);
        let peak = format!(
            "{} ({})",
            number(counts.peak as u64),
            peak_at.format("%a %H:%M")
        );
        report.put("peak of open instances", peak);
        report.put("attempts", number(counts.attempts));
        report.put("failed attempts", number(counts.failures));
        report.put("further attempts of a node", number(counts.retries));
        report.put("instances that people ran again", number(counts.reruns));
        report.put("worker losses", number(counts.losses));
        report.put("attempts lost with them", number(counts.lost));
        report.put("changes of the master", number(counts.masters));
        report.put("inputs of the engine", number(counts.inputs));
        report.put("rows of nodes written", number(counts.nodes));
    }

    fn put_waits(&self, report: &mut Report) {
        let waits = &self.waits;
        let longest = format!(
            "{} ({}: {})",
            duration(waits.longest.seconds),
            waits.longest.what,
            waits.longest.reasons
        );
        report.put("longest wait", longest);
        report.put("questions put to explain", number(waits.asked));
        let late = format!("late: waited for more than {} s", BOUND.as_secs());
        report.put(late, number(waits.late_in_all));
        report.put("late without a reason", number(waits.untold));
        for (reason, count) in &waits.late {
            report.put(format!("late, told `{reason}`"), number(*count));
        }
    }
}

fn finished(worker: akkaflow_model::id::WorkerId, key: AttemptKey, kind: OutcomeKind) -> Input {
    let exit_code = match kind {
        OutcomeKind::Succeeded => Some(0),
        OutcomeKind::Failed => Some(1),
        _ => None,
    };
    Input::AttemptFinished {
        worker,
        key,
        outcome: Outcome {
            exit_code,
            ..Outcome::new(kind)
        },
    }
}
