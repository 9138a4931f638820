//! `<metadata>`: sets the comments of a table and its columns.

use akkaflow_connectors::{Comments, Session, cancellable, check_table_name};
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::{AttributeKind, AttributeShape, Shape, TextRule};
use akkaflow_model::text::Text;
use async_trait::async_trait;

use crate::action::{Action, Outcome};
use crate::context::AttemptContext;
use crate::database::Borrowed;
use crate::error::ActionError;

/// `<metadata>`: takes the comments of other tables' columns over, then sets those that are written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metadata {
    link: String,
    table: String,
    from: Vec<String>,
    columns: Vec<(String, String)>,
    comment: Option<String>,
}

/// The comments of columns, in the order of the table.
type ColumnComments = Vec<(String, String)>;

#[async_trait]
impl Action for Metadata {
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
            Text::new(
                "表注释；没有此元素时取工作流的desc",
                "the comment of the table; without this element it is the workflow's desc",
            ),
        );
        Shape::new(
            Self::TAG,
            Text::new(
                "设置表和字段的注释（MySQL、MariaDB、PostgreSQL）；每个字段最终都须有注释，否则失败",
                "sets the comments of a table and its columns (MySQL, MariaDB, PostgreSQL); fails unless every column has one in the end",
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
    }

    fn parse(element: &Element, _diagnostics: &mut Diagnostics) -> Option<Self> {
        let value = |name| Some(element.attribute(name)?.value.trim().to_owned());
        let text = |element: &Element| element.text().trim().to_owned();
        let from = value("from").unwrap_or_default();
        let columns = element.elements_named("column-comment").map(|column| {
            let name = column.attribute("name")?.value.trim().to_owned();
            Some((name, text(column)))
        });
        Some(Self {
            link: value("db-link")?,
            table: value("table")?,
            from: (from.split(',').map(str::trim))
                .filter(|table| !table.is_empty())
                .map(str::to_owned)
                .collect(),
            columns: columns.collect::<Option<_>>()?,
            comment: element.elements_named("table-comment").next().map(text),
        })
    }

    fn links(&self) -> Vec<String> {
        vec![self.link.clone()]
    }

    async fn run(&self, attempt: &AttemptContext) -> Result<Outcome, ActionError> {
        for table in [&self.table].into_iter().chain(&self.from) {
            check_table_name(table)?;
        }
        let mut borrowed = Borrowed::new(attempt, &self.link).await?;
        let session = borrowed.session();
        let target = columns_of(attempt, session, &self.table).await?;
        let mut sources = Vec::new();
        for table in &self.from {
            sources.push(columns_of(attempt, session, table).await?);
        }
        let comments = Comments {
            table: self.comment.clone().or_else(|| of_workflow(&attempt.desc)),
            columns: self.settle(&target, &sources)?,
        };
        let canceller = session.canceller();
        let setting = session.set_comments(&self.table, &comments);
        cancellable(&attempt.cancel, canceller, setting).await?;
        borrowed.give_back().await;
        let (count, table) = (comments.columns.len(), &self.table);
        let have = if count == 1 {
            "column has a new comment"
        } else {
            "columns have new comments"
        };
        attempt.log.both(
            format_args!("表{table}：设置了{count}个字段的注释"),
            format_args!("table {table}: {count} {have}"),
        );
        Ok(Outcome::default())
    }
}

/// A table that nothing is said of gets what its workflow is for.
fn of_workflow(desc: &str) -> Option<String> {
    Some(desc.trim().to_owned()).filter(|desc| !desc.is_empty())
}

/// The comments of a table's columns; a table that is not there does not come by itself.
async fn columns_of(
    attempt: &AttemptContext,
    session: &mut dyn Session,
    table: &str,
) -> Result<ColumnComments, ActionError> {
    let canceller = session.canceller();
    let looking = session.column_comments(table);
    let found = cancellable(&attempt.cancel, canceller, looking).await?;
    found.ok_or_else(|| {
        ActionError::Fatal(Text::new(
            format!("表{table}不存在"),
            format!("there is no table {table}"),
        ))
    })
}

impl Metadata {
    /// The comments that must change. What is written out wins over what other tables say, the first of them first, and that over
    /// what is there.
    fn settle(
        &self,
        target: &ColumnComments,
        sources: &[ColumnComments],
    ) -> Result<ColumnComments, ActionError> {
        let names = |columns: Vec<&String>| {
            let names: Vec<&str> = columns.into_iter().map(String::as_str).collect();
            names.join(", ")
        };
        let is_same = |left: &str, right: &str| left.eq_ignore_ascii_case(right);
        let written = self.columns.iter().map(|(name, _)| name);
        let unknown: Vec<&String> = written
            .filter(|name| !target.iter().any(|(known, _)| is_same(known, name)))
            .collect();
        if !unknown.is_empty() {
            let unknown = names(unknown);
            return Err(ActionError::Fatal(Text::new(
                format!("目标表中不存在配置的字段：{unknown}"),
                format!("{} has no columns {unknown}", self.table),
            )));
        }
        let find = |comments: &ColumnComments, name: &str| {
            let mut found = comments.iter().filter(|(known, _)| is_same(known, name));
            let (_, comment) = found.next_back()?;
            (!comment.is_empty()).then(|| comment.clone())
        };
        let (mut changed, mut bare) = (Vec::new(), Vec::new());
        for (name, present) in target {
            let from_sources = || sources.iter().find_map(|source| find(source, name));
            match find(&self.columns, name).or_else(from_sources) {
                Some(comment) if comment == *present => {}
                Some(comment) => changed.push((name.clone(), comment)),
                None if present.is_empty() => bare.push(name),
                None => {}
            }
        }
        if !bare.is_empty() {
            let bare = names(bare);
            return Err(ActionError::Fatal(Text::new(
                format!("目标表中的字段未配置注释：{bare}"),
                format!(
                    "columns of {} would be left without a comment: {bare}",
                    self.table
                ),
            )));
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> ColumnComments {
        let owned = pairs
            .iter()
            .map(|&(name, text)| (name.to_owned(), text.to_owned()));
        owned.collect()
    }

    fn metadata(columns: &[(&str, &str)]) -> Metadata {
        Metadata {
            link: "dw".to_owned(),
            table: "orders".to_owned(),
            from: Vec::new(),
            columns: pairs(columns),
            comment: None,
        }
    }

    fn words(result: Result<ColumnComments, ActionError>) -> String {
        match result {
            Err(ActionError::Fatal(text)) => text.zh,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_written_wins_over_other_tables_and_those_over_what_is_there() {
        let target = pairs(&[("id", "old"), ("day", ""), ("sum", "kept"), ("same", "x")]);
        let sources = [
            pairs(&[("ID", ""), ("day", "first")]),
            pairs(&[("id", "second"), ("day", "no")]),
        ];
        let metadata = metadata(&[("DAY", "written"), ("same", "x")]);
        let settled = metadata.settle(&target, &sources).unwrap();
        assert_eq!(settled, pairs(&[("id", "second"), ("day", "written")]));
    }

    #[test]
    fn unknown_columns_and_columns_without_a_comment_fail_with_akkaflows_words() {
        let target = pairs(&[("a", ""), ("b", ""), ("c", "x")]);
        let unknown = metadata(&[("d", "x"), ("e", "x")]).settle(&target, &[]);
        assert_eq!(words(unknown), "目标表中不存在配置的字段：d, e");
        let bare = metadata(&[("a", "")]).settle(&target, &[]);
        assert_eq!(words(bare), "目标表中的字段未配置注释：a, b");
    }
}
