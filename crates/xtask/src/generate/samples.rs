//! Tables that the very code computes which computes schedules and dates in earnest.
//!
//! In a page's source a block marked `cron` or `time` holds one expression a line, and its meaning behind `=>`.

use akkaflow_model::cron::Cron;
use akkaflow_model::param::resolve_params;
use akkaflow_model::text::Lang;
use akkaflow_model::time::Timestamp;
use anyhow::{Context, Result, anyhow};
use chrono::{Datelike, NaiveDate, TimeZone, Weekday};
use chrono_tz::Tz;

use super::describe::{say, table};

/// The zone of all samples.
const ZONE: Tz = Tz::Asia__Shanghai;

/// How many fire times are shown.
const FIRES: usize = 3;

/// The moment from which samples are computed: Sunday, 2026-03-01 01:30 in [`ZONE`].
fn moment() -> Result<Timestamp> {
    let local = NaiveDate::from_ymd_opt(2026, 3, 1).and_then(|date| date.and_hms_opt(1, 30, 0));
    let local = local.context("a date that exists")?;
    let moment = ZONE.from_local_datetime(&local).single();
    Ok(moment.context("a time that exists once")?.into())
}

/// Replaces the blocks of a page by tables.
pub(super) fn fill(lang: Lang, page: &str) -> Result<String> {
    let mut text = String::new();
    let mut rest = page;
    while let Some(start) = next_block(rest) {
        text.push_str(&rest[..start]);
        let block = &rest[start..];
        let (head, body) = block.split_once('\n').context("a block has lines")?;
        let (lines, behind) = body.split_once("```\n").context("a block ends")?;
        let table = if head == "```cron" {
            schedules(lang, lines)?
        } else {
            dates(lang, lines)?
        };
        text.push_str(&table);
        rest = behind;
    }
    text.push_str(rest);
    Ok(text)
}

fn next_block(text: &str) -> Option<usize> {
    let blocks = ["```cron\n", "```time\n"];
    blocks.iter().filter_map(|start| text.find(start)).min()
}

fn split(line: &str) -> (&str, &str) {
    let (expression, meaning) = line.split_once("=>").unwrap_or((line, ""));
    (expression.trim(), meaning.trim())
}

fn schedules(lang: Lang, lines: &str) -> Result<String> {
    let rows: Result<Vec<Vec<String>>> = lines
        .lines()
        .map(|line| {
            let (expression, meaning) = split(line);
            let cron = Cron::parse(expression)
                .map_err(|error| anyhow!("{expression}: {}", error.message.en))?;
            let fires = fires(lang, &cron)?;
            Ok(vec![format!("`{expression}`"), meaning.to_owned(), fires])
        })
        .collect();
    let head = say(
        lang,
        "写法/含义/接下来的三次",
        "Expression/Means/Next three",
    );
    let head: Vec<&str> = head.split('/').collect();
    Ok(table(&head, &rows?))
}

fn fires(lang: Lang, cron: &Cron) -> Result<String> {
    let mut after = moment()?;
    let mut fires = Vec::new();
    for _ in 0..FIRES {
        let Some(next) = cron.next_after(after, ZONE) else {
            break;
        };
        let local = next.to_utc().with_timezone(&ZONE);
        let weekday = weekday(lang, local.weekday());
        fires.push(format!("{weekday} {}", local.format("%m-%d %H:%M")));
        after = next;
    }
    Ok(fires.join(say(lang, "，", ", ")))
}

fn weekday(lang: Lang, day: Weekday) -> &'static str {
    let (zh, en) = match day {
        Weekday::Mon => ("周一", "Mon"),
        Weekday::Tue => ("周二", "Tue"),
        Weekday::Wed => ("周三", "Wed"),
        Weekday::Thu => ("周四", "Thu"),
        Weekday::Fri => ("周五", "Fri"),
        Weekday::Sat => ("周六", "Sat"),
        Weekday::Sun => ("周日", "Sun"),
    };
    say(lang, zh, en)
}

fn dates(lang: Lang, lines: &str) -> Result<String> {
    let moment = moment()?;
    let rows: Result<Vec<Vec<String>>> = lines
        .lines()
        .map(|line| {
            let (expression, meaning) = split(line);
            let list = [("value".to_owned(), expression.to_owned())];
            let resolved = resolve_params(&list, &[], moment, ZONE)
                .map_err(|error| anyhow!("{expression}: {}", error.text().en))?;
            let (_, value) = resolved.into_iter().next().context("one parameter")?;
            Ok(vec![
                format!("`{expression}`"),
                format!("`{value}`"),
                meaning.to_owned(),
            ])
        })
        .collect();
    let head = say(lang, "写法/得到/含义", "Expression/Gives/Means");
    let head: Vec<&str> = head.split('/').collect();
    Ok(table(&head, &rows?))
}
