//! From the records of a batch to few large statements.
//!
//! Rows of one table are written together and only the last of a key is written. That changes nothing that can be seen:
//! records replace whole rows and no table refers to another. A deletion ends such a group.

mod group;
mod segment;

use std::ops::Range;

use akkaflow_model::backfill::{BackfillRow, BackfillRunRow};
use akkaflow_model::links::LinkRow;
use akkaflow_model::mail::{DeliveryRow, MailRow};
use akkaflow_model::record::{
    AttemptRow, CalendarRow, ChainRow, ClusterRow, FileProblemRow, FireRow, InstanceRow, NodeRow,
    PoolRow, RequestRow, ScheduleRow, StateRow, TokenRow, VersionRow, WorkflowRow,
};

use crate::batch::Batch;
use crate::sql::plan::segment::Segment;
use crate::sql::table::{Layout, Table};
use crate::sql::texts::{BATCH, FORMAT};
use crate::sql::value::Value;

/// Rows a statement at most: beyond it nothing is gained, and the parameters stay far below what either dialect allows.
const MOST_ROWS: usize = 256;

/// Places in a batch that the order of writing can tell apart; what stands beyond shares the last one.
const PLACES: u64 = 1 << 20;

/// A table that records write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    /// `af_workflow`.
    Workflow,
    /// `af_version`.
    Version,
    /// `af_schedule`.
    Schedule,
    /// `af_fire`.
    Fire,
    /// `af_token`.
    Token,
    /// `af_instance`.
    Instance,
    /// `af_node`.
    Node,
    /// `af_attempt`.
    Attempt,
    /// `af_chain`.
    Chain,
    /// `af_request`.
    Request,
    /// `af_file_problem`.
    FileProblem,
    /// `af_calendar`.
    Calendar,
    /// `af_cluster`.
    Cluster,
    /// `af_pool`.
    Pool,
    /// `af_backfill`.
    Backfill,
    /// `af_backfill_run`.
    BackfillRun,
    /// `af_state`.
    State,
    /// `af_mail`.
    Mail,
    /// `af_mail_delivery`.
    Delivery,
    /// `af_link`.
    Link,
}

impl Target {
    /// Its columns.
    pub(crate) fn layout(self) -> &'static Layout {
        match self {
            Self::Workflow => &WorkflowRow::LAYOUT,
            Self::Version => &VersionRow::LAYOUT,
            Self::Schedule => &ScheduleRow::LAYOUT,
            Self::Fire => &FireRow::LAYOUT,
            Self::Token => &TokenRow::LAYOUT,
            Self::Instance => &InstanceRow::LAYOUT,
            Self::Node => &NodeRow::LAYOUT,
            Self::Attempt => &AttemptRow::LAYOUT,
            Self::Chain => &ChainRow::LAYOUT,
            Self::Request => &RequestRow::LAYOUT,
            Self::FileProblem => &FileProblemRow::LAYOUT,
            Self::Calendar => &CalendarRow::LAYOUT,
            Self::Cluster => &ClusterRow::LAYOUT,
            Self::Pool => &PoolRow::LAYOUT,
            Self::Backfill => &BackfillRow::LAYOUT,
            Self::BackfillRun => &BackfillRunRow::LAYOUT,
            Self::State => &StateRow::LAYOUT,
            Self::Mail => &MailRow::LAYOUT,
            Self::Delivery => &DeliveryRow::LAYOUT,
            Self::Link => &LinkRow::LAYOUT,
        }
    }
}

/// What is removed by a list of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Removal {
    /// Instances by id.
    Instances,
    /// Nodes by instance.
    Nodes,
    /// Attempts by instance.
    Attempts,
    /// Remembers instances whose output is to be removed beside the core loop, because it may be large.
    SweepLogs,
    /// Tokens that can let nothing fire any more, by the instance that gave them.
    UsedTokens,
    /// Chains that are over, by root.
    Chains,
    /// Problems by digest of the path.
    FileProblems,
    /// Single attempts by their whole key.
    SingleAttempts,
    /// Links by kind and name.
    Links,
}

/// What a statement's text depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    /// Writes rows.
    Upsert {
        /// Where.
        table: Target,
        /// How many.
        rows: usize,
    },
    /// Removes rows.
    Remove {
        /// What.
        what: Removal,
        /// How many keys.
        keys: usize,
    },
    /// Removes old fires of one workflow.
    ForgetFires,
    /// Marks a text that holds the whole transaction.
    WholeTransaction,
}

/// One statement: its shape and its parameters.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// Its text follows from this.
    pub(crate) shape: Shape,
    /// Its parameters among those of the plan.
    pub(crate) values: Range<usize>,
}

/// All statements of a batch.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// The journal entry's parameters, then those of all steps, in order.
    pub(crate) values: Vec<Value<'a>>,
    /// How many parameters the journal entry has.
    pub(crate) journal: usize,
    /// What follows the journal entry.
    pub(crate) steps: Vec<Step>,
}

/// What a connection bears.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes of parameters a statement at most; a single row may exceed it.
    pub(crate) bytes: usize,
}

/// Plans a batch.
pub(crate) fn plan<'a>(batch: &'a Batch, limits: Limits) -> Plan<'a> {
    let mut plan = Plan {
        values: journal_entry(batch),
        journal: 0,
        steps: Vec::new(),
    };
    plan.journal = plan.values.len();
    let mut segment = Segment::default();
    for (place, record) in (0..).zip(&batch.records) {
        let number = (batch.seq.wrapping_mul(PLACES) | u64::min(place, PLACES - 1)).cast_signed();
        if segment.is_closed_for(record) {
            std::mem::take(&mut segment).flush(&mut plan, limits);
        }
        segment.add(record, number);
    }
    segment.flush(&mut plan, limits);
    plan
}

fn journal_entry(batch: &Batch) -> Vec<Value<'_>> {
    vec![
        Value::bits(batch.seq),
        Value::bits(batch.epoch.0),
        Value::wide(batch.id.0),
        Value::Int(BATCH),
        Value::Int(FORMAT),
        Value::Bytes((&batch.journal[..]).into()),
    ]
}

impl<'a> Plan<'a> {
    /// Adds rows of `width` parameters each, in statements of 1, 2, 4, ... rows, so that their texts are reused.
    fn add(
        &mut self,
        rows: Vec<Value<'a>>,
        width: usize,
        limits: Limits,
        shape: impl Fn(usize) -> Shape,
    ) {
        let weights: Vec<usize> = rows
            .chunks(width)
            .map(|row| row.iter().map(Value::weight).sum())
            .collect();
        let mut start = self.values.len();
        self.values.extend(rows);
        let mut rest = &weights[..];
        while !rest.is_empty() {
            let rows = largest_group(rest, limits.bytes);
            let end = start + rows * width;
            self.steps.push(Step {
                shape: shape(rows),
                values: start..end,
            });
            start = end;
            rest = &rest[rows..];
        }
    }
}

impl<'a> Plan<'a> {
    /// Adds one statement for each `width` parameters.
    fn add_each(&mut self, values: Vec<Value<'a>>, width: usize, shape: Shape) {
        let start = self.values.len();
        let count = values.len() / width;
        self.values.extend(values);
        self.steps.extend((0..count).map(|index| Step {
            shape,
            values: start + index * width..start + (index + 1) * width,
        }));
    }
}

/// The largest power of two of leading rows that stays within the bounds; at least one.
fn largest_group(weights: &[usize], most_bytes: usize) -> usize {
    let mut rows = 1;
    let mut bytes = weights[0];
    while rows * 2 <= weights.len().min(MOST_ROWS) {
        bytes += weights[rows..rows * 2].iter().sum::<usize>();
        if bytes > most_bytes {
            break;
        }
        rows *= 2;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_powers_of_two_within_the_bounds() {
        assert_eq!(largest_group(&[1; 1000], 10_000), 256);
        assert_eq!(largest_group(&[1; 7], 10_000), 4);
        assert_eq!(largest_group(&[10; 7], 25), 2);
        assert_eq!(largest_group(&[1_000_000, 1], 100), 1);
    }
}
