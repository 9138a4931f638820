//! What is legal but surely not meant.

use std::ops::Range;

use crate::code;
use crate::text::Text;

/// A finding about an expression that can be used nevertheless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A day of month without effect, because a weekday is set.
    DayIgnored,
    /// Fields behind the fifth, without effect.
    Surplus {
        /// Where they stand, in bytes of the text.
        range: Range<usize>,
    },
    /// A phrase that akkaflow 2.12 read differently.
    OtherInAkkaflow {
        /// The fields that it made of the phrase.
        fields: String,
        /// What it means here.
        meaning: Text,
    },
}

impl Note {
    /// The stable code of the warning.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DayIgnored => code::CRON_DAY_IGNORED,
            Self::Surplus { .. } => code::CRON_FIELD_IGNORED,
            Self::OtherInAkkaflow { .. } => code::PHRASE_CHANGED,
        }
    }

    /// Where in the text; `None` for all of it.
    pub fn range(&self) -> Option<Range<usize>> {
        match self {
            Self::Surplus { range } => Some(range.clone()),
            Self::DayIgnored | Self::OtherInAkkaflow { .. } => None,
        }
    }

    /// What is odd.
    pub fn message(&self) -> Text {
        match self {
            Self::DayIgnored => Text::new(
                "设置了星期，日字段被忽略",
                "the day of month is ignored because a weekday is set",
            ),
            Self::Surplus { .. } => Text::new(
                "cron表达式只有五个字段，其余被忽略",
                "a cron expression has five fields, the rest is ignored",
            ),
            Self::OtherInAkkaflow { fields, meaning } => Text::new(
                format!("此短语表示“{}”，akkaflow 2.12却读作 `{fields}`", meaning.zh),
                format!(
                    "this phrase fires {}; akkaflow 2.12 read it as `{fields}`",
                    meaning.en
                ),
            ),
        }
    }

    /// What to do.
    pub fn help(&self) -> Text {
        match self {
            Self::DayIgnored => Text::new(
                "请把其中之一写作 `*`，或用cron-style=\"crontab\"",
                "write `*` for one of them, or cron-style=\"crontab\" to let either fit",
            ),
            Self::Surplus { .. } => Text::new(
                "秒字段写在最前，并用cron-style=\"crontab\"；没有年字段",
                "a field for seconds stands first and needs cron-style=\"crontab\"; there is none for years",
            ),
            Self::OtherInAkkaflow { fields, .. } => Text::new(
                format!("若要原来的时间，请写 `{fields}`"),
                format!("write `{fields}` if you want those times"),
            ),
        }
    }
}
