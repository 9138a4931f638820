//! Random workflows.

mod coordinator;

use std::collections::BTreeMap;
use std::sync::Arc;

use akkaflow_engine::{Definition, Definitions, Shelf};
use akkaflow_model::definition::{
    ActionNode, FailurePolicy, Node, NodeKind, Overlap, Version, Workflow,
};
use akkaflow_model::element::{Child, Element, Span};
use akkaflow_model::record::Snapshot;
use akkaflow_model::time::Timestamp;
use chrono::NaiveDateTime;

use super::nesting;
use super::rng::Rng;

pub(crate) use coordinator::draw_calendar;

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
        let state = nesting::add_values(rng, &mut nodes);
        let workflow = Arc::new(Workflow {
            name: shape.name.clone(),
            creator: "simulator".to_owned(),
            desc: None,
            create_time: None,
            mail_level: Vec::new(),
            mail_receivers: Vec::new(),
            instance_limit: shape.instance_limit,
            dir: "/tmp".to_owned(),
            overlap: draw_overlap(rng),
            failure_policy: FailurePolicy::default(),
            priority: 0,
            state,
            coordinator: coordinator::draw(rng, &self.names_before(index), self.beginning),
            nodes,
            not_runnable: None,
            used_params: vec!["day".to_owned()],
            source: Arc::from(format!("<work-flow name=\"{}\"/>", shape.name)),
            version: version.clone(),
        });
        self.contents.insert(version, workflow.clone());
        workflow
    }

    fn names_before(&self, index: usize) -> Vec<String> {
        let shapes = self.shapes[..=index].iter();
        shapes.map(|shape| shape.name.clone()).collect()
    }
}

fn draw_overlap(rng: &mut Rng) -> Overlap {
    match rng.below(100) {
        0..=14 => Overlap::Skip,
        15..=26 => Overlap::CancelRunning,
        _ => Overlap::Queue,
    }
}

/// A random acyclic graph: edges lead from earlier to later nodes, the last one is an end.
fn draw_nodes(rng: &mut Rng, workers: usize) -> Vec<Node> {
    let count = rng.between(2, 9) as usize;
    let last = count + 1;
    let name = |position: usize| match position {
        0 => "start".to_owned(),
        _ if position == last => "end".to_owned(),
        _ => format!("n{position}"),
    };
    (0..=last)
        .map(|position| {
            let kind = if position == last {
                NodeKind::End
            } else {
                // Mostly the next node, so that graphs are deep as well as wide.
                let mut target = |rng: &mut Rng| {
                    if rng.chance(60) {
                        name(position + 1)
                    } else {
                        name(rng.between(position as u64 + 1, last as u64) as usize)
                    }
                };
                if position == 0 {
                    NodeKind::Start { to: target(rng) }
                } else {
                    draw_kind(rng, workers, &mut target)
                }
            };
            Node::new(name(position), kind)
        })
        .collect()
}

fn draw_kind(
    rng: &mut Rng,
    workers: usize,
    target: &mut impl FnMut(&mut Rng) -> String,
) -> NodeKind {
    match rng.below(100) {
        0..=17 => {
            let mut paths: Vec<String> = (0..rng.between(1, 3)).map(|_| target(rng)).collect();
            paths.sort();
            paths.dedup();
            NodeKind::Fork {
                paths: paths.into_iter().map(Into::into).collect(),
            }
        }
        18..=35 => NodeKind::Join { to: target(rng) },
        36..=38 => NodeKind::Kill {
            message: "stop at ${param:day}".to_owned(),
        },
        _ => {
            let ok = target(rng);
            let error = rng
                .chance(30)
                .then(|| target(rng))
                .filter(|error| *error != ok);
            let action = ActionNode::new(draw_body(rng));
            NodeKind::Action(Box::new(ActionNode {
                host: draw_host(rng, workers),
                retry_times: rng.below(3) as u32,
                interval_seconds: if rng.chance(40) {
                    0
                } else {
                    rng.between(1, 40)
                },
                timeout_seconds: rng.chance(30).then(|| rng.between(5, 90)),
                is_ignore: rng.chance(4),
                ok: Some(ok.into()),
                error: error.map(Into::into),
                ..action
            }))
        }
    }
}

fn draw_body(rng: &mut Rng) -> Element {
    let text = if rng.chance(2) {
        "echo ${param:unknown}"
    } else {
        "echo ${param:day}"
    };
    let mut body = Element::new("script");
    body.children.push(Child::Text {
        text: text.to_owned(),
        span: Span::default(),
    });
    body
}

fn draw_host(rng: &mut Rng, workers: usize) -> Option<String> {
    match rng.below(100) {
        0..=7 => Some(format!("w{}", rng.index(workers))),
        8..=15 => Some(format!("host{}", rng.index(workers))),
        16 => Some("nowhere".to_owned()),
        _ => None,
    }
}
