//! Elements whose labels are misspelt: each is told of once, and from then on is the one that it was meant to be, so that
//! its name counts and what it holds is checked.

use std::collections::BTreeMap;

use crate::code;
use crate::diagnostic::Diagnostics;
use crate::element::{Child, Element, Span};
use crate::quote::shortened;
use crate::read::shapes::workflow_shape;
use crate::shape::{ChildShape, Shape};
use crate::suggest::{closest, did_you_mean};
use crate::text::Text;

/// Mends a file of which nothing is known but its shape.
pub(super) struct Labels<'a> {
    /// Labels of elements that were never closed.
    pub(super) unclosed: &'a [Span],
    /// The action types.
    pub(super) tags: Vec<&'static str>,
    pub(super) diagnostics: &'a mut Diagnostics,
}

impl Labels<'_> {
    pub(super) fn mend(&mut self, root: &mut Element) {
        self.mend_inside(root, workflow_shape());
    }

    fn mend_inside(&mut self, element: &mut Element, shape: &Shape) {
        if shape.is_open {
            return self.mend_action(element, shape);
        }
        let mut room = Room::of(element, shape);
        for child in inner(element) {
            let meant = rule(shape, &child.name)
                .is_none()
                .then(|| shape.meant_child(child))
                .flatten();
            if let Some(meant) = meant.filter(|meant| room.take(meant)) {
                shape.unknown_element(child, self.diagnostics);
                child.name = meant.shape.tag.into();
            }
        }
        self.give_back(element, |holder, label| {
            let holder = rule(shape, holder).map(|rule| &rule.shape);
            let is_own = holder.is_none_or(|holder| {
                rule(holder, label).is_some() || (holder.is_open && self.tags.contains(&label))
            });
            !is_own && rule(shape, label).is_some()
        });
        for child in inner(element) {
            if let Some(rule) = rule(shape, &child.name) {
                self.mend_inside(child, &rule.shape);
            }
        }
    }

    /// The body of an action is the matter of its type.
    fn mend_action(&mut self, action: &mut Element, shape: &Shape) {
        let mut room = Room::of(action, shape);
        let mut has_body = action
            .elements()
            .any(|child| self.tags.contains(&child.name.as_str()));
        for child in inner(action) {
            if rule(shape, &child.name).is_some() || self.tags.contains(&child.name.as_str()) {
                continue;
            }
            let own = shape.children.iter().map(|rule| rule.shape.tag);
            let bodies = self.tags.iter().copied().filter(|_| !has_body);
            let Some(meant) = closest(&child.name, own.chain(bodies)) else {
                continue;
            };
            match (rule(shape, meant), self.tag(meant)) {
                (Some(rule), _) if room.take(rule) => {
                    shape.unknown_element(child, self.diagnostics);
                    child.name = rule.shape.tag.into();
                }
                (None, Some(tag)) => {
                    unknown_type(child, &self.tags, self.diagnostics);
                    child.name = tag.into();
                    has_body = true;
                }
                _ => {}
            }
        }
        self.give_back(action, |holder, label| {
            let is_inside = self.tags.contains(&holder) || rule(shape, holder).is_some();
            is_inside && holder != label && rule(shape, label).is_some()
        });
    }

    fn tag(&self, label: &str) -> Option<&'static str> {
        self.tags.iter().find(|tag| **tag == label).copied()
    }

    /// What an element that was never closed has taken, though `is_beside` says that it belongs beside it.
    fn give_back(&self, element: &mut Element, is_beside: impl Fn(&str, &str) -> bool) {
        if self.unclosed.is_empty() {
            return;
        }
        let mut position = 0;
        while position < element.children.len() {
            let rest = match &mut element.children[position] {
                Child::Element(child) if self.unclosed.contains(&child.name_span) => {
                    let is_first = |inner: &Child| match inner {
                        Child::Element(inner) => is_beside(&child.name, &inner.name),
                        Child::Text { .. } => false,
                    };
                    let first = child.children.iter().position(is_first);
                    first.map_or_else(Vec::new, |first| child.children.split_off(first))
                }
                _ => Vec::new(),
            };
            position += 1;
            element.children.splice(position..position, rest);
        }
    }
}

fn rule<'s>(shape: &'s Shape, label: &str) -> Option<&'s ChildShape> {
    shape.children.iter().find(|rule| rule.shape.tag == label)
}

fn inner(element: &mut Element) -> impl Iterator<Item = &mut Element> {
    element.children.iter_mut().filter_map(|child| match child {
        Child::Element(child) => Some(child),
        Child::Text { .. } => None,
    })
}

/// How many of each may still stand in an element.
struct Room {
    left: BTreeMap<&'static str, usize>,
}

impl Room {
    fn of(element: &Element, shape: &Shape) -> Self {
        let limited = shape.children.iter().filter_map(|rule| {
            let max = usize::try_from(rule.max?).ok()?;
            let count = element.elements_named(rule.shape.tag).count();
            Some((rule.shape.tag, max.saturating_sub(count)))
        });
        Self {
            left: limited.collect(),
        }
    }

    /// Whether one more may stand there, which is then counted.
    fn take(&mut self, rule: &ChildShape) -> bool {
        let Some(left) = self.left.get_mut(rule.shape.tag) else {
            return true;
        };
        let has_room = *left > 0;
        *left = left.saturating_sub(1);
        has_room
    }
}

/// What people write without the type of the action around it.
const PARTS: &[(&str, &str)] = &[
    ("command", "shell"),
    ("code", "script"),
    ("source", "transfer"),
    ("target", "transfer"),
];

/// Reports a body of no known type.
pub(super) fn unknown_type(body: &Element, tags: &[&'static str], diagnostics: &mut Diagnostics) {
    let found = shortened(&body.name);
    let part_of = PARTS
        .iter()
        .find(|(part, tag)| *part == body.name && tags.contains(tag))
        .map(|(part, tag)| {
            Text::new(
                format!("请把它放入 <{tag}>：<{tag}><{part}>...</{part}></{tag}>"),
                format!("put it into <{tag}>: <{tag}><{part}>...</{part}></{tag}>"),
            )
        });
    let meant = part_of.or_else(|| did_you_mean(&body.name, tags.iter().copied()));
    let help = meant.unwrap_or_else(|| {
        Text::new(
            format!("可用类型：{}", tags.join("、")),
            format!("there are {}", tags.join(", ")),
        )
    });
    diagnostics.error(
        code::UNKNOWN_ACTION_TYPE,
        body.name_span,
        Text::new(
            format!("动作类型 <{found}> 不存在"),
            format!("there is no action type <{found}>"),
        ),
        help,
    );
}
