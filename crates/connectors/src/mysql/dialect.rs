//! How MySQL and MariaDB spell things.

use std::time::Duration;

use super::Mysql;
use crate::column::Kind;
use crate::convert::Binary;
use crate::dialect::{Dialect, NamedLocks, TableWords, name_parts};
use crate::exact::Limit;
use crate::split::Lexis;

impl Dialect for Mysql {
    fn name(&self) -> &'static str {
        "MySQL/MariaDB"
    }

    /// A `create` and its like commit, and end a transaction that was begun: without `autocommit` the next statement begins another.
    fn around_all(&self) -> (&'static str, &'static [&'static str]) {
        ("set autocommit = 0", &["commit", "set autocommit = 1"])
    }

    fn quote(&self, name: &str) -> String {
        format!("`{}`", name.replace('`', "``"))
    }

    fn literal(&self, text: &str) -> String {
        let digits: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        format!("_utf8mb4 x'{digits}'")
    }

    fn lexis(&self) -> Lexis {
        Lexis {
            has_backslashes: true,
            has_backticks: true,
            has_hash_comments: true,
            has_code_comments: true,
            has_delimiter_lines: true,
            wants_blank_after_dashes: true,
            ..Lexis::default()
        }
    }

    fn binary(&self) -> Binary {
        Binary::Hex
    }

    fn limit(&self, kind: Kind) -> Option<Limit> {
        match kind {
            Kind::Integer { .. } => Some(Limit::Scale(0)),
            other => Limit::usual(other),
        }
    }

    fn table_words(&self) -> TableWords {
        TableWords {
            text: "longtext",
            time: "datetime",
            options: " engine = InnoDB character set utf8mb4 collate utf8mb4_bin",
        }
    }

    fn days_ago(&self, days: u32) -> String {
        format!("current_timestamp - interval {days} day")
    }

    /// Unlike `insert ignore` it locks a row that is there for itself alone: two that share its lock could not both lock it alone afterwards.
    fn insert_missing(&self, column: &str) -> (&'static str, String) {
        let or_not = format!(" on duplicate key update {column} = {column}");
        ("insert", or_not)
    }

    /// Tables of one name are told apart by the second in which they were made.
    fn identity(&self, table: &str) -> String {
        let (schema, name) = name_parts(table);
        let schema = schema.map_or_else(|| "database()".to_owned(), |it| self.literal(it));
        format!(
            "select create_time from information_schema.tables where table_schema = {schema} and table_name = {}",
            self.literal(name)
        )
    }

    fn lock_table(&self, table: &str) -> Vec<String> {
        vec![
            "set session lock_wait_timeout = 1".to_owned(),
            format!("lock tables {table} write"),
        ]
    }

    fn unlock_table(&self) -> &'static str {
        "unlock tables"
    }

    fn named_locks(&self) -> Option<NamedLocks> {
        Some(NamedLocks {
            take: |name, _| format!("select get_lock('{name}', 0)"),
            release: |name, _| format!("select release_lock('{name}')"),
            schema: "database()",
        })
    }

    fn busy(&self, time: Duration) -> String {
        format!("select sleep({})", time.as_secs())
    }
}
