//! A running http-server, a scripted master, a store with rows.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use akkaflow_actions::Registry;
use akkaflow_http::{Options, Service};
use akkaflow_model::command::{Answer, Command, Rejection};
use akkaflow_model::definition::Version;
use akkaflow_model::id::{Epoch, InstanceId};
use akkaflow_model::read::read_workflow;
use akkaflow_model::record::{
    InstanceRow, NodeRow, Record, TriggerKind, VersionRow, WorkflowRow, WorkflowStatus,
};
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::time::Timestamp;
use akkaflow_rpc::wire;
use akkaflow_rpc::wire::link_test_reply::Reply as LinkReply;
use akkaflow_rpc::wire::master_server::{Master, MasterServer};
use akkaflow_store::{Batch, BatchId, Candidate, MemoryStore, Store};
use futures::Stream;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

pub(crate) type Reply = Result<Result<Answer, Rejection>, Status>;
type Script = Box<dyn Fn(&Command, usize) -> Reply + Send + Sync>;

/// A master that answers as it is told and remembers what it was asked.
#[derive(Clone)]
pub(crate) struct FakeMaster {
    inner: Arc<Inner>,
}

struct Inner {
    script: Script,
    asked: Mutex<Vec<Command>>,
    workers: u32,
}

impl FakeMaster {
    /// The script gets the command and how many came before it.
    pub(crate) fn new(script: impl Fn(&Command, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_workers(1, script)
    }

    pub(crate) fn with_workers(
        workers: u32,
        script: impl Fn(&Command, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let inner = Inner {
            script: Box::new(script),
            asked: Mutex::default(),
            workers,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Always the same answer.
    pub(crate) fn saying(result: Result<Answer, Rejection>) -> Self {
        Self::new(move |_, _| Ok(result.clone()))
    }

    pub(crate) fn asked(&self) -> Vec<Command> {
        self.inner.asked.lock().unwrap().clone()
    }

    /// Serves; gives the endpoint.
    pub(crate) async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = listener.local_addr().unwrap().to_string();
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        let service = MasterServer::new(self.clone());
        tokio::spawn(
            tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming),
        );
        endpoint
    }
}

type Never<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Master for FakeMaster {
    type AttachStream = Never<wire::MasterMessage>;
    type AppendLogStream = Never<wire::LogAck>;
    type FetchAttachmentStream = Never<wire::AttachmentChunk>;
    type WatchStream = Never<wire::InstanceChanged>;
    type TestLinkStream = Never<wire::LinkTestReply>;

    async fn attach(
        &self,
        _: Request<Streaming<wire::WorkerMessage>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        Err(Status::unimplemented("no workers here"))
    }

    async fn append_log(
        &self,
        _: Request<Streaming<wire::LogBatch>>,
    ) -> Result<Response<Self::AppendLogStream>, Status> {
        Err(Status::unimplemented("no workers here"))
    }

    async fn fetch_attachment(
        &self,
        _: Request<wire::AttachmentRequest>,
    ) -> Result<Response<Self::FetchAttachmentStream>, Status> {
        Err(Status::unimplemented("no workers here"))
    }

    async fn execute(
        &self,
        request: Request<wire::ExecuteRequest>,
    ) -> Result<Response<wire::ExecuteReply>, Status> {
        let command = Command::try_from(request.into_inner())?;
        let before = {
            let mut asked = self.inner.asked.lock().unwrap();
            asked.push(command.clone());
            asked.len() - 1
        };
        (self.inner.script)(&command, before).map(|result| Response::new(result.into()))
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

    async fn links(
        &self,
        _: Request<wire::LinksRequest>,
    ) -> Result<Response<wire::LinksReply>, Status> {
        let pair = |name: &str, value: &str| wire::Pair {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        let in_file = wire::ListedLink {
            kind: "file".to_owned(),
            name: "partner".to_owned(),
            values: vec![pair("type", "SFTP"), pair("host", "h"), pair("port", "22")],
            file: "/etc/file_links.xml".to_owned(),
            ..wire::ListedLink::default()
        };
        let sealed = wire::ListedLink {
            kind: "db".to_owned(),
            name: "dw".to_owned(),
            is_stored: true,
            changed_at_ms: 1,
            changed_by: "li".to_owned(),
            problem: Some(wire::Text {
                zh: "没有密钥".to_owned(),
                en: "no key".to_owned(),
            }),
            ..wire::ListedLink::default()
        };
        Ok(Response::new(wire::LinksReply {
            links: vec![in_file, sealed],
        }))
    }

    async fn test_link(
        &self,
        request: Request<wire::TestLinkRequest>,
    ) -> Result<Response<Self::TestLinkStream>, Status> {
        let reply = |reply| wire::LinkTestReply {
            worker: "w1".to_owned(),
            reply: Some(reply),
        };
        let replies = match request.into_inner().name.as_str() {
            "dw" => ["connect", "read"].map(|part| {
                reply(LinkReply::Part(wire::LinkPart {
                    part: part.to_owned(),
                    works: part == "connect",
                    elapsed_us: 1_500_000,
                    said: Some(wire::Text {
                        zh: "不行".to_owned(),
                        en: "no".to_owned(),
                    }),
                    ..wire::LinkPart::default()
                }))
            }),
            _ => [(); 2].map(|()| {
                reply(LinkReply::Rejection(wire::Rejection {
                    code: "unavailable".to_owned(),
                    text: Some(wire::Text {
                        zh: "没有worker".to_owned(),
                        en: "no worker".to_owned(),
                    }),
                    findings: Vec::new(),
                }))
            }),
        };
        let replies = futures::stream::iter(replies.map(Ok));
        Ok(Response::new(Box::pin(replies)))
    }

    async fn explain(
        &self,
        _: Request<wire::ExplainRequest>,
    ) -> Result<Response<wire::ExplainReply>, Status> {
        let reason = wire::Reason {
            code: "no_free_slot".to_owned(),
            object: "w1".to_owned(),
            since_ms: Some(0),
            text: Some(wire::Text {
                zh: "没有空闲槽位".to_owned(),
                en: "no free slot".to_owned(),
            }),
        };
        Ok(Response::new(wire::ExplainReply {
            reasons: vec![reason],
        }))
    }

    async fn status(
        &self,
        _: Request<wire::StatusRequest>,
    ) -> Result<Response<wire::StatusReply>, Status> {
        let worker = |number: u32| wire::WorkerStatus {
            id: format!("w{number}"),
            host: format!("host{number}"),
            slots: 8,
            busy: 1,
            is_attached: true,
            since_ms: 0,
            labels: Vec::new(),
        };
        Ok(Response::new(wire::StatusReply {
            mail_server: String::new(),
            is_active: true,
            epoch: 1,
            zone: "Asia/Shanghai".to_owned(),
            workers: (1..=self.inner.workers).map(worker).collect(),
            version: "0".to_owned(),
            endpoint: "127.0.0.1:2751".to_owned(),
            frozen: None,
            pools: Vec::new(),
        }))
    }

    async fn watch(
        &self,
        _: Request<wire::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("nobody watches"))
    }
}

/// A running http-server.
pub(crate) struct Server {
    pub(crate) url: String,
    _stop: tokio_util::sync::DropGuard,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) headers: ureq::http::HeaderMap,
}

impl Got {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

impl Server {
    /// Over `store`, patient for a second.
    pub(crate) async fn start(store: &MemoryStore) -> Self {
        let options = Options {
            listen: "127.0.0.1:0".to_owned(),
            command_timeout: Duration::from_secs(2),
            ..Options::default()
        };
        Self::start_with(store, options).await
    }

    pub(crate) async fn start_with(store: &MemoryStore, options: Options) -> Self {
        let store = Arc::new(store.clone());
        let service = Service::bind(options, store, Arc::new(Registry::builtin()))
            .await
            .unwrap();
        let url = format!("http://{}", service.address());
        let stop = CancellationToken::new();
        tokio::spawn(service.run(stop.clone()));
        Self {
            url,
            _stop: stop.drop_guard(),
        }
    }

    /// With a master that leads.
    pub(crate) async fn with_master(master: &FakeMaster) -> Self {
        Self::start(&led_by(&master.serve().await).await).await
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        self.send("GET", path, &[], "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Got {
        self.send("POST", path, &[], body).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Got {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_owned()).unwrap();
        tokio::task::spawn_blocking(move || {
            let agent: ureq::Agent = ureq::Agent::config_builder()
                .http_status_as_error(false)
                .proxy(None)
                .build()
                .into();
            let mut response = agent.run(request).unwrap();
            Got {
                status: response.status().as_u16(),
                body: response.body_mut().read_to_string().unwrap(),
                headers: response.headers().clone(),
            }
        })
        .await
        .unwrap()
    }
}

/// An empty store whose lease names a master.
pub(crate) async fn led_by(endpoint: &str) -> MemoryStore {
    let store = MemoryStore::new();
    let candidate = Candidate {
        holder: "master".to_owned(),
        incarnation: 1,
        endpoint: endpoint.to_owned(),
        seed: 1,
    };
    store.take_over(None, &candidate).await.unwrap().unwrap();
    store
}

/// Writes rows as a master would; `number` counts the batches from 1.
pub(crate) async fn put(store: &MemoryStore, number: u64, records: Vec<Record>) {
    let batch = Batch {
        seq: number + 1,
        epoch: Epoch(1),
        id: BatchId(u128::from(number)),
        journal: Vec::new(),
        records,
    };
    store.commit(&batch).await.unwrap();
}

pub(crate) const XML: &str = r#"<work-flow name="日报" creator="张三" desc="每天的报表" mail-receivers="a@b.c">
  <coordinator>
    <depend-list cron="0 1 * * *"><workflow name="抽取"/></depend-list>
    <param-list><param name="stadate" value="${time.today|yyyy-MM-dd|-1 day}"/></param-list>
  </coordinator>
  <start name="start" to="a"/>
  <action name="a" retry-times="1" interval="10" desc="第一步">
    <script><code>echo ${param:stadate}</code></script>
    <ok to="b"/>
  </action>
  <action name="b"><script><code>true</code></script><ok to="end"/></action>
  <end name="end"/>
</work-flow>"#;

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_795_237_200_000 + millis)
}

pub(crate) fn id() -> InstanceId {
    InstanceId::from_parts(at(0), 0x8f3a_11bb)
}

/// The definition and its workflow.
pub(crate) fn workflow_records(xml: &str) -> Vec<Record> {
    let workflow = read_workflow(xml.as_bytes(), &Registry::builtin())
        .workflow
        .unwrap();
    let version = VersionRow {
        version: workflow.version.clone(),
        workflow: workflow.name.clone(),
        xml: xml.to_owned(),
        created_at: at(0),
    };
    let row = WorkflowRow {
        name: workflow.name,
        version: workflow.version,
        status: WorkflowStatus::Live,
        dir: workflow.dir,
        creator: workflow.creator,
        desc: workflow.desc,
        file_path: Some("xmlconfig/日报.xml".to_owned()),
        created_at: at(0),
        updated_at: at(0),
        hold: None,
    };
    vec![Record::Version(version), Record::Workflow(row)]
}

fn version() -> Version {
    akkaflow_model::read::version_of(XML)
}

/// An instance of [`XML`] that has just begun.
pub(crate) fn instance_row() -> InstanceRow {
    InstanceRow {
        id: id(),
        workflow: "日报".to_owned(),
        version: version(),
        run: 1,
        state: InstanceState::Running,
        trigger: TriggerKind::Run,
        fire_time: at(0),
        created_at: at(0),
        started_at: Some(at(5)),
        ended_at: None,
        params: vec![("stadate".to_owned(), "2026-11-20".to_owned())],
        message: None,
        handled_errors: false,
        ignore_nodes: Vec::new(),
        ending: None,
        chain: None,
        dir: "/tmp".to_owned(),
        creator: "张三".to_owned(),
        gave_tokens: false,
        earlier: Vec::new(),
        clean_up: Default::default(),
        hold: None,
        marks: Vec::new(),
        asked_by: None,
        pinned: None,
        parent: None,
        landing: None,
        interventions: Vec::new(),
    }
}

pub(crate) fn node_row(name: &str, type_name: &str, state: NodeState, from: i64) -> NodeRow {
    NodeRow {
        instance: id(),
        node: name.into(),
        run: 1,
        type_name: type_name.into(),
        state,
        attempts: 0,
        failures: 0,
        losses: 0,
        ready_at: at(from),
        started_at: Some(at(from)),
        ended_at: state.is_terminal().then(|| at(from)),
        deadline: None,
        retry_at: None,
        message: None,
        worker: None,
        waits: Vec::new(),
        outputs: Vec::new(),
        child: None,
    }
}
