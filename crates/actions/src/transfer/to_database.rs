//! The writing end: a table.

use std::sync::OnceLock;

use akkaflow_connectors::{Column, Session, cancellable, check_table_name};
use akkaflow_model::text::Text;

use super::body::{Commands, Source};
use super::guard::{Counters, Guard};
use super::made::Made;
use super::mapping::{Match, by_name, check_unique};
use super::mode::{self, Mode};
use super::rejects::{self, Rejects};
use super::source::{self, Opened};
use super::staging::Staging;
use super::transaction::Transaction;
use crate::context::{AttemptContext, Level};
use crate::database;
use crate::error::ActionError;

pub(super) struct Into<'a> {
    pub(super) link: &'a str,
    pub(super) table: &'a str,
    pub(super) columns: Option<Match>,
    pub(super) mode: &'a Mode,
    pub(super) guard: bool,
    pub(super) commands: &'a Commands,
    pub(super) rejects: Option<&'a rejects::Wish>,
    /// Connections that write.
    pub(super) tasks: usize,
    /// What people should know of a success.
    pub(super) note: OnceLock<Text>,
}

impl Into<'_> {
    /// Gives back the counters, for the node's outputs.
    pub(super) async fn run(
        &self,
        attempt: &AttemptContext,
        source: &Source,
    ) -> Result<Counters, ActionError> {
        check_table_name(self.table)?;
        let mut session = database::open(attempt, self.link).await?;
        let guard = match self.guard {
            true => Some(Guard::open(attempt, self.link, session.as_mut()).await?),
            false => None,
        };
        if let Some(guard) = &guard
            && let Some(counters) = guard.found(session.as_mut()).await?
        {
            attempt.log.say(
                Level::Warn,
                &Text::new(
                    "本次运行的数据已由先前的尝试提交，不再写入",
                    "an earlier attempt of this run has committed its rows: nothing is written again",
                ),
            );
            self.after(attempt, session.as_mut()).await?;
            return Ok(counters);
        }
        let mut made = None;
        let written = self.rows(attempt, session.as_mut(), source, guard.as_ref(), &mut made);
        let counters = match written.await {
            Ok(counters) => counters,
            Err(error) => {
                // What it has written must be gone before anybody looks whether the table is empty.
                drop(session);
                if let Some(made) = made {
                    made.remove(&error).await;
                }
                return Err(error);
            }
        };
        if let Some(guard) = &guard {
            guard.clean(session.as_mut()).await;
        }
        self.after(attempt, session.as_mut()).await?;
        Ok(counters)
    }

    /// Writes all rows and commits. A table that it makes for them is `made` then, whatever follows.
    async fn rows<'s>(
        &'s self,
        attempt: &'s AttemptContext,
        session: &mut dyn Session,
        source: &Source,
        guard: Option<&Guard<'_>>,
        made: &mut Option<Made<'s>>,
    ) -> Result<Counters, ActionError> {
        let increment = source.increment();
        let rejects = self.rejects.map(|wish| Rejects::new(attempt, wish));
        let mut source = source::open(attempt, source, rejects.as_ref()).await?;
        let target = self.columns(attempt, session, &mut source, made).await?;
        let key = self.key(attempt, session, &target).await?;
        self.before(attempt, session).await?;
        self.warn_of_engine(attempt, session).await?;
        let staging = self.staging(attempt, session, &target, &key).await?;
        let transaction = Transaction {
            into: self,
            attempt,
            guard,
            made: made.as_ref(),
            increment,
            rejects: rejects.as_ref(),
            staging: staging.as_ref(),
        };
        let counters = transaction.run(session, source, target, key).await;
        if let Some(staging) = staging {
            staging.remove(counters.is_ok()).await;
        }
        counters
    }

    async fn after(
        &self,
        attempt: &AttemptContext,
        session: &mut dyn Session,
    ) -> Result<(), ActionError> {
        let Some(after) = &self.commands.after else {
            return Ok(());
        };
        attempt
            .log
            .both("执行后置语句", "running the statements after");
        database::run_statements(attempt, session, after, &[]).await?;
        Ok(())
    }

    /// The table's columns that are written, in the order of the source's; it is made if it is missing.
    async fn columns<'s>(
        &'s self,
        attempt: &'s AttemptContext,
        session: &mut dyn Session,
        source: &mut Opened,
        made: &mut Option<Made<'s>>,
    ) -> Result<Vec<Column>, ActionError> {
        let canceller = session.canceller();
        let found = cancellable(&attempt.cancel, canceller, session.table(self.table)).await?;
        if let Some(columns) = found {
            attempt.log.both("目标表存在", "the target table exists");
            return match self.columns.unwrap_or(source.usual_match()) {
                Match::Name => Ok(by_name(&source.columns(), &columns, self.table)?),
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
        check_unique(&columns, self.table, session.dialect())?;
        let key = match self.mode.wanted_key() {
            Some([]) => return Err(no_table(self.table)),
            Some(key) => mode::spelled(key, &columns, self.table)?,
            None => Vec::new(),
        };
        let statement = session.create_table(self.table, &columns, &key);
        attempt.log.info(&statement);
        database::execute(attempt, session, &statement).await?;
        let place = (self.link, self.table);
        *made = Some(Made::new(attempt, session, place, source.is_sampled()).await?);
        let canceller = session.canceller();
        let found = cancellable(&attempt.cancel, canceller, session.table(self.table)).await?;
        Ok(found.unwrap_or(columns))
    }

    /// The columns by which rows are found that new ones take the place of; none where all are added.
    async fn key(
        &self,
        attempt: &AttemptContext,
        session: &mut dyn Session,
        written: &[Column],
    ) -> Result<Vec<String>, ActionError> {
        let Some(wanted) = self.mode.wanted_key() else {
            return Ok(Vec::new());
        };
        let canceller = session.canceller();
        let keys = cancellable(&attempt.cancel, canceller, session.keys(self.table)).await?;
        let key = mode::choose(&keys, wanted, written, self.table)?;
        let names = key.join(", ");
        attempt.log.both(
            format_args!("按键（{names}）更新目标表中已有的记录，其余的插入"),
            format_args!("rows of the same key ({names}) are updated, the others inserted"),
        );
        let canceller = session.canceller();
        let staging = session.stage(self.table, written, &key);
        cancellable(&attempt.cancel, canceller, staging).await?;
        Ok(key)
    }

    /// Where several connections write; `None` for one.
    async fn staging<'s>(
        &'s self,
        attempt: &'s AttemptContext,
        session: &mut dyn Session,
        target: &[Column],
        key: &[String],
    ) -> Result<Option<Staging<'s>>, ActionError> {
        if self.tasks < 2 {
            return Ok(None);
        }
        let dialect = session.dialect();
        let (zh, en) = match dialect.named_locks() {
            None => (dialect.name(), dialect.name()),
            _ if self.rejects.is_some() => ("reject-limit", "reject-limit"),
            _ if !key.is_empty() => ("按键更新记录", "updating rows by their key"),
            Some(locks) => {
                let table = (self.table, target);
                return Staging::make(attempt, session, self.link, table, (self.tasks, locks))
                    .await;
            }
        };
        let tasks = self.tasks;
        attempt.log.say(
            Level::Warn,
            &Text::new(
                format!("{zh}只能用一个连接写入，task-num={tasks}不起作用"),
                format!("{en} allows one connection only, task-num={tasks} is passed over"),
            ),
        );
        Ok(None)
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
        if *self.mode == Mode::Replace {
            database::execute(attempt, session, &database::delete_all(self.table)).await?;
        }
        attempt
            .log
            .both("执行前置语句", "running the statements before");
        database::run_statements(attempt, session, pre, &[]).await?;
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
        if self.rejects.is_some() {
            return Err(ActionError::Fatal(Text::new(
                format!(
                    "目标表{table}的引擎{engine}不支持事务，不能使用reject-limit；请改用InnoDB：alter table {table} engine = InnoDB"
                ),
                format!(
                    "the engine {engine} of the target table {table} knows no transactions, which reject-limit needs; use InnoDB: alter table {table} engine = InnoDB"
                ),
            )));
        }
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
}

/// A table is made for an upsert only with the key that it needs.
fn no_table(table: &str) -> ActionError {
    ActionError::Fatal(Text::new(
        format!("目标表{table}不存在；按键更新时，只有写明 key 才会自动建表，例如 key=\"id\""),
        format!(
            "table {table} does not exist; for mode=\"upsert\" it is made only when its key is named, such as key=\"id\""
        ),
    ))
}
