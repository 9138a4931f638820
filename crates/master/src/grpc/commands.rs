//! Commands of people: looked up, checked, handed to the core.

use std::sync::Arc;

use akkaflow_engine::{Order, Origin};
use akkaflow_model::command::{Answer, Command, Rejection};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::param::parse_date;
use akkaflow_model::read::read_workflow;
use akkaflow_model::text::Text;
use chrono_tz::Tz;

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
        } => {
            let zone = match &date {
                Some(_) => zone_of(term, &name).await?,
                None => term.zone,
            };
            let fire_time = match date
                .as_deref()
                .map(|date| parse_date(date, zone))
                .transpose()
            {
                Ok(fire_time) => fire_time,
                Err(text) => return Ok(Err(Rejection::new(ErrorCode::Invalid, text))),
            };
            let idempotency = idempotency_key.map(|key| {
                let body = serde_json::json!([name, params, date]).to_string();
                (key, format!("{:08x}", crc32c::crc32c(body.as_bytes())))
            });
            Order::Run {
                name,
                params,
                fire_time,
                idempotency,
            }
        }
        Command::DeleteWorkflow { name } => Order::DeleteWorkflow { name },
        Command::Trigger { name, ignore_nodes } => Order::Trigger { name, ignore_nodes },
        Command::TriggerBlood { name } => Order::TriggerBlood { name },
        Command::ResetWorkflow { name } => Order::ResetWorkflow { name },
        Command::ResetAll => Order::ResetAll,
        Command::Kill { id, user } => Order::Kill { id, user },
        Command::FenceWorker { id } => Order::FenceWorker { id },
        Command::SetState { name, values, user } => Order::SetState { name, values, user },
        Command::Rerun {
            id,
            from_failed,
            same_version,
        } => {
            return term
                .core
                .stored_order(StoredOrder::Rerun {
                    id,
                    from_failed,
                    same_version,
                })
                .await;
        }
        Command::DeleteInstance { id } => {
            return term.core.stored_order(StoredOrder::Delete { id }).await;
        }
    };
    term.core.order(order).await
}

/// The wall from which a workflow's dates are read.
async fn zone_of(term: &Term, workflow: &str) -> Result<Tz, Gone> {
    let name = workflow.to_owned();
    term.core.look(move |engine| engine.zone(&name)).await
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
        None => Err(Rejection {
            code: ErrorCode::Invalid,
            text: Text::new("工作流定义有误", "the definition has errors"),
            findings,
        }),
    })
}
