//! The http-server against a store in memory and a master that says what the test wants.

#![expect(clippy::unwrap_used, reason = "tests")]

mod api;
mod backfills;
mod commands;
mod forecast;
mod guard;
mod legacy;
mod links;
mod logs;
mod steering;
mod support;
