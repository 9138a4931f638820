//! What is legal but surely not meant.

use std::ops::Range;

use crate::code;
use crate::text::Text;

/// What a step counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepUnit {
    /// Seconds of a minute.
    Second,
    /// Minutes of an hour.
    Minute,
    /// Hours of a day.
    Hour,
}

impl StepUnit {
    /// How many there are before they begin anew.
    pub(super) const fn count(self) -> u32 {
        match self {
            Self::Second | Self::Minute => 60,
            Self::Hour => 24,
        }
    }

    /// What it is called, and what holds them all, in Chinese and in English.
    const fn words(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Second => ("秒", "second", "每分钟", "every minute"),
            Self::Minute => ("分钟", "minute", "每小时", "every hour"),
            Self::Hour => ("小时", "hour", "每天", "every day"),
        }
    }
}

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
    /// A step that does not go evenly into the hour or the day, which begins anew each time.
    Uneven {
        /// The step.
        step: u32,
        /// The numbers at which it fires.
        at: Vec<u32>,
        /// Of what.
        unit: StepUnit,
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
            Self::Uneven { .. } => code::UNEVEN_STEP,
            Self::OtherInAkkaflow { .. } => code::PHRASE_CHANGED,
        }
    }

    /// Where in the text; `None` for all of it.
    pub fn range(&self) -> Option<Range<usize>> {
        match self {
            Self::Surplus { range } => Some(range.clone()),
            Self::DayIgnored | Self::Uneven { .. } | Self::OtherInAkkaflow { .. } => None,
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
            Self::Uneven { step, at, unit } => {
                let (zh, en, zh_whole, en_whole) = unit.words();
                let last = at.last().copied().unwrap_or_default();
                let rest = unit.count() - last;
                Text::new(
                    format!(
                        "并非始终间隔{step}{zh}：{zh_whole}从0重新开始，第{last}{zh}之后只隔{rest}{zh}"
                    ),
                    format!(
                        "not always {step} {en}s apart: it begins anew at 0 {en_whole}, only {rest} {en}{} after {en} {last}",
                        if rest == 1 { "" } else { "s" }
                    ),
                )
            }
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
            Self::Uneven { step, unit, .. } => {
                let letter = match unit {
                    StepUnit::Second => 's',
                    StepUnit::Minute => 'm',
                    StepUnit::Hour => 'h',
                };
                Text::new(
                    format!("若要始终间隔相同，请用固定间隔 every=\"{step}{letter}\""),
                    format!("for even distances use a fixed rate, every=\"{step}{letter}\""),
                )
            }
            Self::OtherInAkkaflow { fields, .. } => Text::new(
                format!("若要原来的时间，请写 `{fields}`"),
                format!("write `{fields}` if you want those times"),
            ),
        }
    }
}
