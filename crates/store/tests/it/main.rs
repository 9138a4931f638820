//! Every store passes one suite; what only one of them does is tested beside it.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod mysql;
mod proxy;
mod server;
mod sqlite;
mod suite;
