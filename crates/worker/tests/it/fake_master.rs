//! A master that does what the test says.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use akkaflow_model::id::{AttemptKey, InstanceId};
use akkaflow_model::outcome::Outcome;
use akkaflow_rpc::wire;
use akkaflow_rpc::wire::master_server::{Master, MasterServer};
use akkaflow_rpc::worker::{finished_from_wire, key_from_wire};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::Stream;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

/// Nothing here takes long; a test that waits for so long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// The cluster of all tests.
pub(crate) const CLUSTER: u128 = 77;

/// What a worker said or did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Seen {
    Attached(wire::Attach),
    Accepted(AttemptKey),
    Finished(AttemptKey, Outcome),
    Tombstoned(AttemptKey),
    Leaving(Vec<AttemptKey>),
    Output,
    Gone,
}

/// One master on a port of its own.
pub(crate) struct FakeMaster {
    pub(crate) address: String,
    pub(crate) epoch: u64,
    shared: Arc<Shared>,
    seen: mpsc::UnboundedReceiver<Seen>,
    stop: CancellationToken,
}

struct Shared {
    epoch: u64,
    seen: mpsc::UnboundedSender<Seen>,
    to_worker: Mutex<Option<mpsc::UnboundedSender<Result<wire::MasterMessage, Status>>>>,
    worker_id: Mutex<String>,
    incarnation: Mutex<u64>,
    output: Mutex<BTreeMap<(AttemptKey, u32), Vec<u8>>>,
    acknowledge_output: Mutex<bool>,
    attachment: Mutex<Vec<u8>>,
    attachment_hash: Mutex<Vec<u8>>,
    attachment_pieces: AtomicUsize,
    stop_after_ms: Mutex<u64>,
}

impl FakeMaster {
    pub(crate) async fn start(epoch: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, seen) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            epoch,
            seen: sender,
            to_worker: Mutex::default(),
            worker_id: Mutex::default(),
            incarnation: Mutex::default(),
            output: Mutex::default(),
            acknowledge_output: Mutex::new(true),
            attachment: Mutex::default(),
            attachment_hash: Mutex::default(),
            attachment_pieces: AtomicUsize::new(0),
            stop_after_ms: Mutex::new(1_800_000),
        });
        let stop = CancellationToken::new();
        let server = tonic::transport::Server::builder()
            .add_service(MasterServer::new(Service(Arc::clone(&shared))))
            .serve_with_incoming_shutdown(
                TcpIncoming::from(listener).with_nodelay(Some(true)),
                stop.clone().cancelled_owned(),
            );
        tokio::spawn(server);
        Self {
            address,
            epoch,
            shared,
            seen,
            stop,
        }
    }

    pub(crate) async fn next(&mut self) -> Seen {
        timeout(PATIENCE, self.seen.recv())
            .await
            .expect("the worker says nothing")
            .unwrap()
    }

    /// Passes over what is of no interest here.
    pub(crate) async fn wait_for<T>(&mut self, mut pick: impl FnMut(Seen) -> Option<T>) -> T {
        loop {
            let seen = self.next().await;
            if let Some(found) = pick(seen) {
                return found;
            }
        }
    }

    pub(crate) async fn attached(&mut self) -> wire::Attach {
        self.wait_for(|seen| match seen {
            Seen::Attached(attach) => Some(attach),
            _ => None,
        })
        .await
    }

    pub(crate) async fn accepted(&mut self, key: &AttemptKey) {
        self.wait_for(|seen| (seen == Seen::Accepted(key.clone())).then_some(()))
            .await;
    }

    pub(crate) async fn finished(&mut self, key: &AttemptKey) -> Outcome {
        self.wait_for(|seen| match seen {
            Seen::Finished(finished, outcome) if finished == *key => Some(outcome),
            _ => None,
        })
        .await
    }

    pub(crate) async fn tombstoned(&mut self, key: &AttemptKey) {
        self.wait_for(|seen| (seen == Seen::Tombstoned(key.clone())).then_some(()))
            .await;
    }

    /// What a worker that stops in order says it holds.
    pub(crate) async fn leaving(&mut self) -> Vec<AttemptKey> {
        self.wait_for(|seen| match seen {
            Seen::Leaving(holds) => Some(holds),
            _ => None,
        })
        .await
    }

    /// Waits until the output of a stream satisfies the test.
    pub(crate) async fn output(
        &mut self,
        key: &AttemptKey,
        stream: u32,
        is_enough: impl Fn(&[u8]) -> bool,
    ) -> Vec<u8> {
        loop {
            let output = self.output_now(key, stream);
            if is_enough(&output) {
                return output;
            }
            self.wait_for(|seen| (seen == Seen::Output).then_some(()))
                .await;
        }
    }

    pub(crate) fn output_now(&self, key: &AttemptKey, stream: u32) -> Vec<u8> {
        let output = self.shared.output.lock().unwrap();
        output
            .get(&(key.clone(), stream))
            .cloned()
            .unwrap_or_default()
    }

    /// Whether output is acknowledged from now on.
    pub(crate) fn acknowledge_output(&self, is_wanted: bool) {
        *self.shared.acknowledge_output.lock().unwrap() = is_wanted;
    }

    /// What the next worker that attaches is told.
    pub(crate) fn set_stop_after(&self, milliseconds: u64) {
        *self.shared.stop_after_ms.lock().unwrap() = milliseconds;
    }

    pub(crate) fn set_attachment(&self, content: &[u8]) {
        *self.shared.attachment.lock().unwrap() = content.to_vec();
    }

    /// What is said of the attachment's content; nothing until then, as by a master of an earlier version.
    pub(crate) fn set_attachment_hash(&self, sha256: &[u8]) {
        *self.shared.attachment_hash.lock().unwrap() = sha256.to_vec();
    }

    /// How many pieces of attachments were sent.
    pub(crate) fn attachment_pieces(&self) -> usize {
        self.shared.attachment_pieces.load(Ordering::Relaxed)
    }

    pub(crate) fn send(&self, event: wire::master_event::Event) {
        let message = wire::MasterMessage {
            events: vec![wire::MasterEvent { event: Some(event) }],
        };
        let sender = self.shared.to_worker.lock().unwrap();
        sender.as_ref().unwrap().send(Ok(message)).unwrap();
    }

    /// An order to run `text` by the action type `tag`.
    pub(crate) fn order(&self, key: &AttemptKey, tag: &str, text: &str) -> wire::Start {
        wire::Start {
            key: Some(key.into()),
            epoch: self.epoch,
            incarnation: *self.shared.incarnation.lock().unwrap(),
            workflow: "w".to_owned(),
            desc: String::new(),
            body: Some(wire::Element {
                name: tag.to_owned(),
                attributes: Vec::new(),
                children: vec![wire::Child {
                    child: Some(wire::child::Child::Text(text.to_owned())),
                }],
            }),
            params: vec![wire::Pair {
                name: "sta-date".to_owned(),
                value: "2026-11-21".to_owned(),
            }],
            fire_time_ms: 0,
            links: Vec::new(),
            attachments: Vec::new(),
            file_links: Vec::new(),
            unusable_links: Vec::new(),
            zone: "UTC".to_owned(),
            outputs: Vec::new(),
        }
    }

    pub(crate) fn run(&self, key: &AttemptKey, tag: &str, text: &str) {
        self.send(wire::master_event::Event::Start(self.order(key, tag, text)));
    }

    pub(crate) fn cancel(&self, key: &AttemptKey) {
        self.send(wire::master_event::Event::Cancel(wire::Cancel {
            key: Some(key.into()),
            reason: wire::CancelReason::InstanceEnding.into(),
        }));
    }

    pub(crate) fn acknowledge(&self, key: &AttemptKey) {
        self.send(wire::master_event::Event::Acknowledge(key.into()));
    }

    /// Drops the worker's control stream.
    pub(crate) fn hang_up(&self) {
        *self.shared.to_worker.lock().unwrap() = None;
    }
}

impl Drop for FakeMaster {
    fn drop(&mut self) {
        self.stop.cancel();
        self.hang_up();
    }
}

/// The attempt number `attempt` of the one node of these tests.
pub(crate) fn key(attempt: u32) -> AttemptKey {
    AttemptKey {
        instance: InstanceId::from_u128(5),
        node: "节点".into(),
        run: 1,
        attempt,
    }
}

struct Service(Arc<Shared>);

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[async_trait::async_trait]
impl Master for Service {
    type AttachStream = Answers<wire::MasterMessage>;
    type AppendLogStream = Answers<wire::LogAck>;
    type FetchAttachmentStream = Answers<wire::AttachmentChunk>;
    type WatchStream = Answers<wire::InstanceChanged>;
    type TestLinkStream = Answers<wire::LinkTestReply>;

    async fn attach(
        &self,
        request: Request<Streaming<wire::WorkerMessage>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let mut incoming = request.into_inner();
        let (sender, receiver) = mpsc::unbounded_channel();
        let shared = Arc::clone(&self.0);
        let welcome = wire::Welcome {
            cluster: CLUSTER.to_be_bytes().to_vec(),
            epoch: shared.epoch,
            stop_after_ms: *self.0.stop_after_ms.lock().unwrap(),
            masters: Vec::new(),
        };
        let first = wire::MasterEvent {
            event: Some(wire::master_event::Event::Welcome(welcome)),
        };
        sender
            .send(Ok(wire::MasterMessage {
                events: vec![first],
            }))
            .unwrap();
        let weak = sender.downgrade();
        *shared.to_worker.lock().unwrap() = Some(sender);
        tokio::spawn(async move {
            while let Ok(Some(message)) = incoming.message().await {
                for event in message.events {
                    shared.on_event(event.event.unwrap());
                }
            }
            if let Some(sender) = weak.upgrade() {
                let mut current = shared.to_worker.lock().unwrap();
                if current
                    .as_ref()
                    .is_some_and(|other| other.same_channel(&sender))
                {
                    *current = None;
                }
            }
            let _ = shared.seen.send(Seen::Gone);
        });
        Ok(Response::new(Box::pin(UnboundedReceiverStream::new(
            receiver,
        ))))
    }

    async fn test_link(
        &self,
        _: Request<wire::TestLinkRequest>,
    ) -> Result<Response<Self::TestLinkStream>, Status> {
        Err(Status::unimplemented("no links here"))
    }

    async fn links(
        &self,
        _: Request<wire::LinksRequest>,
    ) -> Result<Response<wire::LinksReply>, Status> {
        Err(Status::unimplemented("no links here"))
    }

    async fn append_log(
        &self,
        request: Request<Streaming<wire::LogBatch>>,
    ) -> Result<Response<Self::AppendLogStream>, Status> {
        let mut incoming = request.into_inner();
        let (sender, receiver) = mpsc::unbounded_channel();
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            while let Ok(Some(batch)) = incoming.message().await {
                if !*shared.acknowledge_output.lock().unwrap() {
                    continue;
                }
                shared.keep(batch.chunks);
                let ack = wire::LogAck {
                    number: batch.number,
                };
                if sender.send(Ok(ack)).is_err() {
                    return;
                }
                let _ = shared.seen.send(Seen::Output);
            }
        });
        Ok(Response::new(Box::pin(UnboundedReceiverStream::new(
            receiver,
        ))))
    }

    async fn fetch_attachment(
        &self,
        request: Request<wire::AttachmentRequest>,
    ) -> Result<Response<Self::FetchAttachmentStream>, Status> {
        if request.into_inner().worker_id != *self.0.worker_id.lock().unwrap() {
            return Err(Status::not_found("not given to this worker"));
        }
        let content = self.0.attachment.lock().unwrap().clone();
        let first = wire::AttachmentChunk {
            data: Vec::new(),
            sha256: self.0.attachment_hash.lock().unwrap().clone(),
            size: content.len() as u64,
        };
        let shared = Arc::clone(&self.0);
        let pieces: Vec<Vec<u8>> = content.chunks(3).map(<[u8]>::to_vec).collect();
        let pieces = pieces.into_iter().map(move |data| {
            shared.attachment_pieces.fetch_add(1, Ordering::Relaxed);
            Ok(wire::AttachmentChunk {
                data,
                ..wire::AttachmentChunk::default()
            })
        });
        let chunks = std::iter::once(Ok(first)).chain(pieces);
        Ok(Response::new(Box::pin(tokio_stream::iter(chunks))))
    }

    async fn execute(
        &self,
        _: Request<wire::ExecuteRequest>,
    ) -> Result<Response<wire::ExecuteReply>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn dependants(
        &self,
        _: Request<wire::DependantsRequest>,
    ) -> Result<Response<wire::DependantsReply>, Status> {
        Err(Status::unimplemented("not needed here"))
    }

    async fn not_runnable(
        &self,
        _: Request<wire::NotRunnableRequest>,
    ) -> Result<Response<wire::NotRunnableReply>, Status> {
        Err(Status::unimplemented("not needed here"))
    }

    async fn explain(
        &self,
        _: Request<wire::ExplainRequest>,
    ) -> Result<Response<wire::ExplainReply>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn status(
        &self,
        _: Request<wire::StatusRequest>,
    ) -> Result<Response<wire::StatusReply>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn watch(
        &self,
        _: Request<wire::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented(""))
    }
}

impl Shared {
    fn on_event(&self, event: wire::worker_event::Event) {
        use wire::worker_event::Event;
        let seen = match event {
            Event::Attach(attach) => {
                *self.incarnation.lock().unwrap() = attach.incarnation;
                *self.worker_id.lock().unwrap() = attach.worker_id.clone();
                Seen::Attached(attach)
            }
            Event::Accepted(key) => Seen::Accepted(key_from_wire(Some(key)).unwrap()),
            Event::Tombstoned(key) => Seen::Tombstoned(key_from_wire(Some(key)).unwrap()),
            Event::Finished(finished) => {
                let (key, outcome) = finished_from_wire(finished).unwrap();
                Seen::Finished(key, outcome)
            }
            Event::Leaving(leaving) => {
                let holds = leaving.holds.into_iter();
                Seen::Leaving(holds.map(|key| key_from_wire(Some(key)).unwrap()).collect())
            }
            // Nobody here asks for a test.
            Event::LinkPart(_) => return,
        };
        let _ = self.seen.send(seen);
    }

    /// Keeps chunks as the store does: one that begins where another did is passed over.
    fn keep(&self, chunks: Vec<wire::LogChunk>) {
        let mut output = self.output.lock().unwrap();
        for chunk in chunks {
            let key = key_from_wire(chunk.key).unwrap();
            let kept = output.entry((key, chunk.stream)).or_default();
            let offset = usize::try_from(chunk.offset).unwrap();
            if offset < kept.len() {
                continue;
            }
            assert_eq!(offset, kept.len(), "a gap in stream {}", chunk.stream);
            kept.extend_from_slice(&chunk.data);
        }
    }
}
