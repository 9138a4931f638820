//! Test files: TOML, one `[[test]]` each.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use akkaflow_actions::Registry;
use akkaflow_engine::OutcomeKind;
use akkaflow_model::definition::{NodeKind, Workflow};
use akkaflow_model::read::read_workflow;
use akkaflow_model::render::render_findings;
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;
use chrono::{NaiveDate, NaiveDateTime, TimeZone as _};
use chrono_tz::Tz;
use serde::Deserialize;

use super::Prepared;
use crate::context::Context;
use crate::failure::Failure;
use crate::rehearsal::Mock;

/// A whole file.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    /// The workflow's file, relative to this one.
    workflow: String,
    #[serde(default)]
    test: Vec<Case>,
}

/// One test.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Case {
    name: String,
    /// The business date, `yyyy-MM-dd[THH:mm:ss]`.
    date: Option<String>,
    #[serde(default)]
    params: BTreeMap<String, String>,
    /// How the attempts of each node end; [`Case::ANY`] stands for all others.
    #[serde(default)]
    mock: BTreeMap<String, Mocks>,
    #[serde(default)]
    expect: Expectation,
}

impl Case {
    /// Every node that is not named.
    pub(super) const ANY: &'static str = "*";
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Mocks {
    One(Ending),
    Each(Vec<Ending>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Ending {
    Word(Word),
    Full(Full),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Full {
    #[serde(default = "Word::succeeded")]
    outcome: Word,
    exit_code: Option<i32>,
    #[serde(default)]
    seconds: u64,
    #[serde(default)]
    outputs: BTreeMap<String, Output>,
}

/// What an attempt hands on, in quotes or as it is.
#[derive(Deserialize)]
#[serde(untagged)]
enum Output {
    Text(String),
    Integer(i64),
    Boolean(bool),
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Succeeded,
    Failed,
    /// A wrong definition: no retry.
    FailedForGood,
    /// The worker died with it.
    Lost,
}

impl Word {
    fn succeeded() -> Self {
        Self::Succeeded
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Expectation {
    state: Option<InstanceState>,
    path: Option<Vec<String>>,
    #[serde(default)]
    nodes: BTreeMap<String, String>,
    #[serde(default)]
    attempts: BTreeMap<String, u32>,
    #[serde(default)]
    params: BTreeMap<String, String>,
}

/// What should come of it; what is not said may be anything.
#[derive(Debug, Default)]
pub(super) struct Expected {
    pub(super) state: Option<InstanceState>,
    /// The nodes in the order in which they are reached.
    pub(super) path: Option<Vec<String>>,
    /// The state of each node; `None` when it is never reached.
    pub(super) nodes: BTreeMap<String, Option<NodeState>>,
    pub(super) attempts: BTreeMap<String, u32>,
    pub(super) params: BTreeMap<String, String>,
}

/// The word for a node that is never reached.
pub(super) const NOT_REACHED: &str = "not-reached";

/// Reads a test file and the workflow that it names.
pub(super) fn read(context: &Context, file: &Path, zone: Tz) -> Result<Vec<Prepared>, Failure> {
    let wrong = |problem: String| Failure::usage(format!("{}: {problem}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let parsed: File = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if parsed.test.is_empty() {
        let problem = context.say("没有 [[test]]", "it has no [[test]]");
        return Err(wrong(problem.to_owned()));
    }
    let path = file
        .parent()
        .unwrap_or(Path::new(""))
        .join(&parsed.workflow);
    let workflow = workflow(context, &path)?;
    let tests = parsed.test.into_iter();
    tests
        .map(|case| {
            let lang = context.screen.lang;
            let prepared = case.prepare(&workflow, zone);
            prepared.map_err(|problem| wrong(problem.get(lang).to_owned()))
        })
        .collect()
}

fn workflow(context: &Context, path: &Path) -> Result<Arc<Workflow>, Failure> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    let reading = read_workflow(&bytes, &Registry::builtin());
    let findings = reading.findings(&name);
    reading.workflow.map(Arc::new).ok_or_else(|| {
        let screen = &context.screen;
        Failure::usage(render_findings(&findings, screen.lang, screen.is_colored))
    })
}

impl Case {
    fn prepare(self, workflow: &Arc<Workflow>, zone: Tz) -> Result<Prepared, Text> {
        let unknown = |node: &str| {
            let names = workflow.nodes.iter().map(|node| node.name.as_str());
            let test = &self.name;
            match akkaflow_model::suggest::closest(node, names) {
                Some(close) => Text::new(
                    format!("{test}：没有节点[{node}]，是否为[{close}]？"),
                    format!("{test}: no node `{node}`; `{close}`?"),
                ),
                None => Text::new(
                    format!("{test}：没有节点[{node}]"),
                    format!("{test}: no node `{node}`"),
                ),
            }
        };
        let expect = &self.expect;
        let named = self.mock.keys().chain(expect.nodes.keys());
        let named = named
            .chain(expect.attempts.keys())
            .chain(expect.path.iter().flatten());
        for node in named {
            if node != Self::ANY && workflow.node_index(node).is_none() {
                return Err(unknown(node));
            }
        }
        let handed_on = self.mock.iter().flat_map(|(node, mocks)| {
            let outputs = mocks.endings().iter().flat_map(Ending::outputs);
            outputs.map(move |output| (node, output))
        });
        for (node, output) in handed_on {
            if !has_output(workflow, node, output) {
                let test = &self.name;
                return Err(Text::new(
                    format!("{test}：节点[{node}]没有声明输出[{output}]"),
                    format!("{test}: node `{node}` declares no output `{output}`"),
                ));
            }
        }
        let nodes = expect.nodes.iter().map(|(node, word)| {
            let state = NodeState::from_word(word);
            if state.is_none() && word != NOT_REACHED {
                let test = &self.name;
                return Err(Text::new(
                    format!("{test}：没有状态[{word}]"),
                    format!("{test}: no state `{word}`"),
                ));
            }
            Ok((node.clone(), state))
        });
        Ok(Prepared {
            fire_time: moment(self.date.as_deref(), zone)?,
            expected: Expected {
                state: expect.state,
                path: expect.path.clone(),
                nodes: nodes.collect::<Result<_, Text>>()?,
                attempts: expect.attempts.clone(),
                params: expect.params.clone(),
            },
            name: self.name,
            workflow: workflow.clone(),
            zone,
            params: self.params.into_iter().collect(),
            mocks: self
                .mock
                .into_iter()
                .map(|(node, mocks)| (node, mocks.list()))
                .collect(),
        })
    }
}

fn has_output(workflow: &Workflow, node: &str, output: &str) -> bool {
    let mut nodes = workflow.nodes.iter();
    let node = nodes.find(|known| known.name == node);
    match node.map(|node| &node.kind) {
        Some(NodeKind::Action(action)) => action.outputs.iter().any(|it| it.name == output),
        _ => false,
    }
}

impl Mocks {
    fn endings(&self) -> &[Ending] {
        match self {
            Self::One(ending) => std::slice::from_ref(ending),
            Self::Each(endings) => endings,
        }
    }

    fn list(self) -> Vec<Mock> {
        match self {
            Self::One(ending) => vec![ending.mock()],
            Self::Each(endings) => endings.into_iter().map(Ending::mock).collect(),
        }
    }
}

impl Ending {
    fn outputs(&self) -> impl Iterator<Item = &str> {
        let outputs = match self {
            Self::Word(_) => None,
            Self::Full(full) => Some(full.outputs.keys()),
        };
        outputs.into_iter().flatten().map(String::as_str)
    }

    fn mock(self) -> Mock {
        let full = match self {
            Self::Word(outcome) => Full {
                outcome,
                exit_code: None,
                seconds: 0,
                outputs: BTreeMap::new(),
            },
            Self::Full(full) => full,
        };
        Mock {
            kind: match full.outcome {
                Word::Succeeded => OutcomeKind::Succeeded,
                Word::Failed => OutcomeKind::Failed,
                Word::FailedForGood => OutcomeKind::FailedForGood,
                Word::Lost => OutcomeKind::Lost,
            },
            exit_code: full.exit_code,
            takes: Duration::from_secs(full.seconds),
            outputs: full
                .outputs
                .into_iter()
                .map(|(name, value)| (name, value.text()))
                .collect(),
        }
    }
}

impl Output {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Integer(number) => number.to_string(),
            Self::Boolean(flag) => flag.to_string(),
        }
    }
}

/// A business date; a test that names none has one that never changes.
fn moment(date: Option<&str>, zone: Tz) -> Result<Timestamp, Text> {
    let date = date.unwrap_or("2026-01-01");
    let local = NaiveDateTime::parse_from_str(date, "%Y-%m-%dT%H:%M:%S")
        .ok()
        .or_else(|| {
            let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
            date.and_hms_opt(0, 0, 0)
        })
        .ok_or_else(|| {
            Text::new(
                format!("[{date}]不是日期yyyy-MM-dd[THH:mm:ss]"),
                format!("`{date}` is no date yyyy-MM-dd[THH:mm:ss]"),
            )
        })?;
    zone.from_local_datetime(&local)
        .earliest()
        .map(Timestamp::from)
        .ok_or_else(|| {
            Text::new(
                format!("时区{zone}中没有时刻[{date}]"),
                format!("`{date}` does not exist in {zone}"),
            )
        })
}
