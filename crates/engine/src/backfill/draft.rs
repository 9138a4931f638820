//! Moments and waits of a plan while it is made.

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::backfill::MOST_RUNS;
use akkaflow_model::command::Rejection;
use akkaflow_model::definition::DateRule;
use akkaflow_model::time::Timestamp;

use super::plan::too_many;
use crate::plan::{Plan, Term};
use crate::tokens::Days;

/// A workflow's date, in the order of the plan: the day, then the workflow's place in the graph.
pub(super) type Place = (i32, usize);

/// The workflows of a backfill with the moments at which each runs, by day.
pub(super) struct Draft<'a> {
    pub(super) places: BTreeMap<&'a str, usize>,
    pub(super) moments: Vec<BTreeMap<i32, Vec<Timestamp>>>,
    pub(super) count: usize,
}

impl Draft<'_> {
    pub(super) fn add(&mut self, place: usize, day: i32, at: Timestamp) -> Result<(), Rejection> {
        self.count += 1;
        if self.count > MOST_RUNS {
            return Err(too_many());
        }
        self.moments[place].entry(day).or_default().push(at);
        Ok(())
    }

    /// The dates in the plan that a date of a workflow waits for. Of rules of which one is enough it waits for all: a
    /// backfill knows that they come.
    pub(super) fn needs(&self, plan: &Plan, own: usize, day: i32) -> BTreeSet<Place> {
        let mut needs = BTreeSet::new();
        let mut look = |upstream: &str, rule: DateRule| {
            let Some(&place) = self.places.get(upstream) else {
                return;
            };
            let planned = &self.moments[place];
            let is_there =
                |other: &i32| planned.contains_key(other) && (place != own || *other < day);
            match Days::of_rule(plan, rule, day) {
                // Its own success before.
                Days::All if place == own => {
                    needs.extend(
                        planned
                            .range(..day)
                            .next_back()
                            .map(|(day, _)| (*day, place)),
                    );
                }
                Days::All => needs.extend(Some(day).filter(is_there).map(|day| (day, place))),
                Days::Of(days) => {
                    needs.extend(days.into_iter().filter(is_there).map(|day| (day, place)));
                }
            }
        };
        for term in plan.terms() {
            match term {
                Term::Fresh(upstream) => look(upstream, DateRule::Fresh),
                Term::Rule(term) => {
                    for dependency in term.dependencies() {
                        look(&dependency.workflow, dependency.date);
                    }
                }
            }
        }
        needs
    }

    pub(super) fn latest(&self, places: &BTreeSet<Place>) -> Option<Timestamp> {
        let moments = places
            .iter()
            .filter_map(|(day, place)| self.moments[*place].get(day));
        moments.flatten().max().copied()
    }
}
