//! The reading end.

use std::sync::Arc;
use std::time::Duration;

use akkaflow_connectors::{
    BatchSender, Canceller, Column, Error, FileFormat, FileReader, Reading, Session, cancellable,
    channel, processor_time,
};
use akkaflow_model::text::Text;
use tokio_util::sync::CancellationToken;

use super::body::Source;
use super::expressions::Expressions;
use super::increment;
use super::mapping::Match;
use super::place::{Place, blocking};
use super::rejects::{Rejects, Shared};
use super::split::Split;
use super::watermark::Increment;
use crate::context::AttemptContext;
use crate::database;
use crate::error::ActionError;

/// How long a server may take to hear that nobody wants its rows.
const CANCEL_LIMIT: Duration = Duration::from_secs(1);

/// A source that can be read now.
pub(super) struct Opened {
    end: End,
    /// What becomes of its rows before they are written.
    expressions: Option<Expressions>,
    rejects: Option<Shared>,
}

enum End {
    Database {
        session: Box<dyn Session>,
        query: String,
        columns: Vec<Column>,
        split: Option<Box<Split>>,
    },
    File {
        reader: Box<FileReader>,
    },
}

/// With `rejects`, bad rows go there.
pub(super) async fn open(
    attempt: &AttemptContext,
    source: &Source,
    rejects: Option<&Rejects>,
) -> Result<Opened, ActionError> {
    let (end, rules) = match source {
        Source::Database {
            link,
            text,
            rules,
            split,
            ..
        } => {
            let mut session = database::open(attempt, link).await?;
            let query = database::query(text);
            let canceller = session.canceller();
            let columns = cancellable(&attempt.cancel, canceller, session.describe(&query)).await?;
            let split = split
                .as_ref()
                .map(|wish| Split::new(wish, attempt, link, &columns).map(Box::new));
            let end = End::Database {
                session,
                query,
                columns,
                split: split.transpose()?,
            };
            (end, rules)
        }
        Source::File {
            place,
            format,
            rules,
        } => {
            let reader = tokio::select! {
                biased;
                () = attempt.cancelled() => return Err(ActionError::Cancelled),
                reader = open_file(attempt, place, format.clone(), rejects) => Box::new(reader?),
            };
            (End::File { reader }, rules)
        }
    };
    let expressions = match end.columns() {
        Some(columns) => rules.bind(columns, &attempt.log)?,
        // Nothing is known of an empty file, and no row comes from it.
        None => None,
    };
    Ok(Opened {
        end,
        expressions,
        rejects: rejects.map(Rejects::shared),
    })
}

async fn open_file(
    attempt: &AttemptContext,
    place: &Place,
    format: FileFormat,
    rejects: Option<&Rejects>,
) -> Result<FileReader, ActionError> {
    let content = place.content(attempt).await?;
    let on_bad_row = rejects.map(|rejects| rejects.shared().on_bad_row());
    let directory = attempt.directory.clone();
    Ok(blocking(move || FileReader::with(content, format, &directory, on_bad_row)).await?)
}

impl End {
    fn columns(&self) -> Option<&[Column]> {
        match self {
            Self::Database { columns, .. } => Some(columns),
            Self::File { reader } => reader.columns(),
        }
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        match self {
            Self::Database {
                split: Some(split), ..
            } => split.canceller(),
            Self::Database { session, .. } => session.canceller(),
            Self::File { .. } => Arc::new(Nobody),
        }
    }

    /// Sends all rows; with `expected` each has that many values.
    async fn read(
        self,
        stop: CancellationToken,
        expected: Option<usize>,
        output: BatchSender,
    ) -> Result<u64, Error> {
        match self {
            Self::Database {
                session,
                query,
                split: Some(split),
                ..
            } => split.read(session, &query, output).await,
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

impl Opened {
    fn after(&self, columns: Vec<Column>) -> Vec<Column> {
        match &self.expressions {
            Some(expressions) => expressions.columns(&columns),
            None => columns,
        }
    }

    /// The columns for a table that is to be made for the rows; `None` when nothing is known.
    pub(super) async fn columns_to_make(
        &mut self,
        attempt: &AttemptContext,
    ) -> Result<Option<Vec<Column>>, Error> {
        let columns = match &mut self.end {
            End::Database { session, query, .. } => {
                let canceller = session.canceller();
                let asking = session.describe_values(query);
                Some(cancellable(&attempt.cancel, canceller, asking).await?)
            }
            End::File { reader } => reader.columns().map(<[Column]>::to_vec),
        };
        Ok(columns.map(|columns| self.after(columns)))
    }

    /// From now on these are the rows that are new. Gives back up to where they go, `None` when there are none at all; and a warning of those that
    /// nobody reads.
    pub(super) async fn narrow(
        &mut self,
        attempt: &AttemptContext,
        increment: &Increment,
    ) -> Result<(Option<String>, Option<Text>), ActionError> {
        let End::Database {
            session,
            query,
            columns,
            ..
        } = &mut self.end
        else {
            return Ok((None, None));
        };
        let range = increment::range(attempt, session.as_mut(), query, columns, increment).await?;
        *query = range.query;
        Ok((range.to, range.warning))
    }

    /// The columns of the rows, as far as they are known.
    pub(super) fn columns(&self) -> Vec<Column> {
        self.after(self.end.columns().unwrap_or_default().to_vec())
    }

    /// Whether the types of its columns follow from its first rows alone.
    pub(super) fn is_sampled(&self) -> bool {
        match &self.end {
            End::File { reader } => reader.is_sampled(),
            End::Database { .. } => false,
        }
    }

    /// What its columns are matched by unless it is said: their names where a file has some.
    pub(super) fn usual_match(&self) -> Match {
        match &self.end {
            End::File { reader } if reader.has_names() => Match::Name,
            _ => Match::Position,
        }
    }

    /// The columns of the rows that come, when the target has `count` of them.
    pub(super) fn columns_for(&self, count: usize) -> Vec<Column> {
        match &self.end {
            End::File { reader } if self.expressions.is_none() => reader.columns_for(count),
            _ => self.columns(),
        }
    }

    /// How much of it has been read, where it knows how long it is.
    pub(super) fn reading(&self) -> Option<Reading> {
        match &self.end {
            End::Database { .. } => None,
            End::File { reader } => reader.reading(),
        }
    }

    /// What the numbers of its rows count.
    pub(super) fn number_name(&self) -> &'static str {
        match self.end {
            End::Database { .. } => "reject_row",
            End::File { .. } => "reject_line",
        }
    }

    /// Stops the source on its server.
    pub(super) fn canceller(&self) -> Arc<dyn Canceller> {
        self.end.canceller()
    }

    /// Sends all rows; with `expected` each has that many values.
    pub(super) async fn read(
        self,
        stop: CancellationToken,
        expected: Option<usize>,
        output: BatchSender,
    ) -> Result<u64, Error> {
        let Some(expressions) = self.expressions else {
            return self.end.read(stop, expected, output).await;
        };
        let (sender, rows) = channel();
        let (canceller, rejects) = (self.end.canceller(), self.rejects);
        // Whatever the target: an expression needs all columns.
        let expected = Some(expressions.source_count());
        let mut computing = processor_time::spawn_blocking(move || {
            expressions.run(rows, &output, rejects.as_ref())
        });
        let mut reading = std::pin::pin!(self.end.read(stop, expected, sender));
        let (read, computed) = tokio::select! {
            read = &mut reading => (read, computing.await),
            computed = &mut computing => {
                if matches!(computed, Ok(Err(_))) {
                    // A server that is still looking for rows must not go on.
                    let _ = tokio::time::timeout(CANCEL_LIMIT, canceller.cancel()).await;
                }
                (reading.await, computed)
            }
        };
        let sent = computed.expect("computing does not panic")?;
        read.map(|_| sent)
    }
}

/// A file needs no cancelling: its reader ends when nobody takes rows.
struct Nobody;

#[async_trait::async_trait]
impl Canceller for Nobody {
    async fn cancel(&self) {}
}
