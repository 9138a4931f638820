//! Which store, and opening it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::contract::Store;
use crate::error::Error;
use crate::memory::MemoryStore;
use crate::mysql::{MysqlOptions, MysqlStore};
use crate::sqlite::SqliteStore;

/// Where the facts are kept.
#[derive(Debug, Clone)]
pub enum StoreOptions {
    /// In memory, gone with the process: for tests.
    Memory,
    /// In SQLite files.
    Sqlite {
        /// The main file: `DATA/akkaflow.db`.
        path: PathBuf,
    },
    /// In MySQL or MariaDB.
    Mysql(MysqlOptions),
}

/// Opens the store that the options name and brings its tables up to date.
///
/// # Errors
/// [`Error::Unsuitable`] says what to change; [`Error::Unavailable`] when the server does not answer within 5 seconds.
pub async fn connect(options: &StoreOptions) -> Result<Arc<dyn Store>, Error> {
    Ok(match options {
        StoreOptions::Memory => Arc::new(MemoryStore::new()),
        StoreOptions::Sqlite { path } => Arc::new(SqliteStore::open(path).await?),
        StoreOptions::Mysql(options) => Arc::new(MysqlStore::connect(options.clone()).await?),
    })
}
