//! Behaviour of the engine as short stories: a definition, what happens, what follows.
//!
//! Every step is followed by a check of all invariants and by a load from the rows written so far, which must give the
//! same state.
#![expect(clippy::unwrap_used, reason = "tests")]

mod world;

mod chains;
mod commands;
mod dependencies;
mod graph;
mod limits;
mod packing;
mod reruns;
mod retries;
mod waits;
mod workers;
mod workflows;
