//! The writing end: a table.

use akkaflow_connectors::{Column, Load, Session, cancellable};
use akkaflow_model::text::Text;

use super::body::{Commands, Source};
use super::copy::{Copied, copy};
use super::mapping::{Match, by_name};
use super::source::{self, Opened};
use crate::context::{AttemptContext, Level};
use crate::database;
use crate::error::ActionError;

pub(super) struct Into<'a> {
    pub(super) link: &'a str,
    pub(super) table: &'a str,
    pub(super) columns: Option<Match>,
    pub(super) is_pre_truncate: bool,
    pub(super) commands: &'a Commands,
}

impl Into<'_> {
    pub(super) async fn run(
        &self,
        attempt: &AttemptContext,
        source: &Source,
    ) -> Result<Copied, ActionError> {
        let mut source = source::open(attempt, source).await?;
        let mut session = database::open(attempt, self.link).await?;
        let columns = self.columns(attempt, session.as_mut(), &mut source).await?;
        self.before(attempt, session.as_mut()).await?;
        let copied = self
            .rows(attempt, session.as_mut(), source, columns)
            .await?;
        if let Some(after) = &self.commands.after {
            attempt
                .log
                .both("执行后置语句", "running the statements after");
            database::run_statements(attempt, session.as_mut(), after).await?;
        }
        Ok(copied)
    }

    /// The table's columns that are written, in the order of the source's; it is made if it is missing.
    async fn columns(
        &self,
        attempt: &AttemptContext,
        session: &mut dyn Session,
        source: &mut Opened,
    ) -> Result<Vec<Column>, ActionError> {
        let canceller = session.canceller();
        let found = cancellable(&attempt.cancel, canceller, session.table(self.table)).await?;
        if let Some(columns) = found {
            attempt.log.both("目标表存在", "the target table exists");
            return match self.columns.unwrap_or(source.usual_match()) {
                Match::Name => Ok(by_name(source.columns(), &columns, self.table)?),
                Match::Position => Ok(columns),
            };
        }
        attempt.log.both(
            "目标表不存在，将自动建表",
            "the target table is missing and will be made",
        );
        let columns = source.columns_to_make(attempt).await?.ok_or_else(|| {
            ActionError::Retryable(Text::new(
                format!("源文件为空，无法据此建表{}", self.table),
                format!(
                    "the source file is empty, so table {} cannot be made after it",
                    self.table
                ),
            ))
        })?;
        let statement = session.create_table(self.table, &columns);
        attempt.log.info(&statement);
        database::execute(attempt, session, &statement).await?;
        let canceller = session.canceller();
        let made = cancellable(&attempt.cancel, canceller, session.table(self.table)).await?;
        Ok(made.unwrap_or(columns))
    }

    /// What is outside the transaction of the rows.
    async fn before(
        &self,
        attempt: &AttemptContext,
        session: &mut dyn Session,
    ) -> Result<(), ActionError> {
        let Some(pre) = &self.commands.pre else {
            return Ok(());
        };
        if self.is_pre_truncate {
            database::execute(attempt, session, &database::delete_all(self.table)).await?;
        }
        attempt
            .log
            .both("执行前置语句", "running the statements before");
        database::run_statements(attempt, session, pre).await?;
        Ok(())
    }

    /// Says before anything is written that it could not be undone.
    async fn warn_of_engine(
        &self,
        attempt: &AttemptContext,
        session: &mut dyn Session,
    ) -> Result<(), ActionError> {
        let canceller = session.canceller();
        let asking = session.engine_without_transactions(self.table);
        let Some(engine) = cancellable(&attempt.cancel, canceller, asking).await? else {
            return Ok(());
        };
        let table = self.table;
        attempt.log.say(
            Level::Warn,
            &Text::new(
                format!(
                    "目标表{table}的引擎{engine}不支持事务：若传输失败，已写入的记录不会回滚；\
                     请改用InnoDB：alter table {table} engine = InnoDB"
                ),
                format!(
                    "the engine {engine} of the target table {table} knows no transactions: if this transfer fails, rows \
                     written until then stay; use InnoDB: alter table {table} engine = InnoDB"
                ),
            ),
        );
        Ok(())
    }

    async fn rows(
        &self,
        attempt: &AttemptContext,
        session: &mut dyn Session,
        source: Opened,
        target: Vec<Column>,
    ) -> Result<Copied, ActionError> {
        self.warn_of_engine(attempt, session).await?;
        let source_columns = source.columns_for(target.len());
        let expected = source_columns.len();
        let begin = session.dialect().begin();
        database::execute(attempt, session, begin).await?;
        if self.is_pre_truncate && self.commands.pre.is_none() {
            database::execute(attempt, session, &database::delete_all(self.table)).await?;
        }
        attempt.log.both(
            "同步到目标，将启动1个线程",
            "writing to the target in one transaction",
        );
        let (stop, canceller) = (attempt.cancel.clone(), session.canceller());
        let writing = &mut *session;
        let result = copy(
            attempt,
            source,
            Some(expected),
            |rows, progress| async move {
                let load = Load {
                    table: self.table.to_owned(),
                    target,
                    source: source_columns,
                    rows,
                    progress,
                };
                let written = cancellable(&stop, canceller, writing.write(load)).await?;
                Ok(((), written))
            },
        )
        .await;
        let copied = match result {
            Ok(((), copied)) => copied,
            Err(error) => {
                if error != akkaflow_connectors::Error::Cancelled {
                    // A failure to roll back changes nothing: the connection is dropped, and that rolls back too.
                    let _ = database::execute(attempt, session, "rollback").await;
                }
                return Err(error.into());
            }
        };
        let place = Text::new("提交失败，数据未写入", "cannot commit, nothing is kept");
        database::execute(attempt, session, "commit")
            .await
            .map_err(|error| error.within(&place))?;
        copied.report(attempt);
        Ok(copied)
    }
}
