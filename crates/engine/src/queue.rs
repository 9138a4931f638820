//! Nodes that wait for a worker, first come first served per required host.

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::id::InstanceId;
use akkaflow_model::time::Timestamp;

/// The place of a node in its queue: by the moment it was reached. A retried node keeps its place.
pub(crate) type Place = (Timestamp, InstanceId, usize);
/// The host or worker id that a node requires; `None` takes any worker.
pub(crate) type Host = Option<String>;

/// The queues of all hosts.
#[derive(Debug, Default)]
pub(crate) struct ReadyQueues {
    queues: BTreeMap<Host, BTreeSet<Place>>,
    /// Queues whose head may have found a worker since the last look: only these are looked at.
    hot: BTreeSet<Host>,
}

impl ReadyQueues {
    pub(crate) fn push(&mut self, host: Host, place: Place) {
        self.hot.insert(host.clone());
        self.queues.entry(host).or_default().insert(place);
    }

    pub(crate) fn remove(&mut self, host: &Host, place: Place) {
        let Some(queue) = self.queues.get_mut(host) else {
            return;
        };
        queue.remove(&place);
        if queue.is_empty() {
            self.queues.remove(host);
            self.hot.remove(host);
        }
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
