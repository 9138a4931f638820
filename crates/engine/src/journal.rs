//! What the journal keeps of a step: the input, and for each instance that it touched what that instance was given of what
//! it shares with others. From these parts one instance replays alone, see [`crate::Solo`].

use std::collections::BTreeMap;

use akkaflow_model::command::By;
use akkaflow_model::definition::Version;
use akkaflow_model::id::{Epoch, Incarnation, InstanceId, Name, WorkerId};
use akkaflow_model::landing::LandingNotice;
use akkaflow_model::message::Message;
use akkaflow_model::record::{AttemptRow, InstanceRow, NodeRow, PinnedState, Record};
use akkaflow_model::shared::Shared;
use akkaflow_model::state::InstanceState;
use akkaflow_model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::effect::Step;
use crate::input::Input;

/// What was decided about an instance on grounds that lie outside of it: its trigger, limits, workers, others' instances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "given", rename_all = "snake_case")]
pub enum Given {
    /// A place in its workflow's queue: it is new, or a rerun.
    Admitted {
        /// The row with which it begins.
        row: Shared<InstanceRow>,
        /// What a rerun carries over.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        nodes: Vec<NodeRow>,
    },
    /// Another definition, by a repair.
    Repaired {
        /// Its version.
        version: Version,
        /// Who asked, and why.
        #[serde(default)]
        by: By,
    },
    /// Its turn.
    Started,
    /// Its end.
    Ended {
        /// As what.
        state: InstanceState,
        /// Why.
        message: Message,
    },
    /// A worker for a node.
    Worker {
        /// The node.
        node: Name,
        /// Who runs its next attempt.
        worker: WorkerId,
        /// Which start of it.
        incarnation: Incarnation,
        /// The worker's host.
        host: Name,
        /// The epoch of the master that chose.
        epoch: Epoch,
    },
    /// News of a worker that holds the node's attempt.
    Held {
        /// The node.
        node: Name,
        /// Which start of the worker.
        incarnation: Incarnation,
        /// The epoch of the master that heard it.
        epoch: Epoch,
    },
    /// News that the node's attempt is lost.
    Lost {
        /// The node.
        node: Name,
    },
    /// What the node says of its wait for a worker.
    Wait {
        /// The node.
        node: Name,
        /// The reason; `None` when it waits no more.
        message: Option<Message>,
    },
    /// The state of its workflow, as it was.
    Read {
        /// Moment and values.
        pinned: PinnedState,
    },
    /// That values of the state stay as they are though it has succeeded.
    StateKept {
        /// Which, and why.
        message: Message,
    },
    /// Its turn to a node that the engine does itself: a wait begins.
    Begun {
        /// The node.
        node: Name,
    },
    /// A child to a node.
    Child {
        /// The node.
        node: Name,
        /// The instance.
        child: InstanceId,
        /// Whether the node ends with it.
        waits: bool,
    },
    /// No child to a node.
    NoChild {
        /// The node.
        node: Name,
        /// Why.
        message: Message,
    },
    /// News that somebody has the failed child of a node run again.
    ChildAgain {
        /// The node.
        node: Name,
        /// The instance.
        child: InstanceId,
    },
    /// How many of its timers were served in this step before what comes next.
    Timers {
        /// So many.
        served: usize,
    },
    /// The end of the child that a node waits for.
    ChildOver {
        /// The node.
        node: Name,
        /// How the child ended.
        state: InstanceState,
        /// What the node says of that.
        message: Message,
    },
}

/// An instance's part of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The instance.
    pub id: InstanceId,
    /// What it was given, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<Given>,
    /// See [`decisions`].
    pub decisions: u32,
}

/// One entry of the journal: an accepted input and what names its consequences.
#[derive(Debug, Serialize)]
pub struct Entry<'a> {
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub input: &'a Input,
    /// crc32c over the JSON of the records: a replay that decides otherwise is noticed.
    pub records: u32,
    /// The instances that it touched.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

impl<'a> Entry<'a> {
    /// What to journal of a step; takes [`Step::given`].
    pub fn new(at: Timestamp, input: &'a Input, step: &mut Step) -> Self {
        let mut parts: BTreeMap<InstanceId, (Vec<Given>, Sum)> = BTreeMap::new();
        for (id, given) in step.given.drain(..) {
            parts.entry(id).or_default().0.push(given);
        }
        let (mut all, mut scratch) = (Sum::default(), Vec::new());
        for record in &step.records {
            all.add(record, &mut scratch);
            if let Some(id) = owner(record) {
                let (_, sum) = parts.entry(id).or_default();
                sum.add_decision(record, &mut scratch);
            }
        }
        Self {
            at,
            input,
            records: all.0,
            parts: parts
                .into_iter()
                .map(|(id, (given, sum))| Part {
                    id,
                    given,
                    decisions: sum.0,
                })
                .collect(),
        }
    }

    /// As the journal keeps it.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("inputs are plain data")
    }
}

/// The instance whose state a record holds.
pub(crate) fn owner(record: &Record) -> Option<InstanceId> {
    match record {
        Record::Instance(row) => Some(row.id),
        Record::Node(row) => Some(row.instance),
        Record::Attempt(row) => Some(row.key.instance),
        _ => None,
    }
}

/// crc32c over what the rows of one instance decide: states, times, counts, workers. Texts and values are left out, so that
/// secrets can be taken from an export without breaking it.
pub fn decisions(records: &[Record]) -> u32 {
    let (mut sum, mut scratch) = (Sum::default(), Vec::new());
    for record in records {
        sum.add_decision(record, &mut scratch);
    }
    sum.0
}

#[derive(Default)]
struct Sum(u32);

impl Sum {
    /// Goes through `scratch`: a sum of many small pieces costs more than writing them together.
    fn add(&mut self, value: &impl Serialize, scratch: &mut Vec<u8>) {
        scratch.clear();
        serde_json::to_writer(&mut *scratch, value).expect("rows are plain data");
        self.0 = crc32c::crc32c_append(self.0, scratch);
    }

    fn add_decision(&mut self, record: &Record, scratch: &mut Vec<u8>) {
        match record {
            Record::Instance(row) => self.add(&instance(row), scratch),
            Record::Node(row) => self.add(&node(row), scratch),
            Record::Attempt(row) => self.add(&attempt(row), scratch),
            _ => {}
        }
    }
}

fn instance(row: &InstanceRow) -> impl Serialize {
    let marks = row.marks.iter();
    let marks: Vec<_> = marks
        .map(|mark| (&mark.node, mark.is_skipped, mark.at))
        .collect();
    (
        (row.id, &row.workflow, &row.version, row.run, row.state),
        (row.trigger, row.fire_time, row.created_at),
        (row.started_at, row.ended_at, row.ending),
        (row.handled_errors, row.gave_tokens, &row.ignore_nodes),
        (row.clean_up, row.hold.as_ref().map(|hold| hold.since)),
        marks,
        row.landing.as_ref().map(|landing| {
            let at = |notice: &Option<LandingNotice>| notice.as_ref().map(|notice| notice.at);
            (landing.deadline, at(&landing.late), at(&landing.missed))
        }),
    )
}

fn node(row: &NodeRow) -> impl Serialize {
    (
        (row.instance, &row.node, row.run, row.state),
        (row.attempts, row.failures, row.losses, &row.worker),
        (row.ready_at, row.started_at, row.ended_at),
        (row.deadline, row.retry_at),
    )
}

fn attempt(row: &AttemptRow) -> impl Serialize {
    (
        (&row.key, row.state, &row.worker, row.incarnation, row.epoch),
        (row.assigned_at, row.accepted_at, row.ended_at),
        (row.cancel, row.exit_code, row.log_length),
    )
}
