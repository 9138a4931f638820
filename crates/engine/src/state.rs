//! State: values that outlive the instances of a workflow.
//!
//! An instance sees the values as they were when it first left its queue, in all its runs. Its success writes those that
//! its nodes have handed on, in the transaction that ends it, unless what is there is of a later fire time or was set by a
//! person since the instance read it: docs/decisions/0011.

use std::collections::BTreeMap;

use akkaflow_model::command::{Answer, Rejection};
use akkaflow_model::definition::{StateVariable, Workflow};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::Message;
use akkaflow_model::record::{PinnedState, Record, StateRow, TriggerKind};
use akkaflow_model::text::Text;

use crate::instances::Instance;
use crate::journal::Given;
use crate::{Engine, Params};

/// The longest value that a person may set, bytes: as long as all outputs of a node together.
const LONGEST_VALUE: usize = akkaflow_model::outcome::OUTPUTS_BYTES;

/// The state of all workflows: by workflow, then by variable.
#[derive(Debug, Default)]
pub(crate) struct States {
    rows: BTreeMap<String, BTreeMap<String, StateRow>>,
}

impl States {
    pub(crate) fn put(&mut self, row: StateRow) {
        let of_workflow = self.rows.entry(row.workflow.clone()).or_default();
        of_workflow.insert(row.name.clone(), row);
    }

    pub(crate) fn get(&self, workflow: &str, name: &str) -> Option<&StateRow> {
        self.rows.get(workflow)?.get(name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &StateRow> {
        self.rows.values().flat_map(BTreeMap::values)
    }
}

impl Engine {
    /// Lets an instance that leaves the queue read the state. What it has read in an earlier run stays.
    ///
    /// `workflow`: the definition that a repair gives it.
    pub(crate) fn pin_state(&mut self, id: InstanceId, workflow: Option<&Workflow>) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let graph = instance.graph.clone();
        let workflow = workflow.or(graph.workflow().map(|workflow| &**workflow));
        let variables = workflow.map_or(&[][..], |workflow| &workflow.state);
        if variables.is_empty() {
            return;
        }
        let row = &mut *instance.row;
        let mut pinned = row.pinned.take().unwrap_or(PinnedState {
            at: now,
            values: Vec::new(),
        });
        for variable in variables {
            if !pinned.values.iter().any(|(name, _)| *name == variable.name) {
                let known = self.states.get(&row.workflow, &variable.name);
                let value = known.map_or(&variable.initial, |row| &row.value);
                pinned.values.push((variable.name.clone(), value.clone()));
            }
        }
        let given = Given::Read {
            pinned: pinned.clone(),
        };
        self.out.given(id, given);
        self.read_state(id, pinned);
    }

    pub(crate) fn read_state(&mut self, id: InstanceId, pinned: PinnedState) {
        if let Some(instance) = self.instances.get_mut(&id) {
            instance.row.pinned = Some(pinned);
        }
        self.touch(id);
    }

    /// Writes what a successful instance has for the state. Says which values were not written, and why.
    ///
    /// A backfill's instance writes nothing: what it does over again is the past, and the state is about what comes next.
    pub(crate) fn commit_state(&mut self, id: InstanceId) -> Option<Message> {
        let instance = self.instances.get(&id)?;
        if instance.row.trigger == TriggerKind::Backfill {
            return None;
        }
        let graph = instance.graph.clone();
        let variables = &graph.workflow()?.state;
        let news = news(instance, variables);
        let (row, now) = (&instance.row, self.now);
        let pinned_at = row
            .pinned
            .as_ref()
            .map_or(row.created_at, |pinned| pinned.at);
        let (mut late, mut by_hand) = (Vec::new(), Vec::new());
        let mut written = Vec::new();
        for (name, value) in news {
            let known = self.states.get(&row.workflow, &name);
            match known.map(|known| (known.instance, known.fire_time, known.set_at)) {
                Some((None, _, set_at)) if set_at > pinned_at => by_hand.push(name),
                Some((Some(writer), Some(fire_time), _))
                    if fire_time > row.fire_time && writer != id =>
                {
                    late.push(name);
                }
                _ => written.push(StateRow {
                    workflow: row.workflow.clone(),
                    name,
                    value,
                    set_at: now,
                    instance: Some(id),
                    fire_time: Some(row.fire_time),
                    user: String::new(),
                }),
            }
        }
        for row in written {
            self.out.record(Record::State(row.clone()));
            self.states.put(row);
        }
        let kept = |names: Vec<String>, by_hand| Message::StateKept { names, by_hand };
        match (late.is_empty(), by_hand.is_empty()) {
            (true, true) => None,
            (_, false) => Some(kept(by_hand, true)),
            (false, true) => Some(kept(late, false)),
        }
    }

    /// A person sets values; instances that have read the state before do not overwrite them.
    pub(crate) fn set_state(
        &mut self,
        workflow: &str,
        values: &[(String, String)],
        user: &str,
    ) -> Result<Answer, Rejection> {
        let not_found = || {
            Text::new(
                format!("工作流[{workflow}]不存在"),
                format!("workflow `{workflow}` does not exist"),
            )
        };
        if !self.workflows.get(workflow).is_some_and(|it| it.exists()) {
            let text = self.with_epitaph(workflow, not_found());
            return Err(Rejection::new(ErrorCode::NotFound, text));
        }
        let Some(definition) = self.workflow_in_force(workflow) else {
            let text = crate::walk::unreadable_text(workflow);
            return Err(Rejection::new(ErrorCode::Conflict, text));
        };
        for (name, value) in values {
            check_value(&definition.state, name, value)?;
        }
        for (name, value) in values {
            let row = StateRow {
                workflow: workflow.to_owned(),
                name: name.clone(),
                value: value.clone(),
                set_at: self.now,
                instance: None,
                fire_time: None,
                user: user.to_owned(),
            };
            self.out.record(Record::State(row.clone()));
            self.states.put(row);
        }
        Ok(Answer::Done)
    }
}

/// The new values that the nodes of an instance have handed on.
fn news(instance: &Instance, variables: &[StateVariable]) -> Params {
    variables
        .iter()
        .filter_map(|variable| {
            let value = instance.output(&variable.from.node, &variable.from.output)?;
            Some((variable.name.clone(), value.to_owned()))
        })
        .collect()
}

fn check_value(variables: &[StateVariable], name: &str, value: &str) -> Result<(), Rejection> {
    let invalid = |text| Err(Rejection::new(ErrorCode::Invalid, text));
    if !variables.iter().any(|variable| variable.name == name) {
        let names: Vec<&str> = variables.iter().map(|it| it.name.as_str()).collect();
        return invalid(if names.is_empty() {
            Text::new(
                "该工作流没有 <state-list>",
                "the workflow has no <state-list>",
            )
        } else {
            Text::new(
                format!("没有状态值 `{name}`，可用：{}", names.join("、")),
                format!("there is no state `{name}`, only {}", names.join(", ")),
            )
        });
    }
    if value.len() > LONGEST_VALUE {
        return invalid(Text::new(
            format!("状态值 `{name}` 超过{LONGEST_VALUE}个字节"),
            format!("state `{name}` is longer than {LONGEST_VALUE} bytes"),
        ));
    }
    Ok(())
}
