//! Carries out what the engine has decided, once it is durable.

use std::sync::Arc;

use akkaflow_engine::{Dispatch, Effect};
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::id::Epoch;
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
    let start = wire::Start {
        key: Some((&dispatch.key).into()),
        epoch: epoch.0,
        incarnation: dispatch.incarnation.0,
        workflow: dispatch.workflow.to_string(),
        body: Some((&dispatch.body).into()),
        params: dispatch
            .params
            .into_iter()
            .map(|(name, value)| wire::Pair { name, value })
            .collect(),
        fire_time_ms: dispatch.fire_time.as_millis(),
        links: links
            .iter()
            .filter_map(|name| shared.links.get(name))
            .map(|link| (&link).into())
            .collect(),
        file_links: file_links
            .iter()
            .filter_map(|name| shared.links.file_access(name))
            .map(|access| (&access).into())
            .collect(),
        attachments,
        zone: dispatch.zone.name().to_owned(),
        outputs: dispatch.outputs,
    };
    send(shared, &dispatch.worker, Event::Start(start));
}
