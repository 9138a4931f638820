//! Which values a parameter takes.

use chrono::{NaiveDate, NaiveDateTime};
use regex::Regex;

use crate::quote::shortened;
use crate::shape::DATE_TIME_FORMAT;
use crate::text::Text;

/// How much memory a compiled pattern may take.
const LARGEST_PATTERN_BYTES: usize = 1 << 20;

/// What the values of a parameter are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ParamType {
    /// Any text.
    #[default]
    String,
    /// A whole number of 64 bits.
    Integer,
    /// A decimal number without exponent.
    Decimal,
    /// `true` or `false`.
    Boolean,
    /// `yyyy-MM-dd`.
    Date,
    /// `yyyy-MM-dd HH:mm:ss`, with a fraction of the second or without.
    DateTime,
}

impl ParamType {
    /// Their names in a file, in the order of the type.
    pub const NAMES: &'static [&'static str] = &[
        "string",
        "integer",
        "decimal",
        "boolean",
        "date",
        "date-time",
    ];

    /// The type with this name.
    pub fn named(name: &str) -> Option<Self> {
        let types = [
            Self::String,
            Self::Integer,
            Self::Decimal,
            Self::Boolean,
            Self::Date,
            Self::DateTime,
        ];
        let position = Self::NAMES.iter().position(|known| *known == name)?;
        types.get(position).copied()
    }

    /// Its name in a file.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// A value of this type, where any will do: for attempts that only pretend to run.
    pub fn stand_in(self) -> &'static str {
        match self {
            Self::String => "",
            Self::Integer | Self::Decimal => "0",
            Self::Boolean => "false",
            Self::Date => "2026-01-01",
            Self::DateTime => "2026-01-01 00:00:00",
        }
    }

    /// Whether `value` is one of these.
    pub fn accepts(self, value: &str) -> bool {
        match self {
            Self::String => true,
            Self::Integer => value.parse::<i64>().is_ok(),
            Self::Decimal => is_decimal(value),
            Self::Boolean => matches!(value, "true" | "false"),
            Self::Date => value.len() == 10 && NaiveDate::parse_from_str(value, "%Y-%m-%d").is_ok(),
            Self::DateTime => is_date_time(value),
        }
    }
}

fn is_date_time(value: &str) -> bool {
    let (moment, fraction) = value.split_once('.').unwrap_or((value, "0"));
    moment.len() == 19
        && NaiveDateTime::parse_from_str(moment, DATE_TIME_FORMAT).is_ok()
        && (1..=9).contains(&fraction.len())
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_decimal(value: &str) -> bool {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole) && is_digits(fraction)
}

/// Which values a parameter takes. Holds for what a file says and for what a run gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParamRule {
    /// The parameter.
    pub name: String,
    /// What its values are.
    pub kind: ParamType,
    /// A regular expression that the whole value must match.
    pub pattern: Option<String>,
    /// The only values; empty for any.
    pub choices: Vec<String>,
    /// The smallest number.
    pub min: Option<String>,
    /// The greatest number.
    pub max: Option<String>,
    /// Whether each run must give it.
    pub is_required: bool,
    /// What it is for.
    pub desc: Option<String>,
}

impl ParamRule {
    /// Holds a value against the rule.
    ///
    /// # Errors
    /// Why it does not fit.
    pub fn check(&self, value: &str) -> Result<(), Text> {
        self.check_type(value)?;
        self.check_choice(value)?;
        self.check_range(value)?;
        self.check_pattern(value)
    }

    fn check_type(&self, value: &str) -> Result<(), Text> {
        if self.kind.accepts(value) {
            return Ok(());
        }
        let (name, kind, found) = (&self.name, self.kind.name(), shortened(value));
        Err(Text::new(
            format!("参数 `{name}` 的类型是{kind}，不能是 `{found}`"),
            format!("parameter `{name}` is of type {kind}, it cannot be `{found}`"),
        ))
    }

    fn check_choice(&self, value: &str) -> Result<(), Text> {
        if self.choices.is_empty() || self.choices.iter().any(|choice| choice == value) {
            return Ok(());
        }
        let (name, found) = (&self.name, shortened(value));
        Err(Text::new(
            format!(
                "参数 `{name}` 必须是{}之一，值是 `{found}`",
                self.choices.join("、")
            ),
            format!(
                "parameter `{name}` must be one of {}, found `{found}`",
                self.choices.join(", ")
            ),
        ))
    }

    fn check_range(&self, value: &str) -> Result<(), Text> {
        if !matches!(self.kind, ParamType::Integer | ParamType::Decimal) {
            return Ok(());
        }
        // Every limit is a number: the reader hands out nothing else.
        let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
        let (name, found) = (&self.name, shortened(value));
        if let Some(min) = self
            .min
            .as_deref()
            .filter(|min| number(value) < number(min))
        {
            return Err(Text::new(
                format!("参数 `{name}` 不能小于{min}，值是 `{found}`"),
                format!("parameter `{name}` must be at least {min}, found `{found}`"),
            ));
        }
        if let Some(max) = self
            .max
            .as_deref()
            .filter(|max| number(value) > number(max))
        {
            return Err(Text::new(
                format!("参数 `{name}` 不能大于{max}，值是 `{found}`"),
                format!("parameter `{name}` must be at most {max}, found `{found}`"),
            ));
        }
        Ok(())
    }

    fn check_pattern(&self, value: &str) -> Result<(), Text> {
        let Some(pattern) = &self.pattern else {
            return Ok(());
        };
        if compile_pattern(pattern).is_ok_and(|regex| regex.is_match(value)) {
            return Ok(());
        }
        let (name, found, shown) = (&self.name, shortened(value), shortened(pattern));
        Err(Text::new(
            format!("参数 `{name}` 的值 `{found}` 不符合 `{shown}`"),
            format!("parameter `{name}`: `{found}` does not match `{shown}`"),
        ))
    }
}

/// Compiles a pattern so that it covers the whole of a value.
pub(crate) fn compile_pattern(pattern: &str) -> Result<Regex, regex::Error> {
    regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(LARGEST_PATTERN_BYTES)
        .build()
}

#[cfg(test)]
mod tests {
    use super::{ParamRule, ParamType};

    fn rule(change: impl FnOnce(&mut ParamRule)) -> ParamRule {
        let mut rule = ParamRule {
            name: "p".to_owned(),
            ..ParamRule::default()
        };
        change(&mut rule);
        rule
    }

    #[test]
    fn each_type_takes_its_values_only() {
        for (name, right, wrong) in [
            ("string", "", None),
            ("integer", "-12", Some("1.5")),
            ("decimal", "+1.50", Some("1e3")),
            ("boolean", "false", Some("no")),
            ("date", "2024-02-29", Some("2023-02-29")),
            ("date-time", "2024-02-29 23:59:59", Some("2024-02-29")),
            (
                "date-time",
                "2024-02-29 23:59:59.123",
                Some("2024-02-29 23:59:59."),
            ),
        ] {
            let kind = ParamType::named(name).unwrap();
            assert_eq!(kind.name(), name);
            assert!(kind.accepts(right), "{name} {right}");
            assert!(wrong.is_none_or(|wrong| !kind.accepts(wrong)), "{name}");
        }
    }

    #[test]
    fn a_pattern_covers_the_whole_value() {
        let rule = rule(|rule| rule.pattern = Some("[a-z]+|x1".to_owned()));
        assert_eq!(rule.check("abc"), Ok(()));
        let wrong = rule.check("abc1").unwrap_err();
        assert_eq!(wrong.en, "parameter `p`: `abc1` does not match `[a-z]+|x1`");
    }

    #[test]
    fn limits_and_choices_are_kept() {
        let number = rule(|rule| {
            rule.kind = ParamType::Integer;
            rule.min = Some("1".to_owned());
            rule.max = Some("9".to_owned());
        });
        assert_eq!(number.check("9"), Ok(()));
        assert!(number.check("0").is_err() && number.check("10").is_err());
        let word = rule(|rule| rule.choices = vec!["full".to_owned(), "delta".to_owned()]);
        assert_eq!(word.check("delta"), Ok(()));
        assert!(word.check("").is_err());
    }
}
