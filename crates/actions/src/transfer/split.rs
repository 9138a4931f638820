//! Reading a query by ranges of one column, each over a connection of its own.
//!
//! The first range has no lower end and the NULLs, the last no upper one: every row stands in exactly one of them, whatever the ends
//! are taken from. PostgreSQL's readers share one snapshot; those of other databases each see the moment at which they begin.

use std::sync::Arc;

use akkaflow_connectors::{
    BatchSender, Canceller, Column, Error, Kind, Session, Snapshot, cancellable, processor_time,
};
use akkaflow_model::text::Text;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::mapping::{find, meant, names};
use super::staging::MOST_TASKS;
use crate::context::{AttemptContext, Level};
use crate::database;
use crate::error::ActionError;

/// What the user wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    /// The column by whose values rows are parted.
    pub(super) column: String,
    /// Connections.
    pub(super) tasks: usize,
}

/// A query that is to be read in parts.
pub(super) struct Split {
    column: Column,
    tasks: usize,
    link: String,
    attempt: AttemptContext,
    /// Stops all parts.
    stop: CancellationToken,
}

impl Split {
    /// # Errors
    /// When there is no such column, or its values are neither whole numbers nor moments.
    pub(super) fn new(
        wish: &Wish,
        attempt: &AttemptContext,
        link: &str,
        columns: &[Column],
    ) -> Result<Self, ActionError> {
        let column = find(&wish.column, columns).ok_or_else(|| unknown(&wish.column, columns))?;
        let is_right = matches!(
            column.kind,
            Kind::Integer { .. } | Kind::Date | Kind::DateTime(_) | Kind::DateTimeZone(_)
        );
        if !is_right {
            let name = &column.name;
            return Err(ActionError::Fatal(Text::new(
                format!("split-by的字段`{name}`不是整数、日期或时间，不能按区间分段读取"),
                format!(
                    "split-by: column `{name}` holds neither whole numbers nor days nor times, so there are no ranges of it"
                ),
            )));
        }
        Ok(Self {
            column: column.clone(),
            tasks: wish.tasks.min(MOST_TASKS),
            link: link.to_owned(),
            attempt: attempt.clone(),
            stop: attempt.cancel.child_token(),
        })
    }

    /// Stops all parts on the server.
    pub(super) fn canceller(&self) -> Arc<dyn Canceller> {
        Arc::new(StopAll(self.stop.clone()))
    }

    /// Sends all rows of `query`, in no order; each part counts its own. `first` is one of the connections.
    ///
    /// # Errors
    /// Those of the first part that fails.
    pub(super) async fn read(
        self,
        mut first: Box<dyn Session>,
        query: &str,
        output: BatchSender,
    ) -> Result<u64, Error> {
        let snapshot = first.dialect().snapshot();
        let seen = match &snapshot {
            Some(snapshot) => self.export(first.as_mut(), snapshot).await?,
            None => None,
        };
        let conditions = self.conditions(first.as_mut(), query).await?;
        let mut sessions = vec![first];
        for _ in 1..conditions.len() {
            let mut session = database::open(&self.attempt, &self.link)
                .await
                .map_err(|error| match error {
                    ActionError::Retryable(text) | ActionError::Fatal(text) => {
                        Error::Unreachable(text)
                    }
                    _ => Error::Cancelled,
                })?;
            if let (Some(snapshot), Some(seen)) = (&snapshot, &seen) {
                self.execute(session.as_mut(), snapshot.begin).await?;
                let join = (snapshot.join)(seen);
                self.execute(session.as_mut(), &join).await?;
            }
            sessions.push(session);
        }
        let mut parts = JoinSet::new();
        for (mut session, condition) in sessions.into_iter().zip(conditions) {
            let query = part(query, &condition);
            let (stop, output) = (self.stop.clone(), output.clone());
            parts.spawn(processor_time::counted(async move {
                let canceller = session.canceller();
                cancellable(&stop, canceller, session.read(&query, output)).await
            }));
        }
        // Who holds the last sender ends the rows.
        drop(output);
        let mut rows = Ok(0);
        while let Some(part) = parts.join_next().await {
            rows = match (rows, part.expect("a reader does not panic")) {
                (Ok(before), Ok(read)) => Ok(before + read),
                (Ok(_), Err(error)) => {
                    self.stop.cancel();
                    Err(error)
                }
                (Err(error), _) => Err(error),
            };
        }
        rows
    }

    async fn execute(
        &self,
        session: &mut dyn Session,
        statement: &str,
    ) -> Result<Option<String>, Error> {
        let canceller = session.canceller();
        let done = cancellable(&self.stop, canceller, session.execute(statement)).await?;
        Ok(done
            .results
            .into_iter()
            .flat_map(|it| it.first)
            .next()
            .flatten())
    }

    /// What other connections need to see what this one sees.
    async fn export(
        &self,
        session: &mut dyn Session,
        snapshot: &Snapshot,
    ) -> Result<Option<String>, Error> {
        self.execute(session, snapshot.begin).await?;
        self.execute(session, snapshot.export).await
    }

    /// What the rows of each part meet; a single one that says nothing where there is nothing to part.
    async fn conditions(
        &self,
        session: &mut dyn Session,
        query: &str,
    ) -> Result<Vec<String>, Error> {
        let dialect = session.dialect();
        let name = dialect.quote(&self.column.name);
        let mut ends = Vec::new();
        for function in ["min", "max"] {
            let question = format!("select {function}({name}) from ({query}\n) akkaflow_split");
            ends.push(self.execute(session, &question).await?);
        }
        let bounds = match ends.as_slice() {
            [Some(least), Some(greatest)] => bounds(self.column.kind, least, greatest, self.tasks),
            _ => Some(Vec::new()),
        };
        let column = &self.column.name;
        let Some(bounds) = bounds else {
            let text = Text::new(
                format!("字段`{column}`的值不能分段，将以一个连接读取"),
                format!("the values of column `{column}` make no ranges: one connection reads all"),
            );
            self.attempt.log.say(Level::Warn, &text);
            return Ok(vec![String::new()]);
        };
        let count = bounds.len() + 1;
        self.attempt.log.both(
            format_args!("按字段`{column}`分{count}段读取，每段一个连接"),
            format_args!("reading in {count} ranges of column `{column}`, a connection for each"),
        );
        Ok(conditions(&name, &bounds))
    }
}

struct StopAll(CancellationToken);

#[async_trait::async_trait]
impl Canceller for StopAll {
    async fn cancel(&self) {
        self.0.cancel();
    }
}

fn unknown(name: &str, columns: &[Column]) -> ActionError {
    let Text { zh, en } = meant(name, columns);
    let names = names(columns);
    ActionError::Fatal(Text::new(
        format!("split-by：源没有字段`{name}`{zh}（源的字段：{names}）"),
        format!("split-by: the source has no column `{name}`{en} (its columns: {names})"),
    ))
}

/// The line feed ends a comment that the query may end with.
fn part(query: &str, condition: &str) -> String {
    match condition {
        "" => query.to_owned(),
        condition => format!("select * from ({query}\n) akkaflow_split where {condition}"),
    }
}

fn conditions(name: &str, bounds: &[String]) -> Vec<String> {
    let (Some(first), Some(last)) = (bounds.first(), bounds.last()) else {
        return vec![String::new()];
    };
    let mut conditions = vec![format!("({name} < {first} or {name} is null)")];
    for pair in bounds.windows(2) {
        conditions.push(format!("{name} >= {} and {name} < {}", pair[0], pair[1]));
    }
    conditions.push(format!("{name} >= {last}"));
    conditions
}

/// Where the second and every later part begins, as SQL spells it; `None` when the values are not what the column's kind says.
fn bounds(kind: Kind, least: &str, greatest: &str, tasks: usize) -> Option<Vec<String>> {
    let place = |text: &str| match kind {
        Kind::Integer { .. } => text.parse().ok(),
        Kind::Date => micros(text).map(|micros| i128::from(micros / DAY_MICROS)),
        _ => micros(text).map(i128::from),
    };
    let (least, greatest) = (place(least)?, place(greatest)?);
    let tasks = i128::try_from(tasks).ok()?;
    let mut starts: Vec<i128> = (1..tasks)
        .map(|index| least + (greatest - least + 1) * index / tasks)
        .filter(|start| *start > least)
        .collect();
    starts.dedup();
    starts.iter().map(|start| spelled(kind, *start)).collect()
}

const DAY_MICROS: i64 = 86_400_000_000;

fn spelled(kind: Kind, place: i128) -> Option<String> {
    if let Kind::Integer { .. } = kind {
        return Some(place.to_string());
    }
    let micros = i64::try_from(place).ok()?;
    let moment = match kind {
        Kind::Date => DateTime::from_timestamp_micros(micros * DAY_MICROS)?,
        _ => DateTime::from_timestamp_micros(micros)?,
    };
    let format = match kind {
        Kind::Date => "'%Y-%m-%d'",
        Kind::DateTimeZone(_) => "'%Y-%m-%d %H:%M:%S%.6f+00'",
        _ => "'%Y-%m-%d %H:%M:%S%.6f'",
    };
    Some(moment.format(format).to_string())
}

/// Microseconds since 1970 of a day or a moment.
fn micros(text: &str) -> Option<i64> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros());
    }
    if let Ok(local) = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f") {
        return Some(local.and_utc().timestamp_micros());
    }
    let moment = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z").ok()?;
    Some(moment.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, least: &str, greatest: &str, tasks: usize) -> Vec<String> {
        conditions("c", &bounds(kind, least, greatest, tasks).unwrap())
    }

    #[test]
    fn ranges_leave_nothing_out() {
        assert_eq!(
            of(Kind::signed(64), "0", "9", 3),
            ["(c < 3 or c is null)", "c >= 3 and c < 6", "c >= 6"]
        );
        // Fewer values than connections.
        assert_eq!(
            of(Kind::signed(8), "7", "8", 4),
            ["(c < 8 or c is null)", "c >= 8"]
        );
        assert_eq!(of(Kind::signed(8), "7", "7", 4), [""]);
        assert_eq!(
            of(
                Kind::signed(64),
                "-9223372036854775808",
                "18446744073709551615",
                2
            )[1],
            "c >= 4611686018427387904"
        );
        assert_eq!(
            of(
                Kind::DateTime(0),
                "2026-11-20 00:00:00",
                "2026-11-21 23:59:59.999999",
                2
            )[1],
            "c >= '2026-11-21 00:00:00.000000'"
        );
        assert_eq!(
            of(
                Kind::DateTimeZone(6),
                "2026-11-20 08:00:00+08",
                "2026-11-22 07:59:59.999999+08",
                2
            )[1],
            "c >= '2026-11-21 00:00:00.000000+00'"
        );
        assert_eq!(
            of(Kind::Date, "2026-11-20", "2026-11-22", 3)[1],
            "c >= '2026-11-21' and c < '2026-11-22'"
        );
        assert_eq!(bounds(Kind::Date, "0000-00-00", "2026-11-22", 3), None);
    }
}
