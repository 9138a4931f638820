//! Finds the active master and speaks to it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use akkaflow_model::command::{Answer, Command};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::links::Write;
use akkaflow_model::text::Text;
use akkaflow_rpc::command::{LEADER_METADATA, result_from_wire};
use akkaflow_rpc::wire;
use akkaflow_rpc::wire::master_client::MasterClient as Client;
use akkaflow_store::Store;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};

use crate::failure::Failure;

/// A master on the same network answers a connection at once or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Between two rounds through everybody who might lead: a take-over takes seconds.
const ROUND_PAUSE: Duration = Duration::from_millis(100);
/// Patience when the store says that nobody leads: one may just be starting.
const VACANT_PATIENCE: Duration = Duration::from_secs(3);
/// Questions that change nothing are asked so long.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(5);
/// Largest message, as the master has it.
const MESSAGE_LIMIT: usize = 16 << 20;
/// A connection whose other end is gone is noticed within this and as much again.
const KEEPALIVE: Duration = Duration::from_secs(4);

/// Finds the active master and speaks to it.
pub(crate) struct MasterClient {
    store: Arc<dyn Store>,
    configured: Vec<String>,
    command_timeout: Duration,
    /// How long a call goes round before it gives up finding a master that takes it.
    patience: Duration,
    /// The one that answered last.
    current: Mutex<Option<(String, Client<Channel>)>>,
}

/// A call on its way.
type Asked<T> = BoxFuture<'static, Result<tonic::Response<T>, Status>>;

/// How a call to one master failed.
enum Fault {
    /// It did not take the call: somebody else may.
    NotTaken {
        /// Who leads, as it says.
        leader: Option<String>,
    },
    /// The connection broke or the answer never came: it may have taken the call.
    Unknown,
    /// It answered that the call is wrong.
    Refused(Failure),
}

impl MasterClient {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        configured: Vec<String>,
        command_timeout: Duration,
        patience: Duration,
    ) -> Self {
        Self {
            store,
            configured,
            command_timeout,
            patience,
            current: Mutex::new(None),
        }
    }

    /// Has a command carried out.
    pub(crate) async fn execute(&self, command: Command) -> Result<Answer, Failure> {
        let command = with_key(command);
        let is_repeatable = is_repeatable(&command);
        let is_removal = matches!(
            command,
            Command::DeleteWorkflow { .. }
                | Command::DeleteInstance { .. }
                | Command::DeleteLink { .. }
        );
        let deadline = Instant::now() + self.command_timeout;
        let request = wire::ExecuteRequest::from(command);
        let (reply, was_repeated) = self
            .call(deadline, is_repeatable, |mut client| {
                let request = request.clone();
                async move { client.execute(request).await }.boxed()
            })
            .await?;
        match result_from_wire(reply).map_err(|error| garbled(&error))? {
            Ok(answer) => Ok(answer),
            // The first try had done it.
            Err(rejection)
                if was_repeated && is_removal && rejection.code == ErrorCode::NotFound =>
            {
                Ok(Answer::Done)
            }
            Err(rejection) => Err(rejection.into()),
        }
    }

    /// Why something is not running.
    pub(crate) async fn explain(
        &self,
        object: wire::explain_request::Object,
    ) -> Result<Vec<wire::Reason>, Failure> {
        let request = wire::ExplainRequest {
            object: Some(object),
        };
        let deadline = Instant::now() + QUESTION_TIMEOUT;
        let (reply, _) = self
            .call(deadline, true, |mut client| {
                let request = request.clone();
                async move { client.explain(request).await }.boxed()
            })
            .await?;
        Ok(reply.reasons)
    }

    /// All links, without their passwords.
    pub(crate) async fn links(&self) -> Result<Vec<wire::ListedLink>, Failure> {
        let deadline = Instant::now() + QUESTION_TIMEOUT;
        let (reply, _) = self
            .call(deadline, true, |mut client| {
                async move { client.links(wire::LinksRequest {}).await }.boxed()
            })
            .await?;
        Ok(reply.links)
    }

    /// Has a worker try a link: its parts as they end.
    pub(crate) async fn test_link(
        &self,
        request: wire::TestLinkRequest,
    ) -> Result<Streaming<wire::LinkTestReply>, Failure> {
        let deadline = Instant::now() + QUESTION_TIMEOUT;
        let ask = |mut client: Client<Channel>| {
            let request = request.clone();
            async move { client.test_link(request).await }.boxed()
        };
        let (parts, _) = self.call(deadline, true, ask).await?;
        Ok(parts)
    }

    /// The workflows that wait for one; `None` when no master says: the store knows too.
    pub(crate) async fn dependants(&self, workflow: &str) -> Option<Vec<String>> {
        let request = wire::DependantsRequest {
            workflow: workflow.to_owned(),
        };
        let ask = |mut client: Client<Channel>| {
            let request = request.clone();
            async move { client.dependants(request).await }.boxed()
        };
        let reply = self.first_answer(ask, |_| true).await?;
        Some(reply.workflows)
    }

    /// The workflows that this version does not run, and why; none when no master says.
    pub(crate) async fn not_runnable(&self) -> BTreeMap<String, Text> {
        let ask = |mut client: Client<Channel>| {
            async move { client.not_runnable(wire::NotRunnableRequest {}).await }.boxed()
        };
        let reply = self.first_answer(ask, |_| true).await.unwrap_or_default();
        let found = reply.workflows.into_iter();
        found
            .filter_map(|one| Some((one.workflow, one.why?.into())))
            .collect()
    }

    /// Who leads, who is attached. The first that leads answers.
    pub(crate) async fn status(&self) -> Result<wire::StatusReply, Failure> {
        let ask = |mut client: Client<Channel>| {
            async move { client.status(wire::StatusRequest {}).await }.boxed()
        };
        let reply = self.first_answer(ask, |reply| reply.is_active).await;
        reply.ok_or_else(no_master)
    }

    /// The first answer that serves, of everybody who might lead. No second round is made.
    async fn first_answer<T>(
        &self,
        ask: impl Fn(Client<Channel>) -> Asked<T> + Send + Sync,
        serves: impl Fn(&T) -> bool + Send + Sync,
    ) -> Option<T> {
        let mut candidates = self.candidates().await;
        if let Some((endpoint, _)) = self.current.lock().await.as_ref() {
            candidates.push_front(endpoint.clone());
        }
        for endpoint in candidates {
            let Ok(client) = self.client(&endpoint).await else {
                continue;
            };
            match tokio::time::timeout(CONNECT_TIMEOUT, ask(client)).await {
                Ok(Ok(reply)) if serves(reply.get_ref()) => return Some(reply.into_inner()),
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => self.forget(&endpoint).await,
            }
        }
        None
    }

    /// The cluster's time zone, as the active master says it.
    pub(crate) async fn zone(&self) -> Option<String> {
        self.status().await.ok().map(|status| status.zone)
    }

    /// Goes round everybody who might lead until one has answered. Also says whether a call was made again after one
    /// whose outcome is unknown.
    async fn call<T>(
        &self,
        deadline: Instant,
        is_repeatable: bool,
        ask: impl Fn(Client<Channel>) -> Asked<T> + Send + Sync,
    ) -> Result<(T, bool), Failure> {
        let mut was_repeated = false;
        let mut queue: VecDeque<String> = VecDeque::new();
        queue.extend(
            self.current
                .lock()
                .await
                .as_ref()
                .map(|(endpoint, _)| endpoint.clone()),
        );
        let search_deadline = deadline.min(Instant::now() + self.patience);
        let vacant_deadline = search_deadline.min(Instant::now() + VACANT_PATIENCE);
        loop {
            let Some(endpoint) = queue.pop_front() else {
                queue = self.candidates().await;
                let patience = if queue.is_empty() {
                    vacant_deadline
                } else {
                    search_deadline
                };
                let pause_end = Instant::now() + ROUND_PAUSE;
                if pause_end >= patience {
                    return Err(if was_repeated { unknown() } else { no_master() });
                }
                if queue.is_empty() {
                    tokio::time::sleep_until(pause_end).await;
                }
                continue;
            };
            let Ok(client) = self.client(&endpoint).await else {
                pause_before_next_round(&queue).await;
                continue;
            };
            let fault = match tokio::time::timeout_at(deadline, ask(client)).await {
                Ok(Ok(response)) => return Ok((response.into_inner(), was_repeated)),
                Ok(Err(status)) => fault_of(&status),
                Err(_) => return Err(unknown()),
            };
            self.forget(&endpoint).await;
            match fault {
                Fault::NotTaken { leader } => match leader {
                    Some(leader) if leader != endpoint => queue.push_front(leader),
                    _ => pause_before_next_round(&queue).await,
                },
                Fault::Unknown if is_repeatable => {
                    was_repeated = true;
                    pause_before_next_round(&queue).await;
                }
                Fault::Unknown => return Err(unknown()),
                Fault::Refused(failure) => return Err(failure),
            }
        }
    }

    /// The one that the lease names. The configured ones only when the store cannot say: whoever else listens at such an
    /// address may belong to another cluster.
    async fn candidates(&self) -> VecDeque<String> {
        match self.store.lease().await {
            Ok(lease) => {
                let held = lease.filter(|lease| !lease.holder.is_empty());
                held.into_iter().map(|lease| lease.endpoint).collect()
            }
            Err(error) => {
                tracing::warn!(%error, "cannot read who leads");
                self.configured.iter().cloned().collect()
            }
        }
    }

    async fn client(&self, endpoint: &str) -> Result<Client<Channel>, tonic::transport::Error> {
        if let Some((known, client)) = self.current.lock().await.as_ref()
            && known == endpoint
        {
            return Ok(client.clone());
        }
        let channel = Endpoint::from_shared(format!("http://{endpoint}"))?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE)
            .tcp_nodelay(true)
            .connect()
            .await?;
        let client = Client::new(channel)
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT);
        *self.current.lock().await = Some((endpoint.to_owned(), client.clone()));
        Ok(client)
    }

    async fn forget(&self, endpoint: &str) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|(known, _)| known == endpoint) {
            *current = None;
        }
    }
}

async fn pause_before_next_round(queue: &VecDeque<String>) {
    if queue.is_empty() {
        tokio::time::sleep(ROUND_PAUSE).await;
    }
}

/// A run or a backfill without a key gets one, so that asking again cannot start it twice.
fn with_key(mut command: Command) -> Command {
    if let Command::Run {
        idempotency_key, ..
    }
    | Command::StartBackfill {
        idempotency_key, ..
    } = &mut command
    {
        idempotency_key.get_or_insert_with(|| uuid::Uuid::new_v4().to_string());
    }
    command
}

/// Whether doing it twice is doing it once.
fn is_repeatable(command: &Command) -> bool {
    match command {
        Command::PutWorkflow { .. }
        | Command::DeleteWorkflow { .. }
        | Command::Run { .. }
        | Command::ResetWorkflow { .. }
        | Command::ResetAll
        | Command::Kill { .. }
        | Command::DeleteInstance { .. }
        | Command::FenceWorker { .. }
        | Command::PauseInstance { .. }
        | Command::ResumeInstance { .. }
        | Command::SuspendWorkflow { .. }
        | Command::ResumeWorkflow { .. }
        | Command::Freeze { .. }
        | Command::Thaw
        | Command::SetPool { .. }
        | Command::MarkNode { .. }
        | Command::Repair { .. }
        | Command::StartBackfill { .. }
        | Command::PauseBackfill { .. }
        | Command::ResumeBackfill { .. }
        | Command::AbortBackfill { .. }
        | Command::SetState { .. }
        | Command::ResealLinks { .. }
        | Command::DeleteLink { .. } => true,
        // What was made by the first try is there already.
        Command::PutLink { edit, .. } => edit.write != Write::Create,
        Command::Trigger { .. }
        | Command::TriggerBlood { .. }
        | Command::Rerun { .. }
        | Command::SendMail { .. } => false,
    }
}

fn fault_of(status: &Status) -> Fault {
    match status.code() {
        Code::FailedPrecondition => Fault::NotTaken {
            leader: status
                .metadata()
                .get(LEADER_METADATA)
                .and_then(|leader| leader.to_str().ok())
                .map(ToOwned::to_owned),
        },
        _ if was_never_sent(status) => Fault::NotTaken { leader: None },
        Code::InvalidArgument | Code::OutOfRange | Code::Unimplemented => {
            tracing::error!(%status, "the master does not understand us");
            Fault::Refused(Failure::new(
                ErrorCode::Internal,
                Text::new(
                    "master无法理解该请求，请检查各角色版本是否一致",
                    "the master does not understand the request; check that all roles have the same version",
                ),
            ))
        }
        _ => {
            tracing::warn!(%status, "a call to the master broke off");
            Fault::Unknown
        }
    }
}

/// Whether the connection could not even be made.
fn was_never_sent(status: &Status) -> bool {
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        if error.is::<tonic::ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Nobody leads; nothing was changed.
pub(crate) fn no_master() -> Failure {
    Failure::new(
        ErrorCode::Unavailable,
        Text::new(
            "不存在活动的Master",
            "no active master: start one, or wait until a standby has taken over",
        ),
    )
}

pub(crate) fn unknown() -> Failure {
    Failure::new(
        ErrorCode::Timeout,
        Text::new(
            "Master未在限时内应答，操作结果未知，请查看后再决定是否重试",
            "the master did not answer in time and the outcome is unknown: look before you try again",
        ),
    )
}

pub(crate) fn garbled(error: &akkaflow_rpc::Malformed) -> Failure {
    tracing::error!(%error, "the master's answer cannot be read");
    Failure::new(
        ErrorCode::Internal,
        Text::new(
            "master的应答无法识别，请检查各角色版本是否一致",
            "the master's answer cannot be read; check that all roles have the same version",
        ),
    )
}
