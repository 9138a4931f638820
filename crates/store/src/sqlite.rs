//! SQLite: two files, one writer each, a few readers.
//!
//! `<name>.db` holds the facts and is durable at each commit; `<name>-log.db` holds the output of actions. Leadership
//! is a lock on `master.lock` beside them, plus the same epoch and fence that every store has.

mod commit;
mod filesystem;
mod lock;
mod logs;
mod private;
mod setup;
mod writer;

use std::path::{Path, PathBuf};

use akkaflow_model::id::{Epoch, InstanceId};
use akkaflow_model::record::Snapshot;
use akkaflow_model::time::Timestamp;
use async_trait::async_trait;
use sqlx::sqlite::SqlitePool;

use crate::batch::{Batch, CommitError};
use crate::contract::{Contents, Store};
use crate::error::Error;
use crate::lease::{Candidate, Lease, TakenOver};
use crate::log::{LogChunk, StoredChunk};
use crate::place::Place;
use crate::sql::executor::Executor;
use crate::sql::lending::{Lend, Lent, read};
use crate::sql::texts::Texts;
use crate::sql::value::Value;
use crate::sql::{lease, reads, snapshot};
use crate::sqlite::lock::MasterLock;
use crate::sqlite::logs::LogFile;
use crate::sqlite::writer::Writer;
use crate::trim::{Trim, Trimmed};

/// The facts in SQLite files.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    place: Place,
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

    async fn renew_lease(&self, epoch: Epoch, incarnation: u128) -> Result<bool, Error> {
        // Waits for its turn behind the writer, so that neither has to sleep on the other's file lock.
        let _quiet = self.writer.pause().await;
        let mut turn = self.renewer.turn().await?;
        let renewed =
            lease::renew(&mut Executor::Sqlite(turn.connection()), epoch, incarnation).await?;
        turn.finish();
        Ok(renewed)
    }

    async fn take_lease(
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
        }
        Ok(taken)
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

    async fn give_back(&self, epoch: Epoch, incarnation: u128) -> Result<(), Error> {
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

    async fn consistent_snapshot(
        &self,
        now: Timestamp,
        contents: Contents,
    ) -> Result<Snapshot, Error> {
        let mut transaction = self.readers.begin().await?;
        let mut executor = Executor::Sqlite(&mut transaction);
        snapshot::snapshot(&mut executor, now, contents).await
    }

    async fn write_setting(&self, name: &str, default: &str) -> Result<String, Error> {
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
}

#[async_trait]
impl Lend for SqliteStore {
    async fn lend(&self) -> Result<Lent, sqlx::Error> {
        self.readers.acquire().await.map(Lent::Sqlite)
    }

    fn place(&self) -> &Place {
        &self.place
    }
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
        let released = self.give_back(epoch, incarnation).await;
        released.map_err(|error| error.at(&self.place))
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
        let read = self.consistent_snapshot(now, contents).await;
        read.map_err(|error| error.at(&self.place))
    }

    async fn trim(&self, trim: Trim) -> Result<Trimmed, Error> {
        let removed = self.remove_old(trim).await;
        removed.map_err(|error| error.at(&self.place))
    }

    async fn setting(&self, name: &str, default: &str) -> Result<String, Error> {
        if let Some(content) = read!(self, reads::setting, name)? {
            return Ok(content);
        }
        let written = self.write_setting(name, default).await;
        written.map_err(|error| error.at(&self.place))
    }

    async fn append_log(&self, chunks: &[LogChunk]) -> Result<(), Error> {
        let appended = self.logs.append(chunks).await;
        appended.map_err(|error| error.at(&self.place))
    }

    async fn read_log(
        &self,
        id: InstanceId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredChunk>, Error> {
        let read = self.logs.read(id, after, limit).await;
        read.map_err(|error| error.at(&self.place))
    }
}
