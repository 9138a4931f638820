//! A batch as one transaction.

use std::time::Duration;

use crate::batch::{Batch, BatchId, CommitError};
use crate::mysql::MysqlStore;
use crate::mysql::writer::NoTurn;
use crate::sql::Dialect;
use crate::sql::executor::Executor;
use crate::sql::failure::is_duplicate;
use crate::sql::lending::silent;
use crate::sql::plan::{Limits, Plan, plan};
use crate::sql::reads;
use crate::sql::texts::append;

/// A commit that takes longer is given up; the master has fenced itself long before.
const COMMIT: Duration = Duration::from_secs(30);

/// How an attempt to write ended.
enum Written {
    /// It is durable.
    Yes,
    /// The position of the journal is taken.
    Taken,
    /// The connection was dead before anything was sent.
    NotBegun(sqlx::Error),
}

impl MysqlStore {
    /// See [`crate::Store::commit`].
    pub(crate) async fn write(&self, batch: &Batch) -> Result<(), CommitError> {
        let limits = Limits {
            bytes: self.statement_bytes,
        };
        let plan = plan(batch, limits);
        tokio::time::timeout(COMMIT, self.write_planned(batch, &plan))
            .await
            .unwrap_or_else(|_| Err(unknown(silent())))
    }

    async fn write_planned(&self, batch: &Batch, plan: &Plan<'_>) -> Result<(), CommitError> {
        if let Outcome::Done = self.try_write(batch, plan).await? {
            return Ok(());
        }
        // Nothing was sent on the dead connection: a new one may try.
        match self.try_write(batch, plan).await? {
            Outcome::Done => Ok(()),
            Outcome::Retry(cause) => Err(unknown(cause)),
        }
    }

    async fn try_write(&self, batch: &Batch, plan: &Plan<'_>) -> Result<Outcome, CommitError> {
        let mut turn = match self.writer.turn().await {
            Ok(turn) => turn,
            Err(NoTurn::Superseded) => return self.position_taken(batch).await,
            Err(NoTurn::Failed(error)) => return Err(CommitError::Unknown(error)),
        };
        let mut executor = Executor::Mysql(turn.connection());
        match self.run(&mut executor, plan).await.map_err(unknown)? {
            Written::Yes => {
                turn.finish();
                Ok(Outcome::Done)
            }
            Written::NotBegun(cause) => Ok(Outcome::Retry(cause)),
            Written::Taken => {
                executor.raw("ROLLBACK").await.map_err(unknown)?;
                let found = reads::batch_at(&mut executor, batch.seq).await;
                let found = found.map_err(CommitError::Unknown)?;
                turn.finish();
                verdict(found, batch)
            }
        }
    }

    /// The lease is lost: the batch is fenced, unless it had been committed before.
    async fn position_taken(&self, batch: &Batch) -> Result<Outcome, CommitError> {
        let mut connection = self.readers.acquire().await.map_err(unknown)?;
        let found = reads::batch_at(&mut Executor::Mysql(&mut connection), batch.seq)
            .await
            .map_err(CommitError::Unknown)?;
        verdict(found, batch)
    }

    async fn run(
        &self,
        executor: &mut Executor<'_>,
        plan: &Plan<'_>,
    ) -> Result<Written, sqlx::Error> {
        if let Err(cause) = executor.raw("BEGIN").await {
            return Ok(Written::NotBegun(cause));
        }
        let entry = &plan.values[..plan.journal];
        match executor.execute(append(Dialect::Mysql), entry).await {
            Err(error) if is_duplicate(&error) => return Ok(Written::Taken),
            outcome => outcome?,
        };
        for step in &plan.steps {
            let text = self.texts.statement(step.shape);
            executor
                .execute(text, &plan.values[step.values.clone()])
                .await?;
        }
        executor.raw("COMMIT").await?;
        Ok(Written::Yes)
    }
}

/// Whether a second connection shall try.
enum Outcome {
    /// Durable.
    Done,
    /// Nothing was sent.
    Retry(sqlx::Error),
}

fn verdict(found: Option<BatchId>, batch: &Batch) -> Result<Outcome, CommitError> {
    if found == Some(batch.id) {
        Ok(Outcome::Done)
    } else {
        Err(CommitError::Fenced)
    }
}

fn unknown(error: sqlx::Error) -> CommitError {
    CommitError::Unknown(error.into())
}
