//! Files of another machine that are read and written as streams.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use akkaflow_model::text::Text;
use russh_sftp::client::RawSftpSession;
use russh_sftp::client::fs::File;
use russh_sftp::protocol::{FileAttributes, OpenFlags, Packet, StatusCode};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::files::{DIRECTORY, REGULAR, Remote, TYPE, is, there};
use crate::bridge::{Bridge, wait};
use crate::error::Error;
use crate::file::{Content, Sink, failed, not_regular, temporary_name};

/// The extension of OpenSSH's server, and of most others, that replaces a file at once: the protocol's own renaming does not.
const POSIX_RENAME: &str = "posix-rename@openssh.com";

/// What came into being is removed within so long, or left where it is: an attempt must end.
const REMOVAL_LIMIT: Duration = Duration::from_secs(1);

/// The bits of a mode that can be set.
const MODE: u32 = 0o7777;

impl Remote {
    /// The bytes of the file at `path`, called `name` in errors, until `stop` fires.
    ///
    /// # Errors
    /// [`Error::File`] with what the machine says.
    pub(crate) async fn content(
        self: Arc<Self>,
        path: &str,
        name: &str,
        stop: CancellationToken,
    ) -> Result<Content, Error> {
        let open = async {
            let data = there(self.session.metadata(path).await)?.ok_or(io::ErrorKind::NotFound)?;
            if is(&data, DIRECTORY) {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            Ok((self.session.open(path).await?, data.size))
        };
        let (file, length) = open
            .await
            .map_err(|error: io::Error| failed(Path::new(name), &error))?;
        let bytes = Kept {
            bytes: Bridge::new(file, stop),
            _remote: self,
        };
        Ok(Content::new(name, bytes, length))
    }

    /// Begins a file that will replace the one at `path`, called `name` in errors, whose mode it gets; missing directories are made.
    /// `unique` makes its name differ from that of any other attempt. Writing fails once `stop` fires. A sink that is dropped is removed
    /// by one of `tasks`.
    ///
    /// # Errors
    /// [`Error::File`] with what the machine says.
    pub(crate) async fn create(
        self: Arc<Self>,
        path: &str,
        name: &str,
        unique: &str,
        stop: CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<RemoteSink, Error> {
        let told = |error| failed(Path::new(name), &error);
        let (path, before) = self.replaced(path).await.map_err(told)?;
        match before.as_ref().and_then(|data| data.permissions) {
            Some(mode) if mode & TYPE == DIRECTORY => {
                return Err(told(io::ErrorKind::IsADirectory.into()));
            }
            Some(mode) if ![REGULAR, 0].contains(&(mode & TYPE)) => {
                return Err(Error::File(not_regular(name)));
            }
            _ => {}
        }
        let sink = self.begin(path, before, unique, stop, tasks).await;
        sink.map_err(told)
    }

    async fn begin(
        self: Arc<Self>,
        path: String,
        before: Option<FileAttributes>,
        unique: &str,
        stop: CancellationToken,
        tasks: &TaskTracker,
    ) -> io::Result<RemoteSink> {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", &path));
        if name.is_empty() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let temporary = temporary_name(name, unique);
        let temporary = match path.strip_suffix(name) {
            Some(before_name) => format!("{before_name}{temporary}"),
            None => temporary,
        };
        if before.is_none() {
            self.make_directories(directory).await?;
        }
        let flags = OpenFlags::CREATE | OpenFlags::TRUNCATE | OpenFlags::WRITE;
        let file = self.session.open_with_flags(&temporary, flags).await?;
        let mut sink = RemoteSink {
            file: Bridge::new(file, stop.clone()),
            remote: self,
            has_before: before.is_some(),
            path,
            temporary,
            runtime: Handle::current(),
            stop,
            tasks: tasks.clone(),
            is_settled: false,
            notes: Vec::new(),
        };
        if let Some(before) = before {
            sink.keep_mode(&before).await;
        }
        Ok(sink)
    }

    /// The path of the file that a new one takes the place of, and the file, if there is one: what a link leads to, never the link itself.
    async fn replaced(&self, path: &str) -> io::Result<(String, Option<FileAttributes>)> {
        if there(self.session.symlink_metadata(path).await)?.is_none() {
            return Ok((path.to_owned(), None));
        }
        let data = there(self.session.metadata(path).await)?.ok_or(io::ErrorKind::NotFound)?;
        Ok((self.session.canonicalize(path).await?, Some(data)))
    }

    async fn make_directories(&self, directory: &str) -> io::Result<()> {
        let ends = directory.match_indices('/').map(|(at, _)| at);
        for end in ends.chain([directory.len()]) {
            let part = &directory[..end];
            if part.is_empty() || there(self.session.metadata(part).await)?.is_some() {
                continue;
            }
            let made = self.session.create_dir(part).await;
            // Somebody else may have made it meanwhile.
            if made.is_err() && there(self.session.metadata(part).await)?.is_none() {
                return Ok(made?);
            }
        }
        Ok(())
    }

    /// Replaces `to` by `from` at once; `false` when the machine cannot.
    async fn replace(&self, from: &str, to: &str) -> io::Result<bool> {
        let channel = self.open_channel().await?;
        let session = RawSftpSession::new(channel);
        let version = session.init().await?;
        if !version.extensions.contains_key(POSIX_RENAME) {
            return Ok(false);
        }
        let mut paths = Vec::new();
        for path in [from, to] {
            let length = u32::try_from(path.len()).map_err(io::Error::other)?;
            paths.extend(length.to_be_bytes());
            paths.extend(path.as_bytes());
        }
        match session.extended(POSIX_RENAME, paths).await {
            Ok(Packet::Status(status)) if status.status_code == StatusCode::Ok => Ok(true),
            Ok(Packet::Status(status)) => Err(io::Error::other(status.error_message)),
            Ok(_) => Err(io::ErrorKind::InvalidData.into()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The connection of a file lives as long as somebody reads it.
struct Kept {
    bytes: Bridge<File>,
    _remote: Arc<Remote>,
}

impl io::Read for Kept {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer)
    }
}

/// A file of another machine that comes into being.
pub(crate) struct RemoteSink {
    file: Bridge<File>,
    remote: Arc<Remote>,
    /// Whether there is a file to replace.
    has_before: bool,
    path: String,
    temporary: String,
    runtime: Handle,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Whether the file has its place, or must stay where it is.
    is_settled: bool,
    notes: Vec<Text>,
}

impl RemoteSink {
    async fn keep_mode(&mut self, before: &FileAttributes) {
        let owner = FileAttributes {
            uid: before.uid,
            gid: before.gid,
            ..FileAttributes::empty()
        };
        // Only root may give files away; for anybody else the owner is the one already.
        let _ = self
            .remote
            .session
            .set_metadata(&self.temporary, owner)
            .await;
        let Some(mode) = before.permissions.map(|mode| mode & MODE) else {
            return;
        };
        let mode_alone = FileAttributes {
            permissions: Some(mode),
            ..FileAttributes::empty()
        };
        let set = self
            .remote
            .session
            .set_metadata(&self.temporary, mode_alone);
        if let Err(error) = set.await {
            let path = &self.path;
            self.notes.push(Text::new(
                format!("对方不允许设置文件权限，{path}将不再是原来的{mode:o}：{error}"),
                format!("the other machine lets nobody set modes, so {path} loses its mode {mode:o}: {error}"),
            ));
        }
    }

    async fn rename(&mut self) -> io::Result<()> {
        let (from, to) = (&self.temporary, &self.path);
        if self.remote.replace(from, to).await? {
            return Ok(());
        }
        if !self.has_before {
            return self.remote.rename(from, to).await;
        }
        self.remote.remove(to).await?;
        // From now on it is the only one.
        self.is_settled = true;
        self.remote.rename(from, to).await.map_err(|error| {
            io::Error::other(format!(
                "{error} ({to} is removed, the new file is whole and called {from})"
            ))
        })?;
        self.notes.push(Text::new(
            format!("对方不支持{POSIX_RENAME}：{to}是先删除再改名的，其间短暂不存在"),
            format!("the other machine does not know {POSIX_RENAME}: {to} was removed before the new file got its name, and was missing for a moment"),
        ));
        Ok(())
    }
}

impl Write for RemoteSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Sink for RemoteSink {
    fn place(mut self: Box<Self>) -> io::Result<Vec<Text>> {
        // Waits for everything that is under way, and makes it durable where the machine can.
        self.file.flush()?;
        self.file.close()?;
        let (runtime, stop) = (self.runtime.clone(), self.stop.clone());
        wait(&runtime, &stop, self.rename())?;
        self.is_settled = true;
        Ok(std::mem::take(&mut self.notes))
    }
}

impl Drop for RemoteSink {
    fn drop(&mut self) {
        if !self.is_settled {
            // Nothing half written is left; a failure here has no one to hear it. Whoever drops it cannot wait.
            let (remote, temporary) = (Arc::clone(&self.remote), self.temporary.clone());
            let remove = async move {
                let _ = tokio::time::timeout(REMOVAL_LIMIT, remote.remove(&temporary)).await;
            };
            self.tasks.spawn_on(remove, &self.runtime);
        }
    }
}
