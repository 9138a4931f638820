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
use akkaflow_model::record::{
    AttemptRow, FileProblemRow, FireRow, InstanceRow, NodeRow, ScheduleRow, Snapshot, TokenRow,
    VersionRow, WorkflowRow,
};
use akkaflow_model::state::InstanceState;
use akkaflow_model::time::Timestamp;
use async_trait::async_trait;
use sqlx::Connection as _;
use sqlx::mysql::{MySqlPool, MySqlPoolOptions};
use tokio::sync::Mutex;

use crate::batch::{Batch, BatchId, CommitError};
use crate::contract::Store;
use crate::error::Error;
use crate::lease::{Candidate, Lease, TakenOver};
use crate::log::{LogChunk, StoredChunk};
use crate::mysql::leadership::within;
use crate::mysql::session::{CONNECT, Purpose};
use crate::mysql::writer::Writer;
use crate::query::InstanceQuery;
use crate::sql::executor::Executor;
use crate::sql::texts::Texts;
use crate::sql::value::Value;
use crate::sql::{Dialect, daily, logs, reads, snapshot};

pub use options::MysqlOptions;

/// A query that takes longer is given up: the server is stuck.
const QUERY: Duration = Duration::from_secs(30);

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
}

impl MysqlStore {
    /// Connects, checks the server's durability and brings the tables up to date. Later outages are survived: each call
    /// says [`Error::Unavailable`] until the server is back.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the server does not answer within 5 seconds; [`Error::Unsuitable`] says what to
    /// change: a missing database, a refused user, settings that lose confirmed work.
    pub async fn connect(options: MysqlOptions) -> Result<Self, Error> {
        let statement_bytes = session::prepare(&options).await?;
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
        })
    }

    async fn consistent_snapshot(&self, now: Timestamp) -> Result<Snapshot, Error> {
        let mut connection = self.readers.acquire().await?;
        Executor::Mysql(&mut connection)
            .raw("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            .await?;
        let mut transaction = connection
            .begin_with("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            .await?;
        snapshot::snapshot(&mut Executor::Mysql(&mut transaction), now).await
    }

    async fn append(&self, chunks: &[LogChunk]) -> Result<(), Error> {
        let _turn = self.appending.lock().await;
        let mut transaction = self.readers.begin().await?;
        let mut executor = Executor::Mysql(&mut transaction);
        logs::append(&mut executor, chunks, self.statement_bytes).await?;
        transaction.commit().await?;
        Ok(())
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

/// Runs one of the shared queries on a connection of the pool.
macro_rules! read {
    ($self:ident, $query:path $(, $argument:expr)*) => {{
        within(QUERY, async {
            let mut connection = $self.readers.acquire().await?;
            $query(&mut Executor::Mysql(&mut connection) $(, $argument)*).await
        })
        .await
    }};
}

#[async_trait]
impl Store for MysqlStore {
    async fn lease(&self) -> Result<Option<Lease>, Error> {
        read!(self, reads::lease)
    }

    async fn renew(&self, epoch: Epoch, incarnation: u128) -> Result<bool, Error> {
        self.renew_lease(epoch, incarnation).await
    }

    async fn take_over(
        &self,
        seen: Option<&Lease>,
        candidate: &Candidate,
    ) -> Result<Option<TakenOver>, Error> {
        self.take_lease(seen, candidate).await
    }

    async fn release(&self, epoch: Epoch, incarnation: u128) -> Result<(), Error> {
        within(QUERY, self.give_back(epoch, incarnation)).await
    }

    async fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        self.write(batch).await
    }

    async fn batch_at(&self, seq: u64) -> Result<Option<BatchId>, Error> {
        read!(self, reads::batch_at, seq)
    }

    async fn snapshot(&self, now: Timestamp) -> Result<Snapshot, Error> {
        within(SNAPSHOT, self.consistent_snapshot(now)).await
    }

    async fn setting(&self, name: &str, default: &str) -> Result<String, Error> {
        if let Some(content) = read!(self, reads::setting, name)? {
            return Ok(content);
        }
        within(QUERY, self.write_setting(name, default)).await
    }

    async fn workflows(&self) -> Result<Vec<WorkflowRow>, Error> {
        read!(self, reads::workflows)
    }

    async fn workflow(&self, name: &str) -> Result<Option<WorkflowRow>, Error> {
        read!(self, reads::workflow, name)
    }

    async fn version(&self, version: &str) -> Result<Option<VersionRow>, Error> {
        read!(self, reads::version, version)
    }

    async fn schedule(&self, workflow: &str) -> Result<Option<ScheduleRow>, Error> {
        read!(self, reads::schedule, workflow)
    }

    async fn fires(&self, workflow: &str, limit: u32) -> Result<Vec<FireRow>, Error> {
        read!(self, reads::fires, workflow, limit)
    }

    async fn waiting_tokens(&self, dependant: &str) -> Result<Vec<TokenRow>, Error> {
        read!(self, reads::waiting_tokens, dependant)
    }

    async fn file_problems(&self) -> Result<Vec<FileProblemRow>, Error> {
        read!(self, reads::file_problems)
    }

    async fn instances(&self, query: &InstanceQuery) -> Result<Vec<InstanceRow>, Error> {
        read!(self, reads::instances, query)
    }

    async fn instance_ids(&self, part: &str, limit: u32) -> Result<Vec<InstanceId>, Error> {
        read!(self, reads::instance_ids, part, limit)
    }

    async fn daily_counts(
        &self,
        from: Timestamp,
        offset_seconds: i32,
    ) -> Result<Vec<(String, InstanceState, u64)>, Error> {
        read!(self, daily::daily_counts, from, offset_seconds)
    }

    async fn instance(&self, id: InstanceId) -> Result<Option<InstanceRow>, Error> {
        read!(self, reads::instance, id)
    }

    async fn nodes(&self, id: InstanceId) -> Result<Vec<NodeRow>, Error> {
        read!(self, reads::nodes, id)
    }

    async fn attempts(&self, id: InstanceId) -> Result<Vec<AttemptRow>, Error> {
        read!(self, reads::attempts, id)
    }

    async fn append_log(&self, chunks: &[LogChunk]) -> Result<(), Error> {
        if chunks.is_empty() {
            return Ok(());
        }
        within(QUERY, self.append(chunks)).await
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
