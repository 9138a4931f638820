//! Checks of the whole: now and then, and at the end, when everything should have come to rest.

use akkaflow_engine::{Engine, ExplainObject, Reason};
use akkaflow_model::record::InstanceRow;
use akkaflow_model::state::{InstanceState, NodeState};

use super::explained::check_explained;
use super::plan::SECOND;
use super::world::World;

/// In the quiet time nothing may stand still for longer, in milliseconds.
const PATIENCE: i64 = 150 * SECOND as i64;

/// See [`World::check_replay`].
const REPLAYED: u64 = 4;

impl World {
    /// Everything that must hold between two inputs.
    pub(crate) fn check_fully(&mut self, index: usize) {
        let Some(reign) = &self.masters[index].reign else {
            return;
        };
        let verdict = reign
            .engine
            .check_invariants()
            .and_then(|()| self.oracle.check_counts(&self.store.tables));
        let digest = reign.engine.digest();
        let now = reign.time(self.now);
        let is_at_rest = reign.engine.next_deadline().is_none_or(|at| at > now);
        let explained = if is_at_rest {
            check_explained(&reign.engine)
        } else {
            Ok(())
        };
        self.judge(verdict);
        self.judge(explained);
        self.note(digest);
        self.check_reload(index);
    }

    /// A master that loaded the rows now would stand where the leading one stands.
    fn check_reload(&mut self, index: usize) {
        let Some(reign) = &self.masters[index].reign else {
            return;
        };
        let is_newest = self
            .store
            .lease
            .as_ref()
            .is_some_and(|lease| lease.epoch == reign.epoch);
        if !reign.pipeline.is_idle() || !is_newest {
            return;
        }
        let now = reign.time(self.now);
        let snapshot = self.store.tables.snapshot(now);
        let definitions = self.library.named_by(&snapshot);
        let loaded = Engine::load(reign.options.clone(), snapshot, definitions);
        let verdict = loaded.check_invariants();
        let is_same = loaded.digest() == reign.engine.digest();
        self.judge(verdict.map_err(|text| format!("I11: after a load: {text}")));
        if !is_same {
            self.fail("I11: the rows do not give the state back".to_owned());
        }
    }

    /// The journal's inputs give the same state again. In one history of so many: it costs as much as living them.
    fn check_replay(&mut self, index: usize) {
        let Some(reign) = &self.masters[index].reign else {
            return;
        };
        let mut again = Engine::load(
            reign.options.clone(),
            reign.beginning.clone(),
            self.library.named_by(&reign.beginning),
        );
        for (time, input) in &reign.inputs {
            again.step(*time, input.clone());
        }
        if again.digest() != reign.engine.digest() {
            self.fail("I11: a replay of the inputs gives another state".to_owned());
        }
    }

    /// After the quiet time.
    pub(crate) fn check_end(&mut self) {
        let Some(index) = self.leading() else {
            self.fail("L1: nobody leads after the quiet time".to_owned());
            return;
        };
        self.check_fully(index);
        if self.seed.is_multiple_of(REPLAYED) {
            self.check_replay(index);
        }
        let Some(reign) = &self.masters[index].reign else {
            return;
        };
        let now = reign.time(self.now);
        let mut stuck = None;
        for workflow in self.store.tables.workflows.values() {
            let late = reign
                .engine
                .next_fire(&workflow.name)
                .is_some_and(|slot| now.as_millis() - slot.as_millis() > PATIENCE);
            if late {
                stuck = Some(format!("I12: {} missed its slot", workflow.name));
            }
        }
        for backfill in reign.engine.backfills() {
            // What keeps it open is named, or runs.
            let runs = reign.engine.backfill_runs(backfill.id);
            if runs.iter().all(|run| run.state.is_good()) {
                stuck = Some(format!("B6: backfill {} is good and open", backfill.id));
            }
        }
        for instance in reign.engine.open_instances() {
            let age = now.as_millis() - instance.created_at.as_millis();
            if age > PATIENCE
                && let Err(text) = self.check_moves(&reign.engine, instance, now.as_millis())
            {
                stuck = Some(text);
            }
        }
        if let Some(text) = stuck {
            self.fail(text);
        }
    }

    /// An open instance has something that moves it, or a reason.
    fn check_moves(&self, engine: &Engine, instance: &InstanceRow, now: i64) -> Result<(), String> {
        let id = instance.id;
        if matches!(
            instance.state,
            InstanceState::Ready | InstanceState::Suspended
        ) {
            let reasons = engine.explain(&ExplainObject::Instance(id));
            return if reasons.iter().all(Reason::is_of_deadline) {
                Err(format!("L5: instance {id} waits without a reason"))
            } else {
                Ok(())
            };
        }
        for attempt in engine.attempts(id) {
            let age = now - attempt.assigned_at.as_millis();
            let is_alive = self.processes.live.contains_key(&attempt.key);
            if age > PATIENCE && !is_alive {
                return Err(format!(
                    "L3: attempt {} is {:?} since {age} ms and nothing runs",
                    attempt.key, attempt.state
                ));
            }
            if age > PATIENCE + 2 * self.plan.longest_run as i64 {
                return Err(format!("L3: attempt {} never ends", attempt.key));
            }
        }
        for node in engine.nodes(id) {
            let is_waiting = matches!(node.state, NodeState::Ready | NodeState::Suspended);
            let object = ExplainObject::Node {
                instance: id,
                node: node.node.to_string(),
            };
            if is_waiting && engine.explain(&object).is_empty() {
                return Err(format!(
                    "L2: node {}/{} waits without a reason",
                    id, node.node
                ));
            }
            let is_late = node
                .retry_at
                .is_some_and(|at| now - at.as_millis() > PATIENCE);
            if is_late {
                return Err(format!("L2: node {}/{} missed its retry", id, node.node));
            }
        }
        Ok(())
    }
}
