//! Whatever holds files: what can be done with them, and the table of the kinds.

mod local;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use akkaflow_model::file_links::{FileAccess, FileKind, FileLink};
use akkaflow_model::text::Text;
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connect::Options;
use crate::error::Error;
use crate::file::{Content, Sink};
use crate::{ssh, web};

/// One kind of file systems. A new one is a module with one of these and a line in [`file_connectors`].
#[async_trait]
pub trait FileConnector: Send + Sync {
    /// The type of the file-links that it serves; `None` where files have addresses and no links.
    fn kind(&self) -> Option<FileKind>;

    /// How the addresses that it serves begin, without `://`.
    fn schemes(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether files can be written there, not only read.
    fn is_writable(&self) -> bool {
        true
    }

    /// Makes files ready for use; `access` is the link, `None` for an address.
    ///
    /// # Errors
    /// [`Error::Configuration`] when the link cannot work, [`Error::Unreachable`] when nobody answers.
    async fn open(
        &self,
        access: Option<&FileAccess>,
        options: &Options,
    ) -> Result<Arc<dyn FileSystem>, Error>;
}

/// All kinds of file systems that there are.
pub fn file_connectors() -> &'static [&'static dyn FileConnector] {
    &[&local::Local, &ssh::Sftp, &web::Web]
}

/// The files of a file-link.
///
/// # Errors
/// As [`FileConnector::open`]; [`Error::Configuration`] for a kind that is only known by name.
pub async fn open_files(
    access: &FileAccess,
    options: &Options,
) -> Result<Arc<dyn FileSystem>, Error> {
    let kind = Some(access.link.kind);
    let connector = file_connectors().iter().find(|it| it.kind() == kind);
    let connector = connector.ok_or_else(|| unsupported(&access.link))?;
    connector.open(Some(access), options).await
}

/// Whether we reach the files of `link`.
///
/// # Errors
/// [`Error::Configuration`] for a kind that is only known by name.
pub fn check_supported_files(link: &FileLink) -> Result<(), Error> {
    let kind = Some(link.kind);
    let mut known = file_connectors().iter();
    match known.any(|it| it.kind() == kind) {
        true => Ok(()),
        false => Err(unsupported(link)),
    }
}

/// Who serves a path that is an address, like `https://host/file.csv`; `None` for any other path.
pub fn addressed(path: &str) -> Option<&'static dyn FileConnector> {
    let (scheme, _) = path.split_once("://")?;
    let connectors = file_connectors().iter().copied();
    connectors
        .into_iter()
        .find(|it| it.schemes().contains(&scheme))
}

/// Files of one place. A path that does not begin with `/` begins where the user of the place arrives.
#[async_trait]
pub trait FileSystem: Send + Sync {
    /// What people call the file at `path`.
    fn name(&self, path: &str) -> String;

    /// The directory where paths begin that do not say so.
    fn root(&self) -> String {
        ".".to_owned()
    }

    /// What it proves that this was opened; `None` where nothing had to be connected to.
    fn proof(&self) -> Option<Text> {
        None
    }

    /// What stands in a directory; nothing in one that is not there.
    ///
    /// # Errors
    /// What the place says; [`io::ErrorKind::Unsupported`] where nobody can look.
    async fn list(&self, directory: &str) -> io::Result<Vec<FileEntry>> {
        let _ = directory;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// A file; `None` when there is none of that path.
    ///
    /// # Errors
    /// The same.
    async fn file(&self, path: &str) -> io::Result<Option<FileSize>> {
        let _ = path;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The bytes of a file, as they come, until `stop` fires.
    ///
    /// # Errors
    /// [`Error::File`] with what the place says.
    async fn content(
        self: Arc<Self>,
        path: &str,
        stop: CancellationToken,
    ) -> Result<Content, Error>;

    /// Begins a file that will replace the one at `path`, whose mode it gets; missing directories are made.
    ///
    /// # Errors
    /// [`Error::File`] with what the place says; [`Error::Configuration`] where files can only be read.
    async fn create(self: Arc<Self>, path: &str, new: NewFile) -> Result<Box<dyn Sink>, Error> {
        let _ = new;
        Err(read_only(&self.name(path)))
    }

    /// Removes a file.
    ///
    /// # Errors
    /// What the place says; [`io::ErrorKind::NotFound`] when there is none.
    async fn remove(&self, path: &str) -> io::Result<()> {
        let _ = path;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Gives a file another name.
    ///
    /// # Errors
    /// What the place says.
    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let _ = (from, to);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// What stands in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name.
    pub name: String,
    /// A directory itself, or a link to one.
    pub is_directory: bool,
    /// Whether it is a link: directories behind one could come back to their parents.
    pub is_link: bool,
    /// `None` for what is no file.
    pub file: Option<FileSize>,
}

/// What is seen of a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSize {
    /// How large it is.
    pub bytes: u64,
    /// When it was written last, by the clock of its place, where that says so.
    pub changed: Option<SystemTime>,
}

/// What a file needs that comes into being.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// Makes the name that it has meanwhile differ from that of any other attempt.
    pub unique: String,
    /// Writing fails once this fires.
    pub stop: CancellationToken,
    /// Once all of these have ended, nothing is left of a sink that was dropped.
    pub tasks: TaskTracker,
}

fn unsupported(link: &FileLink) -> Error {
    let (name, kind) = (&link.name, link.kind.as_str());
    let kinds = file_connectors().iter().filter_map(|it| it.kind());
    let known: Vec<&str> = kinds.map(FileKind::as_str).collect();
    Error::Configuration(Text::new(
        format!(
            "文件连接[{name}]的类型为{kind}，当前版本不支持，支持{}",
            known.join("、")
        ),
        format!(
            "file-link `{name}` is of type {kind}, which is not supported by this version; supported: {}",
            known.join(", ")
        ),
    ))
}

fn read_only(name: &str) -> Error {
    Error::Configuration(Text::new(
        format!("{name}只能读取，不能写入"),
        format!("{name} can be read, not written"),
    ))
}
