//! `akka test FILE...`: workflows played with nodes that only pretend to run, and what should come of it.

mod cases;
mod verdict;

use std::path::Path;
use std::sync::Arc;

use akkaflow_engine::OutcomeKind;
use akkaflow_model::definition::{NodeKind, Workflow};
use akkaflow_model::record::NodeRow;
use akkaflow_model::state::{AttemptState, NodeState};
use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;
use clap::ArgMatches;

use super::{Outcome, capsule, cron};
use crate::context::Context;
use crate::exit::FAILED;
use crate::failure::Failure;
use crate::rehearsal::{Mock, Play};
use cases::{Case, Expected};

/// One test with all that it needs.
struct Prepared {
    name: String,
    workflow: Arc<Workflow>,
    zone: Tz,
    fire_time: Timestamp,
    params: Vec<(String, String)>,
    /// How the attempts of each node end; the last one repeats.
    mocks: Vec<(String, Vec<Mock>)>,
    expected: Expected,
}

/// Plays every test of every file.
pub(super) fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let zone = cron::zone(context, matches)?;
    let files = matches.get_many::<String>("FILE").into_iter().flatten();
    let (mut passed, mut failed) = (0, 0);
    let mut report = Vec::new();
    for file in files {
        for test in prepare(context, Path::new(file), zone)? {
            let problems = test.play(context);
            if problems.is_empty() {
                passed += 1;
            } else {
                failed += 1;
            }
            if context.is_json {
                report.push(serde_json::json!({
                    "file": file, "test": test.name, "passed": problems.is_empty(), "problems": problems,
                }));
            } else {
                tell(context, file, &test.name, &problems);
            }
        }
    }
    if context.is_json {
        outln!("{}", serde_json::Value::Array(report));
    } else {
        let (ok, bad) = (
            context.say("通过", "passed"),
            context.say("未通过", "failed"),
        );
        outln!("{passed} {ok}, {failed} {bad}");
    }
    Ok(if failed == 0 { 0 } else { FAILED })
}

fn tell(context: &Context, file: &str, name: &str, problems: &[String]) {
    let verdict = if problems.is_empty() {
        context.say("通过  ", "ok    ")
    } else {
        context.say("未通过", "FAILED")
    };
    outln!("{verdict}  {file}: {name}");
    problems
        .iter()
        .for_each(|problem| outln!("        {problem}"));
}

fn prepare(context: &Context, file: &Path, zone: Tz) -> Result<Vec<Prepared>, Failure> {
    // A capsule whatever it is called: no test file begins so.
    let is_json = std::fs::read(file).is_ok_and(|bytes| {
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        first == Some(&b'{')
    });
    if is_json {
        return Ok(vec![of_capsule(context, file)?]);
    }
    cases::read(context, file, zone)
}

/// What an instance did is what its workflow is expected to do again, its attempts ending as they did.
fn of_capsule(context: &Context, file: &Path) -> Result<Prepared, Failure> {
    let capsule = capsule::read(context, file)?;
    let zone = capsule
        .time_zone
        .parse::<Tz>()
        .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    let wrong = |zh, en| {
        let problem = context.say(zh, en);
        Failure::usage(format!("{}: {problem}", file.display()))
    };
    if !capsule.row.state.is_terminal() {
        return Err(wrong(
            "导出时该实例尚未结束，没有可比较的结果",
            "its instance had not ended when it was exported: there is no end to compare with",
        ));
    }
    let workflow = capsule::definitions(&capsule)
        .into_iter()
        .find(|workflow| workflow.version == capsule.row.version)
        .ok_or_else(|| wrong("其中的定义无法读取", "its definition cannot be read"))?;
    let workflow = without(workflow, &capsule.row.ignore_nodes);
    let mut mocks: Vec<(String, Vec<Mock>)> = Vec::new();
    let run = capsule.row.run;
    let node_of = |name: &str| {
        let nodes = capsule.nodes.iter();
        nodes.clone().find(|row| row.run == run && row.node == name)
    };
    for attempt in capsule
        .attempts
        .iter()
        .filter(|attempt| attempt.key.run == run)
    {
        let mock = Mock {
            kind: match attempt.state {
                AttemptState::Failed => OutcomeKind::Failed,
                AttemptState::Lost => OutcomeKind::Lost,
                AttemptState::Killed => OutcomeKind::Cancelled,
                AttemptState::Succeeded | AttemptState::Assigned | AttemptState::Running => {
                    OutcomeKind::Succeeded
                }
            },
            exit_code: attempt.exit_code,
            takes: attempt
                .ended_at
                .map(|end| end.since(attempt.assigned_at))
                .unwrap_or_default(),
            outputs: node_of(&attempt.key.node)
                .map(|row| row.outputs.clone())
                .unwrap_or_default(),
        };
        match mocks.iter_mut().find(|(node, _)| *node == attempt.key.node) {
            Some((_, mocks)) => mocks.push(mock),
            None => mocks.push((attempt.key.node.to_string(), vec![mock])),
        }
    }
    let callers = capsule
        .nodes
        .iter()
        .filter(|row| row.run == run && row.child.is_some());
    mocks.extend(callers.map(of_caller));
    Ok(Prepared {
        name: format!("{} {}", capsule.workflow, capsule.instance.short()),
        expected: Expected {
            state: Some(capsule.row.state),
            nodes: capsule
                .nodes
                .iter()
                .map(|node| (node.node.to_string(), Some(node.state)))
                .collect(),
            ..Expected::default()
        },
        params: capsule.row.params,
        fire_time: capsule.row.fire_time,
        workflow,
        zone,
        mocks,
    })
}

/// The workflow with these nodes passed over, as somebody who triggered it has asked.
fn without(mut workflow: Arc<Workflow>, ignored: &[String]) -> Arc<Workflow> {
    if ignored.is_empty() {
        return workflow;
    }
    for node in &mut Arc::make_mut(&mut workflow).nodes {
        if let NodeKind::Action(action) = &mut node.kind {
            action.is_ignore |= ignored.contains(&node.name);
        }
    }
    workflow
}

/// A node whose instances failed but for the last one, which ended as the node did.
fn of_caller(row: &NodeRow) -> (String, Vec<Mock>) {
    let failed = Mock::at_once(OutcomeKind::Failed);
    let mut mocks = vec![failed; row.failures as usize];
    if row.state == NodeState::Succeeded {
        mocks.push(Mock::at_once(OutcomeKind::Succeeded));
    }
    (row.node.to_string(), mocks)
}

impl Prepared {
    /// What is not as expected, one sentence each.
    fn play(&self, context: &Context) -> Vec<String> {
        let mock = |node: &str, attempt: u32| {
            let of = |wanted: &str| self.mocks.iter().find(|(name, _)| name == wanted);
            let mocks = of(node)
                .or_else(|| of(Case::ANY))
                .map(|(_, mocks)| &mocks[..]);
            let index = attempt.saturating_sub(1) as usize;
            let mock = mocks.and_then(|mocks| mocks.get(index).or(mocks.last()));
            mock.cloned()
                .unwrap_or_else(|| Mock::at_once(OutcomeKind::Succeeded))
        };
        let play = Play {
            workflow: &self.workflow,
            zone: self.zone,
            fire_time: self.fire_time,
            params: self.params.clone(),
            mock: &mock,
        };
        match play.run() {
            Ok(played) => verdict::problems(context.screen.lang, &self.expected, &played),
            Err(rejection) => vec![rejection.text.get(context.screen.lang).to_owned()],
        }
    }
}
