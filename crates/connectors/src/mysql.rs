//! MySQL and MariaDB: queries in the text protocol, whose spelling of values is exact; rows in by `LOAD DATA LOCAL` from our own
//! stream, or by many-row `INSERT` where the server has switched that off.

mod columns;
mod comments;
mod connect;
mod dialect;
mod engine;
mod exactly;
mod insert;
mod load;
mod read;
mod singly;
mod upsert;

use std::sync::Arc;
use std::time::Duration;

use akkaflow_model::db_links::DbKind;
use akkaflow_model::text::Text;
use async_trait::async_trait;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, Value};

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

pub(crate) struct Mysql;

const URL: UrlRules = UrlRules {
    names: &["mysql", "mariadb"],
    example: "jdbc:mysql://host:3306/db",
    port: Some(3306),
    options: &[
        "user",
        "password",
        "usessl",
        "requiressl",
        "verifyservercertificate",
        "sslmode",
        "connecttimeout",
        "sessionvariables",
    ],
    timeout_unit: Duration::from_millis(1),
};

#[async_trait]
impl Connector for Mysql {
    fn kind(&self) -> DbKind {
        DbKind::Mysql
    }

    fn url(&self) -> &'static UrlRules {
        &URL
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Mysql
    }

    async fn open(&self, target: &Target<'_>) -> Result<Box<dyn Session>, Error> {
        let (connection, opts) = connect::open(target).await?;
        Ok(Box::new(MysqlSession { connection, opts }))
    }
}

struct MysqlSession {
    connection: Conn,
    opts: Opts,
}

/// Server errors.
mod code {
    pub(super) const NO_SUCH_TABLE: u16 = 1146;
    /// `LOAD DATA LOCAL` is switched off: by old servers, MySQL 8, MariaDB.
    pub(super) const LOCAL_INFILE_OFF: [u16; 3] = [1148, 3948, 4166];
}

fn failed(error: mysql_async::Error) -> Error {
    match error {
        mysql_async::Error::Server(error) => Error::statement(format!(
            "{} ({}): {}",
            error.code, error.state, error.message
        )),
        other => broken(&other),
    }
}

fn broken(error: &mysql_async::Error) -> Error {
    Error::Statement(Text::new(
        format!("与数据库的连接中断：{error}"),
        format!("the connection to the database broke: {error}"),
    ))
}

fn server_code(error: &mysql_async::Error) -> Option<u16> {
    match error {
        mysql_async::Error::Server(error) => Some(error.code),
        _ => None,
    }
}

#[async_trait]
impl Session for MysqlSession {
    fn dialect(&self) -> &'static dyn Dialect {
        &Mysql
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        Arc::new(self.kill())
    }

    async fn renew(&mut self) -> Result<bool, Error> {
        // Servers before 5.7.3 cannot.
        if !self.connection.reset().await.map_err(failed)? {
            return Ok(false);
        }
        // A reset leaves the session in the database that it went to.
        match self.opts.db_name() {
            Some(name) => {
                let back = format!("use {}", Mysql.quote(name));
                self.connection.query_drop(back).await.map_err(failed)?;
                Ok(true)
            }
            None => {
                let at = self.connection.query_first("select database()").await;
                let at: Option<Option<String>> = at.map_err(failed)?;
                Ok(at == Some(None))
            }
        }
    }

    async fn execute(&mut self, statement: &str) -> Result<Done, Error> {
        let mut result = self
            .connection
            .query_iter(statement)
            .await
            .map_err(failed)?;
        let mut done = Done::default();
        // One round for each result: a procedure may give several.
        loop {
            done.affected += result.affected_rows();
            let columns = result.columns();
            let columns = columns.as_deref().unwrap_or_default();
            let names: Vec<_> = columns.iter().map(|column| column.name_str()).collect();
            let mut preview = Preview::new(names.iter().map(AsRef::as_ref));
            while let Some(row) = result.next().await.map_err(failed)? {
                preview.push((0..row.len()).map(|index| match row.as_ref(index) {
                    Some(Value::Bytes(bytes)) => Some(bytes),
                    _ => None,
                }));
            }
            keep(&mut done.results, (!names.is_empty()).then_some(preview));
            if result.is_empty() {
                break;
            }
        }
        // What a later statement of a procedure failed of is told here.
        result.drop_result().await.map_err(failed)?;
        Ok(done)
    }

    async fn describe(&mut self, query: &str) -> Result<Vec<Column>, Error> {
        let statement = self.connection.prep(query).await.map_err(failed)?;
        let columns: Vec<Column> = statement.columns().iter().map(columns::describe).collect();
        self.connection.close(statement).await.map_err(failed)?;
        if columns.is_empty() {
            return Err(no_query());
        }
        Ok(columns)
    }

    async fn table(&mut self, table: &str) -> Result<Option<Vec<Column>>, Error> {
        match self.connection.prep(format!("select * from {table}")).await {
            Ok(statement) => {
                let columns = statement.columns().iter().map(columns::describe).collect();
                self.connection.close(statement).await.map_err(failed)?;
                Ok(Some(columns))
            }
            Err(error) if server_code(&error) == Some(code::NO_SUCH_TABLE) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn column_type(&self, kind: Kind, column_count: usize) -> String {
        columns::declaration(kind, column_count)
    }

    async fn read(&mut self, query: &str, output: BatchSender) -> Result<u64, Error> {
        let rows = read::read(&mut self.connection, query, &output).await?;
        if output.is_closed() {
            // Nobody wants the rest; the driver would take it all before it hangs up.
            self.kill().cancel().await;
        }
        Ok(rows)
    }

    async fn engine_without_transactions(&mut self, table: &str) -> Result<Option<String>, Error> {
        engine::without_transactions(&mut self.connection, table).await
    }

    async fn column_comments(
        &mut self,
        table: &str,
    ) -> Result<Option<Vec<(String, String)>>, Error> {
        comments::of_columns(&mut self.connection, table).await
    }

    async fn set_comments(&mut self, table: &str, comments: &Comments) -> Result<(), Error> {
        comments::set(&mut self.connection, table, comments).await
    }

    async fn keys(&mut self, table: &str) -> Result<Vec<Key>, Error> {
        upsert::keys(&mut self.connection, table).await
    }

    async fn stage(&mut self, table: &str, target: &[Column], key: &[String]) -> Result<(), Error> {
        upsert::stage(&mut self.connection, table, target, key).await
    }

    async fn bulk_path(&mut self) -> Result<Text, Error> {
        let asked: Option<bool> = self
            .connection
            .query_first("select @@local_infile")
            .await
            .map_err(failed)?;
        Ok(match asked {
            Some(true) => Text::verbatim("LOAD DATA LOCAL"),
            _ => Text::new(
                "多行INSERT（服务器未开启local_infile，开启后更快）",
                "INSERT of many rows (the server has local_infile off; on is faster)",
            ),
        })
    }

    async fn write(&mut self, load: Load) -> Result<u64, Error> {
        check_column_count(load.source.len(), load.target.len())?;
        let conversions = conversions(&load.source, &load.target, &Mysql);
        let checks = Checks::new(&load.target, &load.key, &Mysql);
        let before = self.be_strict().await?;
        let mut load = load;
        let written = match load::load(&mut self.connection, &mut load, conversions, checks).await {
            Ok(written) if !load.key.is_empty() => {
                let merged = upsert::merge(&mut self.connection, &load).await;
                merged.map(|_| written)
            }
            written => written,
        };
        self.be_as(before, written).await
    }

    async fn write_singly(
        &mut self,
        load: &Load,
        batch: &Batch,
    ) -> Result<Option<Vec<RefusedRow>>, Error> {
        check_column_count(load.source.len(), load.target.len())?;
        let conversions = conversions(&load.source, &load.target, &Mysql);
        let checks = Checks::new(&load.target, &load.key, &Mysql);
        let before = self.be_strict().await?;
        let connection = &mut self.connection;
        let refused = singly::insert(connection, load, batch, &conversions, &checks).await;
        self.be_as(before, refused).await.map(Some)
    }

    async fn append(
        &mut self,
        table: &str,
        columns: &[Column],
        sources: &[String],
        rows: u64,
    ) -> Result<(), Error> {
        let statement = Mysql.append(table, columns, sources);
        let before = self.be_strict().await?;
        let appended = match self.connection.query_drop(statement).await {
            Ok(()) => exactly::check(&mut self.connection, rows, false).await,
            Err(error) => Err(exactly::refused(error)),
        };
        self.be_as(before, appended).await.map(|_| ())
    }
}

fn no_query() -> Error {
    Error::Statement(Text::new(
        "源语句不是查询，没有返回任何字段",
        "the source is no query: it returns no columns",
    ))
}

impl MysqlSession {
    /// Has the server say of each value that it does not take it exactly; gives back the mode that it was in.
    async fn be_strict(&mut self) -> Result<String, Error> {
        let before: Option<String> = self
            .connection
            .query_first("select @@sql_mode")
            .await
            .map_err(failed)?;
        self.connection
            .query_drop(load::SESSION)
            .await
            .map_err(failed)?;
        Ok(before.unwrap_or_default())
    }

    /// Goes back to that mode, whatever `done` came to.
    async fn be_as<T>(&mut self, before: String, done: Result<T, Error>) -> Result<T, Error> {
        // Not prepared: the driver would keep one statement for each piece of rows, and a server has so many for all.
        let mode = Mysql.literal(&before);
        let restored = self
            .connection
            .query_drop(format!(
                "set session sql_mode = {mode}, sql_notes = default"
            ))
            .await;
        let done = done?;
        restored.map_err(failed)?;
        Ok(done)
    }

    fn kill(&self) -> Kill {
        Kill {
            id: self.connection.id(),
            opts: self.opts.clone(),
        }
    }
}

/// Kills the whole connection: a session is dropped after a cancellation in any case, and a server that is stuck in sending rows to us would not
/// notice that its statement alone is killed.
struct Kill {
    id: u32,
    opts: Opts,
}

#[async_trait]
impl Canceller for Kill {
    async fn cancel(&self) {
        let Ok(mut connection) = Conn::new(self.opts.clone()).await else {
            return;
        };
        // Nobody is left to tell of a failure; the session is dropped in any case.
        let _ = connection
            .query_drop(format!("kill connection {}", self.id))
            .await;
        let _ = connection.disconnect().await;
    }
}
