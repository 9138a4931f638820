//! Looking at the files of another machine.

use std::io;

use russh::ChannelStream;
use russh::client::Msg;
use russh_sftp::client::SftpSession;
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::protocol::{FileAttributes, StatusCode};

use super::{Ssh, broken};
use crate::Error;
use crate::file_system::{FileEntry, FileSize};

/// Seconds that a host may take for one answer.
const ANSWER_SECONDS: u64 = 30;

/// What the mode says that something is. The library's own questions take a link for a file: their bits overlap.
pub(super) const TYPE: u32 = 0o170_000;
pub(super) const DIRECTORY: u32 = 0o040_000;
pub(super) const REGULAR: u32 = 0o100_000;
const LINK: u32 = 0o120_000;

pub(super) fn is(data: &FileAttributes, kind: u32) -> bool {
    data.permissions.is_some_and(|mode| mode & TYPE == kind)
}

/// The files of another machine.
pub(crate) struct Remote {
    pub(super) session: SftpSession,
    // Cut when nobody needs it any more.
    ssh: Ssh,
}

impl Remote {
    /// Opens the files of a machine.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the machine does not offer them.
    pub(crate) async fn open(ssh: Ssh) -> Result<Self, Error> {
        let stream = channel(&ssh).await.map_err(|error| broken(&error))?;
        let session = SftpSession::new(stream).await.map_err(|error| {
            Error::File(akkaflow_model::text::Text::verbatim(error.to_string()))
        })?;
        session.set_timeout(ANSWER_SECONDS);
        Ok(Self { session, ssh })
    }

    /// Another channel for the same files.
    pub(super) async fn open_channel(&self) -> io::Result<ChannelStream<Msg>> {
        channel(&self.ssh).await.map_err(io::Error::other)
    }

    /// What stands in a directory; nothing in one that is not there.
    ///
    /// # Errors
    /// What the machine says.
    pub(crate) async fn list(&self, directory: &str) -> io::Result<Vec<FileEntry>> {
        let Some(found) = there(self.session.read_dir(directory).await)? else {
            return Ok(Vec::new());
        };
        let mut entries = Vec::new();
        for entry in found {
            let mut data = entry.metadata();
            let is_link = is(&data, LINK);
            if is_link {
                let path = format!("{directory}/{}", entry.file_name());
                match there(self.session.metadata(path).await)? {
                    Some(target) => data = target,
                    // It leads nowhere.
                    None => continue,
                }
            }
            entries.push(FileEntry {
                name: entry.file_name(),
                is_directory: is(&data, DIRECTORY),
                is_link,
                file: file(&data),
            });
        }
        Ok(entries)
    }

    /// A file; `None` when there is none of that path.
    ///
    /// # Errors
    /// What the machine says.
    pub(crate) async fn file(&self, path: &str) -> io::Result<Option<FileSize>> {
        Ok(there(self.session.metadata(path).await)?.and_then(|data| file(&data)))
    }

    /// Gives a file another name.
    ///
    /// # Errors
    /// What the machine says.
    pub(crate) async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.session
            .rename(from, to)
            .await
            .map_err(io::Error::other)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// What the machine says; [`io::ErrorKind::NotFound`] when there is none.
    pub(crate) async fn remove(&self, path: &str) -> io::Result<()> {
        let removed = there(self.session.remove_file(path).await)?;
        removed.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

async fn channel(ssh: &Ssh) -> Result<ChannelStream<Msg>, russh::Error> {
    let channel = ssh.handle.channel_open_session().await?;
    channel.request_subsystem(true, "sftp").await?;
    Ok(channel.into_stream())
}

fn file(data: &FileAttributes) -> Option<FileSize> {
    is(data, REGULAR).then(|| FileSize {
        bytes: data.size.unwrap_or_default(),
        changed: data.modified().ok(),
    })
}

pub(super) fn there<T>(result: Result<T, SftpError>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(SftpError::Status(status)) if status.status_code == StatusCode::NoSuchFile => Ok(None),
        Err(error) => Err(io::Error::other(error)),
    }
}
