//! Values on their way from one product's spelling to another's, and into the escaped text that `COPY` of PostgreSQL and
//! `LOAD DATA` of MySQL share.

use crate::batch::Batch;
use crate::column::{Column, Kind};
use crate::dialect::Dialect;

/// How the text of a value holds bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    /// As they are.
    Plain,
    /// As hexadecimal digits.
    Hex,
    /// As `\x` and hexadecimal digits.
    BackslashHex,
}

/// What must be done to the values of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// Nothing.
    Plain,
    /// Bytes become hexadecimal digits.
    Hex,
    /// Bytes become `\x` and hexadecimal digits, PostgreSQL's spelling.
    PostgresHex,
    /// The bytes that a delimited file spells `\x00ff`.
    Spelled,
    /// The same, become hexadecimal digits.
    SpelledHex,
    /// The same, become `\x` and hexadecimal digits.
    SpelledPostgresHex,
    /// `t` and `f` become `1` and `0`.
    Digit,
    /// `2026-11-21 05:00:00+08` loses its offset: the local time stays, as JDBC drivers have it.
    WithoutOffset,
}

/// What each column needs on its way from `source` to a `target` of `dialect`.
pub(crate) fn conversions(
    source: &[Column],
    target: &[Column],
    dialect: &dyn Dialect,
) -> Vec<Conversion> {
    source
        .iter()
        .zip(target)
        .map(|(from, to)| conversion(from.kind, to.kind, dialect))
        .collect()
}

fn conversion(source: Kind, target: Kind, dialect: &dyn Dialect) -> Conversion {
    match (source, target) {
        (Kind::Field, Kind::Binary(_)) => match dialect.binary() {
            Binary::Plain => Conversion::Spelled,
            Binary::Hex => Conversion::SpelledHex,
            Binary::BackslashHex => Conversion::SpelledPostgresHex,
        },
        (_, Kind::Binary(_)) => match dialect.binary() {
            Binary::Plain => Conversion::Plain,
            Binary::Hex => Conversion::Hex,
            Binary::BackslashHex => Conversion::PostgresHex,
        },
        (Kind::Boolean, Kind::Text(_)) => Conversion::Plain,
        (Kind::Boolean, _) if !dialect.has_booleans() => Conversion::Digit,
        (Kind::DateTimeZone(_), Kind::DateTime(_) | Kind::Date | Kind::Time(_)) => {
            Conversion::WithoutOffset
        }
        _ => Conversion::Plain,
    }
}

impl Conversion {
    /// Appends the converted value.
    #[inline]
    pub(crate) fn append(self, value: &[u8], output: &mut Vec<u8>) {
        match self {
            Self::Plain => output.extend_from_slice(value),
            Self::Hex => append_hex(value, output),
            Self::PostgresHex => {
                output.extend_from_slice(b"\\x");
                append_hex(value, output);
            }
            Self::Spelled => output.extend_from_slice(&spelled(value)),
            Self::SpelledHex => append_hex(&spelled(value), output),
            Self::SpelledPostgresHex => Self::PostgresHex.append(&spelled(value), output),
            Self::Digit => output.extend_from_slice(digit(value)),
            Self::WithoutOffset => output.extend_from_slice(without_offset(value)),
        }
    }
}

/// A binary value as it is, or out of the spelling `\x00ff` that delimited files have for it.
fn spelled(value: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    match value.strip_prefix(b"\\x").and_then(from_hex) {
        Some(bytes) => bytes.into(),
        None => value.into(),
    }
}

fn digit(value: &[u8]) -> &[u8] {
    match value {
        b"t" | b"true" | b"TRUE" => b"1",
        b"f" | b"false" | b"FALSE" => b"0",
        other => other,
    }
}

fn without_offset(value: &[u8]) -> &[u8] {
    const LENGTH_OF_DAY: usize = 10;
    let offset = value
        .iter()
        .skip(LENGTH_OF_DAY)
        .position(|byte| matches!(byte, b'+' | b'-'));
    match offset {
        Some(at) => &value[..LENGTH_OF_DAY + at],
        None => value,
    }
}

pub(crate) fn append_hex(bytes: &[u8], output: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    output.reserve(2 * bytes.len());
    for byte in bytes {
        output.push(DIGITS[usize::from(byte >> 4)]);
        output.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// `None` when these are not pairs of hexadecimal digits.
pub(crate) fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16);
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8))
        .collect()
}

/// The letter behind the backslash for bytes that cannot stand in escaped text, 0 for all others.
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    table[b'\\' as usize] = b'\\';
    table[b'\t' as usize] = b't';
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[0] = b'0';
    table
};

/// Appends all rows of `batch` as escaped text: fields parted by tabs, rows ended by line feeds, NULL as `\N`. Both
/// PostgreSQL and MySQL read it back byte for byte. (PostgreSQL refuses NUL in text whatever the spelling.)
pub(crate) fn append_escaped(batch: &Batch, conversions: &[Conversion], output: &mut Vec<u8>) {
    output.reserve(batch.byte_count() + batch.byte_count() / 4);
    let mut converted = Vec::new();
    for row in batch.rows() {
        for (value, conversion) in row.zip(conversions) {
            match (value, conversion) {
                (None, _) => output.extend_from_slice(b"\\N"),
                (Some(value), Conversion::Plain) => escape(value, output),
                (Some(value), conversion) => {
                    converted.clear();
                    conversion.append(value, &mut converted);
                    escape(&converted, output);
                }
            }
            output.push(b'\t');
        }
        // Every row has at least one column, so the last byte is a tab.
        if let Some(last) = output.last_mut() {
            *last = b'\n';
        }
    }
}

#[inline]
fn escape(mut value: &[u8], output: &mut Vec<u8>) {
    while let Some(at) = value
        .iter()
        .position(|byte| ESCAPES[usize::from(*byte)] != 0)
    {
        output.extend_from_slice(&value[..at]);
        output.push(b'\\');
        output.push(ESCAPES[usize::from(value[at])]);
        value = &value[at + 1..];
    }
    output.extend_from_slice(value);
}

/// Resolves the backslashes of PostgreSQL's `COPY` text.
pub(crate) fn unescape(mut value: &[u8], output: &mut Vec<u8>) {
    while let Some(at) = value.iter().position(|byte| *byte == b'\\') {
        output.extend_from_slice(&value[..at]);
        let Some(letter) = value.get(at + 1) else {
            break;
        };
        output.push(match letter {
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            other => *other,
        });
        value = &value[at + 2..];
    }
    output.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_text_keeps_every_byte() {
        let mut batch = Batch::new(1);
        batch.push(b"a\tb\\c\nd\re\0");
        batch.push_null();
        batch.push(b"");
        batch.push("😀".as_bytes());
        batch.end_row();
        let mut output = Vec::new();
        append_escaped(&batch, &[Conversion::Plain; 4], &mut output);
        assert_eq!(output, "a\\tb\\\\c\\nd\\re\\0\t\\N\t\t😀\n".as_bytes());
        let mut back = Vec::new();
        unescape(b"a\\tb\\\\c\\nd\\re\\v", &mut back);
        assert_eq!(back, b"a\tb\\c\nd\re\x0b");
    }

    #[test]
    fn values_are_spelled_as_the_target_wants_them() {
        let spelled = |conversion: Conversion, value: &[u8]| {
            let mut output = Vec::new();
            conversion.append(value, &mut output);
            output
        };
        assert_eq!(spelled(Conversion::Hex, b"\x00\xff"), b"00ff");
        assert_eq!(spelled(Conversion::Hex, b"\\x41"), b"5c783431");
        assert_eq!(
            spelled(Conversion::SpelledPostgresHex, b"\\x0aFF"),
            b"\\x0aff"
        );
        assert_eq!(spelled(Conversion::Spelled, b"\\x0aFF"), b"\x0a\xff");
        assert_eq!(spelled(Conversion::SpelledHex, b"\\xz"), b"5c787a");
        assert_eq!(spelled(Conversion::Digit, b"t"), b"1");
        assert_eq!(
            spelled(Conversion::WithoutOffset, b"2026-11-21 05:00:00.1+08:30"),
            b"2026-11-21 05:00:00.1"
        );
    }
}
