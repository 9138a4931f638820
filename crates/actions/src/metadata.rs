//! `<metadata>`: sets the comments of a table and its columns.

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::{AttributeKind, AttributeShape, Shape, TextRule};
use akkaflow_model::text::Text;

use crate::planned::Planned;

/// `<metadata>`: takes the comments of other tables' columns over, then sets those that are written out.
pub(crate) struct Metadata;

impl Planned for Metadata {
    const TAG: &'static str = "metadata";

    fn shape() -> Shape {
        let attribute =
            |name, kind, zh: &str, en: &str| AttributeShape::new(name, kind, Text::new(zh, en));
        let column = Shape::new(
            "column-comment",
            Text::new("字段注释", "the comment of a column"),
        )
        .attribute(attribute("name", AttributeKind::NonBlank, "字段名", "the column").required())
        .text(TextRule::Optional);
        let table = Shape::new(
            "table-comment",
            Text::new("表注释", "the comment of the table"),
        );
        Shape::new(
            Self::TAG,
            Text::new(
                "设置表和字段的注释",
                "sets the comments of a table and its columns",
            ),
        )
        .attribute(attribute("table", AttributeKind::NonBlank, "目标表", "the table").required())
        .attribute(
            attribute(
                "db-link",
                AttributeKind::NonBlank,
                "数据库连接的名称",
                "the db-link's name",
            )
            .required(),
        )
        .attribute(attribute(
            "from",
            AttributeKind::Words,
            "来源表，以逗号分隔；同名字段的注释取自它们",
            "tables, separated by commas, from whose columns of the same name comments are taken",
        ))
        .child(column, 0, None)
        .child(table.text(TextRule::Optional), 0, Some(1))
        .example(
            "<metadata table=\"dw.orders\" db-link=\"local\" from=\"ods.orders\">\n  <column-comment name=\"id\">order number</column-comment>\n  <table-comment>all orders</table-comment>\n</metadata>",
        )
        .planned()
    }

    fn check(_element: &Element, _diagnostics: &mut Diagnostics) {}
}
