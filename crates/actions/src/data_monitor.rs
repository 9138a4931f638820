//! `<data-monitor>`: holds a number against limits.

use akkaflow_model::code;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::{AttributeKind, AttributeShape, Shape, TextRule};
use akkaflow_model::text::Text;

use crate::file_monitor::warn_msg_shape;
use crate::planned::Planned;

/// `<data-monitor>`: succeeds when a number lies between its limits.
pub(crate) struct DataMonitor;

impl Planned for DataMonitor {
    const TAG: &'static str = "data-monitor";

    fn shape() -> Shape {
        Shape::new(
            Self::TAG,
            Text::new(
                "检测一个数值是否在上下限之间，不在时失败",
                "fails unless a number lies between its limits",
            ),
        )
        .child(number("source", "检测值", "the number"), 1, Some(1))
        .child(number("min", "下限", "the smallest"), 0, Some(1))
        .child(number("max", "上限", "the greatest"), 0, Some(1))
        .child(warn_msg_shape(), 0, Some(1))
        .example(
            "<data-monitor>\n  <source type=\"SQL\" db-link=\"local\">select count(*) from orders</source>\n  <min type=\"NUM\">1</min>\n</data-monitor>",
        )
        .planned()
    }

    fn check(element: &Element, diagnostics: &mut Diagnostics) {
        for number in element.elements() {
            if matches!(number.name.as_str(), "source" | "min" | "max") {
                check_number(number, diagnostics);
            }
        }
    }
}

/// Where a number comes from.
fn number(tag: &'static str, zh: &str, en: &str) -> Shape {
    let kind = AttributeShape::new(
        "type",
        AttributeKind::Choice(&["SQL", "COMMAND", "NUM"]),
        Text::new(
            "来源：SQL查询结果，COMMAND命令的输出，NUM直接写数值",
            "where it comes from: SQL the result of a query, COMMAND the output of a command, NUM as it stands",
        ),
    );
    let link = AttributeShape::new(
        "db-link",
        AttributeKind::NonBlank,
        Text::new("数据库连接的名称（SQL）", "the db-link's name (SQL)"),
    );
    Shape::new(tag, Text::new(zh, en))
        .attribute(kind.required())
        .attribute(link)
        .text(TextRule::Required)
}

fn check_number(element: &Element, diagnostics: &mut Diagnostics) {
    let tag = &element.name;
    let kind = element.attribute("type").map(|kind| kind.value.trim());
    let link = element.attribute("db-link");
    match (kind, link) {
        (Some("SQL"), None) => diagnostics.error(
            code::BODY_ATTRIBUTE,
            element.name_span,
            Text::new(
                format!("类型为SQL的 <{tag}> 需要属性 `db-link`"),
                format!("<{tag}> of type SQL needs the attribute `db-link`"),
            ),
            None,
        ),
        (Some(kind @ ("COMMAND" | "NUM")), Some(link)) => diagnostics.warning(
            code::USELESS_ATTRIBUTE,
            link.name_span,
            Text::new(
                format!("属性 `db-link` 对类型为{kind}的 <{tag}> 无作用"),
                format!("`db-link` means nothing for <{tag}> of type {kind}"),
            ),
            None,
        ),
        _ => {}
    }
    let text = element.text();
    let text = text.trim();
    let is_wrong = kind == Some("NUM")
        && !text.is_empty()
        && !text.contains("${")
        && !text.parse::<f64>().is_ok_and(f64::is_finite);
    if is_wrong {
        let found: String = text.chars().take(40).collect();
        diagnostics.error(
            code::NOT_A_NUMBER,
            element.name_span,
            Text::new(
                format!("类型为NUM的 <{tag}> 必须是数字，写的是 `{found}`"),
                format!("<{tag}> of type NUM must be a number, found `{found}`"),
            ),
            None,
        );
    }
}
