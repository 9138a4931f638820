//! Workers, their slots and what they may still run.

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::id::{InstanceId, WorkerId};
use akkaflow_model::time::Timestamp;

use crate::input::WorkerInfo;
use crate::queue::{Lack, Target};

/// A worker that is attached or may still run attempts.
#[derive(Debug, Default)]
pub(crate) struct Worker {
    /// What it said when it attached; `None` while it is detached.
    pub(crate) info: Option<WorkerInfo>,
    /// Since when it is detached; `None` while attached, and between a load and the first step.
    pub(crate) detached_since: Option<Timestamp>,
    /// Its attempts in no terminal state, cancelled ones too.
    pub(crate) attempts: BTreeSet<(InstanceId, usize)>,
}

impl Worker {
    fn free_key(&self, id: &WorkerId) -> Option<(u64, WorkerId)> {
        let slots = u64::from(self.info.as_ref()?.slots);
        let used = self.attempts.len() as u64;
        (used < slots).then(|| (used * SCALE / slots, id.clone()))
    }
}

/// Loads are compared as fractions of this.
const SCALE: u64 = 1 << 32;

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Workers {
    workers: BTreeMap<WorkerId, Worker>,
    /// Attached workers with a free slot, the least loaded first.
    free: BTreeSet<(u64, WorkerId)>,
    /// Attached workers by host.
    by_host: BTreeMap<String, BTreeSet<WorkerId>>,
    /// Attached workers by label.
    by_label: BTreeMap<String, BTreeSet<WorkerId>>,
    /// Whether one was attached or detached since [`Self::take_changes`].
    has_changed: bool,
}

/// So many hosts are named to whoever waits for another one.
const NAMED_HOSTS: usize = 8;

impl Workers {
    pub(crate) fn get(&self, id: &WorkerId) -> Option<&Worker> {
        self.workers.get(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&WorkerId, &Worker)> {
        self.workers.iter()
    }

    pub(crate) fn info(&self, id: &WorkerId) -> Option<&WorkerInfo> {
        self.workers.get(id)?.info.as_ref()
    }

    pub(crate) fn attach(&mut self, info: WorkerInfo) {
        let id = info.id.clone();
        self.detach(&id);
        self.has_changed = true;
        self.by_host
            .entry(info.host.to_string())
            .or_default()
            .insert(id.clone());
        for label in &info.labels {
            self.by_label
                .entry(label.clone())
                .or_default()
                .insert(id.clone());
        }
        let worker = self.workers.entry(id.clone()).or_default();
        worker.info = Some(info);
        worker.detached_since = None;
        self.free.extend(worker.free_key(&id));
    }

    /// Takes an attached worker out of service; what it runs stays.
    pub(crate) fn detach(&mut self, id: &WorkerId) {
        let Some(worker) = self.workers.get_mut(id) else {
            return;
        };
        if let Some(key) = worker.free_key(id) {
            self.free.remove(&key);
        }
        let Some(info) = worker.info.take() else {
            return;
        };
        self.has_changed = true;
        unlist(&mut self.by_host, &info.host, id);
        for label in &info.labels {
            unlist(&mut self.by_label, label, id);
        }
    }

    /// Starts the clock of a detached worker; one that runs nothing is forgotten. Says whether the clock runs.
    pub(crate) fn start_clock(&mut self, id: &WorkerId, now: Timestamp) -> bool {
        let Some(worker) = self.workers.get_mut(id) else {
            return false;
        };
        if worker.attempts.is_empty() {
            self.workers.remove(id);
            return false;
        }
        worker.detached_since = Some(now);
        true
    }

    /// Forgets a detached worker that runs nothing any more. Gives back since when it was detached.
    pub(crate) fn forget_if_done(&mut self, id: &WorkerId) -> Option<Timestamp> {
        let worker = self.workers.get(id)?;
        if worker.info.is_some() || !worker.attempts.is_empty() {
            return None;
        }
        self.workers.remove(id)?.detached_since
    }

    pub(crate) fn add_attempt(&mut self, id: &WorkerId, node: (InstanceId, usize)) {
        self.change(id, |worker| worker.attempts.insert(node));
    }

    pub(crate) fn remove_attempt(&mut self, id: &WorkerId, node: (InstanceId, usize)) {
        self.change(id, |worker| worker.attempts.remove(&node));
    }

    fn change(&mut self, id: &WorkerId, change: impl FnOnce(&mut Worker) -> bool) {
        let worker = match self.workers.get_mut(id) {
            Some(worker) => worker,
            None => self.workers.entry(id.clone()).or_default(),
        };
        if let Some(key) = worker.free_key(id) {
            self.free.remove(&key);
        }
        change(worker);
        self.free.extend(worker.free_key(id));
    }

    /// The least loaded attached worker with a free slot that may serve `target`; the smallest id among equals.
    pub(crate) fn best(&self, target: &Target) -> Option<WorkerId> {
        if *target == Target::default() {
            return self.free.first().map(|(_, id)| id.clone());
        }
        self.serving(target)
            .filter_map(|(id, worker)| worker.free_key(id))
            .min()
            .map(|(_, id)| id)
    }

    /// What a node for `target` lacks when no attached worker may take it, busy ones included.
    pub(crate) fn lack(&self, target: &Target) -> Option<Lack> {
        let is_served = if *target == Target::default() {
            !self.by_host.is_empty()
        } else {
            self.serving(target).next().is_some()
        };
        (!is_served).then(|| Lack {
            hosts: self.by_host.keys().take(NAMED_HOSTS).cloned().collect(),
            more: self.by_host.len().saturating_sub(NAMED_HOSTS),
        })
    }

    /// Whether a worker was attached or detached since the last call.
    pub(crate) fn take_changes(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    /// Attached workers that may serve `target`. Looks at those of its host, else at those with its rarest label.
    pub(crate) fn serving<'a>(
        &'a self,
        target: &'a Target,
    ) -> impl Iterator<Item = (&'a WorkerId, &'a Worker)> + 'a {
        let named = target.host.as_deref().map(|host| {
            let by_id = self
                .workers
                .get_key_value(&WorkerId(host.into()))
                .filter(|(_, worker)| worker.info.as_ref().is_some_and(|info| info.host != host));
            self.listed(self.by_host.get(host)).chain(by_id)
        });
        let with_labels = match &target.host {
            Some(_) => None,
            None => target
                .labels
                .iter()
                .map(|label| self.by_label.get(label))
                .min_by_key(|ids| ids.map_or(0, BTreeSet::len))
                .map(|ids| self.listed(ids)),
        };
        let is_any = *target == Target::default();
        let all = is_any.then(|| self.workers.iter());
        let found = (named.into_iter().flatten())
            .chain(with_labels.into_iter().flatten())
            .chain(all.into_iter().flatten());
        found.filter(move |(_, worker)| {
            let has = |info: &WorkerInfo| target.labels.iter().all(|it| info.labels.contains(it));
            worker.info.as_ref().is_some_and(has)
        })
    }

    fn listed<'a>(
        &'a self,
        ids: Option<&'a BTreeSet<WorkerId>>,
    ) -> impl Iterator<Item = (&'a WorkerId, &'a Worker)> + 'a {
        ids.into_iter()
            .flatten()
            .filter_map(|id| self.workers.get_key_value(id))
    }

    pub(crate) fn attached(&self) -> impl Iterator<Item = &WorkerInfo> {
        self.workers
            .values()
            .filter_map(|worker| worker.info.as_ref())
    }

    /// Recomputes what is kept incrementally.
    pub(crate) fn check(&self) -> Result<(), String> {
        let free: BTreeSet<_> = self
            .workers
            .iter()
            .filter_map(|(id, worker)| worker.free_key(id))
            .collect();
        if free != self.free {
            return Err(format!(
                "free workers are {free:?}, kept as {:?}",
                self.free
            ));
        }
        match self
            .workers
            .iter()
            .find(|(_, worker)| worker.info.is_none() && worker.attempts.is_empty())
        {
            Some((id, _)) => Err(format!("worker {id} is neither attached nor busy")),
            None => Ok(()),
        }
    }
}

fn unlist(by_name: &mut BTreeMap<String, BTreeSet<WorkerId>>, name: &str, id: &WorkerId) {
    if let Some(ids) = by_name.get_mut(name) {
        ids.remove(id);
        if ids.is_empty() {
            by_name.remove(name);
        }
    }
}
