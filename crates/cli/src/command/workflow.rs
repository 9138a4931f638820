//! `akka workflow ...`

use akkaflow_api::{
    Chain, Created, Deleted, InstanceSummary, Level, LogLine, Named, Params, Run, Trigger,
    WorkflowDetail, WorkflowSummary,
};
use akkaflow_model::record::WorkflowStatus;
use akkaflow_model::text::Lang;
use chrono::{NaiveDate, NaiveDateTime};
use clap::ArgMatches;
use serde_json::json;

use super::instance::started;
use super::{
    Outcome, instance_view, optional, print_json, print_legacy, problems, required, steering,
    watch, workflow_check, workflow_measurements, workflow_state, workflow_view,
};
use crate::client::encode;
use crate::context::Context;
use crate::failure::Failure;

/// Runs that `--log` tells of: akkaflow's bound.
const LOG_RUNS: u32 = 100;

pub(super) fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let (action, matches) = matches.subcommand().expect("clap requires an action");
    let outcome = act(context, action, matches);
    match matches.try_get_one::<String>("NAME") {
        Ok(Some(name)) => problems::explain_absence(context, name, outcome),
        _ => outcome,
    }
}

fn act(context: &Context, action: &str, matches: &ArgMatches) -> Outcome {
    let name = || required(matches, "NAME");
    match action {
        "info" if matches.get_flag("xml") => xml(context, name()),
        "info" if matches.get_flag("log") => log(context, name()),
        "info" => info(context, name()),
        "xml" => xml(context, name()),
        "log" => log(context, name()),
        "list" => list(context, optional(matches, "FOLDER")),
        "check" => workflow_check::check(context, required(matches, "FILE")),
        "add" => workflow_check::add(context, required(matches, "FILE")),
        "del" => delete(context, name()),
        "reset" => reset(context, name()),
        "state" => workflow_state::run(context, name(), matches),
        "measurements" => workflow_measurements::run(context, name(), matches),
        "trigger" => trigger(context, name(), matches),
        "suspend" | "resume" => steering::workflow(context, name(), action, matches),
        "run" => run_once(context, name(), matches),
        other => unreachable!("clap knows no action {other}"),
    }
}

pub(super) fn path(name: &str) -> String {
    format!("/api/v1/workflows/{}", encode(name))
}

fn legacy_path(name: &str, query: &str) -> String {
    format!("/akkaflow/workflow/{}?{query}", encode(name))
}

fn info(context: &Context, name: &str) -> Outcome {
    let answer = context.client.get_raw(&path(name))?;
    if context.is_json {
        return print_json(&answer);
    }
    let detail: WorkflowDetail = context.client.parse(&answer)?;
    let zone = detail
        .schedule
        .as_ref()
        .and_then(|schedule| schedule.time_zone.parse().ok());
    let screen = match zone {
        Some(zone) => context.screen.in_zone(zone),
        None => context.screen.clone(),
    };
    out!("{}", workflow_view::render(&screen, &detail));
    out!(
        "{}",
        problems::of_newest_content(context, detail.file_problems)
    );
    Ok(0)
}

fn xml(context: &Context, name: &str) -> Outcome {
    let answer = context.client.get_raw(&format!("{}/xml", path(name)))?;
    if context.is_json {
        outln!("{}", json!({ "xml": answer.body }));
    } else {
        outln!("{}", answer.body.trim_end());
    }
    Ok(0)
}

/// When it was run and what became of it, oldest first.
fn log(context: &Context, name: &str) -> Outcome {
    // A workflow that does not exist is said so.
    context.client.get_raw(&path(name))?;
    let query = format!(
        "/api/v1/instances?workflow={}&limit={LOG_RUNS}",
        encode(name)
    );
    let answer = context.client.get_raw(&query)?;
    if context.is_json {
        return print_json(&answer);
    }
    let instances: Vec<InstanceSummary> = context.client.parse(&answer)?;
    for instance in instances.iter().rev() {
        for line in told(context, instance) {
            out!("{}", context.screen.log_line(&line));
        }
    }
    Ok(0)
}

fn told(context: &Context, instance: &InstanceSummary) -> Vec<LogLine> {
    let InstanceSummary { id, workflow, .. } = instance;
    let trigger = instance_view::trigger(&context.screen, instance.trigger);
    let line = |time, level, text| LogLine {
        time,
        level,
        node: None,
        attempt: None,
        text,
    };
    let created = match context.screen.lang {
        Lang::Zh => format!("生成工作流实例：{workflow}:{id}（{trigger}）"),
        Lang::En => format!("created instance {workflow}:{id} ({trigger})"),
    };
    let mut lines = vec![line(instance.created_at, Level::Info, created)];
    if let Some(ended_at) = instance.ended_at {
        let state = instance.state.label(context.screen.lang);
        let message = instance.message.as_deref().unwrap_or_default();
        let ended = match context.screen.lang {
            Lang::Zh => format!("工作流实例：{workflow}:{id}执行完毕.执行状态: {state} {message}"),
            Lang::En => format!("instance {workflow}:{id} has ended: {state} {message}"),
        };
        let level = if instance.state.label(Lang::En) == "failed" {
            Level::Error
        } else {
            Level::Info
        };
        lines.push(line(ended_at, level, ended.trim_end().to_owned()));
    }
    lines
}

fn list(context: &Context, folder: Option<&str>) -> Outcome {
    let answer = context.client.get_raw("/api/v1/workflows")?;
    let mut workflows: Vec<WorkflowSummary> = context.client.parse(&answer)?;
    if let Some(folder) = folder {
        workflows.retain(|workflow| workflow_view::lies_in(&workflow.dir, folder));
    }
    if context.is_json {
        let json = serde_json::to_string(&workflows).expect("plain data");
        outln!("{json}");
    } else {
        out!("{}", workflow_view::tree(&context.screen, &workflows));
        let problems = problems::all(context)?;
        out!("{}", problems::lines(&context.screen, &problems));
    }
    Ok(0)
}

fn delete(context: &Context, name: &str) -> Outcome {
    if context.is_legacy {
        // Only before it is deleted can be asked where it came from; the order itself says what is wrong with the name.
        let before = context.client.get::<WorkflowDetail>(&path(name)).ok();
        let code = print_legacy(context, &legacy_path(name, "action=del"), None)?;
        let file = before.filter(|_| code == 0).and_then(|detail| {
            let is_there = detail.summary.status == WorkflowStatus::Live;
            detail.summary.file.filter(|_| is_there)
        });
        say_file_stays(context, file.as_deref());
        return Ok(code);
    }
    let answer = context.client.delete(&path(name))?;
    if context.is_json {
        return print_json(&answer);
    }
    let Deleted { name, file } = context.client.parse(&answer)?;
    let deleted = context.say("已删除工作流", "deleted workflow");
    outln!("{deleted} {name}");
    say_file_stays(context, file.as_deref());
    Ok(0)
}

/// Deleting a workflow leaves its file alone, which may surprise.
fn say_file_stays(context: &Context, file: Option<&str>) {
    let Some(file) = file else { return };
    match context.screen.lang {
        Lang::Zh => eprintln!(
            "文件 {file} 仍在原处；在其内容改变或重新放入之前，该工作流保持已删除状态（不再需要时请一并删除该文件）"
        ),
        Lang::En => eprintln!(
            "its file {file} stays where it is; the workflow stays deleted until that file changes or is dropped in again"
        ),
    }
}

fn reset(context: &Context, name: &str) -> Outcome {
    if context.is_legacy {
        return print_legacy(context, &legacy_path(name, "action=reset"), None);
    }
    let answer = context
        .client
        .post(&format!("{}/reset", path(name)), &json!({}))?;
    say_done(
        context,
        &answer,
        "已重置调度器状态：工作流",
        "reset the schedule of workflow",
    )
}

fn say_done(context: &Context, answer: &crate::client::Answer, zh: &str, en: &str) -> Outcome {
    if context.is_json {
        return print_json(answer);
    }
    let Named { name } = context.client.parse(answer)?;
    outln!("{} {name}", context.say(zh, en));
    Ok(0)
}

fn trigger(context: &Context, name: &str, matches: &ArgMatches) -> Outcome {
    let is_blood = matches.get_flag("blood");
    let ignored = optional(matches, "ignore").unwrap_or_default();
    let date = business_date(context, matches)?;
    if context.is_legacy && !watch::is_asked_for(matches) {
        let mut query = if is_blood {
            "action=trigger-blood".to_owned()
        } else {
            format!("action=trigger&ignore_node={}", encode(ignored))
        };
        if let Some(date) = &date {
            query.push_str(&format!("&date={}", encode(date)));
        }
        return print_legacy(context, &legacy_path(name, &query), None);
    }
    let nodes = ignored.split(',').map(str::trim);
    let request = Trigger {
        ignore_nodes: nodes
            .filter(|node| !node.is_empty())
            .map(ToOwned::to_owned)
            .collect(),
        date,
        user: steering::user(),
    };
    if is_blood {
        let answer = context
            .client
            .post(&format!("{}/trigger-blood", path(name)), &request)?;
        let Chain { id, workflows } = context.client.parse(&answer)?;
        if !context.is_json && !workflows.is_empty() {
            let following = context.say("后续依次关联的工作流", "after it follow");
            eprintln!("{following}: {}", workflows.join(", "));
        }
        return started(context, &answer.body, &id, matches);
    }
    let answer = context
        .client
        .post(&format!("{}/trigger", path(name)), &request)?;
    let Created { id, .. } = context.client.parse(&answer)?;
    started(context, &answer.body, &id, matches)
}

fn run_once(context: &Context, name: &str, matches: &ArgMatches) -> Outcome {
    let params = params(context, matches)?;
    let date = business_date(context, matches)?;
    let is_plain = date.is_none() && !watch::is_asked_for(matches);
    if context.is_legacy && is_plain {
        let pairs = params
            .iter()
            .map(|(name, value)| format!("&{}={}", encode(name), encode(value)));
        let query = format!("action=run{}", pairs.collect::<String>());
        return print_legacy(context, &legacy_path(name, &query), None);
    }
    let request = Run {
        params: Params(params),
        date,
        user: steering::user(),
    };
    let path = format!("{}/runs", path(name));
    let answer = match optional(matches, "idempotency-key") {
        Some(key) => context.client.post_once(&path, &request, key)?,
        None => context.client.post(&path, &request)?,
    };
    let Created { id, warnings } = context.client.parse(&answer)?;
    for warning in warnings {
        super::warn(context, &warning);
    }
    started(context, &answer.body, &id, matches)
}

fn business_date(context: &Context, matches: &ArgMatches) -> Result<Option<String>, Failure> {
    let date = optional(matches, "date");
    if let Some(text) = date.filter(|text| !is_date(text)) {
        let expected = context.say(
            "不是业务日期，应为 yyyy-MM-dd 或 yyyy-MM-ddTHH:mm:ss",
            "is no business date; write yyyy-MM-dd or yyyy-MM-ddTHH:mm:ss",
        );
        return Err(Failure::usage(format!("{text} {expected}")));
    }
    Ok(date.map(ToOwned::to_owned))
}

/// Whether the master would read it as a business date.
fn is_date(text: &str) -> bool {
    const TIMES: [&str; 2] = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"];
    let is_time = |format: &str| NaiveDateTime::parse_from_str(text, format).is_ok();
    NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() || TIMES.into_iter().any(is_time)
}

/// `-p k=v` and `--param a=1&b=2`, in order.
fn params(context: &Context, matches: &ArgMatches) -> Result<Vec<(String, String)>, Failure> {
    let given = matches.get_many::<String>("p").into_iter().flatten();
    let mut params = Vec::new();
    for text in given {
        params.extend(split_params(text).map_err(|piece| {
            let expected = context.say(
                "不是参数，应为 名称=值",
                "is no parameter; write name=value",
            );
            Failure::usage(format!("{piece} {expected}"))
        })?);
    }
    Ok(params)
}

/// An ampersand separates parameters where a name and `=` follow; elsewhere it belongs to the value.
fn split_params(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut params: Vec<(String, String)> = Vec::new();
    for piece in text.split('&') {
        match (piece.split_once('='), params.last_mut()) {
            (Some((name, value)), _) if !name.is_empty() => {
                params.push((name.to_owned(), value.to_owned()));
            }
            (_, Some((_, value))) => {
                value.push('&');
                value.push_str(piece);
            }
            (_, None) => return Err(piece.to_owned()),
        }
    }
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Ok(pairs.iter().map(owned).collect())
    }

    #[test]
    fn parameters_may_be_joined_by_ampersands() {
        assert_eq!(
            split_params("a=1&b=x=y"),
            pairs(&[("a", "1"), ("b", "x=y")])
        );
        assert_eq!(split_params("a="), pairs(&[("a", "")]));
        assert_eq!(split_params("q=R&D"), pairs(&[("q", "R&D")]));
        assert_eq!(split_params("oops"), Err("oops".to_owned()));
    }
}
