//! Whether a link works, and how fast: what nodes do with it, tried part by part. Leaves nothing behind.

mod database;
mod files;
mod part;

use std::future::Future;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use akkaflow_model::db_links::DbLink;
use akkaflow_model::file_links::FileAccess;
use akkaflow_model::text::Text;
use tokio::sync::mpsc;

pub use part::{LinkPart, PartName};

/// No part takes longer, however slow the other side is.
const PART_LIMIT: Duration = Duration::from_secs(30);

/// What is tested.
#[derive(Debug, Clone)]
pub enum TestedLink {
    /// A database.
    Db(DbLink),
    /// A file system.
    File(FileAccess),
}

/// Tries all parts of a link one after the other and tells of each as it ends. What a part needs that does not work leaves
/// it out. `base_directory`: where relative paths of SQLite files start.
pub async fn test_link(
    link: &TestedLink,
    base_directory: PathBuf,
    parts: mpsc::UnboundedSender<LinkPart>,
) {
    let report = Report { parts };
    let _ = match link {
        TestedLink::Db(link) => database::test(link, base_directory, &report).await,
        TestedLink::File(access) => files::test(access, base_directory, &report).await,
    };
}

/// Where the parts go.
struct Report {
    parts: mpsc::UnboundedSender<LinkPart>,
}

/// A part did not work, which was told.
struct Failed;

impl Report {
    /// Runs one part and tells how it went: `work` gives what comes of it, and what to say.
    async fn part<T>(
        &self,
        name: PartName,
        work: impl Future<Output = Result<(T, Text), Text>>,
    ) -> Result<T, Failed> {
        let start = Instant::now();
        let outcome = tokio::time::timeout(PART_LIMIT, work).await;
        let outcome = outcome.unwrap_or_else(|_| Err(too_slow()));
        let (result, works, said) = match outcome {
            Ok((result, said)) => (Ok(result), true, said),
            Err(why) => (Err(Failed), false, why),
        };
        // Whoever asked may have gone away.
        let _ = self.parts.send(LinkPart {
            name,
            works,
            elapsed: start.elapsed(),
            said,
        });
        result
    }
}

fn too_slow() -> Text {
    let seconds = PART_LIMIT.as_secs();
    Text::new(
        format!("{seconds}秒内没有完成，请检查网络及对方的负载"),
        format!(
            "not done within {seconds} s; look at the network and at the load of the other side"
        ),
    )
}

/// So many a second.
fn rate(count: f64, since: Instant) -> f64 {
    count / since.elapsed().as_secs_f64().max(1e-6)
}
