//! One module per action type, and the registry that knows them all. The master checks with it, the worker runs with it.

mod action;
mod context;
mod error;
mod registry;
mod script;
mod shell;

pub use action::{Action, Outcome, ProcessSpec, Work};
pub use context::{AttemptContext, Level, LogSink};
pub use error::ActionError;
pub use registry::{ParsedAction, Registry};
