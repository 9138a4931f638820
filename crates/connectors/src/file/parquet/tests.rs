use std::fs::File;
use std::path::PathBuf;

use super::*;
use crate::batch::{Batch, channel};
use crate::column::{Column, Kind};
use crate::file::compression::Compression;
use crate::file::sink::LocalSink;

type Row = Vec<Option<Vec<u8>>>;

fn write(path: &Path, columns: &[Column], rows: &[Row]) -> Result<(), Error> {
    let sink = LocalSink::create(path, "1")?;
    let mut writer = ParquetWriter::new(Box::new(sink), path, Compression::Auto, columns.to_vec())?;
    for (number, row) in (1..).zip(rows) {
        let mut batch = Batch::new(number);
        for value in row {
            match value {
                Some(value) => batch.push(value),
                None => batch.push_null(),
            }
        }
        batch.end_row();
        writer.write(&batch)?;
    }
    writer.finish().map(|_| ())
}

fn read(path: &Path) -> Result<(Vec<Column>, Vec<Row>), Error> {
    let reader = ParquetReader::open(File::open(path).unwrap(), path)?;
    let columns = reader.columns().to_vec();
    let (sender, mut receiver) = channel();
    let reading = std::thread::spawn(move || reader.read(&sender));
    let mut rows = Vec::new();
    while let Some(batch) = receiver.blocking_recv() {
        rows.extend(
            batch
                .rows()
                .map(|row| row.map(|value| value.map(<[u8]>::to_vec)).collect::<Row>()),
        );
    }
    assert_eq!(reading.join().unwrap()?, rows.len() as u64);
    Ok((columns, rows))
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    (directory, path)
}

#[test]
fn every_kind_comes_back_as_it_was() {
    let unsigned = |bits| Kind::Integer {
        bits,
        is_unsigned: true,
    };
    let table: &[(Kind, &[&str])] = &[
        (Kind::signed(8), &["-128", "127", "0"]),
        (Kind::signed(16), &["-32768", "32767", "0"]),
        (Kind::signed(32), &["-2147483648", "2147483647", "0"]),
        (
            Kind::signed(64),
            &["-9223372036854775808", "9223372036854775807", "0"],
        ),
        (unsigned(8), &["255", "0", "1"]),
        (unsigned(32), &["4294967295", "0", "1"]),
        (unsigned(64), &["18446744073709551615", "0", "1"]),
        (
            Kind::Decimal(Some((9, 2))),
            &["-9999999.99", "0.01", "-0.50"],
        ),
        (
            Kind::Decimal(Some((18, 0))),
            &["-999999999999999999", "1", "0"],
        ),
        (
            Kind::Decimal(Some((38, 10))),
            &[
                "-9999999999999999999999999999.9999999999",
                "0.0000000001",
                "0.0000000000",
            ],
        ),
        (
            Kind::Decimal(Some((65, 30))),
            &[
                "99999999999999999999999999999999999.999999999999999999999999999999",
                "-0.000000000000000000000000000001",
                "1.000000000000000000000000000000",
            ],
        ),
        (Kind::Decimal(Some((2, 2))), &["0.99", "-0.99", "0.00"]),
        (Kind::Float, &["0.1", "-3.4028235e38", "NaN"]),
        (Kind::Double, &["0.1", "5e-324", "123456.789"]),
        (Kind::Boolean, &["true", "false", "true"]),
        (Kind::Text(None), &["", "null", "名称\n\"😀"]),
        (Kind::Json, &["{\"a\": 1}", "null", "[]"]),
        (Kind::Date, &["1970-01-01", "0001-01-01", "9999-12-31"]),
        (
            Kind::Time(6),
            &["00:00:00", "23:59:59.999999", "12:00:00.5"],
        ),
        (
            Kind::DateTime(6),
            &[
                "1969-12-31 23:59:59.999999",
                "9999-12-31 23:59:59",
                "0001-01-01 00:00:00.000001",
            ],
        ),
        (
            Kind::DateTimeZone(6),
            &[
                "2026-11-21 05:00:00.123456+00",
                "1900-01-01 00:00:00+00",
                "2026-11-21 00:00:00+00",
            ],
        ),
    ];
    let (_directory, path) = place();
    let columns = table
        .iter()
        .enumerate()
        .map(|(index, (kind, _))| Column::new(format!("列.{index}"), *kind));
    let mut columns: Vec<Column> = columns.collect();
    columns.push(Column::new("bytes", Kind::Binary(None)));
    let row = |index: usize| {
        let values = table
            .iter()
            .map(|(_, values)| Some(values[index].as_bytes().to_vec()));
        values
            .chain([Some(vec![0, 255, index as u8])])
            .collect::<Row>()
    };
    let nothing = vec![None; columns.len()];
    let rows = [row(0), nothing, row(1), row(2)];
    write(&path, &columns, &rows).unwrap();
    let (found, back) = read(&path).unwrap();
    assert_eq!(found, columns);
    assert_eq!(back, rows);
}

#[test]
fn other_spellings_of_a_value_are_understood() {
    let (_directory, path) = place();
    for (kind, text, back) in [
        (Kind::Boolean, "t", "true"),
        (Kind::Boolean, "0", "false"),
        (
            Kind::DateTimeZone(6),
            "2026-11-21 05:00:00.5+08",
            "2026-11-20 21:00:00.5+00",
        ),
        (
            Kind::DateTimeZone(6),
            "2026-11-21 05:00:00-03:30",
            "2026-11-21 08:30:00+00",
        ),
        (Kind::DateTime(6), "2026-11-21T05:06", "2026-11-21 05:06:00"),
        (Kind::Decimal(Some((5, 2))), "+7.5", "7.50"),
        (Kind::Decimal(Some((5, 2))), ".5000", "0.50"),
        (Kind::Decimal(None), "1e400", "1e400"),
        (
            Kind::Bits(64),
            "18446744073709551615",
            "18446744073709551615",
        ),
        (Kind::Double, "-Infinity", "-inf"),
    ] {
        write(&path, &[Column::new("a", kind)], &[vec![Some(text.into())]]).unwrap();
        assert_eq!(
            read(&path).unwrap().1,
            [[Some(back.as_bytes().to_vec())]],
            "{text}"
        );
    }
}

#[test]
fn a_value_that_would_not_come_back_is_refused_and_nothing_is_left() {
    let (directory, path) = place();
    for (kind, text) in [
        (Kind::signed(8), "128"),
        (
            Kind::Integer {
                bits: 64,
                is_unsigned: true,
            },
            "-1",
        ),
        (Kind::Decimal(Some((5, 2))), "1.005"),
        (Kind::Decimal(Some((5, 2))), "1000"),
        (Kind::Decimal(Some((40, 2))), "1e3"),
        (Kind::Date, "0000-00-00"),
        (Kind::Date, "2026-02-29"),
        (Kind::Date, "0044-03-15 BC"),
        (Kind::Time(6), "24:00:00"),
        (Kind::Time(6), "-01:00:00"),
        (Kind::DateTime(6), "infinity"),
        (Kind::DateTime(6), "2026-11-21 00:00:00.1234567"),
        (Kind::DateTimeZone(6), "2026-11-21 00:00:00"),
        (Kind::Boolean, "2"),
        (Kind::Double, "x"),
    ] {
        let error = write(
            &path,
            &[Column::new("a", kind)],
            &[vec![None], vec![Some(text.into())]],
        );
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains(&format!("row 2, column `a`: value `{text}`")),
            "{error}"
        );
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
    let twice = [Column::new("a", Kind::Date), Column::new("a", Kind::Date)];
    assert!(
        write(&path, &twice, &[])
            .unwrap_err()
            .to_string()
            .contains("two columns are called `a`")
    );
    assert!(write(&path, &[], &[]).is_err());
    let one = [Column::new("a", Kind::Text(None))];
    let error = write(&path, &one, &[vec![None, None]]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("row 1 has 2 fields instead of 1"),
        "{error}"
    );
    std::fs::write(&path, b"PAR1 no, it is not").unwrap();
    assert!(
        read(&path)
            .unwrap_err()
            .to_string()
            .contains("cannot be read")
    );
}

#[test]
fn many_rows_pass_in_several_groups() {
    let (_directory, path) = place();
    let sink = LocalSink::create(&path, "1").unwrap();
    let columns = vec![
        Column::new("id", Kind::signed(64)),
        Column::new("text", Kind::Text(None)),
    ];
    let mut writer = ParquetWriter::new(Box::new(sink), &path, Compression::Zstd, columns).unwrap();
    let count = 300_000;
    let mut batch = Batch::new(1);
    for id in 0..count {
        batch.push(id.to_string().as_bytes());
        match id % 7 {
            0 => batch.push_null(),
            _ => batch.push(format!("name {id:060}").as_bytes()),
        }
        batch.end_row();
        if batch.is_full() {
            writer.write(&batch).unwrap();
            batch = Batch::new(id + 2);
        }
    }
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let (_, rows) = read(&path).unwrap();
    assert_eq!(rows.len() as u64, count);
    for (id, row) in rows.iter().enumerate() {
        let text = (id % 7 != 0).then(|| format!("name {id:060}").into_bytes());
        assert_eq!(row, &[Some(id.to_string().into_bytes()), text]);
    }
}
