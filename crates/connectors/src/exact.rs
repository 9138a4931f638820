//! Values that a database would round or cut without a word: refused here, with their row and column.
//!
//! PostgreSQL rounds decimals and fractions of seconds, cuts the time off a day and blanks off a text; MySQL rounds what goes
//! into whole numbers and cuts fractions of seconds. SQLite keeps what it is given. Columns declared as floating point take
//! the nearest number, which is what they are for.

use akkaflow_model::text::Text;

use crate::batch::{Batch, Row};
use crate::column::{Column, Kind};
use crate::dialect::Dialect;
use crate::error::Error;

/// How much of a value a column keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Digits behind the point.
    Scale(u32),
    /// Digits of a second.
    Fraction(u32),
    /// No time of day.
    Day,
    /// Characters; blanks beyond would be dropped.
    Characters(u32),
}

/// What is to be looked at in rows for one table.
#[derive(Debug, Clone)]
pub(crate) struct Checks {
    limits: Vec<Option<(String, Limit)>>,
    /// Columns of a key, by their place in the row: NULL equals nothing, so it finds no row.
    key: Vec<(usize, String)>,
}

impl Checks {
    /// For rows into a table with these columns, of which `key` names those by which rows are found.
    pub(crate) fn new(target: &[Column], key: &[String], dialect: &dyn Dialect) -> Self {
        let of = |column: &Column| {
            dialect
                .limit(column.kind)
                .map(|limit| (column.name.clone(), limit))
        };
        let names = target.iter().map(|column| column.name.clone());
        Self {
            limits: target.iter().map(of).collect(),
            key: names
                .enumerate()
                .filter(|(_, it)| key.contains(it))
                .collect(),
        }
    }

    /// Refuses the first value that would not be kept as it is.
    pub(crate) fn check(&self, batch: &Batch) -> Result<(), Error> {
        self.check_key(batch)?;
        if self.limits.iter().all(Option::is_none) {
            return Ok(());
        }
        for (number, row) in batch.numbered_rows() {
            self.check_row(number, row)?;
        }
        Ok(())
    }

    /// Refuses the first value of a row that would not be kept as it is.
    pub(crate) fn check_row(&self, number: u64, row: Row<'_>) -> Result<(), Error> {
        for (value, check) in row.zip(&self.limits) {
            if let (Some(value), Some((column, limit))) = (value, check)
                && !limit.keeps(value)
            {
                let (zh, en) = limit.words();
                return Err(Error::value(number, column, value, &zh, &en));
            }
        }
        Ok(())
    }

    fn check_key(&self, batch: &Batch) -> Result<(), Error> {
        if self.key.is_empty() {
            return Ok(());
        }
        for (number, row) in batch.numbered_rows() {
            for (index, column) in &self.key {
                if let Some(None) = row.clone().nth(*index) {
                    return Err(Error::Row(Text::new(
                        format!("第{number}行的键字段`{column}`为NULL，无法据此找到目标表中的记录"),
                        format!(
                            "row {number}: column `{column}` of the key is NULL, which finds no row of the target"
                        ),
                    )));
                }
            }
        }
        Ok(())
    }
}

impl Limit {
    /// What most products would lose.
    pub(crate) fn usual(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Decimal(Some((_, scale))) => Some(Self::Scale(scale)),
            Kind::Time(digits) | Kind::DateTime(digits) | Kind::DateTimeZone(digits) => {
                Some(Self::Fraction(digits))
            }
            Kind::Date => Some(Self::Day),
            _ => None,
        }
    }

    /// What is no number, no time or no text at all is left to the database, which says so better.
    fn keeps(self, value: &[u8]) -> bool {
        match self {
            Self::Scale(scale) => decimals(value).is_none_or(|digits| digits <= i64::from(scale)),
            Self::Fraction(digits) => fraction(value)
                .is_none_or(|all| all.iter().skip(digits as usize).all(|digit| *digit == b'0')),
            Self::Day => time_of_day(value)
                .is_none_or(|time| time.iter().all(|byte| !matches!(byte, b'1'..=b'9'))),
            Self::Characters(length) => {
                // Fewer bytes than characters allowed need no counting.
                value.len() <= length as usize
                    || !value.ends_with(b" ")
                    || std::str::from_utf8(value)
                        .is_ok_and(|text| text.chars().count() <= length as usize)
            }
        }
    }

    fn words(self) -> (String, String) {
        match self {
            Self::Scale(0) => ("不是整数".to_owned(), "is no whole number".to_owned()),
            Self::Scale(scale) => (
                format!("的小数超出该字段的{scale}位，不会被舍入"),
                format!(
                    "has more than the {scale} decimals that the column keeps; it is not rounded"
                ),
            ),
            Self::Fraction(digits) => (
                format!("的秒的小数超出该字段的{digits}位，不会被截断"),
                format!(
                    "has more than the {digits} digits of a second that the column keeps; it is not cut"
                ),
            ),
            Self::Day => (
                "带有时间，而该字段只保存日期".to_owned(),
                "has a time of day, but the column keeps the day alone".to_owned(),
            ),
            Self::Characters(length) => (
                format!("末尾的空格超出该字段的{length}个字符，不会被截断"),
                format!(
                    "ends with blanks beyond the {length} characters of the column; they are not cut"
                ),
            ),
        }
    }
}

/// Digits behind the point that mean something, exponent included; `None` when this is no number in plain digits.
fn decimals(value: &[u8]) -> Option<i64> {
    let value = value.trim_ascii();
    let value = value
        .strip_prefix(b"-")
        .or(value.strip_prefix(b"+"))
        .unwrap_or(value);
    let (mantissa, exponent) = match value.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => {
            let exponent = std::str::from_utf8(&value[at + 1..]).ok()?;
            (&value[..at], exponent.parse::<i32>().ok()?)
        }
        None => (value, 0),
    };
    let point = mantissa
        .iter()
        .position(|byte| *byte == b'.')
        .unwrap_or(mantissa.len());
    let whole = &mantissa[..point];
    let part = mantissa.get(point + 1..).unwrap_or_default();
    if mantissa.len() == usize::from(point < mantissa.len())
        || !whole.iter().chain(part).all(u8::is_ascii_digit)
    {
        return None;
    }
    let zeros = part
        .iter()
        .rev()
        .chain(whole.iter().rev())
        .take_while(|digit| **digit == b'0');
    let zeros = zeros.count();
    if zeros == whole.len() + part.len() {
        return Some(0);
    }
    Some(part.len() as i64 - zeros as i64 - i64::from(exponent))
}

/// The digits behind the point of the seconds.
fn fraction(value: &[u8]) -> Option<&[u8]> {
    let colon = value.iter().position(|byte| *byte == b':')?;
    let point = colon + value[colon..].iter().position(|byte| *byte == b'.')?;
    let digits = &value[point + 1..];
    let end = digits.iter().position(|byte| !byte.is_ascii_digit());
    Some(&digits[..end.unwrap_or(digits.len())])
}

/// What stands behind the day, up to an offset from UTC.
fn time_of_day(value: &[u8]) -> Option<&[u8]> {
    let colon = value.iter().position(|byte| *byte == b':')?;
    let start = value[..colon]
        .iter()
        .rposition(|byte| matches!(byte, b' ' | b'T' | b't'))?;
    let time = &value[start + 1..];
    let end = time
        .iter()
        .position(|byte| matches!(byte, b'+' | b'-' | b'Z'));
    Some(&time[..end.unwrap_or(time.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_counted_as_they_mean() {
        for (value, digits) in [
            ("1", Some(0)),
            ("-1.230", Some(2)),
            (" 1.5 ", Some(1)),
            ("1200", Some(-2)),
            ("0.000", Some(0)),
            ("1.2345e2", Some(2)),
            ("12e-3", Some(3)),
            (".5", Some(1)),
            ("5.", Some(0)),
            ("12x", None),
            ("", None),
            (".", None),
            ("NaN", None),
            ("1.2.3", None),
        ] {
            assert_eq!(decimals(value.as_bytes()), digits, "{value}");
        }
    }

    #[test]
    fn times_lose_nothing() {
        let keeps = |limit: Limit, value: &str| limit.keeps(value.as_bytes());
        assert!(keeps(Limit::Fraction(3), "2026-01-01 00:00:00.123000"));
        assert!(!keeps(Limit::Fraction(3), "2026-01-01 00:00:00.1234"));
        assert!(!keeps(Limit::Fraction(0), "01:02:03.5+08"));
        assert!(keeps(Limit::Fraction(0), "21.11.2026"));
        assert!(keeps(Limit::Day, "2026-01-01"));
        assert!(keeps(Limit::Day, "2026-01-01 00:00:00.0+08"));
        assert!(!keeps(Limit::Day, "2026-01-01T10:00:00Z"));
    }

    #[test]
    fn blanks_count_as_characters() {
        let keeps = |value: &str| Limit::Characters(3).keeps(value.as_bytes());
        assert!(keeps("ab ") && keeps("日 ") && keeps("日本 "));
        assert!(!keeps("abc ") && !keeps("日本语 "));
        // The database refuses it itself.
        assert!(keeps("abcd"));
    }
}
