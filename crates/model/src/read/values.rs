//! Values that nodes hand on, and values that are kept from one instance to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::code;
use crate::condition::{Condition, EDGE_VARIABLES, Mismatch};
use crate::definition::{OutputRef, ParamType, StateVariable};
use crate::element::{Attribute, Child, Element, Span};
use crate::param::{Kept, kept_references};
use crate::quote::shortened;
use crate::read::Reader;
use crate::read::coordinator::param_elements;
use crate::read::graph::Ways;
use crate::read::node::Draft;
use crate::read::place::inside;
use crate::read::root::optional;
use crate::read::shapes::STATE;
use crate::shape::value_place;
use crate::suggest::did_you_mean;
use crate::text::Text;

/// For so many nodes at most it is looked at whether what they use comes before them: each costs a walk of the graph.
const MOST_WALKS: usize = 500;

/// What is declared, and what comes before the node that is looked at.
struct Declared<'a> {
    /// The outputs of each node that has some, and their types.
    outputs: BTreeMap<&'a str, BTreeMap<&'a str, ParamType>>,
    /// All of them, right or wrong.
    nodes: BTreeSet<&'a str>,
    params: BTreeSet<&'a str>,
    states: BTreeSet<&'a str>,
    has_state_list: bool,
    ways: Option<&'a Ways>,
    walks_left: usize,
}

impl Declared<'_> {
    fn output_type(&self, node: &str, name: &str) -> Option<ParamType> {
        self.outputs.get(node)?.get(name).copied()
    }
}

/// The node whose values are looked at, and the nodes before it once that is known.
struct User {
    index: Option<usize>,
    ancestors: Option<Vec<bool>>,
}

/// A value of the file and where it stands.
#[derive(Clone, Copy)]
struct Value<'e> {
    text: &'e str,
    span: Span,
}

impl<'e> From<&'e Attribute> for Value<'e> {
    fn from(attribute: &'e Attribute) -> Self {
        Self {
            text: &attribute.value,
            span: attribute.value_span,
        }
    }
}

impl Reader<'_> {
    /// The state list; entries that are wrong are reported and left out.
    pub(super) fn read_state(&mut self, root: &Element) -> Vec<StateVariable> {
        let mut known = BTreeSet::new();
        let mut states = Vec::new();
        let elements = root
            .elements_named("state-list")
            .flat_map(|list| list.elements_named("state"));
        for element in elements {
            let Some(attribute) = element.attribute("name") else {
                continue;
            };
            let name = attribute.value.trim();
            if !known.insert(name) {
                self.repeated(attribute);
                continue;
            }
            let from = element
                .attribute("from")
                .and_then(|from| self.read_output_ref(from));
            states.extend(from.map(|from| {
                StateVariable {
                    name: name.to_owned(),
                    initial: STATE
                        .value(element, "initial")
                        .unwrap_or_default()
                        .to_owned(),
                    from,
                    desc: optional(element, "desc"),
                }
            }));
        }
        states
    }

    fn read_output_ref(&mut self, attribute: &Attribute) -> Option<OutputRef> {
        let text = attribute.value.trim();
        let parts = text.rsplit_once('.');
        let Some((node, output)) =
            parts.filter(|(node, output)| !node.is_empty() && !output.is_empty())
        else {
            let found = shortened(text);
            self.diagnostics.error(
                code::UNKNOWN_OUTPUT,
                attribute.value_span,
                Text::new(
                    format!("`{found}` 不是输出"),
                    format!("`{found}` is no output"),
                ),
                Text::new("写法为 节点.输出", "write node.output"),
            );
            return None;
        };
        Some(OutputRef {
            node: node.to_owned(),
            output: output.to_owned(),
        })
    }

    /// Looks at every use of outputs and states.
    pub(super) fn check_values(
        &mut self,
        root: &Element,
        nodes: &[Draft],
        states: &[StateVariable],
        ways: Option<&Ways>,
    ) {
        let mut declared = Declared {
            outputs: declared_outputs(nodes),
            nodes: (nodes.iter().filter_map(|node| node.name.as_deref())).collect(),
            params: param_names(root),
            states: states.iter().map(|state| state.name.as_str()).collect(),
            has_state_list: root.elements_named("state-list").next().is_some(),
            ways,
            walks_left: MOST_WALKS,
        };
        self.check_sources(root, &declared);
        for element in root.elements() {
            if matches!(element.name.as_str(), "coordinator" | "state-list") {
                continue;
            }
            let name = optional(element, "name");
            let mut user = User {
                index: name.and_then(|name| ways?.index(&name)),
                ancestors: None,
            };
            self.check_element(element, &mut user, &mut declared);
        }
    }

    /// The outputs that states take their values from.
    fn check_sources(&mut self, root: &Element, declared: &Declared<'_>) {
        let sources = root
            .elements_named("state-list")
            .flat_map(|list| list.elements_named("state"))
            .filter_map(|state| state.attribute("from"));
        for from in sources {
            if let Some((node, output)) = from.value.trim().rsplit_once('.') {
                self.check_output(
                    Value::from(from),
                    0..from.value.len(),
                    node,
                    output,
                    declared,
                );
            }
        }
    }

    fn check_element(&mut self, element: &Element, user: &mut User, declared: &mut Declared<'_>) {
        for attribute in &element.attributes {
            if attribute.name == "when" {
                self.check_condition(attribute, user, declared);
            } else {
                self.check_text(attribute.into(), user, declared);
            }
        }
        for child in &element.children {
            match child {
                Child::Text { text, span } => {
                    self.check_text(Value { text, span: *span }, user, declared);
                }
                Child::Element(inner) => self.check_element(inner, user, declared),
            }
        }
    }

    fn check_condition(
        &mut self,
        attribute: &Attribute,
        user: &mut User,
        declared: &mut Declared<'_>,
    ) {
        let value = Value::from(attribute);
        let condition = match Condition::parse(value.text, EDGE_VARIABLES) {
            Ok(condition) => condition,
            Err(error) => return self.narrow_condition(attribute, error.range),
        };
        let whole = 0..value.text.len();
        if let Some(mismatch) = condition.mismatch(&|node, name| declared.output_type(node, name)) {
            self.mismatch(value, mismatch);
        }
        for name in condition.names() {
            match name.as_slice() {
                [kind, node, output, ..] if kind == "output" => {
                    self.check_use(value, whole.clone(), node, output, user, declared);
                }
                [kind, param, ..]
                    if kind == "param" && !declared.params.contains(param.as_str()) =>
                {
                    self.undefined_param(value, param, declared);
                }
                [kind, state, ..] if kind == "state" => {
                    self.check_state(value, whole.clone(), state, declared);
                }
                _ => {}
            }
        }
    }

    /// The shape has reported the condition, and does not know where in the file a part of it stands.
    fn narrow_condition(&mut self, attribute: &Attribute, range: Range<usize>) {
        let piece = &attribute.value[range.clone()];
        if !piece.trim().is_empty() {
            let part = self.place(attribute, range.start, piece);
            self.diagnostics
                .narrow(code::BAD_CONDITION, value_place(attribute), part);
        }
    }

    fn mismatch(&mut self, value: Value<'_>, mismatch: Mismatch) {
        let blanks = value.text.len() - value.text.trim_start().len();
        let range = mismatch.range.start + blanks..mismatch.range.end + blanks;
        let span = inside(&self.document.source, value.span, value.text, range);
        let Mismatch {
            message,
            help,
            is_decided,
            ..
        } = mismatch;
        if is_decided {
            // Two values of different types are never the same, which is surely not meant.
            self.diagnostics
                .warning(code::BAD_CONDITION, span, message, help);
        } else {
            self.diagnostics
                .error(code::BAD_CONDITION, span, message, help);
        }
    }

    /// A run may still give it, so it is no error.
    fn undefined_param(&mut self, value: Value<'_>, param: &str, declared: &Declared<'_>) {
        let help = self.did_you_mean(param, declared.params.iter().copied());
        let found = shortened(param);
        self.diagnostics.warning(
            code::UNDEFINED_PARAM,
            value.span,
            Text::new(
                format!("参数 `{found}` 未定义"),
                format!("parameter `{found}` is not defined"),
            ),
            help.unwrap_or_else(|| {
                Text::new(
                    "请在 <param-list> 中定义，或在运行时给出",
                    "define it in <param-list>, or give it with every run",
                )
            }),
        );
    }

    fn check_text(&mut self, value: Value<'_>, user: &mut User, declared: &mut Declared<'_>) {
        for (range, kept) in kept_references(value.text) {
            match kept {
                Kept::Output { node, name } => {
                    self.check_use(value, range, node, name, user, declared);
                }
                Kept::State { name } if declared.has_state_list => {
                    self.check_state(value, range, name, declared);
                }
                Kept::State { name } => self.state_of_the_shell(value, range, name),
            }
        }
    }

    fn check_use(
        &mut self,
        value: Value<'_>,
        range: Range<usize>,
        node: &str,
        output: &str,
        user: &mut User,
        declared: &mut Declared<'_>,
    ) {
        if !self.check_output(value, range.clone(), node, output, declared) {
            return;
        }
        let (Some(ways), Some(index)) = (declared.ways, user.index) else {
            return;
        };
        if user.ancestors.is_none() && declared.walks_left > 0 {
            declared.walks_left -= 1;
            user.ancestors = Some(ways.ancestors(index));
        }
        let is_before = match (&user.ancestors, ways.index(node)) {
            (Some(ancestors), Some(source)) => ancestors[source],
            _ => true,
        };
        if !is_before {
            self.output_too_late(value, range, node);
        }
    }

    /// Whether the output is declared; reported where it is not.
    fn check_output(
        &mut self,
        value: Value<'_>,
        range: Range<usize>,
        node: &str,
        output: &str,
        declared: &Declared<'_>,
    ) -> bool {
        let outputs = declared.outputs.get(node);
        if outputs.is_some_and(|outputs| outputs.contains_key(output)) {
            return true;
        }
        if outputs.is_none() && !declared.nodes.contains(node) {
            self.output_of_no_node(value, range, node, declared);
            return false;
        }
        let (node, output) = (shortened(node), shortened(output));
        let help = match outputs {
            Some(outputs) => did_you_mean(&output, outputs.keys().copied()),
            None => did_you_mean(&node, declared.outputs.keys().copied()),
        };
        let span = inside(&self.document.source, value.span, value.text, range);
        self.diagnostics.error(
            code::UNKNOWN_OUTPUT,
            span,
            Text::new(
                format!("节点 `{node}` 没有声明输出 `{output}`"),
                format!("node `{node}` declares no output `{output}`"),
            ),
            help.unwrap_or_else(|| {
                Text::new(
                    format!("请在节点 `{node}` 中添加 <output name=\"{output}\"/>"),
                    format!("add <output name=\"{output}\"/> to node `{node}`"),
                )
            }),
        );
        false
    }

    fn output_of_no_node(
        &mut self,
        value: Value<'_>,
        range: Range<usize>,
        node: &str,
        declared: &Declared<'_>,
    ) {
        let help = did_you_mean(node, declared.nodes.iter().copied());
        let node = shortened(node);
        let span = inside(&self.document.source, value.span, value.text, range);
        self.diagnostics.error(
            code::UNKNOWN_OUTPUT,
            span,
            Text::new(
                format!("节点 `{node}` 不存在，没有它的输出"),
                format!("there is no node `{node}`, so it hands on nothing"),
            ),
            help.unwrap_or_else(|| Text::new("请写已有节点的名称", "name a node that exists")),
        );
    }

    fn output_too_late(&mut self, value: Value<'_>, range: Range<usize>, node: &str) {
        let node = shortened(node);
        let span = inside(&self.document.source, value.span, value.text, range);
        self.diagnostics.error(
            code::OUTPUT_TOO_LATE,
            span,
            Text::new(
                format!("节点 `{node}` 不在此之前运行，没有它的输出可用"),
                format!("node `{node}` does not run before this one, so there is no output yet"),
            ),
            Text::new(
                "只能使用之前节点的输出",
                "use the outputs of nodes that lead here",
            ),
        );
    }

    fn check_state(
        &mut self,
        value: Value<'_>,
        range: Range<usize>,
        state: &str,
        declared: &Declared<'_>,
    ) {
        if declared.states.contains(state) {
            return;
        }
        let found = shortened(state);
        let span = inside(&self.document.source, value.span, value.text, range);
        let help = did_you_mean(&found, declared.states.iter().copied());
        self.diagnostics.error(
            code::UNKNOWN_STATE,
            span,
            Text::new(
                format!("状态值 `{found}` 未声明"),
                format!("state `{found}` is not declared"),
            ),
            help.unwrap_or_else(|| {
                Text::new("请在 <state-list> 中声明", "declare it in <state-list>")
            }),
        );
    }

    /// `${state:n}` cuts a string in a shell: without a state list it is left to it.
    fn state_of_the_shell(&mut self, value: Value<'_>, range: Range<usize>, state: &str) {
        let found = shortened(state);
        let span = inside(&self.document.source, value.span, value.text, range);
        self.diagnostics.warning(
            code::UNKNOWN_STATE,
            span,
            Text::new(
                format!("没有 <state-list>，`${{state:{found}}}` 原样保留，由shell解释"),
                format!("without a <state-list>, `${{state:{found}}}` is left to the shell"),
            ),
            Text::new(
                format!("如需跨实例保留的值，请声明 <state name=\"{found}\" .../>"),
                format!("to keep a value between runs, declare <state name=\"{found}\" .../>"),
            ),
        );
    }
}

fn param_names(root: &Element) -> BTreeSet<&str> {
    root.elements_named("coordinator")
        .flat_map(param_elements)
        .filter_map(|param| Some(param.attribute("name")?.value.trim()))
        .collect()
}

fn declared_outputs(nodes: &[Draft]) -> BTreeMap<&str, BTreeMap<&str, ParamType>> {
    let mut outputs: BTreeMap<&str, BTreeMap<&str, ParamType>> = BTreeMap::new();
    for node in nodes.iter().filter(|node| node.is("action")) {
        let names = node
            .outputs
            .iter()
            .map(|(name, kind)| (name.as_str(), *kind));
        let Some(name) = node.name.as_deref() else {
            continue;
        };
        outputs.entry(name).or_default().extend(names);
    }
    outputs
}
