//! Runs statements on a connection of either dialect.

use futures::{StreamExt as _, TryStreamExt as _};
use sqlx::mysql::{MySqlArguments, MySqlConnection};
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments as _, AssertSqlSafe, SqlSafeStr, SqlStr};
use std::sync::Arc;

use crate::error::Error;
use crate::sql::Dialect;
use crate::sql::row::{Columns, Row};
use crate::sql::table::Table;
use crate::sql::value::Value;

/// A borrowed connection.
pub(crate) enum Executor<'c> {
    /// To SQLite.
    Sqlite(&'c mut SqliteConnection),
    /// To MySQL or MariaDB.
    Mysql(&'c mut MySqlConnection),
}

/// The text of a statement: constant, or put together by [`crate::sql::texts`].
pub(crate) struct Text(SqlStr);

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self(text.into_sql_str())
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Self(AssertSqlSafe(text).into_sql_str())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(AssertSqlSafe(text).into_sql_str())
    }
}

impl Executor<'_> {
    /// Which words it understands.
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Mysql(_) => Dialect::Mysql,
        }
    }

    /// Runs a statement; returns how many rows it met.
    pub(crate) async fn execute(
        &mut self,
        text: impl Into<Text>,
        values: &[Value<'_>],
    ) -> Result<u64, sqlx::Error> {
        let text = text.into().0;
        match self {
            Self::Sqlite(connection) => sqlx::query_with(text, sqlite_arguments(values)?)
                .execute(&mut **connection)
                .await
                .map(|result| result.rows_affected()),
            Self::Mysql(connection) => sqlx::query_with(text, mysql_arguments(values)?)
                .execute(&mut **connection)
                .await
                .map(|result| result.rows_affected()),
        }
    }

    /// Runs statements without parameters, such as those that open and close a transaction.
    pub(crate) async fn raw(&mut self, text: &'static str) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => sqlx::raw_sql(text)
                .execute(&mut **connection)
                .await
                .map(drop),
            Self::Mysql(connection) => sqlx::raw_sql(text)
                .execute(&mut **connection)
                .await
                .map(drop),
        }
    }

    /// Runs a query for whole rows of a table. Each is read as it comes: a driver's row takes many times the space.
    pub(crate) async fn rows<T: Table>(
        &mut self,
        text: impl Into<Text>,
        values: &[Value<'_>],
    ) -> Result<Vec<T>, Error> {
        let text = text.into().0;
        let read = |row| T::read(&mut Columns::new(&row));
        match self {
            Self::Sqlite(connection) => {
                sqlx::query_with(text, sqlite_arguments(values)?)
                    .fetch(&mut **connection)
                    .map(|row| read(Row::Sqlite(row?)))
                    .try_collect()
                    .await
            }
            Self::Mysql(connection) => {
                sqlx::query_with(text, mysql_arguments(values)?)
                    .fetch(&mut **connection)
                    .map(|row| read(Row::Mysql(row?)))
                    .try_collect()
                    .await
            }
        }
    }

    /// Runs a query and collects its rows.
    pub(crate) async fn fetch(
        &mut self,
        text: impl Into<Text>,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, sqlx::Error> {
        let text = text.into().0;
        match self {
            Self::Sqlite(connection) => {
                sqlx::query_with(text, sqlite_arguments(values)?)
                    .fetch(&mut **connection)
                    .map_ok(Row::Sqlite)
                    .try_collect()
                    .await
            }
            Self::Mysql(connection) => {
                sqlx::query_with(text, mysql_arguments(values)?)
                    .fetch(&mut **connection)
                    .map_ok(Row::Mysql)
                    .try_collect()
                    .await
            }
        }
    }
}

fn sqlite_arguments(values: &[Value<'_>]) -> Result<SqliteArguments, sqlx::Error> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        match value {
            Value::Null => arguments.add(None::<i64>),
            Value::Int(number) => arguments.add(*number),
            Value::Text(text) => arguments.add(text.as_ref()),
            Value::Bytes(bytes) => arguments.add(bytes.as_ref()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn mysql_arguments(values: &[Value<'_>]) -> Result<MySqlArguments, sqlx::Error> {
    let mut arguments = MySqlArguments::default();
    arguments.reserve(values.len(), values.iter().map(Value::weight).sum());
    for value in values {
        match value {
            Value::Null => arguments.add(None::<i64>),
            Value::Int(number) => arguments.add(*number),
            Value::Text(text) => arguments.add(text.as_ref()),
            Value::Bytes(bytes) => arguments.add(bytes.as_ref()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}
