//! The core loop: takes every input that waits, steps the engine over them, commits all records in one fenced
//! transaction, and only then releases the effects. While one batch commits the next is computed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use akkaflow_engine::{
    Effect, Engine, Input, JournalEntry, Order, Rerun, RerunFrom, StoredInstance,
};
use akkaflow_model::check::Outline;
use akkaflow_model::command::{Answer, Rejection};
use akkaflow_model::definition::{Version, Workflow};
use akkaflow_model::diagnostic::Finding;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::{Epoch, InstanceId, RequestId};
use akkaflow_model::mail::MailKey;
use akkaflow_model::read::read_unlinted;
use akkaflow_model::record::Mark;
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;
use akkaflow_protocol::pipeline::{Pipeline, Verdict};
use akkaflow_store::{Batch, BatchId, CommitError, Store};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::effects;
use crate::learner::Question;
use crate::misfits::Upstream;
use crate::outage::Call;
use crate::retention;
use crate::shared::Shared;

/// Messages that may wait for the core: enough for a burst of a thousand commands on top of the workers' reports; beyond
/// it senders wait, which is how pressure reaches the wire.
const QUEUE: usize = 4096;
/// Most messages taken in one round, so that a batch stays far below the database's packet limits.
const ROUND: usize = 1000;
/// Pause before an unknown commit is looked up again.
const LOOK_UP_AGAIN: Duration = Duration::from_millis(200);

/// The core is gone: this master no longer leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gone {
    /// What was said has not reached it.
    NotTaken,
    /// It took the question; whether it acted on it is unknown.
    Unanswered,
}

type Reply = oneshot::Sender<Result<Answer, Rejection>>;

/// What reaches the core.
pub(crate) enum Message {
    /// Something happened.
    Input(Input),
    /// Somebody asks.
    Order(Order, Reply),
    /// Rerun and delete need what the store holds once everything before them is committed.
    Stored(StoredOrder, Reply),
    /// Somebody looks.
    Look(Box<dyn FnOnce(&Engine) + Send>),
}

/// An order about an instance that may have left memory.
#[derive(Debug, Clone)]
pub(crate) enum StoredOrder {
    /// See [`Order::Rerun`].
    Rerun {
        id: InstanceId,
        from: RerunFrom,
        same_version: bool,
        user: String,
    },
    /// See [`Order::MarkNode`].
    Mark { id: InstanceId, mark: Mark },
    /// See [`Order::DeleteInstance`].
    Delete { id: InstanceId },
    /// See [`Order::SendMail`].
    SendMail { key: MailKey, user: String },
    /// See [`Order::Expire`]: a part of what ended before a moment and is not among the newest.
    Expire {
        workflow: String,
        before: Timestamp,
        keep: u32,
        fires_before: Option<Timestamp>,
    },
}

/// Reaches the core of one term of leadership.
#[derive(Debug, Clone)]
pub(crate) struct CoreHandle {
    messages: mpsc::Sender<Message>,
}

impl CoreHandle {
    /// Hands over something that happened.
    pub(crate) async fn input(&self, input: Input) -> Result<(), Gone> {
        self.messages
            .send(Message::Input(input))
            .await
            .map_err(|_| Gone::NotTaken)
    }

    /// Asks, and waits until the answer is durable.
    pub(crate) async fn order(&self, order: Order) -> Result<Result<Answer, Rejection>, Gone> {
        self.ask(|reply| Message::Order(order, reply)).await
    }

    /// The same for what needs the store.
    pub(crate) async fn stored_order(
        &self,
        order: StoredOrder,
    ) -> Result<Result<Answer, Rejection>, Gone> {
        self.ask(|reply| Message::Stored(order, reply)).await
    }

    /// What does not fit between a definition and those in force: what `akka check` finds between files.
    pub(crate) async fn misfits(&self, file: &str, outline: Outline) -> Result<Vec<Finding>, Gone> {
        if outline.upstreams.is_empty() {
            return Ok(Vec::new());
        }
        let file = file.to_owned();
        let (upstream, outline) = self
            .look(move |engine| (Upstream::of(engine, &outline), outline))
            .await?;
        let looking = tokio::task::spawn_blocking(move || upstream.misfits(&file, &outline));
        Ok(looking
            .await
            .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())))
    }

    /// Looks at the engine between two steps.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        self.ask(|reply| {
            Message::Look(Box::new(move |engine| {
                // Whoever asked may have gone away.
                let _ = reply.send(look(engine));
            }))
        })
        .await
    }

    async fn ask<T>(&self, message: impl FnOnce(oneshot::Sender<T>) -> Message) -> Result<T, Gone> {
        let (reply, answer) = oneshot::channel();
        self.messages
            .send(message(reply))
            .await
            .map_err(|_| Gone::NotTaken)?;
        answer.await.map_err(|_| Gone::Unanswered)
    }
}

/// One term of leadership at work.
pub(crate) struct Core {
    engine: Engine,
    pipeline: Pipeline<Effect>,
    store: Arc<dyn Store>,
    shared: Arc<Shared>,
    epoch: Epoch,
    /// Fires when this master may lead no more, or shall stop.
    over: CancellationToken,
    in_flight: Option<Arc<Batch>>,
    messages: mpsc::Receiver<Message>,
    replies: BTreeMap<RequestId, Reply>,
    next_request: u64,
    questions: mpsc::UnboundedSender<Question>,
    // Orders that wait for the pipeline to run empty; nothing overtakes them.
    held: VecDeque<(StoredOrder, Reply)>,
}

/// Another master leads; nothing more may be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fenced;

enum Committed {
    Yes,
    Fenced,
    Unknown,
}

impl Core {
    /// A core and the way to reach it.
    pub(crate) fn new(
        engine: Engine,
        pipeline: Pipeline<Effect>,
        epoch: Epoch,
        shared: Arc<Shared>,
        over: CancellationToken,
        questions: mpsc::UnboundedSender<Question>,
    ) -> (Self, CoreHandle) {
        let (sender, messages) = mpsc::channel(QUEUE);
        let core = Self {
            engine,
            pipeline,
            store: Arc::clone(&shared.store),
            shared,
            epoch,
            over,
            in_flight: None,
            messages,
            replies: BTreeMap::new(),
            next_request: 1,
            questions,
            held: VecDeque::new(),
        };
        (core, CoreHandle { messages: sender })
    }

    /// Runs until the term is over. Then what was accepted is committed, unless the fence has fallen.
    pub(crate) async fn run(mut self) -> Result<(), Fenced> {
        let over = self.over.clone();
        let mut waiting = Vec::new();
        let mut commit: Option<JoinHandle<Committed>> = None;
        // What came due while no master led.
        self.step(Input::Tick);
        loop {
            if commit.is_none() {
                commit = self.begin_commit();
            }
            if commit.is_none() && over.is_cancelled() {
                return Ok(());
            }
            if commit.is_none() && !self.held.is_empty() {
                self.serve_held().await;
                continue;
            }
            let may_take = self.held.is_empty() && !over.is_cancelled() && self.pipeline.has_room();
            let deadline = self.deadline();
            tokio::select! {
                biased;
                outcome = finished(&mut commit) => commit = self.on_commit(outcome).await?,
                taken = self.messages.recv_many(&mut waiting, ROUND), if may_take => {
                    if taken == 0 {
                        over.cancel();
                    }
                    waiting.drain(..).for_each(|message| self.take(message));
                }
                () = tokio::time::sleep_until(deadline), if may_take => {}
                () = over.cancelled(), if !over.is_cancelled() => {}
            }
            // Also when messages never cease.
            if may_take
                && self
                    .engine
                    .next_deadline()
                    .is_some_and(|due| due <= self.shared.clock.now())
            {
                self.step(Input::Tick);
            }
        }
    }

    fn deadline(&self) -> tokio::time::Instant {
        let far = Duration::from_secs(3600);
        let now = self.shared.clock.now();
        let wait = self
            .engine
            .next_deadline()
            .map_or(far, |deadline| deadline.since(now).min(far));
        tokio::time::Instant::now() + wait
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Input(input) => self.step(input),
            Message::Order(order, reply) => self.order(order, reply),
            Message::Stored(order, reply) => self.held.push_back((order, reply)),
            Message::Look(look) => look(&self.engine),
        }
    }

    fn order(&mut self, order: Order, reply: Reply) {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        self.replies.insert(request, reply);
        self.step(Input::Order { request, order });
    }

    fn step(&mut self, input: Input) {
        let now = self.shared.clock.now();
        let journaled = input.clone();
        let mut step = self.engine.step(now, input);
        if step.records.is_empty() && step.effects.is_empty() {
            return;
        }
        let entry = JournalEntry::new(now, &journaled, &mut step).to_json();
        self.pipeline.push(entry, step.records, step.effects);
    }

    /// Looks up what the held orders need. Nothing is in flight, so the store holds all that the engine has decided.
    async fn serve_held(&mut self) {
        let Some((order, reply)) = self.held.pop_front() else {
            return;
        };
        match self.look_up(order).await {
            Ok(order) => self.order(order, reply),
            Err(error) => {
                let text = Text::new(
                    format!("元数据库不可用，请稍后重试: {error}"),
                    format!("the metadata database cannot be read, try again later: {error}"),
                );
                // Whoever asked may have gone away.
                let _ = reply.send(Err(Rejection::new(ErrorCode::Unavailable, text)));
            }
        }
    }

    async fn look_up(&self, order: StoredOrder) -> Result<Order, akkaflow_store::Error> {
        match order {
            StoredOrder::Delete { id } => Ok(Order::DeleteInstance {
                id,
                is_stored: self.store.instance(id).await?.is_some(),
            }),
            StoredOrder::SendMail { key, user } => {
                let stored = self.store.mail(&key).await?;
                Ok(Order::SendMail {
                    key,
                    stored: stored.map(|stored| Box::new(stored.delivery)),
                    user,
                })
            }
            // What was rerun since somebody looked is not old any more.
            StoredOrder::Expire {
                workflow,
                before,
                keep,
                fires_before,
            } => Ok(Order::Expire {
                instances: self
                    .store
                    .expired(&workflow, before, keep, retention::PART)
                    .await?,
                workflow,
                fires_before,
            }),
            StoredOrder::Rerun {
                id,
                from,
                same_version,
                user,
            } => {
                let (stored, pinned) = self.stored(id, same_version).await?;
                let how = Rerun { from, pinned, user };
                Ok(Order::Rerun { id, stored, how })
            }
            StoredOrder::Mark { id, mark } => {
                let (stored, pinned) = self.stored(id, true).await?;
                Ok(Order::MarkNode {
                    id,
                    mark,
                    stored,
                    pinned,
                })
            }
        }
    }

    /// The rows of an instance, if the store knows it, and the definition that it ran with, if that is wanted.
    async fn stored(
        &self,
        id: InstanceId,
        is_definition_wanted: bool,
    ) -> Result<(Option<Box<StoredInstance>>, Option<Arc<Workflow>>), akkaflow_store::Error> {
        let Some(instance) = self.store.instance(id).await? else {
            return Ok((None, None));
        };
        let pinned = if is_definition_wanted {
            self.definition(&instance.version).await?
        } else {
            None
        };
        let nodes = self.store.nodes(id).await?;
        let stored = Some(Box::new(StoredInstance { instance, nodes }));
        Ok((stored, pinned))
    }

    async fn definition(
        &self,
        version: &Version,
    ) -> Result<Option<Arc<Workflow>>, akkaflow_store::Error> {
        let row = self.store.version(&version.0).await?;
        Ok(row
            .and_then(|row| {
                read_unlinted(row.xml.as_bytes(), Some(version), &*self.shared.registry)
            })
            .map(Arc::new))
    }

    fn begin_commit(&mut self) -> Option<JoinHandle<Committed>> {
        let out = self.pipeline.take_batch()?;
        let batch = Arc::new(Batch {
            seq: out.seq,
            epoch: out.epoch,
            id: BatchId(out.id),
            journal: out.journal(),
            records: out.records,
        });
        self.in_flight = Some(Arc::clone(&batch));
        Some(self.commit(batch))
    }

    fn commit(&self, batch: Arc<Batch>) -> JoinHandle<Committed> {
        let store = Arc::clone(&self.store);
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            match store.commit(&batch).await {
                Ok(()) => {
                    shared.outage.on_answer(Call::Write);
                    Committed::Yes
                }
                Err(CommitError::Fenced) => Committed::Fenced,
                Err(CommitError::Unknown(error)) => {
                    shared.outage.on_failure(Call::Write, &error);
                    tracing::debug!(
                        error = chain(&error),
                        seq = batch.seq,
                        "the outcome of a commit is unknown; looking it up"
                    );
                    Committed::Unknown
                }
            }
        })
    }

    /// Carries out what a commit's outcome means: the commit that follows from it, if any; an error when the term is over.
    async fn on_commit(
        &mut self,
        outcome: Committed,
    ) -> Result<Option<JoinHandle<Committed>>, Fenced> {
        let batch = self.in_flight.clone().expect("a commit was under way");
        let mut verdict = match outcome {
            Committed::Yes => Verdict::Committed(self.pipeline.on_committed(batch.seq)),
            Committed::Fenced => self.pipeline.on_fenced(),
            Committed::Unknown => {
                Verdict::LookUp(self.pipeline.on_unknown().expect("a commit was under way"))
            }
        };
        loop {
            match verdict {
                Verdict::Committed(effects) => {
                    self.in_flight = None;
                    effects.into_iter().for_each(|effect| self.release(effect));
                    return Ok(None);
                }
                Verdict::CommitAgain => return Ok(Some(self.commit(batch))),
                Verdict::Fenced => return Err(Fenced),
                Verdict::LookUp(seq) => {
                    let found = self.look_up_batch(seq).await?;
                    verdict = self.pipeline.on_looked_up(found);
                }
            }
        }
    }

    /// Asks until the database answers, or until this master may lead no more.
    async fn look_up_batch(&self, seq: u64) -> Result<Option<u128>, Fenced> {
        loop {
            match self.store.batch_at(seq).await {
                Ok(found) => return Ok(found.map(|id| id.0)),
                Err(_) if self.over.is_cancelled() => return Err(Fenced),
                Err(_) => tokio::time::sleep(LOOK_UP_AGAIN).await,
            }
        }
    }

    fn release(&mut self, effect: Effect) {
        match effect {
            Effect::Reply { request, result } => {
                if let Some(reply) = self.replies.remove(&request) {
                    // Whoever asked may have gone away.
                    let _ = reply.send(result);
                }
            }
            Effect::Learn { instance, workflow } => {
                // It stops with the term, and the next one asks again.
                let _ = self.questions.send((instance, workflow));
            }
            other => effects::release(&self.shared, self.epoch, other),
        }
    }
}

/// The outcome of the commit under way; waits for ever when there is none.
async fn finished(commit: &mut Option<JoinHandle<Committed>>) -> Committed {
    let Some(task) = commit else {
        return std::future::pending().await;
    };
    let outcome = task.await;
    *commit = None;
    outcome.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}

/// An error with all its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
