//! Deadlines of instances: who has one, and that what is said of it is said once, in time and for ever.

use akkaflow_model::landing::{Landing, LandingNotice};
use akkaflow_model::record::{InstanceRow, TriggerKind};
use akkaflow_model::time::Timestamp;

use super::{Oracle, Verdict, ensure};
use crate::sim::workload::Library;

impl Oracle {
    /// The row of an instance against the one that it replaces.
    pub(super) fn check_landing(
        &self,
        library: &Library,
        row: &InstanceRow,
        before: Option<&InstanceRow>,
    ) -> Verdict {
        let landing = row.landing.as_ref();
        let Some(before) = before else {
            return self.check_new_landing(library, row);
        };
        let known = before.landing.as_ref();
        ensure!(
            known.map(|it| it.deadline) == landing.map(|it| it.deadline),
            "D1: the deadline of {} became another: {known:?}, then {landing:?}",
            row.id
        );
        let (Some(known), Some(landing)) = (known, landing) else {
            return Ok(());
        };
        for (was, is) in [
            (&known.late, &landing.late),
            (&known.missed, &landing.missed),
        ] {
            ensure!(
                was.is_none() || was == is,
                "D2: what was said of the deadline of {} is said otherwise: {was:?}, then {is:?}",
                row.id
            );
            ensure!(
                was == is || before.run != row.run || !before.state.is_terminal(),
                "D3: the deadline of {} is spoken of after its end: {is:?}",
                row.id
            );
        }
        ensure!(
            known.usual.is_none() || known.usual == landing.usual,
            "D2: the usual times of {} became others",
            row.id
        );
        check_notices(row, landing)
    }

    fn check_new_landing(&self, library: &Library, row: &InstanceRow) -> Verdict {
        let workflow = library.contents.get(&row.version);
        let coordinator = workflow.and_then(|workflow| workflow.coordinator.as_ref());
        let deadline = coordinator.and_then(|coordinator| {
            let zone = coordinator.time_zone.unwrap_or(self.zone);
            Some(coordinator.deadline?.at(row.fire_time, zone))
        });
        let by_itself = matches!(row.trigger, TriggerKind::Cron | TriggerKind::Dependency);
        let deadline = deadline.filter(|deadline| {
            row.trigger != TriggerKind::Backfill && (by_itself || *deadline > row.created_at)
        });
        ensure!(
            row.landing.as_ref().map(|it| it.deadline) == deadline,
            "D1: {} has the deadline {:?}, its definition says {deadline:?}",
            row.id,
            row.landing
        );
        Ok(())
    }
}

/// Warnings come before the deadline, and one that ends after it has missed it.
fn check_notices(row: &InstanceRow, landing: &Landing) -> Verdict {
    let deadline = landing.deadline;
    let at = |notice: &Option<LandingNotice>| notice.as_ref().map(|notice| notice.at);
    ensure!(
        at(&landing.late).is_none_or(|at| at <= deadline)
            && at(&landing.missed).is_none_or(|at| at > deadline),
        "D4: the deadline of {} is spoken of at the wrong time: {landing:?}",
        row.id
    );
    for notice in landing.late.iter().chain(&landing.missed) {
        let is_late = |expected: Timestamp| expected > deadline;
        ensure!(
            is_late(notice.expected) && notice.expected >= notice.at,
            "D4: {} is said to be late and is not: {landing:?}",
            row.id
        );
    }
    ensure!(
        row.ended_at.is_none_or(|end| end <= deadline) || landing.missed.is_some(),
        "D5: {} ended after its deadline, and nobody was told: {landing:?}",
        row.id
    );
    Ok(())
}
