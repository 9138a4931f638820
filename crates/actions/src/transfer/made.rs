//! A table that a transfer makes for its rows: it goes again when they do not come.

use std::time::Duration;

use akkaflow_connectors::{Error, Session, connect};
use akkaflow_model::text::Text;

use crate::context::{AttemptContext, Level};
use crate::database;
use crate::error::ActionError;

/// How long a cancelled attempt may take to drop it; it must be gone within two seconds.
const SHORT_LIMIT: Duration = Duration::from_millis(900);

/// How long a failed one may take.
const LONG_LIMIT: Duration = Duration::from_secs(10);

/// A table that this attempt has made.
pub(super) struct Made<'a> {
    attempt: &'a AttemptContext,
    link: &'a str,
    table: &'a str,
    /// By which it is told from another one that somebody makes in its place.
    identity: Option<String>,
    /// Whether its types follow from the first rows alone.
    is_sampled: bool,
}

impl<'a> Made<'a> {
    /// Of a table that has just been made over `session`.
    pub(super) async fn new(
        attempt: &'a AttemptContext,
        session: &mut dyn Session,
        (link, table): (&'a str, &'a str),
        is_sampled: bool,
    ) -> Result<Self, Error> {
        let query = session.dialect().identity(table);
        let done = database::execute(attempt, session, &query).await?;
        Ok(Self {
            attempt,
            link,
            table,
            identity: first(done.results),
            is_sampled,
        })
    }

    /// The same error; where a row does not fit types that were told from others, that is said.
    pub(super) fn blame(&self, error: Error) -> Error {
        let table = self.table;
        match error {
            Error::Unfit(_) if self.is_sampled => error.within(&Text::new(
                format!(
                    "目标表{table}由本次传输按源的前1000行建立，其后的记录不符合这些类型；请先用能容纳所有记录的类型建立该表（建表语句见日志）再重跑"
                ),
                format!(
                    "table {table} was made by this transfer, with types that the first 1000 rows of the source need, and a later row does not fit \
                     them: first create it with types that hold all rows (the log shows the statement), then run this again"
                ),
            )),
            error => error,
        }
    }

    /// Drops it after `error`, unless it holds rows or is another one by now. Nobody else may have a session open in which it is written.
    pub(super) async fn remove(self, error: &ActionError) {
        let limit = match error {
            ActionError::Cancelled => SHORT_LIMIT,
            _ => LONG_LIMIT,
        };
        let table = self.table;
        let text = match tokio::time::timeout(limit, self.drop_empty()).await {
            Ok(Ok(true)) => {
                return self.attempt.log.both(
                    format_args!("已删除本次传输建立的空表{table}"),
                    format_args!("dropped table {table} again, which this transfer had made"),
                );
            }
            Ok(Ok(false)) => return,
            Ok(Err(error)) => error.text(),
            Err(_) => Text::new("数据库没有及时应答", "the database takes too long"),
        };
        let text = Text::new(
            format!("本次传输建立的空表{table}未能删除：{}", text.zh),
            format!(
                "the empty table {table}, which this transfer had made, could not be dropped: {}",
                text.en
            ),
        );
        self.attempt.log.say(Level::Warn, &text);
    }

    /// Whether it was dropped. Over a connection of its own: whatever became of the other.
    async fn drop_empty(&self) -> Result<bool, Error> {
        let (Some(identity_then), Ok(link)) = (&self.identity, self.attempt.link(self.link)) else {
            return Ok(false);
        };
        let mut session = connect(link, &self.attempt.options()).await?.session;
        let dialect = session.dialect();
        let table = self.table;
        // Nobody writes into it between the look and the end.
        for statement in dialect.lock_table(table) {
            session.execute(&statement).await?;
        }
        // MySQL shows no other table to a session with a lock, but those that tell of tables.
        let now = first(session.execute(&dialect.identity(table)).await?.results);
        let row = format!("select 1 from {table} limit 1");
        let is_empty = first(session.execute(&row).await?.results).is_none();
        let is_dropped = is_empty && now.as_ref() == Some(identity_then);
        if is_dropped {
            session.execute(&format!("drop table {table}")).await?;
        }
        session.execute(dialect.unlock_table()).await?;
        Ok(is_dropped)
    }
}

/// The first value of what a query returned.
fn first(results: Vec<akkaflow_connectors::Preview>) -> Option<String> {
    let result = results.into_iter().next()?;
    result.first.into_iter().next().flatten()
}
