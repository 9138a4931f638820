//! `COPY` both ways.

use akkaflow_model::text::Text;
use futures::StreamExt;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Column as _, Executor, SqlSafeStr, Statement as _, TypeInfo};

use super::{Postgres, columns, failed, upsert, words};
use crate::batch::{Batch, BatchSender, take_turn};
use crate::column::{Column, Kind};
use crate::convert::{Conversion, append_escaped, from_hex, unescape};
use crate::dialect::Dialect as _;
use crate::error::Error;
use crate::exact::Checks;
use crate::session::Load;
use crate::upsert::STAGING;

/// Names and types alone, from the server's preparing of the query.
pub(super) async fn describe(
    connection: &mut PgConnection,
    query: &str,
) -> Result<Vec<Column>, Error> {
    let statement = connection
        .prepare(AssertSqlSafe(query).into_sql_str())
        .await
        .map_err(failed)?;
    let described: Vec<Column> = statement
        .columns()
        .iter()
        .map(|column| Column::new(column.name(), columns::kind(column.type_info().name())))
        .collect();
    if described.is_empty() {
        return Err(Error::Statement(Text::new(
            "源语句不是查询，没有返回任何字段",
            "the source is no query: it returns no columns",
        )));
    }
    Ok(described)
}

pub(super) async fn read(
    connection: &mut PgConnection,
    query: &str,
    columns: &[Column],
    output: BatchSender,
) -> Result<u64, Error> {
    // The line feed ends a comment that the query may end with.
    let mut lines = connection
        .copy_out_raw(&format!("copy ({query}\n) to stdout"))
        .await
        .map_err(failed)?;
    let is_binary: Vec<bool> = columns
        .iter()
        .map(|column| matches!(column.kind, Kind::Binary(_)))
        .collect();
    let mut batch = Batch::new(1);
    let mut rows = 0;
    // Each message is one row.
    while let Some(line) = lines.next().await {
        let line = line.map_err(failed)?;
        append_line(&line, &is_binary, &mut batch);
        rows += 1;
        if batch.is_full() && !batch.send(&output).await {
            return Ok(rows);
        }
    }
    batch.send(&output).await;
    Ok(rows)
}

fn append_line(line: &[u8], is_binary: &[bool], batch: &mut Batch) {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    for (value, is_binary) in line.split(|byte| *byte == b'\t').zip(is_binary) {
        if value == b"\\N" {
            batch.push_null();
        } else if let Some(bytes) = value
            .strip_prefix(b"\\\\x")
            .filter(|_| *is_binary)
            .and_then(from_hex)
        {
            batch.push(&bytes);
        } else if value.contains(&b'\\') {
            batch.push_with(|output| unescape(value, output));
        } else {
            batch.push(value);
        }
    }
    batch.end_row();
}

pub(super) async fn write(
    connection: &mut PgConnection,
    mut load: Load,
    conversions: &[Conversion],
    checks: &Checks,
) -> Result<u64, Error> {
    let mut copy = connection
        .copy_in_raw(&format!(
            "copy {} ({}) from stdin",
            match load.key.as_slice() {
                [] => load.table.as_str(),
                _ => STAGING,
            },
            Postgres.names(&load.target)
        ))
        .await
        .map_err(failed)?;
    while let Some(batch) = take_turn(&mut load.rows).await {
        if let Err(error) = checks.check(&batch) {
            // The server must leave the copy before it can roll back; what it says of that is no news.
            let _ = copy.abort("a row was refused").await;
            return Err(error);
        }
        let mut text = Vec::new();
        append_escaped(&batch, conversions, &mut text);
        copy.send(text).await.map_err(failed)?;
        load.progress.add(&batch);
    }
    let written = copy.finish().await.map_err(refused)?;
    if !load.key.is_empty() {
        upsert::merge(connection, &load).await?;
    }
    Ok(written)
}

/// Classes of errors that are a row's fault: data, constraints, views with a check option, limits such as an index's; and what a
/// trigger raises.
const ROWS_FAULT: &[&str] = &["22", "23", "44", "54", "P0"];

/// The server names line, column and value.
pub(super) fn refused(error: sqlx::Error) -> Error {
    let sqlx::Error::Database(database) = &error else {
        return failed(error);
    };
    let words = words(database.as_ref());
    let text = Text::new(
        format!("目标表不能接收记录，已全部回滚：{words}"),
        format!("the target does not take the rows, nothing is kept: {words}"),
    );
    let code = database.code().unwrap_or_default();
    match ROWS_FAULT.iter().any(|class| code.starts_with(class)) {
        // Of a row alone the line means nothing.
        true => Error::unfit(text, Text::verbatim(words.replace(", line 1", ""))),
        false => Error::Statement(text),
    }
}
