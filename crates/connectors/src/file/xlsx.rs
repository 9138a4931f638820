//! A sheet of an Excel workbook, read as rows. Its rows are streamed, but all texts of a workbook stand in a table of their own, which
//! must be held in memory: workbooks are limited by their size.

mod cell;
mod digits;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Seek as _};
use std::path::{Path, PathBuf};

use akkaflow_model::suggest::closest;
use akkaflow_model::text::Text;
use calamine::{Dimensions, Reader as _, SheetType, Xlsx, XlsxError, open_workbook_from_rs};
use zip::ZipArchive;

use super::content::Content;
use super::reader::numbered;
use crate::batch::{Batch, BatchSender};
use crate::column::{Column, Kind};
use crate::error::Error;
use cell::{common, name_of};
use digits::Archive;
use rows::Rows;

/// The largest workbook that is read, bytes.
const MOST_BYTES: u64 = 64 << 20;

/// So long may the table of its texts be, bytes.
const MOST_TEXT_BYTES: u64 = 256 << 20;

/// Rows that are looked at for the kinds of the columns and, without a header, for their number.
const SAMPLED_ROWS: usize = 1000;

/// How the rows of a sheet stand in a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetFormat {
    /// Which sheet.
    pub sheet: Sheet,
    /// Whether the first row that is not empty holds the names of the columns.
    pub has_header: bool,
}

/// A sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sheet {
    /// The first one.
    First,
    /// The one of this name, or else of this number from 1.
    Called(String),
}

/// An open sheet.
pub(super) struct SheetReader {
    book: Xlsx<BufReader<File>>,
    /// The same once more, for the digits of large numbers.
    archive: Option<Archive>,
    path: PathBuf,
    sheet: String,
    has_header: bool,
    /// `None` in an empty sheet.
    columns: Option<Vec<Column>>,
}

impl SheetReader {
    /// Opens a workbook, which is kept in `directory` where it comes from elsewhere: not before its size is known to be allowed, and no more of
    /// it than that.
    pub(super) fn fetch(
        content: Content,
        directory: &Path,
        format: &SheetFormat,
    ) -> Result<Self, Error> {
        if let Some(bytes) = content.length().filter(|bytes| *bytes > MOST_BYTES) {
            return Err(too_large(&content.name, bytes, MOST_BYTES));
        }
        let (name, file) = content.into_file(directory, MOST_BYTES)?;
        Self::open(file, &name, format)
    }

    /// Opens a workbook called `path` and looks at the first rows of the sheet.
    pub(super) fn open(file: File, path: &Path, format: &SheetFormat) -> Result<Self, Error> {
        let archive = digits::archive(&file);
        let mut file = BufReader::new(file);
        check_size(&mut file, path)?;
        let book: Xlsx<_> =
            open_workbook_from_rs(file).map_err(|error| no_workbook(path, &error))?;
        let sheet = find(&book, &format.sheet, path)?;
        let mut reader = Self {
            book,
            archive,
            path: path.to_owned(),
            sheet,
            has_header: format.has_header,
            columns: None,
        };
        reader.columns = reader.learn()?;
        reader.check_merged()?;
        Ok(reader)
    }

    pub(super) fn columns(&self) -> Option<&[Column]> {
        self.columns.as_deref()
    }

    pub(super) fn has_names(&self) -> bool {
        self.has_header && self.columns.is_some()
    }

    /// Sends all rows, each with as many values as there are columns.
    pub(super) fn read(mut self, output: &BatchSender) -> Result<u64, Error> {
        let Some(columns) = self.columns.take() else {
            return Ok(0);
        };
        let has_header = self.has_header;
        let mut rows = self.rows()?;
        if has_header {
            rows.next()?;
        }
        let mut batch = Batch::new(1);
        let mut count = 0;
        while let Some(row) = rows.next()? {
            if let Some(outside) = row.values.get(columns.len()..)
                && let Some(at) = outside.iter().position(Option::is_some)
            {
                return Err(rows.refuse(row.number, columns.len() + at, &outside_words()));
            }
            let values = row.values.iter().map(Option::as_ref);
            let padded = values.chain(std::iter::repeat(None));
            for (at, (column, value)) in columns.iter().zip(padded).enumerate() {
                match value {
                    Some(value) if value.is_beyond && column.kind == Kind::Double => {
                        return Err(rows.refuse(row.number, at, &beyond(&value.text)));
                    }
                    Some(value) => batch.push(value.spelled(column.kind).as_bytes()),
                    None => batch.push_null(),
                }
            }
            batch.end_row();
            count += 1;
            if batch.is_full() && !batch.blocking_send(output) {
                return Ok(count);
            }
        }
        batch.blocking_send(output);
        Ok(count)
    }

    fn rows(&mut self) -> Result<Rows<'_>, Error> {
        let archive = self.archive.as_mut();
        Rows::new(&mut self.book, archive, &self.path, &self.sheet)
    }

    /// Learns names and kinds of the columns from the first rows.
    fn learn(&mut self) -> Result<Option<Vec<Column>>, Error> {
        let has_header = self.has_header;
        let mut rows = self.rows()?;
        let mut names = Vec::new();
        if has_header {
            let Some(header) = rows.next()? else {
                return Ok(None);
            };
            for (index, value) in header.values.iter().enumerate() {
                match value.as_ref().map(|value| value.text.trim()) {
                    Some(name) if !name.is_empty() => names.push(name.to_owned()),
                    _ => return Err(rows.refuse(header.number, index, &no_name())),
                }
            }
        }
        let mut kinds: Vec<Option<Kind>> = Vec::new();
        let mut beyond = BTreeSet::new();
        let mut has_rows = has_header;
        for _ in 0..SAMPLED_ROWS {
            let Some(row) = rows.next()? else { break };
            has_rows = true;
            kinds.resize(kinds.len().max(row.values.len()), None);
            for (index, (seen, value)) in kinds.iter_mut().zip(&row.values).enumerate() {
                if value.as_ref().is_some_and(|value| value.is_beyond) {
                    beyond.insert(index);
                }
                let kind = value.as_ref().map(|value| value.kind);
                *seen = match (*seen, kind) {
                    (Some(one), Some(other)) => Some(common(one, other)),
                    (one, other) => one.or(other),
                };
            }
        }
        if !has_rows {
            return Ok(None);
        }
        let mut columns = match has_header {
            true => names
                .into_iter()
                .map(|name| Column::new(name, Kind::Field))
                .collect(),
            false => numbered(kinds.len()),
        };
        for (index, (column, kind)) in columns.iter_mut().zip(kinds).enumerate() {
            column.kind = match kind {
                // Text alone keeps fractions and all digits of large numbers.
                Some(Kind::Double) if beyond.contains(&index) => Kind::Field,
                kind => kind.unwrap_or(Kind::Field),
            };
        }
        Ok(Some(columns))
    }

    /// Of cells that are merged the first alone has a value: nobody could tell what the others mean.
    fn check_merged(&mut self) -> Result<(), Error> {
        let merged = self.book.merge_cells_by_sheet_name(&self.sheet);
        let merged = merged.map_err(|error| unreadable(&self.path, &self.sheet, &error))?;
        let Some(Dimensions { start, end }) = merged.first() else {
            return Ok(());
        };
        let (first, last) = (name_of(start.0, start.1), name_of(end.0, end.1));
        let place = place(&self.path, &self.sheet);
        Err(Error::Row(Text::new(
            format!(
                "{}的单元格{first}:{last}是合并的：只有第一个有值，其余会成为NULL；请在Excel中取消合并并填写每个单元格",
                place.zh
            ),
            format!(
                "{}: cells {first}:{last} are merged, so that only the first has a value and the others would be NULL; unmerge them in Excel and fill each",
                place.en
            ),
        )))
    }
}

/// Refuses what would not fit into memory.
fn check_size(file: &mut BufReader<File>, path: &Path) -> Result<(), Error> {
    let failed = |error| super::failed(path, &error);
    let bytes = file.get_ref().metadata().map_err(failed)?.len();
    if bytes > MOST_BYTES {
        return Err(too_large(path, bytes, MOST_BYTES));
    }
    let archive = ZipArchive::new(&mut *file);
    // Whatever is no archive is told below, in better words.
    if let Ok(mut archive) = archive {
        for index in 0..archive.len() {
            let Ok(part) = archive.by_index_raw(index) else {
                continue;
            };
            let name = part.name().map(|name| name.to_lowercase());
            let is_held = name
                .is_ok_and(|name| !name.starts_with("xl/worksheets/") && name.ends_with(".xml"));
            if is_held && part.size() > MOST_TEXT_BYTES {
                return Err(too_large(path, part.size(), MOST_TEXT_BYTES));
            }
        }
    }
    file.rewind().map_err(failed)
}

fn too_large(path: &Path, bytes: u64, most: u64) -> Error {
    let (path, bytes, most) = (path.display(), bytes >> 20, most >> 20);
    Error::File(Text::new(
        format!(
            "工作簿{path}过大（{bytes}MiB，最多{most}MiB），无法在内存中读取；请另存为CSV并写 format=\"csv\""
        ),
        format!(
            "workbook {path} is too large to be held in memory ({bytes} MiB, at most {most} MiB): save it as CSV and write format=\"csv\""
        ),
    ))
}

fn no_workbook(path: &Path, error: &XlsxError) -> Error {
    let path = path.display();
    Error::File(Text::new(
        format!(
            "{path}不是可读的xlsx工作簿（旧的.xls与有密码的文件须在Excel中另存为.xlsx）：{error}"
        ),
        format!(
            "{path} is no xlsx workbook that can be read (in Excel save an old .xls, or one with a password, as .xlsx): {error}"
        ),
    ))
}

/// The name of the wanted sheet.
fn find(book: &Xlsx<BufReader<File>>, wanted: &Sheet, path: &Path) -> Result<String, Error> {
    let sheets = book.sheets_metadata().iter();
    let tables = sheets.filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let names: Vec<&str> = tables.map(|sheet| sheet.name.as_str()).collect();
    let found = match wanted {
        Sheet::First => names.first(),
        Sheet::Called(name) => names.iter().find(|it| *it == name).or_else(|| {
            let number: usize = name.parse().ok()?;
            names.get(number.checked_sub(1)?)
        }),
    };
    found
        .map(|name| (*name).to_owned())
        .ok_or_else(|| no_sheet(wanted, &names, path))
}

fn no_sheet(wanted: &Sheet, names: &[&str], path: &Path) -> Error {
    let path = path.display();
    let Sheet::Called(wanted) = wanted else {
        return Error::File(Text::new(
            format!("工作簿{path}中没有工作表"),
            format!("workbook {path} has no sheet"),
        ));
    };
    let (zh, en) = match closest(wanted, names.iter().copied()) {
        Some(meant) => (
            format!("，是否应为 `{meant}`？"),
            format!("; is `{meant}` meant?"),
        ),
        None => Default::default(),
    };
    let names = names.join(", ");
    Error::File(Text::new(
        format!("工作簿{path}没有名称或序号为`{wanted}`的工作表{zh}（其工作表：{names}）"),
        format!(
            "workbook {path} has no sheet of the name or number `{wanted}`{en} (its sheets: {names})"
        ),
    ))
}

fn place(path: &Path, sheet: &str) -> Text {
    let path = path.display();
    Text::new(
        format!("文件{path}的工作表{sheet}"),
        format!("{path}, sheet {sheet}"),
    )
}

fn unreadable(path: &Path, sheet: &str, error: &XlsxError) -> Error {
    let place = place(path, sheet);
    Error::File(Text::new(
        format!("{}无法读取：{error}", place.zh),
        format!("{} cannot be read: {error}", place.en),
    ))
}

fn no_name() -> Text {
    Text::new(
        "没有字段名；若首行不是字段名，请写 header=\"false\"",
        "names no column; write header=\"false\" if the first row is a row of values",
    )
}

fn beyond(number: &str) -> Text {
    Text::new(
        format!(
            "的整数{number}超出浮点数的精度，不会被舍入；前{SAMPLED_ROWS}行中该字段有小数，故为浮点数。请在Excel中把该列设为文本"
        ),
        format!(
            "holds {number}, which floating point would round; the column is that because of fractions in its first {SAMPLED_ROWS} rows. Make the column text in Excel"
        ),
    )
}

fn outside_words() -> Text {
    Text::new("在最后一个字段之外", "stands beyond the last column")
}
