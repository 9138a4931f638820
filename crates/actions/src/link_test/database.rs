//! A database: connecting, reading, writing, the bulk path, cancelling.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use akkaflow_connectors::{Error, Load, Options, Progress, Session, channel, connect};
use akkaflow_model::db_links::DbLink;
use akkaflow_model::text::Text;

use super::{Failed, PartName, Report, rate};

/// A temporary table: nobody else sees it, and it goes with the session.
const TABLE: &str = "akkaflow_link_test";
/// Rows that are written one by one.
const SINGLE_ROWS: u32 = 200;
/// The statement that is cancelled would run for so long.
const BUSY: Duration = Duration::from_secs(60);
/// How long it runs before that.
const RUNS: Duration = Duration::from_millis(200);
/// A statement that was cancelled must be over within this, as every node that is killed.
const CANCEL_LIMIT: Duration = Duration::from_secs(2);

/// 100,000 rows that every database makes without a table.
const SERIES: &str = "select a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n as a, \
    'abcdefghijklmnopqrstuvwxyz0123456789' as b from \
    (select 0 as n union all select 1 union all select 2 union all select 3 union all select 4 union all \
     select 5 union all select 6 union all select 7 union all select 8 union all select 9) a, \
    (select 0 as n union all select 1 union all select 2 union all select 3 union all select 4 union all \
     select 5 union all select 6 union all select 7 union all select 8 union all select 9) b, \
    (select 0 as n union all select 1 union all select 2 union all select 3 union all select 4 union all \
     select 5 union all select 6 union all select 7 union all select 8 union all select 9) c, \
    (select 0 as n union all select 1 union all select 2 union all select 3 union all select 4 union all \
     select 5 union all select 6 union all select 7 union all select 8 union all select 9) d, \
    (select 0 as n union all select 1 union all select 2 union all select 3 union all select 4 union all \
     select 5 union all select 6 union all select 7 union all select 8 union all select 9) e";

pub(super) async fn test(link: &DbLink, base_dir: PathBuf, report: &Report) -> Result<(), Failed> {
    let options = Options { base_dir };
    let connecting = async {
        let connected = connect(link, &options).await.map_err(words)?;
        let notes = connected.notes.into_iter();
        let said = notes.fold(Text::new("已连接", "connected"), |said, note| {
            Text::new(
                format!("{}；{}", said.zh, note.zh),
                format!("{}; {}", said.en, note.en),
            )
        });
        Ok((connected.session, said))
    };
    let mut session = report.part(PartName::Connect, connecting).await?;
    let read = report.part(PartName::Read, read(&mut *session)).await;
    // What broke in the middle serves no more.
    if read.is_err() {
        session = connect(link, &options).await.map_err(|_| Failed)?.session;
    }
    if report
        .part(PartName::Write, write(&mut *session))
        .await
        .is_ok()
    {
        let _ = report
            .part(PartName::Bulk, bulk(link, &options, &mut *session))
            .await;
    }
    drop(session);
    let cancelling = async {
        let mut session = connect(link, &options).await.map_err(words)?.session;
        cancel(&mut *session).await
    };
    report.part(PartName::Cancel, cancelling).await
}

fn words(error: Error) -> Text {
    error.text()
}

async fn read(session: &mut dyn Session) -> Result<((), Text), Text> {
    let start = Instant::now();
    let (sender, mut batches) = channel();
    let taking = async {
        let mut rows = 0;
        while let Some(batch) = batches.recv().await {
            rows += batch.row_count();
        }
        rows
    };
    let (sent, taken) = tokio::join!(session.read(SERIES, sender), taking);
    sent.map_err(words)?;
    let rate = rate(taken as f64, start);
    Ok(((), rows_a_second(taken, rate)))
}

fn rows_a_second(rows: usize, rate: f64) -> Text {
    Text::new(
        format!("{rows}行，每秒{rate:.0}行"),
        format!("{rows} rows, {rate:.0} rows/s"),
    )
}

/// One row a statement, as a node of type `sql` writes.
async fn write(session: &mut dyn Session) -> Result<((), Text), Text> {
    let create = format!("create temporary table {TABLE} (a integer, b varchar(100))");
    let begin = session.dialect().begin();
    session.execute(&create).await.map_err(words)?;
    session.execute(begin).await.map_err(words)?;
    let start = Instant::now();
    for row in 0..SINGLE_ROWS {
        let insert = format!("insert into {TABLE} values ({row}, 'abcdefghijklmnopqrstuvwxyz')");
        session.execute(&insert).await.map_err(words)?;
    }
    session.execute("commit").await.map_err(words)?;
    let rate = rate(SINGLE_ROWS.into(), start);
    Ok((
        (),
        Text::new(
            format!("临时表，逐行写入{SINGLE_ROWS}行，每秒{rate:.0}行"),
            format!("a temporary table, {SINGLE_ROWS} rows one by one, {rate:.0} rows/s"),
        ),
    ))
}

/// All rows of the series by the way that transfers take.
async fn bulk(
    link: &DbLink,
    options: &Options,
    session: &mut dyn Session,
) -> Result<((), Text), Text> {
    let path = session.bulk_path().await.map_err(words)?;
    let mut source = connect(link, options).await.map_err(words)?.session;
    let columns = source.describe(SERIES).await.map_err(words)?;
    let target = session.table(TABLE).await.map_err(words)?;
    let target = target.ok_or_else(|| Text::verbatim(TABLE))?;
    session
        .execute(session.dialect().begin())
        .await
        .map_err(words)?;
    let start = Instant::now();
    let (sender, rows) = channel();
    let load = Load {
        table: TABLE.to_owned(),
        target,
        source: columns,
        key: Vec::new(),
        rows,
        progress: Progress::default(),
    };
    let (sent, written) = tokio::join!(source.read(SERIES, sender), session.write(load));
    let written = written.map_err(words)?;
    sent.map_err(words)?;
    let rate = rate(written as f64, start);
    session.execute("rollback").await.map_err(words)?;
    Ok((
        (),
        Text::new(
            format!("{}：{written}行，每秒{rate:.0}行", path.zh),
            format!("{}: {written} rows, {rate:.0} rows/s", path.en),
        ),
    ))
}

async fn cancel(session: &mut dyn Session) -> Result<((), Text), Text> {
    let statement = session.dialect().busy(BUSY);
    let canceller = session.canceller();
    let mut running = session.execute(&statement);
    if let Ok(ended) = tokio::time::timeout(RUNS, &mut running).await {
        let why = ended.map_or_else(words, |_| Text::verbatim(&statement));
        return Err(Text::new(
            format!("用于测试的语句提前结束：{}", why.zh),
            format!("the statement to be cancelled ended by itself: {}", why.en),
        ));
    }
    let start = Instant::now();
    let stopped = tokio::time::timeout(CANCEL_LIMIT, async {
        // Whatever it says of its end, it has ended.
        let (_, _) = tokio::join!(canceller.cancel(), running);
    });
    let limit = CANCEL_LIMIT.as_secs();
    stopped.await.map_err(|_| {
        Text::new(
            format!("语句在{limit}秒内没有停止，杀死节点时会残留；请检查该用户能否终止自己的连接"),
            format!("the statement was not stopped within {limit} s, and neither will be those of killed nodes; see whether this user may end its own connections"),
        )
    })?;
    let milliseconds = start.elapsed().as_millis();
    Ok((
        (),
        Text::new(
            format!("运行中的语句在{milliseconds}毫秒内停止"),
            format!("a running statement stopped within {milliseconds} ms"),
        ),
    ))
}
