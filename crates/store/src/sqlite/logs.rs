//! The file of output, and its cleaning after instances are deleted.

use akkaflow_model::id::InstanceId;
use sqlx::sqlite::SqlitePool;

use crate::error::Error;
use crate::log::{LogChunk, StoredChunk};
use crate::sql::executor::Executor;
use crate::sql::logs;
use crate::sql::row::Columns;
use crate::sql::value::Value;
use crate::sqlite::SqliteStore;
use crate::sqlite::writer::Writer;

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

    async fn remove(&self, id: InstanceId) -> Result<(), Error> {
        let mut turn = self.writer.turn().await?;
        Executor::Sqlite(turn.connection())
            .execute(
                "DELETE FROM af_log_chunk WHERE instance = ?",
                &[Value::id(id)],
            )
            .await?;
        turn.finish();
        Ok(())
    }
}

impl SqliteStore {
    /// Removes the output of deleted instances. What fails now is tried again at the next deletion or take-over.
    pub(crate) async fn sweep_logs(&self) {
        if let Err(error) = self.try_sweep_logs().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "output of deleted instances stays for now"
            );
        }
    }

    async fn try_sweep_logs(&self) -> Result<(), Error> {
        for id in self.unswept().await? {
            self.logs.remove(id).await?;
            let mut turn = self.writer.turn().await?;
            Executor::Sqlite(turn.connection())
                .execute(
                    "DELETE FROM af_log_sweep WHERE instance = ?",
                    &[Value::id(id)],
                )
                .await?;
            turn.finish();
        }
        Ok(())
    }

    async fn unswept(&self) -> Result<Vec<InstanceId>, Error> {
        let mut connection = self.readers.acquire().await?;
        let rows = Executor::Sqlite(&mut connection)
            .fetch("SELECT instance FROM af_log_sweep", &[])
            .await?;
        rows.iter().map(|row| Columns::new(row).id()).collect()
    }
}
