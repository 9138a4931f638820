//! What must hold after every step.

use std::collections::BTreeSet;

use akkaflow_model::id::InstanceId;
use akkaflow_model::state::{InstanceState, NodeState};
use serde::Serialize;

use crate::Engine;
use crate::graph::Runner;
use crate::instances::{Course, Instance};
use crate::schedule::MOST_SLOTS;
use crate::timers::Timer;
use crate::workflows::Entry;

type Checked = Result<(), String>;

impl Engine {
    /// Checks everything that must hold between two steps. For tests: costs a pass over the whole state.
    ///
    /// # Errors
    /// The first violation, in words.
    pub fn check_invariants(&self) -> Result<(), String> {
        for id in self.instances.ids() {
            self.check_instance(id)?;
        }
        for (name, entry) in &self.workflows {
            self.check_workflow(name, entry)?;
        }
        self.workers.check()?;
        self.check_attempts()?;
        self.check_timers()?;
        self.check_queues()?;
        self.check_backfills()?;
        self.check_files()
    }

    /// Checks one open instance; an instance that is not open is fine.
    ///
    /// # Errors
    /// The first violation, in words.
    pub fn check_instance(&self, id: InstanceId) -> Result<(), String> {
        let Some(instance) = self.instances.get(&id) else {
            return Ok(());
        };
        check_counts(instance).map_err(|fault| format!("instance {id}: {fault}"))?;
        for node in 0..instance.slots.len() {
            self.check_node(instance, node).map_err(|fault| {
                format!("instance {id}, node {}: {fault}", instance.graph.name(node))
            })?;
        }
        check_values(instance)
            .and_then(|()| self.check_parent(instance))
            .and_then(|()| self.check_goes_on(instance))
            .and_then(|()| self.check_landing(instance))
            .map_err(|fault| format!("instance {id}: {fault}"))
    }

    fn check_node(&self, instance: &Instance, node: usize) -> Checked {
        let slot = &instance.slots[node];
        if let Some((class, place)) = instance.place(node)
            && !self.ready.contains(class, place)
        {
            return Err("is ready but in no queue".into());
        }
        if instance.is_own_turn(node) != self.own.contains(&(instance.row.id, node)) {
            return Err("is ours to do and not in our list, or the reverse".into());
        }
        if slot.child != self.child_of_rows(instance.row.id, node) {
            return Err("waits for another child than its row says".into());
        }
        self.check_told(instance, node)?;
        for (at, timer) in instance.timers(node) {
            if !self.timers.contains(at, timer.clone()) {
                return Err(format!("has no timer {timer:?} at {at:?}"));
            }
        }
        let state = slot.row.as_ref().map(|row| row.state);
        if let Some(attempt) = &slot.attempt {
            let is_known = self
                .workers
                .get(&attempt.worker)
                .is_some_and(|worker| worker.attempts.contains(&(instance.row.id, node)));
            if !is_known {
                return Err(format!("attempt {} takes no slot", attempt.key));
            }
            if state != Some(NodeState::Running) {
                return Err(format!("has an open attempt in state {state:?}"));
            }
            if instance.course() == Course::Stopping && attempt.cancel.is_none() {
                return Err("runs on in an ending instance".into());
            }
        } else if state == Some(NodeState::Running)
            && slot.row.as_ref().is_some_and(|row| row.retry_at.is_none())
            && self.open_child(instance.row.id, node).is_none()
        {
            return Err("is running without attempt, child or time of retry".into());
        }
        match &slot.row {
            Some(row) if row.attempts < row.failures + row.losses => {
                Err("has more failures and losses than attempts".into())
            }
            Some(row) if row.state.is_terminal() != row.ended_at.is_some() => {
                Err("is terminal without end, or the reverse".into())
            }
            _ => Ok(()),
        }
    }

    /// Nothing is expected after its deadline without a warning that was raised or is due.
    fn check_landing(&self, instance: &Instance) -> Checked {
        for (at, timer) in instance.landing_timers() {
            if !self.timers.contains(at, timer.clone()) {
                return Err(format!("has no timer {timer:?} at {at:?}"));
            }
        }
        // A loaded engine knows no time before its first step.
        if !self.has_stepped || !instance.is_expected_late(self.now) {
            return Ok(());
        }
        let of_nodes = (0..instance.slots.len()).filter_map(|node| instance.late_timer(node));
        let mut timers = of_nodes.chain(instance.landing_timers());
        if timers.any(|(at, _)| at <= self.now) {
            return Ok(());
        }
        Err("is expected after its deadline, and nobody is warned".into())
    }

    /// A child that somebody waits for lives no longer than its parent.
    fn check_parent(&self, instance: &Instance) -> Checked {
        let Some(parent) = instance.row.parent.as_ref().filter(|parent| parent.waits) else {
            return Ok(());
        };
        // One that was rerun by itself after its parent ended stands alone.
        if instance.row.run > 1 || instance.row.ending.is_some() {
            return Ok(());
        }
        let waits = self.instances.get(&parent.instance).is_some_and(|above| {
            let node = above.graph.position(&parent.node);
            let row = node.and_then(|node| above.node(node));
            row.is_some_and(|row| row.child == Some(instance.row.id) && !row.state.is_terminal())
        });
        if waits {
            Ok(())
        } else {
            Err(format!(
                "outlives node {} of {}",
                parent.node, parent.instance
            ))
        }
    }

    /// No open instance without something that will move it, or a reason that people see.
    fn check_goes_on(&self, instance: &Instance) -> Checked {
        let row = &instance.row;
        let entry = self.workflows.get(&row.workflow);
        match row.state {
            InstanceState::Ready => {
                let is_queued =
                    entry.is_some_and(|entry| entry.queue.contains(&(row.created_at, row.id)));
                if !is_queued {
                    return Err("is waiting in no queue".into());
                }
                if self.start_block(&row.workflow).is_none()
                    && !self.backlog.contains(&row.workflow)
                {
                    return Err("waits though it could start".into());
                }
                Ok(())
            }
            InstanceState::Running | InstanceState::Suspended => {
                if (row.hold.is_some() || row.state == InstanceState::Running)
                    && row.started_at.is_none()
                {
                    return if row.hold.is_some() {
                        Ok(())
                    } else {
                        Err("runs though it has not started".into())
                    };
                }
                if row.hold.is_some() && row.state != InstanceState::Suspended {
                    return Err("is held though it is not suspended".into());
                }
                if instance.live == 0 {
                    return Err("is open though no node is".into());
                }
                let has_children = !self.open_children(row.id).is_empty();
                let is_stopping = instance.course() == Course::Stopping;
                if is_stopping && instance.open_attempts == 0 && !has_children {
                    return Err("is ending though nothing runs".into());
                }
                Ok(())
            }
            InstanceState::Succeeded | InstanceState::Failed | InstanceState::Killed => {
                Err("is over but still in memory".into())
            }
        }
    }

    fn check_workflow(&self, name: &str, entry: &Entry) -> Checked {
        let of_it = || {
            self.instances
                .values()
                .filter(|instance| instance.row.workflow == name)
        };
        let running = of_it()
            .filter(|instance| instance.row.started_at.is_some())
            .count();
        let waiting = of_it().filter(|instance| instance.is_waiting()).count();
        let paused = of_it().count() - running - waiting;
        let kept = (entry.running.len(), entry.queue.len(), entry.paused.len());
        if (running, waiting, paused) != kept {
            return Err(format!(
                "workflow {name} has {running} running, {waiting} waiting and {paused} paused instances, counts {kept:?}"
            ));
        }
        if let Some(at) = entry.timer
            && !self.timers.contains(at, Timer::Schedule(name.to_owned()))
        {
            return Err(format!("workflow {name} has lost its timer"));
        }
        let is_due = entry.timer.is_some_and(|at| at <= self.now);
        if !is_due && entry.timer != entry.next_wake(self.options.zone, self.now) {
            return Err(format!("workflow {name} would sleep over its next slot"));
        }
        for upstream in entry.depends() {
            if !self.dependants(upstream).contains(&name) {
                return Err(format!("{upstream} does not know its dependant {name}"));
            }
        }
        if entry.tokens.values().any(|tokens| tokens.is_empty()) {
            return Err(format!("workflow {name} keeps a place for no tokens"));
        }
        if let Some(row) = entry
            .tokens
            .values()
            .flat_map(|tokens| tokens.values())
            .find(|row| !row.is_held || row.dependant != name)
        {
            return Err(format!("workflow {name} holds {row:?}"));
        }
        if !entry.waiting_fires.is_sorted_by_key(|fire| fire.due_at)
            || entry.waiting_fires.len() > MOST_SLOTS
        {
            return Err(format!("slots of {name} wait in disorder, or too many"));
        }
        let can_fire = entry.next_ready(self.now, self.options.zone).is_some();
        if can_fire && self.cluster.frozen.is_none() && !self.consider.contains(name) {
            return Err(format!("workflow {name} does not fire though it could"));
        }
        Ok(())
    }

    fn check_attempts(&self) -> Checked {
        for (worker_id, worker) in self.workers.iter() {
            for (id, node) in &worker.attempts {
                let is_real = self
                    .instances
                    .get(id)
                    .and_then(|instance| instance.slots[*node].attempt.as_deref())
                    .is_some_and(|attempt| attempt.worker == *worker_id);
                if !is_real {
                    return Err(format!("worker {worker_id} holds a slot for nothing: {id}"));
                }
            }
            if let Some(since) = worker.detached_since {
                let at = since.plus(self.options.lost_after);
                if !self
                    .timers
                    .contains(at, Timer::WorkerLost(worker_id.clone()))
                {
                    return Err(format!("detached worker {worker_id} has no timer"));
                }
            } else if worker.info.is_none() && self.has_stepped {
                return Err(format!("detached worker {worker_id} has no clock"));
            }
        }
        Ok(())
    }

    fn check_timers(&self) -> Checked {
        for (at, timer) in self.timers.iter() {
            let is_wanted = match timer {
                Timer::Schedule(name) => self
                    .workflows
                    .get(name)
                    .is_some_and(|entry| entry.timer == Some(*at)),
                Timer::Retry(id, node)
                | Timer::Deadline(id, node)
                | Timer::WarnWaiting(id, node)
                | Timer::Late(id, node) => self
                    .instances
                    .get(id)
                    .is_some_and(|it| it.timers(*node).any(|(due, it)| due == *at && it == *timer)),
                Timer::LateStart(id) | Timer::Missed(id) => self
                    .instances
                    .get(id)
                    .is_some_and(|it| it.landing_timers().any(|own| own == (*at, timer.clone()))),
                Timer::WorkerLost(id) => self
                    .workers
                    .get(id)
                    .is_some_and(|worker| worker.detached_since.is_some()),
            };
            if !is_wanted {
                return Err(format!("nobody waits for {timer:?} at {at:?}"));
            }
        }
        Ok(())
    }

    fn check_queues(&self) -> Checked {
        let wanted: BTreeSet<_> = self
            .instances
            .values()
            .flat_map(|instance| (0..instance.slots.len()).filter_map(|node| instance.place(node)))
            .map(|(_, place)| place)
            .collect();
        if wanted.len() != self.ready.len() {
            return Err(format!(
                "{} nodes are ready, {} are queued",
                wanted.len(),
                self.ready.len()
            ));
        }
        self.ready.check()?;
        let runnable = self.ready.heads().find(|(place, class)| {
            self.workers.best(&class.target).is_some() && self.has_room(class, *place)
        });
        match runnable {
            Some((_, class)) if self.cluster.frozen.is_none() => {
                Err(format!("nodes of {class:?} wait though they could run"))
            }
            _ => self
                .pools
                .check(self.instances.values().flat_map(|instance| {
                    (0..instance.slots.len()).filter_map(|node| {
                        Some((instance.share(node)?.clone(), (instance.row.id, node)))
                    })
                })),
        }
    }

    fn check_files(&self) -> Checked {
        for (path, name) in self.files.owned.iter() {
            let is_owner = self.workflows.get(name).is_some_and(|entry| {
                entry.exists() && entry.row.file_path.as_deref() == Some(path)
            });
            if !is_owner {
                return Err(format!("{path} does not own {name}"));
            }
        }
        Ok(())
    }

    /// A hash of all state that must survive a restart. Equal before and after a load from the rows written so far.
    pub fn digest(&self) -> u64 {
        let mut hash = Digest::new();
        for entry in self.workflows.values() {
            hash.add(&entry.row);
            hash.add(&entry.schedule);
            hash.add(&entry.waiting_fires);
            for row in entry.tokens.values().flat_map(|tokens| tokens.values()) {
                hash.add(row);
            }
            hash.add(&entry.queue);
            hash.add(&entry.paused);
            hash.add(&entry.running);
        }
        for instance in self.instances.values() {
            hash.add(&instance.row);
            hash.add(&(instance.live, instance.open_attempts));
            for slot in &instance.slots {
                hash.add(&slot.row);
                hash.add(&slot.attempt);
            }
            for node in instance.counted() {
                hash.add(&instance.slots[node].counters());
            }
        }
        for calendar in self.calendars.rows() {
            hash.add(calendar);
        }
        for chain in self.chains.values() {
            hash.add(chain);
        }
        for row in self.backfills() {
            hash.add(row);
            hash.add(&self.backfill_runs(row.id));
        }
        hash.add(&self.cluster);
        for pool in self.pools.rows() {
            hash.add(pool);
        }
        for state in self.states.iter() {
            hash.add(state);
        }
        for request in self.requests.rows() {
            hash.add(request);
        }
        for problem in self.files.problems.values() {
            hash.add(problem);
        }
        hash.hash
    }
}

/// What has left the queue has read the state of its workflow, and only nodes that have succeeded hand something on.
fn check_values(instance: &Instance) -> Checked {
    if let Some(workflow) = instance.graph.workflow()
        && instance.row.started_at.is_some()
    {
        let pinned = instance.state().unwrap_or_default();
        let is_read = |name: &str| pinned.iter().any(|(known, _)| known == name);
        if let Some(unread) = workflow.state.iter().find(|it| !is_read(&it.name)) {
            return Err(format!("has not read state {}", unread.name));
        }
    }
    for node in 0..instance.slots.len() {
        let is_early = instance.node(node).is_some_and(|row| {
            let may_hold = match row.state {
                NodeState::Succeeded => true,
                // What it saw when it looked last.
                NodeState::Ready | NodeState::Running => {
                    instance.graph.vertex(node).runner == Runner::Look
                        || !instance.graph.is_readable()
                }
                NodeState::Failed | NodeState::Killed | NodeState::Suspended => false,
            };
            !row.outputs.is_empty() && !may_hold
        });
        if is_early {
            let name = instance.graph.name(node);
            return Err(format!("node {name} hands on what it has not"));
        }
    }
    Ok(())
}

fn check_counts(instance: &Instance) -> Checked {
    let live = instance
        .slots
        .iter()
        .filter_map(|slot| slot.row.as_ref())
        .filter(|row| !row.state.is_terminal())
        .count();
    let attempts = instance
        .slots
        .iter()
        .filter(|slot| slot.attempt.is_some())
        .count();
    if (live, attempts) != (instance.live, instance.open_attempts) {
        return Err(format!(
            "{live} nodes and {attempts} attempts are open, counted {} and {}",
            instance.live, instance.open_attempts
        ));
    }
    if let Some(row) = (instance.all_gone().iter()).find(|row| !row.state.is_terminal()) {
        return Err(format!("node {} is gone and has not ended", row.node));
    }
    let counted = instance.counted();
    if counted.is_empty() {
        return Ok(());
    }
    let again = instance.replayed();
    for node in counted {
        let (kept, replayed) = (&instance.slots[node], &again.slots[node]);
        if kept.counters() != replayed.counters() {
            return Err(format!(
                "node {} has (undecided, unmet, taken, broken) {:?}, kept {:?}",
                instance.graph.name(node),
                replayed.counters(),
                kept.counters()
            ));
        }
    }
    Ok(())
}

/// A hash of the JSON of rows: stable, and independent of memory layout.
struct Digest {
    hash: u64,
    /// The row that is added; kept, as pieces of a few bytes each would cost more to mix than to gather.
    json: Vec<u8>,
}

impl Digest {
    fn new() -> Self {
        Self {
            hash: 0xcbf2_9ce4_8422_2325,
            json: Vec::new(),
        }
    }

    fn add(&mut self, value: &impl Serialize) {
        let mut json = std::mem::take(&mut self.json);
        json.clear();
        serde_json::to_writer(&mut json, value).expect("rows are plain data");
        let (words, rest) = json.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        let last = rest
            .iter()
            .fold(1, |last, byte| last << 8 | u64::from(*byte));
        self.mix(last);
        self.json = json;
    }

    fn mix(&mut self, word: u64) {
        self.hash = (self.hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
