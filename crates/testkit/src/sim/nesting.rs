//! What workflows have beside scripts: waits, instances of other workflows, mails, outputs, state.

use akkaflow_model::definition::{
    ActionNode, Node, NodeKind, Output, OutputRef, ParamType, StateVariable,
};
use akkaflow_model::element::{Attribute, Child, Element, Span};
use akkaflow_model::mail::EMAIL_TAG;
use akkaflow_model::sub_workflow::SubWorkflow;
use akkaflow_model::wait::Wait;

use super::rng::Rng;
use super::workload::Shape;

/// The only output and the only state variable that simulated workflows have.
pub(crate) const OUTPUT: &str = "v";
pub(crate) const STATE: &str = "s";
/// What the state is before any instance has written it.
pub(crate) const INITIAL: &str = "0";

/// Turns some actions into waits and into instances of `callees`, which never lead back.
pub(super) fn add_own_nodes(rng: &mut Rng, nodes: &mut [Node], callees: &[Shape]) {
    // A workflow whose limit is 0 never starts an instance: its caller would wait for ever, rightly.
    let callees: Vec<&Shape> = callees.iter().filter(|it| it.instance_limit > 0).collect();
    for action in nodes.iter_mut().filter_map(action_of) {
        match rng.below(100) {
            0..=7 => {
                let mut body = Element::new(Wait::TAG);
                let seconds = rng.between(2, 45);
                attribute(&mut body, "for", &format!("{seconds}s"));
                set_body(action, body);
            }
            8..=15 if !callees.is_empty() => {
                let mut body = Element::new(SubWorkflow::TAG);
                attribute(
                    &mut body,
                    "workflow",
                    &callees[rng.index(callees.len())].name,
                );
                if rng.chance(20) {
                    attribute(&mut body, "wait", "false");
                }
                set_body(action, body);
            }
            _ => {}
        }
    }
}

/// Turns some scripts into mails.
pub(super) fn add_mails(rng: &mut Rng, nodes: &mut [Node]) {
    for action in nodes.iter_mut().filter_map(action_of) {
        if action.tag == "script" && rng.chance(4) {
            let mut content = Element::new("p");
            content.children.push(Child::Text {
                text: "day ${param:day}".into(),
                span: Span::default(),
            });
            let mut body = Element::new(EMAIL_TAG);
            body.children.push(Child::Element(content));
            set_body(action, body);
        }
    }
}

/// Lets some scripts hand on a value, others use it, and the state follow one of them.
pub(super) fn add_values(rng: &mut Rng, nodes: &mut [Node]) -> Vec<StateVariable> {
    let mut givers: Vec<String> = Vec::new();
    for node in nodes {
        let name = node.name.clone();
        let Some(action) = action_of(node).filter(|action| action.tag == "script") else {
            continue;
        };
        if !givers.is_empty() && rng.chance(15) {
            let giver = rng.pick(&givers);
            let text = format!(" {giver}=${{output:{giver}.{OUTPUT}}};");
            action.body.children.push(Child::Text {
                text: text.into(),
                span: Span::default(),
            });
        }
        if rng.chance(35) {
            action.outputs.push(Output {
                name: OUTPUT.to_owned(),
                kind: ParamType::Integer,
                desc: None,
            });
            givers.push(name);
        }
    }
    if givers.is_empty() || rng.chance(40) {
        return Vec::new();
    }
    vec![StateVariable {
        name: STATE.to_owned(),
        initial: INITIAL.to_owned(),
        from: OutputRef {
            node: rng.pick(&givers).clone(),
            output: OUTPUT.to_owned(),
        },
        desc: None,
    }]
}

/// The seconds of a `<wait>`.
pub(crate) fn seconds_of(action: &ActionNode) -> Option<u64> {
    let text = &action.body.attribute("for")?.value;
    text.strip_suffix('s')?.parse().ok()
}

/// Whether the engine does the node without a worker.
pub(crate) fn is_own(action: &ActionNode) -> bool {
    [Wait::TAG, SubWorkflow::TAG, EMAIL_TAG].contains(&action.tag.as_str())
}

fn action_of(node: &mut Node) -> Option<&mut ActionNode> {
    match &mut node.kind {
        NodeKind::Action(action) => Some(action),
        _ => None,
    }
}

fn set_body(action: &mut ActionNode, body: Element) {
    action.tag = body.name.to_string();
    action.body = body;
    action.host = None;
}

pub(crate) fn attribute(element: &mut Element, name: &str, value: &str) {
    element.attributes.push(Attribute {
        name: name.into(),
        value: value.into(),
        name_span: Span::default(),
        value_span: Span::default(),
    });
}
