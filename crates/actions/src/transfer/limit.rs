//! How many rows may be rejected: `100`, or `1%` of all.

use std::fmt;

/// How many rows may be rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// So many.
    Rows(u64),
    /// So many millionths of all rows, which is told at the end.
    Millionths(u64),
}

const ALL: u64 = 1_000_000;

impl Limit {
    /// Reads `100` or `0.5%`; four digits behind the point at most.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let Some(share) = text.strip_suffix('%') else {
            return text
                .parse()
                .ok()
                .filter(|_| is_digits(text))
                .map(Self::Rows);
        };
        let share = share.trim_end();
        let (whole, part) = share.split_once('.').unwrap_or((share, "0"));
        if !is_digits(whole) || !is_digits(part) || part.is_empty() || part.len() > 4 {
            return None;
        }
        let whole: u64 = whole.parse().ok().filter(|whole| *whole <= 100)?;
        let part: u64 = format!("{part:0<4}").parse().ok()?;
        let millionths = whole * (ALL / 100) + part;
        (millionths <= ALL).then_some(Self::Millionths(millionths))
    }

    /// Whether `count` rejected rows of `rows` are few enough.
    pub(super) fn allows(self, count: u64, rows: u64) -> bool {
        match self {
            Self::Rows(most) => count <= most,
            Self::Millionths(share) => {
                u128::from(count) * u128::from(ALL) <= u128::from(rows) * u128::from(share)
            }
        }
    }

    /// Whether they may turn out to be few enough, whatever still comes.
    pub(super) fn may_go_on(self, count: u64) -> bool {
        match self {
            Self::Rows(most) => count <= most,
            Self::Millionths(share) => share > 0 || count == 0,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(most) => write!(f, "{most}"),
            Self::Millionths(share) => {
                let (whole, part) = (share / (ALL / 100), share % (ALL / 100));
                let part = format!("{part:04}");
                match part.trim_end_matches('0') {
                    "" => write!(f, "{whole}%"),
                    part => write!(f, "{whole}.{part}%"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_a_share() {
        for (text, shown) in [
            ("0", "0"),
            (" 100 ", "100"),
            ("1%", "1%"),
            ("0.5 %", "0.5%"),
            ("0.0001%", "0.0001%"),
            ("100%", "100%"),
            ("12.050%", "12.05%"),
        ] {
            assert_eq!(Limit::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for text in [
            "", "%", "-1", "+1", "1.5", "101%", "100.1%", ".5%", "1.%", "0.00001%", "a",
        ] {
            assert_eq!(Limit::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_share_is_told_at_the_end() {
        let half_percent = Limit::parse("0.5%").unwrap();
        assert!(half_percent.may_go_on(1_000_000));
        assert!(half_percent.allows(5, 1000) && !half_percent.allows(6, 1000));
        assert!(half_percent.allows(0, 0) && !half_percent.allows(1, 1));
        let none = Limit::parse("0%").unwrap();
        assert!(none.may_go_on(0) && !none.may_go_on(1));
        let two = Limit::Rows(2);
        assert!(two.may_go_on(2) && !two.may_go_on(3) && two.allows(2, 2));
    }
}
