//! What happens to a fire while other instances fill its workflow's limit. What people ask for always waits its turn.

use akkaflow_model::definition::Overlap;
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::Message;
use akkaflow_model::record::{FireRow, FireState, Record, SkipReason, TriggerKind};
use akkaflow_model::state::InstanceState;
use akkaflow_model::text::Text;

use crate::Engine;
use crate::schedule::Ready;
use crate::tokens;
use crate::workflows::Entry;

impl Engine {
    /// Whether a fire makes no instance, because others fill the limit. Those of a backfill do not count: they would cost
    /// production its slots.
    pub(crate) fn must_skip(&self, name: &str) -> bool {
        let is_production = |id: &&InstanceId| !self.is_of_backfill(**id);
        self.workflows.get(name).is_some_and(|entry| {
            entry.overlap() == Overlap::Skip
                && entry.open().filter(is_production).count() >= entry.limit()
        })
    }

    /// The fire is recorded, and makes no instance. One that tokens alone have caused uses them up: else it would come
    /// again at once.
    pub(crate) fn skip_for_overlap(&mut self, name: &str, ready: &Ready) {
        self.out.record(Record::Fire(FireRow {
            workflow: name.to_owned(),
            kind: ready.kind,
            generation: ready.generation,
            key: ready.key.clone(),
            due_at: ready.due_at,
            state: FireState::Skipped,
            instance: None,
            through: None,
            reason: Some(SkipReason::Overlap),
        }));
        if ready.kind == TriggerKind::Dependency {
            self.consume_tokens(name, tokens::cleared(), ready.day);
        }
    }

    /// Kills what keeps a new instance from starting, the oldest first: what runs, else what a schedule has put into the
    /// queue before it. What is being ended already makes room by itself, and what a backfill has started ends in its time.
    pub(crate) fn make_room(&mut self, name: &str, new: InstanceId) {
        let Some(entry) = self
            .workflows
            .get(name)
            .filter(|entry| entry.overlap() == Overlap::CancelRunning)
        else {
            return;
        };
        let is_ending = |id: &InstanceId| {
            self.instances
                .get(id)
                .is_none_or(|instance| instance.row.ending.is_some())
        };
        let is_fired = |id: &InstanceId| {
            self.instances.get(id).is_some_and(|instance| {
                matches!(
                    instance.row.trigger,
                    TriggerKind::Cron | TriggerKind::Dependency
                )
            })
        };
        let running = entry.running.iter().map(|(_, id)| *id);
        let running: Vec<InstanceId> = running
            .filter(|id| !is_ending(id) && !self.is_of_backfill(*id))
            .collect();
        let queued = entry.queue.iter().map(|(_, id)| *id);
        let queued: Vec<InstanceId> = queued.filter(|id| *id != new && is_fired(id)).collect();
        let surplus = (running.len() + entry.queue.len()).saturating_sub(entry.limit());
        for id in running.into_iter().chain(queued).take(surplus) {
            let text = Text::new(
                format!("为新实例{new}让位而被杀死（overlap为cancel-running）"),
                format!("killed for the new instance {new}: overlap is cancel-running"),
            );
            self.end_from_outside(id, InstanceState::Killed, Message::said(text));
        }
    }
}

impl Entry {
    fn overlap(&self) -> Overlap {
        self.definition
            .as_ref()
            .map_or(Overlap::Queue, |definition| definition.overlap)
    }

    fn limit(&self) -> usize {
        self.definition.as_ref().map_or(0, |definition| {
            usize::try_from(definition.instance_limit).unwrap_or(0)
        })
    }

    /// Instances that run, wait to, or were paused before they began.
    fn open(&self) -> impl Iterator<Item = &InstanceId> {
        let all = self.running.iter().chain(&self.queue).chain(&self.paused);
        all.map(|(_, id)| id)
    }
}
