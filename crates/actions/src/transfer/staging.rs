//! Writing over several connections.
//!
//! Each connection fills a table of its own, without keys, beside the target; one `insert ... select` then takes all of them over, in the
//! transaction of the transfer. The tables are named after the attempt, and are dropped however it ends; those of an attempt that died are
//! dropped by the next one of the same node: a lock of its connection says that it lives.

use std::time::Duration;

use akkaflow_connectors::{
    BatchReceiver, Column, Dialect, Error, Load, NamedLocks, Progress, Session, cancellable,
    connect, processor_time,
};
use akkaflow_model::text::Text;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::context::{AttemptContext, Level};
use crate::database;
use crate::error::ActionError;

/// More connections win nothing, and each takes memory for some batches.
pub(super) const MOST_TASKS: usize = 16;

/// Batches that wait for each connection.
const BATCHES_WAITING: usize = 2;

/// How long a cancelled attempt may take to drop its tables; it must be gone within two seconds.
const DROP_LIMIT: Duration = Duration::from_secs(1);

/// How long it may take after a success: large tables take a while.
const LONG_LIMIT: Duration = Duration::from_secs(60);

/// The tables of an attempt.
pub(super) struct Staging<'a> {
    attempt: &'a AttemptContext,
    link: &'a str,
    /// What stands before the tables' names: a schema and its point, or nothing.
    schema: String,
    locks: NamedLocks,
    names: Vec<String>,
}

impl<'a> Staging<'a> {
    /// `None`, with a warning, where the database does not let us make tables. Otherwise makes `tasks` tables for rows of `columns` of `table`, after dropping those that dead attempts left behind. `session` must live
    /// as long as they do.
    pub(super) async fn make(
        attempt: &'a AttemptContext,
        session: &mut dyn Session,
        link: &'a str,
        (table, columns): (&str, &[Column]),
        (tasks, locks): (usize, NamedLocks),
    ) -> Result<Option<Self>, ActionError> {
        let dialect = session.dialect();
        let owner = owner(attempt);
        let key = &attempt.key;
        let own = format!(
            "{owner}{}_{}_{}",
            key.instance.short(),
            key.run,
            key.attempt
        );
        let schema = schema(table).to_owned();
        let mut staging = Self {
            attempt,
            link,
            schema,
            locks,
            names: Vec::new(),
        };
        staging.execute(session, &staging.lock(&own)).await?;
        staging.drop_leftovers(session, &owner, &own).await?;
        for index in 0..tasks.min(MOST_TASKS) {
            let name = format!("{own}_{index}");
            let full = staging.full(dialect, &name);
            staging.names.push(name);
            let made = dialect.empty_copy(&full, table, columns);
            let Err(error) = staging.execute(session, &made).await else {
                continue;
            };
            staging.remove(false).await;
            let Error::Statement(why) = error else {
                return Err(error.into());
            };
            let text = Text::new(
                format!("不能创建中间表，将以一个连接写入：{}", why.zh),
                format!(
                    "cannot make tables beside the target, one connection writes: {}",
                    why.en
                ),
            );
            attempt.log.say(Level::Warn, &text);
            return Ok(None);
        }
        Ok(Some(staging))
    }

    /// The tables, as statements name them.
    pub(super) fn tables(&self, dialect: &dyn Dialect) -> Vec<String> {
        self.names
            .iter()
            .map(|name| self.full(dialect, name))
            .collect()
    }

    fn full(&self, dialect: &dyn Dialect, name: &str) -> String {
        format!("{}{}", self.schema, dialect.quote(name))
    }

    /// Takes a lock that its connection holds until it ends.
    fn lock(&self, name: &str) -> String {
        (self.locks.take)(name, number(name))
    }

    async fn execute(
        &self,
        session: &mut dyn Session,
        statement: &str,
    ) -> Result<Option<String>, Error> {
        let done = database::execute(self.attempt, session, statement).await?;
        Ok(done
            .results
            .into_iter()
            .flat_map(|it| it.first)
            .next()
            .flatten())
    }

    /// Drops tables of this node whose attempts hold no lock any more.
    async fn drop_leftovers(
        &self,
        session: &mut dyn Session,
        owner: &str,
        own: &str,
    ) -> Result<(), Error> {
        let dialect = session.dialect();
        let schema = self.schema.trim_end_matches('.');
        let schema: String = schema.chars().filter(|c| !"`\"".contains(*c)).collect();
        let listing = listing(self.locks.schema, &schema, owner);
        let found = database::execute(self.attempt, session, &listing).await?;
        let names = found.results.into_iter().flat_map(|it| it.rows).flatten();
        for name in names {
            let Some((group, _)) = name.rsplit_once('_') else {
                continue;
            };
            let is_dead = group == own
                || matches!(
                    self.execute(session, &self.lock(group)).await?.as_deref(),
                    Some("1" | "t")
                );
            if !is_dead {
                continue;
            }
            let full = self.full(dialect, &name);
            self.execute(session, &format!("drop table if exists {full}"))
                .await?;
            if group != own {
                let unlock = (self.locks.release)(group, number(group));
                self.execute(session, &unlock).await?;
            }
            let text = Text::new(
                format!("已删除中断的传输留下的中间表{name}"),
                format!("dropped {name}, which a transfer that broke off had left"),
            );
            self.attempt.log.say(Level::Warn, &text);
        }
        Ok(())
    }

    /// Fills the tables from `rows`. Nobody says which row goes where.
    pub(super) async fn write(
        &self,
        target: &[Column],
        source: &[Column],
        mut rows: BatchReceiver,
        progress: &Progress,
    ) -> Result<u64, Error> {
        let stop = self.attempt.cancel.child_token();
        let mut writers = JoinSet::new();
        let mut senders = Vec::new();
        for index in 0..self.names.len() {
            let session = self.open().await?;
            let (sender, rows) = mpsc::channel(BATCHES_WAITING);
            senders.push(sender);
            let load = Load {
                table: self.full(session.dialect(), &self.names[index]),
                target: target.to_vec(),
                source: source.to_vec(),
                key: Vec::new(),
                rows,
                progress: progress.clone(),
            };
            writers.spawn(processor_time::counted(fill(session, load, stop.clone())));
        }
        let mut turn = 0;
        while let Some(batch) = rows.recv().await {
            // Whoever has most room; a writer that has ended will say why.
            turn = (1..=senders.len())
                .map(|step| (turn + step) % senders.len())
                .max_by_key(|index| senders[*index].capacity())
                .unwrap_or(0);
            if senders[turn].send(batch).await.is_err() {
                break;
            }
        }
        drop((senders, rows));
        let mut written = Ok(0);
        while let Some(writer) = writers.join_next().await {
            written = match (written, writer.expect("a writer does not panic")) {
                (Ok(before), Ok(count)) => Ok(before + count),
                (Ok(_), Err(error)) => {
                    stop.cancel();
                    Err(error)
                }
                (Err(error), _) => Err(error),
            };
        }
        written
    }

    async fn open(&self) -> Result<Box<dyn Session>, Error> {
        let opened = database::open(self.attempt, self.link).await;
        opened.map_err(|error| match error {
            ActionError::Retryable(text) | ActionError::Fatal(text) => Error::Unreachable(text),
            _ => Error::Cancelled,
        })
    }

    /// Drops the tables over a connection of its own: whatever became of the others. After a failure it must be quick.
    pub(super) async fn remove(self, has_time: bool) {
        let limit = if has_time { LONG_LIMIT } else { DROP_LIMIT };
        let Ok(link) = self.attempt.link(self.link) else {
            return;
        };
        let options = self.attempt.options();
        let dropping = async {
            let mut session = connect(link, &options).await?.session;
            let tables = self.tables(session.dialect()).join(", ");
            session
                .execute(&format!("drop table if exists {tables}"))
                .await
        };
        if !matches!(tokio::time::timeout(limit, dropping).await, Ok(Ok(_))) {
            let names = self.names.join(", ");
            let text = Text::new(
                format!("中间表{names}未能删除，该节点的下一次传输会删除它们"),
                format!("could not drop {names}; the next transfer of this node does"),
            );
            self.attempt.log.say(Level::Warn, &text);
        }
    }
}

/// One table's rows, committed: nobody else looks at it.
async fn fill(
    mut session: Box<dyn Session>,
    load: Load,
    stop: CancellationToken,
) -> Result<u64, Error> {
    let begin = session.dialect().begin();
    let canceller = session.canceller();
    let work = async {
        session.execute(begin).await?;
        let written = session.write(load).await?;
        session.execute("commit").await?;
        Ok(written)
    };
    cancellable(&stop, canceller, work).await
}

/// What the names of a node's tables begin with.
fn owner(attempt: &AttemptContext) -> String {
    let node = format!("{}\0{}", attempt.workflow, attempt.key.node);
    format!("akkaflow_stage_{:08x}_", crc32c::crc32c(node.as_bytes()))
}

/// The part of a table's name before its last point that stands outside of quotes, with the point.
fn schema(table: &str) -> &str {
    let mut quote = None;
    let mut end = 0;
    for (at, sign) in table.char_indices() {
        match (quote, sign) {
            (None, '`' | '"') => quote = Some(sign),
            (Some(open), _) if open == sign => quote = None,
            (None, '.') => end = at + 1,
            _ => {}
        }
    }
    &table[..end]
}

/// Some products know locks by numbers alone.
fn number(name: &str) -> u64 {
    const OURS: u64 = 0x616b_6b61;
    OURS << 32 | u64::from(crc32c::crc32c(name.as_bytes()))
}

/// The query for the tables of a node; `here` is the schema where none is named.
fn listing(here: &str, schema: &str, owner: &str) -> String {
    let here = match schema {
        "" => here.to_owned(),
        name => format!("'{}'", name.replace('\'', "''")),
    };
    format!(
        "select table_name from information_schema.tables where table_schema = {here} and table_name like '{}%'",
        owner.replace('_', "\\_")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_ends_at_the_last_point_outside_of_quotes() {
        for (table, expected) in [
            ("t", ""),
            ("a.t", "a."),
            ("\"a.b\".\"t.u\"", "\"a.b\"."),
            ("`a`.`b.c`.t", "`a`.`b.c`."),
        ] {
            assert_eq!(schema(table), expected, "{table}");
        }
    }
}
