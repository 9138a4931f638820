//! The reading end.

use std::sync::Arc;

use akkaflow_connectors::{
    BatchSender, Canceller, Column, Error, FileFormat, FileReader, Reading, Session, cancellable,
};
use tokio_util::sync::CancellationToken;

use super::body::Source;
use super::increment;
use super::mapping::Match;
use super::place::{Place, blocking};
use super::watermark::Increment;
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
        reader: Box<FileReader>,
    },
}

pub(super) async fn open(attempt: &AttemptContext, source: &Source) -> Result<Opened, ActionError> {
    match source {
        Source::Database { link, text, .. } => {
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
        Source::File { place, format } => tokio::select! {
            biased;
            () = attempt.cancelled() => Err(ActionError::Cancelled),
            reader = open_file(attempt, place, format.clone()) => Ok(Opened::File {
                reader: Box::new(reader?),
            }),
        },
    }
}

async fn open_file(
    attempt: &AttemptContext,
    place: &Place,
    format: FileFormat,
) -> Result<FileReader, ActionError> {
    let content = place.content(attempt).await?;
    let directory = attempt.directory.clone();
    Ok(blocking(move || FileReader::new(content, format, &directory)).await?)
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
            Self::File { reader } => Ok(reader.columns().map(<[Column]>::to_vec)),
        }
    }

    /// From now on these are the rows that are new. Gives back up to where they go; `None` when there are none at all.
    pub(super) async fn narrow(
        &mut self,
        attempt: &AttemptContext,
        increment: &Increment,
    ) -> Result<Option<String>, ActionError> {
        let Self::Database {
            session,
            query,
            columns,
        } = self
        else {
            return Ok(None);
        };
        let range = increment::range(attempt, session.as_mut(), query, columns, increment).await?;
        *query = range.query;
        Ok(range.to)
    }

    /// The columns of the rows, as far as they are known.
    pub(super) fn columns(&self) -> &[Column] {
        match self {
            Self::Database { columns, .. } => columns,
            Self::File { reader } => reader.columns().unwrap_or_default(),
        }
    }

    /// What its columns are matched by unless it is said: their names where a file has some.
    pub(super) fn usual_match(&self) -> Match {
        match self {
            Self::File { reader } if reader.has_names() => Match::Name,
            _ => Match::Position,
        }
    }

    /// The columns of the rows that come, when the target has `count` of them.
    pub(super) fn columns_for(&self, count: usize) -> Vec<Column> {
        match self {
            Self::Database { columns, .. } => columns.clone(),
            Self::File { reader } => reader.columns_for(count),
        }
    }

    /// How much of it has been read, where it knows how long it is.
    pub(super) fn reading(&self) -> Option<Reading> {
        match self {
            Self::Database { .. } => None,
            Self::File { reader } => reader.reading(),
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
            Self::File { reader } => blocking(move || reader.read(expected, &output)).await,
        }
    }
}

/// A file needs no cancelling: its reader ends when nobody takes rows.
struct Nobody;

#[async_trait::async_trait]
impl Canceller for Nobody {
    async fn cancel(&self) {}
}
