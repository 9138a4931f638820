//! Action types that stand in for the real ones.

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::read::ActionCatalog;
use akkaflow_model::shape::{AttributeKind, AttributeShape, Shape, TextRule, planned_body};
use akkaflow_model::text::Text;

/// Knows `<script>`, `<sql>` and `<transfer>`, and of `<email>` and `<file-monitor>` that they are not run.
pub(crate) struct Catalog;

impl ActionCatalog for Catalog {
    fn check(&self, body: &Element, diagnostics: &mut Diagnostics) -> Option<()> {
        let shape = shape(&body.name)?;
        if shape.is_planned {
            planned_body(body, diagnostics);
        }
        shape.check_body(body, diagnostics);
        Some(())
    }

    fn tags(&self) -> Vec<&'static str> {
        vec!["email", "file-monitor", "script", "sql", "transfer"]
    }
}

fn shape(tag: &str) -> Option<Shape> {
    let link = AttributeShape::new(
        "db-link",
        AttributeKind::NonBlank,
        Text::new("数据库连接", "the db-link"),
    );
    match tag {
        "script" => {
            let code = Shape::new("code", Text::new("脚本内容", "the script's text"));
            let script = Shape::new("script", Text::new("脚本", "a script"));
            Some(script.child(code.text(TextRule::Required), 1, Some(1)))
        }
        "sql" => {
            let sql = Shape::new("sql", Text::new("语句", "statements separated by `;`"));
            Some(sql.attribute(link.required()).text(TextRule::Required))
        }
        "email" => {
            let email = Shape::new("email", Text::new("邮件", "a mail"));
            Some(email.text(TextRule::Optional).open().planned())
        }
        "file-monitor" => {
            let monitor = Shape::new("file-monitor", Text::new("文件监控", "looks for files"));
            Some(monitor.open().planned())
        }
        "transfer" => Some(Shape::new("transfer", Text::new("传输", "moves rows")).open()),
        _ => None,
    }
}
