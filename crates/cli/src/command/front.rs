//! `akka front`

use akkaflow_api::{DayCount, Front, InstanceSummary, Late, NotRunnable};
use akkaflow_model::text::Lang;

use super::{Outcome, cluster, print_json, problems};
use crate::context::Context;
use crate::screen::{Paint, Screen, plain};

/// Lines below an alarm.
const MOST_LISTED: usize = 10;

pub(super) fn run(context: &Context) -> Outcome {
    let answer = context.client.get_raw("/api/v1/front")?;
    if context.is_json {
        return print_json(&answer);
    }
    let front: Front = context.client.parse(&answer)?;
    out!("{}", render(&context.screen, &front));
    Ok(0)
}

fn render(screen: &Screen, front: &Front) -> String {
    let mut text = cluster::frozen(screen, front.frozen.as_ref());
    text.push_str(&screen.title("近七天实例执行统计", "Ended in the last seven days"));
    text.push_str(&days(screen, &front.days));
    text.push('\n');
    text.push_str(&screen.title("等待中的工作流实例队列", "Waiting instances"));
    text.push_str(&waiting(screen, &front.waiting));
    text.push('\n');
    text.push_str(&screen.title("运行中工作流实例", "Running instances"));
    text.push_str(&running(screen, &front.running));
    text.push('\n');
    text.push_str(&screen.title("运行结束工作流实例", "Ended instances"));
    text.push_str(&finished(screen, &front.finished));
    text.push_str(screen.say("只显示最近20个\n", "only the last 20 are shown\n"));
    text.push_str(&screen.zone_line());
    text.push_str(&late(screen, &front.late));
    text.push_str(&not_runnable(screen, &front.not_runnable));
    text.push_str(&problems::lines(screen, &front.file_problems));
    text
}

/// Instances behind their deadline.
fn late(screen: &Screen, instances: &[Late]) -> String {
    let lines = instances
        .iter()
        .map(|late| format!("{} {}: {}", late.workflow, late.short_id, late.text));
    let count = instances.len();
    let head = match screen.lang {
        Lang::Zh => format!("{count}个实例赶不上期限："),
        Lang::En => format!("instances behind their deadline ({count}):"),
    };
    alarm(screen, &head, lines)
}

/// Workflows that people may wait for in vain.
fn not_runnable(screen: &Screen, workflows: &[NotRunnable]) -> String {
    let lines = workflows
        .iter()
        .map(|one| format!("{}: {}", one.workflow, one.why));
    let count = workflows.len();
    let head = match screen.lang {
        Lang::Zh => format!("{count}个工作流不会运行："),
        Lang::En => format!("workflows that do not run ({count}):"),
    };
    alarm(screen, &head, lines)
}

/// A red line and what it counts, if there is anything.
fn alarm(screen: &Screen, head: &str, lines: impl ExactSizeIterator<Item = String>) -> String {
    let count = lines.len();
    if count == 0 {
        return String::new();
    }
    let mut text = format!("\n{}\n", screen.paint(head, Paint::Red));
    for line in lines.take(MOST_LISTED) {
        text.push_str(&format!("  {line}\n"));
    }
    if count > MOST_LISTED {
        text.push_str("  …\n");
    }
    text
}

fn days(screen: &Screen, days: &[DayCount]) -> String {
    type Count = fn(&DayCount) -> u64;
    let states: [(&str, Count); 3] = [
        (screen.say("成功", "succeeded"), |day| day.succeeded),
        (screen.say("失败", "failed"), |day| day.failed),
        (screen.say("杀死", "killed"), |day| day.killed),
    ];
    // Without the year eight days fit on eighty columns.
    for from in [0, "yyyy-".len()] {
        let mut header = vec![screen.say("状态", "state")];
        header.extend(
            days.iter()
                .map(|day| day.day.get(from..).unwrap_or(&day.day)),
        );
        let row = |(label, count): &(&str, Count)| {
            let counts = days.iter().map(|day| plain(count(day)));
            std::iter::once(plain(label)).chain(counts).collect()
        };
        let rows: Vec<_> = states.iter().map(row).collect();
        if screen.has_room_for(&header, &rows) {
            return screen.table(&header, rows);
        }
    }
    let mut header = vec![screen.say("日期", "day")];
    header.extend(states.iter().map(|(label, _)| *label));
    let row = |day: &DayCount| {
        let counts = states.iter().map(|(_, count)| plain(count(day)));
        std::iter::once(plain(&day.day)).chain(counts).collect()
    };
    screen.table(&header, days.iter().map(row).collect())
}

fn waiting(screen: &Screen, instances: &[InstanceSummary]) -> String {
    let header = [
        screen.say("实例ID", "id"),
        screen.say("工作流名称", "workflow"),
    ];
    let rows = instances
        .iter()
        .map(|instance| vec![plain(&instance.short_id), plain(&instance.workflow)])
        .collect();
    screen.table(&header, rows)
}

fn running(screen: &Screen, instances: &[InstanceSummary]) -> String {
    let header = [
        screen.say("实例ID", "id"),
        screen.say("工作流名称", "workflow"),
        screen.say("创建者", "creator"),
        screen.say("开始时间", "started"),
        screen.say("运行时长", "duration"),
    ];
    let rows = instances
        .iter()
        .map(|instance| {
            vec![
                plain(&instance.short_id),
                plain(&instance.workflow),
                plain(&instance.creator),
                plain(screen.optional_time(instance.started_at)),
                plain(screen.duration(instance.started_at, None)),
            ]
        })
        .collect();
    screen.table_without(&header, rows, &[header[2]])
}

fn finished(screen: &Screen, instances: &[InstanceSummary]) -> String {
    let header = [
        screen.say("实例ID", "id"),
        screen.say("工作流名称", "workflow"),
        screen.say("创建者", "creator"),
        screen.say("运行状态", "state"),
        screen.say("开始时间", "started"),
        screen.say("结束时间", "ended"),
        screen.say("运行时长", "duration"),
    ];
    let rows = instances
        .iter()
        .map(|instance| super::search::row(screen, instance))
        .collect();
    screen.table_without(&header, rows, &[header[5], header[2]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::testing::screen;
    use serde_json::json;

    fn front() -> Front {
        let instance = |state: &str, started: Option<&str>, ended: Option<&str>| {
            json!({
                "id": "01933333-3333-7333-8333-33338f3a11bb", "short_id": "8f3a11bb", "workflow": "日报",
                "state": state, "run": 1, "trigger": "cron", "fire_time": "2026-11-21T01:00:00.000Z",
                "created_at": "2026-11-21T01:00:00.000Z", "started_at": started, "ended_at": ended,
                "message": null, "handled_errors": false, "dir": "/tmp", "creator": "张三"
            })
        };
        let day = |day: &str| json!({"day": day, "succeeded": 12, "failed": 1, "killed": 0});
        let started = Some("2026-11-21T01:00:00.010Z");
        let front = json!({
            "days": [day("2026-11-21"), day("2026-11-20"), day("2026-11-19")],
            "waiting": [instance("ready", None, None)],
            "running": [],
            "late": [{
                "id": "01933333-3333-7333-8333-33338f3a11bb", "short_id": "8f3a11bb", "workflow": "日报",
                "text": "预计09:20结束，晚于期限09:00",
            }],
            "not_runnable": [{"workflow": "月报", "why": "当前版本暂不能执行：http"}],
            "finished": [
                instance("succeeded", started, Some("2026-11-21T02:01:05.010Z")),
                instance("killed", started, Some("2026-11-21T01:00:03.010Z")),
            ],
        });
        serde_json::from_value(front).unwrap()
    }

    #[test]
    fn the_overview_keeps_akkaflow_s_words_and_order() {
        insta::assert_snapshot!(render(&screen(Lang::Zh, None), &front()));
    }

    #[test]
    fn the_overview_reads_well_in_english_on_a_narrow_terminal() {
        insta::assert_snapshot!(render(&screen(Lang::En, Some(80)), &front()));
    }
}
