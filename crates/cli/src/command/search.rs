//! `akka instance search`

use akkaflow_api::InstanceSummary;
use akkaflow_model::state::InstanceState;
use akkaflow_model::text::Lang;
use chrono::{Days, NaiveDate, NaiveTime, SecondsFormat, TimeZone as _, Utc};
use chrono_tz::Tz;
use clap::ArgMatches;
use comfy_table::Cell;

use super::{Outcome, optional, print_json};
use crate::client::encode;
use crate::context::Context;
use crate::failure::Failure;
use crate::screen::{Screen, plain};

/// akkaflow's bound.
const LIMIT: usize = 500;

pub(super) fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let given = ["sdate", "edate", "creator", "status", "key"];
    if context.is_legacy && given.iter().all(|name| optional(matches, name).is_none()) {
        out!("{}", crate::help::banner(context.screen.lang));
        return Ok(crate::exit::FAILED);
    }
    let path = format!("/api/v1/instances?{}", query(context, matches)?);
    let answer = context.client.get_raw(&path)?;
    if context.is_json {
        return print_json(&answer);
    }
    let found: Vec<InstanceSummary> = context.client.parse(&answer)?;
    out!("{}", render(&context.screen, &found));
    Ok(0)
}

fn query(context: &Context, matches: &ArgMatches) -> Result<String, Failure> {
    let zone = context.screen.zone();
    let today = Utc::now().with_timezone(&zone).date_naive();
    let day = |name| match optional(matches, name) {
        Some(text) => parse_day(context, text),
        None => Ok(today),
    };
    let mut pairs = vec![
        ("from", midnight(day("sdate")?, zone)),
        ("to", midnight(day("edate")? + Days::new(1), zone)),
        ("limit", LIMIT.to_string()),
    ];
    if let Some(creator) = optional(matches, "creator") {
        pairs.push(("creator", creator.to_owned()));
    }
    if let Some(key) = optional(matches, "key") {
        pairs.push(("key", key.to_owned()));
    }
    if let Some(status) = optional(matches, "status") {
        pairs.push(("state", parse_state(context, status)?.as_str().to_owned()));
    }
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    Ok(pairs.join("&"))
}

fn parse_day(context: &Context, text: &str) -> Result<NaiveDate, Failure> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| {
        let expected = context.say("不是日期，应为 yyyy-MM-dd", "is no day; write yyyy-MM-dd");
        Failure::usage(format!("{text} {expected}"))
    })
}

fn midnight(day: NaiveDate, zone: Tz) -> String {
    let midnight = day.and_time(NaiveTime::MIN);
    let moment = zone
        .from_local_datetime(&midnight)
        .earliest()
        .map_or_else(|| midnight.and_utc(), |local| local.with_timezone(&Utc));
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn parse_state(context: &Context, text: &str) -> Result<InstanceState, Failure> {
    let is_meant = |state: &InstanceState| {
        let label = state.label(Lang::Zh);
        text == state.as_str() || text == label || label.strip_suffix('中') == Some(text)
    };
    let state = InstanceState::ALL.iter().copied().find(is_meant);
    // What the tables show.
    let state = state.or((text == "已杀死").then_some(InstanceState::Killed));
    state.ok_or_else(|| {
        let expected = context.say(
            "不是实例状态，应为 成功、失败、杀死、运行、就绪 之一",
            "is no state; write succeeded, failed, killed, running or ready",
        );
        Failure::usage(format!("{text} {expected}"))
    })
}

fn render(screen: &Screen, found: &[InstanceSummary]) -> String {
    let header = [
        screen.say("实例ID", "id"),
        screen.say("工作流名称", "workflow"),
        screen.say("创建者", "creator"),
        screen.say("运行状态", "state"),
        screen.say("开始时间", "started"),
        screen.say("结束时间", "ended"),
        screen.say("运行时长", "duration"),
    ];
    let rows = found.iter().map(|instance| row(screen, instance)).collect();
    let count = found.len();
    let footer = match screen.lang {
        Lang::Zh => format!("共 {count} 条记录(最多显示{LIMIT}条记录)\n"),
        Lang::En if count == 1 => format!("1 instance (at most {LIMIT} are shown)\n"),
        Lang::En => format!("{count} instances (at most {LIMIT} are shown)\n"),
    };
    screen.table_without(&header, rows, &[header[5], header[2]]) + &footer
}

/// Id, workflow, creator, state, start, end, duration.
pub(super) fn row(screen: &Screen, instance: &InstanceSummary) -> Vec<Cell> {
    vec![
        plain(&instance.short_id),
        plain(&instance.workflow),
        plain(&instance.creator),
        screen.instance_state(instance.state),
        plain(screen.optional_time(instance.started_at)),
        plain(screen.optional_time(instance.ended_at)),
        plain(screen.duration(instance.started_at, instance.ended_at)),
    ]
}
