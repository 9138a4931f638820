//! The HTTP face: the API under `/api/v1`, akkaflow 2.12's `/akkaflow/...`, `/healthz` and `/readyz`.
//!
//! Stateless, any number of them: reads come from the store, commands go to the active master over gRPC.
//!
//! **Invariants:** a command is sent again only when repeating it changes nothing or when it provably was not
//! accepted; otherwise the caller is told that the outcome is unknown. No request of a foreign web page is answered.
//!
//! | module | holds |
//! |---|---|
//! | `options`, `service` | what it is told, and how it serves |
//! | `guard`, `language`, `failure` | who may ask, in which language, and what went wrong |
//! | `master` | finds the active master and speaks to it |
//! | `definitions`, `view`, `lookup` | definitions by their content, rows as bodies, instances by a part of their id |
//! | `v1`, `legacy`, `health` | the routes |

mod app;
mod body;
mod definitions;
mod estimate;
mod failure;
mod guard;
mod health;
mod language;
mod legacy;
mod lookup;
mod master;
mod options;
mod service;
mod v1;
mod view;

pub use definitions::Actions;
pub use failure::http_status;
pub use options::Options;
pub use service::{Error, Service};
