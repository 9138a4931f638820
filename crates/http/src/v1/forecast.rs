//! `GET /forecast`: the engine lives ahead of time, on what the store holds. It runs here and not in the master, which has
//! other things to do.

mod answer;
mod load;

use std::sync::Arc;
use std::time::{Duration, Instant};

use akkaflow_api::Forecast;
use akkaflow_engine::{Ahead, Forecast as Foreseen, WorkerInfo};
use akkaflow_model::id::{Epoch, Incarnation, WorkerId};
use akkaflow_rpc::wire;
use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;

use crate::app::{App, Shared};
use crate::failure::Failure;
use crate::language::Language;
use crate::lookup;

/// Looked ahead when nobody says how far.
const DEFAULT_HORIZON: Duration = Duration::from_secs(7 * 24 * 3600);
/// Farther nobody plans, and durations say nothing any more.
const MOST_HORIZON: Duration = Duration::from_secs(31 * 24 * 3600);
/// Instances of each list when nobody says how many.
const DEFAULT_LIMIT: usize = 500;
/// Most of them: some megabytes.
const MOST_LIMIT: usize = 20_000;
/// A large cluster runs so many in a week.
const MOST_INSTANCES: usize = 250_000;
/// People wait for so long.
const MOST_TIME: Duration = Duration::from_secs(20);
/// How long a node takes of which nothing is known.
const GUESS: Duration = Duration::from_secs(60);
/// Whoever waits for less is not late.
const LATE_AFTER: Duration = Duration::from_secs(5 * 60);

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/forecast", get(forecast))
}

/// What may be asked: `GET /api/v1/forecast?horizon=7d&workflow=NAME&limit=100`.
#[derive(Debug, Deserialize)]
struct Asked {
    horizon: Option<String>,
    workflow: Option<String>,
    limit: Option<usize>,
}

async fn forecast(
    State(app): Shared,
    Language(lang): Language,
    Query(asked): Query<Asked>,
) -> Result<Json<Forecast>, Failure> {
    let horizon = match asked.horizon.as_deref() {
        Some(text) => horizon(text)?,
        None => DEFAULT_HORIZON,
    };
    if let Some(name) = &asked.workflow {
        lookup::workflow(&app, name).await?;
    }
    let _turn = app.forecasting.acquire().await;
    let status = app.master.status().await?;
    let workers: Vec<WorkerInfo> = status.workers.iter().filter_map(worker).collect();
    let now = app.now();
    let engine = load::engine(&app, now, Epoch(status.epoch)).await?;
    let (engine, learned) = load::learned(&app, engine).await?;
    let count = u32::try_from(workers.len()).unwrap_or(u32::MAX);
    let foreseen = apart(move || {
        let begun = Instant::now();
        let ahead = Ahead {
            from: now,
            until: now.plus(horizon),
            workers,
            learned: &learned,
            guess: GUESS,
            late_after: LATE_AFTER,
            only: asked.workflow.as_deref(),
            most_instances: MOST_INSTANCES,
            may_go_on: &|| begun.elapsed() < MOST_TIME,
        };
        Foreseen::of(engine, &ahead)
    })
    .await;
    let limit = asked.limit.unwrap_or(DEFAULT_LIMIT).min(MOST_LIMIT);
    Ok(Json(answer::of(foreseen, count, limit, lang)))
}

/// Beside the requests of others.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// What stands in for an attached worker.
fn worker(status: &wire::WorkerStatus) -> Option<WorkerInfo> {
    status.is_attached.then(|| WorkerInfo {
        id: WorkerId(status.id.as_str().into()),
        incarnation: Incarnation(1),
        host: status.host.as_str().into(),
        slots: status.slots,
        labels: status.labels.iter().cloned().collect(),
    })
}

/// `7d`, `12h` or `90m`.
fn horizon(text: &str) -> Result<Duration, Failure> {
    let wrong = || {
        Failure::invalid(
            format!("horizon应为整数加单位m、h或d，例如7d、12h，最多31d，而不是“{text}”"),
            format!(
                "horizon must be a whole number with m, h or d behind it, such as 7d or 12h, 31d at most, and not `{text}`"
            ),
        )
    };
    let unit = match text.chars().next_back() {
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 24 * 3600,
        _ => return Err(wrong()),
    };
    let count: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let horizon = Duration::from_secs(count.saturating_mul(unit));
    if horizon.is_zero() || horizon > MOST_HORIZON {
        return Err(wrong());
    }
    Ok(horizon)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_horizon_is_a_number_with_a_unit_up_to_a_month() {
        let seconds = |text| horizon(text).map(|it| it.as_secs()).ok();
        assert_eq!(seconds("7d"), Some(604_800));
        assert_eq!(seconds("12h"), Some(43_200));
        assert_eq!(seconds("90m"), Some(5_400));
        assert_eq!(seconds("31d"), Some(2_678_400));
        for wrong in [
            "",
            "7",
            "d",
            "0d",
            "32d",
            "-1d",
            "1w",
            "七d",
            "7天",
            "99999999999999999999d",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
