//! Sends a file of the master to the worker that runs the attempt which names it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
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

/// First what the file is, so that a worker which has it already hangs up, then its content.
pub(super) async fn send(path: PathBuf) -> Result<Response<BoxedStream<AttachmentChunk>>, Status> {
    let opening = tokio::task::spawn_blocking(move || {
        let unreadable = |error: io::Error| unreadable(&path, &error);
        let mut file = File::open(&path).map_err(unreadable)?;
        let first = describe(&mut file).map_err(unreadable)?;
        Ok::<_, Status>((file, first))
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

/// Its size and hash; the file stands at its beginning afterwards.
fn describe(file: &mut File) -> io::Result<AttachmentChunk> {
    let data = file.metadata()?;
    if !data.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut sha256 = Vec::new();
    if data.len() <= LARGEST_HASHED {
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
        size: data.len(),
    })
}
