//! File-links of type SFTP as file systems.

use std::io;
use std::sync::Arc;

use akkaflow_model::file_links::{FileAccess, FileKind};
use akkaflow_model::text::Text;
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{Remote, Ssh};
use crate::connect::Options;
use crate::error::Error;
use crate::file::{Content, Sink};
use crate::file_system::{FileConnector, FileEntry, FileSize, FileSystem, NewFile};

pub(crate) struct Sftp;

#[async_trait]
impl FileConnector for Sftp {
    fn kind(&self) -> Option<FileKind> {
        Some(FileKind::Sftp)
    }

    async fn open(
        &self,
        access: Option<&FileAccess>,
        _: &Options,
    ) -> Result<Arc<dyn FileSystem>, Error> {
        let access = access.expect("it serves no addresses");
        let remote = Remote::open(Ssh::open(access).await?).await?;
        Ok(Arc::new(SftpFiles {
            link: access.link.name.clone(),
            remote: Arc::new(remote),
        }))
    }
}

struct SftpFiles {
    link: String,
    remote: Arc<Remote>,
}

#[async_trait]
impl FileSystem for SftpFiles {
    fn name(&self, path: &str) -> String {
        format!("{}:{path}", self.link)
    }

    fn proof(&self) -> Option<Text> {
        Some(Text::new(
            "已连接，主机密钥与known_hosts一致",
            "connected, the host has the key that known_hosts says",
        ))
    }

    async fn list(&self, directory: &str) -> io::Result<Vec<FileEntry>> {
        self.remote.list(directory).await
    }

    async fn file(&self, path: &str) -> io::Result<Option<FileSize>> {
        self.remote.file(path).await
    }

    async fn content(
        self: Arc<Self>,
        path: &str,
        stop: CancellationToken,
    ) -> Result<Content, Error> {
        let remote = Arc::clone(&self.remote);
        remote.content(path, &self.name(path), stop).await
    }

    async fn create(self: Arc<Self>, path: &str, new: NewFile) -> Result<Box<dyn Sink>, Error> {
        let (remote, name) = (Arc::clone(&self.remote), self.name(path));
        let sink = remote.create(path, &name, &new.unique, new.stop, &new.tasks);
        Ok(Box::new(sink.await?))
    }

    async fn remove(&self, path: &str) -> io::Result<()> {
        self.remote.remove(path).await
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.remote.rename(from, to).await
    }
}
