//! One module per action type, and the registry that knows them all. The master checks with it, the worker runs with it.
//!
//! | module | holds |
//! |---|---|
//! | `action`, `context`, `error` | what an action type is, what an attempt is given, how it fails |
//! | `registry` | all types by their tag: a new one is one file and one line there |
//! | `file_executor`, `file_monitor`, `http`, `python`, `script`, `shell`, `sql`, `ssh`, `transfer` | the types |
//! | `wait` | one look of a `<wait>` at a file or a database |
//! | `data_monitor` | such a type |
//! | `attachments` | elements that several types share |
//! | `files` | files by their name, wherever they lie |
//! | `database` | connecting and running statements, as `sql` and `transfer` both do |
//! | `link_test` | whether a link works, and how fast |
//! | `meter` | what an attempt used and measured |
//! | `lines`, `printed` | bytes that come in pieces, as lines; those that hand values on |
//! | `table` | rows in the log |
//! | `shell_command` | commands that a task runs beside its work |

mod action;
mod attachments;
mod context;
mod data_monitor;
mod database;
mod email;
mod error;
mod file_executor;
mod file_monitor;
mod files;
mod http;
mod lines;
mod link_test;
mod metadata;
mod meter;
mod printed;
mod python;
mod registry;
mod script;
mod shell;
mod shell_command;
mod sql;
mod ssh;
mod table;
mod transfer;
mod wait;

pub use action::{Action, Outcome, ProcessSpec, Work};
pub use context::{AttemptContext, Level, LogSink};
pub use database::{check_link, check_supported};
pub use error::ActionError;
pub use link_test::{LinkPart, PartName, TestedLink, test_link};
pub use meter::Meter;
pub use printed::{Printed, name_and_value};
pub use registry::{ParsedAction, Registry};
pub use script::Script;
pub use shell::Shell;
pub use sql::Sql;
pub use transfer::Transfer;
