//! What an expression means and when it fires, before anybody puts it into a file.

use std::sync::Arc;

use akkaflow_api::{CronPreview, Time};
use akkaflow_model::cron::{Cron, Style};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::param::parse_date;
use akkaflow_model::schedule::Schedule;
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;
use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use chrono_tz::Tz;
use serde::Deserialize;

use crate::app::{App, Shared};
use crate::failure::Failure;
use crate::language::Language;

/// Fires when nobody says how many.
const DEFAULT_FIRES: usize = 10;
/// More are never shown: each costs a little.
const MOST_FIRES: usize = 1_000;
/// No sensible expression is longer.
const LONGEST: usize = 10_000;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/cron", get(cron))
}

/// What may be asked: `GET /api/v1/cron?expr=0+1+*+*+*&zone=Asia/Shanghai&at=2026-03-31&n=10&style=crontab`.
#[derive(Debug, Deserialize)]
struct Asked {
    expr: Option<String>,
    /// The cluster's zone unless given.
    zone: Option<String>,
    /// A local date and time, or RFC 3339; now unless given.
    at: Option<String>,
    n: Option<usize>,
    style: Option<String>,
}

async fn cron(
    State(app): Shared,
    Language(lang): Language,
    Query(asked): Query<Asked>,
) -> Result<Json<CronPreview>, Failure> {
    let Some(text) = asked.expr.as_deref().filter(|text| text.len() <= LONGEST) else {
        return Err(Failure::invalid(
            "请以expr给出表达式，例如 ?expr=0+1+*+*+*",
            "give the expression as expr, as in ?expr=0+1+*+*+*",
        ));
    };
    let zone = match asked.zone.as_deref() {
        Some(name) => zone_named(name)?,
        None => app.zone().await?,
    };
    let style = match asked.style.as_deref() {
        Some(word) => Style::from_word(word).ok_or_else(|| {
            Failure::invalid(
                "style应为akkaflow或crontab",
                "style must be akkaflow or crontab",
            )
        })?,
        None => Style::default(),
    };
    let after = match asked.at.as_deref() {
        Some(text) => moment(text, zone)?,
        None => app.now(),
    };
    let cron = Cron::read(text, style).map_err(|errors| Failure {
        findings: errors
            .iter()
            .map(|error| error.finding("cron", text))
            .collect(),
        ..Failure::new(
            ErrorCode::Invalid,
            Text::new("表达式有误", "the expression has errors"),
        )
    })?;
    let schedule = Schedule::of_cron(cron, zone);
    let count = asked.n.unwrap_or(DEFAULT_FIRES).min(MOST_FIRES);
    Ok(Json(CronPreview::new(text, &schedule, after, count, lang)))
}

fn zone_named(name: &str) -> Result<Tz, Failure> {
    name.parse().map_err(|_| {
        Failure::invalid(
            format!("未知的时区 {name}，例如 Asia/Shanghai"),
            format!("unknown time zone {name}; an example is Asia/Shanghai"),
        )
    })
}

fn moment(text: &str, zone: Tz) -> Result<Timestamp, Failure> {
    if let Some(Time(at)) = Time::parse(text) {
        return Ok(at);
    }
    parse_date(text, zone).map_err(|problem| Failure::new(ErrorCode::Invalid, problem))
}
