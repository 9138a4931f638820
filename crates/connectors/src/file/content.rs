//! The bytes of a file that is read, wherever they come from.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::compression::Compression;
use super::failed;
use crate::error::Error;

/// The bytes of a file that is read, wherever they come from.
pub struct Content {
    /// As people know it.
    pub(super) name: PathBuf,
    pub(super) bytes: Box<dyn Read + Send>,
    length: Option<u64>,
    /// How they are compressed, where not their name says so.
    compression: Option<Compression>,
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
            bytes: Box::new(bytes),
            length,
            compression: None,
        }
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
        Ok(Self::new(path, file, length))
    }

    /// The same, counted while it is read.
    pub(super) fn counted(self) -> (Self, Reading) {
        let reading = Reading {
            length: self.length,
            read: Arc::default(),
        };
        let counted = Counted {
            bytes: self.bytes,
            read: Arc::clone(&reading.read),
        };
        let content = Self {
            bytes: Box::new(counted),
            ..self
        };
        (content, reading)
    }
}

/// How much of a file has been read; clones tell the same.
#[derive(Debug, Clone)]
pub struct Reading {
    length: Option<u64>,
    read: Arc<AtomicU64>,
}

impl Reading {
    /// The part of the file that has been read, from 0 to 1; `None` where its length is not known.
    pub fn share(&self) -> Option<f64> {
        let length = self.length.filter(|length| *length > 0)? as f64;
        let read = self.read.load(Ordering::Relaxed) as f64;
        Some((read / length).min(1.0))
    }
}

struct Counted {
    bytes: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
