//! Texts of a database as the values that a file keeps; `None` for what it cannot keep as it is.

use chrono::NaiveDate;
use num_bigint::BigInt;

const MICROS_A_SECOND: i64 = 1_000_000;

/// Days since 1970.
pub(super) fn days(text: &str) -> Option<i32> {
    let mut parts = text.splitn(3, '-');
    let mut part = || parts.next()?.parse::<u32>().ok();
    let (year, month, day) = (part()?, part()?, part()?);
    let day = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let days = day.signed_duration_since(NaiveDate::default()).num_days();
    i32::try_from(days).ok()
}

/// Microseconds of the day.
pub(super) fn micros_of_day(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.splitn(3, ':');
    let mut part = |most: i64| {
        let number = parts.next()?.parse::<u32>().ok()?;
        Some(i64::from(number)).filter(|number| *number < most)
    };
    let (hours, minutes) = (part(24)?, part(60)?);
    let seconds = if clock.matches(':').count() == 2 {
        part(60)?
    } else {
        0
    };
    let micros = (hours * 3600 + minutes * 60 + seconds) * MICROS_A_SECOND;
    Some(micros + micros_of_fraction(fraction)?)
}

fn micros_of_fraction(fraction: &str) -> Option<i64> {
    let digits = fraction.trim_end_matches('0');
    if digits.len() > 6 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    format!("{digits:0<6}").parse().ok()
}

/// Microseconds since 1970 of what a clock on the wall showed.
pub(super) fn micros(text: &str) -> Option<i64> {
    let (day, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
    let day = i64::from(days(day)?) * 86_400 * MICROS_A_SECOND;
    Some(day + micros_of_day(time)?)
}

/// Microseconds since 1970 of a moment that is written with its offset from UTC.
pub(super) fn micros_of_moment(text: &str) -> Option<i64> {
    const LENGTH_OF_DAY: usize = 10;
    let start = text.get(LENGTH_OF_DAY..)?.find(['+', '-', 'Z'])?;
    let (local, offset) = text.split_at(LENGTH_OF_DAY + start);
    Some(micros(local)? - seconds_of_offset(offset)? * MICROS_A_SECOND)
}

fn seconds_of_offset(offset: &str) -> Option<i64> {
    if offset == "Z" {
        return Some(0);
    }
    let (sign, parts) = offset.split_at(1);
    let mut seconds = 0;
    for (part, unit) in parts.split(':').zip([3600, 60, 1]) {
        seconds += i64::from(part.parse::<u32>().ok()?) * unit;
    }
    Some(if sign == "-" { -seconds } else { seconds })
}

/// The whole number of units of a decimal with so many digits, `scale` of them behind the point.
pub(super) fn units(text: &str, precision: u32, scale: u32) -> Option<BigInt> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = part.trim_end_matches('0');
    let scale = scale as usize;
    let all = format!("{whole}{part:0<scale$}");
    let all = all.trim_start_matches('0');
    let fits = part.len() <= scale && all.len() <= precision as usize;
    if !fits || digits.is_empty() || !all.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    if all.is_empty() {
        return Some(BigInt::ZERO);
    }
    format!("{sign}{all}").parse().ok()
}

/// In exactly so many bytes, the highest first.
pub(super) fn fixed(number: &BigInt, length: usize) -> Vec<u8> {
    let bytes = number.to_signed_bytes_be();
    let sign = if bytes[0] >> 7 == 1 { 0xff } else { 0 };
    let mut fixed = vec![sign; length.saturating_sub(bytes.len())];
    fixed.extend(bytes);
    fixed
}

/// A truth as databases spell it.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "t" | "true" | "TRUE" | "1" => Some(true),
        "f" | "false" | "FALSE" | "0" => Some(false),
        _ => None,
    }
}
