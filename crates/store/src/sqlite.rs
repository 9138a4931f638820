//! SQLite: two files, one writer each, a few readers.
//!
//! `<name>.db` holds the facts and is durable at each commit; `<name>-log.db` holds the output of actions. Leadership
//! is a lock on `master.lock` beside them, plus the same epoch and fence that every store has.

mod commit;
mod filesystem;
mod lock;
mod logs;
mod setup;
mod writer;

use std::path::{Path, PathBuf};

use akkaflow_model::id::{Epoch, InstanceId};
use akkaflow_model::record::{
    AttemptRow, FileProblemRow, FireRow, InstanceRow, NodeRow, ScheduleRow, Snapshot, TokenRow,
    VersionRow, WorkflowRow,
};
use akkaflow_model::state::InstanceState;
use akkaflow_model::time::Timestamp;
use async_trait::async_trait;
use sqlx::sqlite::SqlitePool;

use crate::batch::{Batch, BatchId, CommitError};
use crate::contract::Store;
use crate::error::Error;
use crate::lease::{Candidate, Lease, TakenOver};
use crate::log::{LogChunk, StoredChunk};
use crate::query::InstanceQuery;
use crate::sql::executor::Executor;
use crate::sql::texts::Texts;
use crate::sql::value::Value;
use crate::sql::{daily, lease, reads, snapshot};
use crate::sqlite::lock::MasterLock;
use crate::sqlite::logs::LogFile;
use crate::sqlite::writer::Writer;

/// The facts in SQLite files.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    writer: Writer,
    renewer: Writer,
    readers: SqlitePool,
    logs: LogFile,
    lock: MasterLock,
    texts: Texts,
}

impl SqliteStore {
    /// Opens or creates the database at `path`, and `<name>-log.db` and `master.lock` beside it.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] says path and remedy when the directory cannot be written, the disk is full, the file is no
    /// database, or the file system is a network's.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        setup::open(path).await
    }

    /// Where the facts are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Claims the lease in one transaction of the writer.
    async fn claim(
        &self,
        seen: Option<&Lease>,
        candidate: &Candidate,
    ) -> Result<Option<TakenOver>, Error> {
        let mut turn = self.writer.turn().await?;
        let mut executor = Executor::Sqlite(turn.connection());
        executor.execute("BEGIN IMMEDIATE", &[]).await?;
        let taken = lease::claim(&mut executor, seen, candidate, "").await?;
        let end = if taken.is_some() {
            "COMMIT"
        } else {
            "ROLLBACK"
        };
        executor.execute(end, &[]).await?;
        turn.finish();
        Ok(taken)
    }
}

/// Runs one of the shared queries on a reader.
macro_rules! read {
    ($self:ident, $query:path $(, $argument:expr)*) => {{
        let mut connection = $self.readers.acquire().await?;
        $query(&mut Executor::Sqlite(&mut connection) $(, $argument)*).await
    }};
}

#[async_trait]
impl Store for SqliteStore {
    async fn lease(&self) -> Result<Option<Lease>, Error> {
        let mut found = read!(self, reads::lease)?;
        if let Some(lease) = &mut found
            && self.lock.is_free()?
        {
            // Nobody holds the lock: the process that led is gone, as surely as if it had given the lease back.
            lease.holder.clear();
        }
        Ok(found)
    }

    async fn renew(&self, epoch: Epoch, incarnation: u128) -> Result<bool, Error> {
        // Waits for its turn behind the writer, so that neither has to sleep on the other's file lock.
        let _quiet = self.writer.pause().await;
        let mut turn = self.renewer.turn().await?;
        let renewed =
            lease::renew(&mut Executor::Sqlite(turn.connection()), epoch, incarnation).await?;
        turn.finish();
        Ok(renewed)
    }

    async fn take_over(
        &self,
        seen: Option<&Lease>,
        candidate: &Candidate,
    ) -> Result<Option<TakenOver>, Error> {
        let Some(hold) = self.lock.take().await? else {
            return Ok(None);
        };
        let taken = self.claim(seen, candidate).await?;
        if taken.is_some() {
            hold.keep();
            self.sweep_logs().await;
        }
        Ok(taken)
    }

    async fn release(&self, epoch: Epoch, incarnation: u128) -> Result<(), Error> {
        let mut turn = self.writer.turn().await?;
        let mut executor = Executor::Sqlite(turn.connection());
        lease::release(&mut executor, epoch, incarnation).await?;
        let now = reads::lease(&mut executor).await?;
        turn.finish();
        if now.is_some_and(|lease| lease.holder.is_empty()) {
            self.lock.release();
        }
        Ok(())
    }

    async fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        self.write(batch).await
    }

    async fn batch_at(&self, seq: u64) -> Result<Option<BatchId>, Error> {
        read!(self, reads::batch_at, seq)
    }

    async fn snapshot(&self, now: Timestamp) -> Result<Snapshot, Error> {
        let mut transaction = self.readers.begin().await?;
        snapshot::snapshot(&mut Executor::Sqlite(&mut transaction), now).await
    }

    async fn setting(&self, name: &str, default: &str) -> Result<String, Error> {
        if let Some(content) = read!(self, reads::setting, name)? {
            return Ok(content);
        }
        let mut turn = self.writer.turn().await?;
        let mut executor = Executor::Sqlite(turn.connection());
        executor
            .execute(
                "INSERT OR IGNORE INTO af_setting (name, content) VALUES (?, ?)",
                &[Value::text(name), Value::text(default)],
            )
            .await?;
        let content = reads::setting(&mut executor, name).await?;
        turn.finish();
        Ok(content.unwrap_or_else(|| default.to_owned()))
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
        self.logs.append(chunks).await
    }

    async fn read_log(
        &self,
        id: InstanceId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredChunk>, Error> {
        self.logs.read(id, after, limit).await
    }
}
