//! The cluster.

use akkaflow_model::text::Text;
use axum::extract::{Query, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::{Outcome, Pairs, fail, respond, success, unknown_action, value};
use crate::app::{App, Shared};

/// What the master does, under the names of akkaflow's daemons.
const DAEMONS: [&str; 4] = [
    "xml-loader",
    "workflow-manager",
    "cron-runner",
    "log-recorder",
];

/// `/akkaflow/cluster`
pub(super) async fn get(State(app): Shared, Query(pairs): Query<Pairs>) -> Response {
    let outcome = match value(&pairs, "action") {
        Some("get") => tree(&app).await,
        Some("shutdown") => fail(
            "不能通过HTTP关闭集群，请在服务器上执行 sbin/stop-cluster",
            "the cluster cannot be stopped over HTTP; run sbin/stop-cluster on its machines",
        ),
        _ => unknown_action(),
    };
    respond(outcome)
}

/// The flat tree of akkaflow's page: roles under `top`, daemons under the master.
async fn tree(app: &App) -> Outcome {
    let status = app.master.status().await?;
    let (ip, port) = split(&status.endpoint);
    let mut items = vec![
        item("top", "", "", "2", None),
        item("master", ip, port, "0", Some("top")),
    ];
    items.extend(
        DAEMONS
            .iter()
            .map(|daemon| item(daemon, ip, port, "1", Some("master"))),
    );
    let attached = status.workers.iter().filter(|worker| worker.is_attached);
    items.extend(attached.map(|worker| item("worker", &worker.host, "", "0", Some("top"))));
    let (ip, port) = split(&app.options.listen);
    items.push(item("http-server", ip, port, "0", Some("top")));
    success(
        Text::new("成功获取集群信息", "here is the cluster"),
        json!(items),
    )
}

fn item(name: &str, ip: &str, port: &str, kind: &str, parent: Option<&str>) -> Value {
    json!({ "name": name, "ip": ip, "port": port, "atype": kind, "pname": parent })
}

fn split(endpoint: &str) -> (&str, &str) {
    endpoint.rsplit_once(':').unwrap_or((endpoint, ""))
}
