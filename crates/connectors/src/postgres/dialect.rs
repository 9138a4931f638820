//! How PostgreSQL spells things.

use std::time::Duration;

use super::Postgres;
use crate::column::{Column, Kind};
use crate::convert::Binary;
use crate::dialect::{Dialect, NamedLocks, Snapshot, TableWords};
use crate::exact::Limit;
use crate::split::Lexis;

impl Dialect for Postgres {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn begin(&self) -> &'static str {
        "begin"
    }

    fn begin_read_only(&self) -> &'static str {
        "begin read only"
    }

    fn literal(&self, text: &str) -> String {
        format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
    }

    fn lexis(&self) -> Lexis {
        Lexis {
            has_dollar_quotes: true,
            has_escape_strings: true,
            has_nested_comments: true,
            ..Lexis::default()
        }
    }

    fn binary(&self) -> Binary {
        Binary::BackslashHex
    }

    fn has_booleans(&self) -> bool {
        true
    }

    fn limit(&self, kind: Kind) -> Option<Limit> {
        match kind {
            Kind::Text(Some(length)) => Some(Limit::Characters(length)),
            other => Limit::usual(other),
        }
    }

    /// Numbers that the table would make itself are taken as they come, as `copy` does it.
    fn overriding(&self) -> &'static str {
        " overriding system value"
    }

    fn empty_copy(&self, name: &str, table: &str, columns: &[Column]) -> String {
        let columns = self.names(columns);
        format!("create unlogged table {name} as select {columns} from {table} with no data")
    }

    fn table_words(&self) -> TableWords {
        TableWords {
            text: "text",
            time: "timestamp with time zone",
            options: "",
        }
    }

    fn days_ago(&self, days: u32) -> String {
        format!("current_timestamp - interval '{days} days'")
    }

    fn identity(&self, table: &str) -> String {
        format!("select {}::regclass::oid", self.literal(table))
    }

    fn lock_table(&self, table: &str) -> Vec<String> {
        vec![
            "begin".to_owned(),
            "set local lock_timeout = '5s'".to_owned(),
            format!("lock table {table} in access exclusive mode"),
        ]
    }

    fn tells_case(&self) -> bool {
        true
    }

    fn check_at_once(&self) -> Option<&'static str> {
        Some("set constraints all immediate")
    }

    fn snapshot(&self) -> Option<Snapshot> {
        Some(Snapshot {
            // Every statement of the transaction sees what its first one saw.
            begin: "begin isolation level repeatable read",
            export: "select pg_export_snapshot()",
            join: |name| format!("set transaction snapshot '{name}'"),
        })
    }

    fn named_locks(&self) -> Option<NamedLocks> {
        Some(NamedLocks {
            take: |_, number| format!("select pg_try_advisory_lock({number})"),
            release: |_, number| format!("select pg_advisory_unlock({number})"),
            schema: "current_schema()",
        })
    }

    fn busy(&self, time: Duration) -> String {
        format!("select pg_sleep({})", time.as_secs())
    }
}
