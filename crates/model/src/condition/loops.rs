//! What a condition may cost: how deep it goes, and its loops. Each one may multiply what it goes through, and maps have
//! no order.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr};

use crate::text::Text;

/// How many operations may stand within each other: evaluation goes down the stack with them, by up to 20 KiB each in a
/// debug build.
const DEEPEST: usize = 50;

/// Three loops within a thousand bytes could already go through millions of values.
const MOST_LOOPS: usize = 2;

/// Whether the operations do not nest too deeply, as in a sum of a hundred numbers.
pub(super) fn check_depth(expression: &IdedExpr) -> Result<(), Text> {
    let mut waiting = vec![(expression, 1)];
    while let Some((expression, depth)) = waiting.pop() {
        if depth > DEEPEST {
            return Err(Text::new(
                "条件中的运算太多，请拆分或简化",
                "there is too much in this condition: take it apart or make it simpler",
            ));
        }
        let parts = parts(&expression.expr);
        waiting.extend(parts.into_iter().map(|part| (part, depth + 1)));
    }
    Ok(())
}

/// Whether every loop goes over a list that the text writes out, and there are few.
pub(super) fn check(expression: &IdedExpr) -> Result<(), Text> {
    let mut loops = 0;
    let mut waiting = vec![expression];
    while let Some(expression) = waiting.pop() {
        if let Expr::Comprehension(loop_) = &expression.expr {
            loops += 1;
            if !matches!(
                loop_.iter_range.expr,
                Expr::List(_) | Expr::Comprehension(_)
            ) {
                return Err(Text::new(
                    "条件中的循环只能用于写出的列表，例如 ['a', 'b'].exists(x, x == param.名称)",
                    "a loop in a condition goes over a list that is written out, as in ['a', 'b'].exists(x, x == param.NAME)",
                ));
            }
        }
        if loops > MOST_LOOPS {
            return Err(Text::new(
                format!("条件中的循环超过{MOST_LOOPS}个"),
                format!("a condition may hold {MOST_LOOPS} loops at most"),
            ));
        }
        waiting.extend(parts(&expression.expr));
    }
    Ok(())
}

pub(super) fn parts(expression: &Expr) -> Vec<&IdedExpr> {
    match expression {
        Expr::Call(call) => call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .collect(),
        Expr::Comprehension(loop_) => vec![
            &loop_.iter_range,
            &loop_.accu_init,
            &loop_.loop_cond,
            &loop_.loop_step,
            &loop_.result,
        ],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => (map.entries.iter())
            .flat_map(|entry| of_entry(&entry.expr))
            .collect(),
        Expr::Struct(structure) => (structure.entries.iter())
            .flat_map(|entry| of_entry(&entry.expr))
            .collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
    }
}

fn of_entry(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}
