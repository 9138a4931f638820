//! Tokens: one for each success and dependant, each used once.

use akkaflow_model::record::{InstanceRow, TokenRow, TriggerKind, WorkflowStatus};

use super::{Touched, Verdict, ensure};
use crate::sim::tables::Tables;
use crate::sim::workload::Library;

pub(super) fn check_token(tables: &Tables, row: &TokenRow, touched: &mut Touched) -> Verdict {
    let before = tables
        .tokens
        .get(&(row.upstream_instance, row.dependant.clone()));
    ensure!(
        before.is_none_or(|before| before.consumed_by.is_none() || before == row),
        "I7: a token was used twice: {before:?}, then {row:?}"
    );
    if row.consumed_by.is_some() {
        touched.consumed.push(row.clone());
    }
    Ok(())
}

/// An instance that waited for upstreams has a token of each.
pub(super) fn check_consumption(
    library: &Library,
    row: &InstanceRow,
    touched: &Touched,
) -> Verdict {
    if !matches!(row.trigger, TriggerKind::Cron | TriggerKind::Dependency) {
        return Ok(());
    }
    let Some(coordinator) = library
        .contents
        .get(&row.version)
        .and_then(|workflow| workflow.coordinator.as_ref())
    else {
        return Err(format!(
            "I1: instance {} of a workflow without coordinator fired by itself",
            row.id
        ));
    };
    for upstream in &coordinator.depends {
        let has_token = touched
            .consumed
            .iter()
            .any(|token| token.consumed_by == Some(row.id) && token.upstream == *upstream);
        ensure!(
            has_token,
            "I7: instance {} began without a token of {upstream}",
            row.id
        );
    }
    Ok(())
}

/// A success that counts has given one token to each dependant.
pub(super) fn check_tokens_given(tables: &Tables, library: &Library, row: &InstanceRow) -> Verdict {
    for workflow in tables.workflows.values() {
        if workflow.status == WorkflowStatus::Deleted {
            continue;
        }
        let depends = library
            .contents
            .get(&workflow.version)
            .and_then(|content| content.coordinator.as_ref())
            .is_some_and(|coordinator| coordinator.depends.contains(&row.workflow));
        ensure!(
            !depends || tables.tokens.contains_key(&(row.id, workflow.name.clone())),
            "I7: instance {} gave no token to {}",
            row.id,
            workflow.name
        );
    }
    Ok(())
}
