//! Faults that are planted on purpose, in the thin host code around the real types, to prove that the simulator bites.

use akkaflow_model::backfill::RunState;
use akkaflow_model::definition::{
    Coordinator, DateRule, DependencyTerm, FailurePolicy, Growth, Misfire, NodeKind, OnTimeout,
    Overlap, TimeoutScope, Workflow,
};
use akkaflow_model::id::InstanceId;
use akkaflow_model::landing::Deadline;
use akkaflow_model::mail::MailKind;
use akkaflow_model::message::Message;
use akkaflow_model::record::{
    CleanUp, FireState, InstanceRow, Record, SkipReason, Snapshot, StateRow, TriggerKind,
};
use akkaflow_model::state::{AttemptState, InstanceState, NodeState};
use akkaflow_model::time::Timestamp;
use akkaflow_model::wait::Wait;
use chrono::TimeDelta;

use super::nesting::STATE;

/// Names each fault once: for the code, for the list of all, and in words.
macro_rules! faults {
    ($($(#[doc = $what:literal])+ $name:ident,)+) => {
        /// One planted fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Planted {
            $($(#[doc = $what])+ $name,)+
        }

        impl Planted {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// What goes wrong, in words.
            pub fn what(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($what,)+).trim(),)+
                }
            }
        }
    };
}

faults! {
    /// The journal takes an entry at a position that is taken.
    NoJournalFence,
    /// The take-over bumps the epoch but writes no EPOCH_START.
    TakeOverWithoutEpochStart,
    /// All effects are released before their records are durable.
    EffectsBeforeCommit,
    /// Only acknowledgements are.
    AcknowledgeBeforeCommit,
    /// Only replies are.
    ReplyBeforeCommit,
    /// A commit whose answer was lost counts as done.
    UnknownCommitCountsAsDone,
    /// A new master loads what stood in the store a while before it took over.
    StaleSnapshot,
    /// An attempt that was never accepted is given to another worker without the first one's promise.
    NoTombstone,
    /// A worker says "accepted" before its ledger is flushed.
    AcceptBeforeFlush,
    /// A worker that comes back has forgotten its ledger, while its processes run on.
    LedgerLost,
    /// A worker runs what was meant for an earlier start of it.
    IncarnationIgnored,
    /// A later start of a worker does not name itself greater than an earlier one.
    IncarnationsUnordered,
    /// A cancelled attempt is reported as gone while its process still runs.
    KillReportedEarly,
    /// A silent worker's attempts are given away while the worker may still run them.
    LostTooEarly,
    /// A consumed token can be used again after a restart.
    DoubleToken,
    /// A success gives its token to nobody.
    TokenLost,
    /// The schedule's high-water mark is not written.
    WatermarkNotWritten,
    /// The fire row of a slot is not written.
    FireNotWritten,
    /// The key of a repeatable request is not written.
    RequestNotWritten,
    /// An attempt is dispatched without its row.
    AssignmentNotWritten,
    /// Failed attempts of a node are not counted across a restart.
    FailuresNotCounted,
    /// A worker is believed to have more slots than it has.
    SlotsOverstated,
    /// A renewal counts from its answer, not from its sending.
    RenewalCountsFromAnswer,
    /// A leader stops acting long after its lease may have gone over.
    FenceTooLate,
    /// A standby takes a lease over that is still renewed in time.
    LeaseTooShort,
    /// A renewal that meets another holder counts as confirmed.
    LostLeaseCountsAsRenewed,
    /// A take-over does not ask whether the lease has moved since it was looked at.
    TakeOverUnconditional,
    /// A commit whose answer was lost counts as not done, and is not done again.
    UnknownCommitDropped,
    /// A batch that is committed again replaces its rows again.
    BatchAppliedTwice,
    /// Half of a batch is written.
    BatchTorn,
    /// The rows of a batch are written in the wrong order.
    BatchReversed,
    /// A new master does not load the tokens that wait.
    TokensNotLoaded,
    /// A new master does not load the keys of repeatable requests.
    RequestsNotLoaded,
    /// A new master does not load the slots that wait for their dependencies.
    WaitingFiresNotLoaded,
    /// A new master does not load the chains that run.
    ChainsNotLoaded,
    /// The end of an attempt is not written.
    OutcomeNotWritten,
    /// That an attempt was accepted is not written.
    AcceptanceNotWritten,
    /// That an attempt must stop is not written.
    CancelNotWritten,
    /// The end of a node is not written.
    NodeEndNotWritten,
    /// When a node is tried again is not written.
    RetryNotWritten,
    /// When a node's time is up is not written.
    DeadlineNotWritten,
    /// Lost attempts of a node are not counted across a restart.
    LossesNotCounted,
    /// That an instance is being ended is not written.
    EndingNotWritten,
    /// The end of an instance is not written.
    InstanceEndNotWritten,
    /// A rerun does not raise the number of the run.
    RunNotRaised,
    /// That an instance gave its tokens is not written.
    GivenTokensForgotten,
    /// The nodes that a trigger passes over are not written.
    IgnoredNodesNotWritten,
    /// A chain's progress is not written.
    ChainNotWritten,
    /// A slot that waits for its dependencies is not written.
    WaitingFireNotWritten,
    /// The generation of a schedule is not raised.
    GenerationNotRaised,
    /// A workflow may have one instance more than its limit.
    LimitOverstated,
    /// A node is tried once more than it may be.
    RetriesOverstated,
    /// A node that is to be ignored is run.
    IgnoreOverlooked,
    /// A node runs on any host.
    HostOverlooked,
    /// A join goes on with its first branch.
    JoinDoesNotWait,
    /// A kill node ends its instance as an end node does.
    KillNodeEndsWell,
    /// A workflow does not wait for its upstreams.
    DependencyOverlooked,
    /// The key of a repeatable request is not looked at.
    RequestKeyIgnored,
    /// A kill is answered at once.
    KillAnsweredAtOnce,
    /// A worker is believed to be on another host.
    HostMixedUp,
    /// A start is sent to a second worker too.
    StartSentToAnother,
    /// A worker is not asked what became of an attempt that it does not name.
    TombstoneNotAsked,
    /// A worker promises never to start an attempt without looking whether it has.
    PromiseUnchecked,
    /// A master does not notice that a worker is gone.
    DetachmentUnnoticed,
    /// The engine is woken ten minutes late.
    TicksLate,
    /// A worker that attaches names nothing of what it runs.
    HoldsForgotten,
    /// What ends while a worker is out of contact is forgotten.
    OutcomeLostWhileAway,
    /// A worker that comes back says that what died with it succeeded.
    OutcomeInvented,
    /// A worker that comes back starts again what still runs.
    AdoptedStartedAgain,
    /// A worker out of contact goes on for ever.
    OutOfContactIgnored,
    /// While the agent is down nobody ends what has run for too long without contact.
    SupervisorSleeps,
    /// A schedule fires on every day, whatever its calendar says.
    CalendarOverlooked,
    /// What a calendar says now is not written.
    CalendarNotWritten,
    /// A new master does not load the calendars.
    CalendarsNotLoaded,
    /// Schedules are read from the wall of the cluster, not from their own.
    ZoneOverlooked,
    /// Only the first cron of a schedule fires.
    OneCronOnly,
    /// A fixed rate fires half a minute late.
    RateShifted,
    /// Missed slots fire though they are to be skipped.
    MisfireSkipOverlooked,
    /// Missed slots that shall all fire become one.
    MisfireAllCoalesced,
    /// That more slots were missed than are made up for is not written.
    SurplusNotWritten,
    /// A new master enumerates the slots of the last hours again.
    CatchUpTwice,
    /// A success of any date counts where that of the same date is asked for.
    DateRuleOverlooked,
    /// A success counts however old it is.
    AgeOverlooked,
    /// One of several upstreams is enough where all are asked for.
    AnyInsteadOfAll,
    /// The business date of a success is that of the cluster's wall a day later.
    BusinessDateMixedUp,
    /// A new master does not load the successes that rules look at after they were used.
    LookedAtTokensNotLoaded,
    /// That a used success is still looked at is not written.
    HoldNotWritten,
    /// A fire finds others at the limit and makes an instance though it is to be skipped.
    OverlapSkipOverlooked,
    /// That a fire was skipped for others is not written.
    OverlapSkipNotWritten,
    /// Why a slot was skipped is not written.
    SkipReasonNotWritten,
    /// Nodes wait in the order in which they were reached, whatever their priority.
    PriorityOverlooked,
    /// A step of priority is worth a thousand times what it should be: nobody ages.
    NobodyAges,
    /// A node runs although its pool has no room.
    PoolOverlooked,
    /// A pool is believed to have more than it has.
    PoolOverstated,
    /// A new master does not load the pools.
    PoolsNotLoaded,
    /// A node runs on a worker without its labels.
    LabelsOverlooked,
    /// That an instance is paused is not written.
    PauseNotWritten,
    /// A new master does not load that instances are paused.
    PausesNotLoaded,
    /// That a workflow is suspended is not written.
    SuspensionNotWritten,
    /// A new master does not load that workflows are suspended.
    SuspensionsNotLoaded,
    /// That the cluster is frozen is not written.
    FreezeNotWritten,
    /// A new master does not load that the cluster is frozen.
    FreezeNotLoaded,
    /// That a run of a backfill has begun is not written.
    BackfillBeginNotWritten,
    /// That a run of a backfill is over is not written.
    BackfillEndNotWritten,
    /// That a backfill is paused is not written.
    BackfillPauseNotWritten,
    /// That a backfill is aborted is not written.
    BackfillAbortNotWritten,
    /// What the dates of a backfill wait for is not written.
    BackfillNeedsNotWritten,
    /// A backfill may have one instance more than its bound.
    BackfillBoundOverstated,
    /// A new master does not load the backfills.
    BackfillsNotLoaded,
    /// A new master does not load that backfills are paused.
    BackfillPausesNotLoaded,
    /// A new master starts again what a backfill has started.
    BackfillRunsStartedAgain,
    /// A backfill is planned without looking which dates are good.
    GoodDatesOverlooked,
    /// Marks of nodes are not written.
    MarksNotWritten,
    /// A new master does not load the marks of nodes.
    MarksNotLoaded,
    /// The conditions of edges are not looked at.
    ConditionsOverlooked,
    /// A decision takes its last case first.
    CasesReversed,
    /// A node that comes after several waits for one of them only.
    AfterWaitsForOne,
    /// The clean-up is left out.
    CleanUpLeftOut,
    /// That the clean-up has begun is not written.
    CleanUpNotWritten,
    /// A kill is sent once more when the clean-up begins.
    KillSentTwice,
    /// Where what runs may finish, new nodes begin too.
    FinishRunningGoesOn,
    /// Where everything possible shall be done, what runs is cancelled.
    FinishPossibleBreaksOff,
    /// Where what runs shall be cancelled, it may finish.
    CancelRunningWaits,
    /// The pauses between attempts do not grow.
    PausesDoNotGrow,
    /// The exit code of a failed attempt is not looked at.
    ExitCodesOverlooked,
    /// The limit of a node counts for each of its attempts.
    LimitForEachAttempt,
    /// The limit of each attempt counts for its node.
    LimitForNode,
    /// A limit that kills only makes its node fail.
    LimitDoesNotKill,
    /// What a node has handed on is not written.
    OutputsNotWritten,
    /// The output of an earlier run is used.
    EarlierOutputUsed,
    /// A failure writes the state.
    StateOnFailure,
    /// An instance of a backfill writes the state.
    StateOnBackfill,
    /// A new master does not load the state.
    StateNotLoaded,
    /// A child outlives a killed parent.
    ChildOutlives,
    /// A new master has forgotten the child of a node, and starts it again.
    ChildForgotten,
    /// A wait is over too early.
    WaitTooShort,
    /// What was said of a deadline is not written.
    LandingNotWritten,
    /// A new master does not load the deadlines.
    LandingsNotLoaded,
    /// A new master has forgotten what was said of deadlines, and says it again.
    LandingSaidTwice,
    /// A deadline is an hour later than it should be.
    DeadlineMixedUp,
    /// The mail about the end of an instance is not written.
    EndMailNotWritten,
    /// The mails about a failing node and its recovery are not written.
    RetryMailNotWritten,
    /// The mail of an email node is not written.
    NoticeNotWritten,
    /// Nobody is made to send the mails.
    DeliveryNotWritten,
    /// A mail goes to its first receiver only.
    ReceiversLost,
    /// The receivers that workflows name are overlooked.
    ReceiversOverlooked,
    /// Every end is told, whatever its workflow asks for.
    EveryEndTold,
    /// The mail of a run is taken for that of an earlier one.
    MailOfEarlierRun,
    /// People are told of a failing node one failure too late.
    ToldOfLaterFailures,
}

impl Planted {
    /// Spoils the records of a batch on their way to the store.
    pub(crate) fn spoil(self, records: &mut Vec<Record>) {
        match self {
            Self::DoubleToken => records.retain(|record| {
                !matches!(record, Record::Token(row)
                    if row.consumed_by.is_some_and(|id| id != InstanceId::from_u128(0)))
            }),
            Self::TokenLost => records.retain(
                |record| !matches!(record, Record::Token(row) if row.consumed_by.is_none()),
            ),
            // A mark that stands on a whole minute was moved by a slot, not set when the workflow was put.
            Self::WatermarkNotWritten => records.retain(|record| {
                !matches!(record, Record::Schedule(row)
                    if row.fired_through.as_millis() % 60_000 == 0)
            }),
            Self::FireNotWritten => {
                records.retain(|record| !matches!(record, Record::Fire(row) if row.generation > 0));
            }
            Self::RequestNotWritten => {
                records.retain(|record| !matches!(record, Record::Request(_)));
            }
            Self::AssignmentNotWritten => records.retain(|record| {
                !matches!(record, Record::Attempt(row) if row.state == AttemptState::Assigned)
            }),
            Self::BatchTorn => records.truncate(records.len().div_ceil(2)),
            Self::BatchReversed => records.reverse(),
            Self::OutcomeNotWritten => records.retain(
                |record| !matches!(record, Record::Attempt(row) if row.state.is_terminal()),
            ),
            Self::AcceptanceNotWritten => records.retain(|record| {
                !matches!(record, Record::Attempt(row) if row.state == AttemptState::Running)
            }),
            Self::NodeEndNotWritten => records
                .retain(|record| !matches!(record, Record::Node(row) if row.state.is_terminal())),
            Self::InstanceEndNotWritten => records.retain(
                |record| !matches!(record, Record::Instance(row) if row.state.is_terminal()),
            ),
            Self::ChainNotWritten => {
                records.retain(|record| !matches!(record, Record::Chain(_)));
            }
            Self::FreezeNotWritten => {
                records.retain(|record| !matches!(record, Record::Cluster(_)));
            }
            Self::StateOnFailure => {
                write_states_of(records, |row| row.state == InstanceState::Failed);
            }
            Self::StateOnBackfill => write_states_of(records, |row| {
                row.state == InstanceState::Succeeded && row.trigger == TriggerKind::Backfill
            }),
            Self::ChildOutlives => records.retain(|record| {
                !matches!(record, Record::Instance(row)
                    if matches!(row.message, Some(Message::ParentEnded { .. })))
            }),
            Self::WaitingFireNotWritten => records.retain(|record| {
                !matches!(record, Record::Fire(row) if row.state == FireState::Waiting)
            }),
            Self::CalendarNotWritten => {
                records.retain(|record| !matches!(record, Record::Calendar(_)));
            }
            Self::BackfillBeginNotWritten => records.retain(|record| {
                !matches!(record, Record::BackfillRun(row) if row.state == RunState::Running)
            }),
            Self::BackfillEndNotWritten => records.retain(|record| {
                !matches!(record, Record::BackfillRun(row)
                    if matches!(row.state, RunState::Succeeded | RunState::Failed))
            }),
            Self::SurplusNotWritten => records.retain(|record| {
                !matches!(record, Record::Fire(row) if row.reason == Some(SkipReason::TooMany))
            }),
            Self::OverlapSkipNotWritten => records.retain(|record| {
                !matches!(record, Record::Fire(row) if row.reason == Some(SkipReason::Overlap))
            }),
            Self::EndMailNotWritten => forget_mails(records, &[MailKind::Ended]),
            Self::RetryMailNotWritten => {
                forget_mails(records, &[MailKind::Failing, MailKind::Recovered]);
            }
            Self::NoticeNotWritten => forget_mails(records, &[MailKind::Notice]),
            Self::DeliveryNotWritten => {
                records.retain(|record| !matches!(record, Record::Delivery(_)));
            }
            _ => records.iter_mut().for_each(|record| self.spoil_row(record)),
        }
    }

    /// Spoils one field of a row.
    fn spoil_row(self, record: &mut Record) {
        match (self, record) {
            (Self::FailuresNotCounted, Record::Node(row)) => row.failures = 0,
            (Self::LossesNotCounted, Record::Node(row)) => row.losses = 0,
            (Self::RetryNotWritten, Record::Node(row)) => row.retry_at = None,
            (Self::DeadlineNotWritten, Record::Node(row)) => row.deadline = None,
            (Self::CancelNotWritten, Record::Attempt(row)) => row.cancel = None,
            (Self::EndingNotWritten, Record::Instance(row)) => row.ending = None,
            (Self::RunNotRaised, Record::Instance(row)) => row.run = 1,
            (Self::GivenTokensForgotten, Record::Instance(row)) => row.gave_tokens = false,
            (Self::IgnoredNodesNotWritten, Record::Instance(row)) => row.ignore_nodes.clear(),
            (Self::CleanUpNotWritten, Record::Instance(row)) => row.clean_up = CleanUp::Ahead,
            (Self::GenerationNotRaised, Record::Schedule(row)) => row.generation = 1,
            (Self::BusinessDateMixedUp, Record::Token(row)) => row.business_day += 1,
            (Self::HoldNotWritten, Record::Token(row)) => row.is_held = row.consumed_by.is_none(),
            (Self::SkipReasonNotWritten, Record::Fire(row)) => row.reason = None,
            (Self::PauseNotWritten, Record::Instance(row)) => row.hold = None,
            (Self::MarksNotWritten, Record::Instance(row)) => row.marks.clear(),
            (Self::SuspensionNotWritten, Record::Workflow(row)) => row.hold = None,
            (Self::BackfillPauseNotWritten, Record::Backfill(row)) => row.hold = None,
            (Self::BackfillAbortNotWritten, Record::Backfill(row)) => row.abort = None,
            (Self::BackfillNeedsNotWritten, Record::BackfillRun(row)) => row.needs.clear(),
            (Self::BackfillBoundOverstated, Record::Backfill(row)) => {
                row.spec.max_parallel = row.spec.max_parallel.saturating_sub(1);
            }
            (Self::PoolOverstated, Record::Pool(row)) => {
                row.slots = row.slots.map(|slots| slots.saturating_sub(1));
            }
            (Self::OutputsNotWritten, Record::Node(row)) => row.outputs.clear(),
            (Self::LandingNotWritten, Record::Instance(row)) => forget_notices(row),
            (Self::ReceiversLost, Record::Mail(row)) => row.receivers.truncate(1),
            (Self::MailOfEarlierRun, Record::Mail(row)) => row.key.run = 1,
            (Self::MailOfEarlierRun, Record::Delivery(row)) => row.key.run = 1,
            (Self::ChildForgotten, Record::Node(row))
                if row.child.is_some() && row.state == NodeState::Running =>
            {
                (row.child, row.state) = (None, NodeState::Ready);
            }
            _ => {}
        }
    }

    /// Spoils what a new master loads.
    pub(crate) fn spoil_snapshot(self, snapshot: &mut Snapshot) {
        match self {
            Self::TokensNotLoaded => snapshot.tokens.clear(),
            Self::RequestsNotLoaded => snapshot.requests.clear(),
            Self::WaitingFiresNotLoaded => snapshot.fires.clear(),
            Self::ChainsNotLoaded => snapshot.chains.clear(),
            Self::CalendarsNotLoaded => snapshot.calendars.clear(),
            Self::LookedAtTokensNotLoaded => {
                snapshot.tokens.retain(|row| row.consumed_by.is_none());
            }
            Self::CatchUpTwice => {
                for row in &mut snapshot.schedules {
                    let earlier = row.fired_through.as_millis() - 3 * 3_600_000;
                    row.fired_through = Timestamp::from_millis(earlier);
                }
            }
            Self::BackfillsNotLoaded => {
                snapshot.backfills.clear();
                snapshot.backfill_runs.clear();
            }
            Self::BackfillPausesNotLoaded => snapshot
                .backfills
                .iter_mut()
                .for_each(|row| row.hold = None),
            Self::BackfillRunsStartedAgain => {
                for run in &mut snapshot.backfill_runs {
                    if run.state == RunState::Running {
                        run.state = RunState::Waiting;
                        run.instance = None;
                    }
                }
            }
            Self::PoolsNotLoaded => snapshot.pools.clear(),
            Self::FreezeNotLoaded => snapshot.cluster.frozen = None,
            Self::PausesNotLoaded => snapshot.instances.iter_mut().for_each(|row| {
                if row.hold.take().is_some() && row.started_at.is_some() {
                    row.state = InstanceState::Running;
                }
            }),
            Self::MarksNotLoaded => snapshot
                .instances
                .iter_mut()
                .for_each(|row| row.marks.clear()),
            Self::SuspensionsNotLoaded => snapshot
                .workflows
                .iter_mut()
                .for_each(|row| row.hold = None),
            Self::StateNotLoaded => snapshot.states.clear(),
            Self::LandingsNotLoaded => snapshot
                .instances
                .iter_mut()
                .for_each(|row| row.landing = None),
            Self::LandingSaidTwice => snapshot.instances.iter_mut().for_each(forget_notices),
            _ => {}
        }
    }

    /// Spoils a definition that is put in force: the master understands it otherwise than it is written.
    pub(crate) fn spoil_definition(self, workflow: &mut Workflow) {
        if self == Self::LimitOverstated {
            workflow.instance_limit += 1;
        }
        if self == Self::DependencyOverlooked
            && let Some(coordinator) = &mut workflow.coordinator
        {
            coordinator.depends.clear();
            coordinator.dependencies.clear();
        }
        if self == Self::OverlapSkipOverlooked && workflow.overlap == Overlap::Skip {
            workflow.overlap = Overlap::Queue;
        }
        if let Some(coordinator) = &mut workflow.coordinator {
            self.spoil_coordinator(coordinator);
        }
        match self {
            Self::ReceiversOverlooked => workflow.mail_receivers.clear(),
            Self::EveryEndTold => {
                let ends = InstanceState::ALL
                    .iter()
                    .filter(|state| state.is_terminal());
                workflow.mail_level = ends.copied().collect();
            }
            Self::PriorityOverlooked => workflow.priority = 0,
            Self::NobodyAges => workflow.priority *= 1000,
            _ => {}
        }
        let policy = &mut workflow.failure_policy;
        match (self, *policy) {
            (Self::FinishRunningGoesOn, FailurePolicy::FinishRunning) => {
                *policy = FailurePolicy::FinishPossible;
            }
            (Self::FinishPossibleBreaksOff, FailurePolicy::FinishPossible) => {
                *policy = FailurePolicy::CancelRunning;
            }
            (Self::CancelRunningWaits, FailurePolicy::CancelRunning) => {
                *policy = FailurePolicy::FinishRunning;
            }
            _ => {}
        }
        if self == Self::CleanUpLeftOut {
            let begin = (workflow.nodes.iter())
                .position(|node| matches!(node.kind, NodeKind::Finally { .. }));
            if let Some(begin) = begin {
                let end = workflow.nodes.len() - 1;
                workflow.nodes.drain(begin..end);
            }
        }
        for node in &mut workflow.nodes {
            if self == Self::AfterWaitsForOne {
                node.after.truncate(1);
            }
            match (self, &mut node.kind) {
                (Self::ConditionsOverlooked, NodeKind::Fork { paths }) => {
                    paths.iter_mut().for_each(|path| path.when = None);
                }
                (Self::ConditionsOverlooked, NodeKind::Action(action)) => {
                    let edges = action.ok.iter_mut().chain(&mut action.error);
                    edges.for_each(|edge| edge.when = None);
                }
                (Self::CasesReversed, NodeKind::Decision { cases, .. }) => cases.reverse(),
                (Self::PausesDoNotGrow, NodeKind::Action(action)) => {
                    action.retry.backoff.growth = Growth::Fixed;
                }
                (Self::ExitCodesOverlooked, NodeKind::Action(action)) => {
                    action.retry.exit_codes = None;
                }
                (Self::LimitForEachAttempt, NodeKind::Action(action)) => {
                    action.timeout_scope = TimeoutScope::Attempt;
                }
                (Self::LimitForNode, NodeKind::Action(action)) => {
                    action.timeout_scope = TimeoutScope::Node;
                }
                (Self::LimitDoesNotKill, NodeKind::Action(action)) => {
                    action.on_timeout = OnTimeout::Fail;
                }
                (Self::RetriesOverstated, NodeKind::Action(action)) => action.retry_times += 1,
                (Self::IgnoreOverlooked, NodeKind::Action(action)) => action.is_ignore = false,
                (Self::HostOverlooked, NodeKind::Action(action)) => action.host = None,
                (Self::PriorityOverlooked, NodeKind::Action(action)) => action.priority = None,
                (Self::NobodyAges, NodeKind::Action(action)) => {
                    action.priority = action.priority.map(|priority| priority * 1000);
                }
                (Self::PoolOverlooked, NodeKind::Action(action)) => action.pool = None,
                (Self::LabelsOverlooked, NodeKind::Action(action)) => action.worker_labels.clear(),
                (Self::WaitTooShort, NodeKind::Action(action)) if action.tag == Wait::TAG => {
                    for attribute in &mut action.body.attributes {
                        attribute.value = "1s".into();
                    }
                }
                (Self::JoinDoesNotWait, NodeKind::Join { to }) => {
                    let paths = vec![std::mem::take(to)];
                    node.kind = NodeKind::Fork {
                        paths: paths.into_iter().map(Into::into).collect(),
                    };
                }
                (Self::KillNodeEndsWell, NodeKind::Kill { .. }) => node.kind = NodeKind::End,
                _ => {}
            }
        }
    }

    fn spoil_coordinator(self, coordinator: &mut Coordinator) {
        match self {
            Self::CalendarOverlooked => coordinator.timing.calendar = None,
            Self::ZoneOverlooked => coordinator.time_zone = None,
            Self::OneCronOnly => coordinator.timing.crons.clear(),
            Self::DeadlineMixedUp => {
                if let Some(Deadline::After { seconds }) = &mut coordinator.deadline {
                    *seconds += 3600;
                }
            }
            Self::RateShifted => coordinator.start_time += TimeDelta::seconds(30),
            Self::MisfireSkipOverlooked if coordinator.misfire == Misfire::Skip => {
                coordinator.misfire = Misfire::Once;
            }
            Self::MisfireAllCoalesced if coordinator.misfire == Misfire::All => {
                coordinator.misfire = Misfire::Once;
            }
            _ => self.spoil_terms(&mut coordinator.dependencies),
        }
    }

    fn spoil_terms(self, terms: &mut Vec<DependencyTerm>) {
        if self == Self::AnyInsteadOfAll && terms.len() > 1 {
            let all = terms.iter().flat_map(DependencyTerm::dependencies);
            *terms = vec![DependencyTerm::AnyOf(all.cloned().collect())];
        }
        for term in terms {
            let dependencies = match term {
                DependencyTerm::One(dependency) => std::slice::from_mut(dependency),
                DependencyTerm::AnyOf(dependencies) => dependencies,
            };
            for dependency in dependencies {
                match self {
                    Self::DateRuleOverlooked if dependency.date == DateRule::SameDay => {
                        dependency.date = DateRule::Latest;
                    }
                    Self::AgeOverlooked => dependency.max_age_seconds = None,
                    _ => {}
                }
            }
        }
    }
}

fn forget_mails(records: &mut Vec<Record>, kinds: &[MailKind]) {
    records.retain(|record| match record {
        Record::Mail(row) => !kinds.contains(&row.key.kind),
        Record::Delivery(row) => !kinds.contains(&row.key.kind),
        _ => true,
    });
}

fn forget_notices(row: &mut InstanceRow) {
    if let Some(landing) = &mut row.landing {
        (landing.late, landing.missed) = (None, None);
    }
}

fn write_states_of(records: &mut Vec<Record>, writes: impl Fn(&InstanceRow) -> bool) {
    let states: Vec<Record> = records
        .iter()
        .filter_map(|record| match record {
            Record::Instance(row) if writes(row) => {
                let ended_at = row.ended_at?;
                Some(Record::State(StateRow {
                    workflow: row.workflow.clone(),
                    name: STATE.to_owned(),
                    value: "1".to_owned(),
                    set_at: ended_at,
                    instance: Some(row.id),
                    fire_time: Some(row.fire_time),
                    user: String::new(),
                }))
            }
            _ => None,
        })
        .collect();
    records.extend(states);
}
