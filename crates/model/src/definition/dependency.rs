//! Which successes of other workflows a workflow waits for.

use std::fmt;

/// One condition of a dependency list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DependencyTerm {
    /// This one must be met.
    One(Dependency),
    /// One of these must be met; at least two.
    AnyOf(Vec<Dependency>),
}

impl DependencyTerm {
    /// The dependencies in it.
    pub fn dependencies(&self) -> &[Dependency] {
        match self {
            Self::One(dependency) => std::slice::from_ref(dependency),
            Self::AnyOf(dependencies) => dependencies,
        }
    }
}

/// What one upstream workflow must have done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The upstream workflow.
    pub workflow: String,
    /// Which of its business dates count.
    pub date: DateRule,
    /// How old its success may be at most, seconds.
    pub max_age_seconds: Option<u64>,
}

impl Dependency {
    /// A fresh success of `workflow`, however old: what akkaflow's files mean.
    pub fn fresh(workflow: impl Into<String>) -> Self {
        Self {
            workflow: workflow.into(),
            date: DateRule::Fresh,
            max_age_seconds: None,
        }
    }
}

impl fmt::Display for DateRule {
    /// As a definition says it: `all-of-last 7`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fresh => formatter.write_str("fresh"),
            Self::SameDay => formatter.write_str("same-day"),
            Self::Previous => formatter.write_str("previous"),
            Self::Latest => formatter.write_str("latest"),
            Self::AllOfLast(count) => write!(formatter, "all-of-last {count}"),
            Self::AnyOfLast(count) => write!(formatter, "any-of-last {count}"),
        }
    }
}

/// Which business dates of an upstream workflow count, seen from the downstream's own business date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DateRule {
    /// Any success that this workflow has not used yet.
    #[default]
    Fresh,
    /// The same business date.
    SameDay,
    /// The business date before.
    Previous,
    /// The latest success, used already or not.
    Latest,
    /// All of the last so many business dates, its own included.
    AllOfLast(u32),
    /// One at least of the last so many business dates, its own included.
    AnyOfLast(u32),
}
