//! The writing end: a file.

use std::path::{Path, PathBuf};

use akkaflow_connectors::{BatchReceiver, Error, FileWriter, Format, LineBreaks, Progress};
use akkaflow_model::text::Text;
use tokio_util::sync::CancellationToken;

use super::body::{Commands, Source};
use super::copy::{Copied, copy};
use super::source;
use crate::context::{AttemptContext, Level};
use crate::error::ActionError;
use crate::shell_command;

pub(super) struct Into<'a> {
    pub(super) path: PathBuf,
    pub(super) format: &'a Format,
    pub(super) is_pre_del: bool,
    pub(super) commands: &'a Commands,
}

impl Into<'_> {
    pub(super) async fn run(
        &self,
        attempt: &AttemptContext,
        source: &Source,
    ) -> Result<Copied, ActionError> {
        let source = source::open(attempt, source).await?;
        // Without a command that must find it gone, the new file takes its place once it is whole.
        if self.is_pre_del && self.commands.pre.is_some() {
            remove(&self.path)?;
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
        let columns = source.columns().to_vec();
        let unique = format!(
            "{}-{}-{}",
            attempt.key.instance.short(),
            attempt.key.run,
            attempt.key.attempt
        );
        let (path, format) = (self.path.clone(), self.format.clone());
        let stop = attempt.cancel.clone();
        let (writer, copied) = copy(attempt, source, None, |rows, progress| async move {
            blocking(move || {
                let writer = FileWriter::create(&path, format, columns, &unique)?;
                write(writer, rows, &progress, &stop)
            })
            .await
        })
        .await?;
        if attempt.cancel.is_cancelled() {
            return Err(ActionError::Cancelled);
        }
        let line_breaks = blocking(move || writer.finish()).await?;
        copied.report(attempt);
        if let Some(line_breaks) = &line_breaks {
            attempt.log.say(Level::Warn, &told(line_breaks));
        }
        if let Some(after) = &self.commands.after {
            attempt
                .log
                .both("执行后置语句", "running the command after");
            shell_command::run(attempt, &Text::new("后置命令", "the command after"), after).await?;
        }
        Ok(copied)
    }
}

fn told(line_breaks: &LineBreaks) -> Text {
    let LineBreaks {
        values,
        first_row,
        first_column,
    } = line_breaks;
    Text::new(
        format!(
            "有{values}个值的换行已写为空格，因为文件中一行是一条记录；首个是第{first_row}行的字段`{first_column}`。\
             若须保留换行，请使用format=\"csv\""
        ),
        format!(
            "line breaks of {values} values became blanks, since a line of the file is a row; the first is row {first_row}, \
             column `{first_column}`. To keep them, write format=\"csv\""
        ),
    )
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .expect("writing a file does not panic")
}

fn write(
    mut writer: FileWriter,
    mut rows: BatchReceiver,
    progress: &Progress,
    stop: &CancellationToken,
) -> Result<(FileWriter, u64), Error> {
    while let Some(batch) = rows.blocking_recv() {
        if stop.is_cancelled() {
            return Err(Error::Cancelled);
        }
        writer.write(&batch)?;
        progress.add(&batch);
    }
    Ok((writer, progress.rows()))
}

fn remove(path: &Path) -> Result<(), ActionError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            let path = path.display();
            Err(ActionError::Retryable(Text::new(
                format!("无法删除文件{path}：{error}"),
                format!("cannot delete {path}: {error}"),
            )))
        }
        _ => Ok(()),
    }
}
