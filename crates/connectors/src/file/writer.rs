//! Writing.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::failed;
use super::format::{Format, Layout};
use crate::batch::Batch;
use crate::column::{Column, Kind};
use crate::convert::append_hex;
use crate::error::Error;

/// Bytes collected before they are written.
const CHUNK_BYTES: usize = 1024 * 1024;

/// A file of rows that comes into being: it stands under a name of its own beside its target until [`FileWriter::finish`], and
/// is gone when dropped before.
#[derive(Debug)]
pub struct FileWriter {
    file: File,
    path: PathBuf,
    temporary: PathBuf,
    is_finished: bool,
    layout: Layout,
    /// Bytes that a value cannot hold as they are.
    is_special: [bool; 256],
    columns: Vec<Column>,
    buffer: Vec<u8>,
    line_breaks: Option<LineBreaks>,
}

/// Values that a file does not hold as they were: it has one row a line, so their line breaks became blanks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineBreaks {
    /// How many values.
    pub values: u64,
    /// The row of the first one, from 1.
    pub first_row: u64,
    /// Its column: the name, else its number from 1.
    pub first_column: String,
}

impl FileWriter {
    /// Begins a file that will replace `path`, with the names of `columns` in its first line where `format` says so; missing
    /// directories are made. `unique` makes the name of the file under way differ from that of any other attempt. Blocks.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be made, [`Error::Row`] for a name that the format cannot hold.
    pub fn create(
        path: &Path,
        format: Format,
        columns: Vec<Column>,
        unique: &str,
    ) -> Result<Self, Error> {
        let name = path
            .file_name()
            .filter(|_| !path.is_dir())
            .ok_or_else(|| failed(path, &std::io::ErrorKind::IsADirectory.into()))?;
        let temporary = path.with_file_name(format!(".{}.{unique}.part", name.to_string_lossy()));
        let make = || {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            File::create(&temporary)
        };
        let file = make().map_err(|error| failed(path, &error))?;
        let mut writer = Self {
            file,
            path: path.to_owned(),
            temporary,
            is_finished: false,
            is_special: format.layout.special_bytes(),
            layout: format.layout,
            columns,
            buffer: Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4),
            line_breaks: None,
        };
        if format.has_header && !writer.columns.is_empty() {
            writer.write_header()?;
        }
        Ok(writer)
    }

    fn write_header(&mut self) -> Result<(), Error> {
        for position in 0..self.columns.len() {
            let name = self.columns[position].name.clone();
            self.append_text(name.as_bytes(), (0, position))?;
            self.buffer.extend_from_slice(self.layout.delimiter());
        }
        self.end_row();
        Ok(())
    }

    /// Appends rows. Blocks.
    ///
    /// # Errors
    /// [`Error::Row`] for a value that the format cannot hold, [`Error::File`] when the file cannot be written.
    pub fn write(&mut self, batch: &Batch) -> Result<(), Error> {
        for (number, row) in (batch.first_row..).zip(batch.rows()) {
            let is_empty = row.len() == 0;
            for (position, value) in row.enumerate() {
                self.append_value(value, (number, position))?;
                self.buffer.extend_from_slice(self.layout.delimiter());
            }
            match is_empty {
                true => self.buffer.push(b'\n'),
                false => self.end_row(),
            }
            if self.buffer.len() >= CHUNK_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Puts a line break in the place of the last delimiter.
    fn end_row(&mut self) {
        let length = self.buffer.len() - self.layout.delimiter().len();
        self.buffer.truncate(length);
        self.buffer.push(b'\n');
    }

    #[inline]
    fn append_value(&mut self, value: Option<&[u8]>, place: (u64, usize)) -> Result<(), Error> {
        let column = self.columns.get(place.1);
        let is_binary = column.is_some_and(|column| matches!(column.kind, Kind::Binary(_)));
        match (value, &self.layout) {
            (None, Layout::Text(_)) => self.buffer.extend_from_slice(b"null"),
            (None, Layout::Csv(csv)) => self.buffer.extend_from_slice(csv.null_text()),
            (Some(value), _) if is_binary && !is_plain(value) => {
                let mut spelled = b"\\x".to_vec();
                append_hex(value, &mut spelled);
                self.append_text(&spelled, place)?;
            }
            (Some(value), _) => self.append_text(value, place)?,
        }
        Ok(())
    }

    #[inline]
    fn append_text(&mut self, value: &[u8], place: (u64, usize)) -> Result<(), Error> {
        let has_special = self.has_special(value);
        match &self.layout {
            Layout::Csv(csv) if has_special || csv.means_null(value) => {
                csv.append_quoted(value, &mut self.buffer);
            }
            Layout::Text(_) if has_special => return self.append_unusual(value, place),
            _ => self.buffer.extend_from_slice(value),
        }
        Ok(())
    }

    /// Makes what was written durable and puts it in the place of the target, all at once. Says which values it does not hold as
    /// they were, if any. Blocks.
    ///
    /// # Errors
    /// [`Error::File`] when that fails; the target is untouched then.
    pub fn finish(mut self) -> Result<Option<LineBreaks>, Error> {
        self.flush()?;
        let place = || {
            self.file.sync_all()?;
            fs::rename(&self.temporary, &self.path)?;
            match self.path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
                _ => Ok(()),
            }
        };
        place().map_err(|error| failed(&self.path, &error))?;
        self.is_finished = true;
        Ok(self.line_breaks.take())
    }

    #[inline]
    fn has_special(&self, value: &[u8]) -> bool {
        let is_special = &self.is_special;
        value.iter().any(|byte| is_special[usize::from(*byte)])
    }

    #[cold]
    fn append_unusual(&mut self, value: &[u8], (row, position): (u64, usize)) -> Result<(), Error> {
        let column = self.columns.get(position);
        let name = column.map_or_else(|| (position + 1).to_string(), |column| column.name.clone());
        let start = self.buffer.len();
        let mut has_breaks = false;
        for run in value.chunk_by(|a, b| is_break(*a) == is_break(*b)) {
            if is_break(run[0]) {
                has_breaks = true;
                self.buffer.push(b' ');
            } else {
                self.buffer.extend_from_slice(run);
            }
        }
        // With the delimiter behind it: the value's end may also be its beginning.
        let end = self.buffer.len();
        self.buffer.extend_from_slice(self.layout.delimiter());
        let at = memchr::memmem::find(&self.buffer[start..], self.layout.delimiter());
        self.buffer.truncate(end);
        if at != Some(end - start) {
            let (zh, en) = (
                "含有分隔符，请更换delimited",
                "holds the delimiter; choose another `delimited`",
            );
            return Err(Error::value(row, &name, value, zh, en));
        }
        if has_breaks {
            let breaks = self.line_breaks.get_or_insert_with(|| LineBreaks {
                values: 0,
                first_row: row,
                first_column: name,
            });
            breaks.values += 1;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.file
            .write_all(&self.buffer)
            .map_err(|error| failed(&self.temporary, &error))?;
        self.buffer.clear();
        Ok(())
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        if !self.is_finished {
            // Nothing half written is left; a failure here has no one to hear it.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Whether a reader takes these bytes for themselves: text, and not the spelling of other bytes.
fn is_plain(value: &[u8]) -> bool {
    std::str::from_utf8(value)
        .is_ok_and(|text| !text.contains(char::is_control) && !text.starts_with("\\x"))
}
