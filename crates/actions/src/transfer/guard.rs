//! What the database of a target remembers of transfers, written in the transactions of their rows.
//!
//! A row for each run of a node says that its rows are there, and with which counters: another attempt of that run, after one whose answer was lost,
//! finds it and copies nothing. The key lets two attempts of one run that overlap commit once. A row without an instance says up to where the node
//! has read its source (`increment.rs`).

use akkaflow_connectors::{Dialect, Session, TableWords, cancellable};
use akkaflow_model::text::Text;

use crate::context::{AttemptContext, Level};
use crate::database;
use crate::error::ActionError;

const TABLE: &str = "akkaflow_guard";

/// How long a run is remembered: far longer than anybody tries it again.
const DAYS: u32 = 30;

/// Counters by name.
pub(super) type Counters = Vec<(String, String)>;

/// From where to where a node has read, in the spelling of its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) from: String,
    pub(super) to: String,
}

/// The rows of one attempt's run.
pub(super) struct Guard<'a> {
    attempt: &'a AttemptContext,
    link: &'a str,
    dialect: &'static dyn Dialect,
}

impl<'a> Guard<'a> {
    /// Makes the table if it is missing.
    pub(super) async fn open(
        attempt: &'a AttemptContext,
        link: &'a str,
        session: &mut dyn Session,
    ) -> Result<Self, ActionError> {
        let guard = Self {
            attempt,
            link,
            dialect: session.dialect(),
        };
        if guard.is_there(session).await? {
            return Ok(guard);
        }
        let statement = guard.declaration();
        if let Err(error) = database::execute(attempt, session, &statement).await {
            // Another one may have made it in the meantime.
            if error == akkaflow_connectors::Error::Cancelled || !guard.is_there(session).await? {
                return Err(error.within(&guard.cannot_make(&statement)).into());
            }
        }
        Ok(guard)
    }

    async fn is_there(&self, session: &mut dyn Session) -> Result<bool, ActionError> {
        let canceller = session.canceller();
        let found = cancellable(&self.attempt.cancel, canceller, session.table(TABLE)).await?;
        Ok(found.is_some())
    }

    fn cannot_make(&self, statement: &str) -> Text {
        let link = self.link;
        Text::new(
            format!(
                "无法在数据库连接[{link}]中建立表{TABLE}（记录本次传输是否已提交）；请由有权限的用户建立它，并授予查询、插入、更新、删除权限：{statement}"
            ),
            format!(
                "cannot make table {TABLE} in db-link `{link}`, which tells whether this transfer has been committed; have somebody who \
                 may make it once and grant select, insert, update and delete on it: {statement}"
            ),
        )
    }

    fn declaration(&self) -> String {
        let TableWords {
            text,
            time,
            options,
        } = self.dialect.table_words();
        format!(
            "create table if not exists {TABLE} (workflow varchar(128) not null, node varchar(128) not null, \
             instance varchar(36) not null, run bigint not null, counters {text}, range_from {text}, range_to {text}, \
             committed_at {time} not null, primary key (workflow, node, instance, run)){options}"
        )
    }

    /// The counters of an earlier attempt of this run whose rows are there.
    pub(super) async fn found(
        &self,
        session: &mut dyn Session,
    ) -> Result<Option<Counters>, ActionError> {
        let query = format!("select counters from {TABLE} where {}", self.is_run());
        let Some(row) = self.first(session, &query).await? else {
            return Ok(None);
        };
        let counters = row.into_iter().next().flatten().unwrap_or_default();
        let counters: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&counters).unwrap_or_default();
        let texts = counters.into_iter().filter_map(|(name, value)| {
            let text = value.as_str()?.to_owned();
            Some((name, text))
        });
        Ok(Some(texts.collect()))
    }

    /// Claims the run for the transaction that is open: another attempt of it waits for its end.
    pub(super) async fn claim(&self, session: &mut dyn Session) -> Result<(), ActionError> {
        let statement = format!(
            "insert into {TABLE} (workflow, node, instance, run, committed_at) values ({}, {}, {}, {}, current_timestamp)",
            self.workflow(),
            self.node(),
            self.literal(&self.attempt.key.instance.to_string()),
            self.attempt.key.run
        );
        let place = Text::new(
            "本次运行的另一次尝试也在写入，或刚刚提交",
            "another attempt of this run is writing too, or has just committed",
        );
        self.execute(session, &statement)
            .await
            .map_err(|error| error.within(&place))?;
        Ok(())
    }

    /// Keeps the counters, in the same transaction.
    pub(super) async fn keep(
        &self,
        session: &mut dyn Session,
        counters: &Counters,
    ) -> Result<(), ActionError> {
        let object: serde_json::Map<String, serde_json::Value> = counters
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        let counters = serde_json::Value::Object(object).to_string();
        let statement = format!(
            "update {TABLE} set counters = {}, committed_at = current_timestamp where {}",
            self.literal(&counters),
            self.is_run()
        );
        self.execute(session, &statement).await?;
        Ok(())
    }

    /// Forgets old runs of this node. That it fails harms nothing.
    pub(super) async fn clean(&self, session: &mut dyn Session) {
        let limit = self.dialect.days_ago(DAYS);
        let statement = format!(
            "delete from {TABLE} where {} and instance <> '' and committed_at < {limit}",
            self.is_node()
        );
        if let Err(error) = self.execute(session, &statement).await
            && error != akkaflow_connectors::Error::Cancelled
        {
            let text = error.text();
            self.attempt.log.say(
                Level::Warn,
                &Text::new(
                    format!("表{TABLE}中的旧记录未能清理：{}", text.zh),
                    format!("old rows of {TABLE} could not be removed: {}", text.en),
                ),
            );
        }
    }

    /// Makes the row that [`Self::position`] locks. What else writes it waits here already: MySQL must not share its lock first, since two that
    /// share it could not both lock it alone afterwards.
    pub(super) async fn prepare_position(
        &self,
        session: &mut dyn Session,
    ) -> Result<(), ActionError> {
        let (verb, or_not) = self.dialect.insert_missing("run");
        let statement = format!(
            "{verb} into {TABLE} (workflow, node, instance, run, committed_at) values ({}, {}, '', 0, current_timestamp){or_not}",
            self.workflow(),
            self.node()
        );
        self.execute(session, &statement).await?;
        Ok(())
    }

    /// Up to where the node has read; locked until the transaction ends, so that no two read the same rows. `None` when it never has.
    pub(super) async fn position(
        &self,
        session: &mut dyn Session,
    ) -> Result<Option<Position>, ActionError> {
        let lock = self.dialect.lock_rows();
        let query = format!(
            "select range_from, range_to from {TABLE} where {} and instance = ''{lock}",
            self.is_node()
        );
        let row = self.first(session, &query).await?.unwrap_or_default();
        Ok(match row.as_slice() {
            [Some(from), Some(to)] => Some(Position {
                from: from.clone(),
                to: to.clone(),
            }),
            _ => None,
        })
    }

    /// Keeps up to where the node has read, in the same transaction as the rows.
    pub(super) async fn keep_position(
        &self,
        session: &mut dyn Session,
        position: &Position,
    ) -> Result<(), ActionError> {
        let statement = format!(
            "update {TABLE} set range_from = {}, range_to = {}, committed_at = current_timestamp where {} and instance = ''",
            self.literal(&position.from),
            self.literal(&position.to),
            self.is_node()
        );
        self.execute(session, &statement).await?;
        Ok(())
    }

    async fn execute(
        &self,
        session: &mut dyn Session,
        statement: &str,
    ) -> Result<akkaflow_connectors::Done, akkaflow_connectors::Error> {
        database::execute(self.attempt, session, statement).await
    }

    /// The first row of a result.
    async fn first(
        &self,
        session: &mut dyn Session,
        query: &str,
    ) -> Result<Option<Vec<Option<String>>>, ActionError> {
        let done = self.execute(session, query).await?;
        let result = done.results.into_iter().next();
        Ok(result
            .filter(|result| result.row_count() > 0)
            .map(|result| result.first))
    }

    fn literal(&self, text: &str) -> String {
        self.dialect.literal(text)
    }

    fn workflow(&self) -> String {
        self.literal(&self.attempt.workflow)
    }

    fn node(&self) -> String {
        self.literal(&self.attempt.key.node)
    }

    fn is_node(&self) -> String {
        format!("workflow = {} and node = {}", self.workflow(), self.node())
    }

    fn is_run(&self) -> String {
        let key = &self.attempt.key;
        let instance = self.literal(&key.instance.to_string());
        format!(
            "{} and instance = {instance} and run = {}",
            self.is_node(),
            key.run
        )
    }
}
