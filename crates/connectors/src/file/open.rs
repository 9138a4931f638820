//! Files of rows, whatever their format.

use std::path::Path;

use akkaflow_model::text::Text;

use super::compression::Compression;
use super::content::{Content, Reading};
use super::format::Format;
use super::parquet::{ParquetReader, ParquetWriter};
use super::reader::{OnBadRow, TextReader};
use super::sink::Sink;
use super::writer::{Finished, TextWriter};
use super::xlsx::{SheetFormat, SheetReader};
use crate::batch::{Batch, BatchSender};
use crate::column::Column;
use crate::error::Error;

/// How the rows of a file are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFormat {
    /// As lines of text.
    Text(Format),
    /// In a sheet of a workbook, which can be read only.
    Xlsx(SheetFormat),
    /// By columns, compressed within.
    Parquet(Compression),
}

/// An open file of rows.
pub struct FileReader(Reader);

enum Reader {
    Text(Box<TextReader>),
    Sheet(Box<SheetReader>),
    Parquet(ParquetReader),
}

impl FileReader {
    /// Opens a file and reads the names of its columns. Where the format needs the whole of a file that comes from elsewhere, it is
    /// kept in `directory` meanwhile. Blocks.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read, [`Error::Row`] when its first row is none.
    pub fn new(content: Content, format: FileFormat, directory: &Path) -> Result<Self, Error> {
        Self::with(content, format, directory, None)
    }

    /// The same. With `on_bad_row`, lines of text that are no row, have another number of fields or bytes that are no text go there instead
    /// of failing, and the number of a row is the line on which it begins. Blocks.
    ///
    /// # Errors
    /// The same, but for rows.
    pub fn with(
        content: Content,
        format: FileFormat,
        directory: &Path,
        on_bad_row: Option<OnBadRow>,
    ) -> Result<Self, Error> {
        Ok(Self(match format {
            FileFormat::Text(format) => {
                Reader::Text(Box::new(TextReader::new(content, format, on_bad_row)?))
            }
            FileFormat::Xlsx(format) => {
                Reader::Sheet(Box::new(SheetReader::fetch(content, directory, &format)?))
            }
            FileFormat::Parquet(_) => {
                let (name, file) = content.into_file(directory, u64::MAX)?;
                Reader::Parquet(ParquetReader::open(file, &name)?)
            }
        }))
    }

    /// Its columns: those that it names, else `col_0` and so on, as many as the first rows have; `None` in an empty file.
    pub fn columns(&self) -> Option<&[Column]> {
        match &self.0 {
            Reader::Text(reader) => reader.columns(),
            Reader::Sheet(reader) => reader.columns(),
            Reader::Parquet(reader) => Some(reader.columns()),
        }
    }

    /// Whether it names its columns, rather than to have them numbered.
    pub fn has_names(&self) -> bool {
        match &self.0 {
            Reader::Text(reader) => reader.has_names(),
            Reader::Sheet(reader) => reader.has_names(),
            Reader::Parquet(_) => true,
        }
    }

    /// Whether the kinds of its columns follow from its first rows alone.
    pub fn is_sampled(&self) -> bool {
        match &self.0 {
            Reader::Text(reader) => reader.is_sampled(),
            Reader::Sheet(_) => true,
            Reader::Parquet(_) => false,
        }
    }

    /// The columns of the rows that come for a target with `count` of them. Text without a header says nothing of its columns:
    /// each of its rows is held against the target.
    pub fn columns_for(&self, count: usize) -> Vec<Column> {
        match &self.0 {
            Reader::Text(reader) => reader.columns_for(count),
            _ => self
                .columns()
                .map_or_else(|| super::reader::numbered(count), <[Column]>::to_vec),
        }
    }

    /// How much of it has been read, where that can be told.
    pub fn reading(&self) -> Option<Reading> {
        match &self.0 {
            Reader::Text(reader) => Some(reader.reading()),
            Reader::Sheet(_) => None,
            Reader::Parquet(reader) => Some(reader.reading()),
        }
    }

    /// Sends all rows. With `expected` each must have that many fields. Ends early, without an error, when nobody takes them
    /// any more. Blocks.
    ///
    /// # Errors
    /// [`Error::Row`] for what is no row, or one with another number of fields; [`Error::File`] when the file cannot be read
    /// or holds what is no text.
    pub fn read(self, expected: Option<usize>, output: &BatchSender) -> Result<u64, Error> {
        match self.0 {
            Reader::Text(reader) => reader.read(expected, output),
            // Their rows have as many values as there are columns.
            Reader::Sheet(reader) => reader.read(output),
            Reader::Parquet(reader) => reader.read(output),
        }
    }
}

/// A file of rows that comes into being: it stands under a name of its own beside its target until [`FileWriter::finish`], and
/// is gone when dropped before.
pub struct FileWriter(Writer);

enum Writer {
    Text(Box<TextWriter>),
    Parquet(Box<ParquetWriter>),
}

impl FileWriter {
    /// Begins a file in `sink`, which people know as `path`. Blocks.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be made, [`Error::Row`] for a name that the format cannot hold.
    pub fn new(
        sink: Box<dyn Sink>,
        path: &Path,
        format: FileFormat,
        columns: Vec<Column>,
    ) -> Result<Self, Error> {
        Ok(Self(match format {
            FileFormat::Text(format) => {
                Writer::Text(Box::new(TextWriter::new(sink, path, format, columns)?))
            }
            FileFormat::Parquet(compression) => {
                let writer = ParquetWriter::new(sink, path, compression, columns)?;
                Writer::Parquet(Box::new(writer))
            }
            FileFormat::Xlsx(_) => {
                return Err(Error::Configuration(Text::new(
                    "xlsx只能读取，不能写入",
                    "xlsx can be read, not written",
                )));
            }
        }))
    }

    /// Appends rows. Blocks.
    ///
    /// # Errors
    /// [`Error::Row`] for a value that the format cannot hold, [`Error::File`] when the file cannot be written.
    pub fn write(&mut self, batch: &Batch) -> Result<(), Error> {
        match &mut self.0 {
            Writer::Text(writer) => writer.write(batch),
            Writer::Parquet(writer) => writer.write(batch),
        }
    }

    /// Makes what was written durable and puts it in the place of the target, all at once. Blocks.
    ///
    /// # Errors
    /// [`Error::File`] when that fails; the target is untouched then.
    pub fn finish(self) -> Result<Finished, Error> {
        match self.0 {
            Writer::Text(writer) => writer.finish(),
            Writer::Parquet(writer) => writer.finish(),
        }
    }
}
