//! `akka cluster`, `akka worker fence`

use akkaflow_api::{Cluster, Named};
use akkaflow_model::error::ErrorCode;
use clap::ArgMatches;
use serde_json::json;

use super::{Outcome, print_json, required};
use crate::client::encode;
use crate::context::Context;
use crate::exit::exit_code;
use crate::screen::{Screen, plain};

/// Fails when nobody leads.
pub(super) fn run(context: &Context) -> Outcome {
    let answer = context.client.get_raw("/api/v1/cluster")?;
    let cluster: Cluster = context.client.parse(&answer)?;
    if context.is_json {
        print_json(&answer)?;
    } else {
        out!("{}", render(&context.screen, &cluster));
    }
    Ok(match cluster.master {
        Some(_) => 0,
        None => exit_code(ErrorCode::Unavailable),
    })
}

fn render(screen: &Screen, cluster: &Cluster) -> String {
    let Some(master) = &cluster.master else {
        return screen
            .say("不存在活动的Master\n", "no active master\n")
            .to_owned();
    };
    let mut text = screen.title("集群信息", "Cluster");
    text.push_str(&screen.pairs(vec![
        ("Master", plain(&master.endpoint)),
        (screen.say("任期", "Epoch"), plain(master.epoch)),
        (screen.say("时区", "Time zone"), plain(&master.time_zone)),
        (screen.say("版本", "Version"), plain(&master.version)),
    ]));
    text.push('\n');
    let header = [
        "worker",
        screen.say("主机", "host"),
        screen.say("状态", "state"),
        screen.say("占用/槽位", "busy/slots"),
        screen.say("自", "since"),
    ];
    let rows = cluster
        .workers
        .iter()
        .map(|worker| {
            let state = if worker.is_attached {
                screen.say("在线", "attached")
            } else {
                screen.say("失联", "out of reach")
            };
            vec![
                plain(&worker.id),
                plain(&worker.host),
                plain(state),
                plain(format!("{}/{}", worker.busy, worker.slots)),
                plain(screen.optional_time(worker.since)),
            ]
        })
        .collect();
    text.push_str(&screen.table(&header, rows));
    text
}

pub(super) fn worker(context: &Context, matches: &ArgMatches) -> Outcome {
    let (_, matches) = matches.subcommand().expect("clap requires an action");
    let id = encode(required(matches, "ID"));
    let answer = context
        .client
        .post(&format!("/api/v1/workers/{id}/fence"), &json!({}))?;
    if context.is_json {
        return print_json(&answer);
    }
    let Named { name } = context.client.parse(&answer)?;
    outln!(
        "{} {name}",
        context.say("已宣布死亡：worker", "declared dead: worker")
    );
    Ok(0)
}
