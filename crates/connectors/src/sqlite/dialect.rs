//! How SQLite spells things.

use std::time::Duration;

use super::Sqlite;
use crate::column::Kind;
use crate::dialect::{Dialect, NamedLocks, TableWords, name_parts};
use crate::exact::Limit;
use crate::split::Lexis;

impl Dialect for Sqlite {
    fn name(&self) -> &'static str {
        "SQLite"
    }

    /// Takes the write lock at once, since an upgrade in the middle cannot wait.
    fn begin(&self) -> &'static str {
        "begin immediate"
    }

    fn begin_read_only(&self) -> &'static str {
        "pragma query_only = on"
    }

    fn lexis(&self) -> Lexis {
        Lexis {
            has_backticks: true,
            has_brackets: true,
            ..Lexis::default()
        }
    }

    /// It keeps anything anywhere.
    fn limit(&self, _: Kind) -> Option<Limit> {
        None
    }

    fn table_words(&self) -> TableWords {
        TableWords {
            text: "text",
            time: "text",
            options: "",
        }
    }

    fn days_ago(&self, days: u32) -> String {
        format!("datetime('now', '-{days} days')")
    }

    /// Its transaction keeps out all others.
    fn lock_rows(&self) -> &'static str {
        ""
    }

    fn identity(&self, table: &str) -> String {
        let (schema, name) = name_parts(table);
        let schema = schema.map(|it| format!("{}.", self.quote(it)));
        format!(
            "select rootpage || sql from {}sqlite_master where type = 'table' and lower(name) = lower({})",
            schema.unwrap_or_default(),
            self.literal(name)
        )
    }

    fn lock_table(&self, _: &str) -> Vec<String> {
        vec![self.begin().to_owned()]
    }

    fn named_locks(&self) -> Option<NamedLocks> {
        None
    }

    fn kind_of(&self, expression: &str) -> Option<String> {
        Some(format!("typeof({expression})"))
    }

    fn busy(&self, _: Duration) -> String {
        "with recursive n(a) as (select 1 union all select a + 1 from n) select count(*) from n"
            .to_owned()
    }
}
