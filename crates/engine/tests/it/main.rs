//! Behaviour of the engine as short stories: a definition, what happens, what follows.
//!
//! Every step is followed by a check of all invariants and by a load from the rows written so far, which must give the
//! same state.
#![expect(clippy::unwrap_used, reason = "tests")]

mod world;

mod after;
mod backfills;
mod chains;
mod commands;
mod conditions;
mod dates;
mod dependencies;
mod dispatch;
mod finally;
mod forecasts;
mod graph;
mod holds;
mod joins;
mod landings;
mod limits;
mod links;
mod mails;
mod marks;
mod misfires;
mod nested;
mod old_defects;
mod outputs;
mod overlap;
mod own_nodes;
mod packing;
mod policies;
mod repairs;
mod reruns;
mod retries;
mod schedules;
mod state;
mod triggers;
mod waiting;
mod waits;
mod workers;
mod workflows;
