//! Workflows.

use std::collections::BTreeMap;

use akkaflow_api::{
    Dependency, Diagnostic, FileProblem, NextFire, Params, PastFire, Schedule, WorkflowDetail,
    WorkflowNode, WorkflowSummary,
};
use akkaflow_model::definition::{Coordinator, DependencyTerm, Node, Workflow};
use akkaflow_model::record::{FileProblemRow, ScheduleRow, WorkflowRow, WorkflowStatus};
use akkaflow_model::text::{Lang, Text};
use akkaflow_rpc::wire::explain_request::Object;
use futures::{StreamExt as _, TryStreamExt as _};

use crate::app::App;
use crate::failure::Failure;
use crate::view::calendar;

/// Reads of schedules that are on their way at once in a listing.
const READS_AT_ONCE: usize = 8;
/// Coming slots that are shown.
const NEXT_FIRES: usize = 10;
/// Past slots that are shown.
const PAST_FIRES: u32 = 10;
/// How people write local times.
const LOCAL_FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// All workflows that exist for people, by name.
pub(crate) async fn workflow_summaries(
    app: &App,
    lang: Lang,
) -> Result<Vec<WorkflowSummary>, Failure> {
    let rows = app.store.workflows().await?;
    let not_runnable = &app.master.not_runnable().await;
    futures::stream::iter(rows)
        .map(|row| async move {
            let schedule = app.store.schedule(&row.name).await?;
            let mut summary = workflow_summary(&row, schedule.as_ref());
            let why = not_runnable.get(&row.name);
            summary.not_runnable = why.map(|why| why.get(lang).to_owned());
            Ok::<_, Failure>(summary)
        })
        .buffered(READS_AT_ONCE)
        .try_collect()
        .await
}

/// `schedule` is `None` when the workflow has no coordinator.
fn workflow_summary(row: &WorkflowRow, schedule: Option<&ScheduleRow>) -> WorkflowSummary {
    WorkflowSummary {
        name: row.name.clone(),
        dir: row.dir.clone(),
        creator: row.creator.clone(),
        desc: row.desc.clone(),
        status: row.status,
        is_enabled: schedule.map(|schedule| schedule.is_enabled),
        cron: schedule
            .map(|schedule| schedule.trigger.clone())
            .filter(|cron| !cron.is_empty()),
        version: row.version.0.clone(),
        file: row.file_path.clone(),
        created_at: row.created_at.into(),
        updated_at: row.updated_at.into(),
        hold: row.hold.as_ref().map(super::hold),
        not_runnable: None,
    }
}

/// Everything about one workflow.
pub(crate) async fn workflow_detail(
    app: &App,
    row: &WorkflowRow,
    lang: Lang,
) -> Result<WorkflowDetail, Failure> {
    let store = &*app.store;
    let definition = app.definitions.get(store, &row.version).await?;
    let definition = definition.as_deref();
    let stored = store.schedule(&row.name).await?;
    let coordinator = definition.and_then(|definition| definition.coordinator.as_ref());
    let mut summary = workflow_summary(row, stored.as_ref());
    summary.cron = coordinator.and_then(crons);
    let why = definition.and_then(|definition| definition.not_runnable.as_ref());
    summary.not_runnable = why.map(|why| why.get(lang).to_owned());
    let schedule = match coordinator {
        Some(coordinator) => Some(schedule(app, row, coordinator, stored.as_ref(), lang).await?),
        None => None,
    };
    Ok(WorkflowDetail {
        summary,
        create_time: definition.and_then(|definition| definition.create_time.clone()),
        mail_level: definition.map_or_else(Vec::new, |definition| definition.mail_level.clone()),
        mail_receivers: definition
            .map_or_else(Vec::new, |definition| definition.mail_receivers.clone()),
        instance_limit: definition.map_or(0, |definition| definition.instance_limit),
        used_params: definition.map_or_else(Vec::new, |definition| definition.used_params.clone()),
        schedule,
        dependants: dependants(app, &row.name).await?,
        nodes: definition.map_or_else(Vec::new, nodes),
        file_problems: problems_of(app, row, lang).await?,
    })
}

/// The master has them at hand; without one all definitions are read.
async fn dependants(app: &App, name: &str) -> Result<Vec<String>, Failure> {
    if let Some(dependants) = app.master.dependants(name).await {
        return Ok(dependants);
    }
    let upstreams = app.definitions.all_upstreams(&*app.store).await?;
    Ok(upstreams
        .into_iter()
        .filter(|(_, upstreams)| upstreams.iter().any(|upstream| upstream == name))
        .map(|(dependant, _)| dependant)
        .collect())
}

fn nodes(definition: &Workflow) -> Vec<WorkflowNode> {
    let mut followers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in &definition.nodes {
        for before in &node.after {
            followers.entry(before).or_default().push(&node.name);
        }
    }
    let view = |node: &Node| WorkflowNode {
        name: node.name.clone(),
        kind: super::node_type_of(node),
        desc: node.desc.clone(),
        targets: (node.targets().into_iter())
            .chain(
                followers
                    .get(node.name.as_str())
                    .into_iter()
                    .flatten()
                    .copied(),
            )
            .map(ToOwned::to_owned)
            .collect(),
    };
    definition.nodes.iter().map(view).collect()
}

async fn schedule(
    app: &App,
    row: &WorkflowRow,
    coordinator: &Coordinator,
    stored: Option<&ScheduleRow>,
    lang: Lang,
) -> Result<Schedule, Failure> {
    let zone = app.zone().await?;
    let depends = dependencies(app, row, coordinator).await?;
    let calendar = calendar::of(app, coordinator).await?;
    let timing = coordinator.schedule(zone, calendar);
    let fired_through = stored.map_or(app.now(), |stored| stored.fired_through);
    // Without its calendar nobody knows on which days it fires.
    let is_known = timing.calendar.is_some() == coordinator.timing.calendar.is_some();
    let next_fires = if coordinator.is_enabled && is_known {
        NextFire::of(&timing, app.now().max(fired_through), NEXT_FIRES, lang)
    } else {
        Vec::new()
    };
    Ok(Schedule {
        is_enabled: coordinator.is_enabled,
        cron: crons(coordinator),
        cron_words: (!timing.is_empty()).then(|| match &coordinator.timing.calendar {
            Some((name, _)) if !is_known => without_calendar(&timing.describe(), name)
                .get(lang)
                .to_owned(),
            _ => timing.describe().get(lang).to_owned(),
        }),
        next_fire: next_fires.first().map(|fire| fire.at),
        next_fires,
        start_time: coordinator.start_time.format(LOCAL_FORMAT).to_string(),
        end_time: coordinator.end_time.format(LOCAL_FORMAT).to_string(),
        time_zone: timing.zone.name().to_owned(),
        params: Params(coordinator.params.clone()),
        depends,
        recent_fires: recent_fires(app, row, lang).await?,
    })
}

/// What became of the slots that came last.
async fn recent_fires(app: &App, row: &WorkflowRow, lang: Lang) -> Result<Vec<PastFire>, Failure> {
    let fires = app.store.fires(&row.name, PAST_FIRES).await?;
    Ok(fires
        .into_iter()
        .map(|fire| PastFire {
            due_at: fire.due_at.into(),
            through: fire.through.map(Into::into),
            state: fire.state,
            instance: fire.instance.map(|id| id.to_string()),
            reason: fire.reason.map(|reason| reason.text().get(lang).to_owned()),
        })
        .collect())
}

/// What it waits for. Whether a rule is met only the master knows; without one, what is not used yet counts.
async fn dependencies(
    app: &App,
    row: &WorkflowRow,
    coordinator: &Coordinator,
) -> Result<Vec<Dependency>, Failure> {
    let tokens = app.store.waiting_tokens(&row.name).await?;
    let rules: Vec<Option<String>> = (coordinator.depends.iter())
        .map(|upstream| rules_on(coordinator, upstream))
        .collect();
    let lacking = if rules.iter().any(Option::is_some) {
        let object = Object::Workflow(row.name.clone());
        app.master.explain(object).await.ok()
    } else {
        None
    };
    let mut depends = Vec::with_capacity(rules.len());
    for (upstream, rule) in coordinator.depends.iter().zip(rules) {
        let unused = tokens.iter().filter(|token| token.upstream == *upstream);
        let count = unused.count();
        let is_ready = match &lacking {
            Some(reasons) => !reasons
                .iter()
                .any(|reason| reason.object.split(' ').any(|name| name == upstream)),
            None => count > 0,
        };
        let upstream_row = app.store.workflow(upstream).await?;
        depends.push(Dependency {
            workflow: upstream.clone(),
            is_ready,
            tokens: count as u64,
            exists: upstream_row.is_some_and(|row| row.status != WorkflowStatus::Deleted),
            rule,
        });
    }
    Ok(depends)
}

/// What is asked of an upstream beside a fresh success, as a definition says it.
fn rules_on(coordinator: &Coordinator, upstream: &str) -> Option<String> {
    let mut rules = Vec::new();
    for term in &coordinator.dependencies {
        for dependency in term.dependencies() {
            if dependency.workflow == upstream {
                let mut rule = dependency.date.to_string();
                if let Some(seconds) = dependency.max_age_seconds {
                    rule = format!("{rule} max-age={seconds}s");
                }
                if matches!(term, DependencyTerm::AnyOf(_)) {
                    rule = format!("any-of {rule}");
                }
                rules.push(rule);
            }
        }
    }
    rules.retain(|rule| rule != "fresh");
    (!rules.is_empty()).then(|| rules.join(", "))
}

/// The words of a schedule whose calendar is not at hand.
fn without_calendar(words: &Text, calendar: &str) -> Text {
    let Text { zh, en } = words;
    Text::new(
        format!("{zh}（没有日历{calendar}，因此不会触发）"),
        format!("{en} (there is no calendar `{calendar}`, so it does not fire)"),
    )
}

/// All crons of a coordinator as they are written.
fn crons(coordinator: &Coordinator) -> Option<String> {
    let crons: Vec<&str> = coordinator
        .cron
        .iter()
        .chain(&coordinator.timing.crons)
        .map(|cron| cron.as_str())
        .collect();
    (!crons.is_empty()).then(|| crons.join("; "))
}

async fn problems_of(
    app: &App,
    row: &WorkflowRow,
    lang: Lang,
) -> Result<Vec<FileProblem>, Failure> {
    let problems = app.store.file_problems().await?;
    let concerns = |problem: &FileProblemRow| {
        problem.workflow.as_ref() == Some(&row.name)
            || row.file_path.as_ref() == Some(&problem.path)
    };
    Ok(problems
        .iter()
        .filter(|problem| concerns(problem))
        .map(|problem| file_problem(problem, Some(row), lang))
        .collect())
}

/// A broken file, and the workflow that it names if there is one.
pub(crate) fn file_problem(
    row: &FileProblemRow,
    workflow: Option<&WorkflowRow>,
    lang: Lang,
) -> FileProblem {
    let runs_on = workflow.is_some_and(|workflow| {
        workflow.status != WorkflowStatus::Deleted && workflow.file_path.as_ref() == Some(&row.path)
    });
    FileProblem {
        path: row.path.clone(),
        workflow: row.workflow.clone(),
        runs_on,
        found_at: row.found_at.into(),
        diagnostics: row
            .findings
            .iter()
            .map(|finding| Diagnostic::new(finding, lang))
            .collect(),
    }
}
