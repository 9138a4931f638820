//! The worker's own files.

use std::fs::{self, Metadata};
use std::io;
use std::path::{self, Path, PathBuf};
use std::sync::Arc;

use akkaflow_model::file_links::{FileAccess, FileKind};
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{FileConnector, FileEntry, FileSize, FileSystem, NewFile};
use crate::connect::Options;
use crate::error::Error;
use crate::file::{Content, LocalSink, Sink};
use crate::processor_time;

pub(super) struct Local;

#[async_trait]
impl FileConnector for Local {
    fn kind(&self) -> Option<FileKind> {
        Some(FileKind::Local)
    }

    async fn open(
        &self,
        _: Option<&FileAccess>,
        options: &Options,
    ) -> Result<Arc<dyn FileSystem>, Error> {
        let base = &options.base_dir;
        let base = path::absolute(base).unwrap_or_else(|_| base.clone());
        Ok(Arc::new(LocalFiles { base }))
    }
}

struct LocalFiles {
    /// Where paths begin that do not begin with `/`.
    base: PathBuf,
}

#[async_trait]
impl FileSystem for LocalFiles {
    fn name(&self, path: &str) -> String {
        self.base.join(path).display().to_string()
    }

    fn root(&self) -> String {
        self.base.to_string_lossy().into_owned()
    }

    async fn list(&self, directory: &str) -> io::Result<Vec<FileEntry>> {
        let directory = self.base.join(directory);
        aside(move || list(&directory)).await
    }

    async fn file(&self, path: &str) -> io::Result<Option<FileSize>> {
        let path = self.base.join(path);
        aside(move || Ok(there(fs::metadata(path))?.and_then(|data| size(&data)))).await
    }

    async fn content(self: Arc<Self>, path: &str, _: CancellationToken) -> Result<Content, Error> {
        let path = self.base.join(path);
        processor_time::spawn_blocking(move || Content::local(&path))
            .await
            .expect("opening a file does not panic")
    }

    async fn create(self: Arc<Self>, path: &str, new: NewFile) -> Result<Box<dyn Sink>, Error> {
        let path = self.base.join(path);
        let begun = new
            .tasks
            .spawn_blocking(move || LocalSink::create(&path, &new.unique));
        let sink = begun.await.expect("beginning a file does not panic")?;
        Ok(Box::new(sink))
    }

    async fn remove(&self, path: &str) -> io::Result<()> {
        tokio::fs::remove_file(self.base.join(path)).await
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        tokio::fs::rename(self.base.join(from), self.base.join(to)).await
    }
}

/// A slow disk holds up nobody else.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    processor_time::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn list(directory: &Path) -> io::Result<Vec<FileEntry>> {
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
        entries.push(FileEntry {
            name: entry.file_name().to_string_lossy().into_owned(),
            is_directory: data.is_dir(),
            is_link: entry.file_type()?.is_symlink(),
            file: size(&data),
        });
    }
    Ok(entries)
}

fn size(data: &Metadata) -> Option<FileSize> {
    data.is_file().then(|| FileSize {
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
