//! The schedule.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;

use crate::code;
use crate::cron::{Cron, Style};
use crate::definition::{Coordinator, DateRule, Dependency, DependencyTerm, Timing};
use crate::element::{Attribute, Element};
use crate::landing::Deadline;
use crate::param::has_reference;
use crate::quote::Shortened;
use crate::read::Reader;
use crate::read::policy;
use crate::read::root::optional;
use crate::read::shapes::{COORDINATOR, DEPENDENCY};
use crate::schedule::{DayPolicy, read_dates};
use crate::text::Text;

impl Reader<'_> {
    /// `None` when something is wrong, which is then reported.
    pub(super) fn read_coordinator(
        &mut self,
        element: &Element,
        workflow: Option<&str>,
    ) -> Option<Coordinator> {
        let shape = &*COORDINATOR;
        let style = shape
            .value(element, "cron-style")
            .and_then(Style::from_word)
            .unwrap_or_default();
        let cron = self
            .only_cron(element)
            .map(|cron| self.read_cron(cron, style));
        let timing = self.read_timing(element, style);
        let dependencies = self.read_dependencies(element, workflow);
        let window = (
            shape.date_time(element, "start-time"),
            shape.date_time(element, "end-time"),
        );
        if matches!(window, (Some(start), Some(end)) if start > end) {
            self.empty_window(element);
        }
        self.check_misfire(element);
        let has_cron = element
            .elements_named("depend-list")
            .any(|list| optional(list, "cron").is_some());
        if !has_cron && timing.as_ref().is_some_and(Timing::is_empty) {
            self.no_effect(element, "calendar", "cron");
        }
        self.blank_crons(element);
        self.check_starts(element);
        let params = self.read_param_list(element);
        let mut depends: Vec<String> = Vec::new();
        let mut known = BTreeSet::new();
        for dependency in dependencies.iter().flat_map(DependencyTerm::dependencies) {
            if known.insert(dependency.workflow.as_str()) {
                depends.push(dependency.workflow.clone());
            }
        }
        Some(Coordinator {
            is_enabled: shape.boolean(element, "is-enabled")?,
            start_time: window.0?,
            end_time: window.1?,
            cron: match cron {
                Some(cron) => Some(cron?),
                None => None,
            },
            depends,
            timing: timing?,
            dependencies,
            params: params.values,
            param_rules: params.rules,
            misfire: policy::misfire(shape, element)?,
            time_zone: optional(element, "time-zone").and_then(|zone| zone.parse().ok()),
            catch_up: shape.boolean(element, "catch-up")?,
            deadline: match optional(element, "deadline") {
                Some(_) => Some(Deadline::parse(shape.value(element, "deadline")?)?),
                None => None,
            },
        })
    }

    /// The times beside the cron of the dependency list.
    fn read_timing(&mut self, element: &Element, style: Style) -> Option<Timing> {
        let shape = &*COORDINATOR;
        let expressions = element
            .elements_named("cron")
            .filter_map(|cron| cron.attribute("expression"))
            .filter(|expression| !expression.value.trim().is_empty());
        let crons: Vec<Option<Cron>> = expressions
            .map(|expression| self.read_cron(expression, style))
            .collect();
        let dates = element
            .attribute("dates")
            .map(|dates| self.read_dates(dates));
        let every_seconds = match optional(element, "every") {
            Some(_) => Some(shape.duration(element, "every")?),
            None => None,
        };
        let calendar = optional(element, "calendar");
        if calendar.is_none() {
            self.no_effect(element, "calendar-policy", "calendar");
        }
        let policy = DayPolicy::from_word(shape.value(element, "calendar-policy")?)?;
        Some(Timing {
            crons: crons.into_iter().collect::<Option<_>>()?,
            every_seconds,
            dates: dates.unwrap_or_else(|| Some(Vec::new()))?,
            calendar: calendar.map(|name| (name, policy)),
        })
    }

    fn read_dates(&mut self, attribute: &Attribute) -> Option<Vec<NaiveDateTime>> {
        let errors = match read_dates(&attribute.value) {
            Ok(dates) => return Some(dates),
            Err(errors) => errors,
        };
        for error in errors {
            let piece = &attribute.value[error.range.clone()];
            let span = self.place(attribute, error.range.start, piece);
            self.diagnostics
                .error(code::BAD_DATE_TIME, span, error.message, error.help);
        }
        None
    }

    /// The times, which only one of the lists may give.
    fn only_cron<'e>(&mut self, element: &'e Element) -> Option<&'e Attribute> {
        let mut crons = element
            .elements_named("depend-list")
            .filter_map(|list| list.attribute("cron"))
            .filter(|attribute| !attribute.value.trim().is_empty())
            // What it brings is not known; the workflow does not run until it is.
            .filter(|attribute| !has_reference(&attribute.value));
        let cron = crons.next();
        for extra in crons {
            self.diagnostics.error(
                code::SEVERAL_CRONS,
                extra.value_span,
                Text::new(
                    "只能有一个depend-list带cron",
                    "only one depend-list may have a cron",
                ),
                Text::new(
                    "请把它写成 <cron expression=\"...\"/>",
                    "write it as <cron expression=\"...\"/>",
                ),
            );
        }
        cron
    }

    fn blank_crons(&mut self, element: &Element) {
        let lists = element.elements_named("depend-list");
        let blank = lists
            .filter_map(|list| list.attribute("cron"))
            .filter(|cron| cron.value.trim().is_empty());
        for cron in blank {
            self.diagnostics.warning(
                code::NO_EFFECT,
                cron.name_span,
                Text::new(
                    "cron为空，不按时间触发",
                    "the cron is empty, so it gives no times",
                ),
                Text::new(
                    "请填写，例如 0 1 * * *，或删除该属性",
                    "write one, such as 0 1 * * *, or remove the attribute",
                ),
            );
        }
    }

    /// A coordinator that only declares parameters is right: people start the workflow.
    fn check_starts(&mut self, element: &Element) {
        if has_times(element) || element.elements().any(is_start) {
            return;
        }
        // A deadline and parameters count for instances that people start, too.
        let has_use = element.attribute("deadline").is_some()
            || element
                .elements()
                .any(|list| list.elements().next().is_some());
        if has_use {
            return self.empty_depend_lists(element);
        }
        self.diagnostics.warning(
            code::NOTHING_STARTS,
            element.name_span,
            Text::new(
                "<coordinator> 中没有时间也没有前置依赖，工作流不会自动运行",
                "<coordinator> holds neither times nor dependencies: the workflow never starts by itself",
            ),
            Text::new(
                "请添加 <depend-list cron=\"0 1 * * *\"/>；只由人启动时请删除 <coordinator>",
                "add <depend-list cron=\"0 1 * * *\"/>, or remove <coordinator> if people start it",
            ),
        );
    }

    /// People may start the workflow; an empty list shows that more was meant.
    fn empty_depend_lists(&mut self, element: &Element) {
        for list in element.elements_named("depend-list") {
            self.diagnostics.warning(
                code::NOTHING_STARTS,
                list.name_span,
                Text::new(
                    "<depend-list> 为空，工作流不会自动运行",
                    "<depend-list> is empty: the workflow never starts by itself",
                ),
                Text::new(
                    "请添加cron或前置工作流；只由人启动时请删除 <depend-list>",
                    "give it a cron or a workflow to wait for, or remove it if people start this one",
                ),
            );
        }
    }

    fn check_misfire(&mut self, element: &Element) {
        if !has_times(element) {
            // Nothing is missed that is due at no time.
            for name in ["misfire", "misfire-deadline", "catch-up"] {
                self.no_effect(element, name, "cron");
            }
            return;
        }
        let says = |name: &str, word: &str| {
            optional(element, name).is_some_and(|value| value.eq_ignore_ascii_case(word))
        };
        if says("misfire", "deadline") {
            if optional(element, "misfire-deadline").is_none() {
                self.needs_other(element, "misfire", "misfire-deadline");
            }
        } else {
            self.no_effect(element, "misfire-deadline", "misfire=\"deadline\"");
        }
        if says("catch-up", "true") && optional(element, "start-time").is_none() {
            self.needs_other(element, "catch-up", "start-time");
        }
    }

    fn read_cron(&mut self, attribute: &Attribute, style: Style) -> Option<Cron> {
        let errors = match Cron::read(&attribute.value, style) {
            Ok(cron) => {
                self.check_cron(attribute, &cron);
                return Some(cron);
            }
            Err(errors) => errors,
        };
        for error in errors {
            let piece = &attribute.value[error.range.clone()];
            let span = self.place(attribute, error.range.start, piece);
            let help = Text::new(
                "写法为 分 时 日 月 星期，例如每天1点：0 1 * * *",
                "write minute hour day month weekday; every day at one is 0 1 * * *",
            );
            self.diagnostics.error(
                code::BAD_CRON,
                span,
                error.message,
                error.help.unwrap_or(help),
            );
        }
        None
    }

    fn check_cron(&mut self, attribute: &Attribute, cron: &Cron) {
        for note in cron.notes() {
            let span = match note.range() {
                Some(range) => self.place(attribute, range.start, &attribute.value[range.clone()]),
                None => attribute.value_span,
            };
            self.diagnostics
                .warning(note.code(), span, note.message(), note.help());
        }
        if cron.never_fires() {
            let why = cron.why_never();
            self.diagnostics.warning(
                code::NEVER_FIRES,
                attribute.value_span,
                Text::new(
                    format!("该cron永远不会触发：{}", why.zh),
                    format!("this cron never fires: {}", why.en),
                ),
                Text::new(
                    "请检查日与月；月末写作 `L`",
                    "look at the day and the month; write `L` for the last day",
                ),
            );
        }
    }

    fn empty_window(&mut self, element: &Element) {
        let span = element
            .attribute("end-time")
            .map_or(element.name_span, |attribute| attribute.value_span);
        self.diagnostics.warning(
            code::NEVER_FIRES,
            span,
            Text::new(
                "end-time早于start-time，调度永远不会触发",
                "end-time lies before start-time, so it never fires",
            ),
            Text::new("请交换两者", "swap them"),
        );
    }

    fn read_dependencies(
        &mut self,
        element: &Element,
        workflow: Option<&str>,
    ) -> Vec<DependencyTerm> {
        let mut known = BTreeSet::new();
        let mut terms = Vec::new();
        for list in element.elements_named("depend-list") {
            for item in list.elements() {
                let term = match item.name.as_str() {
                    "workflow" => self
                        .read_dependency(item, workflow, &mut known)
                        .map(DependencyTerm::One),
                    "any-of" => {
                        let any: Vec<Dependency> = item
                            .elements_named("workflow")
                            .filter_map(|item| self.read_dependency(item, workflow, &mut known))
                            .collect();
                        let is_self = |item: &Element| is_self(item, workflow);
                        if item.elements_named("workflow").any(is_self) {
                            // What it lacks then is told of already.
                            self.diagnostics
                                .withdraw(code::MISSING_ELEMENT, item.name_span);
                        }
                        (any.len() > 1).then_some(DependencyTerm::AnyOf(any))
                    }
                    _ => None,
                };
                terms.extend(term);
            }
        }
        terms
    }

    fn read_dependency<'e>(
        &mut self,
        element: &'e Element,
        workflow: Option<&str>,
        known: &mut BTreeSet<(&'e str, Option<&'e str>)>,
    ) -> Option<Dependency> {
        let attribute = element.attribute("name")?;
        let name = attribute.value.trim();
        let found = Shortened(name);
        let date = element.attribute("date").map(|date| date.value.trim());
        if name.is_empty() {
            return None;
        }
        if is_self(element, workflow) {
            self.diagnostics.error(
                code::SELF_DEPENDENCY,
                attribute.value_span,
                Text::new(
                    format!("工作流 `{found}` 依赖自身，永远不会触发"),
                    format!("workflow `{found}` waits for itself, so it never fires"),
                ),
                Text::new("请删除该依赖", "remove this dependency"),
            );
            return None;
        }
        if !known.insert((name, date)) {
            self.diagnostics.warning(
                code::REPEATED_DEPENDENCY,
                attribute.value_span,
                Text::new(
                    format!("前置工作流 `{found}` 重复"),
                    format!("workflow `{found}` is named twice"),
                ),
                Text::new("请删除其中一个", "remove one of them"),
            );
            return None;
        }
        Some(Dependency {
            workflow: name.to_owned(),
            date: self.read_date_rule(element)?,
            max_age_seconds: match optional(element, "max-age") {
                Some(_) => Some(DEPENDENCY.duration(element, "max-age")?),
                None => None,
            },
        })
    }

    fn read_date_rule(&mut self, element: &Element) -> Option<DateRule> {
        let shape = &*DEPENDENCY;
        let date = shape.value(element, "date")?;
        let counts = matches!(date, "all-of-last" | "any-of-last");
        let count = shape
            .integer(element, "count")
            .and_then(|count| u32::try_from(count).ok());
        if counts && optional(element, "count").is_none() {
            self.needs_other(element, "date", "count");
        }
        if !counts {
            self.no_effect_without(
                element,
                "count",
                &["date=\"all-of-last\"", "date=\"any-of-last\""],
            );
        }
        Some(match date {
            "fresh" => DateRule::Fresh,
            "same-day" => DateRule::SameDay,
            "previous" => DateRule::Previous,
            "latest" => DateRule::Latest,
            "all-of-last" => DateRule::AllOfLast(count?),
            "any-of-last" => DateRule::AnyOfLast(count?),
            _ => return None,
        })
    }
}

/// Whether anything says when the workflow is due, right or wrong.
fn has_times(coordinator: &Element) -> bool {
    let is_cron = |child: &Element| {
        child.name == "cron"
            || (child.attribute("cron")).is_some_and(|cron| !cron.value.trim().is_empty())
    };
    ["every", "dates"]
        .iter()
        .any(|name| coordinator.attribute(name).is_some())
        || coordinator.elements().any(is_cron)
}

/// Whether a dependency names its own workflow; the day before may well be waited for.
fn is_self(dependency: &Element, workflow: Option<&str>) -> bool {
    let value = |name| dependency.attribute(name).map(|it| it.value.trim());
    value("name").is_some_and(|name| !name.is_empty())
        && value("name") == workflow
        && value("date") != Some("previous")
}

/// Whether it starts the workflow, as far as it is right.
fn is_start(child: &Element) -> bool {
    match child.name.as_str() {
        // Another attribute and a text are told of as what they are.
        "depend-list" => {
            !child.attributes.is_empty()
                || child.elements().next().is_some()
                || !child.text().trim().is_empty()
        }
        "param-list" => false,
        _ => true,
    }
}

pub(super) fn param_elements(coordinator: &Element) -> impl Iterator<Item = &Element> {
    coordinator
        .elements_named("param-list")
        .flat_map(|list| list.elements_named("param"))
}
