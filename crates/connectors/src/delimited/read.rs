//! Reading.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use akkaflow_model::text::Text;

use super::delimiter::Delimiter;
use super::failed;
use crate::batch::{Batch, BatchSender};
use crate::error::Error;

/// Bytes taken from the file at a time.
const CHUNK_BYTES: usize = 1024 * 1024;

/// A line longer than this is surely no line: the file is not what it was taken for.
const LINE_BYTES: usize = 1024 * 1024 * 1024;

/// An open delimited file.
#[derive(Debug)]
pub struct FileReader {
    file: File,
    path: PathBuf,
    delimiter: Delimiter,
    /// Read, not yet taken apart; starts with a line.
    pending: Vec<u8>,
    is_at_end: bool,
}

impl FileReader {
    /// Opens `path`. Blocks.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read.
    pub fn open(path: &Path, delimiter: Delimiter) -> Result<Self, Error> {
        let open = || {
            let file = File::open(path)?;
            if file.metadata()?.is_dir() {
                return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory));
            }
            Ok(file)
        };
        let mut reader = Self {
            file: open().map_err(|error| failed(path, &error))?,
            path: path.to_owned(),
            delimiter,
            pending: Vec::new(),
            is_at_end: false,
        };
        reader.fill()?;
        if reader.pending.starts_with(b"\xef\xbb\xbf") {
            reader.pending.drain(..3);
        }
        Ok(reader)
    }

    /// How many fields the first line has; `None` in an empty file. Blocks.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read.
    pub fn first_row_fields(&mut self) -> Result<Option<usize>, Error> {
        while !self.is_at_end && !self.pending.contains(&b'\n') {
            self.fill()?;
        }
        let line = self.pending.split(|byte| *byte == b'\n').next();
        Ok(line.filter(|_| !self.pending.is_empty()).map(|line| {
            let mut count = 0;
            for_each_field(line, self.delimiter.as_bytes(), |_| count += 1);
            count
        }))
    }

    /// Sends all rows. With `expected` each must have that many fields. Ends early, without an error, when nobody takes them
    /// any more. Blocks.
    ///
    /// # Errors
    /// [`Error::Row`] for a row with another number of fields, [`Error::File`] when the file cannot be read.
    pub fn read(mut self, expected: Option<usize>, output: &BatchSender) -> Result<u64, Error> {
        let mut batch = Batch::new(1);
        let mut rows = 0;
        loop {
            let mut start = 0;
            while let Some(length) = find(b"\n", &self.pending[start..]) {
                let line = &self.pending[start..start + length];
                rows += 1;
                append_row(line, &self.delimiter, &mut batch);
                check_fields(&mut batch, rows, expected)?;
                start += length + 1;
                if batch.is_full() && !batch.blocking_send(output) {
                    return Ok(rows);
                }
            }
            self.pending.drain(..start);
            if self.is_at_end {
                break;
            }
            self.fill()?;
        }
        if !self.pending.is_empty() {
            rows += 1;
            append_row(&self.pending, &self.delimiter, &mut batch);
            check_fields(&mut batch, rows, expected)?;
        }
        batch.blocking_send(output);
        Ok(rows)
    }

    fn fill(&mut self) -> Result<(), Error> {
        if self.pending.len() > LINE_BYTES {
            let path = self.path.display();
            return Err(Error::File(Text::new(
                format!("文件{path}存在超过1GiB的行"),
                format!("{path}: a line is longer than 1 GiB"),
            )));
        }
        let before = self.pending.len();
        self.pending.resize(before + CHUNK_BYTES, 0);
        let result = loop {
            match self.file.read(&mut self.pending[before..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        let count = result.map_err(|error| failed(&self.path, &error))?;
        self.pending.truncate(before + count);
        self.is_at_end = count == 0;
        Ok(())
    }
}

fn check_fields(batch: &mut Batch, row: u64, expected: Option<usize>) -> Result<(), Error> {
    let count = batch.end_row();
    match expected {
        Some(expected) if expected != count => Err(Error::Row(Text::new(
            format!("存在某（多条）记录的字段个数不等于{expected}：第{row}行有{count}个字段"),
            format!("row {row} has {count} fields, the target has {expected} columns"),
        ))),
        _ => Ok(()),
    }
}

#[inline]
fn append_row(line: &[u8], delimiter: &Delimiter, batch: &mut Batch) {
    for_each_field(line, delimiter.as_bytes(), |field| {
        if field.is_empty() || (field.len() == 4 && field.eq_ignore_ascii_case(b"null")) {
            batch.push_null();
        } else {
            batch.push(field);
        }
    });
}

#[inline]
fn for_each_field(line: &[u8], delimiter: &[u8], mut take: impl FnMut(&[u8])) {
    let mut line = line.strip_suffix(b"\r").unwrap_or(line);
    if let [delimiter] = delimiter {
        for field in line.split(|byte| byte == delimiter) {
            take(field);
        }
        return;
    }
    while let Some(at) = find(delimiter, line) {
        take(&line[..at]);
        line = &line[at + delimiter.len()..];
    }
    take(line);
}

#[inline]
fn find(needle: &[u8], text: &[u8]) -> Option<usize> {
    match needle {
        [byte] => memchr::memchr(*byte, text),
        _ => memchr::memmem::find(text, needle),
    }
}
