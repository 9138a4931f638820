//! The values that an expression looks at.

use cel::IdedExpr;
use cel::common::ast::operators::INDEX;
use cel::common::ast::{EntryExpr, Expr, LiteralValue};

/// Every variable with what is selected from it, in order, without repeats and without the variables of loops.
pub(super) fn collect(expression: &IdedExpr) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut bound = Vec::new();
    visit(expression, &mut bound, &mut found);
    found
}

fn visit<'e>(expression: &'e IdedExpr, bound: &mut Vec<&'e str>, found: &mut Vec<Vec<String>>) {
    if let Some(path) = path(expression) {
        let is_own = path[0].starts_with('@') || bound.contains(&path[0].as_str());
        if !is_own && !found.contains(&path) {
            found.push(path);
        }
        return;
    }
    match &expression.expr {
        Expr::Call(call) => {
            let parts = call.target.as_deref().into_iter().chain(&call.args);
            parts.for_each(|part| visit(part, bound, found));
        }
        Expr::Comprehension(loop_) => {
            visit(&loop_.iter_range, bound, found);
            visit(&loop_.accu_init, bound, found);
            let outside = bound.len();
            bound.extend([loop_.iter_var.as_str(), loop_.accu_var.as_str()]);
            bound.extend(loop_.iter_var2.as_deref());
            for part in [&loop_.loop_cond, &loop_.loop_step, &loop_.result] {
                visit(part, bound, found);
            }
            bound.truncate(outside);
        }
        Expr::List(list) => list
            .elements
            .iter()
            .for_each(|part| visit(part, bound, found)),
        Expr::Map(map) => map
            .entries
            .iter()
            .for_each(|entry| visit_entry(&entry.expr, bound, found)),
        Expr::Struct(structure) => structure
            .entries
            .iter()
            .for_each(|entry| visit_entry(&entry.expr, bound, found)),
        Expr::Select(select) => visit(&select.operand, bound, found),
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
    }
}

fn visit_entry<'e>(entry: &'e EntryExpr, bound: &mut Vec<&'e str>, found: &mut Vec<Vec<String>>) {
    match entry {
        EntryExpr::StructField(field) => visit(&field.value, bound, found),
        EntryExpr::MapEntry(entry) => {
            visit(&entry.key, bound, found);
            visit(&entry.value, bound, found);
        }
    }
}

/// A variable and the fields selected from it by name.
pub(super) fn path(expression: &IdedExpr) -> Option<Vec<String>> {
    match &expression.expr {
        Expr::Ident(name) => Some(vec![name.clone()]),
        Expr::Select(select) => {
            let mut path = path(&select.operand)?;
            path.push(select.field.clone());
            Some(path)
        }
        Expr::Call(call) if call.func_name == INDEX && call.target.is_none() => {
            let [operand, index] = call.args.as_slice() else {
                return None;
            };
            let Expr::Literal(LiteralValue::String(field)) = &index.expr else {
                return None;
            };
            let mut path = path(operand)?;
            path.push(field.inner().to_owned());
            Some(path)
        }
        _ => None,
    }
}
