//! The nodes of the graph.

use std::collections::BTreeSet;

use crate::code;
use crate::definition::{ActionNode, Node, NodeKind};
use crate::element::{Element, Span};
use crate::quote::shortened;
use crate::read::Reader;
use crate::read::root::optional;
use crate::read::shapes::action_shape;
use crate::shape::unknown_element;
use crate::suggest::did_you_mean;
use crate::text::Text;

/// Every action type of akkaflow 2.12, run by this version or not.
const KNOWN_TAGS: &[&str] = &[
    "shell",
    "script",
    "file-monitor",
    "file-executor",
    "data-monitor",
    "sql",
    "transfer",
    "metadata",
    "email",
    "ssh",
];

/// A node as far as it could be read.
pub(super) struct Draft {
    pub(super) name: Option<String>,
    /// Where the name stands.
    pub(super) name_span: Span,
    pub(super) is_start: bool,
    pub(super) is_end: bool,
    pub(super) is_fork: bool,
    /// Where its edges lead.
    pub(super) targets: Vec<Target>,
    /// `None` when something is wrong, which is then reported.
    pub(super) node: Option<Node>,
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
            "end" => Some(NodeKind::End),
            "kill" => Some(NodeKind::Kill {
                message: kill_message(element),
            }),
            "fork" => Some(NodeKind::Fork {
                paths: targets_in(element, "path")
                    .map(|target| target.to)
                    .collect(),
            }),
            "action" => self
                .read_action(element)
                .map(|action| NodeKind::Action(Box::new(action))),
            _ => return None,
        };
        let name = optional(element, "name");
        let node = name.clone().zip(kind).map(|(name, kind)| Node {
            name,
            desc: optional(element, "desc"),
            kind,
            span: element.span,
        });
        Some(Draft {
            name,
            name_span: element
                .attribute("name")
                .map_or(element.name_span, |attribute| attribute.value_span),
            is_start: element.name == "start",
            is_end: element.name == "end",
            is_fork: element.name == "fork",
            targets: targets(element),
            node,
        })
    }

    fn read_action(&mut self, element: &Element) -> Option<ActionNode> {
        let shape = action_shape();
        let timeout = shape.integer(element, "timeout");
        if timeout == Some(0) {
            self.no_limit(element);
        }
        let body = self.body(element)?;
        Some(ActionNode {
            tag: body.name.clone(),
            body: body.clone(),
            host: optional(element, "host").filter(|host| host != "-1"),
            retry_times: u32::try_from(shape.integer(element, "retry-times")?).ok()?,
            interval_seconds: u64::try_from(shape.integer(element, "interval")?).ok()?,
            timeout_seconds: u64::try_from(timeout?).ok().filter(|limit| *limit > 0),
            is_ignore: shape.boolean(element, "is-ignore")?,
            ok: targets_in(element, "ok").next()?.to,
            error: targets_in(element, "error").next().map(|target| target.to),
        })
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
            let tags = self.known_tags();
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
            if !self.known_tags().contains(extra.name.as_str()) {
                unknown_element(
                    "action",
                    extra,
                    ["ok", "error"].into_iter(),
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

    fn known_tags(&self) -> BTreeSet<&'static str> {
        let own = self.actions.tags();
        own.into_iter().chain(KNOWN_TAGS.iter().copied()).collect()
    }

    /// Has the action types look at their bodies. Says why the workflow cannot run, if it cannot.
    pub(super) fn check_bodies(&mut self, root: &Element) -> Option<Text> {
        let mut missing: BTreeSet<&'static str> = BTreeSet::new();
        for action in root.elements_named("action") {
            let Some(body) = bodies(action).next() else {
                continue;
            };
            let mut found = std::mem::take(&mut self.diagnostics);
            // A body that is cut off would be blamed for what it may still hold.
            let is_known = if self.is_cut_off(body) {
                Some(())
            } else {
                self.actions.check(body, &mut found)
            };
            self.diagnostics = found;
            if is_known.is_none() {
                missing.extend(self.unknown_type(action, body));
            }
        }
        let list: Vec<&str> = missing.into_iter().collect();
        (!list.is_empty()).then(|| {
            Text::new(
                format!("当前版本暂不能执行动作类型：{}", list.join("、")),
                format!("this version does not run {} yet", list.join(", ")),
            )
        })
    }

    /// The type, when akkaflow has it, this version does not, and the node would run.
    fn unknown_type(&mut self, action: &Element, body: &Element) -> Option<&'static str> {
        let known = KNOWN_TAGS.iter().find(|tag| **tag == body.name);
        let found = shortened(&body.name);
        let Some(tag) = known else {
            let tags = self.known_tags();
            let help = did_you_mean(&body.name, tags.iter().copied()).unwrap_or_else(|| {
                let tags: Vec<&str> = tags.into_iter().collect();
                Text::new(
                    format!("可用类型：{}", tags.join("、")),
                    format!("there are {}", tags.join(", ")),
                )
            });
            self.diagnostics.error(
                code::UNKNOWN_ACTION_TYPE,
                body.name_span,
                Text::new(
                    format!("动作类型 <{found}> 不存在"),
                    format!("there is no action type <{found}>"),
                ),
                help,
            );
            return None;
        };
        self.diagnostics.warning(
            code::NOT_RUNNABLE,
            body.name_span,
            Text::new(
                format!("当前版本暂不能执行 <{found}>，工作流会保存但不会运行"),
                format!(
                    "this version does not run <{found}> yet; the workflow is kept but does not run"
                ),
            ),
            None,
        );
        let is_ignored = action_shape().boolean(action, "is-ignore").unwrap_or(false);
        (!is_ignored).then_some(*tag)
    }
}

fn bodies(action: &Element) -> impl Iterator<Item = &Element> {
    action
        .elements()
        .filter(|child| !matches!(child.name.as_str(), "ok" | "error"))
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
        "start" | "join" => target_of(element).into_iter().collect(),
        "fork" => targets_in(element, "path").collect(),
        "action" => targets_in(element, "ok")
            .chain(targets_in(element, "error"))
            .collect(),
        _ => Vec::new(),
    }
}
