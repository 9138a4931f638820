//! Tries links on behalf of the master, beside the attempts.

use std::path::PathBuf;

use akkaflow_actions::{LinkPart, TestedLink, test_link};
use akkaflow_rpc::wire::try_link::Link;
use akkaflow_rpc::wire::worker_event::Event;
use akkaflow_rpc::{Malformed, wire};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// To the master, while it listens.
type ToMaster = mpsc::WeakUnboundedSender<wire::WorkerMessage>;

/// Tries a link and tells the master of each part as it ends.
///
/// # Errors
/// [`Malformed`] for a link that no version of ours has.
pub(crate) fn start(
    order: wire::TryLink,
    base_directory: PathBuf,
    to_master: ToMaster,
    tasks: &Handle,
) -> Result<(), Malformed> {
    let id = order.id;
    let link = match order.link.ok_or(Malformed::Missing("try_link.link"))? {
        Link::Db(link) => TestedLink::Db(link.try_into()?),
        Link::File(link) => TestedLink::File(link.try_into()?),
    };
    tasks.spawn(async move {
        let (sender, mut parts) = mpsc::unbounded_channel();
        let telling = async {
            while let Some(part) = parts.recv().await {
                tell(&to_master, told(id, part));
            }
        };
        tokio::join!(test_link(&link, base_directory, sender), telling);
        let end = wire::LinkPart {
            id,
            ..wire::LinkPart::default()
        };
        tell(&to_master, end);
    });
    Ok(())
}

fn told(id: u64, part: LinkPart) -> wire::LinkPart {
    wire::LinkPart {
        id,
        part: part.name.as_str().to_owned(),
        works: part.works,
        elapsed_us: u64::try_from(part.elapsed.as_micros()).unwrap_or(u64::MAX),
        said: Some(part.said.into()),
    }
}

fn tell(to_master: &ToMaster, part: wire::LinkPart) {
    let event = wire::WorkerEvent {
        event: Some(Event::LinkPart(part)),
    };
    if let Some(to_master) = to_master.upgrade() {
        // A master that has gone away asks for nothing any more.
        let _ = to_master.send(wire::WorkerMessage {
            events: vec![event],
        });
    }
}
