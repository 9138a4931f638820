//! The only writer. Drives the engine, holds the lease, watches `xmlconfig/`, talks to workers and http-servers.
//!
//! **Invariants:** every durable change goes through the core loop, which commits the records of a batch in one
//! fenced transaction and only then releases what follows from them. A master that does not lead changes nothing and
//! says who does.
//!
//! | module | does |
//! |---|---|
//! | [`service`](Service) | starts and ends everything |
//! | `leadership` | executes what `protocol::leader` decides |
//! | `core` | the loop: inputs, engine, group commit, effects |
//! | `effects` | carries out released effects |
//! | `sessions` | the control streams of attached workers |
//! | `grpc` | the wire |
//! | `link_tests` | tests of links that workers carry out |
//! | `postman` | sends the mails that are owed |
//! | `retention` | removes what was kept for long enough |
//! | `files` | watches the directory of workflow files |
//! | `links` | the links that attempts need: those of the files, and those that the store keeps, sealed |

mod clock;
mod core;
mod effects;
mod error;
mod files;
mod grpc;
mod leadership;
mod learner;
mod link_tests;
mod links;
mod misfits;
mod options;
mod outage;
mod postman;
mod retention;
mod service;
mod sessions;
mod shared;

pub use error::Error;
pub use options::{Mails, Options};
pub use retention::Retention;
pub use service::Service;
