//! `akka instance ...`

use std::time::Duration;

use akkaflow_api::{Attempt, Created, InstanceDetail, Killed, Rerun};
use akkaflow_model::state::{AttemptState, InstanceState};
use akkaflow_model::text::Lang;
use clap::ArgMatches;
use serde_json::json;

use super::instance_view::render;
use super::{Outcome, print_json, print_legacy, required, search, steering, watch};
use crate::client::encode;
use crate::context::Context;
use crate::screen::plain;

pub(super) fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let (action, matches) = matches.subcommand().expect("clap requires an action");
    if action == "search" {
        return search::run(context, matches);
    }
    let id = required(matches, "ID");
    match action {
        "info" if matches.get_flag("xml") => xml(context, id),
        "info" if matches.get_flag("log") => log(context, id, false),
        "info" => info(context, id),
        "xml" => xml(context, id),
        "log" => match matches.get_one::<u32>("tail") {
            Some(count) => watch::print_tail(context, id, *count as usize),
            None => log(context, id, matches.get_flag("follow")),
        },
        "attempts" => attempts(context, id),
        "kill" => kill(context, id),
        "del" => delete(context, id),
        "rerun" => rerun(context, id, matches),
        "pause" => steering::pause(context, id, matches),
        "resume" => steering::resume(context, id, matches),
        "mark" => steering::mark(context, id, matches),
        "repair" => steering::repair(context, id, matches),
        other => unreachable!("clap knows no action {other}"),
    }
}

fn path(id: &str) -> String {
    format!("/api/v1/instances/{}", encode(id))
}

fn legacy_path(id: &str, action: &str) -> String {
    format!("/akkaflow/workflow/instance/{}?action={action}", encode(id))
}

fn info(context: &Context, id: &str) -> Outcome {
    let answer = context.client.get_raw(&path(id))?;
    if context.is_json {
        return print_json(&answer);
    }
    let detail: InstanceDetail = context.client.parse(&answer)?;
    out!("{}", render(&context.screen, &detail));
    Ok(0)
}

fn xml(context: &Context, id: &str) -> Outcome {
    let answer = context.client.get_raw(&format!("{}/xml", path(id)))?;
    if context.is_json {
        outln!("{}", json!({ "xml": answer.body }));
        return Ok(0);
    }
    if context.is_legacy {
        let title = context.screen.title("实例xml信息", "XML of the instance");
        out!("{title}");
    }
    outln!("{}", answer.body.trim_end());
    Ok(0)
}

fn log(context: &Context, id: &str, is_following: bool) -> Outcome {
    if is_following {
        return watch::follow(context, id);
    }
    if context.is_legacy && !context.is_json {
        let title = context.screen.title("实例日志信息", "Log of the instance");
        out!("{title}");
    }
    watch::print_log(context, id)
}

fn attempts(context: &Context, id: &str) -> Outcome {
    let answer = context.client.get_raw(&format!("{}/attempts", path(id)))?;
    if context.is_json {
        return print_json(&answer);
    }
    let screen = &context.screen;
    let attempts: Vec<Attempt> = context.client.parse(&answer)?;
    let header = [
        screen.say("节点名称", "node"),
        screen.say("第几次运行", "run"),
        screen.say("尝试", "attempt"),
        screen.say("状态", "state"),
        "worker",
        screen.say("分配时间", "assigned"),
        screen.say("运行时长（s）", "seconds"),
        screen.say("处理器（s）", "cpu s"),
        screen.say("内存", "memory"),
        screen.say("传输", "moved"),
        screen.say("退出码", "exit"),
        screen.say("执行信息", "message"),
    ];
    let rows = attempts
        .into_iter()
        .map(|attempt| {
            vec![
                plain(&attempt.node),
                plain(attempt.run),
                plain(attempt.attempt),
                plain(label(attempt.state, screen.lang)),
                plain(&attempt.host),
                plain(screen.time(attempt.assigned_at)),
                plain(screen.seconds(Some(attempt.assigned_at), attempt.ended_at)),
                plain(attempt.figures.cpu_millis.map_or_else(String::new, seconds)),
                plain(attempt.figures.peak_memory.map_or_else(String::new, bytes)),
                plain(attempt.figures.bytes.map_or_else(String::new, bytes)),
                plain(
                    attempt
                        .exit_code
                        .map(|code| code.to_string())
                        .unwrap_or_default(),
                ),
                plain(attempt.message.unwrap_or_default()),
            ]
        })
        .collect();
    // The message stands below before anything is lost that tells attempts apart.
    let dispensable = [9, 1, 10, 8, 7, 11, 5, 4].map(|column: usize| header[column]);
    out!(
        "{}",
        screen.table_with_remarks(&header, rows, &dispensable, &[0, 2])
    );
    Ok(0)
}

fn seconds(millis: u64) -> String {
    format!("{:.3}", Duration::from_millis(millis).as_secs_f64())
}

/// A size as people read it.
fn bytes(count: u64) -> String {
    let size = count as f64;
    match count {
        0..1_024 => format!("{count} B"),
        1_024..1_048_576 => format!("{:.1} KiB", size / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", size / 1_048_576.0),
        _ => format!("{:.1} GiB", size / 1_073_741_824.0),
    }
}

fn label(state: AttemptState, lang: Lang) -> &'static str {
    state.label(lang)
}

fn kill(context: &Context, id: &str) -> Outcome {
    if context.is_legacy {
        return print_legacy(context, &legacy_path(id, "kill"), None);
    }
    let user = std::env::var("USER").unwrap_or_default();
    let answer = context
        .client
        .post(&format!("{}/kill", path(id)), &json!({ "user": user }))?;
    if context.is_json {
        return print_json(&answer);
    }
    let killed: Killed = context.client.parse(&answer)?;
    let id = killed.id;
    match (killed.state, context.screen.lang) {
        (InstanceState::Killed, Lang::Zh) => outln!("实例{id}已被杀死"),
        (InstanceState::Killed, Lang::En) => outln!("killed {id}"),
        (_, Lang::Zh) => outln!("实例{id}正在被杀死，等待其进程全部结束"),
        (_, Lang::En) => outln!("killing {id}, waiting for its processes to be gone"),
    }
    Ok(0)
}

fn delete(context: &Context, id: &str) -> Outcome {
    if context.is_legacy {
        return print_legacy(context, &legacy_path(id, "del"), None);
    }
    let answer = context.client.delete(&path(id))?;
    if context.is_json {
        return print_json(&answer);
    }
    let Created { id, .. } = context.client.parse(&answer)?;
    outln!("{} {id}", context.say("已删除实例", "deleted instance"));
    Ok(0)
}

fn rerun(context: &Context, id: &str, matches: &ArgMatches) -> Outcome {
    let recover = matches.get_flag("recover");
    let nodes: Vec<String> = matches
        .get_many::<String>("node")
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    if context.is_legacy && !matches.get_flag("same-version") && nodes.is_empty() {
        let path = legacy_path(id, &format!("rerun&recover={recover}"));
        let code = print_legacy(context, &path, None)?;
        let is_watched = watch::is_asked_for(matches) && code == 0;
        return if is_watched {
            watch::after_start(context, id, matches)
        } else {
            Ok(code)
        };
    }
    let request = Rerun {
        recover,
        same_version: matches.get_flag("same-version"),
        nodes,
        user: steering::user(),
    };
    let answer = context
        .client
        .post(&format!("{}/rerun", path(id)), &request)?;
    let Created { id, .. } = context.client.parse(&answer)?;
    started(context, &answer.body, &id, matches)
}

/// Says which instance has begun, and watches it if that was asked for.
pub(super) fn started(context: &Context, body: &str, id: &str, matches: &ArgMatches) -> Outcome {
    if context.is_json {
        outln!("{}", body.trim_end());
    } else {
        outln!("{} {id}", context.say("工作流实例", "instance"));
    }
    if watch::is_asked_for(matches) {
        return watch::after_start(context, id, matches);
    }
    Ok(0)
}
