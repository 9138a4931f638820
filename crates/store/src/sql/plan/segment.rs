//! Records whose order does not matter.

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::backfill::{BackfillRow, BackfillRunRow};
use akkaflow_model::id::{AttemptKey, InstanceId};
use akkaflow_model::links::{LinkKey, LinkRow};
use akkaflow_model::mail::{DeliveryRow, MailKey, MailRow};
use akkaflow_model::record::{
    AttemptRow, CalendarRow, ChainRow, ClusterRow, FileProblemRow, FireRow, InstanceRow, NodeRow,
    PoolRow, Record, RequestRow, ScheduleRow, StateRow, TokenRow, TriggerKind, VersionRow,
    WorkflowRow,
};
use akkaflow_model::time::Timestamp;

use crate::sql::plan::group::Group;
use crate::sql::plan::{Limits, Plan, Removal, Shape, Target};
use crate::sql::tables::{digest, link_key_values};
use crate::sql::value::Value;

/// Rows of all tables, or deletions of instances; never both.
#[derive(Debug, Default)]
pub(crate) struct Segment<'a> {
    workflows: Group<'a, &'a str, WorkflowRow>,
    versions: Group<'a, &'a str, VersionRow>,
    schedules: Group<'a, &'a str, ScheduleRow>,
    fires: Group<'a, (&'a str, TriggerKind, u32, &'a str), FireRow>,
    tokens: Group<'a, (InstanceId, &'a str), TokenRow>,
    instances: Group<'a, InstanceId, InstanceRow>,
    nodes: Group<'a, (InstanceId, &'a str), NodeRow>,
    attempts: Group<'a, &'a AttemptKey, AttemptRow>,
    chains: Group<'a, InstanceId, ChainRow>,
    requests: Group<'a, &'a str, RequestRow>,
    file_problems: BTreeMap<&'a str, Option<&'a FileProblemRow>>,
    calendars: Group<'a, &'a str, CalendarRow>,
    cluster: Group<'a, (), ClusterRow>,
    pools: Group<'a, &'a str, PoolRow>,
    backfills: Group<'a, InstanceId, BackfillRow>,
    backfill_runs: Group<'a, (InstanceId, u32), BackfillRunRow>,
    states: Group<'a, (&'a str, &'a str), StateRow>,
    mails: Group<'a, &'a MailKey, MailRow>,
    deliveries: Group<'a, &'a MailKey, DeliveryRow>,
    links: BTreeMap<&'a LinkKey, Option<&'a LinkRow>>,
    dropped: BTreeSet<&'a AttemptKey>,
    deleted: Vec<InstanceId>,
    /// Those of the deleted whose used tokens and chains go too.
    expired: Vec<InstanceId>,
    /// Workflow, and the moment before which its fires go.
    forgotten: Vec<(&'a str, Timestamp)>,
}

impl<'a> Segment<'a> {
    /// Whether `record` must be written after all that is here.
    pub(crate) fn is_closed_for(&self, record: &Record) -> bool {
        match record {
            Record::DeleteInstance { .. } | Record::ExpireInstance { .. } => {
                self.has_rows() || !self.forgotten.is_empty()
            }
            Record::Attempt(row) if self.dropped.contains(&row.key) => true,
            Record::ForgetFires { .. } => self.has_rows(),
            Record::Instance(_)
            | Record::Node(_)
            | Record::Attempt(_)
            | Record::Fire(_)
            | Record::Token(_)
            | Record::Chain(_) => !(self.deleted.is_empty() && self.forgotten.is_empty()),
            _ => false,
        }
    }

    /// Whether rows are to be written that a removal of old ones may meet.
    fn has_rows(&self) -> bool {
        !(self.instances.is_empty()
            && self.nodes.is_empty()
            && self.attempts.is_empty()
            && self.fires.is_empty()
            && self.tokens.is_empty()
            && self.chains.is_empty())
    }

    /// Adds a record; `number` is its place in the order of writing.
    pub(crate) fn add(&mut self, record: &'a Record, number: i64) {
        match record {
            Record::Workflow(row) => self.workflows.put(&row.name, number, row, |_| false),
            Record::Version(row) => self.versions.put(&row.version.0, number, row, |_| false),
            Record::Schedule(row) => self.schedules.put(&row.workflow, number, row, |_| false),
            Record::Fire(row) => {
                let key = (&*row.workflow, row.kind, row.generation, &*row.key);
                self.fires.put(key, number, row, |_| false);
            }
            Record::Token(row) => {
                let key = (row.upstream_instance, &*row.dependant);
                self.tokens.put(key, number, row, |_| false);
            }
            Record::Instance(row) => self.instances.put(row.id, number, row, |_| false),
            Record::Node(row) => {
                let key = (row.instance, &*row.node);
                self.nodes
                    .put(key, number, row, |earlier| earlier.run != row.run);
            }
            Record::Attempt(row) => self.attempts.put(&row.key, number, row, |_| false),
            Record::DeleteInstance { id } => self.deleted.push(*id),
            Record::Chain(row) => self.chains.put(row.root, number, row, |_| false),
            Record::Request(row) => self.requests.put(&row.key, number, row, |_| false),
            Record::FileProblem(row) => {
                self.file_problems.insert(&row.path, Some(row));
            }
            Record::ClearFileProblem { path } => {
                self.file_problems.insert(path, None);
            }
            Record::Calendar(row) => self.calendars.put(&row.name, number, row, |_| false),
            Record::Cluster(row) => self.cluster.put((), number, row, |_| false),
            Record::Pool(row) => self.pools.put(&row.name, number, row, |_| false),
            Record::ExpireInstance { id } => {
                self.deleted.push(*id);
                self.expired.push(*id);
            }
            Record::ForgetFires { workflow, before } => self.forgotten.push((workflow, *before)),
            Record::Backfill(row) => self.backfills.put(row.id, number, row, |_| false),
            Record::BackfillRun(row) => {
                let key = (row.backfill, row.position);
                self.backfill_runs.put(key, number, row, |_| false);
            }
            Record::State(row) => {
                let key = (&*row.workflow, &*row.name);
                self.states.put(key, number, row, |_| false);
            }
            Record::DeleteAttempt { key } => {
                self.dropped.insert(key);
            }
            Record::Mail(row) => self.mails.put(&row.key, number, row, |_| false),
            Record::Delivery(row) => self.deliveries.put(&row.key, number, row, |_| false),
            Record::Link(row) => {
                self.links.insert(&row.key, Some(row));
            }
            Record::DeleteLink { key } => {
                self.links.insert(key, None);
            }
        }
    }

    /// Adds the statements to the plan.
    pub(crate) fn flush(self, plan: &mut Plan<'a>, limits: Limits) {
        self.versions.flush(Target::Version, plan, limits);
        self.workflows.flush(Target::Workflow, plan, limits);
        self.schedules.flush(Target::Schedule, plan, limits);
        self.fires.flush(Target::Fire, plan, limits);
        self.tokens.flush(Target::Token, plan, limits);
        self.instances.flush(Target::Instance, plan, limits);
        self.nodes.flush(Target::Node, plan, limits);
        self.attempts.flush(Target::Attempt, plan, limits);
        flush_dropped(&self.dropped, plan, limits);
        self.states.flush(Target::State, plan, limits);
        self.chains.flush(Target::Chain, plan, limits);
        self.requests.flush(Target::Request, plan, limits);
        self.calendars.flush(Target::Calendar, plan, limits);
        self.cluster.flush(Target::Cluster, plan, limits);
        self.pools.flush(Target::Pool, plan, limits);
        self.backfills.flush(Target::Backfill, plan, limits);
        self.backfill_runs.flush(Target::BackfillRun, plan, limits);
        self.mails.flush(Target::Mail, plan, limits);
        self.deliveries.flush(Target::Delivery, plan, limits);
        flush_problems(self.file_problems, plan, limits);
        flush_links(self.links, plan, limits);
        let instances = [
            Removal::Attempts,
            Removal::Nodes,
            Removal::SweepLogs,
            Removal::Instances,
        ];
        flush_removals(&self.deleted, &instances, plan, limits);
        let around = [Removal::UsedTokens, Removal::Chains];
        flush_removals(&self.expired, &around, plan, limits);
        let forgotten = self.forgotten.into_iter();
        let forgotten = forgotten.flat_map(|(name, at)| [Value::text(name), Value::time(at)]);
        plan.add_each(forgotten.collect(), 2, Shape::ForgetFires);
    }
}

fn flush_dropped<'a>(dropped: &BTreeSet<&'a AttemptKey>, plan: &mut Plan<'a>, limits: Limits) {
    let keys: Vec<Value<'a>> = dropped
        .iter()
        .flat_map(|key| {
            [
                Value::id(key.instance),
                Value::text(&key.node),
                Value::Int(key.run.into()),
                Value::Int(key.attempt.into()),
            ]
        })
        .collect();
    plan.add(keys, 4, limits, |keys| Shape::Remove {
        what: Removal::SingleAttempts,
        keys,
    });
}

fn flush_problems<'a>(
    problems: BTreeMap<&'a str, Option<&'a FileProblemRow>>,
    plan: &mut Plan<'a>,
    limits: Limits,
) {
    let mut found = Group::default();
    let mut cleared = Vec::new();
    for (path, problem) in problems {
        match problem {
            Some(row) => found.put(path, 0, row, |_| false),
            None => cleared.push(digest(path)),
        }
    }
    found.flush(Target::FileProblem, plan, limits);
    plan.add(cleared, 1, limits, |keys| Shape::Remove {
        what: Removal::FileProblems,
        keys,
    });
}

fn flush_links<'a>(
    links: BTreeMap<&'a LinkKey, Option<&'a LinkRow>>,
    plan: &mut Plan<'a>,
    limits: Limits,
) {
    let mut kept = Group::default();
    let mut removed = Vec::new();
    for (key, link) in links {
        match link {
            Some(row) => kept.put(key, 0, row, |_| false),
            None => removed.extend(link_key_values(key)),
        }
    }
    kept.flush(Target::Link, plan, limits);
    plan.add(removed, 2, limits, |keys| Shape::Remove {
        what: Removal::Links,
        keys,
    });
}

fn flush_removals(ids: &[InstanceId], what: &[Removal], plan: &mut Plan<'_>, limits: Limits) {
    if ids.is_empty() {
        return;
    }
    for &what in what {
        let keys = ids.iter().copied().map(Value::id).collect();
        plan.add(keys, 1, limits, |keys| Shape::Remove { what, keys });
    }
}
