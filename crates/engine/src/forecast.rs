//! What is to come: the engine lives on under a virtual clock, with workers that only pretend to run what they are given.
//!
//! Each attempt succeeds after the time that it usually takes. What people will do, what fails, and which way a graph goes
//! because of values that an action gives are not foreseen.

mod hours;
mod stage;
mod stuck;
mod tracks;

use std::time::Duration;

use akkaflow_model::id::InstanceId;
use akkaflow_model::record::TriggerKind;
use akkaflow_model::time::Timestamp;
use chrono::NaiveDate;

use crate::{Engine, Learned, Reason, WorkerInfo};

pub use hours::Hour;
pub use stuck::Stuck;

/// What a forecast is made from, besides an engine that has just been loaded.
pub struct Ahead<'a> {
    /// Now.
    pub from: Timestamp,
    /// How far to look.
    pub until: Timestamp,
    /// The workers that are attached; each takes as much as it does now, all the time.
    pub workers: Vec<WorkerInfo>,
    /// How long nodes take.
    pub learned: &'a Learned,
    /// How long a node takes of which nothing was learned.
    pub guess: Duration,
    /// An instance that has to wait for longer than this starts late.
    pub late_after: Duration,
    /// Tell of this workflow only; all others run just the same.
    pub only: Option<&'a str>,
    /// Instances after which it ends.
    pub most_instances: usize,
    /// Asked now and then; it ends when this says no.
    pub may_go_on: &'a dyn Fn() -> bool,
}

/// Why a forecast ends before its horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// There are too many instances.
    Instances,
    /// It took too long.
    Time,
}

/// What is to come.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// From when.
    pub from: Timestamp,
    /// Until when; earlier than was asked for when it was cut.
    pub until: Timestamp,
    /// Why it ends before that.
    pub cut: Option<Cut>,
    /// Slots of all workers together.
    pub slots: u64,
    /// The load, hour by hour, from the hour of `from` on.
    pub hours: Vec<Hour>,
    /// The open instances and those to come, in the order of their creation.
    pub instances: Vec<Planned>,
    /// What waits at the end though nothing that is to come would let it go on.
    pub stuck: Vec<Stuck>,
}

/// An instance as it is expected to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Its id, when it is open already.
    pub id: Option<InstanceId>,
    /// Its workflow.
    pub workflow: String,
    /// Why it starts.
    pub trigger: TriggerKind,
    /// Its business date.
    pub date: Option<NaiveDate>,
    /// When it comes into its workflow's queue.
    pub created_at: Timestamp,
    /// When its first action starts; `None` when it does not within the forecast.
    pub start: Option<Timestamp>,
    /// When it ends; `None` when it does not.
    pub end: Option<Timestamp>,
    /// What it has to wait for first.
    pub why: Option<Reason>,
    /// By when it shall have ended.
    pub deadline: Option<Timestamp>,
    /// Whether it waits for longer than it may, or ends after its deadline.
    pub is_late: bool,
    /// Whether the duration of one of its nodes is a guess.
    pub is_guess: bool,
}

impl Forecast {
    /// Lets an engine that was just loaded run ahead.
    pub fn of(engine: Engine, ahead: &Ahead<'_>) -> Self {
        let mut stage = stage::Stage::new(engine, ahead);
        let cut = stage.run();
        stage.end(cut)
    }
}
