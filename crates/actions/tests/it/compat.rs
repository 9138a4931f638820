//! What akkaflow 2.12 accepts, one row of `compat.txt` after the other.

use akkaflow_actions::Registry;
use akkaflow_model::definition::{ActionNode, NodeKind, Workflow};
use akkaflow_model::diagnostic::Severity;
use akkaflow_model::read::read_workflow;

const ROWS: &str = include_str!("compat.txt");

/// A whole file around the text of a row.
fn file(place: &str, text: &str) -> String {
    let at = |wanted: &str, otherwise: &str| {
        if place == wanted {
            text.to_owned()
        } else {
            otherwise.to_owned()
        }
    };
    format!(
        "<work-flow name='w' {}>{}<start name='s' to='x'/><action name='x' {}>{}<ok to='e'/></action>{}<end name='e'/></work-flow>",
        at("root", ""),
        at("coordinator", ""),
        at("action", ""),
        at("body", "<shell><command>ls</command></shell>"),
        at("nodes", "")
    )
}

fn action(workflow: &Workflow) -> &ActionNode {
    let node = workflow
        .node_index("x")
        .map(|index| &workflow.nodes[index].kind);
    match node {
        Some(NodeKind::Action(action)) => action,
        other => panic!("{other:?}"),
    }
}

fn value(workflow: &Workflow, name: &str) -> String {
    let coordinator = || workflow.coordinator.as_ref().unwrap();
    match name {
        "creator" => workflow.creator.clone(),
        "dir" => workflow.dir.clone(),
        "mail-level" => format!("{:?}", workflow.mail_level),
        "mail-receivers" => format!("{:?}", workflow.mail_receivers),
        "instance-limit" => workflow.instance_limit.to_string(),
        "create-time" => format!("{:?}", workflow.create_time),
        "is-enabled" => coordinator().is_enabled.to_string(),
        "window" => format!("{} {}", coordinator().start_time, coordinator().end_time),
        "depends" => format!("{:?}", coordinator().depends),
        "params" => format!("{:?}", coordinator().params),
        "kill" => workflow
            .nodes
            .iter()
            .find_map(|node| match &node.kind {
                NodeKind::Kill { message } => Some(message.clone()),
                _ => None,
            })
            .unwrap(),
        "host" => format!("{:?}", action(workflow).host),
        "retry" => format!(
            "{} {}",
            action(workflow).retry_times,
            action(workflow).interval_seconds
        ),
        "timeout" => {
            let action = action(workflow);
            format!(
                "{:?} {:?} {:?}",
                action.timeout_seconds, action.timeout_scope, action.on_timeout
            )
        }
        "is-ignore" => action(workflow).is_ignore.to_string(),
        "tag" => action(workflow).tag.clone(),
        other => panic!("unknown value {other}"),
    }
}

#[test]
fn every_row_of_akkaflows_language_is_read_as_it_was() {
    let mut wrong = Vec::new();
    for row in ROWS.lines().filter(|row| !row.starts_with('#')) {
        let (place, rest) = row.split_once(" | ").unwrap();
        let (_, rest) = rest.split_once(" | ").unwrap();
        let (text, expected) = rest.rsplit_once(" | ").unwrap();
        let reading = read_workflow(file(place, text).as_bytes(), &Registry::builtin());
        let found = match &reading.workflow {
            Some(workflow) => {
                let name = expected.split('=').next().unwrap();
                if name.starts_with("AF") {
                    "accepted".to_owned()
                } else {
                    format!("{name}={}", value(workflow, name))
                }
            }
            None => {
                let errors = reading
                    .diagnostics
                    .iter()
                    .filter(|it| it.severity == Severity::Error);
                let codes: Vec<&str> = errors.map(|it| it.code).collect();
                codes.join(" ")
            }
        };
        if found != expected {
            wrong.push(format!("{row}\n  but it is {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
