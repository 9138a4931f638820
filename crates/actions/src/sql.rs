//! `<sql>`: runs statements on a db-link.

use akkaflow_model::code;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::{AttributeKind, AttributeShape, Shape, TextRule};
use akkaflow_model::text::Text;
use async_trait::async_trait;

use crate::action::{Action, Outcome};
use crate::context::AttemptContext;
use crate::database::{self, Borrowed};
use crate::error::ActionError;

/// `<sql>`: runs statements on a db-link, all in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sql {
    link: String,
    statements: String,
}

#[async_trait]
impl Action for Sql {
    const TAG: &'static str = "sql";

    fn shape() -> Shape {
        Shape::new(
            Self::TAG,
            Text::new(
                "在一个事务中执行以;分隔的语句",
                "runs statements, parted by `;`, in one transaction",
            ),
        )
        .example(
            r#"<sql db-link="dw">
  delete from report where day = '${param:day}';
  insert into report select * from orders where day = '${param:day}'
</sql>"#,
        )
        .attribute(
            AttributeShape::new(
                "db-link",
                AttributeKind::NonBlank,
                Text::new("数据库连接的名称", "the db-link's name"),
            )
            .required(),
        )
        .text(TextRule::Required)
    }

    fn parse(element: &Element, diagnostics: &mut Diagnostics) -> Option<Self> {
        let statements = element.text();
        if database::is_empty(&statements) && !statements.trim().is_empty() {
            diagnostics.error(
                code::MISSING_TEXT,
                element.name_span,
                Text::new("<sql> 中没有可执行的语句", "<sql> holds no statement"),
                None,
            );
            return None;
        }
        let link = element.attribute("db-link")?.value.trim().to_owned();
        Some(Self { link, statements }).filter(|sql| !sql.link.is_empty())
    }

    fn links(&self) -> Vec<String> {
        vec![self.link.clone()]
    }

    async fn run(&self, attempt: &AttemptContext) -> Result<Outcome, ActionError> {
        let mut borrowed = Borrowed::new(attempt, &self.link).await?;
        let session = borrowed.session();
        let row =
            database::run_statements(attempt, session, &self.statements, &attempt.outputs).await?;
        borrowed.give_back().await;
        Ok(Outcome {
            outputs: attempt.declared(row),
            ..Outcome::default()
        })
    }
}
