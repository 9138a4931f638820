//! PostgreSQL: rows out and in by `COPY` in its text format.

mod columns;
mod connect;
mod copy;
mod dialect;
mod singly;
mod upsert;

use std::sync::Arc;
use std::time::Duration;

use akkaflow_model::db_links::DbKind;
use akkaflow_model::text::Text;
use async_trait::async_trait;
use futures::TryStreamExt;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgDatabaseError, PgRow};
use sqlx::{AssertSqlSafe, Column as _, Connection, Either, Row as _};

use crate::batch::{Batch, BatchSender};
use crate::column::{Column, Kind};
use crate::connect::{Connector, Target};
use crate::convert::conversions;
use crate::dialect::Dialect;
use crate::error::Error;
use crate::exact::Checks;
use crate::jdbc::UrlRules;
use crate::preview::{Preview, keep};
use crate::session::{
    Canceller, Comments, Done, Key, Load, RefusedRow, Session, check_column_count,
};

pub(crate) struct Postgres;

const URL: UrlRules = UrlRules {
    names: &["postgresql"],
    example: "jdbc:postgresql://host:5432/db",
    port: Some(5432),
    options: &[
        "user",
        "password",
        "ssl",
        "sslmode",
        "sslrootcert",
        "currentschema",
        "applicationname",
        "connecttimeout",
    ],
    timeout_unit: Duration::from_secs(1),
};

#[async_trait]
impl Connector for Postgres {
    fn kind(&self) -> DbKind {
        DbKind::Postgres
    }

    fn url(&self) -> &'static UrlRules {
        &URL
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Postgres
    }

    async fn open(&self, target: &Target<'_>) -> Result<Box<dyn Session>, Error> {
        let (mut connection, options) = connect::open(target).await?;
        let process: i32 = sqlx::query_scalar("select pg_backend_pid()")
            .fetch_one(&mut connection)
            .await
            .map_err(failed)?;
        Ok(Box::new(PostgresSession {
            connection,
            options,
            process,
        }))
    }
}

struct PostgresSession {
    connection: PgConnection,
    options: PgConnectOptions,
    /// The server's process for this session.
    process: i32,
}

fn failed(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(database) => Error::statement(words(database.as_ref())),
        other => Error::Statement(Text::new(
            format!("与数据库的连接中断：{other}"),
            format!("the connection to the database broke: {other}"),
        )),
    }
}

/// Everything that the server says of an error.
fn words(error: &dyn sqlx::error::DatabaseError) -> String {
    let Some(error) = error.try_downcast_ref::<PgDatabaseError>() else {
        return error.message().to_owned();
    };
    let mut words = format!("{}: {}", error.code(), error.message());
    for more in [error.detail(), error.hint(), error.r#where()]
        .into_iter()
        .flatten()
    {
        words.push_str("; ");
        words.push_str(more);
    }
    words
}

/// The simple protocol spells every value as text.
fn show(row: &PgRow, preview: &mut Preview) -> Result<(), sqlx::Error> {
    let values: Vec<_> = (0..row.len())
        .map(|index| row.try_get_raw(index))
        .collect::<Result<_, _>>()?;
    preview.push(values.iter().map(|value| value.as_bytes().ok()));
    Ok(())
}

impl PostgresSession {
    async fn run(&mut self, statement: &str) -> Result<Done, Error> {
        let mut steps = sqlx::raw_sql(AssertSqlSafe(statement)).fetch_many(&mut self.connection);
        let mut done = Done::default();
        let mut preview = None;
        while let Some(step) = steps.try_next().await.map_err(failed)? {
            match step {
                Either::Left(result) => {
                    done.affected += result.rows_affected();
                    keep(&mut done.results, preview.take());
                }
                Either::Right(row) => {
                    let names = row.columns().iter().map(|column| column.name());
                    show(&row, preview.get_or_insert_with(|| Preview::new(names)))
                        .map_err(failed)?;
                }
            }
        }
        Ok(done)
    }

    /// Through a view that is never committed: no other way gives lengths and scales.
    async fn describe_by_view(&mut self, query: &str) -> Result<Vec<Column>, Error> {
        self.run("begin").await?;
        let made = self
            .run(&format!(
                "create temporary view akkaflow_describe as {query}"
            ))
            .await;
        let columns = match made {
            Ok(_) => self.table("akkaflow_describe").await,
            Err(error) => Err(error),
        };
        self.run("rollback").await?;
        Ok(columns?.unwrap_or_default())
    }
}

#[async_trait]
impl Session for PostgresSession {
    fn dialect(&self) -> &'static dyn Dialect {
        &Postgres
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        Arc::new(CancelBackend {
            process: self.process,
            options: self.options.clone(),
        })
    }

    async fn renew(&mut self) -> Result<bool, Error> {
        // It does nothing within a transaction but to fail.
        self.run("rollback").await?;
        self.connection
            .clear_cached_statements()
            .await
            .map_err(failed)?;
        self.run("discard all").await?;
        Ok(true)
    }

    async fn execute(&mut self, statement: &str) -> Result<Done, Error> {
        self.run(statement).await
    }

    async fn describe(&mut self, query: &str) -> Result<Vec<Column>, Error> {
        if let Ok(columns) = self.describe_by_view(query).await {
            return Ok(columns);
        }
        // No view: two columns of one name, no right to make one, or no query at all. The words of this error are the better ones.
        copy::describe(&mut self.connection, query).await
    }

    async fn table(&mut self, table: &str) -> Result<Option<Vec<Column>>, Error> {
        let is_there: bool = sqlx::query_scalar("select to_regclass($1) is not null")
            .bind(table)
            .fetch_one(&mut self.connection)
            .await
            .map_err(failed)?;
        if !is_there {
            return Ok(None);
        }
        let rows = sqlx::query(
            "select attname::text, format_type(atttypid, atttypmod) from pg_attribute \
             where attrelid = to_regclass($1) and attnum > 0 and not attisdropped \
             and attgenerated = '' order by attnum",
        )
        .bind(table)
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed)?;
        let column = |row: &PgRow| {
            let name: String = row.try_get(0)?;
            let declared: String = row.try_get(1)?;
            Ok(Column::new(name, columns::kind(&declared)))
        };
        let columns: Result<Vec<Column>, sqlx::Error> = rows.iter().map(column).collect();
        columns.map(Some).map_err(failed)
    }

    fn column_type(&self, kind: Kind, _column_count: usize) -> String {
        columns::declaration(kind)
    }

    async fn read(&mut self, query: &str, output: BatchSender) -> Result<u64, Error> {
        let columns = copy::describe(&mut self.connection, query).await?;
        copy::read(&mut self.connection, query, &columns, output).await
    }

    async fn column_comments(
        &mut self,
        table: &str,
    ) -> Result<Option<Vec<(String, String)>>, Error> {
        if self.table(table).await?.is_none() {
            return Ok(None);
        }
        let rows: Vec<(String, Option<String>)> = sqlx::query_as(
            "select attname::text, col_description(attrelid, attnum::int) from pg_attribute \
             where attrelid = to_regclass($1) and attnum > 0 and not attisdropped order by attnum",
        )
        .bind(table)
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed)?;
        let columns = rows.into_iter();
        let columns = columns.map(|(name, comment)| (name, comment.unwrap_or_default()));
        Ok(Some(columns.collect()))
    }

    async fn set_comments(&mut self, table: &str, comments: &Comments) -> Result<(), Error> {
        let literal = |text: &str| Postgres.literal(text);
        let mut statements = vec!["begin".to_owned()];
        for (column, comment) in &comments.columns {
            let column = Postgres.quote(column);
            let comment = literal(comment);
            statements.push(format!("comment on column {table}.{column} is {comment}"));
        }
        if let Some(comment) = &comments.table {
            let comment = literal(comment);
            statements.push(format!("comment on table {table} is {comment}"));
        }
        statements.push("commit".to_owned());
        for statement in statements {
            // What fails ends the connection's transaction with the session.
            self.execute(&statement).await?;
        }
        Ok(())
    }

    async fn keys(&mut self, table: &str) -> Result<Vec<Key>, Error> {
        upsert::keys(&mut self.connection, table).await
    }

    async fn stage(&mut self, table: &str, target: &[Column], _: &[String]) -> Result<(), Error> {
        upsert::stage(&mut self.connection, table, target).await
    }

    async fn bulk_path(&mut self) -> Result<Text, Error> {
        Ok(Text::verbatim("COPY"))
    }

    async fn write(&mut self, load: Load) -> Result<u64, Error> {
        check_column_count(load.source.len(), load.target.len())?;
        let conversions = conversions(&load.source, &load.target, &Postgres);
        let checks = Checks::new(&load.target, &load.key, &Postgres);
        copy::write(&mut self.connection, load, &conversions, &checks).await
    }

    async fn write_singly(
        &mut self,
        load: &Load,
        batch: &Batch,
    ) -> Result<Option<Vec<RefusedRow>>, Error> {
        check_column_count(load.source.len(), load.target.len())?;
        singly::insert(self, load, batch).await.map(Some)
    }
}

struct CancelBackend {
    process: i32,
    options: PgConnectOptions,
}

#[async_trait]
impl Canceller for CancelBackend {
    async fn cancel(&self) {
        let Ok(mut connection) = PgConnection::connect_with(&self.options).await else {
            return;
        };
        // Nobody is left to tell of a failure; the session is dropped in any case.
        let _ = sqlx::query("select pg_cancel_backend($1)")
            .bind(self.process)
            .execute(&mut connection)
            .await;
        let _ = connection.close().await;
    }
}
