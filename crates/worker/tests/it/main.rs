//! The real worker with a real supervisor, driven by a master that the tests play.

#![expect(clippy::unwrap_used, reason = "tests")]

mod actions;
mod fake_master;
mod leaving;
mod leftovers;
mod life;
mod output;
mod stopping;
mod worker;
