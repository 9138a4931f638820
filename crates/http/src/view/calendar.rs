//! Calendars of workdays, as the cluster knows them.

use std::sync::Arc;

use akkaflow_model::definition::Coordinator;
use akkaflow_model::schedule::Calendar;

use crate::app::App;
use crate::failure::Failure;

/// The calendar that a coordinator names; `None` where it names none, or one that nobody knows.
pub(crate) async fn of(
    app: &App,
    coordinator: &Coordinator,
) -> Result<Option<Arc<Calendar>>, Failure> {
    let Some((name, _)) = &coordinator.timing.calendar else {
        return Ok(None);
    };
    let row = app.store.calendar(name).await?;
    Ok(row.and_then(|row| {
        let read = Calendar::read(&row.path, row.text.as_bytes());
        read.calendar.map(Arc::new)
    }))
}
