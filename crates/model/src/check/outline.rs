//! What the files of a set must know of each other.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;

use crate::cron::Cron;
use crate::definition::{Coordinator, ParamRule, Workflow};
use crate::diagnostic::{Diagnostic, Finding, Severity};
use crate::element::{Attribute, Element, Span};
use crate::render::Lines;
use crate::sub_workflow::SubWorkflow;
use crate::text::Text;

/// A workflow as the others of its set see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub name_at: Place,
    /// The same in bytes of the text.
    pub(crate) name_span: Span,
    /// Whether the file has no error.
    pub is_good: bool,
    /// Whether `instance-limit` is given.
    pub(crate) has_limit: bool,
    /// Why it never starts by itself, if so: nobody who waits for it is ever served.
    pub idle: Option<Idle>,
    /// What it waits for, in order.
    pub upstreams: Vec<Upstream>,
    /// The workflows that its nodes start, in order.
    pub children: Vec<Started>,
    /// Its parameters, for those that start it.
    pub(super) params: Box<[Asked]>,
    /// Whether its instance limit lets nothing start.
    pub is_limit_zero: bool,
    /// The calendar that its schedule goes by, and where that is named.
    pub calendar: Option<(String, Place)>,
    /// The last of its dates, where nothing else starts it, and where they stand.
    pub(crate) last_date: Option<(NaiveDateTime, Place)>,
    /// The end of its time window, where it is given, and where that stands.
    pub window_end: Option<(NaiveDateTime, Place)>,
}

/// A workflow that another waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub at: Place,
    /// Whether another one serves as well.
    pub is_one_of_any: bool,
    /// Whether the date before is waited for, which is over when this one begins.
    pub is_of_date_before: bool,
}

/// A workflow that a node of another one starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub at: Place,
    /// What it is given.
    pub(super) params: Vec<Given>,
}

/// A parameter that a node hands over to the workflow that it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) name: String,
    pub(super) name_at: Place,
    /// Where nothing is replaced in it.
    pub(super) literal: Option<(String, Place)>,
}

/// A parameter that a workflow declares or uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) name: String,
    /// Whether there is no instance without it.
    pub(super) is_needed: bool,
    /// Which values it takes, where it says so.
    pub(super) rule: Option<Box<ParamRule>>,
}

impl Upstream {
    /// Whether a circle that this leads into never begins.
    pub(super) fn closes_circles(&self) -> bool {
        !self.is_one_of_any && !self.is_of_date_before
    }
}

/// Why a workflow never starts by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    /// It has no coordinator.
    NoCoordinator,
    /// Its coordinator is switched off.
    Disabled,
    /// Its instance limit lets nothing start.
    LimitZero,
    /// Its times never come, and nothing else starts it.
    NeverFires,
    /// Its coordinator holds nothing that starts it.
    NothingStarts,
}

impl Idle {
    /// Of a workflow by its limit and whether its coordinator is enabled, where it has one.
    pub fn of(is_enabled: Option<bool>, instance_limit: i64) -> Option<Self> {
        match is_enabled {
            None => Some(Self::NoCoordinator),
            Some(false) => Some(Self::Disabled),
            Some(true) => (instance_limit <= 0).then_some(Self::LimitZero),
        }
    }
}

/// A place of a file with the line it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: u32,
    /// From 1, in Unicode scalar values.
    pub column: u32,
    /// Characters, at least 1.
    pub width: u32,
    /// The line; of a long one the part around the place.
    pub excerpt: String,
    /// Characters of the line that the excerpt leaves out at its beginning.
    pub excerpt_from: u32,
}

impl Place {
    fn unknown() -> Self {
        Self {
            line: 1,
            column: 1,
            width: 1,
            excerpt: String::new(),
            excerpt_from: 0,
        }
    }

    fn of(lines: &Lines<'_>, span: Span) -> Self {
        let diagnostic = Diagnostic {
            code: "",
            severity: Severity::Note,
            span,
            message: Text::verbatim(""),
            help: None,
        };
        let finding = lines.locate("", &diagnostic);
        Self {
            line: finding.line,
            column: finding.column,
            width: finding.width,
            excerpt: finding.excerpt,
            excerpt_from: finding.excerpt_from,
        }
    }

    /// A finding at this place.
    pub(super) fn finding(
        &self,
        file: &str,
        (code, severity): (&'static str, Severity),
        message: Text,
        help: Text,
    ) -> Finding {
        Finding {
            code: code.to_owned(),
            severity,
            file: file.to_owned(),
            line: self.line,
            column: self.column,
            width: self.width,
            excerpt: self.excerpt.clone(),
            excerpt_from: self.excerpt_from,
            message,
            help: Some(help),
        }
    }
}

/// Upstreams of a file that are looked at, and workflows that it starts: more than any file has.
const MOST_UPSTREAMS: usize = 1_000;

/// Parameters of one body that are looked at.
const MOST_GIVEN: usize = 100;

impl Outline {
    /// Of what could be read of a file, however wrong the rest.
    pub(crate) fn of(source: &str, root: &Element, workflow: Option<&Workflow>) -> Option<Self> {
        let name = root.attribute("name")?;
        if name.value.trim().is_empty() {
            return None;
        }
        let coordinator = root.elements_named("coordinator").next();
        let lists = coordinator
            .into_iter()
            .flat_map(|coordinator| coordinator.elements_named("depend-list"));
        let items = lists.flat_map(Element::elements).flat_map(dependencies);
        let lines = Lines::new(source);
        let place = |attribute: &Attribute| Place::of(&lines, attribute.value_span);
        let upstreams = items
            .filter(|(upstream, ..)| !upstream.value.trim().is_empty())
            .take(MOST_UPSTREAMS)
            .map(|(upstream, is_one_of_any, is_of_date_before)| Upstream {
                name: upstream.value.trim().to_owned(),
                at: place(upstream),
                is_one_of_any,
                is_of_date_before,
            })
            .collect();
        let children = started(root)
            .take(MOST_UPSTREAMS)
            .map(|(body, child)| Started {
                name: child.value.trim().to_owned(),
                at: place(child),
                params: given(body, &lines),
            })
            .collect();
        let calendar = coordinator
            .and_then(|coordinator| coordinator.attribute("calendar"))
            .filter(|calendar| !calendar.value.trim().is_empty())
            .map(|calendar| (calendar.value.trim().to_owned(), place(calendar)));
        let end = coordinator.and_then(|coordinator| coordinator.attribute("end-time"));
        let end_time = workflow
            .and_then(|workflow| workflow.coordinator.as_ref())
            .map(|coordinator| coordinator.end_time);
        Some(Self {
            name: name.value.trim().to_owned(),
            name_at: place(name),
            name_span: name.value_span,
            is_good: workflow.is_some(),
            has_limit: root.attribute("instance-limit").is_some(),
            idle: workflow.and_then(idle),
            is_limit_zero: workflow.is_some_and(|workflow| workflow.instance_limit <= 0),
            upstreams,
            children,
            params: workflow.map(asked).unwrap_or_default(),
            calendar,
            last_date: workflow.and_then(last_date).zip(
                coordinator
                    .and_then(|coordinator| coordinator.attribute("dates"))
                    .map(place),
            ),
            window_end: end_time.zip(end.map(place)),
        })
    }

    /// Of a workflow of which only this is known.
    pub fn waiting_for(name: &str, upstreams: &[String]) -> Self {
        Self {
            name: name.to_owned(),
            name_at: Place::unknown(),
            name_span: Span::default(),
            is_good: true,
            has_limit: true,
            idle: None,
            upstreams: upstreams
                .iter()
                .map(|name| Upstream {
                    name: name.clone(),
                    at: Place::unknown(),
                    is_one_of_any: false,
                    is_of_date_before: false,
                })
                .collect(),
            children: Vec::new(),
            params: Box::default(),
            is_limit_zero: false,
            calendar: None,
            last_date: None,
            window_end: None,
        }
    }

    /// Of a workflow that is in force, whose file does not matter any more: its places are unknown.
    pub fn in_force(workflow: &Workflow) -> Self {
        let coordinator = workflow.coordinator.as_ref();
        let upstreams = coordinator.map_or(&[][..], |found| &found.depends);
        Self {
            idle: idle(workflow),
            ..Self::waiting_for(&workflow.name, upstreams)
        }
    }
}

/// The bodies that start workflows and the names of these, but for those that parameters give.
fn started(root: &Element) -> impl Iterator<Item = (&Element, &Attribute)> {
    root.elements_named("action")
        .flat_map(|action| action.elements_named(SubWorkflow::TAG))
        .filter_map(|body| Some((body, body.attribute("workflow")?)))
        .filter(|(_, name)| !name.value.trim().is_empty() && !name.value.contains("${"))
}

fn given(body: &Element, lines: &Lines<'_>) -> Vec<Given> {
    let params = body.elements_named("param").take(MOST_GIVEN);
    let given = params.filter_map(|param| {
        let name = param.attribute("name")?;
        let place = |attribute: &Attribute| Place::of(lines, attribute.value_span);
        let value = param.attribute("value");
        Some(Given {
            name: name.value.trim().to_owned(),
            name_at: place(name),
            literal: value
                .filter(|value| !value.value.contains("${"))
                .map(|value| (value.value.to_string(), place(value))),
        })
    });
    given.collect()
}

/// What a workflow declares, and what it uses without that.
fn asked(workflow: &Workflow) -> Box<[Asked]> {
    let coordinator = workflow.coordinator.as_ref();
    let values = coordinator.map_or(&[][..], |found| &found.params);
    let rules = coordinator.map_or(&[][..], |found| &found.param_rules);
    let has_value = |name: &str| values.iter().any(|(known, _)| known == name);
    let rule = |name: &str| rules.iter().find(|rule| rule.name == name);
    let names: BTreeSet<&str> = (values.iter().map(|(name, _)| name.as_str()))
        .chain(rules.iter().map(|rule| rule.name.as_str()))
        .chain(workflow.used_params.iter().map(String::as_str))
        .collect();
    let asked = names.into_iter().map(|name| Asked {
        name: name.to_owned(),
        is_needed: rule(name).is_some_and(|rule| rule.is_required) && !has_value(name),
        rule: rule(name).cloned().map(Box::new),
    });
    asked.collect()
}

/// The names of an item of a list, each with whether one of them is enough and whether the date before is meant.
fn dependencies(item: &Element) -> Vec<(&Attribute, bool, bool)> {
    fn named(workflow: &Element, is_one_of_any: bool) -> Option<(&Attribute, bool, bool)> {
        let date = workflow.attribute("date").map(|date| date.value.trim());
        let is_of_date_before = date == Some("previous");
        Some((
            workflow.attribute("name")?,
            is_one_of_any,
            is_of_date_before,
        ))
    }
    match item.name.as_str() {
        "workflow" => named(item, false).into_iter().collect(),
        "any-of" => {
            let inner = item.elements_named("workflow");
            inner.filter_map(|inner| named(inner, true)).collect()
        }
        _ => Vec::new(),
    }
}

fn idle(workflow: &Workflow) -> Option<Idle> {
    let coordinator = workflow.coordinator.as_ref();
    let is_enabled = coordinator.map(|coordinator| coordinator.is_enabled);
    Idle::of(is_enabled, workflow.instance_limit).or_else(|| times_that_never_come(coordinator?))
}

/// Whether nothing but times starts it, and none of them ever comes.
fn times_that_never_come(coordinator: &Coordinator) -> Option<Idle> {
    let timing = &coordinator.timing;
    let is_live = !coordinator.depends.is_empty()
        || timing.every_seconds.is_some()
        || !timing.dates.is_empty();
    let mut crons = coordinator.cron.iter().chain(&timing.crons).peekable();
    match crons.peek() {
        _ if is_live => None,
        None => Some(Idle::NothingStarts),
        Some(_) => crons.all(Cron::never_fires).then_some(Idle::NeverFires),
    }
}

/// The last of its dates, where nothing else starts it.
fn last_date(workflow: &Workflow) -> Option<NaiveDateTime> {
    let coordinator = workflow.coordinator.as_ref()?;
    let timing = &coordinator.timing;
    let has_other = coordinator.cron.is_some()
        || !timing.crons.is_empty()
        || timing.every_seconds.is_some()
        || !coordinator.depends.is_empty();
    timing.dates.iter().max().copied().filter(|_| !has_other)
}
