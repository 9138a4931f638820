//! The http-server against a store in memory and a master that says what the test wants.

mod api;
mod commands;
mod guard;
mod legacy;
mod logs;
mod support;
