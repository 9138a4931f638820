//! What all parts of one master process share.

use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use akkaflow_actions::Registry;
use akkaflow_model::id::{Epoch, InstanceId};
use akkaflow_store::Store;
use chrono_tz::Tz;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::core::CoreHandle;
use crate::link_tests::LinkTests;
use crate::links::LinkBook;
use crate::outage::Outage;
use crate::sessions::Sessions;

/// What all parts of one master process share.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) sessions: Sessions,
    pub(crate) outage: Outage,
    pub(crate) links: LinkBook,
    /// The configuration file; empty for none.
    config_file: PathBuf,
    pub(crate) link_tests: LinkTests,
    /// Ids of instances as they change; slow listeners miss some.
    pub(crate) changed: broadcast::Sender<InstanceId>,
    /// `host:port`; empty when mails are kept and not sent.
    pub(crate) mail_server: String,
    /// Called when a mail is to be sent.
    pub(crate) mail_owed: Notify,
    /// Where this master serves, as others reach it.
    pub(crate) endpoint: String,
    /// How long a worker without contact to a valid master goes on.
    pub(crate) stop_after: Duration,
    term: RwLock<Option<Term>>,
    /// Where the leading master serves, as the lease last said; empty when unknown.
    leader: RwLock<String>,
}

/// One term of leadership.
#[derive(Clone)]
pub(crate) struct Term {
    pub(crate) epoch: Epoch,
    pub(crate) cluster: u128,
    pub(crate) zone: Tz,
    pub(crate) core: CoreHandle,
    /// Fires when the term is over.
    pub(crate) over: CancellationToken,
}

impl Shared {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        registry: Arc<Registry>,
        links: LinkBook,
        config_file: PathBuf,
        endpoint: String,
        mail_server: String,
        stop_after: Duration,
    ) -> Self {
        // A burst of changes that a listener has not read yet; a listener that falls behind looks at the store.
        const UNREAD_CHANGES: usize = 4096;
        Self {
            store,
            registry,
            clock: Arc::default(),
            sessions: Sessions::default(),
            outage: Outage::default(),
            links,
            config_file,
            link_tests: LinkTests::default(),
            changed: broadcast::channel(UNREAD_CHANGES).0,
            mail_owed: Notify::new(),
            endpoint,
            mail_server,
            stop_after,
            term: RwLock::default(),
            leader: RwLock::default(),
        }
    }

    /// Files that hold secrets of ours: nobody gets them.
    pub(crate) fn secret_files(&self) -> Vec<PathBuf> {
        let mut files = self.links.secret_files();
        files.push(self.config_file.clone());
        files
    }

    /// The term, while this master leads.
    pub(crate) fn term(&self) -> Option<Term> {
        self.term.read().expect("no panic while held").clone()
    }

    /// Begins a term.
    pub(crate) fn lead(&self, term: Term) {
        *self.term.write().expect("no panic while held") = Some(term);
    }

    /// Ends the term: workers and callers look elsewhere.
    pub(crate) fn step_down(&self) {
        if let Some(term) = self.term.write().expect("no panic while held").take() {
            term.over.cancel();
        }
        self.sessions.close_all();
    }

    /// Where the leading master serves; empty when unknown.
    pub(crate) fn leader(&self) -> String {
        self.leader.read().expect("no panic while held").clone()
    }

    /// Notes where the leading master serves.
    pub(crate) fn note_leader(&self, endpoint: &str) {
        let mut leader = self.leader.write().expect("no panic while held");
        if *leader != endpoint {
            endpoint.clone_into(&mut leader);
        }
    }
}
