//! Rows in one by one, for those of which a table refuses many.
//!
//! A message holds an `insert` for each row, between a savepoint and its release. The server carries them out in their order and stops at the one
//! that fails: a refused row costs few round trips. `COPY` tells of wrong values better, since it names the column: it gets these once more.

use akkaflow_model::text::Text;
use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, Either};

use super::{Postgres, PostgresSession, copy, failed};
use crate::batch::{Batch, Row, channel};
use crate::convert::{Conversion, conversions};
use crate::dialect::Dialect as _;
use crate::error::Error;
use crate::exact::Checks;
use crate::session::{Load, Progress, RefusedRow};

/// Rows of a message: with fewer the call itself weighs, with more those behind a refused row are sent again and again.
const ROWS: usize = 64;

/// A message has no row more once it has this many bytes.
const MESSAGE_BYTES: usize = 256 * 1024;

const SAVEPOINT: &str = "savepoint akkaflow_row";
const RELEASE: &str = "release savepoint akkaflow_row";
const BACK: &str = "rollback to savepoint akkaflow_row; release savepoint akkaflow_row";

/// Statements of a row.
const STATEMENTS: usize = 3;

/// Adds the rows of `batch`, all but those that it gives back.
pub(super) async fn insert(
    session: &mut PostgresSession,
    load: &Load,
    batch: &Batch,
) -> Result<Vec<RefusedRow>, Error> {
    let columns = Postgres.names(&load.target);
    let writer = Writer {
        head: format!(
            "insert into {} ({columns}){} values ",
            load.table,
            Postgres.overriding()
        ),
        conversions: conversions(&load.source, &load.target, &Postgres),
        checks: Checks::new(&load.target, &load.key, &Postgres),
        load,
    };
    writer.write(session, batch).await
}

struct Writer<'a> {
    head: String,
    conversions: Vec<Conversion>,
    checks: Checks,
    load: &'a Load,
}

impl Writer<'_> {
    async fn write(
        &self,
        session: &mut PostgresSession,
        batch: &Batch,
    ) -> Result<Vec<RefusedRow>, Error> {
        let rows: Vec<(u64, Row<'_>)> = batch.numbered_rows().collect();
        let mut refused = Vec::new();
        let mut start = 0;
        while start < rows.len() {
            let (message, count) = self.message(&rows[start..]);
            let failure = match count {
                0 => None,
                _ => send(session, message).await?,
            };
            let (taken, reason) = match failure {
                None if count > 0 => (count, None),
                // No statement can hold it: the server shall say why.
                None => (0, self.alone(session, &rows[start]).await?),
                Some((taken, error)) => {
                    session.run(BACK).await?;
                    let reason = match is_of_value(&error) {
                        true => self.alone(session, &rows[start + taken]).await?,
                        false => Some(reason(copy::refused(error))?),
                    };
                    (taken, reason)
                }
            };
            start += taken;
            if let Some(reason) = reason {
                refused.push(RefusedRow { at: start, reason });
            }
            start += usize::from(taken < count || count == 0);
        }
        Ok(refused)
    }

    /// The statements of the first rows, and of how many.
    fn message(&self, rows: &[(u64, Row<'_>)]) -> (String, usize) {
        let mut message = String::new();
        for (count, (number, row)) in rows.iter().take(ROWS).enumerate() {
            let is_exact = self.checks.check_row(*number, row.clone()).is_ok();
            let values = self.values(row.clone()).filter(|_| is_exact);
            let (true, Some(values)) = (message.len() < MESSAGE_BYTES, values) else {
                return (message, count);
            };
            message += &format!("{SAVEPOINT}; {}{values}; {RELEASE};\n", self.head);
        }
        (message, rows.len().min(ROWS))
    }

    /// `None` for what no statement can hold: bytes that are no text, and zeros.
    fn values(&self, row: Row<'_>) -> Option<String> {
        let mut values = Vec::with_capacity(self.conversions.len());
        let mut converted = Vec::new();
        for (value, conversion) in row.zip(&self.conversions) {
            let Some(value) = value else {
                values.push("null".to_owned());
                continue;
            };
            converted.clear();
            conversion.append(value, &mut converted);
            let text = std::str::from_utf8(&converted).ok()?;
            if text.contains('\0') {
                return None;
            }
            values.push(Postgres.literal(text));
        }
        Some(format!("({})", values.join(", ")))
    }

    /// Writes a single row by `COPY`, or says why the table refuses it.
    async fn alone(
        &self,
        session: &mut PostgresSession,
        (number, row): &(u64, Row<'_>),
    ) -> Result<Option<Text>, Error> {
        let (sender, rows) = channel();
        let mut batch = Batch::default();
        batch.push_row(*number, row.clone());
        batch.send(&sender).await;
        drop(sender);
        let load = Load {
            table: self.load.table.clone(),
            target: self.load.target.clone(),
            source: self.load.source.clone(),
            key: Vec::new(),
            rows,
            progress: Progress::default(),
        };
        session.run(SAVEPOINT).await?;
        let connection = &mut session.connection;
        match copy::write(connection, load, &self.conversions, &self.checks).await {
            Ok(_) => {
                session.run(RELEASE).await?;
                Ok(None)
            }
            Err(error) => {
                let reason = reason(error)?;
                session.run(BACK).await?;
                Ok(Some(reason))
            }
        }
    }
}

/// The rows before the one that fails are in; `None` when none does.
async fn send(
    session: &mut PostgresSession,
    message: String,
) -> Result<Option<(usize, sqlx::Error)>, Error> {
    let mut steps = sqlx::raw_sql(AssertSqlSafe(message)).fetch_many(&mut session.connection);
    let mut done = 0;
    loop {
        match steps.try_next().await {
            Ok(Some(Either::Left(_))) => done += 1,
            Ok(Some(Either::Right(_))) => {}
            Ok(None) => return Ok(None),
            Err(error @ sqlx::Error::Database(_)) => return Ok(Some((done / STATEMENTS, error))),
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Whether it is of a class of errors that `COPY` names the column for.
fn is_of_value(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code.starts_with("22"))
}

/// Of a row that is refused; else it fails everything.
fn reason(error: Error) -> Result<Text, Error> {
    match error {
        Error::Unfit(unfit) => Ok(unfit.reason),
        error => Err(error),
    }
}
