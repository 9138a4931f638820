//! What people hold up stands still: compared is what was held before a batch and is held by the same person's word after it.

use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{Hold, InstanceRow};
use akkaflow_model::state::{InstanceState, NodeState};

use super::{Oracle, Touched, Verdict, ensure};
use crate::sim::tables::Tables;

impl Oracle {
    pub(super) fn check_holds(&self, tables: &Tables, touched: &Touched) -> Verdict {
        let is_frozen = is_frozen(tables, touched);
        ensure!(
            !is_frozen || touched.assigned.is_empty(),
            "H1: {:?} were dispatched while the cluster was frozen",
            touched.assigned
        );
        ensure!(
            !is_frozen || touched.fired_alone.is_empty(),
            "H1: {:?} fired while the cluster was frozen",
            touched.fired_alone
        );
        for (id, before) in &touched.before {
            let has_started = |row: &InstanceRow| {
                row.state == InstanceState::Ready
                    && tables
                        .instances
                        .get(id)
                        .is_some_and(|after| after.run == row.run && after.started_at.is_some())
            };
            ensure!(
                !is_frozen || !before.as_ref().is_some_and(has_started),
                "H1: instance {id} started while the cluster was frozen"
            );
        }
        for name in &touched.fired_alone {
            let after = tables.workflows.get(name).and_then(|row| row.hold.as_ref());
            let before = match touched.held_before.get(name) {
                Some(before) => before.as_ref(),
                None => after,
            };
            ensure!(
                !is_same(before, after),
                "H2: {name} fired while it was suspended"
            );
        }
        for key in &touched.assigned {
            let now = tables.instances.get(&key.instance);
            let before = touched
                .before
                .get(&key.instance)
                .map_or(now, Option::as_ref);
            let hold = |row: Option<&InstanceRow>| row.and_then(|row| row.hold.clone());
            ensure!(
                !is_same(hold(before).as_ref(), hold(now).as_ref()),
                "H3: attempt {key} begins while its instance is paused"
            );
            let is_marked = |row: Option<&InstanceRow>| {
                row.is_some_and(|row| {
                    row.run == key.run && row.marks.iter().any(|mark| mark.node == key.node)
                })
            };
            ensure!(
                !is_marked(before) || !is_marked(now),
                "H4: attempt {key} begins though its node was marked"
            );
        }
        self.check_begun(tables, touched, is_frozen)
    }

    /// What no worker runs stands still as well: no wait begins, no child is started.
    fn check_begun(&self, tables: &Tables, touched: &Touched, is_frozen: bool) -> Verdict {
        let is_held = |id: &InstanceId| {
            let now = tables.instances.get(id);
            let before = touched.before.get(id).map_or(now, Option::as_ref);
            let hold = |row: Option<&InstanceRow>| row.and_then(|row| row.hold.clone());
            is_same(hold(before).as_ref(), hold(now).as_ref())
        };
        for ((id, node), before) in &touched.nodes_before {
            let after = tables.nodes.get(&(*id, node.clone()));
            let has_begun = after.is_some_and(|after| {
                let had_begun = before
                    .as_ref()
                    .is_some_and(|it| it.run == after.run && it.started_at.is_some());
                after.state == NodeState::Running && after.attempts == 0 && !had_begun
            });
            ensure!(
                !has_begun || !(is_frozen || is_held(id)),
                "H5: the wait {id}/{node} begins while it is held up"
            );
        }
        for (id, _) in touched.before.iter().filter(|(_, row)| row.is_none()) {
            let child = tables.instances.get(id);
            let parent = child.and_then(|row| row.parent.as_ref());
            ensure!(
                parent.is_none_or(|parent| !is_frozen && !is_held(&parent.instance)),
                "H5: instance {id} is started for {parent:?}, which is held up"
            );
        }
        Ok(())
    }
}

fn is_frozen(tables: &Tables, touched: &Touched) -> bool {
    let after = tables.cluster.frozen.as_ref();
    let before = match &touched.frozen_before {
        Some(before) => before.as_ref(),
        None => after,
    };
    is_same(before, after)
}

/// Whether the same hold lasted over the whole batch.
fn is_same(before: Option<&Hold>, after: Option<&Hold>) -> bool {
    before.is_some() && before == after
}
