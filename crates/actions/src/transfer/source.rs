//! The reading end.

use std::sync::Arc;

use akkaflow_connectors::{
    BatchSender, Canceller, Column, Error, FileReader, Kind, Session, cancellable,
};
use tokio_util::sync::CancellationToken;

use super::body::Source;
use crate::context::AttemptContext;
use crate::database;
use crate::error::ActionError;

/// A source that can be read now.
pub(super) enum Opened {
    Database {
        session: Box<dyn Session>,
        query: String,
        columns: Vec<Column>,
    },
    File {
        reader: FileReader,
        /// Fields of the first row; `None` in an empty file.
        fields: Option<usize>,
    },
}

pub(super) async fn open(attempt: &AttemptContext, source: &Source) -> Result<Opened, ActionError> {
    match source {
        Source::Database { link, text } => {
            let mut session = database::open(attempt, link).await?;
            let query = database::query(text);
            let canceller = session.canceller();
            let columns = cancellable(&attempt.cancel, canceller, session.describe(&query)).await?;
            Ok(Opened::Database {
                session,
                query,
                columns,
            })
        }
        Source::File { path, delimiter } => {
            let path = attempt.base_directory.join(path);
            let delimiter = delimiter.clone();
            let opened = tokio::task::spawn_blocking(move || {
                let mut reader = FileReader::open(&path, delimiter)?;
                let fields = reader.first_row_fields()?;
                Ok::<_, Error>(Opened::File { reader, fields })
            });
            Ok(opened.await.expect("reading a file does not panic")?)
        }
    }
}

impl Opened {
    /// The columns for a table that is to be made for the rows; `None` when nothing is known.
    pub(super) async fn columns_to_make(
        &mut self,
        attempt: &AttemptContext,
    ) -> Result<Option<Vec<Column>>, Error> {
        match self {
            Self::Database { session, query, .. } => {
                let canceller = session.canceller();
                let asking = session.describe_values(query);
                cancellable(&attempt.cancel, canceller, asking)
                    .await
                    .map(Some)
            }
            Self::File { fields, .. } => Ok(fields.map(file_columns)),
        }
    }

    /// The columns of the rows that come, when the target has `count` of them. Rows of a file are counted one by one.
    pub(super) fn columns_for(&self, count: usize) -> Vec<Column> {
        match self {
            Self::Database { columns, .. } => columns.clone(),
            Self::File { .. } => file_columns(count),
        }
    }

    /// Stops the source on its server.
    pub(super) fn canceller(&self) -> Arc<dyn Canceller> {
        match self {
            Self::Database { session, .. } => session.canceller(),
            Self::File { .. } => Arc::new(Nobody),
        }
    }

    /// Sends all rows; with `expected` each has that many values.
    pub(super) async fn read(
        self,
        stop: CancellationToken,
        expected: Option<usize>,
        output: BatchSender,
    ) -> Result<u64, Error> {
        match self {
            Self::Database {
                mut session, query, ..
            } => {
                let canceller = session.canceller();
                cancellable(&stop, canceller, session.read(&query, output)).await
            }
            Self::File { reader, .. } => {
                tokio::task::spawn_blocking(move || reader.read(expected, &output))
                    .await
                    .expect("reading a file does not panic")
            }
        }
    }
}

fn file_columns(count: usize) -> Vec<Column> {
    (0..count)
        .map(|index| Column::new(format!("col_{index}"), Kind::Field))
        .collect()
}

/// A file needs no cancelling: its reader ends when nobody takes rows.
struct Nobody;

#[async_trait::async_trait]
impl Canceller for Nobody {
    async fn cancel(&self) {}
}
