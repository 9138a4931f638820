//! Output of actions in either dialect.

use akkaflow_model::id::{AttemptKey, InstanceId};

use crate::error::Error;
use crate::log::{LogChunk, StoredChunk, Stream};
use crate::sql::Dialect;
use crate::sql::executor::Executor;
use crate::sql::row::{Columns, Row};
use crate::sql::value::Value;

/// Parameters of one chunk.
const WIDTH: usize = 8;

/// Chunks a statement at most.
const MOST_CHUNKS: usize = 64;

/// Adds chunks inside the caller's transaction; `most_bytes` bounds a statement, not a chunk.
pub(crate) async fn append(
    executor: &mut Executor<'_>,
    chunks: &[LogChunk],
    most_bytes: usize,
) -> Result<(), sqlx::Error> {
    let mut rest = chunks;
    while !rest.is_empty() {
        let (group, after) = rest.split_at(group_size(rest, most_bytes));
        let values: Vec<Value<'_>> = group.iter().flat_map(values).collect();
        let text = insert(executor.dialect(), group.len());
        executor.execute(text, &values).await?;
        rest = after;
    }
    Ok(())
}

fn group_size(chunks: &[LogChunk], most_bytes: usize) -> usize {
    let mut size = 1;
    let mut bytes = weight(&chunks[0]);
    while size * 2 <= chunks.len().min(MOST_CHUNKS) {
        bytes += chunks[size..size * 2].iter().map(weight).sum::<usize>();
        if bytes > most_bytes {
            break;
        }
        size *= 2;
    }
    size
}

fn weight(chunk: &LogChunk) -> usize {
    chunk.data.len() + chunk.key.node.len() + 80
}

fn values(chunk: &LogChunk) -> [Value<'_>; WIDTH] {
    [
        Value::id(chunk.key.instance),
        Value::text(&chunk.key.node),
        Value::Int(chunk.key.run.into()),
        Value::Int(chunk.key.attempt.into()),
        Value::Int(chunk.stream.code().into()),
        Value::bits(chunk.offset),
        Value::time(chunk.at),
        Value::Bytes((&chunk.data[..]).into()),
    ]
}

fn insert(dialect: Dialect, chunks: usize) -> String {
    let groups = vec!["(?, ?, ?, ?, ?, ?, ?, ?)"; chunks].join(", ");
    let columns = "instance, node, run, attempt, stream, start_offset, captured_at, data";
    match dialect {
        Dialect::Sqlite => {
            format!("INSERT OR IGNORE INTO af_log_chunk ({columns}) VALUES {groups}")
        }
        Dialect::Mysql => format!(
            "INSERT INTO af_log_chunk ({columns}) VALUES {groups} \
             ON DUPLICATE KEY UPDATE number = number"
        ),
    }
}

/// See [`crate::Store::read_log`].
pub(crate) async fn read(
    executor: &mut Executor<'_>,
    id: InstanceId,
    after: u64,
    limit: u32,
) -> Result<Vec<StoredChunk>, Error> {
    let rows = executor
        .fetch(
            "SELECT number, instance, node, run, attempt, stream, start_offset, captured_at, data \
             FROM af_log_chunk WHERE instance = ? AND number > ? ORDER BY number LIMIT ?",
            &[
                Value::id(id),
                Value::Int(i64::try_from(after).unwrap_or(i64::MAX)),
                Value::Int(limit.into()),
            ],
        )
        .await?;
    rows.iter().map(stored_chunk).collect()
}

fn stored_chunk(row: &Row) -> Result<StoredChunk, Error> {
    let mut columns = Columns::new(row);
    Ok(StoredChunk {
        number: columns.bits()?,
        chunk: LogChunk {
            key: AttemptKey {
                instance: columns.id()?,
                node: columns.text()?.into(),
                run: columns.count()?,
                attempt: columns.count()?,
            },
            stream: columns.state(Stream::from_code)?,
            offset: columns.bits()?,
            at: columns.time()?,
            data: columns.bytes()?,
        },
    })
}
