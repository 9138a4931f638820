//! What every database can do for us.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use akkaflow_model::text::Text;
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::batch::{Batch, BatchReceiver, BatchSender};
use crate::column::{Column, Kind};
use crate::dialect::Dialect;
use crate::error::Error;
use crate::preview::Preview;

/// What a statement did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Done {
    /// Rows changed. What a database says for a statement that returned rows means nothing.
    pub affected: u64,
    /// The rows that it returned, as far as a log shows them; one for each result of a procedure.
    pub results: Vec<Preview>,
}

/// What is said of a table and its columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comments {
    /// Of the table; `None` leaves it as it is.
    pub table: Option<String>,
    /// Names of columns, and their comments.
    pub columns: Vec<(String, String)>,
}

/// Columns of a table whose values no two of its rows share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// What the database calls it.
    pub name: String,
    /// Whether it is the primary key.
    pub is_primary: bool,
    /// Names of its columns, unquoted, in its order.
    pub columns: Vec<String>,
}

/// Where rows go.
#[derive(Debug)]
pub struct Load {
    /// The table, as the user spelled it.
    pub table: String,
    /// Those of its columns that are written; the others get their default.
    pub target: Vec<Column>,
    /// The columns of the rows that will come: as many, in the same order.
    pub source: Vec<Column>,
    /// Names of written columns that are a key of the table: a row takes the place of the one that shares their values, and of several such rows
    /// the last one counts. Empty: every row is added. Needs [`Session::stage`].
    pub key: Vec<String>,
    /// The rows.
    pub rows: BatchReceiver,
    /// Counts them.
    pub progress: Progress,
}

/// A row of a batch that a table refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRow {
    /// Its place in the batch, from 0.
    pub at: usize,
    /// Why.
    pub reason: Text,
}

/// Counts rows while they are written; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    /// Adds written rows.
    pub fn add(&self, batch: &Batch) {
        let (rows, bytes) = (batch.row_count() as u64, batch.byte_count() as u64);
        self.0.rows.fetch_add(rows, Ordering::Relaxed);
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Rows written until now.
    pub fn rows(&self) -> u64 {
        self.0.rows.load(Ordering::Relaxed)
    }

    /// Bytes of their values.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }
}

/// One connection to one database. Dropping it rolls back what was not committed.
#[async_trait]
pub trait Session: Send {
    /// How statements are spelled here.
    fn dialect(&self) -> &'static dyn Dialect;

    /// Stops on the server whatever this session is running.
    fn canceller(&self) -> Arc<dyn Canceller>;

    /// Makes the session as it was when it was opened, without anything that was left in it; `false` where only a new one is like that.
    ///
    /// # Errors
    /// [`Error::Statement`] when the connection is gone.
    async fn renew(&mut self) -> Result<bool, Error> {
        Ok(false)
    }

    /// Runs one statement to its end. Of the rows that it returns the first are kept, the others counted.
    ///
    /// # Errors
    /// [`Error::Statement`] with the server's words.
    async fn execute(&mut self, statement: &str) -> Result<Done, Error>;

    /// The columns of a query's result; the query is not run.
    ///
    /// # Errors
    /// [`Error::Statement`] when it is no query.
    async fn describe(&mut self, query: &str) -> Result<Vec<Column>, Error>;

    /// The columns of a query's result for a table that is to be made: where its declarations say nothing of what a column
    /// holds, its values do.
    ///
    /// # Errors
    /// [`Error::Statement`] when it is no query.
    async fn describe_values(&mut self, query: &str) -> Result<Vec<Column>, Error> {
        self.describe(query).await
    }

    /// The columns of a table; `None` when there is no such table.
    ///
    /// # Errors
    /// [`Error::Statement`] when the database does not say.
    async fn table(&mut self, table: &str) -> Result<Option<Vec<Column>>, Error>;

    /// The type to declare for a column of a new table, so that it takes every value of `kind`; the table has `column_count` of them.
    fn column_type(&self, kind: Kind, column_count: usize) -> String;

    /// The statement that makes a table with columns like these; `key` names those of its primary key.
    fn create_table(&self, table: &str, columns: &[Column], key: &[String]) -> String {
        let mut declared: Vec<String> = columns
            .iter()
            .map(|column| {
                let name = self.dialect().quote(&column.name);
                format!("{name} {}", self.column_type(column.kind, columns.len()))
            })
            .collect();
        if !key.is_empty() {
            declared.push(format!("primary key ({})", self.dialect().list(key)));
        }
        format!("create table {table} ({})", declared.join(", "))
    }

    /// Sends the rows of `query` as they come. Ends early, without an error, when nobody takes them any more.
    ///
    /// # Errors
    /// [`Error::Statement`] with the server's words.
    async fn read(&mut self, query: &str, output: BatchSender) -> Result<u64, Error>;

    /// The engine of a table that knows no transactions; `None` when the table does, or nobody says.
    ///
    /// # Errors
    /// [`Error::Statement`] when the connection broke.
    async fn engine_without_transactions(&mut self, table: &str) -> Result<Option<String>, Error> {
        let _ = table;
        Ok(None)
    }

    /// The comments of a table's columns, in its order, empty where there is none; `None` when there is no such table.
    ///
    /// # Errors
    /// [`Error::Configuration`] where the database knows no comments, [`Error::Statement`] with the server's words.
    async fn column_comments(
        &mut self,
        table: &str,
    ) -> Result<Option<Vec<(String, String)>>, Error>;

    /// Sets comments: all of them, or none when it fails.
    ///
    /// # Errors
    /// The same.
    async fn set_comments(&mut self, table: &str, comments: &Comments) -> Result<(), Error>;

    /// The keys of a table by which a row can be found; those over parts of values, expressions or some rows alone are left out.
    ///
    /// # Errors
    /// [`Error::Statement`] with the server's words.
    async fn keys(&mut self, table: &str) -> Result<Vec<Key>, Error>;

    /// Makes ready for a [`Load`] with a `key`: outside of its transaction, since MySQL commits at a `create`. What it makes goes with the session.
    ///
    /// # Errors
    /// [`Error::Statement`] with the server's words.
    async fn stage(&mut self, table: &str, target: &[Column], key: &[String]) -> Result<(), Error>;

    /// The way that [`Session::write`] takes, in a few words.
    ///
    /// # Errors
    /// [`Error::Statement`] when the connection broke.
    async fn bulk_path(&mut self) -> Result<Text, Error>;

    /// Writes all rows inside the transaction that the caller opened. Says how many the table took; it took each of them
    /// exactly, or this is an error.
    ///
    /// # Errors
    /// [`Error::Unfit`] for a row that the table refuses, [`Error::Row`] for columns that do not fit, [`Error::Statement`] otherwise.
    async fn write(&mut self, load: Load) -> Result<u64, Error>;

    /// Adds the rows of `batch` that the table takes exactly, whatever becomes of the others, inside the transaction that the caller opened. Gives back
    /// the others, in order; `None`, and nothing is written, where that is no faster than [`Session::write`] for single rows. `load` says where
    /// they go; its own rows are not looked at, and it has no key.
    ///
    /// # Errors
    /// [`Error::Row`] for columns that do not fit, [`Error::Statement`] otherwise.
    async fn write_singly(
        &mut self,
        load: &Load,
        batch: &Batch,
    ) -> Result<Option<Vec<RefusedRow>>, Error> {
        let _ = (load, batch);
        Ok(None)
    }

    /// Adds all rows of `sources`, tables with just these columns and `rows` rows together, to `table`, inside the transaction that the
    /// caller opened. It takes each of them exactly, or this is an error.
    ///
    /// # Errors
    /// [`Error::Unfit`] or [`Error::Statement`] with the server's words.
    async fn append(
        &mut self,
        table: &str,
        columns: &[Column],
        sources: &[String],
        rows: u64,
    ) -> Result<(), Error> {
        let statement = self.dialect().append(table, columns, sources);
        let taken = self.execute(&statement).await?.affected;
        check_row_count(rows, taken)
    }
}

/// Cancels on the server from outside the session.
#[async_trait]
pub trait Canceller: Send + Sync {
    /// Asks the server to stop the running statement.
    async fn cancel(&self);
}

/// How long the server may take to hear of a cancellation, and then the statement to end. Together below the two seconds in which
/// an attempt must be gone.
const CANCEL_STEP: Duration = Duration::from_millis(900);

/// Runs `work`, which uses a session with this `canceller`, until it ends or `stop` fires; then cancels it on the server.
///
/// # Errors
/// [`Error::Cancelled`] when it was stopped, else what `work` says.
pub async fn cancellable<T>(
    stop: &CancellationToken,
    canceller: Arc<dyn Canceller>,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        result = &mut work => return result,
    }
    let told = tokio::time::timeout(CANCEL_STEP, canceller.cancel());
    // The work must go on being polled: a server may only notice once its answer is taken.
    let _ = tokio::join!(told, tokio::time::timeout(2 * CANCEL_STEP, &mut work));
    Err(Error::Cancelled)
}

/// Rejects rows of which some are missing.
fn check_row_count(sent: u64, taken: u64) -> Result<(), Error> {
    if sent == taken {
        return Ok(());
    }
    Err(Error::Row(Text::new(
        format!("共{sent}条记录，但目标表只接收了{taken}条，已全部回滚"),
        format!("there are {sent} rows, but the target took {taken}, nothing is kept"),
    )))
}

/// Rejects a load whose rows have another number of fields than the table has columns.
pub(crate) fn check_column_count(source: usize, target: usize) -> Result<(), Error> {
    if source == target {
        return Ok(());
    }
    Err(Error::Row(Text::new(
        format!(
            "存在某（多条）记录的字段个数不等于{target}：源有{source}个字段，目标表有{target}个字段"
        ),
        format!(
            "the source has {source} column{}, the target table has {target}",
            if source == 1 { "" } else { "s" }
        ),
    )))
}
