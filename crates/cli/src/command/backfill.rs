//! `akka backfill ...`

use akkaflow_api::{
    AbortBackfill, BackfillDetail, BackfillPlan, BackfillRun, BackfillSummary, Estimate, Reason,
    RunCounts, StartBackfill,
};
use akkaflow_model::backfill::{BackfillState, DEFAULT_PARALLEL, RunState};
use akkaflow_model::message::{because_en, because_zh, by_en, by_zh};
use akkaflow_model::text::Lang;
use clap::ArgMatches;
use comfy_table::Cell;
use serde_json::json;

use super::steering::user;
use super::{Outcome, optional, print_json, required, why};
use crate::client::encode;
use crate::context::Context;
use crate::screen::{Paint, Screen, plain};

/// More runs than these are cut short unless all are asked for.
const SHOWN: usize = 100;
/// Of a backfill with more runs, so many of those that have not begun are shown.
const NEXT: usize = 10;

pub(super) fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let (action, matches) = matches.subcommand().expect("clap requires an action");
    match action {
        "plan" => start(context, matches, true),
        "start" => start(context, matches, false),
        "list" => list(context),
        "info" => info(context, matches),
        _ => steer(context, action, matches),
    }
}

fn start(context: &Context, matches: &ArgMatches, is_dry_run: bool) -> Outcome {
    let request = StartBackfill {
        workflow: required(matches, "WORKFLOW").to_owned(),
        from: required(matches, "from").to_owned(),
        to: required(matches, "to").to_owned(),
        dependants: matches.get_flag("dependants"),
        max_parallel: matches.get_one::<u32>("max-parallel").copied(),
        keep_going: matches.get_flag("keep-going"),
        again: matches.get_flag("again"),
        dry_run: is_dry_run,
        user: user(),
        reason: if is_dry_run {
            String::new()
        } else {
            optional(matches, "reason").unwrap_or_default().to_owned()
        },
    };
    let answer = context.client.post("/api/v1/backfills", &request)?;
    if context.is_json {
        return print_json(&answer);
    }
    let plan: BackfillPlan = context.client.parse(&answer)?;
    let shows_all = matches.get_flag("all");
    out!(
        "{}",
        render_plan(&context.screen, &plan, request.max_parallel, shows_all)
    );
    match &plan.id {
        // The plan has said so.
        None if !is_dry_run => {}
        None => outln!(
            "{}",
            context.say(
                "仅为计划，尚未运行；用 akka backfill start 启动",
                "only a plan, nothing runs; `akka backfill start` starts it"
            )
        ),
        Some(id) => {
            let started = context.say("已开始补数", "started backfill");
            let look = context.say(
                "查看进度：akka backfill info",
                "how far it is: akka backfill info",
            );
            outln!("{started} {id}\n{look} {id}");
        }
    }
    Ok(0)
}

fn list(context: &Context) -> Outcome {
    let answer = context.client.get_raw("/api/v1/backfills")?;
    if context.is_json {
        return print_json(&answer);
    }
    let all: Vec<BackfillSummary> = context.client.parse(&answer)?;
    out!("{}", render_list(&context.screen, &all));
    Ok(0)
}

fn path(id: &str) -> String {
    format!("/api/v1/backfills/{}", encode(id))
}

fn info(context: &Context, matches: &ArgMatches) -> Outcome {
    let path = path(required(matches, "ID"));
    let answer = context.client.get_raw(&path)?;
    if context.is_json {
        return print_json(&answer);
    }
    let detail: BackfillDetail = context.client.parse(&answer)?;
    let mut text = render_info(&context.screen, &detail);
    if detail.summary.state == BackfillState::Running && detail.summary.runs.waiting > 0 {
        // What is known of it is worth showing while no master says what it waits for.
        let reasons: Vec<Reason> = context
            .client
            .get(&format!("{path}/explain"))
            .unwrap_or_default();
        if !reasons.is_empty() {
            text.push('\n');
            text.push_str(&why::render(&context.screen, &reasons));
        }
    }
    text.push('\n');
    text.push_str(&render_runs(
        &context.screen,
        &detail.items,
        matches.get_flag("all"),
    ));
    out!("{text}");
    Ok(0)
}

fn steer(context: &Context, action: &str, matches: &ArgMatches) -> Outcome {
    let id = required(matches, "ID");
    let reason = || optional(matches, "reason").unwrap_or_default().to_owned();
    let (body, zh, en) = match action {
        "pause" => (
            json!({ "user": user(), "reason": reason() }),
            "已暂停，运行中的日期会继续到结束",
            "paused; what runs of it finishes",
        ),
        "resume" => (json!({}), "已恢复", "it goes on"),
        _ => {
            let kill = matches.get_flag("kill");
            let request = AbortBackfill {
                kill,
                user: user(),
                reason: reason(),
            };
            let (zh, en) = if kill {
                (
                    "已中止，运行中的实例正被杀死",
                    "aborted; what runs of it is being killed",
                )
            } else {
                (
                    "已中止，运行中的日期会继续到结束",
                    "aborted; what runs of it finishes",
                )
            };
            (json!(request), zh, en)
        }
    };
    let answer = context
        .client
        .post(&format!("{}/{action}", path(id)), &body)?;
    if context.is_json {
        return print_json(&answer);
    }
    outln!("{}", context.say(zh, en));
    Ok(0)
}

fn render_plan(screen: &Screen, plan: &BackfillPlan, most: Option<u32>, shows_all: bool) -> String {
    let mut text = render_runs(screen, &plan.runs, shows_all);
    if !plan.left_out.is_empty() {
        let header = [
            screen.say("未包含的工作流", "left out"),
            screen.say("原因", "why"),
        ];
        let rows = plan.left_out.iter();
        let rows = rows
            .map(|it| vec![plain(&it.workflow), plain(&it.why)])
            .collect();
        text.push('\n');
        text.push_str(&screen.table(&header, rows));
    }
    let good = plan
        .runs
        .iter()
        .filter(|run| run.state == RunState::Good)
        .count();
    let count = plan.runs.len() - good;
    if count == 0 && good > 0 {
        text.push_str(&match screen.lang {
            Lang::Zh => format!("无需运行：{good}次均已成功；加 --again 再次运行\n"),
            Lang::En => {
                format!("nothing to run: {good} good already; --again runs them once more\n")
            }
        });
        return text;
    }
    let most = most.unwrap_or(DEFAULT_PARALLEL);
    let takes = estimate(screen, &plan.estimate);
    text.push_str(&match screen.lang {
        Lang::Zh => {
            format!("共{count}次运行，另有{good}次已成功将略过；同时运行{most}个；{takes}\n")
        }
        Lang::En => format!(
            "{count} to run, {good} good already and passed over; {most} at a time; {takes}\n"
        ),
    });
    text
}

fn estimate(screen: &Screen, estimate: &Estimate) -> String {
    let span = screen.span(estimate.seconds);
    let unknown = estimate.unknown;
    match (screen.lang, unknown) {
        (Lang::Zh, 0) => format!("预计{span}"),
        (Lang::En, 0) => format!("about {span}"),
        (Lang::Zh, _) if estimate.seconds == 0 => "时长未知，尚无足够的历史".to_owned(),
        (Lang::En, _) if estimate.seconds == 0 => {
            "how long is unknown, for lack of history".to_owned()
        }
        (Lang::Zh, _) => format!("预计至少{span}（其中{unknown}次没有足够的历史）"),
        (Lang::En, _) => format!("at least {span} ({unknown} of them without enough history)"),
    }
}

fn render_runs(screen: &Screen, runs: &[BackfillRun], shows_all: bool) -> String {
    let header = [
        "#",
        screen.say("业务日期", "date"),
        screen.say("工作流", "workflow"),
        screen.say("触发时间", "fire time"),
        screen.say("状态", "state"),
        screen.say("预计", "expected"),
        screen.say("等待", "after"),
        screen.say("实例ID", "instance"),
    ];
    let mut next = 0;
    let mut shown: Vec<&BackfillRun> = runs.iter().collect();
    if !shows_all && runs.len() > SHOWN {
        shown.retain(|run| {
            next += usize::from(run.state == RunState::Waiting);
            match run.state {
                RunState::Running | RunState::Failed => true,
                RunState::Waiting => next <= NEXT,
                RunState::Succeeded | RunState::Good => false,
            }
        });
    }
    let hidden = runs.len() - shown.len();
    let rows = shown.iter().map(|run| row(screen, run)).collect();
    let mut text = screen.table_without(&header, rows, &[header[3], header[6], header[7]]);
    if hidden > 0 {
        text.push_str(&match screen.lang {
            Lang::Zh => format!("另有{hidden}次未显示，加 --all 显示全部\n"),
            Lang::En => format!("{hidden} more, shown with --all\n"),
        });
    }
    text
}

fn row(screen: &Screen, run: &BackfillRun) -> Vec<Cell> {
    let expected = run.expected_seconds.map(|seconds| screen.span(seconds));
    let needs: Vec<String> = run.needs.iter().take(5).map(ToString::to_string).collect();
    let more = if run.needs.len() > 5 { " …" } else { "" };
    let instance = run
        .instance
        .as_deref()
        .map(|id| &id[id.len().saturating_sub(8)..]);
    vec![
        plain(run.position),
        plain(&run.date),
        plain(&run.workflow),
        plain(screen.time(run.fire_time)),
        run_state(screen, run.state),
        plain(expected.unwrap_or_else(|| screen.say("未知", "unknown").to_owned())),
        plain(needs.join(" ") + more),
        plain(instance.unwrap_or_default()),
    ]
}

fn run_state(screen: &Screen, state: RunState) -> Cell {
    let (zh, en, paint) = match state {
        RunState::Waiting => ("待运行", "waiting", None),
        RunState::Running => ("运行中", "running", Some(Paint::Blue)),
        RunState::Succeeded => ("成功", "succeeded", Some(Paint::Green)),
        RunState::Failed => ("失败", "failed", Some(Paint::Red)),
        RunState::Good => ("已成功，略过", "good already", Some(Paint::Green)),
    };
    screen.cell(screen.say(zh, en), paint)
}

fn state(screen: &Screen, backfill: &BackfillSummary) -> Cell {
    let (zh, en, paint) = match backfill.state {
        BackfillState::Running if backfill.abort.is_some() => {
            ("中止中", "aborting", Some(Paint::Yellow))
        }
        BackfillState::Running if backfill.failed_run.is_some() => {
            ("因失败暂停", "paused by a failure", Some(Paint::Red))
        }
        BackfillState::Running if backfill.hold.is_some() => {
            ("已暂停", "paused", Some(Paint::Yellow))
        }
        BackfillState::Running => ("运行中", "running", Some(Paint::Blue)),
        BackfillState::Succeeded => ("成功", "succeeded", Some(Paint::Green)),
        BackfillState::Failed => ("失败", "failed", Some(Paint::Red)),
        BackfillState::Aborted => ("已中止", "aborted", Some(Paint::Yellow)),
    };
    screen.cell(screen.say(zh, en), paint)
}

fn render_list(screen: &Screen, all: &[BackfillSummary]) -> String {
    let header = [
        screen.say("补数ID", "id"),
        screen.say("工作流", "workflow"),
        screen.say("起", "from"),
        screen.say("止", "to"),
        screen.say("状态", "state"),
        screen.say("完成/共", "done/all"),
        screen.say("失败", "failed"),
        screen.say("运行中", "running"),
        screen.say("开始时间", "started"),
    ];
    let rows = all
        .iter()
        .map(|backfill| {
            let runs = &backfill.runs;
            let done = runs.good + runs.succeeded;
            let count = done + runs.failed + runs.running + runs.waiting;
            vec![
                plain(&backfill.short_id),
                plain(&backfill.workflow),
                plain(&backfill.from),
                plain(&backfill.to),
                state(screen, backfill),
                plain(format!("{done}/{count}")),
                plain(runs.failed),
                plain(runs.running),
                plain(screen.time(backfill.created_at)),
            ]
        })
        .collect();
    screen.table_without(&header, rows, &[header[8], header[7], header[6], header[3]])
}

fn render_info(screen: &Screen, detail: &BackfillDetail) -> String {
    let backfill = &detail.summary;
    let dependants = if backfill.dependants {
        screen.say("及其全部下游", "and all that depends on it")
    } else {
        ""
    };
    let asked = match screen.lang {
        Lang::Zh => format!("{}{}", by_zh(&backfill.user), because_zh(&backfill.reason)),
        Lang::En => format!(
            "{}{}",
            by_en(&backfill.user).trim_start(),
            because_en(&backfill.reason)
        ),
    };
    let mut pairs = vec![
        (screen.say("补数ID", "Backfill"), plain(&backfill.id)),
        (
            screen.say("工作流", "Workflow"),
            plain(format!("{} {dependants}", backfill.workflow).trim()),
        ),
        (
            screen.say("业务日期", "Dates"),
            plain(format!("{} … {}", backfill.from, backfill.to)),
        ),
        (screen.say("状态", "State"), state(screen, backfill)),
        (
            screen.say("进度", "Progress"),
            plain(progress(screen, &backfill.runs)),
        ),
        (
            screen.say("并行数", "At a time"),
            plain(backfill.max_parallel),
        ),
        (screen.say("发起", "Asked for"), plain(asked)),
        (
            screen.say("开始时间", "Started"),
            plain(screen.time(backfill.created_at)),
        ),
    ];
    let holders = [
        (screen.say("暂停", "Paused"), &backfill.hold),
        (screen.say("中止", "Aborted"), &backfill.abort),
    ];
    for (label, hold) in holders {
        let Some(hold) = hold else { continue };
        let since = screen.time(hold.since);
        let who = match screen.lang {
            Lang::Zh => format!("{since} {}{}", by_zh(&hold.user), because_zh(&hold.reason)),
            Lang::En => format!("{since}{}{}", by_en(&hold.user), because_en(&hold.reason)),
        };
        // A failure that pauses it stands among the runs.
        let is_failure = backfill.failed_run.is_some() && backfill.abort.is_none();
        pairs.push((
            label,
            plain(if is_failure { since.to_string() } else { who }),
        ));
    }
    if let Some(left) = &detail.left {
        pairs.push((screen.say("剩余", "Left"), plain(estimate(screen, left))));
    }
    if let Some(ended_at) = backfill.ended_at {
        pairs.push((
            screen.say("结束时间", "Ended"),
            plain(screen.time(ended_at)),
        ));
    }
    screen.pairs(pairs)
}

fn progress(screen: &Screen, runs: &RunCounts) -> String {
    let RunCounts {
        good,
        succeeded,
        failed,
        running,
        waiting,
    } = runs;
    match screen.lang {
        Lang::Zh => format!(
            "成功{succeeded}，先前已成功{good}，失败{failed}，运行中{running}，待运行{waiting}"
        ),
        Lang::En => format!(
            "{succeeded} done, {good} good before, {failed} failed, {running} running, {waiting} left"
        ),
    }
}

#[cfg(test)]
mod tests {
    use akkaflow_api::LeftOut;

    use super::*;
    use crate::screen::testing::screen;

    fn item(position: u32, state: &str) -> BackfillRun {
        serde_json::from_value(json!({
            "position": position, "workflow": "日报汇总_daily_summary", "date": "2026-01-01",
            "fire_time": "2026-01-01T01:00:00.000Z", "needs": if position == 0 { vec![] } else { vec![0] },
            "state": state, "instance": (state != "waiting").then_some("01933333-3333-7333-8333-33338f3a11bb"),
            "changed_at": "2026-02-01T01:00:00.000Z", "expected_seconds": (position == 0).then_some(3725)
        }))
        .unwrap()
    }

    fn detail() -> BackfillDetail {
        serde_json::from_value(json!({
            "id": "01933333-3333-7333-8333-33338f3a11bb", "short_id": "8f3a11bb", "workflow": "日报",
            "from": "2026-01-01", "to": "2026-01-31", "dependants": true, "max_parallel": 4,
            "keep_going": false, "again": false, "user": "ann", "reason": "late data",
            "created_at": "2026-02-01T01:00:00.000Z", "state": "running",
            "hold": {"user": "", "reason": "", "since": "2026-02-01T02:00:00.000Z"}, "failed_run": 3,
            "abort": null, "ended_at": null,
            "runs": {"good": 2, "succeeded": 12, "failed": 1, "running": 2, "waiting": 14},
            "left": {"seconds": 4000, "unknown": 1}, "items": [item(0, "succeeded"), item(1, "failed")]
        }))
        .unwrap()
    }

    #[test]
    fn a_plan_says_what_runs_what_does_not_and_how_long_it_takes() {
        let plan = BackfillPlan {
            id: None,
            runs: vec![item(0, "good"), item(1, "waiting")],
            left_out: vec![LeftOut {
                workflow: "b".to_owned(),
                why: "disabled".to_owned(),
            }],
            estimate: Estimate {
                seconds: 3725,
                unknown: 1,
            },
        };
        let text = render_plan(&screen(Lang::En, None), &plan, Some(4), false);
        for words in [
            "good already",
            "1h 2m 5s",
            "unknown",
            "1 to run, 1 good already and passed over; 4 at a time; at least 1h 2m 5s (1 of them",
            "disabled",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        let text = render_plan(&screen(Lang::Zh, None), &plan, None, false);
        assert!(
            text.contains("共1次运行，另有1次已成功将略过；同时运行2个"),
            "{text}"
        );
    }

    #[test]
    fn a_plan_without_history_or_without_work_says_so() {
        let mut plan = BackfillPlan {
            id: None,
            runs: vec![item(1, "waiting")],
            left_out: Vec::new(),
            estimate: Estimate {
                seconds: 0,
                unknown: 1,
            },
        };
        let said = |lang, plan: &BackfillPlan| render_plan(&screen(lang, None), plan, None, false);
        assert!(said(Lang::En, &plan).contains("how long is unknown"));
        assert!(said(Lang::Zh, &plan).contains("时长未知"));
        plan.runs = vec![item(0, "good")];
        plan.estimate.unknown = 0;
        assert!(said(Lang::En, &plan).contains("nothing to run: 1 good already; --again"));
        assert!(said(Lang::Zh, &plan).contains("无需运行：1次均已成功；加 --again"));
    }

    #[test]
    fn a_long_plan_shows_what_tells_and_the_next_runs() {
        let mut runs: Vec<_> = (0..SHOWN as u32 + 50)
            .map(|it| item(it, "waiting"))
            .collect();
        runs[120].state = RunState::Failed;
        let screen = screen(Lang::En, None);
        let text = render_runs(&screen, &runs, false);
        assert!(text.contains("139 more, shown with --all"), "{text}");
        assert!(text.contains("| 120"), "{text}");
        assert_eq!(
            render_runs(&screen, &runs, true).matches("waiting").count(),
            149
        );
    }

    #[test]
    fn a_backfill_fits_a_narrow_terminal() {
        for lang in [Lang::Zh, Lang::En] {
            for width in [60, 80] {
                let screen = screen(lang, Some(width));
                let detail = detail();
                let text = render_list(&screen, std::slice::from_ref(&detail.summary))
                    + &render_info(&screen, &detail)
                    + &render_runs(&screen, &detail.items, false);
                for line in text.lines() {
                    assert!(crate::layout::width(line) <= usize::from(width), "{line}");
                }
            }
        }
        let list = render_list(&screen(Lang::En, Some(60)), &[detail().summary]);
        assert!(list.contains(" 2026-01-01 "), "a date is whole: {list}");
        let text = render_info(&screen(Lang::En, None), &detail());
        for words in [
            "by ann",
            "12 done, 2 good before, 1 failed, 2 running, 14 left",
            "paused by a failure",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}
