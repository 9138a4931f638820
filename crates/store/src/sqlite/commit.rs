//! A batch as one transaction: small ones in a single call, because each call wakes another thread.

use crate::batch::{Batch, CommitError};
use crate::sql::Dialect;
use crate::sql::executor::Executor;
use crate::sql::failure::is_duplicate;
use crate::sql::plan::{Limits, Plan, Shape, plan};
use crate::sql::reads;
use crate::sql::texts::append;
use crate::sqlite::SqliteStore;

/// Statements of a batch that still goes in a single call: such shapes repeat, so that their texts stay prepared.
const FEW_STATEMENTS: usize = 6;

/// Parameters of a batch that still goes in a single call.
const FEW_VALUES: usize = 400;

/// Parameters a statement at most, far below the 32,766 of SQLite; bytes matter little here.
const LIMITS: Limits = Limits { bytes: 8 << 20 };

impl SqliteStore {
    /// See [`crate::Store::commit`].
    pub(crate) async fn write(&self, batch: &Batch) -> Result<(), CommitError> {
        let plan = plan(batch, LIMITS);
        let mut turn = self.writer.turn().await.map_err(unknown)?;
        let mut executor = Executor::Sqlite(turn.connection());
        match self.run(&mut executor, &plan).await {
            Ok(()) => turn.finish(),
            Err(error) if is_duplicate(&error) => {
                executor.execute("ROLLBACK", &[]).await.map_err(unknown)?;
                let found = reads::batch_at(&mut executor, batch.seq)
                    .await
                    .map_err(CommitError::Unknown)?;
                turn.finish();
                return if found == Some(batch.id) {
                    Ok(())
                } else {
                    Err(CommitError::Fenced)
                };
            }
            Err(error) => return Err(unknown(error)),
        }
        Ok(())
    }

    async fn run(&self, executor: &mut Executor<'_>, plan: &Plan<'_>) -> Result<(), sqlx::Error> {
        let shapes: Vec<Shape> = plan.steps.iter().map(|step| step.shape).collect();
        if shapes.len() <= FEW_STATEMENTS && plan.values.len() <= FEW_VALUES {
            let text = self.texts.transaction(shapes);
            return executor.execute(text, &plan.values).await.map(drop);
        }
        executor.execute("BEGIN IMMEDIATE", &[]).await?;
        executor
            .execute(append(Dialect::Sqlite), &plan.values[..plan.journal])
            .await?;
        for step in &plan.steps {
            let text = self.texts.statement(step.shape);
            executor
                .execute(text, &plan.values[step.values.clone()])
                .await?;
        }
        executor.execute("COMMIT", &[]).await.map(drop)
    }
}

fn unknown(error: sqlx::Error) -> CommitError {
    CommitError::Unknown(error.into())
}
