//! SQLite: rows in by prepared statements of many rows, since its price is per call.

mod columns;
mod dialect;
mod keys;
mod read;
mod values;
mod write;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use akkaflow_model::db_links::DbKind;
use akkaflow_model::text::Text;
use async_trait::async_trait;
use futures::TryStreamExt;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Column as _, ConnectOptions, Either, Row as _};
use tokio::time::Instant;

use crate::batch::BatchSender;
use crate::column::{Column, Kind};
use crate::connect::{Connector, Target};
use crate::convert::conversions;
use crate::dialect::{Dialect, name_parts};
use crate::error::Error;
use crate::jdbc::UrlRules;
use crate::preview::{Preview, keep};
use crate::session::{Canceller, Comments, Done, Key, Load, Session, check_column_count};

pub(crate) struct Sqlite;

/// How long SQLite itself waits for a lock: short, since nothing can interrupt it there.
const LOCK_STEP: Duration = Duration::from_millis(100);

/// How long we wait for a lock in all, unless the link says otherwise.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// Instructions of its machine between two looks at whether to stop: some tens of microseconds.
const STOP_CHECK: i32 = 10_000;

const URL: UrlRules = UrlRules {
    names: &["sqlite"],
    example: "jdbc:sqlite:/path/file.db",
    port: None,
    options: &["busy_timeout"],
    timeout_unit: Duration::from_millis(1),
};

#[async_trait]
impl Connector for Sqlite {
    fn kind(&self) -> DbKind {
        DbKind::Sqlite
    }

    fn url(&self) -> &'static UrlRules {
        &URL
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Sqlite
    }

    async fn open(&self, target: &Target<'_>) -> Result<Box<dyn Session>, Error> {
        let mut options = SqliteConnectOptions::new()
            .create_if_missing(true)
            .busy_timeout(LOCK_STEP)
            .foreign_keys(false)
            .disable_statement_logging();
        options = match target.url.database.as_str() {
            ":memory:" => options.in_memory(true),
            path => options.filename(target.options.base_dir.join(path)),
        };
        let connection = options
            .connect()
            .await
            .map_err(|error| cannot_open(target, options.get_filename(), &error))?;
        let lock_timeout = target
            .url
            .option("busy_timeout")
            .and_then(|limit| limit.parse().ok())
            .map_or(LOCK_TIMEOUT, Duration::from_millis);
        SqliteSession::start(connection, lock_timeout).await
    }
}

fn cannot_open(target: &Target<'_>, path: &Path, error: &sqlx::Error) -> Error {
    let (name, path) = (&target.link.name, path.display());
    Error::Unreachable(Text::new(
        format!("数据库连接[{name}]无法打开文件{path}：{error}，请检查目录是否存在及权限"),
        format!(
            "db-link `{name}`: cannot open {path}: {error}; check that its directory exists and may be written"
        ),
    ))
}

struct SqliteSession {
    connection: SqliteConnection,
    stop: Arc<AtomicBool>,
    lock_timeout: Duration,
}

fn failed(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            Error::statement(format!("{code}: {}", database.message()))
        }
        other => Error::statement(other.to_string()),
    }
}

/// Somebody else holds the lock: nothing has happened yet.
fn is_busy(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(5 | 6))
}

fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?;
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

impl SqliteSession {
    async fn start(
        mut connection: SqliteConnection,
        lock_timeout: Duration,
    ) -> Result<Box<dyn Session>, Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        connection
            .lock_handle()
            .await
            .map_err(failed)?
            .set_progress_handler(STOP_CHECK, move || !flag.load(Ordering::Relaxed));
        Ok(Box::new(Self {
            connection,
            stop,
            lock_timeout,
        }))
    }

    /// Waits for the lock in small steps, so that a cancellation is heard.
    async fn run(&mut self, statement: &str) -> Result<Done, Error> {
        let start = Instant::now();
        loop {
            match self.try_run(statement).await {
                Ok(done) => return Ok(done),
                Err(error) if is_busy(&error) && start.elapsed() < self.lock_timeout => {
                    tokio::task::yield_now().await;
                }
                Err(error) => return Err(failed(error)),
            }
        }
    }

    async fn try_run(&mut self, statement: &str) -> Result<Done, sqlx::Error> {
        let before = self.total_changes().await?;
        let mut done = Done::default();
        let mut preview = None;
        let mut steps = sqlx::raw_sql(AssertSqlSafe(statement)).fetch_many(&mut self.connection);
        while let Some(step) = steps.try_next().await? {
            match step {
                Either::Left(result) => {
                    done.affected = result.rows_affected();
                    keep(&mut done.results, preview.take());
                }
                Either::Right(row) => {
                    let names = row.columns().iter().map(|column| column.name());
                    read::show(&row, preview.get_or_insert_with(|| Preview::new(names)))?;
                }
            }
        }
        drop(steps);
        // What changes nothing repeats the count of the last statement that did.
        if self.total_changes().await? == before {
            done.affected = 0;
        }
        Ok(done)
    }

    async fn total_changes(&mut self) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("select total_changes()")
            .fetch_one(&mut self.connection)
            .await
    }

    /// Names and declared types.
    async fn table_info(
        &mut self,
        table: &str,
        schema: Option<&str>,
    ) -> Result<Vec<(String, String)>, Error> {
        sqlx::query_as("select name, type from pragma_table_xinfo(?, ?) where hidden = 0")
            .bind(table)
            .bind(schema)
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed)
    }

    /// The same of a query's result.
    async fn query_info(&mut self, query: &str) -> Result<Vec<(String, String)>, Error> {
        self.run(&format!("create temp view akkaflow_describe as {query}"))
            .await?;
        let info = self.table_info("akkaflow_describe", None).await;
        self.run("drop view temp.akkaflow_describe").await?;
        info
    }
}

fn columns(info: Vec<(String, String)>) -> Vec<Column> {
    info.into_iter()
        .map(|(name, declared)| Column::new(name, columns::kind(&declared)))
        .collect()
}

#[async_trait]
impl Session for SqliteSession {
    fn dialect(&self) -> &'static dyn Dialect {
        &Sqlite
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        Arc::new(Interrupt(Arc::clone(&self.stop)))
    }

    async fn execute(&mut self, statement: &str) -> Result<Done, Error> {
        self.run(statement).await
    }

    async fn describe(&mut self, query: &str) -> Result<Vec<Column>, Error> {
        Ok(columns(self.query_info(query).await?))
    }

    async fn describe_values(&mut self, query: &str) -> Result<Vec<Column>, Error> {
        let info = self.query_info(query).await?;
        let found = values::kinds(&mut self.connection, query, &info).await?;
        let mut columns = columns(info);
        for (column, kind) in columns.iter_mut().zip(found) {
            column.kind = kind.unwrap_or(column.kind);
        }
        Ok(columns)
    }

    async fn table(&mut self, table: &str) -> Result<Option<Vec<Column>>, Error> {
        let (schema, name) = name_parts(table);
        let columns = columns(self.table_info(name, schema).await?);
        Ok(Some(columns).filter(|columns| !columns.is_empty()))
    }

    fn column_type(&self, kind: Kind, _column_count: usize) -> String {
        columns::declaration(kind)
    }

    async fn read(&mut self, query: &str, output: BatchSender) -> Result<u64, Error> {
        read::read(&mut self.connection, query, output).await
    }

    async fn column_comments(&mut self, _: &str) -> Result<Option<Vec<(String, String)>>, Error> {
        Err(no_comments())
    }

    async fn set_comments(&mut self, _: &str, _: &Comments) -> Result<(), Error> {
        Err(no_comments())
    }

    async fn keys(&mut self, table: &str) -> Result<Vec<Key>, Error> {
        keys::keys(&mut self.connection, table).await
    }

    async fn stage(&mut self, _: &str, _: &[Column], _: &[String]) -> Result<(), Error> {
        Ok(())
    }

    async fn bulk_path(&mut self) -> Result<Text, Error> {
        Ok(Text::new("单个事务中的INSERT", "INSERT in one transaction"))
    }

    async fn write(&mut self, load: Load) -> Result<u64, Error> {
        check_column_count(load.source.len(), load.target.len())?;
        let conversions = conversions(&load.source, &load.target, &Sqlite);
        write::write(&mut self.connection, load, &conversions).await
    }
}

struct Interrupt(Arc<AtomicBool>);

#[async_trait]
impl Canceller for Interrupt {
    async fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn no_comments() -> Error {
    Error::Configuration(Text::new(
        "SQLite不保存表和字段的注释",
        "SQLite keeps no comments of tables and columns",
    ))
}
