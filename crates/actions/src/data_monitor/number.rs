//! Decimal numbers of any length, kept and compared exactly: keys beyond 2^53 and amounts are no floating point.

use std::cmp::Ordering;
use std::fmt;

/// Zeros that a number is written out with, before its exponent is written instead: behind its digits, and behind the point.
const ZEROS_BEHIND: i64 = 15;
const ZEROS_BEFORE: i64 = 4;

/// A greater exponent is a mistake, not a number.
const MOST_EXPONENT: i64 = 100_000;

/// `0.digits` times ten to the power of `exponent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    is_negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: String,
    /// 0 for zero.
    exponent: i64,
}

impl Number {
    /// Reads a decimal number, blanks around it allowed: `-12.50`, `.5`, `1e20`. `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i64>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{behind}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let significant = all.trim_start_matches('0');
        let zeros = all.len() - significant.len();
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()?;
        let digits = significant.trim_end_matches('0');
        if digits.is_empty() {
            return Some(Self {
                is_negative: false,
                digits: String::new(),
                exponent: 0,
            });
        }
        let exponent = point.checked_add(power)?;
        (exponent.abs() <= MOST_EXPONENT).then(|| Self {
            is_negative: text.starts_with('-'),
            digits: digits.to_owned(),
            exponent,
        })
    }

    /// How it compares without its sign.
    fn size(&self) -> (bool, i64, &str) {
        // Without zeros in front, more digits before the point are more, and else the first difference decides.
        (!self.digits.is_empty(), self.exponent, &self.digits)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_negative, other.is_negative) {
            (false, false) => self.size().cmp(&other.size()),
            (true, true) => other.size().cmp(&self.size()),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// As short as it can be written.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (digits, exponent) = (&self.digits, self.exponent);
        if digits.is_empty() {
            return f.write_str("0");
        }
        if self.is_negative {
            f.write_str("-")?;
        }
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        match exponent {
            _ if exponent - count > ZEROS_BEHIND || -exponent > ZEROS_BEFORE => {
                let (first, others) = digits.split_at(1);
                let point = if others.is_empty() { "" } else { "." };
                write!(f, "{first}{point}{others}e{}", exponent - 1)
            }
            _ if exponent >= count => write!(f, "{digits}{}", zeros(exponent - count)),
            1.. => {
                let (whole, behind) = digits.split_at(usize::try_from(exponent).unwrap_or(0));
                write!(f, "{whole}.{behind}")
            }
            _ => write!(f, "0.{}{digits}", zeros(-exponent)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn a_number_is_written_as_short_as_it_can_be() {
        for (said, written) in [
            ("12.50", "12.5"),
            ("-0.00", "0"),
            ("007", "7"),
            (" +1 ", "1"),
            ("5.", "5"),
            (".5", "0.5"),
            ("1e3", "1000"),
            ("1E20", "1e20"),
            ("-1.25e-9", "-1.25e-9"),
            ("0.00001", "0.00001"),
            ("0.000001", "1e-6"),
            ("18446744073709551615", "18446744073709551615"),
            ("9007199254740993.10", "9007199254740993.1"),
            ("120000", "120000"),
        ] {
            assert_eq!(number(said).to_string(), written, "{said}");
            assert_eq!(number(written), number(said), "{said}");
        }
    }

    #[test]
    fn what_is_no_decimal_number_is_none() {
        for text in [
            "",
            " ",
            ".",
            "-",
            "e5",
            "1e",
            "1e999999999",
            "1.2.3",
            "NaN",
            "inf",
            "0x10",
            "1_000",
            "1,5",
            "--1",
            "1e99999999999999999999",
            "一",
        ] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_ordered_exactly_however_long_they_are() {
        let ordered = [
            "-1e30",
            "-10",
            "-9.5",
            "-9.49",
            "-1e-9",
            "0",
            "1e-9",
            "0.1",
            "0.10000000000000000001",
            "1",
            "9.99",
            "10",
            "9007199254740992",
            "9007199254740993",
            "18446744073709551615",
            "18446744073709551615.5",
            "1e30",
        ];
        for (index, first) in ordered.iter().enumerate() {
            for (other, second) in ordered.iter().enumerate() {
                let found = number(first).cmp(&number(second));
                assert_eq!(found, index.cmp(&other), "{first} and {second}");
            }
        }
    }
}
