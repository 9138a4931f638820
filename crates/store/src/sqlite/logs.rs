//! The file of output, and its cleaning after instances are deleted.

use akkaflow_model::id::InstanceId;
use sqlx::sqlite::SqlitePool;

use crate::error::Error;
use crate::log::{LogChunk, StoredChunk};
use crate::sql::executor::Executor;
use crate::sql::{logs, mails, retention};
use crate::sqlite::SqliteStore;
use crate::sqlite::writer::Writer;
use crate::trim::{Trim, Trimmed};

/// Bytes of output a statement: SQLite gains nothing beyond.
const STATEMENT_BYTES: usize = 4 << 20;

/// The file of output.
#[derive(Debug)]
pub(crate) struct LogFile {
    writer: Writer,
    readers: SqlitePool,
}

impl LogFile {
    /// Its writer and readers.
    pub(crate) fn new(writer: Writer, readers: SqlitePool) -> Self {
        Self { writer, readers }
    }

    /// See [`crate::Store::append_log`].
    pub(crate) async fn append(&self, chunks: &[LogChunk]) -> Result<(), Error> {
        if chunks.is_empty() {
            return Ok(());
        }
        let mut turn = self.writer.turn().await?;
        let mut executor = Executor::Sqlite(turn.connection());
        executor.execute("BEGIN IMMEDIATE", &[]).await?;
        logs::append(&mut executor, chunks, STATEMENT_BYTES).await?;
        executor.execute("COMMIT", &[]).await?;
        turn.finish();
        Ok(())
    }

    /// See [`crate::Store::read_log`].
    pub(crate) async fn read(
        &self,
        id: InstanceId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredChunk>, Error> {
        let mut connection = self.readers.acquire().await?;
        logs::read(&mut Executor::Sqlite(&mut connection), id, after, limit).await
    }

    async fn remove(&self, id: InstanceId, limit: u32) -> Result<u64, Error> {
        let mut turn = self.writer.turn().await?;
        let mut executor = Executor::Sqlite(turn.connection());
        let removed = retention::remove_output(&mut executor, id, limit).await?;
        turn.finish();
        Ok(removed)
    }
}

impl SqliteStore {
    /// See [`crate::Store::trim`].
    pub(crate) async fn remove_old(&self, trim: Trim) -> Result<Trimmed, Error> {
        let mut turn = self.writer.turn().await?;
        let mut executor = Executor::Sqlite(turn.connection());
        let mut trimmed = Trimmed {
            journal: retention::trim_journal(&mut executor, &trim).await?,
            requests: retention::trim_requests(&mut executor, &trim).await?,
            mails: mails::trim(&mut executor, &trim).await?,
            ..Trimmed::default()
        };
        let unswept = retention::unswept(&mut executor).await?;
        turn.finish();
        if let Some(id) = unswept {
            // The core writes facts meanwhile: output lies in a file of its own.
            trimmed.output = self.logs.remove(id, trim.limit).await?;
            if trimmed.output < u64::from(trim.limit) {
                let mut turn = self.writer.turn().await?;
                retention::swept(&mut Executor::Sqlite(turn.connection()), id).await?;
                turn.finish();
                trimmed.swept = 1;
            }
        }
        Ok(trimmed)
    }
}
