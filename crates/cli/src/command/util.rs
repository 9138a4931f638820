//! `akka util ...`

use akkaflow_api::WorkflowSummary;
use akkaflow_model::text::Lang;
use clap::ArgMatches;
use serde_json::json;

use super::{Outcome, print_legacy, required, workflow_view};
use crate::context::Context;
use crate::exit::FAILED;

pub(super) fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let (action, matches) = matches.subcommand().expect("clap requires an action");
    match action {
        "reset-all" => reset_all(context),
        "del-dir" => delete_folder(context, required(matches, "FOLDER")),
        other => unreachable!("clap knows no action {other}"),
    }
}

fn reset_all(context: &Context) -> Outcome {
    if context.is_legacy {
        return print_legacy(context, "/akkaflow/workflows?action=reset", None);
    }
    context.client.post("/api/v1/workflows/reset", &json!({}))?;
    if context.is_json {
        outln!("{{}}");
    } else {
        outln!(
            "{}",
            context.say("已重置全部调度器状态", "reset all schedules")
        );
    }
    Ok(0)
}

/// Folders are what the workflows say: one that holds none does not exist, so none is ever left to delete.
fn delete_folder(context: &Context, folder: &str) -> Outcome {
    let workflows: Vec<WorkflowSummary> = context.client.get("/api/v1/workflows")?;
    let is_used = workflows
        .iter()
        .any(|workflow| workflow_view::lies_in(&workflow.dir, folder));
    let message = match (is_used, context.screen.lang) {
        (true, Lang::Zh) => "ERROR!该目录不为空".to_owned(),
        (true, Lang::En) => "ERROR! the folder is not empty".to_owned(),
        (false, Lang::Zh) => {
            let last = folder.trim_end_matches('/').rsplit('/').next();
            let last = last.unwrap_or(folder);
            format!("ERROR!路径{folder}中的{last}不存在，请检查")
        }
        (false, Lang::En) => format!("ERROR! there is no folder {folder}"),
    };
    outln!("{message}");
    Ok(FAILED)
}
