//! Writing without the rows that the target refuses.
//!
//! Each batch goes in behind a savepoint. One that is refused is taken back and halved until single rows are left: this needs nothing
//! of a database but transactions, and nobody must say which row it was. A database that tells of single rows without that gets the last few at
//! once, or whole batches while very many are refused.

use akkaflow_connectors::{Batch, Error, Load, Progress, RefusedRow, Session, channel};

use super::rejects::Shared;

/// How many rows the table took, and how many were refused.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Taken {
    pub(super) written: u64,
    pub(super) refused: u64,
}

/// So few rows are written one by one rather than halved again.
const FEW: usize = 64;

/// Once more than one row of so many is refused, halving finds them no faster than one by one.
const RARE: usize = 64;

const SAVEPOINT: &str = "savepoint akkaflow_rows";
const BACK: &str = "rollback to savepoint akkaflow_rows";
const RELEASE: &str = "release savepoint akkaflow_rows";

/// Writes the rows of `load` inside the transaction that is open, all but those that are refused.
pub(super) async fn write(
    session: &mut dyn Session,
    load: Load,
    rejects: &Shared,
) -> Result<Taken, Error> {
    let mut writer = Writer {
        session,
        load,
        rejects,
        taken: Taken::default(),
        most_singly: FEW,
    };
    while let Some(batch) = writer.load.rows.recv().await {
        writer.batch(batch).await?;
    }
    Ok(writer.taken)
}

struct Writer<'a> {
    session: &'a mut dyn Session,
    load: Load,
    rejects: &'a Shared,
    taken: Taken,
    /// A batch of so many rows is written one by one.
    most_singly: usize,
}

impl Writer<'_> {
    async fn batch(&mut self, batch: Batch) -> Result<(), Error> {
        let mut waiting = vec![batch];
        while let Some(batch) = waiting.pop() {
            if batch.row_count() <= self.most_singly && self.singly(&batch).await? {
                continue;
            }
            let Err(refused) = self.at_once(&batch).await? else {
                continue;
            };
            if batch.row_count() > 1 {
                let (first, second) = batch.halves();
                waiting.extend([second, first]);
                continue;
            }
            self.refuse(&batch, &[refused])?;
        }
        Ok(())
    }

    /// Writes all rows of a batch, or none and says why.
    async fn at_once(&mut self, batch: &Batch) -> Result<Result<(), RefusedRow>, Error> {
        self.session.execute(SAVEPOINT).await?;
        match self.session.write(one(&self.load, batch)).await {
            Ok(written) => {
                self.session.execute(RELEASE).await?;
                self.taken.written += written;
                self.load.progress.add(batch);
                Ok(Ok(()))
            }
            Err(Error::Unfit(unfit)) => {
                self.session.execute(BACK).await?;
                // Else the next one would lie within this one, and thousands within each other.
                self.session.execute(RELEASE).await?;
                let reason = unfit.reason;
                Ok(Err(RefusedRow { at: 0, reason }))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the rows of a batch one by one; `false` where the database is no faster so.
    async fn singly(&mut self, batch: &Batch) -> Result<bool, Error> {
        let Some(refused) = self.session.write_singly(&self.load, batch).await? else {
            self.most_singly = 0;
            return Ok(false);
        };
        let rows = batch.row_count();
        self.most_singly = match refused.len() * RARE > rows {
            true => usize::MAX,
            false => FEW,
        };
        self.taken.written += (rows - refused.len()) as u64;
        self.load.progress.add(&without(batch, &refused));
        self.refuse(batch, &refused)?;
        Ok(true)
    }

    /// Hands rows of a batch on; `refused` stands in its order.
    fn refuse(&mut self, batch: &Batch, refused: &[RefusedRow]) -> Result<(), Error> {
        let mut refused = refused.iter().peekable();
        for (at, (number, row)) in batch.numbered_rows().enumerate() {
            if let Some(refused) = refused.next_if(|refused| refused.at == at) {
                self.rejects.add(number, row, &refused.reason)?;
                self.taken.refused += 1;
            }
        }
        Ok(())
    }
}

/// The other rows of a batch.
fn without(batch: &Batch, refused: &[RefusedRow]) -> Batch {
    let mut refused = refused.iter().peekable();
    let mut others = Batch::default();
    for (at, (number, row)) in batch.numbered_rows().enumerate() {
        if refused.next_if(|refused| refused.at == at).is_none() {
            others.push_row(number, row);
        }
    }
    others
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
