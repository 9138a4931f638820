//! What actions report: a file of chunks, each of one stream, in the order of the reports. A chunk of the file is a
//! chunk on the wire, so that a second delivery is cut as the first one was.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use akkaflow_actions::{Level, LogSink};

use super::stream;
use crate::clock;
use crate::secrets::Secrets;

/// Neighbouring lines of one level share a chunk up to this size, bytes.
const CHUNK: usize = 32 << 10;

/// Stream, moment, length.
const HEADER: usize = 1 + 8 + 4;

/// Takes an attempt's lines. Cloned freely.
#[derive(Debug, Clone)]
pub(crate) struct LineWriter(Arc<Mutex<Writer>>);

#[derive(Debug)]
struct Writer {
    path: PathBuf,
    file: Option<File>,
    stream: u32,
    at_ms: i64,
    pending: Vec<u8>,
    length: u64,
    secrets: Secrets,
    failed: Option<io::ErrorKind>,
}

impl LineWriter {
    /// Creates the file at the first line.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(Arc::new(Mutex::new(Writer {
            path,
            file: None,
            stream: stream::INFO,
            at_ms: 0,
            pending: Vec::new(),
            length: 0,
            secrets: Secrets::default(),
            failed: None,
        })))
    }

    /// Stars stand for these from now on.
    pub(crate) fn hide(&self, secrets: Secrets) {
        self.with(|writer| writer.secrets = secrets);
    }

    /// The sink that an action reports to.
    pub(crate) fn sink(&self) -> LogSink {
        let writer = self.clone();
        LogSink::new(move |level, line| {
            let stream = match level {
                Level::Info => stream::INFO,
                Level::Warn => stream::WARN,
                Level::Error => stream::ERROR,
            };
            writer.with(|writer| writer.line(stream, line));
        })
    }

    /// Writes out what is pending; the bytes reported so far.
    pub(crate) fn flush(&self) -> u64 {
        self.with(|writer| {
            writer.flush();
            writer.length
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Writer) -> T) -> T {
        // A panic of an action between two lines leaves the writer as it was.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Writer {
    fn line(&mut self, stream: u32, line: &str) {
        if stream != self.stream || self.pending.len() + line.len() >= CHUNK {
            self.flush();
        }
        if self.pending.is_empty() {
            self.stream = stream;
            self.at_ms = clock::wall_ms();
        }
        let begin = self.pending.len();
        self.pending.extend_from_slice(line.as_bytes());
        self.secrets.hide(&mut self.pending[begin..]);
        self.pending.push(b'\n');
        self.length += line.len() as u64 + 1;
    }

    fn flush(&mut self) {
        if self.pending.is_empty() || self.failed.is_some() {
            self.pending.clear();
            return;
        }
        if let Err(error) = self.append() {
            tracing::error!(path = %self.path.display(), error = %error, "cannot keep what an action reports");
            self.failed = Some(error.kind());
        }
        self.pending.clear();
    }

    fn append(&mut self) -> io::Result<()> {
        let length = u32::try_from(self.pending.len()).map_err(io::Error::other)?;
        let mut bytes = Vec::with_capacity(HEADER + self.pending.len());
        bytes.push(u8::try_from(self.stream).map_err(io::Error::other)?);
        bytes.extend_from_slice(&self.at_ms.to_le_bytes());
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&self.pending);
        if self.file.is_none() {
            let file = OpenOptions::new()
                .append(true)
                .create(true)
                .open(&self.path)?;
            self.file = Some(file);
        }
        let file = self.file.as_mut().expect("opened above");
        file.write_all(&bytes)
    }
}

/// A chunk as it stands in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) stream: u32,
    pub(super) offset: u64,
    pub(super) at_ms: i64,
    pub(super) data: Vec<u8>,
}

/// Reads the chunks in order.
#[derive(Debug)]
pub(super) struct LineReader {
    path: PathBuf,
    file: Option<File>,
    at: u64,
    offsets: [u64; 6],
}

impl LineReader {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            file: None,
            at: 0,
            offsets: [0; 6],
        }
    }

    /// The next whole chunk, if there is one.
    pub(super) fn next(&mut self) -> io::Result<Option<Chunk>> {
        let file = match &self.file {
            Some(file) => file,
            None => match File::open(&self.path) {
                Ok(file) => self.file.insert(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            },
        };
        let mut header = [0; HEADER];
        if !read_whole(file, &mut header, self.at)? {
            return Ok(None);
        }
        let stream = usize::from(header[0]).min(self.offsets.len() - 1);
        let at_ms = i64::from_le_bytes(header[1..9].try_into().expect("eight bytes"));
        let length = u32::from_le_bytes(header[9..13].try_into().expect("four bytes"));
        let mut data = vec![0; length as usize];
        if !read_whole(file, &mut data, self.at + HEADER as u64)? {
            return Ok(None);
        }
        let offset = self.offsets[stream];
        self.at += (HEADER + data.len()) as u64;
        self.offsets[stream] += data.len() as u64;
        Ok(Some(Chunk {
            stream: u32::from(header[0]),
            offset,
            at_ms,
            data,
        }))
    }

    /// Bytes of a stream that were read.
    pub(super) fn offset(&self, stream: u32) -> u64 {
        self.offsets[stream as usize]
    }
}

fn read_whole(file: &File, buffer: &mut [u8], at: u64) -> io::Result<bool> {
    match file.read_exact_at(buffer, at) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_level_share_a_chunk_and_keep_their_order() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lines");
        let writer = LineWriter::new(path.clone());
        let sink = writer.sink();
        sink.info("a");
        sink.info("b");
        sink.line(Level::Error, "c");
        sink.info("d");
        assert_eq!(writer.flush(), 8);
        let mut reader = LineReader::new(path);
        let mut found = Vec::new();
        while let Some(chunk) = reader.next().unwrap() {
            found.push((chunk.stream, chunk.offset, chunk.data));
        }
        assert_eq!(
            found,
            [
                (stream::INFO, 0, b"a\nb\n".to_vec()),
                (stream::ERROR, 0, b"c\n".to_vec()),
                (stream::INFO, 4, b"d\n".to_vec()),
            ]
        );
    }

    #[test]
    fn secrets_are_not_even_written_to_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lines");
        let secrets = directory.path().join("secrets");
        std::fs::write(&secrets, "s3cr3t").unwrap();
        let writer = LineWriter::new(path.clone());
        writer.hide(Secrets::kept(&secrets));
        writer.sink().info("before s3cr3t behind");
        writer.flush();
        let written = std::fs::read(path).unwrap();
        assert!(written.ends_with(b"before ****** behind\n"));
    }
}
