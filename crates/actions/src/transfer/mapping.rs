//! To which column of the target each value of a row goes.

use akkaflow_connectors::{Column, Dialect, Error};
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
        if let Some(first) = mapped.iter().position(|it| it == found) {
            return Err(twice(source, (first, mapped.len()), &found.name, table));
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

/// Refuses columns of a table that is to be made when two share a name, in any case where the database does not tell these apart.
pub(super) fn check_unique(
    columns: &[Column],
    table: &str,
    dialect: &dyn Dialect,
) -> Result<(), Error> {
    let spelled = |column: &Column| match dialect.tells_case() {
        true => column.name.clone(),
        false => column.name.to_lowercase(),
    };
    let names: Vec<String> = columns.iter().map(spelled).collect();
    for (second, name) in names.iter().enumerate() {
        if let Some(first) = names[..second].iter().position(|it| it == name) {
            let name = &columns[first].name;
            return Err(twice(columns, (first, second), name, table));
        }
    }
    Ok(())
}

/// `both` are their places in the source, from 0.
fn twice(source: &[Column], both: (usize, usize), name: &str, table: &str) -> Error {
    let (first, second) = (&source[both.0].name, &source[both.1].name);
    let (one, other) = (both.0 + 1, both.1 + 1);
    Error::Row(Text::new(
        format!(
            "源的第{one}个字段`{first}`与第{other}个字段`{second}`都对应目标表{table}的字段`{name}`；请在源中改名，或删去其一"
        ),
        format!(
            "columns {one} (`{first}`) and {other} (`{second}`) of the source both go to column `{name}` of table {table}: \
             rename one in the source, or leave it out"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use akkaflow_connectors::{Kind, dialects};

    use super::*;

    #[test]
    fn of_two_columns_for_one_both_are_named() {
        let columns = ["id", "v", "ID"].map(|name| Column::new(name, Kind::Field));
        let target = [Column::new("id", Kind::Date), Column::new("v", Kind::Date)];
        let words = "columns 1 (`id`) and 3 (`ID`) of the source both go to column `id` of table t";
        let told = by_name(&columns, &target, "t").unwrap_err().to_string();
        assert!(told.contains(words), "{told}");
        for dialect in dialects() {
            match check_unique(&columns, "t", dialect) {
                Ok(()) => assert!(dialect.tells_case(), "{}", dialect.name()),
                Err(told) => assert!(told.to_string().contains(words), "{told}"),
            }
        }
    }
}
