//! How MySQL and MariaDB spell things.

use std::time::Duration;

use super::Mysql;
use crate::column::Kind;
use crate::convert::Binary;
use crate::dialect::{Dialect, NamedLocks, TableWords};
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

    fn insert_missing(&self) -> (&'static str, &'static str) {
        ("insert ignore", "")
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
