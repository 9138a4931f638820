//! Reading from a pool, whichever the dialect: the half of [`crate::Store`] that only asks.

use std::time::Duration;

use akkaflow_model::backfill::{BackfillRow, BackfillRunRow};
use akkaflow_model::id::InstanceId;
use akkaflow_model::links::LinkRow;
use akkaflow_model::mail::{MailKey, StoredMail};
use akkaflow_model::record::{
    AttemptRow, CalendarRow, FileProblemRow, FireRow, InstanceRow, Measurement, NodeRow,
    ScheduleRow, StateRow, Success, TokenRow, VersionRow, WorkflowRow,
};
use akkaflow_model::state::InstanceState;
use akkaflow_model::time::Timestamp;
use async_trait::async_trait;
use sqlx::pool::PoolConnection;
use sqlx::{MySql, Sqlite};

use crate::batch::{BatchId, JournalRow};
use crate::contract::Queries;
use crate::error::Error;
use crate::place::Place;
use crate::query::{InstanceQuery, MailQuery, RunCounts};
use crate::sql::executor::Executor;
use crate::sql::{backfills, daily, mails, reads, retention};

/// A query that takes longer is given up: the server or the disk is stuck.
pub(crate) const QUERY: Duration = Duration::from_secs(30);

/// A connection of a pool.
pub(crate) enum Lent {
    /// To SQLite.
    Sqlite(PoolConnection<Sqlite>),
    /// To MySQL or MariaDB.
    Mysql(PoolConnection<MySql>),
}

impl Lent {
    /// Runs statements on it.
    pub(crate) fn executor(&mut self) -> Executor<'_> {
        match self {
            Self::Sqlite(connection) => Executor::Sqlite(connection),
            Self::Mysql(connection) => Executor::Mysql(connection),
        }
    }
}

/// A database that lends connections for reading.
#[async_trait]
pub(crate) trait Lend: Send + Sync {
    /// A connection, once one is free.
    async fn lend(&self) -> Result<Lent, sqlx::Error>;

    /// Which database, for failures.
    fn place(&self) -> &Place;
}

/// A bound on how long the database may keep silent.
pub(crate) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(silent().into()))
}

/// The error of a database that keeps silent.
pub(crate) fn silent() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        "no answer in time",
    ))
}

/// Runs one of the shared queries on a borrowed connection.
macro_rules! read {
    ($lender:expr, $query:path $(, $argument:expr)*) => {{
        let lender = $lender;
        $crate::sql::lending::within($crate::sql::lending::QUERY, async {
            let mut lent = $crate::sql::lending::Lend::lend(lender).await?;
            $query(&mut lent.executor() $(, $argument)*).await
        })
        .await
        .map_err(|error| error.at($crate::sql::lending::Lend::place(lender)))
    }};
}
pub(crate) use read;

#[async_trait]
impl<D: Lend> Queries for D {
    async fn batch_at(&self, seq: u64) -> Result<Option<BatchId>, Error> {
        read!(self, reads::batch_at, seq)
    }

    async fn workflows(&self) -> Result<Vec<WorkflowRow>, Error> {
        read!(self, reads::workflows)
    }

    async fn workflow(&self, name: &str) -> Result<Option<WorkflowRow>, Error> {
        read!(self, reads::workflow, name)
    }

    async fn version(&self, version: &str) -> Result<Option<VersionRow>, Error> {
        read!(self, reads::version, version)
    }

    async fn schedule(&self, workflow: &str) -> Result<Option<ScheduleRow>, Error> {
        read!(self, reads::schedule, workflow)
    }

    async fn fires(&self, workflow: &str, limit: u32) -> Result<Vec<FireRow>, Error> {
        read!(self, reads::fires, workflow, limit)
    }

    async fn calendar(&self, name: &str) -> Result<Option<CalendarRow>, Error> {
        read!(self, reads::calendar, name)
    }

    async fn states(&self, workflow: &str) -> Result<Vec<StateRow>, Error> {
        read!(self, reads::states, workflow)
    }

    async fn waiting_tokens(&self, dependant: &str) -> Result<Vec<TokenRow>, Error> {
        read!(self, reads::waiting_tokens, dependant)
    }

    async fn file_problems(&self) -> Result<Vec<FileProblemRow>, Error> {
        read!(self, reads::file_problems)
    }

    async fn instances(&self, query: &InstanceQuery) -> Result<Vec<InstanceRow>, Error> {
        read!(self, reads::instances, query)
    }

    async fn instance_ids(&self, part: &str, limit: u32) -> Result<Vec<InstanceId>, Error> {
        read!(self, reads::instance_ids, part, limit)
    }

    async fn daily_counts(
        &self,
        from: Timestamp,
        offset_seconds: i32,
    ) -> Result<Vec<(String, InstanceState, u64)>, Error> {
        read!(self, daily::daily_counts, from, offset_seconds)
    }

    async fn instance(&self, id: InstanceId) -> Result<Option<InstanceRow>, Error> {
        read!(self, reads::instance, id)
    }

    async fn nodes(&self, id: InstanceId) -> Result<Vec<NodeRow>, Error> {
        read!(self, reads::nodes, id)
    }

    async fn attempts(&self, id: InstanceId) -> Result<Vec<AttemptRow>, Error> {
        read!(self, reads::attempts, id)
    }

    async fn successes(&self, workflow: &str, instances: u32) -> Result<Vec<Success>, Error> {
        read!(self, reads::successes, workflow, instances)
    }

    async fn measurements(
        &self,
        workflow: &str,
        node: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Measurement>, Error> {
        read!(self, reads::measurements, workflow, node, limit)
    }

    async fn journal_at(&self, at: Timestamp) -> Result<u64, Error> {
        read!(self, retention::journal_at, at)
    }

    async fn journal(&self, after: u64, limit: u32) -> Result<Vec<JournalRow>, Error> {
        read!(self, retention::journal, after, limit)
    }

    async fn workflow_with_instances(&self, after: &str) -> Result<Option<String>, Error> {
        read!(self, retention::workflow_with_instances, after)
    }

    async fn expired(
        &self,
        workflow: &str,
        before: Timestamp,
        keep: u32,
        limit: u32,
    ) -> Result<Vec<InstanceId>, Error> {
        read!(self, retention::expired, workflow, before, keep, limit)
    }

    async fn forgettable_fires(
        &self,
        workflow: &str,
        before: Timestamp,
        limit: u32,
    ) -> Result<Option<Timestamp>, Error> {
        read!(self, retention::forgettable_fires, workflow, before, limit)
    }

    async fn backfills(&self, limit: u32) -> Result<Vec<BackfillRow>, Error> {
        read!(self, backfills::backfills, limit)
    }

    async fn backfill(&self, id: InstanceId) -> Result<Option<BackfillRow>, Error> {
        read!(self, backfills::backfill, id)
    }

    async fn backfill_runs(&self, id: InstanceId) -> Result<Vec<BackfillRunRow>, Error> {
        read!(self, backfills::runs, id)
    }

    async fn backfill_counts(&self, ids: &[InstanceId]) -> Result<RunCounts, Error> {
        read!(self, backfills::counts, ids)
    }

    async fn succeeded(
        &self,
        workflow: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Timestamp>, Error> {
        read!(self, backfills::succeeded, workflow, from, until)
    }

    async fn mails(&self, query: &MailQuery) -> Result<Vec<StoredMail>, Error> {
        read!(self, mails::mails, query)
    }

    async fn mail(&self, key: &MailKey) -> Result<Option<StoredMail>, Error> {
        read!(self, mails::mail, key)
    }

    async fn owed_mails(&self, limit: u32) -> Result<Vec<StoredMail>, Error> {
        read!(self, mails::owed, limit)
    }

    async fn links(&self) -> Result<Vec<LinkRow>, Error> {
        read!(self, reads::links)
    }
}
