//! Instances and their nodes: what never changes, what only goes forward, what holds at the end.

use std::collections::BTreeSet;

use akkaflow_model::record::{CleanUp, InstanceRow, NodeRow, TriggerKind};
use akkaflow_model::state::InstanceState;

use super::tokens::check_tokens_given;
use super::{Oracle, Touched, Verdict, ensure, values};
use crate::sim::graph;
use crate::sim::tables::Tables;
use crate::sim::workload::Library;

impl Oracle {
    pub(super) fn check_instance(
        &mut self,
        tables: &Tables,
        library: &Library,
        row: &InstanceRow,
        touched: &mut Touched,
    ) -> Verdict {
        let before = tables.instances.get(&row.id);
        self.check_landing(library, row, before)?;
        touched
            .before
            .entry(row.id)
            .or_insert_with(|| before.cloned());
        let is_open = matches!(row.state, InstanceState::Running | InstanceState::Suspended);
        // One that was paused before it started takes nobody's place.
        let is_running = is_open && row.started_at.is_some();
        let running = self.running.entry(row.workflow.clone()).or_default();
        if is_running {
            running.insert(row.id);
        } else {
            running.remove(&row.id);
        }
        values::check_pinned(tables, row, before, touched)?;
        let Some(before) = before else {
            ensure!(
                row.run == 1,
                "I6: instance {} begins at run {}",
                row.id,
                row.run
            );
            // A backfill runs a workflow once for each of its dates.
            let chain = row.chain.filter(|_| row.trigger != TriggerKind::Backfill);
            if let Some(root) = chain {
                ensure!(
                    self.chain_members.insert((root, row.workflow.clone())),
                    "I7: chain {root} started {} twice",
                    row.workflow
                );
            }
            return Ok(());
        };
        ensure!(
            (
                &before.workflow,
                before.fire_time,
                before.trigger,
                before.created_at
            ) == (&row.workflow, row.fire_time, row.trigger, row.created_at),
            "I11: instance {} changed what never changes: {before:?}, then {row:?}",
            row.id
        );
        ensure!(
            row.gave_tokens || !before.gave_tokens,
            "I7: instance {} forgot that it gave tokens",
            row.id
        );
        if before.run == row.run {
            ensure!(
                self.steered.contains(&row.id)
                    || (&before.version, &before.params) == (&row.version, &row.params),
                "I11: instance {} changed its definition or parameters",
                row.id
            );
            ensure!(
                before == row || !before.state.is_terminal(),
                "I6: instance {} changed after its end: {before:?}, then {row:?}",
                row.id
            );
            ensure!(
                row.state != InstanceState::Ready || before.started_at.is_none(),
                "I6: instance {} went back to the queue",
                row.id
            );
            let end = row.ending.unwrap_or(row.state);
            ensure!(
                before
                    .ending
                    .is_none_or(|ending| may_become(before, ending, end)),
                "I15: instance {} was ending as {:?} and is {:?}",
                row.id,
                before.ending,
                row.state
            );
            ensure!(
                before.clean_up <= row.clean_up,
                "I6: the clean-up of {} went back",
                row.id
            );
        } else {
            ensure!(
                before.state.is_terminal() && row.run == before.run + 1,
                "I6: instance {} jumped from run {} ({:?}) to {}",
                row.id,
                before.run,
                before.state,
                row.run
            );
        }
        Ok(())
    }

    pub(super) fn check_instance_after(
        &self,
        tables: &Tables,
        library: &Library,
        row: &InstanceRow,
        before: Option<&InstanceRow>,
        touched: &Touched,
    ) -> Verdict {
        let id = row.id;
        if before.is_none() {
            let fires = touched.fired.get(&id).copied().unwrap_or_default();
            ensure!(fires == 1, "I1: instance {id} has {fires} fires");
            self.check_consumption(tables, library, row, touched)?;
            values::check_only_child(tables, row)?;
        }
        let limit = library
            .shapes
            .iter()
            .find(|shape| shape.name == row.workflow)
            .map_or(0, |shape| shape.instance_limit.max(0) as usize);
        let running = self.running.get(&row.workflow).map_or(0, BTreeSet::len);
        ensure!(
            running <= limit,
            "I16: {running} instances of {} run, its limit is {limit}",
            row.workflow
        );
        if row.state.is_terminal() {
            if let Some(open) = tables
                .nodes_of(id)
                .find(|node| node.run == row.run && !node.state.is_terminal())
            {
                return Err(format!("I6: instance {id} ended before node {}", open.node));
            }
            if let Some(open) = tables
                .attempts_of(id)
                .find(|attempt| !attempt.state.is_terminal())
            {
                return Err(format!(
                    "I6: instance {id} ended before attempt {}",
                    open.key
                ));
            }
            // An aborted backfill may have all of its instances killed.
            let asked = [Some(id), row.chain].into_iter().flatten();
            let kills = asked.filter_map(|id| self.kills.get(&id)).sum();
            graph::check_end(tables, library, row, kills)?;
            values::check_no_orphan(tables, row)?;
            let is_new = before.is_none_or(|before| !before.state.is_terminal());
            if row.state == InstanceState::Succeeded && is_new {
                values::check_written(tables, library, row, touched)?;
            }
        }
        if graph::must_stop(library, row) {
            let going_on = tables
                .attempts_of(id)
                .find(|attempt| !attempt.state.is_terminal() && attempt.cancel.is_none());
            ensure!(
                going_on.is_none(),
                "I15: attempt {:?} of an ending instance is not cancelled",
                going_on.map(|attempt| attempt.key.to_string())
            );
        }
        let gives = row.gave_tokens && before.is_none_or(|before| !before.gave_tokens);
        if gives && !touched.has_definitions {
            check_tokens_given(tables, library, row)?;
        }
        Ok(())
    }

    pub(super) fn check_node(&self, tables: &Tables, library: &Library, row: &NodeRow) -> Verdict {
        let Some(instance) = tables.instances.get(&row.instance) else {
            return Err(format!("I6: node {} has no instance", row.node));
        };
        ensure!(
            row.run == instance.run,
            "I6: node {}/{} is of run {}, its instance of {}",
            row.instance,
            row.node,
            row.run,
            instance.run
        );
        let Some(before) = tables
            .nodes
            .get(&(row.instance, row.node.clone()))
            .filter(|before| before.run == row.run)
        else {
            // The row of an instance that people steer may be written later in the batch than what follows from it.
            if self.steered.contains(&row.instance) {
                return Ok(());
            }
            return graph::check_new_node(tables, library, row);
        };
        // What a repair has taken away before it had ended, another one may bring back.
        let is_back = graph::is_removed(before) && self.steered.contains(&row.instance);
        ensure!(
            before == row || !before.state.is_terminal() || is_back,
            "I6: node {}/{} changed after its end: {before:?}, then {row:?}",
            row.instance,
            row.node
        );
        ensure!(
            before.ready_at == row.ready_at || is_back,
            "I6: node {}/{} was reached twice",
            row.instance,
            row.node
        );
        ensure!(
            before.failures <= row.failures && before.attempts <= row.attempts,
            "I16: node {}/{} forgot attempts",
            row.instance,
            row.node
        );
        Ok(())
    }
}

/// How an instance ends is decided once; but a kill does not wait for what may finish, and the clean-up of a success may
/// end it badly.
fn may_become(before: &InstanceRow, ending: InstanceState, end: InstanceState) -> bool {
    let is_killed = end == InstanceState::Killed && before.clean_up == CleanUp::Ahead;
    end == ending || ending == InstanceState::Succeeded || is_killed
}
