//! The texts of statements, put together from constants and groups of placeholders only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::sql::Dialect;
use crate::sql::plan::{Removal, Shape};
use crate::sql::table::{Layout, Number, Table};

/// Journal entries that open an epoch.
pub(crate) const EPOCH_START: i64 = 0;
/// Journal entries of a batch.
pub(crate) const BATCH: i64 = 1;
/// Format of the journal's bodies that this version writes.
pub(crate) const FORMAT: i64 = 1;

/// See [`akkaflow_model::record::Record::ForgetFires`].
const FORGET_FIRES: &str = "DELETE FROM af_fire WHERE workflow = ? AND due_at < ? AND state <> 0 \
     AND NOT EXISTS (SELECT 1 FROM af_instance WHERE af_instance.id = af_fire.instance)";

/// How many composed texts are remembered; shapes of small commits repeat, those of large ones need not be kept.
const REMEMBERED: usize = 512;

/// Texts of one dialect, remembered by shape.
#[derive(Debug)]
pub(crate) struct Texts {
    dialect: Dialect,
    known: Mutex<HashMap<Vec<Shape>, Arc<str>>>,
}

impl Texts {
    /// Remembers nothing yet.
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            known: Mutex::default(),
        }
    }

    /// The text of one statement.
    pub(crate) fn statement(&self, shape: Shape) -> Arc<str> {
        self.remember(vec![shape], || text(self.dialect, shape))
    }

    /// A whole transaction as one text: journal entry, then `shapes`, then the commit.
    pub(crate) fn transaction(&self, shapes: Vec<Shape>) -> Arc<str> {
        let mut key = shapes.clone();
        key.push(Shape::WholeTransaction);
        self.remember(key, || {
            let mut whole = format!("BEGIN IMMEDIATE; {}", append(self.dialect));
            for shape in shapes {
                whole.push_str("; ");
                whole.push_str(&text(self.dialect, shape));
            }
            whole.push_str("; COMMIT");
            whole
        })
    }

    fn remember(&self, key: Vec<Shape>, compose: impl FnOnce() -> String) -> Arc<str> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = known.get(&key) {
            return Arc::clone(text);
        }
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let text: Arc<str> = compose().into();
        known.insert(key, Arc::clone(&text));
        text
    }
}

/// Appends one entry to the journal.
pub(crate) const fn append(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            "INSERT INTO af_journal (seq, epoch, batch, kind, format, written_at, body) \
             VALUES (?, ?, ?, ?, ?, CAST(unixepoch('subsec') * 1000 AS INTEGER), ?)"
        }
        Dialect::Mysql => {
            "INSERT INTO af_journal (seq, epoch, batch, kind, format, written_at, body) \
             VALUES (?, ?, ?, ?, ?, UTC_TIMESTAMP(6), ?)"
        }
    }
}

/// Reads whole rows of a table; `tail` is what follows its name.
pub(crate) fn select<T: Table>(tail: &'static str) -> String {
    let layout = &T::LAYOUT;
    let columns: Vec<&str> = layout.keys.iter().chain(layout.columns).copied().collect();
    format!("SELECT {} FROM {}{tail}", columns.join(", "), layout.name)
}

/// Reads whole rows of a table that `from` calls `r`.
pub(crate) fn select_joined<T: Table>(from: &'static str) -> String {
    let layout = &T::LAYOUT;
    let columns: Vec<&str> = layout.keys.iter().chain(layout.columns).copied().collect();
    format!("SELECT r.{} FROM {from}", columns.join(", r."))
}

/// `?, ?, ?`.
pub(crate) fn placeholders(count: usize) -> String {
    vec!["?"; count].join(", ")
}

fn text(dialect: Dialect, shape: Shape) -> String {
    match shape {
        Shape::Upsert { table, rows } => upsert(dialect, table.layout(), rows),
        Shape::Remove { what, keys } => remove(dialect, what, keys),
        Shape::ForgetFires => FORGET_FIRES.to_owned(),
        Shape::WholeTransaction => String::new(),
    }
}

fn upsert(dialect: Dialect, layout: &Layout, rows: usize) -> String {
    let names: Vec<&str> = layout.all().collect();
    let group = format!("({})", placeholders(names.len()));
    let groups = vec![group.as_str(); rows].join(", ");
    format!(
        "INSERT INTO {} ({}) VALUES {groups} {}",
        layout.name,
        names.join(", "),
        on_conflict(dialect, layout)
    )
}

fn on_conflict(dialect: Dialect, layout: &Layout) -> String {
    let replace = |name: &str| match dialect {
        Dialect::Sqlite => format!("{name} = excluded.{name}"),
        Dialect::Mysql => format!("{name} = VALUES({name})"),
    };
    // MySQL assigns from left to right: the number must be decided while `run` still is the old one.
    let renumber = (layout.number == Number::PerRun).then(|| renumber(dialect, layout));
    let assignments: Vec<String> = renumber
        .into_iter()
        .chain(layout.columns.iter().map(|name| replace(name)))
        .collect();
    let assignments = assignments.join(", ");
    match dialect {
        Dialect::Sqlite => format!(
            "ON CONFLICT ({}) DO UPDATE SET {assignments}",
            layout.keys.join(", ")
        ),
        Dialect::Mysql => format!("ON DUPLICATE KEY UPDATE {assignments}"),
    }
}

fn renumber(dialect: Dialect, layout: &Layout) -> String {
    let table = layout.name;
    match dialect {
        Dialect::Sqlite => format!(
            "number = CASE WHEN {table}.run = excluded.run THEN {table}.number ELSE excluded.number END"
        ),
        Dialect::Mysql => {
            "number = CASE WHEN run = VALUES(run) THEN number ELSE VALUES(number) END".to_owned()
        }
    }
}

fn remove(dialect: Dialect, what: Removal, keys: usize) -> String {
    match what {
        Removal::SweepLogs => {
            let insert = match dialect {
                Dialect::Sqlite => "INSERT OR IGNORE",
                Dialect::Mysql => "INSERT IGNORE",
            };
            let groups = vec!["(?)"; keys].join(", ");
            format!("{insert} INTO af_log_sweep (instance) VALUES {groups}")
        }
        Removal::Instances => remove_from("af_instance", "id", keys),
        Removal::Nodes => remove_from("af_node", "instance", keys),
        Removal::Attempts => remove_from("af_attempt", "instance", keys),
        Removal::UsedTokens => {
            let text = remove_from("af_token", "upstream_instance", keys);
            format!("{text} AND is_held = 0")
        }
        Removal::Chains => format!("{} AND is_over = 1", remove_from("af_chain", "root", keys)),
        Removal::FileProblems => remove_from("af_file_problem", "path_hash", keys),
        Removal::SingleAttempts => {
            let key = "(instance = ? AND node = ? AND run = ? AND attempt = ?)";
            format!(
                "DELETE FROM af_attempt WHERE {}",
                vec![key; keys].join(" OR ")
            )
        }
        Removal::Links => {
            let keys = vec!["(kind = ? AND name = ?)"; keys];
            format!("DELETE FROM af_link WHERE {}", keys.join(" OR "))
        }
    }
}

fn remove_from(table: &'static str, column: &'static str, keys: usize) -> String {
    format!(
        "DELETE FROM {table} WHERE {column} IN ({})",
        placeholders(keys)
    )
}

#[cfg(test)]
mod tests {
    use akkaflow_model::record::NodeRow;

    use super::*;

    #[test]
    fn upsert_decides_the_number_before_the_run_is_replaced() {
        for dialect in [Dialect::Sqlite, Dialect::Mysql] {
            let text = upsert(dialect, &NodeRow::LAYOUT, 2);
            let number = text.find("number = CASE").unwrap();
            let run = text.find(" run = ").unwrap();
            assert!(number < run, "{text}");
            assert_eq!(text.matches('?').count(), 2 * NodeRow::LAYOUT.width());
        }
    }
}
