//! Times that lie outside the schedule's own window, and times that stand twice.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use chrono_tz::Tz;

use super::Lint;
use crate::code;
use crate::definition::{Coordinator, Workflow};
use crate::element::{Attribute, Element};
use crate::text::Text;
use crate::time::Timestamp;

impl Lint<'_> {
    pub(super) fn schedule(&mut self, workflow: &Workflow) {
        let Some(coordinator) = &workflow.coordinator else {
            return;
        };
        let crons: Vec<&Attribute> = self
            .root
            .elements_named("coordinator")
            .flat_map(crons)
            .collect();
        self.repeated_crons(&crons);
        if fires_outside_only(coordinator) {
            self.outside_window(crons.first().copied());
        }
    }

    fn repeated_crons(&mut self, crons: &[&Attribute]) {
        let mut first: BTreeMap<Vec<&str>, &Attribute> = BTreeMap::new();
        for &cron in crons {
            match first.entry(cron.value.split_whitespace().collect()) {
                Entry::Vacant(entry) => {
                    entry.insert(cron);
                }
                Entry::Occupied(earlier) => {
                    let line = self.line(earlier.get().value_span);
                    self.warning(
                        code::REPEATED_CRON,
                        cron.value_span,
                        Text::new(
                            format!("与第{line}行的cron相同"),
                            format!("it is the same as the cron in line {line}"),
                        ),
                        Text::new("请删除其中之一", "remove one of them"),
                    );
                }
            }
        }
    }

    fn outside_window(&mut self, cron: Option<&Attribute>) {
        let span = cron.map_or(self.root.name_span, |cron| cron.value_span);
        self.warning(
            code::NEVER_FIRES,
            span,
            Text::new(
                "在start-time与end-time之间没有任何触发时间",
                "no such time lies between start-time and end-time, so it never fires",
            ),
            Text::new(
                "请放宽有效期，或修改cron",
                "widen the window, or change the times",
            ),
        );
    }
}

/// The expressions of a coordinator.
fn crons(coordinator: &Element) -> impl Iterator<Item = &Attribute> {
    let lists = coordinator
        .elements_named("depend-list")
        .filter_map(|list| list.attribute("cron"));
    let others = coordinator
        .elements_named("cron")
        .filter_map(|cron| cron.attribute("expression"));
    lists
        .chain(others)
        .filter(|cron| !cron.value.trim().is_empty())
}

/// Whether it would fire, were it not for its window. A window that is empty, and times that never come at all, are
/// reported by the reader. The zone may be the cluster's and not known here; but the window and the times are read in the
/// same one.
fn fires_outside_only(coordinator: &Coordinator) -> bool {
    let mut schedule = coordinator.schedule(Tz::UTC, None);
    if schedule.is_empty() || coordinator.start_time > coordinator.end_time {
        return false;
    }
    let long_ago = Timestamp::from_millis(0);
    if schedule.next_after(long_ago).is_some() {
        return false;
    }
    schedule.window = (None, None);
    schedule.next_after(long_ago).is_some()
}
