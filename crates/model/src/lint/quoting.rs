//! Parameters that stand unquoted in shell or SQL.
//!
//! Values are inserted as they are, as akkaflow does: a value with a blank or a `;` becomes part of the command. Not
//! reported is a parameter that the list computes from dates alone, and one whose definition says which values it takes.

use std::collections::BTreeSet;
use std::ops::Range;

use super::params::{listed, variable};
use super::scripts::{Language, Script, scripts};
use super::{Lint, shell, sql};
use crate::code;
use crate::definition::ParamType;
use crate::element::Element;
use crate::param;
use crate::quote::shortened;
use crate::text::Text;

/// Attributes of `<param>` that bound its values.
const BOUNDS: &[&str] = &["pattern", "choices"];

impl Lint<'_> {
    pub(super) fn quoting(&mut self) {
        let root = self.root;
        // Each parameter is reported once.
        let mut done: BTreeSet<&str> = listed(root)
            .filter(|param| is_harmless(param))
            .filter_map(|param| Some(param.attribute("name")?.value.trim()))
            .collect();
        for script in scripts(root) {
            if !script.value.text.contains("${") {
                continue;
            }
            let references = param::references(script.value.text);
            let ranges: Vec<Range<usize>> =
                references.iter().map(|(range, _)| range.clone()).collect();
            let unquoted = match script.language {
                Language::Shell => shell::unquoted(script.value.text, &ranges),
                Language::Sql => sql::unquoted(script.value.text, &ranges),
                Language::Other => continue,
            };
            for ((range, name), is_unquoted) in references.into_iter().zip(unquoted) {
                if is_unquoted && done.insert(name) {
                    self.unquoted(script, range, name);
                }
            }
        }
    }

    fn unquoted(&mut self, script: Script<'_>, range: Range<usize>, name: &str) {
        let found = shortened(name);
        let span = self.place(script.value, range);
        let (message, help) = if script.language == Language::Sql {
            (
                Text::new(
                    format!("参数 `{found}` 在SQL中没有引号，含空格或分号的值会改变语句"),
                    format!(
                        "parameter `{found}` stands unquoted in SQL: a value with a blank or `;` changes the statement"
                    ),
                ),
                Text::new(
                    format!("请写 '${{param:{found}}}'，或限定它的取值"),
                    format!("write '${{param:{found}}}', or declare which values it takes"),
                ),
            )
        } else {
            let variable = variable(&found);
            (
                Text::new(
                    format!("参数 `{found}` 在脚本中没有引号，含空格或分号的值会改变命令"),
                    format!(
                        "parameter `{found}` stands unquoted in a script: a value with a blank or `;` changes the command"
                    ),
                ),
                Text::new(
                    format!("请写 \"${variable}\"，该环境变量即其值，不会被解释执行"),
                    format!(
                        "write \"${variable}\": the variable holds the value and is never taken for commands"
                    ),
                ),
            )
        };
        self.warning(code::UNQUOTED_PARAM, span, message, help);
    }
}

/// Whether no value of the parameter is surprising.
fn is_harmless(param: &Element) -> bool {
    let kind = param
        .attribute("type")
        .and_then(|kind| ParamType::named(kind.value.trim()));
    BOUNDS.iter().any(|name| param.attribute(name).is_some())
        || kind.is_some_and(is_one_word)
        || param
            .attribute("value")
            .is_some_and(|value| is_date(&value.value))
}

/// Whether all values of a type are one plain word; a date with a time of day holds a blank.
fn is_one_word(kind: ParamType) -> bool {
    match kind {
        ParamType::Integer | ParamType::Decimal | ParamType::Boolean | ParamType::Date => true,
        ParamType::String | ParamType::DateTime => false,
    }
}

/// Whether a value is made of dates and what stands between their parts.
fn is_date(value: &str) -> bool {
    let times = param::time_expressions(value);
    let mut at = 0;
    let mut between = String::new();
    for (range, expression) in &times {
        // What a parameter brings in is not known.
        if expression.contains("${") {
            return false;
        }
        between.push_str(&value[at..range.start]);
        at = range.end;
    }
    between.push_str(&value[at..]);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    !times.is_empty() && between.chars().all(is_plain)
}
