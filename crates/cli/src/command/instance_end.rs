//! How an instance that was waited for has ended, in as few lines as tell it.

use akkaflow_api::{InstanceDetail, InstanceNode};
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Lang;
use comfy_table::Cell;

use crate::screen::{Paint, Screen};

/// A line for each node that did something, and one for all of it.
pub(super) fn render(screen: &Screen, detail: &InstanceDetail) -> String {
    let nodes: Vec<&InstanceNode> = detail.nodes.iter().filter(|it| is_told(it)).collect();
    let lines = nodes.iter().map(|node| (&*node.name, line(screen, node)));
    let mut text = match nodes.is_empty() {
        true => String::new(),
        false => screen.pairs(lines.collect()),
    };
    text.push_str(&last_line(screen, detail));
    // Where a node says why, the instance only says which node it was.
    let is_explained = nodes
        .iter()
        .any(|node| is_failed(node) && node.message.is_some());
    let message = detail.summary.message.as_ref();
    if let Some(message) =
        message.filter(|_| !is_explained && detail.summary.state != InstanceState::Succeeded)
    {
        text.push_str(&format!("{message}\n"));
    }
    text
}

/// Control nodes do nothing that people wait for.
fn is_told(node: &InstanceNode) -> bool {
    let is_control = ["start", "fork", "join", "decision", "end", "kill"].contains(&&*node.kind);
    let is_quiet = ["succeeded", "skipped"].contains(&&*node.state);
    !(is_control && is_quiet)
}

fn is_failed(node: &InstanceNode) -> bool {
    node.state == NodeState::Failed.as_str()
}

fn line(screen: &Screen, node: &InstanceNode) -> Cell {
    let mut words = vec![screen.node_state(&node.state).content()];
    let seconds = screen.seconds(node.started_at, node.ended_at);
    if !seconds.is_empty() {
        words.push(format!("{seconds}s"));
    }
    let mut text = words.join(" ");
    let message = node.message.as_ref();
    if let Some(message) = message.filter(|_| node.state != NodeState::Succeeded.as_str()) {
        text.push_str(screen.say("：", ": "));
        text.push_str(message);
    }
    screen.cell(&text, is_failed(node).then_some(Paint::Red))
}

fn last_line(screen: &Screen, detail: &InstanceDetail) -> String {
    let instance = &detail.summary;
    let duration = screen.duration(instance.started_at, instance.ended_at);
    let state = screen.instance_state(instance.state).content();
    let paint = match instance.state {
        InstanceState::Succeeded => Paint::Green,
        InstanceState::Failed => Paint::Red,
        _ => Paint::Yellow,
    };
    let state = screen.paint(&state, paint);
    let (id, workflow) = (&instance.short_id, &instance.workflow);
    let handled = match instance.handled_errors {
        true => screen.say(
            "（有节点失败后走了error分支）",
            " (an error edge was taken)",
        ),
        false => "",
    };
    match screen.lang {
        Lang::Zh => format!("工作流{workflow}的实例{id}：{state}，运行时长{duration}{handled}\n"),
        Lang::En => format!("instance {id} of {workflow}: {state}, {duration}{handled}\n"),
    }
}
