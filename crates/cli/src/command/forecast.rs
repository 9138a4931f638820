//! `akka forecast 7d`: load by the hour, what starts and ends when, what is late, what waits for ever.

use akkaflow_api::{Forecast, ForecastHour, ForecastInstance, ForecastStuck, Time};
use clap::ArgMatches;
use comfy_table::Cell;

use super::{Outcome, optional, print_json};
use crate::client::encode;
use crate::context::Context;
use crate::screen::{Paint, Screen, plain};

/// Instances that are shown unless somebody wants more: a screen of them.
const SHOWN: u16 = 40;
/// Columns of a bar where there is room.
const WIDEST: usize = 48;
/// Columns of the text around a bar: day, hour, numbers.
const AROUND: usize = 44;
/// A bar of less shows nothing.
const NARROWEST: usize = 8;

pub(super) fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let horizon = optional(matches, "HORIZON").unwrap_or("7d");
    let mut path = format!("/api/v1/forecast?horizon={}", encode(horizon));
    if let Some(name) = optional(matches, "workflow") {
        path.push_str(&format!("&workflow={}", encode(name)));
    }
    let asked = matches.get_one::<u16>("limit").copied();
    if let Some(limit) = asked.or((!context.is_json).then_some(SHOWN)) {
        path.push_str(&format!("&limit={limit}"));
    }
    let answer = context.client.get_raw(&path)?;
    if context.is_json {
        return print_json(&answer);
    }
    let forecast: Forecast = context.client.parse(&answer)?;
    out!("{}", render(&context.screen, &forecast));
    if let Some(cut) = &forecast.cut {
        super::warn(context, &cut_short(&context.screen, cut, forecast.until));
    }
    Ok(0)
}

fn cut_short(screen: &Screen, cut: &str, until: Time) -> String {
    let until = screen.optional_time(Some(until));
    let (zh, en) = match cut {
        "instances" => (
            format!("实例过多，预测止于{until}"),
            format!("there are too many instances: the forecast ends at {until}"),
        ),
        _ => (
            format!("计算时间过长，预测止于{until}"),
            format!("it took too long: the forecast ends at {until}"),
        ),
    };
    screen.say(&zh, &en).to_owned()
}

fn render(screen: &Screen, forecast: &Forecast) -> String {
    let mut text = summary(screen, forecast);
    text.push('\n');
    text.push_str(&load(screen, forecast));
    if !forecast.late.is_empty() {
        text.push('\n');
        text.push_str(&screen.title("将延迟：", "Late:"));
        text.push_str(&instances(screen, &forecast.late, forecast.late_in_all));
    }
    if !forecast.stuck.is_empty() {
        text.push('\n');
        text.push_str(&screen.title("将一直等待：", "Waiting for ever:"));
        text.push_str(&stuck(screen, &forecast.stuck, forecast.stuck_in_all));
    }
    if !forecast.instances.is_empty() {
        text.push('\n');
        text.push_str(&screen.title("实例：", "Instances:"));
        let (shown, all) = (&forecast.instances, forecast.instances_in_all);
        text.push_str(&instances(screen, shown, all));
    }
    if forecast.instances.iter().any(|it| it.is_guess) {
        let seconds = forecast.guess_seconds;
        let zh = format!("* 成功次数不足3次的节点按{seconds}秒计");
        let en = format!("* nodes with less than three successes are taken to run for {seconds} s");
        text.push_str(&format!("{}\n", screen.say(&zh, &en)));
    }
    text
}

fn summary(screen: &Screen, forecast: &Forecast) -> String {
    let time = |at: Time| screen.optional_time(Some(at));
    let late_after = forecast.late_after_seconds / 60;
    let late_zh = format!(
        "{}（等待超过{late_after}分钟，或晚于期限结束）",
        forecast.late_in_all
    );
    let late_en = format!(
        "{} (wait for more than {late_after} min, or end after their deadline)",
        forecast.late_in_all
    );
    let workers = format!("{} ({})", forecast.slots, forecast.workers);
    screen.pairs(vec![
        (screen.say("自", "From"), plain(time(forecast.from))),
        (screen.say("至", "Until"), plain(time(forecast.until))),
        (
            screen.say("槽位（Worker数）", "Slots (workers)"),
            plain(workers),
        ),
        (
            screen.say("实例", "Instances"),
            plain(forecast.instances_in_all),
        ),
        (
            screen.say("延迟", "Late"),
            counted(screen, forecast.late_in_all, screen.say(&late_zh, &late_en)),
        ),
        (
            screen.say("一直等待", "Waiting for ever"),
            counted(
                screen,
                forecast.stuck_in_all,
                &forecast.stuck_in_all.to_string(),
            ),
        ),
    ])
}

/// In yellow when there is something to look at.
fn counted(screen: &Screen, count: u64, text: &str) -> Cell {
    match count {
        0 => plain(0),
        _ => screen.cell(text, Some(Paint::Yellow)),
    }
}

/// A bar for each hour in which something happens.
fn load(screen: &Screen, forecast: &Forecast) -> String {
    let busiest = forecast.hours.iter().map(|hour| hour.busy).max();
    let most = forecast.slots.max(busiest.unwrap_or(0)).max(1);
    let room = screen.width.map_or(WIDEST, |width| {
        let room = usize::from(width).saturating_sub(AROUND);
        room.clamp(NARROWEST, WIDEST)
    });
    let title_zh = "每小时负荷（最多占用的槽位；启动的实例数）：";
    let title_en = "Load by the hour (most slots busy; instances started):";
    let mut text = screen.title(title_zh, title_en);
    let is_idle = |hour: &ForecastHour| hour.busy == 0 && hour.started == 0;
    let mut was_idle = true;
    for hour in &forecast.hours {
        if is_idle(hour) {
            if !was_idle {
                text.push_str("  ⋮\n");
            }
            was_idle = true;
            continue;
        }
        was_idle = false;
        text.push_str(&bar(screen, hour, most, room, forecast.slots));
    }
    if forecast.hours.iter().all(is_idle) {
        text.push_str(screen.say("  没有实例运行\n", "  nothing runs\n"));
    }
    text
}

fn bar(screen: &Screen, hour: &ForecastHour, most: u64, room: usize, slots: u64) -> String {
    let share = u128::from(hour.busy) * room as u128;
    let filled = usize::try_from(share.div_ceil(u128::from(most))).unwrap_or(room);
    let blocks = "█".repeat(filled);
    let blank = " ".repeat(room - filled.min(room));
    let paint = if hour.busy >= slots {
        Paint::Yellow
    } else {
        Paint::Green
    };
    let started = match hour.started {
        0 => String::new(),
        count => format!("  +{count}"),
    };
    format!(
        "  {} {}{blank} {:>4}/{slots}{started}\n",
        screen.format(hour.at, "%m-%d %H:%M"),
        screen.paint(&blocks, paint),
        hour.busy,
    )
}

fn instances(screen: &Screen, instances: &[ForecastInstance], in_all: u64) -> String {
    let header = [
        screen.say("工作流", "workflow"),
        screen.say("业务日期", "date"),
        screen.say("预计启动", "start"),
        screen.say("预计结束", "end"),
        screen.say("等待", "waits"),
        screen.say("原因", "reason"),
        "id",
    ];
    let rows = instances.iter().map(|it| row(screen, it)).collect();
    // Those that are open say their id; the date follows from the start.
    let dispensable = [header[6], header[1], header[5]];
    let table = screen.table_without(&header, rows, &dispensable);
    table + &more(screen, instances.len(), in_all)
}

fn row(screen: &Screen, it: &ForecastInstance) -> Vec<Cell> {
    let moment = |at: Option<Time>| match at {
        Some(at) => screen.format(at, "%m-%d %H:%M:%S"),
        None => "-".to_owned(),
    };
    let guess = if it.is_guess && it.end.is_some() {
        "*"
    } else {
        ""
    };
    let waits = match it.start {
        Some(start) if start > it.created => screen.duration(Some(it.created), Some(start)),
        _ => String::new(),
    };
    let why = it.why.as_ref().map(|why| why.text.as_str());
    let id = it.id.map(|id| id.short());
    vec![
        plain(&it.workflow),
        plain(it.date.as_deref().unwrap_or_default()),
        plain(moment(it.start)),
        plain(moment(it.end) + guess),
        plain(waits),
        plain(why.unwrap_or_default()),
        plain(id.unwrap_or_default()),
    ]
}

fn stuck(screen: &Screen, stuck: &[ForecastStuck], in_all: u64) -> String {
    let header = [
        screen.say("工作流", "workflow"),
        screen.say("原因", "reason"),
        screen.say("自", "since"),
        "id",
    ];
    let rows = stuck
        .iter()
        .map(|it| {
            let reasons: Vec<&str> = it.reasons.iter().map(|why| why.text.as_str()).collect();
            vec![
                plain(&it.workflow),
                plain(reasons.join(screen.say("；", "; "))),
                plain(screen.optional_time(it.since)),
                plain(it.instance.map(|id| id.short()).unwrap_or_default()),
            ]
        })
        .collect();
    let table = screen.table_without(&header, rows, &[header[3], header[2]]);
    table + &more(screen, stuck.len(), in_all)
}

/// That there are others.
fn more(screen: &Screen, shown: usize, in_all: u64) -> String {
    match in_all.saturating_sub(shown as u64) {
        0 => String::new(),
        left => {
            let zh = format!("另有{left}个，用--limit查看更多\n");
            let en = format!("{left} more: see them with --limit\n");
            screen.say(&zh, &en).to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use akkaflow_api::Reason;
    use akkaflow_model::id::InstanceId;
    use akkaflow_model::record::TriggerKind;
    use akkaflow_model::text::Lang;
    use akkaflow_model::time::Timestamp;

    use super::*;
    use crate::layout;
    use crate::screen::testing::screen;

    /// Minutes after 2026-11-28T16:00:00Z, midnight in China.
    fn at(minutes: i64) -> Time {
        Time(Timestamp::from_millis(1_795_881_600_000 + minutes * 60_000))
    }

    fn reason(text: &str) -> Reason {
        Reason {
            code: "instance_limit".to_owned(),
            object: "日报".to_owned(),
            since: None,
            text: text.to_owned(),
        }
    }

    fn instance(start: Option<i64>, end: Option<i64>) -> ForecastInstance {
        ForecastInstance {
            id: None,
            workflow: "日报".to_owned(),
            date: Some("2026-11-29".to_owned()),
            trigger: TriggerKind::Cron,
            created: at(60),
            start: start.map(at),
            end: end.map(at),
            deadline: None,
            why: None,
            is_guess: false,
        }
    }

    fn forecast() -> Forecast {
        let hour = |number: i64, started, busy| ForecastHour {
            at: at(number * 60),
            started,
            busy,
        };
        let late = ForecastInstance {
            why: Some(reason("工作流[日报]正在运行1个实例，已达上限1")),
            ..instance(Some(90), Some(150))
        };
        let open = ForecastInstance {
            id: Some(InstanceId::from_parts(at(0).0, 0x8f3a_11bb)),
            workflow: "load".to_owned(),
            is_guess: true,
            ..instance(None, None)
        };
        Forecast {
            from: at(0),
            until: at(6 * 60),
            cut: None,
            workers: 2,
            slots: 16,
            guess_seconds: 60,
            late_after_seconds: 300,
            hours: vec![
                hour(0, 0, 0),
                hour(1, 2, 16),
                hour(2, 1, 7),
                hour(3, 0, 0),
                hour(4, 0, 0),
                hour(5, 1, 1),
            ],
            instances: vec![instance(Some(60), Some(90)), late.clone(), open],
            instances_in_all: 12,
            late: vec![late],
            late_in_all: 1,
            stuck: vec![ForecastStuck {
                workflow: "汇总".to_owned(),
                instance: None,
                since: None,
                reasons: vec![reason("前置工作流[明细]不存在")],
            }],
            stuck_in_all: 1,
        }
    }

    #[test]
    fn a_forecast_is_a_picture_of_the_load_and_lists() {
        insta::assert_snapshot!(render(&screen(Lang::Zh, None), &forecast()));
    }

    #[test]
    fn a_forecast_fits_a_wide_terminal_in_english() {
        insta::assert_snapshot!(render(&screen(Lang::En, Some(120)), &forecast()));
    }

    #[test]
    fn a_forecast_fits_a_narrow_terminal() {
        let text = render(&screen(Lang::Zh, Some(60)), &forecast());
        assert!(text.lines().all(|line| layout::width(line) <= 60), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn an_empty_forecast_says_that_nothing_runs() {
        let empty = Forecast {
            hours: vec![],
            instances: vec![],
            late: vec![],
            stuck: vec![],
            late_in_all: 0,
            stuck_in_all: 0,
            instances_in_all: 0,
            ..forecast()
        };
        let text = render(&screen(Lang::En, None), &empty);
        assert!(text.contains("nothing runs"), "{text}");
        assert!(cut_short(&screen(Lang::En, None), "time", at(0)).contains("took too long"));
    }
}
