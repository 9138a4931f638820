//! Reading.

use std::fs::File;
use std::path::{Path, PathBuf};

use akkaflow_model::text::Text;
use parquet::basic::{Compression as Codec, Repetition};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::schema::types::ColumnDescPtr;

use super::failed;
use super::kinds::Meaning;
use super::spell;
use crate::batch::{Batch, BatchSender};
use crate::column::Column;
use crate::error::Error;
use crate::file::content::Reading;

/// Rows that are put together at a time: of each column so many values are held as text.
const ROWS: usize = 1024;

/// Refuses a compression that is not built in.
fn check_codec(codec: Codec, path: &Path) -> Result<(), Error> {
    let name = match codec {
        Codec::BROTLI(_) => "brotli",
        Codec::LZO => "lzo",
        _ => return Ok(()),
    };
    let path = path.display();
    Err(Error::File(Text::new(
        format!(
            "Parquet文件{path}以{name}压缩，无法读取；可读取不压缩的，以及snappy、gzip、zstd、lz4，请以其中一种重新写出"
        ),
        format!(
            "Parquet file {path} is compressed by {name}, which is not read; snappy, gzip, zstd, lz4 and none are: write it again with one of these"
        ),
    )))
}

/// An open file.
pub(in crate::file) struct ParquetReader {
    file: SerializedFileReader<File>,
    path: PathBuf,
    columns: Vec<Column>,
    reading: Reading,
}

impl ParquetReader {
    /// Opens a file called `path`.
    pub(in crate::file) fn open(file: File, path: &Path) -> Result<Self, Error> {
        let file = SerializedFileReader::new(file).map_err(|error| failed(path, &error))?;
        let schema = file.metadata().file_metadata().schema_descr();
        let is_flat = |column: &ColumnDescPtr| {
            column.path().parts().len() == 1 && column.max_rep_level() == 0
        };
        if let Some(nested) = schema.columns().iter().find(|column| !is_flat(column)) {
            return Err(is_nested(path, &nested.path().parts()[0]));
        }
        for group in file.metadata().row_groups() {
            for chunk in group.columns() {
                check_codec(chunk.compression(), path)?;
            }
        }
        let columns = schema.columns().iter().map(|column| {
            let kind = Meaning::of(column).kind(column);
            Column::new(column.name(), kind)
        });
        let columns = columns.collect();
        let rows = file.metadata().file_metadata().num_rows();
        Ok(Self {
            reading: Reading::new(u64::try_from(rows).ok()),
            file,
            path: path.to_owned(),
            columns,
        })
    }

    pub(in crate::file) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Of its rows.
    pub(in crate::file) fn reading(&self) -> Reading {
        self.reading.clone()
    }

    /// Sends all rows.
    pub(in crate::file) fn read(self, output: &BatchSender) -> Result<u64, Error> {
        let mut batch = Batch::new(1);
        let mut count = 0;
        for index in 0..self.file.num_row_groups() {
            let mut chunks = self
                .chunks(index)
                .map_err(|error| failed(&self.path, &error))?;
            let rows = self.file.metadata().row_group(index).num_rows();
            let mut left = usize::try_from(rows).unwrap_or_default();
            while left > 0 {
                let wanted = left.min(ROWS);
                let texts = chunks.iter_mut().zip(&self.columns).map(|(chunk, column)| {
                    let texts = chunk.read(wanted);
                    texts.map_err(|wrong| self.refuse(wrong, count, column))
                });
                let texts = texts.collect::<Result<Vec<Batch>, Error>>()?;
                append_rows(&texts, wanted, &mut batch);
                count += wanted as u64;
                left -= wanted;
                self.reading.add(wanted as u64);
                if batch.is_full() && !batch.blocking_send(output) {
                    return Ok(count);
                }
            }
        }
        batch.blocking_send(output);
        Ok(count)
    }

    /// The columns of a group of rows.
    fn chunks(&self, index: usize) -> Result<Vec<Chunk>, ParquetError> {
        let group = self.file.get_row_group(index)?;
        let schema = self.file.metadata().file_metadata().schema_descr();
        let chunks = schema.columns().iter().enumerate().map(|(index, column)| {
            Ok(Chunk {
                reader: group.get_column_reader(index)?,
                meaning: Meaning::of(column),
                is_optional: column.self_type().get_basic_info().repetition()
                    == Repetition::OPTIONAL,
            })
        });
        chunks.collect()
    }

    fn refuse(&self, wrong: Wrong, before: u64, column: &Column) -> Error {
        match wrong {
            Wrong::File(error) => failed(&self.path, &error),
            Wrong::Value(index, value) => {
                let path = self.path.display();
                let place = Text::new(format!("文件{path}"), path.to_string());
                let (zh, en) = ("超出该类型的范围", "is beyond what its type can be");
                let row = before + index as u64 + 1;
                Error::value(row, &column.name, value.as_bytes(), zh, en).within(&place)
            }
        }
    }
}

/// Turns columns, a row of their values each, into rows.
fn append_rows(columns: &[Batch], count: usize, batch: &mut Batch) {
    let mut values: Vec<_> = columns
        .iter()
        .filter_map(|column| column.rows().next())
        .collect();
    for _ in 0..count {
        for column in &mut values {
            match column.next().flatten() {
                Some(value) => batch.push(value),
                None => batch.push_null(),
            }
        }
        batch.end_row();
    }
}

/// A column of a group of rows.
struct Chunk {
    reader: ColumnReader,
    meaning: Meaning,
    is_optional: bool,
}

enum Wrong {
    File(ParquetError),
    /// A value of this index, as it is.
    Value(usize, String),
}

impl Chunk {
    /// The next values, as one row.
    fn read(&mut self, count: usize) -> Result<Batch, Wrong> {
        let (meaning, is_optional) = (self.meaning, self.is_optional);
        let is_unsigned = meaning == Meaning::Unsigned;
        let whole = |number: i128| {
            spell::whole(number, meaning)
                .map(String::into_bytes)
                .ok_or_else(|| number.to_string())
        };
        match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => take(reader, count, is_optional, |value| {
                Ok(value.to_string().into_bytes())
            }),
            ColumnReader::Int32ColumnReader(reader) => take(reader, count, is_optional, |value| {
                whole(match is_unsigned {
                    true => value.cast_unsigned().into(),
                    false => (*value).into(),
                })
            }),
            ColumnReader::Int64ColumnReader(reader) => take(reader, count, is_optional, |value| {
                whole(match is_unsigned {
                    true => value.cast_unsigned().into(),
                    false => (*value).into(),
                })
            }),
            ColumnReader::Int96ColumnReader(reader) => take(reader, count, is_optional, |value| {
                whole(spell::int96(value))
            }),
            ColumnReader::FloatColumnReader(reader) => take(reader, count, is_optional, |value| {
                Ok(float(*value).into_bytes())
            }),
            ColumnReader::DoubleColumnReader(reader) => take(reader, count, is_optional, |value| {
                let text = spell::float(*value, value.to_string(), format!("{value:e}"));
                Ok(text.into_bytes())
            }),
            ColumnReader::ByteArrayColumnReader(reader) => {
                take(reader, count, is_optional, |value| {
                    Ok(bytes(value.data(), meaning))
                })
            }
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                take(reader, count, is_optional, |value| {
                    Ok(bytes(value.data(), meaning))
                })
            }
        }
    }
}

fn float(value: f32) -> String {
    spell::float(value, value.to_string(), format!("{value:e}"))
}

fn bytes(value: &[u8], meaning: Meaning) -> Vec<u8> {
    match meaning {
        Meaning::Decimal(scale) => spell::decimal(value, scale).into_bytes(),
        Meaning::Uuid => spell::uuid(value).into_bytes(),
        Meaning::Half => float(spell::half(value)).into_bytes(),
        _ => value.to_vec(),
    }
}

fn take<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    count: usize,
    is_optional: bool,
    spell: impl Fn(&T::T) -> Result<Vec<u8>, String>,
) -> Result<Batch, Wrong> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let read = reader.read_records(count, Some(&mut levels), None, &mut values);
    let (records, _, _) = read.map_err(Wrong::File)?;
    if records != count {
        let text = format!("{records} values instead of {count}");
        return Err(Wrong::File(ParquetError::EOF(text)));
    }
    let mut texts = Batch::default();
    let mut values = values.iter();
    for index in 0..count {
        let is_null = is_optional && levels.get(index).is_some_and(|level| *level == 0);
        match (!is_null).then(|| values.next()).flatten() {
            Some(value) => texts.push(&spell(value).map_err(|text| Wrong::Value(index, text))?),
            None => texts.push_null(),
        }
    }
    texts.end_row();
    Ok(texts)
}

fn is_nested(path: &Path, column: &str) -> Error {
    let path = path.display();
    Error::File(Text::new(
        format!(
            "Parquet文件{path}的字段`{column}`是列表、映射或结构，无法作为一个字段读取；请先展开它"
        ),
        format!(
            "column `{column}` of Parquet file {path} is a list, a map or a structure, which is no column of a table: unfold it before"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use parquet::basic::{BrotliLevel, GzipLevel, ZstdLevel};

    use super::*;

    #[test]
    fn compressions_that_are_not_read_are_named_with_those_that_are() {
        let path = Path::new("in.parquet");
        for codec in [
            Codec::UNCOMPRESSED,
            Codec::SNAPPY,
            Codec::GZIP(GzipLevel::default()),
            Codec::ZSTD(ZstdLevel::default()),
            Codec::LZ4,
            Codec::LZ4_RAW,
        ] {
            assert_eq!(check_codec(codec, path), Ok(()), "{codec}");
        }
        let brotli = Codec::BROTLI(BrotliLevel::default());
        let told = check_codec(brotli, path).unwrap_err().to_string();
        assert!(
            told.contains(
                "compressed by brotli, which is not read; snappy, gzip, zstd, lz4 and none are"
            ),
            "{told}"
        );
        assert!(check_codec(Codec::LZO, path).is_err());
    }
}
