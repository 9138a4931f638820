//! Writing without the rows that the target refuses.
//!
//! Each batch goes in behind a savepoint. One that is refused is taken back and halved until single rows are left: this needs nothing
//! of a database but transactions, and nobody must say which row it was.

use akkaflow_connectors::{Batch, Error, Load, Progress, Session, channel};

use super::rejects::Shared;

/// How many rows the table took, and how many were refused.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Taken {
    pub(super) written: u64,
    pub(super) refused: u64,
}

/// Writes the rows of `load` inside the transaction that is open, all but those that are refused.
pub(super) async fn write(
    session: &mut dyn Session,
    mut load: Load,
    rejects: &Shared,
) -> Result<Taken, Error> {
    let mut taken = Taken::default();
    while let Some(batch) = load.rows.recv().await {
        let mut waiting = vec![batch];
        while let Some(batch) = waiting.pop() {
            session.execute("savepoint akkaflow_rows").await?;
            match session.write(one(&load, &batch)).await {
                Ok(written) => {
                    session.execute("release savepoint akkaflow_rows").await?;
                    taken.written += written;
                    load.progress.add(&batch);
                }
                Err(Error::Unfit(unfit)) => {
                    session
                        .execute("rollback to savepoint akkaflow_rows")
                        .await?;
                    if batch.row_count() > 1 {
                        let (first, second) = batch.halves();
                        waiting.extend([second, first]);
                        continue;
                    }
                    for (number, row) in batch.numbered_rows() {
                        rejects.add(number, row, &unfit.reason)?;
                    }
                    taken.refused += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(taken)
}

/// A load of one batch that counts for itself: it may have to be done again.
fn one(load: &Load, batch: &Batch) -> Load {
    let (sender, rows) = channel();
    sender
        .try_send(batch.clone())
        .expect("there is room for a batch");
    Load {
        table: load.table.clone(),
        target: load.target.clone(),
        source: load.source.clone(),
        key: load.key.clone(),
        rows,
        progress: Progress::default(),
    }
}
