//! The control streams of attached workers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use akkaflow_model::id::{AttemptKey, Incarnation, WorkerId};
use akkaflow_rpc::wire::{MasterEvent, MasterMessage};
use tokio::sync::mpsc;

/// Most events that one message carries: keeps a message far below gRPC's default limit of 4 MiB in ordinary use.
const EVENTS_PER_MESSAGE: usize = 64;

/// Who is attached, and how to reach them.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    by_worker: BTreeMap<WorkerId, Session>,
    opened: u64,
    attachments: BTreeMap<AttemptKey, (WorkerId, Vec<PathBuf>)>,
}

/// Tells the streams of one worker apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionId(u64);

#[derive(Debug)]
struct Session {
    id: SessionId,
    incarnation: Incarnation,
    // Unbounded, but never long: the engine gives a worker no more attempts than it has slots, and the other events
    // answer ones of the worker.
    events: mpsc::UnboundedSender<MasterEvent>,
}

impl Sessions {
    /// Registers a stream; an older one of the same worker ends. `None` when a newer start of the worker has one: this
    /// stream is a late one of a process that is gone, or about to go.
    pub(crate) fn open(
        &self,
        worker: WorkerId,
        incarnation: Incarnation,
    ) -> Option<(SessionId, mpsc::UnboundedReceiver<MasterEvent>)> {
        let mut inner = self.inner.lock().expect("no panic while held");
        let is_outdated = inner
            .by_worker
            .get(&worker)
            .is_some_and(|current| current.incarnation > incarnation);
        if is_outdated {
            return None;
        }
        let (events, receiver) = mpsc::unbounded_channel();
        inner.opened += 1;
        let id = SessionId(inner.opened);
        let session = Session {
            id,
            incarnation,
            events,
        };
        inner.by_worker.insert(worker, session);
        Some((id, receiver))
    }

    /// Ends a stream. Whether it still was the worker's current one.
    pub(crate) fn close(&self, worker: &WorkerId, id: SessionId) -> bool {
        let mut inner = self.inner.lock().expect("no panic while held");
        let is_current = inner
            .by_worker
            .get(worker)
            .is_some_and(|session| session.id == id);
        if is_current {
            inner.by_worker.remove(worker);
        }
        is_current
    }

    /// Sends to a worker; a worker that is not attached misses it, which every effect allows.
    pub(crate) fn send(&self, worker: &WorkerId, event: MasterEvent) {
        let inner = self.inner.lock().expect("no panic while held");
        if let Some(session) = inner.by_worker.get(worker) {
            // A closed stream is noticed by its reader.
            let _ = session.events.send(event);
        }
    }

    /// The worker of that name, or whichever there is where none is named; `None` when it is not attached.
    pub(crate) fn any(&self, name: &str) -> Option<WorkerId> {
        let inner = self.inner.lock().expect("no panic while held");
        let mut attached = inner.by_worker.keys();
        attached.find(|id| name.is_empty() || id.0 == name).cloned()
    }

    /// Ends all streams: the workers look for the next master.
    pub(crate) fn close_all(&self) {
        let mut inner = self.inner.lock().expect("no panic while held");
        inner.by_worker.clear();
        inner.attachments.clear();
    }

    /// Remembers what an attempt's worker may fetch.
    pub(crate) fn offer(&self, key: AttemptKey, worker: WorkerId, files: Vec<PathBuf>) {
        if !files.is_empty() {
            self.inner
                .lock()
                .expect("no panic while held")
                .attachments
                .insert(key, (worker, files));
        }
    }

    /// Forgets it.
    pub(crate) fn withdraw(&self, key: &AttemptKey) {
        self.inner
            .lock()
            .expect("no panic while held")
            .attachments
            .remove(key);
    }

    /// The file that the attempt's worker may fetch at that position.
    pub(crate) fn offered(
        &self,
        key: &AttemptKey,
        worker: &WorkerId,
        position: usize,
    ) -> Option<PathBuf> {
        let inner = self.inner.lock().expect("no panic while held");
        let (owner, files) = inner.attachments.get(key)?;
        (owner == worker)
            .then(|| files.get(position).cloned())
            .flatten()
    }
}

/// Waits for events and takes all that have gathered, up to a bound; `None` once the session is over.
pub(crate) async fn next_message(
    events: &mut mpsc::UnboundedReceiver<MasterEvent>,
) -> Option<MasterMessage> {
    let mut gathered = Vec::new();
    (events.recv_many(&mut gathered, EVENTS_PER_MESSAGE).await > 0)
        .then_some(MasterMessage { events: gathered })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker() -> WorkerId {
        WorkerId("w".into())
    }

    #[tokio::test]
    async fn a_late_stream_of_an_earlier_start_does_not_replace_the_newer_one() {
        let sessions = Sessions::default();
        let (newer, mut events) = sessions.open(worker(), Incarnation(2)).unwrap();
        assert!(sessions.open(worker(), Incarnation(1)).is_none());
        sessions.send(&worker(), MasterEvent::default());
        assert_eq!(next_message(&mut events).await.unwrap().events.len(), 1);
        assert!(sessions.close(&worker(), newer));
        assert!(sessions.open(worker(), Incarnation(1)).is_some());
    }

    #[tokio::test]
    async fn a_stream_of_the_same_or_a_later_start_replaces_the_one_before() {
        let sessions = Sessions::default();
        let (first, mut events) = sessions.open(worker(), Incarnation(1)).unwrap();
        assert!(sessions.open(worker(), Incarnation(1)).is_some());
        assert!(next_message(&mut events).await.is_none());
        assert!(!sessions.close(&worker(), first));
        assert!(sessions.open(worker(), Incarnation(2)).is_some());
    }
}
