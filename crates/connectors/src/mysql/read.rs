//! Rows out.

use std::io::Write;

use mysql_async::consts::ColumnType;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, QueryResult, Value};

use super::failed;
use crate::batch::{Batch, BatchSender};
use crate::error::Error;

/// The server would hang up on us after a minute in which a slow target keeps us from reading; a day is as good as never.
const PATIENCE: &str = "set session net_write_timeout = 86400";

pub(super) async fn read(
    connection: &mut Conn,
    query: &str,
    output: &BatchSender,
) -> Result<u64, Error> {
    connection.query_drop(PATIENCE).await.map_err(failed)?;
    let statement = connection.prep(query).await.map_err(failed)?;
    // The text protocol cuts single precision to six digits; the binary one sends it whole.
    let has_float = statement
        .columns()
        .iter()
        .any(|column| column.column_type() == ColumnType::MYSQL_TYPE_FLOAT);
    if has_float {
        let result = connection.exec_iter(&statement, ()).await.map_err(failed)?;
        return send_rows(result, output).await;
    }
    connection.close(statement).await.map_err(failed)?;
    let result = connection.query_iter(query).await.map_err(failed)?;
    send_rows(result, output).await
}

async fn send_rows<P: mysql_async::prelude::Protocol>(
    mut result: QueryResult<'_, 'static, P>,
    output: &BatchSender,
) -> Result<u64, Error> {
    let columns: Vec<Described> = result.columns_ref().iter().map(Described::new).collect();
    let mut batch = Batch::new(1);
    let mut rows = 0;
    while let Some(row) = result.next().await.map_err(failed)? {
        for (index, column) in columns.iter().enumerate() {
            match row.as_ref(index) {
                None | Some(Value::NULL) => batch.push_null(),
                Some(Value::Bytes(bytes)) if !column.is_bits => batch.push(bytes),
                Some(value) => batch.push_with(|output| append(value, column, output)),
            }
        }
        batch.end_row();
        rows += 1;
        if batch.is_full() && !batch.send(output).await {
            return Ok(rows);
        }
    }
    batch.send(output).await;
    Ok(rows)
}

/// What spelling a value needs to know of its column.
struct Described {
    is_bits: bool,
    is_date: bool,
    decimals: usize,
}

impl Described {
    fn new(column: &mysql_async::Column) -> Self {
        Self {
            is_bits: column.column_type() == ColumnType::MYSQL_TYPE_BIT,
            is_date: matches!(
                column.column_type(),
                ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE
            ),
            decimals: usize::from(column.decimals().min(6)),
        }
    }
}

/// Spells a value of the binary protocol as the text protocol would.
fn append(value: &Value, column: &Described, output: &mut Vec<u8>) {
    let result = match value {
        Value::NULL => Ok(()),
        Value::Bytes(bytes) if column.is_bits => {
            let number = bytes
                .iter()
                .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            write!(output, "{number}")
        }
        Value::Bytes(bytes) => output.write_all(bytes),
        Value::Int(number) => write!(output, "{number}"),
        Value::UInt(number) => write!(output, "{number}"),
        Value::Float(number) => write!(output, "{number}"),
        Value::Double(number) => write!(output, "{number}"),
        Value::Date(year, month, day, hour, minute, second, micros) => {
            let day = write!(output, "{year:04}-{month:02}-{day:02}");
            match column.is_date {
                true => day,
                false => day.and_then(|()| {
                    write!(output, " {hour:02}:{minute:02}:{second:02}")?;
                    append_fraction(*micros, column.decimals, output)
                }),
            }
        }
        Value::Time(is_negative, days, hours, minutes, seconds, micros) => {
            let sign = if *is_negative { "-" } else { "" };
            let hours = days * 24 + u32::from(*hours);
            write!(output, "{sign}{hours:02}:{minutes:02}:{seconds:02}")
                .and_then(|()| append_fraction(*micros, column.decimals, output))
        }
    };
    result.expect("writing to memory does not fail");
}

fn append_fraction(micros: u32, decimals: usize, output: &mut Vec<u8>) -> std::io::Result<()> {
    if decimals == 0 {
        return Ok(());
    }
    let digits = format!("{micros:06}");
    write!(output, ".{}", &digits[..decimals])
}
