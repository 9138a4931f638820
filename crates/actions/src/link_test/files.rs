//! A file system: connecting, listing, writing, reading, renaming.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use akkaflow_connectors::{FileSystem, NewFile, Options, open_files};
use akkaflow_model::file_links::FileAccess;
use akkaflow_model::text::Text;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Failed, PartName, Report, rate};

/// Bytes of the file that is written.
const SIZE: usize = 4 << 20;
const MIB: f64 = (1 << 20) as f64;

pub(super) async fn test(
    access: &FileAccess,
    base_dir: PathBuf,
    report: &Report,
) -> Result<(), Failed> {
    let options = Options { base_dir };
    let files = report
        .part(PartName::Connect, open(access, &options))
        .await?;
    if files.proof().is_none() {
        return Ok(());
    }
    report.part(PartName::List, list(&*files)).await?;
    let name = format!(".akkaflow-link-test-{:032x}", rand::random::<u128>());
    let renamed = format!("{name}-renamed");
    // A part that takes too long is left where it is, and must not go on for ever.
    let stop = CancellationToken::new();
    let tried = try_out(&files, report, &name, &renamed, &stop).await;
    stop.cancel();
    for left in [&name, &renamed] {
        // Most often one of them is not there.
        let _ = files.remove(left).await;
    }
    tried
}

async fn open(access: &FileAccess, options: &Options) -> Result<(Arc<dyn FileSystem>, Text), Text> {
    if !access.problem.is_empty() {
        return Err(Text::verbatim(&access.problem));
    }
    let files = open_files(access, options).await;
    let files = files.map_err(|error| error.text())?;
    let said = files.proof().unwrap_or_else(|| {
        Text::new(
            "本机文件，无需连接",
            "files of the machine itself need no connection",
        )
    });
    Ok((files, said))
}

async fn list(files: &dyn FileSystem) -> Result<((), Text), Text> {
    let entries = files.list(".").await.map_err(words)?;
    let count = entries.len();
    let said = Text::new(
        format!("登录目录中有{count}项"),
        format!("{count} entries in the directory where one arrives"),
    );
    Ok(((), said))
}

async fn try_out(
    files: &Arc<dyn FileSystem>,
    report: &Report,
    name: &str,
    renamed: &str,
    stop: &CancellationToken,
) -> Result<(), Failed> {
    let content: Vec<u8> = (0..=u8::MAX).cycle().take(SIZE).collect();
    let writing = async {
        let start = Instant::now();
        write(files, name, content.clone(), stop).await?;
        Ok(((), megabytes(start)))
    };
    report.part(PartName::Write, writing).await?;
    let reading = async {
        let start = Instant::now();
        let read = read(files, name, stop).await?;
        let said = megabytes(start);
        match read == content {
            true => Ok(((), said)),
            false => Err(Text::new(
                "读回的内容与写入的不同",
                "what was read is not what was written",
            )),
        }
    };
    report.part(PartName::Read, reading).await?;
    let renaming = async {
        files.rename(name, renamed).await.map_err(words)?;
        Ok(((), Text::new("已改名并删除", "renamed and removed")))
    };
    report.part(PartName::Rename, renaming).await
}

/// As a transfer does it.
async fn write(
    files: &Arc<dyn FileSystem>,
    name: &str,
    content: Vec<u8>,
    stop: &CancellationToken,
) -> Result<(), Text> {
    let tasks = TaskTracker::new();
    let new = NewFile {
        unique: "test".to_owned(),
        stop: stop.clone(),
        tasks: tasks.clone(),
    };
    let sink = Arc::clone(files).create(name, new).await;
    let mut sink = sink.map_err(|error| error.text())?;
    let written = tokio::task::spawn_blocking(move || {
        sink.write_all(&content)?;
        sink.place()
    });
    let written = written.await.expect("writing a file does not panic");
    tasks.close();
    tasks.wait().await;
    written.map(drop).map_err(words)
}

async fn read(
    files: &Arc<dyn FileSystem>,
    name: &str,
    stop: &CancellationToken,
) -> Result<Vec<u8>, Text> {
    let content = Arc::clone(files).content(name, stop.clone()).await;
    let content = content.map_err(|error| error.text())?;
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::with_capacity(SIZE);
        content.into_bytes().read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    read.await
        .expect("reading a file does not panic")
        .map_err(words)
}

fn megabytes(start: Instant) -> Text {
    let size = SIZE >> 20;
    let rate = rate(SIZE as f64 / MIB, start);
    Text::new(
        format!("{size}MiB，每秒{rate:.1}MiB"),
        format!("{size} MiB, {rate:.1} MiB/s"),
    )
}

fn words(error: std::io::Error) -> Text {
    Text::verbatim(error.to_string())
}
