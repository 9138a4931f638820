//! What lies in the directory.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use akkaflow_model::check::is_workflow_file;
use akkaflow_model::time::Timestamp;

/// Deeper directories are not entered: a bound against loops of links.
const MAX_DEPTH: usize = 16;

/// What tells an unchanged file: length and time of the last change.
pub(super) type Stamp = (u64, SystemTime);

/// All workflow files below a directory.
pub(super) fn scan(directory: PathBuf) -> BTreeMap<PathBuf, Stamp> {
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

pub(super) fn stamp(meta: &std::fs::Metadata) -> Stamp {
    (
        meta.len(),
        meta.modified().unwrap_or(SystemTime::UNIX_EPOCH),
    )
}

/// When somebody has last dropped the file in: written it, or, where there was none before, put it there by whatever means.
/// A change of its owner or rights is neither.
pub(super) fn dropped_at(meta: &std::fs::Metadata, is_new: bool) -> Timestamp {
    use std::os::unix::fs::MetadataExt as _;
    let millis = |seconds: i64, nanos: i64| seconds * 1_000 + nanos / 1_000_000;
    let written = millis(meta.mtime(), meta.mtime_nsec());
    let put = millis(meta.ctime(), meta.ctime_nsec());
    Timestamp::from_millis(if is_new { written.max(put) } else { written })
}
