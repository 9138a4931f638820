//! The writing end: a file.

use std::path::PathBuf;
use std::time::Duration;

use akkaflow_connectors::{
    Altered, BatchReceiver, Column, Error, FileFormat, FileWriter, Finished, Progress, Sink,
    processor_time,
};
use akkaflow_model::text::Text;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::body::{Commands, Source};
use super::copy::{Copied, copy};
use super::place::Place;
use super::source::{self, Opened};
use crate::context::{AttemptContext, Level};
use crate::error::ActionError;
use crate::shell_command;

/// What is half written is removed within so long, or left where it is.
const REMOVAL_LIMIT: Duration = Duration::from_secs(1);

pub(super) struct Into<'a> {
    pub(super) place: &'a Place,
    pub(super) format: &'a FileFormat,
    pub(super) is_pre_del: bool,
    pub(super) commands: &'a Commands,
}

impl Into<'_> {
    pub(super) async fn run(
        &self,
        attempt: &AttemptContext,
        source: &Source,
    ) -> Result<Copied, ActionError> {
        let source = source::open(attempt, source, None).await?;
        // Without a command that must find it gone, the new file takes its place once it is whole.
        if self.is_pre_del && self.commands.pre.is_some() {
            self.place.remove(attempt).await?;
        }
        if let Some(pre) = &self.commands.pre {
            attempt
                .log
                .both("执行前置语句", "running the command before");
            shell_command::run(attempt, &Text::new("前置命令", "the command before"), pre).await?;
        }
        attempt
            .log
            .both("同步到目标，将启动1个线程", "writing to the target");
        let tasks = TaskTracker::new();
        let written = self.rows(attempt, source, &tasks).await;
        if written.is_err() {
            tasks.close();
            let _ = tokio::time::timeout(REMOVAL_LIMIT, tasks.wait()).await;
        }
        let (copied, finished) = written?;
        copied.report(attempt);
        let line_breaks = finished.line_breaks.as_ref().map(told_breaks);
        let nulls = finished.nulls.as_ref().map(told_nulls);
        for note in finished.notes.iter().chain(&line_breaks).chain(&nulls) {
            attempt.log.say(Level::Warn, note);
        }
        if let Some(after) = &self.commands.after {
            attempt
                .log
                .both("执行后置语句", "running the command after");
            shell_command::run(attempt, &Text::new("后置命令", "the command after"), after).await?;
        }
        Ok(copied)
    }

    /// Writes all rows and puts the file in its place. Once all of `tasks` have ended, nothing half written is left.
    async fn rows(
        &self,
        attempt: &AttemptContext,
        source: Opened,
        tasks: &TaskTracker,
    ) -> Result<(Copied, Finished), ActionError> {
        let (sink, name) = self.place.sink(attempt, tasks).await?;
        let begun = Begun {
            sink,
            name,
            format: self.format.clone(),
            columns: source.columns(),
            stop: attempt.cancel.clone(),
        };
        let (counted, count) = oneshot::channel();
        let (allow, allowed) = oneshot::channel();
        let (thread, copied) = copy(attempt, source, None, |rows, progress| async move {
            // The file comes into being, is finished and is dropped in one thread that may wait.
            let thread = tasks.spawn_blocking(processor_time::counted_work(move || {
                let writer = begun.write(rows, &progress)?;
                let _ = counted.send(progress.rows());
                match allowed.blocking_recv() {
                    Ok(()) => writer.finish(),
                    Err(_) => Err(Error::Cancelled),
                }
            }));
            match count.await {
                Ok(count) => Ok((thread, count)),
                Err(_) => Err(ended(thread).await.err().unwrap_or(Error::Cancelled)),
            }
        })
        .await?;
        if attempt.cancel.is_cancelled() || allow.send(()).is_err() {
            return Err(ActionError::Cancelled);
        }
        match ended(thread).await {
            Err(_) if attempt.cancel.is_cancelled() => Err(ActionError::Cancelled),
            finished => Ok((copied, finished?)),
        }
    }
}

async fn ended(thread: JoinHandle<Result<Finished, Error>>) -> Result<Finished, Error> {
    thread.await.expect("writing a file does not panic")
}

/// A file that is to be written.
struct Begun {
    sink: Box<dyn Sink>,
    name: PathBuf,
    format: FileFormat,
    columns: Vec<Column>,
    stop: CancellationToken,
}

impl Begun {
    fn write(self, mut rows: BatchReceiver, progress: &Progress) -> Result<FileWriter, Error> {
        let mut writer = FileWriter::new(self.sink, &self.name, self.format, self.columns)?;
        while let Some(batch) = rows.blocking_recv() {
            if self.stop.is_cancelled() {
                return Err(Error::Cancelled);
            }
            writer.write(&batch)?;
            progress.add(&batch);
        }
        Ok(writer)
    }
}

fn told_breaks(altered: &Altered) -> Text {
    let (values, Text { zh, en }) = (altered.values, first(altered));
    Text::new(
        format!(
            "有{values}个值的换行已写为空格，因为文件中一行是一条记录；{zh}。若须保留换行，请使用format=\"csv\""
        ),
        format!(
            "line breaks of {values} values became blanks, since a line of the file is a row; {en}. To keep them, write format=\"csv\""
        ),
    )
}

fn told_nulls(altered: &Altered) -> Text {
    let (values, Text { zh, en }) = (altered.values, first(altered));
    Text::new(
        format!(
            "有{values}个值为空文本或`null`，读取该文件时将视为NULL；{zh}。若须区分，请使用format=\"csv\""
        ),
        format!(
            "{values} values are empty or `null`, which the file's readers take for NULL; {en}. To keep them apart, write format=\"csv\""
        ),
    )
}

/// Where the first of some values stands.
fn first(altered: &Altered) -> Text {
    let (row, column) = (altered.first_row, &altered.first_column);
    Text::new(
        format!("首个是第{row}行的字段`{column}`"),
        format!("the first is row {row}, column `{column}`"),
    )
}
