//! Fetches the files that an attempt brings along from the master.

use std::io::Write as _;
use std::time::Duration;

use akkaflow_model::outcome::{Outcome, OutcomeKind};
use akkaflow_model::text::Text;
use akkaflow_rpc::wire;
use akkaflow_rpc::wire::master_client::MasterClient;
use tokio::time::timeout;
use tonic::transport::Channel;

use crate::outcome;
use crate::prepare::{Order, create_home, plain_name, spool_failure};

/// The largest attachment, bytes.
const MAX_BYTES: usize = 256 << 20;

/// A master that says nothing for so long is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Fetches all of them into the working directory.
pub(crate) async fn fetch(
    client: Option<MasterClient<Channel>>,
    worker_id: &str,
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
        fetch_one(&mut client, order, request, name).await?;
    }
    Ok(())
}

async fn fetch_one(
    client: &mut MasterClient<Channel>,
    order: &Order,
    request: wire::AttachmentRequest,
    name: &str,
) -> Result<(), Outcome> {
    let name = plain_name(name).map_err(|error| failed(name, &error.to_string()))?;
    let mut stream = within(client.fetch_attachment(request))
        .await
        .map_err(|error| failed(name, &error))?
        .into_inner();
    let path = order.home.work().join(name);
    let mut file = std::fs::File::create(path).map_err(|error| spool_failure(&error))?;
    let mut size = 0;
    while let Some(chunk) = within(stream.message())
        .await
        .map_err(|error| failed(name, &error))?
    {
        size += chunk.data.len();
        if size > MAX_BYTES {
            return Err(too_large(name));
        }
        file.write_all(&chunk.data)
            .map_err(|error| spool_failure(&error))?;
    }
    Ok(())
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
            format!("无法从master获取附件[{name}]: {reason}"),
            format!("cannot fetch the attachment `{name}` from the master: {reason}"),
        ),
    )
}

fn too_large(name: &str) -> Outcome {
    let limit = MAX_BYTES >> 20;
    outcome::failed(
        OutcomeKind::FailedForGood,
        Text::new(
            format!("附件[{name}]超过{limit}MiB，请改用共享存储"),
            format!(
                "the attachment `{name}` is larger than {limit} MiB; use shared storage instead"
            ),
        ),
    )
}
