//! One connection that writes, one turn after the other.

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};

/// A connection that is opened anew after a turn that did not end well.
#[derive(Debug)]
pub(crate) struct Writer {
    options: SqliteConnectOptions,
    idle: Mutex<Option<SqliteConnection>>,
}

/// The connection, for as long as one piece of work takes. Dropping it unfinished closes the connection, which undoes
/// an open transaction.
pub(crate) struct Turn<'a> {
    idle: MutexGuard<'a, Option<SqliteConnection>>,
    connection: SqliteConnection,
}

impl Writer {
    /// A writer that opens its connection at its first turn.
    pub(crate) fn new(options: SqliteConnectOptions) -> Self {
        Self {
            options,
            idle: Mutex::new(None),
        }
    }

    /// Waits for the connection.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>, sqlx::Error> {
        let mut idle = self.idle.lock().await;
        let connection = match idle.take() {
            Some(connection) => connection,
            None => SqliteConnection::connect_with(&self.options).await?,
        };
        Ok(Turn { idle, connection })
    }

    /// Waits until nobody writes here, and keeps it so.
    pub(crate) async fn pause(&self) -> MutexGuard<'_, Option<SqliteConnection>> {
        self.idle.lock().await
    }
}

impl Turn<'_> {
    /// The connection.
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Says that no transaction is open: the next turn may have the connection.
    pub(crate) fn finish(mut self) {
        *self.idle = Some(self.connection);
    }
}
