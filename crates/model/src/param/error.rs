//! What can be wrong with a parameter or a date.

use std::fmt;

use super::{LARGEST_BODY, LARGEST_VALUES, LONGEST_VALUE};
use crate::text::Text;

/// Why a value cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamError {
    /// `${param:name}` without a value.
    Undefined {
        /// The parameter.
        name: String,
    },
    /// `${output:node.name}` of a node that has handed on nothing of that name.
    NoOutput {
        /// The node.
        node: String,
        /// The output.
        name: String,
    },
    /// `${state:name}` that the instance does not know.
    NoState {
        /// The variable.
        name: String,
    },
    /// A value that its rule does not admit.
    Refused {
        /// Why.
        text: Text,
    },
    /// `${time.x}` with an x that means nothing.
    Keyword {
        /// The keyword, `time.` included.
        keyword: String,
        /// The one that it may be a misspelling of.
        meant: Option<&'static str>,
    },
    /// Wide characters where akkaflow's signs should stand.
    Wide {
        /// What stands between the braces.
        expression: String,
        /// The same without them.
        meant: String,
    },
    /// More than three parts.
    Parts {
        /// What stands between the braces.
        expression: String,
    },
    /// A letter or quote in the format that means nothing.
    Format {
        /// The format.
        format: String,
    },
    /// A shift where the format should stand.
    NoFormat {
        /// The shift.
        shift: String,
        /// The format that it has where nothing is written.
        default: &'static str,
    },
    /// A shift that is no number and unit.
    Shift {
        /// The shift.
        shift: String,
    },
    /// A date that no calendar holds.
    OutOfRange {
        /// What stands between the braces.
        expression: String,
    },
    /// A value, or all of them, became longer than processes can take.
    ValueTooLarge {
        /// The parameter.
        name: String,
    },
    /// A text with its parameters filled in became too large.
    TooLarge,
}

impl ParamError {
    /// What a text that is too large means where it is the value of a parameter.
    pub(super) fn of(self, name: &str) -> Self {
        match self {
            Self::TooLarge => Self::ValueTooLarge {
                name: name.to_owned(),
            },
            other => other,
        }
    }

    /// What is wrong and what to do, in both languages.
    pub fn text(&self) -> Text {
        match self {
            Self::Undefined { name } => Text::new(
                format!("参数 `{name}` 未定义"),
                format!("parameter `{name}` is not defined"),
            ),
            Self::NoOutput { node, name } => Text::new(
                format!("节点 `{node}` 没有输出 `{name}`：它没有运行、被跳过或未成功"),
                format!(
                    "node `{node}` has handed on no output `{name}`: it did not run, was passed over, or did not succeed"
                ),
            ),
            Self::NoState { name } => Text::new(
                format!("状态值 `{name}` 没有值，请在 <state-list> 中声明"),
                format!("state `{name}` has no value; declare it in <state-list>"),
            ),
            Self::Refused { text } => text.clone(),
            Self::Keyword {
                keyword,
                meant: Some(meant),
            } => Text::new(
                format!("未知的时间关键字 `{keyword}`，是否想写 `{meant}`？"),
                format!("unknown keyword `{keyword}`; did you mean `{meant}`?"),
            ),
            Self::Keyword {
                keyword,
                meant: None,
            } => Text::new(
                format!(
                    "未知的时间关键字 `{keyword}`，可用：time.today、time.yestoday、time.cur_month、time.last_month"
                ),
                format!(
                    "unknown keyword `{keyword}`; there are time.today, time.yestoday, time.cur_month, time.last_month"
                ),
            ),
            Self::Wide { expression, meant } => Text::new(
                format!("时间表达式 `{expression}` 中有全角字符，请写作 `{meant}`"),
                format!("`{expression}` holds wide characters: write `{meant}`"),
            ),
            Self::Parts { expression } => Text::new(
                format!(
                    "时间表达式 `{expression}` 应为 时间|格式|偏移，例如 time.today|yyyyMMdd|-1 day"
                ),
                format!(
                    "`{expression}` is not time|format|shift, as in time.today|yyyyMMdd|-1 day"
                ),
            ),
            Self::Format { format } => Text::new(
                format!("时间格式 `{format}` 有误，例如 yyyy-MM-dd HH:mm:ss"),
                format!("date format `{format}` cannot be read; an example is yyyy-MM-dd HH:mm:ss"),
            ),
            Self::NoFormat { shift, default } => Text::new(
                format!("`{shift}` 处应为格式，格式在前：{default}|{shift}"),
                format!(
                    "`{shift}` stands where the format does, which comes first: {default}|{shift}"
                ),
            ),
            Self::Shift { shift } => Text::new(
                format!("时间偏移 `{shift}` 有误，写法为 整数 空格 单位，例如 -1 day"),
                format!(
                    "shift `{shift}` cannot be read; write a whole number, a blank and a unit, as in -1 day"
                ),
            ),
            Self::OutOfRange { expression } => Text::new(
                format!("时间表达式 `{expression}` 超出范围"),
                format!("`{expression}` leaves the calendar"),
            ),
            Self::ValueTooLarge { name } => Text::new(
                format!(
                    "参数 `{name}` 过长：每个值最多{}KiB，全部合计最多{}KiB；请改用文件传递数据",
                    LONGEST_VALUE >> 10,
                    LARGEST_VALUES >> 10
                ),
                format!(
                    "parameter `{name}` is too long: a value has at most {} KiB, all of them together {} KiB; hand data on in files",
                    LONGEST_VALUE >> 10,
                    LARGEST_VALUES >> 10
                ),
            ),
            Self::TooLarge => Text::new(
                format!(
                    "填入参数后的内容超过{}MiB，请改用文件传递数据",
                    LARGEST_BODY >> 20
                ),
                format!(
                    "with its parameters filled in the text is larger than {} MiB; hand data on in files",
                    LARGEST_BODY >> 20
                ),
            ),
        }
    }
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text().en)
    }
}

impl std::error::Error for ParamError {}
