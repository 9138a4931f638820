//! The nodes of the graph.

use std::collections::BTreeSet;

use crate::code;
use crate::condition::{Condition, EDGE_VARIABLES};
use crate::definition::{ActionNode, Case, Edge, Node, NodeKind, Output, ParamType};
use crate::element::{Attribute, Element, Span};
use crate::quote::shortened;
use crate::read::Reader;
use crate::read::labels;
use crate::read::policy;
use crate::read::root::optional;
use crate::read::shapes::ACTION;
use crate::shape::{unknown_element, words};
use crate::suggest::did_you_mean;
use crate::text::Text;

/// A node as far as it could be read.
pub(super) struct Draft {
    pub(super) name: Option<String>,
    /// Where the name stands.
    pub(super) name_span: Span,
    /// Its label in the file.
    pub(super) tag: String,
    /// Where its edges lead.
    pub(super) targets: Vec<Target>,
    /// What it comes after: edges from there lead to it.
    pub(super) after: Vec<Target>,
    /// What it hands on, name and type, however wrong the rest.
    pub(super) outputs: Vec<(String, ParamType)>,
    /// `None` when something is wrong, which is then reported.
    pub(super) node: Option<Node>,
}

/// Bodies that the engine itself lives: no process hands anything on.
const HANDS_ON_NOTHING: &[&str] = &["sub-workflow", "wait"];

impl Draft {
    pub(super) fn is(&self, tag: &str) -> bool {
        self.tag == tag
    }

    /// Whether an instance is over when it is reached.
    pub(super) fn is_terminal(&self) -> bool {
        self.is("end") || self.is("kill")
    }
}

/// An edge.
pub(super) struct Target {
    pub(super) to: String,
    pub(super) span: Span,
}

impl Reader<'_> {
    /// `None` for an element that is no node.
    pub(super) fn read_node(&mut self, element: &Element) -> Option<Draft> {
        let own = || target_of(element).map(|target| target.to);
        let kind = match element.name.as_str() {
            "start" => own().map(|to| NodeKind::Start { to }),
            "join" => own().map(|to| NodeKind::Join { to }),
            "finally" => own().map(|to| NodeKind::Finally { to }),
            "end" => Some(NodeKind::End),
            "kill" => Some(NodeKind::Kill {
                message: kill_message(element),
            }),
            "fork" => read_fork(element),
            "decision" => read_decision(element),
            "action" => self
                .read_action(element)
                .map(|action| NodeKind::Action(Box::new(action))),
            _ => return None,
        };
        let name = optional(element, "name");
        let after = self.read_after(element);
        let node = name.clone().zip(kind).map(|(name, kind)| Node {
            name,
            desc: optional(element, "desc"),
            kind,
            after: after.iter().map(|target| target.to.clone()).collect(),
            span: element.span,
        });
        Some(Draft {
            name,
            name_span: element
                .attribute("name")
                .map_or(element.name_span, |attribute| attribute.value_span),
            tag: element.name.to_string(),
            targets: targets(element),
            after,
            outputs: declared_outputs(element),
            node,
        })
    }

    /// The nodes that it comes after, each once, and where each is named.
    fn read_after(&self, element: &Element) -> Vec<Target> {
        let Some(attribute) = element.attribute("after") else {
            return Vec::new();
        };
        let base = attribute.value.as_ptr() as usize;
        let mut known = BTreeSet::new();
        words(&attribute.value)
            .filter(|word| known.insert(*word))
            .map(|word| Target {
                to: word.to_owned(),
                // The word is a piece of the value.
                span: self.place(attribute, word.as_ptr() as usize - base, word),
            })
            .collect()
    }

    fn read_action(&mut self, element: &Element) -> Option<ActionNode> {
        let shape = &*ACTION;
        let timeout = shape.integer(element, "timeout");
        if timeout == Some(0) {
            self.no_limit(element);
        }
        self.check_pairs(element);
        let outputs = self.read_outputs(element);
        let body = self.body(element)?;
        Some(ActionNode {
            tag: body.name.to_string(),
            body: body.clone(),
            host: optional(element, "host").filter(|host| host != "-1"),
            worker_labels: shape.words(element, "worker-labels"),
            retry_times: u32::try_from(self.not_negative(element, "retry-times")?).ok()?,
            interval_seconds: self.not_negative(element, "interval")?,
            retry: policy::retry_rule(shape, element)?,
            timeout_seconds: u64::try_from(timeout?).ok().filter(|limit| *limit > 0),
            timeout_scope: policy::timeout_scope(shape, element)?,
            on_timeout: policy::on_timeout(shape, element)?,
            priority: policy::priority(shape, element)?,
            pool: policy::pool(shape, element)?,
            is_ignore: shape.boolean(element, "is-ignore")?,
            outputs,
            ok: edge(element, "ok")?,
            error: edge(element, "error")?,
        })
    }

    /// A number below 0 means what 0 does, as in akkaflow.
    fn not_negative(&mut self, element: &Element, name: &str) -> Option<u64> {
        let number = ACTION.integer(element, name)?;
        if let (Some(attribute), true) = (element.attribute(name), number < 0) {
            self.diagnostics.warning(
                code::NO_EFFECT,
                attribute.value_span,
                Text::new(
                    format!("`{name}` 为负数，视为0"),
                    format!("`{name}` is below 0 and counts as 0"),
                ),
                Text::new("请写0或删除该属性", "write 0, or remove it"),
            );
        }
        Some(number.max(0).unsigned_abs())
    }

    fn read_outputs(&mut self, element: &Element) -> Vec<Output> {
        let mut known = BTreeSet::new();
        let mut outputs = Vec::new();
        let silent = element
            .elements()
            .find(|body| HANDS_ON_NOTHING.contains(&body.name.as_str()));
        let handed_on = bodies(element)
            .next()
            .filter(|_| element.elements_named("output").next().is_some())
            .and_then(|body| self.actions.outputs(body));
        for output in element.elements_named("output") {
            if let Some(body) = silent {
                self.output_of_nothing(output, &body.name);
            }
            let Some(attribute) = output.attribute("name") else {
                continue;
            };
            let name = attribute.value.trim();
            if !known.insert(name) {
                self.repeated(attribute);
                continue;
            }
            if let Some(names) = handed_on.filter(|names| !names.contains(&name)) {
                self.output_not_handed_on(attribute, names);
            }
            outputs.push(Output {
                name: name.to_owned(),
                kind: policy::value_type(output),
                desc: optional(output, "desc"),
            });
        }
        outputs
    }

    fn output_of_nothing(&mut self, output: &Element, tag: &str) {
        self.diagnostics.error(
            code::UNKNOWN_OUTPUT,
            output.name_span,
            Text::new(
                format!("<{tag}> 不产生输出"),
                format!("<{tag}> hands on nothing"),
            ),
            Text::new(
                "请删除 <output>；需要传递的值请由脚本、SQL等节点给出",
                "remove <output>; let a script, a query or the like hand the value on",
            ),
        );
    }

    fn output_not_handed_on(&mut self, attribute: &Attribute, known: &[&'static str]) {
        let name = attribute.value.trim();
        let help = did_you_mean(name, known.iter().copied()).unwrap_or_else(|| {
            Text::new(
                format!("该类型产生的输出有：{}", known.join("、")),
                format!("it hands on {}", known.join(", ")),
            )
        });
        let found = shortened(name);
        self.diagnostics.error(
            code::UNKNOWN_OUTPUT,
            attribute.value_span,
            Text::new(
                format!("该动作不产生输出 `{found}`"),
                format!("this action hands on no `{found}`"),
            ),
            help,
        );
    }

    /// A name that must be unique stands twice.
    pub(super) fn repeated(&mut self, attribute: &Attribute) {
        let found = shortened(attribute.value.trim());
        self.diagnostics.error(
            code::REPEATED_NAME,
            attribute.value_span,
            Text::new(
                format!("名称 `{found}` 重复"),
                format!("`{found}` is declared twice"),
            ),
            Text::new("请改名或删除其中一个", "rename or remove one of them"),
        );
    }

    fn no_limit(&mut self, element: &Element) {
        let span = element
            .attribute("timeout")
            .map_or(element.name_span, |attribute| attribute.value_span);
        self.diagnostics.warning(
            code::NO_LIMIT,
            span,
            Text::new(
                "timeout为0，视为不限时",
                "a time limit of 0 is taken as none",
            ),
            Text::new("不限时请写-1", "write -1 for no limit"),
        );
    }

    /// The one element that says what the action does.
    fn body<'e>(&mut self, element: &'e Element) -> Option<&'e Element> {
        let mut bodies = bodies(element);
        let body = bodies.next();
        if body.is_none() && !self.is_cut_off(element) {
            let tags = self.actions.tags();
            let tags: Vec<String> = tags.iter().map(|tag| format!("<{tag}>")).collect();
            self.diagnostics.error(
                code::NO_ACTION_TYPE,
                element.name_span,
                Text::new("动作节点没有指定类型", "the action does not say what to do"),
                Text::new(
                    format!("请添加其中之一：{}", tags.join("、")),
                    format!("add one of {}", tags.join(", ")),
                ),
            );
        }
        for extra in bodies {
            if !self.actions.tags().contains(&extra.name.as_str()) {
                unknown_element(
                    "action",
                    extra,
                    None,
                    ["ok", "error", "output"].into_iter(),
                    &mut self.diagnostics,
                );
                continue;
            }
            let (first, found) = (
                shortened(body.map_or("", |body| body.name.as_str())),
                shortened(&extra.name),
            );
            self.diagnostics.error(
                code::SEVERAL_ACTION_TYPES,
                extra.name_span,
                Text::new(
                    format!("动作节点已是 <{first}>，不能再有 <{found}>"),
                    format!("the action is a <{first}> already, it cannot hold <{found}> too"),
                ),
                Text::new("请拆成两个节点", "make two nodes of it"),
            );
        }
        body
    }

    /// Has the action types look at their bodies, and notes what this version cannot run.
    pub(super) fn check_bodies(&mut self, root: &Element) {
        for action in root.elements_named("action") {
            let Some(body) = bodies(action).next() else {
                continue;
            };
            // A body that is cut off would be blamed for what it may still hold.
            if self.is_cut_off(body) {
                continue;
            }
            let mut found = std::mem::take(&mut self.diagnostics);
            let reasons = found.reasons().len();
            let is_known = self.actions.check(body, &mut found);
            let is_ignored = ACTION.boolean(action, "is-ignore").unwrap_or(false);
            if is_ignored {
                found.keep_reasons(reasons);
            }
            self.diagnostics = found;
            if is_known.is_none() {
                let tags = self.actions.tags();
                labels::unknown_type(body, &tags, &mut self.diagnostics);
            }
        }
    }
}

fn bodies(action: &Element) -> impl Iterator<Item = &Element> {
    action
        .elements()
        .filter(|child| !matches!(child.name.as_str(), "ok" | "error" | "output"))
}

/// `None` when a path is wrong, which is then reported.
fn read_fork(element: &Element) -> Option<NodeKind> {
    let paths = element.elements_named("path").map(read_edge);
    Some(NodeKind::Fork {
        paths: paths.collect::<Option<_>>()?,
    })
}

fn read_decision(element: &Element) -> Option<NodeKind> {
    let cases = element.elements_named("case").map(|case| {
        let Edge { to, when } = read_edge(case)?;
        Some(Case { to, when: when? })
    });
    Some(NodeKind::Decision {
        cases: cases.collect::<Option<_>>()?,
        default: targets_in(element, "default")
            .next()
            .map(|target| target.to),
    })
}

/// The edge of an action: `None` inside when there is none, outside when it is wrong.
fn edge(element: &Element, tag: &str) -> Option<Option<Edge>> {
    match element.elements_named(tag).next() {
        Some(edge) => read_edge(edge).map(Some),
        None => Some(None),
    }
}

fn read_edge(element: &Element) -> Option<Edge> {
    let when = match optional(element, "when") {
        Some(text) => Some(Condition::parse(&text, EDGE_VARIABLES).ok()?),
        None => None,
    };
    let to = target_of(element)?.to;
    Some(Edge { to, when })
}

fn declared_outputs(element: &Element) -> Vec<(String, ParamType)> {
    let outputs = element.elements_named("output").filter_map(|output| {
        let name = output.attribute("name")?.value.trim().to_owned();
        Some((name, policy::value_type(output)))
    });
    outputs.collect()
}

fn kill_message(element: &Element) -> String {
    element
        .elements_named("message")
        .next()
        .map(|message| message.text().trim().to_owned())
        .unwrap_or_default()
}

fn target_of(element: &Element) -> Option<Target> {
    let attribute = element.attribute("to")?;
    let to = attribute.value.trim();
    (!to.is_empty()).then(|| Target {
        to: to.to_owned(),
        span: attribute.value_span,
    })
}

fn targets_in<'e>(element: &'e Element, tag: &'e str) -> impl Iterator<Item = Target> {
    element.elements_named(tag).filter_map(target_of)
}

fn targets(element: &Element) -> Vec<Target> {
    match element.name.as_str() {
        "start" | "join" | "finally" => target_of(element).into_iter().collect(),
        "fork" => targets_in(element, "path").collect(),
        "decision" => targets_in(element, "case")
            .chain(targets_in(element, "default"))
            .collect(),
        "action" => targets_in(element, "ok")
            .chain(targets_in(element, "error"))
            .collect(),
        _ => Vec::new(),
    }
}
