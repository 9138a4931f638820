//! Values: what nodes hand on, what is kept between runs; children, and waits.

use akkaflow_model::id::{AttemptKey, Name};
use akkaflow_model::message::Message;
use akkaflow_model::record::{InstanceRow, NodeRow, TriggerKind};
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::wait::Wait;

use super::{Touched, Verdict, ensure};
use crate::sim::graph;
use crate::sim::nesting::{INITIAL, OUTPUT, STATE, seconds_of};
use crate::sim::processes::handed_on;
use crate::sim::tables::Tables;
use crate::sim::workload::Library;

/// A success has handed on what its last attempt gave; one that a rerun keeps, what it had. A wait has lasted.
pub(super) fn check_handed_on(tables: &Tables, library: &Library, row: &NodeRow) -> Verdict {
    let instance = tables.instances.get(&row.instance);
    let action = instance
        .and_then(|instance| library.contents.get(&instance.version))
        .and_then(|workflow| graph::action(workflow, &row.node));
    let (Some(action), NodeState::Succeeded) = (action, row.state) else {
        return Ok(());
    };
    let before = tables.nodes.get(&(row.instance, row.node.clone()));
    // A repair writes all rows again.
    let kept =
        before.filter(|before| before.state.is_terminal() && before.ended_at == row.ended_at);
    if let Some(kept) = kept {
        ensure!(
            kept.outputs == row.outputs,
            "V1: node {}/{} had ended and handed on {:?}, before {:?}",
            row.instance,
            row.node,
            row.outputs,
            kept.outputs
        );
        return Ok(());
    }
    let is_ignored = matches!(row.message, Some(Message::Ignored | Message::Marked { .. }));
    if action.tag == Wait::TAG && !is_ignored {
        let waited = row
            .ended_at
            .zip(row.started_at)
            .map(|(end, start)| end.since(start));
        let wanted = seconds_of(action).unwrap_or_default();
        ensure!(
            waited.is_some_and(|waited| waited.as_secs() >= wanted),
            "V4: the wait {}/{} of {wanted} s lasted {waited:?}",
            row.instance,
            row.node
        );
    }
    let key = AttemptKey {
        instance: row.instance,
        node: row.node.clone(),
        run: row.run,
        attempt: row.attempts,
    };
    let mut wanted = Vec::new();
    if !action.outputs.is_empty() && !is_ignored {
        let value = handed_on(&key).ok_or_else(|| {
            format!("V1: node {key} succeeded without the output that it declares")
        })?;
        wanted.push((OUTPUT.to_owned(), value));
    }
    ensure!(
        row.outputs == wanted,
        "V1: attempt {key} handed on {wanted:?}, its node has {:?}",
        row.outputs
    );
    Ok(())
}

/// `text` holds pieces `node=value;`: each value is what that node has handed on in this run.
pub(crate) fn check_outputs_used(tables: &Tables, key: &AttemptKey, text: &str) -> Verdict {
    let pieces = text.split(';').filter_map(|piece| piece.rsplit_once(' '));
    for (node, value) in pieces.filter_map(|(_, piece)| piece.split_once('=')) {
        let row = tables.nodes.get(&(key.instance, Name::from(node)));
        let durable = row
            .filter(|row| row.run == key.run)
            .and_then(|row| row.outputs.first());
        ensure!(
            durable.is_some_and(|(_, known)| known == value),
            "V1: attempt {key} uses {value} of node {node}, which has {durable:?}"
        );
    }
    Ok(())
}

/// What an instance has read never changes, and was there when it was read.
pub(super) fn check_pinned(
    tables: &Tables,
    row: &InstanceRow,
    before: Option<&InstanceRow>,
    touched: &mut Touched,
) -> Verdict {
    let earlier = before.and_then(|before| before.pinned.as_ref());
    match (earlier, &row.pinned) {
        (None, None) => {}
        (Some(earlier), now) => {
            let is_kept = now
                .as_ref()
                .is_some_and(|now| now.at == earlier.at && now.values.starts_with(&earlier.values));
            ensure!(
                is_kept,
                "V2: instance {} had read {earlier:?}, now {now:?}",
                row.id
            );
        }
        (None, Some(now)) => {
            let key = (row.workflow.clone(), STATE.to_owned());
            let known = tables.states.get(&key).cloned();
            touched
                .pinned
                .push((row.workflow.clone(), now.clone(), known));
        }
    }
    Ok(())
}

/// States are written by successes only, with what their nodes have handed on, and never by an older date.
pub(super) fn check_states(tables: &Tables, library: &Library, touched: &Touched) -> Verdict {
    for (row, before) in &touched.states {
        let Some(id) = row.instance else {
            continue;
        };
        let instance = tables.instances.get(&id);
        ensure!(
            instance.is_none_or(|it| it.state == InstanceState::Succeeded),
            "V2: instance {id} wrote the state of {} and is {:?}",
            row.workflow,
            instance.map(|it| it.state)
        );
        if let Some(instance) = instance {
            ensure!(
                instance.trigger != TriggerKind::Backfill,
                "V2: the backfilled instance {id} wrote the state of {}",
                row.workflow
            );
            let value = output_for_state(tables, library, instance);
            ensure!(
                value.as_ref() == Some(&row.value),
                "V2: instance {id} wrote {:?}, its node has {value:?}",
                row.value
            );
        }
        let is_older = before.as_ref().is_some_and(|before| {
            before.instance.is_some_and(|writer| writer != id) && before.fire_time > row.fire_time
        });
        ensure!(!is_older, "V2: {row:?} replaced the newer {before:?}");
    }
    for (workflow, pinned, before) in &touched.pinned {
        for (name, value) in &pinned.values {
            let known = before.as_ref().map_or(INITIAL, |row| &row.value);
            let mut written = touched.states.iter().map(|(row, _)| row);
            let is_known = value == known
                || written.any(|row| {
                    row.workflow == *workflow && row.name == *name && row.value == *value
                });
            ensure!(
                is_known,
                "V2: an instance of {workflow} read {value}, there was {known}"
            );
        }
    }
    Ok(())
}

/// A success has written the state, unless something newer is there, or it belongs to a backfill.
pub(super) fn check_written(
    tables: &Tables,
    library: &Library,
    instance: &InstanceRow,
    touched: &Touched,
) -> Verdict {
    let value = output_for_state(tables, library, instance)
        .filter(|_| instance.trigger != TriggerKind::Backfill);
    let Some(value) = value else {
        return Ok(());
    };
    let key = (instance.workflow.clone(), STATE.to_owned());
    let known = tables.states.get(&key);
    let is_there = known.is_some_and(|row| match row.instance {
        Some(writer) if writer == instance.id => row.value == value,
        Some(_) => row.fire_time >= Some(instance.fire_time),
        None => true,
    });
    // What a person had set may be gone by the end of the commit: one that had read it may have succeeded, too.
    let was_set_by_hand = touched.states.iter().any(|(row, before)| {
        (row.workflow == key.0 && row.name == key.1)
            && before
                .as_ref()
                .is_some_and(|before| before.instance.is_none())
    });
    ensure!(
        is_there || was_set_by_hand,
        "V2: instance {} succeeded with {value}, the state is {known:?}",
        instance.id
    );
    Ok(())
}

fn output_for_state(tables: &Tables, library: &Library, instance: &InstanceRow) -> Option<String> {
    let variable = library.contents.get(&instance.version)?.state.first()?;
    let key = (instance.id, Name::from(&variable.from.node));
    let row = tables.nodes.get(&key)?;
    let is_current = row.run == instance.run && row.state == NodeState::Succeeded;
    let (_, value) = row.outputs.first().filter(|_| is_current)?;
    Some(value.clone())
}

/// A node has one child at a time.
pub(super) fn check_only_child(tables: &Tables, row: &InstanceRow) -> Verdict {
    // A batch may hold its end as well, and the next child.
    let Some(parent) = row.parent.as_ref().filter(|_| !row.state.is_terminal()) else {
        return Ok(());
    };
    let other = tables.instances.values().find(|other| {
        other.id != row.id
            && other.run == 1
            && !other.state.is_terminal()
            && other.parent.as_ref() == Some(parent)
    });
    match other {
        None => Ok(()),
        Some(other) => Err(format!(
            "V3: node {}/{} started {} beside {}",
            parent.instance, parent.node, row.id, other.id
        )),
    }
}

/// No node is over while the child that it waited for is not, unless somebody has rerun that.
pub(super) fn check_child_over(tables: &Tables, row: &NodeRow) -> Verdict {
    let child = row.child.and_then(|child| tables.instances.get(&child));
    let is_alive = child.is_some_and(|child| {
        let waits = child.parent.as_ref().is_some_and(|it| it.waits);
        waits && child.run == 1 && !child.state.is_terminal()
    });
    ensure!(
        !row.state.is_terminal() || !is_alive,
        "V3: node {}/{} is {:?}, its child {:?} is not over",
        row.instance,
        row.node,
        row.state,
        row.child
    );
    Ok(())
}

/// No child that its parent waited for outlives it, unless somebody has rerun it.
pub(super) fn check_no_orphan(tables: &Tables, row: &InstanceRow) -> Verdict {
    let orphan = tables.instances.values().find(|child| {
        let parent = child.parent.as_ref();
        child.run == 1
            && !child.state.is_terminal()
            && parent.is_some_and(|it| it.instance == row.id && it.waits && it.run == row.run)
    });
    match orphan {
        None => Ok(()),
        Some(orphan) => Err(format!(
            "V3: instance {} outlives its parent {}",
            orphan.id, row.id
        )),
    }
}
