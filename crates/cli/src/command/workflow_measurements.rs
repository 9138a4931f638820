//! `akka workflow measurements`: what the data-monitors of a workflow have seen, newest first.

use akkaflow_api::Measurement;
use akkaflow_model::state::AttemptState;
use clap::ArgMatches;
use serde_json::Value;

use super::workflow::path;
use super::{Outcome, optional, print_json};
use crate::client::encode;
use crate::context::Context;
use crate::screen::{Paint, Screen, plain};

/// Widest bar, characters.
const BAR: f64 = 14.0;

pub(super) fn run(context: &Context, name: &str, matches: &ArgMatches) -> Outcome {
    let limit = matches.get_one::<u16>("limit").copied().unwrap_or(20);
    let mut path = format!("{}/measurements?limit={limit}", path(name));
    if let Some(node) = optional(matches, "node") {
        path.push_str(&format!("&node={}", encode(node)));
    }
    let answer = context.client.get_raw(&path)?;
    if context.is_json {
        return print_json(&answer);
    }
    let found: Vec<Measurement> = context.client.parse(&answer)?;
    if found.is_empty() {
        outln!(
            "{}",
            context.say(
                "还没有检测值：<data-monitor> 执行后才有",
                "nothing yet: each run of a <data-monitor> leaves what it has seen"
            )
        );
    } else {
        out!("{}", render(&context.screen, &found));
    }
    Ok(0)
}

fn render(screen: &Screen, found: &[Measurement]) -> String {
    let header = [
        screen.say("时间", "at"),
        screen.say("节点", "node"),
        screen.say("检测值", "value"),
        "",
        screen.say("下限", "min"),
        screen.say("上限", "max"),
        screen.say("结果", "result"),
        screen.say("触发时间", "fire time"),
        screen.say("实例", "instance"),
    ];
    let bars = bars(found);
    let rows = found
        .iter()
        .zip(bars)
        .map(|(row, bar)| {
            let result = match row.state {
                AttemptState::Succeeded => {
                    screen.cell(screen.say("通过", "good"), Some(Paint::Green))
                }
                AttemptState::Failed => screen.cell(&bad(screen, row), Some(Paint::Red)),
                state => plain(state.label(screen.lang)),
            };
            vec![
                plain(screen.time(row.at)),
                plain(&row.node),
                plain(number(&row.value)),
                plain(bar),
                plain(number(&row.min)),
                plain(number(&row.max)),
                result,
                plain(screen.time(row.fire_time)),
                plain(&row.instance),
            ]
        })
        .collect();
    screen.table_without(&header, rows, &[header[7], header[8], header[3]])
}

/// Why there is no number is told; why one is bad stands beside it.
fn bad(screen: &Screen, row: &Measurement) -> String {
    let bad = screen.say("未通过", "bad");
    match &row.message {
        Some(why) if row.value.is_null() => format!("{bad}: {why}"),
        _ => bad.to_owned(),
    }
}

/// A number as it was read; nothing where there was none.
fn number(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A bar for each number, between the smallest and the greatest of its node; all of them begin at 0 where none is below.
fn bars(found: &[Measurement]) -> Vec<String> {
    let value = |row: &Measurement| number(&row.value).parse().unwrap_or(0.0_f64);
    let bar = |row: &Measurement| {
        let same = found.iter().filter(|other| other.node == row.node);
        let (low, high) = same.fold((0.0_f64, 0.0_f64), |(low, high), other| {
            (low.min(value(other)), high.max(value(other)))
        });
        let share = (value(row) - low) / (high - low).max(f64::MIN_POSITIVE);
        "█".repeat((share * BAR).round() as usize)
    };
    found.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use akkaflow_model::text::Lang;
    use serde_json::json;

    use super::*;
    use crate::screen::testing::screen;

    fn row(at: &str, node: &str, value: serde_json::Value, state: &str) -> Measurement {
        serde_json::from_value(json!({
            "instance": "0197c2f4-0000-7000-8000-000000000001", "node": node, "run": 1, "attempt": 1,
            "fire_time": "2026-11-21T04:00:00.000Z", "at": at, "state": state,
            "value": value, "min": 10, "max": null
        }))
        .unwrap()
    }

    #[test]
    fn what_was_seen_is_drawn_beside_its_number() {
        let found = [
            row("2026-11-21T04:00:11.000Z", "orders", json!(5), "failed"),
            row("2026-11-21T03:00:11.000Z", "orders", json!(20), "succeeded"),
            row(
                "2026-11-21T03:00:10.000Z",
                "ratio",
                json!(0.25),
                "succeeded",
            ),
        ];
        insta::assert_snapshot!(render(&screen(Lang::Zh, None), &found));
        insta::assert_snapshot!(render(&screen(Lang::En, Some(80)), &found));
    }

    #[test]
    fn bars_stand_between_zero_and_the_greatest_of_their_node() {
        let found = [("a", -10), ("a", 0), ("a", 10), ("b", 0)]
            .map(|(node, value)| row("2026-11-21T04:00:11.000Z", node, json!(value), "succeeded"));
        let widths: Vec<usize> = bars(&found).iter().map(|bar| bar.chars().count()).collect();
        assert_eq!(widths, [0, 7, 14, 0]);
    }
}
