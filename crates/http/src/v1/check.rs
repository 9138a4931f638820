//! Checks a definition without putting it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use akkaflow_api::{Checked, Diagnostic};
use akkaflow_model::check::{Outline, Set, Surroundings};
use akkaflow_model::definition::Workflow;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::record::WorkflowStatus;
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
    let file = path.unwrap_or(UNNAMED);
    let reading = app.definitions.read(xml);
    let mut findings = reading.findings(file);
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
    let new = reading
        .outline
        .unwrap_or_else(|| Outline::in_force(&workflow));
    let others = others(app, &new, &all).await?;
    let set = Set::of(others.iter().map(|it| ("", it)).chain([(file, &new)]));
    findings.extend(set.check_one(file, &new, Surroundings::default()));
    let (missing_upstreams, cycle) = (set.missing_upstreams(&new), set.circle_of(&workflow.name));
    let row = app.store.workflow(&workflow.name).await?;
    let row = row.filter(|row| row.status == WorkflowStatus::Live);
    Ok(Checked {
        exists: all.contains_key(&workflow.name),
        file: row.and_then(|row| row.file_path),
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

/// The workflows in force beside `new`; whole where it names them.
async fn others(
    app: &App,
    new: &Outline,
    all: &BTreeMap<String, Arc<[String]>>,
) -> Result<Vec<Outline>, Failure> {
    let upstreams = new.upstreams.iter().map(|it| &it.name);
    let named: BTreeSet<&String> = upstreams
        .chain(new.children.iter().map(|it| &it.name))
        .collect();
    let mut others = Vec::with_capacity(all.len());
    for (name, upstreams) in all.iter().filter(|(name, _)| **name != new.name) {
        let definition = match named.contains(name) {
            true => in_force(app, name).await?,
            false => None,
        };
        others.push(match definition {
            Some(definition) => Outline::in_force(&definition),
            None => Outline::waiting_for(name, upstreams),
        });
    }
    Ok(others)
}

async fn in_force(app: &App, name: &str) -> Result<Option<Arc<Workflow>>, Failure> {
    match app.store.workflow(name).await? {
        Some(row) => Ok(app.definitions.get(&*app.store, &row.version).await?),
        None => Ok(None),
    }
}
