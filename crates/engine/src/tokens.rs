//! The ledger of dependencies: each success of an upstream is a token for each of its dependants.
//!
//! A fire uses up the tokens that its rules look at. A rule that counts business dates, or takes the latest success, looks
//! at used ones too: so many of them stay held, the newest of each date.
//! Source: docs/decisions/0007-which-successes-are-held.md.

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::definition::{DateRule, Dependency};
use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{Record, TokenRow};
use akkaflow_model::time::Timestamp;
use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::Engine;
use crate::plan::{Plan, Term, local};
use crate::schedule::MOST_SLOTS;
use crate::workflows::Entry;

/// Unconsumed tokens kept per edge. A dependant that never fires would otherwise grow for ever; since a fire takes all
/// of them and needs one, the oldest can go.
const MAX_TOKENS_PER_EDGE: usize = 1000;

/// Tokens of one edge by the upstream's instance.
pub(crate) type Tokens = BTreeMap<InstanceId, TokenRow>;

/// Stands where a consumer would for a token that nobody consumed: cleared by a reset, a deletion, a changed definition.
pub(crate) fn cleared() -> InstanceId {
    InstanceId::from_u128(0)
}

/// A fire that tokens alone have caused.
pub(crate) struct Driven {
    /// The upstream's instance of the token given last among those that it uses up: its name.
    pub(crate) newest: InstanceId,
    pub(crate) due_at: Timestamp,
    /// Its business date.
    pub(crate) day: i32,
}

impl Engine {
    /// An instance that counts has succeeded: one token for each dependant of its workflow.
    pub(crate) fn give_tokens(
        &mut self,
        instance: InstanceId,
        upstream: &str,
        business_at: Timestamp,
        business_day: i32,
    ) {
        let dependants: Vec<String> = self.dependants.of(upstream).map(str::to_owned).collect();
        for dependant in dependants {
            let Some(entry) = self.workflows.get_mut(&dependant) else {
                continue;
            };
            let row = TokenRow {
                upstream_instance: instance,
                upstream: upstream.to_owned(),
                dependant: dependant.clone(),
                business_at,
                given_at: self.now,
                consumed_by: None,
                business_day,
                is_held: true,
            };
            self.out.record(Record::Token(row.clone()));
            let tokens = entry.tokens.entry(upstream.to_owned()).or_default();
            tokens.insert(instance, row);
            let has_most = tokens.len() > MAX_TOKENS_PER_EDGE;
            let has_rules = entry
                .plan()
                .is_some_and(|plan| plan.rules_on(upstream).next().is_some());
            if has_most || has_rules {
                self.let_go(&dependant);
            }
            self.consider.join(&dependant);
        }
    }

    /// A fire of a business date uses up what its rules look at: all fresh successes, those of the dates that count.
    pub(crate) fn consume_tokens(&mut self, dependant: &str, consumer: InstanceId, day: i32) {
        let Some(entry) = self.workflows.get_mut(dependant) else {
            return;
        };
        let Some(plan) = entry.definition.as_ref().and_then(|it| it.plan.as_deref()) else {
            return;
        };
        let out = &mut self.out;
        for (upstream, tokens) in &mut entry.tokens {
            let days = Days::used(plan, upstream, day);
            for row in tokens.values_mut() {
                if row.consumed_by.is_none() && days.contains(row.business_day) {
                    row.consumed_by = Some(consumer);
                    row.is_held = plan.rules_on(upstream).any(looks_back);
                    out.record(Record::Token(row.clone()));
                }
            }
            tokens.retain(|_, row| row.is_held);
        }
        self.let_go(dependant);
    }

    /// Clears the tokens of the upstreams that `is_cleared` names.
    pub(crate) fn clear_tokens(&mut self, dependant: &str, is_cleared: impl Fn(&String) -> bool) {
        let Some(entry) = self.workflows.get_mut(dependant) else {
            return;
        };
        let out = &mut self.out;
        entry.tokens.retain(|upstream, tokens| {
            if is_cleared(upstream) {
                for row in std::mem::take(tokens).into_values() {
                    out.record(Record::Token(released(row)));
                }
            }
            !tokens.is_empty()
        });
    }

    /// Lets go of tokens that no fire will look at.
    pub(crate) fn let_go(&mut self, dependant: &str) {
        let Some(entry) = self.workflows.get_mut(dependant) else {
            return;
        };
        let plan = entry.definition.as_ref().and_then(|it| it.plan.as_deref());
        let out = &mut self.out;
        for (upstream, tokens) in &mut entry.tokens {
            let held = plan.map_or_else(BTreeSet::new, |plan| held(plan, upstream, tokens));
            tokens.retain(|id, row| {
                let is_held = held.contains(id);
                if !is_held {
                    out.record(Record::Token(released(row.clone())));
                }
                is_held
            });
        }
        entry.tokens.retain(|_, tokens| !tokens.is_empty());
    }
}

fn released(row: TokenRow) -> TokenRow {
    TokenRow {
        consumed_by: row.consumed_by.or(Some(cleared())),
        is_held: false,
        ..row
    }
}

/// Whether a rule looks at successes that were used before.
fn looks_back(dependency: &Dependency) -> bool {
    dependency.date != DateRule::Fresh
}

/// How many business dates a rule must remember: those that it counts, and as many more as slots may wait.
fn dates_remembered(rule: DateRule) -> usize {
    let counted = match rule {
        DateRule::Fresh | DateRule::Latest => return 0,
        DateRule::SameDay => 1,
        DateRule::Previous => 2,
        DateRule::AllOfLast(count) | DateRule::AnyOfLast(count) => {
            usize::try_from(count).unwrap_or(usize::MAX)
        }
    };
    counted.saturating_add(MOST_SLOTS)
}

/// The tokens of an edge that a fire may still look at.
fn held(plan: &Plan, upstream: &str, tokens: &Tokens) -> BTreeSet<InstanceId> {
    let rules = || plan.rules_on(upstream);
    let dates = rules()
        .map(|it| dates_remembered(it.date))
        .max()
        .unwrap_or(0);
    let order = |id: &InstanceId| (tokens[id].given_at, *id);
    let mut newest_of_day: BTreeMap<i32, InstanceId> = BTreeMap::new();
    for (id, row) in tokens {
        let newest = newest_of_day.entry(row.business_day).or_insert(*id);
        if order(newest) < order(id) {
            *newest = *id;
        }
    }
    let mut held: BTreeSet<InstanceId> = newest_of_day.into_values().rev().take(dates).collect();
    if rules().any(|it| it.date == DateRule::Latest) {
        held.extend(tokens.keys().max_by_key(|id| order(id)));
    }
    // Rules by date alone forget a date altogether; a fresh success counts whatever its date.
    let counts_only_dates = rules().next().is_some()
        && rules().all(|it| !matches!(it.date, DateRule::Fresh | DateRule::Latest));
    let oldest_day = held.iter().map(|id| tokens[id].business_day).min();
    let unused = tokens
        .iter()
        .rev()
        .filter(|(_, row)| row.consumed_by.is_none())
        .filter(|(_, row)| {
            !counts_only_dates || oldest_day.is_some_and(|day| row.business_day >= day)
        })
        .map(|(id, _)| *id);
    held.extend(unused.take(MAX_TOKENS_PER_EDGE));
    held
}

/// The business dates of an upstream that a fire looks at.
pub(crate) enum Days {
    All,
    Of(BTreeSet<i32>),
}

impl Days {
    pub(crate) fn of_rule(plan: &Plan, rule: DateRule, day: i32) -> Self {
        let last = |count: u32| {
            std::iter::successors(Some(day), |day| Some(plan.day_before(*day)))
                .take(usize::try_from(count).unwrap_or(usize::MAX))
                .collect()
        };
        match rule {
            DateRule::Fresh | DateRule::Latest => Self::All,
            DateRule::SameDay => Self::Of(BTreeSet::from([day])),
            DateRule::Previous => Self::Of(BTreeSet::from([plan.day_before(day)])),
            DateRule::AllOfLast(count) | DateRule::AnyOfLast(count) => Self::Of(last(count)),
        }
    }

    /// The dates whose tokens a fire uses up.
    fn used(plan: &Plan, upstream: &str, day: i32) -> Self {
        let mut all = BTreeSet::new();
        let mut has_rules = false;
        for dependency in plan.rules_on(upstream) {
            has_rules = true;
            match Self::of_rule(plan, dependency.date, day) {
                Self::All => return Self::All,
                Self::Of(days) => all.extend(days),
            }
        }
        if has_rules { Self::Of(all) } else { Self::All }
    }

    fn contains(&self, day: i32) -> bool {
        match self {
            Self::All => true,
            Self::Of(days) => days.contains(&day),
        }
    }
}

impl Entry {
    /// Whether everything is there that a fire of a business date waits for.
    pub(crate) fn is_satisfied(&self, day: i32, now: Timestamp) -> bool {
        self.plan()
            .is_some_and(|plan| plan.terms().all(|term| self.is_met(plan, term, day, now)))
    }

    pub(crate) fn is_met(&self, plan: &Plan, term: Term<'_>, day: i32, now: Timestamp) -> bool {
        match term {
            Term::Fresh(upstream) => self.tokens_of(upstream) > 0,
            Term::Rule(term) => term
                .dependencies()
                .iter()
                .any(|dependency| self.meets(plan, dependency, day, now)),
        }
    }

    /// Whether one upstream has done what is asked of it. Where tokens alone make a workflow fire, a success counts once for
    /// its date, as it does for `fresh`; beside times it counts for every slot of that date.
    fn meets(&self, plan: &Plan, dependency: &Dependency, day: i32, now: Timestamp) -> bool {
        let Some(tokens) = self.tokens.get(&dependency.workflow) else {
            return false;
        };
        let counts_once = match dependency.date {
            DateRule::Fresh => true,
            DateRule::SameDay | DateRule::Previous => plan.waits_for_dependencies_only(),
            DateRule::Latest | DateRule::AllOfLast(_) | DateRule::AnyOfLast(_) => false,
        };
        let is_young = |row: &TokenRow| {
            dependency
                .max_age_seconds
                .is_none_or(|seconds| now.since(row.given_at).as_secs() <= seconds)
        };
        let days = Days::of_rule(plan, dependency.date, day);
        let found: BTreeSet<i32> = tokens
            .values()
            .filter(|row| !counts_once || row.consumed_by.is_none())
            .filter(|row| is_young(row) && days.contains(row.business_day))
            .map(|row| row.business_day)
            .collect();
        match (dependency.date, &days) {
            (DateRule::AllOfLast(_), Days::Of(days)) => found.len() == days.len(),
            _ => !found.is_empty(),
        }
    }

    /// The next fire of a workflow without times: what the tokens that it has not used allow, the earliest date first.
    pub(crate) fn driven(&self, now: Timestamp, zone: Tz) -> Option<Driven> {
        let plan = self.plan()?;
        if !plan.is_dated() {
            let newest = self.newest_token()?;
            let (day, due_at) = (newest.business_day, newest.business_at);
            return self.is_satisfied(day, now).then_some(Driven {
                newest: newest.upstream_instance,
                due_at,
                day,
            });
        }
        self.dates_offered(plan)
            .into_iter()
            .filter(|day| self.is_satisfied(*day, now))
            .find_map(|day| self.driven_on(plan, day, zone))
    }

    /// The business dates that unused tokens could serve.
    fn dates_offered(&self, plan: &Plan) -> BTreeSet<i32> {
        let mut days = BTreeSet::new();
        for (upstream, tokens) in &self.tokens {
            let only_previous = plan
                .rules_on(upstream)
                .all(|dependency| dependency.date == DateRule::Previous);
            let unused = tokens.values().filter(|row| row.consumed_by.is_none());
            for row in unused {
                let day = row.business_day;
                // A calendar comes with times, and this workflow has none: the next date is the next day.
                days.insert(if only_previous {
                    day.saturating_add(1)
                } else {
                    day
                });
            }
        }
        days
    }

    fn driven_on(&self, plan: &Plan, day: i32, zone: Tz) -> Option<Driven> {
        let used: Vec<&TokenRow> = self
            .tokens
            .iter()
            .flat_map(|(upstream, tokens)| {
                let days = Days::used(plan, upstream, day);
                tokens
                    .values()
                    .filter(move |row| row.consumed_by.is_none() && days.contains(row.business_day))
            })
            .collect();
        let newest = used
            .iter()
            .max_by_key(|row| (row.given_at, row.upstream_instance))?;
        let latest = used.iter().max_by_key(|row| row.business_at)?;
        let of_day = used.iter().filter(|row| row.business_day == day);
        let business_at = of_day.map(|row| row.business_at).max();
        let business_at = business_at.unwrap_or(latest.business_at);
        // Where the upstream's wall shows another date than ours, or its success is of another date.
        let is_of_day = plan.day(business_at, zone) == day;
        Some(Driven {
            newest: newest.upstream_instance,
            due_at: if is_of_day {
                business_at
            } else {
                moved(business_at, day, plan.zone(zone))
            },
            day,
        })
    }

    /// Unused successes of an upstream.
    pub(crate) fn tokens_of(&self, upstream: &str) -> usize {
        let tokens = self
            .tokens
            .get(upstream)
            .into_iter()
            .flat_map(Tokens::values);
        tokens.filter(|row| row.consumed_by.is_none()).count()
    }

    /// The unused token given last: it names a fire that has no cron slot.
    pub(crate) fn newest_token(&self) -> Option<&TokenRow> {
        self.tokens
            .values()
            .flat_map(Tokens::values)
            .filter(|row| row.consumed_by.is_none())
            .max_by_key(|token| (token.given_at, token.upstream_instance))
    }
}

/// The same time of day on another date.
pub(crate) fn moved(at: Timestamp, day: i32, zone: Tz) -> Timestamp {
    let time = at.to_utc().with_timezone(&zone).time();
    NaiveDate::from_num_days_from_ce_opt(day)
        .map_or(at, |date| local(date.and_time(time), zone, false))
}
