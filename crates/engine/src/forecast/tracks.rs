//! What is noted of each instance while time passes.

use std::collections::{BTreeMap, BTreeSet};

use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{InstanceRow, NodeRow, Record, TriggerKind};
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::time::Timestamp;

use crate::Reason;

/// So many instances are asked what they wait for: each question costs, and those behind wait for much the same.
const MOST_QUESTIONS: usize = 5_000;

/// What is noted of an instance.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) workflow: String,
    pub(super) trigger: TriggerKind,
    pub(super) fire_time: Timestamp,
    pub(super) created_at: Timestamp,
    /// Whether it was open when the forecast began.
    pub(super) was_open: bool,
    /// Whether it had left its queue by then.
    pub(super) was_started: bool,
    /// When it left its queue.
    pub(super) left_queue: Option<Timestamp>,
    /// When its first attempt began.
    pub(super) first_attempt: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    /// When something last changed.
    pub(super) changed_at: Timestamp,
    pub(super) why: Option<Reason>,
    pub(super) is_guess: bool,
    /// By when it shall have ended.
    pub(super) deadline: Option<Timestamp>,
}

impl Track {
    fn new(row: &InstanceRow, now: Timestamp) -> Self {
        Self {
            workflow: row.workflow.clone(),
            trigger: row.trigger,
            fire_time: row.fire_time,
            created_at: row.created_at,
            was_open: false,
            was_started: false,
            left_queue: None,
            first_attempt: None,
            ended_at: None,
            changed_at: now,
            why: None,
            is_guess: false,
            deadline: row.landing.as_ref().map(|landing| landing.deadline),
        }
    }

    /// When its work began.
    pub(super) fn start(&self) -> Option<Timestamp> {
        self.first_attempt.or(self.left_queue)
    }
}

/// All instances, by id: in the order of their creation.
#[derive(Debug, Default)]
pub(super) struct Tracks {
    tracks: BTreeMap<InstanceId, Track>,
    /// Those that may wait for something at this moment.
    waiting: BTreeSet<InstanceId>,
    questions: usize,
}

impl Tracks {
    pub(super) fn len(&self) -> usize {
        self.tracks.len()
    }

    pub(super) fn get_mut(&mut self, id: InstanceId) -> Option<&mut Track> {
        self.tracks.get_mut(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (InstanceId, &Track)> {
        self.tracks.iter().map(|(id, track)| (*id, track))
    }

    /// An instance that is open when the forecast begins.
    pub(super) fn open(&mut self, row: &InstanceRow, now: Timestamp) {
        let track = Track {
            was_open: true,
            was_started: row.started_at.is_some(),
            left_queue: row.started_at,
            first_attempt: row.started_at,
            changed_at: row.started_at.unwrap_or(row.created_at),
            ..Track::new(row, now)
        };
        self.tracks.insert(row.id, track);
        self.waiting.insert(row.id);
    }

    /// Takes what a step has written. Says whether an instance has left its queue.
    pub(super) fn note(&mut self, record: &Record, now: Timestamp) -> Option<InstanceId> {
        match record {
            Record::Instance(row) => self.note_instance(row, now),
            Record::Node(row) => {
                self.note_node(row, now);
                None
            }
            _ => None,
        }
    }

    fn note_instance(&mut self, row: &InstanceRow, now: Timestamp) -> Option<InstanceId> {
        let new = || Track::new(row, now);
        let track = self.tracks.entry(row.id).or_insert_with(new);
        let has_left = track.left_queue.is_none() && row.started_at.is_some();
        track.left_queue = row.started_at;
        track.ended_at = row.ended_at;
        track.changed_at = now;
        if row.state == InstanceState::Ready {
            self.waiting.insert(row.id);
        }
        has_left.then_some(row.id)
    }

    fn note_node(&mut self, row: &NodeRow, now: Timestamp) {
        if let Some(track) = self.tracks.get_mut(&row.instance) {
            track.changed_at = now;
        }
        if row.state == NodeState::Ready {
            self.waiting.insert(row.instance);
        }
    }

    /// Those that should be asked what they wait for before the clock moves.
    pub(super) fn take_unasked(&mut self) -> Vec<InstanceId> {
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let open = |id: &InstanceId| {
            let track = self.tracks.get(id);
            track.is_some_and(|track| track.why.is_none() && track.ended_at.is_none())
        };
        let left = MOST_QUESTIONS - self.questions;
        let asked: Vec<InstanceId> = waiting.filter(open).take(left).collect();
        self.questions += asked.len();
        asked
    }
}
