//! Random workflows.

mod coordinator;
pub(crate) mod nodes;

use std::collections::BTreeMap;
use std::sync::Arc;

use akkaflow_engine::{Definition, Definitions, Shelf};
use akkaflow_model::definition::{Overlap, Version, Workflow};
use akkaflow_model::record::Snapshot;
use akkaflow_model::state::InstanceState;
use akkaflow_model::time::Timestamp;
use chrono::NaiveDateTime;

use super::nesting;
use super::rng::Rng;
use nodes::{draw_nodes, draw_policy, draw_priority};

pub(crate) use coordinator::draw_calendar;

/// Pools that people define.
pub(crate) const POOLS: u64 = 2;

/// What stays the same over all contents of one workflow.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) name: String,
    pub(crate) instance_limit: i64,
}

/// The workflows of one history and every content that they ever had.
#[derive(Debug)]
pub(crate) struct Library {
    pub(crate) shapes: Vec<Shape>,
    pub(crate) contents: BTreeMap<Version, Arc<Workflow>>,
    /// Where the engines keep them.
    pub(crate) shelf: Arc<Shelf>,
    /// About when the history begins.
    beginning: NaiveDateTime,
}

impl Library {
    pub(crate) fn new(rng: &mut Rng, beginning: Timestamp) -> Self {
        let count = rng.between(2, 5) as usize;
        let shapes = (0..count)
            .map(|index| Shape {
                name: format!("wf{index}"),
                instance_limit: if rng.chance(3) {
                    0
                } else {
                    rng.between(1, 3) as i64
                },
            })
            .collect();
        Self {
            shapes,
            contents: BTreeMap::new(),
            shelf: Arc::default(),
            beginning: beginning.to_utc().naive_utc(),
        }
    }

    /// The contents that a snapshot names.
    pub(crate) fn named_by(&self, snapshot: &Snapshot) -> Definitions {
        let mut named = Definitions::default();
        for row in &snapshot.versions {
            if let Some(content) = self.contents.get(&row.version) {
                let definition = Definition::new(content, &*self.shelf);
                named.insert(row.version.clone(), definition);
            }
        }
        named
    }

    /// A new content for a workflow. It depends only on workflows before it, so that nothing waits in a circle.
    pub(crate) fn draw(&mut self, rng: &mut Rng, index: usize, workers: usize) -> Arc<Workflow> {
        let shape = self.shapes[index].clone();
        let version = Version(format!("{:016x}", rng.next()));
        let mut nodes = draw_nodes(rng, workers);
        nesting::add_own_nodes(rng, &mut nodes, &self.shapes[..index]);
        // From the version alone: what else is drawn stays as it was.
        let mut mails = Rng::new(hash_of(&version));
        nesting::add_mails(&mut mails, &mut nodes);
        let state = nesting::add_values(rng, &mut nodes);
        let workflow = Arc::new(Workflow {
            creator: "simulator".to_owned(),
            mail_level: draw_levels(&mut mails),
            mail_receivers: draw_receivers(&mut mails, &shape.name),
            instance_limit: shape.instance_limit,
            overlap: draw_overlap(rng),
            failure_policy: draw_policy(rng),
            priority: draw_priority(rng).unwrap_or(0),
            state,
            coordinator: coordinator::draw(rng, &self.names_before(index), self.beginning),
            used_params: vec!["day".to_owned()],
            source: Arc::from(format!("<work-flow name=\"{}\"/>", shape.name)),
            version: version.clone(),
            ..Workflow::new(shape.name.clone(), nodes)
        });
        self.contents.insert(version, workflow.clone());
        workflow
    }

    fn names_before(&self, index: usize) -> Vec<String> {
        let shapes = self.shapes[..=index].iter();
        shapes.map(|shape| shape.name.clone()).collect()
    }
}

fn hash_of(version: &Version) -> u64 {
    u64::from_str_radix(&version.0, 16).unwrap_or_default()
}

fn draw_levels(rng: &mut Rng) -> Vec<InstanceState> {
    let ends = [
        InstanceState::Failed,
        InstanceState::Killed,
        InstanceState::Succeeded,
    ];
    ends.into_iter().filter(|_| rng.chance(60)).collect()
}

/// Its own people, and somebody who is told of everything.
fn draw_receivers(rng: &mut Rng, name: &str) -> Vec<String> {
    let all = [format!("{name}@x"), "all@x".to_owned(), format!("{name}@x")];
    let count = rng.below(4) as usize;
    all.into_iter().take(count).collect()
}

fn draw_overlap(rng: &mut Rng) -> Overlap {
    match rng.below(100) {
        0..=14 => Overlap::Skip,
        15..=26 => Overlap::CancelRunning,
        _ => Overlap::Queue,
    }
}
