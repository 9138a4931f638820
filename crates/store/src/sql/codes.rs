//! The numbers by which databases hold our enums. Never change one: stored rows speak them.

use akkaflow_model::record::{CancelReason, FireState, SkipReason, TriggerKind, WorkflowStatus};

/// An enum that is stored as a number.
pub(crate) trait Coded: Copy + Sized + 'static {
    /// All values with their numbers.
    const CODES: &'static [(Self, i64)];

    /// Its number.
    fn code(self) -> i64;

    /// The value with this number.
    fn from_code(code: i64) -> Option<Self> {
        Self::CODES
            .iter()
            .find(|(_, number)| *number == code)
            .map(|(value, _)| *value)
    }
}

impl Coded for WorkflowStatus {
    const CODES: &'static [(Self, i64)] =
        &[(Self::Live, 0), (Self::FileGone, 1), (Self::Deleted, 2)];

    fn code(self) -> i64 {
        match self {
            Self::Live => 0,
            Self::FileGone => 1,
            Self::Deleted => 2,
        }
    }
}

impl Coded for TriggerKind {
    const CODES: &'static [(Self, i64)] = &[
        (Self::Cron, 0),
        (Self::Dependency, 1),
        (Self::Trigger, 2),
        (Self::Blood, 3),
        (Self::Run, 4),
        (Self::Backfill, 6),
        (Self::SubWorkflow, 5),
    ];

    fn code(self) -> i64 {
        match self {
            Self::Cron => 0,
            Self::Dependency => 1,
            Self::Trigger => 2,
            Self::Blood => 3,
            Self::Run => 4,
            Self::Backfill => 6,
            Self::SubWorkflow => 5,
        }
    }
}

impl Coded for FireState {
    const CODES: &'static [(Self, i64)] = &[
        (Self::Waiting, 0),
        (Self::Fired, 1),
        (Self::Coalesced, 2),
        (Self::Skipped, 3),
    ];

    fn code(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Fired => 1,
            Self::Coalesced => 2,
            Self::Skipped => 3,
        }
    }
}

impl Coded for SkipReason {
    const CODES: &'static [(Self, i64)] = &[
        (Self::TooOld, 0),
        (Self::Missed, 1),
        (Self::TooMany, 2),
        (Self::Overlap, 3),
        (Self::Disabled, 4),
        (Self::Changed, 5),
        (Self::Reset, 6),
    ];

    fn code(self) -> i64 {
        match self {
            Self::TooOld => 0,
            Self::Missed => 1,
            Self::TooMany => 2,
            Self::Overlap => 3,
            Self::Disabled => 4,
            Self::Changed => 5,
            Self::Reset => 6,
        }
    }
}

impl Coded for CancelReason {
    const CODES: &'static [(Self, i64)] = &[
        (Self::InstanceEnding, 0),
        (Self::TimedOut, 1),
        (Self::Orphan, 2),
        (Self::Marked, 3),
    ];

    fn code(self) -> i64 {
        match self {
            Self::InstanceEnding => 0,
            Self::TimedOut => 1,
            Self::Orphan => 2,
            Self::Marked => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use akkaflow_model::backfill::{BackfillState, RunState};
    use akkaflow_model::mail::{DeliveryState, MailKind};

    use super::*;

    fn reads_back<T: Coded + PartialEq + std::fmt::Debug>() {
        for (value, number) in T::CODES {
            assert_eq!(value.code(), *number);
            assert_eq!(T::from_code(*number), Some(*value));
        }
        assert_eq!(T::from_code(99), None);
    }

    #[test]
    fn numbers_read_back_as_their_value() {
        reads_back::<WorkflowStatus>();
        reads_back::<TriggerKind>();
        reads_back::<FireState>();
        reads_back::<SkipReason>();
        reads_back::<CancelReason>();
        reads_back::<BackfillState>();
        reads_back::<RunState>();
        reads_back::<MailKind>();
        reads_back::<DeliveryState>();
    }
}
