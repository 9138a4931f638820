//! Values of a file as people would type them.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, Timelike as _};
use num_bigint::BigInt;
use parquet::data_type::Int96;

use super::kinds::Meaning;

/// Days between the first day of all and 1970.
const DAYS_BEFORE_1970: i32 = 719_163;

/// The number by which INT96 calls 1970-01-01.
const JULIAN_1970: i64 = 2_440_588;

const NANOS_A_DAY: i128 = 86_400_000_000_000;

/// A whole number that means something; `None` when it is outside of what that can be.
pub(super) fn whole(number: i128, meaning: Meaning) -> Option<String> {
    Some(match meaning {
        Meaning::Decimal(scale) => pointed(&number.to_string(), scale),
        Meaning::Date => {
            let days = i32::try_from(number).ok()?.checked_add(DAYS_BEFORE_1970)?;
            NaiveDate::from_num_days_from_ce_opt(days)?.to_string()
        }
        Meaning::Time(digits) => {
            let nanos = number.checked_mul(nanos_of(digits))?;
            (0..NANOS_A_DAY).contains(&nanos).then_some(())?;
            time(
                (nanos / 1_000_000_000) as u32,
                (nanos % 1_000_000_000) as u32,
            )
        }
        Meaning::Moment { digits, is_utc } => {
            let nanos = number.checked_mul(nanos_of(digits))?;
            let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
            let rest = nanos.rem_euclid(1_000_000_000) as u32;
            let moment = DateTime::from_timestamp(seconds, rest)?.naive_utc();
            let day = moment.date();
            let time = time(moment.num_seconds_from_midnight(), rest);
            let offset = if is_utc { "+00" } else { "" };
            format!("{day} {time}{offset}")
        }
        _ => number.to_string(),
    })
}

/// Nanoseconds in a unit that has so many digits of a second.
fn nanos_of(digits: u32) -> i128 {
    10_i128.pow(9 - digits)
}

fn time(seconds: u32, nanos: u32) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{hours:02}:{minutes:02}:{seconds:02}");
    if nanos > 0 {
        let _ = write!(text, ".{nanos:09}");
        text.truncate(text.trim_end_matches('0').len());
    }
    text
}

/// Nanoseconds since 1970.
pub(super) fn int96(value: &Int96) -> i128 {
    let [low, high, day] = *value.data() else {
        return 0;
    };
    let days = i64::from(day.cast_signed()) - JULIAN_1970;
    let nanos = (i128::from(high) << 32) + i128::from(low);
    i128::from(days) * NANOS_A_DAY + nanos
}

/// A decimal of any length: bytes of its whole number, the highest first.
pub(super) fn decimal(bytes: &[u8], scale: u32) -> String {
    pointed(&BigInt::from_signed_bytes_be(bytes).to_string(), scale)
}

/// A whole number with a point before its last digits.
fn pointed(number: &str, scale: u32) -> String {
    let scale = scale as usize;
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number),
    };
    if scale == 0 {
        return number.to_owned();
    }
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{part}")
}

/// The shortest text that means this number again.
pub(super) fn float(number: impl Into<f64>, shortest: String, scientific: String) -> String {
    let size = number.into().abs();
    match size == 0.0 || !size.is_finite() || (1e-5..1e16).contains(&size) {
        true => shortest,
        false => scientific,
    }
}

pub(super) fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// IEEE 754 half precision, the lowest byte first.
pub(super) fn half(bytes: &[u8]) -> f32 {
    let bits = u16::from_le_bytes(bytes.try_into().unwrap_or_default());
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let mantissa = f32::from(bits & 0x3ff);
    sign * match exponent {
        0 => mantissa * 2_f32.powi(-24),
        31 if mantissa == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + mantissa) * 2_f32.powi(exponent - 25),
    }
}
