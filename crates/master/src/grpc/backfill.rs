//! A backfill is planned with what the store knows of the past.

use akkaflow_engine::Order;
use akkaflow_model::backfill::BackfillSpec;
use akkaflow_model::command::{By, Rejection};
use akkaflow_model::error::ErrorCode;
use serde_json::json;

use super::commands::named;
use crate::core::{Gone, chain};
use crate::shared::{Shared, Term};

/// Looks up which dates are good. What succeeds between this look and the order runs once more.
pub(super) async fn start(
    shared: &Shared,
    term: &Term,
    spec: BackfillSpec,
    is_dry_run: bool,
    idempotency_key: Option<String>,
    by: By,
) -> Result<Result<Order, Rejection>, Gone> {
    let mut good = Vec::new();
    if !spec.again {
        let asked = spec.clone();
        let scope = term
            .core
            .look(move |engine| engine.backfill_scope(&asked))
            .await?;
        for (workflow, from, until) in scope {
            match shared.store.succeeded(&workflow, from, until).await {
                Ok(found) => good.extend(found.into_iter().map(|at| (workflow.clone(), at))),
                Err(error) => {
                    tracing::warn!(error = chain(&error), "cannot look up which dates are good");
                    return Ok(Err(Rejection::new(ErrorCode::Unavailable, error.text())));
                }
            }
        }
    }
    let idempotency = idempotency_key.map(|key| (key, named(&json!(spec))));
    Ok(Ok(Order::StartBackfill {
        spec,
        good,
        is_dry_run,
        idempotency,
        by,
    }))
}
