//! Column types, in both directions.

use mysql_async::Column as Described;
use mysql_async::consts::{ColumnFlags, ColumnType};

use crate::column::{Column, Kind};

/// The character set of bytes that are no text.
const BINARY: u16 = 63;

/// Bytes of a character at most, in the connection's character set.
const CHARACTER_BYTES: u32 = 4;

pub(super) fn describe(column: &Described) -> Column {
    Column::new(column.name_str(), kind(column))
}

fn kind(column: &Described) -> Kind {
    let is_unsigned = column.flags().contains(ColumnFlags::UNSIGNED_FLAG);
    let integer = |bits| Kind::Integer { bits, is_unsigned };
    let fraction = u32::from(column.decimals()).min(6);
    match column.column_type() {
        ColumnType::MYSQL_TYPE_TINY => integer(8),
        ColumnType::MYSQL_TYPE_SHORT | ColumnType::MYSQL_TYPE_YEAR => integer(16),
        ColumnType::MYSQL_TYPE_LONG | ColumnType::MYSQL_TYPE_INT24 => integer(32),
        ColumnType::MYSQL_TYPE_LONGLONG => integer(64),
        ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => {
            let scale = u32::from(column.decimals());
            let sign_and_point = u32::from(!is_unsigned) + u32::from(scale > 0);
            Kind::Decimal(Some((
                column.column_length().saturating_sub(sign_and_point),
                scale,
            )))
        }
        ColumnType::MYSQL_TYPE_FLOAT => Kind::Float,
        ColumnType::MYSQL_TYPE_DOUBLE => Kind::Double,
        ColumnType::MYSQL_TYPE_BIT => Kind::Bits(column.column_length()),
        ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE => Kind::Date,
        ColumnType::MYSQL_TYPE_TIME | ColumnType::MYSQL_TYPE_TIME2 => Kind::Time(fraction),
        ColumnType::MYSQL_TYPE_DATETIME
        | ColumnType::MYSQL_TYPE_DATETIME2
        | ColumnType::MYSQL_TYPE_TIMESTAMP
        | ColumnType::MYSQL_TYPE_TIMESTAMP2 => Kind::DateTime(fraction),
        ColumnType::MYSQL_TYPE_JSON => Kind::Json,
        ColumnType::MYSQL_TYPE_GEOMETRY => Kind::Binary(None),
        ColumnType::MYSQL_TYPE_TINY_BLOB
        | ColumnType::MYSQL_TYPE_BLOB
        | ColumnType::MYSQL_TYPE_MEDIUM_BLOB
        | ColumnType::MYSQL_TYPE_LONG_BLOB => match column.character_set() {
            BINARY => Kind::Binary(None),
            _ => Kind::Text(None),
        },
        ColumnType::MYSQL_TYPE_STRING
        | ColumnType::MYSQL_TYPE_VAR_STRING
        | ColumnType::MYSQL_TYPE_VARCHAR
            if column.character_set() == BINARY =>
        {
            Kind::Binary(Some(column.column_length()))
        }
        ColumnType::MYSQL_TYPE_STRING
        | ColumnType::MYSQL_TYPE_VAR_STRING
        | ColumnType::MYSQL_TYPE_VARCHAR
        | ColumnType::MYSQL_TYPE_ENUM
        | ColumnType::MYSQL_TYPE_SET => {
            Kind::Text(Some(column.column_length().div_ceil(CHARACTER_BYTES)))
        }
        _ => Kind::Text(None),
    }
}

/// Bytes that the columns of a row may take together, less some for everything that is no string.
const ROW_BYTES: usize = 60_000;

/// Characters of a column of a table that is made for a file, as in akkaflow.
const FIELD_CHARACTERS: u32 = 256;

pub(super) fn declaration(kind: Kind, column_count: usize) -> String {
    let share = u32::try_from(ROW_BYTES / column_count.max(1)).unwrap_or(u32::MAX);
    match kind {
        Kind::Field => declaration(Kind::Text(Some(FIELD_CHARACTERS)), column_count),
        Kind::Integer { bits, is_unsigned } => {
            let name = match bits {
                8 => "tinyint",
                16 => "smallint",
                32 => "int",
                _ => "bigint",
            };
            format!("{name}{}", if is_unsigned { " unsigned" } else { "" })
        }
        Kind::Decimal(Some((digits, scale))) if digits <= 65 && scale <= 30 && scale <= digits => {
            format!("decimal({},{scale})", digits.max(1))
        }
        // `decimal` has one scale for all values: it would add zeros to some, and refuse others.
        Kind::Decimal(_) => declaration(Kind::Text(None), column_count),
        Kind::Float => "float".to_owned(),
        Kind::Double => "double".to_owned(),
        Kind::Boolean => "tinyint(1)".to_owned(),
        Kind::Bits(bits) => format!("bit({})", bits.clamp(1, 64)),
        Kind::Text(Some(length)) if length <= share / CHARACTER_BYTES => {
            format!("varchar({}) character set utf8mb4", length.max(1))
        }
        Kind::Text(_) => "longtext character set utf8mb4".to_owned(),
        Kind::Binary(Some(length)) if length <= share => format!("varbinary({})", length.max(1)),
        Kind::Binary(_) => "longblob".to_owned(),
        Kind::Date => "date".to_owned(),
        Kind::Time(fraction) => format!("time({})", fraction.min(6)),
        Kind::DateTime(fraction) | Kind::DateTimeZone(fraction) => {
            format!("datetime({})", fraction.min(6))
        }
        Kind::Json => "json".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_without_a_scale_of_their_own_stay_as_they_are_spelled() {
        let of = |limits| declaration(Kind::Decimal(limits), 1);
        assert_eq!(of(Some((10, 2))), "decimal(10,2)");
        for limits in [None, Some((70, 2)), Some((40, 31))] {
            assert!(of(limits).starts_with("longtext"), "{limits:?}");
        }
    }
}
