//! Fetches the files that an attempt brings along from the master.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use akkaflow_model::outcome::{Outcome, OutcomeKind};
use akkaflow_model::text::Text;
use akkaflow_rpc::wire;
use akkaflow_rpc::wire::master_client::MasterClient;
use ring::digest::{Context, SHA256};
use tokio::time::timeout;
use tonic::Streaming;
use tonic::transport::Channel;

use crate::cache::Cache;
use crate::outcome;
use crate::prepare::{Order, create_home, plain_name, spool_failure};

/// The largest attachment, bytes.
const MAX_BYTES: u64 = 256 << 20;

/// A master that says nothing for so long is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Fetches all of them into the working directory.
pub(crate) async fn fetch(
    client: Option<MasterClient<Channel>>,
    worker_id: &str,
    cache: &Arc<Cache>,
    order: &Order,
) -> Result<(), Outcome> {
    let Some(mut client) = client else {
        return Err(failed("", "the connection to the master is gone"));
    };
    create_home(&order.home).map_err(|error| spool_failure(&error))?;
    for (position, name) in (0..).zip(&order.start.attachments) {
        let request = wire::AttachmentRequest {
            key: Some((&order.key).into()),
            position,
            worker_id: worker_id.to_owned(),
        };
        fetch_one(&mut client, cache, order, request, name).await?;
    }
    Ok(())
}

async fn fetch_one(
    client: &mut MasterClient<Channel>,
    cache: &Arc<Cache>,
    order: &Order,
    request: wire::AttachmentRequest,
    name: &str,
) -> Result<(), Outcome> {
    let name = plain_name(name).map_err(|error| failed(name, &error.to_string()))?;
    let path = order.home.work().join(name);
    let mut stream = within(client.fetch_attachment(request))
        .await
        .map_err(|error| failed(name, &error))?
        .into_inner();
    let first = within(stream.message())
        .await
        .map_err(|error| failed(name, &error))?
        .unwrap_or_default();
    if first.size > MAX_BYTES {
        return Err(too_large(name));
    }
    // A master of an earlier version says no hash.
    let sha256 = first.sha256.clone();
    if !sha256.is_empty() && take(cache, &sha256, &path).await? {
        return Ok(());
    }
    let received = receive(stream, first, &path, name).await?;
    if sha256.is_empty() {
        return Ok(());
    }
    if received != sha256 {
        return Err(failed(name, "it changed while it was sent"));
    }
    let cache = Arc::clone(cache);
    aside(move || {
        // What cannot be kept is fetched again.
        if let Err(error) = cache.keep(&sha256, &path) {
            tracing::warn!(%error, "cannot keep an attachment for other attempts");
        }
        Ok(())
    })
    .await
}

async fn take(cache: &Arc<Cache>, sha256: &[u8], path: &Path) -> Result<bool, Outcome> {
    let (cache, sha256, path) = (Arc::clone(cache), sha256.to_vec(), path.to_owned());
    aside(move || cache.take(&sha256, &path)).await
}

/// Much is read and written: others go on meanwhile.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Outcome> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
        .map_err(|error| spool_failure(&error))
}

/// Writes what comes; gives back its hash.
async fn receive(
    mut stream: Streaming<wire::AttachmentChunk>,
    first: wire::AttachmentChunk,
    path: &Path,
    name: &str,
) -> Result<Vec<u8>, Outcome> {
    let mut file = File::create(path).map_err(|error| spool_failure(&error))?;
    let mut hash = Context::new(&SHA256);
    let mut size = 0;
    let mut next = Some(first);
    while let Some(chunk) = next {
        size += chunk.data.len() as u64;
        if size > MAX_BYTES {
            return Err(too_large(name));
        }
        hash.update(&chunk.data);
        file.write_all(&chunk.data)
            .map_err(|error| spool_failure(&error))?;
        next = within(stream.message())
            .await
            .map_err(|error| failed(name, &error))?;
    }
    Ok(hash.finish().as_ref().to_vec())
}

async fn within<T>(call: impl Future<Output = Result<T, tonic::Status>>) -> Result<T, String> {
    match timeout(PATIENCE, call).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(status)) => Err(status.message().to_owned()),
        Err(_) => Err("the master does not answer".to_owned()),
    }
}

fn failed(name: &str, reason: &str) -> Outcome {
    outcome::failed(
        OutcomeKind::Failed,
        Text::new(
            format!("无法从master获取文件[{name}]: {reason}"),
            format!("cannot fetch the file `{name}` from the master: {reason}"),
        ),
    )
}

fn too_large(name: &str) -> Outcome {
    let limit = MAX_BYTES >> 20;
    outcome::failed(
        OutcomeKind::FailedForGood,
        Text::new(
            format!("文件[{name}]超过{limit}MiB，请改用共享存储"),
            format!("the file `{name}` is larger than {limit} MiB; use shared storage instead"),
        ),
    )
}
