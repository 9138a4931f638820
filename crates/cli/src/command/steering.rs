//! Holding up and letting go on: instances, workflows, the cluster; marks, repairs and pools.

use akkaflow_api::{Created, MarkKind, MarkNode, NodeChange, Pool, Repair, Repaired, SetPool};
use akkaflow_model::command::ChangeKind;
use akkaflow_model::text::Lang;
use clap::ArgMatches;
use serde_json::json;

use super::{Outcome, optional, print_json, required};
use crate::client::{Answer, encode};
use crate::context::Context;
use crate::failure::Failure;
use crate::screen::{Screen, plain};

/// Who types.
pub(super) fn user() -> String {
    std::env::var("USER").unwrap_or_default()
}

fn by(matches: &ArgMatches) -> serde_json::Value {
    let reason = optional(matches, "reason").unwrap_or_default();
    json!({ "user": user(), "reason": reason })
}

/// Prints the answer for programs, else the sentence.
pub(super) fn say(context: &Context, answer: &Answer, zh: &str, en: &str) -> Outcome {
    if context.is_json {
        return print_json(answer);
    }
    outln!("{}", context.say(zh, en));
    Ok(0)
}

fn instance(id: &str) -> String {
    format!("/api/v1/instances/{}", encode(id))
}

pub(super) fn pause(context: &Context, id: &str, matches: &ArgMatches) -> Outcome {
    let path = format!("{}/pause", instance(id));
    let answer = context.client.post(&path, &by(matches))?;
    let Created { id, .. } = context.client.parse(&answer)?;
    let zh = format!("已暂停实例{id}，运行中的节点会继续到结束");
    let en = format!("paused {id}; what runs in it finishes");
    say(context, &answer, &zh, &en)
}

pub(super) fn resume(context: &Context, id: &str, matches: &ArgMatches) -> Outcome {
    let path = format!("{}/resume", instance(id));
    let answer = context.client.post(&path, &by(matches))?;
    let Created { id, .. } = context.client.parse(&answer)?;
    let (zh, en) = (format!("已恢复实例{id}"), format!("{id} goes on"));
    say(context, &answer, &zh, &en)
}

pub(super) fn mark(context: &Context, id: &str, matches: &ArgMatches) -> Outcome {
    let node = required(matches, "NODE");
    let kind = if matches.get_flag("skipped") {
        MarkKind::Skipped
    } else {
        MarkKind::Succeeded
    };
    let request = MarkNode {
        kind,
        user: user(),
        reason: optional(matches, "reason").unwrap_or_default().to_owned(),
    };
    let path = format!("{}/nodes/{}/mark", instance(id), encode(node));
    let answer = context.client.post(&path, &request)?;
    let (zh, en) = match kind {
        MarkKind::Skipped => ("跳过", "skipped"),
        MarkKind::Succeeded => ("成功", "succeeded"),
    };
    let zh = format!("已将节点{node}标记为{zh}");
    let en = format!("marked node {node} {en}");
    say(context, &answer, &zh, &en)
}

pub(super) fn repair(context: &Context, id: &str, matches: &ArgMatches) -> Outcome {
    let xml = match optional(matches, "FILE") {
        None => None,
        Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
            let cannot = context.say("无法读取", "cannot read");
            Failure::usage(format!("{cannot} {path}: {error}"))
        })?),
    };
    let request = Repair {
        xml,
        dry_run: matches.get_flag("dry-run"),
        user: user(),
        reason: optional(matches, "reason").unwrap_or_default().to_owned(),
    };
    let path = format!("{}/repair", instance(id));
    let answer = context.client.post(&path, &request)?;
    if context.is_json {
        return print_json(&answer);
    }
    let repaired: Repaired = context.client.parse(&answer)?;
    out!("{}", changes(&context.screen, &repaired.changes));
    let (zh, en) = match (repaired.is_applied, repaired.changes.is_empty()) {
        (_, true) => ("定义没有差异", "the definition is the one that it has"),
        (true, false) => ("已按新定义继续运行", "it goes on with the new definition"),
        (false, false) => (
            "仅预览，未改变；去掉 --dry-run 即可生效",
            "only a preview, nothing was changed: leave --dry-run out to apply it",
        ),
    };
    outln!("{}", context.say(zh, en));
    let is_refused = repaired
        .changes
        .iter()
        .any(|change| change.refusal.is_some());
    Ok(u8::from(is_refused))
}

fn changes(screen: &Screen, changes: &[NodeChange]) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let header = [
        screen.say("节点", "node"),
        screen.say("变化", "change"),
        screen.say("不可行的原因", "why not"),
    ];
    let rows = changes
        .iter()
        .map(|change| {
            vec![
                plain(&change.node),
                plain(label(change.kind, screen.lang)),
                plain(change.refusal.as_deref().unwrap_or_default()),
            ]
        })
        .collect();
    screen.table(&header, rows)
}

fn label(kind: ChangeKind, lang: Lang) -> &'static str {
    match (kind, lang) {
        (ChangeKind::Added, Lang::Zh) => "新增",
        (ChangeKind::Removed, Lang::Zh) => "删除",
        (ChangeKind::Changed, Lang::Zh) => "修改",
        (ChangeKind::Rewired, Lang::Zh) => "改变去向",
        (ChangeKind::Kept, Lang::Zh) => "已结束，保留结果",
        (ChangeKind::Added, Lang::En) => "added",
        (ChangeKind::Removed, Lang::En) => "removed",
        (ChangeKind::Changed, Lang::En) => "changed",
        (ChangeKind::Rewired, Lang::En) => "leads elsewhere",
        (ChangeKind::Kept, Lang::En) => "has ended, its end stands",
    }
}

pub(super) fn workflow(
    context: &Context,
    name: &str,
    action: &str,
    matches: &ArgMatches,
) -> Outcome {
    let path = format!("/api/v1/workflows/{}/{action}", encode(name));
    let (body, zh, en) = match action {
        "suspend" => (
            by(matches),
            format!("已暂停调度工作流{name}，仍可手动运行"),
            format!("{name} starts no more by itself; people may still run it"),
        ),
        _ => (
            json!({}),
            format!("已恢复调度工作流{name}"),
            format!("{name} starts by itself again"),
        ),
    };
    let answer = context.client.post(&path, &body)?;
    say(context, &answer, &zh, &en)
}

/// `akka cluster freeze`, `akka cluster thaw`
pub(super) fn cluster(context: &Context, action: &str, matches: &ArgMatches) -> Outcome {
    let (body, zh, en) = match action {
        "freeze" => (
            by(matches),
            "集群已冻结：不再触发和分派，运行中的继续",
            "frozen: nothing is fired or dispatched, what runs goes on",
        ),
        _ => (json!({}), "集群已解冻", "the cluster goes on"),
    };
    let answer = context
        .client
        .post(&format!("/api/v1/cluster/{action}"), &body)?;
    say(context, &answer, zh, en)
}

/// `akka pool ...`
pub(super) fn pool(context: &Context, matches: &ArgMatches) -> Outcome {
    let (action, matches) = matches.subcommand().expect("clap requires an action");
    if action == "list" {
        let answer = context.client.get_raw("/api/v1/pools")?;
        if context.is_json {
            return print_json(&answer);
        }
        let pools: Vec<Pool> = context.client.parse(&answer)?;
        out!("{}", pool_table(&context.screen, &pools));
        return Ok(0);
    }
    let name = required(matches, "NAME");
    let path = format!("/api/v1/pools/{}", encode(name));
    if action == "del" {
        let answer = context.client.delete(&path)?;
        let (zh, en) = (
            format!("已删除资源池{name}"),
            format!("removed pool {name}"),
        );
        return say(context, &answer, &zh, &en);
    }
    let slots = *matches.get_one::<u32>("SLOTS").expect("clap requires it");
    let request = SetPool {
        slots,
        user: user(),
    };
    let answer = context.client.put(&path, &request)?;
    let zh = format!("资源池{name}共{slots}份");
    let en = format!("pool {name} has {slots} slots");
    say(context, &answer, &zh, &en)
}

pub(super) fn pool_table(screen: &Screen, pools: &[Pool]) -> String {
    let header = [
        screen.say("资源池", "pool"),
        screen.say("占用/份数", "held/slots"),
        screen.say("等待的节点", "nodes waiting"),
    ];
    let rows = pools
        .iter()
        .map(|pool| {
            let slots = match pool.slots {
                Some(slots) => format!("{}/{slots}", pool.held),
                None => format!("{}/{}", pool.held, screen.say("未定义", "undefined")),
            };
            vec![plain(&pool.name), plain(slots), plain(pool.waiting)]
        })
        .collect();
    screen.table(&header, rows)
}
