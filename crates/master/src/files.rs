//! Watches the directory of workflow files. File events make a change live at once; a slow scan of everything is the net
//! for events that were lost.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use akkaflow_actions::Registry;
use akkaflow_engine::{Input, Order, Origin};
use akkaflow_model::check::{Outline, is_readable_size, is_workflow_file, too_large, unreadable};
use akkaflow_model::code;
use akkaflow_model::command::Rejection;
use akkaflow_model::definition::Version;
use akkaflow_model::diagnostic::{Finding, Severity};
use akkaflow_model::read::read_workflow;
use akkaflow_model::record::{FileProblemRow, WorkflowStatus};
use akkaflow_model::render::render_findings;
use akkaflow_model::text::{Lang, Text};
use notify::{RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::core::{CoreHandle, Gone};

/// A file is read once nothing has happened to any for so long: editors write in several steps.
const QUIET: Duration = Duration::from_millis(50);
/// But never later than this after the first event, however busy the directory is.
const LATEST: Duration = Duration::from_millis(400);
/// The net for lost events.
const RESCAN: Duration = Duration::from_secs(5);
/// Files are handed to the core so many at a time, so that a large directory loads with few commits.
const AT_ONCE: usize = 64;
/// Deeper directories are not entered: a bound against loops of links.
const MAX_DEPTH: usize = 16;

/// Watches one directory for one term of leadership.
pub(crate) struct Files {
    pub(crate) directory: PathBuf,
    pub(crate) core: CoreHandle,
    pub(crate) registry: Arc<Registry>,
    pub(crate) clock: Arc<Clock>,
    /// Files that owned a workflow or had a problem when this term began: one that is gone meanwhile must be noticed.
    pub(crate) known: BTreeSet<PathBuf>,
    /// What the log has said already, also in earlier terms.
    pub(crate) told: Arc<Told>,
}

/// What the log says about files, so that it says it once for each content: files are read again for many reasons.
#[derive(Debug, Default)]
pub(crate) struct Told {
    by_file: Mutex<BTreeMap<String, u64>>,
}

impl Told {
    /// Whether the log has not said `text` of this content yet, or something else since; from now on it has.
    fn is_news(&self, file: &str, bytes: &[u8], text: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        (bytes, text).hash(&mut hasher);
        let hash = hasher.finish();
        let mut by_file = self.by_file.lock().expect("no panic while held");
        by_file.insert(file.to_owned(), hash) != Some(hash)
    }

    /// The file is fine, or gone: what comes next is news.
    fn forget(&self, file: &str) {
        let mut by_file = self.by_file.lock().expect("no panic while held");
        by_file.remove(file);
    }
}

/// What tells an unchanged file: length and time of the last change.
type Stamp = (u64, SystemTime);

impl Files {
    /// Loads everything, then follows the changes until `shutdown` fires or the core is gone.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let (events, mut changed) = mpsc::unbounded_channel();
        let _watcher = self.watch(events);
        let mut seen: BTreeMap<PathBuf, Option<Stamp>> =
            self.known.iter().map(|path| (path.clone(), None)).collect();
        loop {
            let directory = self.directory.clone();
            let Ok(now) = tokio::task::spawn_blocking(move || scan(directory)).await else {
                return;
            };
            let differing: BTreeSet<PathBuf> = now
                .iter()
                .filter(|(path, stamp)| seen.get(*path) != Some(&Some(**stamp)))
                .map(|(path, _)| path.clone())
                .chain(seen.keys().filter(|path| !now.contains_key(*path)).cloned())
                .collect();
            if self.take_up(&differing, &mut seen).await.is_err() {
                return;
            }
            let next_scan = Instant::now() + RESCAN;
            while Instant::now() < next_scan {
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = tokio::time::sleep_until(next_scan) => {}
                    Some(path) = changed.recv() => {
                        let dirty = gather(path, &mut changed).await;
                        if self.take_up(&dirty, &mut seen).await.is_err() {
                            return;
                        }
                    }
                }
            }
        }
    }

    fn watch(&self, events: mpsc::UnboundedSender<PathBuf>) -> Option<notify::RecommendedWatcher> {
        let handler = move |event: notify::Result<notify::Event>| {
            if let Ok(event) = event
                && !event.kind.is_access()
            {
                for path in event
                    .paths
                    .into_iter()
                    .filter(|path| is_workflow_file(path))
                {
                    // The receiver is gone only when the term is over.
                    let _ = events.send(path);
                }
            }
        };
        let watcher = notify::recommended_watcher(handler).and_then(|mut watcher| {
            // The events name files as the directory was named here, so that they match the scan's.
            watcher
                .watch(&self.directory, RecursiveMode::Recursive)
                .map(|()| watcher)
        });
        watcher
            .inspect_err(|error| {
                tracing::warn!(%error, path = %self.directory.display(), "cannot watch the workflow directory; it is scanned every 5 s instead");
            })
            .ok()
    }

    async fn take_up(
        &self,
        paths: &BTreeSet<PathBuf>,
        seen: &mut BTreeMap<PathBuf, Option<Stamp>>,
    ) -> Result<(), Gone> {
        let paths: Vec<&PathBuf> = paths.iter().collect();
        for some in paths.chunks(AT_ONCE) {
            // What does not fit the others is looked for where people change files, not when a directory is loaded:
            // `akka check` does that.
            let is_bulk = paths.len() > AT_ONCE;
            let taken_up = some.iter().map(|path| self.take_up_one(path, is_bulk));
            let stamps = futures::future::try_join_all(taken_up).await?;
            for (path, stamp) in some.iter().zip(stamps) {
                match stamp {
                    Some(stamp) => seen.insert((*path).clone(), Some(stamp)),
                    None => seen.remove(*path),
                };
            }
        }
        Ok(())
    }

    /// Brings one file's content into force, or records what is wrong with it. Its stamp; `None` when it is gone.
    async fn take_up_one(&self, path: &Path, is_bulk: bool) -> Result<Option<Stamp>, Gone> {
        let file = path.display().to_string();
        // The stamp is taken before the content: a change in between is seen by the next scan.
        let before = std::fs::metadata(path).map(|meta| stamp(&meta));
        let bytes = match (before.is_ok(), content(path)) {
            (true, Ok(Content::Bytes(bytes))) => bytes,
            (true, Ok(Content::TooLarge(size))) => {
                let findings = too_large(&file, size).findings;
                self.report(&file, &size.to_le_bytes(), None, findings)
                    .await?;
                return Ok(before.ok());
            }
            (_, Err(error)) if error.kind() != std::io::ErrorKind::NotFound => {
                let findings = unreadable(&file, &error.to_string()).findings;
                self.report(&file, &[], None, findings).await?;
                return Ok(before.ok());
            }
            _ => {
                tracing::info!(
                    path = file,
                    "workflow file is gone; its workflow stays in force"
                );
                self.told.forget(&file);
                self.core.input(Input::FileGone { path: file }).await?;
                return Ok(None);
            }
        };
        let reading = read_workflow(&bytes, &*self.registry);
        let findings = reading.findings(&file);
        match reading.workflow {
            None => self.report(&file, &bytes, reading.name, findings).await?,
            Some(workflow) => {
                let (name, version) = (workflow.name.clone(), workflow.version.clone());
                let mut warnings = findings.clone();
                let order = Order::PutWorkflow {
                    workflow: Arc::new(workflow),
                    origin: Origin::File { path: file.clone() },
                    findings,
                };
                match self.core.order(order).await? {
                    Ok(_) if is_bulk => self.told.forget(&file),
                    Ok(_) => {
                        if let Some(outline) = reading.outline {
                            warnings.extend(self.core.misfits(&file, outline).await?);
                        }
                        self.warn(&file, &bytes, &warnings);
                    }
                    Err(rejection) if self.is_deleted(&name, &version).await? => {
                        self.pass_over(&file, &bytes, rejection).await?;
                    }
                    Err(rejection) => {
                        let findings = vec![as_finding(&file, reading.outline.as_ref(), rejection)];
                        self.report(&file, &bytes, Some(name), findings).await?;
                    }
                }
            }
        }
        Ok(before.ok())
    }

    /// Says what is legal but surely not meant, once for each content.
    fn warn(&self, file: &str, bytes: &[u8], warnings: &[Finding]) {
        let text = render_findings(warnings, Lang::En, false);
        if text.is_empty() {
            self.told.forget(file);
        } else if self.told.is_news(file, bytes, &text) {
            tracing::warn!(
                path = file,
                "a workflow file is in force; look at what it says\n{text}"
            );
        }
    }

    /// Whether a person has deleted the workflow with just this content.
    async fn is_deleted(&self, name: &str, version: &Version) -> Result<bool, Gone> {
        let (name, version) = (name.to_owned(), version.clone());
        self.core
            .look(move |engine| {
                engine.workflow(&name).is_some_and(|row| {
                    row.status == WorkflowStatus::Deleted && row.version == version
                })
            })
            .await
    }

    /// The file of a deleted workflow waits for other content: no problem, but nothing that it defined before is in it.
    async fn pass_over(&self, file: &str, bytes: &[u8], why: Rejection) -> Result<(), Gone> {
        if self.told.is_news(file, bytes, &why.text.en) {
            tracing::info!(path = file, "{}", why.text.en);
        }
        let path = file.to_owned();
        self.core.input(Input::FileGone { path }).await
    }

    async fn report(
        &self,
        file: &str,
        bytes: &[u8],
        workflow: Option<String>,
        findings: Vec<Finding>,
    ) -> Result<(), Gone> {
        let text = render_findings(&findings, Lang::En, false);
        if self.told.is_news(file, bytes, &text) {
            tracing::warn!(
                path = file,
                "a workflow file cannot be used; its last good version, if any, stays in force\n{text}"
            );
        }
        let row = FileProblemRow {
            path: file.to_owned(),
            workflow,
            found_at: self.clock.now(),
            findings,
        };
        self.core.input(Input::FileProblem(row)).await
    }
}

/// Waits until the directory is quiet and gives all files that were touched.
async fn gather(
    first: PathBuf,
    changed: &mut mpsc::UnboundedReceiver<PathBuf>,
) -> BTreeSet<PathBuf> {
    let mut dirty = BTreeSet::from([first]);
    let latest = Instant::now() + LATEST;
    while let Ok(Some(path)) =
        tokio::time::timeout_at(latest.min(Instant::now() + QUIET), changed.recv()).await
    {
        dirty.insert(path);
    }
    dirty
}

/// All workflow files below a directory.
fn scan(directory: PathBuf) -> BTreeMap<PathBuf, Stamp> {
    let mut found = BTreeMap::new();
    let mut directories = vec![(directory, 0)];
    while let Some((directory, depth)) = directories.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else {
            tracing::warn!(path = %directory.display(), "cannot read a directory of workflow files");
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            match std::fs::metadata(&path) {
                Ok(meta) if meta.is_dir() && depth < MAX_DEPTH => {
                    directories.push((path, depth + 1))
                }
                Ok(meta) if meta.is_file() && is_workflow_file(&path) => {
                    found.insert(path, stamp(&meta));
                }
                _ => {}
            }
        }
    }
    found
}

fn stamp(meta: &std::fs::Metadata) -> Stamp {
    (
        meta.len(),
        meta.modified().unwrap_or(SystemTime::UNIX_EPOCH),
    )
}

/// Why the core does not take a file whose text is good: another one has the name.
fn as_finding(file: &str, outline: Option<&Outline>, rejection: Rejection) -> Finding {
    let place = outline.map(|outline| outline.name_at.clone());
    let (line, column, width) = place
        .as_ref()
        .map_or((1, 1, 1), |place| (place.line, place.column, place.width));
    Finding {
        code: code::DUPLICATE_WORKFLOW.to_owned(),
        severity: Severity::Error,
        file: file.to_owned(),
        line,
        column,
        width,
        excerpt: place.map(|place| place.excerpt).unwrap_or_default(),
        message: rejection.text,
        help: Some(Text::new(
            "请改名，或删除其中一个文件",
            "rename it, or remove one of the files",
        )),
    }
}

/// What a file holds, as far as it is worth reading.
enum Content {
    Bytes(Vec<u8>),
    /// So many bytes.
    TooLarge(u64),
}

fn content(path: &Path) -> std::io::Result<Content> {
    let size = std::fs::metadata(path)?.len();
    if is_readable_size(size) {
        Ok(Content::Bytes(std::fs::read(path)?))
    } else {
        Ok(Content::TooLarge(size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_news_once_for_each_content_and_again_after_the_file_was_fine() {
        let told = Told::default();
        assert!(told.is_news("a.xml", b"<x", "broken"));
        assert!(!told.is_news("a.xml", b"<x", "broken"));
        assert!(told.is_news("b.xml", b"<x", "broken"));
        assert!(told.is_news("a.xml", b"<y", "broken"));
        assert!(told.is_news("a.xml", b"<y", "broken otherwise"));
        told.forget("a.xml");
        assert!(told.is_news("a.xml", b"<y", "broken otherwise"));
    }
}
