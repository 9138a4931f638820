//! Queries of people and programs.

use akkaflow_model::id::{AttemptKey, InstanceId};
use akkaflow_model::links::LinkRow;
use akkaflow_model::outcome::Figures;
use akkaflow_model::record::{
    AttemptRow, CalendarRow, FileProblemRow, FireRow, InstanceRow, Measurement, NodeRow,
    ScheduleRow, StateRow, Success, TokenRow, VersionRow, WorkflowRow,
};
use akkaflow_model::state::AttemptState;
use akkaflow_model::time::Timestamp;

use crate::batch::BatchId;
use crate::error::Error;
use crate::lease::Lease;
use crate::query::{ID_CHARACTERS, InstanceQuery};
use crate::sql::executor::{Executor, Text};
use crate::sql::row::Columns;
use crate::sql::table::Table;
use crate::sql::texts::{placeholders, select, select_joined};
use crate::sql::value::Value;

/// Reads at most one row.
async fn row<T: Table>(
    executor: &mut Executor<'_>,
    text: impl Into<Text>,
    values: &[Value<'_>],
) -> Result<Option<T>, Error> {
    Ok(executor.rows(text, values).await?.pop())
}

/// See [`crate::Store::lease`].
pub(crate) async fn lease(executor: &mut Executor<'_>) -> Result<Option<Lease>, Error> {
    let rows = executor
        .fetch(
            "SELECT cluster, epoch, holder, incarnation, endpoint, renew_seq, connections \
             FROM af_lease WHERE id = 1",
            &[],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let mut columns = Columns::new(row);
    Ok(Some(Lease {
        cluster: columns.wide()?,
        epoch: akkaflow_model::id::Epoch(columns.bits()?),
        holder: columns.text()?,
        incarnation: columns.wide()?,
        endpoint: columns.text()?,
        renew_seq: columns.bits()?,
        connections: columns.text()?,
    }))
}

/// See [`crate::Store::batch_at`].
pub(crate) async fn batch_at(
    executor: &mut Executor<'_>,
    seq: u64,
) -> Result<Option<BatchId>, Error> {
    let rows = executor
        .fetch(
            "SELECT batch FROM af_journal WHERE seq = ?",
            &[Value::bits(seq)],
        )
        .await?;
    rows.first()
        .map(|row| Columns::new(row).wide().map(BatchId))
        .transpose()
}

/// The newest position of the journal; 0 when it is empty.
pub(crate) async fn last_seq(executor: &mut Executor<'_>) -> Result<u64, Error> {
    one_number(executor, "SELECT COALESCE(MAX(seq), 0) FROM af_journal").await
}

/// The highest epoch of the journal; 0 when it is empty.
pub(crate) async fn last_epoch(executor: &mut Executor<'_>) -> Result<u64, Error> {
    one_number(executor, "SELECT COALESCE(MAX(epoch), 0) FROM af_journal").await
}

async fn one_number(executor: &mut Executor<'_>, text: &'static str) -> Result<u64, Error> {
    let rows = executor.fetch(text, &[]).await?;
    rows.first().map_or(Ok(0), |row| Columns::new(row).bits())
}

/// What a setting holds.
pub(crate) async fn setting(
    executor: &mut Executor<'_>,
    name: &str,
) -> Result<Option<String>, Error> {
    let rows = executor
        .fetch(
            "SELECT content FROM af_setting WHERE name = ?",
            &[Value::text(name)],
        )
        .await?;
    rows.first().map(|row| Columns::new(row).text()).transpose()
}

/// See [`crate::Store::workflows`].
pub(crate) async fn workflows(executor: &mut Executor<'_>) -> Result<Vec<WorkflowRow>, Error> {
    let text = select::<WorkflowRow>(" WHERE status <> 2 ORDER BY name");
    executor.rows(text, &[]).await
}

/// See [`crate::Queries::states`].
pub(crate) async fn states(
    executor: &mut Executor<'_>,
    workflow: &str,
) -> Result<Vec<StateRow>, Error> {
    let text = select::<StateRow>(" WHERE workflow = ? ORDER BY name");
    executor.rows(text, &[Value::text(workflow)]).await
}

/// See [`crate::Queries::links`].
pub(crate) async fn links(executor: &mut Executor<'_>) -> Result<Vec<LinkRow>, Error> {
    let text = select::<LinkRow>(" ORDER BY kind, name");
    executor.rows(text, &[]).await
}

/// See [`crate::Store::workflow`].
pub(crate) async fn workflow(
    executor: &mut Executor<'_>,
    name: &str,
) -> Result<Option<WorkflowRow>, Error> {
    let text = select::<WorkflowRow>(" WHERE name = ?");
    row(executor, text, &[Value::text(name)]).await
}

/// See [`crate::Store::version`].
pub(crate) async fn version(
    executor: &mut Executor<'_>,
    version: &str,
) -> Result<Option<VersionRow>, Error> {
    let text = select::<VersionRow>(" WHERE version = ?");
    row(executor, text, &[Value::text(version)]).await
}

/// See [`crate::Store::schedule`].
pub(crate) async fn schedule(
    executor: &mut Executor<'_>,
    workflow: &str,
) -> Result<Option<ScheduleRow>, Error> {
    let text = select::<ScheduleRow>(" WHERE workflow = ?");
    row(executor, text, &[Value::text(workflow)]).await
}

/// See [`crate::Store::fires`].
pub(crate) async fn fires(
    executor: &mut Executor<'_>,
    workflow: &str,
    limit: u32,
) -> Result<Vec<FireRow>, Error> {
    let text = select::<FireRow>(
        " WHERE workflow = ? \
         ORDER BY due_at DESC, kind DESC, generation DESC, fire_key DESC LIMIT ?",
    );
    let values = [Value::text(workflow), Value::Int(limit.into())];
    executor.rows(text, &values).await
}

/// See [`crate::Store::waiting_tokens`].
pub(crate) async fn waiting_tokens(
    executor: &mut Executor<'_>,
    dependant: &str,
) -> Result<Vec<TokenRow>, Error> {
    let text = select::<TokenRow>(
        " WHERE consumed_by IS NULL AND dependant = ? \
         ORDER BY given_at, upstream_instance",
    );
    executor.rows(text, &[Value::text(dependant)]).await
}

/// See [`crate::Store::calendar`].
pub(crate) async fn calendar(
    executor: &mut Executor<'_>,
    name: &str,
) -> Result<Option<CalendarRow>, Error> {
    let text = select::<CalendarRow>(" WHERE name = ?");
    row(executor, text, &[Value::text(name)]).await
}

/// See [`crate::Store::file_problems`].
pub(crate) async fn file_problems(
    executor: &mut Executor<'_>,
) -> Result<Vec<FileProblemRow>, Error> {
    let mut problems: Vec<FileProblemRow> =
        executor.rows(select::<FileProblemRow>(""), &[]).await?;
    problems.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(problems)
}

/// See [`crate::Store::instances`].
pub(crate) async fn instances(
    executor: &mut Executor<'_>,
    query: &InstanceQuery,
) -> Result<Vec<InstanceRow>, Error> {
    let mut text = select::<InstanceRow>(" WHERE 1 = 1");
    let mut values = Vec::new();
    if !query.states.is_empty() {
        text.push_str(" AND state IN (");
        text.push_str(&placeholders(query.states.len()));
        text.push(')');
        values.extend(
            query
                .states
                .iter()
                .map(|state| Value::Int(state.code().into())),
        );
    }
    let key = query.key.as_deref().map(str::to_lowercase);
    let conditions = [
        (
            " AND workflow = ?",
            query.workflow.as_deref().map(Value::text),
        ),
        (
            " AND creator = ?",
            query.creator.as_deref().map(Value::text),
        ),
        (" AND INSTR(search, ?) > 0", key.as_deref().map(Value::text)),
        (" AND created_at >= ?", query.from.map(Value::time)),
        (" AND created_at < ?", query.to.map(Value::time)),
    ];
    for (condition, value) in conditions {
        if let Some(value) = value {
            text.push_str(condition);
            values.push(value);
        }
    }
    text.push_str(" ORDER BY created_at DESC, id DESC LIMIT ?");
    values.push(Value::Int(query.effective_limit().into()));
    executor.rows(text, &values).await
}

/// See [`crate::Store::instance_ids`].
pub(crate) async fn instance_ids(
    executor: &mut Executor<'_>,
    part: &str,
    limit: u32,
) -> Result<Vec<InstanceId>, Error> {
    let part = part.to_lowercase();
    let rows = executor
        .fetch(
            "SELECT search FROM af_instance \
             WHERE INSTR(SUBSTR(search, 1, 36), ?) > 0 ORDER BY search DESC LIMIT ?",
            &[Value::text(&part), Value::Int(limit.into())],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let text = Columns::new(row).text()?;
            text.get(..ID_CHARACTERS)
                .and_then(|id| id.parse().ok())
                .ok_or_else(|| Error::Corrupt("a search text without an id".to_owned()))
        })
        .collect()
}

/// See [`crate::Store::instance`].
pub(crate) async fn instance(
    executor: &mut Executor<'_>,
    id: InstanceId,
) -> Result<Option<InstanceRow>, Error> {
    let text = select::<InstanceRow>(" WHERE id = ?");
    row(executor, text, &[Value::id(id)]).await
}

/// See [`crate::Store::nodes`].
pub(crate) async fn nodes(
    executor: &mut Executor<'_>,
    id: InstanceId,
) -> Result<Vec<NodeRow>, Error> {
    let text = select_joined::<NodeRow>(
        "af_instance i JOIN af_node r ON r.instance = i.id AND r.run = i.run \
         WHERE i.id = ? ORDER BY r.ready_at, r.number",
    );
    executor.rows(text, &[Value::id(id)]).await
}

/// See [`crate::Store::attempts`].
pub(crate) async fn attempts(
    executor: &mut Executor<'_>,
    id: InstanceId,
) -> Result<Vec<AttemptRow>, Error> {
    let text = select::<AttemptRow>(" WHERE instance = ? ORDER BY assigned_at, number");
    executor.rows(text, &[Value::id(id)]).await
}

/// See [`crate::Queries::measurements`].
pub(crate) async fn measurements(
    executor: &mut Executor<'_>,
    workflow: &str,
    node: Option<&str>,
    limit: u32,
) -> Result<Vec<Measurement>, Error> {
    let rows = executor
        .fetch(
            "SELECT a.instance, a.node, a.run, a.attempt, i.fire_time, a.ended_at, a.state, a.figures, a.message \
             FROM af_instance AS i JOIN af_attempt AS a ON a.instance = i.id \
             WHERE i.workflow = ? AND a.node = COALESCE(?, a.node) \
             AND a.ended_at IS NOT NULL AND a.figures LIKE '%\"measured\":%' \
             ORDER BY a.ended_at DESC, a.instance DESC, a.node DESC, a.run DESC, a.attempt DESC LIMIT ?",
            &[
                Value::text(workflow),
                Value::optional_text(node),
                Value::Int(limit.into()),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let mut columns = Columns::new(row);
            let key = AttemptKey {
                instance: columns.id()?,
                node: columns.text()?.into(),
                run: columns.count()?,
                attempt: columns.count()?,
            };
            let fire_time = columns.time()?;
            let at = columns.time()?;
            let state = columns.state(AttemptState::from_code)?;
            let figures: Figures = columns.json()?;
            let measured = figures
                .measured
                .ok_or_else(|| Error::Corrupt(format!("attempt {key} has measured nothing")))?;
            Ok(Measurement {
                key,
                fire_time,
                at,
                state,
                measured,
                message: columns.optional_json()?,
            })
        })
        .collect()
}

/// See [`crate::Queries::successes`].
pub(crate) async fn successes(
    executor: &mut Executor<'_>,
    workflow: &str,
    instances: u32,
) -> Result<Vec<Success>, Error> {
    let rows = executor
        .fetch(
            "SELECT a.node, a.assigned_at, a.ended_at, n.started_at FROM \
             (SELECT id, created_at FROM af_instance WHERE workflow = ? AND ended_at IS NOT NULL \
             ORDER BY created_at DESC, id DESC LIMIT ?) AS i \
             JOIN af_attempt AS a ON a.instance = i.id \
             LEFT JOIN af_node AS n ON n.instance = a.instance AND n.node = a.node AND n.run = a.run \
             WHERE a.state = ? AND a.ended_at IS NOT NULL \
             ORDER BY i.created_at DESC, i.id DESC, a.node, a.run, a.attempt",
            &[
                Value::text(workflow),
                Value::Int(instances.into()),
                Value::Int(AttemptState::Succeeded.code().into()),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let mut columns = Columns::new(row);
            Ok(Success {
                node: columns.text()?,
                from: Timestamp::from_millis(columns.int()?),
                to: Timestamp::from_millis(columns.int()?),
                since: columns.optional_time()?,
            })
        })
        .collect()
}
