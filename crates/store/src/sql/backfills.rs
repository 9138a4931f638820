//! Queries about backfills, and about what they ask of the past.

use std::collections::BTreeMap;

use akkaflow_model::backfill::{BackfillRow, BackfillRunRow, RunState};
use akkaflow_model::id::InstanceId;
use akkaflow_model::time::Timestamp;

use crate::error::Error;
use crate::query::RunCounts;
use crate::sql::executor::Executor;
use crate::sql::row::Columns;
use crate::sql::texts::{placeholders, select, select_joined};
use crate::sql::value::Value;

/// See [`crate::Queries::backfills`].
pub(crate) async fn backfills(
    executor: &mut Executor<'_>,
    limit: u32,
) -> Result<Vec<BackfillRow>, Error> {
    let text = select::<BackfillRow>(" ORDER BY created_at DESC, id DESC LIMIT ?");
    executor.rows(text, &[Value::Int(limit.into())]).await
}

/// See [`crate::Queries::backfill`].
pub(crate) async fn backfill(
    executor: &mut Executor<'_>,
    id: InstanceId,
) -> Result<Option<BackfillRow>, Error> {
    let text = select::<BackfillRow>(" WHERE id = ?");
    Ok(executor.rows(text, &[Value::id(id)]).await?.pop())
}

/// See [`crate::Queries::backfill_runs`].
pub(crate) async fn runs(
    executor: &mut Executor<'_>,
    id: InstanceId,
) -> Result<Vec<BackfillRunRow>, Error> {
    let text = select::<BackfillRunRow>(" WHERE backfill = ? ORDER BY place");
    executor.rows(text, &[Value::id(id)]).await
}

/// See [`crate::Queries::backfill_counts`].
pub(crate) async fn counts(
    executor: &mut Executor<'_>,
    ids: &[InstanceId],
) -> Result<RunCounts, Error> {
    let mut counts = BTreeMap::new();
    if ids.is_empty() {
        return Ok(counts);
    }
    let text = format!(
        "SELECT backfill, state, COUNT(*) FROM af_backfill_run WHERE backfill IN ({}) \
         GROUP BY backfill, state",
        placeholders(ids.len())
    );
    let values: Vec<Value<'_>> = ids.iter().copied().map(Value::id).collect();
    for row in executor.fetch(text, &values).await? {
        let mut columns = Columns::new(&row);
        let (id, state): (InstanceId, RunState) = (columns.id()?, columns.coded()?);
        counts.insert((id, state), columns.bits()?);
    }
    Ok(counts)
}

/// Open backfills.
pub(crate) async fn open(executor: &mut Executor<'_>) -> Result<Vec<BackfillRow>, Error> {
    let text = select::<BackfillRow>(" WHERE ended_at IS NULL ORDER BY id");
    executor.rows(text, &[]).await
}

/// All runs of open backfills.
pub(crate) async fn open_runs(executor: &mut Executor<'_>) -> Result<Vec<BackfillRunRow>, Error> {
    let text = select_joined::<BackfillRunRow>(
        "af_backfill b JOIN af_backfill_run r ON r.backfill = b.id \
         WHERE b.ended_at IS NULL ORDER BY r.backfill, r.place",
    );
    executor.rows(text, &[]).await
}

/// See [`crate::Queries::succeeded`]. Fires are found by their due time; each instance has one.
pub(crate) async fn succeeded(
    executor: &mut Executor<'_>,
    workflow: &str,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Timestamp>, Error> {
    let rows = executor
        .fetch(
            "SELECT DISTINCT f.due_at FROM af_fire f JOIN af_instance i ON i.id = f.instance \
             WHERE f.workflow = ? AND f.due_at >= ? AND f.due_at < ? AND i.state = 3 \
             ORDER BY f.due_at",
            &[Value::text(workflow), Value::time(from), Value::time(until)],
        )
        .await?;
    rows.iter().map(|row| Columns::new(row).time()).collect()
}
