//! What waits at the end of a forecast and would wait for ever.

use std::collections::BTreeSet;
use std::time::Duration;

use akkaflow_model::id::InstanceId;
use akkaflow_model::record::WorkflowStatus;
use akkaflow_model::time::Timestamp;

use super::stage::Stage;
use super::tracks::Track;
use crate::{ExplainObject, Reason};

/// Whatever waits for longer waits for good: the end of a forecast falls into the middle of a day's work.
const LONG: Duration = Duration::from_secs(24 * 3600);
/// What waits for less may just have begun to.
const SHORT: Duration = Duration::from_secs(3600);

/// Reasons that time or the end of other work takes away.
const PASSING: &[&str] = &[
    "instance_limit",
    "instance_ending",
    "queued",
    "no_free_slot",
    "not_due",
    "no_more_slots",
    "outside_window",
    "pool_behind",
    "pool_full",
    "predecessor_open",
    "retry_interval",
    "sub_workflow",
];
/// Its author wants it to wait, for days perhaps.
const OWN_WAIT: &str = "wait";
/// Reasons that say that a workflow is not meant to start by itself.
const INTENDED: &[&str] = &["disabled", "no_trigger"];
/// Reasons that the success of another workflow takes away.
const UPSTREAM: &[&str] = &["upstream_not_ready", "none_of_upstreams"];

/// Something that waits for ever.
#[derive(Debug, Clone, PartialEq)]
pub struct Stuck {
    /// The workflow.
    pub workflow: String,
    /// The instance, when one waits that is open already.
    pub instance: Option<InstanceId>,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// What it waits for.
    pub reasons: Vec<Reason>,
}

/// Instances first, then workflows that do not start.
pub(super) fn find(stage: &Stage<'_>) -> Vec<Stuck> {
    let mut found: Vec<Stuck> = stage
        .tracks
        .iter()
        .filter(|(_, track)| track.ended_at.is_none() && stage.ahead.is_told(&track.workflow))
        .filter_map(|(id, track)| instance(stage, id, track))
        .collect();
    let moved = moved(stage);
    let names = stage
        .engine
        .workflows()
        .filter(|row| row.status != WorkflowStatus::Deleted && stage.ahead.is_told(&row.name));
    found.extend(names.filter_map(|row| workflow(stage, &row.name, &moved)));
    found
}

fn instance(stage: &Stage<'_>, id: InstanceId, track: &Track) -> Option<Stuck> {
    if !stage.engine.attempts(id).is_empty() {
        return None;
    }
    let waited = stage.now.since(track.changed_at);
    let reasons = stage.engine.explain(&ExplainObject::Instance(id));
    if reasons.iter().any(|it| it.code == OWN_WAIT) {
        return None;
    }
    let is_passing = reasons.iter().all(|it| PASSING.contains(&it.code));
    (waited > if is_passing { LONG } else { SHORT }).then(|| Stuck {
        workflow: track.workflow.clone(),
        instance: track.was_open.then_some(id),
        since: Some(track.changed_at),
        reasons,
    })
}

/// The workflows of which an instance has ended.
fn moved<'a>(stage: &'a Stage<'_>) -> BTreeSet<&'a str> {
    let ended = stage.tracks.iter();
    let ended = ended.filter(|(_, track)| track.ended_at.is_some());
    ended.map(|(_, track)| track.workflow.as_str()).collect()
}

fn workflow(stage: &Stage<'_>, name: &str, moved: &BTreeSet<&str>) -> Option<Stuck> {
    let reasons = stage
        .engine
        .explain(&ExplainObject::Workflow(name.to_owned()));
    if reasons.iter().any(|it| INTENDED.contains(&it.code)) {
        return None;
    }
    let is_for_good = |reason: &Reason| {
        if PASSING.contains(&reason.code) {
            return false;
        }
        if !UPSTREAM.contains(&reason.code) {
            return true;
        }
        let waited = reason.since.map(|since| stage.now.since(since));
        waited.is_some_and(|waited| waited > LONG)
            || !reason
                .object
                .split(' ')
                .any(|upstream| may_move(stage, upstream, moved, &mut BTreeSet::new()))
    };
    let reasons: Vec<Reason> = reasons.into_iter().filter(is_for_good).collect();
    (!reasons.is_empty()).then(|| Stuck {
        workflow: name.to_owned(),
        instance: None,
        since: reasons.iter().find_map(|reason| reason.since),
        reasons,
    })
}

/// Whether a workflow has ended within the forecast, or may do so after it.
fn may_move(
    stage: &Stage<'_>,
    name: &str,
    moved: &BTreeSet<&str>,
    asked: &mut BTreeSet<String>,
) -> bool {
    if moved.contains(name) {
        return true;
    }
    // Those that wait for each other alone never start.
    if !asked.insert(name.to_owned()) {
        return false;
    }
    if stage.engine.next_fire(name).is_some() {
        return true;
    }
    let definition = stage.engine.definition(name);
    let upstreams = definition.map_or(&[][..], |definition| definition.depends());
    !upstreams.is_empty()
        && upstreams
            .iter()
            .all(|upstream| may_move(stage, upstream, moved, asked))
}
