//! Landing time: an instance with a deadline is warned of before it misses it, and once it has.
//!
//! How long its nodes usually take is handed in (see [`crate::Effect::Learn`]). From that follows for each node until when
//! it may start or end at the latest, so that a timer for each node that has not ended is all that is needed: nothing is
//! reckoned anew on a tick.

mod path;
mod reckoning;

use std::time::Duration;

use akkaflow_model::id::InstanceId;
use akkaflow_model::landing::{Landing, LandingNotice, UsualTime};
use akkaflow_model::record::TriggerKind;
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::time::Timestamp;

pub(crate) use reckoning::Reckoning;

use crate::Engine;
use crate::Known;
use crate::effect::Effect;
use crate::graph::{Graph, Runner};
use crate::instances::Instance;
use crate::timers::Timer;

impl Engine {
    /// The deadline of an instance that is made now; none for what was late before anybody asked for it.
    pub(crate) fn landing_of(
        &self,
        graph: &Graph,
        trigger: TriggerKind,
        fire_time: Timestamp,
    ) -> Option<Landing> {
        let workflow = graph.workflow()?;
        let deadline = workflow.coordinator.as_ref()?.deadline?;
        let deadline = deadline.at(fire_time, self.zone_of(Some(workflow)));
        let applies = match trigger {
            TriggerKind::Cron | TriggerKind::Dependency => true,
            TriggerKind::Trigger
            | TriggerKind::Blood
            | TriggerKind::Run
            | TriggerKind::SubWorkflow => deadline > self.now,
            TriggerKind::Backfill => false,
        };
        applies.then_some(Landing {
            deadline,
            usual: None,
            late: None,
            missed: None,
        })
    }

    /// Asks how long the nodes usually take, where nobody has said so yet.
    pub(crate) fn ask_usual(&mut self, id: InstanceId) {
        let Some(instance) = self.instances.get(&id) else {
            return;
        };
        let landing = instance.row.landing.as_ref();
        if landing.is_some_and(|landing| landing.usual.is_none()) {
            self.out.effect(Effect::Learn {
                instance: id,
                workflow: instance.row.workflow.clone(),
            });
        }
    }

    /// How long the nodes of an instance usually take. The first word counts.
    pub(crate) fn on_usual(&mut self, id: InstanceId, nodes: &[Known]) {
        let is_asked = |instance: &&mut Instance| {
            let landing = instance.row.landing.as_ref();
            landing.is_some_and(|landing| landing.usual.is_none())
                && !instance.row.state.is_terminal()
        };
        let Some(instance) = self.instances.get_mut(&id).filter(is_asked) else {
            return;
        };
        let graph = instance.graph.clone();
        // One that it does not have now a repair may add.
        let usual = nodes.iter().map(|known| {
            let node = graph.position(&known.node);
            let looks = node.is_some_and(|node| graph.vertex(node).runner == Runner::Look);
            UsualTime {
                node: known.node.clone(),
                ms: if looks {
                    known.whole_ms
                } else {
                    known.attempt_ms
                },
            }
        });
        let usual = usual.collect();
        self.change_landing(id, |landing| landing.usual = Some(usual));
    }

    /// Changes what is known of an instance's landing, with the timers that rest on it.
    fn change_landing(&mut self, id: InstanceId, change: impl FnOnce(&mut Landing)) {
        self.set_landing_timers(id, false);
        if let Some(instance) = self.instances.get_mut(&id) {
            if let Some(landing) = &mut instance.row.landing {
                change(landing);
            }
            instance.reckon();
        }
        self.set_landing_timers(id, true);
        self.touch(id);
    }

    /// Sets or clears all timers that rest on an instance's landing.
    fn set_landing_timers(&mut self, id: InstanceId, are_set: bool) {
        let Some(instance) = self.instances.get(&id) else {
            return;
        };
        let of_nodes = (0..instance.slots.len()).filter_map(|node| instance.late_timer(node));
        let timers = of_nodes.chain(instance.landing_timers()).collect();
        self.set_timers(timers, are_set);
    }

    /// Stops the timers of the instance itself; call before its state changes.
    pub(crate) fn stop_landing(&mut self, id: InstanceId) {
        self.set_timers(self.landing_timers(id), false);
    }

    /// Starts them; call after its state has changed.
    pub(crate) fn resume_landing(&mut self, id: InstanceId) {
        self.set_timers(self.landing_timers(id), true);
    }

    fn landing_timers(&self, id: InstanceId) -> Vec<(Timestamp, Timer)> {
        let instance = self.instances.get(&id);
        instance.map_or_else(Vec::new, |it| it.landing_timers().collect())
    }

    fn set_timers(&mut self, timers: Vec<(Timestamp, Timer)>, are_set: bool) {
        for (at, timer) in timers {
            if are_set {
                self.timers.set(at, timer);
            } else {
                self.timers.clear(at, timer);
            }
        }
    }

    /// The instance can no longer be expected in time, or its deadline has passed.
    pub(crate) fn on_landing(&mut self, id: InstanceId) {
        let now = self.now;
        let Some(instance) = self.instances.get(&id) else {
            return;
        };
        let Some(deadline) = instance
            .row
            .landing
            .as_ref()
            .map(|landing| landing.deadline)
        else {
            return;
        };
        let notice = instance.landing_notice(now);
        self.change_landing(id, |landing| {
            if now > deadline {
                landing.missed.get_or_insert(notice);
            } else {
                landing.late.get_or_insert(notice);
            }
        });
    }

    /// An instance that ends after its deadline has missed it, whatever is served first.
    pub(crate) fn miss_at_end(&mut self, id: InstanceId) {
        let is_missed = |instance: &Instance| {
            let landing = instance.row.landing.as_ref();
            landing.is_some_and(|landing| landing.missed.is_none() && self.now > landing.deadline)
        };
        if self.instances.get(&id).is_some_and(is_missed) {
            self.on_landing(id);
        }
    }
}

impl Instance {
    /// Takes what is known of how long its nodes take.
    pub(crate) fn reckon(&mut self) {
        let usual = self.row.landing.as_ref().and_then(|it| it.usual.as_ref());
        self.reckoning = usual.map(|usual| Box::new(Reckoning::of(&self.graph, usual)));
    }

    /// Whether it is expected to end too late and nothing has been said of that: reckoned from its rows anew.
    pub(crate) fn is_expected_late(&self, now: Timestamp) -> bool {
        self.unwarned().is_some_and(|(deadline, reckoning)| {
            now <= deadline && reckoning.total > 0 && self.critical_path(now).expected > deadline
        })
    }

    fn landing_notice(&self, now: Timestamp) -> LandingNotice {
        let found = self.critical_path(now);
        LandingNotice {
            at: now,
            run: self.row.run,
            was_waiting: self.row.started_at.is_none(),
            expected: found.expected,
            blame: found.blame,
            path: found.path,
        }
    }

    /// The timers of the instance itself: for its deadline, and while it is in its queue for when it must leave it.
    pub(crate) fn landing_timers(&self) -> impl Iterator<Item = (Timestamp, Timer)> + use<> {
        let id = self.row.id;
        let landing = self.row.landing.as_ref();
        let landing = landing.filter(|_| !self.row.state.is_terminal());
        let missed = landing
            .filter(|landing| landing.missed.is_none())
            .map(|landing| (after(landing.deadline), Timer::Missed(id)));
        let start = self.unwarned().and_then(|(deadline, reckoning)| {
            let latest = back(deadline, reckoning.total);
            (self.row.started_at.is_none() && reckoning.total > 0)
                .then(|| (after(latest), Timer::LateStart(id)))
        });
        missed.into_iter().chain(start)
    }

    /// When the node makes its instance late, unless it starts or ends before.
    pub(crate) fn late_timer(&self, node: usize) -> Option<(Timestamp, Timer)> {
        let (deadline, reckoning) = self.unwarned()?;
        let active = self.active(node, reckoning)?;
        let latest = back(deadline, reckoning.after(node));
        let at = if active.end() > latest {
            // At once: no time of a row will do, the clock of the master that wrote it may have been ahead of this one.
            Timestamp::default()
        } else if active.runs {
            after(active.still_in_time(latest))
        } else {
            after(back(latest, active.usual))
        };
        (at <= deadline).then_some((at, Timer::Late(self.row.id, node)))
    }

    /// Deadline and reckoning, while a warning may still come.
    fn unwarned(&self) -> Option<(Timestamp, &Reckoning)> {
        let landing = self.row.landing.as_ref()?;
        let goes_well = matches!(self.row.ending, None | Some(InstanceState::Succeeded));
        let is_open = goes_well && !self.row.state.is_terminal();
        (is_open && landing.late.is_none() && landing.missed.is_none())
            .then_some((landing.deadline, self.reckoning.as_deref()?))
    }

    /// How far a node is that has been reached and has not ended.
    fn active(&self, node: usize, reckoning: &Reckoning) -> Option<Active> {
        let row = self.node(node).filter(|row| !row.state.is_terminal())?;
        let usual = reckoning.usual[node];
        let runner = self.graph.vertex(node).runner;
        let attempt = self.slots[node].attempt.as_deref();
        let begun = match runner {
            Runner::Worker => attempt.map(|attempt| attempt.assigned_at),
            Runner::Timer | Runner::Look | Runner::Child | Runner::Mail => row.started_at,
        };
        let is_idle = matches!(row.state, NodeState::Suspended | NodeState::Ready);
        let from = begun.filter(|_| attempt.is_some() || !is_idle);
        Some(match (from, row.retry_at) {
            // A wait for a moment ends then.
            (Some(from), Some(at)) if runner == Runner::Timer => Active {
                from,
                usual: u64::try_from(at.since(from).as_millis()).unwrap_or(u64::MAX),
                runs: true,
                may_drag_on: false,
            },
            (Some(from), _) => Active {
                from,
                usual,
                runs: true,
                may_drag_on: reckoning.is_known[node],
            },
            (None, retry_at) => Active {
                from: retry_at.unwrap_or(row.ready_at).max(row.ready_at),
                usual,
                runs: false,
                may_drag_on: false,
            },
        })
    }
}

/// A node that has been reached and has not ended.
#[derive(Debug, Clone, Copy)]
struct Active {
    /// Since when it runs, or from when it may.
    from: Timestamp,
    /// How long it usually takes from then.
    usual: u64,
    runs: bool,
    /// Whether it takes longer still once it has taken longer than usual. Else a last node that hangs would be found out
    /// with the deadline only.
    may_drag_on: bool,
}

impl Active {
    /// When it ends if it takes as long as usual.
    fn end(self) -> Timestamp {
        self.end_from(self.from)
    }

    fn end_from(self, from: Timestamp) -> Timestamp {
        Timestamp::from_millis(from.as_millis().saturating_add_unsigned(self.usual))
    }

    /// How long it has gone on by `now` after it usually ends.
    fn over(self, now: Timestamp) -> Duration {
        now.since(self.end())
    }

    /// By how much more it is expected to go on: as much again.
    fn drag(self, now: Timestamp) -> Duration {
        if self.may_drag_on {
            self.over(now)
        } else {
            Duration::ZERO
        }
    }

    /// The last moment at which it is expected to end by `latest`, while it runs.
    fn still_in_time(self, latest: Timestamp) -> Timestamp {
        if self.may_drag_on {
            self.end().plus(self.over(latest) / 2)
        } else {
            latest
        }
    }

    /// When it is expected to end at `now`, when it has not.
    fn end_at(self, now: Timestamp) -> Timestamp {
        if self.runs {
            self.end().max(now).plus(self.drag(now))
        } else {
            self.end_from(self.from.max(now))
        }
    }
}

/// The first moment after it.
fn after(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(1))
}

fn back(at: Timestamp, ms: u64) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_sub_unsigned(ms))
}
