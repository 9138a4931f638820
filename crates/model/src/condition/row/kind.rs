//! What the values of an expression are, as far as its text says.

use cel::IdedExpr;
use cel::common::ast::operators::{
    ADD, CONDITIONAL, DIVIDE, EQUALS, GREATER, GREATER_EQUALS, IN, LESS, LESS_EQUALS, LOGICAL_AND,
    LOGICAL_NOT, LOGICAL_OR, MODULO, MULTIPLY, NEGATE, NOT_EQUALS, SUBSTRACT,
};
use cel::common::ast::{CallExpr, Expr, LiteralValue};

use super::{ColumnType, ROW, Used};
use crate::condition::names;

const SUMS: &[&str] = &[ADD, SUBSTRACT, MULTIPLY, DIVIDE, MODULO];
const TRUTHS: &[&str] = &[
    EQUALS,
    NOT_EQUALS,
    LESS,
    LESS_EQUALS,
    GREATER,
    GREATER_EQUALS,
    IN,
    LOGICAL_AND,
    LOGICAL_OR,
    LOGICAL_NOT,
];

/// The place in `used` of the column that an expression is, and nothing more.
pub(super) fn column(expression: &IdedExpr, used: &[Used]) -> Option<usize> {
    let path = names::path(expression)?;
    let name = match path.as_slice() {
        [row, name] if row == ROW => name,
        [name] => name,
        _ => return None,
    };
    used.iter().position(|used| used.name == *name)
}

pub(super) fn of(expression: &IdedExpr, used: &[Used]) -> Option<ColumnType> {
    if let Some(index) = column(expression, used) {
        return Some(used[index].kind);
    }
    match &expression.expr {
        Expr::Literal(LiteralValue::Boolean(_)) => Some(ColumnType::Boolean),
        Expr::Literal(LiteralValue::Int(_) | LiteralValue::UInt(_)) => Some(ColumnType::Integer),
        Expr::Literal(LiteralValue::Double(_)) => Some(ColumnType::Number),
        Expr::Literal(LiteralValue::String(_)) => Some(ColumnType::Text),
        Expr::Literal(LiteralValue::Bytes(_)) => Some(ColumnType::Bytes),
        Expr::Select(select) if select.test => Some(ColumnType::Boolean),
        Expr::Call(call) => of_call(call, used),
        _ => None,
    }
}

fn of_call(call: &CallExpr, used: &[Used]) -> Option<ColumnType> {
    let argument = |index: usize| of(call.args.get(index)?, used);
    let is_null = |index: usize| {
        let argument = call.args.get(index).map(|it| &it.expr);
        matches!(argument, Some(Expr::Literal(LiteralValue::Null)))
    };
    match call.func_name.as_str() {
        "int" | "uint" | "size" => Some(ColumnType::Integer),
        "double" => Some(ColumnType::Number),
        "string" => Some(ColumnType::Text),
        "bytes" => Some(ColumnType::Bytes),
        "bool" | "contains" | "startsWith" | "endsWith" => Some(ColumnType::Boolean),
        "timestamp" => Some(ColumnType::Moment),
        CONDITIONAL if is_null(1) => argument(2),
        CONDITIONAL if is_null(2) => argument(1),
        CONDITIONAL => argument(1).filter(|one| argument(2) == Some(*one)),
        NEGATE => argument(0),
        name if TRUTHS.contains(&name) => Some(ColumnType::Boolean),
        ADD | SUBSTRACT if argument(0) == Some(ColumnType::Moment) => {
            // The time between two moments is no moment.
            (argument(1) != Some(ColumnType::Moment)).then_some(ColumnType::Moment)
        }
        name if SUMS.contains(&name) => argument(0).filter(|left| argument(1) == Some(*left)),
        _ => None,
    }
}
