//! MySQL and MariaDB: the intersection of their dialects.
//!
//! Three kinds of connections: one that commits, one that renews the lease, and a pool for everything else. A new
//! connection of the writer proves the lease and publishes its number before it writes, so that a successor can cut it.

mod commit;
mod leadership;
mod options;
mod session;
mod writer;

use std::time::Duration;

use akkaflow_model::id::{Epoch, InstanceId};
use akkaflow_model::record::Snapshot;
use akkaflow_model::time::Timestamp;
use async_trait::async_trait;
use sqlx::Connection as _;
use sqlx::mysql::{MySqlPool, MySqlPoolOptions};
use tokio::sync::Mutex;

use crate::batch::{Batch, CommitError};
use crate::contract::{Contents, Store};
use crate::error::Error;
use crate::lease::{Candidate, Lease, TakenOver};
use crate::log::{LogChunk, StoredChunk};
use crate::mysql::session::{CONNECT, Purpose};
use crate::mysql::writer::Writer;
use crate::place::Place;
use crate::sql::executor::Executor;
use crate::sql::lending::{Lend, Lent, QUERY, read, within};
use crate::sql::texts::Texts;
use crate::sql::value::Value;
use crate::sql::{Dialect, logs, mails, reads, retention, snapshot};
use crate::trim::{Trim, Trimmed};

pub use options::MysqlOptions;

/// Loading all that is open may take longer.
const SNAPSHOT: Duration = Duration::from_secs(120);

/// The facts in MySQL or MariaDB.
#[derive(Debug)]
pub struct MysqlStore {
    writer: Writer,
    renewer: Writer,
    readers: MySqlPool,
    /// One at a time, so that numbers of chunks become visible in their order.
    appending: Mutex<()>,
    statement_bytes: usize,
    texts: Texts,
    place: Place,
}

impl MysqlStore {
    /// Connects, checks the server's durability and brings the tables up to date. Later outages are survived: each call
    /// says [`Error::Unavailable`] until the server is back.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the server does not answer within 5 seconds; [`Error::Unsuitable`] says what to
    /// change: a missing database, a refused user, settings that lose confirmed work.
    pub async fn connect(options: MysqlOptions) -> Result<Self, Error> {
        let place = options.place();
        let statement_bytes = session::prepare(&options)
            .await
            .map_err(|error| error.at(&place))?;
        let readers = MySqlPoolOptions::new()
            .max_connections(options.max_connections.max(2))
            .acquire_timeout(CONNECT)
            .after_connect(|connection, _| Box::pin(session::set_up(connection, Purpose::Read)))
            .connect_lazy_with(*options.connect.clone());
        Ok(Self {
            writer: Writer::new(*options.connect.clone(), Purpose::Write),
            renewer: Writer::new(*options.connect, Purpose::Read),
            readers,
            appending: Mutex::default(),
            statement_bytes,
            texts: Texts::new(Dialect::Mysql),
            place,
        })
    }

    /// What comes of `work` when the server does not keep silent for longer than `limit`.
    async fn bounded<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        within(limit, work)
            .await
            .map_err(|error| error.at(&self.place))
    }

    async fn consistent_snapshot(
        &self,
        now: Timestamp,
        contents: Contents,
    ) -> Result<Snapshot, Error> {
        let mut connection = self.readers.acquire().await?;
        Executor::Mysql(&mut connection)
            .raw("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            .await?;
        let mut transaction = connection
            .begin_with("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            .await?;
        let mut executor = Executor::Mysql(&mut transaction);
        snapshot::snapshot(&mut executor, now, contents).await
    }

    async fn append(&self, chunks: &[LogChunk]) -> Result<(), Error> {
        let _turn = self.appending.lock().await;
        let mut transaction = self.readers.begin().await?;
        let mut executor = Executor::Mysql(&mut transaction);
        logs::append(&mut executor, chunks, self.statement_bytes).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn remove_old(&self, trim: Trim) -> Result<Trimmed, Error> {
        let mut connection = self.readers.acquire().await?;
        let mut executor = Executor::Mysql(&mut connection);
        let mut trimmed = Trimmed {
            journal: retention::trim_journal(&mut executor, &trim).await?,
            requests: retention::trim_requests(&mut executor, &trim).await?,
            mails: mails::trim(&mut executor, &trim).await?,
            ..Trimmed::default()
        };
        if let Some(id) = retention::unswept(&mut executor).await? {
            trimmed.output = retention::remove_output(&mut executor, id, trim.limit).await?;
            if trimmed.output < u64::from(trim.limit) {
                retention::swept(&mut executor, id).await?;
                trimmed.swept = 1;
            }
        }
        Ok(trimmed)
    }

    async fn write_setting(&self, name: &str, default: &str) -> Result<String, Error> {
        let mut connection = self.readers.acquire().await?;
        let mut executor = Executor::Mysql(&mut connection);
        executor
            .execute(
                "INSERT INTO af_setting (name, content) VALUES (?, ?) \
                 ON DUPLICATE KEY UPDATE content = content",
                &[Value::text(name), Value::text(default)],
            )
            .await?;
        let content = reads::setting(&mut executor, name).await?;
        Ok(content.unwrap_or_else(|| default.to_owned()))
    }
}

#[async_trait]
impl Lend for MysqlStore {
    async fn lend(&self) -> Result<Lent, sqlx::Error> {
        self.readers.acquire().await.map(Lent::Mysql)
    }

    fn place(&self) -> &Place {
        &self.place
    }
}

#[async_trait]
impl Store for MysqlStore {
    async fn lease(&self) -> Result<Option<Lease>, Error> {
        read!(self, reads::lease)
    }

    async fn renew(&self, epoch: Epoch, incarnation: u128) -> Result<bool, Error> {
        let renewed = self.renew_lease(epoch, incarnation).await;
        renewed.map_err(|error| error.at(&self.place))
    }

    async fn take_over(
        &self,
        seen: Option<&Lease>,
        candidate: &Candidate,
    ) -> Result<Option<TakenOver>, Error> {
        let taken = self.take_lease(seen, candidate).await;
        taken.map_err(|error| error.at(&self.place))
    }

    async fn release(&self, epoch: Epoch, incarnation: u128) -> Result<(), Error> {
        self.bounded(QUERY, self.give_back(epoch, incarnation))
            .await
    }

    async fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        let written = self.write(batch).await;
        written.map_err(|error| error.at(&self.place))
    }

    async fn snapshot_in_parts(
        &self,
        now: Timestamp,
        contents: Contents,
    ) -> Result<Snapshot, Error> {
        self.bounded(SNAPSHOT, self.consistent_snapshot(now, contents))
            .await
    }

    async fn trim(&self, trim: Trim) -> Result<Trimmed, Error> {
        self.bounded(QUERY, self.remove_old(trim)).await
    }

    async fn setting(&self, name: &str, default: &str) -> Result<String, Error> {
        if let Some(content) = read!(self, reads::setting, name)? {
            return Ok(content);
        }
        self.bounded(QUERY, self.write_setting(name, default)).await
    }

    async fn append_log(&self, chunks: &[LogChunk]) -> Result<(), Error> {
        if chunks.is_empty() {
            return Ok(());
        }
        self.bounded(QUERY, self.append(chunks)).await
    }

    async fn read_log(
        &self,
        id: InstanceId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredChunk>, Error> {
        read!(self, logs::read, id, after, limit)
    }
}
