//! When another attempt may follow, and when a node may give up.

use std::cmp::min;

use akkaflow_model::definition::{ActionNode, Growth, TimeoutScope};
use akkaflow_model::message::Message;
use akkaflow_model::record::{AttemptRow, CancelReason, InstanceRow, NodeRow};
use akkaflow_model::state::{AttemptState, NodeState};

use super::action;
use crate::sim::oracle::Verdict;
use crate::sim::tables::Tables;
use crate::sim::workload::Library;

fn has_failed(attempt: &AttemptRow) -> bool {
    attempt.state == AttemptState::Failed || attempt.cancel == Some(CancelReason::TimedOut)
}

fn is_among(action: &ActionNode, attempt: &AttemptRow) -> bool {
    match (&action.retry.exit_codes, attempt.exit_code) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(codes), Some(code)) => codes
            .0
            .iter()
            .any(|(first, last)| (*first as i32) <= code && code <= (*last as i32)),
    }
}

/// The shortest pause in milliseconds after the `number`th failure.
fn shortest_pause(action: &ActionNode, number: u64) -> u64 {
    let backoff = &action.retry.backoff;
    let mut seconds = action.interval_seconds;
    for earlier in 1..number {
        seconds = match backoff.growth {
            Growth::Fixed => seconds,
            Growth::Linear => action.interval_seconds * (earlier + 1),
            Growth::Exponential => seconds * 2,
        };
    }
    let seconds = backoff.max_seconds.map_or(seconds, |max| min(max, seconds));
    seconds * 10 * (100 - u64::from(backoff.jitter_percent))
}

/// An attempt that follows others of its node.
pub(crate) fn check_retry(
    action: &ActionNode,
    earlier: &[&AttemptRow],
    next: &AttemptRow,
) -> Verdict {
    let key = &next.key;
    if let Some(refused) = earlier
        .iter()
        .find(|attempt| attempt.state == AttemptState::Failed && !is_among(action, attempt))
    {
        return Err(format!(
            "I16: attempt {key} follows exit code {:?}",
            refused.exit_code
        ));
    }
    let failures = earlier.iter().filter(|attempt| has_failed(attempt)).count();
    // The clocks of two masters may differ: what one says of another's moments proves nothing.
    let is_comparable = |last: &AttemptRow| has_failed(last) && last.epoch == next.epoch;
    if let Some(last) = earlier.last().filter(|attempt| is_comparable(attempt))
        && let Some(ended_at) = last.ended_at
    {
        let pause = next.assigned_at.as_millis() - ended_at.as_millis();
        let shortest = shortest_pause(action, failures as u64);
        if pause < shortest as i64 {
            return Err(format!(
                "I16: attempt {key} follows after {pause} ms, not {shortest}"
            ));
        }
    }
    let first = earlier.first().copied().unwrap_or(next);
    let limit = action
        .timeout_seconds
        .filter(|_| action.timeout_scope == TimeoutScope::Node && first.epoch == next.epoch);
    if let Some(limit) = limit {
        let age = next.assigned_at.as_millis() - first.assigned_at.as_millis();
        if age > limit as i64 * 1000 {
            return Err(format!(
                "I15: attempt {key} begins {age} ms after the first one, the node's limit is {limit} s"
            ));
        }
    }
    Ok(())
}

/// A node gives up only once it may not be tried again.
pub(crate) fn check_given_up(
    tables: &Tables,
    library: &Library,
    instance: &InstanceRow,
    row: &NodeRow,
) -> Verdict {
    let is_alone = instance.ending.is_none() && !instance.state.is_terminal();
    let is_to_blame =
        matches!(&instance.message, Some(Message::NodeFailed { node }) if *node == row.node);
    let action = (library.contents.get(&instance.version))
        .and_then(|workflow| action(workflow, &row.node))
        .filter(|_| row.state == NodeState::Failed && row.run == instance.run)
        .filter(|_| is_alone || is_to_blame);
    let Some(action) = action else {
        return Ok(());
    };
    let is_limited_by_attempt = action.timeout_scope == TimeoutScope::Attempt;
    let is_over_time = matches!(row.message, Some(Message::TimedOut { .. }));
    let is_undecidable = matches!(row.message, Some(Message::UndecidableCondition { .. }));
    if is_undecidable || (is_over_time && !is_limited_by_attempt) {
        return Ok(());
    }
    let attempts: Vec<&AttemptRow> = tables
        .attempts_of(instance.id)
        .filter(|attempt| attempt.key.node == row.node && attempt.key.run == row.run)
        .collect();
    let failures = attempts
        .iter()
        .filter(|attempt| has_failed(attempt))
        .count();
    let may_follow = attempts.last().is_some_and(|last| {
        // What would fail again has no exit code here.
        let has_failed =
            last.state == AttemptState::Failed && last.exit_code.is_some() && last.cancel.is_none();
        (has_failed && is_among(action, last))
            || (is_over_time && action.retry.exit_codes.is_none())
    });
    if may_follow && failures <= action.retry_times as usize {
        return Err(format!(
            "I16: node {}/{} gave up after {failures} failures of {} retries",
            row.instance, row.node, action.retry_times
        ));
    }
    Ok(())
}
