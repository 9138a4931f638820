//! Column types, in both directions. SQLite keeps lengths and ranges of nothing: what is read is what could be there.

use crate::column::Kind;

pub(super) fn kind(declared: &str) -> Kind {
    match Kind::from_declared(declared) {
        Kind::Integer { is_unsigned, .. } => Kind::Integer {
            bits: 64,
            is_unsigned,
        },
        Kind::Float => Kind::Double,
        Kind::Text(_) => Kind::Text(None),
        Kind::Binary(_) => Kind::Binary(None),
        kind => kind,
    }
}

/// Digits that SQLite keeps of a number that is no 64-bit integer.
pub(super) const EXACT_DIGITS: u32 = 15;

/// Numbers that SQLite would round are kept as text.
pub(super) fn declaration(kind: Kind) -> String {
    match kind {
        Kind::Integer {
            bits: 64,
            is_unsigned: true,
        } => "text",
        Kind::Integer { bits: 64, .. } => "bigint",
        Kind::Integer { .. } => "integer",
        Kind::Decimal(Some((digits, scale))) if digits <= EXACT_DIGITS => {
            return format!("decimal({digits},{scale})");
        }
        Kind::Decimal(_) => "text",
        Kind::Float | Kind::Double => "double",
        Kind::Boolean => "boolean",
        Kind::Bits(bits) if bits < 64 => "bigint",
        Kind::Bits(_) => "text",
        Kind::Text(Some(length)) => return format!("varchar({length})"),
        Kind::Text(None) | Kind::Field => "text",
        Kind::Binary(_) => "blob",
        Kind::Date => "date",
        Kind::Time(_) => "time",
        Kind::DateTime(_) | Kind::DateTimeZone(_) => "datetime",
        Kind::Json => "json",
    }
    .to_owned()
}
