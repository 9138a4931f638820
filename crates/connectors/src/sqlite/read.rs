//! Rows out.

use std::io::Write;

use futures::TryStreamExt;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row as _, TypeInfo, ValueRef};

use super::failed;
use crate::batch::{Batch, BatchSender};
use crate::error::Error;
use crate::preview::Preview;

pub(super) async fn read(
    connection: &mut SqliteConnection,
    query: &str,
    output: BatchSender,
) -> Result<u64, Error> {
    let mut found = sqlx::query(AssertSqlSafe(query))
        .persistent(false)
        .fetch(connection);
    let mut batch = Batch::new(1);
    let mut rows = 0;
    while let Some(row) = found.try_next().await.map_err(failed)? {
        append(&row, &mut batch).map_err(failed)?;
        rows += 1;
        if batch.is_full() && !batch.send(&output).await {
            return Ok(rows);
        }
    }
    batch.send(&output).await;
    Ok(rows)
}

/// The same for a log; a row that is not kept is counted.
pub(super) fn show(row: &SqliteRow, preview: &mut Preview) -> Result<(), sqlx::Error> {
    let mut one = Batch::default();
    if preview.has_room() {
        append(row, &mut one)?;
    } else {
        one.end_row();
    }
    for values in one.rows() {
        preview.push(values);
    }
    Ok(())
}

/// Every value has a type of its own here.
fn append(row: &SqliteRow, batch: &mut Batch) -> Result<(), sqlx::Error> {
    for index in 0..row.len() {
        let value = row.try_get_raw(index)?;
        if value.is_null() {
            batch.push_null();
            continue;
        }
        let info = value.type_info();
        match info.name() {
            "INTEGER" => {
                let number: i64 = row.try_get_unchecked(index)?;
                batch.push_with(|output| {
                    write!(output, "{number}").expect("writing to memory does not fail");
                });
            }
            "REAL" => {
                let number: f64 = row.try_get_unchecked(index)?;
                batch.push_with(|output| {
                    write!(output, "{number:?}").expect("writing to memory does not fail");
                });
            }
            _ => batch.push(row.try_get_unchecked::<&[u8], _>(index)?),
        }
    }
    batch.end_row();
    Ok(())
}
