//! Commands of people: looked up, checked, handed to the core.

use std::sync::Arc;

use akkaflow_engine::{Order, Origin, RerunFrom};
use akkaflow_model::command::{Answer, Command, Rejection};
use akkaflow_model::definition::Workflow;
use akkaflow_model::diagnostic::Finding;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::param::parse_date;
use akkaflow_model::read::read_workflow;
use akkaflow_model::record::Mark;
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;

use super::{backfill, links};
use crate::core::{Gone, StoredOrder};
use crate::shared::{Shared, Term};

/// Carries out a command; the answer is durable when it comes.
pub(crate) async fn execute(
    shared: &Arc<Shared>,
    term: &Term,
    command: Command,
) -> Result<Result<Answer, Rejection>, Gone> {
    let order = match command {
        Command::PutWorkflow { xml, path } => match put(shared, term, &xml, path).await? {
            Ok(order) => order,
            Err(rejection) => return Ok(Err(rejection)),
        },
        Command::Run {
            name,
            params,
            date,
            idempotency_key,
            user,
        } => {
            let fire_time = match moment(term, &name, date.as_deref()).await? {
                Ok(fire_time) => fire_time,
                Err(rejection) => return Ok(Err(rejection)),
            };
            let body = serde_json::json!([name, params, date]);
            let idempotency = idempotency_key.map(|key| (key, named(&body)));
            Order::Run {
                name,
                params,
                fire_time,
                idempotency,
                user,
            }
        }
        Command::DeleteWorkflow { name } => Order::DeleteWorkflow { name },
        Command::Trigger {
            name,
            ignore_nodes,
            date,
            user,
        } => match moment(term, &name, date.as_deref()).await? {
            Ok(fire_time) => Order::Trigger {
                name,
                ignore_nodes,
                fire_time,
                user,
            },
            Err(rejection) => return Ok(Err(rejection)),
        },
        Command::TriggerBlood { name, date, user } => {
            match moment(term, &name, date.as_deref()).await? {
                Ok(fire_time) => Order::TriggerBlood {
                    name,
                    fire_time,
                    user,
                },
                Err(rejection) => return Ok(Err(rejection)),
            }
        }
        Command::PauseInstance { id, by } => Order::PauseInstance { id, by },
        Command::ResumeInstance { id, by } => Order::ResumeInstance { id, by },
        Command::SuspendWorkflow { name, by } => Order::SuspendWorkflow { name, by },
        Command::ResumeWorkflow { name } => Order::ResumeWorkflow { name },
        Command::Freeze { by } => Order::Freeze { by },
        Command::Thaw => Order::Thaw,
        Command::SetPool { name, slots, user } => Order::SetPool { name, slots, user },
        Command::MarkNode {
            id,
            node,
            is_skipped,
            by,
        } => {
            let mark = Mark {
                node,
                is_skipped,
                user: by.user,
                reason: by.reason,
                at: Timestamp::default(),
            };
            let order = StoredOrder::Mark { id, mark };
            return term.core.stored_order(order).await;
        }
        Command::Repair {
            id,
            xml,
            is_dry_run,
            by,
        } => match repair(shared, xml.as_deref()) {
            Ok(workflow) => Order::Repair {
                id,
                workflow,
                is_dry_run,
                by,
            },
            Err(rejection) => return Ok(Err(rejection)),
        },
        Command::StartBackfill {
            spec,
            is_dry_run,
            idempotency_key,
            by,
        } => match backfill::start(shared, term, spec, is_dry_run, idempotency_key, by).await? {
            Ok(order) => order,
            Err(rejection) => return Ok(Err(rejection)),
        },
        Command::PauseBackfill { id, by } => Order::PauseBackfill { id, by },
        Command::ResumeBackfill { id } => Order::ResumeBackfill { id },
        Command::AbortBackfill { id, kills, by } => Order::AbortBackfill { id, kills, by },
        Command::ResetWorkflow { name } => Order::ResetWorkflow { name },
        Command::ResetAll => Order::ResetAll,
        Command::Kill { id, user } => Order::Kill { id, user },
        Command::FenceWorker { id } => Order::FenceWorker { id },
        Command::SetState { name, values, user } => Order::SetState { name, values, user },
        Command::SendMail { key, user } => {
            let order = StoredOrder::SendMail { key, user };
            return term.core.stored_order(order).await;
        }
        Command::PutLink { key, edit, user } => {
            return links::put(shared, term, key, edit, user).await;
        }
        Command::ResealLinks { user } => return links::reseal(shared, term, user).await,
        Command::DeleteLink { key, user } => {
            return links::delete(shared, term, key, user).await;
        }
        Command::Rerun {
            id,
            from_failed,
            same_version,
            nodes,
            user,
        } => {
            let from = match (nodes.is_empty(), from_failed) {
                (false, _) => RerunFrom::Nodes(nodes),
                (true, true) => RerunFrom::Failed,
                (true, false) => RerunFrom::Start,
            };
            return term
                .core
                .stored_order(StoredOrder::Rerun {
                    id,
                    from,
                    same_version,
                    user,
                })
                .await;
        }
        Command::DeleteInstance { id } => {
            return term.core.stored_order(StoredOrder::Delete { id }).await;
        }
    };
    term.core.order(order).await
}

/// Names the content of a request that may be repeated.
pub(super) fn named(body: &serde_json::Value) -> String {
    format!("{:08x}", crc32c::crc32c(body.to_string().as_bytes()))
}

/// The wall from which a workflow's dates are read.
async fn zone_of(term: &Term, workflow: &str) -> Result<Tz, Gone> {
    let name = workflow.to_owned();
    term.core.look(move |engine| engine.zone(&name)).await
}

/// The business date that somebody names.
async fn moment(
    term: &Term,
    workflow: &str,
    date: Option<&str>,
) -> Result<Result<Option<Timestamp>, Rejection>, Gone> {
    let Some(date) = date else {
        return Ok(Ok(None));
    };
    let zone = zone_of(term, workflow).await?;
    Ok(parse_date(date, zone)
        .map(Some)
        .map_err(|text| Rejection::new(ErrorCode::Invalid, text)))
}

/// The definition that an instance shall go on with; `None`: the one in force.
fn repair(shared: &Shared, xml: Option<&[u8]>) -> Result<Option<Arc<Workflow>>, Rejection> {
    let Some(xml) = xml else {
        return Ok(None);
    };
    let reading = read_workflow(xml, &*shared.registry);
    let findings = reading.findings("workflow.xml");
    match reading.workflow {
        Some(workflow) => Ok(Some(Arc::new(workflow))),
        None => Err(wrong_definition(findings)),
    }
}

fn wrong_definition(findings: Vec<Finding>) -> Rejection {
    Rejection {
        code: ErrorCode::Invalid,
        text: Text::new("工作流定义有误", "the definition has errors"),
        findings,
    }
}

async fn put(
    shared: &Shared,
    term: &Term,
    xml: &[u8],
    path: Option<String>,
) -> Result<Result<Order, Rejection>, Gone> {
    let reading = read_workflow(xml, &*shared.registry);
    let file = path.as_deref().unwrap_or("workflow.xml");
    let mut findings = reading.findings(file);
    if let Some(outline) = reading.outline.filter(|outline| outline.is_good) {
        findings.extend(term.core.misfits(file, outline).await?);
    }
    Ok(match reading.workflow {
        Some(workflow) => Ok(Order::PutWorkflow {
            workflow: Arc::new(workflow),
            origin: Origin::Api { path },
            findings,
        }),
        None => Err(wrong_definition(findings)),
    })
}
