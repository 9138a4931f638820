//! A definition while nothing of it runs: what scheduling needs at hand, the whole of it packed.
//!
//! A parsed definition takes ten to a hundred times the space of its text, and of a hundred thousand workflows few run at
//! once. So a graph is made when an instance needs it, shared while one does, and kept for a while in case the next one
//! comes soon. Whether it was kept can never be seen but in the time that a step takes: [`Packing`] is pure.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, Weak};

use akkaflow_model::check::Idle;
use akkaflow_model::cron::Cron;
use akkaflow_model::definition::{Keep, Overlap, Version, Workflow};
use akkaflow_model::text::Text;

use crate::graph::Graph;
use crate::plan::Plan;

/// Graphs that stay made though no instance holds them: those of a busy hour. A graph of forty nodes takes a hundred
/// kilobytes, most take ten.
const RECENT: usize = 256;

/// Crons that are kept for sharing; with more different ones than this they are sorted out.
const CRONS: usize = 4096;

/// Makes definitions small and gives them back. Pure: the same bytes always give the same definition.
pub trait Packing: fmt::Debug + Send + Sync {
    /// All of a definition, in as few bytes as may be.
    fn pack(&self, workflow: &Arc<Workflow>) -> Box<[u8]>;

    /// The definition; `None` when the bytes are not what [`Packing::pack`] gave.
    fn unpack(&self, packed: &[u8]) -> Option<Arc<Workflow>>;
}

/// What the engine keeps of a definition.
#[derive(Debug, Clone)]
pub struct Definition {
    /// See [`Workflow::instance_limit`].
    pub(crate) instance_limit: i64,
    /// See [`Workflow::overlap`].
    pub(crate) overlap: Overlap,
    /// See [`Workflow::keep`].
    pub keep: Keep,
    pub(crate) plan: Option<Box<Plan>>,
    /// Whom its mails go to; `None` for nobody.
    receivers: Option<Box<[String]>>,
    /// Why no instance may ever start, as the definition says.
    pub(crate) not_runnable: Option<Box<Text>>,
    packed: Box<[u8]>,
    /// The graph, while somebody holds it.
    made: Weak<Graph>,
}

impl Definition {
    /// How many instances may run at once.
    pub fn instance_limit(&self) -> i64 {
        self.instance_limit
    }

    /// Keeps a checked definition.
    pub fn new(workflow: &Arc<Workflow>, packing: &dyn Packing) -> Self {
        let plan = workflow.coordinator.as_ref().map(Plan::new).map(Box::new);
        Self {
            instance_limit: workflow.instance_limit,
            overlap: workflow.overlap,
            keep: workflow.keep,
            plan,
            receivers: (!workflow.mail_receivers.is_empty())
                .then(|| workflow.mail_receivers.clone().into_boxed_slice()),
            not_runnable: workflow.not_runnable.clone().map(Box::new),
            packed: packing.pack(workflow),
            made: Weak::new(),
        }
    }

    /// Whom its mails go to.
    pub(crate) fn receivers(&self) -> &[String] {
        self.receivers.as_deref().unwrap_or_default()
    }

    /// The workflows that it waits for.
    pub fn depends(&self) -> &[String] {
        self.plan.as_ref().map_or(&[], |plan| &plan.depends)
    }

    /// Why it never starts by itself, if so.
    pub fn idle(&self) -> Option<Idle> {
        let is_enabled = self.plan.as_ref().map(|plan| plan.is_enabled);
        Idle::of(is_enabled, self.instance_limit)
    }

    /// The whole definition, made anew unless an instance or a recent use still holds it.
    pub(crate) fn graph(
        &mut self,
        packing: &dyn Packing,
        recent: &mut Recent,
    ) -> Option<Arc<Graph>> {
        if let Some(graph) = self.made.upgrade() {
            return Some(graph);
        }
        let graph = Graph::compile(packing.unpack(&self.packed)?);
        self.made = Arc::downgrade(&graph);
        recent.keep(graph.clone());
        Some(graph)
    }
}

/// The definitions that a snapshot names, for [`crate::Engine::load`].
#[derive(Debug, Default)]
pub struct Definitions {
    by_version: BTreeMap<Version, Definition>,
    pub(crate) crons: Crons,
}

impl Definitions {
    /// Adds one.
    pub fn insert(&mut self, version: Version, mut definition: Definition) {
        self.crons.share(&mut definition);
        self.by_version.insert(version, definition);
    }

    /// Hands one over to the workflow for which it is in force.
    pub(crate) fn take(&mut self, version: &Version) -> Option<Definition> {
        self.by_version.remove(version)
    }

    pub(crate) fn graph(
        &mut self,
        version: &Version,
        packing: &dyn Packing,
        recent: &mut Recent,
    ) -> Option<Arc<Graph>> {
        self.by_version.get_mut(version)?.graph(packing, recent)
    }
}

/// Equal crons, kept once: a parsed one takes a kilobyte, and thousands of workflows start at the same times.
#[derive(Debug, Default)]
pub(crate) struct Crons {
    by_text: BTreeMap<String, Arc<Cron>>,
}

impl Crons {
    /// Lets the definition hold the crons that others hold, where they are the same.
    pub(crate) fn share(&mut self, definition: &mut Definition) {
        let plan = definition.plan.as_mut();
        for cron in plan.into_iter().flat_map(|plan| plan.times.crons_mut()) {
            self.share_one(cron);
        }
    }

    fn share_one(&mut self, cron: &mut Arc<Cron>) {
        match self.by_text.get(cron.as_str()) {
            Some(known) if known == cron => *cron = known.clone(),
            _ => {
                if self.by_text.len() >= CRONS {
                    self.by_text.retain(|_, known| Arc::strong_count(known) > 1);
                }
                if self.by_text.len() < CRONS {
                    self.by_text.insert(cron.as_str().to_owned(), cron.clone());
                }
            }
        }
    }
}

/// Holds the graphs made last, so that a busy workflow is not made again for every instance.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    graphs: VecDeque<Arc<Graph>>,
}

impl Recent {
    fn keep(&mut self, graph: Arc<Graph>) {
        if self.graphs.len() == RECENT {
            self.graphs.pop_front();
        }
        self.graphs.push_back(graph);
    }
}

/// Keeps definitions whole, for whoever builds them without a text to read them from: tests, the simulator.
#[derive(Debug, Default)]
pub struct Shelf {
    by_version: Mutex<BTreeMap<Version, Arc<Workflow>>>,
}

impl Packing for Shelf {
    fn pack(&self, workflow: &Arc<Workflow>) -> Box<[u8]> {
        let version = workflow.version.clone();
        let packed = version.0.clone().into_bytes().into_boxed_slice();
        let mut shelf = self
            .by_version
            .lock()
            .expect("nobody panics while it is held");
        shelf.insert(version, workflow.clone());
        packed
    }

    fn unpack(&self, packed: &[u8]) -> Option<Arc<Workflow>> {
        let version = Version(std::str::from_utf8(packed).ok()?.to_owned());
        let shelf = self
            .by_version
            .lock()
            .expect("nobody panics while it is held");
        shelf.get(&version).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_crons_are_kept_once() {
        let cron = || Arc::new(Cron::parse("0 12 * * *").unwrap());
        let (mut one, mut other) = (cron(), cron());
        let mut crons = Crons::default();
        crons.share_one(&mut one);
        crons.share_one(&mut other);
        assert!(Arc::ptr_eq(&one, &other));
    }
}
