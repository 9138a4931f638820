//! Attributes that say what happens when runs overlap, fail, or take too long.
//!
//! A value that its shape has reported as wrong is `None` here.

use crate::code;
use crate::definition::{
    Backoff, FailurePolicy, Growth, Misfire, OnTimeout, Overlap, ParamType, Pool, RetryRule,
    TimeoutScope,
};
use crate::element::Element;
use crate::read::Reader;
use crate::read::root::optional;
use crate::shape::Shape;
use crate::text::Text;

/// Attributes of an action that mean nothing without another one.
const PAIRS: &[(&str, &str)] = &[
    ("backoff", "retry-times"),
    ("max-interval", "backoff"),
    ("jitter", "retry-times"),
    ("retry-exit-codes", "retry-times"),
    ("timeout-scope", "timeout"),
    ("on-timeout", "timeout"),
    ("pool-slots", "pool"),
];

pub(super) fn overlap(shape: &Shape, root: &Element) -> Option<Overlap> {
    Some(match shape.value(root, "overlap")? {
        "queue" => Overlap::Queue,
        "skip" => Overlap::Skip,
        "cancel-running" => Overlap::CancelRunning,
        _ => return None,
    })
}

pub(super) fn failure_policy(shape: &Shape, root: &Element) -> Option<FailurePolicy> {
    Some(match shape.value(root, "failure-policy")? {
        "cancel-running" => FailurePolicy::CancelRunning,
        "finish-running" => FailurePolicy::FinishRunning,
        "finish-possible" => FailurePolicy::FinishPossible,
        _ => return None,
    })
}

/// Without one of its own it is `None` inside.
pub(super) fn priority(shape: &Shape, element: &Element) -> Option<Option<i32>> {
    if shape.value(element, "priority").is_none() {
        return Some(None);
    }
    i32::try_from(shape.integer(element, "priority")?)
        .ok()
        .map(Some)
}

pub(super) fn misfire(shape: &Shape, coordinator: &Element) -> Option<Misfire> {
    Some(match shape.value(coordinator, "misfire")? {
        "once" => Misfire::Once,
        "all" => Misfire::All,
        "skip" => Misfire::Skip,
        "deadline" => Misfire::Deadline {
            seconds: shape.duration(coordinator, "misfire-deadline")?,
        },
        _ => return None,
    })
}

pub(super) fn retry_rule(shape: &Shape, action: &Element) -> Option<RetryRule> {
    let growth = match shape.value(action, "backoff")? {
        "fixed" => Growth::Fixed,
        "linear" => Growth::Linear,
        "exponential" => Growth::Exponential,
        _ => return None,
    };
    let max_seconds = match optional(action, "max-interval") {
        Some(_) => Some(shape.duration(action, "max-interval")?),
        None => None,
    };
    let exit_codes = match optional(action, "retry-exit-codes") {
        Some(_) => Some(shape.codes(action, "retry-exit-codes")?),
        None => None,
    };
    Some(RetryRule {
        backoff: Backoff {
            growth,
            max_seconds,
            jitter_percent: u8::try_from(shape.integer(action, "jitter")?).ok()?,
        },
        exit_codes,
    })
}

pub(super) fn timeout_scope(shape: &Shape, action: &Element) -> Option<TimeoutScope> {
    Some(match shape.value(action, "timeout-scope")? {
        "node" => TimeoutScope::Node,
        "attempt" => TimeoutScope::Attempt,
        _ => return None,
    })
}

pub(super) fn on_timeout(shape: &Shape, action: &Element) -> Option<OnTimeout> {
    Some(match shape.value(action, "on-timeout")? {
        "fail" => OnTimeout::Fail,
        "kill" => OnTimeout::Kill,
        _ => return None,
    })
}

/// `None` inside where the node takes from none.
pub(super) fn pool(shape: &Shape, action: &Element) -> Option<Option<Pool>> {
    let Some(name) = optional(action, "pool") else {
        return Some(None);
    };
    let slots = u32::try_from(shape.integer(action, "pool-slots")?).ok()?;
    Some(Some(Pool { name, slots }))
}

/// The type of a parameter or an output; any text where it is wrong.
pub(super) fn value_type(element: &Element) -> ParamType {
    optional(element, "type")
        .and_then(|name| ParamType::named(&name))
        .unwrap_or_default()
}

impl Reader<'_> {
    /// Warns of attributes of an action that mean nothing without another one.
    pub(super) fn check_pairs(&mut self, action: &Element) {
        for (name, other) in PAIRS {
            if element_lacks(action, other) {
                self.no_effect(action, name, other);
            }
        }
    }

    /// Warns that `name` does nothing because `other` is not there.
    pub(super) fn no_effect(&mut self, element: &Element, name: &str, other: &str) {
        self.no_effect_without(element, name, &[other]);
    }

    /// The same where any of `others` would do.
    pub(super) fn no_effect_without(&mut self, element: &Element, name: &str, others: &[&str]) {
        let (zh, en) = (others.join("` 或 `"), others.join("` or `"));
        let Some(attribute) = element.attribute(name) else {
            return;
        };
        self.diagnostics.warning(
            code::NO_EFFECT,
            attribute.name_span,
            Text::new(
                format!("`{name}` 在此不起作用：它只与 `{zh}` 一起使用"),
                format!("`{name}` does nothing here: it counts only together with `{en}`"),
            ),
            Text::new(
                format!("请添加 `{zh}`，或删除 `{name}`"),
                format!("add `{en}`, or remove `{name}`"),
            ),
        );
    }

    /// Reports that what `element` says needs the attribute `other` beside it.
    pub(super) fn needs_other(&mut self, element: &Element, name: &str, other: &str) {
        let Some(attribute) = element.attribute(name) else {
            return;
        };
        let value = attribute.value.trim();
        self.diagnostics.error(
            code::NEEDS_OTHER,
            attribute.value_span,
            Text::new(
                format!("{name}=\"{value}\" 需要属性 `{other}`"),
                format!("{name}=\"{value}\" needs the attribute `{other}`"),
            ),
            Text::new(format!("请添加 `{other}`"), format!("add `{other}`")),
        );
    }
}

fn element_lacks(element: &Element, name: &str) -> bool {
    optional(element, name).is_none()
}
