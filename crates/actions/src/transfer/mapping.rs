//! To which column of the target each value of a row goes.

use akkaflow_connectors::{Column, Error};
use akkaflow_model::suggest::closest;
use akkaflow_model::text::Text;

/// By what the columns of both ends are matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    /// The first to the first, and so on: both have as many.
    Position,
    /// By their names: in any order, and the target may have more.
    Name,
}

/// The columns of `table`, as `target` has them, that the columns of the source name, in the source's order.
pub(super) fn by_name(
    source: &[Column],
    target: &[Column],
    table: &str,
) -> Result<Vec<Column>, Error> {
    let mut mapped: Vec<Column> = Vec::with_capacity(source.len());
    for column in source {
        let found =
            find(&column.name, target).ok_or_else(|| unknown(&column.name, target, table))?;
        if mapped.contains(found) {
            return Err(twice(&found.name, table));
        }
        mapped.push(found.clone());
    }
    Ok(mapped)
}

/// The column of that name, or else the only one whose name differs in nothing but case.
pub(super) fn find<'a>(name: &str, columns: &'a [Column]) -> Option<&'a Column> {
    let exact = columns.iter().find(|column| column.name == name);
    exact.or_else(|| {
        let wanted = name.to_lowercase();
        let mut alike = columns
            .iter()
            .filter(|column| column.name.to_lowercase() == wanted);
        let first = alike.next();
        first.filter(|_| alike.next().is_none())
    })
}

/// Which column may be meant by a name that is none, as a sentence goes on with it: nothing where none is close.
pub(super) fn meant(name: &str, columns: &[Column]) -> Text {
    match closest(name, columns.iter().map(|column| column.name.as_str())) {
        Some(meant) => Text::new(
            format!("，是否应为 `{meant}`？"),
            format!("; is `{meant}` meant?"),
        ),
        None => Text::new("", ""),
    }
}

/// The names of columns, parted by commas.
pub(super) fn names(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    names.join(", ")
}

fn unknown(name: &str, target: &[Column], table: &str) -> Error {
    let Text { zh, en } = meant(name, target);
    let names = names(target);
    Error::Row(Text::new(
        format!(
            "目标表{table}没有源中的字段`{name}`{zh}（目标表的字段：{names}）。若按位置对应，请写 columns=\"position\""
        ),
        format!(
            "table {table} has no column `{name}`, as the source has{en} (its columns: {names}). To match columns by their position write columns=\"position\""
        ),
    ))
}

fn twice(name: &str, table: &str) -> Error {
    Error::Row(Text::new(
        format!("源中有两个字段对应目标表{table}的字段`{name}`"),
        format!("two columns of the source go to column `{name}` of table {table}"),
    ))
}
