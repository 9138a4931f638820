//! Who goes first, and what of a pool may be held: worked out from the rows alone.

use akkaflow_model::definition::ActionNode;
use akkaflow_model::id::AttemptKey;
use akkaflow_model::record::{InstanceRow, NodeRow, TriggerKind};
use akkaflow_model::state::{InstanceState, NodeState};

use super::{Oracle, Touched, Verdict, ensure};
use crate::sim::graph;
use crate::sim::nesting;
use crate::sim::tables::Tables;
use crate::sim::workload::Library;

/// What a step of priority is worth, in milliseconds of waiting.
const STEP: i64 = 60_000;

impl Oracle {
    pub(super) fn check_dispatch(
        &self,
        tables: &Tables,
        library: &Library,
        touched: &Touched,
        key: &AttemptKey,
    ) -> Verdict {
        let Some(instance) = tables.instances.get(&key.instance) else {
            return Ok(());
        };
        if self.steered.contains(&instance.id) || instance.run != key.run {
            return Ok(());
        }
        let Some((action, priority)) = action_of(library, instance, &key.node) else {
            return Ok(());
        };
        self.check_labels(tables, action, key)?;
        self.check_pool(tables, library, touched, action, key)?;
        let Some(row) = tables.nodes.get(&(key.instance, key.node.clone())) else {
            return Ok(());
        };
        let rank = rank(row, priority);
        for other in tables.instances.values() {
            // What has just changed may have waited for something else a moment ago.
            let stands_still = other.state == InstanceState::Running
                && other.ending.is_none()
                && !touched.before.contains_key(&other.id);
            if !stands_still {
                continue;
            }
            for waiting in tables.nodes_of(other.id) {
                let is_waiting = waiting.state == NodeState::Ready && waiting.run == other.run;
                let asked = action_of(library, other, &waiting.node)
                    .filter(|(action, _)| is_waiting && !nesting::is_own(action));
                let Some((asks, its_priority)) = asked else {
                    continue;
                };
                let is_alike = (&asks.host, &asks.worker_labels, &asks.pool)
                    == (&action.host, &action.worker_labels, &action.pool);
                ensure!(
                    !is_alike || self::rank(waiting, its_priority) >= rank,
                    "A1: attempt {key} begins before node {}/{}, which comes first",
                    other.id,
                    waiting.node
                );
            }
        }
        Ok(())
    }

    fn check_labels(&self, tables: &Tables, action: &ActionNode, key: &AttemptKey) -> Verdict {
        let worker = tables.attempts.get(key).map(|row| &row.worker);
        let labels = worker.and_then(|worker| self.labels.get(worker));
        let has = |label: &String| labels.is_some_and(|labels| labels.contains(label));
        ensure!(
            action.worker_labels.iter().all(has),
            "I6: attempt {key} requires labels {:?} and was given to {worker:?}",
            action.worker_labels
        );
        Ok(())
    }

    /// Open attempts hold no more of a pool than it has, over changes of masters too.
    fn check_pool(
        &self,
        tables: &Tables,
        library: &Library,
        touched: &Touched,
        action: &ActionNode,
        key: &AttemptKey,
    ) -> Verdict {
        let Some(pool) = &action.pool else {
            return Ok(());
        };
        let now = tables.pools.get(&pool.name).and_then(|row| row.slots);
        let size = now
            .unwrap_or(0)
            .max(touched.pool_sizes.get(&pool.name).copied().unwrap_or(0));
        let mut held = 0;
        for open in self.open_by_worker.values().flatten() {
            let its_pool = tables
                .instances
                .get(&open.instance)
                .and_then(|instance| action_of(library, instance, &open.node))
                .and_then(|(action, _)| action.pool.as_ref());
            if let Some(its_pool) = its_pool.filter(|its_pool| its_pool.name == pool.name) {
                held += its_pool.slots;
            }
        }
        ensure!(
            held <= size,
            "I16: with attempt {key} {held} of {size} of pool {} are held",
            pool.name
        );
        Ok(())
    }
}

fn rank(row: &NodeRow, priority: i32) -> i64 {
    row.ready_at.as_millis() - i64::from(priority) * STEP
}

fn action_of<'a>(
    library: &'a Library,
    instance: &InstanceRow,
    node: &str,
) -> Option<(&'a ActionNode, i32)> {
    let workflow = library.contents.get(&instance.version)?;
    let action = graph::action(workflow, node)?;
    let priority = action.priority.unwrap_or(workflow.priority);
    // What a backfill runs comes behind what becomes ready within an hour after it.
    let behind = match instance.trigger {
        TriggerKind::Backfill => 60,
        _ => 0,
    };
    Some((action, priority - behind))
}
