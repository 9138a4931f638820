//! What does not fit between a definition and those in force: the same code that `akka check` runs over files.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use akkaflow_engine::{Engine, Packing};
use akkaflow_model::check::{Outline, Set, Surroundings};
use akkaflow_model::diagnostic::Finding;

/// Workflows that are looked at upstream of one: each is read again.
const MOST_UPSTREAM: usize = 1_000;

/// What is in force upstream of a workflow, packed: taken from the core at once, read beside it.
pub(crate) struct Upstream {
    packing: Arc<dyn Packing>,
    packed: BTreeMap<String, Box<[u8]>>,
}

impl Upstream {
    /// Everything that `outline` waits for, and what that waits for.
    pub(crate) fn of(engine: &Engine, outline: &Outline) -> Self {
        let mut packed: BTreeMap<String, Box<[u8]>> = BTreeMap::new();
        let mut open: VecDeque<String> = names(outline).collect();
        while let Some(name) = open.pop_front() {
            if packed.len() == MOST_UPSTREAM || name == outline.name || packed.contains_key(&name) {
                continue;
            }
            if let Some(definition) = engine.definition(&name) {
                open.extend(definition.depends().iter().cloned());
                packed.insert(name, definition.packed().into());
            }
        }
        Self {
            packing: engine.packing(),
            packed,
        }
    }

    /// Everything that is legal and surely not meant about what `outline`, which `file` says, waits for.
    pub(crate) fn misfits(&self, file: &str, outline: &Outline) -> Vec<Finding> {
        let outlines: Vec<Outline> = self
            .packed
            .values()
            .filter_map(|packed| self.packing.unpack(packed))
            .map(|workflow| Outline::in_force(&workflow))
            .collect();
        let in_force = outlines.iter().map(|upstream| ("", upstream));
        let set = Set::of(std::iter::once((file, outline)).chain(in_force));
        set.check_one(file, outline, Surroundings::default())
    }
}

fn names(outline: &Outline) -> impl Iterator<Item = String> {
    outline
        .upstreams
        .iter()
        .map(|upstream| upstream.name.clone())
}
