//! Writing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use akkaflow_model::text::Text;
use bytes::Bytes;
use num_traits::ToPrimitive as _;
use parquet::basic::{Compression as Codec, GzipLevel, ZstdLevel};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType,
    FloatType, Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};

use super::kinds::{bytes_of, schema};
use super::{failed, parse};
use crate::batch::Batch;
use crate::column::{Column, Kind};
use crate::error::Error;
use crate::file::compression::Compression;
use crate::file::sink::Sink;
use crate::file::writer::{self, Finished};

/// A group of rows is written once its values take so many bytes: far below the memory that a transfer may use.
const GROUP_BYTES: usize = 16 << 20;

/// A file that comes into being.
pub(in crate::file) struct ParquetWriter {
    file: SerializedFileWriter<Box<dyn Sink>>,
    path: PathBuf,
    columns: Vec<Column>,
    /// The group of rows under way, by columns.
    values: Vec<Values>,
    bytes: usize,
}

impl ParquetWriter {
    /// Begins a file in `sink`, which people know as `path`.
    pub(in crate::file) fn new(
        sink: Box<dyn Sink>,
        path: &Path,
        compression: Compression,
        columns: Vec<Column>,
    ) -> Result<Self, Error> {
        check_names(&columns)?;
        let begin = || {
            let properties = WriterProperties::builder()
                .set_compression(codec(compression))
                .set_statistics_enabled(EnabledStatistics::Chunk)
                .set_offset_index_disabled(true)
                .set_created_by(concat!("akkaflow ", env!("CARGO_PKG_VERSION")).to_owned());
            SerializedFileWriter::new(sink, schema(&columns)?, Arc::new(properties.build()))
        };
        let file = begin().map_err(|error| failed(path, &error))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            values: columns.iter().map(|it| Values::new(it.kind)).collect(),
            columns,
            bytes: 0,
        })
    }

    /// Appends rows.
    pub(in crate::file) fn write(&mut self, batch: &Batch) -> Result<(), Error> {
        let texts = Bytes::copy_from_slice(batch.data());
        for (number, row) in batch.numbered_rows() {
            if row.len() != self.columns.len() {
                return Err(other_count(number, row.len(), self.columns.len()));
            }
            for (value, (column, values)) in row.zip(self.columns.iter().zip(&mut self.values)) {
                let kept = values.push(value, column.kind, &texts, batch.data());
                if let (None, Some(value)) = (kept, value) {
                    let (zh, en) = words(column.kind);
                    return Err(Error::value(number, &column.name, value, zh, en));
                }
                self.bytes += values.size();
            }
        }
        self.bytes += texts.len();
        match self.bytes >= GROUP_BYTES {
            true => self.write_group(),
            false => Ok(()),
        }
    }

    fn write_group(&mut self) -> Result<(), Error> {
        self.bytes = 0;
        let (file, values) = (&mut self.file, &mut self.values);
        let write = || {
            let mut group = file.next_row_group()?;
            for values in values {
                let column = group.next_column()?;
                let column = column.ok_or_else(|| ParquetError::General("no column".into()))?;
                values.write(column)?;
            }
            group.close()
        };
        write().map_err(|error| failed(&self.path, &error))?;
        Ok(())
    }

    /// Ends the file and puts it in its place.
    pub(in crate::file) fn finish(mut self) -> Result<Finished, Error> {
        self.write_group()?;
        let sink = self.file.into_inner();
        let sink = sink.map_err(|error| failed(&self.path, &error))?;
        let notes = sink.place();
        Ok(Finished {
            notes: notes.map_err(|error| crate::file::failed(&self.path, &error))?,
            ..Finished::default()
        })
    }
}

fn codec(compression: Compression) -> Codec {
    match compression {
        Compression::None => Codec::UNCOMPRESSED,
        Compression::Gzip => Codec::GZIP(GzipLevel::default()),
        Compression::Zstd => Codec::ZSTD(ZstdLevel::default()),
        // What all that read Parquet know.
        Compression::Auto => Codec::SNAPPY,
    }
}

/// A column of a group of rows: its values without NULL, and for each row whether it has one.
struct Values {
    kept: Kept,
    levels: Vec<i16>,
}

enum Kept {
    Boolean(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Bytes(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
}

impl Values {
    fn new(kind: Kind) -> Self {
        let kept = match kind {
            Kind::Boolean => Kept::Boolean(Vec::new()),
            Kind::Integer { bits: 64, .. } | Kind::Bits(_) => Kept::Int64(Vec::new()),
            Kind::Integer { .. } | Kind::Date => Kept::Int32(Vec::new()),
            Kind::Time(_) | Kind::DateTime(_) | Kind::DateTimeZone(_) => Kept::Int64(Vec::new()),
            Kind::Decimal(Some((precision, scale))) => match precision.max(scale) {
                0..=9 => Kept::Int32(Vec::new()),
                10..=18 => Kept::Int64(Vec::new()),
                _ => Kept::Fixed(Vec::new()),
            },
            Kind::Float => Kept::Float(Vec::new()),
            Kind::Double => Kept::Double(Vec::new()),
            _ => Kept::Bytes(Vec::new()),
        };
        let levels = Vec::new();
        Self { kept, levels }
    }

    /// Bytes that a value takes beside those of its text.
    fn size(&self) -> usize {
        let size = match &self.kept {
            Kept::Boolean(_) => size_of::<bool>(),
            Kept::Int32(_) | Kept::Float(_) => size_of::<i32>(),
            Kept::Int64(_) | Kept::Double(_) => size_of::<i64>(),
            Kept::Bytes(_) => size_of::<ByteArray>(),
            // Its bytes stand alone.
            Kept::Fixed(_) => 2 * size_of::<FixedLenByteArray>(),
        };
        size + size_of::<i16>()
    }

    /// Appends a value of the column, which stands in `data` as in `texts`; `None` for one that cannot be kept.
    fn push(&mut self, value: Option<&[u8]>, kind: Kind, texts: &Bytes, data: &[u8]) -> Option<()> {
        let Some(value) = value else {
            self.levels.push(0);
            return Some(());
        };
        if let (Kept::Bytes(kept), Kind::Binary(_)) = (&mut self.kept, kind) {
            kept.push(shared(value, texts, data));
            self.levels.push(1);
            return Some(());
        }
        let text = str::from_utf8(value).ok()?;
        match &mut self.kept {
            Kept::Boolean(kept) => kept.push(parse::boolean(text)?),
            Kept::Int32(kept) => kept.push(int32(text, kind)?),
            Kept::Int64(kept) => kept.push(int64(text, kind)?),
            Kept::Float(kept) => kept.push(text.parse().ok()?),
            Kept::Double(kept) => kept.push(text.parse().ok()?),
            Kept::Bytes(kept) => kept.push(shared(value, texts, data)),
            Kept::Fixed(kept) => {
                let Kind::Decimal(Some((precision, scale))) = kind else {
                    return None;
                };
                let precision = precision.max(scale);
                let number = parse::units(text, precision, scale)?;
                kept.push(parse::fixed(&number, bytes_of(precision)).into());
            }
        }
        self.levels.push(1);
        Some(())
    }

    /// Writes them, and forgets them.
    fn write(&mut self, mut column: SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = Some(&self.levels[..]);
        match &mut self.kept {
            Kept::Boolean(kept) => {
                column.typed::<BoolType>().write_batch(kept, levels, None)?;
                kept.clear();
            }
            Kept::Int32(kept) => {
                column
                    .typed::<Int32Type>()
                    .write_batch(kept, levels, None)?;
                kept.clear();
            }
            Kept::Int64(kept) => {
                column
                    .typed::<Int64Type>()
                    .write_batch(kept, levels, None)?;
                kept.clear();
            }
            Kept::Float(kept) => {
                column
                    .typed::<FloatType>()
                    .write_batch(kept, levels, None)?;
                kept.clear();
            }
            Kept::Double(kept) => {
                column
                    .typed::<DoubleType>()
                    .write_batch(kept, levels, None)?;
                kept.clear();
            }
            Kept::Bytes(kept) => {
                column
                    .typed::<ByteArrayType>()
                    .write_batch(kept, levels, None)?;
                kept.clear();
            }
            Kept::Fixed(kept) => {
                let writer = column.typed::<FixedLenByteArrayType>();
                writer.write_batch(kept, levels, None)?;
                kept.clear();
            }
        }
        self.levels.clear();
        column.close()
    }
}

fn int32(text: &str, kind: Kind) -> Option<i32> {
    match kind {
        Kind::Date => parse::days(text),
        Kind::Integer { bits, is_unsigned } => {
            let number: i64 = text.parse().ok()?;
            let range = match is_unsigned {
                true => 0..1_i64 << bits,
                false => -(1_i64 << (bits - 1))..1_i64 << (bits - 1),
            };
            // Those of 32 bits without a sign are kept as their bits.
            range.contains(&number).then_some(number as i32)
        }
        Kind::Decimal(Some((precision, scale))) => {
            parse::units(text, precision.max(scale), scale)?.to_i32()
        }
        _ => None,
    }
}

fn int64(text: &str, kind: Kind) -> Option<i64> {
    match kind {
        Kind::Time(_) => parse::micros_of_day(text),
        Kind::DateTime(_) => parse::micros(text),
        Kind::DateTimeZone(_) => parse::micros_of_moment(text),
        Kind::Bits(_)
        | Kind::Integer {
            is_unsigned: true, ..
        } => text.parse::<u64>().ok().map(u64::cast_signed),
        Kind::Integer { .. } => text.parse().ok(),
        Kind::Decimal(Some((precision, scale))) => {
            parse::units(text, precision.max(scale), scale)?.to_i64()
        }
        _ => None,
    }
}

/// The same bytes within `texts`, the copy of `data`.
fn shared(value: &[u8], texts: &Bytes, data: &[u8]) -> ByteArray {
    let start = value.as_ptr().addr() - data.as_ptr().addr();
    texts.slice(start..start + value.len()).into()
}

fn check_names(columns: &[Column]) -> Result<(), Error> {
    if columns.is_empty() {
        return Err(Error::Row(Text::new(
            "源没有字段，无法写成Parquet文件",
            "the source has no columns, so no Parquet file can be made of it",
        )));
    }
    writer::check_names(columns)
}

fn other_count(row: u64, count: usize, expected: usize) -> Error {
    Error::Row(Text::new(
        format!("存在某（多条）记录的字段个数不等于{expected}：第{row}行有{count}个字段"),
        format!("row {row} has {count} fields instead of {expected}"),
    ))
}

/// Why a value cannot be kept.
fn words(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Text(_) | Kind::Field | Kind::Json | Kind::Decimal(None) => {
            ("不是UTF-8文本", "is no UTF-8 text")
        }
        Kind::Date => ("不是日期", "is no day of the calendar"),
        Kind::Time(_) => (
            "不是一天之内、最多6位小数的时间",
            "is no time of a day with at most 6 digits of a second",
        ),
        Kind::DateTime(_) | Kind::DateTimeZone(_) => (
            "不是最多6位小数的日期时间",
            "is no date and time with at most 6 digits of a second",
        ),
        Kind::Boolean => ("不是真假值", "is neither true nor false"),
        _ => ("超出该字段的数字类型", "is no number of the column's type"),
    }
}
