//! Sends a file of the master to the worker that runs the attempt which names it.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use akkaflow_rpc::wire::AttachmentChunk;
use futures::{StreamExt as _, stream};
use ring::digest::{Context, SHA256};
use tonic::{Response, Status};

use super::BoxedStream;

/// Bytes in one message.
const CHUNK: usize = 256 * 1024;

/// A larger one is sent without its hash: workers refuse it as they hear its size.
const LARGEST_HASHED: u64 = 256 << 20;

/// First what the file is, so that a worker which has it already hangs up, then its content. None of `secrets`, whatever name
/// it goes by.
pub(super) async fn send(
    path: PathBuf,
    secrets: Vec<PathBuf>,
) -> Result<Response<BoxedStream<AttachmentChunk>>, Status> {
    let opening = tokio::task::spawn_blocking(move || {
        let unreadable = |error: io::Error| unreadable(&path, &error);
        let mut file = open(&path).map_err(unreadable)?;
        let data = file.metadata().map_err(unreadable)?;
        if is_one_of(&data, &secrets) {
            return Err(secret(&path));
        }
        let first = describe(&mut file, data.len()).map_err(unreadable)?;
        Ok((file, first))
    });
    let (file, first) = opening
        .await
        .map_err(|error| Status::internal(error.to_string()))??;
    let file = tokio::fs::File::from_std(file);
    let content = tokio_util::io::ReaderStream::with_capacity(file, CHUNK).map(|bytes| {
        let bytes = bytes.map_err(|error| Status::data_loss(error.to_string()))?;
        Ok(AttachmentChunk {
            data: bytes.into(),
            ..AttachmentChunk::default()
        })
    });
    let chunks = stream::once(async { Ok(first) }).chain(content);
    Ok(Response::new(Box::pin(chunks)))
}

fn unreadable(path: &Path, error: &io::Error) -> Status {
    Status::not_found(format!(
        "cannot read {} on the master: {error}",
        path.display()
    ))
}

fn secret(path: &Path) -> Status {
    let path = path.display();
    Status::permission_denied(format!(
        "{path} on the master holds passwords or keys of akkaflow itself and is not handed on / 该文件含有akkaflow自身的密码或密钥，不可作为附件"
    ))
}

/// Opens a regular file. Nothing else is waited for: a pipe that nobody writes into would hold its reader for ever.
fn open(path: &Path) -> io::Result<File> {
    let no_waiting = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(no_waiting).open(path)?;
    if !file.metadata()?.is_file() || is_of_a_process(&file)? {
        let what = "it is no regular file (a directory, pipe or device) / 不是普通文件（而是目录、管道或设备）";
        return Err(io::Error::other(what));
    }
    Ok(file)
}

/// Whether it shows a process, whose environment may hold passwords.
fn is_of_a_process(file: &File) -> io::Result<bool> {
    let system = rustix::fs::fstatfs(file)?;
    Ok(system.f_type == rustix::fs::PROC_SUPER_MAGIC)
}

/// Whether it is one of these files: by what it is, since links lead to it by other names.
fn is_one_of(data: &Metadata, files: &[PathBuf]) -> bool {
    let is_same = |other: Metadata| (other.dev(), other.ino()) == (data.dev(), data.ino());
    let mut known = files.iter().filter_map(|file| file.metadata().ok());
    known.any(is_same)
}

/// Its size and hash; the file stands at its beginning afterwards.
fn describe(file: &mut File, size: u64) -> io::Result<AttachmentChunk> {
    let mut sha256 = Vec::new();
    if size <= LARGEST_HASHED {
        let mut hash = Context::new(&SHA256);
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            hash.update(&buffer[..count]);
        }
        file.rewind()?;
        sha256 = hash.finish().as_ref().to_vec();
    }
    Ok(AttachmentChunk {
        data: Vec::new(),
        sha256,
        size,
    })
}
