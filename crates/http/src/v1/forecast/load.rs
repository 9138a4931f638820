//! An engine as a new master would load it, and how long nodes take.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use akkaflow_engine::{Definitions, Engine, Learned, Options, PackedText};
use akkaflow_model::id::Epoch;
use akkaflow_model::record::{VersionRow, WorkflowStatus};
use akkaflow_model::time::Timestamp;
use futures::channel::mpsc;
use futures::{StreamExt as _, stream};

use super::apart;
use crate::app::App;
use crate::failure::Failure;

/// Parts of the contents that are read ahead of their parsing.
const PARTS_AHEAD: usize = 2;
/// A worker that is out of reach is given up after this, as masters do unless they are told otherwise.
const LOST_AFTER: Duration = Duration::from_secs(31 * 60);
/// Ended instances of a workflow that are looked at: two months of a daily one, so that each weekday has its eight.
const INSTANCES: u32 = 60;
/// Workflows that are asked about at once.
const AT_ONCE: usize = 8;
/// Of what is not known by then durations are guessed.
const LEARNING: Duration = Duration::from_secs(15);

/// What the store holds now.
pub(super) async fn engine(app: &App, now: Timestamp, epoch: Epoch) -> Result<Engine, Failure> {
    let zone = app.zone().await?;
    let packing = Arc::new(PackedText {
        actions: app.definitions.actions(),
    });
    let (contents, received) = mpsc::channel(PARTS_AHEAD);
    let (snapshot, definitions) = futures::join!(
        app.store.snapshot_in_parts(now, contents),
        definitions(received, &packing)
    );
    let options = Options {
        zone,
        // Ids that are drawn ahead of time shall not be those of open instances.
        epoch: Epoch(epoch.0 + 1),
        seed: 0,
        lost_after: LOST_AFTER,
        retry_fail_times: 0,
        packing,
    };
    let snapshot = snapshot?;
    Ok(apart(move || Engine::load(options, snapshot, definitions)).await)
}

async fn definitions(
    mut received: mpsc::Receiver<Vec<VersionRow>>,
    packing: &Arc<PackedText>,
) -> Definitions {
    let mut definitions = Definitions::default();
    while let Some(part) = received.next().await {
        let packing = Arc::clone(packing);
        let read = apart(move || {
            let read = |row: VersionRow| Some((packing.read(&row)?, row.version));
            part.into_iter().filter_map(read).collect::<Vec<_>>()
        });
        for (definition, version) in read.await {
            definitions.insert(version, definition);
        }
    }
    definitions
}

/// How long the nodes take of all workflows that may run.
pub(super) async fn learned(app: &App, engine: Engine) -> Result<(Engine, Learned), Failure> {
    let mut learned = Learned::new(app.zone().await?);
    let names = may_run(&engine);
    let asked = stream::iter(names).map(|name| async move {
        let successes = app.store.successes(&name, INSTANCES).await;
        (name, successes)
    });
    let in_time = Box::pin(tokio::time::sleep(LEARNING));
    let mut known = Box::pin(asked.buffer_unordered(AT_ONCE).take_until(in_time));
    while let Some((name, successes)) = known.next().await {
        learned.learn(&name, successes?);
    }
    drop(known);
    Ok((engine, learned))
}

fn may_run(engine: &Engine) -> BTreeSet<String> {
    let by_itself = |name: &str| {
        let definition = engine.definition(name);
        definition.is_some_and(|definition| definition.idle().is_none())
    };
    let live = engine
        .workflows()
        .filter(|row| row.status != WorkflowStatus::Deleted && by_itself(&row.name))
        .map(|row| row.name.clone());
    let open = engine.open_instances().map(|row| row.workflow.clone());
    live.chain(open).collect()
}
