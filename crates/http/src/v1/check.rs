//! Checks a definition without putting it.

use std::collections::BTreeMap;
use std::sync::Arc;

use akkaflow_api::{Checked, Diagnostic};
use akkaflow_model::definition::Workflow;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::text::{Lang, Text};

use crate::app::App;
use crate::definitions::cycle_through;
use crate::failure::Failure;

/// What a definition is called when its sender does not say.
const UNNAMED: &str = "workflow.xml";

/// Reads a definition and compares it with what is in force.
pub(crate) async fn check(
    app: &App,
    xml: &[u8],
    path: Option<&str>,
    lang: Lang,
) -> Result<Checked, Failure> {
    let reading = app.definitions.read(xml);
    let findings = reading.findings(path.unwrap_or(UNNAMED));
    let Some(workflow) = reading.workflow else {
        return Err(Failure {
            findings,
            ..Failure::new(
                ErrorCode::Invalid,
                Text::new("工作流定义有误", "the definition has errors"),
            )
        });
    };
    let all = app.definitions.all_upstreams(&*app.store).await?;
    let upstreams = upstreams_of(&workflow);
    Ok(Checked {
        exists: all.contains_key(&workflow.name),
        missing_upstreams: missing(&workflow.name, upstreams, &all),
        cycle: cycle_through(&workflow.name, upstreams, &all),
        version: workflow.version.0.clone(),
        diagnostics: findings
            .iter()
            .map(|finding| Diagnostic::new(finding, lang))
            .collect(),
        name: workflow.name,
    })
}

fn upstreams_of(workflow: &Workflow) -> &[String] {
    workflow
        .coordinator
        .as_ref()
        .map_or(&[], |coordinator| &coordinator.depends)
}

fn missing(name: &str, upstreams: &[String], all: &BTreeMap<String, Arc<[String]>>) -> Vec<String> {
    upstreams
        .iter()
        .filter(|upstream| !all.contains_key(*upstream) && *upstream != name)
        .cloned()
        .collect()
}
