//! How a product spells things. What a product does not say is as the standard has it.

use std::time::Duration;

use crate::column::{Column, Kind};
use crate::convert::Binary;
use crate::exact::Limit;
use crate::split::Lexis;

/// How a product spells things.
pub trait Dialect: Send + Sync {
    /// The product, as people know it.
    fn name(&self) -> &'static str;

    /// The statement that opens a transaction.
    fn begin(&self) -> &'static str {
        "start transaction"
    }

    /// What keeps the statements after it from changing anything; the end of the session ends it.
    fn begin_read_only(&self) -> &'static str {
        "start transaction read only"
    }

    /// The statements around a text of several that are all to be undone when one fails, as far as the product can.
    fn around_all(&self) -> (&'static str, &'static [&'static str]) {
        (self.begin(), &["commit"])
    }

    /// A name that may be anything, quoted.
    fn quote(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// A text as a statement holds it, whatever the session is told of backslashes.
    fn literal(&self, text: &str) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }

    /// What tells code from strings and comments.
    fn lexis(&self) -> Lexis {
        Lexis::default()
    }

    /// How the text of a value holds bytes.
    fn binary(&self) -> Binary {
        Binary::Plain
    }

    /// Whether columns of truth values take `t` and `f`; else they take `1` and `0`.
    fn has_booleans(&self) -> bool {
        false
    }

    /// What the product would lose of a value in a column of this kind without a word.
    fn limit(&self, kind: Kind) -> Option<Limit> {
        Limit::usual(kind)
    }

    /// How the `insert` of rows says that the table is not to make its own numbers.
    fn overriding(&self) -> &'static str {
        ""
    }

    /// The statement that makes an empty table called `name` with some of the columns of `table` and their types, but without keys. Rows in
    /// it need not survive a crash of the server.
    fn empty_copy(&self, name: &str, table: &str, columns: &[Column]) -> String {
        let columns = self.names(columns);
        format!("create table {name} as select {columns} from {table} where 1 = 0")
    }

    /// Types of a text of any length and of a moment, and what stands behind the columns of a table that compares texts byte by byte.
    fn table_words(&self) -> TableWords;

    /// The moment that lies so many days back.
    fn days_ago(&self, days: u32) -> String;

    /// What stands around `into ... values ...` so that a row whose key is there already stays as it is; `column` is any of the table.
    fn insert_missing(&self, column: &str) -> (&'static str, String) {
        let _ = column;
        ("insert", " on conflict do nothing".to_owned())
    }

    /// The query for what `table`, as a statement names it, does not share with one that is made in its place later; it returns nothing where that
    /// cannot be told.
    fn identity(&self, table: &str) -> String;

    /// The statements that keep everybody else from `table`, for some seconds at most in waiting for it.
    fn lock_table(&self, table: &str) -> Vec<String>;

    /// The statement that ends that.
    fn unlock_table(&self) -> &'static str {
        "commit"
    }

    /// Whether columns whose names differ in nothing but case are two.
    fn tells_case(&self) -> bool {
        false
    }

    /// What stands behind a query so that nobody else changes its rows before the transaction ends.
    fn lock_rows(&self) -> &'static str {
        " for update"
    }

    /// Has the transaction find bad rows at once rather than at its end; `None` where it does so anyway.
    fn check_at_once(&self) -> Option<&'static str> {
        None
    }

    /// How several connections see what one of them sees; `None` where that is not to be had.
    fn snapshot(&self) -> Option<Snapshot> {
        None
    }

    /// Locks that a connection holds by name; `None` where only one connection writes at a time.
    fn named_locks(&self) -> Option<NamedLocks>;

    /// What kind of value an expression has come to, where columns hold values of any kind.
    fn kind_of(&self, expression: &str) -> Option<String> {
        let _ = expression;
        None
    }

    /// A statement that runs for so long, or without an end, and changes nothing.
    fn busy(&self, time: Duration) -> String;

    /// The names of some columns, quoted, parted by commas.
    fn names(&self, columns: &[Column]) -> String {
        let names: Vec<String> = columns.iter().map(|it| self.quote(&it.name)).collect();
        names.join(", ")
    }

    /// Some names, quoted, parted by commas.
    fn list(&self, names: &[String]) -> String {
        let names: Vec<String> = names.iter().map(|name| self.quote(name)).collect();
        names.join(", ")
    }

    /// The statement that adds all rows of `sources`, which have just these columns, to `table`.
    fn append(&self, table: &str, columns: &[Column], sources: &[String]) -> String {
        let columns = self.names(columns);
        let rows: Vec<String> = sources
            .iter()
            .map(|source| format!("select {columns} from {source}"))
            .collect();
        let (overriding, rows) = (self.overriding(), rows.join(" union all "));
        format!("insert into {table} ({columns}){overriding} {rows}")
    }
}

/// `schema.table` in its parts, quotes taken off.
pub(crate) fn name_parts(table: &str) -> (Option<&str>, &str) {
    let bare = |name| {
        let quotes: &[char] = &['"', '`', '[', ']', ' '];
        str::trim_matches(name, quotes)
    };
    match table.split_once('.') {
        Some((schema, name)) => (Some(bare(schema)), bare(name)),
        None => (None, bare(table)),
    }
}

/// Words of a table that we make.
#[derive(Debug, Clone, Copy)]
pub struct TableWords {
    /// The type of a text of any length.
    pub text: &'static str,
    /// The type of a moment.
    pub time: &'static str,
    /// What stands behind the columns.
    pub options: &'static str,
}

/// How several connections see what one of them sees.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot {
    /// Opens the transaction of each.
    pub begin: &'static str,
    /// The query of the first one that gives the name of what it sees.
    pub export: &'static str,
    /// The statement of the others, from that name.
    pub join: fn(&str) -> String,
}

/// Locks that a connection holds by name until it ends.
#[derive(Debug, Clone, Copy)]
pub struct NamedLocks {
    /// The query that takes one, from its name and a number for it: `1` or `t` when nobody else has it.
    pub take: fn(&str, u64) -> String,
    /// The query that gives it back.
    pub release: fn(&str, u64) -> String,
    /// The expression for the schema in which tables without one are.
    pub schema: &'static str,
}
