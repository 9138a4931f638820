//! `akka capsule ID`, `akka replay FILE`: the history of one instance, taken away and decided again.

use std::path::Path;
use std::sync::Arc;

use akkaflow_actions::Registry;
use akkaflow_api::{CAPSULE_FORMAT, Capsule};
use akkaflow_engine::{Moment, Solo, decisions};
use akkaflow_model::definition::Workflow;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::read::read_unlinted;
use akkaflow_model::record::Record;
use clap::ArgMatches;

use super::{Outcome, optional, required};
use crate::client::encode;
use crate::context::Context;
use crate::exit::FAILED;
use crate::failure::Failure;

/// Writes the history of an instance to standard output or a file.
pub(super) fn export(context: &Context, matches: &ArgMatches) -> Outcome {
    let path = format!(
        "/api/v1/instances/{}/capsule",
        encode(required(matches, "ID"))
    );
    let capsule: Capsule = context.client.get(&path)?;
    let text = serde_json::to_string_pretty(&capsule).expect("a capsule is plain data");
    if !capsule.is_complete {
        super::warn(
            context,
            context.say(
                "调度日志已不含该实例的开头，无法重放，但仍可用于akka test",
                "the journal does not reach back to the beginning of this instance any more: it cannot be replayed, but serves as a test",
            ),
        );
    }
    match optional(matches, "output") {
        Some(file) => std::fs::write(file, text + "\n")
            .map_err(|error| Failure::new(ErrorCode::Invalid, format!("{file}: {error}")))?,
        None => outln!("{text}"),
    }
    Ok(0)
}

/// Reads what [`export`] wrote.
pub(super) fn read(context: &Context, file: &Path) -> Result<Capsule, Failure> {
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    let capsule: Capsule = serde_json::from_str(&text).map_err(|error| {
        let problem = context.say(
            "不是akka capsule导出的文件",
            "no file that akka capsule wrote",
        );
        Failure::usage(format!("{name}: {problem}: {error}"))
    })?;
    if capsule.format != CAPSULE_FORMAT {
        let problem = context.say("由另一版本的akka写成", "another version of akka wrote it");
        return Err(Failure::usage(format!(
            "{name}: {problem}: {}",
            capsule.format
        )));
    }
    Ok(capsule)
}

/// The definitions of a capsule that can be read, under the names that its rows give them.
pub(super) fn definitions(capsule: &Capsule) -> Vec<Arc<Workflow>> {
    let registry = Registry::builtin();
    let read = capsule.definitions.iter().filter_map(|definition| {
        let mut workflow = read_unlinted(definition.xml.as_bytes(), None, &registry)?;
        // What was hidden has changed the text, not what it is called.
        workflow.version = definition.version.clone();
        Some(Arc::new(workflow))
    });
    read.collect()
}

/// Decides an instance again and compares each step.
pub(super) fn replay(context: &Context, matches: &ArgMatches) -> Outcome {
    let capsule = read(context, Path::new(required(matches, "FILE")))?;
    if !capsule.is_complete {
        let problem = context.say(
            "调度日志不含该实例的开头，无法重放",
            "the journal did not reach back to the beginning of the instance: it cannot be replayed",
        );
        return Err(Failure::new(ErrorCode::Invalid, problem));
    }
    let zone = capsule
        .time_zone
        .parse::<chrono_tz::Tz>()
        .map_err(|error| Failure::usage(format!("{error}")))?;
    let mut solo = Solo::new(capsule.instance, zone, definitions(&capsule));
    let count = capsule.moments.len();
    for (number, moment) in (1..).zip(&capsule.moments) {
        let moment: Moment = serde_json::from_value(moment.clone()).map_err(|error| {
            let problem = context.say("有一步无法读取", "a step cannot be read");
            Failure::usage(format!("{problem} ({number}/{count}): {error}"))
        })?;
        let records = solo.step(&moment);
        let is_same = decisions(&records) == moment.decisions;
        if !context.is_json {
            let mark = if is_same { "  " } else { "≠ " };
            outln!("{mark}{:>4}  {}", number, moment.at.to_rfc3339());
            records
                .iter()
                .for_each(|record| outln!("        {}", line(record)));
        }
        if !is_same {
            let problem = context.say(
                "此步的决定与集群当时不同，上面是重放的决定",
                "here the cluster decided otherwise; above is what the replay decides",
            );
            return Err(Failure::new(
                ErrorCode::Invalid,
                format!("{number}/{count}: {problem}"),
            ));
        }
    }
    if context.is_json {
        outln!("{}", serde_json::json!({ "steps": count, "is_same": true }));
    } else {
        let same = context.say("步，决定完全相同", "steps, the same decisions");
        outln!("{count} {same}");
    }
    Ok(if count == 0 { FAILED } else { 0 })
}

/// What a row says, in short.
fn line(record: &Record) -> String {
    match record {
        Record::Instance(row) => format!("{} → {}", row.workflow, row.state.as_str()),
        Record::Node(row) => {
            let worker = row.worker.as_ref().map(|worker| format!(" @ {worker}"));
            format!(
                "{} → {}{}",
                row.node,
                row.state.as_str(),
                worker.unwrap_or_default()
            )
        }
        Record::Attempt(row) => {
            format!(
                "{} #{} → {} @ {}",
                row.key.node,
                row.key.attempt,
                row.state.as_str(),
                row.worker
            )
        }
        _ => String::new(),
    }
}
