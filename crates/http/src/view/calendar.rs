//! Calendars of workdays: files beside the workflows, where this process can read them.

use std::path::Path;
use std::sync::Arc;

use akkaflow_model::schedule::Calendar;

/// The folder of calendars beside workflows.
const FOLDER: &str = "calendars";
/// No calendar is larger: a line a day for a hundred years is less.
const LARGEST_BYTES: u64 = 1 << 20;

/// The calendar `name` in the directory of the workflow's file, or in its folder of calendars. `None` where there is no
/// such file here, or it has errors.
pub(super) async fn beside(file: Option<&str>, name: &str) -> Option<Arc<Calendar>> {
    let directory = Path::new(file?).parent()?;
    let file_name = format!("{name}.{}", Calendar::EXTENSION);
    let places = [
        directory.join(&file_name),
        directory.join(FOLDER).join(&file_name),
    ];
    tokio::task::spawn_blocking(move || places.iter().find_map(|place| read(place)))
        .await
        .ok()?
}

fn read(path: &Path) -> Option<Arc<Calendar>> {
    let meta = std::fs::metadata(path).ok()?;
    if !meta.is_file() || meta.len() > LARGEST_BYTES {
        return None;
    }
    let bytes = std::fs::read(path).ok()?;
    Calendar::read(&path.to_string_lossy(), &bytes)
        .calendar
        .map(Arc::new)
}
