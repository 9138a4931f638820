//! The schedule.

use crate::code;
use crate::cron::{Cron, Style};
use crate::definition::Coordinator;
use crate::element::{Attribute, Element};
use crate::read::Reader;
use crate::read::shapes::coordinator_shape;
use crate::text::Text;

impl Reader<'_> {
    /// `None` when something is wrong, which is then reported.
    pub(super) fn read_coordinator(
        &mut self,
        element: &Element,
        workflow: Option<&str>,
    ) -> Option<Coordinator> {
        let shape = coordinator_shape();
        let cron = element
            .elements_named("depend-list")
            .find_map(|list| list.attribute("cron"))
            .filter(|attribute| !attribute.value.trim().is_empty())
            .map(|attribute| self.read_cron(attribute));
        let depends = self.read_depends(element, workflow);
        let window = (
            shape.date_time(element, "start-time"),
            shape.date_time(element, "end-time"),
        );
        if matches!(window, (Some(start), Some(end)) if start > end) {
            self.empty_window(element);
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
            params: read_params(element),
        })
    }

    fn read_cron(&mut self, attribute: &Attribute) -> Option<Cron> {
        let errors = match Cron::read(&attribute.value, Style::Akkaflow) {
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
            self.diagnostics.warning(
                code::NEVER_FIRES,
                attribute.value_span,
                Text::new("该时间永远不会到来", "this time never comes"),
                None,
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

    fn read_depends(&mut self, element: &Element, workflow: Option<&str>) -> Vec<String> {
        let mut depends: Vec<String> = Vec::new();
        let attributes = element
            .elements_named("depend-list")
            .flat_map(|list| list.elements_named("workflow"))
            .filter_map(|upstream| upstream.attribute("name"));
        for attribute in attributes {
            let name = attribute.value.trim();
            let found = crate::quote::shortened(name);
            if Some(name) == workflow {
                self.diagnostics.error(
                    code::SELF_DEPENDENCY,
                    attribute.value_span,
                    Text::new(
                        format!("工作流 `{found}` 依赖自身，永远不会触发"),
                        format!("workflow `{found}` waits for itself, so it never fires"),
                    ),
                    Text::new("请删除该依赖", "remove this dependency"),
                );
            } else if depends.iter().any(|known| known == name) {
                self.diagnostics.warning(
                    code::REPEATED_DEPENDENCY,
                    attribute.value_span,
                    Text::new(
                        format!("前置工作流 `{found}` 重复"),
                        format!("workflow `{found}` is named twice"),
                    ),
                    Text::new("请删除其中一个", "remove one of them"),
                );
            } else if !name.is_empty() {
                depends.push(name.to_owned());
            }
        }
        depends
    }
}

/// The parameters as written, in order.
pub(super) fn read_params(coordinator: &Element) -> Vec<(String, String)> {
    param_elements(coordinator)
        .filter_map(|param| {
            let name = param.attribute("name")?.value.trim().to_owned();
            Some((name, param.attribute("value")?.value.clone()))
        })
        .collect()
}

pub(super) fn param_elements(coordinator: &Element) -> impl Iterator<Item = &Element> {
    coordinator
        .elements_named("param-list")
        .flat_map(|list| list.elements_named("param"))
}
