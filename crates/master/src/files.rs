//! Watches the directory of workflow files. File events make a change live at once; a slow scan of everything is the net
//! for events that were lost.

mod intake;
mod scan;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use akkaflow_model::check::{is_calendar, is_hidden};
use notify::event::ModifyKind;
use notify::{EventKind, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::core::Gone;
pub(crate) use intake::Intake;
use scan::{FilePath, Scan, Stamp, is_watched, scan};
pub(crate) use told::Told;

/// A file is read once nothing has happened to any for so long: editors write in several steps.
const QUIET: Duration = Duration::from_millis(50);
/// But never later than this after the first event, however busy the directory is.
const LATEST: Duration = Duration::from_millis(400);
/// The net for lost events.
const RESCAN: Duration = Duration::from_secs(5);
/// A scan takes at most this part of a core: a hundred thousand files are looked at once a minute.
const RESCAN_SHARE: u32 = 200;
/// The same where no events come, so that scanning is all there is.
const RESCAN_SHARE_WITHOUT_EVENTS: u32 = 20;

/// Watches one directory for one term of leadership.
pub(crate) struct Files {
    pub(crate) directory: PathBuf,
    pub(crate) intake: Arc<Intake>,
    /// Files that owned a workflow or had a problem when this term began: one that is gone meanwhile must be noticed.
    pub(crate) known: BTreeSet<PathBuf>,
}

/// The files taken up, with the stamps that they had; none for one that is known from an earlier term.
type Seen = BTreeMap<FilePath, Option<Stamp>>;

impl Files {
    /// Loads everything, then follows the changes until `shutdown` fires or the core is gone.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            Err(_) = self.follow() => {}
        }
    }

    async fn follow(&mut self) -> Result<(), Gone> {
        let (events, mut changed) = mpsc::unbounded_channel();
        let watcher = self.watch(events);
        let share = match watcher {
            Some(_) => RESCAN_SHARE,
            None => RESCAN_SHARE_WITHOUT_EVENTS,
        };
        let known = std::mem::take(&mut self.known);
        let mut may_be_known = !known.is_empty();
        let known = known.into_iter().map(|path| (path.into(), None));
        let mut seen: Seen = known.collect();
        loop {
            let cost = self
                .take_up_all(&mut seen, &mut changed, may_be_known)
                .await?;
            may_be_known = false;
            let next_scan = Instant::now() + RESCAN.max(cost * share);
            while Instant::now() < next_scan {
                tokio::select! {
                    () = tokio::time::sleep_until(next_scan) => {}
                    Some(path) = changed.recv() => self.take_up_changed(path, &mut changed, &mut seen).await?,
                }
            }
        }
    }

    /// Looks at all files, and takes up what differs from what was seen. How long the looking took.
    async fn take_up_all(
        &self,
        seen: &mut Seen,
        changed: &mut mpsc::UnboundedReceiver<PathBuf>,
        may_be_known: bool,
    ) -> Result<Duration, Gone> {
        let directory = self.directory.clone();
        let mut scanning = tokio::task::spawn_blocking(move || {
            let since = Instant::now();
            (scan(directory), since.elapsed())
        });
        // A change does not wait for the scan.
        let (now, scan_cost) = loop {
            tokio::select! {
                scanned = &mut scanning => break scanned.map_err(|_| Gone::NotTaken)?,
                Some(path) = changed.recv() => self.take_up_changed(path, changed, seen).await?,
            }
        };
        let before = std::mem::take(seen);
        let comparing = tokio::task::spawn_blocking(move || {
            let since = Instant::now();
            let differing = differing(now, &before);
            (differing, before, since.elapsed())
        });
        let (differing, before, comparison_cost) = comparing.await.map_err(|_| Gone::NotTaken)?;
        *seen = before;
        self.take_up(differing, may_be_known, seen).await?;
        Ok(scan_cost + comparison_cost)
    }

    /// Takes up what changed, once the directory is quiet.
    async fn take_up_changed(
        &self,
        first: PathBuf,
        changed: &mut mpsc::UnboundedReceiver<PathBuf>,
        seen: &mut Seen,
    ) -> Result<(), Gone> {
        let touched = gather(first, changed).await;
        let names = Names::of(&self.directory);
        let touched = touched.into_iter().filter_map(|path| names.own(path));
        let mut files = BTreeSet::new();
        for path in touched {
            let is_dir = path.is_dir();
            if is_dir || !is_watched(&path) {
                // A directory that has come or gone: no event names the files in it.
                files.extend(below(seen, &path));
            }
            if is_dir {
                // It may be a link to one that is known already.
                let inside = scan(path).files.into_keys();
                let inside = inside.filter_map(|path| names.own(path.into()));
                files.extend(inside.map(FilePath::from));
            } else if is_watched(&path) {
                files.insert(path.into());
            }
        }
        self.take_up(files, false, seen).await
    }

    async fn take_up(
        &self,
        files: BTreeSet<FilePath>,
        may_be_known: bool,
        seen: &mut Seen,
    ) -> Result<(), Gone> {
        // Calendars first, so that schedules find them.
        let (calendars, workflows): (Vec<_>, Vec<_>) = files
            .into_iter()
            .partition(|path| is_calendar(Path::new(path)));
        let files = calendars
            .into_iter()
            .chain(workflows)
            .map(|path| {
                let is_new = !seen.contains_key(&path);
                (PathBuf::from(path), is_new)
            })
            .collect();
        let note = |path: PathBuf, stamp: Option<Stamp>| match stamp {
            Some(_) => drop(seen.insert(path.into(), stamp)),
            None => drop(seen.remove(path.as_os_str())),
        };
        self.intake.take_up(files, may_be_known, note).await
    }

    fn watch(&self, events: mpsc::UnboundedSender<PathBuf>) -> Option<notify::RecommendedWatcher> {
        let handler = move |event: notify::Result<notify::Event>| {
            if let Ok(event) = event
                && !event.kind.is_access()
            {
                let may_be_directory = moves(&event.kind);
                for path in event
                    .paths
                    .into_iter()
                    .filter(|path| may_be_directory || is_watched(path))
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
                tracing::warn!(%error, path = %self.directory.display(), "cannot watch the workflow directory; it is scanned every 5 s instead, a very large one less often");
            })
            .ok()
    }
}

/// How the scan calls files. Events call them by the links they came by, too.
struct Names<'a> {
    directory: &'a Path,
    /// The same without links.
    real: Option<PathBuf>,
}

impl<'a> Names<'a> {
    fn of(directory: &'a Path) -> Self {
        let real = directory.canonicalize().ok();
        Self { directory, real }
    }

    /// The scan's name for what lies at `path`; `None` for what it passes over.
    fn own(&self, path: PathBuf) -> Option<PathBuf> {
        let path = self.without_links(&path).unwrap_or(path);
        let below = path.strip_prefix(self.directory).unwrap_or(&path);
        let is_seen = below
            .components()
            .all(|part| !is_hidden(Path::new(part.as_os_str())));
        is_seen.then_some(path)
    }

    /// The path by the names of its directories, if it lies in ours.
    fn without_links(&self, path: &Path) -> Option<PathBuf> {
        let parent = path.parent()?.canonicalize().ok()?;
        let inside = parent.strip_prefix(self.real.as_ref()?).ok()?;
        Some(self.directory.join(inside).join(path.file_name()?))
    }
}

/// The files that are new, changed or gone.
fn differing(scan: Scan, seen: &Seen) -> BTreeSet<FilePath> {
    let Scan {
        files: now,
        unreadable,
    } = scan;
    let is_hidden = |path: &FilePath| {
        let path = Path::new(path);
        unreadable.iter().any(|folder| path.starts_with(folder))
    };
    let gone: Vec<FilePath> = seen
        .keys()
        .filter(|path| !now.contains_key(*path) && !is_hidden(path))
        .cloned()
        .collect();
    now.into_iter()
        .filter(|(path, stamp)| seen.get(path) != Some(&Some(*stamp)))
        .map(|(path, _)| path)
        .chain(gone)
        .collect()
}

/// Whether something came, went or got another name: a directory may have, with all that is in it.
fn moves(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
    )
}

/// The files seen below a directory.
fn below(seen: &Seen, directory: &Path) -> Vec<FilePath> {
    let begin = directory.join("").into_os_string();
    seen.range(begin..)
        .map(|(path, _)| path)
        .take_while(|path| Path::new(path).starts_with(directory))
        .cloned()
        .collect()
}

/// Waits until the directory is quiet and gives all paths that were touched.
async fn gather(
    first: PathBuf,
    changed: &mut mpsc::UnboundedReceiver<PathBuf>,
) -> BTreeSet<PathBuf> {
    let mut touched = BTreeSet::from([first]);
    let latest = Instant::now() + LATEST;
    while let Ok(Some(path)) =
        tokio::time::timeout_at(latest.min(Instant::now() + QUIET), changed.recv()).await
    {
        touched.insert(path);
    }
    touched
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn stamp(length: u64) -> Stamp {
        (length, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn new_changed_gone_and_not_yet_read_files_differ() {
        let path = FilePath::from;
        let now = BTreeMap::from([
            (path("d/changed.xml"), stamp(2)),
            (path("d/known.xml"), stamp(1)),
            (path("d/new.xml"), stamp(1)),
            (path("d/same.xml"), stamp(1)),
        ]);
        let seen = Seen::from([
            (path("d/changed.xml"), Some(stamp(1))),
            (path("d/gone.xml"), Some(stamp(1))),
            (path("d/known.xml"), None),
            (path("d/locked/unknown.xml"), Some(stamp(1))),
            (path("d/same.xml"), Some(stamp(1))),
        ]);
        let expected = ["changed", "gone", "known", "new"].map(|name| format!("d/{name}.xml"));
        let scan = Scan {
            files: now,
            unreadable: vec![PathBuf::from("d/locked")],
        };
        assert_eq!(
            differing(scan, &seen),
            expected.into_iter().map(FilePath::from).collect()
        );
    }

    #[test]
    fn an_event_that_came_by_a_link_means_the_file_itself() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("d");
        std::fs::create_dir_all(directory.join("sub")).unwrap();
        std::fs::create_dir_all(directory.join(".git")).unwrap();
        std::os::unix::fs::symlink(&directory, directory.join("sub/loop")).unwrap();
        let names = Names::of(&directory);
        let own = |path: &str| names.own(directory.join(path));
        let is = |path: &str| Some(directory.join(path));
        assert_eq!(own("a.xml"), is("a.xml"));
        assert_eq!(own("sub/loop/sub/loop/sub/a.xml"), is("sub/a.xml"));
        assert_eq!(own("gone/a.xml"), is("gone/a.xml"));
        assert_eq!(own(".git/a.xml"), None);
        assert_eq!(own(".a.xml"), None);
    }

    #[test]
    fn a_directory_stands_for_the_files_seen_in_it() {
        let files = ["a.xml", "a/b.xml", "a/c/d.xml", "ab.xml", "b.xml"];
        let seen: Seen = files
            .iter()
            .map(|file| (FilePath::from(file), Some(stamp(1))))
            .collect();
        assert_eq!(
            below(&seen, Path::new("a")),
            ["a/b.xml", "a/c/d.xml"].map(FilePath::from)
        );
    }
}
