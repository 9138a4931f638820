//! Dates that mean something else than they seem to.

use crate::code;
use crate::diagnostic::{Diagnostic, Finding, Severity};
use crate::element::Span;
use crate::render::locate_all;
use crate::text::Text;

use crate::quote::shortened;

use super::{LONGEST_REFERENCE, Miswritten, check_time_expression, miswritten, time_expressions};

/// What means something else than it seems to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Misleading {
    /// A unit.
    Unit {
        /// As written.
        shift: String,
        /// What it counts as.
        counts_as: &'static str,
    },
    /// `Y`, the year of the week.
    WeekYear {
        /// The format.
        format: String,
        /// What was most likely meant.
        meant: String,
    },
    /// A shift where the format should stand.
    ShiftAsFormat {
        /// What stands there.
        shift: String,
        /// The format that it has where nothing is written.
        default: &'static str,
    },
    /// A shift that no `|` parts from the format.
    ShiftInFormat {
        /// The format.
        format: String,
        /// What was most likely meant.
        meant: String,
    },
    /// Nothing where the format should stand.
    NoFormat {
        /// What stands between the braces.
        expression: String,
        /// The format that it has where nothing is written.
        default: &'static str,
    },
    /// A letter that means another part of the date than it seems to.
    OtherPart {
        /// The format.
        format: String,
        /// What was most likely meant.
        meant: String,
        /// The letters and what they mean.
        why: Text,
    },
}

impl Misleading {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unit { .. } => code::UNKNOWN_UNIT,
            Self::WeekYear { .. } => code::WEEK_YEAR,
            Self::NoFormat { .. }
            | Self::ShiftAsFormat { .. }
            | Self::ShiftInFormat { .. }
            | Self::OtherPart { .. } => code::ODD_FORMAT,
        }
    }

    pub(crate) fn message(&self) -> Text {
        match self {
            Self::Unit { shift, counts_as } => Text::new(
                format!("`{shift}` 的单位按 {counts_as} 计算，与akkaflow 2.12一致"),
                format!("the unit of `{shift}` counts as {counts_as}, as in akkaflow 2.12"),
            ),
            Self::WeekYear { format, .. } => Text::new(
                format!("`{format}` 中的 `Y` 是周所属的年，年初年末几天与日期的年份不同"),
                format!(
                    "`Y` in `{format}` is the year of the week: around New Year it is not the year of the day"
                ),
            ),
            Self::ShiftAsFormat { shift, .. } => Text::new(
                format!("`{shift}` 处应为格式，它被当作格式"),
                format!("`{shift}` stands where the format does, and is taken for one"),
            ),
            Self::ShiftInFormat { format, .. } => Text::new(
                format!("`{format}` 整个被当作格式，其中的偏移不起作用"),
                format!("all of `{format}` is taken for the format: its shift shifts nothing"),
            ),
            Self::NoFormat { expression, .. } => Text::new(
                format!("`{expression}` 的格式为空，结果也是空"),
                format!("the format in `{expression}` is empty, and so is what it gives"),
            ),
            Self::OtherPart { format, why, .. } => Text::new(
                format!("`{format}` 中的{}", why.zh),
                format!("in `{format}` {}", why.en),
            ),
        }
    }

    pub(crate) fn help(&self) -> Text {
        match self {
            Self::Unit { .. } => Text::new(
                "单位只有 day、month、hour、minute；一周写作 -7 day，一年写作 -12 month",
                "there are day, month, hour and minute; write -7 day for a week and -12 month for a year",
            ),
            Self::WeekYear { meant, .. }
            | Self::OtherPart { meant, .. }
            | Self::ShiftInFormat { meant, .. } => did_you_mean(meant),
            Self::ShiftAsFormat { shift, default } => Text::new(
                format!("格式在前，偏移在后：{default}|{shift}"),
                format!("the format comes first, then the shift: {default}|{shift}"),
            ),
            Self::NoFormat { default, .. } => Text::new(
                format!("请写明格式，例如 {default}"),
                format!("write the format, such as {default}"),
            ),
        }
    }
}

impl Miswritten {
    /// What is said of `written`, and what to do.
    pub(crate) fn text(&self, written: &str) -> (Text, Text) {
        let found = shortened(written);
        match self {
            Self::Unclosed => (
                Text::new(
                    format!("`{found}` 缺少 `}}`，不会被替换"),
                    format!("`{found}` lacks its `}}`, so it is not replaced"),
                ),
                Text::new("请补上 `}`", "add the `}`"),
            ),
            Self::TooLong => (
                Text::new(
                    format!(
                        "`{found}` 过长，不会被替换：`${{` 与 `}}` 之间最多{LONGEST_REFERENCE}字节"
                    ),
                    format!(
                        "`{found}` is too long to be replaced: a reference has at most {LONGEST_REFERENCE} bytes"
                    ),
                ),
                Text::new("请缩短它", "shorten it"),
            ),
            Self::Meant(meant) => (
                Text::new(
                    format!("`{found}` 不是参数也不是时间，不会被替换"),
                    format!("`{found}` is neither a parameter nor a date, so it is not replaced"),
                ),
                did_you_mean(&shortened(meant)),
            ),
        }
    }
}

fn did_you_mean(meant: &str) -> Text {
    Text::new(
        format!("是否想写 `{meant}`？"),
        format!("did you mean `{meant}`?"),
    )
}

/// What of a text that stands alone will be taken for something else than it seems to be, or stays as it is written.
pub fn misleading_dates(text: &str, file: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (range, expression) in time_expressions(text) {
        let misleading = check_time_expression(expression).unwrap_or_default();
        found.extend(misleading.into_iter().map(|misleading| Diagnostic {
            code: misleading.code(),
            severity: Severity::Warning,
            span: Span {
                start: range.start,
                end: range.end,
            },
            message: misleading.message(),
            help: Some(misleading.help()),
        }));
    }
    for (range, what) in miswritten(text) {
        let (message, help) = what.text(&text[range.clone()]);
        found.push(Diagnostic {
            code: code::NOT_REPLACED,
            severity: Severity::Warning,
            span: Span {
                start: range.start,
                end: range.end,
            },
            message,
            help: Some(help),
        });
    }
    found.sort_by_key(|finding| finding.span);
    locate_all(text, file, &found)
}

/// What a format with `Y` was most likely meant to be; `%Y-%m-%d` is how other languages write dates.
pub(super) fn meant_format(format: &str) -> String {
    let letters = [
        ("%Y", "yyyy"),
        ("%m", "MM"),
        ("%d", "dd"),
        ("%H", "HH"),
        ("%M", "mm"),
        ("%S", "ss"),
    ];
    if !format.contains('%') {
        return format.replace('Y', "y");
    }
    letters
        .iter()
        .fold(format.to_owned(), |text, (other, java)| {
            text.replace(other, java)
        })
}
