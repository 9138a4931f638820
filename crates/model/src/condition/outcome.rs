//! What can be said of a condition before it is evaluated: functions that there are not, and outcomes that are no truth.

use std::sync::{Arc, LazyLock};

use cel::common::ast::operators::{
    ADD, CONDITIONAL, DIVIDE, INDEX, LOGICAL_AND, LOGICAL_NOT, LOGICAL_OR, MODULO, MULTIPLY,
    NEGATE, SUBSTRACT,
};
use cel::common::ast::{CallExpr, Expr, LiteralValue};
use cel::parser::Parser;
use cel::{Context, ExecutionError, IdedExpr};

use super::evaluate::functions;
use super::loops::parts;
use super::names;
use crate::quote::shortened;
use crate::suggest::closest;
use crate::text::Text;

const ARITHMETIC: &[&str] = &[ADD, SUBSTRACT, MULTIPLY, DIVIDE, MODULO, NEGATE];
/// Functions whose value is no truth, whatever they are given.
const NUMBERS_AND_TEXTS: &[&str] = &["size", "int", "uint", "double", "string", "bytes", "type"];
/// What people may have meant.
const WELL_KNOWN: &[&str] = &[
    "size",
    "int",
    "uint",
    "double",
    "string",
    "bool",
    "has",
    "contains",
    "startsWith",
    "endsWith",
    "exists",
    "all",
    "filter",
    "map",
    "timestamp",
    "duration",
    "getFullYear",
    "getMonth",
    "getDayOfMonth",
    "getDayOfWeek",
    "getHours",
    "getMinutes",
    "getSeconds",
];

/// Whether every function exists, and the name of one that does not.
pub(super) fn check_functions(expression: &IdedExpr) -> Result<(), (String, Text)> {
    let mut waiting = vec![expression];
    while let Some(expression) = waiting.pop() {
        if let Expr::Call(call) = &expression.expr
            && is_plain(&call.func_name)
            && !exists(call)
        {
            return Err((call.func_name.clone(), unknown(&call.func_name)));
        }
        waiting.extend(parts(&expression.expr));
    }
    Ok(())
}

/// Operators are called by signs.
fn is_plain(name: &str) -> bool {
    name.chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
        && name.starts_with(|c: char| c.is_alphabetic())
}

/// Asks the functions themselves: one that exists complains about what it is given.
fn exists(call: &CallExpr) -> bool {
    static EMPTY: LazyLock<Option<IdedExpr>> = LazyLock::new(|| Parser::default().parse("''").ok());
    let target = call.target.as_ref().and(EMPTY.clone());
    let question = IdedExpr {
        id: 0,
        expr: Expr::Call(CallExpr {
            func_name: call.func_name.clone(),
            target: target.map(Box::new),
            args: Vec::new(),
        }),
    };
    let answer = Context::with_env(Arc::clone(functions())).resolve(&question);
    !matches!(answer, Err(ExecutionError::UndeclaredReference(_)))
}

fn unknown(name: &str) -> Text {
    let found = shortened(name);
    if name.eq_ignore_ascii_case("not") {
        return Text::new(
            format!("条件中没有函数 `{found}`，请写作 `!(...)`"),
            format!("there is no function `{found}` in a condition; write `!(...)`"),
        );
    }
    match closest(name, WELL_KNOWN.iter().copied()) {
        Some(meant) => Text::new(
            format!("条件中没有函数 `{found}`，是否想写 `{meant}`？"),
            format!("there is no function `{found}` in a condition; did you mean `{meant}`?"),
        ),
        None => Text::new(
            format!(
                "条件中没有函数 `{found}`，常用的有：{}",
                WELL_KNOWN.join("、")
            ),
            format!(
                "there is no function `{found}` in a condition; there are {}",
                WELL_KNOWN.join(", ")
            ),
        ),
    }
}

/// Whether it may turn out true or false, as far as its text says.
pub(super) fn check_truth(expression: &IdedExpr) -> Result<(), Text> {
    let kind = match &expression.expr {
        Expr::Literal(LiteralValue::Boolean(_)) => return Ok(()),
        Expr::Literal(LiteralValue::String(_) | LiteralValue::Bytes(_)) => ("文本", "a text"),
        Expr::Literal(LiteralValue::Null) => ("空值", "nothing"),
        Expr::Literal(_) => ("数字", "a number"),
        Expr::List(_) => ("列表", "a list"),
        Expr::Map(_) | Expr::Struct(_) => ("映射", "a map"),
        Expr::Call(call) if call.func_name == CONDITIONAL && call.args.len() == 3 => {
            return call.args[1..].iter().try_for_each(check_truth);
        }
        Expr::Call(call) if [LOGICAL_AND, LOGICAL_OR, LOGICAL_NOT].contains(&&*call.func_name) => {
            return call.args.iter().try_for_each(check_truth);
        }
        Expr::Call(call) if ARITHMETIC.contains(&&*call.func_name) => ("计算结果", "a sum"),
        Expr::Call(call) if NUMBERS_AND_TEXTS.contains(&&*call.func_name) => {
            ("数字或文本", "a number or a text")
        }
        Expr::Select(select) if select.test => return Ok(()),
        Expr::Ident(_) | Expr::Select(_) => return check_path(expression),
        Expr::Call(call) if call.func_name == INDEX => return check_path(expression),
        Expr::Call(_) | Expr::Comprehension(_) | Expr::Unspecified => return Ok(()),
    };
    Err(no_truth(kind.0, kind.1, ""))
}

/// Parameters and state are text, whatever type they are declared with.
fn check_path(expression: &IdedExpr) -> Result<(), Text> {
    let path = names::path(expression).unwrap_or_default();
    match path.as_slice() {
        [kind, name] if matches!(kind.as_str(), "param" | "state") => {
            let example = format!("{kind}.{} == 'true'", shortened(name));
            Err(no_truth("文本", "a text", &example))
        }
        [kind] if matches!(kind.as_str(), "param" | "state" | "output" | "headers") => {
            Err(no_truth("映射", "a map", ""))
        }
        [kind] if kind == "status" => Err(no_truth("数字", "a number", "status == 200")),
        [kind] if kind == "body" => Err(no_truth("文本", "a text", "body.contains('ok')")),
        _ => Ok(()),
    }
}

fn no_truth(zh: &str, en: &str, example: &str) -> Text {
    let example = if example.is_empty() {
        "int(param.n) > 0"
    } else {
        example
    };
    Text::new(
        format!("条件的结果是{zh}，不是真或假，请写成比较，例如 {example}"),
        format!("the condition gives {en}, neither true nor false; compare it, as in {example}"),
    )
}
