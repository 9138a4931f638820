//! The bytes of a file that is read, wherever they come from.

use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use akkaflow_model::text::Text;

use super::compression::Compression;
use super::failed;
use crate::error::Error;

/// The bytes of a file that is read, wherever they come from.
pub struct Content {
    /// As people know it.
    pub(super) name: PathBuf,
    bytes: Bytes,
    length: Option<u64>,
    /// How they are compressed, where not their name says so.
    compression: Option<Compression>,
    /// What people should know of it.
    note: Option<Text>,
}

enum Bytes {
    File(File),
    Stream(Box<dyn Read + Send>),
}

impl Content {
    /// Bytes that are read as they come; errors call them `name`. `length` is how many there are, where that is known.
    pub fn new(
        name: impl Into<PathBuf>,
        bytes: impl Read + Send + 'static,
        length: Option<u64>,
    ) -> Self {
        Self {
            name: name.into(),
            bytes: Bytes::Stream(Box::new(bytes)),
            length,
            compression: None,
            note: None,
        }
    }

    /// The same; people should know this of it.
    pub(crate) fn noting(self, note: Option<Text>) -> Self {
        Self { note, ..self }
    }

    /// What people should know of it; said once.
    pub fn take_note(&mut self) -> Option<Text> {
        self.note.take()
    }

    /// The same, compressed in this way unless the format says otherwise, whatever the name.
    #[must_use]
    pub fn compressed(self, compression: Compression) -> Self {
        Self {
            compression: Some(compression),
            ..self
        }
    }

    /// What a compression of the format means for it.
    pub(super) fn compression(&self, wanted: Compression) -> Compression {
        match (wanted, self.compression) {
            (Compression::Auto, Some(known)) => known,
            _ => wanted.of(&self.name),
        }
    }

    /// The worker's own file at `path`. Blocks.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be opened.
    pub fn local(path: &Path) -> Result<Self, Error> {
        let open = || {
            let file = File::open(path)?;
            let metadata = file.metadata()?;
            if metadata.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            Ok((file, metadata.is_file().then_some(metadata.len())))
        };
        let (file, length) = open().map_err(|error| failed(path, &error))?;
        Ok(Self {
            name: path.to_owned(),
            bytes: Bytes::File(file),
            length,
            compression: None,
            note: None,
        })
    }

    /// How many bytes there are, where that is known before they are read.
    pub(super) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Its name, and a file of the machine itself that holds it: one that comes from elsewhere is fetched into a file of `directory`
    /// without a name, but no more than `most` bytes and one of it.
    ///
    /// # Errors
    /// [`Error::File`] when that fails.
    pub(super) fn into_file(self, directory: &Path, most: u64) -> Result<(PathBuf, File), Error> {
        let name = self.name;
        let fetch = |bytes: Box<dyn Read + Send>| {
            let mut file = tempfile::tempfile_in(directory)?;
            io::copy(&mut bytes.take(most.saturating_add(1)), &mut file)?;
            file.rewind()?;
            Ok(file)
        };
        let file = match self.bytes {
            Bytes::File(file) => Ok(file),
            Bytes::Stream(bytes) => fetch(bytes),
        };
        match file {
            Ok(file) => Ok((name, file)),
            Err(error) => Err(failed(&name, &error)),
        }
    }

    /// Its bytes, as they lie there. Reading them blocks.
    pub fn into_bytes(self) -> Box<dyn Read + Send> {
        match self.bytes {
            Bytes::File(bytes) => Box::new(bytes),
            Bytes::Stream(bytes) => bytes,
        }
    }

    /// Its bytes, counted while they are read.
    pub(super) fn counted(self) -> (Box<dyn Read + Send>, Reading) {
        let reading = Reading::new(self.length);
        let read = Arc::clone(&reading.read);
        let bytes: Box<dyn Read + Send> = match self.bytes {
            Bytes::File(bytes) => Box::new(Counted { bytes, read }),
            Bytes::Stream(bytes) => Box::new(Counted { bytes, read }),
        };
        (bytes, reading)
    }
}

/// How much of a file has been read; clones tell the same.
#[derive(Debug, Clone)]
pub struct Reading {
    length: Option<u64>,
    read: Arc<AtomicU64>,
}

impl Reading {
    /// Of so many bytes, or rows, where that is known.
    pub(super) fn new(length: Option<u64>) -> Self {
        let read = Arc::default();
        Self { length, read }
    }

    /// So many more have been read.
    pub(super) fn add(&self, count: u64) {
        self.read.fetch_add(count, Ordering::Relaxed);
    }

    /// The part of the file that has been read, from 0 to 1; `None` where its length is not known.
    pub fn share(&self) -> Option<f64> {
        let length = self.length.filter(|length| *length > 0)? as f64;
        let read = self.read.load(Ordering::Relaxed) as f64;
        Some((read / length).min(1.0))
    }
}

struct Counted<T> {
    bytes: T,
    read: Arc<AtomicU64>,
}

impl<T: Read> Read for Counted<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
