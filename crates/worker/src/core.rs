//! The worker's core: one task that feeds the agent's state machine with what happens and carries out what it decides.

mod attempt;
mod carry_out;
mod supervised;
mod turns;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use akkaflow_model::id::{AttemptKey, Epoch, Incarnation};
use akkaflow_model::outcome::Outcome;
use akkaflow_protocol::agent::{Agent, Attach, Input, Output};
use akkaflow_rpc::wire;
use akkaflow_rpc::wire::master_client::MasterClient;
use akkaflow_rpc::worker::{key_from_wire, u128_from_wire};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::cache::Cache;
use crate::clock::{self, millis};
use crate::error::Error;
use crate::home::{AttemptHome, Home, attempt_id};
use crate::ledger::Ledger;
use crate::link_test;
use crate::logs;
use crate::options::OnStop;
use crate::prepare::{Done, Order, Prepared};
use crate::supervision::News;
use crate::supervisor::Request;

use attempt::{Attempt, Phase};
use turns::Turns;

/// Messages handled before their outputs go out together.
const BATCH: usize = 512;

/// The output of an attempt that is over sooner is read once, at its end.
const WATCH_AFTER: Duration = Duration::from_millis(100);

/// The supervisor hears of a master at least so often.
const CONTACT_EVERY: Duration = Duration::from_secs(10);

/// How long a shutdown waits for the master to take the last reports. One that is there takes them within milliseconds.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the core is told.
pub(crate) enum Message {
    /// A connection is being made: what shall we say of ourselves?
    Attaching(oneshot::Sender<Attach>),
    /// A master has welcomed us.
    Welcome(Box<Session>),
    /// It says something.
    FromMaster(Vec<wire::MasterEvent>),
    /// The connection is gone.
    LinkDown,
    /// Entries of the ledger are durable, or nothing is any more.
    Flushed(Result<usize, Error>),
    /// An order is ready to be started.
    Prepared(AttemptKey, Box<Prepared>),
    /// A task is over.
    TaskEnded(AttemptKey, Outcome),
    /// About processes.
    Supervisor(News),
    /// The output of an ended attempt is at the master.
    Delivered(AttemptKey),
}

/// A connection to a master that leads.
pub(crate) struct Session {
    pub(crate) welcome: wire::Welcome,
    /// Takes what the master shall hear. What waits there is bounded by the attempts that are held.
    pub(crate) to_master: mpsc::UnboundedSender<wire::WorkerMessage>,
    pub(crate) client: MasterClient<Channel>,
    /// Ends the connection.
    pub(crate) hang_up: CancellationToken,
}

/// Whom the core commands.
pub(crate) struct Hands {
    pub(crate) cache: Arc<Cache>,
    pub(crate) worker_id: Arc<str>,
    /// Where relative paths of SQLite files start.
    pub(crate) base_directory: PathBuf,
    pub(crate) ledger: Ledger,
    pub(crate) orders: std_mpsc::Sender<Order>,
    pub(crate) cleaner: std_mpsc::Sender<Done>,
    pub(crate) logs: mpsc::UnboundedSender<logs::Command>,
    pub(crate) myself: mpsc::Sender<Message>,
    /// Where tasks run.
    pub(crate) tasks: Handle,
}

/// How the core is asked to stop.
pub(crate) struct Stop {
    pub(crate) shutdown: CancellationToken,
    /// Fires when processes shall end too.
    pub(crate) kill: CancellationToken,
    pub(crate) on_stop: Option<OnStop>,
}

/// The core's state.
pub(crate) struct Core {
    agent: Agent,
    home: Arc<Home>,
    kill_grace: Duration,
    hands: Hands,
    attempts: BTreeMap<AttemptKey, Attempt>,
    turns: Turns,
    /// By the name that the supervisor knows.
    keys: BTreeMap<String, AttemptKey>,
    session: Option<Session>,
    supervisor: Option<mpsc::UnboundedSender<Request>>,
    /// Attempts that run and whose output nobody reads yet, by the moment when that begins.
    unwatched: VecDeque<(Duration, AttemptKey)>,
    next_contact: Duration,
    /// Entries for the ledger and events for the master that go out with this batch.
    entries: Vec<akkaflow_protocol::agent::Entry>,
    events: Vec<wire::WorkerEvent>,
    is_stopping: bool,
    all_killed: bool,
}

impl Core {
    pub(crate) fn new(agent: Agent, home: Arc<Home>, kill_grace: Duration, hands: Hands) -> Self {
        let mut core = Self {
            agent,
            home,
            kill_grace,
            hands,
            attempts: BTreeMap::new(),
            turns: Turns::default(),
            keys: BTreeMap::new(),
            session: None,
            supervisor: None,
            unwatched: VecDeque::new(),
            next_contact: Duration::ZERO,
            entries: Vec::new(),
            events: Vec::new(),
            is_stopping: false,
            all_killed: false,
        };
        core.recall();
        core
    }

    /// Works until `shutdown`, and then as long as it takes to stop in order.
    pub(crate) async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Message>,
        stop: Stop,
    ) -> Result<(), Error> {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                _ = inbox.recv_many(&mut batch, BATCH) => {}
                () = sleep(self.patience()) => {}
                () = stop.shutdown.cancelled() => break,
            }
            self.on_batch(&mut batch)?;
        }
        self.stop(inbox, batch, stop).await
    }

    /// Tasks end with us; processes run on, unless they shall not.
    async fn stop(
        mut self,
        mut inbox: mpsc::Receiver<Message>,
        mut batch: Vec<Message>,
        stop: Stop,
    ) -> Result<(), Error> {
        let Stop { kill, on_stop, .. } = stop;
        self.begin_to_leave();
        let window = match (self.processes(), on_stop) {
            (0, _) | (_, None) => Duration::ZERO,
            (count, Some(on_stop)) => (on_stop.0)(count),
        };
        let patience = sleep(window + Duration::from_secs(3) + self.kill_grace);
        tokio::pin!(patience);
        let may_leave = sleep(window);
        tokio::pin!(may_leave);
        let mut is_window_over = window.is_zero();
        let mut is_killing = false;
        loop {
            if kill.is_cancelled() && !is_killing {
                is_killing = true;
                self.request(Request::KillAll {
                    grace_ms: millis(self.kill_grace),
                });
            }
            let is_dying = is_killing && self.supervisor.is_some() && !self.all_killed;
            let is_asking = !is_window_over && !is_killing && self.processes() > 0;
            if !self.has_tasks() && !self.has_unstarted() && !is_dying && !is_asking {
                break;
            }
            tokio::select! {
                _ = inbox.recv_many(&mut batch, BATCH) => {}
                () = kill.cancelled(), if !is_killing => {}
                () = &mut may_leave, if !is_window_over => is_window_over = true,
                () = &mut patience => break,
            }
            self.on_batch(&mut batch)?;
        }
        self.say_goodbye(inbox).await;
        Ok(())
    }

    /// The master hears of it before anything is reported lost, so that others get that at once.
    fn begin_to_leave(&mut self) {
        self.is_stopping = true;
        self.feed(Input::Leave);
        for attempt in self.attempts.values() {
            attempt.cancel.cancel();
        }
        self.give_up_unstarted();
        self.hand_over();
    }

    /// Ends our side of the stream; the master has heard everything once it ends its own.
    async fn say_goodbye(&mut self, mut inbox: mpsc::Receiver<Message>) {
        if self.session.take().is_none() {
            return;
        }
        let farewell = async {
            while let Some(message) = inbox.recv().await {
                if matches!(message, Message::LinkDown) {
                    return;
                }
            }
        };
        let _ = timeout(FAREWELL, farewell).await;
    }

    fn on_batch(&mut self, batch: &mut Vec<Message>) -> Result<(), Error> {
        for message in batch.drain(..) {
            self.on_message(message)?;
        }
        self.on_time();
        self.hand_over();
        Ok(())
    }

    /// Until when nothing needs to be done by itself.
    fn patience(&self) -> Duration {
        let now = clock::since_boot();
        let watch = self.unwatched.front().map(|(at, _)| *at);
        let contact = self.session.is_some().then_some(self.next_contact);
        [self.agent.next_deadline(), watch, contact]
            .into_iter()
            .flatten()
            .min()
            .map_or(Duration::from_secs(3600), |at| at.saturating_sub(now))
    }

    fn on_message(&mut self, message: Message) -> Result<(), Error> {
        match message {
            Message::Attaching(reply) => {
                let _ = reply.send(self.agent.attach());
            }
            Message::Welcome(session) => self.on_welcome(*session),
            Message::FromMaster(events) => {
                for event in events {
                    self.on_master_event(event);
                }
            }
            Message::LinkDown => {
                self.session = None;
                self.tell_logs(logs::Command::Disconnected);
                self.feed(Input::Disconnected);
            }
            Message::Flushed(entries) => {
                let entries = entries?;
                self.feed(Input::Persisted { entries });
            }
            Message::Prepared(key, prepared) => self.on_prepared(&key, *prepared),
            Message::TaskEnded(key, outcome) => self.on_ended(&key, outcome),
            Message::Supervisor(news) => self.on_supervisor(news),
            Message::Delivered(key) => {
                if let Some(attempt) = self.attempts.get_mut(&key) {
                    attempt.is_delivered = true;
                    self.forget_if_done(&key);
                }
            }
        }
        Ok(())
    }

    fn on_welcome(&mut self, session: Session) {
        let welcome = &session.welcome;
        let cluster = match u128_from_wire(&welcome.cluster, "welcome.cluster") {
            Ok(cluster) => cluster,
            Err(error) => {
                tracing::error!(error = %error, "a master's welcome is malformed");
                session.hang_up.cancel();
                return;
            }
        };
        let input = Input::Connected {
            cluster,
            epoch: Epoch(welcome.epoch),
            stop_after: Duration::from_millis(welcome.stop_after_ms),
        };
        tracing::info!(epoch = welcome.epoch, "attached to a master");
        self.next_contact = Duration::ZERO;
        self.session = Some(session);
        self.feed(input);
        if let Some(session) = &self.session {
            let client = session.client.clone();
            self.tell_logs(logs::Command::Connected(client));
        }
    }

    fn on_master_event(&mut self, event: wire::MasterEvent) {
        use wire::master_event::Event;
        let Some(event) = event.event else { return };
        let input = match event {
            Event::Welcome(_) => return,
            Event::Start(start) => return self.on_start(start),
            Event::TryLink(order) => return self.on_try_link(order),
            Event::Cancel(cancel) => key_from_wire(cancel.key).map(|key| Input::Cancel { key }),
            Event::Tombstone(key) => {
                key_from_wire(Some(key)).map(|key| Input::TombstoneRequest { key })
            }
            Event::Acknowledge(key) => {
                key_from_wire(Some(key)).map(|key| Input::Acknowledge { key })
            }
        };
        match input {
            Ok(input) => self.feed(input),
            Err(error) => tracing::warn!(error = %error, "ignored a malformed order of the master"),
        }
    }

    fn on_try_link(&self, order: wire::TryLink) {
        let Some(session) = &self.session else { return };
        let to_master = session.to_master.downgrade();
        let base_directory = self.hands.base_directory.clone();
        let tasks = &self.hands.tasks;
        if let Err(error) = link_test::start(order, base_directory, to_master, tasks) {
            tracing::warn!(%error, "ignored a malformed order of the master");
        }
    }

    fn on_start(&mut self, start: wire::Start) {
        let key = match key_from_wire(start.key.clone()) {
            Ok(key) => key,
            Err(error) => {
                tracing::warn!(error = %error, "ignored a malformed order of the master");
                return;
            }
        };
        let outputs = self.agent.step(
            clock::since_boot(),
            Input::Start {
                key: key.clone(),
                epoch: Epoch(start.epoch),
                incarnation: Incarnation(start.incarnation),
            },
        );
        let is_accepted = outputs
            .iter()
            .any(|output| matches!(output, Output::Persist(_)));
        if is_accepted {
            // Prepared while the acceptance is being flushed.
            self.begin(key, start);
        }
        self.carry_out(outputs);
    }

    /// What is done by the clock.
    fn on_time(&mut self) {
        let now = clock::since_boot();
        if self.agent.next_deadline().is_some_and(|at| now >= at) {
            self.feed(Input::Tick);
        }
        while let Some((at, _)) = self.unwatched.front()
            && *at <= now
        {
            let (_, key) = self.unwatched.pop_front().expect("it has a front");
            self.watch(&key);
        }
        if now >= self.next_contact
            && let Some(session) = &self.session
        {
            let stop_after_ms = session.welcome.stop_after_ms;
            let step = Duration::from_millis(stop_after_ms / 4);
            self.next_contact = now + step.min(CONTACT_EVERY);
            self.request(Request::Contact { stop_after_ms });
        }
    }

    fn feed(&mut self, input: Input) {
        let outputs = self.agent.step(clock::since_boot(), input);
        self.carry_out(outputs);
    }

    /// Sends out what the batch has led to: one append to the ledger, one message to the master.
    fn hand_over(&mut self) {
        if !self.entries.is_empty() {
            self.hands.ledger.append(std::mem::take(&mut self.entries));
        }
        if self.hands.ledger.is_long() {
            self.hands.ledger.replace(self.agent.snapshot());
        }
        if !self.events.is_empty() {
            let events = std::mem::take(&mut self.events);
            if let Some(session) = &self.session {
                let _ = session.to_master.send(wire::WorkerMessage { events });
            }
        }
    }

    fn tell_logs(&self, command: logs::Command) {
        let _ = self.hands.logs.send(command);
    }

    /// Without a supervisor the request is dropped: everything is put right when the next one says what it knows.
    fn request(&self, request: Request) {
        if let Some(supervisor) = &self.supervisor {
            let _ = supervisor.send(request);
        }
    }

    /// How many processes a stop would leave running.
    fn processes(&self) -> usize {
        self.attempts
            .values()
            .filter(|attempt| matches!(attempt.phase, Phase::Process))
            .count()
    }

    fn has_tasks(&self) -> bool {
        self.attempts
            .values()
            .any(|attempt| matches!(attempt.phase, Phase::Task))
    }

    /// Whether the acceptance of an attempt is on its way to the disk: it is reported lost once it is there.
    fn has_unstarted(&self) -> bool {
        self.attempts
            .values()
            .any(|attempt| attempt.phase.is_unstarted())
    }

    /// Takes up what the last agent held, and throws away what is left of the rest.
    fn recall(&mut self) {
        let held = self.agent.attach().holds;
        let running: std::collections::BTreeSet<AttemptKey> =
            self.agent.running().cloned().collect();
        for key in held {
            let attempt = Attempt::adopted(&key, &self.home, !running.contains(&key));
            self.keys.insert(attempt.id.clone(), key.clone());
            self.attempts.insert(key.clone(), attempt);
            self.watch(&key);
            if !running.contains(&key) {
                self.end_output(&key);
            }
        }
        for id in self.home.attempts() {
            if !self.keys.contains_key(&id) {
                let _ = self.hands.cleaner.send(Done {
                    home: self.home.attempt(&id),
                    is_alone: false,
                });
            }
        }
    }
}

/// Used by the modules below.
fn id_and_home(key: &AttemptKey, home: &Home) -> (String, AttemptHome) {
    let id = attempt_id(key);
    let attempt_home = home.attempt(&id);
    (id, attempt_home)
}
