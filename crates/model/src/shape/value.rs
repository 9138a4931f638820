//! Single values: what is wrong with them, and what they mean.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;

use crate::code;
use crate::condition::Condition;
use crate::definition::CodeRanges;
use crate::diagnostic::Diagnostics;
use crate::element::{Attribute, Element, Span};
use crate::param::has_reference;
use crate::quote::Shortened;
use crate::shape::{AttributeKind, AttributeShape, Shape, kind, wide};
use crate::suggest::did_you_mean;
use crate::text::Text;

/// How a local time is written: `2026-11-21 04:59:00`.
pub const DATE_TIME_FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// The longest name, in characters: what akkaflow's tables hold.
const LONGEST_NAME: usize = 128;

/// What is wrong with a value.
pub(super) struct Wrong {
    pub(super) code: &'static str,
    pub(super) message: Text,
    pub(super) help: Option<Text>,
}

impl AttributeShape {
    /// Names what is wrong with a value.
    pub(crate) fn check(&self, attribute: &Attribute, diagnostics: &mut Diagnostics) {
        let value = attribute.value.trim();
        let wrong = if value.is_empty() {
            self.check_blank()
        } else {
            self.check_value(value)
        };
        if let Err(Wrong {
            code,
            message,
            help,
        }) = wrong
        {
            let help = self
                .half_width(value)
                .or_else(|| self.help.clone())
                .or(help);
            diagnostics.error(code, value_place(attribute), message, help);
        }
    }

    /// What to write where only wide digits, signs or Chinese numerals make a value wrong.
    fn half_width(&self, value: &str) -> Option<Text> {
        if value.is_ascii() || value.len() > 4 * LONGEST_NAME {
            return None;
        }
        let plain = match self.kind {
            AttributeKind::Condition(_) => wide::half_width_expression(value),
            _ => wide::half_width(value),
        };
        if plain != value && self.check_value(&plain).is_ok() {
            return Some(Text::new(
                format!("其中有全角字符，请写作 `{plain}`"),
                format!("it holds wide characters: write `{plain}`"),
            ));
        }
        let number = wide::numeral(value).filter(|number| self.check_value(number).is_ok())?;
        Some(Text::new(
            format!("请用阿拉伯数字，写作 `{number}`"),
            format!("use digits: write `{number}`"),
        ))
    }

    fn check_blank(&self) -> Result<(), Wrong> {
        let may_be_blank = match self.kind {
            AttributeKind::Text => true,
            AttributeKind::Boolean | AttributeKind::DateTime => !self.is_required,
            AttributeKind::Duration
            | AttributeKind::TimeZone
            | AttributeKind::Identifier
            | AttributeKind::Words
            | AttributeKind::Codes { .. }
            | AttributeKind::Size
            | AttributeKind::Decimal
            | AttributeKind::Deadline
            | AttributeKind::Pattern
            | AttributeKind::Condition(_) => false,
            AttributeKind::NonBlank
            | AttributeKind::Integer { .. }
            | AttributeKind::Choice(_)
            | AttributeKind::ChoiceIgnoringCase(_)
            | AttributeKind::Name
            | AttributeKind::NodeName
            | AttributeKind::NodeNames => false,
        };
        if may_be_blank {
            return Ok(());
        }
        let name = self.name;
        wrong(
            code::BLANK_VALUE,
            Text::new(
                format!("`{name}` 不能为空"),
                format!("`{name}` must not be blank"),
            ),
            (!self.is_required).then(|| {
                Text::new(
                    format!("不需要时请删除 `{name}`"),
                    format!("remove `{name}` if it is not needed"),
                )
            }),
        )
    }

    fn check_value(&self, value: &str) -> Result<(), Wrong> {
        let name = self.name;
        let found = Shortened(value);
        match self.kind {
            AttributeKind::Text
            | AttributeKind::NonBlank
            | AttributeKind::NodeName
            | AttributeKind::NodeNames => Ok(()),
            AttributeKind::Integer { min, max } => check_integer(name, value, min, max),
            AttributeKind::Boolean if parse_boolean(value).is_some() => Ok(()),
            AttributeKind::Boolean => wrong(
                code::NOT_BOOLEAN,
                Text::new(
                    format!("`{name}` 必须是true或false，写的是 `{found}`"),
                    format!("`{name}` must be true or false, found `{found}`"),
                ),
                None,
            ),
            AttributeKind::Choice(choices) if choices.contains(&value) => Ok(()),
            AttributeKind::ChoiceIgnoringCase(choices)
                if choices
                    .iter()
                    .any(|choice| choice.eq_ignore_ascii_case(value)) =>
            {
                Ok(())
            }
            AttributeKind::Choice(choices) | AttributeKind::ChoiceIgnoringCase(choices) => wrong(
                code::NOT_A_CHOICE,
                Text::new(
                    format!(
                        "`{name}` 必须是{}之一，写的是 `{found}`",
                        choices.join("、")
                    ),
                    format!(
                        "`{name}` must be one of {}, found `{found}`",
                        choices.join(", ")
                    ),
                ),
                did_you_mean(value, choices.iter().copied()),
            ),
            AttributeKind::Name => check_name(name, value),
            AttributeKind::DateTime if parse_date_time(value).is_some() => Ok(()),
            AttributeKind::DateTime => wrong(
                code::BAD_DATE_TIME,
                Text::new(
                    format!("`{name}` 必须是时间，写的是 `{found}`"),
                    format!("`{name}` must be a date and time, found `{found}`"),
                ),
                Text::new(
                    "写法为 yyyy-MM-dd HH:mm:ss，例如 2026-11-21 04:59:00",
                    "write yyyy-MM-dd HH:mm:ss, for example 2026-11-21 04:59:00",
                ),
            ),
            AttributeKind::Duration => kind::check_duration(name, value),
            AttributeKind::TimeZone => kind::check_time_zone(name, value),
            AttributeKind::Identifier => kind::check_identifier(name, value),
            AttributeKind::Words => Ok(()),
            AttributeKind::Codes { min, max } => kind::check_codes(name, value, min, max),
            AttributeKind::Size => kind::check_size(name, value),
            AttributeKind::Decimal => kind::check_decimal(name, value),
            AttributeKind::Deadline => kind::check_deadline(name, value),
            AttributeKind::Pattern => kind::check_pattern(name, value),
            AttributeKind::Condition(variables) => kind::check_condition(name, value, variables),
        }
    }
}

pub(super) fn wrong(
    code: &'static str,
    message: Text,
    help: impl Into<Option<Text>>,
) -> Result<(), Wrong> {
    Err(Wrong {
        code,
        message,
        help: help.into(),
    })
}

fn check_integer(name: &str, value: &str, min: i64, max: i64) -> Result<(), Wrong> {
    let found = Shortened(value);
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return wrong(
            code::NOT_WHOLE_NUMBER,
            Text::new(
                format!("`{name}` 必须是整数，写的是 `{found}`"),
                format!("`{name}` must be a whole number, found `{found}`"),
            ),
            None,
        );
    }
    match value.parse::<i64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(()),
        _ => wrong(
            code::OUT_OF_RANGE,
            Text::new(
                format!("`{name}` 必须在{min}到{max}之间，写的是 `{found}`"),
                format!("`{name}` must lie between {min} and {max}, found `{found}`"),
            ),
            None,
        ),
    }
}

fn check_name(attribute: &str, value: &str) -> Result<(), Wrong> {
    if value.chars().count() > LONGEST_NAME {
        return wrong(
            code::BAD_NAME,
            Text::new(
                format!("`{attribute}` 超过{LONGEST_NAME}个字符"),
                format!("`{attribute}` is longer than {LONGEST_NAME} characters"),
            ),
            Text::new(
                "请缩短名称，说明可以写在 `desc` 中",
                "shorten it; what it is for may stand in `desc`",
            ),
        );
    }
    let problem = if matches!(value, "." | "..") {
        Text::new(
            format!("`{attribute}` 不能是 `{value}`"),
            format!("`{attribute}` must not be `{value}`"),
        )
    } else if let Some(character) = value
        .chars()
        .find(|character| matches!(character, '/' | '\\'))
    {
        Text::new(
            format!("`{attribute}` 中不能有 `{character}`"),
            format!("`{attribute}` must not hold `{character}`"),
        )
    } else if let Some(character) = value.chars().find(|character| is_invisible(*character)) {
        let number = u32::from(character);
        Text::new(
            format!("`{attribute}` 中不能有不可见字符U+{number:04X}"),
            format!("`{attribute}` must not hold the invisible character U+{number:04X}"),
        )
    } else {
        return Ok(());
    };
    wrong(
        code::BAD_NAME,
        problem,
        Text::new(
            "名称会用作目录名，请用文字、数字、`-` 和 `_`",
            "names become directories; use letters, digits, `-` and `_`",
        ),
    )
}

/// Characters that make two names look alike or turn a line around.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

fn parse_boolean(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn parse_date_time(value: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(value, DATE_TIME_FORMAT).ok()
}

/// The value without the blanks around it.
pub(crate) fn value_place(attribute: &Attribute) -> Span {
    let Span { start, end } = attribute.value_span;
    // A value that holds references is longer in the file than in memory, so offsets into it mean nothing.
    if end - start != attribute.value.len() || attribute.value.trim().is_empty() {
        return attribute.value_span;
    }
    let before = attribute.value.len() - attribute.value.trim_start().len();
    Span {
        start: start + before,
        end: start + before + attribute.value.trim().len(),
    }
}

/// Values of an element by their meaning. Each takes the declared default where the attribute is absent or blank, and
/// is `None` where there is neither, or where [`Shape::check`] reports the value as wrong.
impl Shape {
    /// A value as written, blanks trimmed. The default also stands in for a number or a word that a reference brings:
    /// whoever runs it reads it anew.
    pub fn value<'a>(&self, element: &'a Element, name: &str) -> Option<&'a str> {
        let given = element
            .attribute(name)
            .map(|attribute| attribute.value.trim());
        given
            .filter(|value| !value.is_empty())
            .filter(|value| !(has_reference(value) && self.is_read(name)))
            .or_else(|| self.attribute_named(name)?.default)
    }

    fn is_read(&self, name: &str) -> bool {
        self.attribute_named(name)
            .is_some_and(|attribute| attribute.kind.is_read())
    }

    /// An [`AttributeKind::Integer`].
    pub fn integer(&self, element: &Element, name: &str) -> Option<i64> {
        let number = self.value(element, name)?.parse().ok()?;
        match self.attribute_named(name)?.kind {
            AttributeKind::Integer { min, max } => (min..=max).contains(&number).then_some(number),
            _ => None,
        }
    }

    /// An [`AttributeKind::Boolean`].
    pub fn boolean(&self, element: &Element, name: &str) -> Option<bool> {
        parse_boolean(self.value(element, name)?)
    }

    /// An [`AttributeKind::DateTime`].
    pub fn date_time(&self, element: &Element, name: &str) -> Option<NaiveDateTime> {
        parse_date_time(self.value(element, name)?)
    }

    /// An [`AttributeKind::Duration`], in seconds.
    pub fn duration(&self, element: &Element, name: &str) -> Option<u64> {
        kind::parse_duration(self.value(element, name)?)
    }

    /// An [`AttributeKind::Codes`].
    pub fn codes(&self, element: &Element, name: &str) -> Option<CodeRanges> {
        CodeRanges::parse(self.value(element, name)?).ok()
    }

    /// An [`AttributeKind::Words`] or [`AttributeKind::NodeNames`]: each word once, in order; none where the attribute
    /// is absent.
    pub fn words(&self, element: &Element, name: &str) -> Vec<String> {
        let mut known = BTreeSet::new();
        kind::words(self.value(element, name).unwrap_or_default())
            .filter(|word| known.insert(*word))
            .map(str::to_owned)
            .collect()
    }

    /// An [`AttributeKind::Condition`].
    pub fn condition(&self, element: &Element, name: &str) -> Option<Condition> {
        match self.attribute_named(name)?.kind {
            AttributeKind::Condition(variables) => {
                Condition::parse(self.value(element, name)?, variables).ok()
            }
            _ => None,
        }
    }
}
