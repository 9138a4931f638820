//! The place of a file that comes into being.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::{Path, PathBuf};

use akkaflow_model::text::Text;

use super::failed;
use crate::error::Error;

/// A file that comes into being under a name of its own, beside the place that it will take. Dropped before that, it is gone. All of
/// it is for a thread that may wait.
pub trait Sink: Write + Send {
    /// Makes what was written durable and puts it in its place, all at once. Gives back what people should know of that.
    ///
    /// # Errors
    /// When that fails; what stood there before is untouched then.
    fn place(self: Box<Self>) -> io::Result<Vec<Text>>;
}

/// The name under which the file called `name` comes into being.
pub fn temporary_name(name: &str, unique: &str) -> String {
    format!(".{name}.{unique}.part")
}

/// A file of the machine itself.
pub struct LocalSink {
    file: File,
    path: PathBuf,
    temporary: PathBuf,
    is_placed: bool,
}

impl LocalSink {
    /// Begins a file that will replace `path`, whose mode it gets; missing directories are made. `unique` makes its name differ from
    /// that of any other attempt. Blocks.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be made.
    pub fn create(path: &Path, unique: &str) -> Result<Self, Error> {
        let (real, before) = replaced(path)?;
        let name = real
            .file_name()
            .filter(|_| !real.is_dir())
            .ok_or_else(|| failed(path, &io::ErrorKind::IsADirectory.into()))?;
        let temporary = real.with_file_name(temporary_name(&name.to_string_lossy(), unique));
        let make = || {
            if let Some(parent) = real.parent() {
                fs::create_dir_all(parent)?;
            }
            let sink = Self {
                file: File::create(&temporary)?,
                path: real.clone(),
                temporary,
                is_placed: false,
            };
            if let Some(before) = before {
                // Only root may give files away; for anybody else the owner is the one already.
                let _ = fchown(&sink.file, Some(before.uid()), Some(before.gid()));
                sink.file.set_permissions(before.permissions())?;
            }
            Ok(sink)
        };
        make().map_err(|error| failed(path, &error))
    }
}

impl Write for LocalSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Sink for LocalSink {
    fn place(mut self: Box<Self>) -> io::Result<Vec<Text>> {
        self.file.sync_all()?;
        fs::rename(&self.temporary, &self.path)?;
        self.is_placed = true;
        if let Some(parent) = self.path.parent().filter(|it| !it.as_os_str().is_empty()) {
            File::open(parent)?.sync_all()?;
        }
        Ok(Vec::new())
    }
}

impl Drop for LocalSink {
    fn drop(&mut self) {
        if !self.is_placed {
            // Nothing half written is left; a failure here has no one to hear it.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// The file that a new one takes the place of, if there is one: what a link leads to, never the link itself.
fn replaced(path: &Path) -> Result<(PathBuf, Option<Metadata>), Error> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok((path.to_owned(), None));
        }
        Err(error) => return Err(failed(path, &error)),
        Ok(_) => {}
    }
    let look = || {
        let real = fs::canonicalize(path)?;
        let metadata = fs::metadata(&real)?;
        Ok((real, metadata))
    };
    let (real, metadata) = look().map_err(|error| failed(path, &error))?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(Error::File(not_regular(&path.display().to_string())));
    }
    Ok((real, Some(metadata)))
}

pub(crate) fn not_regular(name: &str) -> Text {
    Text::new(
        format!("{name}不是普通文件，传输不会替换它"),
        format!("{name} is no regular file: a transfer does not replace it"),
    )
}
