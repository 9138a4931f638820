//! Opening: checks, settings, migrations.

use std::path::{Path, PathBuf};
use std::time::Duration;

use akkaflow_model::text::Text;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::error::{Cause, Error};
use crate::place::Place;
use crate::sql::Dialect;
use crate::sql::executor::Executor;
use crate::sql::failure::cause;
use crate::sql::migrations::own_migrator;
use crate::sql::row::Columns;
use crate::sql::texts::Texts;
use crate::sqlite::lock::MasterLock;
use crate::sqlite::logs::LogFile;
use crate::sqlite::writer::Writer;
use crate::sqlite::{SqliteStore, filesystem, private};

static FACTS: Migrator = sqlx::migrate!("../../migrations/sqlite");
static LOGS: Migrator = sqlx::migrate!("../../migrations/sqlite-log");

/// The first version without the corruption of a WAL that is reset while it is read (3.7.0 to 3.51.2).
const OLDEST_SAFE: (u32, u32, u32) = (3, 51, 3);

/// How long a statement waits for another process that writes.
const BUSY: Duration = Duration::from_secs(5);

/// Readers of the facts: a page or two at once; each costs a thread.
const READERS: u32 = 4;
/// Readers of output.
const LOG_READERS: u32 = 2;

/// Statements that stay prepared on a connection.
const PREPARED: usize = 200;

/// Rows that the thread of a connection may read ahead: fewer make it wait for us again and again.
const ROWS_AHEAD: usize = 1024;

/// See [`SqliteStore::open`].
pub(crate) async fn open(path: &Path) -> Result<SqliteStore, Error> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    filesystem::prepare(directory)?;
    let log_path = log_path(path);
    let durable = options(path, SqliteSynchronous::Full);
    let relaxed = options(path, SqliteSynchronous::Normal);
    let log_options = options(&log_path, SqliteSynchronous::Normal);
    prepare_file(&durable, &FACTS, path).await?;
    prepare_file(&log_options, &LOGS, &log_path).await?;
    Ok(SqliteStore {
        path: path.to_owned(),
        place: Place::file(path),
        writer: Writer::new(durable),
        renewer: Writer::new(relaxed.clone()),
        readers: readers(relaxed, READERS),
        logs: LogFile::new(
            Writer::new(log_options.clone()),
            readers(log_options, LOG_READERS),
        ),
        lock: MasterLock::new(directory.join("master.lock")),
        texts: Texts::new(Dialect::Sqlite),
    })
}

/// `akkaflow.db` has its output in `akkaflow-log.db`.
fn log_path(path: &Path) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push("-log.db");
    path.with_file_name(name)
}

fn options(path: &Path, synchronous: SqliteSynchronous) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .statement_cache_capacity(PREPARED)
        .row_buffer_size(ROWS_AHEAD)
        // 8 MiB of pages; a checkpoint each 16 MiB: fewer pauses and fewer pages written twice.
        .pragma("cache_size", "-8192")
        .pragma("wal_autocheckpoint", "4096")
        .pragma("journal_size_limit", "67108864")
        .disable_statement_logging()
}

fn readers(options: SqliteConnectOptions, most: u32) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(most)
        .acquire_timeout(Duration::from_secs(30))
        .test_before_acquire(false)
        // A file does not go stale, and without limits no task wakes up to look for stale connections.
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(
            options
                .pragma("query_only", "ON")
                .pragma("cache_size", "-2048"),
        )
}

/// Opens once, checks the version and brings the tables up to date.
async fn prepare_file(
    options: &SqliteConnectOptions,
    migrator: &Migrator,
    path: &Path,
) -> Result<(), Error> {
    private::make(path).map_err(|error| cannot_open(path, error))?;
    let mut connection = SqliteConnection::connect_with(options)
        .await
        .map_err(|error| cannot_open(path, cause(error)))?;
    check_version(&mut connection).await?;
    own_migrator(migrator)
        .run(&mut connection)
        .await
        .map_err(|error| cannot_open(path, error))?;
    connection.close().await?;
    Ok(())
}

async fn check_version(connection: &mut SqliteConnection) -> Result<(), Error> {
    let rows = Executor::Sqlite(connection)
        .fetch("SELECT sqlite_version()", &[])
        .await?;
    let text = match rows.first() {
        Some(row) => Columns::new(row).text()?,
        None => String::new(),
    };
    if version(&text) < OLDEST_SAFE {
        let (major, minor, patch) = OLDEST_SAFE;
        return Err(Error::unsuitable(
            Text::new(
                format!("SQLite {text}可能损坏其预写日志"),
                format!("SQLite {text} can corrupt its write-ahead log"),
            ),
            Text::new(
                format!("请使用{major}.{minor}.{patch}或更新的版本编译akkaflow"),
                format!("build akkaflow with {major}.{minor}.{patch} or newer"),
            ),
        ));
    }
    Ok(())
}

fn version(text: &str) -> (u32, u32, u32) {
    let mut numbers = text.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next())
}

fn cannot_open(path: &Path, cause: impl Into<Cause>) -> Error {
    let path = path.display();
    Error::unsuitable_because(
        Text::new(
            format!("无法使用数据库文件{path}"),
            format!("cannot use the database {path}"),
        ),
        Text::new(
            "请检查它是否为akkaflow的数据库、当前用户能否写入、磁盘是否已满",
            "check that it is an akkaflow database, that this user can write it and that the disk is not full",
        ),
        cause,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_lies_beside_the_facts() {
        assert_eq!(
            log_path(Path::new("/data/akkaflow.db")),
            Path::new("/data/akkaflow-log.db")
        );
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(version("3.51.3") >= OLDEST_SAFE);
        assert!(version("3.52.0") >= OLDEST_SAFE);
        assert!(version("3.9.99") < OLDEST_SAFE);
    }
}
