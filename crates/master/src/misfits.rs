//! What does not fit between a definition and those in force: the same code that `akka check` runs over files.

use std::collections::{BTreeMap, VecDeque};

use akkaflow_engine::Engine;
use akkaflow_model::check::{Outline, Set, Surroundings};
use akkaflow_model::diagnostic::Finding;

/// Workflows that are looked at upstream of one: the core waits meanwhile.
const MOST_UPSTREAM: usize = 1_000;

/// Everything that is legal and surely not meant about what `outline`, which `file` says, waits for.
pub(crate) fn misfits(engine: &Engine, file: &str, outline: &Outline) -> Vec<Finding> {
    let mut outlines: BTreeMap<String, Outline> = BTreeMap::new();
    let mut open: VecDeque<String> = names(outline).collect();
    while let Some(name) = open.pop_front() {
        if outlines.len() == MOST_UPSTREAM || name == outline.name || outlines.contains_key(&name) {
            continue;
        }
        if let Some(workflow) = engine.definition(&name) {
            let upstream = Outline::in_force(workflow);
            open.extend(names(&upstream));
            outlines.insert(name, upstream);
        }
    }
    let in_force = outlines.values().map(|upstream| ("", upstream));
    let set = Set::of(std::iter::once((file, outline)).chain(in_force));
    set.check_one(file, outline, Surroundings::default())
}

fn names(outline: &Outline) -> impl Iterator<Item = String> {
    outline
        .upstreams
        .iter()
        .map(|upstream| upstream.name.clone())
}
