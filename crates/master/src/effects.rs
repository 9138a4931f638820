//! Carries out what the engine has decided, once it is durable.

use std::sync::Arc;

use akkaflow_engine::{Dispatch, Effect};
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::id::Epoch;
use akkaflow_model::links::{Link, LinkKey, LinkKind};
use akkaflow_rpc::wire;
use akkaflow_rpc::wire::master_event::Event;

use crate::shared::Shared;

/// Releases one effect. Replies and questions are the core's own.
pub(crate) fn release(shared: &Arc<Shared>, epoch: Epoch, effect: Effect) {
    match effect {
        Effect::Dispatch(dispatch) => start(shared, epoch, *dispatch),
        Effect::Cancel {
            worker,
            key,
            reason,
        } => {
            let cancel = wire::Cancel {
                key: Some((&key).into()),
                reason: wire::CancelReason::from(reason).into(),
            };
            send(shared, &worker, Event::Cancel(cancel));
        }
        Effect::RequestTombstone { worker, key } => {
            send(shared, &worker, Event::Tombstone((&key).into()))
        }
        Effect::Acknowledge { worker, key } => {
            shared.sessions.withdraw(&key);
            send(shared, &worker, Event::Acknowledge((&key).into()));
        }
        Effect::Changed { instance } => {
            // Nobody may be listening.
            let _ = shared.changed.send(instance);
        }
        Effect::MailOwed => shared.mail_owed.notify_one(),
        Effect::LinkChanged { key, link } => shared.links.stored.note(key, link.map(|row| *row)),
        Effect::Reply { .. } | Effect::Learn { .. } => {}
    }
}

fn send(shared: &Shared, worker: &akkaflow_model::id::WorkerId, event: Event) {
    shared
        .sessions
        .send(worker, wire::MasterEvent { event: Some(event) });
}

/// Adds what only the master has: links with their secrets, and the names of attachments.
fn start(shared: &Arc<Shared>, epoch: Epoch, dispatch: Dispatch) {
    // A body that cannot be read is sent as it is: the worker says what is wrong, and the attempt fails with it.
    let action = shared
        .registry
        .parse(&dispatch.body, &mut Diagnostics::new());
    let (links, file_links, files) = action.map_or_else(Default::default, |action| {
        (action.links(), action.file_links(), action.attachments())
    });
    let attachments = files
        .iter()
        .map(|file| {
            file.file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
        })
        .collect();
    shared
        .sessions
        .offer(dispatch.key.clone(), dispatch.worker.clone(), files);
    let mut start = wire::Start {
        key: Some((&dispatch.key).into()),
        epoch: epoch.0,
        incarnation: dispatch.incarnation.0,
        workflow: dispatch.workflow.to_string(),
        desc: dispatch.desc,
        body: Some((&dispatch.body).into()),
        params: dispatch
            .params
            .into_iter()
            .map(|(name, value)| wire::Pair { name, value })
            .collect(),
        fire_time_ms: dispatch.fire_time.as_millis(),
        attachments,
        zone: dispatch.zone.name().to_owned(),
        outputs: dispatch.outputs,
        ..wire::Start::default()
    };
    let named =
        |kind, names: Vec<String>| names.into_iter().map(move |name| LinkKey { kind, name });
    for key in named(LinkKind::Db, links).chain(named(LinkKind::File, file_links)) {
        match shared.links.get(&key) {
            None => {}
            Some(Ok(Link::Db(link))) => start.links.push((&link).into()),
            Some(Ok(Link::File(link))) => {
                let access = shared.links.access(link);
                start.file_links.push((&access).into());
            }
            Some(Err(why)) => start.unusable_links.push(wire::UnusableLink {
                // One of a file is wrong until somebody mends it; the key to one in the store comes back.
                waits: shared.links.file_of(&key).is_none(),
                kind: key.kind.as_str().to_owned(),
                name: key.name,
                why: Some(why.into()),
            }),
        }
    }
    send(shared, &dispatch.worker, Event::Start(start));
}
