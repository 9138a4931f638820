//! A file system over SSH: connecting to a host whose key is known, listing, writing, reading, renaming.

use std::time::Instant;

use akkaflow_connectors::{Remote, Ssh};
use akkaflow_model::file_links::{FileAccess, FileKind};
use akkaflow_model::text::Text;

use super::{Failed, PartName, Report, rate};

/// Bytes of the file that is written.
const SIZE: usize = 4 << 20;
const MIB: f64 = (1 << 20) as f64;

pub(super) async fn test(access: &FileAccess, report: &Report) -> Result<(), Failed> {
    let remote = match report.part(PartName::Connect, open(access)).await? {
        Some(remote) => remote,
        // Files of the machine itself need no connection.
        None => return Ok(()),
    };
    report.part(PartName::List, list(&remote)).await?;
    let name = format!(".akkaflow-link-test-{:032x}", rand::random::<u128>());
    let renamed = format!("{name}-renamed");
    let tried = files(&remote, report, &name, &renamed).await;
    for left in [&name, &renamed] {
        // Most often one of them is not there.
        let _ = remote.remove(left).await;
    }
    tried
}

async fn open(access: &FileAccess) -> Result<(Option<Remote>, Text), Text> {
    if access.link.kind == FileKind::Local {
        let said = Text::new(
            "本机文件，无需连接",
            "files of the machine itself need no connection",
        );
        return Ok((None, said));
    }
    if !access.problem.is_empty() {
        return Err(Text::verbatim(&access.problem));
    }
    let ssh = Ssh::open(access).await.map_err(|error| error.text())?;
    let remote = Remote::open(ssh).await.map_err(|error| error.text())?;
    let said = Text::new(
        "已连接，主机密钥与known_hosts一致",
        "connected, the host has the key that known_hosts says",
    );
    Ok((Some(remote), said))
}

async fn list(remote: &Remote) -> Result<((), Text), Text> {
    let entries = remote.list(".").await.map_err(words)?;
    let count = entries.len();
    let said = Text::new(
        format!("登录目录中有{count}项"),
        format!("{count} entries in the directory where one arrives"),
    );
    Ok(((), said))
}

async fn files(remote: &Remote, report: &Report, name: &str, renamed: &str) -> Result<(), Failed> {
    let content: Vec<u8> = (0..=u8::MAX).cycle().take(SIZE).collect();
    let writing = async {
        let start = Instant::now();
        remote.write(name, &content).await.map_err(words)?;
        Ok(((), megabytes(start)))
    };
    report.part(PartName::Write, writing).await?;
    let reading = async {
        let start = Instant::now();
        let read = remote.read(name).await.map_err(words)?;
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
        remote.rename(name, renamed).await.map_err(words)?;
        Ok(((), Text::new("已改名并删除", "renamed and removed")))
    };
    report.part(PartName::Rename, renaming).await
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
