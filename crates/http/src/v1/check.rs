//! Checks a definition without putting it.

use std::collections::BTreeMap;
use std::sync::Arc;

use akkaflow_api::{Checked, Diagnostic};
use akkaflow_model::check::{Outline, Set};
use akkaflow_model::definition::Workflow;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::text::{Lang, Text};

use crate::app::App;
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
    let (missing_upstreams, cycle) = misfits(&workflow, &all);
    Ok(Checked {
        exists: all.contains_key(&workflow.name),
        missing_upstreams,
        cycle,
        version: workflow.version.0.clone(),
        diagnostics: findings
            .iter()
            .map(|finding| Diagnostic::new(finding, lang))
            .collect(),
        name: workflow.name,
    })
}

/// The upstreams of a definition that do not exist, and a circle that it would close among the workflows in force.
fn misfits(
    workflow: &Workflow,
    all: &BTreeMap<String, Arc<[String]>>,
) -> (Vec<String>, Vec<String>) {
    let new = Outline::in_force(workflow);
    let others: Vec<Outline> = all
        .iter()
        .filter(|(name, _)| **name != workflow.name)
        .map(|(name, upstreams)| Outline::waiting_for(name, upstreams))
        .collect();
    let set = Set::of(others.iter().chain([&new]).map(|outline| ("", outline)));
    (set.missing_upstreams(&new), set.circle_of(&workflow.name))
}
