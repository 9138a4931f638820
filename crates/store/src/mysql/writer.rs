//! The connection that commits. Each new one proves the lease and publishes its number before it writes.

use akkaflow_model::id::Epoch;
use sqlx::Connection as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use tokio::sync::{Mutex, MutexGuard};

use crate::error::Error;
use crate::mysql::session::{self, Purpose};
use crate::place::Place;
use crate::sql::executor::Executor;
use crate::sql::value::Value;

/// The lease that this process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leadership {
    /// Its epoch.
    pub(crate) epoch: Epoch,
    /// This start of the process.
    pub(crate) incarnation: u128,
}

/// A connection with the server's number for it.
#[derive(Debug)]
pub(crate) struct Numbered {
    connection: MySqlConnection,
    number: u64,
}

/// What is kept between turns.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    connection: Option<Numbered>,
    leadership: Option<Leadership>,
}

/// A connection that is opened anew after a turn that did not end well.
#[derive(Debug)]
pub(crate) struct Writer {
    options: MySqlConnectOptions,
    purpose: Purpose,
    idle: Mutex<Idle>,
}

/// The connection, for as long as one piece of work takes. Dropping it unfinished closes the connection, which undoes
/// an open transaction.
pub(crate) struct Turn<'a> {
    idle: MutexGuard<'a, Idle>,
    connection: Numbered,
}

/// Why there is no connection to write on.
#[derive(Debug)]
pub(crate) enum NoTurn {
    /// The lease is someone else's.
    Superseded,
    /// The server is in trouble.
    Failed(Error),
}

impl Writer {
    /// A writer that connects at its first turn.
    pub(crate) fn new(options: MySqlConnectOptions, purpose: Purpose) -> Self {
        Self {
            options,
            purpose,
            idle: Mutex::default(),
        }
    }

    /// Waits for the connection.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>, NoTurn> {
        let mut idle = self.idle.lock().await;
        let connection = match idle.connection.take() {
            Some(connection) => connection,
            None => {
                let mut connection = self.connect().await.map_err(NoTurn::Failed)?;
                if let Some(leadership) = idle.leadership {
                    publish(&mut connection, leadership).await?;
                }
                connection
            }
        };
        Ok(Turn { idle, connection })
    }

    /// The connection for a take-over: what it proved before does not matter.
    pub(crate) async fn claiming_turn(&self) -> Result<Turn<'_>, Error> {
        let mut idle = self.idle.lock().await;
        let connection = match idle.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        Ok(Turn { idle, connection })
    }

    async fn connect(&self) -> Result<Numbered, Error> {
        let mut connection = session::connect(&self.options, self.purpose).await?;
        let number = session::connection_id(&mut connection).await?;
        Ok(Numbered { connection, number })
    }

    /// Keeps an idle connection alive, or lets go of it when it is dead. Does nothing while somebody writes.
    pub(crate) async fn ping(&self) {
        let Ok(mut idle) = self.idle.try_lock() else {
            return;
        };
        if let Some(mut numbered) = idle.connection.take()
            && numbered.connection.ping().await.is_ok()
        {
            idle.connection = Some(numbered);
        }
    }
}

/// Proves the lease on a new connection.
async fn publish(connection: &mut Numbered, leadership: Leadership) -> Result<(), NoTurn> {
    let number = connection.number.to_string();
    let met = Executor::Mysql(&mut connection.connection)
        .execute(
            "UPDATE af_lease SET connections = ? WHERE id = 1 AND epoch = ? AND incarnation = ?",
            &[
                Value::text(&number),
                Value::bits(leadership.epoch.0),
                Value::wide(leadership.incarnation),
            ],
        )
        .await
        .map_err(|error| NoTurn::Failed(error.into()))?;
    if met == 1 {
        Ok(())
    } else {
        Err(NoTurn::Superseded)
    }
}

impl Turn<'_> {
    /// The connection.
    pub(crate) fn connection(&mut self) -> &mut MySqlConnection {
        &mut self.connection.connection
    }

    /// The server's number for it.
    pub(crate) fn number(&self) -> u64 {
        self.connection.number
    }

    /// From now on new connections prove this lease.
    pub(crate) fn lead(&mut self, leadership: Leadership) {
        self.idle.leadership = Some(leadership);
    }

    /// Says that no transaction is open: the next turn may have the connection.
    pub(crate) fn finish(mut self) {
        self.idle.connection = Some(self.connection);
    }
}

impl From<NoTurn> for Error {
    fn from(reason: NoTurn) -> Self {
        match reason {
            NoTurn::Failed(error) => error,
            NoTurn::Superseded => Self::Unavailable {
                place: Place::default(),
                source: "the lease is another master's".into(),
            },
        }
    }
}
