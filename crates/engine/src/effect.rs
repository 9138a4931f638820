//! What follows.

use std::sync::Arc;

use akkaflow_model::command::{Answer, Rejection};
use akkaflow_model::element::Element;
use akkaflow_model::id::{AttemptKey, Incarnation, InstanceId, RequestId, WorkerId};
use akkaflow_model::links::{LinkKey, LinkRow};
use akkaflow_model::record::{CancelReason, Record};
use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;

use crate::journal::Given;

/// What one input led to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// Must be durable before any effect is released.
    pub records: Vec<Record>,
    /// May be seen once the records are durable. All of them are safe to repeat and safe to lose with the process.
    pub effects: Vec<Effect>,
    /// What instances were given of what they share with others, in order; for the journal.
    pub given: Vec<(InstanceId, Given)>,
}

/// What the world may see.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Start an attempt.
    Dispatch(Box<Dispatch>),
    /// Stop an attempt.
    Cancel {
        /// Who runs it.
        worker: WorkerId,
        /// Which.
        key: AttemptKey,
        /// Why.
        reason: CancelReason,
    },
    /// Ask the worker to promise that it never starts this attempt; answered by `Tombstoned`, or by its outcome.
    RequestTombstone {
        /// Who.
        worker: WorkerId,
        /// Which.
        key: AttemptKey,
    },
    /// The outcome is durable; the worker may forget the attempt.
    Acknowledge {
        /// Who.
        worker: WorkerId,
        /// Which.
        key: AttemptKey,
    },
    /// The answer to an order.
    Reply {
        /// Which.
        request: RequestId,
        /// The answer.
        result: Result<Answer, Rejection>,
    },
    /// The instance or one of its nodes has changed.
    Changed {
        /// The instance.
        instance: InstanceId,
    },
    /// Look up how long the nodes of an instance usually take; answered by [`crate::Input::Usual`]. Asked again by the next
    /// master when no answer came.
    Learn {
        /// The instance.
        instance: InstanceId,
        /// Its workflow.
        workflow: String,
    },
    /// A mail is to be sent: whoever sends them looks at the store.
    MailOwed,
    /// A link is another now.
    LinkChanged {
        /// Which.
        key: LinkKey,
        /// What it is now; `None` when it is gone.
        link: Option<Box<LinkRow>>,
    },
}

/// All that a worker needs to start an attempt, but for secrets and attachments, which the master adds.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    /// Who shall run it.
    pub worker: WorkerId,
    /// That start of it, and no other.
    pub incarnation: Incarnation,
    /// Which.
    pub key: AttemptKey,
    /// The workflow's name.
    pub workflow: Arc<str>,
    /// What the workflow is for, empty where it does not say.
    pub desc: String,
    /// The action's body with all parameters resolved; its label is the action type.
    pub body: Element,
    /// The instance's parameters, for the environment of scripts.
    pub params: Vec<(String, String)>,
    /// The instance's fire time.
    pub fire_time: Timestamp,
    /// The zone in which its workflow reads times.
    pub zone: Tz,
    /// The outputs that its node declares.
    pub outputs: Vec<String>,
}
