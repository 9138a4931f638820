//! What the columns of a file mean, and how those of a database are kept in one.

use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::ParquetError;
use parquet::schema::types::{ColumnDescriptor, Type, TypePtr};

use crate::column::{Column, Kind};

/// What the values of a column mean, beyond their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// What their type says: numbers, truths, bytes.
    Plain,
    /// Whole numbers without a sign.
    Unsigned,
    /// Whole numbers of units, digits behind the point.
    Decimal(u32),
    /// Text in UTF-8.
    Text,
    Json,
    Uuid,
    /// Half precision.
    Half,
    /// Days since 1970.
    Date,
    /// A time of day, digits of a second.
    Time(u32),
    /// Since 1970, digits of a second; with `is_utc` a moment, else what a clock on the wall showed.
    Moment {
        digits: u32,
        is_utc: bool,
    },
}

impl Meaning {
    /// What a file says of a column.
    pub(super) fn of(column: &ColumnDescriptor) -> Self {
        let scale = column.type_scale().max(0).unsigned_abs();
        match column.logical_type_ref() {
            Some(LogicalType::String | LogicalType::Enum) => Self::Text,
            Some(LogicalType::Json) => Self::Json,
            Some(LogicalType::Uuid) => Self::Uuid,
            Some(LogicalType::Float16) => Self::Half,
            Some(LogicalType::Date) => Self::Date,
            Some(LogicalType::Decimal(_)) => Self::Decimal(scale),
            Some(LogicalType::Integer(whole)) if !whole.is_signed => Self::Unsigned,
            Some(LogicalType::Time(time)) => Self::Time(digits(time.unit)),
            Some(LogicalType::Timestamp(time)) => Self::Moment {
                digits: digits(time.unit),
                is_utc: time.is_adjusted_to_u_t_c,
            },
            _ => Self::converted(column.converted_type(), scale, column.physical_type()),
        }
    }

    /// What older files say.
    fn converted(converted: ConvertedType, scale: u32, physical: Physical) -> Self {
        let moment = |digits, is_utc| Self::Moment { digits, is_utc };
        match converted {
            ConvertedType::UTF8 | ConvertedType::ENUM => Self::Text,
            ConvertedType::JSON => Self::Json,
            ConvertedType::DECIMAL => Self::Decimal(scale),
            ConvertedType::DATE => Self::Date,
            ConvertedType::TIME_MILLIS => Self::Time(3),
            ConvertedType::TIME_MICROS => Self::Time(6),
            ConvertedType::TIMESTAMP_MILLIS => moment(3, true),
            ConvertedType::TIMESTAMP_MICROS => moment(6, true),
            ConvertedType::UINT_8
            | ConvertedType::UINT_16
            | ConvertedType::UINT_32
            | ConvertedType::UINT_64 => Self::Unsigned,
            // The only meaning that these ever had.
            _ if physical == Physical::INT96 => moment(9, false),
            _ => Self::Plain,
        }
    }

    /// What a database calls it.
    pub(super) fn kind(self, column: &ColumnDescriptor) -> Kind {
        let bits = match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::Integer(whole)), _) => whole.bit_width.unsigned_abs(),
            (_, ConvertedType::INT_8 | ConvertedType::UINT_8) => 8,
            (_, ConvertedType::INT_16 | ConvertedType::UINT_16) => 16,
            _ if column.physical_type() == Physical::INT32 => 32,
            _ => 64,
        };
        let is_unsigned = self == Self::Unsigned;
        match (self, column.physical_type()) {
            (Self::Decimal(scale), _) => {
                let precision = column.type_precision().max(0).unsigned_abs();
                Kind::Decimal(Some((precision, scale)))
            }
            (Self::Text, _) => Kind::Text(None),
            (Self::Json, _) => Kind::Json,
            (Self::Uuid, _) => Kind::Text(Some(36)),
            (Self::Date, _) => Kind::Date,
            // No database has more.
            (Self::Time(digits), _) => Kind::Time(digits.min(6)),
            (Self::Moment { digits, is_utc }, _) => match is_utc {
                true => Kind::DateTimeZone(digits.min(6)),
                false => Kind::DateTime(digits.min(6)),
            },
            (_, Physical::BOOLEAN) => Kind::Boolean,
            (_, Physical::INT32 | Physical::INT64) => Kind::Integer { bits, is_unsigned },
            (Self::Half, _) | (_, Physical::FLOAT) => Kind::Float,
            (_, Physical::DOUBLE) => Kind::Double,
            _ => Kind::Binary(None),
        }
    }
}

fn digits(unit: TimeUnit) -> u32 {
    match unit {
        TimeUnit::MILLIS => 3,
        TimeUnit::MICROS => 6,
        TimeUnit::NANOS => 9,
    }
}

/// Digits that 32 and 64 bits hold.
const DIGITS_OF_32: u32 = 9;
const DIGITS_OF_64: u32 = 18;

/// The columns of a file that keeps these.
pub(super) fn schema(columns: &[Column]) -> Result<TypePtr, ParquetError> {
    let fields = columns.iter().map(|column| field(column).map(Arc::new));
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    let schema = Type::group_type_builder("schema").with_fields(fields);
    Ok(Arc::new(schema.build()?))
}

fn field(column: &Column) -> Result<Type, ParquetError> {
    let timestamp = |is_utc| LogicalType::timestamp(is_utc, TimeUnit::MICROS);
    let integer =
        |bits: u8, is_unsigned: bool| Some(LogicalType::integer(bits.cast_signed(), !is_unsigned));
    let mut decimal = None;
    let (physical, logical) = match column.kind {
        Kind::Integer { bits, is_unsigned } => match bits {
            64 => (Physical::INT64, integer(bits, is_unsigned)),
            _ => (Physical::INT32, integer(bits, is_unsigned)),
        },
        Kind::Bits(_) => (Physical::INT64, integer(64, true)),
        Kind::Decimal(Some((precision, scale))) => {
            let precision = precision.max(scale).max(1);
            decimal = Some((precision, scale));
            let physical = if precision <= DIGITS_OF_32 {
                Physical::INT32
            } else if precision <= DIGITS_OF_64 {
                Physical::INT64
            } else {
                Physical::FIXED_LEN_BYTE_ARRAY
            };
            let (scale, precision) = (scale.cast_signed(), precision.cast_signed());
            (physical, Some(LogicalType::decimal(scale, precision)))
        }
        Kind::Float => (Physical::FLOAT, None),
        Kind::Double => (Physical::DOUBLE, None),
        Kind::Boolean => (Physical::BOOLEAN, None),
        Kind::Decimal(None) | Kind::Field | Kind::Text(_) => {
            (Physical::BYTE_ARRAY, Some(LogicalType::String))
        }
        Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
        Kind::Binary(_) => (Physical::BYTE_ARRAY, None),
        Kind::Date => (Physical::INT32, Some(LogicalType::Date)),
        Kind::Time(_) => {
            let time = LogicalType::time(false, TimeUnit::MICROS);
            (Physical::INT64, Some(time))
        }
        Kind::DateTime(_) => (Physical::INT64, Some(timestamp(false))),
        Kind::DateTimeZone(_) => (Physical::INT64, Some(timestamp(true))),
    };
    let mut builder = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    if let Some((precision, scale)) = decimal {
        builder = builder
            .with_precision(precision.cast_signed())
            .with_scale(scale.cast_signed());
        if physical == Physical::FIXED_LEN_BYTE_ARRAY {
            builder = builder.with_length(bytes_of(precision).try_into().unwrap_or(i32::MAX));
        }
    }
    builder.build()
}

/// Bytes that hold numbers of so many digits, and their sign.
pub(super) fn bytes_of(digits: u32) -> usize {
    let bits = f64::from(digits) * 10_f64.log2() + 1.0;
    (bits / 8.0).ceil() as usize
}
