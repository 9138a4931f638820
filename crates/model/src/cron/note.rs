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
    /// Days of a month.
    Day,
}

impl StepUnit {
    /// How many there are before they begin anew.
    pub(super) const fn count(self) -> u32 {
        match self {
            Self::Second | Self::Minute => 60,
            Self::Hour => 24,
            Self::Day => 31,
        }
    }

    /// The letter of a fixed rate.
    const fn letter(self) -> char {
        match self {
            Self::Second => 's',
            Self::Minute => 'm',
            Self::Hour => 'h',
            Self::Day => 'd',
        }
    }

    /// What it is called, and what holds them all, in Chinese and in English.
    const fn words(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Second => ("秒", "second", "每分钟", "every minute"),
            Self::Minute => ("分钟", "minute", "每小时", "every hour"),
            Self::Hour => ("小时", "hour", "每天", "every day"),
            Self::Day => ("天", "day", "每月", "every month"),
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
        /// When it fires without them.
        meaning: Text,
        /// When it would fire if the first of six were the second.
        with_seconds: Option<Text>,
    },
    /// A step that does not go evenly into the hour, the day or the month, which begins anew each time.
    Uneven {
        /// The step.
        step: u32,
        /// The numbers at which it fires.
        at: Vec<u32>,
        /// Of what.
        unit: StepUnit,
    },
    /// A step that leads beyond its hour, day or month at once, which then begins anew.
    StepBeyond {
        /// The step.
        step: u32,
        /// The only number at which it fires.
        at: u32,
        /// Of what.
        unit: StepUnit,
        /// Where the field stands, in bytes of the text.
        range: Range<usize>,
    },
    /// The hour of a time without effect, because the hours are named otherwise.
    HourIgnored {
        /// The hour.
        hour: u32,
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
            Self::Uneven { .. } | Self::StepBeyond { .. } => code::UNEVEN_STEP,
            Self::HourIgnored { .. } => code::CRON_HOUR_IGNORED,
            Self::OtherInAkkaflow { .. } => code::PHRASE_CHANGED,
        }
    }

    /// Where in the text; `None` for all of it.
    pub fn range(&self) -> Option<Range<usize>> {
        match self {
            Self::Surplus { range, .. } | Self::StepBeyond { range, .. } => Some(range.clone()),
            Self::DayIgnored
            | Self::Uneven { .. }
            | Self::HourIgnored { .. }
            | Self::OtherInAkkaflow { .. } => None,
        }
    }

    /// What is odd.
    pub fn message(&self) -> Text {
        match self {
            Self::DayIgnored => Text::new(
                "设置了星期，日字段被忽略",
                "the day of month is ignored because a weekday is set",
            ),
            Self::Surplus { meaning, .. } => Text::new(
                format!("cron表达式只有五个字段，其余被忽略：{}", meaning.zh),
                format!(
                    "a cron expression has five fields, the rest is ignored: it fires {}",
                    meaning.en
                ),
            ),
            Self::Uneven {
                step,
                unit: StepUnit::Day,
                ..
            } => Text::new(
                format!("并非始终间隔{step}天：每月从1日重新开始"),
                format!("not always {step} days apart: it begins anew on the 1st of every month"),
            ),
            Self::StepBeyond { step, at, unit, .. } => {
                let (zh, en, zh_whole, en_whole) = unit.words();
                Text::new(
                    format!(
                        "间隔不会是{step}{zh}：{zh_whole}重新开始，因此{zh_whole}只在第{at}{zh}触发"
                    ),
                    format!(
                        "never {step} {en}s apart: it begins anew {en_whole}, and fires at {en} {at} only"
                    ),
                )
            }
            Self::HourIgnored { hour } => Text::new(
                format!("已写明每隔几小时，{hour}点这个小时被忽略"),
                format!(
                    "the hour {hour} is ignored, because the phrase says every hour or every few of them"
                ),
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
            Self::Surplus {
                with_seconds: Some(meaning),
                ..
            } => Text::new(
                format!(
                    "若第一个字段是秒，请写cron-style=\"crontab\"，即{}；没有年字段",
                    meaning.zh
                ),
                format!(
                    "if the first field is the second, write cron-style=\"crontab\": it fires {} then; there is none for years",
                    meaning.en
                ),
            ),
            Self::Surplus { .. } => Text::new(
                "秒字段写在最前，并用cron-style=\"crontab\"；没有年字段",
                "a field for seconds stands first and needs cron-style=\"crontab\"; there is none for years",
            ),
            Self::HourIgnored { hour } => Text::new(
                format!(
                    "每天一次请写 `every day at {hour}:00`；只指定分钟请写 `every hour at 0:15`"
                ),
                format!(
                    "once a day is `every day at {hour}:00`; a minute of every hour is `every hour at 0:15`"
                ),
            ),
            Self::Uneven { step, unit, .. } | Self::StepBeyond { step, unit, .. } => {
                let letter = unit.letter();
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
