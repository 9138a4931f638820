//! What is old, in either dialect: the journal read back, and what is removed.

use akkaflow_model::id::{Epoch, InstanceId};
use akkaflow_model::state::InstanceState;
use akkaflow_model::time::Timestamp;

use crate::batch::JournalRow;
use crate::error::Error;
use crate::sql::Dialect;
use crate::sql::executor::Executor;
use crate::sql::row::Columns;
use crate::sql::texts::{BATCH, placeholders};
use crate::sql::value::Value;
use crate::trim::Trim;

/// The states in which an instance stays until somebody reruns it.
const ENDED: [InstanceState; 3] = [
    InstanceState::Succeeded,
    InstanceState::Failed,
    InstanceState::Killed,
];

/// Positions fit the signed numbers of the databases.
fn position(columns: &mut Columns<'_>) -> Result<u64, Error> {
    Ok(columns.optional_int()?.unwrap_or(0).cast_unsigned())
}

/// See [`crate::Queries::journal_at`].
pub(crate) async fn journal_at(executor: &mut Executor<'_>, at: Timestamp) -> Result<u64, Error> {
    let text = match executor.dialect() {
        Dialect::Sqlite => {
            "SELECT seq FROM af_journal WHERE written_at < ? \
             ORDER BY written_at DESC, seq DESC LIMIT 1"
        }
        Dialect::Mysql => {
            "SELECT seq FROM af_journal WHERE written_at < \
             TIMESTAMPADD(MICROSECOND, ? * 1000, CAST('1970-01-01' AS DATETIME(6))) \
             ORDER BY written_at DESC, seq DESC LIMIT 1"
        }
    };
    let rows = executor.fetch(text, &[Value::time(at)]).await?;
    rows.first()
        .map_or(Ok(0), |row| position(&mut Columns::new(row)))
}

/// See [`crate::Queries::journal`].
pub(crate) async fn journal(
    executor: &mut Executor<'_>,
    after: u64,
    limit: u32,
) -> Result<Vec<JournalRow>, Error> {
    let rows = executor
        .fetch(
            "SELECT seq, epoch, body FROM af_journal WHERE seq > ? AND kind = ? \
             ORDER BY seq LIMIT ?",
            &[
                Value::bits(after),
                Value::Int(BATCH),
                Value::Int(limit.into()),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let mut columns = Columns::new(row);
            Ok(JournalRow {
                seq: position(&mut columns)?,
                epoch: Epoch(position(&mut columns)?),
                body: columns.optional_bytes()?.unwrap_or_default(),
            })
        })
        .collect()
}

/// See [`crate::Queries::workflow_with_instances`].
pub(crate) async fn workflow_with_instances(
    executor: &mut Executor<'_>,
    after: &str,
) -> Result<Option<String>, Error> {
    let rows = executor
        .fetch(
            "SELECT MIN(workflow) FROM af_instance WHERE workflow > ?",
            &[Value::text(after)],
        )
        .await?;
    rows.first()
        .map_or(Ok(None), |row| Columns::new(row).optional_text())
}

/// See [`crate::Queries::expired`].
pub(crate) async fn expired(
    executor: &mut Executor<'_>,
    workflow: &str,
    before: Timestamp,
    keep: u32,
    limit: u32,
) -> Result<Vec<InstanceId>, Error> {
    // The oldest of those that are kept, if there are so many.
    let kept = executor
        .fetch(
            "SELECT created_at, id FROM af_instance WHERE workflow = ? \
             ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET ?",
            &[
                Value::text(workflow),
                Value::Int(i64::from(keep.saturating_sub(1))),
            ],
        )
        .await?;
    let mut values = vec![Value::text(workflow)];
    let mut text = "SELECT id FROM af_instance WHERE workflow = ?".to_owned();
    if keep > 0 {
        let Some(row) = kept.first() else {
            return Ok(Vec::new());
        };
        let mut columns = Columns::new(row);
        let (created_at, id) = (columns.int()?, columns.id()?);
        text.push_str(" AND (created_at < ? OR (created_at = ? AND id < ?))");
        values.extend([
            Value::Int(created_at),
            Value::Int(created_at),
            Value::id(id),
        ]);
    }
    text.push_str(" AND ended_at < ? AND state IN (");
    text.push_str(&placeholders(ENDED.len()));
    text.push_str(") ORDER BY created_at, id LIMIT ?");
    values.push(Value::time(before));
    values.extend(ENDED.map(|state| Value::Int(state.code().into())));
    values.push(Value::Int(limit.into()));
    let rows = executor.fetch(text, &values).await?;
    rows.iter().map(|row| Columns::new(row).id()).collect()
}

/// See [`crate::Queries::forgettable_fires`].
pub(crate) async fn forgettable_fires(
    executor: &mut Executor<'_>,
    workflow: &str,
    before: Timestamp,
    limit: u32,
) -> Result<Option<Timestamp>, Error> {
    let rows = executor
        .fetch(
            "SELECT MAX(due_at) FROM (SELECT due_at FROM af_fire \
             WHERE workflow = ? AND due_at < ? AND state <> 0 AND NOT EXISTS \
             (SELECT 1 FROM af_instance WHERE af_instance.id = af_fire.instance) \
             ORDER BY due_at LIMIT ?) AS oldest",
            &[
                Value::text(workflow),
                Value::time(before),
                Value::Int(limit.into()),
            ],
        )
        .await?;
    let last = rows
        .first()
        .map_or(Ok(None), |row| Columns::new(row).optional_int())?;
    Ok(last.map(|last| Timestamp::from_millis(last + 1)))
}

/// Removes old entries of the journal; returns how many.
pub(crate) async fn trim_journal(executor: &mut Executor<'_>, trim: &Trim) -> Result<u64, Error> {
    let (oldest, remove) = match executor.dialect() {
        Dialect::Sqlite => (
            "SELECT seq FROM af_journal WHERE written_at < ? AND kind = ? \
             AND seq < (SELECT MAX(seq) FROM af_journal) ORDER BY written_at, seq LIMIT ?",
            "DELETE FROM af_journal WHERE seq IN (",
        ),
        Dialect::Mysql => (
            "SELECT seq FROM af_journal WHERE written_at < \
             TIMESTAMPADD(MICROSECOND, ? * 1000, CAST('1970-01-01' AS DATETIME(6))) AND kind = ? \
             AND seq < (SELECT MAX(seq) FROM af_journal) ORDER BY written_at, seq LIMIT ?",
            "DELETE FROM af_journal WHERE seq IN (",
        ),
    };
    let values = [
        Value::time(trim.journal_before),
        Value::Int(BATCH),
        Value::Int(trim.limit.into()),
    ];
    let rows = executor.fetch(oldest, &values).await?;
    let positions: Vec<Value<'_>> = rows
        .iter()
        .map(|row| Columns::new(row).int().map(Value::Int))
        .collect::<Result<_, _>>()?;
    if positions.is_empty() {
        return Ok(0);
    }
    let text = format!("{remove}{})", placeholders(positions.len()));
    Ok(executor.execute(text, &positions).await?)
}

/// Removes old keys of requests; returns how many.
pub(crate) async fn trim_requests(executor: &mut Executor<'_>, trim: &Trim) -> Result<u64, Error> {
    let values = [
        Value::time(trim.requests_before),
        Value::Int(trim.limit.into()),
    ];
    let rows = executor
        .fetch(
            "SELECT key_hash FROM af_request WHERE requested_at < ? ORDER BY requested_at LIMIT ?",
            &values,
        )
        .await?;
    let keys: Vec<Value<'_>> = rows
        .iter()
        .map(|row| {
            let hash = Columns::new(row).optional_bytes()?;
            Ok(Value::Bytes(hash.unwrap_or_default().into()))
        })
        .collect::<Result<_, Error>>()?;
    if keys.is_empty() {
        return Ok(0);
    }
    let text = format!(
        "DELETE FROM af_request WHERE key_hash IN ({})",
        placeholders(keys.len())
    );
    Ok(executor.execute(text, &keys).await?)
}

/// An instance that was removed and whose output is still there.
pub(crate) async fn unswept(executor: &mut Executor<'_>) -> Result<Option<InstanceId>, Error> {
    let rows = executor
        .fetch("SELECT instance FROM af_log_sweep LIMIT 1", &[])
        .await?;
    rows.first().map(|row| Columns::new(row).id()).transpose()
}

/// Removes some of the output of an instance; returns how many chunks.
pub(crate) async fn remove_output(
    executor: &mut Executor<'_>,
    id: InstanceId,
    limit: u32,
) -> Result<u64, Error> {
    let text = match executor.dialect() {
        Dialect::Sqlite => {
            "DELETE FROM af_log_chunk WHERE number IN \
             (SELECT number FROM af_log_chunk WHERE instance = ? ORDER BY number LIMIT ?)"
        }
        Dialect::Mysql => "DELETE FROM af_log_chunk WHERE instance = ? ORDER BY number LIMIT ?",
    };
    let values = [Value::id(id), Value::Int(limit.into())];
    Ok(executor.execute(text, &values).await?)
}

/// The output of an instance is gone.
pub(crate) async fn swept(executor: &mut Executor<'_>, id: InstanceId) -> Result<(), Error> {
    executor
        .execute(
            "DELETE FROM af_log_sweep WHERE instance = ?",
            &[Value::id(id)],
        )
        .await?;
    Ok(())
}
