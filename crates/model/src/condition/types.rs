//! Which types of values a condition brings together, as far as its text and the declarations say: what does not go together
//! is found before the workflow runs.

use std::ops::Range;

use cel::IdedExpr;
use cel::common::ast::operators::{
    ADD, CONDITIONAL, DIVIDE, EQUALS, GREATER, GREATER_EQUALS, LESS, LESS_EQUALS, LOGICAL_AND,
    LOGICAL_NOT, LOGICAL_OR, MODULO, MULTIPLY, NEGATE, NOT_EQUALS, SUBSTRACT,
};
use cel::common::ast::{CallExpr, Expr, LiteralValue};

use super::loops::parts;
use super::{Condition, names, place};
use crate::definition::ParamType;
use crate::quote::shortened;
use crate::text::Text;

const ORDERS: &[&str] = &[LESS, LESS_EQUALS, GREATER, GREATER_EQUALS];
const EQUALITIES: &[&str] = &[EQUALS, NOT_EQUALS];
const SUMS: &[&str] = &[ADD, SUBSTRACT, MULTIPLY, DIVIDE, MODULO];

/// Values that do not go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What does not fit.
    pub message: Text,
    /// What to do.
    pub help: Text,
    /// Where, in bytes of the condition's text.
    pub range: Range<usize>,
    /// Whether the condition still gives an answer, always the same.
    pub is_decided: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Truth,
    List,
    Map,
}

impl Kind {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("文本", "a text"),
            Self::Number => ("数字", "a number"),
            Self::Truth => ("真假值", "true or false"),
            Self::List => ("列表", "a list"),
            Self::Map => ("映射", "a map"),
        }
    }
}

/// The declared type of an output, by its node and its name.
pub type OutputTypes<'a> = &'a dyn Fn(&str, &str) -> Option<ParamType>;

impl Condition {
    /// The first values of an edge's condition that do not go together, or that stand where a truth must.
    pub fn mismatch(&self, outputs: OutputTypes<'_>) -> Option<Mismatch> {
        self.unlike_pair(outputs)
            .or_else(|| self.no_truth(&self.expression, outputs))
    }

    /// An output that is neither true nor false by its declaration, where the outcome depends on it.
    fn no_truth(&self, expression: &IdedExpr, outputs: OutputTypes<'_>) -> Option<Mismatch> {
        match &expression.expr {
            Expr::Call(call)
                if [LOGICAL_AND, LOGICAL_OR, LOGICAL_NOT].contains(&&*call.func_name) =>
            {
                call.args
                    .iter()
                    .find_map(|part| self.no_truth(part, outputs))
            }
            Expr::Call(call) if call.func_name == CONDITIONAL => call
                .args
                .iter()
                .find_map(|part| self.no_truth(part, outputs)),
            Expr::Select(select) if select.test => None,
            _ => {
                let kind = of_path(expression, outputs).filter(|kind| *kind != Kind::Truth)?;
                // The parser places what is selected at its point.
                let dotted = names::path(expression)?.join(".");
                let range = match self.text.find(&dotted) {
                    Some(at) => at..at + dotted.len(),
                    None => place::of(&self.text, expression.id),
                };
                let (zh, en) = kind.words();
                let found = shortened(&self.text[range.clone()]);
                let help = if kind == Kind::Number {
                    Text::new(
                        format!("请写成比较，例如 {found} > 0"),
                        format!("compare it, as in {found} > 0"),
                    )
                } else {
                    Text::new(
                        "请写成比较，例如 output.count.rows > 0",
                        "compare it, as in output.count.rows > 0",
                    )
                };
                Some(Mismatch {
                    message: Text::new(
                        format!("`{found}` 是{zh}，不是真或假"),
                        format!("`{found}` is {en}, neither true nor false"),
                    ),
                    help,
                    range,
                    is_decided: false,
                })
            }
        }
    }

    fn unlike_pair(&self, outputs: OutputTypes<'_>) -> Option<Mismatch> {
        let mut waiting = vec![&*self.expression];
        while let Some(expression) = waiting.pop() {
            if let Expr::Call(call) = &expression.expr
                && let Some((left, right)) = mismatch_of(call, outputs)
            {
                return Some(self.told(call, expression.id, left, right));
            }
            waiting.extend(parts(&expression.expr).into_iter().rev());
        }
        None
    }

    fn told(&self, call: &CallExpr, id: u64, left: Kind, right: Kind) -> Mismatch {
        let (left_word, right_word) = (left.words(), right.words());
        let is_sum = SUMS.contains(&&*call.func_name);
        let message = if is_sum {
            Text::new(
                format!("{}与{}不能一起计算", left_word.0, right_word.0),
                format!(
                    "{} and {} cannot be reckoned with",
                    left_word.1, right_word.1
                ),
            )
        } else {
            Text::new(
                format!("{}与{}不能比较", left_word.0, right_word.0),
                format!("{} is compared with {}", left_word.1, right_word.1),
            )
        };
        let help = match (left, right) {
            (Kind::Text, Kind::Number) | (Kind::Number, Kind::Text) if is_sum => Text::new(
                "请转换文本，例如 int(param.n) + 1",
                "turn the text into a number, as in int(param.n) + 1",
            ),
            (Kind::Text, Kind::Number) | (Kind::Number, Kind::Text) => Text::new(
                "请转换文本，例如 int(param.n) == 3；或与文本比较，例如 param.n == '3'",
                "turn the text into a number, as in int(param.n) == 3, or compare texts, as in param.n == '3'",
            ),
            (Kind::Text, Kind::Truth) | (Kind::Truth, Kind::Text) => Text::new(
                "真假值不加引号；参数是文本，写作 param.q == 'true'",
                "true and false stand without quotes; a parameter is a text, as in param.q == 'true'",
            ),
            (Kind::Map, _) | (_, Kind::Map) => Text::new(
                "请写出名称，例如 output.count.rows、param.n",
                "name the value within it, as in output.count.rows or param.n",
            ),
            _ => Text::new("请比较同一类型的值", "compare values of one type"),
        };
        Mismatch {
            message,
            help,
            range: place::of(&self.text, id),
            is_decided: EQUALITIES.contains(&&*call.func_name),
        }
    }
}

/// The types of the two sides of an operation that does not take them.
fn mismatch_of(call: &CallExpr, outputs: OutputTypes<'_>) -> Option<(Kind, Kind)> {
    let [left, right] = call.args.as_slice() else {
        return None;
    };
    let (left, right) = (kind_of(left, outputs)?, kind_of(right, outputs)?);
    let name = call.func_name.as_str();
    let fits = if EQUALITIES.contains(&name) || ORDERS.contains(&name) {
        left == right
    } else if name == ADD {
        left == right && left != Kind::Truth && left != Kind::Map
    } else if SUMS.contains(&name) {
        left == Kind::Number && right == Kind::Number
    } else {
        true
    };
    (!fits).then_some((left, right))
}

/// The type of a value; `None` where only running it tells.
fn kind_of(expression: &IdedExpr, outputs: OutputTypes<'_>) -> Option<Kind> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(_)) => Some(Kind::Text),
        Expr::Literal(LiteralValue::Boolean(_)) => Some(Kind::Truth),
        Expr::Literal(LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_)) => {
            Some(Kind::Number)
        }
        Expr::List(_) => Some(Kind::List),
        Expr::Map(_) => Some(Kind::Map),
        Expr::Select(select) if select.test => Some(Kind::Truth),
        Expr::Call(call) => kind_of_call(call, outputs).or_else(|| of_path(expression, outputs)),
        _ => of_path(expression, outputs),
    }
}

fn kind_of_call(call: &CallExpr, outputs: OutputTypes<'_>) -> Option<Kind> {
    let of = |argument: usize| kind_of(call.args.get(argument)?, outputs);
    match call.func_name.as_str() {
        "int" | "uint" | "double" | "size" | NEGATE => Some(Kind::Number),
        "string" => Some(Kind::Text),
        "bool" | "contains" | "startsWith" | "endsWith" | "matches" => Some(Kind::Truth),
        ADD => of(0).filter(|left| of(1) == Some(*left)),
        CONDITIONAL => of(1).filter(|one| of(2) == Some(*one)),
        LOGICAL_AND | LOGICAL_OR | LOGICAL_NOT => Some(Kind::Truth),
        name if SUMS.contains(&name) => Some(Kind::Number),
        name if ORDERS.contains(&name) || EQUALITIES.contains(&name) => Some(Kind::Truth),
        _ => None,
    }
}

/// Parameters and state are text, whatever type they are declared with.
fn of_path(expression: &IdedExpr, outputs: OutputTypes<'_>) -> Option<Kind> {
    let path = names::path(expression)?;
    match path.as_slice() {
        [kind, _] if matches!(kind.as_str(), "param" | "state") => Some(Kind::Text),
        [kind] | [kind, _] if matches!(kind.as_str(), "param" | "state" | "output") => {
            Some(Kind::Map)
        }
        [kind, node, name] if kind == "output" => Some(match outputs(node, name)? {
            ParamType::Integer | ParamType::Decimal => Kind::Number,
            ParamType::Boolean => Kind::Truth,
            ParamType::String | ParamType::Date | ParamType::DateTime => Kind::Text,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::condition::{Condition, EDGE_VARIABLES};
    use crate::definition::ParamType;

    fn mismatch(text: &str) -> Option<(String, String)> {
        let condition = Condition::parse(text, EDGE_VARIABLES).unwrap();
        let outputs = |_: &str, name: &str| match name {
            "rows" => Some(ParamType::Integer),
            "full" => Some(ParamType::Boolean),
            "last" => Some(ParamType::Date),
            _ => None,
        };
        let found = condition.mismatch(&outputs)?;
        Some((condition.as_str()[found.range].to_owned(), found.message.en))
    }

    #[test]
    fn values_that_do_not_go_together_are_found_where_they_stand() {
        for (text, place, message) in [
            (
                "output.a.rows > 'x'",
                "output.a.rows > 'x'",
                "a number is compared with a text",
            ),
            (
                "param.a == '中' && param.n >= 3 ",
                "param.n >= 3",
                "a text is compared with a number",
            ),
            (
                "state.q == true",
                "state.q == true",
                "a text is compared with true or false",
            ),
            (
                "1 < 2 && param.n - 1 > 3",
                "param.n - 1",
                "a text and a number cannot be reckoned with",
            ),
            (
                "output['a'].last < 20260101",
                "output['a'].last < 20260101",
                "a text is compared with a number",
            ),
            (
                "output.a == 2",
                "output.a == 2",
                "a map is compared with a number",
            ),
            (
                "output.a.full && (!output.a.rows || true)",
                "output.a.rows",
                "`output.a.rows` is a number, neither true nor false",
            ),
            (
                "output.a.last",
                "output.a.last",
                "`output.a.last` is a text, neither true nor false",
            ),
        ] {
            let expected = Some((place.to_owned(), message.to_owned()));
            assert_eq!(mismatch(text), expected, "{text}");
        }
    }

    #[test]
    fn values_of_one_type_or_of_none_that_is_known_are_left_alone() {
        for text in [
            "int(param.n) > 3 && output.a.rows == 2 && output.a.rows > 1.5",
            "param.a == 'x' && state.b < '2026'",
            "output.a.full == true && output.a.other > 3",
            "size(param.a) + 1 > 2 && param.a + 'x' == 'yx'",
            "[1, 2].exists(x, x > output.a.rows)",
            "(param.a == 'x' ? 1 : 2) == 1",
            "has(output.a.rows) && output.a.full && output.a.other && 'k' in output.a",
        ] {
            assert_eq!(mismatch(text), None, "{text}");
        }
    }
}
