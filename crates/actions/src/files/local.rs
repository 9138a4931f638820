//! The worker's own files.

use std::fs::{self, Metadata};
use std::io;

use async_trait::async_trait;

use super::{Entry, Size, Tree};

/// The worker's own files.
pub(super) struct Local;

#[async_trait]
impl Tree for Local {
    async fn list(&mut self, directory: &str) -> io::Result<Vec<Entry>> {
        let directory = directory.to_owned();
        aside(move || list(&directory)).await
    }

    async fn file(&mut self, path: &str) -> io::Result<Option<Size>> {
        let path = path.to_owned();
        aside(move || Ok(there(fs::metadata(path))?.and_then(|data| size(&data)))).await
    }
}

/// A slow disk holds up nobody else.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn list(directory: &str) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let Some(found) = there(fs::read_dir(directory))? else {
        return Ok(entries);
    };
    for entry in found {
        let entry = entry?;
        // It may have gone meanwhile, or be a link to nowhere.
        let Some(data) = there(fs::metadata(entry.path()))? else {
            continue;
        };
        entries.push(Entry {
            name: entry.file_name().to_string_lossy().into_owned(),
            is_directory: data.is_dir(),
            is_link: entry.file_type()?.is_symlink(),
            file: size(&data),
        });
    }
    Ok(entries)
}

fn size(data: &Metadata) -> Option<Size> {
    data.is_file().then(|| Size {
        bytes: data.len(),
        changed: data.modified().ok(),
    })
}

/// `None` for what is not there, and where a file stands in the place of a directory.
fn there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        other => other.map(Some),
    }
}
