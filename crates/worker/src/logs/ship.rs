//! The task that keeps the output of all attempts on its way.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::Duration;

use akkaflow_model::id::AttemptKey;
use akkaflow_rpc::wire;
use akkaflow_rpc::wire::master_client::MasterClient;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Streaming;
use tonic::transport::Channel;

use super::job::Job;
use super::lines::LineWriter;
use crate::home::AttemptHome;

/// Between two looks at the output of attempts that run.
const POLL: Duration = Duration::from_millis(100);

/// A batch is closed at this size, bytes.
const BATCH_BYTES: usize = 256 << 10;

/// A batch is closed at this many chunks.
const BATCH_CHUNKS: usize = 256;

/// Batches on their way at once: bounds the memory to 4 MiB, and is enough for a gigabit over 30 ms.
const WINDOW: usize = 16;

/// A stream that broke alone is opened again after this time.
const RETRY: Duration = Duration::from_millis(500);

/// How long a master may take to open the stream.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the shipper is told.
#[derive(Debug)]
pub(crate) enum Command {
    /// Deliver what an attempt writes.
    Watch {
        /// Which.
        key: AttemptKey,
        /// Where it writes.
        home: AttemptHome,
        /// Takes what its action reports.
        writer: Option<LineWriter>,
    },
    /// A watched attempt is over; its outputs have these lengths.
    Ended {
        /// Which.
        key: AttemptKey,
        /// Of standard output.
        out: u64,
        /// Of standard error.
        err: u64,
    },
    /// A master leads.
    Connected(MasterClient<Channel>),
    /// None does.
    Disconnected,
}

/// The task's state.
pub(crate) struct Shipper {
    quota: u64,
    delivered: mpsc::UnboundedSender<AttemptKey>,
    jobs: BTreeMap<AttemptKey, Job>,
    /// Attempts that may have something to send.
    ready: VecDeque<AttemptKey>,
    in_flight: VecDeque<InFlight>,
    number: u64,
    client: Option<MasterClient<Channel>>,
    line: Option<Line>,
    retry_at: Option<Instant>,
}

struct InFlight {
    batch: wire::LogBatch,
    /// Attempt, stream and where the chunk ends in it.
    chunks: Vec<(AttemptKey, u32, u64)>,
}

struct Line {
    batches: mpsc::UnboundedSender<wire::LogBatch>,
    acks: Streaming<wire::LogAck>,
}

impl Shipper {
    /// Says on `delivered` when all output of an ended attempt is durable at the master.
    pub(crate) fn new(quota: u64, delivered: mpsc::UnboundedSender<AttemptKey>) -> Self {
        Self {
            quota,
            delivered,
            jobs: BTreeMap::new(),
            ready: VecDeque::new(),
            in_flight: VecDeque::new(),
            number: 0,
            client: None,
            line: None,
            retry_at: None,
        }
    }

    /// Works until nobody commands any more.
    pub(crate) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let mut poll = interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_polling = self.line.is_some() && !self.jobs.is_empty();
            let retry_at = self.retry_at;
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.on_command(command).await,
                    None => return,
                },
                ack = next_ack(&mut self.line) => self.on_ack(ack),
                _ = poll.tick(), if is_polling => self.ready = self.jobs.keys().cloned().collect(),
                () = sleep_until(retry_at.unwrap_or_else(Instant::now)), if retry_at.is_some() => {
                    self.connect().await;
                }
            }
            self.pump();
        }
    }

    async fn on_command(&mut self, command: Command) {
        match command {
            Command::Watch { key, home, writer } => {
                match Job::new(&key, &home, writer, self.quota) {
                    Ok(job) => {
                        self.jobs.insert(key, job);
                    }
                    Err(error) => self.give_up(&key, &error),
                }
            }
            Command::Ended { key, out, err } => match self.jobs.get_mut(&key) {
                Some(job) => {
                    job.end(out, err);
                    self.ready.push_back(key);
                }
                None => self.say_delivered(key),
            },
            Command::Connected(client) => {
                self.client = Some(client);
                self.connect().await;
            }
            Command::Disconnected => {
                self.client = None;
                self.line = None;
                self.retry_at = None;
            }
        }
    }

    async fn connect(&mut self) {
        self.line = None;
        self.retry_at = None;
        let Some(client) = &mut self.client else {
            return;
        };
        // Bounded by the window.
        let (batches, receiver) = mpsc::unbounded_channel();
        for waiting in &self.in_flight {
            let _ = batches.send(waiting.batch.clone());
        }
        let call = client.append_log(UnboundedReceiverStream::new(receiver));
        let answer = timeout(PATIENCE, call)
            .await
            .unwrap_or_else(|_| Err(tonic::Status::deadline_exceeded("no answer")));
        match answer {
            Ok(answer) => {
                self.line = Some(Line {
                    batches,
                    acks: answer.into_inner(),
                });
                self.ready = self.jobs.keys().cloned().collect();
            }
            Err(status) => self.on_broken(&status),
        }
    }

    fn on_broken(&mut self, status: &tonic::Status) {
        tracing::debug!(error = %status, "the stream of output broke");
        self.line = None;
        if self.client.is_some() {
            self.retry_at = Some(Instant::now() + RETRY);
        }
    }

    fn on_ack(&mut self, ack: Result<Option<wire::LogAck>, tonic::Status>) {
        let number = match ack {
            Ok(Some(ack)) => ack.number,
            Ok(None) => return self.on_broken(&tonic::Status::cancelled("closed by the master")),
            Err(status) => return self.on_broken(&status),
        };
        while let Some(first) = self.in_flight.front()
            && first.batch.number <= number
        {
            let first = self.in_flight.pop_front().expect("it has a front");
            for (key, stream, end) in first.chunks {
                self.on_chunk_acknowledged(key, stream, end);
            }
        }
    }

    fn on_chunk_acknowledged(&mut self, key: AttemptKey, stream: u32, end: u64) {
        let Some(job) = self.jobs.get_mut(&key) else {
            return;
        };
        if let Err(error) = job.on_acknowledged(stream, end) {
            return self.give_up(&key, &error);
        }
        if job.is_delivered() {
            self.jobs.remove(&key);
            self.say_delivered(key);
        }
    }

    /// Sends as long as there is something to send and room in the window.
    fn pump(&mut self) {
        while self.in_flight.len() < WINDOW && self.line.is_some() {
            let mut sending = InFlight {
                batch: wire::LogBatch {
                    number: self.number + 1,
                    chunks: Vec::new(),
                },
                chunks: Vec::new(),
            };
            self.fill(&mut sending);
            if sending.chunks.is_empty() {
                return;
            }
            self.number += 1;
            if let Some(line) = &self.line {
                let _ = line.batches.send(sending.batch.clone());
            }
            self.in_flight.push_back(sending);
        }
    }

    fn fill(&mut self, sending: &mut InFlight) {
        let mut size = 0;
        while size < BATCH_BYTES && sending.chunks.len() < BATCH_CHUNKS {
            let Some(key) = self.ready.pop_front() else {
                return;
            };
            let Some(job) = self.jobs.get_mut(&key) else {
                continue;
            };
            match job.next() {
                Ok(Some(chunk)) => {
                    size += chunk.data.len();
                    let end = chunk.offset + chunk.data.len() as u64;
                    sending.chunks.push((key.clone(), chunk.stream, end));
                    sending.batch.chunks.push(chunk);
                    // Taking turns: one that writes without end does not hold up the others.
                    self.ready.push_back(key);
                }
                Ok(None) => {
                    if job.is_delivered() {
                        self.jobs.remove(&key);
                        self.say_delivered(key);
                    }
                }
                Err(error) => self.give_up(&key, &error),
            }
        }
    }

    fn say_delivered(&self, key: AttemptKey) {
        let _ = self.delivered.send(key);
    }

    /// A spool that cannot be read is said in our own log, and holds nobody up.
    fn give_up(&mut self, key: &AttemptKey, error: &io::Error) {
        tracing::error!(attempt = %key, error = %error, "cannot deliver the output of an attempt");
        self.jobs.remove(key);
        self.say_delivered(key.clone());
    }
}

async fn next_ack(line: &mut Option<Line>) -> Result<Option<wire::LogAck>, tonic::Status> {
    match line {
        Some(line) => line.acks.message().await,
        None => std::future::pending().await,
    }
}
