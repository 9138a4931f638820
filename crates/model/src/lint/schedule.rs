//! Times that lie outside the schedule's own window.

use chrono::TimeDelta;
use chrono_tz::Tz;

use super::Lint;
use crate::code;
use crate::definition::Workflow;
use crate::text::Text;
use crate::time::Timestamp;

/// The zone is the cluster's and not known here: what is a day off may still be inside.
const ANY_ZONE: TimeDelta = TimeDelta::days(1);

impl Lint<'_> {
    pub(super) fn schedule(&mut self, workflow: &Workflow) {
        let Some(coordinator) = &workflow.coordinator else {
            return;
        };
        let Some(cron) = &coordinator.cron else {
            return;
        };
        let millis = |local: chrono::NaiveDateTime| {
            Timestamp::from_millis(local.and_utc().timestamp_millis())
        };
        let (Some(begin), Some(end)) = (
            coordinator.start_time.checked_sub_signed(ANY_ZONE),
            coordinator.end_time.checked_add_signed(ANY_ZONE),
        ) else {
            return;
        };
        let is_empty = coordinator.start_time > coordinator.end_time;
        // A time that never comes at all is reported by the reader.
        let next = cron.next_after(millis(begin), Tz::UTC);
        if is_empty || next.is_none_or(|next| next <= millis(end)) {
            return;
        }
        let span = self
            .root
            .elements_named("coordinator")
            .find_map(|coordinator| {
                let lists = coordinator.elements_named("depend-list");
                lists
                    .filter_map(|list| list.attribute("cron"))
                    .next()
                    .map(|cron| cron.value_span)
            });
        self.warning(
            code::NEVER_FIRES,
            span.unwrap_or(self.root.name_span),
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
