//! One attached worker: its events go to the core, the core's effects go to it.

use std::sync::Arc;

use akkaflow_engine::{Input, WorkerInfo};
use akkaflow_model::id::{AttemptKey, Incarnation, WorkerId};
use akkaflow_model::time::Timestamp;
use akkaflow_rpc::wire;
use akkaflow_rpc::wire::master_event;
use akkaflow_rpc::wire::worker_event::Event;
use akkaflow_rpc::worker::{finished_from_wire, key_from_wire};
use akkaflow_store::{LogChunk, Stream};
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use crate::core::CoreHandle;
use crate::grpc::{BoxedStream, not_leading};
use crate::sessions::{self, SessionId};
use crate::shared::{Shared, Term};

/// What this master speaks.
const PROTOCOL_VERSION: u32 = 1;

/// Attaches a worker: reads who it is, welcomes it, and lets the core judge what it holds.
pub(crate) async fn attach(
    shared: Arc<Shared>,
    term: Term,
    mut messages: Streaming<wire::WorkerMessage>,
) -> Result<BoxedStream<wire::MasterMessage>, Status> {
    let first = messages
        .message()
        .await?
        .map(|message| message.events)
        .unwrap_or_default();
    let mut events = first.into_iter();
    let Some(Event::Attach(attach)) = events.next().and_then(|event| event.event) else {
        return Err(Status::invalid_argument("a stream begins with attach"));
    };
    let (worker, holds) = admit(&term, attach)?;
    let (id, incarnation) = (worker.id.clone(), worker.incarnation);
    // The session is open before the core hears of the worker, so that what the core decides finds it.
    let Some((session, outgoing)) = shared.sessions.open(id.clone(), incarnation) else {
        tracing::info!(worker.id = %id, "refused a late stream of an earlier start of a worker");
        return Err(Status::failed_precondition(
            "a newer start of this worker is attached",
        ));
    };
    tracing::info!(worker.id = %worker.id, host = %worker.host, slots = worker.slots, holds = holds.len(), "worker attached");
    let attached = term
        .core
        .input(Input::WorkerAttached { worker, holds })
        .await;
    attached.map_err(|_| not_leading(&shared))?;
    let welcome = welcome(&shared, &term);
    let incoming = Incoming {
        shared,
        core: term.core,
        id,
        incarnation,
        session,
    };
    tokio::spawn(async move {
        tokio::select! {
            () = term.over.cancelled() => {}
            () = incoming.read(events.collect(), messages) => incoming.detach().await,
        }
    });
    Ok(outgoing_stream(welcome, outgoing))
}

/// Who wants to attach, and with what; refused when it belongs elsewhere.
fn admit(term: &Term, attach: wire::Attach) -> Result<(WorkerInfo, Vec<AttemptKey>), Status> {
    if attach.protocol_version != PROTOCOL_VERSION {
        return Err(Status::unimplemented(format!(
            "this master speaks protocol {PROTOCOL_VERSION}, the worker {}; use programs of the same release",
            attach.protocol_version
        )));
    }
    let is_foreign = !attach.cluster.is_empty() && attach.cluster != term.cluster.to_be_bytes();
    if is_foreign {
        return Err(Status::permission_denied(
            "this worker's data directory belongs to another cluster; give it a fresh one with --data-dir",
        ));
    }
    let holds = keys_of(attach.holds)?;
    let worker = WorkerInfo {
        id: WorkerId(attach.worker_id.into()),
        incarnation: Incarnation(attach.incarnation),
        host: attach.host.into(),
        slots: attach.slots,
        labels: attach.labels.into_iter().collect(),
    };
    Ok((worker, holds))
}

fn welcome(shared: &Shared, term: &Term) -> wire::MasterEvent {
    let welcome = wire::Welcome {
        cluster: term.cluster.to_be_bytes().to_vec(),
        epoch: term.epoch.0,
        stop_after_ms: u64::try_from(shared.stop_after.as_millis()).unwrap_or(u64::MAX),
        masters: Vec::new(),
    };
    wire::MasterEvent {
        event: Some(master_event::Event::Welcome(welcome)),
    }
}

fn outgoing_stream(
    welcome: wire::MasterEvent,
    outgoing: mpsc::UnboundedReceiver<wire::MasterEvent>,
) -> BoxedStream<wire::MasterMessage> {
    let first = futures::stream::once(async move {
        Ok(wire::MasterMessage {
            events: vec![welcome],
        })
    });
    let rest = futures::stream::unfold(outgoing, |mut outgoing| async move {
        sessions::next_message(&mut outgoing)
            .await
            .map(|message| (Ok(message), outgoing))
    });
    Box::pin(first.chain(rest))
}

/// The side on which the worker speaks.
struct Incoming {
    shared: Arc<Shared>,
    core: CoreHandle,
    id: WorkerId,
    incarnation: Incarnation,
    session: SessionId,
}

impl Incoming {
    /// Hands on what the worker says until its stream ends.
    async fn read(
        &self,
        first: Vec<wire::WorkerEvent>,
        mut messages: Streaming<wire::WorkerMessage>,
    ) {
        let mut events = first;
        loop {
            for event in events {
                if let Some(Event::LinkPart(part)) = event.event {
                    self.shared.link_tests.report(part);
                    continue;
                }
                let input = match input_of(&self.id, self.incarnation, event) {
                    Ok(Some(input)) => input,
                    Ok(None) => continue,
                    Err(status) => {
                        tracing::warn!(worker.id = %self.id, error = status.message(), "a worker sent something malformed");
                        return;
                    }
                };
                if self.core.input(input).await.is_err() {
                    return;
                }
            }
            match messages.message().await {
                Ok(Some(message)) => events = message.events,
                Ok(None) => return,
                Err(status) => {
                    tracing::debug!(worker.id = %self.id, error = status.message(), "the stream of a worker broke");
                    return;
                }
            }
        }
    }

    /// Says that the worker is out of reach, unless it has attached anew meanwhile.
    async fn detach(&self) {
        if self.shared.sessions.close(&self.id, self.session) {
            tracing::warn!(worker.id = %self.id, "worker is out of reach; what it runs goes on");
            // A core that is gone has nobody attached.
            let _ = self
                .core
                .input(Input::WorkerDetached {
                    id: self.id.clone(),
                    incarnation: self.incarnation,
                })
                .await;
        }
    }
}

/// What an event means for the engine; `None` for one that this version does not know.
fn input_of(
    worker: &WorkerId,
    incarnation: Incarnation,
    event: wire::WorkerEvent,
) -> Result<Option<Input>, Status> {
    let worker = worker.clone();
    Ok(match event.event {
        Some(Event::Accepted(key)) => Some(Input::AttemptAccepted {
            worker,
            key: key_of(Some(key))?,
        }),
        Some(Event::Tombstoned(key)) => Some(Input::Tombstoned {
            worker,
            key: key_of(Some(key))?,
        }),
        Some(Event::Finished(finished)) => {
            let (key, outcome) = finished_from_wire(finished)?;
            Some(Input::AttemptFinished {
                worker,
                key,
                outcome,
            })
        }
        Some(Event::Leaving(leaving)) => {
            tracing::info!(worker.id = %worker, "worker stops in order");
            Some(Input::WorkerLeaving {
                id: worker,
                incarnation,
                holds: keys_of(leaving.holds)?,
            })
        }
        Some(Event::Attach(_)) => return Err(Status::invalid_argument("attach comes once, first")),
        // The engine knows nothing of links.
        Some(Event::LinkPart(_)) | None => None,
    })
}

fn keys_of(keys: Vec<wire::AttemptKey>) -> Result<Vec<AttemptKey>, Status> {
    keys.into_iter().map(|key| key_of(Some(key))).collect()
}

/// The key in a message.
pub(crate) fn key_of(key: Option<wire::AttemptKey>) -> Result<AttemptKey, Status> {
    Ok(key_from_wire(key)?)
}

/// The chunk in a message.
pub(crate) fn log_chunk(chunk: wire::LogChunk) -> Result<LogChunk, Status> {
    let stream = match chunk.stream {
        1 => Stream::Stdout,
        2 => Stream::Stderr,
        3 => Stream::Info,
        4 => Stream::Warn,
        5 => Stream::Error,
        other => {
            return Err(Status::invalid_argument(format!(
                "{other} is no stream of output"
            )));
        }
    };
    Ok(LogChunk {
        key: key_of(chunk.key)?,
        stream,
        offset: chunk.offset,
        at: Timestamp::from_millis(chunk.at_ms),
        data: chunk.data,
    })
}
