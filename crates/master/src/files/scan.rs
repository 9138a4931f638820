//! What lies in the directory.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use akkaflow_model::check::{is_calendar, is_hidden, is_workflow_file};
use akkaflow_model::time::Timestamp;

/// Deeper directories are not entered.
const MAX_DEPTH: usize = 16;

/// What tells an unchanged file: length and time of the last change.
pub(super) type Stamp = (u64, SystemTime);

/// A path that is compared by its bytes: component by component costs ten times as much, and a hundred thousand paths
/// are compared at each scan.
pub(super) type FilePath = OsString;

/// What a scan found.
pub(super) struct Scan {
    pub(super) files: BTreeMap<FilePath, Stamp>,
    /// Directories that could not be listed: nobody knows whether the files in them are gone.
    pub(super) unreadable: Vec<PathBuf>,
}

/// Whether a file is looked at.
pub(super) fn is_watched(path: &Path) -> bool {
    is_workflow_file(path) || is_calendar(path)
}

/// All files of workflows and calendars below a directory, those too that turn out not to be readable, so that somebody is
/// told.
///
/// A directory that links lead to is entered once, by its own name where it lies below `directory` itself.
pub(super) fn scan(directory: PathBuf) -> Scan {
    let mut found = BTreeMap::new();
    let mut unreadable = Vec::new();
    let mut entered = BTreeSet::new();
    // Links wait at the back until all directories are entered by their own names.
    let mut open = VecDeque::from([(directory, 0)]);
    while let Some((directory, depth)) = open.pop_front() {
        let identity = std::fs::metadata(&directory).map(|meta| (meta.dev(), meta.ino()));
        if identity.is_ok_and(|identity| !entered.insert(identity)) {
            continue;
        }
        let Ok(entries) = std::fs::read_dir(&directory) else {
            tracing::warn!(path = %directory.display(), "cannot read a directory of workflow files; what is known of those in it stays in force");
            unreadable.push(directory);
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(meta) = look_at(&path) else {
                continue;
            };
            if !meta.is_dir() {
                if is_watched(&path) {
                    found.insert(path.into(), stamp(&meta));
                }
            } else if depth < MAX_DEPTH && !is_hidden(&path) {
                let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
                if is_link {
                    open.push_back((path, depth + 1));
                } else {
                    open.push_front((path, depth + 1));
                }
            }
        }
    }
    Scan {
        files: found,
        unreadable,
    }
}

/// What lies at a path; the link itself where it leads nowhere.
pub(super) fn look_at(path: &Path) -> io::Result<Metadata> {
    std::fs::metadata(path).or_else(|_| std::fs::symlink_metadata(path))
}

pub(super) fn stamp(meta: &Metadata) -> Stamp {
    (
        meta.len(),
        meta.modified().unwrap_or(SystemTime::UNIX_EPOCH),
    )
}

/// When somebody has last dropped the file in: written it, or, where there was none before, put it there by whatever means.
/// A change of its owner or rights is neither.
pub(super) fn dropped_at(meta: &Metadata, is_new: bool) -> Timestamp {
    let millis = |seconds: i64, nanos: i64| seconds * 1_000 + nanos / 1_000_000;
    let written = millis(meta.mtime(), meta.mtime_nsec());
    let put = millis(meta.ctime(), meta.ctime_nsec());
    Timestamp::from_millis(if is_new { written.max(put) } else { written })
}

#[cfg(test)]
mod tests;
