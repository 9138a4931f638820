//! Expressions over the columns of a row: `qty > 0 && name != null`.
//!
//! Each column is a variable; one whose name is no word of the language is `row["名称"]`. An expression that only hands a column on,
//! as it is or by a choice (`qty > 0 ? amount : null`), hands on its very bytes: no digit is lost. Everything else is computed with whole
//! numbers of 64 bits, double precision, text, truth and moments.

mod kind;
mod value;

use std::sync::Arc;

use cel::common::ast::operators::CONDITIONAL;
use cel::common::ast::{Expr, LiteralValue};
use cel::{Context, ExecutionError, IdedExpr};

use super::evaluate::{fault, functions, map};
use super::{ConditionError, check_size, loops, names, outcome, syntax_error, word_in};
use crate::suggest::closest;
use crate::text::Text;

pub use value::Computed;

/// The variable that holds all columns.
const ROW: &str = "row";

/// What the values of a column are to an expression. A value that is not what its column says is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// A whole number: `int`, beyond its range `uint`.
    Integer,
    /// A number that is no whole one, decimals too: `double`.
    Number,
    /// `bool`.
    Boolean,
    /// `string`.
    Text,
    /// `bytes`.
    Bytes,
    /// A day or a time of a day: `timestamp`, in UTC where no offset is said.
    Moment,
}

/// An expression that can be read.
#[derive(Debug, Clone)]
pub struct RowExpression {
    text: String,
    columns: Vec<String>,
    expression: Arc<IdedExpr>,
}

impl PartialEq for RowExpression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for RowExpression {}

impl RowExpression {
    /// Reads an expression. Which columns there are is told by [`RowExpression::bind`].
    ///
    /// # Errors
    /// [`ConditionError`] for the first mistake.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        Self::read(text).map_err(in_other_words)
    }

    /// Reads an expression that is true or false.
    ///
    /// # Errors
    /// The same; also for one that is surely neither.
    pub fn parse_filter(text: &str) -> Result<Self, ConditionError> {
        let filter = Self::parse(text)?;
        let told = outcome::check_truth(&filter.expression);
        let error = told.err().map(|message| ConditionError {
            message: Text::new(
                message.zh.replace("int(param.n) > 0", "int(qty) > 0"),
                message.en.replace("int(param.n) > 0", "int(qty) > 0"),
            ),
            range: 0..text.len(),
        });
        error.map_or(Ok(filter), |error| Err(in_other_words(error)))
    }

    fn read(text: &str) -> Result<Self, ConditionError> {
        check_size(text)?;
        let expression = cel::parser::Parser::default()
            .parse(text)
            .map_err(|errors| syntax_error(text, &errors))?;
        let at = |range, message| ConditionError { message, range };
        let whole = |message| at(0..text.len(), message);
        let mut columns = Vec::new();
        for path in names::collect(&expression) {
            let name = match path.as_slice() {
                [row] if row == ROW => {
                    return Err(at(
                        word_in(text, ROW),
                        Text::new(
                            "`row` 之后须写出字段名，例如 row[\"名称\"]",
                            "`row` is followed by the name of a column, as in row[\"name\"]",
                        ),
                    ));
                }
                [row, name, ..] if row == ROW => name,
                [name, ..] => name,
                [] => continue,
            };
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        loops::check_depth(&expression).map_err(whole)?;
        loops::check(&expression).map_err(whole)?;
        outcome::check_functions(&expression)
            .map_err(|(name, message)| at(word_in(text, &name), message))?;
        Ok(Self {
            text: text.trim().to_owned(),
            columns,
            expression: Arc::new(expression),
        })
    }

    /// The text as written, without the blanks around it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// For rows with these columns.
    ///
    /// # Errors
    /// When it looks at a column that is not among them.
    pub fn bind(&self, columns: &[(&str, ColumnType)]) -> Result<Bound, Text> {
        let mut used = Vec::new();
        for name in &self.columns {
            let index = columns.iter().position(|(known, _)| known == name);
            let index = index.ok_or_else(|| unknown_column(name, columns))?;
            used.push(Used {
                name: name.clone(),
                index,
                kind: columns[index].1,
            });
        }
        let plan = plan(&self.expression, &used);
        let kind = kind::of(&self.expression, &used);
        Ok(Bound {
            is_row_used: names::collect(&self.expression)
                .iter()
                .any(|path| path[0] == ROW),
            used,
            plan,
            kind,
        })
    }
}

/// "Condition" is what the others are.
fn in_other_words(error: ConditionError) -> ConditionError {
    let en = error.message.en.replace("a condition", "an expression");
    ConditionError {
        message: Text::new(
            error.message.zh.replace("条件", "表达式"),
            en.replace("condition", "expression"),
        ),
        ..error
    }
}

fn unknown_column(name: &str, columns: &[(&str, ColumnType)]) -> Text {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let (zh, en) = match closest(name, names.iter().copied()) {
        Some(meant) => (
            format!("，是否应为 `{meant}`？"),
            format!("; is `{meant}` meant?"),
        ),
        None => Default::default(),
    };
    let names = names.join(", ");
    Text::new(
        format!("源没有字段`{name}`{zh}（源的字段：{names}）"),
        format!("the source has no column `{name}`{en} (its columns: {names})"),
    )
}

/// A column that an expression looks at.
#[derive(Debug, Clone)]
struct Used {
    name: String,
    index: usize,
    kind: ColumnType,
}

/// How a value comes about.
#[derive(Debug, Clone)]
enum Plan {
    /// The column's own bytes.
    Column(usize),
    Null,
    /// By a choice between two.
    Choice(IdedExpr, Box<(Plan, Plan)>),
    Compute(IdedExpr),
}

fn plan(expression: &IdedExpr, used: &[Used]) -> Plan {
    if let Some(index) = kind::column(expression, used) {
        return Plan::Column(used[index].index);
    }
    match &expression.expr {
        Expr::Literal(LiteralValue::Null) => Plan::Null,
        Expr::Call(call) if call.func_name == CONDITIONAL && call.args.len() == 3 => {
            let branches = (plan(&call.args[1], used), plan(&call.args[2], used));
            Plan::Choice(call.args[0].clone(), Box::new(branches))
        }
        _ => Plan::Compute(expression.clone()),
    }
}

/// An expression over the columns of certain rows.
#[derive(Debug, Clone)]
pub struct Bound {
    used: Vec<Used>,
    is_row_used: bool,
    plan: Plan,
    kind: Option<ColumnType>,
}

impl Bound {
    /// The column that it hands on as it is, whatever the row.
    pub fn column(&self) -> Option<usize> {
        match self.plan {
            Plan::Column(index) => Some(index),
            _ => None,
        }
    }

    /// What its values are, as far as its text says.
    pub fn kind(&self) -> Option<ColumnType> {
        self.kind
    }

    /// Whether it holds for a row.
    ///
    /// # Errors
    /// Why that cannot be said.
    pub fn holds(&self, row: &[Option<&[u8]>]) -> Result<bool, Text> {
        match self.evaluate(row)? {
            Computed::Boolean(holds) => Ok(holds),
            // A column of its own may hold truth in the words of its database.
            Computed::Column(index) => match row[index] {
                Some(b"t" | b"true" | b"1") => Ok(true),
                Some(b"f" | b"false" | b"0") => Ok(false),
                None => Err(self.null(row).unwrap_or_else(no_truth)),
                _ => Err(no_truth()),
            },
            Computed::Null => Err(self.null(row).unwrap_or_else(no_truth)),
            _ => Err(no_truth()),
        }
    }

    /// Its value for a row, which has all the columns that it was bound to.
    ///
    /// # Errors
    /// Why there is none, without the row's number.
    pub fn evaluate(&self, row: &[Option<&[u8]>]) -> Result<Computed, Text> {
        if let Plan::Column(index) = self.plan {
            return Ok(Computed::Column(index));
        }
        let mut context = Context::with_env(Arc::clone(functions()));
        let values = || {
            let value = |used: &Used| value::of(used.kind, row[used.index]);
            self.used.iter().map(move |used| (&used.name, value(used)))
        };
        for (name, value) in values() {
            context.add_variable_from_value(name.as_str(), value);
        }
        if self.is_row_used {
            let all = values().map(|(name, value)| (name.clone(), value));
            context.add_variable_from_value(ROW, map(all.collect()));
        }
        self.run(&self.plan, &context)
            .map_err(|error| self.told(&error, row))
    }

    fn run(&self, plan: &Plan, context: &Context<'_, '_>) -> Result<Computed, Failure> {
        match plan {
            Plan::Column(index) => Ok(Computed::Column(*index)),
            Plan::Null => Ok(Computed::Null),
            Plan::Compute(expression) => {
                value::computed(context.resolve(expression)?).map_err(Failure::Told)
            }
            Plan::Choice(condition, branches) => match context.resolve(condition)? {
                cel::Value::Bool(true) => self.run(&branches.0, context),
                cel::Value::Bool(false) => self.run(&branches.1, context),
                cel::Value::Null => Err(Failure::OfNull),
                _ => Err(Failure::Told(no_truth())),
            },
        }
    }

    /// What to do about a column that is NULL in this row, where there is one.
    fn null(&self, row: &[Option<&[u8]>]) -> Option<Text> {
        let null = self.used.iter().find(|used| row[used.index].is_none())?;
        let is_sign = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name = match null.name.chars().all(is_sign) {
            true => null.name.clone(),
            false => format!("row['{}']", null.name),
        };
        let column = &null.name;
        Some(Text::new(
            format!(
                "字段`{column}`为NULL，不能这样计算或比较；请先判断，例如 {name} != null && …，计算时 {name} != null ? … : null"
            ),
            format!(
                "column `{column}` is NULL, which can be neither compared nor reckoned with so; ask first, as in {name} != null && …, or {name} != null ? … : null for a value"
            ),
        ))
    }

    /// A NULL is what values of the wrong type mostly are.
    fn told(&self, failure: &Failure, row: &[Option<&[u8]>]) -> Text {
        let error = match failure {
            Failure::Told(text) => return text.clone(),
            Failure::OfNull => return self.null(row).unwrap_or_else(no_truth),
            Failure::Of(error) => error,
        };
        let is_null = |value: &cel::Value| *value == cel::Value::Null;
        let null = match error {
            ExecutionError::NoSuchOverload(_) => self.null(row),
            ExecutionError::UnsupportedBinaryOperator(_, one, other)
                if is_null(one) || is_null(other) =>
            {
                self.null(row)
            }
            _ => None,
        };
        if let Some(null) = null {
            return null;
        }
        match error {
            ExecutionError::NoSuchOverload(overload) => Text::new(
                format!(
                    "值的类型不符（{overload}）；文件的字段是文本，请写 int(字段)；decimal字段是double，请与2.0而不是2计算"
                ),
                format!(
                    "values of the wrong type ({overload}); fields of a file are text, write int(column); decimals are double, reckon with 2.0 rather than 2"
                ),
            ),
            error => fault(error),
        }
    }
}

enum Failure {
    Of(ExecutionError),
    /// Neither true nor false, but NULL.
    OfNull,
    Told(Text),
}

impl From<ExecutionError> for Failure {
    fn from(error: ExecutionError) -> Self {
        Self::Of(error)
    }
}

fn no_truth() -> Text {
    Text::new("结果不是真或假", "it is neither true nor false")
}

#[cfg(test)]
mod tests;
