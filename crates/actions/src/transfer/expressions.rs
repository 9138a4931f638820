//! Expressions over the rows of a source: which of them are kept, and columns that are computed.

use akkaflow_connectors::{Batch, BatchReceiver, BatchSender, Column, Error, Kind, Row};
use akkaflow_model::code;
use akkaflow_model::condition::{Bound, ColumnType, Computed, ConditionError, RowExpression};
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::{Attribute, Element};
use akkaflow_model::text::Text;

use super::rejects::Shared;
use crate::context::LogSink;

/// What the user wants of the rows, as written: a reference in it is resolved only when it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rules {
    filter: Option<String>,
    /// Names and expressions.
    columns: Vec<(String, String)>,
}

impl Rules {
    /// `None` when one is wrong, which has been said then.
    pub(super) fn parse(source: &Element, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut rules = Self::default();
        let mut is_right = true;
        let filter = source.attribute("filter");
        if let Some(filter) = filter.filter(|filter| !filter.value.trim().is_empty()) {
            is_right &= check(filter, RowExpression::parse_filter, diagnostics);
            rules.filter = Some(filter.value.to_string());
        }
        for column in source.elements_named("column") {
            let (Some(name), Some(value)) = (column.attribute("name"), column.attribute("value"))
            else {
                is_right = false;
                continue;
            };
            is_right &= check(value, RowExpression::parse, diagnostics);
            let name_text = name.value.trim();
            if rules.columns.iter().any(|(known, _)| known == name_text) {
                diagnostics.error(
                    code::TRANSFER_OPTION,
                    name.value_span,
                    Text::new(
                        format!("有两个 <column> 名为 `{name_text}`"),
                        format!("two <column> are called `{name_text}`"),
                    ),
                    Text::new("请删除其中一个", "remove one of them"),
                );
                is_right = false;
            }
            rules
                .columns
                .push((name_text.to_owned(), value.value.to_string()));
        }
        is_right.then_some(rules)
    }

    /// For rows with these columns; `None` when there is nothing to do.
    pub(super) fn bind(
        &self,
        source: &[Column],
        log: &LogSink,
    ) -> Result<Option<Expressions>, Error> {
        if *self == Self::default() {
            return Ok(None);
        }
        let types: Vec<(&str, ColumnType)> = source
            .iter()
            .map(|column| (column.name.as_str(), column_type(column.kind)))
            .collect();
        let bind = |name: &str, text: &str| {
            let read = RowExpression::parse(text).map_err(|error| error.message);
            let bound = read.and_then(|expression| expression.bind(&types));
            bound.map_err(|why| broken(name, &why))
        };
        let filter = self.filter.as_ref().map(|text| bind("filter", text));
        let mut outputs: Vec<Output> = (0..source.len()).map(Output::Source).collect();
        let mut names: Vec<String> = source.iter().map(|column| column.name.clone()).collect();
        for (name, text) in &self.columns {
            let bound = bind(name, text)?;
            let output = match bound.column() {
                Some(index) => Output::Source(index),
                None => {
                    let kind = match is_choice_of_decimals(text, source) {
                        true => Kind::Decimal(None),
                        false => kind(bound.kind()),
                    };
                    Output::Computed(Box::new(bound), kind)
                }
            };
            match names.iter().position(|known| known == name) {
                Some(index) => outputs[index] = output,
                None => {
                    names.push(name.clone());
                    outputs.push(output);
                }
            }
        }
        Ok(Some(Expressions {
            filter: filter.transpose()?,
            outputs,
            names,
            source_count: source.len(),
            log: log.clone(),
        }))
    }
}

/// Says what is wrong with an expression, unless a reference in it is still to be resolved.
fn check<T>(
    attribute: &Attribute,
    parse: impl Fn(&str) -> Result<T, ConditionError>,
    diagnostics: &mut Diagnostics,
) -> bool {
    if attribute.value.contains("${") {
        return true;
    }
    let Err(error) = parse(&attribute.value) else {
        return true;
    };
    let name = &attribute.name;
    diagnostics.error(
        code::BAD_CONDITION,
        attribute.value_span,
        Text::new(
            format!("`{name}`：{}", error.message.zh),
            format!("`{name}`: {}", error.message.en),
        ),
        error.hint(&attribute.value).unwrap_or_else(|| {
            Text::new(
                "表达式用CEL书写，例如 qty > 0 && name != null；名称不是标识符的字段写作 row['名称']",
                "expressions are written in CEL, for example qty > 0 && name != null; a column whose name is no identifier is row['its name']",
            )
        }),
    );
    false
}

fn broken(name: &str, why: &Text) -> Error {
    Error::Configuration(Text::new(
        format!("<source> 的表达式 `{name}`：{}", why.zh),
        format!("the expression `{name}` of <source>: {}", why.en),
    ))
}

fn column_type(kind: Kind) -> ColumnType {
    match kind {
        Kind::Integer { .. } | Kind::Bits(_) => ColumnType::Integer,
        Kind::Decimal(_) | Kind::Float | Kind::Double => ColumnType::Number,
        Kind::Boolean => ColumnType::Boolean,
        Kind::Binary(_) => ColumnType::Bytes,
        Kind::Date | Kind::DateTime(_) | Kind::DateTimeZone(_) => ColumnType::Moment,
        Kind::Field | Kind::Text(_) | Kind::Time(_) | Kind::Json => ColumnType::Text,
    }
}

/// Whether a decimal may come out as it is: a table that is made must keep its digits.
fn is_choice_of_decimals(text: &str, source: &[Column]) -> bool {
    let is_decimal = |column: &&Column| matches!(column.kind, Kind::Decimal(_));
    let mut decimals = source.iter().filter(is_decimal);
    text.contains('?') && decimals.any(|column| text.contains(&column.name))
}

fn kind(computed: Option<ColumnType>) -> Kind {
    match computed {
        Some(ColumnType::Integer) => Kind::signed(64),
        Some(ColumnType::Number) => Kind::Double,
        Some(ColumnType::Boolean) => Kind::Boolean,
        Some(ColumnType::Text) => Kind::Text(None),
        Some(ColumnType::Bytes) => Kind::Binary(None),
        Some(ColumnType::Moment) => Kind::DateTime(6),
        None => Kind::Field,
    }
}

/// Where a value comes from.
enum Output {
    /// The source's column, as it is.
    Source(usize),
    /// With what its values are.
    Computed(Box<Bound>, Kind),
}

/// Expressions over the rows of a certain source.
pub(super) struct Expressions {
    filter: Option<Bound>,
    outputs: Vec<Output>,
    names: Vec<String>,
    source_count: usize,
    log: LogSink,
}

/// Why a row has no values.
struct Fault {
    column: String,
    why: Text,
}

impl Expressions {
    /// The columns that come out for these of the source.
    pub(super) fn columns(&self, source: &[Column]) -> Vec<Column> {
        let outputs = self.names.iter().zip(&self.outputs);
        outputs
            .map(|(name, output)| {
                let kind = match output {
                    Output::Source(index) => source[*index].kind,
                    Output::Computed(_, kind) => *kind,
                };
                Column::new(name, kind)
            })
            .collect()
    }

    /// Values of a row of the source.
    pub(super) fn source_count(&self) -> usize {
        self.source_count
    }

    /// Takes rows and sends those that come out; says how many. Rows that an expression fails on are rejected, or an error without
    /// `rejects`. Blocks.
    pub(super) fn run(
        &self,
        mut rows: BatchReceiver,
        output: &BatchSender,
        rejects: Option<&Shared>,
    ) -> Result<u64, Error> {
        let mut kept = Batch::new(1);
        let (mut sent, mut left_out) = (0, 0_u64);
        while let Some(batch) = rows.blocking_recv() {
            for (number, row) in batch.numbered_rows() {
                match self.apply(row.clone(), &mut kept) {
                    Ok(true) => {
                        kept.end_row_as(number);
                        sent += 1;
                    }
                    Ok(false) => left_out += 1,
                    Err(fault) => {
                        kept.undo_row();
                        fault.tell(number, row, rejects)?;
                    }
                }
                if kept.is_full() && !kept.blocking_send(output) {
                    return Ok(sent);
                }
            }
        }
        kept.blocking_send(output);
        if self.filter.is_some() {
            self.log.both(
                format_args!("filter过滤掉{left_out}条记录"),
                format_args!("filter left {left_out} rows out"),
            );
        }
        Ok(sent)
    }

    /// Appends what comes out for a row, if the filter keeps it.
    fn apply(&self, row: Row<'_>, output: &mut Batch) -> Result<bool, Fault> {
        let values: Vec<Option<&[u8]>> = row.collect();
        let fault = |column: &str, why| Fault {
            column: column.to_owned(),
            why,
        };
        if let Some(filter) = &self.filter
            && !filter.holds(&values).map_err(|why| fault("filter", why))?
        {
            return Ok(false);
        }
        for (name, value) in self.names.iter().zip(&self.outputs) {
            let computed = match value {
                Output::Source(index) => Computed::Column(*index),
                Output::Computed(bound, _) => {
                    bound.evaluate(&values).map_err(|why| fault(name, why))?
                }
            };
            match computed {
                Computed::Column(index) => match values[index] {
                    Some(value) => output.push(value),
                    None => output.push_null(),
                },
                Computed::Null => output.push_null(),
                Computed::Boolean(true) => output.push(b"true"),
                Computed::Boolean(false) => output.push(b"false"),
                Computed::Text(text) => output.push(text.as_bytes()),
                Computed::Bytes(bytes) => output.push(&bytes),
            }
        }
        Ok(true)
    }
}

impl Fault {
    fn tell(self, number: u64, row: Row<'_>, rejects: Option<&Shared>) -> Result<(), Error> {
        let Self { column, why } = self;
        let reason = Text::new(
            format!("表达式`{column}`：{}", why.zh),
            format!("expression `{column}`: {}", why.en),
        );
        match rejects {
            Some(rejects) => rejects.add(number, row, &reason),
            None => Err(Error::Row(Text::new(
                format!("第{number}行{}", reason.zh),
                format!("row {number}, {}", reason.en),
            ))),
        }
    }
}
