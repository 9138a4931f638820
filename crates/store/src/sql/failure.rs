//! What an error of the driver means to us.

use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;

use crate::error::Error;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(answer) if is_outage(answer.as_ref()) => {
                Self::Unavailable(Box::new(error))
            }
            sqlx::Error::Database(_) | sqlx::Error::Encode(_) | sqlx::Error::InvalidArgument(_) => {
                Self::Refused(Box::new(error))
            }
            sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => {
                Self::Corrupt(error.to_string())
            }
            _ => Self::Unavailable(Box::new(error)),
        }
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
