//! Whether a condition holds. Pure, bounded and the same on every machine: no clock, no order of hashes, no long loops.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use cel::objects::{Key, Map};
use cel::{Context, Env, ExecutionError};

use super::Condition;
use crate::definition::ParamType;
use crate::text::Text;

/// The longest text that a condition may look at, in bytes: with the limits on its own text it bounds what it costs.
const LONGEST_VALUE: usize = 4096;

/// The functions and operators; made once, and never changed.
static FUNCTIONS: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

pub(super) fn functions() -> &'static Arc<Env> {
    &FUNCTIONS
}

/// A value that a condition looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text, dates too.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A decimal number.
    Decimal(f64),
    /// Truth.
    Boolean(bool),
}

impl Value {
    /// What `text` means where a value of this type is declared; itself where it means nothing.
    pub fn of(kind: ParamType, text: &str) -> Self {
        let trimmed = text.trim();
        let typed = match kind {
            ParamType::Integer => trimmed.parse().ok().map(Self::Integer),
            ParamType::Decimal => trimmed.parse().ok().map(Self::Decimal),
            ParamType::Boolean => trimmed.parse().ok().map(Self::Boolean),
            ParamType::String | ParamType::Date | ParamType::DateTime => None,
        };
        typed.unwrap_or_else(|| Self::Text(text.to_owned()))
    }
}

/// The values that a condition on an edge may look at.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// `param.NAME`.
    pub params: &'a [(String, String)],
    /// `output.NODE.NAME`: by node, then by name.
    pub outputs: &'a BTreeMap<String, BTreeMap<String, Value>>,
    /// `state.NAME`.
    pub state: &'a BTreeMap<String, String>,
}

impl Condition {
    /// Whether it holds.
    ///
    /// # Errors
    /// Why that cannot be said: a value is missing, too long or of another type, or the outcome is neither true nor false.
    pub fn holds(&self, scope: &Scope<'_>) -> Result<bool, Text> {
        let mut context = Context::with_env(Arc::clone(&FUNCTIONS));
        if self.looks_at("param") {
            let params = scope.params.iter().map(|(name, value)| (name, value));
            context.add_variable_from_value("param", map(self.texts("param", params)?));
        }
        if self.looks_at("state") {
            context.add_variable_from_value("state", map(self.texts("state", scope.state)?));
        }
        if self.looks_at("output") {
            let mut nodes = Vec::new();
            for (node, values) in scope.outputs {
                nodes.push((node.clone(), map(self.outputs(node, values)?)));
            }
            context.add_variable_from_value("output", map(nodes));
        }
        match context.resolve(&self.expression) {
            Ok(cel::Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(no_truth(&other)),
            Err(error) => Err(fault(&error)),
        }
    }

    fn looks_at(&self, variable: &str) -> bool {
        self.names.iter().any(|path| path[0] == variable)
    }

    /// Values that are too long stay out; where the condition names one, that is said.
    fn texts<'v>(
        &self,
        variable: &str,
        values: impl IntoIterator<Item = (&'v String, &'v String)>,
    ) -> Result<Vec<(String, cel::Value)>, Text> {
        let mut short = Vec::new();
        for (name, value) in values {
            if value.len() <= LONGEST_VALUE {
                short.push((name.clone(), value.as_str().into()));
            } else if self.names.iter().any(|path| path[..] == [variable, name]) {
                return Err(too_long(&format!("{variable}.{name}")));
            }
        }
        Ok(short)
    }

    fn outputs(
        &self,
        node: &str,
        values: &BTreeMap<String, Value>,
    ) -> Result<Vec<(String, cel::Value)>, Text> {
        let mut known = Vec::new();
        for (name, value) in values {
            let value = match value {
                Value::Text(text) if text.len() > LONGEST_VALUE => {
                    if (self.names.iter()).any(|path| path[..] == ["output", node, name]) {
                        return Err(too_long(&format!("output.{node}.{name}")));
                    }
                    continue;
                }
                Value::Text(text) => text.as_str().into(),
                Value::Integer(number) => cel::Value::Int(*number),
                Value::Decimal(number) => cel::Value::Float(*number),
                Value::Boolean(truth) => cel::Value::Bool(*truth),
            };
            known.push((name.clone(), value));
        }
        Ok(known)
    }
}

pub(super) fn map(values: Vec<(String, cel::Value)>) -> cel::Value {
    let entries = values
        .into_iter()
        .map(|(name, value)| (Key::from(name), value));
    cel::Value::Map(Map {
        map: Arc::new(entries.collect()),
    })
}

fn too_long(name: &str) -> Text {
    Text::new(
        format!("`{name}`的值超过{LONGEST_VALUE}个字节"),
        format!("the value of `{name}` is longer than {LONGEST_VALUE} bytes"),
    )
}

pub(super) fn no_truth(value: &cel::Value) -> Text {
    let kind = value.type_of();
    Text::new(
        format!("结果是{kind}，不是真或假"),
        format!("it gives a value of type {kind}, neither true nor false"),
    )
}

/// In our own words where we have them: the crate's may show values, which may be long or secret, in the order of a hash.
pub(super) fn fault(error: &ExecutionError) -> Text {
    match error {
        ExecutionError::NoSuchKey(name) => Text::new(
            format!("没有值`{name}`"),
            format!("there is no value `{name}`"),
        ),
        ExecutionError::NoSuchOverload(overload) => Text::new(
            format!(
                "值的类型不符（{overload}）；参数和状态都是文本，比较数字时请写 int(param.名称)"
            ),
            format!(
                "values of the wrong type ({overload}); parameters and state are text, write int(param.NAME) to compare numbers"
            ),
        ),
        ExecutionError::UndeclaredReference(name) => Text::new(
            format!("没有函数`{name}`"),
            format!("there is no function `{name}`"),
        ),
        ExecutionError::FunctionError { function, .. } => Text::new(
            format!("函数`{function}`不能处理该值"),
            format!("function `{function}` cannot take that value"),
        ),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            Text::new("除数为零", "division by zero")
        }
        ExecutionError::Overflow(..) => Text::new("数值溢出", "a number is too large"),
        ExecutionError::IndexOutOfBounds(_) => {
            Text::new("下标超出范围", "an index is out of bounds")
        }
        _ => Text::new("值的类型不符", "values of the wrong type"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::EDGE_VARIABLES;

    fn evaluated(text: &str) -> Result<bool, String> {
        let condition = Condition::parse(text, EDGE_VARIABLES).unwrap();
        let of_count = [
            ("rows".to_owned(), Value::Integer(3)),
            ("share".to_owned(), Value::of(ParamType::Decimal, "0.5")),
            ("full".to_owned(), Value::of(ParamType::Boolean, "true")),
        ];
        let outputs = [("count".to_owned(), of_count.into_iter().collect())];
        let state = [("last".to_owned(), "7".to_owned())];
        let scope = Scope {
            params: &[
                ("day".to_owned(), "2026-01-01".to_owned()),
                ("n".to_owned(), "10".to_owned()),
                ("long".to_owned(), "x".repeat(LONGEST_VALUE + 1)),
            ],
            outputs: &outputs.into_iter().collect(),
            state: &state.into_iter().collect(),
        };
        condition.holds(&scope).map_err(|text| {
            assert!(!text.zh.is_empty());
            text.en
        })
    }

    #[test]
    fn conditions_look_at_parameters_outputs_and_state() {
        for (text, holds) in [
            ("true", true),
            ("param.day == '2026-01-01' && int(param.n) > 9", true),
            ("param.day.startsWith('2027')", false),
            ("output.count.rows > int(state.last) - 5", true),
            ("output[\"count\"].share < 0.1 || output.count.full", true),
            ("has(output.other) ? output.other.x > 0 : false", false),
            ("has(param.gone)", false),
            ("param.n in ['1', '10']", true),
            ("['1', '10'].exists(x, x == param.n)", true),
            ("[1, 2].map(x, x + 1).all(x, x > 1)", true),
            ("size(param.day) == 10 && !('z' in param)", true),
        ] {
            assert_eq!(evaluated(text), Ok(holds), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_said_is_explained() {
        for (text, why) in [
            ("param.gone == '1'", "there is no value `gone`"),
            ("output.late.rows > 1", "there is no value `late`"),
            ("param.n > 9", "values of the wrong type"),
            (
                "output.count.rows",
                "it gives a value of type int, neither true nor false",
            ),
            (
                "int(param.day) > 1",
                "function `int` cannot take that value",
            ),
            ("1 / (output.count.rows - 3) > 0", "division by zero"),
            (
                "9223372036854775807 + output.count.rows > 0",
                "a number is too large",
            ),
            ("[1][output.count.rows] > 0", "an index is out of bounds"),
            (
                "param.long == ''",
                "the value of `param.long` is longer than 4096 bytes",
            ),
        ] {
            let found = evaluated(text).unwrap_err();
            assert!(found.starts_with(why), "{text}: {found}");
        }
    }

    #[test]
    fn the_deepest_condition_that_can_be_read_can_be_evaluated() {
        let sum = format!("1{} > 0", " + 1".repeat(48));
        assert_eq!(evaluated(&sum), Ok(true));
        let chain = format!("true{}", "&&true".repeat(165));
        assert_eq!(evaluated(&chain), Ok(true));
        let nested = format!("{}1{} > 0", "(1+".repeat(8), ")".repeat(8));
        assert_eq!(evaluated(&nested), Ok(true));
        let selects = format!("has(param{})", ".a".repeat(48));
        assert!(evaluated(&selects).is_err());
        let loops = format!("[1].all(x, [x{}].all(y, y > 0))", " + 1".repeat(30));
        assert_eq!(evaluated(&loops), Ok(true));
    }
}
