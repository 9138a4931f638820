//! Backfills.

use std::collections::BTreeMap;
use std::sync::Arc;

use akkaflow_api::{
    AbortBackfill, BackfillDetail, BackfillPlan, BackfillRun, BackfillSummary, Created, Hold,
    LeftOut, RunCounts, StartBackfill,
};
use akkaflow_model::backfill::{
    BackfillHold, BackfillRow, BackfillRunRow, BackfillSpec, BackfillState, DEFAULT_PARALLEL,
    RunState, date_of,
};
use akkaflow_model::command::{Answer, By, Command};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::{because_en, because_zh, by_en, by_zh};
use akkaflow_model::text::{Lang, Text};
use akkaflow_rpc::command::instance_bytes;
use akkaflow_rpc::wire;
use akkaflow_rpc::wire::explain_request::Object;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{Datelike as _, NaiveDate};
use serde::Deserialize;

use super::workflows::{done, idempotency_key, reasons};
use super::{body, by, unexpected};
use crate::app::{App, Shared};
use crate::estimate::{self, Habit};
use crate::failure::Failure;
use crate::language::Language;
use crate::view;

/// Backfills that are listed, and among which a part of an id is looked up.
const LISTED: u32 = 500;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/backfills", get(list).post(start))
        .route("/backfills/{id}", get(detail))
        .route("/backfills/{id}/explain", get(explain))
        .route("/backfills/{id}/pause", post(pause))
        .route("/backfills/{id}/resume", post(resume))
        .route("/backfills/{id}/abort", post(abort))
}

async fn start(
    State(app): Shared,
    Language(lang): Language,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<BackfillPlan>), Failure> {
    let asked: StartBackfill = serde_json::from_slice(&bytes?).map_err(|error| {
        let shape = r#"{"workflow":...,"from":"2026-01-01","to":"2026-01-31"}"#;
        Failure::invalid(
            format!("请求体应为 {shape}：{error}"),
            format!("the body must be {shape}: {error}"),
        )
    })?;
    let max_parallel = asked.max_parallel.unwrap_or(DEFAULT_PARALLEL);
    let command = Command::StartBackfill {
        spec: BackfillSpec {
            from: day("from", &asked.from)?,
            to: day("to", &asked.to)?,
            workflow: asked.workflow,
            with_dependants: asked.dependants,
            max_parallel,
            keep_going: asked.keep_going,
            again: asked.again,
        },
        is_dry_run: asked.dry_run,
        idempotency_key: idempotency_key(&headers)?,
        by: By {
            user: asked.user,
            reason: asked.reason,
        },
    };
    let (id, runs, left_out) = match app.master.execute(command).await? {
        Answer::Backfill { id, runs, left_out } => (id, runs, left_out),
        other => return Err(unexpected(&other)),
    };
    let habits = estimate::habits(&app, &runs).await?;
    let plan = BackfillPlan {
        id: id.map(|id| id.to_string()),
        estimate: estimate::left(&runs, &habits, max_parallel, app.now()),
        runs: runs.iter().map(|run| view_run(run, &habits)).collect(),
        left_out: left_out
            .into_iter()
            .map(|it| LeftOut {
                workflow: it.workflow,
                why: it.why.get(lang).to_owned(),
            })
            .collect(),
    };
    let status = match id {
        Some(_) => StatusCode::CREATED,
        None => StatusCode::OK,
    };
    Ok((status, Json(plan)))
}

fn day(name: &str, text: &str) -> Result<i32, Failure> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|date| date.num_days_from_ce());
    day.map_err(|_| {
        Failure::invalid(
            format!("{name}不是日期：{text}，应如2026-01-31"),
            format!("`{name}` is no date such as 2026-01-31: {text}"),
        )
    })
}

async fn list(State(app): Shared) -> Result<Json<Vec<BackfillSummary>>, Failure> {
    let rows = app.store.backfills(LISTED).await?;
    let ids: Vec<InstanceId> = rows.iter().map(|row| row.id).collect();
    let mut counts: BTreeMap<InstanceId, RunCounts> = BTreeMap::new();
    for ((id, state), count) in app.store.backfill_counts(&ids).await? {
        *counted(counts.entry(id).or_default(), state) += count;
    }
    let summaries = rows.iter().map(|row| {
        let counts = counts.get(&row.id).copied().unwrap_or_default();
        summary(row, counts)
    });
    Ok(Json(summaries.collect()))
}

async fn detail(
    State(app): Shared,
    Path(part): Path<String>,
) -> Result<Json<BackfillDetail>, Failure> {
    let row = backfill(&app, &part).await?;
    let runs = app.store.backfill_runs(row.id).await?;
    let mut counts = RunCounts::default();
    for run in &runs {
        *counted(&mut counts, run.state) += 1;
    }
    let habits = estimate::habits(&app, &runs).await?;
    let is_open = row.state == BackfillState::Running;
    let most = row.spec.max_parallel;
    let left = is_open.then(|| estimate::left(&runs, &habits, most, app.now()));
    Ok(Json(BackfillDetail {
        left,
        items: runs.iter().map(|run| view_run(run, &habits)).collect(),
        summary: summary(&row, counts),
    }))
}

#[derive(Deserialize)]
struct ExplainQuery {
    /// Only the run at this position.
    run: Option<u32>,
}

async fn explain(
    State(app): Shared,
    Path(part): Path<String>,
    Query(query): Query<ExplainQuery>,
    Language(lang): Language,
) -> Result<Json<Vec<akkaflow_api::Reason>>, Failure> {
    let row = backfill(&app, &part).await?;
    if row.ended_at.is_some() && query.run.is_none() {
        // A master knows open ones only.
        return Ok(Json(vec![ended(&row, lang)]));
    }
    let object = wire::RunOf {
        backfill: instance_bytes(row.id),
        run: query.run,
    };
    reasons(&app, Object::Backfill(object), lang).await
}

/// How a backfill has ended, and who has aborted it.
fn ended(row: &BackfillRow, lang: Lang) -> akkaflow_api::Reason {
    let text = match (&row.abort, row.state) {
        (Some(by), BackfillState::Aborted) => Text::new(
            format!("补数已被{}中止{}", by_zh(&by.user), because_zh(&by.reason)),
            format!(
                "the backfill was aborted{}{}",
                by_en(&by.user),
                because_en(&by.reason)
            ),
        ),
        (_, BackfillState::Succeeded) => Text::new("补数已成功结束", "the backfill has succeeded"),
        _ => Text::new(
            "补数已结束，有日期失败，见 akka backfill info",
            "the backfill has ended with failed dates: see akka backfill info",
        ),
    };
    akkaflow_api::Reason {
        code: "ended".to_owned(),
        object: row.id.to_string(),
        since: row.ended_at.map(Into::into),
        text: text.get(lang).to_owned(),
    }
}

async fn pause(
    State(app): Shared,
    Path(part): Path<String>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Created>, Failure> {
    let by = by(&bytes?)?;
    let id = backfill(&app, &part).await?.id;
    match ended_before(&app, id, Command::PauseBackfill { id, by }).await? {
        Some(_) => Err(has_ended(id)),
        None => Ok(named(id)),
    }
}

async fn resume(State(app): Shared, Path(part): Path<String>) -> Result<Json<Created>, Failure> {
    let id = backfill(&app, &part).await?.id;
    match ended_before(&app, id, Command::ResumeBackfill { id }).await? {
        Some(_) => Err(has_ended(id)),
        None => Ok(named(id)),
    }
}

/// One that was aborted before stays so.
async fn abort(
    State(app): Shared,
    Path(part): Path<String>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Created>, Failure> {
    let AbortBackfill { kill, user, reason } = body(&bytes?)?;
    let id = backfill(&app, &part).await?.id;
    let command = Command::AbortBackfill {
        id,
        kills: kill,
        by: By { user, reason },
    };
    match ended_before(&app, id, command).await? {
        Some(BackfillState::Succeeded | BackfillState::Failed) => Err(has_ended(id)),
        Some(BackfillState::Aborted | BackfillState::Running) | None => Ok(named(id)),
    }
}

/// Asks for what only an open backfill can do; how it has ended when it had before.
///
/// The master is asked first: a backfill that its row calls open may have ended since the row was read.
async fn ended_before(
    app: &App,
    id: InstanceId,
    command: Command,
) -> Result<Option<BackfillState>, Failure> {
    let Err(failure) = done(app, command).await else {
        return Ok(None);
    };
    if failure.code != ErrorCode::NotFound {
        return Err(failure);
    }
    let row = app.store.backfill(id).await?;
    row.map(|row| row.state)
        .filter(|state| *state != BackfillState::Running)
        .map(Some)
        .ok_or(failure)
}

fn has_ended(id: InstanceId) -> Failure {
    Failure::new(
        ErrorCode::Conflict,
        Text::new(
            format!("补数{id}已结束；再次补数只需重新启动，已成功的日期会被略过"),
            format!("backfill {id} has ended; start another one, which passes over what is good"),
        ),
    )
}

fn named(id: InstanceId) -> Json<Created> {
    Json(Created {
        id: id.to_string(),
        warnings: Vec::new(),
    })
}

/// A backfill by any unique part of its id.
async fn backfill(app: &App, part: &str) -> Result<BackfillRow, Failure> {
    if let Ok(id) = part.parse()
        && let Some(row) = app.store.backfill(id).await?
    {
        return Ok(row);
    }
    let wanted = part.to_ascii_lowercase();
    let mut found = app.store.backfills(LISTED).await?;
    found.retain(|row| !wanted.is_empty() && row.id.to_string().contains(&wanted));
    match found.len() {
        0 => Err(Failure::new(
            ErrorCode::NotFound,
            Text::new(
                format!("补数[{part}]不存在，见 akka backfill list"),
                format!("there is no backfill `{part}`, see `akka backfill list`"),
            ),
        )),
        1 => Ok(found.swap_remove(0)),
        _ => {
            let ids: Vec<String> = found.iter().map(|row| row.id.to_string()).collect();
            let list = ids.join(", ");
            Err(Failure {
                candidates: ids,
                ..Failure::new(
                    ErrorCode::Conflict,
                    Text::new(
                        format!("[{part}]对应多个补数：{list}；请给出更长的id"),
                        format!("`{part}` may mean several backfills: {list}; give more of the id"),
                    ),
                )
            })
        }
    }
}

fn counted(counts: &mut RunCounts, state: RunState) -> &mut u64 {
    match state {
        RunState::Waiting => &mut counts.waiting,
        RunState::Running => &mut counts.running,
        RunState::Succeeded => &mut counts.succeeded,
        RunState::Failed => &mut counts.failed,
        RunState::Good => &mut counts.good,
    }
}

fn view_run(run: &BackfillRunRow, habits: &BTreeMap<String, Habit>) -> BackfillRun {
    BackfillRun {
        position: run.position,
        workflow: run.workflow.clone(),
        date: date_of(run.day),
        fire_time: run.fire_time.into(),
        needs: run.needs.clone(),
        state: run.state,
        instance: run.instance.map(|id| id.to_string()),
        changed_at: run.changed_at.into(),
        expected_seconds: habits.get(&run.workflow).and_then(|habit| habit.seconds),
    }
}

fn summary(row: &BackfillRow, runs: RunCounts) -> BackfillSummary {
    let spec = &row.spec;
    let (hold, failed_run) = match &row.hold {
        None => (None, None),
        Some(BackfillHold::Person(hold)) => (Some(view::hold(hold)), None),
        Some(BackfillHold::Failure { position, since }) => {
            let hold = Hold {
                user: String::new(),
                reason: String::new(),
                since: (*since).into(),
            };
            (Some(hold), Some(*position))
        }
    };
    BackfillSummary {
        id: row.id.to_string(),
        short_id: row.id.short(),
        workflow: spec.workflow.clone(),
        from: date_of(spec.from),
        to: date_of(spec.to),
        dependants: spec.with_dependants,
        max_parallel: spec.max_parallel,
        keep_going: spec.keep_going,
        again: spec.again,
        user: row.user.clone(),
        reason: row.reason.clone(),
        created_at: row.created_at.into(),
        state: row.state,
        hold,
        failed_run,
        abort: row.abort.as_ref().map(view::hold),
        ended_at: row.ended_at.map(Into::into),
        runs,
    }
}
