//! Renewing, taking over, giving back.

use std::time::Duration;

use akkaflow_model::id::Epoch;

use crate::error::Error;
use crate::lease::{Candidate, Lease, TakenOver};
use crate::mysql::MysqlStore;
use crate::mysql::writer::{Leadership, Turn};
use crate::sql::executor::Executor;
use crate::sql::lending::within;
use crate::sql::row::Columns;
use crate::sql::value::Value;
use crate::sql::{lease, reads};

/// A renewal that takes longer proves nothing any more: the master fences itself after 4 s.
const RENEW: Duration = Duration::from_secs(3);

/// A ping that takes longer gives its connection up.
const PING: Duration = Duration::from_secs(1);

/// The whole take-over; lock waits in it end after 3 s.
const TAKE_OVER: Duration = Duration::from_secs(15);

impl MysqlStore {
    /// See [`crate::Store::renew`].
    pub(crate) async fn renew_lease(&self, epoch: Epoch, incarnation: u128) -> Result<bool, Error> {
        let renewal = async {
            // An answer that got lost may have been a yes: asking again on a new connection does no harm.
            match self.try_renew(epoch, incarnation).await {
                Err(Error::Unavailable { .. }) => self.try_renew(epoch, incarnation).await,
                outcome => outcome,
            }
        };
        // Also keeps the writer's connection from being dropped for its silence.
        let ping = tokio::time::timeout(PING, self.writer.ping());
        let (renewed, _) = futures::join!(within(RENEW, renewal), ping);
        renewed
    }

    async fn try_renew(&self, epoch: Epoch, incarnation: u128) -> Result<bool, Error> {
        let mut turn = self.renewer.turn().await?;
        let renewed =
            lease::renew(&mut Executor::Mysql(turn.connection()), epoch, incarnation).await?;
        turn.finish();
        Ok(renewed)
    }

    /// See [`crate::Store::release`].
    pub(crate) async fn give_back(&self, epoch: Epoch, incarnation: u128) -> Result<(), Error> {
        let mut turn = self.renewer.turn().await?;
        lease::release(&mut Executor::Mysql(turn.connection()), epoch, incarnation).await?;
        turn.finish();
        Ok(())
    }

    /// See [`crate::Store::take_over`].
    pub(crate) async fn take_lease(
        &self,
        seen: Option<&Lease>,
        candidate: &Candidate,
    ) -> Result<Option<TakenOver>, Error> {
        match within(TAKE_OVER, self.claim(seen, candidate)).await {
            // The answer to COMMIT may have got lost.
            Err(error @ Error::Unavailable { .. }) => {
                match within(RENEW, self.read_back(seen, candidate)).await {
                    Ok(Some(taken)) => Ok(Some(taken)),
                    _ => Err(error),
                }
            }
            outcome => outcome,
        }
    }

    async fn claim(
        &self,
        seen: Option<&Lease>,
        candidate: &Candidate,
    ) -> Result<Option<TakenOver>, Error> {
        let mut turn = self.fresh_turn().await?;
        let number = turn.number();
        if let Some(seen) = seen {
            cut_connections(&mut Executor::Mysql(turn.connection()), seen, number).await?;
        }
        let mut executor = Executor::Mysql(turn.connection());
        executor.raw("BEGIN").await?;
        let taken = lease::claim(&mut executor, seen, candidate, &number.to_string()).await?;
        let end = if taken.is_some() {
            "COMMIT"
        } else {
            "ROLLBACK"
        };
        executor.raw(end).await?;
        if let Some(taken) = taken {
            turn.lead(Leadership {
                epoch: taken.epoch,
                incarnation: candidate.incarnation,
            });
        }
        turn.finish();
        Ok(taken)
    }

    /// A turn of the writer on a connection that works, whatever lease it once proved.
    async fn fresh_turn(&self) -> Result<Turn<'_>, Error> {
        let mut turn = self.writer.claiming_turn().await?;
        if sqlx::Connection::ping(turn.connection()).await.is_ok() {
            return Ok(turn);
        }
        drop(turn);
        self.writer.claiming_turn().await
    }

    async fn read_back(
        &self,
        seen: Option<&Lease>,
        candidate: &Candidate,
    ) -> Result<Option<TakenOver>, Error> {
        let mut turn = self.fresh_turn().await?;
        let mut executor = Executor::Mysql(turn.connection());
        let found = reads::lease(&mut executor).await?;
        let Some(found) = found.filter(|lease| {
            lease.incarnation == candidate.incarnation
                && lease.holder == candidate.holder
                && seen.is_none_or(|seen| lease.epoch.0 == seen.epoch.0 + 1)
        }) else {
            return Ok(None);
        };
        let rows = executor
            .fetch(
                "SELECT seq FROM af_journal WHERE kind = 0 AND epoch = ? ORDER BY seq DESC LIMIT 1",
                &[Value::bits(found.epoch.0)],
            )
            .await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let seq = Columns::new(row).bits()?;
        turn.lead(Leadership {
            epoch: found.epoch,
            incarnation: candidate.incarnation,
        });
        turn.finish();
        Ok(Some(TakenOver {
            epoch: found.epoch,
            seq,
        }))
    }
}

/// Cuts the connections of a holder that no longer renews, so that no transaction of it blocks ours.
///
/// Only while the lease still is what was seen, and only connections of our own user to our own database: numbers start
/// anew when a server restarts.
async fn cut_connections(executor: &mut Executor<'_>, seen: &Lease, own: u64) -> Result<(), Error> {
    let numbers: Vec<u64> = seen
        .connections
        .split(',')
        .filter_map(|number| number.trim().parse().ok())
        .filter(|number| *number != own)
        .collect();
    if numbers.is_empty() || seen.holder.is_empty() {
        return Ok(());
    }
    let current = reads::lease(executor).await?;
    if current.is_none_or(|lease| (lease.epoch, lease.renew_seq) != (seen.epoch, seen.renew_seq)) {
        return Ok(());
    }
    for number in numbers {
        let ours = executor
            .fetch(
                "SELECT ID FROM information_schema.PROCESSLIST WHERE ID = ? AND DB = DATABASE() \
                 AND USER = SUBSTRING_INDEX(USER(), '@', 1)",
                &[Value::bits(number)],
            )
            .await?;
        if !ours.is_empty() {
            // It may be gone by now: then there is nothing to cut.
            let _ = executor
                .execute("KILL CONNECTION ?", &[Value::bits(number)])
                .await;
        }
    }
    Ok(())
}
