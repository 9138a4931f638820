//! Column types, in both directions.

use crate::column::Kind;

pub(super) fn kind(declared: &str) -> Kind {
    match Kind::from_declared(declared) {
        // An unsigned 32-bit number.
        Kind::Integer { .. } if declared == "oid" => Kind::signed(64),
        kind => kind,
    }
}

pub(super) fn declaration(kind: Kind) -> String {
    match kind {
        Kind::Integer { bits, is_unsigned } => match (bits, is_unsigned) {
            (8, _) | (16, false) => "smallint",
            (16, true) | (32, false) => "integer",
            (32, true) | (64, false) => "bigint",
            _ => "numeric(20)",
        }
        .to_owned(),
        Kind::Decimal(Some((digits, scale))) if (1..=1000).contains(&digits) => {
            format!("numeric({digits},{scale})")
        }
        Kind::Decimal(_) => "numeric".to_owned(),
        Kind::Float => "real".to_owned(),
        Kind::Double => "double precision".to_owned(),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Bits(bits) if bits < 64 => "bigint".to_owned(),
        Kind::Bits(_) => "numeric(20)".to_owned(),
        Kind::Text(Some(length)) if (1..=10_485_760).contains(&length) => {
            format!("varchar({length})")
        }
        Kind::Text(_) | Kind::Field => "text".to_owned(),
        Kind::Binary(_) => "bytea".to_owned(),
        Kind::Date => "date".to_owned(),
        Kind::Time(fraction) => format!("time({})", fraction.min(6)),
        Kind::DateTime(fraction) => format!("timestamp({})", fraction.min(6)),
        Kind::DateTimeZone(fraction) => format!("timestamp({}) with time zone", fraction.min(6)),
        Kind::Json => "json".to_owned(),
    }
}
