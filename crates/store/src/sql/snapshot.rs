//! What a new master needs, read on one connection inside one transaction of the caller.

use std::collections::BTreeSet;

use akkaflow_model::definition::Version;
use akkaflow_model::record::{
    AttemptRow, CalendarRow, ChainRow, ClusterRow, FireRow, InstanceRow, NodeRow, PoolRow,
    RequestRow, ScheduleRow, Snapshot, StateRow, TokenRow, VersionRow, WorkflowRow, WorkflowStatus,
};
use akkaflow_model::time::Timestamp;
use futures::SinkExt as _;

use crate::contract::Contents;
use crate::error::Error;
use crate::sql::backfills;
use crate::sql::executor::Executor;
use crate::sql::reads;
use crate::sql::table::Table;
use crate::sql::texts::{placeholders, select, select_joined};
use crate::sql::value::Value;

/// How long a repeated request gets the same answer.
pub(crate) const REQUESTS_KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Versions that one query asks for: one text serves all, the last group is filled up by repetition.
const VERSIONS_A_QUERY: usize = 128;

/// See [`crate::Store::snapshot_in_parts`].
pub(crate) async fn snapshot(
    executor: &mut Executor<'_>,
    now: Timestamp,
    contents: Contents,
) -> Result<Snapshot, Error> {
    let workflows: Vec<WorkflowRow> =
        rows(executor, select::<WorkflowRow>(" ORDER BY name")).await?;
    let instances: Vec<InstanceRow> = rows(
        executor,
        select::<InstanceRow>(" WHERE state IN (0, 1, 2) ORDER BY id"),
    )
    .await?;
    send_versions(executor, versions_in_use(&workflows, &instances), contents).await?;
    Ok(Snapshot {
        schedules: rows(executor, select::<ScheduleRow>(" ORDER BY workflow")).await?,
        fires: waiting_fires(executor).await?,
        tokens: rows(
            executor,
            select::<TokenRow>(
                " WHERE is_held = 1 ORDER BY given_at, upstream_instance, dependant",
            ),
        )
        .await?,
        nodes: open_nodes(executor).await?,
        attempts: rows(
            executor,
            select::<AttemptRow>(" WHERE state IN (0, 1) ORDER BY assigned_at, number"),
        )
        .await?,
        chains: rows(
            executor,
            select::<ChainRow>(" WHERE is_over = 0 ORDER BY root"),
        )
        .await?,
        requests: recent_requests(executor, now).await?,
        file_problems: reads::file_problems(executor).await?,
        calendars: rows(executor, select::<CalendarRow>(" ORDER BY name")).await?,
        cluster: rows(executor, select::<ClusterRow>(""))
            .await?
            .pop()
            .unwrap_or_default(),
        pools: rows(
            executor,
            select::<PoolRow>(" WHERE slots IS NOT NULL ORDER BY name"),
        )
        .await?,
        backfills: backfills::open(executor).await?,
        backfill_runs: backfills::open_runs(executor).await?,
        states: rows(executor, select::<StateRow>(" ORDER BY workflow, name")).await?,
        workflows,
        versions: Vec::new(),
        instances,
    })
}

/// The contents in force and those that open instances are pinned to.
pub(crate) fn versions_in_use<'a>(
    workflows: impl IntoIterator<Item = &'a WorkflowRow>,
    open_instances: impl IntoIterator<Item = &'a InstanceRow>,
) -> BTreeSet<&'a Version> {
    let in_force = workflows
        .into_iter()
        .filter(|workflow| workflow.status != WorkflowStatus::Deleted)
        .map(|workflow| &workflow.version);
    let pinned = open_instances.into_iter().map(|instance| &instance.version);
    in_force.chain(pinned).collect()
}

async fn rows<T: Table>(executor: &mut Executor<'_>, text: String) -> Result<Vec<T>, Error> {
    executor.rows(text, &[]).await
}

async fn send_versions(
    executor: &mut Executor<'_>,
    wanted: BTreeSet<&Version>,
    mut contents: Contents,
) -> Result<(), Error> {
    let wanted: Vec<&Version> = wanted.into_iter().collect();
    for group in wanted.chunks(VERSIONS_A_QUERY) {
        let mut text = select::<VersionRow>(" WHERE version IN (");
        text.push_str(&placeholders(VERSIONS_A_QUERY));
        text.push(')');
        let values: Vec<Value<'_>> = group
            .iter()
            .chain(std::iter::repeat(&group[0]))
            .take(VERSIONS_A_QUERY)
            .map(|version| Value::text(&version.0))
            .collect();
        let mut found: Vec<VersionRow> = executor.rows(text, &values).await?;
        found.sort_by(|a, b| a.version.cmp(&b.version));
        // A reader that has gone away needs nothing.
        let _ = contents.send(found).await;
    }
    Ok(())
}

async fn waiting_fires(executor: &mut Executor<'_>) -> Result<Vec<FireRow>, Error> {
    rows(
        executor,
        select::<FireRow>(" WHERE state = 0 ORDER BY workflow, due_at, kind, generation, fire_key"),
    )
    .await
}

async fn open_nodes(executor: &mut Executor<'_>) -> Result<Vec<NodeRow>, Error> {
    rows(
        executor,
        select_joined::<NodeRow>(
            "af_instance i JOIN af_node r ON r.instance = i.id AND r.run = i.run \
             WHERE i.state IN (0, 1, 2) ORDER BY r.instance, r.ready_at, r.number",
        ),
    )
    .await
}

async fn recent_requests(
    executor: &mut Executor<'_>,
    now: Timestamp,
) -> Result<Vec<RequestRow>, Error> {
    let since = now.as_millis().saturating_sub(REQUESTS_KEPT_MS);
    let text = select::<RequestRow>(" WHERE requested_at >= ?");
    let mut requests: Vec<RequestRow> = executor.rows(text, &[Value::Int(since)]).await?;
    requests.sort_by(|a, b| (a.at, &a.key).cmp(&(b.at, &b.key)));
    Ok(requests)
}
