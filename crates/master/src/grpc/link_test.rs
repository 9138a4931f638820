//! Has a worker try a link, where transfers run.

use std::sync::Arc;
use std::time::Duration;

use akkaflow_model::command::Rejection;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::WorkerId;
use akkaflow_model::links::Link;
use akkaflow_model::text::Text;
use akkaflow_rpc::links::key_from_wire;
use akkaflow_rpc::wire;
use akkaflow_rpc::wire::link_test_reply::Reply;
use akkaflow_rpc::wire::master_event::Event;
use akkaflow_rpc::wire::try_link;
use futures::stream;
use tokio::time::Instant;
use tonic::Status;

use super::{BoxedStream, links};
use crate::shared::{Shared, Term};

/// All parts of a test take at most half a minute each; a worker that is silent for longer has gone.
const LIMIT: Duration = Duration::from_secs(200);

/// The parts as the worker tells of them; a rejection when there is nothing to try, or nobody to try it.
pub(super) fn test(
    shared: &Arc<Shared>,
    term: Term,
    request: wire::TestLinkRequest,
) -> Result<BoxedStream<wire::LinkTestReply>, Status> {
    let worker = request.worker.clone();
    let begun = match begin(shared, request)? {
        Ok(begun) => begun,
        Err(rejection) => {
            let reply = reply(worker, Reply::Rejection(rejection.into()));
            return Ok(Box::pin(stream::iter([Ok(reply)])));
        }
    };
    let (worker, parts) = begun;
    let deadline = Instant::now() + LIMIT;
    let state = Some((worker.0.to_string(), parts, term.over));
    let replies = stream::unfold(state, move |state| async move {
        let (worker, mut parts, over) = state?;
        let part = tokio::select! {
            part = parts.recv() => part,
            () = over.cancelled() => None,
            () = tokio::time::sleep_until(deadline) => None,
        };
        match part {
            Some(part) if part.part.is_empty() => None,
            Some(part) => Some((
                Ok(reply(worker.clone(), Reply::Part(part))),
                Some((worker, parts, over)),
            )),
            None => {
                let rejection = Reply::Rejection(silent(&worker).into());
                Some((Ok(reply(worker, rejection)), None))
            }
        }
    });
    Ok(Box::pin(replies))
}

fn reply(worker: String, reply: Reply) -> wire::LinkTestReply {
    wire::LinkTestReply {
        worker,
        reply: Some(reply),
    }
}

type Begun = (
    WorkerId,
    tokio::sync::mpsc::UnboundedReceiver<wire::LinkPart>,
);

fn begin(
    shared: &Shared,
    request: wire::TestLinkRequest,
) -> Result<Result<Begun, Rejection>, Status> {
    let key = key_from_wire(&request.kind, request.name)?;
    let link = match shared.links.get(&key) {
        None => return Ok(Err(links::unknown(&key))),
        Some(Err(why)) => return Ok(Err(Rejection::new(ErrorCode::Conflict, why))),
        Some(Ok(Link::Db(link))) => try_link::Link::Db((&link).into()),
        Some(Ok(Link::File(link))) => try_link::Link::File((&shared.links.access(link)).into()),
    };
    let Some(worker) = shared.sessions.any(&request.worker) else {
        return Ok(Err(nobody(&request.worker)));
    };
    let Some((id, parts)) = shared.link_tests.begin() else {
        return Ok(Err(too_many()));
    };
    let order = wire::TryLink {
        id,
        link: Some(link),
    };
    let event = wire::MasterEvent {
        event: Some(Event::TryLink(order)),
    };
    shared.sessions.send(&worker, event);
    Ok(Ok((worker, parts)))
}

fn nobody(wanted: &str) -> Rejection {
    let text = match wanted {
        "" => Text::new(
            "没有已连接的worker，连接由worker测试，请先启动worker",
            "no worker is attached; links are tried by workers: start one",
        ),
        wanted => Text::new(
            format!("worker {wanted}未连接，见akka cluster"),
            format!("worker `{wanted}` is not attached, see akka cluster"),
        ),
    };
    Rejection::new(ErrorCode::Unavailable, text)
}

fn too_many() -> Rejection {
    let text = Text::new(
        "正在测试的连接过多，请稍后再试",
        "too many links are being tested, try again later",
    );
    Rejection::new(ErrorCode::Exhausted, text)
}

fn silent(worker: &str) -> Rejection {
    let text = Text::new(
        format!("worker {worker}没有在限时内完成测试，请查看它的日志及版本"),
        format!("worker `{worker}` has not finished in time; look at its log and its version"),
    );
    Rejection::new(ErrorCode::Timeout, text)
}
