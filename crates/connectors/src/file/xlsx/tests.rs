use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet};

use super::*;
use crate::batch::channel;

type Fill<'a> = &'a dyn Fn(&mut Worksheet);

/// A workbook with a sheet for each of these.
fn workbook(directory: &Path, fill: &[(&str, Fill<'_>)]) -> PathBuf {
    let path = directory.join("book.xlsx");
    let mut book = Workbook::new();
    for (name, fill) in fill {
        let sheet = book.add_worksheet();
        sheet.set_name(*name).unwrap();
        fill(sheet);
    }
    book.save(&path).unwrap();
    path
}

fn open(path: &Path, sheet: Sheet, has_header: bool) -> Result<SheetReader, Error> {
    let file = File::open(path).unwrap();
    SheetReader::open(file, path, &SheetFormat { sheet, has_header })
}

fn rows(reader: SheetReader) -> Result<Vec<Vec<Option<String>>>, Error> {
    let (sender, mut receiver) = channel();
    let reading = std::thread::spawn(move || reader.read(&sender));
    let mut rows = Vec::new();
    while let Some(batch) = receiver.blocking_recv() {
        rows.extend(batch.rows().map(|row| {
            row.map(|value| value.map(|value| String::from_utf8(value.to_vec()).unwrap()))
                .collect::<Vec<_>>()
        }));
    }
    assert_eq!(reading.join().unwrap()?, rows.len() as u64);
    Ok(rows)
}

/// The same workbook with other digits than the library would write: each number of `changes` is replaced.
fn respelled(path: &Path, changes: &[(&str, &str)]) {
    let mut parts = ZipArchive::new(File::open(path).unwrap()).unwrap();
    let mut whole = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for index in 0..parts.len() {
        let mut part = parts.by_index(index).unwrap();
        let name = part.name().unwrap().into_owned();
        let mut text = String::new();
        part.read_to_string(&mut text).unwrap();
        if name.starts_with("xl/worksheets/") {
            for (from, to) in changes {
                text = text.replace(&format!("<v>{from}</v>"), &format!("<v>{to}</v>"));
            }
        }
        whole.start_file(name, stored).unwrap();
        whole.write_all(text.as_bytes()).unwrap();
    }
    let whole = whole.finish().unwrap().into_inner();
    std::fs::write(path, whole).unwrap();
}

fn some(values: &[&str]) -> Vec<Option<String>> {
    let value = |value: &&str| (!value.is_empty()).then(|| (*value).to_owned());
    values.iter().map(value).collect()
}

fn day(text: &str) -> ExcelDateTime {
    ExcelDateTime::parse_from_str(text).unwrap()
}

#[test]
fn cells_become_values_of_their_kinds() {
    let directory = tempfile::tempdir().unwrap();
    let path = workbook(
        directory.path(),
        &[("orders", &|sheet| {
            let date = Format::new().set_num_format("yyyy-mm-dd");
            let both = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
            let time = Format::new().set_num_format("hh:mm:ss");
            let long = Format::new().set_num_format("[h]:mm:ss");
            let names = [
                "id", " price ", "paid", "day", "at", "clock", "lasted", "note",
            ];
            for (column, name) in (0..).zip(names) {
                sheet.write_string(2, column, name).unwrap();
            }
            for (row, id, price, at) in [
                (3, 1.0, 0.1, "2026-11-21 05:06:07.5"),
                (4, 9_007_199_254_740_991.0, 12.0, "2026-11-22"),
            ] {
                sheet.write_number(row, 0, id).unwrap();
                sheet.write_number(row, 1, price).unwrap();
                sheet.write_boolean(row, 2, row == 3).unwrap();
                let when = day("1900-03-01");
                sheet
                    .write_datetime_with_format(row, 3, &when, &date)
                    .unwrap();
                sheet
                    .write_datetime_with_format(row, 4, day(at), &both)
                    .unwrap();
                sheet.write_number_with_format(row, 5, 0.5, &time).unwrap();
                sheet.write_number_with_format(row, 6, 1.25, &long).unwrap();
            }
            sheet.write_string(3, 7, "a\n名").unwrap();
            // Empty rows between are none.
            sheet.write_number(9, 0, -3.0).unwrap();
            sheet
                .write_formula(
                    9,
                    7,
                    rust_xlsxwriter::Formula::new("=1/4").set_result("0.25"),
                )
                .unwrap();
        })],
    );
    let reader = open(&path, Sheet::First, true).unwrap();
    let columns = reader.columns().unwrap();
    let columns = columns.iter().map(|it| (it.name.as_str(), it.kind));
    assert_eq!(
        columns.collect::<Vec<_>>(),
        [
            ("id", Kind::signed(64)),
            ("price", Kind::Double),
            ("paid", Kind::Boolean),
            ("day", Kind::Date),
            ("at", Kind::DateTime(3)),
            ("clock", Kind::Time(3)),
            ("lasted", Kind::Time(3)),
            ("note", Kind::Field),
        ]
    );
    let first = [
        "1",
        "0.1",
        "true",
        "1900-03-01",
        "2026-11-21 05:06:07.500",
        "12:00:00",
        "30:00:00",
        "a\n名",
    ];
    let second = [
        "9007199254740991",
        "12",
        "false",
        "1900-03-01",
        "2026-11-22 00:00:00",
        "12:00:00",
        "30:00:00",
        "",
    ];
    let third = ["-3", "", "", "", "", "", "", "0.25"];
    assert_eq!(
        rows(reader).unwrap(),
        [some(&first), some(&second), some(&third)]
    );
}

#[test]
fn a_sheet_is_found_by_name_or_number_and_may_have_no_header() {
    let directory = tempfile::tempdir().unwrap();
    let number = |value: f64| {
        move |sheet: &mut Worksheet| {
            sheet.write_number(0, 1, value).unwrap();
        }
    };
    let path = workbook(
        directory.path(),
        &[
            ("一月", &number(1.0)),
            ("2", &number(2.0)),
            ("三月", &number(3.0)),
            ("empty", &|_| {}),
        ],
    );
    for (name, value) in [("三月", "3"), ("2", "2"), ("3", "3"), ("1", "1")] {
        let reader = open(&path, Sheet::Called(name.to_owned()), false).unwrap();
        assert_eq!(reader.columns().unwrap()[1].name, "col_1");
        assert_eq!(rows(reader).unwrap(), [some(&["", value])], "{name}");
    }
    let reader = open(&path, Sheet::Called("empty".to_owned()), true).unwrap();
    assert!(reader.columns().is_none() && rows(reader).unwrap().is_empty());
    let missing = open(&path, Sheet::Called("四月".to_owned()), false)
        .err()
        .unwrap();
    assert!(
        missing
            .to_string()
            .contains("has no sheet of the name or number `四月`"),
        "{missing}"
    );
    assert!(
        missing.to_string().contains("一月, 2, 三月, empty"),
        "{missing}"
    );
}

#[test]
fn what_cannot_be_a_row_is_refused_with_its_cell() {
    let directory = tempfile::tempdir().unwrap();
    let refused = |fill: &dyn Fn(&mut Worksheet), has_header: bool| {
        let path = workbook(directory.path(), &[("s", fill)]);
        let read = open(&path, Sheet::First, has_header).and_then(rows);
        read.unwrap_err().to_string()
    };
    let said = refused(
        &|sheet| {
            let error = rust_xlsxwriter::Formula::new("=1/0").set_result("#DIV/0!");
            sheet.write_string(0, 0, "a").unwrap();
            sheet.write_formula(1, 0, error).unwrap();
        },
        true,
    );
    assert!(
        said.contains("sheet s, cell A2 holds the error #DIV/0!"),
        "{said}"
    );
    let said = refused(
        &|sheet| {
            sheet.write_string(0, 0, "a").unwrap();
            sheet.write_number(1, 27, 1.0).unwrap();
        },
        true,
    );
    assert!(
        said.contains("cell AB2 stands beyond the last column"),
        "{said}"
    );
    let said = refused(
        &|sheet| {
            sheet.write_string(0, 1, "b").unwrap();
        },
        true,
    );
    assert!(said.contains("cell A1 names no column"), "{said}");
    let said = refused(
        &|sheet| {
            sheet.merge_range(1, 0, 2, 1, "x", &Format::new()).unwrap();
        },
        false,
    );
    assert!(said.contains("cells A2:B3 are merged"), "{said}");
    let said = refused(
        &|sheet| {
            let date = Format::new().set_num_format("yyyy-mm-dd");
            sheet.write_number_with_format(0, 0, 60.0, &date).unwrap();
        },
        false,
    );
    assert!(
        said.contains("cell A1 is shown as a date, but 60 is none"),
        "{said}"
    );
    let path = directory.path().join("old.xls");
    std::fs::write(&path, b"\xd0\xcf\x11\xe0").unwrap();
    let error = open(&path, Sheet::First, true).err().unwrap();
    assert!(error.to_string().contains("is no xlsx workbook"), "{error}");
    let file = File::create(&path).unwrap();
    file.set_len(MOST_BYTES + 1).unwrap();
    let error = open(&path, Sheet::First, true).err().unwrap();
    assert!(
        error
            .to_string()
            .contains("too large to be held in memory (64 MiB, at most 64 MiB)"),
        "{error}"
    );
}

#[test]
fn whole_numbers_keep_all_digits_that_the_sheet_holds() {
    let directory = tempfile::tempdir().unwrap();
    let fill = |sheet: &mut Worksheet| {
        for (column, name) in (0..).zip(["id", "huge", "mixed", "double"]) {
            sheet.write_string(0, column, name).unwrap();
        }
        for (row, first) in [(1, 11.0), (2, 21.0)] {
            for column in 0..4 {
                let number = first + f64::from(column);
                sheet.write_number(row, column, number).unwrap();
            }
        }
        sheet.write_blank(2, 5, &Format::new().set_bold()).unwrap();
        sheet.write_number(3, 0, 31.0).unwrap();
    };
    let path = workbook(directory.path(), &[("first", &|_| {}), ("s", &fill)]);
    respelled(
        &path,
        &[
            ("11", "9007199254740993"),
            ("12", "123456789012345678901234567890"),
            ("13", "0.5"),
            ("14", "6.02E+23"),
            ("21", "-9223372036854775807"),
            ("22", "1"),
            ("23", "9007199254740993"),
            ("24", "9.0071992547409920E+15"),
            ("31", "9007199254740994"),
        ],
    );
    let reader = open(&path, Sheet::Called("s".to_owned()), true).unwrap();
    let kinds = reader.columns().unwrap().iter().map(|it| it.kind);
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        [
            Kind::signed(64),
            Kind::Decimal(Some((65, 0))),
            // Nothing but text keeps fractions and those digits.
            Kind::Field,
            Kind::Double,
        ]
    );
    let first = [
        "9007199254740993",
        "123456789012345678901234567890",
        "0.5",
        "602000000000000000000000",
    ];
    let second = [
        "-9223372036854775807",
        "1",
        "9007199254740993",
        "9007199254740992",
    ];
    assert_eq!(
        rows(reader).unwrap(),
        [
            some(&first),
            some(&second),
            some(&["9007199254740994", "", "", ""])
        ]
    );
}

#[test]
fn a_whole_number_that_comes_too_late_for_its_column_is_refused_with_its_cell() {
    let directory = tempfile::tempdir().unwrap();
    let fill = |sheet: &mut Worksheet| {
        for row in 0..1000 {
            sheet.write_number(row, 0, 0.5).unwrap();
        }
        sheet.write_number(1000, 0, 77.0).unwrap();
    };
    let path = workbook(directory.path(), &[("s", &fill)]);
    respelled(&path, &[("77", "9007199254740993")]);
    let error = rows(open(&path, Sheet::First, false).unwrap()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("cell A1001 holds 9007199254740993, which floating point would round"),
        "{error}"
    );
}

/// Bytes without an end, and how many were taken.
struct Endless(Arc<AtomicU64>);

impl std::io::Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        Ok(buffer.len())
    }
}

#[test]
fn a_workbook_that_is_too_large_is_not_fetched() {
    let directory = tempfile::tempdir().unwrap();
    let format = SheetFormat {
        sheet: Sheet::First,
        has_header: true,
    };
    for (length, most) in [(Some(MOST_BYTES + 1), 0), (None, MOST_BYTES + (1 << 20))] {
        let taken = Arc::default();
        let content = Content::new("sftp:big.xlsx", Endless(Arc::clone(&taken)), length);
        let error = SheetReader::fetch(content, directory.path(), &format).err();
        let error = error.unwrap().to_string();
        assert!(
            error.contains("workbook sftp:big.xlsx is too large"),
            "{error}"
        );
        let taken = taken.load(Ordering::Relaxed);
        assert!(taken <= most, "{taken} bytes of a length {length:?}");
    }
}
