//! Moments of the wall clock in milliseconds since 1970, and how the API and people write them.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

/// Milliseconds since 1970 in UTC.
pub(crate) fn now_ms() -> f64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock stands after 1970");
    since.as_secs_f64() * 1000.0
}

/// Reads `2026-11-21T10:00:00.123Z`.
pub(crate) fn parse_ms(text: &str) -> Result<f64> {
    read(text).with_context(|| format!("not a moment in UTC: {text}"))
}

fn read(text: &str) -> Option<f64> {
    let text = text
        .strip_suffix('Z')
        .or_else(|| text.strip_suffix("+00:00"))?;
    let (date, time) = text.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.splitn(3, ':');
    let hour: i64 = time.next()?.parse().ok()?;
    let minute: i64 = time.next()?.parse().ok()?;
    let second: f64 = time.next()?.parse().ok()?;
    let minutes = (days_since_1970(year, month, day) * 24 + hour) * 60 + minute;
    #[expect(
        clippy::cast_precision_loss,
        reason = "minutes since 1970 are far below 2^52"
    )]
    Some(minutes as f64 * 60_000.0 + second * 1000.0)
}

/// Counts from March, so that the leap day is the last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Today's date in UTC as `YYYY-MM-DD`.
pub(crate) fn today() -> String {
    #[expect(clippy::cast_possible_truncation, reason = "days since 1970")]
    let days = (now_ms() / 86_400_000.0) as i64;
    let (mut year, mut rest) = (1970, days);
    while rest >= days_since_1970(year + 1, 1, 1) - days_since_1970(year, 1, 1) {
        rest -= days_since_1970(year + 1, 1, 1) - days_since_1970(year, 1, 1);
        year += 1;
    }
    let month = (1..=12)
        .rev()
        .find(|month| days_since_1970(year, *month, 1) <= days)
        .expect("January is always past");
    let day = days - days_since_1970(year, month, 1) + 1;
    format!("{year}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::parse_ms;

    #[test]
    fn moments_of_the_api_are_read_to_the_millisecond() {
        assert_eq!(parse_ms("1970-01-01T00:00:00.001Z").unwrap(), 1.0);
        assert_eq!(
            parse_ms("2024-02-29T12:34:56.789Z").unwrap(),
            1_709_210_096_789.0
        );
        assert_eq!(
            parse_ms("2026-11-21T00:00:00+00:00").unwrap(),
            1_795_219_200_000.0
        );
    }

    #[test]
    fn anything_else_is_an_error_that_shows_it() {
        for text in [
            "",
            "yesterday",
            "2026-11-21 00:00:00",
            "2026-11-21T00:00:00+08:00",
        ] {
            assert!(parse_ms(text).unwrap_err().to_string().contains(text));
        }
    }
}
