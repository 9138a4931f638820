//! Rows in. SQLite takes anything anywhere and rounds what it must: here a value that a column of numbers would not keep is
//! refused, as other databases do.

use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe};

use super::columns::EXACT_DIGITS;
use super::{Sqlite, failed, primary_code};
use crate::column::{Column, Kind};
use crate::convert::Conversion;
use crate::dialect::Dialect as _;
use crate::error::Error;
use crate::exact::Checks;
use crate::session::Load;
use crate::upsert::on_conflict;

/// SQLite's limit of values in a statement.
const VALUES: usize = 32_766;

/// Rows of a statement: with fewer the call itself weighs, with more nothing is won.
const ROWS: usize = 500;

pub(super) async fn write(
    connection: &mut SqliteConnection,
    mut load: Load,
    conversions: &[Conversion],
) -> Result<u64, Error> {
    let checks = Checks::new(&load.target, &load.key, &Sqlite);
    let most = (VALUES / load.target.len().max(1)).clamp(1, ROWS);
    let full = statement(&load, most);
    let mut arguments = SqliteArguments::default();
    let mut converted = Vec::new();
    let mut waiting = 0;
    let mut written = 0;
    while let Some(batch) = load.rows.recv().await {
        checks.check(&batch)?;
        for (number, row) in batch.numbered_rows() {
            for ((value, conversion), column) in row.zip(conversions).zip(&load.target) {
                match value {
                    None => add(&mut arguments, Option::<i64>::None),
                    Some(value) => {
                        converted.clear();
                        conversion.append(value, &mut converted);
                        bind(&converted, column, number, &mut arguments)?;
                    }
                }
            }
            waiting += 1;
            if waiting == most {
                let arguments = std::mem::take(&mut arguments);
                written += insert(connection, full.clone(), arguments).await?;
                waiting = 0;
            }
        }
        load.progress.add(&batch);
    }
    if waiting > 0 {
        written += insert(connection, statement(&load, waiting), arguments).await?;
    }
    Ok(written)
}

fn statement(load: &Load, rows: usize) -> String {
    let row = format!("({})", vec!["?"; load.target.len()].join(","));
    format!(
        "insert into {} ({}) values {}{}",
        load.table,
        Sqlite.names(&load.target),
        vec![row; rows].join(","),
        on_conflict(load, &Sqlite)
    )
}

async fn insert(
    connection: &mut SqliteConnection,
    statement: String,
    arguments: SqliteArguments,
) -> Result<u64, Error> {
    sqlx::query_with(AssertSqlSafe(statement), arguments)
        .execute(connection)
        .await
        .map(|result| result.rows_affected())
        .map_err(refused)
}

/// Constraints, values of another type than a strict table takes, and values that are too long are the row's fault.
fn refused(error: sqlx::Error) -> Error {
    const TOO_LONG: u32 = 18;
    const CONSTRAINT: u32 = 19;
    const MISMATCH: u32 = 20;
    let is_rows_fault = matches!(primary_code(&error), Some(TOO_LONG | CONSTRAINT | MISMATCH));
    let error = failed(error);
    match is_rows_fault {
        true => Error::unfit(error.text(), error.text()),
        false => error,
    }
}

fn add<'t>(
    arguments: &mut SqliteArguments,
    value: impl sqlx::Encode<'t, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
) {
    arguments
        .add(value)
        .expect("numbers, text and bytes always encode");
}

fn bind(
    value: &[u8],
    column: &Column,
    row: u64,
    arguments: &mut SqliteArguments,
) -> Result<(), Error> {
    let refuse = |zh, en| Err(Error::value(row, &column.name, value, zh, en));
    if let Kind::Binary(_) = column.kind {
        add(arguments, value.to_vec());
        return Ok(());
    }
    let Ok(text) = std::str::from_utf8(value) else {
        return refuse("不是UTF-8文本", "is no UTF-8 text");
    };
    let number = text.trim();
    match column.kind {
        Kind::Integer { .. } | Kind::Bits(_) | Kind::Decimal(_) => {
            if let Ok(integer) = number.parse::<i64>() {
                add(arguments, integer);
            } else if number.parse::<f64>().is_err() {
                return refuse("不是数字", "is no number");
            } else if significant_digits(number) > EXACT_DIGITS {
                return refuse(
                    "的位数超出SQLite数字的精度，请将该字段声明为text",
                    "has more digits than numbers of SQLite keep; declare the column as text",
                );
            } else {
                add(arguments, text.to_owned());
            }
        }
        Kind::Float | Kind::Double => match number.parse::<f64>() {
            Ok(number) if number.is_nan() => {
                return refuse(
                    "在SQLite的数字字段中会变为NULL，请将该字段声明为text",
                    "becomes NULL in a column of numbers of SQLite; declare the column as text",
                );
            }
            Ok(number) => add(arguments, number),
            Err(_) => return refuse("不是数字", "is no number"),
        },
        _ => add(arguments, text.to_owned()),
    }
    Ok(())
}

fn significant_digits(number: &str) -> u32 {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    let digits = match mantissa.contains('.') {
        true => digits.trim_end_matches('0'),
        false => digits,
    };
    u32::try_from(digits.len()).unwrap_or(u32::MAX)
}
