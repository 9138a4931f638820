//! Reading lines of text.

use std::path::PathBuf;

use akkaflow_model::text::Text;

use super::content::{Content, Reading};
use super::format::{Format, Layout, Mistake, Taken};
use super::input::Input;
use super::json::Keys;
use super::text::{self, take_line};
use crate::batch::{Batch, BatchSender, Row};
use crate::column::{Column, Kind};
use crate::error::Error;

/// A row longer than this is surely no row: the file is not what it was taken for.
const ROW_BYTES: usize = 1024 * 1024 * 1024;

/// Rows of JSON that are looked at for the keys of all of them, and bytes of the file that these may take.
const SAMPLED_ROWS: usize = 1000;
const SAMPLED_BYTES: usize = 8 * 1024 * 1024;

/// Takes what should be a row and is none: the line of the file on which it begins, its values (or its text as the only one), and why.
/// An error of its own ends the reading.
pub type OnBadRow = Box<dyn FnMut(u64, Row<'_>, &Text) -> Result<(), Error> + Send>;

/// An open file of lines.
pub(super) struct TextReader {
    input: Input,
    path: PathBuf,
    format: Format,
    /// Read, not yet taken apart; starts with a row.
    pending: Vec<u8>,
    is_at_end: bool,
    /// Line breaks before the row under way.
    lines: u64,
    /// As many as the first row has; `None` in an empty file.
    columns: Option<Vec<Column>>,
    /// Of JSON lines.
    keys: Keys,
    /// Takes bad rows; without it the first is an error.
    on_bad_row: Option<OnBadRow>,
}

impl TextReader {
    /// Begins to read and learns the names of the columns. Blocks.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read, [`Error::Row`] when its first row is none.
    ///
    /// With `on_bad_row`, rows of another number of fields, with bytes that are no text or that are none go there instead of failing, and
    /// the number of a row is the line on which it begins.
    pub(super) fn new(
        content: Content,
        format: Format,
        on_bad_row: Option<OnBadRow>,
    ) -> Result<Self, Error> {
        let path = content.name.clone();
        let mut reader = Self {
            input: Input::open(content, &format, on_bad_row.is_some())?,
            path,
            format,
            pending: Vec::new(),
            is_at_end: false,
            lines: 0,
            columns: None,
            keys: Keys::default(),
            on_bad_row,
        };
        match reader.format.layout {
            Layout::JsonLines => reader.learn_keys()?,
            _ => reader.read_columns()?,
        }
        Ok(reader)
    }

    /// Its columns: those that the header or the keys of the first rows name, else `col_0` and so on, as many as the first row has;
    /// `None` in an empty file.
    pub(super) fn columns(&self) -> Option<&[Column]> {
        self.columns.as_deref()
    }

    /// How much of it has been read.
    pub(super) fn reading(&self) -> Reading {
        self.input.reading().clone()
    }

    /// Whether it names its columns, rather than to have them numbered.
    pub(super) fn has_names(&self) -> bool {
        let names = self.format.has_header || self.format.layout == Layout::JsonLines;
        names && self.columns.is_some()
    }

    /// Whether the kinds of its columns follow from its first rows alone: text without types takes everything.
    pub(super) fn is_sampled(&self) -> bool {
        self.format.layout == Layout::JsonLines
    }

    /// The columns of the rows that come for a target with `count` of them. Text without a header says nothing of its columns:
    /// each of its rows is held against the target.
    pub(super) fn columns_for(&self, count: usize) -> Vec<Column> {
        let counts_itself =
            self.format.has_header || !matches!(self.format.layout, Layout::Text(_));
        match &self.columns {
            Some(columns) if counts_itself => columns.clone(),
            _ => numbered(count),
        }
    }

    /// Sends all rows. With `expected` each must have that many fields. Ends early, without an error, when nobody takes them
    /// any more. Blocks.
    ///
    /// # Errors
    /// [`Error::Row`] for what is no row, or one with another number of fields; [`Error::File`] when the file cannot be read
    /// or holds what is no text.
    pub(super) fn read(
        mut self,
        expected: Option<usize>,
        output: &BatchSender,
    ) -> Result<u64, Error> {
        let mut batch = Batch::new(1);
        let mut rows = 0;
        loop {
            let mut start = 0;
            loop {
                let taken = match self.take_row(start, &mut batch) {
                    Ok(Some(taken)) => taken,
                    Ok(None) => break,
                    Err(mistake) => match self.pass_over(start, &mistake, &mut batch)? {
                        Some(taken) => {
                            self.lines += taken.lines;
                            start += taken.bytes;
                            continue;
                        }
                        None => break,
                    },
                };
                let end = start + taken.bytes;
                if self.is_blank(&self.pending[start..end]) {
                    batch.undo_row();
                } else if self.on_bad_row.is_some() {
                    rows += u64::from(self.end_good_row(&mut batch, end, expected)?);
                } else {
                    rows += 1;
                    self.end_row(&mut batch, rows, expected)?;
                }
                self.lines += taken.lines;
                start = end;
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
        batch.blocking_send(output);
        Ok(rows)
    }

    /// Takes the header off the file, if it has one, or looks at its first row.
    fn read_columns(&mut self) -> Result<(), Error> {
        let mut batch = Batch::default();
        let taken = loop {
            match self.take_row(0, &mut batch) {
                Ok(Some(taken)) => break taken,
                Ok(None) if self.is_at_end => return Ok(()),
                Ok(None) => self.fill()?,
                Err(mistake) => return Err(self.refuse(&mistake)),
            }
        };
        let count = batch.end_row();
        self.columns = Some(match self.format.has_header {
            true => names(&batch)?,
            false => numbered(count),
        });
        if self.format.has_header {
            let rest = self.pending.len() - taken.bytes;
            if let Some(text) = self.input.malformed_before(rest) {
                return Err(self.refuse(&Mistake::here(text)));
            }
            self.pending.drain(..taken.bytes);
            self.lines += taken.lines;
        }
        Ok(())
    }

    /// Learns from the first rows which keys there are, and takes none of them off the file.
    fn learn_keys(&mut self) -> Result<(), Error> {
        let mut start = 0;
        let mut rows = 0;
        while rows < SAMPLED_ROWS {
            let Some((line, taken)) = take_line(&self.pending[start..], self.is_at_end) else {
                if self.is_at_end || self.pending.len() > SAMPLED_BYTES {
                    break;
                }
                self.fill()?;
                continue;
            };
            if !line.trim_ascii().is_empty() {
                match self.keys.learn(line) {
                    Ok(()) => rows += 1,
                    // It is said when the line is read.
                    Err(_) if self.on_bad_row.is_some() => {}
                    Err(mistake) => return Err(self.refuse(&mistake)),
                }
            }
            self.lines += taken.lines;
            start += taken.bytes;
        }
        self.lines = 0;
        self.columns = (rows > 0).then(|| self.keys.columns());
        Ok(())
    }

    /// Appends the values of the row at `start` to the row under way in `batch`; nothing, and `None`, when its end is not there yet.
    #[inline]
    fn take_row(&self, start: usize, batch: &mut Batch) -> Result<Option<Taken>, Mistake> {
        let text = &self.pending[start..];
        if text.is_empty() {
            return Ok(None);
        }
        match &self.format.layout {
            Layout::Text(delimiter) => Ok(text::take_row(delimiter, text, self.is_at_end, batch)),
            Layout::Csv(csv) => csv.take_row(text, self.is_at_end, batch),
            Layout::JsonLines => self.keys.take_row(text, self.is_at_end, batch),
        }
    }

    /// Hands on the text at `start` that is no row, up to the end of the line with the mistake; `None` when that end is not there yet.
    #[cold]
    fn pass_over(
        &mut self,
        start: usize,
        mistake: &Mistake,
        batch: &mut Batch,
    ) -> Result<Option<Taken>, Error> {
        let Some(on_bad_row) = &mut self.on_bad_row else {
            return Err(self.refuse(mistake));
        };
        batch.undo_row();
        let text = &self.pending[start..];
        let breaks = usize::try_from(mistake.lines).unwrap_or(usize::MAX);
        let bytes = match memchr::memchr_iter(b'\n', text).nth(breaks) {
            Some(at) => at + 1,
            None if self.is_at_end => text.len(),
            None => return Ok(None),
        };
        let lines = memchr::memchr_iter(b'\n', &text[..bytes]).count() as u64;
        batch.push(text[..bytes].trim_ascii_end());
        let handed_on = on_bad_row(self.lines + 1, batch.row_under_way(), &mistake.text);
        batch.undo_row();
        let _ = self.input.malformed_before(text.len() - bytes);
        handed_on.map(|()| Some(Taken { bytes, lines }))
    }

    /// Ends the row under way, which reaches up to `end`, and says whether it is one; else it was handed on.
    fn end_good_row(
        &mut self,
        batch: &mut Batch,
        end: usize,
        expected: Option<usize>,
    ) -> Result<bool, Error> {
        let rest = self.pending.len() - end;
        let line = self.lines + 1;
        let count = batch.row_under_way().len();
        let wrong = self.input.malformed_before(rest).or_else(|| {
            let expected = expected.filter(|expected| *expected != count)?;
            Some(Text::new(
                format!("有{count}个字段，应为{expected}个"),
                format!("it has {count} fields instead of {expected}"),
            ))
        });
        if let (Some(wrong), Some(on_bad_row)) = (wrong, &mut self.on_bad_row) {
            let handed_on = on_bad_row(line, batch.row_under_way(), &wrong);
            batch.undo_row();
            return handed_on.map(|()| false);
        }
        batch.end_row_as(line);
        Ok(true)
    }

    fn refuse(&self, mistake: &Mistake) -> Error {
        let line = self.lines + mistake.lines + 1;
        let (path, text) = (self.path.display(), &mistake.text);
        Error::Row(Text::new(
            format!("文件{path}第{line}行：{}", text.zh),
            format!("{path}, line {line}: {}", text.en),
        ))
    }

    /// An empty line of JSON lines or of a CSV file with several columns holds no row; with one column it is a NULL.
    fn is_blank(&self, row: &[u8]) -> bool {
        match self.format.layout {
            Layout::Text(_) => false,
            Layout::Csv(_) => {
                matches!(row, b"\n" | b"\r\n" | b"\r")
                    && self.columns().is_some_and(|columns| columns.len() > 1)
            }
            Layout::JsonLines => row.trim_ascii().is_empty(),
        }
    }

    #[inline]
    fn end_row(&self, batch: &mut Batch, row: u64, expected: Option<usize>) -> Result<(), Error> {
        let count = batch.end_row();
        match expected {
            Some(expected) if expected != count => Err(self.other_count(row, count, expected)),
            _ => Ok(()),
        }
    }

    #[cold]
    fn other_count(&self, row: u64, count: usize, expected: usize) -> Error {
        let (path, line) = (self.path.display(), self.lines + 1);
        Error::Row(Text::new(
            format!(
                "存在某（多条）记录的字段个数不等于{expected}：第{row}行有{count}个字段（文件{path}第{line}行）"
            ),
            format!("row {row} has {count} fields ({path}, line {line}) instead of {expected}"),
        ))
    }

    /// Reads at least as much as is pending already, so that a long row is not looked through again and again.
    fn fill(&mut self) -> Result<(), Error> {
        if self.pending.len() > ROW_BYTES {
            return Err(self.too_long());
        }
        let wanted = self.pending.len();
        self.is_at_end = self.input.read(wanted, &mut self.pending)?;
        Ok(())
    }

    fn too_long(&self) -> Error {
        let (path, line) = (self.path.display(), self.lines + 1);
        Error::File(Text::new(
            format!("文件{path}第{line}行开始的记录超过1GiB"),
            format!("{path}: the row that begins on line {line} is longer than 1 GiB"),
        ))
    }
}

pub(super) fn numbered(count: usize) -> Vec<Column> {
    (0..count)
        .map(|index| Column::new(format!("col_{index}"), Kind::Field))
        .collect()
}

/// The columns that the only row of `header` names. Blanks around a name are no part of it.
fn names(header: &Batch) -> Result<Vec<Column>, Error> {
    let values = header.rows().flatten();
    values
        .enumerate()
        .map(|(index, value)| {
            let name = String::from_utf8_lossy(value.unwrap_or_default());
            let number = index + 1;
            match name.trim() {
                "" => Err(Error::Row(Text::new(
                    format!("文件首行的第{number}个字段没有名称；若首行不是字段名，请写 header=\"false\""),
                    format!("the header names no column {number}; write header=\"false\" if the first line is a row"),
                ))),
                name => Ok(Column::new(name, Kind::Field)),
            }
        })
        .collect()
}
