//! The transaction of a transfer: its rows, and what is remembered of them.

use akkaflow_connectors::{Column, Error, Load, Session, cancellable};
use akkaflow_model::text::Text;

use super::copy::{Copied, WATERMARK, copy};
use super::guard::{Counters, Guard};
use super::increment::Reading;
use super::made::Made;
use super::mode::Mode;
use super::piecemeal::{self, Taken};
use super::rejects::Rejects;
use super::source::Opened;
use super::staging::Staging;
use super::to_database::Into;
use super::watermark::Increment;
use crate::context::{AttemptContext, Level};
use crate::database;
use crate::error::ActionError;

pub(super) struct Transaction<'a> {
    pub(super) into: &'a Into<'a>,
    pub(super) attempt: &'a AttemptContext,
    pub(super) guard: Option<&'a Guard<'a>>,
    /// The table, where this attempt has made it.
    pub(super) made: Option<&'a Made<'a>>,
    pub(super) increment: Option<&'a Increment>,
    pub(super) rejects: Option<&'a Rejects>,
    /// Where several connections write.
    pub(super) staging: Option<&'a Staging<'a>>,
}

impl Transaction<'_> {
    /// Writes the rows of `source` into the columns `target`, all of them or none. Gives back the counters.
    pub(super) async fn run(
        &self,
        session: &mut dyn Session,
        source: Opened,
        target: Vec<Column>,
        key: Vec<String>,
    ) -> Result<Counters, ActionError> {
        if let Some(rejects) = self.rejects {
            let columns = source.columns_for(target.len());
            rejects
                .begin(self.attempt, &columns, source.number_name())
                .await?;
        }
        let begin = session.dialect().begin();
        database::execute(self.attempt, session, begin).await?;
        let filled = self.fill(session, source, target, key).await;
        let (copied, counters) = match filled {
            Ok(filled) => filled,
            Err(error) => {
                if error != ActionError::Cancelled {
                    // A failure to roll back changes nothing: the connection is dropped, and that rolls back too.
                    let _ = database::execute(self.attempt, session, "rollback").await;
                }
                if let Some(rejects) = self.rejects.filter(|rejects| rejects.is_exceeded()) {
                    rejects.finish().await?;
                }
                return Err(error);
            }
        };
        self.commit(session).await?;
        copied.report(self.attempt);
        Ok(counters)
    }

    async fn fill(
        &self,
        session: &mut dyn Session,
        mut source: Opened,
        target: Vec<Column>,
        key: Vec<String>,
    ) -> Result<(Copied, Counters), ActionError> {
        let into = self.into;
        if let Some(guard) = self.guard {
            guard.claim(session).await?;
        }
        let reading = match (self.guard, self.increment) {
            (Some(guard), Some(increment)) => {
                guard.prepare_position(session).await?;
                Some(Reading::start(self.attempt, guard, session, &mut source, increment).await?)
            }
            _ => None,
        };
        if let Some(warning) = reading.as_ref().and_then(|it| it.warning.clone()) {
            // It is the only one.
            let _ = into.note.set(warning);
        }
        if *into.mode == Mode::Replace && into.commands.pre.is_none() {
            database::execute(self.attempt, session, &database::delete_all(into.table)).await?;
        }
        let copied = match self.staging {
            Some(staging) => self.copy_aside(session, source, target, staging).await?,
            None => self.copy(session, source, target, key).await?,
        };
        let mut counters = copied.counters();
        if let Some(guard) = self.guard {
            if let Some(reading) = reading {
                let watermark = reading.finish(guard, session, copied.rows).await?;
                counters.push((WATERMARK.to_owned(), watermark));
            }
            guard.keep(session, &counters).await?;
        }
        Ok((copied, counters))
    }

    /// All rows, or those that are not rejected.
    async fn copy(
        &self,
        session: &mut dyn Session,
        source: Opened,
        target: Vec<Column>,
        key: Vec<String>,
    ) -> Result<Copied, ActionError> {
        let (zh, en) = (
            "同步到目标，将启动1个线程",
            "writing to the target in one transaction",
        );
        let rejects = self.rejects;
        match rejects {
            Some(_) => self
                .attempt
                .log
                .both(zh, format_args!("{en}, without bad rows")),
            None => self.attempt.log.both(zh, en),
        }
        // What is told at the commit alone could not be blamed on a row.
        if rejects.is_some()
            && let Some(statement) = session.dialect().check_at_once()
        {
            database::execute(self.attempt, session, statement).await?;
        }
        let source_columns = source.columns_for(target.len());
        let expected = source_columns.len();
        let (stop, canceller) = (self.attempt.cancel.clone(), session.canceller());
        let shared = rejects.map(Rejects::shared);
        let (taken, copied) = copy(
            self.attempt,
            source,
            Some(expected),
            |rows, progress| async move {
                let load = Load {
                    table: self.into.table.to_owned(),
                    target,
                    source: source_columns,
                    key,
                    rows,
                    progress,
                };
                let work = async {
                    match &shared {
                        Some(shared) => piecemeal::write(session, load, shared).await,
                        None => session.write(load).await.map(|written| Taken {
                            written,
                            refused: 0,
                        }),
                    }
                };
                let taken = cancellable(&stop, canceller, work).await?;
                Ok((taken, taken.written + taken.refused))
            },
        )
        .await
        .map_err(|error| self.blame(error))?;
        match rejects {
            Some(rejects) => Ok(rejects.judge(copied, taken).await?),
            None => Ok(copied),
        }
    }

    /// The same over several connections, into tables beside the target first.
    async fn copy_aside(
        &self,
        session: &mut dyn Session,
        source: Opened,
        target: Vec<Column>,
        staging: &Staging<'_>,
    ) -> Result<Copied, ActionError> {
        let tables = staging.tables(session.dialect());
        let count = tables.len();
        self.attempt.log.both(
            format_args!("同步到目标，将启动{count}个线程"),
            format_args!("writing over {count} connections into tables beside the target"),
        );
        let source_columns = source.columns_for(target.len());
        let expected = Some(source_columns.len());
        let columns = (target.as_slice(), source_columns.as_slice());
        let ((), copied) = copy(
            self.attempt,
            source,
            expected,
            |rows, progress| async move {
                let written = staging.write(columns.0, columns.1, rows, &progress).await?;
                Ok(((), written))
            },
        )
        .await
        .map_err(|error| self.blame(error))?;
        self.attempt.log.both(
            "写入目标表",
            "moving the rows on into the target, in the transaction",
        );
        let canceller = session.canceller();
        let work = session.append(self.into.table, &target, &tables, copied.rows);
        cancellable(&self.attempt.cancel, canceller, work).await?;
        Ok(copied)
    }

    fn blame(&self, error: Error) -> Error {
        match self.made {
            Some(made) => made.blame(error),
            None => error,
        }
    }

    async fn commit(&self, session: &mut dyn Session) -> Result<(), ActionError> {
        let Err(error) = database::execute(self.attempt, session, "commit").await else {
            return Ok(());
        };
        if error == Error::Cancelled {
            return Err(ActionError::Cancelled);
        }
        let is_alive = database::execute(self.attempt, session, "rollback").await;
        if is_alive.is_ok() {
            let place = Text::new("提交失败，数据未写入", "cannot commit, nothing is kept");
            return Err(error.within(&place).into());
        }
        if self.is_kept().await {
            self.attempt.log.say(
                Level::Warn,
                &Text::new(
                    "提交时连接中断，但数据已写入",
                    "the connection broke during the commit, but the rows are there",
                ),
            );
            return Ok(());
        }
        let (place, may_retry) = self.unknown();
        let error = error.within(&place);
        match may_retry {
            true => Err(error.into()),
            false => Err(ActionError::Fatal(error.text())),
        }
    }

    /// Asks over another connection.
    async fn is_kept(&self) -> bool {
        let Some(guard) = self.guard else {
            return false;
        };
        let Ok(mut session) = database::open(self.attempt, self.into.link).await else {
            return false;
        };
        matches!(guard.found(session.as_mut()).await, Ok(Some(_)))
    }

    /// Nobody has said whether the rows are there: in what words, and whether another attempt does no harm.
    fn unknown(&self) -> (Text, bool) {
        match (self.guard, self.into.mode) {
            (None, Mode::Append) => (
                Text::new(
                    "提交时连接中断，数据可能已写入，因此不自动重试；请检查目标表后再重跑，或使用 guard=\"true\"",
                    "the connection broke during the commit: the rows may be there, so nothing is tried again by itself; look at \
                     the table before a rerun, or use guard=\"true\"",
                ),
                false,
            ),
            _ => (
                Text::new(
                    "提交时连接中断，数据可能已写入；重试不会重复写入",
                    "the connection broke during the commit: the rows may be there; another attempt does not double them",
                ),
                true,
            ),
        }
    }
}
