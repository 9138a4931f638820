//! What both dialects share: the tables, the texts of statements, the plan of a commit, reading.
//!
//! **Invariant:** a statement's text is a constant, or put together from constants and groups of placeholders; values
//! only ever travel as bound parameters.

pub(crate) mod backfills;
pub(crate) mod codes;
pub(crate) mod daily;
pub(crate) mod executor;
pub(crate) mod failure;
pub(crate) mod lease;
pub(crate) mod lending;
pub(crate) mod logs;
pub(crate) mod mails;
pub(crate) mod migrations;
pub(crate) mod plan;
pub(crate) mod reads;
pub(crate) mod retention;
pub(crate) mod row;
pub(crate) mod snapshot;
pub(crate) mod table;
pub(crate) mod tables;
pub(crate) mod texts;
pub(crate) mod value;

/// Which words of SQL a statement has to use where the two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Dialect {
    /// SQLite.
    Sqlite,
    /// MySQL and MariaDB: their intersection.
    Mysql,
}
