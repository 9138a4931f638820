//! Values beyond words and numbers.

use chrono_tz::Tz;

use crate::code;
use crate::condition::{self, Condition};
use crate::definition::{CodeRanges, ParamType, compile_pattern};
use crate::landing::Deadline;
use crate::quote::shortened;
use crate::shape::value::{Wrong, wrong};
use crate::text::Text;
use crate::zone_names::zone_help;

/// The longest length of time: beyond that somebody has mistyped. A hundred years of 366 days.
const LONGEST_SECONDS: u64 = 100 * 366 * 86_400;

pub(crate) fn parse_duration(text: &str) -> Option<u64> {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let unit = match text[end..].trim() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let number: u64 = text[..end].parse().ok()?;
    number
        .checked_mul(unit)
        .filter(|seconds| (1..=LONGEST_SECONDS).contains(seconds))
}

/// Bytes of a size such as `2.3MB`; a kilobyte has 1024.
pub fn parse_size(text: &str) -> Option<u64> {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(text.len());
    let factor: u64 = match text[end..].trim().to_ascii_uppercase().as_str() {
        "B" => 1,
        "K" | "KB" => 1 << 10,
        "M" | "MB" => 1 << 20,
        "G" | "GB" => 1 << 30,
        _ => return None,
    };
    let number = Some(&text[..end]).filter(|number| ParamType::Decimal.accepts(number))?;
    let bytes = number.parse::<f64>().ok()? * factor as f64;
    // Beyond 2^53 no file is that large.
    (bytes < 9e15).then_some(bytes as u64)
}

/// The items of a list parted by blanks or commas.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | '，'))
        .filter(|word| !word.is_empty())
}

/// Whether a text is a name in expressions.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

pub(super) fn check_duration(name: &str, value: &str) -> Result<(), Wrong> {
    if parse_duration(value).is_some() {
        return Ok(());
    }
    let found = shortened(value);
    wrong(
        code::BAD_DURATION,
        Text::new(
            format!("`{name}` 必须是时长，写的是 `{found}`"),
            format!("`{name}` must be a length of time, found `{found}`"),
        ),
        Text::new(
            "写法为 90s、15m、2h 或 1d，没有单位时为秒",
            "write 90s, 15m, 2h or 1d; without a unit it counts seconds",
        ),
    )
}

pub(super) fn check_deadline(name: &str, value: &str) -> Result<(), Wrong> {
    if Deadline::parse(value).is_some() {
        return Ok(());
    }
    let found = shortened(value);
    wrong(
        code::BAD_DEADLINE,
        Text::new(
            format!("`{name}` 必须是时刻或时长，写的是 `{found}`"),
            format!("`{name}` must be a time of day or a length of time, found `{found}`"),
        ),
        Text::new(
            "写法为时刻 08:30（次日 08:30 +1d），或计划时间之后的时长 90m、2h，最多366天",
            "write a time of day, 08:30 or 08:30 +1d for a day later, or a length of time after the scheduled time, 90m or 2h; 366 days at most",
        ),
    )
}

pub(super) fn check_time_zone(name: &str, value: &str) -> Result<(), Wrong> {
    if value.parse::<Tz>().is_ok() {
        return Ok(());
    }
    let found = shortened(value);
    wrong(
        code::BAD_TIME_ZONE,
        Text::new(
            format!("`{name}` 不是时区：`{found}`"),
            format!("`{name}` must be a time zone, found `{found}`"),
        ),
        zone_help(value),
    )
}

pub(super) fn check_identifier(name: &str, value: &str) -> Result<(), Wrong> {
    if is_identifier(value) {
        return Ok(());
    }
    let found = shortened(value);
    wrong(
        code::BAD_NAME,
        Text::new(
            format!("`{name}` 不能是 `{found}`"),
            format!("`{name}` must not be `{found}`"),
        ),
        Text::new(
            "请用英文字母、数字和 `_`，不以数字开头",
            "use letters of ASCII, digits and `_`, and begin with a letter",
        ),
    )
}

pub(super) fn check_codes(name: &str, value: &str, min: u16, max: u16) -> Result<(), Wrong> {
    let help = Text::new(
        format!(
            "{min}到{max}之间的整数或范围，以逗号分隔，例如 {min},{}-{max}",
            max - 1
        ),
        format!(
            "whole numbers from {min} to {max} or ranges, separated by commas: {min},{}-{max}",
            max - 1
        ),
    );
    let piece = match CodeRanges::parse(value) {
        Ok(ranges) if ranges.lies_within(min, max) => return Ok(()),
        Ok(_) => value,
        Err(piece) => piece,
    };
    let found = shortened(piece);
    wrong(
        code::BAD_CODES,
        Text::new(
            format!("`{name}` 中不能有 `{found}`"),
            format!("`{name}` must not hold `{found}`"),
        ),
        help,
    )
}

pub(super) fn check_size(name: &str, value: &str) -> Result<(), Wrong> {
    if parse_size(value).is_some() {
        return Ok(());
    }
    let found = shortened(value);
    wrong(
        code::BAD_SIZE,
        Text::new(
            format!("`{name}` 必须是大小，写的是 `{found}`"),
            format!("`{name}` must be a size, found `{found}`"),
        ),
        Text::new(
            "单位有 B、KB、MB、GB，例如 2.3MB",
            "the units are B, KB, MB and GB, for example 2.3MB",
        ),
    )
}

pub(super) fn check_decimal(name: &str, value: &str) -> Result<(), Wrong> {
    if ParamType::Decimal.accepts(value) {
        return Ok(());
    }
    let found = shortened(value);
    wrong(
        code::NOT_A_NUMBER,
        Text::new(
            format!("`{name}` 必须是数字，写的是 `{found}`"),
            format!("`{name}` must be a number, found `{found}`"),
        ),
        None,
    )
}

pub(super) fn check_pattern(name: &str, value: &str) -> Result<(), Wrong> {
    let Err(error) = compile_pattern(value) else {
        return Ok(());
    };
    // The last line of the library's words says what is wrong; those before it draw the place.
    let words = error.to_string();
    let reason = words.lines().last().unwrap_or_default();
    let reason = reason.trim_start_matches("error: ").to_owned();
    wrong(
        code::BAD_PATTERN,
        Text::new(
            format!("`{name}` 不是正确的正则表达式：{reason}"),
            format!("`{name}` is no regular expression: {reason}"),
        ),
        Text::new(
            "例如 [0-9]{8}；必须匹配整个值，不支持回溯引用",
            "an example is [0-9]{8}; it covers the whole value; there are no back-references",
        ),
    )
}

pub(super) fn check_condition(
    name: &str,
    value: &str,
    variables: &'static [&'static str],
) -> Result<(), Wrong> {
    match Condition::parse(value, variables) {
        Ok(_) => Ok(()),
        Err(error) => wrong(
            code::BAD_CONDITION,
            Text::new(
                format!("`{name}`：{}", error.message.zh),
                format!("`{name}`: {}", error.message.en),
            ),
            condition::hint(value, &error.range).unwrap_or_else(|| Text::new(
                "条件用CEL书写，例如 int(output.count.rows) &gt; 0；XML中 < 写作 &lt;",
                "conditions are written in CEL: int(output.count.rows) &gt; 0; in XML < is &lt;",
            )),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_duration, parse_size};

    #[test]
    fn sizes_have_a_unit_in_any_case() {
        for (text, bytes) in [
            ("0B", 0),
            ("1.1kb", 1_126),
            ("2 M", 2 << 20),
            ("2.5G", 5 << 29),
        ] {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
        }
        for text in ["", "1", "B", "1.B", "-1B", "1TB", "99999999999GB"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }

    #[test]
    fn a_bare_number_counts_seconds() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("15m", 900),
            ("2h", 7_200),
            ("1 d", 86_400),
        ] {
            assert_eq!(parse_duration(text), Some(seconds), "{text}");
        }
        for text in [
            "",
            "0",
            "s",
            "-1s",
            "1.5h",
            "2 weeks",
            "99999999999999999999",
            "400000000d",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
