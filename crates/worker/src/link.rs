//! Finds the master that leads and keeps the control stream to it.

use std::time::Duration;

use akkaflow_protocol::agent::Attach;
use akkaflow_rpc::wire;
use akkaflow_rpc::wire::master_client::MasterClient;
use akkaflow_rpc::wire::master_event::Event;
use akkaflow_rpc::worker::u128_to_wire;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};

use crate::core::{Message, Session};
use crate::error::Error;

/// The version of the protocol that we speak.
const PROTOCOL: u32 = 1;

/// A dead connection is noticed after at most twice this time.
const KEEP_ALIVE: Duration = Duration::from_secs(2);

/// How long a master may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The first pause after all masters were tried.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// The longest pause in the first minute: a fail-over is over within seconds.
const SHORT_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause later.
const LONG_PAUSE: Duration = Duration::from_secs(5);

/// The largest message: bodies may be long, and many come at once.
const MAX_MESSAGE: usize = 256 << 20;

/// Where a master that does not lead says who does.
const LEADER_HINT: &str = "akkaflow-leader";

/// Who attaches.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) worker_id: String,
    pub(crate) host: String,
    pub(crate) slots: u32,
    pub(crate) labels: Vec<String>,
}

/// The task's state.
pub(crate) struct Link {
    identity: Identity,
    masters: Vec<String>,
    core: mpsc::Sender<Message>,
    shutdown: CancellationToken,
}

enum Ended {
    /// The session was there, and is over.
    Over,
    /// This one does not lead, but knows who does.
    Elsewhere(String),
    Unreachable(String),
}

impl Link {
    pub(crate) fn new(
        identity: Identity,
        masters: &[String],
        core: mpsc::Sender<Message>,
        shutdown: CancellationToken,
    ) -> Result<Self, Error> {
        if masters.is_empty() {
            return Err(Error::NoMasters);
        }
        let masters: Vec<String> = masters.iter().map(|master| url(master)).collect();
        for master in &masters {
            endpoint(master).map_err(|_| Error::Address(master.clone()))?;
        }
        Ok(Self {
            identity,
            masters,
            core,
            shutdown,
        })
    }

    /// Works until `shutdown`.
    pub(crate) async fn run(self) {
        let shutdown = self.shutdown.clone();
        tokio::select! {
            () = self.run_for_ever() => {}
            () = shutdown.cancelled() => {}
        }
    }

    async fn run_for_ever(self) {
        let mut pause = FIRST_PAUSE;
        let mut out_of_contact_since = Instant::now();
        let mut last_failure = String::new();
        loop {
            for master in &self.masters {
                match self.try_master(master).await {
                    Ended::Over => {
                        pause = FIRST_PAUSE;
                        out_of_contact_since = Instant::now();
                        last_failure.clear();
                    }
                    // A master that is just starting is no news.
                    Ended::Unreachable(reason)
                        if reason != last_failure
                            && out_of_contact_since.elapsed() > SHORT_PAUSE =>
                    {
                        tracing::warn!(master, reason, "no master to attach to, trying on");
                        last_failure = reason;
                    }
                    Ended::Unreachable(_) | Ended::Elsewhere(_) => {}
                }
            }
            sleep(pause.mul_f64(0.5 + rand::random::<f64>())).await;
            let longest = if out_of_contact_since.elapsed() < Duration::from_secs(60) {
                SHORT_PAUSE
            } else {
                LONG_PAUSE
            };
            pause = (pause * 2).min(longest);
        }
    }

    /// One master, and the one that it names instead.
    async fn try_master(&self, master: &str) -> Ended {
        match self.session(master).await {
            Ended::Elsewhere(leader) => self.session(&url(&leader)).await,
            other => other,
        }
    }

    async fn session(&self, master: &str) -> Ended {
        let connected = match endpoint(master) {
            Ok(endpoint) => endpoint.connect().await,
            Err(error) => Err(error),
        };
        let channel = match connected {
            Ok(channel) => channel,
            Err(error) => return Ended::Unreachable(reason(&error)),
        };
        let client = MasterClient::new(channel)
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_MESSAGE);
        let (to_master, receiver) = mpsc::unbounded_channel();
        let Some(attach) = self.attach().await else {
            return Ended::Over;
        };
        let _ = to_master.send(attach);
        let opened = timeout(PATIENCE, open(client.clone(), receiver)).await;
        let (welcome, rest, stream) = match opened {
            Ok(Ok(opened)) => opened,
            Ok(Err(status)) => return refused(&status),
            Err(_) => return Ended::Unreachable("it does not answer".to_owned()),
        };
        tracing::debug!(master, "connected");
        let hang_up = CancellationToken::new();
        let session = Session {
            welcome,
            to_master,
            client,
            hang_up: hang_up.clone(),
        };
        self.tell(Message::Welcome(Box::new(session))).await;
        self.tell(Message::FromMaster(rest)).await;
        tokio::select! {
            () = self.listen(stream) => {}
            () = hang_up.cancelled() => {}
        }
        self.tell(Message::LinkDown).await;
        Ended::Over
    }

    async fn listen(&self, mut stream: Streaming<wire::MasterMessage>) {
        loop {
            match stream.message().await {
                Ok(Some(message)) => self.tell(Message::FromMaster(message.events)).await,
                Ok(None) => return tracing::warn!("the master has ended the connection"),
                Err(status) => {
                    return tracing::warn!(error = status.message(), "lost the master");
                }
            }
        }
    }

    async fn attach(&self) -> Option<wire::WorkerMessage> {
        let (reply, answer) = oneshot::channel();
        self.tell(Message::Attaching(reply)).await;
        let attach = to_wire(&self.identity, answer.await.ok()?);
        Some(wire::WorkerMessage {
            events: vec![wire::WorkerEvent {
                event: Some(wire::worker_event::Event::Attach(attach)),
            }],
        })
    }

    /// When the core is gone, so are we soon.
    async fn tell(&self, message: Message) {
        let _ = self.core.send(message).await;
    }
}

type Opened = (
    wire::Welcome,
    Vec<wire::MasterEvent>,
    Streaming<wire::MasterMessage>,
);

/// Attaches and waits for the welcome, which comes first.
async fn open(
    mut client: MasterClient<Channel>,
    outgoing: mpsc::UnboundedReceiver<wire::WorkerMessage>,
) -> Result<Opened, Status> {
    let mut stream = client
        .attach(UnboundedReceiverStream::new(outgoing))
        .await?
        .into_inner();
    let mut events = stream
        .message()
        .await?
        .ok_or_else(|| Status::unavailable("it has ended the connection"))?
        .events
        .into_iter();
    match events.next().and_then(|first| first.event) {
        Some(Event::Welcome(welcome)) => Ok((welcome, events.collect(), stream)),
        _ => Err(Status::internal("it did not begin with a welcome")),
    }
}

fn to_wire(identity: &Identity, attach: Attach) -> wire::Attach {
    wire::Attach {
        protocol_version: PROTOCOL,
        worker_id: identity.worker_id.clone(),
        incarnation: attach.incarnation.0,
        host: identity.host.clone(),
        slots: identity.slots,
        holds: attach.holds.iter().map(Into::into).collect(),
        cluster: attach.cluster.map(u128_to_wire).unwrap_or_default(),
        max_epoch: attach.max_epoch.0,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        labels: identity.labels.clone(),
    }
}

fn refused(status: &Status) -> Ended {
    match status
        .metadata()
        .get(LEADER_HINT)
        .and_then(|hint| hint.to_str().ok())
    {
        Some(leader) if !leader.is_empty() => Ended::Elsewhere(leader.to_owned()),
        _ => Ended::Unreachable(status.message().to_owned()),
    }
}

fn endpoint(master: &str) -> Result<Endpoint, tonic::transport::Error> {
    Ok(Endpoint::from_shared(master.to_owned())?
        .connect_timeout(PATIENCE / 2)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true))
}

fn url(master: &str) -> String {
    if master.contains("://") {
        master.to_owned()
    } else {
        format!("http://{master}")
    }
}

/// The last cause says what is wrong; the ones before it only where it was noticed.
fn reason(error: &dyn std::error::Error) -> String {
    let mut current = error;
    while let Some(source) = current.source() {
        current = source;
    }
    current.to_string()
}
