//! Where every fact is kept: one narrow trait, an in-memory twin, SQLite and MySQL/MariaDB behind it.
//!
//! **Invariants:** the primary key of the journal is the fence: a master whose epoch is over cannot append, so it can
//! change nothing. Only the SQL modules name sqlx. No statement is built by pasting values.
//!
//! | module | what it holds |
//! |---|---|
//! | `contract` | [`Store`], the trait that everyone else codes against, and [`Queries`], the half of it that asks |
//! | `batch`, `lease`, `query`, `log`, `trim`, `error`, `place` | the words of that trait |
//! | `memory` | [`MemoryStore`], the twin for tests and simulation |
//! | `sql` | what both dialects share: tables, statement texts, the plan of a commit, reading |
//! | `sqlite` | [`SqliteStore`]: files, locks, one writer |
//! | `mysql` | [`MysqlStore`]: sessions, lease, take-over |
//! | `conformance` | one suite that all stores pass (feature `conformance`) |

mod batch;
#[cfg(feature = "conformance")]
pub mod conformance;
mod contract;
mod error;
mod lease;
mod log;
mod memory;
mod mysql;
mod options;
mod place;
mod query;
mod sql;
mod sqlite;
mod trim;

pub use batch::{Batch, BatchId, CommitError, JournalRow};
pub use contract::{Contents, Queries, Store};
pub use error::{Cause, Error};
pub use lease::{Candidate, Lease, TakenOver};
pub use log::{LogChunk, StoredChunk, Stream};
pub use memory::MemoryStore;
pub use mysql::{MysqlOptions, MysqlStore};
pub use options::{StoreOptions, connect};
pub use place::Place;
pub use query::{InstanceQuery, MailQuery, RunCounts};
pub use sqlite::SqliteStore;
pub use trim::{Trim, Trimmed};
