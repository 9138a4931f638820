//! Parameters and which values they take.

use chrono_tz::Tz;

use crate::code;
use crate::definition::ParamRule;
use crate::element::{Attribute, Element};
use crate::param::substitute;
use crate::quote::shortened;
use crate::read::Reader;
use crate::read::coordinator::param_elements;
use crate::read::policy::value_type;
use crate::read::root::optional;
use crate::read::shapes::PARAM;
use crate::shape::words;
use crate::text::Text;
use crate::time::Timestamp;

/// A day on which formats are tried: 2026-11-21 04:59:00.
const SAMPLE: Timestamp = Timestamp::from_millis(1_795_237_140_000);

/// The attributes of a parameter that make a rule.
const RULES: &[&str] = &["type", "pattern", "choices", "min", "max", "required"];

/// The parameters of a coordinator.
#[derive(Default)]
pub(super) struct Params {
    /// Name and unresolved value, in order.
    pub(super) values: Vec<(String, String)>,
    pub(super) rules: Vec<ParamRule>,
}

impl Reader<'_> {
    pub(super) fn read_param_list(&mut self, coordinator: &Element) -> Params {
        let mut params = Params::default();
        for element in param_elements(coordinator) {
            let name = optional(element, "name");
            let value = element.attribute("value");
            let is_required = PARAM.boolean(element, "required") == Some(true);
            if value.is_none() && !is_required {
                PARAM.missing_value(element, "value", &mut self.diagnostics);
            }
            let Some(name) = name else {
                continue;
            };
            if value.is_some() && is_required {
                self.value_beside_required(element);
            }
            if let Some(value) = value {
                params.values.push((name.clone(), value.value.to_string()));
            }
            if RULES.iter().any(|rule| element.attribute(rule).is_some()) {
                let rule = read_rule(element, name, is_required);
                self.check_rule(element, &rule);
                params.rules.push(rule);
            }
        }
        params
    }

    fn check_rule(&mut self, element: &Element, rule: &ParamRule) {
        use crate::definition::ParamType::{Decimal, Integer};
        if !matches!(rule.kind, Integer | Decimal) {
            let numbers = &["type=\"integer\"", "type=\"decimal\""];
            self.no_effect_without(element, "min", numbers);
            self.no_effect_without(element, "max", numbers);
        }
        if !self.check_bounds(element, rule) {
            return;
        }
        let Some(value) = element.attribute("value") else {
            return;
        };
        if value.value.contains("${") {
            return self.check_date_value(value, rule);
        }
        if let Err(problem) = rule.check(&value.value) {
            self.bad_value(value, problem);
        }
    }

    /// What a parameter brings is known only when it runs, but any day shows what a date looks like.
    fn check_date_value(&mut self, value: &Attribute, rule: &ParamRule) {
        let Ok(sample) = substitute(&value.value, &[], SAMPLE, Tz::UTC) else {
            return;
        };
        if sample.contains("${") || rule.kind.accepts(&sample) {
            return;
        }
        let (name, kind, found) = (&rule.name, rule.kind.name(), shortened(&sample));
        self.diagnostics.error(
            code::BAD_PARAM_VALUE,
            value.value_span,
            Text::new(
                format!("参数 `{name}` 的类型是{kind}，该表达式却给出 `{found}` 这样的值"),
                format!(
                    "parameter `{name}` is of type {kind}, but this gives values such as `{found}`"
                ),
            ),
            Text::new(
                "请修改时间格式或 `type`",
                "change the date format, or `type`",
            ),
        );
    }

    fn value_beside_required(&mut self, element: &Element) {
        let Some(attribute) = element.attribute("required") else {
            return;
        };
        self.diagnostics.warning(
            code::NO_EFFECT,
            attribute.name_span,
            Text::new(
                "已有 `value`，`required` 不起作用：运行时未给出则使用该值",
                "`required` has no effect beside `value`: a run that does not give the parameter uses that",
            ),
            Text::new(
                "每次运行都必须给出时请删除 `value`，否则请删除 `required`",
                "remove `value` if each run must give the parameter, else `required`",
            ),
        );
    }

    /// Whether any value fits.
    fn check_bounds(&mut self, element: &Element, rule: &ParamRule) -> bool {
        let number = |bound: &Option<String>| bound.as_ref()?.trim().parse::<f64>().ok();
        let (Some(min), Some(max)) = (number(&rule.min), number(&rule.max)) else {
            return true;
        };
        if let Some(attribute) = element.attribute("max").filter(|_| min > max) {
            self.diagnostics.error(
                code::BAD_PARAM_VALUE,
                attribute.value_span,
                Text::new(
                    format!("max（{max}）小于min（{min}），没有任何值符合"),
                    format!("max ({max}) is less than min ({min}), so no value fits"),
                ),
                Text::new("请交换两者", "swap them"),
            );
        }
        min <= max
    }

    fn bad_value(&mut self, value: &Attribute, problem: Text) {
        self.diagnostics
            .error(code::BAD_PARAM_VALUE, value.value_span, problem, None);
    }
}

/// Values that their shape has reported as wrong are left out: they cannot be held against anything.
fn read_rule(element: &Element, name: String, is_required: bool) -> ParamRule {
    let number = |name: &str| {
        optional(element, name)
            .filter(|number| crate::definition::ParamType::Decimal.accepts(number))
    };
    ParamRule {
        name,
        kind: value_type(element),
        pattern: optional(element, "pattern")
            .filter(|pattern| crate::definition::compile_pattern(pattern).is_ok()),
        choices: words(&optional(element, "choices").unwrap_or_default())
            .map(str::to_owned)
            .collect(),
        min: number("min"),
        max: number("max"),
        is_required,
        desc: optional(element, "desc"),
    }
}
