//! What people do with backfills.

use akkaflow_engine::{Input, Order};
use akkaflow_model::backfill::{BackfillRow, BackfillSpec};
use akkaflow_model::command::By;
use akkaflow_model::id::InstanceId;
use akkaflow_model::state::InstanceState;
use akkaflow_model::time::Timestamp;
use chrono::Datelike;

use super::people::Asked;
use super::planted::Planted;
use super::world::World;

impl World {
    /// Starts one, or steers one that is open.
    pub(super) fn draw_backfill(&mut self, master: usize) -> Option<Input> {
        let open: Vec<InstanceId> = self.open_backfills().map(|row| row.id).collect();
        if open.is_empty() || self.rng.chance(25) {
            return self.draw_start(master);
        }
        let id = *self.rng.pick(&open);
        let by = By {
            user: "li".to_owned(),
            reason: String::new(),
        };
        let is_held = self.store.tables.backfills[&id].hold.is_some();
        let order = match self.rng.below(10) {
            _ if is_held && self.rng.chance(60) => Order::ResumeBackfill { id },
            0..=4 => Order::PauseBackfill { id, by },
            5..=6 => Order::ResumeBackfill { id },
            _ => {
                let kills = self.rng.chance(50);
                *self.oracle.kills.entry(id).or_default() += u32::from(kills);
                Order::AbortBackfill { id, kills, by }
            }
        };
        Some(self.order(Asked::Other, order))
    }

    fn open_backfills(&self) -> impl Iterator<Item = &BackfillRow> {
        let all = self.store.tables.backfills.values();
        all.filter(|row| row.ended_at.is_none())
    }

    /// A few dates up to today, mostly of workflows without times: a day of a cron would be a whole history.
    fn draw_start(&mut self, master: usize) -> Option<Input> {
        if !self.is_settled(master) {
            return None;
        }
        let workflow = self.workflow_name();
        let with_dependants = self.rng.chance(60);
        let is_small = self.is_timeless(&workflow, with_dependants);
        if !is_small && !self.rng.chance(3) {
            return None;
        }
        let reign = self.masters[master].reign.as_ref()?;
        let now = reign.time(self.now).to_utc();
        let today = now
            .with_timezone(&reign.engine.zone(&workflow))
            .num_days_from_ce();
        let to = today - self.rng.below(2) as i32;
        let spec = BackfillSpec {
            workflow,
            from: to - self.rng.below(4) as i32,
            to,
            with_dependants,
            max_parallel: self.rng.between(1, 3) as u32,
            keep_going: self.rng.chance(40),
            again: self.rng.chance(30),
        };
        let scope = self.masters[master]
            .reign
            .as_ref()?
            .engine
            .backfill_scope(&spec);
        let good = if spec.again || self.planted == Some(Planted::GoodDatesOverlooked) {
            Vec::new()
        } else {
            scope.iter().flat_map(|span| self.good(span)).collect()
        };
        let order = Order::StartBackfill {
            spec,
            good,
            is_dry_run: self.rng.chance(10),
            idempotency: None,
            by: By::default(),
        };
        Some(self.order(Asked::Other, order))
    }

    /// What the store says has succeeded.
    fn good(&self, span: &(String, Timestamp, Timestamp)) -> Vec<(String, Timestamp)> {
        let (name, from, until) = span;
        let rows = self.store.tables.instances.values();
        rows.filter(|row| row.workflow == *name && row.state == InstanceState::Succeeded)
            .filter(|row| (*from..*until).contains(&row.fire_time))
            .map(|row| (name.clone(), row.fire_time))
            .collect()
    }

    /// Whether the workflow has no times, and what comes after it neither.
    fn is_timeless(&self, name: &str, with_dependants: bool) -> bool {
        let first = self
            .library
            .shapes
            .iter()
            .position(|shape| shape.name == name);
        let members = self.library.shapes.iter().skip(first.unwrap_or(0));
        let count = if with_dependants { usize::MAX } else { 1 };
        members.take(count).all(|shape| {
            let row = self.store.tables.workflows.get(&shape.name);
            let content = row.and_then(|row| self.library.contents.get(&row.version));
            let coordinator = content.and_then(|content| content.coordinator.as_ref());
            coordinator.is_none_or(|it| {
                let timing = &it.timing;
                it.cron.is_none()
                    && timing.crons.is_empty()
                    && timing.dates.is_empty()
                    && timing.every_seconds.is_none()
            })
        })
    }
}
