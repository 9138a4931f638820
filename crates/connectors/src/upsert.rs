//! Rows that take the place of others of the same key.
//!
//! MySQL and PostgreSQL take them into a temporary table first, in bulk, and from there into the target by statements for all of them. SQLite
//! writes them at once: its prepared statements know what to do with a key that is there.

use crate::column::Column;
use crate::dialect::Dialect;
use crate::session::Load;

/// The temporary table of a session. It hides a table of that name from this session alone.
pub(crate) const STAGING: &str = "akkaflow_staging";

/// The columns that are written and no part of the key.
pub(crate) fn others<'a>(target: &'a [Column], key: &[String]) -> Vec<&'a Column> {
    let others = target.iter().filter(|column| !key.contains(&column.name));
    others.collect()
}

/// What stands behind the rows of an `insert`, so that they take the place of those with their key; nothing for a load without a key.
///
/// A row that is nothing but its key is written over by itself, so that it counts as written too.
pub(crate) fn on_conflict(load: &Load, dialect: &dyn Dialect) -> String {
    if load.key.is_empty() {
        return String::new();
    }
    let mut others = others(&load.target, &load.key);
    if others.is_empty() {
        others = load.target.iter().collect();
    }
    let set = |column: &Column| {
        let name = dialect.quote(&column.name);
        format!("{name} = excluded.{name}")
    };
    let settings: Vec<String> = others.into_iter().map(set).collect();
    format!(
        " on conflict ({}) do update set {}",
        dialect.list(&load.key),
        settings.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::Kind;
    use crate::session::Progress;

    #[test]
    fn what_is_no_part_of_the_key_is_written_over() {
        let (_, rows) = crate::batch::channel();
        let mut load = Load {
            table: "t".to_owned(),
            target: ["a", "b", "c"].map(|it| Column::new(it, Kind::Date)).into(),
            source: Vec::new(),
            key: vec!["b".to_owned()],
            rows,
            progress: Progress::default(),
        };
        let of = |load: &Load| on_conflict(load, &crate::sqlite::Sqlite);
        assert_eq!(
            of(&load),
            " on conflict (\"b\") do update set \"a\" = excluded.\"a\", \"c\" = excluded.\"c\""
        );
        load.key = ["a", "b", "c"].map(str::to_owned).into();
        assert!(
            of(&load).contains("\"a\" = excluded.\"a\""),
            "{}",
            of(&load)
        );
        load.key.clear();
        assert_eq!(of(&load), "");
    }
}
