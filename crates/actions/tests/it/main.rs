//! Every action type against the contract, and each against the real thing: processes, SQLite, and, where their URLs are given, MySQL and
//! PostgreSQL servers (`AKKAFLOW_TEST_MYSQL_URL`, `AKKAFLOW_TEST_POSTGRES_URL`).

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod bodies;
mod cancel;
mod compat;
mod contract;
mod examples;
mod links;
mod process;
mod sql;
mod support;
mod transfer;
mod transfer_values;
