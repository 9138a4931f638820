//! Reading what is new: rows whose watermark lies behind the one that was read last.
//!
//! All comparing is done by the source's database, in the column's own type. The upper end is fixed before the first row is read, so that rows that
//! arrive in the meantime are read by the next one.

use akkaflow_connectors::{Column, Dialect, Kind, Session};
use akkaflow_model::text::Text;

use super::guard::{Guard, Position};
use super::mapping::{find, meant, names};
use super::source::Opened;
use super::watermark::Increment;
use crate::context::{AttemptContext, Level};
use crate::database;
use crate::error::ActionError;

/// The rows that are new.
pub(super) struct Range {
    pub(super) query: String,
    /// The greatest watermark; `None` when no row has one.
    pub(super) to: Option<String>,
    /// Of rows that have none.
    pub(super) warning: Option<Text>,
}

/// Asks the source how far it goes. `columns` are those of `query`.
pub(super) async fn range(
    attempt: &AttemptContext,
    session: &mut dyn Session,
    query: &str,
    columns: &[Column],
    increment: &Increment,
) -> Result<Range, ActionError> {
    let dialect = session.dialect();
    let column = column(&increment.watermark, columns)?;
    let name = format!("akkaflow_source.{}", dialect.quote(&column.name));
    // The line feed ends a comment that the query may end with.
    let from = format!("from ({query}\n) akkaflow_source");
    let warning = warning(attempt, session, &name, &from, column).await?;
    let ends = [format!("max({name})"), format!("min({name})")];
    let kinds = ends.iter().filter_map(|end| dialect.kind_of(end));
    let kinds: String = kinds.map(|kind| format!(", {kind}")).collect();
    let bounds = format!("select max({name}){kinds} {from}");
    let place = Text::new(
        format!("无法取得字段`{}`的最大值", column.name),
        format!("cannot get the greatest value of column `{}`", column.name),
    );
    let done = database::execute(attempt, session, &bounds)
        .await
        .map_err(|error| error.within(&place))?;
    let row = done.results.into_iter().next().map(|result| result.first);
    let mut row = row.unwrap_or_default().into_iter();
    let Some(to) = row.next().flatten() else {
        return Ok(Range {
            query: format!("select * {from} where 1 = 0"),
            to: None,
            warning,
        });
    };
    let kinds: Vec<String> = row.flatten().collect();
    let is_number = is_number(column, &kinds)?;
    let upper = literal(dialect, is_number, &to, column)?;
    let lower = match increment.since.as_str() {
        "" => String::new(),
        since => {
            check_moment(column, since)?;
            format!(
                "{name} > {} and ",
                literal(dialect, is_number, since, column)?
            )
        }
    };
    Ok(Range {
        query: format!("select * {from} where {lower}{name} <= {upper}"),
        to: Some(to),
        warning,
    })
}

/// What people should know when there are rows without a watermark: nobody ever reads them. One is looked for, not all counted: that would read the
/// whole table each time where an index leads to the greatest watermark.
async fn warning(
    attempt: &AttemptContext,
    session: &mut dyn Session,
    name: &str,
    from: &str,
    column: &Column,
) -> Result<Option<Text>, ActionError> {
    let query = format!("select 1 {from} where {name} is null limit 1");
    let done = database::execute(attempt, session, &query).await?;
    let rows = done.results.into_iter().map(|result| result.row_count());
    let name = &column.name;
    Ok((rows.sum::<u64>() > 0).then(|| {
        Text::new(
            format!("源中有`{name}`为NULL的记录，它们永远不会被读取；请补上该值，或在查询中用coalesce给出"),
            format!(
                "the source has rows whose `{name}` is NULL: they are never read; give them a value, or let the query do so by coalesce"
            ),
        )
    }))
}

fn column<'a>(name: &str, columns: &'a [Column]) -> Result<&'a Column, ActionError> {
    find(name, columns).ok_or_else(|| {
        let Text { zh, en } = meant(name, columns);
        let names = names(columns);
        ActionError::Fatal(Text::new(
            format!("源中没有watermark字段`{name}`{zh}（源的字段：{names}）"),
            format!(
                "the source has no column `{name}` for its watermark{en} (its columns: {names})"
            ),
        ))
    })
}

/// Whether the column's values are spelled as numbers. `found`: what SQLite says of the values themselves, which need not be what is declared.
fn is_number(column: &Column, found: &[String]) -> Result<bool, ActionError> {
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    let is_number = match (found.as_slice(), column.kind) {
        (["integer", "integer"], _) => Some(true),
        (["text", "text"], _) => Some(false),
        ([_, ..], _) => None,
        ([], Kind::Integer { .. } | Kind::Decimal(_)) => Some(true),
        (
            [],
            Kind::Text(_) | Kind::Date | Kind::Time(_) | Kind::DateTime(_) | Kind::DateTimeZone(_),
        ) => Some(false),
        ([], _) => None,
    };
    let name = &column.name;
    is_number.ok_or_else(|| {
        ActionError::Fatal(Text::new(
            format!("字段`{name}`不能用作watermark：须为整数、定点数、文本、日期或时间，且所有值同类；浮点数不能准确比较"),
            format!(
                "column `{name}` cannot be a watermark: it must hold whole numbers, decimals, text, dates or times, and all values \
                 of one kind; floating point numbers cannot be compared exactly"
            ),
        ))
    })
}

/// MySQL takes what is no time for the least one, and everything would be read again.
fn check_moment(column: &Column, since: &str) -> Result<(), ActionError> {
    let is_moment = matches!(
        column.kind,
        Kind::Date | Kind::DateTime(_) | Kind::DateTimeZone(_)
    );
    let day = since.split([' ', 'T']).next().unwrap_or_default();
    let parts: Vec<&str> = day.split('-').collect();
    let is_day = matches!(parts.as_slice(), [year, month, day]
        if year.len() >= 4 && month.len() == 2 && day.len() == 2)
        && parts
            .iter()
            .all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_moment || is_day {
        return Ok(());
    }
    let name = &column.name;
    Err(ActionError::Fatal(Text::new(
        format!(
            "since的值`{since}`不是日期或时间，而watermark字段`{name}`是；应如 2026-01-31 08:30:00，留空表示从头读取"
        ),
        format!(
            "since is `{since}`, but the watermark's column `{name}` holds dates or times: write 2026-01-31 08:30:00, or leave it \
             empty to read from the beginning"
        ),
    )))
}

/// A value in a statement. Numbers stand without quotes: MySQL would compare a number with a text as floating point.
fn literal(
    dialect: &dyn Dialect,
    is_number: bool,
    value: &str,
    column: &Column,
) -> Result<String, ActionError> {
    if !is_number {
        return Ok(dialect.literal(value));
    }
    let value = value.trim();
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is_plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
        && digits.matches('.').count() <= 1;
    if is_plain {
        return Ok(value.to_owned());
    }
    let name = &column.name;
    Err(ActionError::Fatal(Text::new(
        format!("since的值`{value}`不是数字，而watermark字段`{name}`是数字；留空表示从头读取"),
        format!(
            "since is `{value}`, but the watermark's column `{name}` holds numbers; leave it empty to read from the beginning"
        ),
    )))
}

/// One reading of what is new.
pub(super) struct Reading {
    since: String,
    /// Exclusive.
    start: String,
    to: Option<String>,
    /// Of rows that are never read.
    pub(super) warning: Option<Text>,
}

impl Reading {
    /// Lets `source` give the rows behind `since`, or behind those that were committed for the same `since` before: the workflow's state moves only
    /// when its instance succeeds.
    pub(super) async fn start(
        attempt: &AttemptContext,
        guard: &Guard<'_>,
        session: &mut dyn Session,
        source: &mut Opened,
        increment: &Increment,
    ) -> Result<Self, ActionError> {
        let since = increment.since.clone();
        let start = match guard.position(session).await? {
            Some(position) if position.from == since && position.to != since => {
                let to = position.to;
                attempt.log.both(
                    format_args!("watermark不大于`{to}`的记录此前已提交，从其后读取"),
                    format_args!("rows up to watermark `{to}` have been committed before: reading goes on behind it"),
                );
                to
            }
            _ => since.clone(),
        };
        let behind = Increment {
            watermark: increment.watermark.clone(),
            since: start.clone(),
        };
        let (to, warning) = source.narrow(attempt, &behind).await?;
        if let Some(warning) = &warning {
            attempt.log.say(Level::Warn, warning);
        }
        let (low, high) = (start.as_str(), to.as_deref().unwrap_or_default());
        attempt.log.both(
            format_args!("读取watermark大于`{low}`、不大于`{high}`的记录"),
            format_args!("reading rows whose watermark is above `{low}`, up to `{high}`"),
        );
        Ok(Self {
            since,
            start,
            to,
            warning,
        })
    }

    /// Keeps up to where the node has read now, and gives it back.
    pub(super) async fn finish(
        self,
        guard: &Guard<'_>,
        session: &mut dyn Session,
        rows: u64,
    ) -> Result<String, ActionError> {
        let Self {
            since, start, to, ..
        } = self;
        let to = to.filter(|_| rows > 0).unwrap_or(start);
        let position = Position {
            from: since,
            to: to.clone(),
        };
        guard.keep_position(session, &position).await?;
        Ok(to)
    }
}

#[cfg(test)]
mod tests {
    use akkaflow_connectors::dialects;

    use super::*;

    #[test]
    fn what_is_no_time_is_refused_before_a_database_takes_it_for_one() {
        let of = |kind, since| check_moment(&Column::new("t", kind), since).is_ok();
        for since in [
            "2026-01-31",
            "2026-01-31 08:30:00.123",
            "2026-01-31T08:30:00+08",
        ] {
            assert!(
                of(Kind::DateTime(3), since) && of(Kind::Date, since),
                "{since}"
            );
        }
        for since in [
            "garbage",
            "31.01.2026",
            "2026-1-31",
            "20260131",
            "2026-01-xx",
        ] {
            assert!(!of(Kind::DateTimeZone(0), since), "{since}");
            assert!(of(Kind::Text(None), since), "{since}");
        }
    }

    #[test]
    fn numbers_stand_bare_and_all_else_in_quotes() {
        let of = |is_number, value| {
            let column = Column::new("n", Kind::signed(64));
            let dialect = dialects().find(|it| it.name() == "SQLite").unwrap();
            literal(dialect, is_number, value, &column)
        };
        assert_eq!(of(true, " -12.50 ").unwrap(), "-12.50");
        assert_eq!(of(false, "o'clock").unwrap(), "'o''clock'");
        for value in ["1 or 1", "1e5", "--1", ".", "x", "1.2.3"] {
            assert!(of(true, value).is_err(), "{value}");
        }
    }
}
