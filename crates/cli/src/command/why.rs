//! `akka why ID|NAME`: a workflow, else an instance, else a backfill.

use akkaflow_api::{Reason, WorkflowDetail};
use akkaflow_model::error::ErrorCode;
use clap::ArgMatches;

use super::{Outcome, optional, print_json, problems, required};
use crate::client::{Answer, encode};
use crate::context::Context;
use crate::failure::Failure;
use crate::screen::{Screen, plain};

/// A workflow of that name, or else an instance.
pub(super) fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let what = required(matches, "WHAT");
    let node = optional(matches, "node");
    let of_instance = || instance(context, what, node);
    if node.is_some() {
        return of_instance();
    }
    match context
        .client
        .get_raw(&format!("/api/v1/workflows/{}/explain", encode(what)))
    {
        Err(failure) if failure.code == ErrorCode::NotFound => {
            let outcome = of_instance()
                .or_else(|absent| backfill(context, what, absent))
                .map_err(|of_instance| neither(context, failure, of_instance));
            problems::explain_absence(context, what, outcome)
        }
        Err(failure) => Err(failure),
        Ok(answer) => {
            let fine = context.say(
                "没有未满足的条件：到时间即会触发，或只能手动运行",
                "no condition is unmet: it starts when its time comes, or by hand only",
            );
            print(context, &answer, fine)?;
            if !context.is_json {
                let path = format!("/api/v1/workflows/{}", encode(what));
                let detail: WorkflowDetail = context.client.get(&path)?;
                out!(
                    "{}",
                    problems::of_newest_content(context, detail.file_problems)
                );
            }
            Ok(0)
        }
    }
}

/// What was asked for is no instance either: what was said of the workflow, such as that it was deleted, is worth more.
fn neither(context: &Context, workflow: Failure, instance: Failure) -> Failure {
    if instance.code != ErrorCode::NotFound {
        return instance;
    }
    let also = context.say("；也没有这样的实例", "; nor is there such an instance");
    let message = format!("{}{also}", workflow.message());
    Failure::new(ErrorCode::NotFound, message)
}

/// What the next dates of a backfill wait for; `absent` when there is none of this id.
fn backfill(context: &Context, id: &str, absent: Failure) -> Outcome {
    if absent.code != ErrorCode::NotFound {
        return Err(absent);
    }
    let path = format!("/api/v1/backfills/{}/explain", encode(id));
    match context.client.get_raw(&path) {
        Ok(answer) => {
            let fine = context.say("没有等待的日期", "no date of it waits");
            print(context, &answer, fine)
        }
        Err(failure) if failure.code == ErrorCode::NotFound => Err(absent),
        Err(failure) => Err(failure),
    }
}

fn instance(context: &Context, id: &str, node: Option<&str>) -> Outcome {
    let query = node.map(|node| format!("?node={}", encode(node)));
    let path = format!(
        "/api/v1/instances/{}/explain{}",
        encode(id),
        query.unwrap_or_default()
    );
    let answer = context.client.get_raw(&path)?;
    let fine = context.say("没有阻碍，正在运行", "nothing holds it up: it runs");
    print(context, &answer, fine)
}

fn print(context: &Context, answer: &Answer, fine: &str) -> Outcome {
    if context.is_json {
        return print_json(answer);
    }
    let reasons: Vec<Reason> = context.client.parse(answer)?;
    if reasons.is_empty() {
        outln!("{fine}");
    } else {
        out!("{}", render(&context.screen, &reasons));
    }
    Ok(0)
}

pub(super) fn render(screen: &Screen, reasons: &[Reason]) -> String {
    let header = [
        screen.say("原因", "reason"),
        screen.say("对象", "object"),
        screen.say("自", "since"),
        screen.say("代码", "code"),
    ];
    let rows = reasons
        .iter()
        .map(|reason| {
            vec![
                plain(&reason.text),
                plain(&reason.object),
                plain(screen.optional_time(reason.since)),
                plain(&reason.code),
            ]
        })
        .collect();
    // Code, then since when.
    screen.table_without(&header, rows, &[header[3], header[2]])
}
