//! What does not fit between a definition and those in force: the same code that `akka check` runs over files.

use std::collections::{BTreeMap, VecDeque};

use akkaflow_engine::Engine;
use akkaflow_model::check::{Outline, Set, Surroundings};
use akkaflow_model::diagnostic::Finding;

/// Workflows that are looked at upstream of one: the core stands still meanwhile, a millisecond at most.
const MOST_UPSTREAM: usize = 1_000;

/// What is in force upstream of a workflow, as far as it matters to others: taken from the core at once, looked at beside
/// it. What scheduling holds is enough, so no definition is read again.
pub(crate) struct Upstream {
    outlines: BTreeMap<String, Outline>,
}

impl Upstream {
    /// Everything that `outline` waits for, what that waits for, and what its nodes start.
    pub(crate) fn of(engine: &Engine, outline: &Outline) -> Self {
        let mut outlines: BTreeMap<String, Outline> = BTreeMap::new();
        let mut open: VecDeque<String> = names(outline).collect();
        while let Some(name) = open.pop_front() {
            if outlines.len() == MOST_UPSTREAM
                || name == outline.name
                || outlines.contains_key(&name)
            {
                continue;
            }
            if let Some(definition) = engine.definition(&name) {
                open.extend(definition.depends().iter().cloned());
                let mut upstream = Outline::waiting_for(&name, definition.depends());
                upstream.idle = definition.idle();
                outlines.insert(name, upstream);
            }
        }
        for child in outline.children.iter().take(MOST_UPSTREAM) {
            if let Some(definition) = engine.definition(&child.name) {
                let known = outlines
                    .entry(child.name.clone())
                    .or_insert_with(|| Outline::waiting_for(&child.name, definition.depends()));
                known.idle = definition.idle();
                known.is_limit_zero = definition.instance_limit() <= 0;
            }
        }
        Self { outlines }
    }

    /// Everything that is legal and surely not meant about what `outline`, which `file` says, waits for.
    pub(crate) fn misfits(&self, file: &str, outline: &Outline) -> Vec<Finding> {
        let in_force = self.outlines.values().map(|upstream| ("", upstream));
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
