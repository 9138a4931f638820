//! `akka cron EXPR`: what a cron means and when it fires next, without a server.

use std::sync::Arc;

use akkaflow_api::{CronPreview, Diagnostic, NextFire};
use akkaflow_model::cron::{Cron, Style};
use akkaflow_model::diagnostic::Finding;
use akkaflow_model::schedule::{Calendar, DayPolicy, Schedule};
use akkaflow_model::time::Timestamp;
use chrono::{DateTime, Datelike};
use chrono_tz::Tz;
use clap::ArgMatches;

use super::{Outcome, optional};
use crate::context::Context;
use crate::exit::FAILED;
use crate::failure::{Failure, findings as render};
use crate::screen::{Screen, machine_zone, plain};

/// Fires when nobody says how many.
const DEFAULT_FIRES: u16 = 10;
const WEEKDAYS_ZH: [&str; 7] = ["周日", "周一", "周二", "周三", "周四", "周五", "周六"];

/// Shows what was asked for; wrong expressions and calendars are shown with every mistake at its place.
pub(super) fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let words: Vec<&str> = matches
        .get_many::<String>("EXPR")
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    let text = words.join(" ");
    let zone = zone(context, matches)?;
    let after = moment(context, matches, zone)?;
    let style = optional(matches, "style").and_then(Style::from_word);
    let cron = match Cron::read(&text, style.unwrap_or_default()) {
        Ok(cron) => cron,
        Err(errors) => {
            let found: Vec<Finding> = errors
                .iter()
                .map(|error| error.finding("cron", &text))
                .collect();
            return Ok(wrong(context, &found));
        }
    };
    let mut schedule = Schedule::of_cron(cron, zone);
    if let Some(path) = optional(matches, "calendar") {
        let file = Calendar::read(path, &read(context, path)?);
        let Some(calendar) = file.calendar else {
            return Ok(wrong(context, &file.findings));
        };
        let policy = optional(matches, "policy").and_then(DayPolicy::from_word);
        schedule.calendar = Some((Arc::new(calendar), policy.unwrap_or_default()));
    }
    let count = matches.get_one::<u16>("n").copied();
    let count = usize::from(count.unwrap_or(DEFAULT_FIRES));
    let preview = CronPreview::new(&text, &schedule, after, count, context.screen.lang);
    if context.is_json {
        let json = serde_json::to_string(&preview).expect("a preview is plain data");
        outln!("{json}");
    } else {
        out!("{}", show(&context.screen, &preview));
        eprint!("{}", render(context, preview.diagnostics.clone()));
    }
    Ok(if preview.never_fires { FAILED } else { 0 })
}

/// Mistakes go to standard error, as text or as JSON.
fn wrong(context: &Context, found: &[Finding]) -> u8 {
    if context.is_json {
        let found: Vec<Diagnostic> = found
            .iter()
            .map(|finding| Diagnostic::new(finding, context.screen.lang))
            .collect();
        let json = serde_json::json!({ "diagnostics": found });
        eprintln!("{json}");
    } else {
        eprint!("{}", context.screen.findings(found));
    }
    FAILED
}

fn read(context: &Context, path: &str) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| {
        let cannot = context.say("无法读取日历文件", "cannot read the calendar");
        Failure::usage(format!("{cannot} {path}: {error}"))
    })
}

/// The zone that was asked for, else this machine's.
pub(super) fn zone(context: &Context, matches: &ArgMatches) -> Result<Tz, Failure> {
    let Some(name) = optional(matches, "zone") else {
        return Ok(machine_zone());
    };
    let same = |zone: &&Tz| zone.name().eq_ignore_ascii_case(name);
    chrono_tz::TZ_VARIANTS
        .iter()
        .find(same)
        .copied()
        .ok_or_else(|| {
            let help = akkaflow_model::zone_names::zone_help(name);
            let help = help.get(context.screen.lang);
            Failure::usage(match context.screen.lang {
                akkaflow_model::text::Lang::Zh => format!("未知的时区 {name}，{help}"),
                akkaflow_model::text::Lang::En => {
                    format!("there is no time zone {name}; {help}")
                }
            })
        })
}

/// The moment that was asked for, else now.
pub(super) fn moment(
    context: &Context,
    matches: &ArgMatches,
    zone: Tz,
) -> Result<Timestamp, Failure> {
    match optional(matches, "at") {
        None => Ok(chrono::Utc::now().into()),
        Some(text) => match akkaflow_api::Time::parse(text) {
            Some(akkaflow_api::Time(at)) => Ok(at),
            None => akkaflow_model::param::parse_date(text, zone)
                .map_err(|problem| Failure::usage(problem.get(context.screen.lang).to_owned())),
        },
    }
}

fn show(screen: &Screen, preview: &CronPreview) -> String {
    let meaning = if preview.never_fires {
        screen.say("永远不会触发", "never").to_owned()
    } else {
        preview.words.clone()
    };
    let pairs = vec![
        (screen.say("表达式", "Cron"), plain(&preview.expression)),
        (screen.say("含义", "Fires"), plain(meaning)),
        (screen.say("时区", "Time zone"), plain(&preview.time_zone)),
    ];
    let mut text = screen.pairs(pairs);
    if preview.fires.is_empty() {
        return text;
    }
    text.push('\n');
    let has_notes = preview.fires.iter().any(|fire| fire.note.is_some());
    let mut header = vec![
        "#",
        screen.say("触发时间", "next"),
        screen.say("UTC偏移", "offset"),
    ];
    if has_notes {
        header.push(screen.say("说明", "remark"));
    }
    let rows = preview
        .fires
        .iter()
        .enumerate()
        .map(|(index, fire)| {
            let (time, offset) = written(screen, fire);
            let mut row = vec![plain(index + 1), plain(time), plain(offset)];
            if has_notes {
                row.push(plain(fire.note.as_deref().unwrap_or_default()));
            }
            row
        })
        .collect();
    text.push_str(&screen.table(&header, rows));
    text
}

/// Local time with the weekday, and the offset.
pub(super) fn written(screen: &Screen, fire: &NextFire) -> (String, String) {
    let Ok(local) = DateTime::parse_from_rfc3339(&fire.local) else {
        return (fire.local.clone(), String::new());
    };
    let index = local.weekday().num_days_from_sunday();
    let zh = usize::try_from(index).map_or("", |index| WEEKDAYS_ZH[index]);
    let en = local.format("%a").to_string();
    let weekday = screen.say(zh, &en);
    (
        format!(
            "{} {weekday} {}",
            local.format("%Y-%m-%d"),
            local.format("%H:%M:%S")
        ),
        local.format("%:z").to_string(),
    )
}
