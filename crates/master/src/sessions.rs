//! The control streams of attached workers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use akkaflow_model::id::{AttemptKey, WorkerId};
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
    // Unbounded, but never long: the engine gives a worker no more attempts than it has slots, and the other events
    // answer ones of the worker.
    events: mpsc::UnboundedSender<MasterEvent>,
}

impl Sessions {
    /// Registers a stream; an older one of the same worker ends.
    pub(crate) fn open(
        &self,
        worker: WorkerId,
    ) -> (SessionId, mpsc::UnboundedReceiver<MasterEvent>) {
        let (events, receiver) = mpsc::unbounded_channel();
        let mut inner = self.inner.lock().expect("no panic while held");
        inner.opened += 1;
        let id = SessionId(inner.opened);
        inner.by_worker.insert(worker, Session { id, events });
        (id, receiver)
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
