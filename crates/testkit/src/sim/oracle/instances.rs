//! Instances and their nodes: what never changes, what only goes forward, what holds at the end.

use std::collections::BTreeSet;

use akkaflow_model::record::{InstanceRow, NodeRow};
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
        row: &InstanceRow,
        touched: &mut Touched,
    ) -> Verdict {
        let before = tables.instances.get(&row.id);
        touched
            .before
            .entry(row.id)
            .or_insert_with(|| before.cloned());
        let is_running = matches!(row.state, InstanceState::Running | InstanceState::Suspended);
        let running = self.running.entry(row.workflow.clone()).or_default();
        if is_running {
            running.insert(row.id);
        } else {
            running.remove(&row.id);
        }
        values::check_pinned(tables, row, before, touched)?;
        let Some(before) = before else {
            values::check_only_child(tables, row)?;
            ensure!(
                row.run == 1,
                "I6: instance {} begins at run {}",
                row.id,
                row.run
            );
            if let Some(root) = row.chain {
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
                (&before.version, &before.params) == (&row.version, &row.params),
                "I11: instance {} changed its definition or parameters",
                row.id
            );
            ensure!(
                before == row || !before.state.is_terminal(),
                "I6: instance {} changed after its end: {before:?}, then {row:?}",
                row.id
            );
            ensure!(
                row.state != InstanceState::Ready || before.state == InstanceState::Ready,
                "I6: instance {} went back to the queue",
                row.id
            );
            ensure!(
                before.ending.is_none()
                    || before.ending == row.ending
                    || before.ending == Some(row.state),
                "I15: instance {} was ending as {:?} and is {:?}",
                row.id,
                before.ending,
                row.state
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
            values::check_no_orphan(tables, row)?;
            if row.state == InstanceState::Succeeded {
                let is_new = before.is_none_or(|before| !before.state.is_terminal());
                if is_new {
                    values::check_written(tables, library, row)?;
                }
                graph::check_success(tables, library, row)?;
            }
        }
        let gives = row.gave_tokens && before.is_none_or(|before| !before.gave_tokens);
        if gives && !touched.has_definitions {
            check_tokens_given(tables, library, row)?;
        }
        Ok(())
    }
}

pub(super) fn check_node(tables: &Tables, row: &NodeRow) -> Verdict {
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
        return Ok(());
    };
    ensure!(
        before == row || !before.state.is_terminal(),
        "I6: node {}/{} changed after its end: {before:?}, then {row:?}",
        row.instance,
        row.node
    );
    ensure!(
        before.ready_at == row.ready_at,
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
