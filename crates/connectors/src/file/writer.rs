//! Writing lines of text.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use akkaflow_model::text::Text;

use super::compression::Writer;
use super::encoding::Encoding;
use super::failed;
use super::format::{Format, Layout};
use super::json::{append_json, append_string};
use super::sink::Sink;
use super::text::means_null;
use crate::batch::{Batch, Row};
use crate::column::{Column, Kind};
use crate::convert::append_hex;
use crate::error::Error;

/// A file of rows that comes into being: it stands under a name of its own beside its target until [`TextWriter::finish`], and
/// is gone when dropped before.
pub(super) struct TextWriter {
    content: Writer,
    path: PathBuf,
    encoding: Encoding,
    layout: Layout,
    /// Bytes that a value cannot hold as they are.
    is_special: [bool; 256],
    columns: Vec<Column>,
    /// The rows under way, in UTF-8, and in the file's own encoding.
    buffer: Vec<u8>,
    encoded: Vec<u8>,
    line_breaks: Option<Altered>,
    nulls: Option<Altered>,
}

/// What people should know of a file that took its place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finished {
    /// Values whose line breaks became blanks, since a line is a row.
    pub line_breaks: Option<Altered>,
    /// Values that are read as NULL, though they were none.
    pub nulls: Option<Altered>,
    /// What else.
    pub notes: Vec<Text>,
}

/// Values that a file does not hold as they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Altered {
    /// How many values.
    pub values: u64,
    /// The row of the first one, from 1.
    pub first_row: u64,
    /// Its column: the name, else its number from 1.
    pub first_column: String,
}

impl Altered {
    fn count(found: &mut Option<Self>, row: u64, column: String) {
        let found = found.get_or_insert(Self {
            values: 0,
            first_row: row,
            first_column: column,
        });
        found.values += 1;
    }
}

impl TextWriter {
    /// Begins a file in `sink`, which people know as `path`, with the names of `columns` in its first line where `format` says so.
    /// Blocks.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be made, [`Error::Row`] for a name that the format cannot hold.
    pub(super) fn new(
        sink: Box<dyn Sink>,
        path: &Path,
        format: Format,
        columns: Vec<Column>,
    ) -> Result<Self, Error> {
        let begin = || {
            let mut content = format.compression.of(path).writer(sink)?;
            content.write_all(format.encoding.mark())?;
            Ok(content)
        };
        let content = begin().map_err(|error| failed(path, &error))?;
        let mut writer = Self {
            content,
            path: path.to_owned(),
            encoding: format.encoding,
            is_special: format.layout.special_bytes(),
            layout: format.layout,
            columns,
            buffer: Vec::new(),
            encoded: Vec::new(),
            line_breaks: None,
            nulls: None,
        };
        if writer.layout == Layout::JsonLines {
            check_names(&writer.columns)?;
        } else if format.has_header && !writer.columns.is_empty() {
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
        self.write_out(&Batch::default())
    }

    /// Appends rows. Blocks.
    ///
    /// # Errors
    /// [`Error::Row`] for a value that the format cannot hold, [`Error::File`] when the file cannot be written.
    pub(super) fn write(&mut self, batch: &Batch) -> Result<(), Error> {
        for (number, row) in batch.numbered_rows() {
            match self.layout {
                Layout::JsonLines => self.append_object(row, number)?,
                _ => self.append_fields(row, number)?,
            }
        }
        self.write_out(batch)
    }

    #[inline]
    fn append_fields(&mut self, row: Row<'_>, number: u64) -> Result<(), Error> {
        let is_empty = row.len() == 0;
        for (position, value) in row.enumerate() {
            self.append_value(value, (number, position))?;
            self.buffer.extend_from_slice(self.layout.delimiter());
        }
        match is_empty {
            true => self.buffer.push(b'\n'),
            false => self.end_row(),
        }
        Ok(())
    }

    fn append_object(&mut self, row: Row<'_>, number: u64) -> Result<(), Error> {
        for (position, value) in row.enumerate() {
            self.buffer.push(if position == 0 { b'{' } else { b',' });
            match self.columns.get(position) {
                Some(column) => append_string(&column.name, &mut self.buffer),
                None => append_string(&format!("col_{position}"), &mut self.buffer),
            }
            self.buffer.push(b':');
            let Some(value) = value else {
                self.buffer.extend_from_slice(b"null");
                continue;
            };
            let kind = self.columns.get(position).map_or(Kind::Field, |it| it.kind);
            let value = spelled(value, kind);
            let Ok(text) = std::str::from_utf8(&value) else {
                let name = self.column_name(position);
                return Err(Error::value(number, &name, &value, NO_TEXT.0, NO_TEXT.1));
            };
            append_json(text, kind, &mut self.buffer);
        }
        self.buffer.extend_from_slice(b"}\n");
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
        let kind = self.columns.get(place.1).map_or(Kind::Field, |it| it.kind);
        match (value, &self.layout) {
            (Some(value), _) => return self.append_text(&spelled(value, kind), place),
            (None, Layout::Csv(csv)) => self.buffer.extend_from_slice(csv.null_text()),
            (None, _) => self.buffer.extend_from_slice(b"null"),
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
            Layout::Text(_) if means_null(value) => {
                self.note_null(place);
                self.buffer.extend_from_slice(value);
            }
            _ => self.buffer.extend_from_slice(value),
        }
        Ok(())
    }

    /// Makes what was written durable and puts it in the place of the target, all at once. Blocks.
    ///
    /// # Errors
    /// [`Error::File`] when that fails; the target is untouched then.
    pub(super) fn finish(self) -> Result<Finished, Error> {
        let place = || self.content.finish()?.place();
        let notes = place().map_err(|error| failed(&self.path, &error))?;
        Ok(Finished {
            line_breaks: self.line_breaks,
            nulls: self.nulls,
            notes,
        })
    }

    #[inline]
    fn has_special(&self, value: &[u8]) -> bool {
        let is_special = &self.is_special;
        value.iter().any(|byte| is_special[usize::from(*byte)])
    }

    #[cold]
    fn note_null(&mut self, (row, position): (u64, usize)) {
        let name = self.column_name(position);
        Altered::count(&mut self.nulls, row, name);
    }

    #[cold]
    fn append_unusual(&mut self, value: &[u8], (row, position): (u64, usize)) -> Result<(), Error> {
        let name = self.column_name(position);
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
            Altered::count(&mut self.line_breaks, row, name);
        }
        Ok(())
    }

    /// Hands on the rows under way, those of `batch`.
    fn write_out(&mut self, batch: &Batch) -> Result<(), Error> {
        let Ok(text) = std::str::from_utf8(&self.buffer) else {
            return Err(self.no_text(batch));
        };
        self.encoded.clear();
        let bytes = match self.encoding == Encoding::UTF_8 {
            true => text.as_bytes(),
            false => {
                let done = self.encoding.encode(text, &mut self.encoded);
                done.map_err(|character| self.no_such_character(character, batch))?;
                &self.encoded
            }
        };
        self.content
            .write_all(bytes)
            .map_err(|error| failed(&self.path, &error))?;
        self.buffer.clear();
        Ok(())
    }

    fn no_text(&self, batch: &Batch) -> Error {
        let is_culprit = |value: &[u8]| std::str::from_utf8(value).is_err();
        self.refuse(batch, is_culprit, NO_TEXT.0, NO_TEXT.1)
    }

    fn no_such_character(&self, character: char, batch: &Batch) -> Error {
        let encoding = self.encoding.name();
        let mut bytes = [0; 4];
        let bytes = character.encode_utf8(&mut bytes).as_bytes();
        let is_culprit = |value: &[u8]| memchr::memmem::find(value, bytes).is_some();
        self.refuse(
            batch,
            is_culprit,
            &format!("含有{encoding}没有的字符`{character}`"),
            &format!("holds `{character}`, which {encoding} does not have"),
        )
    }

    /// Names the first value of `batch` that is to blame, or else a name or a sign.
    fn refuse(
        &self,
        batch: &Batch,
        is_culprit: impl Fn(&[u8]) -> bool,
        zh: &str,
        en: &str,
    ) -> Error {
        for (number, row) in batch.numbered_rows() {
            for (position, value) in row.enumerate() {
                if let Some(value) = value.filter(|value| is_culprit(value)) {
                    return Error::value(number, &self.column_name(position), value, zh, en);
                }
            }
        }
        Error::Row(Text::new(
            format!("字段名或分隔符{zh}"),
            format!("a column's name or the delimiter {en}"),
        ))
    }

    /// The name of a column, else its number from 1.
    fn column_name(&self, position: usize) -> String {
        let column = self.columns.get(position);
        column.map_or_else(|| (position + 1).to_string(), |column| column.name.clone())
    }
}

/// In a file that finds values by the names of their columns there is one of each name.
pub(super) fn check_names(columns: &[Column]) -> Result<(), Error> {
    let names: Vec<&str> = columns.iter().map(|it| it.name.as_str()).collect();
    let twice = (1..names.len()).find(|index| names[..*index].contains(&names[*index]));
    twice.map_or(Ok(()), |index| {
        let name = names[index];
        Err(Error::Row(Text::new(
            format!("有两个字段名为`{name}`，请在查询中用as为其命名"),
            format!("two columns are called `{name}`; name them in the query by `as`"),
        )))
    })
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// What is wrong with a value, in both languages.
const NO_TEXT: (&str, &str) = ("不是UTF-8文本", "is no UTF-8 text");

/// The value as it stands in the file: bytes that are no text by their digits.
#[inline]
fn spelled(value: &[u8], kind: Kind) -> Cow<'_, [u8]> {
    if !matches!(kind, Kind::Binary(_)) || is_plain(value) {
        return Cow::Borrowed(value);
    }
    let mut spelled = b"\\x".to_vec();
    append_hex(value, &mut spelled);
    Cow::Owned(spelled)
}

/// Whether a reader takes these bytes for themselves: text, and not the spelling of other bytes.
fn is_plain(value: &[u8]) -> bool {
    std::str::from_utf8(value)
        .is_ok_and(|text| !text.contains(char::is_control) && !text.starts_with("\\x"))
}
