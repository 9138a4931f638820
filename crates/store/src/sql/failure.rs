//! What an error of the driver means to us.

use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;

use crate::error::{Cause, Error};
use crate::place::Place;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(answer) if is_outage(answer.as_ref()) => unavailable(error),
            sqlx::Error::Database(_) | sqlx::Error::Encode(_) | sqlx::Error::InvalidArgument(_) => {
                Self::Refused {
                    place: Place::default(),
                    source: cause(error),
                }
            }
            sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => {
                Self::Corrupt(error.to_string())
            }
            _ => unavailable(error),
        }
    }
}

fn unavailable(error: sqlx::Error) -> Error {
    Error::Unavailable {
        place: Place::default(),
        source: cause(error),
    }
}

/// What went wrong underneath: the wrappers of the driver repeat its words.
pub(crate) fn cause(error: sqlx::Error) -> Cause {
    match error {
        sqlx::Error::Io(error) => error.into(),
        sqlx::Error::Database(answer) => answer.into_error(),
        sqlx::Error::Tls(cause) | sqlx::Error::Configuration(cause) => cause,
        sqlx::Error::PoolTimedOut => "no connection could be had in time".into(),
        other => other.into(),
    }
}

/// Whether the statement may be fine and only the database or its disk is in trouble.
fn is_outage(error: &dyn DatabaseError) -> bool {
    match error.try_downcast_ref::<MySqlDatabaseError>() {
        Some(error) => is_mysql_outage(error.number()),
        None => error.code().is_some_and(|code| is_sqlite_outage(&code)),
    }
}

/// Too many connections, shutting down, out of resources, lock wait over, dead lock, killed, read only, disk full.
fn is_mysql_outage(number: u16) -> bool {
    matches!(
        number,
        1021 | 1040 | 1041 | 1053 | 1114 | 1203 | 1205 | 1213 | 1290 | 1317 | 1836 | 1927 | 3169
    )
}

/// Busy, locked, out of memory, read only, interrupted, disk error, disk full, cannot open.
fn is_sqlite_outage(code: &str) -> bool {
    code.parse::<i32>()
        .is_ok_and(|code| matches!(code & 0xff, 5..=10 | 13 | 14))
}

/// Whether the database says that a key is taken.
pub(crate) fn is_duplicate(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(DatabaseError::is_unique_violation)
}
