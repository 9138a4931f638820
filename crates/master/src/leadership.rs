//! Executes what [`akkaflow_protocol::leader`] decides: watches the lease, takes it, loads the state, leads, renews.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use akkaflow_engine::{Definition, Definitions, Engine, Options as EngineOptions, PackedText};
use akkaflow_model::definition::Version;
use akkaflow_model::id::Epoch;
use akkaflow_model::links::LinkRow;
use akkaflow_model::record::{Snapshot, VersionRow};
use akkaflow_protocol::leader::{
    Leader, LeaderAction, LeaderInput, LeaderOptions, LeaderState, LeaseView, StoreDown, TakenOver,
};
use akkaflow_protocol::pipeline::Pipeline;
use akkaflow_store::{Candidate, Lease};
use chrono_tz::Tz;
use futures::StreamExt as _;
use futures::channel::mpsc as parts;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::since_boot;
use crate::core::{Core, Fenced};
use crate::error::Error;
use crate::files::{Files, Intake, Told};
use crate::learner::Learner;
use crate::options::Options;
use crate::outage::{Call, Outage};
use crate::postman::Postman;
use crate::retention::Housekeeper;
use crate::shared::{Shared, Term};

/// A call to the store that takes longer counts as no answer.
const CALL_LIMIT: Duration = Duration::from_secs(3);
/// Between the two refused connections that say that the leader's process is gone.
const SECOND_KNOCK: Duration = Duration::from_millis(500);
/// Parts of the contents that may wait to be read, so that the store need not wait for a thread.
const PARTS_AHEAD: usize = 4;
/// Answers that may wait: each action has at most one.
const ANSWERS: usize = 64;

/// Leads when it may.
pub(crate) struct Leadership {
    options: Options,
    shared: Arc<Shared>,
    leader: Leader,
    incarnation: u128,
    // The full lease row behind the leader's view of it.
    lease: Option<Lease>,
    // Journaled with the epoch: draws the instance ids of the coming term.
    seed: u64,
    reign: Option<Reign>,
    answers: mpsc::Sender<Answer>,
    is_knocking: bool,
    /// Whether it has told once that the lease is that of its own dead predecessor.
    has_claimed: bool,
    /// What the log has said about files.
    told: Arc<Told>,
}

/// A term of leadership at work.
struct Reign {
    epoch: Epoch,
    over: CancellationToken,
    core: JoinHandle<()>,
    files: JoinHandle<()>,
    house: JoinHandle<()>,
}

enum Answer {
    Leader(LeaderInput),
    Lease(Option<Lease>),
    Loaded {
        epoch: Epoch,
        seq: u64,
        loaded: Box<Loaded>,
    },
    KnockedInVain(String),
    KnockAnswered,
    Fatal(Error),
}

struct Loaded {
    snapshot: Snapshot,
    links: Vec<LinkRow>,
    definitions: Definitions,
    packing: Arc<PackedText>,
    zone: Tz,
    cluster: u128,
}

impl Leadership {
    pub(crate) fn new(options: Options, shared: Arc<Shared>) -> Self {
        let incarnation = uuid::Uuid::new_v4().as_u128();
        Self {
            options,
            shared,
            leader: Leader::new(LeaderOptions::default(), incarnation),
            incarnation,
            lease: None,
            seed: 0,
            reign: None,
            // Replaced when it runs.
            answers: mpsc::channel(1).0,
            is_knocking: false,
            has_claimed: false,
            told: Arc::default(),
        }
    }

    /// Watches and leads until `shutdown` fires, then ends in order.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) -> Result<(), Error> {
        let (sender, mut answers) = mpsc::channel(ANSWERS);
        self.answers = sender;
        loop {
            let wait = self
                .leader
                .next_deadline()
                .map_or(CALL_LIMIT, |at| at.saturating_sub(since_boot()));
            let input = tokio::select! {
                () = shutdown.cancelled() => break,
                Some(answer) = answers.recv() => match self.on_answer(answer)? {
                    Some(input) => input,
                    None => continue,
                },
                () = tokio::time::sleep(wait) => LeaderInput::Tick,
            };
            let actions = self.leader.on(since_boot(), input);
            for action in actions {
                self.carry_out(action).await;
            }
        }
        // The accepted work is committed first; only then may a successor begin without waiting.
        let epoch = self.reign.as_ref().map(|reign| reign.epoch);
        self.end_reign(true).await;
        self.leader.on(since_boot(), LeaderInput::Resign);
        if let Some(epoch) = epoch {
            self.shared.store.release(epoch, self.incarnation).await?;
        }
        Ok(())
    }

    fn on_answer(&mut self, answer: Answer) -> Result<Option<LeaderInput>, Error> {
        Ok(match answer {
            Answer::Leader(input) => Some(input),
            Answer::Lease(lease) => {
                self.shared
                    .note_leader(lease.as_ref().map_or("", |lease| lease.endpoint.as_str()));
                let view = lease.as_ref().map(view_of);
                if self.has_another_renewed(lease.as_ref()) {
                    self.shared.outage.on_answer(Call::Write);
                }
                self.lease = lease;
                self.knock();
                Some(LeaderInput::LeaseRead(Ok(view)))
            }
            Answer::Loaded { epoch, seq, loaded } => {
                let is_current = matches!(self.leader.state(), LeaderState::Recovering { epoch: current, .. } if *current == epoch);
                is_current.then(|| {
                    self.begin_reign(epoch, seq, *loaded);
                    LeaderInput::Recovered { epoch }
                })
            }
            Answer::KnockedInVain(endpoint) => {
                self.is_knocking = false;
                self.lease
                    .as_ref()
                    .is_some_and(|lease| lease.endpoint == endpoint)
                    .then_some(LeaderInput::HolderUnreachable)
            }
            Answer::KnockAnswered => {
                self.is_knocking = false;
                None
            }
            Answer::Fatal(error) => return Err(error),
        })
    }

    /// Whether another master has written since the last look: then the database takes writes, though not ours.
    fn has_another_renewed(&self, lease: Option<&Lease>) -> bool {
        lease.is_some_and(|lease| {
            lease.incarnation != self.incarnation
                && self
                    .lease
                    .as_ref()
                    .is_some_and(|before| before.renew_seq != lease.renew_seq)
        })
    }

    async fn carry_out(&mut self, action: LeaderAction) {
        let shared = Arc::clone(&self.shared);
        let incarnation = self.incarnation;
        match action {
            LeaderAction::ReadLease => self.call(async move {
                match limited(&shared.outage, Call::Read, shared.store.lease()).await {
                    Ok(lease) => Answer::Lease(lease),
                    Err(StoreDown) => Answer::Leader(LeaderInput::LeaseRead(Err(StoreDown))),
                }
            }),
            LeaderAction::Renew { epoch } => self.call(async move {
                let sent_at = since_boot();
                let result = limited(
                    &shared.outage,
                    Call::Write,
                    shared.store.renew(epoch, incarnation),
                )
                .await;
                Answer::Leader(LeaderInput::Renewed {
                    epoch,
                    sent_at,
                    result,
                })
            }),
            LeaderAction::TakeOver { .. } => {
                let seen = self.lease.clone();
                self.seed = fresh_seed();
                let candidate = Candidate {
                    holder: self.options.holder.clone(),
                    incarnation,
                    endpoint: shared.endpoint.clone(),
                    seed: self.seed,
                };
                self.call(async move {
                    let result = limited(
                        &shared.outage,
                        Call::Write,
                        shared.store.take_over(seen.as_ref(), &candidate),
                    )
                    .await;
                    let result = result.map(|taken| {
                        taken.map(|taken| TakenOver {
                            epoch: taken.epoch,
                            seq: taken.seq,
                        })
                    });
                    Answer::Leader(LeaderInput::TookOver(result))
                });
            }
            LeaderAction::Recover { epoch, seq } => {
                tracing::info!(%epoch, "lease taken; loading the state");
                let (configured, default) = (self.options.zone, self.options.default_zone);
                self.call(async move {
                    match load(&shared, configured, default).await {
                        Ok(loaded) => Answer::Loaded {
                            epoch,
                            seq,
                            loaded: Box::new(loaded),
                        },
                        Err(error @ Error::TimeZone { .. }) => Answer::Fatal(error),
                        Err(error) => {
                            match &error {
                                Error::Store(error) => shared.outage.on_failure(Call::Read, error),
                                other => tracing::error!(
                                    error = crate::core::chain(other),
                                    "cannot load the state"
                                ),
                            }
                            Answer::Leader(LeaderInput::RecoveryFailed { epoch })
                        }
                    }
                });
            }
            LeaderAction::Demote { reason } => {
                tracing::warn!(?reason, "this master leads no more");
                self.end_reign(false).await;
            }
            LeaderAction::Release { epoch } => {
                // A lease that cannot be given back runs out by itself.
                let _ = limited(
                    &shared.outage,
                    Call::Write,
                    shared.store.release(epoch, incarnation),
                )
                .await;
            }
        }
    }

    fn call(&self, answer: impl Future<Output = Answer> + Send + 'static) {
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let answer = answer.await;
            // Nobody waits any more when the process ends.
            let _ = answers.send(answer).await;
        });
    }

    fn begin_reign(&mut self, epoch: Epoch, seq: u64, loaded: Loaded) {
        let Loaded {
            snapshot,
            links,
            definitions,
            packing,
            zone,
            cluster,
        } = loaded;
        tracing::info!(%epoch, workflows = snapshot.workflows.len(), instances = snapshot.instances.len(), "this master leads");
        self.shared.links.stored.load(links);
        let known = snapshot
            .workflows
            .iter()
            .filter_map(|row| row.file_path.clone())
            .chain(snapshot.file_problems.iter().map(|row| row.path.clone()))
            .chain(snapshot.calendars.iter().map(|row| row.path.clone()))
            .map(PathBuf::from)
            .filter(|path| path.starts_with(&self.options.workflows))
            .collect::<BTreeSet<_>>();
        let options = EngineOptions {
            zone,
            epoch,
            seed: self.seed,
            lost_after: self.options.lost_after,
            retry_fail_times: self.options.retry_fail_times,
            packing,
        };
        let engine = Engine::load(options, snapshot, definitions);
        let pipeline = Pipeline::new(epoch, seq, fresh_seed());
        let over = CancellationToken::new();
        let (asking, questions) = mpsc::unbounded_channel();
        let (core, handle) = Core::new(
            engine,
            pipeline,
            epoch,
            Arc::clone(&self.shared),
            over.clone(),
            asking,
        );
        let core = tokio::spawn(run_core(core, over.clone(), self.answers.clone()));
        let files = tokio::spawn(
            Files {
                directory: self.options.workflows.clone(),
                intake: Arc::new(Intake {
                    core: handle.clone(),
                    registry: Arc::clone(&self.shared.registry),
                    clock: Arc::clone(&self.shared.clock),
                    told: Arc::clone(&self.told),
                }),
                known,
            }
            .run(over.clone()),
        );
        let house = Housekeeper {
            retention: self.options.retention,
            shared: Arc::clone(&self.shared),
            core: handle.clone(),
        };
        let house = tokio::spawn(house.run(over.clone()));
        let learner = Learner {
            shared: Arc::clone(&self.shared),
            core: handle.clone(),
            zone,
            questions,
        };
        // They end with the term by themselves.
        tokio::spawn(learner.run(over.clone()));
        if let Some(mails) = self.options.mails.clone() {
            let postman = Postman {
                mails,
                shared: Arc::clone(&self.shared),
                core: handle.clone(),
                zone,
            };
            tokio::spawn(postman.run(over.clone()));
        }
        self.shared.note_leader(&self.shared.endpoint);
        self.shared.lead(Term {
            epoch,
            cluster,
            zone,
            core: handle,
            over: over.clone(),
        });
        self.reign = Some(Reign {
            epoch,
            over,
            core,
            files,
            house,
        });
    }

    /// Ends the term. In order: what was accepted is committed first. Otherwise everything is dropped at once.
    async fn end_reign(&mut self, in_order: bool) {
        let Some(reign) = self.reign.take() else {
            return;
        };
        self.shared.step_down();
        reign.over.cancel();
        reign.files.abort();
        reign.house.abort();
        if in_order {
            // A core that panicked has nothing more to commit.
            let _ = reign.core.await;
        } else {
            reign.core.abort();
        }
    }

    fn is_of_predecessor(&self) -> bool {
        let (endpoint, holder) = (&self.shared.endpoint, &self.options.holder);
        self.lease
            .as_ref()
            .is_some_and(|lease| is_predecessor(lease, endpoint, holder, self.incarnation))
    }

    /// Tries the leader's port: a process that was killed refuses at once, long before its lease runs out.
    fn knock(&mut self) {
        let Some(endpoint) = self.lease.as_ref().map(|lease| lease.endpoint.clone()) else {
            return;
        };
        // Whoever comes back to this address after us has proved to be alive: one claim a process, so that two machines that
        // take each other's address for their own do not fence each other for ever.
        if self.reign.is_none() && !self.has_claimed && self.is_of_predecessor() {
            self.has_claimed = true;
            self.call(async move { Answer::KnockedInVain(endpoint) });
            return;
        }
        if self.is_knocking
            || self.reign.is_some()
            || endpoint.is_empty()
            || endpoint == self.shared.endpoint
        {
            return;
        }
        self.is_knocking = true;
        self.call(async move {
            if is_refused(&endpoint).await {
                tokio::time::sleep(SECOND_KNOCK).await;
                if is_refused(&endpoint).await {
                    return Answer::KnockedInVain(endpoint);
                }
            }
            Answer::KnockAnswered
        });
    }
}

/// Whether the leader of `lease` was an earlier process of this machine on our own address: it is surely gone, for we
/// listen there now. The host is compared too, because every machine has a loopback address.
fn is_predecessor(lease: &Lease, endpoint: &str, holder: &str, incarnation: u128) -> bool {
    let host_of = |holder: &str| holder.rsplit_once(':').map(|(host, _)| host.to_owned());
    let host = host_of(holder);
    lease.endpoint == endpoint
        && lease.incarnation != incarnation
        && host.is_some()
        && host_of(&lease.holder) == host
}

async fn run_core(core: Core, over: CancellationToken, answers: mpsc::Sender<Answer>) {
    if let Err(Fenced) = core.run().await {
        over.cancel();
        // Nobody waits any more when the process ends.
        let _ = answers.send(Answer::Leader(LeaderInput::Fenced)).await;
    }
}

async fn is_refused(endpoint: &str) -> bool {
    let knock = tokio::time::timeout(SECOND_KNOCK, TcpStream::connect(endpoint)).await;
    matches!(knock, Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused)
}

/// The answer of a store that answers in time.
async fn limited<T>(
    outage: &Outage,
    kind: Call,
    call: impl Future<Output = Result<T, akkaflow_store::Error>>,
) -> Result<T, StoreDown> {
    match tokio::time::timeout(CALL_LIMIT, call).await {
        Ok(Ok(value)) => {
            outage.on_answer(kind);
            Ok(value)
        }
        Ok(Err(error)) => {
            outage.on_failure(kind, &error);
            Err(StoreDown)
        }
        Err(_) => {
            outage.on_silence(kind);
            Err(StoreDown)
        }
    }
}

/// Reads all that a new master needs. One zone per cluster: a master that was told another one does not lead.
async fn load(shared: &Shared, configured: Option<Tz>, default: Tz) -> Result<Loaded, Error> {
    let stored = shared.store.setting("time-zone", default.name()).await?;
    if let Some(configured) = configured.filter(|zone| zone.name() != stored) {
        return Err(Error::TimeZone {
            stored,
            configured: configured.name().to_owned(),
        });
    }
    let zone = stored
        .parse()
        .map_err(|_| akkaflow_store::Error::Corrupt(format!("time zone `{stored}`")))?;
    let cluster = shared.store.lease().await?.map_or(0, |lease| lease.cluster);
    let packing = Arc::new(PackedText {
        actions: Arc::clone(&shared.registry) as _,
    });
    let (contents, received) = parts::channel(PARTS_AHEAD);
    let (snapshot, definitions) = futures::join!(
        shared.store.snapshot_in_parts(shared.clock.now(), contents),
        read_definitions(received, &packing)
    );
    Ok(Loaded {
        snapshot: snapshot?,
        links: shared.store.links().await?,
        definitions,
        packing,
        zone,
        cluster,
    })
}

/// Reads the contents as they come, on as many threads as there are cores.
async fn read_definitions(
    received: parts::Receiver<Vec<VersionRow>>,
    packing: &Arc<PackedText>,
) -> Definitions {
    let readers = std::thread::available_parallelism().map_or(2, usize::from);
    let mut read = received
        .map(|part| {
            let packing = Arc::clone(packing);
            tokio::task::spawn_blocking(move || {
                let definitions = part.iter().map(|row| definition(&packing, row));
                definitions.collect::<Vec<_>>()
            })
        })
        .buffered(readers);
    let mut definitions = Definitions::default();
    while let Some(part) = read.next().await {
        let part = part.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        for (version, definition) in part.into_iter().flatten() {
            definitions.insert(version, definition);
        }
    }
    definitions
}

fn definition(packing: &PackedText, row: &VersionRow) -> Option<(Version, Definition)> {
    let definition = packing.read(row);
    if definition.is_none() {
        tracing::error!(
            workflow.name = row.workflow,
            version = row.version.0,
            "a stored definition cannot be read any more; its workflow does not start"
        );
    }
    Some((row.version.clone(), definition?))
}

fn view_of(lease: &Lease) -> LeaseView {
    LeaseView {
        cluster: lease.cluster,
        epoch: lease.epoch,
        incarnation: lease.incarnation,
        holder: lease.holder.clone(),
        renew_seq: lease.renew_seq,
    }
}

fn fresh_seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().1
}

#[cfg(test)]
mod tests {
    use akkaflow_actions::Registry;
    use akkaflow_engine::Packing as _;
    use akkaflow_model::read::read_workflow;

    use super::*;

    #[test]
    fn a_packed_definition_is_much_smaller_and_comes_back_whole() {
        let text = include_bytes!("../../engine/src/packing/typical.xml");
        let actions = Arc::new(Registry::builtin());
        let workflow = read_workflow(text, &*actions).workflow.expect("an example");
        let workflow = Arc::new(workflow);
        let packing = PackedText { actions };
        let packed = packing.pack(&workflow);
        assert!(packed.len() * 10 < text.len(), "{} bytes", packed.len());
        assert_eq!(packing.unpack(&packed).as_deref(), Some(&*workflow));
        assert!(packing.unpack(&packed[..packed.len() / 2]).is_none());
    }

    fn lease(holder: &str, endpoint: &str, incarnation: u128) -> Lease {
        Lease {
            cluster: 1,
            epoch: Epoch(1),
            holder: holder.to_owned(),
            incarnation,
            endpoint: endpoint.to_owned(),
            renew_seq: 1,
            connections: String::new(),
        }
    }

    #[test]
    fn only_an_earlier_process_of_this_machine_on_our_address_is_a_predecessor() {
        let of = |lease: Lease| is_predecessor(&lease, "127.0.0.1:2751", "here:2", 2);
        assert!(of(lease("here:1", "127.0.0.1:2751", 1)));
        assert!(!of(lease("here:1", "127.0.0.1:2752", 1)));
        assert!(!of(lease("there:1", "127.0.0.1:2751", 1)));
        assert!(!of(lease("here:2", "127.0.0.1:2751", 2)));
        assert!(!of(lease("", "127.0.0.1:2751", 1)));
    }
}
