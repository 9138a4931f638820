//! The overview, the cluster, problems of files.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use akkaflow_api::{
    Cluster, DayCount, FileProblem, Front, Hold, Master, Named, NotRunnable, WorkerView,
};
use akkaflow_model::command::{Answer, Command};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::WorkerId;
use akkaflow_model::record::InstanceRow;
use akkaflow_model::state::InstanceState;
use akkaflow_model::text::Lang;
use akkaflow_model::time::Timestamp;
use akkaflow_rpc::wire;
use akkaflow_store::InstanceQuery;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{Days, NaiveDate, Offset as _};
use chrono_tz::Tz;

use super::unexpected;
use crate::app::{App, Shared};
use crate::failure::Failure;
use crate::language::Language;
use crate::view;

/// Days in the overview, today included.
const DAYS: u64 = 8;
/// Ended instances in the overview.
const FINISHED: u32 = 20;
/// Waiting and running ones in the overview.
const OPEN: u32 = 500;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/front", get(front))
        .route("/cluster", get(cluster))
        .route("/file-problems", get(file_problems))
        .route("/workers/{id}/fence", post(fence))
}

async fn front(State(app): Shared, Language(lang): Language) -> Result<Json<Front>, Failure> {
    let listing = async |states: &[InstanceState], limit: u32| {
        let query = InstanceQuery {
            states: states.to_vec(),
            limit,
            ..InstanceQuery::default()
        };
        app.store.instances(&query).await
    };
    let summaries = |rows: &[InstanceRow]| -> Vec<_> {
        rows.iter().map(|row| view::summary(row, lang)).collect()
    };
    let mut waiting = listing(&[InstanceState::Ready], OPEN).await?;
    waiting.reverse();
    let running = listing(&[InstanceState::Running, InstanceState::Suspended], OPEN).await?;
    let zone = app.zone().await?;
    let over: Vec<_> = InstanceState::ALL
        .iter()
        .copied()
        .filter(|state| state.is_terminal())
        .collect();
    Ok(Json(Front {
        days: days(&app).await?,
        waiting: summaries(&waiting),
        running: summaries(&running),
        finished: summaries(&listing(&over, FINISHED).await?),
        late: (waiting.iter().chain(&running))
            .filter_map(|row| view::late(row, lang, zone))
            .collect(),
        file_problems: problems(&app, lang).await?,
        not_runnable: (app.master.not_runnable().await.into_iter())
            .map(|(workflow, why)| NotRunnable {
                workflow,
                why: why.get(lang).to_owned(),
            })
            .collect(),
        // The overview is worth showing while no master answers.
        frozen: match app.master.status().await {
            Ok(status) => status.frozen.map(hold),
            Err(_) => None,
        },
    }))
}

async fn days(app: &App) -> Result<Vec<DayCount>, Failure> {
    let zone = app.zone().await?;
    let now = app.now().to_utc().with_timezone(&zone);
    let offset = now.offset().fix().local_minus_utc();
    let today = now.date_naive();
    let first = today - Days::new(DAYS - 1);
    let counts = app
        .store
        .daily_counts(midnight(first, zone, offset), offset)
        .await?;
    let mut by_day: BTreeMap<String, DayCount> = BTreeMap::new();
    for (day, state, count) in counts {
        let entry = by_day.entry(day).or_default();
        match state {
            InstanceState::Succeeded => entry.succeeded += count,
            InstanceState::Failed => entry.failed += count,
            InstanceState::Killed => entry.killed += count,
            InstanceState::Ready | InstanceState::Running | InstanceState::Suspended => {}
        }
    }
    let of_day = |back: u64| {
        let day = (today - Days::new(back)).to_string();
        let counted = by_day.get(&day).cloned().unwrap_or_default();
        DayCount { day, ..counted }
    };
    Ok((0..DAYS).map(of_day).collect())
}

fn midnight(day: NaiveDate, zone: Tz, offset: i32) -> Timestamp {
    let midnight = day.and_time(chrono::NaiveTime::MIN);
    match midnight.and_local_timezone(zone).earliest() {
        Some(moment) => moment.into(),
        // Midnight does not exist that day.
        None => {
            Timestamp::from_millis(midnight.and_utc().timestamp_millis() - i64::from(offset) * 1000)
        }
    }
}

async fn cluster(State(app): Shared) -> Result<Json<Cluster>, Failure> {
    let status = match app.master.status().await {
        Ok(status) => Some(status),
        Err(failure) if failure.code == ErrorCode::Unavailable => None,
        Err(failure) => return Err(failure),
    };
    let (mut frozen, mut pools) = (None, Vec::new());
    let (master, workers) = match status {
        None => (None, Vec::new()),
        Some(status) => {
            frozen = status.frozen.map(hold);
            pools = status.pools.into_iter().map(super::pools::pool).collect();
            (
                Some(Master {
                    endpoint: status.endpoint,
                    epoch: status.epoch,
                    time_zone: status.zone,
                    version: status.version,
                }),
                status.workers.into_iter().map(worker).collect(),
            )
        }
    };
    let zone = app.known_zone().await?;
    Ok(Json(Cluster {
        master,
        workers,
        time_zone: zone.map(|zone| zone.name().to_owned()),
        http_version: env!("CARGO_PKG_VERSION").to_owned(),
        frozen,
        pools,
    }))
}

fn hold(hold: wire::Hold) -> Hold {
    Hold {
        user: hold.user,
        reason: hold.reason,
        since: Timestamp::from_millis(hold.since_ms).into(),
    }
}

fn worker(status: wire::WorkerStatus) -> WorkerView {
    let since = Duration::from_millis(u64::try_from(status.since_ms).unwrap_or(0));
    WorkerView {
        id: status.id,
        host: status.host,
        slots: status.slots,
        busy: status.busy,
        is_attached: status.is_attached,
        labels: status.labels,
        since: (!since.is_zero()).then(|| Timestamp::default().plus(since).into()),
    }
}

async fn file_problems(
    State(app): Shared,
    Language(lang): Language,
) -> Result<Json<Vec<FileProblem>>, Failure> {
    problems(&app, lang).await.map(Json)
}

async fn problems(app: &App, lang: Lang) -> Result<Vec<FileProblem>, Failure> {
    let mut problems = Vec::new();
    for row in app.store.file_problems().await? {
        let workflow = match &row.workflow {
            Some(name) => app.store.workflow(name).await?,
            None => None,
        };
        problems.push(view::file_problem(&row, workflow.as_ref(), lang));
    }
    Ok(problems)
}

async fn fence(State(app): Shared, Path(id): Path<String>) -> Result<Json<Named>, Failure> {
    let command = Command::FenceWorker {
        id: WorkerId(id.as_str().into()),
    };
    match app.master.execute(command).await? {
        Answer::Done => Ok(Json(Named { name: id })),
        other => Err(unexpected(&other)),
    }
}
