//! `akka cluster`, `akka worker fence`

use akkaflow_api::{Cluster, Hold, Named};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::message::{because_en, because_zh, by_en, by_zh};
use akkaflow_model::text::Lang;
use clap::ArgMatches;
use serde_json::json;

use super::{Outcome, print_json, required, steering};
use crate::client::encode;
use crate::context::Context;
use crate::exit::exit_code;
use crate::screen::{Screen, plain};

/// Fails when nobody leads.
pub(super) fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    if let Some((action, matches)) = matches.subcommand() {
        return steering::cluster(context, action, matches);
    }
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
    text.push_str(&frozen(screen, cluster.frozen.as_ref()));
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
        screen.say("标签", "labels"),
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
                plain(match worker.is_attached {
                    true => format!("{}/{}", worker.busy, worker.slots),
                    // It takes nothing while it is away.
                    false => format!("{}/-", worker.busy),
                }),
                plain(worker.labels.join(" ")),
                plain(screen.optional_time(worker.since)),
            ]
        })
        .collect();
    text.push_str(&screen.table(&header, rows));
    if !cluster.pools.is_empty() {
        text.push('\n');
        text.push_str(&steering::pool_table(screen, &cluster.pools));
    }
    text
}

/// A line that says that the cluster is frozen; empty when it is not.
pub(super) fn frozen(screen: &Screen, hold: Option<&Hold>) -> String {
    let Some(hold) = hold else {
        return String::new();
    };
    let since = screen.time(hold.since);
    match screen.lang {
        Lang::Zh => format!(
            "集群自{since}起被{}冻结{}：不再触发和分派，akka cluster thaw 解冻\n",
            by_zh(&hold.user),
            because_zh(&hold.reason)
        ),
        Lang::En => format!(
            "frozen since {since}{}{}; nothing is fired or dispatched, `akka cluster thaw` lets it go on\n",
            by_en(&hold.user),
            because_en(&hold.reason)
        ),
    }
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

#[cfg(test)]
mod tests {
    use akkaflow_api::{Master, WorkerView};
    use akkaflow_model::time::Timestamp;

    use super::*;
    use crate::screen::testing::screen;

    #[test]
    fn a_worker_out_of_reach_shows_its_host_and_since_when() {
        let worker = WorkerView {
            id: "w1".to_owned(),
            host: "etl-7".to_owned(),
            slots: 0,
            busy: 2,
            is_attached: false,
            since: Some(Timestamp::from_millis(1_790_000_000_000).into()),
            labels: vec!["gpu".to_owned()],
        };
        let cluster = Cluster {
            master: Some(Master {
                endpoint: "127.0.0.1:2751".to_owned(),
                epoch: 3,
                time_zone: "UTC".to_owned(),
                version: "1".to_owned(),
            }),
            workers: vec![worker],
            time_zone: Some("UTC".to_owned()),
            http_version: "1".to_owned(),
            frozen: Some(Hold {
                user: "ann".to_owned(),
                reason: "upgrade".to_owned(),
                since: Timestamp::from_millis(1_790_000_000_000).into(),
            }),
            pools: Vec::new(),
        };
        let text = render(&screen(Lang::En, None), &cluster);
        assert!(text.contains("by ann: upgrade"), "{text}");
        let line = text.lines().find(|line| line.contains("w1")).unwrap();
        for word in ["etl-7", "out of reach", "2/-", "gpu", "2026-"] {
            assert!(line.contains(word), "`{word}` is missing in: {line}");
        }
    }
}
