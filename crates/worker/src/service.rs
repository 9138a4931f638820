//! Puts the parts together.

use std::sync::Arc;
use std::sync::mpsc as std_mpsc;

use akkaflow_actions::Registry;
use akkaflow_connectors::Pool;
use akkaflow_protocol::agent::Agent;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::cache::Cache;
use crate::clock;
use crate::core::{Core, Hands, Message, Stop};
use crate::error::Error;
use crate::home::{Home, host_name};
use crate::ledger::{self, Ledger};
use crate::link::{Identity, Link};
use crate::logs::Shipper;
use crate::options::Options;
use crate::prepare::Tools;
use crate::spares::Spares;
use crate::workshop::Workshop;
use crate::{prepare, supervision, supervisor};

/// Messages that wait for the core; whoever finds the inbox full waits too.
const INBOX: usize = 1_024;

/// A worker.
#[derive(Debug)]
pub struct Service {
    options: Options,
    registry: Registry,
}

impl Service {
    /// A worker that knows all action types.
    pub fn new(options: Options) -> Self {
        Self::with_registry(options, Registry::builtin())
    }

    /// A worker that knows these action types.
    pub fn with_registry(options: Options, registry: Registry) -> Self {
        Self { options, registry }
    }

    /// Works until `shutdown`. Processes of attempts run on and are adopted by the next start, unless
    /// [`Options::kill_on_shutdown`] says otherwise; what runs inside this program ends.
    ///
    /// # Errors
    /// [`Error`] when the data directory or the configuration is of no use, or the ledger cannot be written any more.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        let options = self.options;
        let home = Arc::new(Home::open(&options.data_dir)?);
        let host = options.host.clone().unwrap_or_else(host_name);
        let identity = Identity {
            worker_id: home.worker_id(options.worker_id.as_deref(), &host)?,
            host,
            slots: options.slots(),
            labels: options.labels.clone(),
        };
        let agent = Agent::restore(
            home.next_incarnation()?,
            clock::since_boot(),
            ledger::read(&home.ledger())?,
        );
        tracing::info!(
            worker.id = identity.worker_id,
            slots = identity.slots,
            held = agent.held(),
            "worker starts"
        );

        let (inbox_sender, inbox) = mpsc::channel(INBOX);
        // Ends what serves the core, after the core.
        let end = CancellationToken::new();
        let ends_with_us = end.clone().drop_guard();
        let worker_id = Arc::from(identity.worker_id.as_str());
        let link = Link::new(
            identity,
            &options.masters,
            inbox_sender.clone(),
            end.clone(),
        )?;
        let workshop = Workshop::open(options.slots()).map_err(|source| Error::DataDir {
            path: home.path().to_owned(),
            source,
        })?;
        let hands = hands(
            &options,
            workshop.handle(),
            worker_id,
            &home,
            self.registry,
            &agent,
            &inbox_sender,
        )?;
        let core = Core::new(agent, Arc::clone(&home), options.kill_grace, hands);
        let stop = Stop {
            shutdown,
            kill: options.kill_on_shutdown.clone(),
            on_stop: options.on_stop.clone(),
        };
        let supervision = tokio::spawn(supervision::run(
            home.path().to_owned(),
            options.supervisor.clone(),
            inbox_sender,
            end.clone(),
        ));
        tokio::spawn(link.run());
        let outcome = core.run(inbox, stop).await;
        drop(ends_with_us);
        // Only then is nobody left who would call the supervisor back. A task that panicked calls nobody.
        let _ = supervision.await;
        if let Err(error) = supervisor::leave(home.path()) {
            tracing::debug!(%error, "the supervisor of processes was not told of the stop");
        }
        outcome
    }
}

/// Starts the threads and tasks that work for the core.
fn hands(
    options: &Options,
    tasks: Handle,
    worker_id: Arc<str>,
    home: &Home,
    registry: Registry,
    agent: &Agent,
    inbox: &mpsc::Sender<Message>,
) -> Result<Hands, Error> {
    let no_thread = |source| Error::DataDir {
        path: home.path().to_owned(),
        source,
    };
    let flushed = inbox.clone();
    let ledger = Ledger::start(&home.ledger(), &agent.snapshot(), move |result| {
        let _ = flushed.blocking_send(Message::Flushed(result));
    })?;
    let (orders, waiting_orders) = std_mpsc::channel();
    let prepared = inbox.clone();
    let base_directory = options
        .base_directory
        .clone()
        .unwrap_or_else(|| home.path().to_owned());
    let spares = Arc::new(Spares::open(home).map_err(no_thread)?);
    let tools = Tools {
        registry,
        base_directory: base_directory.clone(),
        spares: Arc::clone(&spares),
        sessions: Pool::default(),
        kill_grace: options.kill_grace,
    };
    prepare::start_thread(tools, waiting_orders, move |key, done| {
        let _ = prepared.blocking_send(Message::Prepared(key, Box::new(done)));
    })
    .map_err(no_thread)?;
    let (cleaner, done) = std_mpsc::channel();
    prepare::start_cleaner(spares, done).map_err(no_thread)?;
    let (logs, commands) = mpsc::unbounded_channel();
    let (delivered, mut delivered_keys) = mpsc::unbounded_channel();
    tokio::spawn(Shipper::new(options.log_quota, delivered).run(commands));
    let core = inbox.clone();
    tokio::spawn(async move {
        while let Some(key) = delivered_keys.recv().await {
            if core.send(Message::Delivered(key)).await.is_err() {
                return;
            }
        }
    });
    Ok(Hands {
        cache: Arc::new(Cache::new(home.cache())),
        worker_id,
        base_directory,
        ledger,
        orders,
        cleaner,
        logs,
        myself: inbox.clone(),
        tasks,
    })
}
