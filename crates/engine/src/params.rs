//! Where the engine meets the parameter language: parameters and their rules, outputs, state.

use akkaflow_model::definition::{ActionNode, Coordinator, Output};
use akkaflow_model::id::AttemptKey;
use akkaflow_model::message::Message;
pub(crate) use akkaflow_model::param::ParamError;
use akkaflow_model::param::{Values, resolve_params};
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;

use crate::instances::Instance;
use crate::{Engine, Params};

/// So many names stand in a message.
const NAMED: usize = 10;
/// So much of a value stands in a message, characters.
const SHOWN: usize = 60;

/// What a node or an instance says that ends because of a parameter.
pub(crate) fn message(error: &ParamError) -> Message {
    match error {
        ParamError::Undefined { name } => Message::UndefinedParameter { name: name.clone() },
        other => Message::said(other.text()),
    }
}

/// The parameters that a coordinator gives at a moment, overridden by `overrides`, held against its rules.
pub(crate) fn resolve(
    coordinator: Option<&Coordinator>,
    overrides: &[(String, String)],
    fire_time: Timestamp,
    zone: Tz,
) -> Result<Params, ParamError> {
    let list = coordinator.map_or(&[][..], |coordinator| &coordinator.params);
    let params = resolve_params(list, overrides, fire_time, zone)?;
    for rule in coordinator.map_or(&[][..], |coordinator| &coordinator.param_rules) {
        let refused = |text| Err(ParamError::Refused { text });
        match params.iter().find(|(name, _)| *name == rule.name) {
            Some((_, value)) => rule.check(value).or_else(refused)?,
            None if rule.is_required => refused(missing(&rule.name))?,
            None => {}
        }
    }
    Ok(params)
}

fn missing(name: &str) -> Text {
    Text::new(
        format!("缺少必填参数 `{name}`，请在运行时给出"),
        format!("parameter `{name}` is required: give it with the run"),
    )
}

impl Instance {
    /// What a node has handed on: `${output:node.name}`, and `output.NODE.NAME` in a condition.
    pub(crate) fn output(&self, node: &str, name: &str) -> Option<&str> {
        let row = self.node(self.graph.position(node)?)?;
        if row.state != akkaflow_model::state::NodeState::Succeeded {
            return None;
        }
        let (_, value) = row.outputs.iter().find(|(known, _)| known == name)?;
        Some(value)
    }

    /// The values of the workflow's state that this instance sees; `None` without a state list.
    pub(crate) fn state(&self) -> Option<&[(String, String)]> {
        let has_state = |workflow: &&std::sync::Arc<akkaflow_model::definition::Workflow>| {
            !workflow.state.is_empty()
        };
        self.graph.workflow().filter(has_state)?;
        Some(match &self.row.pinned {
            Some(pinned) => pinned.values.as_slice(),
            None => &[][..],
        })
    }

    /// Computes something from all values that a text of this instance may use.
    pub(crate) fn with_values<T>(&self, zone: Tz, compute: impl FnOnce(&Values<'_>) -> T) -> T {
        let outputs = |node: &str, name: &str| self.output(node, name).map(str::to_owned);
        compute(&Values {
            params: &self.row.params,
            outputs: &outputs,
            state: self.state(),
            fire_time: self.row.fire_time,
            zone,
        })
    }
}

impl Engine {
    /// What an attempt hands on that only pretends to run.
    pub(crate) fn stand_ins(&self, key: &AttemptKey) -> Params {
        let action = self.instances.get(&key.instance).and_then(|instance| {
            let node = instance.graph.position(&key.node)?;
            instance.graph.action(node)
        });
        action.map(ActionNode::stand_ins).unwrap_or_default()
    }
}

/// Holds what a successful attempt has handed on against what its node declares: the values that count, in the order of
/// their declaration, and what there is to say of the others.
pub(crate) fn judge_outputs(
    declared: &[Output],
    given: &[(String, String)],
) -> Result<(Params, Option<Message>), Message> {
    let mut outputs = Params::new();
    for output in declared {
        let last = given.iter().rev().find(|(name, _)| *name == output.name);
        let Some((name, value)) = last else {
            return Err(Message::OutputMissing {
                name: output.name.clone(),
                given: names(given.iter().map(|(name, _)| name)),
            });
        };
        if !output.kind.accepts(value) {
            return Err(Message::OutputWrong {
                name: name.clone(),
                kind: output.kind.name().to_owned(),
                value: value.chars().take(SHOWN).collect(),
            });
        }
        outputs.push((name.clone(), value.clone()));
    }
    let is_declared = |name: &str| declared.iter().any(|output| output.name == name);
    let others = names(
        given
            .iter()
            .map(|(name, _)| name)
            .filter(|name| !is_declared(name)),
    );
    let note = (!others.is_empty()).then_some(Message::OutputsIgnored { names: others });
    Ok((outputs, note))
}

fn names<'a>(all: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in all {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names.truncate(NAMED);
    names
}

/// Whether a row of an earlier run holds all that its node declares now.
pub(crate) fn has_outputs(declared: &[Output], given: &[(String, String)]) -> bool {
    judge_outputs(declared, given).is_ok()
}
