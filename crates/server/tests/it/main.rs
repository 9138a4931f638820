//! The real programs on loopback: what a user does, and must see.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests; a skipped one says so"
)]

mod actions;
mod attachments;
mod backfills;
mod bad_input;
mod capsule;
mod cluster;
mod harness;
mod links;
mod mails;
mod restart;
mod schedules;
mod standalone;
mod values;
mod witness;
