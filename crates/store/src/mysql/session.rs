//! Connections and what they ask of the server.

use std::time::Duration;

use akkaflow_model::db_links::anonymous_user_hint;
use akkaflow_model::text::Text;
use sqlx::Connection as _;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlDatabaseError};

use crate::error::Error;
use crate::mysql::MysqlOptions;
use crate::sql::executor::Executor;
use crate::sql::failure::cause;
use crate::sql::lending::silent;
use crate::sql::migrations::own_migrator;
use crate::sql::row::Columns;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/mysql");

/// How long a connect may take.
pub(crate) const CONNECT: Duration = Duration::from_secs(5);

/// Statements longer than one TLS record stall about 44 ms in the driver.
const BYTES_WITH_TLS: usize = 12_000;

/// Without TLS, larger statements gain nothing and only cost memory.
const BYTES_WITHOUT_TLS: usize = 512 * 1024;

/// A packet that the server must accept: the largest texts are some MiB.
const LEAST_PACKET: i64 = 16 << 20;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Commits. The server drops it after 5 s of silence, so that a paused master's open transaction does not block its
    /// successor for long.
    Write,
    /// Everything else.
    Read,
}

/// Connects and sets the session up.
pub(crate) async fn connect(
    options: &MySqlConnectOptions,
    purpose: Purpose,
) -> Result<MySqlConnection, sqlx::Error> {
    let connecting = async {
        let mut connection = MySqlConnection::connect_with(options).await?;
        set_up(&mut connection, purpose).await?;
        Ok(connection)
    };
    tokio::time::timeout(CONNECT, connecting)
        .await
        .unwrap_or_else(|_| Err(silent()))
}

/// Sets isolation, strictness and patience.
pub(crate) async fn set_up(
    connection: &mut MySqlConnection,
    purpose: Purpose,
) -> Result<(), sqlx::Error> {
    let mut executor = Executor::Mysql(connection);
    executor
        .raw("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        .await?;
    executor
        .raw(match purpose {
            Purpose::Write => {
                "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
                 SESSION innodb_lock_wait_timeout = 3, SESSION wait_timeout = 5"
            }
            Purpose::Read => {
                "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
                 SESSION innodb_lock_wait_timeout = 3"
            }
        })
        .await
}

/// The number by which the server knows this connection.
pub(crate) async fn connection_id(connection: &mut MySqlConnection) -> Result<u64, Error> {
    let rows = Executor::Mysql(connection)
        .fetch("SELECT CONNECTION_ID()", &[])
        .await?;
    rows.first().map_or(Ok(0), |row| Columns::new(row).bits())
}

/// Connects for the first time: checks the server, brings the tables up to date, tells how long a statement may be.
pub(crate) async fn prepare(options: &MysqlOptions) -> Result<usize, Error> {
    let mut connection = connect(&options.connect, Purpose::Read)
        .await
        .map_err(|error| explain(error, options))?;
    check_durability(&mut connection, options).await?;
    let mut migrator = own_migrator(&MIGRATIONS);
    // The lock of sqlx waits for -1 seconds, which MariaDB answers with NULL: nobody would be locked out.
    migrator.set_locking(false);
    lock_migrations(&mut connection, options).await?;
    migrator
        .run(&mut connection)
        .await
        .map_err(|error| explain_migration(error, options))?;
    let is_encrypted = is_encrypted(&mut connection).await?;
    connection.close().await?;
    Ok(if is_encrypted {
        BYTES_WITH_TLS
    } else {
        BYTES_WITHOUT_TLS
    })
}

/// Keeps other processes that start at the same moment from making the same tables. Closing the connection gives it back.
async fn lock_migrations(
    connection: &mut MySqlConnection,
    options: &MysqlOptions,
) -> Result<(), Error> {
    let rows = Executor::Mysql(connection)
        .fetch(
            "SELECT COALESCE(GET_LOCK(CONCAT('akkaflow_', SHA1(DATABASE())), 60), 0)",
            &[],
        )
        .await?;
    match rows.first().map(|row| Columns::new(row).int()) {
        Some(Ok(1)) => Ok(()),
        _ => {
            let name = options.place().name();
            Err(Error::unsuitable(
                Text::new(
                    format!("其他进程正在修改{}的表，已超过一分钟", name.zh),
                    format!(
                        "another process has been changing the tables of {} for more than a minute",
                        name.en
                    ),
                ),
                Text::new(
                    "请在该服务器上执行SHOW PROCESSLIST查看",
                    "see what it does there: SHOW PROCESSLIST",
                ),
            ))
        }
    }
}

fn explain(error: sqlx::Error, options: &MysqlOptions) -> Error {
    let number = error
        .as_database_error()
        .and_then(|answer| answer.try_downcast_ref::<MySqlDatabaseError>())
        .map(MySqlDatabaseError::number);
    let (server, database, user) = (options.server(), options.database(), options.user());
    match number {
        Some(1049) => {
            let statement = format!("CREATE DATABASE `{database}` CHARACTER SET utf8mb4");
            Error::unsuitable_because(
                Text::new(
                    format!("数据库服务器{server}上没有数据库{database}"),
                    format!("the server {server} has no database `{database}`"),
                ),
                Text::new(
                    format!("请在其上创建：{statement}"),
                    format!("create it there: {statement}"),
                ),
                cause(error),
            )
        }
        Some(1044 | 1045 | 1698) => {
            let hint = anonymous_user_hint(&error.to_string());
            Error::unsuitable_because(
                Text::new(
                    format!("数据库服务器{server}拒绝用户{user}"),
                    format!("the server {server} refuses the user `{user}`"),
                ),
                Text::new(
                    format!(
                        "请检查用户名和密码，并授予其权限：GRANT ALL ON `{database}`.*{}",
                        hint.zh
                    ),
                    format!(
                        "check user and password, and GRANT ALL ON `{database}`.* to it{}",
                        hint.en
                    ),
                ),
                cause(error),
            )
        }
        _ => error.into(),
    }
}

fn explain_migration(error: MigrateError, options: &MysqlOptions) -> Error {
    match error {
        MigrateError::Execute(error) if error.as_database_error().is_none() => error.into(),
        error => {
            let name = options.place().name();
            Error::unsuitable_because(
                Text::new(
                    format!("无法更新{}中akkaflow的表", name.zh),
                    format!(
                        "the tables of akkaflow cannot be brought up to date in {}",
                        name.en
                    ),
                ),
                Text::new(
                    "请检查该用户是否有权在其中建表和改表",
                    "check that the user may create and alter tables there",
                ),
                error,
            )
        }
    }
}

/// Refuses a server that may forget what it has confirmed.
async fn check_durability(
    connection: &mut MySqlConnection,
    options: &MysqlOptions,
) -> Result<(), Error> {
    let rows = Executor::Mysql(connection)
        .fetch(
            "SELECT CAST(@@innodb_flush_log_at_trx_commit AS CHAR), CAST(@@log_bin AS CHAR), \
             CAST(@@sync_binlog AS CHAR), CAST(@@max_allowed_packet AS SIGNED)",
            &[],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(());
    };
    let mut columns = Columns::new(row);
    let (flush, binlog, sync) = (columns.text()?, columns.text()?, columns.text()?);
    if columns.int()? < LEAST_PACKET {
        tracing::warn!(
            "max_allowed_packet is below 16 MiB: large definitions and outputs will be refused"
        );
    }
    let Some(finding) = durability_finding(&flush, &binlog, &sync) else {
        return Ok(());
    };
    if options.allow_unsafe_durability {
        tracing::warn!(
            finding,
            "acknowledged work can be lost in a power cut unless the server is run with these settings"
        );
        return Ok(());
    }
    let server = options.server();
    Err(Error::unsuitable(
        Text::new(
            format!("数据库服务器{server}在断电时可能丢失已确认的工作：应设置{finding}"),
            format!(
                "the server {server} can lose confirmed work in a power cut unless it is run with {finding}"
            ),
        ),
        Text::new(
            "请修改该服务器的设置，或在配置中允许",
            "change it there, or allow it by configuration",
        ),
    ))
}

fn durability_finding(flush: &str, binlog: &str, sync: &str) -> Option<&'static str> {
    let has_binlog = !matches!(binlog, "0" | "OFF");
    if flush != "1" {
        Some("innodb_flush_log_at_trx_commit = 1")
    } else if has_binlog && sync != "1" {
        Some("sync_binlog = 1 (the binary log is on)")
    } else {
        None
    }
}

async fn is_encrypted(connection: &mut MySqlConnection) -> Result<bool, Error> {
    let rows = Executor::Mysql(connection)
        .fetch("SHOW SESSION STATUS LIKE 'Ssl_cipher'", &[])
        .await?;
    let Some(row) = rows.first() else {
        return Ok(false);
    };
    let mut columns = Columns::new(row);
    columns.text()?;
    Ok(!columns.text()?.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_may_forget_are_found() {
        assert_eq!(durability_finding("1", "0", "0"), None);
        assert_eq!(durability_finding("1", "ON", "1"), None);
        assert!(durability_finding("2", "0", "1").is_some());
        assert!(durability_finding("1", "1", "0").is_some());
    }
}
