//! Instances.

use akkaflow_api::{
    Attempt, InstanceDetail, InstanceNode, InstanceSummary, Late, Params, ParentNode,
};
use akkaflow_model::definition::{Node, Workflow};
use akkaflow_model::landing::{Landing, LandingNotice};
use akkaflow_model::read::is_secret_name;
use akkaflow_model::record::{AttemptRow, InstanceRow, Measurement, NodeRow, TriggerKind};
use akkaflow_model::state::NodeState;
use akkaflow_model::text::{Lang, Text};
use chrono_tz::Tz;
use serde_json::{Number, Value};

/// A node that its instance ended without reaching.
const SKIPPED: &str = "skipped";

/// Who holds something up.
pub(crate) fn hold(hold: &akkaflow_model::record::Hold) -> akkaflow_api::Hold {
    akkaflow_api::Hold {
        user: hold.user.clone(),
        reason: hold.reason.clone(),
        since: hold.since.into(),
    }
}

pub(crate) fn summary(row: &InstanceRow, lang: Lang) -> InstanceSummary {
    InstanceSummary {
        id: row.id.to_string(),
        short_id: row.id.short(),
        workflow: row.workflow.clone(),
        state: row.state,
        run: row.run,
        trigger: row.trigger,
        fire_time: row.fire_time.into(),
        created_at: row.created_at.into(),
        started_at: row.started_at.map(Into::into),
        ended_at: row.ended_at.map(Into::into),
        message: row.message.as_ref().map(|message| message.render(lang)),
        handled_errors: row.handled_errors,
        dir: row.dir.clone(),
        creator: row.creator.clone(),
        hold: row.hold.as_ref().map(hold),
        asked_by: row.asked_by.clone(),
    }
}

/// `definition` is the one it is pinned to; without it only the nodes that were reached are shown.
pub(crate) fn detail(
    row: &InstanceRow,
    nodes: &[NodeRow],
    definition: Option<&Workflow>,
    lang: Lang,
    zone: Tz,
) -> InstanceDetail {
    InstanceDetail {
        summary: summary(row, lang),
        params: Params(shown(&row.params)),
        state_values: Params(
            row.pinned
                .as_ref()
                .map_or_else(Vec::new, |pinned| shown(&pinned.values)),
        ),
        parent: row.parent.as_ref().map(|parent| ParentNode {
            instance: parent.instance.to_string(),
            node: parent.node.clone(),
        }),
        version: row.version.0.clone(),
        backfill: backfill(row),
        landing: row.landing.as_ref().map(|it| landing(it, lang, zone)),
        ending: row.ending,
        desc: definition.and_then(|definition| definition.desc.clone()),
        mail_level: definition.map_or_else(Vec::new, |definition| definition.mail_level.clone()),
        mail_receivers: definition
            .map_or_else(Vec::new, |definition| definition.mail_receivers.clone()),
        instance_limit: definition.map(|definition| definition.instance_limit),
        nodes: node_views(row, nodes, definition, lang),
    }
}

/// What is said of its deadline, if it is behind.
pub(crate) fn late(row: &InstanceRow, lang: Lang, zone: Tz) -> Option<Late> {
    let landing = row.landing.as_ref()?;
    let text = match (&landing.missed, &landing.late) {
        (Some(missed), _) => landing.missed_text(missed, zone),
        (None, Some(late)) => landing.late_text(late, zone),
        (None, None) => return None,
    };
    Some(Late {
        id: row.id.to_string(),
        short_id: row.id.short(),
        workflow: row.workflow.clone(),
        text: text.get(lang).to_owned(),
    })
}

fn landing(landing: &Landing, lang: Lang, zone: Tz) -> akkaflow_api::Landing {
    let view = |notice: &LandingNotice, text: Text| akkaflow_api::LandingNotice {
        at: notice.at.into(),
        run: notice.run,
        expected: notice.expected.into(),
        node: notice.blame.as_ref().map(|blame| blame.node.clone()),
        behind_seconds: notice
            .blame
            .as_ref()
            .and_then(|blame| Some(blame.behind_ms?.div_ceil(1000))),
        critical_path: notice.path.clone(),
        text: text.get(lang).to_owned(),
    };
    akkaflow_api::Landing {
        deadline: landing.deadline.into(),
        late: (landing.late.as_ref()).map(|late| view(late, landing.late_text(late, zone))),
        missed: (landing.missed.as_ref())
            .map(|missed| view(missed, landing.missed_text(missed, zone))),
    }
}

/// What started it is a chain or a backfill; the trigger tells which.
fn backfill(row: &InstanceRow) -> Option<String> {
    let chain = row.chain.filter(|_| row.trigger == TriggerKind::Backfill);
    chain.map(|id| id.to_string())
}

fn node_views(
    instance: &InstanceRow,
    rows: &[NodeRow],
    definition: Option<&Workflow>,
    lang: Lang,
) -> Vec<InstanceNode> {
    let current = || rows.iter().filter(|row| row.run == instance.run);
    match definition {
        Some(definition) => {
            let by_name: std::collections::HashMap<&str, &NodeRow> =
                current().map(|row| (row.node.as_str(), row)).collect();
            let view = |node: &Node| match by_name.get(node.name.as_str()) {
                Some(row) => reached(row, node.desc.clone(), lang),
                None => not_reached(node, instance.state.is_terminal()),
            };
            definition.nodes.iter().map(view).collect()
        }
        None => current().map(|row| reached(row, None, lang)).collect(),
    }
}

fn reached(row: &NodeRow, desc: Option<String>, lang: Lang) -> InstanceNode {
    InstanceNode {
        name: row.node.to_string(),
        kind: row.type_name.to_string(),
        state: row.state.as_str().to_owned(),
        attempts: row.attempts,
        worker: row.worker.as_ref().map(ToString::to_string),
        started_at: row.started_at.map(Into::into),
        ended_at: row.ended_at.map(Into::into),
        message: row.message.as_ref().map(|message| message.render(lang)),
        desc,
        retry_at: row.retry_at.map(Into::into),
        outputs: Params(outputs(row)),
        child: row.child.map(|id| id.to_string()),
    }
}

/// Stands for the value of what is named like a secret.
const HIDDEN: &str = "***";

/// Names and values as people may see them.
pub(crate) fn shown(values: &[(String, String)]) -> Vec<(String, String)> {
    let shown = values.iter().map(|(name, value)| {
        let is_hidden = is_secret_name(name) && !value.is_empty();
        let value = if is_hidden { HIDDEN } else { value };
        (name.clone(), value.to_owned())
    });
    shown.collect()
}

/// What a node has handed on: nothing before it has succeeded.
fn outputs(row: &NodeRow) -> Vec<(String, String)> {
    let has_succeeded = row.state == NodeState::Succeeded;
    if has_succeeded {
        shown(&row.outputs)
    } else {
        Vec::new()
    }
}

fn not_reached(node: &Node, is_over: bool) -> InstanceNode {
    let state = if is_over {
        SKIPPED
    } else {
        NodeState::Ready.as_str()
    };
    InstanceNode {
        name: node.name.clone(),
        kind: node_type_of(node),
        state: state.to_owned(),
        attempts: 0,
        worker: None,
        started_at: None,
        ended_at: None,
        message: None,
        desc: node.desc.clone(),
        retry_at: None,
        outputs: Params::default(),
        child: None,
    }
}

pub(crate) fn node_type_of(node: &Node) -> String {
    node.type_name().to_owned()
}

pub(crate) fn attempt(row: &AttemptRow, lang: Lang) -> Attempt {
    Attempt {
        node: row.key.node.to_string(),
        run: row.key.run,
        attempt: row.key.attempt,
        state: row.state,
        worker: row.worker.to_string(),
        host: row.host.to_string(),
        assigned_at: row.assigned_at.into(),
        accepted_at: row.accepted_at.map(Into::into),
        ended_at: row.ended_at.map(Into::into),
        exit_code: row.exit_code,
        message: row.message.as_ref().map(|message| message.render(lang)),
        log_length: row.log_length,
        figures: row.figures.as_deref().cloned().unwrap_or_default(),
    }
}

pub(crate) fn measurement(row: &Measurement, lang: Lang) -> akkaflow_api::Measurement {
    let limit = |limit: &Option<String>| limit.as_deref().map_or(Value::Null, number);
    akkaflow_api::Measurement {
        instance: row.key.instance.to_string(),
        node: row.key.node.to_string(),
        run: row.key.run,
        attempt: row.key.attempt,
        fire_time: row.fire_time.into(),
        at: row.at.into(),
        state: row.state,
        value: number(&row.measured.value),
        min: limit(&row.measured.min),
        max: limit(&row.measured.max),
        message: row.message.as_ref().map(|message| message.render(lang)),
    }
}

/// A number as programs read it: one that would become another as floating point stays text, and none is null.
fn number(text: &str) -> Value {
    match text.parse::<Number>() {
        Ok(number) if number.to_string() == text => Value::Number(number),
        _ if text.is_empty() => Value::Null,
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_what_is_named_like_a_secret_are_not_shown() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let values = [
            pair("db_password", "s3cr3t"),
            pair("day", "2026-01-01"),
            pair("token", ""),
        ];
        let expected = [
            pair("db_password", "***"),
            pair("day", "2026-01-01"),
            pair("token", ""),
        ];
        assert_eq!(shown(&values), expected);
    }
}
