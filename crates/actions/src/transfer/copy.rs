//! Reader and writer side by side.

use std::future::Future;
use std::time::{Duration, Instant};

use akkaflow_connectors::{BatchReceiver, Error, Progress, Reading, channel, processor_time};
use akkaflow_model::text::Text;

use super::source::Opened;
use crate::context::AttemptContext;

/// Between two lines about progress.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);

/// What a copy came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Copied {
    pub(super) rows: u64,
    /// Of the values.
    pub(super) bytes: u64,
    pub(super) elapsed: Duration,
    /// Rows that were not written, as the user allows.
    pub(super) rejected: u64,
}

/// Reads `source` into what `write` makes of it. Good only when the reader came to its end and the writer took every row: whatever else
/// happens is an error, and nothing may be committed.
pub(super) async fn copy<T, W>(
    attempt: &AttemptContext,
    source: Opened,
    expected: Option<usize>,
    write: impl FnOnce(BatchReceiver, Progress) -> W,
) -> Result<(T, Copied), Error>
where
    W: Future<Output = Result<(T, u64), Error>>,
{
    let start = Instant::now();
    let (sender, receiver) = channel();
    let (source_canceller, reading) = (source.canceller(), source.reading());
    let reader = processor_time::spawn(source.read(attempt.cancel.clone(), expected, sender));
    let progress = Progress::default();
    let watched = Watched {
        progress: &progress,
        reading,
    };
    let written = watch(attempt, &watched, write(receiver, progress.clone())).await;
    if written.is_err() && !reader.is_finished() {
        // Nobody takes rows any more; a server that is still looking for them must not go on.
        let _ = tokio::time::timeout(Duration::from_secs(1), source_canceller.cancel()).await;
    }
    let read = match &written {
        Err(Error::Cancelled) => {
            reader.abort();
            return Err(Error::Cancelled);
        }
        // The reader is told by its closed channel, or was cancelled: it may fail of that itself.
        Err(_) => tokio::time::timeout(Duration::from_secs(2), reader)
            .await
            .unwrap_or(Ok(Ok(0))),
        Ok(_) => reader.await,
    };
    let read = read.expect("a reader does not panic");
    if attempt.cancel.is_cancelled() {
        // Whatever else it is that they say.
        return Err(Error::Cancelled);
    }
    match (written, read) {
        (Ok((end, written)), Ok(read)) if written == read => {
            let copied = Copied {
                rows: written,
                bytes: progress.bytes(),
                elapsed: start.elapsed(),
                rejected: 0,
            };
            Ok((end, copied))
        }
        (Ok((_, written)), Ok(read)) => Err(Error::Row(Text::new(
            format!("读取{read}条，但只写入{written}条，已全部回滚"),
            format!("{read} rows were read but {written} written, nothing is kept"),
        ))),
        // A row that the reader refuses ends the writer early: the reader knows why.
        (_, Err(error @ (Error::Row(_) | Error::File(_)))) => Err(error),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

/// What tells how far a copy is.
struct Watched<'a> {
    progress: &'a Progress,
    /// Of a source that knows how long it is.
    reading: Option<Reading>,
}

/// Reports progress while `work` goes on.
async fn watch<T>(
    attempt: &AttemptContext,
    watched: &Watched<'_>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    let start = Instant::now();
    let mut ticks = tokio::time::interval_at(
        tokio::time::Instant::now() + PROGRESS_INTERVAL,
        PROGRESS_INTERVAL,
    );
    loop {
        tokio::select! {
            biased;
            result = &mut work => return result,
            _ = ticks.tick() => {
                let progress = watched.progress;
                let (rows, size) = (progress.rows(), mebibytes(progress.bytes()));
                let rate = rows as f64 / start.elapsed().as_secs_f64().max(0.001);
                let share = watched.reading.as_ref().and_then(Reading::share);
                let left = left(share, start.elapsed());
                attempt.log.both(
                    format_args!("已插入{rows}条，{size:.1} MiB，平均每秒{rate:.0}条{}", left.zh),
                    format_args!("{rows} rows written, {size:.1} MiB, {rate:.0} rows/s{}", left.en),
                );
            }
        }
    }
}

/// The time that is left when this share of the source was read in so long, as the end of a line; nothing where nobody knows.
fn left(share: Option<f64>, elapsed: Duration) -> Text {
    let Some(share) = share.filter(|share| *share > 0.0) else {
        return Text::new("", "");
    };
    let percent = share * 100.0;
    let seconds = (elapsed.as_secs_f64() * (1.0 - share) / share).ceil() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Text::new(
        format!("，已读取{percent:.0}%，约剩{hours}:{minutes:02}:{seconds:02}"),
        format!(", {percent:.0}% read, about {hours}:{minutes:02}:{seconds:02} left"),
    )
}

/// The names of what a node may declare as outputs.
pub(super) const COUNTERS: &[&str] = &["rows", "milliseconds", "bytes", "rejected"];

/// Those of one that reads what is new.
pub(super) const COUNTERS_AND_WATERMARK: &[&str] =
    &["rows", "milliseconds", "bytes", "rejected", WATERMARK];

/// Up to where it has read.
pub(super) const WATERMARK: &str = "watermark";

impl Copied {
    /// What a node may declare as outputs.
    pub(super) fn counters(&self) -> Vec<(String, String)> {
        let milliseconds = self.elapsed.as_millis().to_string();
        let values = [
            self.rows.to_string(),
            milliseconds,
            self.bytes.to_string(),
            self.rejected.to_string(),
        ];
        let names = COUNTERS.iter().map(|name| (*name).to_owned());
        names.zip(values).collect()
    }

    /// The closing line.
    pub(super) fn report(self, attempt: &AttemptContext) {
        let Self {
            rows,
            bytes,
            elapsed,
            rejected: _,
        } = self;
        attempt.meter.moved(bytes);
        let size = mebibytes(bytes);
        let seconds = elapsed.as_secs_f64();
        let rate = rows as f64 / seconds.max(0.001);
        attempt.log.both(
            format_args!(
                "同步结束，耗时{seconds:.1}s,一共插入{rows}条数据，平均每秒插入{rate:.0}条，共{size:.1} MiB"
            ),
            format_args!("done in {seconds:.1} s: {rows} rows, {size:.1} MiB, {rate:.0} rows/s"),
        );
    }
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_what_is_read_and_is_said_only_when_known() {
        let text = left(Some(0.25), Duration::from_secs(1300));
        assert_eq!(text.en, ", 25% read, about 1:05:00 left");
        assert_eq!(text.zh, "，已读取25%，约剩1:05:00");
        assert_eq!(
            left(Some(1.0), Duration::from_secs(5)).en,
            ", 100% read, about 0:00:00 left"
        );
        for unknown in [None, Some(0.0)] {
            assert_eq!(left(unknown, Duration::from_secs(5)).en, "");
        }
    }
}
