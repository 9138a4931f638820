//! Nodes that wait for a worker, first come first served per required host.

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::id::InstanceId;
use akkaflow_model::time::Timestamp;

/// The place of a node in its queue: by the moment it was reached. A retried node keeps its place.
pub(crate) type Place = (Timestamp, InstanceId, usize);
/// The host or worker id that a node requires; `None` takes any worker.
pub(crate) type Host = Option<String>;

/// What a queue lacks as long as no attached worker may serve it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lack {
    /// Hosts of the workers that are attached, the first few.
    pub(crate) hosts: Vec<String>,
    /// How many more hosts there are.
    pub(crate) more: usize,
}

/// The queues of all hosts.
#[derive(Debug, Default)]
pub(crate) struct ReadyQueues {
    queues: BTreeMap<Host, BTreeSet<Place>>,
    /// Queues whose head may have found a worker since the last look: only these are looked at.
    hot: BTreeSet<Host>,
    /// Queues that no attached worker may serve, as of the last review.
    lacks: BTreeMap<Host, Lack>,
    /// Queues that came up since the last review.
    fresh: BTreeSet<Host>,
    /// Nodes that may have to be told that they lack a worker, or that they no longer do.
    untold: BTreeSet<Place>,
}

impl ReadyQueues {
    pub(crate) fn push(&mut self, host: Host, place: Place) {
        self.hot.insert(host.clone());
        self.untold.insert(place);
        let queue = self.queues.entry(host.clone()).or_default();
        if queue.is_empty() {
            self.fresh.insert(host);
        }
        queue.insert(place);
    }

    pub(crate) fn remove(&mut self, host: &Host, place: Place) {
        let Some(queue) = self.queues.get_mut(host) else {
            return;
        };
        queue.remove(&place);
        self.untold.remove(&place);
        if queue.is_empty() {
            self.queues.remove(host);
            self.hot.remove(host);
            self.lacks.remove(host);
            self.fresh.remove(host);
        }
    }

    /// Looks again at what queues lack: at all of them when other workers are attached, else at those that are new.
    pub(crate) fn review(&mut self, are_workers_new: bool, lack: impl Fn(&Host) -> Option<Lack>) {
        let fresh = std::mem::take(&mut self.fresh);
        let hosts: Vec<Host> = if are_workers_new {
            self.queues.keys().cloned().collect()
        } else {
            fresh.into_iter().collect()
        };
        for host in hosts {
            let lack = lack(&host);
            if self.lacks.get(&host) != lack.as_ref()
                && let Some(places) = self.queues.get(&host)
            {
                self.untold.extend(places);
            }
            match lack {
                Some(lack) => self.lacks.insert(host, lack),
                None => self.lacks.remove(&host),
            };
        }
    }

    /// What the queue lacked at the last review.
    pub(crate) fn lack(&self, host: &Host) -> Option<&Lack> {
        self.lacks.get(host)
    }

    /// Takes the earliest node that may have to be told something.
    pub(crate) fn next_untold(&mut self) -> Option<Place> {
        self.untold.pop_first()
    }

    pub(crate) fn has_untold(&self) -> bool {
        !self.untold.is_empty()
    }

    pub(crate) fn is_untold(&self, place: Place) -> bool {
        self.untold.contains(&place)
    }

    /// A worker with this host and id has a free slot: the queues that it serves deserve a look.
    pub(crate) fn wake(&mut self, host: &str, id: &str) {
        for name in [None, Some(host), Some(id)] {
            let name = name.map(str::to_owned);
            if self.queues.contains_key(&name) {
                self.hot.insert(name);
            }
        }
    }

    /// The earliest head among the queues that deserve a look.
    pub(crate) fn head(&self) -> Option<(&Host, Place)> {
        self.hot
            .iter()
            .filter_map(|host| Some((host, *self.queues.get(host)?.first()?)))
            .min_by_key(|(_, place)| *place)
    }

    /// No worker can take the head of this queue; it deserves a look when one frees up.
    pub(crate) fn cool(&mut self, host: &Host) {
        self.hot.remove(host);
    }

    pub(crate) fn len(&self) -> usize {
        self.queues.values().map(BTreeSet::len).sum()
    }

    pub(crate) fn contains(&self, host: &Host, place: Place) -> bool {
        self.queues
            .get(host)
            .is_some_and(|queue| queue.contains(&place))
    }

    /// Queues that no head was found a worker for at the last look.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.queues.keys()
    }
}
