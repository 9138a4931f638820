//! Rows in by many-row `INSERT`, for servers that do not allow `LOAD DATA LOCAL`.

use akkaflow_model::text::Text;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::Mysql;
use super::exactly::{check, refused};
use crate::batch::Row;
use crate::column::{Column, Kind};
use crate::convert::Conversion;
use crate::dialect::Dialect as _;
use crate::error::Error;
use crate::exact::Checks;
use crate::session::Load;
use crate::upsert::STAGING;

/// Rows of a statement: with fewer the call itself weighs, with more nothing is won.
const ROWS: u64 = 1000;

/// A statement is sent once it has this many bytes, whatever its rows: below any usual `max_allowed_packet`.
const STATEMENT_BYTES: usize = 512 * 1024;

pub(super) async fn insert(
    connection: &mut Conn,
    load: &mut Load,
    conversions: &[Conversion],
    checks: &Checks,
) -> Result<u64, Error> {
    let mut inserter = Inserter {
        head: format!(
            "{} ({}) values ",
            match load.key.as_slice() {
                [] => format!("insert into {}", load.table),
                _ => format!("replace into {STAGING}"),
            },
            Mysql.names(&load.target)
        )
        .into_bytes(),
        statement: Vec::new(),
        first_row: 1,
        rows: 0,
        written: 0,
        replaces: !load.key.is_empty(),
    };
    let mut value = Vec::new();
    while let Some(batch) = load.rows.recv().await {
        checks.check(&batch)?;
        for row in batch.rows() {
            inserter.append(row, &load.target, conversions, &mut value)?;
            if inserter.rows >= ROWS || inserter.statement.len() >= STATEMENT_BYTES {
                inserter.send(connection).await?;
            }
        }
        load.progress.add(&batch);
    }
    inserter.send(connection).await?;
    Ok(inserter.written)
}

struct Inserter {
    head: Vec<u8>,
    statement: Vec<u8>,
    first_row: u64,
    rows: u64,
    written: u64,
    /// Whether rows may take the place of earlier ones.
    replaces: bool,
}

impl Inserter {
    fn append(
        &mut self,
        row: Row<'_>,
        columns: &[Column],
        conversions: &[Conversion],
        converted: &mut Vec<u8>,
    ) -> Result<(), Error> {
        match self.rows {
            0 => self.statement.extend_from_slice(&self.head),
            _ => self.statement.extend_from_slice(b",\n"),
        }
        let number = self.first_row + self.rows;
        let statement = &mut self.statement;
        append_row(row, number, columns, conversions, converted, statement)?;
        self.rows += 1;
        Ok(())
    }

    async fn send(&mut self, connection: &mut Conn) -> Result<(), Error> {
        if self.rows == 0 {
            return Ok(());
        }
        let result = connection.query_drop(self.statement.as_slice()).await;
        result.map_err(|error| self.locate(refused(error)))?;
        let checked = check(connection, self.rows, self.replaces).await;
        self.written += checked.map_err(|error| self.locate(error))?;
        self.statement.clear();
        self.first_row += self.rows;
        self.rows = 0;
        Ok(())
    }

    /// The server counts rows within the statement.
    fn locate(&self, error: Error) -> Error {
        let (first, last) = (self.first_row, self.first_row + self.rows - 1);
        error.within(&Text::new(
            format!("写入第{first}至{last}行（下述行号从第{first}行起算）"),
            format!("rows {first} to {last} (row numbers below count from row {first})"),
        ))
    }
}

/// The values of a row in brackets.
pub(super) fn append_row(
    row: Row<'_>,
    number: u64,
    columns: &[Column],
    conversions: &[Conversion],
    converted: &mut Vec<u8>,
    output: &mut Vec<u8>,
) -> Result<(), Error> {
    let mut parter = b'(';
    for ((value, conversion), column) in row.zip(conversions).zip(columns) {
        output.push(parter);
        parter = b',';
        let Some(value) = value else {
            output.extend_from_slice(b"null");
            continue;
        };
        converted.clear();
        conversion.append(value, converted);
        append_literal(converted, column, number, output)?;
    }
    output.push(b')');
    Ok(())
}

/// Backslashes escape: our session sees to that.
fn append_literal(
    value: &[u8],
    column: &Column,
    row: u64,
    output: &mut Vec<u8>,
) -> Result<(), Error> {
    match column.kind {
        Kind::Binary(_) => {
            output.extend_from_slice(b"x'");
            output.extend_from_slice(value);
        }
        Kind::Bits(_) if value.is_empty() || !value.iter().all(u8::is_ascii_digit) => {
            let (zh, en) = ("不是整数", "is no whole number");
            return Err(Error::value(row, &column.name, value, zh, en));
        }
        Kind::Bits(_) => {
            output.extend_from_slice(value);
            return Ok(());
        }
        _ => {
            output.push(b'\'');
            for byte in value {
                match byte {
                    b'\'' | b'\\' => output.extend_from_slice(&[b'\\', *byte]),
                    0 => output.extend_from_slice(b"\\0"),
                    other => output.push(*other),
                }
            }
        }
    }
    output.push(b'\'');
    Ok(())
}
