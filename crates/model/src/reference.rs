//! What the reference pages and the editor's forms say about a declaration.

use crate::shape::{AttributeKind, Shape, TextRule};
use crate::text::Text;

/// Which values an attribute takes, in a few words.
pub fn describe(kind: AttributeKind) -> Text {
    match kind {
        AttributeKind::Text => Text::new("文本", "text"),
        AttributeKind::NonBlank => Text::new("非空文本", "text that is not blank"),
        AttributeKind::Integer { min, max } => describe_integer(min, max),
        AttributeKind::Boolean => Text::new("`true` 或 `false`", "`true` or `false`"),
        AttributeKind::Choice(words) | AttributeKind::ChoiceIgnoringCase(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            Text::new(words.join("、"), words.join(", "))
        }
        AttributeKind::Name => Text::new("名称，至多128个字符", "a name of at most 128 characters"),
        AttributeKind::NodeName => Text::new("节点名称", "the name of a node"),
        AttributeKind::NodeNames => {
            Text::new("节点名称，以空格分隔", "names of nodes, parted by blanks")
        }
        AttributeKind::DateTime => {
            Text::new("时间 `yyyy-MM-dd HH:mm:ss`", "a time `yyyy-MM-dd HH:mm:ss`")
        }
        AttributeKind::Duration => Text::new(
            "时长：`90s`、`15m`、`2h`、`1d`，没有单位为秒",
            "a length of time: `90s`, `15m`, `2h`, `1d`; seconds without a unit",
        ),
        AttributeKind::TimeZone => Text::new(
            "时区，例如 `Asia/Shanghai`",
            "a time zone such as `Asia/Shanghai`",
        ),
        AttributeKind::Identifier => Text::new(
            "英文字母、数字和 `_`，不以数字开头",
            "letters of ASCII, digits and `_`, no digit first",
        ),
        AttributeKind::Words => {
            Text::new("以空格或逗号分隔的词", "words parted by blanks or commas")
        }
        AttributeKind::Codes { min, max } => Text::new(
            format!("{min}到{max}的整数和范围，以逗号分隔"),
            format!("whole numbers from {min} to {max} and ranges, parted by commas"),
        ),
        AttributeKind::Size => Text::new("大小，例如 `2.3MB`", "a size such as `2.3MB`"),
        AttributeKind::Decimal => Text::new("数字", "a number"),
        AttributeKind::Deadline => Text::new(
            "期限：`08:30`、`08:30 +1d`或`2h`",
            "a deadline: `08:30`, `08:30 +1d` or `2h`",
        ),
        AttributeKind::Pattern => Text::new("正则表达式", "a regular expression"),
        AttributeKind::Condition(variables) => {
            let words: Vec<String> = variables.iter().map(|word| format!("`{word}`")).collect();
            Text::new(
                format!("CEL条件，可用{}", words.join("、")),
                format!("a condition in CEL over {}", words.join(", ")),
            )
        }
    }
}

fn describe_integer(min: i64, max: i64) -> Text {
    // Bounds that only say how wide a number is stored help nobody.
    let is_wide = |bound: i64| bound.unsigned_abs() >= i32::MAX as u64;
    match (is_wide(min), is_wide(max)) {
        (true, true) => Text::new("整数", "a whole number"),
        (false, true) => Text::new(
            format!("不小于{min}的整数"),
            format!("a whole number from {min} on"),
        ),
        (true, false) => Text::new(
            format!("不大于{max}的整数"),
            format!("a whole number up to {max}"),
        ),
        (false, false) => Text::new(
            format!("{min}到{max}的整数"),
            format!("a whole number from {min} to {max}"),
        ),
    }
}

/// How an element is written: the declared example, otherwise one with everything that is required.
pub fn example(shape: &Shape) -> String {
    match shape.example {
        Some(example) => example.trim_matches('\n').to_owned(),
        None => smallest(shape, 0),
    }
}

fn smallest(shape: &Shape, depth: usize) -> String {
    let attributes: String = shape
        .attributes
        .iter()
        .filter(|attribute| attribute.is_required)
        .map(|attribute| {
            format!(
                " {}=\"{}\"",
                attribute.name,
                placeholder(shape, attribute.kind)
            )
        })
        .collect();
    let children: Vec<String> = shape
        .children
        .iter()
        .filter(|child| child.min > 0)
        .map(|child| smallest(&child.shape, depth + 1))
        .collect();
    let indent = "  ".repeat(depth);
    let tag = shape.tag;
    let text = if shape.text == TextRule::Required {
        "..."
    } else {
        ""
    };
    match (children.as_slice(), text) {
        ([], "") => format!("{indent}<{tag}{attributes}/>"),
        ([], text) => format!("{indent}<{tag}{attributes}>{text}</{tag}>"),
        (children, text) => {
            let children = children.join("\n");
            format!("{indent}<{tag}{attributes}>{text}\n{children}\n{indent}</{tag}>")
        }
    }
}

fn placeholder(shape: &Shape, kind: AttributeKind) -> String {
    match kind {
        AttributeKind::Integer { min, .. } => min.max(1).to_string(),
        AttributeKind::Boolean => "true".to_owned(),
        AttributeKind::Choice(words) | AttributeKind::ChoiceIgnoringCase(words) => {
            words.first().copied().unwrap_or_default().to_owned()
        }
        AttributeKind::DateTime => "2026-11-21 04:59:00".to_owned(),
        AttributeKind::Name => shape.tag.to_owned(),
        AttributeKind::NodeName | AttributeKind::NodeNames => "next".to_owned(),
        AttributeKind::Duration => "60s".to_owned(),
        AttributeKind::TimeZone => "Asia/Shanghai".to_owned(),
        AttributeKind::Identifier => "name".to_owned(),
        AttributeKind::Codes { min, .. } => min.to_string(),
        AttributeKind::Size => "1MB".to_owned(),
        AttributeKind::Decimal => "1".to_owned(),
        AttributeKind::Deadline => "08:30".to_owned(),
        AttributeKind::Condition(_) => "true".to_owned(),
        _ => "...".to_owned(),
    }
}
