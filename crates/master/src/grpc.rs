//! The wire: what workers and http-servers say to a master.

mod attachments;
mod backfill;
mod commands;
mod link_test;
mod links;
mod worker_stream;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use akkaflow_engine::ExplainObject;
use akkaflow_model::command::Command;
use akkaflow_model::id::WorkerId;
use akkaflow_rpc::command::{LEADER_METADATA, instance_bytes, instance_from_bytes};
use akkaflow_rpc::wire;
use akkaflow_rpc::wire::explain_request::Object;
use akkaflow_rpc::wire::master_server::{Master, MasterServer};
use futures::{Stream, StreamExt as _};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use crate::core::Gone;
use crate::error::Error;
use crate::shared::{Shared, Term};

/// A peer that does not answer a ping is gone: a dead worker or master is noticed within this and the interval.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(4);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
/// Largest message: a definition of 1 MiB, or a batch of log chunks, with room to spare.
const MESSAGE_LIMIT: usize = 16 * 1024 * 1024;

type BoxedStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Serves until `stop` fires; then no new calls are taken and open streams end.
pub(crate) async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    stop: CancellationToken,
) -> Result<(), Error> {
    let service = MasterServer::new(MasterService { shared })
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT);
    let incoming = TcpListenerStream::new(listener).inspect(|stream| {
        if let Ok(stream) = stream {
            // Small messages must not wait for each other's acknowledgement.
            let _ = stream.set_nodelay(true);
        }
    });
    tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .add_service(service)
        .serve_with_incoming_shutdown(incoming, stop.cancelled_owned())
        .await
        .map_err(Error::Serve)
}

struct MasterService {
    shared: Arc<Shared>,
}

impl MasterService {
    fn term(&self) -> Result<Term, Status> {
        self.shared.term().ok_or_else(|| not_leading(&self.shared))
    }
}

/// The answer of a master that does not lead: it names the one that does.
fn not_leading(shared: &Shared) -> Status {
    let mut status = Status::failed_precondition("this master does not lead");
    let leader = shared.leader();
    if leader != shared.endpoint
        && let Ok(value) = leader.parse()
    {
        status.metadata_mut().insert(LEADER_METADATA, value);
    }
    status
}

/// The answer when the term has ended under a call. Only what was not taken may be asked again elsewhere.
fn gone_status(shared: &Shared, gone: Gone) -> Status {
    match gone {
        Gone::NotTaken => not_leading(shared),
        Gone::Unanswered => Status::aborted(
            "the master has stepped down before it could answer; whether this was done is unknown",
        ),
    }
}

#[tonic::async_trait]
impl Master for MasterService {
    type AttachStream = BoxedStream<wire::MasterMessage>;
    type AppendLogStream = BoxedStream<wire::LogAck>;
    type FetchAttachmentStream = BoxedStream<wire::AttachmentChunk>;
    type WatchStream = BoxedStream<wire::InstanceChanged>;
    type TestLinkStream = BoxedStream<wire::LinkTestReply>;

    async fn attach(
        &self,
        request: Request<Streaming<wire::WorkerMessage>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let term = self.term()?;
        let stream =
            worker_stream::attach(Arc::clone(&self.shared), term, request.into_inner()).await?;
        Ok(Response::new(stream))
    }

    async fn append_log(
        &self,
        request: Request<Streaming<wire::LogBatch>>,
    ) -> Result<Response<Self::AppendLogStream>, Status> {
        let term = self.term()?;
        let store = Arc::clone(&self.shared.store);
        let batches = request.into_inner().take_until(term.over.cancelled_owned());
        let acks = batches.then(move |batch| {
            let store = Arc::clone(&store);
            async move {
                let batch = batch?;
                let number = batch.number;
                let chunks = batch
                    .chunks
                    .into_iter()
                    .map(worker_stream::log_chunk)
                    .collect::<Result<Vec<_>, _>>()?;
                store.append_log(&chunks).await.map_err(|error| {
                    tracing::warn!(
                        error = crate::core::chain(&error),
                        "cannot store output of attempts; the worker keeps it and tries again"
                    );
                    Status::unavailable("the log cannot be stored")
                })?;
                Ok(wire::LogAck { number })
            }
        });
        Ok(Response::new(Box::pin(acks)))
    }

    async fn fetch_attachment(
        &self,
        request: Request<wire::AttachmentRequest>,
    ) -> Result<Response<Self::FetchAttachmentStream>, Status> {
        self.term()?;
        let request = request.into_inner();
        let key = worker_stream::key_of(request.key)?;
        let path = self
            .shared
            .sessions
            .offered(
                &key,
                &WorkerId(request.worker_id.into()),
                request.position as usize,
            )
            .ok_or_else(|| Status::not_found("no such attachment of an attempt of this worker"))?;
        attachments::send(path, self.shared.secret_files()).await
    }

    async fn execute(
        &self,
        request: Request<wire::ExecuteRequest>,
    ) -> Result<Response<wire::ExecuteReply>, Status> {
        let term = self.term()?;
        let command = Command::try_from(request.into_inner())?;
        let result = commands::execute(&self.shared, &term, command)
            .await
            .map_err(|gone| gone_status(&self.shared, gone))?;
        Ok(Response::new(result.into()))
    }

    async fn explain(
        &self,
        request: Request<wire::ExplainRequest>,
    ) -> Result<Response<wire::ExplainReply>, Status> {
        let term = self.term()?;
        let object = match request.into_inner().object {
            Some(Object::Instance(id)) => ExplainObject::Instance(instance_from_bytes(&id)?),
            Some(Object::Node(node)) => ExplainObject::Node {
                instance: instance_from_bytes(&node.instance)?,
                node: node.node,
            },
            Some(Object::Workflow(name)) => ExplainObject::Workflow(name),
            Some(Object::Backfill(of)) => ExplainObject::Backfill {
                id: instance_from_bytes(&of.backfill)?,
                run: of.run,
            },
            None => return Err(Status::invalid_argument("nothing to explain")),
        };
        let reasons = term
            .core
            .look(move |engine| engine.explain(&object))
            .await
            .map_err(|gone| gone_status(&self.shared, gone))?;
        let reasons = reasons
            .into_iter()
            .map(|reason| wire::Reason {
                code: reason.code.to_owned(),
                object: reason.object,
                since_ms: reason.since.map(|since| since.as_millis()),
                text: Some(reason.text.into()),
            })
            .collect();
        Ok(Response::new(wire::ExplainReply { reasons }))
    }

    async fn dependants(
        &self,
        request: Request<wire::DependantsRequest>,
    ) -> Result<Response<wire::DependantsReply>, Status> {
        let term = self.term()?;
        let name = request.into_inner().workflow;
        let workflows = term
            .core
            .look(move |engine| {
                let dependants = engine.dependants(&name).into_iter();
                dependants.map(str::to_owned).collect()
            })
            .await
            .map_err(|gone| gone_status(&self.shared, gone))?;
        Ok(Response::new(wire::DependantsReply { workflows }))
    }

    async fn not_runnable(
        &self,
        _: Request<wire::NotRunnableRequest>,
    ) -> Result<Response<wire::NotRunnableReply>, Status> {
        let term = self.term()?;
        let workflows = term
            .core
            .look(|engine| {
                let found = engine.not_runnable().into_iter();
                let found = found.map(|(workflow, why)| wire::NotRunnable {
                    workflow: workflow.to_owned(),
                    why: Some(why.clone().into()),
                });
                found.collect()
            })
            .await
            .map_err(|gone| gone_status(&self.shared, gone))?;
        Ok(Response::new(wire::NotRunnableReply { workflows }))
    }

    async fn links(
        &self,
        _: Request<wire::LinksRequest>,
    ) -> Result<Response<wire::LinksReply>, Status> {
        self.term()?;
        Ok(Response::new(links::list(&self.shared)))
    }

    async fn test_link(
        &self,
        request: Request<wire::TestLinkRequest>,
    ) -> Result<Response<Self::TestLinkStream>, Status> {
        let term = self.term()?;
        link_test::test(&self.shared, term, request.into_inner()).map(Response::new)
    }

    async fn status(
        &self,
        _: Request<wire::StatusRequest>,
    ) -> Result<Response<wire::StatusReply>, Status> {
        let mut reply = wire::StatusReply {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            endpoint: self.shared.endpoint.clone(),
            mail_server: self.shared.mail_server.clone(),
            ..wire::StatusReply::default()
        };
        if let Some(term) = self.shared.term()
            && let Ok((workers, frozen, pools)) = term
                .core
                .look(|engine| (engine.workers(), engine.frozen().cloned(), engine.pools()))
                .await
        {
            reply.is_active = true;
            reply.epoch = term.epoch.0;
            term.zone.name().clone_into(&mut reply.zone);
            reply.frozen = frozen.map(|hold| wire::Hold {
                user: hold.user,
                reason: hold.reason,
                since_ms: hold.since.as_millis(),
            });
            reply.pools = pools.into_iter().map(pool_status).collect();
            reply.workers = workers.into_iter().map(worker_status).collect();
        }
        Ok(Response::new(reply))
    }

    async fn watch(
        &self,
        request: Request<wire::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let term = self.term()?;
        let wanted = request.into_inner().instance;
        let mut changes = self.shared.changed.subscribe();
        // A listener that reads slowly holds up only itself.
        let (sender, receiver) = mpsc::channel(16);
        tokio::spawn(async move {
            loop {
                let change = tokio::select! {
                    () = term.over.cancelled() => return,
                    () = sender.closed() => return,
                    change = changes.recv() => change,
                };
                let id = match change {
                    Ok(id) => instance_bytes(id),
                    // Some were missed: the one that is watched may be among them.
                    Err(broadcast::error::RecvError::Lagged(_)) => wanted.clone(),
                    Err(broadcast::error::RecvError::Closed) => return,
                };
                let is_wanted = wanted.is_empty() || id == wanted;
                if is_wanted && sender.send(Ok(wire::InstanceChanged { id })).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

fn pool_status(pool: akkaflow_engine::PoolView) -> wire::PoolStatus {
    wire::PoolStatus {
        name: pool.name,
        slots: pool.slots,
        held: pool.held,
        waiting: u64::try_from(pool.waiting).unwrap_or(u64::MAX),
    }
}

fn worker_status(worker: akkaflow_engine::WorkerView) -> wire::WorkerStatus {
    let is_attached = worker.attached.is_some();
    wire::WorkerStatus {
        host: worker.host,
        slots: worker.attached.as_ref().map_or(0, |info| info.slots),
        busy: u32::try_from(worker.open_attempts).unwrap_or(u32::MAX),
        labels: worker
            .attached
            .map_or_else(Vec::new, |info| info.labels.into_iter().collect()),
        is_attached,
        since_ms: worker.detached_since.map_or(0, |since| since.as_millis()),
        id: worker.id.0.into(),
    }
}
