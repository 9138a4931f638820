//! Files by their name, wherever they lie: `wait` and `file-monitor` look for them.

mod pattern;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use akkaflow_connectors::{FileSize, FileSystem, open_files};
use akkaflow_model::file_links::{self, FileAccess};
use akkaflow_model::text::Text;

use crate::context::AttemptContext;
use crate::error::ActionError;
use pattern::{Part, Pattern, fits};

/// So many files are told apart; whoever has more names them better.
const MOST_FILES: usize = 100_000;

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its whole path.
    pub(crate) path: String,
    /// How large it is.
    pub(crate) bytes: u64,
    /// When it was written last, where the file system says so.
    pub(crate) changed: Option<SystemTime>,
}

impl Found {
    /// Its name without the directory.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Nanoseconds; 0 where nothing is known.
    fn changed_nanos(&self) -> u128 {
        let since = self
            .changed
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        since.map_or(0, |since| since.as_nanos())
    }
}

/// The file-link that stands for the worker's own file system.
pub(crate) const LOCAL: &str = file_links::LOCAL;

/// The file-links that looking at files of `link` needs.
pub(crate) fn needed(link: &str) -> Vec<String> {
    match link {
        LOCAL => Vec::new(),
        link => vec![link.to_owned()],
    }
}

/// The files of `link` whose path fits `path`, in order: `*` stands for anything within a name, `**` for any directories.
///
/// # Errors
/// [`ActionError::Retryable`] naming the directory that cannot be read.
pub(crate) async fn find(
    attempt: &AttemptContext,
    link: &str,
    path: &str,
) -> Result<Vec<Found>, ActionError> {
    tokio::select! {
        biased;
        () = attempt.cancelled() => Err(ActionError::Cancelled),
        found = find_all(attempt, link, path) => found,
    }
}

/// The files of `link`, ready for use.
///
/// # Errors
/// As [`AttemptContext::file_link`] and [`open_files`].
pub(crate) async fn open(
    attempt: &AttemptContext,
    link: &str,
) -> Result<Arc<dyn FileSystem>, ActionError> {
    let options = attempt.options();
    Ok(match link {
        LOCAL => open_files(&FileAccess::local(), &options).await?,
        link => open_files(attempt.file_link(link)?, &options).await?,
    })
}

async fn find_all(
    attempt: &AttemptContext,
    link: &str,
    path: &str,
) -> Result<Vec<Found>, ActionError> {
    let files = open(attempt, link).await?;
    walk(&*files, &Pattern::new(&files.root(), path)).await
}

async fn walk(files: &dyn FileSystem, pattern: &Pattern) -> Result<Vec<Found>, ActionError> {
    let mut found: BTreeMap<String, FileSize> = BTreeMap::new();
    let mut open = vec![(pattern.root.clone(), &pattern.parts[..])];
    while let Some((directory, parts)) = open.pop() {
        let Some((part, rest)) = parts.split_first() else {
            continue;
        };
        let unreadable = |error| cannot_look(&directory, &error);
        match part {
            Part::Plain(name) if rest.is_empty() => {
                let path = joined(&directory, name);
                let size = files.file(&path).await.map_err(unreadable)?;
                found.extend(size.map(|size| (path, size)));
            }
            Part::Plain(name) => open.push((joined(&directory, name), rest)),
            Part::Like(like) => {
                for entry in files.list(&directory).await.map_err(unreadable)? {
                    if !fits(like, &entry.name) {
                        continue;
                    }
                    let path = joined(&directory, &entry.name);
                    match entry.file {
                        Some(size) if rest.is_empty() => {
                            found.insert(path, size);
                        }
                        _ if !rest.is_empty() && entry.is_directory => open.push((path, rest)),
                        _ => {}
                    }
                }
            }
            Part::AnyDirectories => {
                for entry in files.list(&directory).await.map_err(unreadable)? {
                    if entry.is_directory && !entry.is_link {
                        open.push((joined(&directory, &entry.name), parts));
                    }
                }
                open.push((directory, rest));
            }
        }
        if found.len() > MOST_FILES {
            return Err(too_many());
        }
    }
    let found = found.into_iter().map(|(path, size)| Found {
        path,
        bytes: size.bytes,
        changed: size.changed,
    });
    Ok(found.collect())
}

fn joined(directory: &str, name: &str) -> String {
    match directory {
        "" => name.to_owned(),
        _ if directory.ends_with('/') => format!("{directory}{name}"),
        _ => format!("{directory}/{name}"),
    }
}

fn cannot_look(directory: &str, error: &io::Error) -> ActionError {
    ActionError::Retryable(Text::new(
        format!("无法查看目录{directory}：{error}"),
        format!("cannot look into {directory}: {error}"),
    ))
}

fn too_many() -> ActionError {
    ActionError::Fatal(Text::new(
        format!("符合的文件超过{MOST_FILES}个，请缩小范围"),
        format!("more than {MOST_FILES} files fit; name fewer"),
    ))
}

/// What tells two sights of files apart: their paths, sizes and when they were written.
pub(crate) fn mark(found: &[Found]) -> String {
    let mut mark = 0;
    for file in found {
        let line = format!("{} {} {}\n", file.path, file.bytes, file.changed_nanos());
        mark = crc32c::crc32c_append(mark, line.as_bytes());
    }
    format!("{}-{mark:08x}", found.len())
}

/// Files in a few words: the first one's name, how many besides, and the bytes of all.
pub(crate) fn words(found: &[Found]) -> String {
    let bytes: u64 = found.iter().map(|file| file.bytes).sum();
    match found {
        [] => "0".to_owned(),
        [file] => format!("{} ({bytes} B)", file.name()),
        [file, rest @ ..] => format!("{} +{} ({bytes} B)", file.name(), rest.len()),
    }
}

#[cfg(test)]
mod tests;
