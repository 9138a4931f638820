//! Connecting to db-links and running statements, as `sql` and `transfer` both do.

use std::time::Instant;

use akkaflow_connectors::{
    Connected, Done, Pool, Preview, Session, Statement, cancellable, connect, dialects,
    holds_no_statement, split,
};
use akkaflow_model::db_links::DbLink;
use akkaflow_model::links::Link;
use akkaflow_model::text::Text;

use crate::context::{AttemptContext, Level};
use crate::error::ActionError;
use crate::lines::excerpt;
use crate::table;

/// Whether a link can work, as far as that can be told without connecting. Nothing is said of kinds that are only known by name:
/// a file may name them for others.
///
/// # Errors
/// What is wrong with it.
pub fn check_link(link: &Link) -> Result<(), Text> {
    match link {
        Link::Db(link) => akkaflow_connectors::check(link).map_err(|error| error.text()),
        Link::File(_) => Ok(()),
    }
}

/// Whether this version connects to what a link is of.
///
/// # Errors
/// That it does not, and to what it does.
pub fn check_supported(link: &Link) -> Result<(), Text> {
    let supported = match link {
        Link::Db(link) => akkaflow_connectors::check_supported(link),
        Link::File(link) => akkaflow_connectors::check_supported_files(link),
    };
    supported.map_err(|error| error.text())
}

/// Opens a session on the db-link called `name`.
pub(crate) async fn open(
    attempt: &AttemptContext,
    name: &str,
) -> Result<Box<dyn Session>, ActionError> {
    let link = attempt.link(name)?;
    let connected = connected(attempt, connect(link, &attempt.options())).await?;
    Ok(connected.session)
}

/// A session that is the next one's when the work has ended well: for short pieces of work, which come again and again.
pub(crate) struct Borrowed<'a> {
    pool: &'a Pool,
    link: &'a DbLink,
    connected: Connected,
}

impl<'a> Borrowed<'a> {
    /// On the db-link called `name`.
    pub(crate) async fn new(attempt: &'a AttemptContext, name: &str) -> Result<Self, ActionError> {
        let (pool, link) = (&attempt.sessions, attempt.link(name)?);
        let connected = connected(attempt, pool.open(link, &attempt.options())).await?;
        Ok(Self {
            pool,
            link,
            connected,
        })
    }

    pub(crate) fn session(&mut self) -> &mut dyn Session {
        self.connected.session.as_mut()
    }

    /// What is not given back is closed: after a failure nobody knows what state it is in.
    pub(crate) async fn give_back(self) {
        self.pool.give_back(self.link, self.connected).await;
    }
}

async fn connected(
    attempt: &AttemptContext,
    connecting: impl Future<Output = Result<Connected, akkaflow_connectors::Error>>,
) -> Result<Connected, ActionError> {
    let connected = tokio::select! {
        biased;
        () = attempt.cancelled() => return Err(ActionError::Cancelled),
        connected = connecting => connected?,
    };
    for note in &connected.notes {
        attempt.log.say(Level::Warn, note);
    }
    Ok(connected)
}

/// Runs one statement; cancelled on the server when the attempt is.
pub(crate) async fn execute(
    attempt: &AttemptContext,
    session: &mut dyn Session,
    statement: &str,
) -> Result<Done, akkaflow_connectors::Error> {
    let canceller = session.canceller();
    cancellable(&attempt.cancel, canceller, session.execute(statement)).await
}

/// Runs all statements of `text` in one transaction, unless it is a single one or the text opens transactions itself. Says what each did
/// in the log, with the first rows that it returned; gives back the first row of the last query, which must have a value for each of `outputs`. What fails rolls back all of them, as far as the database can: MySQL commits at each `CREATE`, `DROP` and the like.
pub(crate) async fn run_statements(
    attempt: &AttemptContext,
    session: &mut dyn Session,
    text: &str,
    outputs: &[String],
) -> Result<Vec<(String, String)>, ActionError> {
    let mut row = Vec::new();
    let dialect = session.dialect();
    let statements = split(text, dialect);
    let (begin, end) = dialect.around_all();
    let has_transaction = statements.len() > 1 && !statements.iter().any(opens_transaction);
    if has_transaction {
        execute(attempt, session, begin).await?;
    }
    for (index, statement) in statements.iter().enumerate() {
        let place = Place {
            number: index + 1,
            count: statements.len(),
            line: statement.line,
        };
        let done = run_one(attempt, session, statement, &place).await;
        if let Ok(results) = &done
            && let Some(last) = results.last()
        {
            row = first_row(last);
        }
        if let Err(error) = done {
            if has_transaction && error != ActionError::Cancelled {
                // A failure to roll back changes nothing: the connection is dropped, and that rolls back too.
                let _ = execute(attempt, session, "rollback").await;
            }
            return Err(error);
        }
    }
    if has_transaction {
        // The master fails the attempt for it, and may try again: nothing must be there twice then.
        if let Err(error) = holds_outputs(outputs, &row) {
            let _ = execute(attempt, session, "rollback").await;
            return Err(error);
        }
        let place = Text::new("提交失败", "cannot commit");
        for statement in end {
            execute(attempt, session, statement)
                .await
                .map_err(|error| error.within(&place))?;
        }
    }
    Ok(row)
}

/// Refuses a last result that lacks a column which the node declares as an output.
fn holds_outputs(outputs: &[String], row: &[(String, String)]) -> Result<(), ActionError> {
    let is_there = |output: &&String| row.iter().any(|(name, _)| name == *output);
    let Some(missing) = outputs.iter().find(|output| !is_there(output)) else {
        return Ok(());
    };
    let found: Vec<&str> = row.iter().map(|(name, _)| name.as_str()).collect();
    let found = found.join(", ");
    Err(ActionError::Retryable(Text::new(
        format!("最后一个查询的第一行没有输出 `{missing}` 的值，已全部回滚；有值的字段：{found}"),
        format!(
            "the first row of the last query has no value for the output `{missing}`, nothing is kept; it has: {found}"
        ),
    )))
}

/// The first row of a result, by its columns; NULL has no value.
fn first_row(result: &Preview) -> Vec<(String, String)> {
    let names = result.columns.iter().cloned();
    let values = names.zip(result.first.iter().cloned());
    values
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

struct Place {
    number: usize,
    count: usize,
    line: u32,
}

async fn run_one(
    attempt: &AttemptContext,
    session: &mut dyn Session,
    statement: &Statement,
    place: &Place,
) -> Result<Vec<Preview>, ActionError> {
    let Place {
        number,
        count,
        line,
    } = place;
    let start = Instant::now();
    let done = execute(attempt, session, &statement.text)
        .await
        .map_err(|error| {
            error.within(&Text::new(
                format!("第{number}条语句（第{line}行）执行失败"),
                format!("statement {number} (line {line})"),
            ))
        })?;
    let seconds = start.elapsed().as_secs_f64();
    let shown = excerpt(&statement.text, SHOWN_CHARACTERS);
    let (zh, en) = match done.results.as_slice() {
        [] => (
            format!("影响{}行", done.affected),
            format!("{} rows affected", done.affected),
        ),
        results => {
            let rows: u64 = results.iter().map(Preview::row_count).sum();
            (format!("返回{rows}行"), format!("{rows} rows returned"))
        }
    };
    attempt.log.both(
        format_args!("语句{number}/{count}（第{line}行）{zh}，耗时{seconds:.3}s：{shown}"),
        format_args!("statement {number} of {count} (line {line}): {en}, {seconds:.3} s: {shown}"),
    );
    for result in &done.results {
        table::report(attempt, result);
    }
    Ok(done.results)
}

fn opens_transaction(statement: &Statement) -> bool {
    let mut words = statement
        .text
        .split_whitespace()
        .map(str::to_ascii_lowercase);
    match words.next().as_deref() {
        Some("begin") => words.next().as_deref() != Some("not"),
        Some("start") => words.next().as_deref() == Some("transaction"),
        _ => false,
    }
}

/// Characters of a statement that its line in the log shows.
const SHOWN_CHARACTERS: usize = 120;

/// The query that a source's text means: the text itself if it holds a blank, else the table of that name.
pub(crate) fn query(text: &str) -> String {
    let text = text
        .trim()
        .trim_end_matches(|c: char| c == ';' || c.is_whitespace());
    match text.contains(char::is_whitespace) {
        true => text.to_owned(),
        false => format!("select * from {text}"),
    }
}

/// How to empty a table so that it can be undone.
pub(crate) fn delete_all(table: &str) -> String {
    format!("delete from {table} where 1 = 1")
}

/// Whether the text is nothing but blanks, comments and separators, whatever the dialect.
pub(crate) fn is_empty(text: &str) -> bool {
    dialects().all(|dialect| holds_no_statement(text, dialect))
}
