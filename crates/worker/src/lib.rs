//! Runs attempts: dials the master that leads, accepts what it dispatches, reports how it ends and delivers its output.
//! It never sees the metadata database.
//!
//! **Invariants**
//! - What to accept, refuse, promise and repeat is decided by `akkaflow_protocol::agent`; this crate carries it out.
//! - Nothing is started before its acceptance is flushed to disk.
//! - Processes live under a [`supervisor`] of their own and outlive the agent; the next agent adopts them.
//! - Output is read from files and never waits in memory, but for a window of what is on its way.
//!
//! | module | holds |
//! |---|---|
//! | `service`, `core` | the wiring; the task that feeds the agent and carries out what it decides |
//! | `link` | the control stream to the master that leads |
//! | `link_test` | whether links work from here |
//! | `home`, `spares`, `ledger`, `frame` | the data directory, the durable facts, how records lie on disk |
//! | `workshop` | the threads of the tasks, which give way to the agent |
//! | `prepare`, `attachments`, `outcome`, `outputs` | from an order to a start, and from an end to words |
//! | `cache` | files that masters have sent, by their content |
//! | `supervision`, [`supervisor`] | the agent's end of the line to its supervisor, and the supervisor |
//! | `logs` | delivery of output |

mod attachments;
mod cache;
mod clock;
mod core;
mod error;
mod frame;
mod home;
mod ledger;
mod left;
mod link;
mod link_test;
mod logs;
mod options;
mod outcome;
mod outputs;
mod prepare;
mod secrets;
mod service;
mod spares;
mod supervision;
pub mod supervisor;
mod workshop;

pub use error::Error;
pub use options::{OnStop, Options};
pub use service::Service;
