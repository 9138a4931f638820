//! Faults that are planted on purpose, in the thin host code around the real types, to prove that the simulator bites.

use akkaflow_model::id::InstanceId;
use akkaflow_model::record::Record;
use akkaflow_model::state::AttemptState;

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
            Self::FailuresNotCounted => {
                for record in records {
                    if let Record::Node(row) = record {
                        row.failures = 0;
                    }
                }
            }
            _ => {}
        }
    }
}
