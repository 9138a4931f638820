//! Instances by any unique part of their id.

use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{InstanceRow, WorkflowRow, WorkflowStatus};
use akkaflow_model::text::Text;
use chrono_tz::Tz;

use crate::app::App;
use crate::failure::Failure;

/// So many of the instances that a part may mean are listed.
const CANDIDATES: u32 = 10;

/// The instance that `part` means: its whole id, its last eight digits, or any other unique part.
pub(crate) async fn instance_id(app: &App, part: &str) -> Result<InstanceId, Failure> {
    if let Ok(id) = part.parse() {
        return Ok(id);
    }
    let is_part = !part.is_empty() && part.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
    if !is_part {
        return Err(not_found(part));
    }
    let found = app.store.instance_ids(part, CANDIDATES).await?;
    let wanted = part.to_ascii_lowercase();
    let mut by_short = found.iter().filter(|id| id.short() == wanted);
    match (found.as_slice(), by_short.next(), by_short.next()) {
        ([], ..) => Err(not_found(part)),
        ([only], ..) | (_, Some(only), None) => Ok(*only),
        _ => Err(ambiguous(part, &found)),
    }
}

/// Its row.
pub(crate) async fn instance(app: &App, part: &str) -> Result<InstanceRow, Failure> {
    let id = instance_id(app, part).await?;
    app.store.instance(id).await?.ok_or_else(|| not_found(part))
}

/// A workflow that exists for people.
pub(crate) async fn workflow(app: &App, name: &str) -> Result<WorkflowRow, Failure> {
    match app.store.workflow(name).await? {
        Some(row) if row.status != WorkflowStatus::Deleted => Ok(row),
        Some(row) => Err(deleted(&row, app.zone().await?)),
        None => Err(Failure::workflow_not_found(name)),
    }
}

fn deleted(row: &WorkflowRow, zone: Tz) -> Failure {
    let mut failure = Failure::workflow_not_found(&row.name);
    if let Some(why) = row.epitaph(zone) {
        let text = failure.text;
        failure.text = Text::new(
            format!("{}：{}", text.zh, why.zh),
            format!("{}: {}", text.en, why.en),
        );
    }
    failure
}

pub(crate) fn not_found(part: &str) -> Failure {
    Failure::new(
        ErrorCode::NotFound,
        Text::new(
            format!("工作流实例[{part}]不存在"),
            format!("there is no instance `{part}`"),
        ),
    )
}

fn ambiguous(part: &str, found: &[InstanceId]) -> Failure {
    let ids: Vec<String> = found.iter().map(ToString::to_string).collect();
    let list = ids.join(", ");
    Failure {
        candidates: ids,
        ..Failure::new(
            ErrorCode::Conflict,
            Text::new(
                format!("[{part}]对应多个工作流实例: {list}；请给出更长的id"),
                format!("`{part}` may mean several instances: {list}; give more of the id"),
            ),
        )
    }
}
