//! Who has something to do, each once, in turn: nobody who always has something keeps the others waiting.

use std::collections::{BTreeSet, VecDeque};

/// Names of workflows in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    order: VecDeque<String>,
    members: BTreeSet<String>,
}

impl Turns {
    /// Joins at the end, unless it stands in line already.
    pub(crate) fn join(&mut self, name: &str) {
        if !self.members.contains(name) {
            self.members.insert(name.to_owned());
            self.order.push_back(name.to_owned());
        }
    }

    /// Whose turn it is; it has left the line.
    pub(crate) fn next(&mut self) -> Option<String> {
        let name = self.order.pop_front()?;
        self.members.remove(&name);
        Some(name)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.members.contains(name)
    }
}
