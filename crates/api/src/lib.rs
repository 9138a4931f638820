//! The bodies of `/api/v1`: server, command line and page read and write the same types, so they cannot drift apart.
//!
//! **Invariants:** serde only, no behaviour. States and kinds are lower-case words, moments RFC 3339 in UTC with
//! milliseconds. Sentences (`message`, `text`, `title`, `detail`) come in the language of the request; a [`Problem`]
//! carries both. Fields are only ever added.

mod backfill;
mod capsule;
mod cluster;
mod cron;
mod definition;
mod forecast;
mod front;
mod instance;
mod link;
mod log;
mod mail;
mod params;
mod problem;
mod time;
mod workflow;

/// Request header that wins over `Accept-Language`, also for the `/akkaflow` answers: `zh` or `en`.
pub const LANG_HEADER: &str = "akkaflow-lang";

/// Response header of the `/akkaflow` answers that say `fail`: what kind of failure, for programs.
pub const ERROR_CODE_HEADER: &str = "akkaflow-error-code";

/// Response header of the `/akkaflow` answers that say `success`: what the caller may not have meant, one sentence a line,
/// percent-encoded UTF-8. The body stays as akkaflow's tools know it.
pub const WARNINGS_HEADER: &str = "akkaflow-warnings";

pub use backfill::{
    AbortBackfill, BackfillDetail, BackfillPlan, BackfillRun, BackfillSummary, Estimate, LeftOut,
    RunCounts, StartBackfill,
};
pub use capsule::{CAPSULE_FORMAT, Capsule, CapsuleDefinition};
pub use cluster::{By, Cluster, Health, Hold, Master, Pool, Reason, SetPool, WorkerView};
pub use cron::{CronPreview, NextFire};
pub use definition::{Checked, Diagnostic, FileProblem, Put};
pub use forecast::{Forecast, ForecastHour, ForecastInstance, ForecastStuck};
pub use front::{DayCount, Front, Late, NotRunnable};
pub use instance::{
    Attempt, Chain, Created, InstanceDetail, InstanceNode, InstanceSummary, Killed, Landing,
    LandingNotice, MarkKind, MarkNode, Measurement, NodeChange, ParentNode, Repair, Repaired,
    Rerun, Run, Trigger,
};
pub use link::{LinkDetail, LinkTestPart, PutLink};
pub use log::{LOG_COMPLETE_HEADER, LOG_CURSOR_HEADER, Level, LogLine};
pub use mail::{MailDetail, MailRefusal, MailSummary, Mails, SendMail};
pub use params::Params;
pub use problem::Problem;
pub use time::Time;
pub use workflow::{
    Deleted, Dependency, Named, PastFire, Schedule, SetState, StateValue, WorkflowDetail,
    WorkflowNode, WorkflowSummary,
};
