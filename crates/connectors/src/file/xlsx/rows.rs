//! The cells of a sheet, row by row.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use akkaflow_model::text::Text;
use calamine::{Xlsx, XlsxCellFormulaMetadataRecord, XlsxCellReader};

use super::cell::{Value, may_be_rounded, name_of};
use super::digits::{Archive, Digits};
use super::{place, unreadable};
use crate::error::Error;

type Record<'a> = XlsxCellFormulaMetadataRecord<'a>;

/// The rows of a sheet that hold something, in order.
pub(super) struct Rows<'a> {
    cells: XlsxCellReader<'a, BufReader<File>>,
    path: &'a Path,
    sheet: &'a str,
    /// The first cell of the row that comes next.
    ahead: Option<Record<'a>>,
    /// Nothing can be read behind the end.
    is_over: bool,
    /// How many cells have been read, empty ones included.
    read: u64,
    /// For a second look at the sheet, until it is taken.
    archive: Option<&'a mut Archive>,
    digits: Option<Digits<'a>>,
}

/// A row that holds something.
pub(super) struct SheetRow {
    /// Its number in the sheet, from 0.
    pub(super) number: u32,
    /// Its cells from the first column on, up to the last that holds something.
    pub(super) values: Vec<Option<Value>>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(
        book: &'a mut Xlsx<BufReader<File>>,
        archive: Option<&'a mut Archive>,
        path: &'a Path,
        sheet: &'a str,
    ) -> Result<Self, Error> {
        let cells = book.worksheet_cells_reader(sheet);
        let cells = cells.map_err(|error| unreadable(path, sheet, &error))?;
        Ok(Self {
            cells,
            path,
            sheet,
            ahead: None,
            is_over: false,
            read: 0,
            archive,
            digits: None,
        })
    }

    /// The next row that is not empty.
    pub(super) fn next(&mut self) -> Result<Option<SheetRow>, Error> {
        let Some(mut cell) = self.next_cell()? else {
            return Ok(None);
        };
        let mut row = SheetRow {
            number: cell.pos.0,
            values: Vec::new(),
        };
        loop {
            let (number, column) = (cell.pos.0, cell.pos.1 as usize);
            if number != row.number {
                self.ahead = Some(cell);
                return Ok(Some(row));
            }
            let value = match may_be_rounded(&cell.value) {
                Some(rounded) => self.spelled_out(rounded).map(Some),
                None => Value::of(&cell.value),
            };
            let value = value.map_err(|text| self.refuse(number, column, &text))?;
            if value.is_some() {
                row.values.resize(row.values.len().max(column + 1), None);
                row.values[column] = value;
            }
            match self.next_cell()? {
                Some(next) => cell = next,
                None => return Ok(Some(row)),
            }
        }
    }

    /// The number in the cell that was read last, with all its digits.
    fn spelled_out(&mut self, rounded: f64) -> Result<Value, Text> {
        if let Some(archive) = self.archive.take() {
            self.digits = Digits::open(archive, self.sheet);
        }
        let last = self.read - 1;
        let digits = self.digits.as_mut().and_then(|digits| digits.of(last));
        match digits {
            Some(digits) => Ok(Value::spelled_out(rounded, &digits)),
            None => Err(without_digits(rounded)),
        }
    }

    /// The next cell that holds something.
    fn next_cell(&mut self) -> Result<Option<Record<'a>>, Error> {
        if let Some(cell) = self.ahead.take() {
            return Ok(Some(cell));
        }
        while !self.is_over {
            let cell = self.cells.next_cell_with_formula_metadata();
            let cell = cell.map_err(|error| unreadable(self.path, self.sheet, &error))?;
            let Some(cell) = cell else {
                self.is_over = true;
                break;
            };
            self.read += 1;
            if cell.value != calamine::DataRef::Empty {
                return Ok(Some(cell));
            }
            if cell.formula.is_some() {
                let (row, column) = (cell.pos.0, cell.pos.1 as usize);
                return Err(self.refuse(row, column, &not_computed()));
            }
        }
        Ok(None)
    }

    /// Names a cell that is to blame; rows and columns count from 0.
    pub(super) fn refuse(&self, row: u32, column: usize, text: &Text) -> Error {
        let place = place(self.path, self.sheet);
        let cell = name_of(row, column as u32);
        Error::Row(Text::new(
            format!("{}的单元格{cell}{}", place.zh, text.zh),
            format!("{}, cell {cell} {}", place.en, text.en),
        ))
    }
}

fn without_digits(rounded: f64) -> Text {
    Text::new(
        format!(
            "是大于2^53的整数（约{rounded}），无法取得其全部数字，不会被舍入；请在Excel中把该单元格设为文本"
        ),
        format!(
            "holds a whole number above 2^53 (about {rounded}) whose digits cannot all be read, and it is not rounded: make it text in Excel"
        ),
    )
}

fn not_computed() -> Text {
    Text::new(
        "是公式，但文件中没有它的值；请在Excel中打开并保存",
        "is a formula whose value the file does not hold: open and save it in Excel",
    )
}
