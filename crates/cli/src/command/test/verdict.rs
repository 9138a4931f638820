//! What came of a play, held against what was expected.

use akkaflow_model::state::NodeState;
use akkaflow_model::text::{Lang, Text};

use super::cases::{Expected, NOT_REACHED};
use crate::rehearsal::Played;

/// What is not as expected, one sentence each.
pub(super) fn problems(lang: Lang, expected: &Expected, played: &Played) -> Vec<String> {
    let mut found = Vec::new();
    let mut differ = |what: Text, expected: &str, actual: &str| {
        if expected != actual {
            let words = Text::new(
                format!("{}：应为 {expected}，实为 {actual}", what.zh),
                format!("{}: expected {expected}, found {actual}", what.en),
            );
            found.push(words.get(lang).to_owned());
        }
    };
    let row = &played.instance;
    if let Some(state) = expected.state {
        differ(
            Text::new("实例状态", "state"),
            state.as_str(),
            row.state.as_str(),
        );
    }
    if let Some(path) = &expected.path {
        let actual: Vec<&str> = played.nodes.iter().map(|node| node.node.as_str()).collect();
        differ(
            Text::new("路径", "path"),
            &path.join(" → "),
            &actual.join(" → "),
        );
    }
    let node = |name: &str| played.nodes.iter().find(|node| node.node == name);
    for (name, state) in &expected.nodes {
        let word = |state: Option<NodeState>| state.map_or(NOT_REACHED, NodeState::as_str);
        let what = Text::new(format!("节点{name}"), format!("node {name}"));
        differ(what, word(*state), word(node(name).map(|node| node.state)));
    }
    for (name, count) in &expected.attempts {
        let what = Text::new(
            format!("节点{name}的尝试次数"),
            format!("attempts of {name}"),
        );
        let actual = node(name).map_or(0, |node| node.attempts);
        differ(what, &count.to_string(), &actual.to_string());
    }
    for (name, value) in &expected.params {
        let what = Text::new(format!("参数{name}"), format!("parameter {name}"));
        let actual = row.params.iter().find(|(known, _)| known == name);
        let actual = actual.map_or("-", |(_, value)| value.as_str());
        differ(what, value, actual);
    }
    if !row.state.is_terminal() {
        let why = played.stuck.iter().map(|reason| reason.get(lang));
        let why: Vec<&str> = why.collect();
        let words = Text::new("实例没有结束", "the instance does not end");
        found.push(format!("{}: {}", words.get(lang), why.join("; ")));
    }
    found
}
