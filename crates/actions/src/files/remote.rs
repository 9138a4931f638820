//! The files of another machine.

use std::io;

use akkaflow_connectors::{Remote, RemoteFile, Ssh};
use akkaflow_model::file_links::FileAccess;
use async_trait::async_trait;

use super::{Entry, Size, Tree};
use crate::error::ActionError;

/// Opens them.
pub(super) async fn open(access: &FileAccess) -> Result<Remote, ActionError> {
    Ok(Remote::open(Ssh::open(access).await?).await?)
}

#[async_trait]
impl Tree for Remote {
    async fn list(&mut self, directory: &str) -> io::Result<Vec<Entry>> {
        let entries = Remote::list(self, directory).await?.into_iter();
        let entries = entries.map(|entry| Entry {
            name: entry.name,
            is_directory: entry.is_directory,
            is_link: entry.is_link,
            file: entry.file.map(size),
        });
        Ok(entries.collect())
    }

    async fn file(&mut self, path: &str) -> io::Result<Option<Size>> {
        Ok(Remote::file(self, path).await?.map(size))
    }
}

fn size(file: RemoteFile) -> Size {
    Size {
        bytes: file.bytes,
        changed: file.changed,
    }
}
