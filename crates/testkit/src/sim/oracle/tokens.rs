//! Tokens: one for each success and dependant, each used up once, and looked at by the rules alone.

use akkaflow_model::definition::{Coordinator, DateRule, Dependency, DependencyTerm, Overlap};
use akkaflow_model::record::{InstanceRow, TokenRow, TriggerKind, WorkflowStatus};
use akkaflow_model::time::Timestamp;
use chrono::Datelike;
use chrono_tz::Tz;

use super::{Oracle, Touched, Verdict, ensure};
use crate::sim::tables::Tables;
use crate::sim::workload::Library;

impl Oracle {
    pub(super) fn check_token(
        &self,
        tables: &Tables,
        library: &Library,
        row: &TokenRow,
        touched: &mut Touched,
    ) -> Verdict {
        let before = tables
            .tokens
            .get(&(row.upstream_instance, row.dependant.clone()));
        ensure!(
            before.is_none_or(|before| {
                let is_settled = before.consumed_by.is_some();
                (!is_settled || before.consumed_by == row.consumed_by)
                    && (before.is_held || !row.is_held)
            }),
            "I7: a token was used twice: {before:?}, then {row:?}"
        );
        ensure!(
            row.is_held || row.consumed_by.is_some(),
            "I7: a token was let go that nobody used or cleared: {row:?}"
        );
        // Of the version that the instance had then: a rerun may take another one.
        let upstream = tables
            .instances
            .get(&row.upstream_instance)
            .filter(|_| before.is_none());
        if let Some(content) = upstream.and_then(|it| library.contents.get(&it.version)) {
            let zone = content
                .coordinator
                .as_ref()
                .map_or(self.zone, |coordinator| self.zone_of(coordinator));
            ensure!(
                row.business_day == day(row.business_at, zone),
                "I7: a token has another business date than its success: {row:?}"
            );
        }
        if before.is_none_or(|before| before.consumed_by.is_none()) && row.consumed_by.is_some() {
            touched.consumed.push(row.clone());
        }
        Ok(())
    }

    /// An instance that fired by itself had what its rules ask for, and found room.
    pub(super) fn check_consumption(
        &self,
        tables: &Tables,
        library: &Library,
        row: &InstanceRow,
        touched: &Touched,
    ) -> Verdict {
        if !matches!(row.trigger, TriggerKind::Cron | TriggerKind::Dependency) {
            return Ok(());
        }
        let Some((content, coordinator)) = library
            .contents
            .get(&row.version)
            .and_then(|content| Some((content, content.coordinator.as_ref()?)))
        else {
            return Err(format!(
                "I1: instance {} of a workflow without coordinator fired by itself",
                row.id
            ));
        };
        for term in &coordinator.dependencies {
            ensure!(
                self.is_met(tables, coordinator, term, row, touched),
                "I7: instance {} began though {term:?} was not met",
                row.id
            );
        }
        // Open before this batch and after it: so it was when the instance began.
        let is_open = |other: &&InstanceRow| {
            let was_open = |before: &Option<InstanceRow>| {
                before
                    .as_ref()
                    .is_some_and(|before| !before.state.is_terminal() && before.run == other.run)
            };
            other.workflow == row.workflow
                && other.id != row.id
                && other.trigger != TriggerKind::Backfill
                && !other.state.is_terminal()
                && touched.before.get(&other.id).is_none_or(was_open)
        };
        if content.overlap == Overlap::Skip {
            let open = tables.instances.values().filter(is_open).count();
            let limit = usize::try_from(content.instance_limit).unwrap_or(0);
            ensure!(
                open < limit,
                "I16: instance {} began beside {open} others, though overlap is skip",
                row.id
            );
        }
        Ok(())
    }

    fn is_met(
        &self,
        tables: &Tables,
        coordinator: &Coordinator,
        term: &DependencyTerm,
        row: &InstanceRow,
        touched: &Touched,
    ) -> bool {
        let date = day(row.fire_time, self.zone_of(coordinator));
        term.dependencies().iter().any(|dependency| {
            if dependency.date == DateRule::Fresh {
                return touched.consumed.iter().any(|token| {
                    token.consumed_by == Some(row.id)
                        && token.upstream == dependency.workflow
                        && is_young(dependency, token, row)
                });
            }
            let has = |wanted: Option<i32>| {
                tables.tokens.values().any(|token| {
                    token.dependant == row.workflow
                        && token.upstream == dependency.workflow
                        && is_young(dependency, token, row)
                        && wanted.is_none_or(|day| token.business_day == day)
                })
            };
            match dependency.date {
                DateRule::Fresh | DateRule::Latest => has(None),
                DateRule::SameDay => has(Some(date)),
                DateRule::Previous => had_the_day_before(tables, coordinator, dependency, date),
                DateRule::AllOfLast(count) => dates_back(coordinator, date, count)
                    .into_iter()
                    .all(|day| has(Some(day))),
                DateRule::AnyOfLast(_) if coordinator.timing.calendar.is_some() => has(None),
                DateRule::AnyOfLast(count) => dates_back(coordinator, date, count)
                    .into_iter()
                    .any(|day| has(Some(day))),
            }
        })
    }
}

/// The day before, or an earlier one where a calendar takes days away.
fn had_the_day_before(
    tables: &Tables,
    coordinator: &Coordinator,
    dependency: &Dependency,
    date: i32,
) -> bool {
    let has_calendar = coordinator.timing.calendar.is_some();
    tables.tokens.values().any(|token| {
        token.upstream == dependency.workflow
            && (token.business_day == date - 1 || (has_calendar && token.business_day < date))
    })
}

/// The last so many dates. Where a calendar may take days away only the first of them is sure.
fn dates_back(coordinator: &Coordinator, date: i32, count: u32) -> Vec<i32> {
    let count = if coordinator.timing.calendar.is_some() {
        1
    } else {
        count as i32
    };
    (0..count).map(|back| date - back).collect()
}

fn is_young(dependency: &Dependency, token: &TokenRow, row: &InstanceRow) -> bool {
    dependency.max_age_seconds.is_none_or(|seconds| {
        row.created_at.since(token.given_at).as_millis() < 1_000 * (u128::from(seconds) + 1)
    })
}

fn day(at: Timestamp, zone: Tz) -> i32 {
    at.to_utc()
        .with_timezone(&zone)
        .date_naive()
        .num_days_from_ce()
}

/// A success that counts has given one token to each dependant.
pub(super) fn check_tokens_given(tables: &Tables, library: &Library, row: &InstanceRow) -> Verdict {
    for workflow in tables.workflows.values() {
        if workflow.status == WorkflowStatus::Deleted {
            continue;
        }
        let depends = library
            .contents
            .get(&workflow.version)
            .and_then(|content| content.coordinator.as_ref())
            .is_some_and(|coordinator| coordinator.depends.contains(&row.workflow));
        ensure!(
            !depends || tables.tokens.contains_key(&(row.id, workflow.name.clone())),
            "I7: instance {} gave no token to {}",
            row.id,
            workflow.name
        );
    }
    Ok(())
}
