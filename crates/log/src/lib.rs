//! The log of an instance. Only the output of attempts is stored; what the instance and its nodes did is told by their
//! rows and woven in here.
//!
//! **Invariant:** following with cursors gives every line exactly once, also a line whose pieces arrive one by one.
//! The exception is a rerun: what earlier runs still had to tell of themselves is not repeated to a follower.
//!
//! Lines of output come in the order of their arrival; before each of them stand the events that happened no later.
//! The end of an attempt, and of the instance, stands after all their output: it waits some seconds for what is on its way.
//!
//! Nothing here trusts that reads of different tables see the same moment: a cursor counts the events of each node, and
//! the events of a node only ever grow at their end.

mod cursor;
mod events;
mod page;
mod pieces;
mod stored;

pub use cursor::{Cursor, NoCursor};
pub use events::Rows;
pub use page::{Page, read};
pub use stored::Stored;

use akkaflow_api::LogLine;
use akkaflow_model::text::Lang;
use akkaflow_model::time::Timestamp;
use akkaflow_store::{Error, Store};
use chrono_tz::Tz;

/// Lines in memory at a time where all are read.
const PAGE: usize = 10_000;

/// Every line there is now, in order.
///
/// # Errors
/// The store cannot be read.
pub async fn for_each_line(
    store: &dyn Store,
    rows: &Rows<'_>,
    lang: Lang,
    now: Timestamp,
    mut each: impl FnMut(LogLine),
) -> Result<(), Error> {
    let mut cursor = Cursor::default();
    loop {
        let page = read(store, rows, cursor, PAGE, lang, now).await?;
        if page.lines.is_empty() {
            return Ok(());
        }
        page.lines.into_iter().for_each(&mut each);
        cursor = page.cursor;
    }
}

/// A line as people read it: level, local time, node, text.
pub fn as_text(line: &LogLine, zone: Tz) -> String {
    let time = line.time.0.to_utc().with_timezone(&zone);
    let time = time.format("%Y-%m-%d %H:%M:%S%.3f");
    let level = line.level.as_str();
    match &line.node {
        Some(node) => format!("[{level}] [{time}] [{node}]\t{}\n", line.text),
        None => format!("[{level}] [{time}]\t{}\n", line.text),
    }
}
