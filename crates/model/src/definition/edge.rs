//! Where a node leads, and under which condition.

use crate::condition::Condition;

/// A way out of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The next node.
    pub to: String,
    /// Taken only where this holds.
    pub when: Option<Condition>,
}

/// A way out of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The next node.
    pub to: String,
    /// Taken where this holds and none before it did.
    pub when: Condition,
}

impl From<&str> for Edge {
    fn from(to: &str) -> Self {
        to.to_owned().into()
    }
}

impl From<String> for Edge {
    fn from(to: String) -> Self {
        Self { to, when: None }
    }
}
