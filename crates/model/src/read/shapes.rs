//! What a workflow file may hold, but for the bodies of actions.

mod action;
mod coordinator;
mod nodes;
mod root;

use std::sync::LazyLock;

use crate::shape::{AttributeKind, AttributeShape, Shape};
use crate::text::Text;

/// Made once: a reading asks for them at every element.
pub(super) static ACTION: LazyLock<Shape> = LazyLock::new(action::action_shape);
pub(super) static COORDINATOR: LazyLock<Shape> = LazyLock::new(coordinator::coordinator_shape);
pub(super) static DEPENDENCY: LazyLock<Shape> = LazyLock::new(coordinator::dependency_shape);
pub(super) static PARAM: LazyLock<Shape> = LazyLock::new(coordinator::param_shape);
pub(super) static ROOT: LazyLock<Shape> = LazyLock::new(root::root_shape);
pub(super) static STATE: LazyLock<Shape> = LazyLock::new(root::state_shape);
static WORKFLOW: LazyLock<Shape> = LazyLock::new(whole_shape);

/// What akkaflow's numbers hold.
const INT_MIN: i64 = i32::MIN as i64;
const INT_MAX: i64 = i32::MAX as i64;

/// How far a priority goes to either side.
const MOST_PRIORITY: i64 = 1_000;

/// The whole file. `<action>` is open: its body is the matter of the action type.
pub fn workflow_shape() -> &'static Shape {
    &WORKFLOW
}

fn whole_shape() -> Shape {
    root::root_shape()
        .child(coordinator::coordinator_shape(), 0, Some(1))
        .child(root::state_list_shape(), 0, Some(1))
        .child(nodes::start_shape(), 0, Some(1))
        .child(action::action_shape(), 0, None)
        .child(nodes::fork_shape(), 0, None)
        .child(nodes::join_shape(), 0, None)
        .child(nodes::decision_shape(), 0, None)
        .child(nodes::kill_shape(), 0, None)
        .child(nodes::end_shape(), 0, None)
        .child(nodes::finally_shape(), 0, Some(1))
}

fn text(name: &'static str, zh: &str, en: &str) -> AttributeShape {
    AttributeShape::new(name, AttributeKind::Text, Text::new(zh, en))
}

fn desc() -> AttributeShape {
    text("desc", "描述", "what it is for").for_people()
}

fn name(zh: &str, en: &str) -> AttributeShape {
    AttributeShape::new("name", AttributeKind::Name, Text::new(zh, en)).required()
}

fn identifier(zh: &str, en: &str) -> AttributeShape {
    AttributeShape::new("name", AttributeKind::Identifier, Text::new(zh, en)).required()
}

fn to(zh: &str, en: &str) -> AttributeShape {
    AttributeShape::new("to", AttributeKind::NodeName, Text::new(zh, en)).required()
}

fn integer(
    name: &'static str,
    min: i64,
    default: &'static str,
    zh: &str,
    en: &str,
) -> AttributeShape {
    let kind = AttributeKind::Integer { min, max: INT_MAX };
    AttributeShape::new(name, kind, Text::new(zh, en)).default(default)
}

fn boolean(name: &'static str, default: &'static str, zh: &str, en: &str) -> AttributeShape {
    AttributeShape::new(name, AttributeKind::Boolean, Text::new(zh, en)).default(default)
}

fn choice(
    name: &'static str,
    choices: &'static [&'static str],
    zh: &str,
    en: &str,
) -> AttributeShape {
    // The first one is what the attribute's absence means.
    AttributeShape::new(name, AttributeKind::Choice(choices), Text::new(zh, en)).default(choices[0])
}

fn duration(name: &'static str, zh: &str, en: &str) -> AttributeShape {
    AttributeShape::new(name, AttributeKind::Duration, Text::new(zh, en))
}

fn priority(zh: &str, en: &str) -> AttributeShape {
    let kind = AttributeKind::Integer {
        min: -MOST_PRIORITY,
        max: MOST_PRIORITY,
    };
    AttributeShape::new("priority", kind, Text::new(zh, en))
}

/// Which type the values of a parameter or an output have.
fn value_type() -> AttributeShape {
    choice(
        "type",
        crate::definition::ParamType::NAMES,
        "值的类型",
        "what its values are",
    )
}
